"""`agnes-stats sync`: sync actions, and when data was last pulled."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from ..factories import filter_of
from ..settings import Settings
from .answering import MAX_LIMIT, answered, between, cursor_of
from .command import CURSOR, DAYS_AND_WHERE, LIMIT, READING, Command
from .json_fields import cursor_fields, stamp, whose_fields
from .page import TextColumn, more_line, table, who_cells, who_columns

if TYPE_CHECKING:
    from ...queries import servers, sync, workspaces
    from ...queries.cursor import Cursor
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats sync`."""
    limit, cursor = between("limit", given.limit, 1, MAX_LIMIT), cursor_of(given)
    chosen = filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: sync_answer(connection, chosen, limit=limit, cursor=cursor),
        show,
    )


def sync_answer(connection: Reader, chosen: Filter, *, limit: int, cursor: Cursor | None) -> Answer:
    """`GET /api/me/stats/sync`, with the cursor honoured; `client_kind` says who told, a client or not."""
    from ...queries import servers, sync, workspaces

    uploads, sums = workspaces.list_uploads(connection, chosen, limit=limit)
    page = sync.list_sync(connection, chosen, cursor=cursor, limit=limit)
    return {
        "last_pull_at": stamp(servers.last_pull(connection)),
        "limit": limit,
        "rows": [_action(row) for row in page.rows],
        "next_cursor": cursor_fields(page.older),
        "servers": [server_answer(row) for row in servers.servers(connection)],
        "sessions": {**dataclasses.asdict(sums), "rows": [_session(row) for row in uploads]},
        "snapshots": [_snapshot(row) for row in workspaces.list_snapshots(connection, chosen)],
    }


def _session(row: workspaces.UploadRow) -> Answer:
    """A session on disk, in the ledger and on the server."""
    return {
        "session_id": row.session_id,
        "title": row.title,
        "workspace": row.workspace,
        "status": row.status,
        "status_at": stamp(row.status_at),
        "size": row.size,
        "sent_size": row.sent_size,
        "reason": row.reason,
        "server": row.server,
        "account": row.account,
        "pipeline_status": row.pipeline_status,
        "items_extracted": row.items_extracted,
        "download_url": row.download_url,
        "started_at": stamp(row.started_at),
        "uploaded_at": stamp(row.uploaded_at),
        "late": row.is_late,
    }


def _snapshot(row: workspaces.SnapshotState) -> Answer:
    return {
        "name": row.name,
        "table_id": row.table_id,
        "workspace": row.workspace,
        "rows": row.row_count,
        "size": row.size_bytes,
        "fetched_at": stamp(row.fetched_at),
        "expires_at": stamp(row.expires_at),
        "policy": row.has_policy,
        "blocked": row.is_blocked,
    }


def server_answer(row: servers.ServerHealth) -> Answer:
    """A server that was asked, in the words of our own: no endpoint of it says that."""
    return {
        "server": row.server,
        "account": row.account,
        "asked_at": stamp(row.asked_at),
        "answered_at": stamp(row.answered_at),
        "reachable": row.is_reachable,
        "failure": row.failure,
        "failing": row.failing,
        "reason": row.reason,
        "token_expires_at": stamp(row.token_expires_at),
        "last_pull_at": stamp(row.last_pull_at),
        "rows": row.rows,
    }


def _action(row: sync.SyncRow) -> Answer:
    return {
        "id": row.id,
        "timestamp": stamp(row.timestamp),
        "action": row.action,
        "resource": row.resource,
        "result": row.result,
        "duration_ms": row.duration_ms,
        "client_kind": row.source,
        **whose_fields(row),
        "params": {
            "detail": row.detail,
            "workspace": row.workspace,
            "session_id": row.session_id,
            "title": row.title,
        },
    }


def show(answer: dict[str, Any], page: Page) -> list[str]:
    lines = [f"Last pull {page.ago(answer['last_pull_at'])}"]
    if not answer["rows"]:
        return [*lines, "No sync activity matches these filters." if page.filtered else "No sync activity yet."]
    columns = [
        TextColumn("When"),
        TextColumn("Action"),
        TextColumn("Source"),
        TextColumn("Result"),
        TextColumn("Took", right=True, rank=1),
        *who_columns(rank=2),
        TextColumn("Detail", flexible=True),
    ]
    cells = [
        [
            page.when(row["timestamp"]),
            row["action"],
            row["client_kind"] or words.NONE,
            row["result"],
            words.millis(row["duration_ms"]),
            *who_cells(row),
            _told(row),
        ]
        for row in answer["rows"]
    ]
    return [*lines, "", *table(columns, cells, page.width), *more_line(answer)]


def _told(row: dict[str, Any]) -> str:
    """What a sync action was about; a session by its title, where it has one."""
    params = row["params"]
    about = params["title"] if (row["resource"] or "").startswith("session:") else None
    return " · ".join(part for part in (params["detail"], about) if part) or row["resource"] or ""


COMMAND = Command(
    heeds=(*READING, *DAYS_AND_WHERE),
    run=run,
    options=(LIMIT, *CURSOR),
)
