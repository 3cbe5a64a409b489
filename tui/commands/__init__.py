"""The commands, in the order of the help. A new one is a file beside these with a `COMMAND` in it, and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .command import Command

COMMANDS = {
    "ingest": "read all that is new, once, and say what was read",
    "sessions": "sessions, newest first",
    "tokens": "tokens and cost by day, model and session",
    "queries": "accesses to data, newest first",
    "sync": "sync actions, and when data was last pulled",
    "home": "the last 24 hours, or seven days, in one line",
    "doctor": "sources, store and health; exit status 1 if something is wrong",
    "forget": "remove sessions from the store for good, by session, project or age",
    "daily": "tokens and cost by day, in ccusage's words",
    "weekly": "the same by week; weeks begin on Monday",
    "monthly": "the same by month",
    "blocks": "the same by five-hour block, as Claude plans count them",
    "models": "the same by model",
    "breakdown": "tokens, cost and times by mode, thinking level, tool, headless call and provider",
    "sql": "your own SELECT on the store, read-only, at most 10,000 rows",
    "statusline": "one line about now, for Claude Code's status line",
}
"""Name -> what it does, in one line."""

_ELSEWHERE = {"daily": "periods:COMMAND", "weekly": "periods:COMMAND", "monthly": "periods:MONTHLY"}
"""Commands that share a file: its name, and that of the object in it."""


def command_of(name: str) -> Command:
    """The command of that name. Its file is imported when it is wanted: a run needs one of them. Raises KeyError."""
    if name not in COMMANDS:
        raise KeyError(name)
    module, _, thing = _ELSEWHERE.get(name, f"{name}:COMMAND").partition(":")
    command: Command = getattr(import_module(f".{module}", __package__), thing)
    return command
