"""Gemini CLI: where its chats lie.

`tmp/<project>/chats/session-*.json` is one document, written anew with every message; since April 2026 it is a
`….jsonl` that grows. Sub-agents lie in `chats/<session>/`. A chat that is resumed in the newer form is there in both:
its messages have the same ids.
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

_CHATS = "chats"
_SUFFIXES = (".json", ".jsonl")


class GeminiSource(Source):
    """Chats of all projects, in both forms."""

    kind = "gemini"
    agent = "gemini"
    version = VERSION
    variable = "GEMINI_CLI_HOME"
    usual = ("~/.gemini",)
    untold = MappingProxyType(
        {
            Matter.BRANCH: "Gemini CLI tells no branch",
            Matter.VERSION: "Gemini CLI tells no version",
            Matter.CALL_TIME: "Gemini CLI does not tell when a call ended",
            Matter.FIRST_TOKEN: "Gemini CLI tells no time of the first token",
        }
    )

    def locate(self, places: Places) -> list[Path]:
        """`.gemini` in `GEMINI_CLI_HOME`, and `GEMINI_DATA_DIR` itself; else `.gemini` in the home folder."""
        above, itself = (places.environment.get(name, "").strip() for name in ("GEMINI_CLI_HOME", "GEMINI_DATA_DIR"))
        named = [*([expanded(above) / ".gemini"] if above else []), *([expanded(itself)] if itself else [])]
        return existing(named or [places.home / ".gemini"])

    def watch_paths(self, root: Path) -> WatchPaths:
        """The projects; what lies beside them is none of ours."""
        return WatchPaths(deep=(_projects(root),), flat=(root,))

    def discover(self, root: Path) -> Iterator[os.DirEntry[str]]:
        """All chats under the root."""
        for entry in walk(_projects(root)):
            if entry.name.endswith(_SUFFIXES) and f"{os.sep}{_CHATS}{os.sep}" in entry.path:
                yield entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The chat at a path."""
        if path.suffix not in _SUFFIXES or not is_utf8(path) or not path.is_relative_to(_projects(root)):
            return None
        inside = path.relative_to(root).parts
        if _CHATS not in inside[:-1] or path.name == "logs.json":
            return None
        is_main = inside[-2] == _CHATS
        return SourceFile(self.kind, root, path, is_main, None)

    def change(self, file: SourceFile) -> Change:
        """Chats of the newer form grow, those of the older one are written anew."""
        from ..change import AppendedLines, Snapshot
        from .decoder import GeminiDecoder, GeminiDocument, message_at

        return (
            Snapshot(GeminiDocument, part=message_at) if file.path.suffix == ".json" else AppendedLines(GeminiDecoder)
        )


def _projects(root: Path) -> Path:
    inner = root / "tmp"
    return inner if is_folder(inner) else root
