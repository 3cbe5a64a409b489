"""The transcript formats. A new one is a file beside `claude.py` and a line in `ADAPTERS`."""

from __future__ import annotations

from .account import AccountAdapter
from .base import Adapter, Places, Root, SourceFile, State
from .claude import AgnesFolderAdapter, ClaudeAdapter
from .workspace import WorkspaceAdapter

ADAPTERS: dict[str, Adapter] = {
    adapter.kind: adapter
    for adapter in (
        ClaudeAdapter(),
        AgnesFolderAdapter(),
        WorkspaceAdapter(),
        AccountAdapter(),
    )
}


def find_roots(places: Places) -> list[Root]:
    """The folders of transcripts on this machine, for all formats."""
    return [Root(kind, path) for kind, adapter in ADAPTERS.items() for path in adapter.roots(places)]


__all__ = ["ADAPTERS", "Adapter", "Places", "Root", "SourceFile", "State", "find_roots"]
