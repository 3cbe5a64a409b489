"""`limits.jsonl` beside the store, to which the status line appends what Claude Code tells it of the plan's limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...limit_log import NAME
from ..source import Places, Source, SourceFile, WatchPaths, is_no_folder

if TYPE_CHECKING:
    from ..change import Change

VERSION = 1


class LimitsSource(Source):
    """One file, in the folder of the store."""

    kind = "limits"
    version = VERSION
    agent = "claude-code"

    def locate(self, places: Places) -> list[Path]:  # noqa: ARG002
        """Nowhere: whoever knows the store knows where it is."""
        return []

    def discover(self, root: Path) -> Iterator[Path]:
        """The file, if it is there."""
        if is_no_folder(path := root / NAME):
            yield path

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The file."""
        return SourceFile(self.kind, root, path, False, None) if path == root / NAME else None

    def watch_paths(self, root: Path) -> WatchPaths:
        """Around it the store is written all the while."""
        return WatchPaths(looked_at=(root / NAME,))

    def change(self, file: SourceFile) -> Change:  # noqa: ARG002
        """Lines are appended."""
        from ..change import AppendedLines
        from .decoder import LimitsDecoder

        return AppendedLines(LimitsDecoder)
