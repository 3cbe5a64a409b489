"""Codex: where its rollouts lie.

`sessions/Y/M/D/rollout-<time>-<thread>.jsonl` grows while a thread runs. Archiving moves it to `archived_sessions/`,
and after a week of rest it is compressed to `….jsonl.zst`. Whatever a copy says has the same keys, so it does not
matter which of them is read, or how many.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..paths import is_utf8
from ..source import Adapter, Parser, Places, SourceFile, State, existing, walk

if TYPE_CHECKING:
    from ...batch import Batch

PARSER_VERSION = 1

FOLDERS = ("sessions", "archived_sessions")
INDEX = "session_index.jsonl"
"""Names of threads, appended whenever one is named."""


class CodexAdapter(Adapter):
    """Rollouts, running, archived and compressed, and the names of threads."""

    kind = "codex"
    version = PARSER_VERSION

    def roots(self, places: Places) -> list[Path]:
        """`CODEX_HOME`, else `~/.codex`."""
        named = places.environment.get("CODEX_HOME", "").strip()
        return existing([Path(named).expanduser() if named else places.home / ".codex"])

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        """All rollouts under the root."""
        if (root / INDEX).is_file():
            yield root / INDEX
        inner = [folder for name in FOLDERS if (folder := root / name).is_dir()]
        for folder in inner or [root]:
            for entry in walk(folder):
                if _is_rollout(entry.name):
                    yield entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The rollout, or the index of names, at a path."""
        if not is_utf8(path) or not path.is_relative_to(root):
            return None
        if path == root / INDEX:
            return SourceFile(self.kind, root, path, False, None)
        if not _is_rollout(path.name):
            return None
        return SourceFile(self.kind, root, path, True, thread_in(path.name), whole=path.name.endswith(".zst"))

    def parser(self, file: SourceFile, state: State, batch: Batch) -> Parser:
        """A decoder of a rollout, or of the index of names."""
        if file.path.name == INDEX:
            from .index import IndexDecoder

            return IndexDecoder(file, state, batch)
        from .decoder import CodexDecoder, CompressedDecoder

        return (CompressedDecoder if file.whole else CodexDecoder)(file, state, batch)


def _is_rollout(name: str) -> bool:
    return name.startswith("rollout-") and name.endswith((".jsonl", ".jsonl.zst"))


def thread_in(name: str) -> str | None:
    """The id of a thread in the name of its rollout; None if it has another form."""
    stem = name.removesuffix(".zst").removesuffix(".jsonl")
    thread = stem[-36:]
    return thread if len(thread) == 36 and thread.count("-") == 4 else None
