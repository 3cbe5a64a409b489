"""One plain page of the four tabs, for when standard output is no terminal."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING

from ...queries.filters import Filter
from .. import learnt, terminal
from ..factories import filter_of, looked_in, utc_now
from ..filter_text import unknown_to_sync
from ..ranges import day_at
from ..settings import BadSetting, Settings
from . import home, queries, sessions, sync, tokens
from .answering import opened
from .page import page_of

if TYPE_CHECKING:
    from ...queries.store import Reader


_OVERVIEW_ROWS = 8


_OVERVIEW_DAYS = 7


def overview(given: argparse.Namespace, settings: Settings) -> int:
    """One plain page of the four tabs, for when standard output is no terminal."""
    if given.demo:
        raise BadSetting("--demo needs a terminal")
    with opened(settings, quiet=True) as connection:
        learnt.learn(connection)
        show_overview(connection, settings, filter_of(settings), utc_now())
    return 0


def show_overview(connection: Reader, settings: Settings, chosen: Filter, now: dt.datetime) -> None:
    """Print one page of what the tabs show; `now` is UTC without a zone."""
    page = page_of(settings, now)
    listed = sessions.sessions_answer(connection, chosen, now=now, limit=_OVERVIEW_ROWS, offset=0)
    if not listed["total"]:
        terminal.lines(_nothing(settings, chosen))
        return
    today = day_at(now, page.zone)
    used = tokens.tokens_answer(connection, chosen, today=today, days=_OVERVIEW_DAYS)
    accesses = queries.queries_answer(connection, chosen, limit=_OVERVIEW_ROWS, cursor=None, everything=True)
    synced = sync.sync_answer(connection, chosen, limit=_OVERVIEW_ROWS, cursor=None)
    parts = {
        "": home.show(home.home_answer(connection, chosen, window="24h", now=now), page),
        "Sessions": sessions.show(listed, page),
        "Tokens": [
            tokens.total_line(used["totals"], page),
            "",
            *tokens.model_lines(used["by_model"], page),
            "",
            *tokens.daily_lines(used["daily"], page),
        ],
        "Data access": queries.show(accesses | {"next_cursor": None}, page),
        "Sync": [*filter(None, [unknown_to_sync(chosen)]), *sync.show(synced | {"next_cursor": None}, page)],
    }
    lines: list[str] = []
    for heading, told_lines in parts.items():
        lines += [*([f"── {heading} ".ljust(page.width, "─"), ""] if heading else []), *told_lines, ""]
    terminal.lines(lines[:-1])


def _nothing(settings: Settings, chosen: Filter) -> list[str]:
    if not chosen.is_open:
        return ["Nothing matches these filters."]
    return [
        f"No sessions yet. Looked in {', '.join(looked_in(settings))}.",
        "Start Claude Code anywhere, or see the dashboard on generated sessions: agnes-stats --demo",
    ]
