"""How often tools, MCP servers, skills and plugins were used, how often they failed, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import matching
from .filters import Filter, Where
from .plugins import SOURCES, source_of
from .results import BYTES_PER_TOKEN
from .rollups import NOTED_TYPES

if TYPE_CHECKING:
    from .store import Reader

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
    "result_tokens": "result_bytes",
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
    result_bytes: int
    """Of what its calls gave back."""
    source: str | None = None
    """Of a plugin: where it is from, see `plugins`."""

    @property
    def error_rate(self) -> float | None:
        """Errors among the finished calls; None if none is finished."""
        return self.errors / self.finished if self.finished else None

    @property
    def result_tokens(self) -> int:
        """About how many tokens its results are."""
        return self.result_bytes // BYTES_PER_TOKEN


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


OWN_WORDS = "concat_ws(' ', name, skill, subagent_type, detail, error_text, title, project)"
"""SQL of what a call says of itself, with its session's title and project: what a text is looked for in."""


def _calls(chosen: Filter) -> tuple[str, Where]:
    """SQL of the calls that the filter leaves, with their times, and the conditions with their parameters."""
    where = matching.calls_where(chosen, OWN_WORDS)
    return (
        f"""
        SELECT c.id, c.name, c.class, c.skill, c.subagent_type, c.mcp_server, c.session_id, c.is_error, c.denial,
            c.machine IS NOT NULL OR c.owner IS NOT NULL AS is_elsewhere, coalesce(c.result_bytes, 0) AS bytes,
            CASE WHEN c.spawned_status = 'background' THEN w.ms
                 WHEN c.result_ts < c.ts THEN 0 ELSE epoch_ms(c.result_ts) - epoch_ms(c.ts) END AS ms
        FROM (FROM {matching.calls(chosen)} WHERE {where}) c
        LEFT JOIN (
            SELECT subagent_id, epoch_ms(max(last_at)) - epoch_ms(min(first_at)) AS ms FROM (
                SELECT subagent_id, ts AS first_at, coalesce(ended_at, ts) AS last_at FROM responses
                UNION ALL SELECT subagent_id, ts, coalesce(result_ts, ts) FROM tool_calls
            ) WHERE subagent_id IN (SELECT spawned_subagent_id FROM tool_calls WHERE spawned_status = 'background')
            GROUP BY subagent_id
        ) w ON w.subagent_id = c.spawned_subagent_id""",
        where,
    )


_SUMS = """count(*) FILTER (is_error) AS errors, count(*) FILTER (is_error AND denial IS NOT NULL) AS denied,
    count(*) FILTER (is_error IS NOT NULL) AS finished, count(DISTINCT session_id) AS sessions"""


def tool_sums(connection: Reader, chosen: Filter) -> ToolSums:
    """Sums over all tool calls that the filter leaves."""
    calls, where = _calls(chosen)
    return connection.one(
        ToolSums,
        f"SELECT count(*) AS invocations, {_SUMS}, count(DISTINCT name) AS tools FROM ({calls})",
        where.parameters,
    )


def tool_use(
    connection: Reader,
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
    typed = matching.prompts_where(chosen).add("kind = 'command' AND contains(command, ':')")
    typed.by(
        chosen,
        {
            "project": "project",
            "session_id": "session_id",
            "agent": "agent",
            "machine": "machine",
            "user": "owner",
            "text": "concat_ws(' ', command, title, project)",
        },
    )
    direction = "DESC" if descending else "ASC"
    named = "session_id, is_error, denial, is_elsewhere, ms, bytes FROM calls"
    return connection.ask(
        ToolUse,
        f"""
        WITH calls AS MATERIALIZED ({calls}),
        used AS (
            SELECT 'tool' AS kind, name, {named}
            UNION ALL SELECT 'server', coalesce(mcp_server, split_part(name, '__', 2)), {named} WHERE class = 'mcp_call'
            UNION ALL SELECT 'skill', skill, {named} WHERE skill IS NOT NULL
            UNION ALL SELECT 'plugin', split_part(skill, ':', 1), {named} WHERE contains(skill, ':')
            UNION ALL
            SELECT 'plugin', split_part(type, ':', 1), session_id, is_error, denial, is_elsewhere, ms, bytes FROM (
                SELECT c.*, coalesce(c.subagent_type, n.subagent_type, c.name) AS type
                FROM calls c LEFT JOIN ({NOTED_TYPES}) n ON n.call_id = c.id WHERE c.class = 'subagent'
            ) WHERE contains(type, ':')
            UNION ALL
            SELECT 'plugin', split_part(command, ':', 1), session_id, NULL, NULL,
                machine IS NOT NULL OR owner IS NOT NULL, NULL, 0
            FROM (
                SELECT p.*, s.title, s.project, coalesce(s.username, p.username) AS owner
                FROM prompts p LEFT JOIN sessions s ON s.session_id = p.session_id
            ) WHERE {typed}
        )
        SELECT * EXCLUDE (plugin, plugin_source, is_elsewhere), CASE WHEN kind = 'plugin' THEN
            {source_of("name", "plugin_source", "is_elsewhere")} END AS source
        FROM (
            SELECT kind, name, count(*) AS invocations, {_SUMS}, sum(bytes)::BIGINT AS result_bytes,
                bool_and(is_elsewhere) AS is_elsewhere,
                quantile_cont(ms, 0.5) FILTER (is_error IS NOT NULL) AS p50_ms,
                quantile_cont(ms, 0.95) FILTER (is_error IS NOT NULL) AS p95_ms
            FROM used GROUP BY kind, name
        ) LEFT JOIN ({SOURCES}) k ON k.plugin = name
        QUALIFY row_number() OVER (PARTITION BY kind ORDER BY {ORDERS[order]} {direction} NULLS LAST, name)
            <= {int(limit)}
        ORDER BY list_position({list(KINDS)!r}, kind), {ORDERS[order]} {direction} NULLS LAST, invocations DESC, name
        """,
        where.parameters | typed.parameters,
    )


def count_calls(connection: Reader) -> int:
    """How many tool calls the store knows."""
    return int(connection.value("SELECT count(*) FROM tool_calls WHERE name IS NOT NULL"))
