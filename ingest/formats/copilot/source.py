"""GitHub Copilot CLI: where its sessions lie: `session-state/<session>/events.jsonl`, older ones beside that folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ....queries.paths import expanded, is_folder
from ...walk import walk
from ..paths import is_utf8
from ..source import Places, Source, SourceFile, WatchPaths, existing

if TYPE_CHECKING:
    from ..change import Change

VERSION = 1

FOLDERS = ("session-state", "history-session-state")
EVENTS = "events.jsonl"


class CopilotSource(Source):
    """The events of all sessions."""

    kind = "copilot"
    agent = "copilot"
    version = VERSION

    def locate(self, places: Places) -> list[Path]:
        """`COPILOT_HOME`, else `~/.copilot`."""
        named = places.environment.get("COPILOT_HOME", "").strip()
        return existing([expanded(named) if named else places.home / ".copilot"])

    def watch_paths(self, root: Path) -> WatchPaths:
        """The folders of sessions; logs lie beside them."""
        return WatchPaths(deep=tuple(root / name for name in FOLDERS), flat=(root,))

    def discover(self, root: Path) -> Iterator[os.DirEntry[str]]:
        """All sessions under the root."""
        inner = [folder for name in FOLDERS if is_folder(folder := root / name)]
        for folder in inner or [root]:
            for entry in walk(folder):
                if _is_session(Path(entry.path)):
                    yield entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The session at a path."""
        if not is_utf8(path) or not path.is_relative_to(root) or not _is_session(path):
            return None
        session = path.parent.name if path.name == EVENTS else path.stem
        return SourceFile(self.kind, root, path, True, session)

    def change(self, file: SourceFile) -> Change:  # noqa: ARG002
        """Sessions grow."""
        from ..change import AppendedLines
        from .decoder import CopilotDecoder

        return AppendedLines(CopilotDecoder)


def _is_session(path: Path) -> bool:
    return path.name == EVENTS or (path.suffix == ".jsonl" and path.parent.name in FOLDERS)
