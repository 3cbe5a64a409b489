"""Which data was read or written, by what, and whether it worked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter, Where
from .rows import rows_as, scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

QUERY_PREFIX = "query."


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the time (UTC, without a zone) and id of its last row."""

    timestamp: dt.datetime
    id: str


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One access to data. `result` is `success`, `error`, `denied`, `running`, or a server's `error.<http status>`."""

    id: str
    timestamp: dt.datetime | None
    action: str
    resource: str
    result: str
    duration_ms: int | None
    rows_returned: int | None
    bytes_scanned: int | None
    error: str | None
    command: str | None
    sql: str | None
    tables_read: list[str]
    tables_written: list[str]
    statement: str | None
    dialect: str | None
    session_id: str | None
    title: str | None
    project: str | None
    client_kind: str | None
    seen_in: list[str]


# What a call's result says of an access: the result arrives later than the call and is kept with the call.
ACCESSES = """
    SELECT a.id, a.ts AS timestamp, a.action, a.resource,
        coalesce(a.result, CASE WHEN c.denial IS NOT NULL THEN 'denied' WHEN c.is_error THEN 'error'
            WHEN c.is_error IS NOT NULL THEN 'success' ELSE 'running' END) AS result,
        coalesce(a.duration_ms, CASE WHEN c.result_ts >= c.ts THEN epoch_ms(c.result_ts) - epoch_ms(c.ts) END)
            AS duration_ms,
        coalesce(a.rows_returned, c.result_rows) AS rows_returned,
        coalesce(a.bytes_scanned, CASE WHEN NOT c.is_error THEN c.result_bytes END) AS bytes_scanned,
        coalesce(a.error, c.error_text) AS error, a.command, a.sql,
        coalesce(a.tables_read, []) AS tables_read, coalesce(a.tables_written, []) AS tables_written,
        a.statement, a.dialect, a.session_id, s.title, s.project, a.client_kind, [a.seen_in] AS seen_in,
        coalesce(s.username, a.username) AS username
    FROM accesses a LEFT JOIN tool_calls c ON c.id = a.call_id LEFT JOIN sessions s ON s.session_id = a.session_id
"""


def list_accesses(
    connection: DuckDBPyConnection,
    chosen: Filter,
    *,
    prefix: str = "",
    cursor: Cursor | None = None,
    limit: int = 50,
) -> tuple[list[AccessRow], Cursor | None]:
    """Accesses whose action begins with `prefix`, newest first, and the cursor of the next page (None at the end)."""
    where = (
        Where()
        .add("true")
        .by(
            chosen,
            {
                "ts": "timestamp",
                "project": "project",
                "session_id": "session_id",
                "user": "username",
                "text": "concat_ws(' ', action, resource, result, command, sql, title, project, error)",
            },
        )
    )
    if prefix:
        where.add("starts_with(action, $prefix)", prefix=prefix)
    if cursor is not None:
        where.add("(timestamp, id) < ($cursor_ts, $cursor_id)", cursor_ts=cursor.timestamp, cursor_id=cursor.id)
    rows = rows_as(
        connection,
        AccessRow,
        f"SELECT * FROM ({ACCESSES}) WHERE {where} ORDER BY timestamp DESC NULLS LAST, id DESC LIMIT {int(limit) + 1}",
        where.parameters,
    )
    return cut_page(rows, limit)


def cut_page(rows: list[AccessRow], limit: int) -> tuple[list[AccessRow], Cursor | None]:
    """A page of at most `limit` rows out of one more, and the cursor of the next."""
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Cursor(last.timestamp, last.id) if last.timestamp is not None else None


def count_accesses(connection: DuckDBPyConnection) -> int:
    """How many accesses the store knows."""
    return int(scalar(connection, "SELECT count(*) FROM accesses"))
