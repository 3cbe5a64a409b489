"""`agnes-stats sessions`: sessions, newest first."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from .. import marks
from ..factories import filter_of, utc_now
from ..live_states import told_states
from ..sessions import text as told
from ..settings import Settings
from .answering import MAX_LIMIT, answered, between, with_text
from .command import FILTERS, LIMIT, READING, TEXT, Command
from .json_fields import stamp, usd
from .page import TextColumn, table, who_cells, who_columns

if TYPE_CHECKING:
    from ...queries import sessions
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats sessions`."""
    limit = between("limit", given.limit, 1, MAX_LIMIT)
    offset = between("offset", given.offset, 0, 2**53)
    chosen = filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: sessions_answer(
            connection,
            with_text(connection, chosen, given),
            now=utc_now(),
            limit=limit,
            offset=offset,
            processes=told_states(settings).processes,
        ),
        show,
    )


def sessions_answer(
    connection: Reader,
    chosen: Filter,
    *,
    now: dt.datetime,
    limit: int,
    offset: int,
    processes: sessions.Processes = ((), ()),
) -> Answer:
    """`GET /api/me/stats/sessions`."""
    from ...queries import sessions

    page = sessions.list_sessions(connection, chosen, now=now, limit=limit, offset=offset, told=processes)
    return {
        "total": page.totals.sessions,
        "with_tokens": page.totals.with_tokens,
        "offset": offset,
        "limit": limit,
        "rows": [_fields(row) for row in page.rows],
    }


def _fields(row: sessions.SessionRow) -> Answer:
    fields = dataclasses.asdict(row)
    fields["started_at"] = stamp(row.started_at)
    fields["ended_at"] = stamp(row.ended_at)
    fields["active_seconds"] = round(row.active_seconds)
    fields["wall_seconds"] = round(row.wall_seconds)
    # Of one that is not read yet nothing is known.
    fields["cost_usd"] = row.cost_usd if row.pending else usd(row.cost_usd, row.tokens_total)
    fields["cache_creation_tokens"] = row.cache_write_tokens
    fields["processed"] = not row.pending
    fields["pipeline_status"] = "pending" if row.pending else "processed"
    fields["output_undercounted"] = row.undercounted > 0
    return fields


def show(answer: dict[str, Any], page: Page) -> list[str]:
    rows = answer["rows"]
    if not rows:
        return [
            page.nothing("sessions")
            if answer["offset"] == 0
            else f"There are only {words.plural(answer['total'], 'session')}."
        ]
    columns = [
        TextColumn(""),
        TextColumn("Started"),
        TextColumn("Title", flexible=True),
        TextColumn("Project", rank=4),
        *who_columns(rank=4),
        TextColumn("Model", rank=6),
        TextColumn("Active", right=True, rank=3),
        TextColumn("Wall", right=True, rank=7),
        TextColumn("Prompts", right=True, rank=5),
        TextColumn("Tools", right=True, rank=2),
        TextColumn("Err", right=True, rank=2),
        TextColumn("Tokens", right=True),
        *([TextColumn("Cost", right=True)] if page.cost else []),
        TextColumn("Id", rank=8),
    ]
    lines = table(columns, [_cells(row, page) for row in rows], page.width)
    first = answer["offset"] + 1
    count = f"{first:,} to {answer['offset'] + len(rows):,} of {answer['total']:,}"
    if len(rows) == answer["total"]:
        count = words.plural(len(rows), "session")
    if answer["with_tokens"] != answer["total"]:
        count += f", {answer['with_tokens']:,} of {answer['total']:,} with tokens"
    return [*lines, "", count, *page.legends(rows, "tokens_total", "assistant_messages")]


def _cells(row: dict[str, Any], page: Page) -> list[str]:
    mark = told.BROKEN if row["error"] else told.PENDING if row["pending"] else told.LIVE if row["is_live"] else ""
    title = row["title"] or (row["session_file"] if row["pending"] else None) or _untitled(row)
    title = ("(private) " if row["private"] else "") + (f"{told.GONE} " if row["source_gone"] else "") + title
    started = page.when(row["started_at"])
    if row["pending"]:
        numbers = [words.NONE] * 8
        started = "unreadable" if row["error"] else "pending"
    else:
        numbers = [
            words.duration(row["active_seconds"]),
            words.duration(row["wall_seconds"]),
            words.count(row["user_messages"]),
            words.count(row["tool_calls_total"]),
            words.count(row["tool_errors"]) if row["tool_errors"] else words.NONE,
            marks.tokens(row["tokens_total"], row["undercounted"]),
            page.money(row),
        ]
    numbers = numbers[: 7 if page.cost else 6]
    model = told.models(row["primary_model"])
    return [
        mark,
        started,
        title,
        words.project(row["project"]),
        *who_cells(row),
        model,
        *numbers,
        row["session_id"][:8],
    ]


def _untitled(row: dict[str, Any]) -> str:
    counted = {"tools": row["tool_calls_total"] or 0, "answers": row["assistant_messages"] or 0}
    return words.session(None, row["session_id"], row["project"], **counted)


COMMAND = Command(
    heeds=(*READING, *FILTERS, "no-cost"),
    run=run,
    options=(
        LIMIT,
        ("--offset", {"type": int, "default": 0, "metavar": "N", "help": "rows to skip (0)"}),
        TEXT,
    ),
    examples=(
        "sessions --limit 10",
        "sessions --model claude-opus-4-6 --json",
    ),
)
