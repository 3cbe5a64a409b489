"""The data accesses of a coding agent's tool calls: what was queried, read, written or fetched.

What finds them is imported when it is first asked for: who reads transcripts for what responses took needs none of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bash import script_accesses
    from .model import Access
    from .other_agents import agents_run, is_certain
    from .results import error_line, may_count_rows, may_hold_note, note_in, rows_in
    from .tools import accesses_of, script_of

_WHERE = {
    "Access": "model",
    "accesses_of": "tools",
    "script_of": "tools",
    "script_accesses": "bash",
    "agents_run": "other_agents",
    "is_certain": "other_agents",
    **dict.fromkeys(("error_line", "may_count_rows", "may_hold_note", "note_in", "rows_in"), "results"),
}

__all__ = [
    "Access",
    "accesses_of",
    "agents_run",
    "error_line",
    "is_certain",
    "may_count_rows",
    "may_hold_note",
    "note_in",
    "rows_in",
    "script_accesses",
    "script_of",
]


def import_all() -> None:
    """Import now what else is imported when it is first asked for."""
    for name in _WHERE:
        __getattr__(name)


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f".{_WHERE[name]}", __name__), name)
    # It is not asked for here again.
    globals()[name] = found
    return found
