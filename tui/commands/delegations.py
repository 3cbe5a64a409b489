"""`agnes-stats delegations`: work that was handed to sub-agents and to other AIs, newest first."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from ..factories import filter_of, utc_now
from ..settings import Settings
from .answering import MAX_LIMIT, answered, between, cursor_of, with_text
from .command import CURSOR, FILTERS, LIMIT, READING, TEXT, Command
from .json_fields import cursor_fields, spent_cells, spent_fields, stamp
from .page import TextColumn, more_line, table

if TYPE_CHECKING:
    from ...queries.cursor import Cursor
    from ...queries.hand_overs import Edge, HandOver
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats delegations`."""
    limit, cursor = between("limit", given.limit, 1, MAX_LIMIT), cursor_of(given)
    chosen = filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: delegations_answer(
            connection, with_text(connection, chosen, given), now=utc_now(), limit=limit, cursor=cursor
        ),
        show,
    )


def delegations_answer(
    connection: Reader, chosen: Filter, *, now: dt.datetime, limit: int, cursor: Cursor | None = None
) -> Answer:
    """A page of hand-overs, and what all of them come to. `now`: UTC without a zone."""
    from ...queries.hand_overs import hand_overs

    found = hand_overs(connection, chosen, now=now)
    rows, following = found.page(limit, cursor)
    return {
        "limit": limit,
        "rows": [_row(row) for row in rows],
        "next_cursor": cursor_fields(following),
        "edges": [_edge(edge) for edge in found.edges],
        "deepest": found.deepest,
        "average_depth": found.average_depth,
    }


def _row(row: HandOver) -> Answer:
    return {
        "id": row.id,
        "timestamp": stamp(row.timestamp),
        "session_id": row.session_id,
        "agent": row.agent,
        "machine": row.machine,
        "username": row.username,
        "from": row.from_type,
        "to": row.to_type,
        "task": row.task,
        "status": row.status,
        "duration_ms": row.duration_ms,
        "model": row.model,
        "tool_calls": row.tool_calls,
        "errors": row.errors,
        **spent_fields(row.spent),
        "reported_tokens": row.reported_tokens,
        "depth": row.depth,
        "external": row.external,
        "subagent_id": row.subagent_id,
        "parent_id": row.parent,
        "children": row.children,
        "child_session_id": row.child_session_id,
    }


def _edge(edge: Edge) -> Answer:
    return {
        "from": edge.from_type,
        "to": edge.to_type,
        "external": edge.external,
        "count": edge.count,
        "running": edge.running,
        "failed": edge.failed,
        "p50_ms": None if edge.p50_ms is None else round(edge.p50_ms),
        "p95_ms": None if edge.p95_ms is None else round(edge.p95_ms),
        **spent_fields(edge.spent),
    }


def show(answer: Answer, page: Page) -> list[str]:
    """The hand-overs, then the edges from which type of agent to which."""
    rows = answer["rows"]
    if not rows:
        return [page.nothing("delegations")]
    money = [TextColumn("Cost", right=True)] if page.cost else []
    columns = [
        TextColumn("When"),
        TextColumn("From → to"),
        TextColumn("Task", flexible=True),
        TextColumn("Status"),
        TextColumn("Took", right=True, rank=2),
        TextColumn("Model", rank=4),
        TextColumn("Tools", right=True, rank=3),
        TextColumn("Tokens", right=True, rank=1),
        *money,
    ]
    cells = [
        [
            page.when(row["timestamp"]),
            f"{row['from']} → {row['to']}",
            row["task"] or words.NONE,
            row["status"],
            words.millis(row["duration_ms"]),
            words.model(row["model"]) if row["model"] else words.NONE,
            words.count(row["tool_calls"]),
            *spent_cells(row)[: 2 if page.cost else 1],
        ]
        for row in rows
    ]
    lines = table(columns, cells, page.width)
    average = answer["average_depth"]
    sums = f"deepest chain {answer['deepest']}" + (f" · on average {average:.1f}" if average is not None else "")
    return [*lines, "", *_edges(answer["edges"], page), "", sums, *more_line(answer)]


def _edges(edges: list[Answer], page: Page) -> list[str]:
    columns = [
        TextColumn("From → to", flexible=True),
        *(TextColumn(name, right=True) for name in ("Runs", "Running", "Failed")),
        *(TextColumn(name, right=True, rank=1) for name in ("p50", "p95")),
        TextColumn("Tokens", right=True),
        *([TextColumn("Cost", right=True)] if page.cost else []),
    ]
    cells = [
        [
            f"{edge['from']} → {edge['to']}" + (" (another AI)" if edge["external"] else ""),
            *(words.count(edge[name]) if edge[name] else words.NONE for name in ("count", "running", "failed")),
            words.millis(edge["p50_ms"]),
            words.millis(edge["p95_ms"]),
            *spent_cells(edge)[: 2 if page.cost else 1],
        ]
        for edge in edges
    ]
    return table(columns, cells, page.width)


COMMAND = Command(
    heeds=(*READING, *FILTERS, "no-cost"),
    run=run,
    options=(LIMIT, *CURSOR, TEXT),
    examples=("delegations", "delegations --since 2026-01-01 --json"),
)
