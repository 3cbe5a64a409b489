"""Claude Code: where its transcripts lie, and which they are."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ....queries.paths import expanded, is_folder
from ...walk import walk
from ..paths import is_utf8
from ..source import Places, Source, SourceFile, WatchPaths, existing, is_no_folder
from .plugin_lists import PLUGIN_LISTS

if TYPE_CHECKING:
    from ..change import Change
    from ..retention import Retention

VERSION = 11

NOTE = ".meta.json"
"""How the note beside a sub-agent's transcript ends."""


class ClaudeSource(Source):
    """Claude Code's transcripts, sub-agents too: `<root>/projects/<slug>/<session>.jsonl`, and beside or below it."""

    kind = "claude"
    agent = "claude-code"
    version = VERSION
    variable = "CLAUDE_CONFIG_DIR"
    usual: tuple[str, ...] = ("~/.claude", "~/.config/claude")

    def locate(self, places: Places) -> list[Path]:
        """`CLAUDE_CONFIG_DIR` (several, with commas), else `~/.claude` and `$XDG_CONFIG_HOME/claude`."""
        named = places.environment.get(self.variable, "")
        if named.strip():
            return existing(expanded(part.strip()) for part in named.split(",") if part.strip())
        config = places.environment.get("XDG_CONFIG_HOME", "").strip() or places.home / ".config"
        return existing([places.home / ".claude", Path(config) / "claude"])

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        """All transcripts and sub-agent notes under the root, and the lists of plugins beside them."""
        yield from (path for name in PLUGIN_LISTS if is_no_folder(path := root / "plugins" / name))
        for entry in walk(_projects(root)):
            if entry.name.endswith((".jsonl", NOTE)):
                yield entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The transcript or sub-agent note at a path below the root's `projects` folder."""
        name = path.name
        if not is_utf8(path):
            return None
        if name in PLUGIN_LISTS and path.parent == root / "plugins":
            return SourceFile(self.kind, root, path, False, None, replaces=("plugins",))
        inner = _inner(root)
        above = inner.parts
        # As `relative_to`, which takes as long as all the rest.
        inside = path.parts[len(above) :]
        if path.parts[: len(above)] != above:
            try:
                inside = path.relative_to(inner).parts
            except ValueError:
                if is_folder(inner) or not path.is_relative_to(root):
                    return None
                inside = path.relative_to(root).parts
        is_agent = name.startswith("agent-")
        parent = inside[inside.index("subagents") - 1] if "subagents" in inside[1:] else None
        if name.endswith(".jsonl") and not (name == "journal.jsonl" and parent):
            session = parent if parent or is_agent else path.stem
            return SourceFile(self.kind, root, path, not is_agent and parent is None, session)
        if is_agent and name.endswith(NOTE):
            return SourceFile(self.kind, root, path, False, parent)
        return None

    def watch_paths(self, root: Path) -> WatchPaths:
        """Beside the transcripts a root holds much that changes all the while."""
        return WatchPaths(deep=(_projects(root),), flat=(root / "plugins",))

    def retention(self, root: Path) -> Retention | None:
        """As its settings say."""
        from .retention import retention

        return retention(root)

    def change(self, file: SourceFile) -> Change:
        """Transcripts grow; the note of a sub-agent is written as a whole."""
        from ..change import AppendedLines, Snapshot

        if file.path.name in PLUGIN_LISTS:
            from .plugins import PluginsDecoder

            return Snapshot(PluginsDecoder)
        if file.path.name.endswith(NOTE):
            from .notes import NoteDecoder

            return Snapshot(NoteDecoder)
        from .decoder import ClaudeDecoder

        return AppendedLines(ClaudeDecoder)

    def usage_change(self, file: SourceFile) -> Change | None:
        """Transcripts tell it, and nothing else does."""
        from ..change import AppendedLines

        if not file.path.name.endswith(".jsonl"):
            return None
        from .usage_decoder import UsageDecoder

        return AppendedLines(UsageDecoder, buffer=_SEARCHED_FROM, goes_on=False)


_SEARCHED_FROM = 32 * 1024
"""Bytes: of a file that is searched only a few lines are read one after the other."""


def _projects(root: Path) -> Path:
    inner = _inner(root)
    return inner if is_folder(inner) else root


@functools.lru_cache(maxsize=64)
def _inner(root: Path) -> Path:
    # For each of very many files.
    return root / "projects"
