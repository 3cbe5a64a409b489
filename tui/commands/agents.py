"""`agnes-stats agents`: types of agents with their models, the one that did most first."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from ..factories import filter_of, utc_now
from ..settings import Settings
from .answering import answered, with_text
from .command import FILTERS, READING, TEXT, Command
from .json_fields import spent_cells, spent_fields, stamp
from .page import TextColumn, table

if TYPE_CHECKING:
    from ...queries.ranking import RankedAgent
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats agents`."""
    chosen = filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: agents_answer(connection, with_text(connection, chosen, given), now=utc_now()),
        show,
    )


def agents_answer(connection: Reader, chosen: Filter, *, now: dt.datetime) -> Answer:
    """All of them. `now`: UTC without a zone; it says which of them run."""
    from ...queries.ranking import ranked_agents

    return {"rows": [_row(row) for row in ranked_agents(connection, chosen, now=now)]}


def _row(row: RankedAgent) -> Answer:
    return {
        "agent": row.agent,
        "subagent_type": row.subagent_type,
        "model": row.model,
        "status": "running" if row.is_running else "idle",
        "sessions": row.sessions,
        "events": row.events,
        "responses": row.responses,
        "tool_calls": row.tool_calls,
        "errors": row.errors,
        "success_ratio": row.success_ratio,
        "avg_ms": None if row.avg_ms is None else round(row.avg_ms),
        "p95_ms": None if row.p95_ms is None else round(row.p95_ms),
        **spent_fields(row),
        "share": row.share,
        "last_active_at": stamp(row.last_active_at),
    }


def show(answer: Answer, page: Page) -> list[str]:
    """One line for each type and model."""
    if not answer["rows"]:
        return [page.nothing("agents")]
    columns = [
        TextColumn("Agent", flexible=True),
        TextColumn("Model", rank=2),
        TextColumn("Status", rank=5),
        TextColumn("Events", right=True),
        TextColumn("Calls", right=True, rank=4),
        TextColumn("Err", right=True, rank=4),
        TextColumn("OK", right=True),
        TextColumn("avg", right=True, rank=3),
        TextColumn("p95", right=True, rank=3),
        TextColumn("Tokens", right=True),
        *([TextColumn("Cost", right=True)] if page.cost else []),
        TextColumn("Share", right=True, rank=1),
        TextColumn("Last active", rank=6),
    ]
    cells = [
        [
            f"{row['agent'] or words.NONE} {row['subagent_type']}",
            words.model(row["model"]) if row["model"] else words.NONE,
            row["status"],
            words.count(row["events"]),
            words.count(row["tool_calls"]),
            words.count(row["errors"]) if row["errors"] else words.NONE,
            words.percent(row["success_ratio"]),
            words.millis(row["avg_ms"]),
            words.millis(row["p95_ms"]),
            *spent_cells(row)[: 2 if page.cost else 1],
            words.percent(row["share"]),
            page.ago(row["last_active_at"]),
        ]
        for row in answer["rows"]
    ]
    return table(columns, cells, page.width)


COMMAND = Command(
    heeds=(*READING, *FILTERS, "no-cost"), run=run, options=(TEXT,), examples=("agents", "agents --agent codex --json")
)
