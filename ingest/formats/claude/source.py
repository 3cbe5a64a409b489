"""Claude Code: where its transcripts lie, and the Agnes server's folder of uploaded ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..paths import is_utf8
from ..source import Adapter, Parser, Places, SourceFile, State, existing, walk

if TYPE_CHECKING:
    from ...batch import Batch

PARSER_VERSION = 3


class ClaudeAdapter(Adapter):
    """`<root>/projects/<slug>/<session>.jsonl`, and sub-agents beside or below it."""

    kind = "claude"
    version = PARSER_VERSION

    def roots(self, places: Places) -> list[Path]:
        """`CLAUDE_CONFIG_DIR` (several, with commas) alone if it is set, else the two usual places."""
        named = places.environment.get("CLAUDE_CONFIG_DIR", "")
        if named.strip():
            return existing(Path(part.strip()).expanduser() for part in named.split(",") if part.strip())
        config = places.environment.get("XDG_CONFIG_HOME") or places.home / ".config"
        return existing([places.home / ".claude", Path(config) / "claude"])

    def discover(self, root: Path) -> Iterator[os.DirEntry[str]]:
        """All transcripts and sub-agent notes under the root."""
        for entry in walk(_projects(root)):
            if entry.name.endswith((".jsonl", ".meta.json")):
                yield entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The transcript or sub-agent note at a path below the root's `projects` folder."""
        name = path.name
        if not is_utf8(path):
            return None
        try:
            inside = path.relative_to(_projects(root)).parts
        except ValueError:
            return None
        is_agent = name.startswith("agent-")
        parent = inside[inside.index("subagents") - 1] if "subagents" in inside[1:] else None
        if name.endswith(".jsonl") and not (name == "journal.jsonl" and parent):
            session = parent if parent or is_agent else path.stem
            return SourceFile(self.kind, root, path, not is_agent and parent is None, session)
        if is_agent and name.endswith(".meta.json"):
            return SourceFile(self.kind, root, path, False, parent, whole=True)
        return None

    def parser(self, file: SourceFile, state: State, batch: Batch) -> Parser:
        """A parser for a transcript, or for a sub-agent's note."""
        if file.whole:
            from .notes import AgentNoteParser

            return AgentNoteParser(file, batch)
        from .parser import ClaudeParser

        return ClaudeParser(file, state, batch)


class AgnesFolderAdapter(ClaudeAdapter):
    """`SESSION_DATA_DIR/<user>/<session>.jsonl`: sessions as the Agnes server keeps them."""

    kind = "agnes"

    def roots(self, places: Places) -> list[Path]:
        """The folder named by `AGNES_SESSION_DATA_DIR`, if there is one."""
        named = places.environment.get("AGNES_SESSION_DATA_DIR", "")
        return existing([Path(named).expanduser()]) if named else []

    def discover(self, root: Path) -> Iterator[os.DirEntry[str]]:
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


def _projects(root: Path) -> Path:
    inner = root / "projects"
    return inner if inner.is_dir() else root
