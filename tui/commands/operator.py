"""`agnes-stats operator`: what the people of a server's folder, or of a team's store, did."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...queries.filters import Filter
from .. import format as words
from ..factories import filter_of, utc_now
from ..settings import Settings
from ..user_names import user_name
from .answering import MAX_LIMIT, answered, between
from .command import DAYS_AND_WHERE, READING, Command, Flag
from .json_fields import stamp, usd
from .page import TextColumn, table

if TYPE_CHECKING:
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]

LIMIT: Flag = ("--limit", {"type": int, "default": 20, "metavar": "N", "help": "skills and tables, 1 to 200 (20)"})


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats operator`."""
    limit, chosen, now = between("limit", given.limit, 1, MAX_LIMIT), filter_of(settings), utc_now()
    today = words.local(now, ZoneInfo(settings.tz)).date()
    return answered(
        given,
        settings,
        lambda connection: operator_answer(connection, chosen, now=now, today=today, limit=limit),
        show,
    )


def operator_answer(connection: Reader, chosen: Filter, *, now: dt.datetime, today: dt.date, limit: int) -> Answer:
    """People, skills, tables and days, as `queries.operator` has them; `username` is null for this machine's own."""
    from ...queries.operator import operated

    told = operated(connection, chosen, now=now, today=today, limit=limit)
    of_people, of_days = (_whole([row.active_seconds for row in rows]) for rows in (told.people, told.days))
    return {
        "since": told.since.isoformat(),
        "until": told.until.isoformat(),
        "people": [
            {
                **dataclasses.asdict(row),
                "cost_usd": usd(row.cost_usd, row.tokens_total),
                "name": user_name(row.username),
                "active_seconds": seconds,
                "active_hours": round(row.active_seconds / 3600, 2),
                "last_active_at": stamp(row.last_active_at),
            }
            for row, seconds in zip(told.people, of_people, strict=True)
        ],
        "skills": [dataclasses.asdict(row) for row in told.skills],
        "tables": [{**dataclasses.asdict(row), "last_at": stamp(row.last_at)} for row in told.tables],
        "daily": [
            {**dataclasses.asdict(row), "day": row.day.isoformat(), "active_seconds": seconds}
            for row, seconds in zip(told.days, of_days, strict=True)
        ],
    }


def _whole(seconds: Sequence[float]) -> list[int]:
    """Whole seconds for each, whose sum is that of all, rounded: so what is told of people and of days is the same."""
    ends = [0, *(round(end) for end in accumulate(seconds))]
    return [end - start for start, end in pairwise(ends)]


def show(answer: Answer, page: Page) -> list[str]:
    """Three tables: people, skills, data tables."""
    if not answer["people"]:
        return [f"Nobody did anything from {answer['since']} to {answer['until']}."]
    people = [
        [
            row["name"],
            words.duration(row["active_seconds"]),
            words.count(row["active_days"]),
            words.count(row["sessions"]),
            words.count(row["prompts"]),
            words.count(row["skills"]),
            _failed(row["queries"], row["failed_queries"]),
            words.count(row["tokens_total"]),
            words.count(row["late_sessions"]) if row["late_sessions"] else words.NONE,
            page.when(row["last_active_at"]),
        ]
        for row in answer["people"]
    ]
    lines = [
        f"{answer['since']} to {answer['until']}",
        "",
        *table(
            [
                TextColumn("Who", flexible=True),
                TextColumn("Active", right=True),
                TextColumn("Days", right=True, rank=3),
                TextColumn("Sessions", right=True, rank=1),
                TextColumn("Prompts", right=True),
                TextColumn("Skills", right=True, rank=2),
                TextColumn("Queries", right=True, rank=4),
                TextColumn("Tokens", right=True, rank=5),
                TextColumn("Late", right=True, rank=7),
                TextColumn("Last", rank=6),
            ],
            people,
            page.width,
        ),
    ]
    for title, key, count in (("Skill", "skills", "invocations"), ("Table", "tables", "accesses")):
        rows = answer[key]
        if rows:
            cells = [
                [
                    row["name"] + (f" ({row['source']})" if "source" in row else ""),
                    words.count(row[count]),
                    words.count(row["errors" if key == "skills" else "failed"]),
                    words.count(row["people"]),
                ]
                for row in rows
            ]
            heads = [TextColumn(name, right=True) for name in ("Times", "Failed", "People")]
            lines += ["", *table([TextColumn(title, flexible=True), *heads], cells, page.width)]
    return lines


def _failed(count: int, failed: int) -> str:
    return f"{words.count(count)} ({words.count(failed)} failed)" if failed else words.count(count)


COMMAND = Command(
    heeds=(*READING, *DAYS_AND_WHERE),
    run=run,
    options=(LIMIT,),
    examples=("operator --source agnes-server-folder=/data/user_sessions",),
)
