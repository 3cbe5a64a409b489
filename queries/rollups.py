"""What the rollups are, as questions on the facts. The ingester stores the answers for the days it touched.

A reader that asks for a zone whose days are not stored yet gets them from the same questions, straight from the facts.
"""

from __future__ import annotations

from .plugins import SOURCES, source_of
from .projects import lies_in
from .token_kinds import INWARD, billed_elsewhere, columns, unpriced

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
    return f"CAST(timezone({zone}, timezone('UTC', {ts})) AS DATE)"


def subagent_type_of(row: str) -> str:
    """SQL of the agent type of `row`, a response or a tool call, beside its response `r` and SUBAGENT_TYPES as `t`.

    A sub-agent that nothing names is "subagent".
    """
    return (
        f"CASE WHEN {row}.subagent_id IS NULL AND NOT {row}.is_sidechain THEN '{MAIN_AGENT}' "
        "ELSE coalesce(t.subagent_type, r.subagent_name, 'subagent') END"
    )


VERSION = 3
"""Raised when one of the rollups becomes another one of the same facts: those of a store are then made anew."""


def tokens_daily(zone: str, rows: str = "responses") -> str:
    """SELECT of tokens by day, session, and all that responses are filtered by. `zone` is SQL; `rows` selects them."""
    return f"""
    SELECT {zone} AS zone, {day_of("r.ts", zone)} AS day, r.session_id, r.agent, r.machine,
        coalesce(s.username, any_value(r.username)) AS username, s.project, r.model,
        {subagent_type_of("r")} AS subagent_type, r.git_branch, r.version,
        r.speed, r.service_tier, count(*) FILTER (r.is_answer) AS responses,
        {columns("r.", "sum({})")}, sum(r.reasoning_tokens) AS reasoning_tokens,
        sum(r.web_searches) AS web_searches, sum(r.cost_usd) AS cost_usd,
        coalesce(sum(r.total_tokens) FILTER {unpriced("r.")}, 0) AS unpriced_tokens,
        coalesce(sum(r.total_tokens) FILTER {billed_elsewhere("r.")}, 0) AS billed_elsewhere_tokens,
        count(*) FILTER (r.output_undercounted) AS undercounted
    FROM {rows} r
    LEFT JOIN sessions s ON s.session_id = r.session_id
    LEFT JOIN ({SUBAGENT_TYPES}) t ON t.subagent_id = r.subagent_id
    GROUP BY zone, day, r.session_id, r.agent, r.machine, s.username, s.project, r.model, 9, r.git_branch, r.version,
        r.speed, r.service_tier
    """


def tools_daily(zone: str, rows: str = "tool_calls") -> str:
    """SELECT of tool calls by day, session and tool, with the errors among the finished ones."""
    return f"""
    SELECT {zone} AS zone, {day_of("c.ts", zone)} AS day, c.session_id, c.agent, c.machine,
        coalesce(s.username, any_value(c.username)) AS username, s.project, c.name AS tool, c.class,
        CASE WHEN c.class = 'mcp_call' THEN coalesce(any_value(c.mcp_server), split_part(c.name, '__', 2)) END
            AS mcp_server,
        count(*) AS invocations, count(*) FILTER (c.is_error) AS errors,
        count(*) FILTER (c.is_error AND c.denial IS NOT NULL) AS denied,
        count(*) FILTER (c.is_error IS NOT NULL) AS finished
    FROM {rows} c LEFT JOIN sessions s ON s.session_id = c.session_id
    WHERE c.name IS NOT NULL
    GROUP BY zone, day, c.session_id, c.agent, c.machine, s.username, s.project, c.name, c.class
    """


def extensions_daily(zone: str, calls: str = "tool_calls", prompts: str = "prompts") -> str:
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
    ) u LEFT JOIN sessions s ON s.session_id = u.session_id
    LEFT JOIN ({SOURCES}) k ON k.plugin = {plugin}
    GROUP BY zone, day, u.session_id, u.agent, u.machine, s.username, s.project, u.identifier, u.is_builtin, u.type,
        10, 11
    """


ONLY_SUBAGENTS = "Sub-agents only"
"""The title of a session of which only sub-agents' transcripts are left."""

_BARE_ID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

CALL_COUNTS = """count(*) AS tool_calls_total,
            count(*) FILTER (class = 'tool_use') AS tool_calls, count(*) FILTER (class = 'mcp_call') AS mcp_calls,
            count(*) FILTER (class = 'subagent') AS subagent_dispatches,
            count(*) FILTER (skill IS NOT NULL) AS skill_invocations,
            count(DISTINCT name) AS distinct_tools, count(DISTINCT skill) AS distinct_skills"""
"""What is counted of the tool calls of a session; of those that failed, and of prompts, the next two."""
ERROR_COUNTS = "count(*) AS tool_errors, count(denial) AS denied"
PROMPT_COUNTS = """count(*) FILTER (kind = 'prompt') AS user_messages,
            count(*) FILTER (kind = 'command') AS slash_commands"""


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


def sessions(only: str, *, with_strays: bool = True, with_worktrees: bool = True) -> str:
    """SELECT of one row per session among the ids that the SQL `only` selects.

    Without the tables `strays` and `worktrees`, where they are empty: to plan what comes of them takes a quarter of it.
    """
    lived = _LIVED if with_strays else "lived AS (SELECT * FROM activity WHERE session_id IN (FROM ids))"
    # Of worktrees that do not show it, some session was told whose they are.
    homes = (
        f"""homes AS (
        SELECT f.session_id, arg_max(w.project, (length(w.folder), w.project)) AS project
        FROM firsts f JOIN worktrees w ON {lies_in("f.project", "w.folder")} GROUP BY f.session_id
    ),"""
        if with_worktrees
        else "homes AS (SELECT NULL::VARCHAR AS session_id, NULL::VARCHAR AS project LIMIT 0),"
    )
    return f"""
    WITH ids AS ({only}),
    used AS (
        SELECT r.session_id, max(agent) AS agent, max(machine) AS machine, max(username) AS username,
            count(*) FILTER (is_answer) AS assistant_messages,
            bool_and(is_sidechain OR subagent_id IS NOT NULL) AS only_subagents,
            {
        columns(sql="sum({})")
    }, sum(reasoning_tokens) AS reasoning_tokens, sum(web_searches) AS web_searches, sum(cost_usd) AS cost_usd,
            coalesce(sum(total_tokens) FILTER {unpriced()}, 0) AS unpriced_tokens,
            coalesce(sum(total_tokens) FILTER {billed_elsewhere()}, 0) AS billed_elsewhere_tokens,
            count(*) FILTER (output_undercounted) AS undercounted,
            arg_max({{'tokens': {INWARD}, 'model': model, 'agent': agent}},
                    (coalesce(ts, '-infinity'::TIMESTAMP), path, pos, key))
                FILTER (NOT is_sidechain AND subagent_id IS NULL AND kind = 'turn') AS context
        FROM responses r WHERE r.session_id IN (FROM ids) GROUP BY r.session_id
    ),
    favourite AS (
        SELECT session_id, arg_max(model, (uses, tokens, model)) AS primary_model,
            map_from_entries(list((model, peak))) AS peaks
        FROM (
            SELECT session_id, model, count(*) FILTER (is_answer) AS uses, sum(total_tokens) AS tokens,
                max({INWARD}) FILTER (NOT is_sidechain AND subagent_id IS NULL AND kind = 'turn') AS peak
            FROM responses WHERE session_id IN (FROM ids) GROUP BY session_id, model
        ) GROUP BY session_id
    ),
    calls AS (
        SELECT session_id, max(agent) AS agent, max(machine) AS machine, max(username) AS username, {CALL_COUNTS}
        FROM tool_calls WHERE session_id IN (FROM ids) AND name IS NOT NULL GROUP BY session_id
    ),
    failures AS (
        SELECT result_session_id AS session_id, {ERROR_COUNTS}
        FROM tool_calls WHERE result_session_id IN (FROM ids) AND is_error GROUP BY result_session_id
    ),
    typed AS (
        SELECT session_id, max(agent) AS agent, max(machine) AS machine, max(username) AS username, {PROMPT_COUNTS},
            arg_min(CASE kind WHEN 'prompt' THEN text ELSE '/' || command END,
                    (kind <> 'prompt', coalesce(ts, 'infinity'::TIMESTAMP), path, pos))
                FILTER (CASE kind WHEN 'prompt' THEN text <> '' AND NOT regexp_full_match(text, '{_BARE_ID}')
                        ELSE command <> '' END) AS first_typed
        FROM prompts WHERE session_id IN (FROM ids) GROUP BY session_id
    ),
    {lived},
    active AS (
        SELECT session_id, min(started_at) AS started_at, max(ended_at) AS ended_at,
            sum(epoch_us(ended_at) - epoch_us(started_at)) / 1e6 AS active_seconds
        FROM lived GROUP BY session_id
    ),
    firsts AS (
        SELECT session_id, max(agent) AS agent, max(machine) AS machine, any_value(value) FILTER (kind = 'cwd') AS cwd,
            any_value(value) FILTER (kind = 'project') AS project
        FROM session_firsts WHERE session_id IN (FROM ids) GROUP BY session_id
    ),
    {homes}
    lasts AS (
        SELECT session_id, max(l.agent) AS agent, max(l.machine) AS machine,
            any_value(value) FILTER (kind = 'custom_title') AS custom_title,
            any_value(value) FILTER (kind = 'ai_title') AS ai_title,
            any_value(value) FILTER (kind = 'git_branch') AS git_branch,
            any_value(value) FILTER (kind = 'version') AS version,
            any_value(m.summary) FILTER (kind = 'leaf') AS summary
        FROM session_lasts l LEFT JOIN summaries m ON l.kind = 'leaf' AND m.leaf_uuid = l.value
        WHERE session_id IN (FROM ids) GROUP BY session_id
    )
    SELECT i.session_id, coalesce(u.agent, c.agent, p.agent, f.agent, l.agent) AS agent,
        CASE WHEN u.session_id IS NOT NULL THEN u.machine WHEN c.session_id IS NOT NULL THEN c.machine
            WHEN p.session_id IS NOT NULL THEN p.machine ELSE coalesce(f.machine, l.machine) END AS machine,
        coalesce(u.username, c.username, p.username) AS username,
        coalesce(h.project, f.project) AS project, f.cwd,
        coalesce(l.custom_title, l.ai_title, l.summary, p.first_typed,
            CASE WHEN u.only_subagents AND p.session_id IS NULL THEN '{ONLY_SUBAGENTS}' END) AS title,
        l.git_branch, l.version, a.started_at, a.ended_at, coalesce(a.active_seconds, 0) AS active_seconds,
        coalesce((epoch_us(a.ended_at) - epoch_us(a.started_at)) / 1e6, 0) AS wall_seconds,
        coalesce(p.user_messages, 0) AS user_messages, coalesce(u.assistant_messages, 0) AS assistant_messages,
        coalesce(c.tool_calls, 0) AS tool_calls, coalesce(c.mcp_calls, 0) AS mcp_calls,
        coalesce(c.subagent_dispatches, 0) AS subagent_dispatches, coalesce(c.tool_calls_total, 0) AS tool_calls_total,
        coalesce(e.tool_errors, 0) AS tool_errors, coalesce(e.denied, 0) AS denied,
        coalesce(c.skill_invocations, 0) AS skill_invocations, coalesce(p.slash_commands, 0) AS slash_commands,
        coalesce(c.distinct_tools, 0) AS distinct_tools, coalesce(c.distinct_skills, 0) AS distinct_skills,
        {columns("u.", "coalesce({}, 0)")}, u.reasoning_tokens, coalesce(u.web_searches, 0) AS web_searches,
        u.cost_usd, coalesce(u.unpriced_tokens, 0) AS unpriced_tokens,
        coalesce(u.billed_elsewhere_tokens, 0) AS billed_elsewhere_tokens, coalesce(u.undercounted, 0) AS undercounted,
        v.primary_model, u.context.tokens AS context_tokens, u.context.model AS context_model,
        u.context.agent AS context_agent, v.peaks[u.context.model] AS context_peak
    FROM ids i
    LEFT JOIN used u USING (session_id) LEFT JOIN favourite v USING (session_id)
    LEFT JOIN calls c USING (session_id) LEFT JOIN failures e USING (session_id)
    LEFT JOIN typed p USING (session_id) LEFT JOIN active a USING (session_id)
    LEFT JOIN firsts f USING (session_id) LEFT JOIN homes h USING (session_id)
    LEFT JOIN lasts l USING (session_id)
    WHERE u.session_id IS NOT NULL OR c.session_id IS NOT NULL OR e.session_id IS NOT NULL
        OR p.session_id IS NOT NULL OR a.session_id IS NOT NULL
    """
