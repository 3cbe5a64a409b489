"""What tools, MCP servers, skills, plugins and slash commands cost: about, by a rule that adds up.

Nobody is billed for a tool; responses are. Each response belongs to what it worked on:

- `told`: what the agent itself says of it, where it does (a skill, a plugin, a server);
- `answers`: else to the calls whose results it is the first to answer, in equal parts, or to the slash command;
- `rest`: else it answers a person, and belongs to nothing.

Every call is in one row: that of the plugin, skill or MCP server it goes through, else that of its tool. So calls and
tokens of the rows, with the rest, are those of the selection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import matching
from .executed import executed, milliseconds
from .filters import Filter
from .hand_over_facts import Spent
from .money import exact_sum
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


_PLUGIN = "contains(coalesce(skill, subagent_type, ''), ':')"
_KIND = f"""CASE WHEN {_PLUGIN} THEN 'plugin' WHEN skill IS NOT NULL THEN 'skill'
    WHEN class = 'mcp_call' THEN 'server' ELSE 'tool' END"""
_NAME = f"""CASE WHEN {_PLUGIN} THEN split_part(coalesce(skill, subagent_type), ':', 1)
    WHEN skill IS NOT NULL THEN skill
    WHEN class = 'mcp_call' THEN coalesce(mcp_server, split_part(name, '__', 2)) ELSE name END"""

_COMMAND_KIND = "CASE WHEN contains(command, ':') THEN 'plugin' ELSE 'command' END"

# What there was to answer in each thread, results and slash commands, and since when. A result whose time is not told
# comes after the response that made the call.
_SOURCES = f"""
    SELECT session_id, coalesce({THREAD}, '-') AS thread, {_KIND} AS kind, {_NAME} AS label,
        coalesce(result_ts, ts + INTERVAL 1 MICROSECOND) AS at
    FROM tool_calls
    WHERE is_error IS NOT NULL AND name IS NOT NULL AND session_id IS NOT NULL
        AND coalesce(result_ts, ts) IS NOT NULL
    UNION ALL
    SELECT session_id, '-', {_COMMAND_KIND}, split_part(command, ':', 1), ts FROM prompts
    WHERE kind = 'command' AND command <> '' AND begins_turn IS DISTINCT FROM false AND ts IS NOT NULL
        AND session_id IS NOT NULL
"""

_WHOLE = (*COLUMNS, "unpriced_tokens", "undercounted", "responses", "reasoning_tokens")

_TOLD = "coalesce(plugin <> '' OR skill <> '' OR server <> '', false)"
"""SQL: whether an agent says what a response worked on."""


@dataclass(frozen=True, slots=True)
class _Owned:
    """What belongs to one row: parts of responses, so nothing of it is whole."""

    kind: str
    label: str
    rule: str | None
    input_tokens: float
    output_tokens: float
    cache_read_tokens: float
    cache_write_5m_tokens: float
    cache_write_1h_tokens: float
    unpriced_tokens: float
    undercounted: float
    responses: float
    reasoning_tokens: float | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class _Counted:
    kind: str
    label: str
    count: int
    errors: int
    denied: int
    finished: int
    p50_ms: float | None
    p95_ms: float | None
    result_tokens: int


def attributed(connection: Reader, chosen: Filter) -> list[Attributed]:
    """Every row of the table, the one with most tokens first, and the rest, which is the last one."""
    # Two questions, because DuckDB plans a large one longer than it takes to answer both.
    owned = {(row.kind, row.label): row for row in _owned(connection, chosen)}
    counted = {(row.kind, row.label): row for row in _counted(connection, chosen)}
    shares = {name: _whole({key: getattr(row, name) for key, row in owned.items()}) for name in _WHOLE}
    found = []
    for key in {**owned, **counted}:
        spent, calls = owned.get(key), counted.get(key)
        parts = {name: shares[name].get(key, 0) for name in _WHOLE if name != "reasoning_tokens"}
        row = Attributed(
            **parts,
            reasoning_tokens=shares["reasoning_tokens"].get(key),
            cost_usd=spent.cost_usd if spent is not None else None,
            kind=key[0],
            name=key[1],
            rule=spent.rule if spent is not None else None,
        )
        if calls is not None:
            row = replace(
                row,
                count=calls.count,
                errors=calls.errors,
                denied=calls.denied,
                finished=calls.finished,
                p50_ms=calls.p50_ms,
                p95_ms=calls.p95_ms,
                result_tokens=calls.result_tokens,
            )
        found.append(row)
    return sorted(found, key=lambda row: (row.kind == REST, -row.total_tokens, -row.count, row.kind, row.name))


def _whole(parts: Mapping[tuple[str, str], float | None]) -> dict[tuple[str, str], int]:
    """Whole numbers for parts that are together whole: those that lose most by rounding down are rounded up."""
    known = {key: part for key, part in parts.items() if part is not None}
    # A part may be a hair below the whole number that it is.
    found = {key: int(part + 1e-6) for key, part in known.items()}
    missing = round(sum(known.values())) - sum(found.values())
    for key in sorted(known, key=lambda key: (known[key] - found[key], key), reverse=True)[:missing]:
        found[key] += 1
    return found


def _owned(connection: Reader, chosen: Filter) -> list[_Owned]:
    """What belongs to each row, and to the rest, of the responses that match."""
    used = where_of(chosen)
    sums = ", ".join(f"{exact_sum(f'{name} / coalesce(parts, 1)')} AS {name}" for name in (*_WHOLE, "cost_usd"))
    return connection.ask(
        _Owned,
        f"""
        WITH used AS MATERIALIZED (
            SELECT key, session_id, {", ".join(_WHOLE)}, cost_usd, attributed_plugin AS plugin,
                attributed_skill AS skill, attributed_mcp_server AS server
            FROM {detailed(chosen)} WHERE {used}
        ),
        of AS MATERIALIZED (SELECT DISTINCT session_id FROM used),
        owners AS MATERIALIZED (
            SELECT a.key, 'answers' AS rule, s.kind, s.label
            FROM (SELECT * FROM ({_SOURCES}) SEMI JOIN of USING (session_id)) s ASOF JOIN (
                -- Of answers of the same moment the first one.
                SELECT arg_min(key, (pos, key)) AS key, session_id, coalesce({THREAD}, '-') AS thread, ts
                FROM responses SEMI JOIN of USING (session_id)
                WHERE is_answer AND ts IS NOT NULL AND session_id IS NOT NULL GROUP BY ALL
            ) a ON a.session_id = s.session_id AND a.thread = s.thread AND a.ts >= s.at
            WHERE a.key NOT IN (SELECT key FROM used WHERE {_TOLD})
            UNION ALL
            SELECT key, 'told',
                CASE WHEN plugin <> '' OR contains(skill, ':') THEN 'plugin' WHEN skill <> '' THEN 'skill'
                     ELSE 'server' END,
                split_part(coalesce(nullif(plugin, ''), nullif(skill, ''), server), ':', 1)
            FROM used WHERE {_TOLD}
        )
        SELECT coalesce(kind, '{REST}') AS kind, coalesce(label, '{REST}') AS label,
            CASE WHEN min(rule) <> max(rule) THEN 'both' ELSE min(rule) END AS rule, {sums}
        FROM used LEFT JOIN owners USING (key)
        LEFT JOIN (SELECT key, count(*) AS parts FROM owners GROUP BY key) USING (key)
        GROUP BY 1, 2""",
        used.parameters,
    )


OF_PROMPTS = {
    "project": "project",
    "session_id": "session_id",
    "agent": "told_by",
    "machine": "told_on",
    "user": "owner",
}
"""Fields of a filter about a prompt or command beside its session -> the SQL of them."""


def _counted(connection: Reader, chosen: Filter) -> list[_Counted]:
    """The calls and commands that match, by what they go through."""
    made, typed = matching.calls_where(chosen), matching.prompts_where(chosen)
    typed.by(chosen, OF_PROMPTS)
    matching.with_text(typed, chosen)
    return connection.ask(
        _Counted,
        f"""
        SELECT kind, label, count(*) AS count, count(*) FILTER (is_error) AS errors,
            count(*) FILTER (is_error AND denial IS NOT NULL) AS denied,
            count(*) FILTER (is_error IS NOT NULL) AS finished,
            quantile_cont(ms, 0.5) AS p50_ms, quantile_cont(ms, 0.95) AS p95_ms,
            (coalesce(sum(result_bytes), 0) // {CHARS_PER_TOKEN})::BIGINT AS result_tokens
        FROM (
            SELECT {_KIND} AS kind, {_NAME} AS label, is_error, denial, result_bytes,
                CASE WHEN {executed()} THEN {milliseconds()} END AS ms
            FROM {matching.calls(chosen)} WHERE {made}
            UNION ALL
            SELECT {_COMMAND_KIND}, split_part(command, ':', 1), NULL, NULL, NULL, NULL
            FROM (
                SELECT p.*, s.title, s.project, coalesce(s.username, p.username) AS owner,
                    coalesce(p.agent, s.agent) AS told_by, coalesce(p.machine, s.machine) AS told_on
                FROM prompts p LEFT JOIN sessions s ON s.session_id = p.session_id
            ) WHERE kind = 'command' AND command <> '' AND {typed}
        ) GROUP BY kind, label""",
        made.parameters | typed.parameters,
    )
