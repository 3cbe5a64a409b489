"""The Agnes workspaces of this machine: how fresh their tables are, and which of their sessions are uploaded.

What is told here is the state of now: of a filter, the days do not count.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter, Where
from .servers import NOT_AHEAD
from .sync_history import PLACES

if TYPE_CHECKING:
    from .store import Reader


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder that the `agnes` command keeps data in, or the server itself, if it was asked."""

    workspace: str
    """The folder's path, or the server's address."""
    last_pull_at: dt.datetime | None
    """UTC."""
    server: str | None
    token_expires_at: dt.datetime | None
    """UTC; None if there is no token, or one that says no time."""
    is_server: bool


# The account that is good for longest, if there are several; a file that is gone holds no token.
_ACCOUNT = """
    SELECT server, CASE WHEN is_there THEN token_expires_at END AS token_expires_at FROM (
        SELECT a.*, NOT EXISTS (
            SELECT 1 FROM files f
            WHERE f.source = 'account' AND f.root = a.workspace AND f.path LIKE '%token.json' AND f.gone_at IS NOT NULL
        ) AS is_there FROM accounts a
    ) ORDER BY 2 DESC NULLS LAST, server LIMIT 1
"""


def workspaces(connection: Reader) -> list[Workspace]:
    """All that are known, the one pulled last first."""
    return connection.ask(
        Workspace,
        f"""SELECT workspace, coalesce(w.last_sync, s.last_pull_at) AS last_pull_at,
            coalesce(s.server, w.server, a.server) AS server, a.token_expires_at, s.server IS NOT NULL AS is_server
        FROM ({PLACES}) LEFT JOIN workspaces w USING (workspace) LEFT JOIN ({_ACCOUNT}) a ON true
        LEFT JOIN (
            SELECT server, max(last_pull_at) FILTER (last_pull_at {NOT_AHEAD}) AS last_pull_at
            FROM server_reads GROUP BY server
        ) s ON s.server = workspace
        ORDER BY last_pull_at DESC NULLS LAST, workspace""",
    )


TABLE_ORDERS = {
    "table_id": "lower(table_id)",
    "workspace": "workspace",
    "row_count": "row_count",
    "size_bytes": "size_bytes",
    "parts": "parts",
    "changed_at": "changed_at",
}
"""What tables can be sorted by -> the SQL of it."""


@dataclass(frozen=True, slots=True)
class SyncTable:
    """A table of a workspace. Numbers are None where nothing tells them; `parts` are parquet files."""

    workspace: str
    table_id: str
    row_count: int | None
    size_bytes: int | None
    parts: int | None
    changed_at: dt.datetime | None
    """When its newest file was written, in UTC; None if it is not on disk."""


@dataclass(frozen=True, slots=True)
class TableSums:
    """All tables of a selection. `size_bytes` is of those that tell it."""

    tables: int
    size_bytes: int


def list_tables(
    connection: Reader,
    chosen: Filter,
    *,
    order: str = "changed_at",
    descending: bool = True,
    limit: int = 500,
) -> tuple[list[SyncTable], TableSums]:
    """The tables of the workspaces, sorted and cut in SQL, and the sums over all of them.

    `order` is one of TABLE_ORDERS (KeyError otherwise). A workspace counts as its tables' project.
    """
    where = Where().by(chosen, {"project": "workspace", "text": "concat_ws(' ', table_id, workspace)"})
    direction = "DESC" if descending else "ASC"
    rows = connection.ask(
        SyncTable,
        f"SELECT * FROM sync_tables WHERE {where} ORDER BY {TABLE_ORDERS[order]} {direction} NULLS LAST, "
        f"table_id, workspace LIMIT {int(limit)}",
        where.parameters,
    )
    sums = connection.one(
        TableSums,
        f"SELECT count(*) AS tables, coalesce(sum(size_bytes), 0)::BIGINT AS size_bytes FROM sync_tables WHERE {where}",
        where.parameters,
    )
    return rows, sums


STATUSES = ("failed", "waiting", "grown", "private", "uploaded")
"""What can have become of a session, the most urgent first.

`waiting`: never sent. `grown`: sent, and longer now; the next push sends it again. `private`: never to be sent.
"""


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A session of a workspace, and what became of it. Sizes are bytes."""

    workspace: str
    session_id: str
    title: str | None
    status: str
    """One of STATUSES."""
    status_at: dt.datetime | None
    """When that was, in UTC: sent, refused or kept back; of one that waits, when its file was last written."""
    size: int | None
    """Of the transcript; None if it is not on disk any more."""
    sent_size: int | None
    reason: str | None
    """Why the server refused it: a status code, or the word of an old version."""


@dataclass(frozen=True, slots=True)
class UploadSums:
    """The sessions that are on disk, by what became of them; `uploaded` has the `grown` ones in it."""

    on_disk: int
    uploaded: int
    grown: int
    failed: int
    private: int
    waiting: int
    listed: int
    """With those that are not on disk any more."""


# `agnes push` looks into one folder, the one in which Claude Code keeps the sessions that were started in the workspace
# itself; it is named after the workspace's path. What was started further down is not meant to be uploaded.
_SLUG = "regexp_replace(p.workspace, '[^A-Za-z0-9]', '-', 'g')"

_UPLOADS = f"""
    WITH on_disk AS (
        SELECT p.workspace, parse_filename(f.path, true, 'both_slash') AS session_id, f.size,
            make_timestamp(f.mtime_ns // 1000) AS written_at
        FROM files f JOIN ({PLACES}) p
            ON {_SLUG} = parse_filename(parse_dirpath(f.path, 'both_slash'), false, 'both_slash')
            -- A drive has no case.
            OR p.workspace ~ '[A-Za-z]:.*' AND lower({_SLUG})
                = lower(parse_filename(parse_dirpath(f.path, 'both_slash'), false, 'both_slash'))
        WHERE f.source = 'claude' AND f.is_main AND f.gone_at IS NULL
    )
    SELECT workspace, session_id, s.title, coalesce(s.project, workspace) AS project,
        CASE WHEN u.status IS NULL THEN 'waiting' WHEN u.status = 'uploaded' AND d.size > u.size THEN 'grown'
             ELSE u.status END AS status,
        CASE WHEN u.status IS NULL THEN d.written_at ELSE u.ts END AS status_at,
        d.size, CASE WHEN u.status = 'uploaded' THEN u.size END AS sent_size, u.http_status AS reason
    FROM on_disk d FULL JOIN uploads u USING (workspace, session_id)
    LEFT JOIN sessions s USING (session_id)
"""


def list_uploads(connection: Reader, chosen: Filter, *, limit: int = 500) -> tuple[list[UploadRow], UploadSums]:
    """The sessions of the workspaces, the most urgent first and of these the latest, and the sums over all of them."""
    where = Where().by(
        chosen,
        {
            "project": "project",
            "session_id": "session_id",
            "text": "concat_ws(' ', title, session_id, status, reason, workspace)",
        },
    )
    rows = connection.ask(
        UploadRow,
        f"SELECT * FROM ({_UPLOADS}) WHERE {where} "
        f"ORDER BY list_position({list(STATUSES)}, status), status_at DESC NULLS LAST, session_id LIMIT {int(limit)}",
        where.parameters,
    )
    counts = ", ".join(f"count(*) FILTER (size IS NOT NULL AND status = '{name}') AS {name}" for name in STATUSES)
    sums = connection.one(
        UploadSums,
        f"SELECT * REPLACE (uploaded + grown AS uploaded) FROM (SELECT {counts}, count(*) AS listed, "
        f"count(size) AS on_disk FROM ({_UPLOADS}) WHERE {where})",
        where.parameters,
    )
    return rows, sums
