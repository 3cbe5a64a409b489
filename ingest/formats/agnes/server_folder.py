"""The folder of sessions on an Agnes server: transcripts of Claude Code, as its people upload them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ....queries.paths import expanded
from ...walk import walk
from ..claude.source import ClaudeSource
from ..paths import is_utf8
from ..source import Places, SourceFile, WatchPaths, existing

if TYPE_CHECKING:
    from ..retention import Retention


class AgnesServerFolder(ClaudeSource):
    """`SESSION_DATA_DIR/<user>/<session>.jsonl`: sessions as the Agnes server keeps them."""

    kind = "agnes-server-folder"
    variable = "AGNES_SESSION_DATA_DIR"
    usual = ()

    def locate(self, places: Places) -> list[Path]:
        """The folder named by `AGNES_SESSION_DATA_DIR`, if there is one."""
        named = places.environment.get(self.variable, "")
        return existing([expanded(named)]) if named else []

    def retention(self, root: Path) -> Retention | None:  # noqa: ARG002
        """The server's folder is no business of the agent's."""
        return None

    def watch_paths(self, root: Path) -> WatchPaths:
        """The whole folder: each person has one of their own in it."""
        return WatchPaths(deep=(root,))

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        """All sessions of all people under the root."""
        for entry in walk(root):
            if entry.name.endswith(".jsonl"):
                yield entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The session at a path; the first folder below the root is whose it is."""
        if path.suffix != ".jsonl" or not is_utf8(path):
            return None
        try:
            inside = path.relative_to(root).parts
        except ValueError:
            return None
        username = inside[0] if len(inside) > 1 else None
        is_agent = path.name.startswith("agent-")
        return SourceFile(self.kind, root, path, not is_agent, None if is_agent else path.stem, username)
