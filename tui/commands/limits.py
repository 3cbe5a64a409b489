"""`agnes-stats limits`: how much of the plans' limits is used, and when they are reset."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING, Any

from .. import format as words
from .. import limit_text
from ..factories import filter_of, utc_now
from ..settings import Settings
from .answering import answered
from .command import READING, Command
from .json_fields import stamp
from .page import TextColumn, table

if TYPE_CHECKING:
    from ...queries.filters import Filter
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats limits`."""
    chosen = filter_of(settings)
    return answered(given, settings, lambda connection: limits_answer(connection, chosen, utc_now()), show)


def limits_answer(connection: Reader, chosen: Filter, now: dt.datetime) -> Answer:
    """All limits that are known; `now` is UTC without a zone."""
    return {"rows": limit_rows(connection, chosen, now)}


def limit_rows(connection: Reader, chosen: Filter, now: dt.datetime) -> list[Answer]:
    """The limits as rows of an answer."""
    from ...queries import plan_limits

    return [
        {
            "agent": limit.agent,
            "machine": limit.machine,
            "username": limit.username,
            "account": limit.account,
            "window": limit.window,
            "used_percentage": limit.used_percentage,
            "resets_at": stamp(limit.resets_at),
            "as_of": stamp(limit.as_of),
            "stale": limit.stale,
            "projected_full_at": stamp(limit.projected_full_at),
        }
        for limit in plan_limits.limits(connection, chosen, now=now)
    ]


_COLUMNS = (
    TextColumn("Agent", rank=1),
    TextColumn("Plan", flexible=True, rank=3),
    TextColumn("Window"),
    TextColumn("Used", right=True),
    TextColumn("Resets"),
    TextColumn("Full at"),
    TextColumn("As of", rank=2),
)


def show(answer: Answer, page: Page) -> list[str]:
    """A table."""
    if not answer["rows"]:
        return [limit_text.INVITATION]
    return table(
        _COLUMNS,
        [
            (
                row["agent"] or words.NONE,
                row["account"] or words.NONE,
                limit_text.name(row["window"], row["account"]),
                words.NONE if row["used_percentage"] is None else limit_text.percent(row["used_percentage"]),
                page.when(row["resets_at"]),
                page.when(row["projected_full_at"]),
                f"{page.ago(row['as_of'])}{', stale' if row['stale'] else ''}",
            )
            for row in answer["rows"]
        ],
        page.width,
    )


COMMAND = Command(heeds=(*READING, "agent", "machine", "user"), run=run, examples=("limits --json",))
