"""The transcript formats. A new one is a folder beside `claude` and a line in `_ADAPTERS`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from .source import Adapter, Places, Root, SourceFile, State

_ADAPTERS = {
    "claude": ("claude.source", "ClaudeAdapter"),
    "agnes": ("claude.source", "AgnesFolderAdapter"),
    "workspace": ("agnes.workspace", "WorkspaceAdapter"),
    "account": ("agnes.account", "AccountAdapter"),
    "codex": ("codex.source", "CodexAdapter"),
}
"""Kind -> module and class."""


class _Adapters(Mapping[str, Adapter]):
    """The adapters by kind. One is imported when it is first wanted: a run with one source needs no other."""

    def __init__(self) -> None:
        self._made: dict[str, Adapter] = {}

    def __getitem__(self, kind: str) -> Adapter:
        if kind not in self._made:
            module, name = _ADAPTERS[kind]
            self._made[kind] = getattr(import_module(f".{module}", __package__), name)()
        return self._made[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in _ADAPTERS

    def __iter__(self) -> Iterator[str]:
        return iter(_ADAPTERS)

    def __len__(self) -> int:
        return len(_ADAPTERS)


ADAPTERS = _Adapters()


def find_roots(places: Places) -> list[Root]:
    """The folders of transcripts on this machine, for all formats."""
    return [Root(kind, path) for kind, adapter in ADAPTERS.items() for path in adapter.roots(places)]


__all__ = ["ADAPTERS", "Adapter", "Places", "Root", "SourceFile", "State", "find_roots"]
