"""What tools, MCP servers, skills, plugins and slash commands cost: about, by a rule that adds up.

Nobody is billed for a tool; responses are. Each response belongs to what it worked on:

- `told`: what the agent itself says of it, where it does (a skill, a plugin, a server);
- `answers`: else to the calls whose results it is the first to answer, in equal parts, or to the slash command;
- `rest`: else it answers a person, and belongs to nothing.

Every call is in one row: that of the plugin, skill or MCP server it goes through, else that of its tool. So calls and
tokens of the rows, with the rest, are those of the selection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import matching
from .executed import executed, milliseconds
from .filters import Filter, Where
from .hand_over_facts import Spent
from .rollups import NOTED_TYPES
from .threads import THREAD
from .token_kinds import COLUMNS
from .tokens import detailed, where_of

if TYPE_CHECKING:
    from .store import Reader

KINDS = ("tool", "server", "skill", "plugin", "command")

CHARS_PER_TOKEN = 4
"""How many bytes of a result are taken for one token."""

REST = "rest"

RULES = ("told", "answers", "both")


@dataclass(frozen=True, slots=True)
class Attributed(Spent):
    """One tool, MCP server, skill, plugin or slash command; `kind` is one of KINDS, or REST for the remainder.

    `count` are its calls, for commands how often it was given; times are milliseconds of execution.
    """

    kind: str = REST
    name: str = REST
    rule: str | None = None
    """By which of RULES its tokens are its own; None where it has none."""
    count: int = 0
    errors: int = 0
    denied: int = 0
    finished: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    result_tokens: int = 0
    """About how many tokens came back, at CHARS_PER_TOKEN."""


_KIND = """CASE WHEN contains(coalesce(skill, ''), ':') OR contains(coalesce(type, ''), ':') THEN 'plugin'
    WHEN skill IS NOT NULL THEN 'skill' WHEN class = 'mcp_call' THEN 'server' ELSE 'tool' END"""
_NAME = """CASE WHEN contains(coalesce(skill, ''), ':') THEN split_part(skill, ':', 1)
    WHEN contains(coalesce(type, ''), ':') THEN split_part(type, ':', 1)
    WHEN skill IS NOT NULL THEN skill
    WHEN class = 'mcp_call' THEN coalesce(mcp_server, split_part(name, '__', 2)) ELSE name END"""

_COMMAND_KIND = "CASE WHEN contains(command, ':') THEN 'plugin' ELSE 'command' END"

# Calls as what they go through.
_NAMED = f"""
    SELECT *, {_KIND} AS kind, {_NAME} AS label FROM (
        SELECT c.*, CASE WHEN c.class = 'subagent' THEN coalesce(c.subagent_type, n.noted) END AS type
        FROM {{calls}} c LEFT JOIN (SELECT call_id, subagent_type AS noted FROM ({NOTED_TYPES})) n ON n.call_id = c.id
    )
"""

# What there was to answer in each thread, results and slash commands, and since when. A result whose time is not told
# comes after the response that made the call.
_SOURCES = f"""
    SELECT session_id, coalesce({THREAD}, '-') AS thread, kind, label,
        coalesce(result_ts, ts + INTERVAL 1 MICROSECOND) AS at
    FROM ({_NAMED.format(calls="tool_calls")})
    WHERE is_error IS NOT NULL AND name IS NOT NULL AND session_id IS NOT NULL
        AND coalesce(result_ts, ts) IS NOT NULL
    UNION ALL
    SELECT session_id, '-', {_COMMAND_KIND}, split_part(command, ':', 1), ts FROM prompts
    WHERE kind = 'command' AND command <> '' AND begins_turn IS DISTINCT FROM false AND ts IS NOT NULL
        AND session_id IS NOT NULL
"""

_WHOLE = (*COLUMNS, "unpriced_tokens", "undercounted", "responses", "reasoning_tokens")


def _part(column: str) -> str:
    """SQL of the `number`th of `parts` equal parts of a whole number: all of them together are that number."""
    return f"(({column} * number) // parts - ({column} * (number - 1)) // parts)::BIGINT AS {column}"


def attributed(connection: Reader, chosen: Filter) -> list[Attributed]:
    """Every row of the table, the one with most tokens first, and the rest, which is the last one."""
    used, calls, made, typed = where_of(chosen), *_counted(chosen)
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in _WHOLE)
    return connection.ask(
        Attributed,
        f"""
        WITH used AS MATERIALIZED (
            FROM {detailed(chosen)} d JOIN (
                SELECT key, attributed_plugin AS plugin, attributed_skill AS skill, attributed_mcp_server AS server
                FROM responses
            ) r USING (key) WHERE {used}
        ),
        answering AS MATERIALIZED (
            SELECT key, session_id, coalesce({THREAD}, '-') AS thread, ts FROM responses
            WHERE is_answer AND ts IS NOT NULL AND session_id IS NOT NULL
        ),
        owned AS (
            SELECT key, 'told' AS rule,
                CASE WHEN plugin <> '' OR contains(skill, ':') THEN 'plugin' WHEN skill <> '' THEN 'skill'
                     ELSE 'server' END AS kind,
                split_part(coalesce(nullif(plugin, ''), nullif(skill, ''), server), ':', 1) AS label
            FROM used WHERE {_TOLD}
            UNION ALL
            SELECT u.key, 'answers', s.kind, s.label
            FROM ({_SOURCES}) s ASOF JOIN answering a
            ON a.session_id = s.session_id AND a.thread = s.thread AND a.ts >= s.at
            JOIN (SELECT key FROM used WHERE NOT {_TOLD}) u ON u.key = a.key
        ),
        split AS (
            SELECT kind, label, rule, {", ".join(_part(name) for name in _WHOLE)}, cost_usd / parts AS cost_usd
            FROM (
                SELECT u.* EXCLUDE (kind), coalesce(o.kind, '{REST}') AS kind, coalesce(o.label, '{REST}') AS label,
                    o.rule, row_number() OVER (PARTITION BY key ORDER BY o.kind, o.label) AS number,
                    count(*) OVER (PARTITION BY key) AS parts
                FROM used u LEFT JOIN owned o USING (key)
            )
        ),
        spent AS (
            SELECT kind, label, CASE WHEN count(DISTINCT rule) > 1 THEN 'both' ELSE min(rule) END AS rule, {sums},
                sum(cost_usd) AS cost_usd
            FROM split GROUP BY kind, label
        ),
        counted AS (
            SELECT kind, label, count(*) AS count, count(*) FILTER (is_error) AS errors,
                count(*) FILTER (is_error AND denial IS NOT NULL) AS denied,
                count(*) FILTER (is_error IS NOT NULL) AS finished,
                quantile_cont(ms, 0.5) AS p50_ms, quantile_cont(ms, 0.95) AS p95_ms,
                (coalesce(sum(result_bytes), 0) // {CHARS_PER_TOKEN})::BIGINT AS result_tokens
            FROM ({calls}) GROUP BY kind, label
        )
        SELECT coalesce(c.kind, s.kind) AS kind, coalesce(c.label, s.label) AS name, s.rule,
            coalesce(c.count, 0) AS count, coalesce(c.errors, 0) AS errors, coalesce(c.denied, 0) AS denied,
            coalesce(c.finished, 0) AS finished, c.p50_ms, c.p95_ms, coalesce(c.result_tokens, 0) AS result_tokens,
            {", ".join(f"coalesce(s.{name}, 0) AS {name}" for name in _WHOLE if name != "reasoning_tokens")},
            s.reasoning_tokens, s.cost_usd
        FROM counted c FULL JOIN spent s ON s.kind = c.kind AND s.label = c.label
        ORDER BY coalesce(c.kind, s.kind) = '{REST}', {" + ".join(COLUMNS)} DESC, count DESC, 1, 2""",
        used.parameters | made.parameters | typed.parameters,
    )


_TOLD = "coalesce(plugin <> '' OR skill <> '' OR server <> '', false)"
"""SQL: whether an agent says what a response worked on."""


def _counted(chosen: Filter) -> tuple[str, Where, Where]:
    """SQL of the calls and commands that match, as what they go through, and the conditions on both."""
    made, typed = matching.calls_where(chosen), matching.prompts_where(chosen)
    typed.by(chosen, {"project": "project", "session_id": "session_id", "agent": "told_by", "user": "owner"})
    matching.with_text(typed, chosen)
    calls = f"(FROM {matching.calls(chosen)} WHERE {made})"
    sql = f"""
        SELECT kind, label, is_error, denial, result_bytes, CASE WHEN {executed()} THEN {milliseconds()} END AS ms
        FROM ({_NAMED.format(calls=calls)})
        UNION ALL
        SELECT {_COMMAND_KIND}, split_part(command, ':', 1), NULL, NULL, NULL, NULL
        FROM (
            SELECT p.*, s.title, s.project, coalesce(s.username, p.username) AS owner,
                coalesce(p.agent, s.agent) AS told_by
            FROM prompts p LEFT JOIN sessions s ON s.session_id = p.session_id
        ) WHERE kind = 'command' AND command <> '' AND {typed}
    """
    return sql, made, typed
