"""Which sessions there are, and what each took."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter, Where
from .rows import one_as, rows_as, scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LIVE_FOR = dt.timedelta(minutes=5)
"""A session with a row this recent is running."""

ORDERS = {
    "started_at": "started_at",
    "ended_at": "ended_at",
    "title": "lower(title)",
    "project": "lower(parse_filename(project, false, 'both_slash'))",
    "primary_model": "primary_model",
    "active_seconds": "active_seconds",
    "wall_seconds": "wall_seconds",
    "user_messages": "user_messages",
    "tool_calls_total": "tool_calls_total",
    "tool_errors": "tool_errors",
    "tokens_total": "tokens_total",
    "cost_usd": "cost_usd",
}
"""What sessions can be sorted by -> the SQL of it."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session. Times are UTC without a zone, tokens and counts integers, cost USD or None where unpriced.

    A session whose file is listed but not read yet is `pending`: its counts are 0 and `started_at` is the file's time.
    """

    session_id: str
    session_file: str | None
    """Name of the session's own file; None if only others' files speak of it."""
    path: str | None
    username: str | None
    project: str | None
    title: str | None
    git_branch: str | None
    version: str | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    active_seconds: float
    wall_seconds: float
    user_messages: int
    assistant_messages: int
    tool_calls: int
    mcp_calls: int
    subagent_dispatches: int
    tool_calls_total: int
    tool_errors: int
    denied: int
    skill_invocations: int
    slash_commands: int
    distinct_tools: int
    distinct_skills: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    tokens_total: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int
    """Responses whose output count is only a lower bound."""
    primary_model: str | None
    context_tokens: int | None
    context_window: int | None
    source_gone: bool
    """No file of the session is on disk any more; what we know stays."""
    is_live: bool
    pending: bool
    private: bool
    """Listed in a workspace as never to be uploaded."""
    error: str | None
    """Why the session's file cannot be read."""


@dataclass(frozen=True, slots=True)
class SessionTotals:
    """Sums over all sessions of a selection."""

    sessions: int
    tokens_total: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Some sessions of a selection, and the sums over the whole of it."""

    rows: list[SessionRow]
    totals: SessionTotals


_ZEROS = ", ".join(
    f"0 AS {name}"
    for name in [
        "active_seconds",
        "wall_seconds",
        "user_messages",
        "assistant_messages",
        "tool_calls",
        "mcp_calls",
        "subagent_dispatches",
        "tool_calls_total",
        "tool_errors",
        "denied",
        "skill_invocations",
        "slash_commands",
        "distinct_tools",
        "distinct_skills",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "tokens_total",
        "unpriced_tokens",
        "undercounted",
    ]
)

_PENDING = f"""
    SELECT session_id, path, parse_filename(path) AS session_file, username, NULL AS project, NULL AS title,
        make_timestamp(mtime_ns // 1000) AS started_at, NULL AS ended_at, {_ZEROS}, NULL AS cost_usd,
        false AS source_gone, false AS is_live, true AS pending, false AS private, error
    FROM files WHERE is_main AND gone_at IS NULL AND (parser IS NULL OR error IS NOT NULL)
        AND session_id NOT IN (SELECT session_id FROM sessions)
"""
_TOTAL = "input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens"

_SUMMED = f"SELECT *, {_TOTAL} AS tokens_total FROM sessions UNION ALL BY NAME {_PENDING}"
"""SQL of the rows of `_SESSIONS`, with all that can be filtered by and summed, without what is only shown."""

_SESSIONS = f"""
    WITH of_session AS (
        SELECT session_id, any_value(path) FILTER (is_main) AS path, bool_and(gone_at IS NOT NULL) AS source_gone,
            any_value(error) FILTER (is_main) AS error
        FROM files WHERE session_id IS NOT NULL GROUP BY session_id
    ),
    private AS (SELECT DISTINCT session_id FROM uploads WHERE status = 'private')
    SELECT s.* EXCLUDE (context_model, cwd, web_searches), f.path, parse_filename(f.path) AS session_file,
        {_TOTAL} AS tokens_total,
        m.context_window, coalesce(f.source_gone, false) AS source_gone,
        coalesce(s.ended_at BETWEEN $now - $live AND $now + $live, false) AS is_live,
        false AS pending, p.session_id IS NOT NULL AS private, f.error
    FROM sessions s LEFT JOIN of_session f USING (session_id) LEFT JOIN private p USING (session_id)
        LEFT JOIN models m ON m.model = s.context_model
    UNION ALL BY NAME {_PENDING}
"""


def _where(chosen: Filter) -> Where:
    where = Where()
    if chosen.since is not None:
        where.add("coalesce(ended_at, started_at) >= $start", start=chosen.start())
    if chosen.until is not None:
        where.add("started_at < $end", end=chosen.end())
    responses = Where().by(chosen, {"model": "model", "branch": "git_branch", "version": "version"})
    if responses.parameters:
        where.add(f"session_id IN (SELECT session_id FROM responses WHERE {responses})", **responses.parameters)
    where.by(
        chosen,
        {
            "project": "project",
            "session_id": "session_id",
            "user": "username",
            "text": "concat_ws(' ', title, project, primary_model, session_id, git_branch)",
        },
    )
    return where


def _at(now: dt.datetime) -> dict[str, object]:
    """The parameters of `_SESSIONS`."""
    return {"now": now, "live": LIVE_FOR}


def list_sessions(
    connection: DuckDBPyConnection,
    chosen: Filter,
    *,
    now: dt.datetime,
    order: str = "started_at",
    descending: bool = True,
    limit: int = 50,
    offset: int = 0,
) -> SessionPage:
    """Sessions that have anything in the filter's days, sorted and cut in SQL.

    `order` is one of ORDERS (KeyError otherwise); `now` is UTC without a zone and decides who is live.
    """
    where = _where(chosen)
    totals = one_as(
        connection,
        SessionTotals,
        "SELECT count(*) AS sessions, coalesce(sum(tokens_total), 0)::BIGINT AS tokens_total, "
        "sum(cost_usd) AS cost_usd, coalesce(sum(unpriced_tokens), 0)::BIGINT AS unpriced_tokens, "
        "coalesce(sum(undercounted), 0)::BIGINT AS undercounted "
        f"FROM ({_SUMMED}) WHERE {where}",
        where.parameters,
    )
    direction = "DESC" if descending else "ASC"
    rows = rows_as(
        connection,
        SessionRow,
        f"SELECT * FROM ({_SESSIONS}) WHERE {where} ORDER BY {ORDERS[order]} {direction} NULLS LAST, "
        "started_at DESC NULLS LAST, session_id "
        f"LIMIT {int(limit)} OFFSET {int(offset)}",
        {**where.parameters, **_at(now)},
    )
    return SessionPage(rows, totals)


def count_sessions(connection: DuckDBPyConnection) -> int:
    """How many sessions the store knows, whatever the filters."""
    return int(scalar(connection, "SELECT count(*) FROM sessions"))


def one_session(connection: DuckDBPyConnection, session_id: str, *, now: dt.datetime) -> SessionRow | None:
    """One session, None if there is no such one. `now` is UTC without a zone."""
    where = _where(Filter(session_id=session_id))
    sql = f"SELECT * FROM ({_SESSIONS}) WHERE {where}"
    found = rows_as(connection, SessionRow, sql, {**where.parameters, **_at(now)})
    return found[0] if found else None


def live_sessions(
    connection: DuckDBPyConnection, chosen: Filter, *, now: dt.datetime, limit: int = 20
) -> list[SessionRow]:
    """Sessions with a row in the last five minutes, the latest first. The filter's days and text do not count."""
    # Mostly nothing runs; to find that out takes a tenth of planning the whole question.
    lately = "SELECT 1 FROM sessions WHERE ended_at BETWEEN $now - $live AND $now + $live LIMIT 1"
    if scalar(connection, lately, _at(now)) is None:
        return []
    where = _where(chosen.but(since=None, until=None, text="")).add("is_live")
    return rows_as(
        connection,
        SessionRow,
        f"SELECT * FROM ({_SESSIONS}) WHERE {where} ORDER BY ended_at DESC, session_id LIMIT {int(limit)}",
        {**where.parameters, **_at(now)},
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """One value a filter can take, with how many sessions have it."""

    value: str
    sessions: int


def projects(connection: DuckDBPyConnection) -> list[Choice]:
    """All projects, the most recently used first."""
    return rows_as(
        connection,
        Choice,
        "SELECT project AS value, count(*) AS sessions FROM sessions WHERE project IS NOT NULL "
        "GROUP BY project ORDER BY max(ended_at) DESC NULLS LAST",
    )


def models(connection: DuckDBPyConnection) -> list[Choice]:
    """All models, the most used first."""
    return rows_as(
        connection,
        Choice,
        "SELECT model AS value, count(DISTINCT session_id) AS sessions FROM responses "
        "GROUP BY model ORDER BY 2 DESC, 1",
    )
