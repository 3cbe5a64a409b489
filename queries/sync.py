"""Whether the data is fresh, everything is uploaded, and this program sees it all."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .access import Cursor
from .filters import Filter, Where
from .rows import one_as, rows_as, scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SYNC_ACTIONS = ("sync.trigger", "sync.update", "manifest.fetch", "session.upload")
"""The only actions that are shown as sync; nothing else leaks in."""


@dataclass(frozen=True, slots=True)
class SyncRow:
    """One sync action. `source` says who told us: `api`, `cli`, `workspace`, `transcript` …"""

    id: str
    timestamp: dt.datetime | None
    action: str
    resource: str | None
    result: str
    source: str | None
    detail: str | None
    duration_ms: int | None
    workspace: str | None
    session_id: str | None


_SYNC = """
    SELECT y.id, y.ts AS timestamp, y.action, y.resource,
        coalesce(y.result, CASE WHEN c.denial IS NOT NULL THEN 'denied' WHEN c.is_error THEN 'error'
            WHEN c.is_error IS NOT NULL THEN 'success' ELSE 'running' END) AS result,
        y.source, y.detail, coalesce(y.duration_ms, CASE WHEN c.result_ts >= c.ts THEN epoch_ms(c.result_ts) - epoch_ms(c.ts) END)
            AS duration_ms,
        y.workspace, y.session_id, y.username
    FROM sync_actions y LEFT JOIN tool_calls c ON c.id = y.call_id
"""


def list_sync(
    connection: DuckDBPyConnection, chosen: Filter, *, cursor: Cursor | None = None, limit: int = 50
) -> tuple[list[SyncRow], Cursor | None]:
    """Sync actions, newest first, and the cursor of the next page (None at the end)."""
    where = Where().add("action IN (SELECT unnest($actions))", actions=list(SYNC_ACTIONS))
    where.by(chosen, {"ts": "timestamp", "session_id": "session_id", "user": "username"})
    if cursor is not None:
        where.add("(timestamp, id) < ($cursor_ts, $cursor_id)", cursor_ts=cursor.timestamp, cursor_id=cursor.id)
    rows = rows_as(
        connection,
        SyncRow,
        f"SELECT * FROM ({_SYNC}) WHERE {where} ORDER BY timestamp DESC NULLS LAST, id DESC LIMIT {int(limit) + 1}",
        where.parameters,
    )
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Cursor(last.timestamp, last.id) if last.timestamp is not None else None


def last_pull(connection: DuckDBPyConnection) -> dt.datetime | None:
    """When a workspace last pulled its tables, in UTC; None if no workspace tells."""
    moment: dt.datetime | None = scalar(connection, "SELECT max(last_sync) FROM workspaces")
    return moment


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One root of transcripts. Sizes are bytes; `behind` is what is on disk and not read."""

    source: str
    root: str
    files: int
    gone: int
    pending: int
    failed: int
    size: int
    behind: int
    last_read_at: dt.datetime | None


def sources(connection: DuckDBPyConnection) -> list[SourceHealth]:
    """What was found under every root, and how far it is read."""
    return rows_as(
        connection,
        SourceHealth,
        """SELECT source, root,
            count(*) FILTER (gone_at IS NULL) AS files, count(*) FILTER (gone_at IS NOT NULL) AS gone,
            count(*) FILTER (gone_at IS NULL AND parser IS NULL) AS pending,
            count(*) FILTER (gone_at IS NULL AND error IS NOT NULL) AS failed,
            coalesce(sum(size) FILTER (gone_at IS NULL), 0)::BIGINT AS size,
            coalesce(sum(greatest(0, size - coalesce(read_to, 0))) FILTER (gone_at IS NULL), 0)::BIGINT AS behind,
            max(read_at) AS last_read_at
        FROM files GROUP BY source, root ORDER BY source, root""",
    )


@dataclass(frozen=True, slots=True)
class Reject:
    """Bytes of a file that could not be used, and why."""

    path: str
    pos: int
    length: int
    reason: str
    seen_at: dt.datetime | None


def rejects(connection: DuckDBPyConnection, limit: int = 200) -> list[Reject]:
    """Rejected lines and unreadable files, the latest first."""
    return rows_as(
        connection,
        Reject,
        f"""SELECT path, pos, length, reason, seen_at FROM rejects
        UNION ALL SELECT path, 0, 0, error, read_at FROM files WHERE error IS NOT NULL AND gone_at IS NULL
        ORDER BY seen_at DESC NULLS LAST, path, pos LIMIT {int(limit)}""",
    )


@dataclass(frozen=True, slots=True)
class Unknown:
    """A thing in transcripts that the parser has no rule for."""

    what: str
    count: int
    files: int


def unknowns(connection: DuckDBPyConnection) -> list[Unknown]:
    """What the parser did not know, the most frequent first."""
    return rows_as(
        connection,
        Unknown,
        "SELECT what, sum(count)::BIGINT AS count, count(DISTINCT path) AS files FROM unknowns "
        "GROUP BY what ORDER BY 2 DESC, 1",
    )


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """How much the store holds."""

    sessions: int
    responses: int
    tool_calls: int
    rejects: int
    files: int
    transcript_bytes: int
    oldest_at: dt.datetime | None
    unpriced_models: list[str]


def store_facts(connection: DuckDBPyConnection) -> StoreFacts:
    """Counts over the whole store."""
    return one_as(
        connection,
        StoreFacts,
        """SELECT (SELECT count(*) FROM sessions) AS sessions, (SELECT count(*) FROM responses) AS responses,
            (SELECT count(*) FROM tool_calls) AS tool_calls, (SELECT count(*) FROM rejects) AS rejects,
            (SELECT count(*) FROM files) AS files,
            (SELECT coalesce(sum(size), 0)::BIGINT FROM files) AS transcript_bytes,
            (SELECT min(started_at) FROM sessions) AS oldest_at,
            (SELECT coalesce(list(model ORDER BY model), []) FROM models WHERE NOT priced) AS unpriced_models""",
    )
