"""Whether the data is fresh, everything is uploaded, and this program sees it all."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import sync_history
from .access import OLDER, ORDER
from .cursor import UNTIMED, Cursor
from .filters import Filter, Where
from .schema import FACTS, TABLES
from .token_kinds import unpriced

if TYPE_CHECKING:
    from .store import Reader


FILTERED_BY = {
    "ts": "timestamp",
    "project": "project",
    "session_id": "session_id",
    "agent": "agent",
    "machine": "machine",
    "user": "username",
    "text": "concat_ws(' ', action, resource, result, source, detail, workspace, title)",
}
"""Field of a filter -> what it is of an action. The others are not known of actions."""


@dataclass(frozen=True, slots=True)
class SyncRow:
    """One sync action. `source` says who told us: `workspace` (the log of updates), `ledger` (of uploads),
    `transcript`, or the client that a server logged (`api`, `cli` …); two that told the same are joined by a comma.

    `result` is `success`, `skipped`, `error`, `error.<http status>`, `denied`, `running`, `interrupted`, or the log's
    own word. From a transcript, `duration_ms` includes the wait for the user's permission.
    """

    id: str
    timestamp: dt.datetime | None
    action: str
    resource: str | None
    result: str
    source: str
    detail: str | None
    duration_ms: int | None
    workspace: str | None
    session_id: str | None
    title: str | None
    """Of the session that did it, or that was uploaded."""
    agent: str | None
    machine: str | None
    username: str | None


@dataclass(frozen=True, slots=True)
class SyncPage:
    """Some sync actions of a selection, newest first."""

    rows: list[SyncRow]
    older: Cursor | None
    """Where the next page begins; None at the end."""
    total: int
    """Of the whole selection."""


def list_sync(
    connection: Reader,
    chosen: Filter,
    *,
    cursor: Cursor | None = None,
    limit: int = 50,
    now: dt.datetime | None = None,
) -> SyncPage:
    """A page of the sync actions, from the newest on or from where `cursor` says.

    A workspace is the project of what its log and its ledgers tell. `now` is UTC without a zone, by default this
    moment; it decides which commands without a result still run.
    """
    actions = sync_history.gather(connection, now or dt.datetime.now(dt.UTC).replace(tzinfo=None))
    where = Where().by(chosen, FILTERED_BY)
    total = int(connection.value(f"SELECT count(*) FROM {actions} WHERE {where}", where.parameters))
    if cursor is not None:
        where.add(OLDER, cursor_ts=cursor.timestamp, cursor_id=cursor.id)
    rows = connection.ask(
        SyncRow,
        f"SELECT * FROM {actions} WHERE {where} ORDER BY {ORDER} LIMIT {int(limit) + 1}",
        where.parameters,
    )
    if len(rows) <= limit:
        return SyncPage(rows, None, total)
    last = rows[limit - 1]
    return SyncPage(rows[:limit], Cursor(last.timestamp or UNTIMED, last.id), total)


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One root of a source. Sizes are bytes; `behind` is what was on disk when we last looked, and is not read.

    `gone` files are not on disk any more, and what they said is kept; `pending` ones are not read yet, `failed` ones
    cannot be.
    """

    source: str
    root: str
    files: int
    gone: int
    pending: int
    failed: int
    size: int
    behind: int
    last_read_at: dt.datetime | None
    rejects: int


def sources(connection: Reader) -> list[SourceHealth]:
    """What was found under every root, and how far it is read."""
    return connection.ask(
        SourceHealth,
        """SELECT source, root,
            count(*) FILTER (gone_at IS NULL) AS files, count(*) FILTER (gone_at IS NOT NULL) AS gone,
            count(*) FILTER (gone_at IS NULL AND parser IS NULL) AS pending,
            count(*) FILTER (gone_at IS NULL AND error IS NOT NULL) AS failed,
            coalesce(sum(size) FILTER (gone_at IS NULL), 0)::BIGINT AS size,
            coalesce(sum(greatest(0, size - coalesce(read_to, 0))) FILTER (gone_at IS NULL), 0)::BIGINT AS behind,
            max(read_at) AS last_read_at, coalesce(sum(r.rejects), 0)::BIGINT AS rejects
        FROM files LEFT JOIN (SELECT path, count(*) AS rejects FROM rejects GROUP BY path) r USING (path)
        GROUP BY source, root ORDER BY source, root""",
    )


@dataclass(frozen=True, slots=True)
class Reject:
    """Bytes of a file that could not be used, and why. A `length` of 0 means the whole file."""

    path: str
    pos: int
    length: int
    reason: str
    seen_at: dt.datetime | None


# What a server answered is told again whenever it is asked again.
_REJECTS = """
    SELECT path, pos, length, reason, max(seen_at) AS seen_at FROM (
        SELECT path, pos, length, reason, seen_at FROM rejects
        UNION ALL SELECT path, 0, 0, error, read_at FROM files WHERE error IS NOT NULL AND gone_at IS NULL
    ) GROUP BY path, pos, length, reason
"""


def rejects(connection: Reader, limit: int = 200, text: str = "") -> list[Reject]:
    """Rejected lines and unreadable files with `text` in their path or reason, the latest first."""
    where = _with_text(text)
    return connection.ask(
        Reject,
        f"SELECT * FROM ({_REJECTS}) WHERE {where} ORDER BY seen_at DESC NULLS LAST, path, pos, length, reason "
        f"LIMIT {int(limit)}",
        where.parameters,
    )


def count_rejects(connection: Reader, text: str = "") -> int:
    """How many `rejects` has without a limit."""
    where = _with_text(text)
    return int(connection.value(f"SELECT count(*) FROM ({_REJECTS}) WHERE {where}", where.parameters))


def _with_text(text: str) -> Where:
    return Where().by(Filter(text=text), {"text": "concat_ws(' ', path, reason)"})


@dataclass(frozen=True, slots=True)
class Unknown:
    """A thing in transcripts that the parser has no rule for."""

    what: str
    count: int
    files: int


def unknowns(connection: Reader) -> list[Unknown]:
    """What the parser did not know, the most frequent first."""
    return connection.ask(
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
    unpriced_models: list[str]


def store_facts(connection: Reader) -> StoreFacts:
    """Counts over the whole store."""
    return connection.one(
        StoreFacts,
        f"""SELECT (SELECT count(*) FROM sessions) AS sessions, (SELECT count(*) FROM responses) AS responses,
            (SELECT count(*) FROM tool_calls) AS tool_calls,
            (SELECT count(*) FROM (SELECT DISTINCT path, pos, length, reason FROM rejects)) AS rejects,
            (SELECT count(*) FROM files) AS files,
            (SELECT coalesce(sum(size), 0)::BIGINT FROM files) AS transcript_bytes,
            (SELECT coalesce(list(DISTINCT model ORDER BY model), []) FROM responses WHERE {unpriced()})
                AS unpriced_models""",
    )


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file and when it was read last. `title` is that of its session; size is bytes, times are UTC without a zone."""

    path: str
    source: str
    title: str | None
    size: int | None
    read_at: dt.datetime | None


def read_last(connection: Reader, limit: int) -> list[FileRead]:
    """The files that were read last, the latest first."""
    return connection.ask(
        FileRead,
        "SELECT path, source, title, size, read_at FROM files LEFT JOIN (SELECT session_id, title FROM sessions) "
        f"USING (session_id) WHERE read_at IS NOT NULL ORDER BY read_at DESC, path LIMIT {int(limit)}",
    )


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table of the store."""

    name: str
    rows: int


def table_rows(connection: Reader) -> list[TableRows]:
    """How many rows each table of the store has, the largest first."""
    names = [*(fact.name for fact in FACTS), *TABLES]
    counts = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS rows FROM {name}" for name in names)
    return connection.ask(TableRows, f"FROM ({counts}) ORDER BY rows DESC, name")


def untouched(connection: Reader, root: str, before: dt.datetime) -> tuple[dt.datetime | None, int]:
    """Of the sessions' own files under a root: since when the oldest was not touched, and how many not since `before`.

    Times are UTC without a zone; None where there is no such file.
    """
    told = "make_timestamp(mtime_ns // 1000)"
    [(oldest, number)] = connection.rows(
        f"SELECT min({told}), count(*) FILTER ({told} <= $before) FROM files "
        "WHERE root = $root AND is_main AND gone_at IS NULL AND mtime_ns > 0",
        {"root": root, "before": before},
    )
    return oldest, int(number)
