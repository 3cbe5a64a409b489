"""How often tools, MCP servers, skills and plugins were used, how often they failed, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter, Where
from .rollups import AGENT_TYPES, NOTED_TYPES, agent_type_of
from .rows import one_as, rows_as, scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KINDS = ("tool", "server", "skill", "plugin")

ORDERS = {
    "name": "lower(name)",
    "invocations": "invocations",
    "errors": "errors",
    "denied": "denied",
    "error_rate": "errors / nullif(finished, 0)",
    "p50_ms": "p50_ms",
    "p95_ms": "p95_ms",
    "sessions": "sessions",
}
"""What tools can be sorted by -> the SQL of it."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """Calls of one tool, or through one MCP server, skill or plugin; `kind` is one of KINDS.

    `errors` has the `denied` ones in it; `finished` calls have a result. The times, of finished calls, are milliseconds
    from the call to its result, with the wait for permission; for a sub-agent in the background, of its own work. A
    plugin's slash commands count as invocations, and have neither result nor time.
    """

    kind: str
    name: str
    invocations: int
    errors: int
    denied: int
    finished: int
    sessions: int
    p50_ms: float | None
    p95_ms: float | None

    @property
    def error_rate(self) -> float | None:
        """Errors among the finished calls; None if none is finished."""
        return self.errors / self.finished if self.finished else None


@dataclass(frozen=True, slots=True)
class ToolSums:
    """All tool calls of a selection."""

    invocations: int
    errors: int
    denied: int
    finished: int
    tools: int
    sessions: int

    @property
    def error_rate(self) -> float | None:
        """Errors among the finished calls; None if none is finished."""
        return self.errors / self.finished if self.finished else None


def add_caller(where: Where, chosen: Filter, call_id: str) -> Where:
    """Add what only the response knows that made the call whose id is the SQL `call_id`: its model, agent type, …"""
    made = Where().by(
        chosen, {"model": "model", "agent_type": "agent_type", "branch": "git_branch", "version": "version"}
    )
    if not made.parameters:
        return where
    return where.add(
        f"""{call_id} IN (
        SELECT id FROM (
            SELECT c.id, r.model, r.git_branch, r.version, {agent_type_of("r")} AS agent_type
            FROM tool_calls c JOIN responses r ON r.key = c.response_key
            LEFT JOIN ({AGENT_TYPES}) t ON t.agent_id = r.agent_id
        ) WHERE {made})""",
        **made.parameters,
    )


def _calls(chosen: Filter) -> tuple[str, Where]:
    """SQL of the calls that the filter leaves, with their times, and the conditions with their parameters.

    Text is looked for in what a call says of itself and in its session's title and project.
    """
    where = Where().add("c.name IS NOT NULL")
    where.by(
        chosen,
        {
            "ts": "c.ts",
            "project": "s.project",
            "session_id": "c.session_id",
            "user": "coalesce(s.username, c.username)",
            "text": "concat_ws(' ', c.name, c.skill, c.subagent_type, c.detail, c.error_text, s.title, s.project)",
        },
    )
    add_caller(where, chosen, "c.id")
    return (
        f"""
        SELECT c.id, c.name, c.class, c.skill, c.subagent_type, c.mcp_server, c.session_id, c.is_error, c.denial,
            CASE WHEN c.spawned_status = 'async_launched' THEN w.ms
                 WHEN c.result_ts < c.ts THEN 0 ELSE epoch_ms(c.result_ts) - epoch_ms(c.ts) END AS ms
        FROM tool_calls c LEFT JOIN sessions s ON s.session_id = c.session_id
        LEFT JOIN (
            SELECT agent_id, epoch_ms(max(last_at)) - epoch_ms(min(first_at)) AS ms FROM (
                SELECT agent_id, ts AS first_at, coalesce(ended_at, ts) AS last_at FROM responses
                UNION ALL SELECT agent_id, ts, coalesce(result_ts, ts) FROM tool_calls
            ) WHERE agent_id IN (SELECT spawned_agent_id FROM tool_calls WHERE spawned_status = 'async_launched')
            GROUP BY agent_id
        ) w ON w.agent_id = c.spawned_agent_id
        WHERE {where}""",
        where,
    )


_SUMS = """count(*) FILTER (is_error) AS errors, count(*) FILTER (is_error AND denial IS NOT NULL) AS denied,
    count(*) FILTER (is_error IS NOT NULL) AS finished, count(DISTINCT session_id) AS sessions"""


def tool_sums(connection: DuckDBPyConnection, chosen: Filter) -> ToolSums:
    """Sums over all tool calls that the filter leaves."""
    calls, where = _calls(chosen)
    return one_as(
        connection,
        ToolSums,
        f"SELECT count(*) AS invocations, {_SUMS}, count(DISTINCT name) AS tools FROM ({calls})",
        where.parameters,
    )


def tool_use(
    connection: DuckDBPyConnection,
    chosen: Filter,
    *,
    order: str = "invocations",
    descending: bool = True,
    limit: int = 100,
) -> list[ToolUse]:
    """The use of tools, MCP servers, skills and plugins, at most `limit` of each kind.

    Sorted within a kind by one of ORDERS (KeyError for others). A plugin is what stands before the colon in the name of
    a skill, a sub-agent or a slash command.
    """
    calls, where = _calls(chosen)
    # Slash commands are no calls of the model: no filter by model or kind of agent leaves any.
    typed = Where().add("kind = 'command' AND contains(command, ':')")
    typed.by(
        chosen,
        {
            "ts": "p.ts",
            "project": "s.project",
            "session_id": "p.session_id",
            "user": "coalesce(s.username, p.username)",
            "text": "concat_ws(' ', p.command, s.title, s.project)",
        },
    )
    if chosen.model is not None or chosen.agent_type is not None:
        typed.add("false")
    direction = "DESC" if descending else "ASC"
    named = "session_id, is_error, denial, ms FROM calls"
    return rows_as(
        connection,
        ToolUse,
        f"""
        WITH calls AS MATERIALIZED ({calls}),
        used AS (
            SELECT 'tool' AS kind, name, {named}
            UNION ALL SELECT 'server', coalesce(mcp_server, split_part(name, '__', 2)), {named} WHERE class = 'mcp_call'
            UNION ALL SELECT 'skill', skill, {named} WHERE skill IS NOT NULL
            UNION ALL SELECT 'plugin', split_part(skill, ':', 1), {named} WHERE contains(skill, ':')
            UNION ALL
            SELECT 'plugin', split_part(type, ':', 1), session_id, is_error, denial, ms FROM (
                SELECT c.*, coalesce(c.subagent_type, n.agent_type, c.name) AS type
                FROM calls c LEFT JOIN ({NOTED_TYPES}) n ON n.call_id = c.id WHERE c.class = 'subagent'
            ) WHERE contains(type, ':')
            UNION ALL
            SELECT 'plugin', split_part(p.command, ':', 1), p.session_id, NULL, NULL, NULL
            FROM prompts p LEFT JOIN sessions s ON s.session_id = p.session_id WHERE {typed}
        )
        SELECT * FROM (
            SELECT kind, name, count(*) AS invocations, {_SUMS},
                quantile_cont(ms, 0.5) FILTER (is_error IS NOT NULL) AS p50_ms,
                quantile_cont(ms, 0.95) FILTER (is_error IS NOT NULL) AS p95_ms
            FROM used GROUP BY kind, name
        )
        QUALIFY row_number() OVER (PARTITION BY kind ORDER BY {ORDERS[order]} {direction} NULLS LAST, name)
            <= {int(limit)}
        ORDER BY list_position({list(KINDS)!r}, kind), {ORDERS[order]} {direction} NULLS LAST, invocations DESC, name
        """,
        where.parameters | typed.parameters,
    )


def count_calls(connection: DuckDBPyConnection) -> int:
    """How many tool calls the store knows."""
    return int(scalar(connection, "SELECT count(*) FROM tool_calls WHERE name IS NOT NULL"))
