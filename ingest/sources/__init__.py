"""The transcript formats. A new one is a file beside `claude.py` and a line in `ADAPTERS`."""

from __future__ import annotations

from .base import Adapter, Root, SourceFile, State
from .claude import AgnesFolderAdapter, ClaudeAdapter

ADAPTERS: dict[str, Adapter] = {
    adapter.kind: adapter
    for adapter in (
        ClaudeAdapter(),
        AgnesFolderAdapter(),
    )
}

__all__ = ["ADAPTERS", "Adapter", "Root", "SourceFile", "State"]
