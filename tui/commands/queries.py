"""`agnes-stats queries`: accesses to data, newest first."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from ..factories import filter_of
from ..settings import Settings
from .answering import MAX_LIMIT, answered, between, cursor_of
from .command import CURSOR, FILTERS, LIMIT, READING, Command
from .json_fields import cursor_fields, stamp, whose_fields
from .page import TextColumn, more_line, table, who_cells, who_columns

if TYPE_CHECKING:
    from ...queries import access
    from ...queries.cursor import Cursor
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats queries`."""
    limit, cursor = between("limit", given.limit, 1, MAX_LIMIT), cursor_of(given)
    chosen = filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: queries_answer(connection, chosen, limit=limit, cursor=cursor, everything=given.all),
        show,
    )


def queries_answer(
    connection: Reader,
    chosen: Filter,
    *,
    limit: int,
    cursor: Cursor | None,
    everything: bool = False,
    now: dt.datetime | None = None,
) -> Answer:
    """`GET /api/me/stats/queries`; with `everything` also accesses that are no queries, else `left_out` counts them.

    `now` (UTC without a zone, by default this moment) decides which calls without a result still run.
    """
    from ...queries import access

    prefix = "" if everything else access.QUERY_PREFIX
    rows, following = access.list_accesses(connection, chosen, prefix=prefix, cursor=cursor, limit=limit, now=now)
    return {
        "limit": limit,
        "rows": [_access(row) for row in rows],
        "next_cursor": cursor_fields(following),
        "left_out": access.count_others(connection, chosen, prefix, now=now) if prefix else 0,
    }


def _access(row: access.AccessRow) -> Answer:
    return {
        "id": row.id,
        "timestamp": stamp(row.timestamp),
        "action": row.action,
        "resource": row.resource,
        "result": row.result,
        "duration_ms": row.duration_ms,
        "client_kind": row.client_kind or "cli",
        **whose_fields(row),
        "params": {
            "sql_preview": row.sql,
            "rows_returned": row.rows_returned,
            "bytes_scanned": row.bytes_scanned,
            "bytes_returned": row.bytes_returned,
            "error": row.error,
            "duration_ms": row.duration_ms,
            "command": row.command,
            "tables_read": row.tables_read,
            "tables_written": row.tables_written,
            "statement": row.statement,
            "dialect": row.dialect,
            "session_id": row.session_id,
            "project": row.project,
            "seen_in": row.seen_in,
            "note": row.note,
        },
    }


def show(answer: dict[str, Any], page: Page) -> list[str]:
    rows = answer["rows"]
    others = _left_out(answer)
    if not rows:
        return [page.nothing("queries" if others else "accesses to data"), *others]
    columns = [
        TextColumn("When"),
        TextColumn("Action"),
        TextColumn("Resource", flexible=True),
        TextColumn("Result"),
        TextColumn("Rows", right=True, rank=1),
        TextColumn("Took", right=True, rank=2),
        TextColumn("Project", rank=3),
        *who_columns(rank=3),
    ]
    cells = [
        [
            page.when(row["timestamp"]),
            row["action"],
            row["resource"],
            row["result"],
            words.count(row["params"]["rows_returned"]),
            words.millis(row["duration_ms"]),
            words.project(row["params"]["project"]),
            *who_cells(row),
        ]
        for row in rows
    ]
    return [*table(columns, cells, page.width), *([""] if others else []), *others, *more_line(answer)]


def _left_out(answer: dict[str, Any]) -> list[str]:
    count = answer["left_out"]
    if not count:
        return []
    return [f"Only queries; {count:,} other {'access' if count == 1 else 'accesses'}: --all"]


COMMAND = Command(
    heeds=(*READING, *FILTERS),
    run=run,
    options=(
        LIMIT,
        *CURSOR,
        ("--all", {"action": "store_true", "help": "file, web and catalogue accesses too, not only queries"}),
    ),
    examples=(
        "queries --all",
        "queries --project shop --since 2026-01-01 --json",
    ),
)
