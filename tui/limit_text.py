"""A plan's limits in words. Imports nothing slow: the status line tells them, too."""

from __future__ import annotations

import re

INVITATION = (
    "No limits are known yet. Claude Code tells those of a Pro or Max plan to its status line; put into "
    'its settings.json: "statusLine": {"type": "command", "command": "agnes-stats statusline"}'
)

_SPANS = {"five_hour": "5h", "seven_day": "7d"}


def name(window: str, account: str | None = None) -> str:
    """ "5h", "7d", "7d opus", "2h" for minutes_120; with the limit that it is, where not all models share it."""
    minutes = re.fullmatch(r"minutes_(\d{1,9})", window)
    told = _span(int(minutes[1])) if minutes else _SPANS.get(window) or _after(window)
    which = account.partition(" · ")[2] if account else ""
    return f"{told} {which}" if which else told


def _after(window: str) -> str:
    for begin, short in _SPANS.items():
        if window.startswith(f"{begin}_"):
            return f"{short} {window.removeprefix(f'{begin}_').replace('_', ' ')}"
    return window.replace("_", " ")


def _span(minutes: int) -> str:
    for length, unit in ((1440, "d"), (60, "h")):
        if minutes and minutes % length == 0:
            return f"{minutes // length}{unit}"
    return f"{minutes}min"


def percent(used: float) -> str:
    """ "42 %", rounded down: 99.9 % is not all of it."""
    return f"{int(used + 1e-9)} %"


def used(window: str, percentage: float | None, account: str | None = None) -> str:
    """ "5h 42 %"; "5h –" where nobody knows."""
    return f"{name(window, account)} {'–' if percentage is None else percent(percentage)}"
