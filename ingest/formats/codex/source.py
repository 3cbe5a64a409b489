"""Codex: where its rollouts lie.

`sessions/Y/M/D/rollout-<time>-<thread>.jsonl` grows while a thread runs. Archiving moves it to `archived_sessions/`,
and after a week of rest it is compressed to `….jsonl.zst`, which is read on where the plain file was left. Whatever a
copy says has the same keys, so it does not matter which of them is read, or how many.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ....queries.paths import expanded, is_folder
from ...walk import walk
from ..paths import is_utf8
from ..source import Matter, Places, Source, SourceFile, WatchPaths, existing, is_no_folder

if TYPE_CHECKING:
    from ..change import Change

VERSION = 5

FOLDERS = ("sessions", "archived_sessions")
PACKED = ".zst"
INDEX = "session_index.jsonl"
"""Names of threads, appended whenever one is named."""


class CodexSource(Source):
    """Rollouts, running, archived and compressed, and the names of threads."""

    kind = "codex"
    agent = "codex"
    version = VERSION
    variable = "CODEX_HOME"
    usual = ("~/.codex",)
    untold = MappingProxyType(
        {
            Matter.ERRORS: "Codex marks no failed calls: their exit codes tell",
        }
    )

    def locate(self, places: Places) -> list[Path]:
        """`CODEX_HOME`, else `~/.codex`."""
        named = places.environment.get("CODEX_HOME", "").strip()
        return existing([expanded(named) if named else places.home / ".codex"])

    def watch_paths(self, root: Path) -> WatchPaths:
        """The index lies beside logs and databases, which change all the while."""
        return WatchPaths(deep=tuple(_folders(root)), flat=(root,))

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        """All rollouts under the root."""
        if is_no_folder(root / INDEX):
            yield root / INDEX
        for folder in _folders(root):
            for entry in walk(folder):
                if _is_rollout(entry.name):
                    yield Path(entry.path.removesuffix(PACKED)) if entry.name.endswith(PACKED) else entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The rollout, or the index of names, at a path."""
        if not is_utf8(path) or not path.is_relative_to(root):
            return None
        if path == root / INDEX:
            return SourceFile(self.kind, root, path, False, None)
        if not _is_rollout(path.name):
            return None
        path = path.with_name(path.name.removesuffix(PACKED))
        return SourceFile(self.kind, root, path, True, thread_in(path.name))

    def members(self, path: os.DirEntry[str] | Path) -> Sequence[os.DirEntry[str] | Path]:
        """A rollout, and what it is called once it is compressed; for a moment there may be both."""
        if path.name == INDEX:
            return (path,)
        return path, Path(f"{os.fspath(path)}{PACKED}")

    def change(self, file: SourceFile) -> Change:
        """Rollouts and the index of names grow."""
        from ..change import AppendedLines

        if file.path.name == INDEX:
            from .index import IndexDecoder

            return AppendedLines(IndexDecoder)
        from .decoder import CodexDecoder

        return AppendedLines(CodexDecoder)


def _folders(root: Path) -> list[Path]:
    return [folder for name in FOLDERS if is_folder(folder := root / name)] or [root]


def _is_rollout(name: str) -> bool:
    return name.startswith("rollout-") and name.removesuffix(PACKED).endswith(".jsonl")


def thread_in(name: str) -> str | None:
    """The id of a thread in the name of its rollout; None if it has another form."""
    thread = name.removesuffix(".jsonl")[-36:]
    return thread if len(thread) == 36 and thread.count("-") == 4 else None
