"""What a command is: which options it heeds, which are its own, and what it does."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..settings import OPTIONS, Settings

Run = Callable[[argparse.Namespace, Settings], int]
"""Carries a command out with what the command line gave; the exit status."""

Flag = tuple[str, dict[str, Any]]
"""An option of one command's own: its name, and what `argparse` is told of it."""

PLACES = ("store", "source", "tz", "no-color")
"""Every command takes these, so that a script can give them to all; it lists those it heeds."""
DAYS_AND_WHERE = ("range", "since", "until", "project", "agent", "machine", "user")
FILTERS = (*DAYS_AND_WHERE, "model", "branch", "agent-version")
READING = ("store", "source", "tz", "no-ingest", "agnes-server")
BUDGETS = ("budget", "budget-week", "budget-day", "budget-session")

LIMIT: Flag = ("--limit", {"type": int, "default": 50, "metavar": "N", "help": "rows, 1 to 200 (50)"})
CURSOR: tuple[Flag, ...] = (
    ("--cursor-ts", {"metavar": "TIME", "help": "go on after this time …"}),
    ("--cursor-id", {"metavar": "ID", "help": "… and this id"}),
)
TEXT: Flag = (
    "--text",
    {"metavar": "WORDS", "help": "only sessions with these in a title, prompt, command, path, SQL or error"},
)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of `agnes-stats`. Its name and its line of help stand in `commands/__init__.py`."""

    heeds: tuple[str, ...]
    """The options of `settings.OPTIONS` that change what it does. As a variable or in the file, all may stand."""
    run: Run
    options: tuple[Flag, ...] = ()
    """Those of its own."""
    needs_store: bool = True
    """Whether it is of no use where there is no store, and with `--no-ingest` none is made."""
    has_json: bool = True
    """Whether `--json` changes what it tells."""
    examples: tuple[str, ...] = ()
    """Command lines for the help, without the program's name: each is one that works."""


def options_in(given: argparse.Namespace) -> dict[str, list[str]]:
    """The options of `settings.OPTIONS` that a command line has: name -> its words, that say the same once more."""
    found = {}
    for option in OPTIONS:
        value = getattr(given, option.key, None)
        if value is True:
            found[option.name] = [f"--{option.name}"]
        elif value not in (None, False):
            found[option.name] = [f"--{option.name}={one}" for one in (value if isinstance(value, list) else [value])]
    return found
