"""Qwen Code: where its chats lie: `projects/<folder>/chats/<session>.jsonl`, and before that below `tmp/`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...walk import walk
from ..paths import is_utf8
from ..source import Matter, Places, Source, SourceFile, WatchPaths, existing

if TYPE_CHECKING:
    from ..change import Change

VERSION = 4

_FOLDERS = ("projects", "tmp")


class QwenSource(Source):
    """Chats of all projects, of sub-agents, too."""

    kind = "qwen"
    agent = "qwen"
    version = VERSION
    usual = ("~/.qwen",)
    untold = MappingProxyType(
        {
            Matter.FIRST_TOKEN: "Qwen Code tells no time of the first token",
        }
    )

    def locate(self, places: Places) -> list[Path]:
        """`~/.qwen`."""
        return existing([places.home / ".qwen"])

    def watch_paths(self, root: Path) -> WatchPaths:
        """The folders of projects; logs and settings lie beside them."""
        return WatchPaths(deep=tuple(root / name for name in _FOLDERS), flat=(root,))

    def discover(self, root: Path) -> Iterator[os.DirEntry[str]]:
        """All chats under the root."""
        for name in _FOLDERS:
            for entry in walk(root / name):
                if entry.name.endswith(".jsonl") and f"{os.sep}chats{os.sep}" in entry.path:
                    yield entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The chat at a path."""
        if path.suffix != ".jsonl" or not is_utf8(path) or not path.is_relative_to(root):
            return None
        inside = path.relative_to(root).parts
        if inside[0] not in _FOLDERS or "chats" not in inside[:-1]:
            return None
        is_main = inside[-2] == "chats"
        return SourceFile(self.kind, root, path, is_main, path.stem if is_main else None)

    def change(self, file: SourceFile) -> Change:  # noqa: ARG002
        """Chats grow."""
        from ..change import AppendedLines
        from .decoder import QwenDecoder

        return AppendedLines(QwenDecoder)
