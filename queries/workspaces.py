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


def has_workspaces(connection: Reader) -> bool:
    """Whether any is known."""
    return bool(connection.value(f"SELECT EXISTS (FROM ({PLACES}))"))


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


STATUSES = ("failed", "lost", "waiting", "grown", "private", "uploaded", "elsewhere")
"""What can have become of a session, the most urgent first.

`lost`: sent, says the ledger, and the server, asked later, does not have it. `waiting`: never sent, and not on the
server. `grown`: sent, and longer now; the next push sends it again. `private`: never to be sent. `elsewhere`: the
server has it, this machine knows nothing of it.
"""

LATE = "INTERVAL 1 DAY"
"""SQL: a session that came to the server longer after it began is late: reports of its day were made without it."""


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A session of a workspace, and what became of it: on this disk, in the ledger, on the server. Sizes are bytes."""

    workspace: str | None
    """None if only the server knows it."""
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
    server: str | None
    """The server that has it; None if none that was asked."""
    account: str | None
    pipeline_status: str | None
    """`pending`, `processed` or `extracted`, as the server tells."""
    items_extracted: int | None
    download_url: str | None
    started_at: dt.datetime | None
    uploaded_at: dt.datetime | None
    """When it first came to the server: by the server, else by the ledger."""
    is_late: bool


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
    lost: int = 0
    in_ledger: int = 0
    on_server: int = 0
    elsewhere: int = 0
    """Only on the server."""
    late: int = 0
    unlisted: int = 0
    """On disk and on the server, and in no ledger: another machine sent it, or the ledger is new."""
    private_on_server: int = 0
    """Sent before they were made private."""


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
    ),
    -- What a server says of a session it has, the one asked last; and since when none is missing in what it says.
    had AS (
        SELECT session_id, arg_max(server, told_at) AS server, arg_max(account, told_at) AS account,
            arg_max(pipeline_status, told_at) AS pipeline_status, arg_max(items_extracted, told_at) AS items_extracted,
            arg_max(download_url, told_at) AS download_url, min(uploaded_at) AS uploaded_at, min(started_at) AS began_at
        FROM server_sessions GROUP BY session_id
    ),
    asked AS (
        SELECT rtrim(server, '/') AS server, max(answered_at) AS answered_at FROM server_reads
        WHERE endpoint = 'sessions' AND failure IS NULL AND reason IS NULL GROUP BY ALL
    ),
    first_sent AS (
        SELECT session_id, min(ts) AS sent_at FROM sync_actions
        WHERE source = 'ledger' AND result = 'success' AND ts IS NOT NULL GROUP BY session_id
    ),
    joined AS (
        SELECT d.workspace IS NOT NULL AS is_here, u.status IS NOT NULL AS is_listed,
            coalesce(d.workspace, u.workspace) AS workspace, coalesce(d.session_id, u.session_id) AS session_id,
            d.size, d.written_at, u.status AS told, u.ts, u.size AS sent_size, u.http_status AS reason
        FROM on_disk d FULL JOIN uploads u ON u.workspace = d.workspace AND u.session_id = d.session_id
    )
    SELECT j.workspace, coalesce(j.session_id, h.session_id) AS session_id, s.title,
        coalesce(s.project, j.workspace) AS project, coalesce(s.username, h.account) AS username,
        CASE WHEN j.session_id IS NULL THEN 'elsewhere'
             WHEN j.told IS NULL AND h.session_id IS NOT NULL THEN 'uploaded' WHEN j.told IS NULL THEN 'waiting'
             WHEN j.told = 'uploaded' AND h.session_id IS NULL AND a.answered_at > j.ts THEN 'lost'
             WHEN j.told = 'uploaded' AND j.size > j.sent_size THEN 'grown' ELSE j.told END AS status,
        CASE WHEN j.session_id IS NULL THEN coalesce(h.uploaded_at, h.began_at)
             WHEN j.told IS NULL THEN j.written_at ELSE j.ts END AS status_at,
        j.size, CASE WHEN j.told = 'uploaded' THEN j.sent_size END AS sent_size, j.reason, h.server, h.account,
        h.pipeline_status, h.items_extracted, h.download_url, coalesce(s.started_at, h.began_at) AS started_at,
        coalesce(h.uploaded_at, f.sent_at) AS uploaded_at,
        coalesce(coalesce(h.uploaded_at, f.sent_at) - coalesce(s.started_at, h.began_at) > {LATE}, false) AS is_late,
        coalesce(j.is_here, false) AS is_here, coalesce(j.is_listed, false) AS is_listed
    FROM joined j FULL JOIN had h ON h.session_id = j.session_id
    LEFT JOIN sessions s ON s.session_id = coalesce(j.session_id, h.session_id)
    LEFT JOIN first_sent f ON f.session_id = coalesce(j.session_id, h.session_id)
    LEFT JOIN workspaces w ON w.workspace = j.workspace
    LEFT JOIN asked a ON a.server = rtrim(w.server, '/')
"""


def list_uploads(connection: Reader, chosen: Filter, *, limit: int = 500) -> tuple[list[UploadRow], UploadSums]:
    """The sessions of the workspaces, the most urgent first and of these the latest, and the sums over all of them."""
    where = Where().by(
        chosen,
        {
            "project": "project",
            "session_id": "session_id",
            "user": "username",
            "text": "concat_ws(' ', title, session_id, status, reason, workspace, pipeline_status)",
        },
    )
    rows = connection.ask(
        UploadRow,
        f"SELECT * FROM ({_UPLOADS}) WHERE {where} "
        f"ORDER BY list_position({list(STATUSES)}, status), status_at DESC NULLS LAST, session_id LIMIT {int(limit)}",
        where.parameters,
    )
    counts = ", ".join(
        f"count(*) FILTER (size IS NOT NULL AND status = '{name}') AS {name}"
        for name in STATUSES
        if name != "elsewhere"
    )
    sums = connection.one(
        UploadSums,
        f"""SELECT * REPLACE (uploaded + grown AS uploaded) FROM (SELECT {counts},
            count(*) FILTER (status <> 'elsewhere') AS listed, count(size) AS on_disk,
            count(*) FILTER (is_listed) AS in_ledger, count(server) AS on_server,
            count(*) FILTER (status = 'elsewhere') AS elsewhere, count(*) FILTER (is_late) AS late,
            count(*) FILTER (is_here AND NOT is_listed AND server IS NOT NULL) AS unlisted,
            count(*) FILTER (status = 'private' AND server IS NOT NULL) AS private_on_server
        FROM ({_UPLOADS}) WHERE {where})""",
        where.parameters,
    )
    return rows, sums


@dataclass(frozen=True, slots=True)
class SnapshotState:
    """A snapshot of a remote table in a workspace. Times are UTC."""

    workspace: str
    name: str
    table_id: str
    row_count: int | None
    size_bytes: int | None
    fetched_at: dt.datetime | None
    expires_at: dt.datetime | None
    """When the next pull deletes it; None: never."""
    has_policy: bool
    """Its rows are what an access policy left for the user."""
    is_blocked: bool
    """The last pull withheld it: the policy is another one now, or the table is not granted any more."""


def list_snapshots(connection: Reader, chosen: Filter) -> list[SnapshotState]:
    """The snapshots that are on disk: those withheld first, then those that expire first."""
    where = Where().by(chosen, {"project": "workspace", "text": "concat_ws(' ', name, table_id, workspace)"})
    return connection.ask(
        SnapshotState,
        f"""SELECT * FROM (
            SELECT s.workspace, s.name, s.table_id, s.row_count, s.size_bytes, s.fetched_at, s.expires_at,
                coalesce(s.has_policy, false) AS has_policy,
                coalesce(list_contains(w.snapshots_blocked, s.name), false) AS is_blocked
            FROM snapshots s LEFT JOIN workspaces w ON w.workspace = s.workspace
            WHERE s.path NOT IN (SELECT path FROM files WHERE gone_at IS NOT NULL)
        ) WHERE {where} ORDER BY is_blocked DESC, expires_at NULLS LAST, name, workspace""",
        where.parameters,
    )
