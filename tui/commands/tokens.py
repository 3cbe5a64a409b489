"""`agnes-stats tokens`: tokens and cost by day, model and session."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...queries.filters import Filter
from ...queries.token_kinds import cache_hit_ratio
from .. import format as words
from .. import marks
from ..factories import filter_of
from ..ranges import ALL
from ..sessions import text as told
from ..settings import Settings
from .answering import Soon, answered, between, with_text
from .command import FILTERS, READING, TEXT, Command
from .json_fields import stamp, token_fields, whose_fields
from .page import TextColumn, table, who_cells, who_columns

if TYPE_CHECKING:
    from ...queries import tokens
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


DAYS, MAX_DAYS = 30, 365
"""Days in `daily` where nothing is said of days, and the most that can be asked for."""


_BAR = 20


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats tokens`."""
    days: int | None = None
    if given.days is not None or settings.range != ALL.label:
        days = between("days", DAYS if given.days is None else given.days, 1, MAX_DAYS)
    today = dt.datetime.now(ZoneInfo(settings.tz)).date()
    chosen = filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: tokens_answer(connection, with_text(connection, chosen, given), today=today, days=days),
        show,
        soon=Soon.WITH_SESSIONS,
    )


def tokens_answer(connection: Reader, chosen: Filter, *, today: dt.date, days: int | None) -> Answer:
    """`GET /api/me/stats/tokens`: `daily` has every day of the window, the rest is over all days of the filter.

    The window is the filter's days; where it names none, the last `days`, or all if that is None.
    """
    from ...queries import tokens

    window = chosen
    if days is not None and not (chosen.since or chosen.until):
        window = chosen.but(since=today - dt.timedelta(days=days - 1), until=today)
    totals = tokens.totals(connection, chosen)
    # A store where nothing matches has no days, either.
    daily = _daily_fields(tokens.by_day(connection, window), window) if totals.total_tokens or totals.responses else []
    return {
        "days": len(daily),
        "daily": daily,
        "by_model": [
            {"model": row.name, "speed": row.speed, "service_tier": row.service_tier}
            | whose_fields(row)
            | token_fields(row)
            for row in tokens.by_group(connection, chosen, "model")
        ],
        "top_sessions": [_top(row) for row in tokens.top_sessions(connection, chosen)],
        "totals": token_fields(totals),
    }


def _daily_fields(found: list[tokens.DayTokens], window: Filter) -> list[Answer]:
    from ...queries.periods import every_day
    from ...queries.tokens import NOTHING

    by_day = {row.day: row for row in found}
    nobody: Answer = {"agent": None, "machine": None, "username": None}
    return [
        {"day": day.isoformat()}
        | (whose_fields(by_day[day]) if day in by_day else nobody)
        | token_fields(by_day.get(day, NOTHING))
        for day in every_day(window, by_day)
    ]


def _top(row: tokens.SessionTokens) -> Answer:
    return {
        "session_file": row.session_file,
        "session_id": row.session_id,
        "started_at": stamp(row.started_at),
        "primary_model": row.primary_model,
        "title": row.title,
        "project": row.project,
        **whose_fields(row),
        **token_fields(row),
    }


def show(answer: dict[str, Any], page: Page) -> list[str]:
    totals = answer["totals"]
    if not totals["responses"]:
        return [page.nothing("tokens")]
    lines = [total_line(totals, page), ""]
    lines += daily_lines(answer["daily"], page)
    lines += ["", *model_lines(answer["by_model"], page)]
    columns = [
        TextColumn("Started"),
        TextColumn("Top sessions", flexible=True),
        TextColumn("Project", rank=2),
        *who_columns(rank=2),
        TextColumn("Model", rank=3),
        *_token_columns(page),
    ]
    rows = [
        [
            page.when(row["started_at"]),
            words.session(row["title"], row["session_id"], row["project"]),
            words.project(row["project"]),
            *who_cells(row),
            told.models(row["primary_model"]),
            *_token_cells(row, page),
        ]
        for row in answer["top_sessions"]
    ]
    lines += ["", *table(columns, rows, page.width)]
    legends = page.legends([totals])
    return [*lines, *([""] if legends else []), *legends]


def _token_columns(page: Page) -> list[TextColumn]:
    kinds = [TextColumn(name, right=True, rank=1) for name in ("Input", "Output", "Cache read", "Cache write")]
    return [*kinds, TextColumn("Total", right=True), *([TextColumn("Cost", right=True)] if page.cost else [])]


def _token_cells(row: dict[str, Any], page: Page) -> list[str]:
    output, total = (marks.tokens(row[kind], row["undercounted"]) for kind in ("output", "total"))
    cache = [words.count(row[kind]) for kind in ("cache_read", "cache_creation")]
    return [words.count(row["input"]), output, *cache, total, *([page.money(row)] if page.cost else [])]


def total_line(totals: dict[str, Any], page: Page) -> str:
    inward = totals["input"] + totals["cache_read"] + totals["cache_creation"]
    parts = [
        f"{marks.tokens(totals['total'], totals['undercounted'])} tokens",
        *([page.money(totals)] if page.cost else []),
        f"output {marks.tokens(totals['output'], totals['undercounted'])}",
        f"cache hit {words.percent(cache_hit_ratio(totals['cache_read'], inward))}",
        f"{words.plural(totals['sessions'], 'session')} with tokens",
    ]
    return " · ".join(parts)


def daily_lines(days: Sequence[dict[str, Any]], page: Page) -> list[str]:
    """The days of an answer that have tokens, newest first, and a line that says of which days they are."""
    from ..kit.spark import bar

    if not days:
        return []
    used = [day for day in reversed(days) if day["total"] or day["responses"]]
    span = f"{words.plural(len(days), 'day')} from {days[0]['day']} to {days[-1]['day']}"
    if not used:
        return [f"No tokens in the {span}."]
    most = max(day["total"] for day in used) or 1
    columns = [TextColumn("Day"), TextColumn("", rank=2), *_token_columns(page)]
    rows = [[day["day"], bar(day["total"] / most, _BAR), *_token_cells(day, page)] for day in used]
    left_out = (
        [f"{words.plural(len(days) - len(used), 'day')} without tokens left out"] if len(used) < len(days) else []
    )
    return [*table(columns, rows, page.width), span, *left_out]


def model_lines(models: Sequence[dict[str, Any]], page: Page) -> list[str]:
    columns = [TextColumn("Model", flexible=True), TextColumn("Sessions", right=True, rank=2), *_token_columns(page)]
    rows = [
        [
            words.priced(words.model(row["model"]), row["speed"], row["service_tier"]),
            words.count(row["sessions"]),
            *_token_cells(row, page),
        ]
        for row in models
    ]
    return table(columns, rows, page.width)


COMMAND = Command(
    heeds=(*READING, *FILTERS, "no-cost"),
    run=run,
    options=(
        (
            "--days",
            {
                "type": int,
                "metavar": "N",
                "help": f"days in `daily` where no others are asked for, 1 to {MAX_DAYS} ({DAYS})",
            },
        ),
        TEXT,
    ),
    examples=(
        "tokens --days 7",
        "tokens --since 2026-01-01 --project shop --json",
    ),
)
