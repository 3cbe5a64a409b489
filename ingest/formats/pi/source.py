"""Pi: where its sessions lie.

`sessions/--<folder>--/<time>_<id>.jsonl` is written when the first answer is there, and appended to from then on; a
file of an old version is rewritten once when it is migrated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ....queries.paths import expanded, is_folder
from ...walk import walk
from ..paths import is_utf8
from ..source import Matter, Places, Source, SourceFile, WatchPaths, existing

if TYPE_CHECKING:
    from ..change import Change

VERSION = 4


class PiSource(Source):
    """Sessions of all folders."""

    kind = "pi"
    agent = "pi"
    version = VERSION
    variable = "PI_CODING_AGENT_DIR"
    usual = ("~/.pi/agent",)
    untold = MappingProxyType(
        {
            Matter.BRANCH: "Pi tells no branch",
            Matter.VERSION: "Pi tells no version",
            Matter.FIRST_TOKEN: "Pi tells no time of the first token",
        }
    )

    def locate(self, places: Places) -> list[Path]:
        """`PI_CODING_AGENT_DIR`, and `PI_AGENT_DIR`, which names the folder of sessions; else `~/.pi/agent`."""
        named = [places.environment.get(name, "").strip() for name in ("PI_CODING_AGENT_DIR", "PI_AGENT_DIR")]
        return existing([expanded(name) for name in named if name] or [places.home / ".pi" / "agent"])

    def watch_paths(self, root: Path) -> WatchPaths:
        """The sessions; what lies beside them is none of ours."""
        return WatchPaths(deep=(_sessions(root),), flat=(root,))

    def discover(self, root: Path) -> Iterator[os.DirEntry[str]]:
        """All sessions under the root."""
        for entry in walk(_sessions(root)):
            if entry.name.endswith(".jsonl"):
                yield entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The session at a path."""
        if path.suffix != ".jsonl" or not is_utf8(path) or not path.is_relative_to(_sessions(root)):
            return None
        return SourceFile(self.kind, root, path, True, path.stem.rpartition("_")[2] or None)

    def change(self, file: SourceFile) -> Change:  # noqa: ARG002
        """Sessions grow."""
        from ..change import AppendedLines
        from .decoder import PiDecoder

        return AppendedLines(PiDecoder)


def _sessions(root: Path) -> Path:
    """The folder of sessions: below `agent`, below the root, or the root itself."""
    for inner in (root / "agent" / "sessions", root / "sessions"):
        if is_folder(inner):
            return inner
    return root
