"""What the rollups are, as questions on the facts. The ingester stores the answers for the days it touched.

A reader that asks for a zone whose days are not stored yet gets them from the same questions, straight from the facts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .facts import RESPONSES
from .money import exact_sum
from .plugins import SOURCES, source_of
from .projects import lies_in
from .quoting import quoted
from .token_kinds import COLUMNS, INWARD, billed_elsewhere, columns, unpriced

# The type of the sub-agent behind an agent id: from its note, else from the call that started it.
SUBAGENT_TYPES = """
    SELECT subagent_id, coalesce(min(noted), min(called)) AS subagent_type FROM (
        SELECT a.subagent_id, a.subagent_type AS noted, coalesce(c.subagent_type, c.name) AS called
        FROM subagents a LEFT JOIN tool_calls c ON c.id = a.tool_use_id
        UNION ALL
        SELECT spawned_subagent_id, NULL, min(coalesce(subagent_type, name)) FROM tool_calls
        WHERE spawned_subagent_id IS NOT NULL GROUP BY spawned_subagent_id
    ) GROUP BY subagent_id
"""

# The type of sub-agent that a call started, as the sub-agent's note has it.
NOTED_TYPES = """
    SELECT call_id, min(subagent_type) AS subagent_type, arg_min(is_builtin, subagent_type) AS is_builtin FROM (
        SELECT tool_use_id AS call_id, subagent_type, is_builtin FROM subagents
        UNION ALL
        SELECT c.id, a.subagent_type, a.is_builtin
        FROM tool_calls c JOIN subagents a ON a.subagent_id = c.spawned_subagent_id
    ) WHERE call_id IS NOT NULL AND subagent_type IS NOT NULL GROUP BY call_id
"""

HAS_ROWS = "EXISTS (SELECT 1 FROM session_firsts m WHERE m.session_id = {session} AND m.kind = 'cwd')"
"""SQL condition: a session has rows of its own; only those tell a folder."""

MAIN_AGENT = "main"
"""The agent type of a session's own responses."""


def day_of(ts: str, zone: str) -> str:
    """SQL for the calendar day of a UTC timestamp column in an IANA zone; `zone` is SQL, too."""
    # What `timezone('UTC', ts)` is, in a tenth of the time: that looks up when UTC had which offset.
    return f"CAST(timezone({zone}, make_timestamptz(epoch_us({ts}))) AS DATE)"


def subagent_type_of(row: str, noted: str = "t.subagent_type") -> str:
    """SQL of the agent type of `row`, a response or a tool call, beside its response `r` and SUBAGENT_TYPES as `t`.

    A sub-agent that nothing names is "subagent". `noted`: NULL where there is no such table.
    """
    return (
        f"CASE WHEN {row}.subagent_id IS NULL AND NOT {row}.is_sidechain THEN '{MAIN_AGENT}' "
        f"ELSE coalesce({noted}, r.subagent_name, 'subagent') END"
    )


VERSION = 4
"""Raised when one of the rollups becomes another one of the same facts: those of a store are then made anew."""


KEPT_ZONES = " CROSS JOIN zones z"
"""For `zones` of the next three, with `z.zone` for the zone: the days in all zones that are kept, in one question."""


def tokens_daily(zone: str, rows: str = "responses", *, zones: str = "", with_subagents: bool = True) -> str:
    """SELECT of tokens by day, session, and all that responses are filtered by. `zone` is SQL; `rows` selects them.

    Without the types of sub-agents where no response is one's.
    """
    types = f"LEFT JOIN ({SUBAGENT_TYPES}) t ON t.subagent_id = r.subagent_id" if with_subagents else ""
    noted = "t.subagent_type" if with_subagents else "NULL"
    return f"""
    SELECT {zone} AS zone, {day_of("r.ts", zone)} AS day, r.session_id, r.agent, r.machine,
        coalesce(s.username, any_value(r.username)) AS username, s.project, r.model,
        {subagent_type_of("r", noted)} AS subagent_type, r.git_branch, r.version,
        r.speed, r.service_tier, count(*) FILTER (r.is_answer) AS responses,
        {columns("r.", "sum({})")}, sum(r.reasoning_tokens) AS reasoning_tokens,
        sum(r.web_searches) AS web_searches, {exact_sum("r.cost_usd")} AS cost_usd,
        coalesce(sum(r.total_tokens) FILTER {unpriced("r.")}, 0) AS unpriced_tokens,
        coalesce(sum(r.total_tokens) FILTER {billed_elsewhere("r.")}, 0) AS billed_elsewhere_tokens,
        count(*) FILTER (r.output_undercounted) AS undercounted
    FROM {rows} r{zones}
    LEFT JOIN sessions s ON s.session_id = r.session_id
    {types}
    GROUP BY zone, day, r.session_id, r.agent, r.machine, s.username, s.project, r.model, 9, r.git_branch, r.version,
        r.speed, r.service_tier
    """


def tools_daily(zone: str, rows: str = "tool_calls", *, zones: str = "") -> str:
    """SELECT of tool calls by day, session and tool, with the errors among the finished ones."""
    return f"""
    SELECT {zone} AS zone, {day_of("c.ts", zone)} AS day, c.session_id, c.agent, c.machine,
        coalesce(s.username, any_value(c.username)) AS username, s.project, c.name AS tool, c.class,
        CASE WHEN c.class = 'mcp_call' THEN coalesce(any_value(c.mcp_server), split_part(c.name, '__', 2)) END
            AS mcp_server,
        count(*) AS invocations, count(*) FILTER (c.is_error) AS errors,
        count(*) FILTER (c.is_error AND c.denial IS NOT NULL) AS denied,
        count(*) FILTER (c.is_error IS NOT NULL) AS finished
    FROM {rows} c{zones} LEFT JOIN sessions s ON s.session_id = c.session_id
    WHERE c.name IS NOT NULL
    GROUP BY zone, day, c.session_id, c.agent, c.machine, s.username, s.project, c.name, c.class
    """


def extensions_daily(zone: str, calls: str = "tool_calls", prompts: str = "prompts", *, zones: str = "") -> str:
    """SELECT of skills, sub-agents and slash commands by day, with the plugin they belong to.

    `plugin:name` belongs to that plugin, wherever that is from; bare names come with the agent, or are the user's own.
    """
    plugin = "split_part(u.identifier, ':', 1)"
    elsewhere = "(u.machine IS NOT NULL OR coalesce(s.username, any_value(u.username)) IS NOT NULL)"
    return f"""
    SELECT {zone} AS zone, {day_of("u.ts", zone)} AS day, u.session_id, u.agent, u.machine,
        coalesce(s.username, any_value(u.username)) AS username, s.project,
        CASE WHEN contains(u.identifier, ':') THEN {source_of(plugin, "any_value(k.plugin_source)", elsewhere)}
             WHEN u.is_builtin THEN 'builtin' ELSE 'own' END AS source,
        u.type, CASE WHEN contains(u.identifier, ':') THEN split_part(u.identifier, ':', 1) END AS plugin,
        CASE WHEN contains(u.identifier, ':')
             THEN substr(u.identifier, strpos(u.identifier, ':') + 1) ELSE u.identifier END AS name,
        count(*) AS invocations, count(*) FILTER (u.is_error) AS errors
    FROM (
        SELECT ts, session_id, agent, machine, username, 'skill' AS type, skill AS identifier, is_error, is_builtin
        FROM {calls} WHERE skill IS NOT NULL
        UNION ALL
        SELECT c.ts, c.session_id, c.agent, c.machine, c.username, 'agent',
            coalesce(c.subagent_type, n.subagent_type, c.name), c.is_error,
            CASE WHEN c.subagent_type IS NULL AND n.subagent_type IS NOT NULL THEN n.is_builtin ELSE c.is_builtin END
        FROM {calls} c LEFT JOIN ({NOTED_TYPES}) n ON n.call_id = c.id WHERE c.class = 'subagent'
        UNION ALL
        SELECT ts, session_id, agent, machine, username, 'command', command, false, is_builtin FROM {prompts}
        WHERE kind = 'command' AND command <> ''
    ) u{zones} LEFT JOIN sessions s ON s.session_id = u.session_id
    LEFT JOIN ({SOURCES}) k ON k.plugin = {plugin}
    GROUP BY zone, day, u.session_id, u.agent, u.machine, s.username, s.project, u.identifier, u.is_builtin, u.type,
        10, 11
    """


READ_BY_SESSION = {
    "responses": ("session_id",),
    "tool_calls": ("session_id", "result_session_id"),
    "prompts": ("session_id",),
    "session_firsts": ("session_id",),
    "session_lasts": ("session_id",),
    "activity": ("session_id",),
    "worktrees": ("session_id",),
    "strays": ("session_id", "home"),
}
"""Tables whose rows a rollup is about -> columns with the sessions that a row belongs to."""

COUNTED_BY_DAY = {
    "tokens_daily": {"responses": "true"},
    # A result whose call is not there is not counted.
    "tools_daily": {"tool_calls": "name IS NOT NULL"},
    "extensions_daily": {"tool_calls": "skill IS NOT NULL OR class = 'subagent'", "prompts": "kind = 'command'"},
}
"""Day rollup -> tables it counts the rows of -> which rows, in SQL."""

READ_BESIDE = {
    "responses": ("ts",),
    "tool_calls": ("ts", "id", "name", "class", "skill", "spawned_subagent_id"),
    "prompts": ("ts", "kind"),
    "summaries": ("leaf_uuid",),
    "worktrees": ("folder",),
    "subagents": ("subagent_id",),
}
"""What else must be known of rows to find out what they touch."""


def day_rollup(rollup: str, zone: str, which: str, *, zones: str = "", with_subagents: bool = True) -> str:
    """SELECT of a rollup of COUNTED_BY_DAY, of those facts for which the SQL condition `which` holds.

    The others as in the functions above.
    """
    rows = {table: f"(FROM {table} WHERE {which})" for table in ("responses", "tool_calls", "prompts")}
    if rollup == "tokens_daily":
        return tokens_daily(zone, rows["responses"], zones=zones, with_subagents=with_subagents)
    if rollup == "tools_daily":
        return tools_daily(zone, rows["tool_calls"], zones=zones)
    return extensions_daily(zone, rows["tool_calls"], rows["prompts"], zones=zones)


ONLY_SUBAGENTS = "Sub-agents only"
"""The title of a session of which only sub-agents' transcripts are left."""

_BARE_ID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def _listed(columns_: Mapping[str, str]) -> str:
    return ", ".join(f"{sql} AS {name}" for name, sql in columns_.items())


_CALLS = {
    "tool_calls_total": "count(*)",
    "tool_calls": "count(*) FILTER (class = 'tool_use')",
    "mcp_calls": "count(*) FILTER (class = 'mcp_call')",
    "subagent_dispatches": "count(*) FILTER (class = 'subagent')",
    "skill_invocations": "count(*) FILTER (skill IS NOT NULL)",
    "distinct_tools": "count(DISTINCT name)",
    "distinct_skills": "count(DISTINCT skill)",
}
_ERRORS = {"tool_errors": "count(*)", "denied": "count(denial)"}
_PROMPTS = {
    "user_messages": "count(*) FILTER (kind = 'prompt')",
    "slash_commands": "count(*) FILTER (kind = 'command')",
}
CALL_COUNTS = _listed(_CALLS)
"""What is counted of the tool calls of a session; of those that failed, and of prompts, the next two."""
ERROR_COUNTS = _listed(_ERRORS)
PROMPT_COUNTS = _listed(_PROMPTS)


ACTIVITY_GAP = "INTERVAL 600 SECONDS"


def spans_of(rows: str) -> str:
    """SELECT of spans of activity joined where no longer gap is between them; `rows` are spans, no two alike.

    Both windows must see the rows in the same order, so no two rows may be equal.
    """
    return f"""
        SELECT session_id, min(started_at) AS started_at, max(ended_at) AS ended_at FROM (
            SELECT *, sum(starts) OVER
                (PARTITION BY session_id ORDER BY started_at, ended_at ROWS UNBOUNDED PRECEDING) AS span
            FROM (
                SELECT *, CASE WHEN started_at <= max(ended_at) OVER before + {ACTIVITY_GAP} THEN 0 ELSE 1 END AS starts
                FROM ({rows})
                WINDOW before AS (PARTITION BY session_id ORDER BY started_at, ended_at
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            )
        ) GROUP BY session_id, span"""


_LIVED = f"""
    -- What sub-agents did under the name of a session without rows, the session did that they were started in.
    lodged AS (SELECT session_id, home FROM strays s WHERE NOT {HAS_ROWS.format(session="s.session_id")}),
    lived AS (
        SELECT * FROM activity
        WHERE session_id IN (FROM ids) AND session_id NOT IN (SELECT unnest([session_id, home]) FROM lodged)
        UNION ALL {
    spans_of('''
            SELECT * FROM activity WHERE session_id NOT IN (SELECT session_id FROM lodged)
                AND session_id IN (SELECT home FROM lodged) AND session_id IN (FROM ids)
            UNION SELECT l.home, a.started_at, a.ended_at FROM activity a JOIN lodged l USING (session_id)
            WHERE l.home IN (FROM ids)
        ''')
}
    )"""
"""Common tables `lodged` and `lived`: the spans of activity of the sessions `ids`."""


class SessionPart(StrEnum):
    """What a row of `sessions` is made of; the name is that of the common table with it."""

    USED = "used"
    """Of responses."""
    FAVOURITE = "favourite"
    """Of responses by model."""
    CALLS = "calls"
    """Of tool calls, by the session that makes them."""
    FAILURES = "failures"
    """Of tool calls, by the session that is told that they failed."""
    TYPED = "typed"
    """Of prompts."""
    ACTIVE = "active"
    """Of spans of activity."""
    FIRSTS = "firsts"
    """Of labels of which the first counts."""
    HOMES = "homes"
    """Of worktrees."""
    LASTS = "lasts"
    """Of labels of which the last counts, and of summaries."""
    ALONE = "alone"
    """Of responses: whether all of them are sub-agents'."""


_LIVED_ROWS = "lived"


@dataclass(frozen=True, slots=True)
class _Part:
    """What is counted of some rows for each session: column -> SQL. `rows` are those of the sessions `ids`."""

    columns: dict[str, str]
    rows: str
    session: str = "session_id"

    def of_each(self, wanted: Collection[str] | None = None) -> str:
        """SELECT of one row for each session that has any, with all columns, or those `wanted`."""
        columns_ = {name: sql for name, sql in self.columns.items() if wanted is None or name in wanted}
        return f"SELECT {_listed({'session_id': self.session, **columns_})} FROM {self.rows} GROUP BY {self.session}"

    def of_one(self, session: str, wanted: Collection[str]) -> str:
        """SELECT of one row, for a session that no row of `strays` is about, whether or not it has rows."""
        columns_ = {"session_id": f"any_value({self.session})", **self.columns}
        rows = self.rows.replace(_LIVED_ROWS, "activity WHERE session_id IN (FROM ids)")
        here = rows.replace("IN (FROM ids)", f"= {quoted(session)}")
        return f"SELECT {_listed({name: sql for name, sql in columns_.items() if name in wanted})} FROM {here}"


_OWNER = {"agent": "max(agent)", "machine": "max(machine)", "username": "max(username)"}

_ALONE = "bool_and(is_sidechain OR subagent_id IS NOT NULL)"


def _label(kind: str) -> str:
    return f"any_value(value) FILTER (kind = '{kind}')"


_PARTS: dict[SessionPart, _Part] = {
    SessionPart.USED: _Part(
        {
            **_OWNER,
            "assistant_messages": "count(*) FILTER (is_answer)",
            "only_subagents": _ALONE,
            **{name: f"sum({name})" for name in (*COLUMNS, "reasoning_tokens", "web_searches")},
            "cost_usd": exact_sum("cost_usd"),
            "unpriced_tokens": f"coalesce(sum(total_tokens) FILTER {unpriced()}, 0)",
            "billed_elsewhere_tokens": f"coalesce(sum(total_tokens) FILTER {billed_elsewhere()}, 0)",
            "undercounted": "count(*) FILTER (output_undercounted)",
            "context": f"""arg_max({{'tokens': {INWARD}, 'model': model, 'agent': agent}},
                    (coalesce(ts, '-infinity'::TIMESTAMP), path, pos, key))
                FILTER (NOT is_sidechain AND subagent_id IS NULL AND kind = 'turn')""",
        },
        "responses r WHERE r.session_id IN (FROM ids)",
    ),
    SessionPart.FAVOURITE: _Part(
        {
            "primary_model": "arg_max(model, (uses, tokens, model))",
            "peaks": "map_from_entries(list((model, peak)))",
        },
        f"""(
            SELECT session_id, model, count(*) FILTER (is_answer) AS uses, sum(total_tokens) AS tokens,
                max({INWARD}) FILTER (NOT is_sidechain AND subagent_id IS NULL AND kind = 'turn') AS peak
            FROM responses WHERE session_id IN (FROM ids) GROUP BY session_id, model
        )""",
    ),
    SessionPart.CALLS: _Part(_OWNER | _CALLS, "tool_calls WHERE session_id IN (FROM ids) AND name IS NOT NULL"),
    SessionPart.FAILURES: _Part(
        _ERRORS, "tool_calls WHERE result_session_id IN (FROM ids) AND is_error", "result_session_id"
    ),
    SessionPart.TYPED: _Part(
        _OWNER
        | _PROMPTS
        | {
            "first_typed": f"""arg_min(CASE kind WHEN 'prompt' THEN text ELSE '/' || command END,
                    (kind <> 'prompt', coalesce(ts, 'infinity'::TIMESTAMP), path, pos))
                FILTER (CASE kind WHEN 'prompt' THEN text <> '' AND NOT regexp_full_match(text, '{_BARE_ID}')
                        ELSE command <> '' END)"""
        },
        "prompts WHERE session_id IN (FROM ids)",
    ),
    SessionPart.ACTIVE: _Part(
        {
            "started_at": "min(started_at)",
            "ended_at": "max(ended_at)",
            "active_seconds": "sum(epoch_us(ended_at) - epoch_us(started_at)) / 1e6",
        },
        _LIVED_ROWS,
    ),
    SessionPart.FIRSTS: _Part(
        _OWNER | {"cwd": _label("cwd"), "project": _label("project")}, "session_firsts WHERE session_id IN (FROM ids)"
    ),
    # Of worktrees that do not show it, some session was told whose they are.
    SessionPart.HOMES: _Part(
        {"project": "arg_max(w.project, (length(w.folder), w.project))"},
        f"firsts f JOIN worktrees w ON {lies_in('f.project', 'w.folder')}",
        "f.session_id",
    ),
    SessionPart.LASTS: _Part(
        {
            "agent": "max(l.agent)",
            "machine": "max(l.machine)",
            "username": "max(l.username)",
            **{kind: _label(kind) for kind in ("custom_title", "ai_title", "git_branch", "version")},
            "summary": "any_value(m.summary) FILTER (kind = 'leaf')",
        },
        "session_lasts l LEFT JOIN summaries m ON l.kind = 'leaf' AND m.leaf_uuid = l.value "
        "WHERE session_id IN (FROM ids)",
    ),
    SessionPart.ALONE: _Part({"only_subagents": _ALONE}, "responses WHERE session_id IN (FROM ids)"),
}

_LIVED_HERE = "lived AS (SELECT * FROM activity WHERE session_id IN (FROM ids))"


def _title(alone: str) -> str:
    """SQL of a session's title; `alone` has the column `only_subagents`."""
    return f"""coalesce(lasts.custom_title, lasts.ai_title, lasts.summary, typed.first_typed,
            CASE WHEN {alone}.only_subagents AND typed.session_id IS NULL THEN '{ONLY_SUBAGENTS}' END)"""


def _columns_of_sessions() -> dict[str, tuple[tuple[SessionPart, ...], str]]:
    """Column of `sessions` -> the parts it is made of, and its SQL over them."""
    part = SessionPart
    every = (part.USED, part.CALLS, part.TYPED, part.FIRSTS, part.LASTS)
    found: dict[str, tuple[tuple[SessionPart, ...], str]] = {
        name: (told, f"coalesce({', '.join(f'{one}.{name}' for one in told)})")
        for name, told in (("agent", every), ("username", every[:3]))
    }
    whens = " ".join(f"WHEN {one}.session_id IS NOT NULL THEN {one}.machine" for one in every[:3])
    found["machine"] = every, f"CASE {whens} ELSE coalesce(firsts.machine, lasts.machine) END"
    found["project"] = (part.HOMES, part.FIRSTS), "coalesce(homes.project, firsts.project)"
    found["cwd"] = (part.FIRSTS,), "firsts.cwd"
    found["title"] = (part.LASTS, part.TYPED, part.USED), _title("used")
    for name in ("git_branch", "version"):
        found[name] = (part.LASTS,), f"lasts.{name}"
    for name in ("started_at", "ended_at"):
        found[name] = (part.ACTIVE,), f"active.{name}"
    found["active_seconds"] = (part.ACTIVE,), "coalesce(active.active_seconds, 0)"
    wall = "coalesce((epoch_us(active.ended_at) - epoch_us(active.started_at)) / 1e6, 0)"
    found["wall_seconds"] = (part.ACTIVE,), wall
    calls = (
        *("tool_calls", "mcp_calls", "subagent_dispatches", "tool_calls_total", "skill_invocations"),
        *("distinct_tools", "distinct_skills"),
    )
    used = ("assistant_messages", *COLUMNS, *("web_searches", "unpriced_tokens", "billed_elsewhere_tokens"))
    for one, names in (
        (part.TYPED, ("user_messages", "slash_commands")),
        (part.CALLS, calls),
        (part.FAILURES, ("tool_errors", "denied")),
        (part.USED, (*used, "undercounted")),
    ):
        for name in names:
            found[name] = (one,), f"coalesce({one}.{name}, 0)"
    for name in ("reasoning_tokens", "cost_usd"):
        found[name] = (part.USED,), f"used.{name}"
    found["primary_model"] = (part.FAVOURITE,), "favourite.primary_model"
    for name in ("tokens", "model", "agent"):
        found[f"context_{name}"] = (part.USED,), f"used.context.{name}"
    found["context_peak"] = (part.FAVOURITE, part.USED), "favourite.peaks[used.context.model]"
    return found


_OF_SESSIONS = _columns_of_sessions()

_WHOSE = ("agent", "machine", "username", "project", "cwd")
"""Columns of `sessions` that several parts tell. A row that says the same of them as the session's leaves them."""


def sessions(
    only: str, *, with_strays: bool = True, with_worktrees: bool = True, columns: Collection[str] | None = None
) -> str:
    """SELECT of one row per session among the ids that the SQL `only` selects, with all columns, or some.

    Without the tables `strays` and `worktrees`, where they are empty: to plan what comes of them takes a quarter of it.
    """
    shown = ", ".join(
        f"{sql} AS {name}" for name, (_, sql) in _OF_SESSIONS.items() if columns is None or name in columns
    )
    wanted = {part: None if columns is None else set(re.findall(part + r"\.(\w+)", shown)) for part in _PARTS}
    parts = {part: told.of_each(wanted[part]) for part, told in _PARTS.items() if part is not SessionPart.ALONE}
    if not with_worktrees:
        # Even of no rows it is joined with all others.
        del parts[SessionPart.HOMES]
        shown = re.sub(rf"\b{SessionPart.HOMES}\.\w+", "NULL", shown)
    tables = [f"ids AS ({only})"]
    for part, sql in parts.items():
        if part is SessionPart.ACTIVE:
            tables.append(_LIVED if with_strays else _LIVED_HERE)
        tables.append(f"{part} AS ({sql})")
    joins = " ".join(f"LEFT JOIN {part} USING (session_id)" for part in parts)
    told = " OR ".join(f"{part}.session_id IS NOT NULL" for part in ("used", "calls", "failures", "typed", "active"))
    return f"WITH {', '.join(tables)} SELECT ids.session_id, {shown} FROM ids {joins} WHERE {told}"


def parts_of_session(session: str, parts: Collection[SessionPart], *, titled: bool) -> tuple[list[str], str]:
    """Columns of `sessions` that come of these parts alone, and a SELECT of them, as the session's row has them.

    For a session that no row of `strays` is about. Without those that several parts tell (agent, machine, username,
    project, cwd); with the title if it is `titled`.
    """
    names = [
        name
        for name, (told, _) in _OF_SESSIONS.items()
        if name not in _WHOSE and name != "title" and not set(told).isdisjoint(parts)
    ]
    needed = {part for name in names for part in _OF_SESSIONS[name][0]}
    shown = [f"{_OF_SESSIONS[name][1]} AS {name}" for name in names]
    if titled:
        needed |= {SessionPart.LASTS, SessionPart.TYPED, SessionPart.ALONE}
        names.append("title")
        shown.append(f"{_title('alone')} AS title")
    # Each is one row: rows joined by their place need no plan. To plan what is not asked for takes time, too.
    select = f"SELECT {', '.join(shown)} FROM"
    wanted = {part: set(re.findall(part + r"\.(\w+)", select)) for part in _PARTS if part in needed}
    tables = " POSITIONAL JOIN ".join(f"({_PARTS[part].of_one(session, wanted[part])}) {part}" for part in wanted)
    return names, f"{select} {tables}"


def _words(sql: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", sql))


READ_OF_RESPONSES = frozenset(RESPONSES.columns) & _words(
    " ".join(
        (
            tokens_daily("zone"),
            *(_PARTS[part].of_each() for part in (SessionPart.USED, SessionPart.FAVOURITE, SessionPart.ALONE)),
        )
    )
)
"""The columns of responses that any rollup reads: one that changes in others only leaves all rollups as they are."""
