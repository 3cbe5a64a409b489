"""The answers of the commands, in the shapes of the Agnes server's endpoints, with more fields."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from ..queries.filters import Filter

# Each answer imports what it asks, when it asks: a command gives one of them.
if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ..queries import access, servers, sessions, sync, tokens
    from ..queries.access import Cursor

    Answer = dict[str, Any]


def stamp(moment: dt.datetime | None) -> str | None:
    """A time of the store as ISO text with its offset."""
    return None if moment is None else moment.replace(tzinfo=dt.UTC).isoformat()


def sessions_answer(
    connection: DuckDBPyConnection, chosen: Filter, *, now: dt.datetime, limit: int, offset: int
) -> Answer:
    """`GET /api/me/stats/sessions`."""
    from ..queries import sessions

    page = sessions.list_sessions(connection, chosen, now=now, limit=limit, offset=offset)
    return {
        "total": page.totals.sessions,
        "with_tokens": page.totals.with_tokens,
        "offset": offset,
        "limit": limit,
        "rows": [_session(row) for row in page.rows],
    }


def _session(row: sessions.SessionRow) -> Answer:
    fields = dataclasses.asdict(row)
    fields["started_at"] = stamp(row.started_at)
    fields["ended_at"] = stamp(row.ended_at)
    fields["active_seconds"] = round(row.active_seconds)
    fields["wall_seconds"] = round(row.wall_seconds)
    fields["cache_creation_tokens"] = row.cache_write_tokens
    fields["processed"] = not row.pending
    fields["pipeline_status"] = "pending" if row.pending else "processed"
    fields["output_undercounted"] = row.undercounted > 0
    return fields


def tokens_answer(connection: DuckDBPyConnection, chosen: Filter, *, today: dt.date, days: int) -> Answer:
    """`GET /api/me/stats/tokens`: `daily` has every day of the window, the rest is over all days of the filter."""
    from ..queries import tokens

    window = (
        chosen if chosen.since or chosen.until else chosen.but(since=today - dt.timedelta(days=days - 1), until=today)
    )
    totals = tokens.totals(connection, chosen)
    # A store where nothing matches has no days, either.
    daily = _daily(tokens.by_day(connection, window), window) if totals.total_tokens or totals.responses else []
    return {
        "days": len(daily),
        "daily": daily,
        "by_model": [
            {"model": row.name, "speed": row.speed, "service_tier": row.service_tier, **_sums(row)}
            for row in tokens.by_group(connection, chosen, "model")
        ],
        "top_sessions": [_top(row) for row in tokens.top_sessions(connection, chosen)],
        "totals": _sums(totals),
    }


def _daily(found: list[tokens.DayTokens], window: Filter) -> list[Answer]:
    from ..queries.periods import every_day
    from ..queries.tokens import NOTHING

    by_day = {row.day: row for row in found}
    return [{"day": day.isoformat(), **_sums(by_day.get(day, NOTHING))} for day in every_day(window, by_day)]


def _sums(row: tokens.TokenSums) -> Answer:
    return {
        "input": row.input_tokens,
        "output": row.output_tokens,
        "cache_read": row.cache_read_tokens,
        "cache_creation": row.cache_write_tokens,
        "cache_creation_5m": row.cache_write_5m_tokens,
        "cache_creation_1h": row.cache_write_1h_tokens,
        "total": row.total_tokens,
        "sessions": row.sessions,
        "responses": row.responses,
        "cost_usd": row.cost_usd,
        "unpriced_tokens": row.unpriced_tokens,
        "undercounted": row.undercounted,
        "output_undercounted": row.undercounted > 0,
    }


def _top(row: tokens.SessionTokens) -> Answer:
    return {
        "session_file": row.session_file,
        "session_id": row.session_id,
        "started_at": stamp(row.started_at),
        "primary_model": row.primary_model,
        "title": row.title,
        "project": row.project,
        **_sums(row),
    }


def queries_answer(
    connection: DuckDBPyConnection,
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
    from ..queries import access

    prefix = "" if everything else access.QUERY_PREFIX
    rows, following = access.list_accesses(connection, chosen, prefix=prefix, cursor=cursor, limit=limit, now=now)
    return {
        "limit": limit,
        "rows": [_access(row) for row in rows],
        "next_cursor": _cursor(following),
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
        },
    }


def sync_answer(connection: DuckDBPyConnection, chosen: Filter, *, limit: int, cursor: Cursor | None) -> Answer:
    """`GET /api/me/stats/sync`, with the cursor honoured; `client_kind` says who told, a client or not."""
    from ..queries import servers, sync

    page = sync.list_sync(connection, chosen, cursor=cursor, limit=limit)
    return {
        "last_pull_at": stamp(servers.last_pull(connection)),
        "limit": limit,
        "rows": [_action(row) for row in page.rows],
        "next_cursor": _cursor(page.older),
        "servers": [server_answer(row) for row in servers.servers(connection)],
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
        "params": {
            "detail": row.detail,
            "workspace": row.workspace,
            "session_id": row.session_id,
            "title": row.title,
        },
    }


def home_answer(connection: DuckDBPyConnection, chosen: Filter, *, window: str, now: dt.datetime) -> Answer:
    """`GET /api/me/home-stats`; an unknown window is `24h`."""
    from ..queries import home

    window = window if window in home.WINDOWS else home.DEFAULT_WINDOW
    frame = home.home(connection, window, now=now, chosen=chosen)
    return {
        "window": window,
        "last_pull_at": stamp(frame.last_pull_at),
        "sessions": frame.sessions,
        "prompts": frame.prompts,
        "tokens": {
            "input": frame.input_tokens,
            "output": frame.output_tokens,
            "cache_read": frame.cache_read_tokens,
            "cache_creation": frame.cache_write_tokens,
            "total": frame.total_tokens,
        },
        "projects": frame.projects,
        "cost_usd": frame.cost_usd,
        "responses": frame.responses,
        "unpriced_tokens": frame.unpriced_tokens,
        "undercounted": frame.undercounted,
        "output_undercounted": frame.undercounted > 0,
    }


def _cursor(cursor: Cursor | None) -> Answer | None:
    return None if cursor is None else {"timestamp": stamp(cursor.timestamp), "id": cursor.id}
