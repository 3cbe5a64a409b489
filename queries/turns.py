"""The turns of all sessions in SQL: which prompt a response belongs to. `placement` says the same of one session.

A turn begins with a prompt, or with a slash command that gives the model work, and goes on until the next one. What a
sub-agent did belongs to the turn of the outermost call above it.
"""

from __future__ import annotations

from .rollups import SUBAGENT_TYPES, subagent_type_of
from .threads import THREAD

# Of two at the same instant the later one takes what follows.
_STARTS = """
    SELECT session_id, ts AS start_at, arg_max(id, (path, pos)) AS turn FROM prompts
    WHERE ts IS NOT NULL AND session_id IS NOT NULL AND begins_turn IS DISTINCT FROM false
    GROUP BY session_id, ts
"""

# The sub-agents of each session, when each was called, and the thread of that call: the one that its note names, else
# the first whose result names it.
_CALLED = f"""
    SELECT k.session_id, k.subagent_id, coalesce(c.call.ts, k.first_at) AS called_at, c.call.thread AS parent
    FROM (
        SELECT session_id, subagent_id, min(ts) AS first_at FROM (
            SELECT session_id, {THREAD} AS subagent_id, ts FROM responses
            UNION ALL SELECT session_id, {THREAD}, ts FROM tool_calls WHERE name IS NOT NULL
            UNION ALL SELECT session_id, spawned_subagent_id, NULL FROM tool_calls WHERE name IS NOT NULL
        ) WHERE session_id IS NOT NULL AND subagent_id IS NOT NULL GROUP BY session_id, subagent_id
    ) k LEFT JOIN (
        SELECT session_id, subagent_id, arg_min({{'ts': ts, 'thread': thread}},
            (rank, coalesce(ts, 'infinity'::TIMESTAMP), pos)) AS call
        FROM (
            SELECT c.session_id, a.subagent_id, 0 AS rank, c.ts, c.pos,
                {THREAD.replace("subagent_id", "c.subagent_id")} AS thread
            FROM subagents a JOIN tool_calls c ON c.id = a.tool_use_id WHERE c.name IS NOT NULL
            UNION ALL
            SELECT session_id, spawned_subagent_id, 1, ts, pos, {THREAD} FROM tool_calls
            WHERE name IS NOT NULL AND spawned_subagent_id IS NOT NULL
        ) GROUP BY session_id, subagent_id
    ) c USING (session_id, subagent_id)
"""


def matched_turns(fields: str, *, by_subagent_type: bool) -> str:
    """SELECT of the ids of the prompts and commands in whose turn is a response with the SQL condition `fields`.

    The condition names columns of `responses`, and `subagent_type` if `by_subagent_type`.
    """
    kind = join = ""
    if by_subagent_type:
        kind = f", {subagent_type_of('r')} AS subagent_type"
        join = f"LEFT JOIN ({SUBAGENT_TYPES}) t ON t.subagent_id = r.subagent_id"
    return f"""
    WITH RECURSIVE
    matched AS MATERIALIZED (
        SELECT DISTINCT session_id, {THREAD} AS thread, ts
        FROM (SELECT r.*{kind} FROM responses r {join}) WHERE session_id IS NOT NULL AND {fields}
    ),
    called AS MATERIALIZED ({_CALLED}),
    above AS (
        SELECT DISTINCT session_id, thread, thread AS top, [thread] AS seen FROM matched WHERE thread IS NOT NULL
        UNION ALL
        SELECT a.session_id, a.thread, c.parent, list_append(a.seen, c.parent)
        FROM above a JOIN called c ON c.session_id = a.session_id AND c.subagent_id = a.top
        JOIN called p ON p.session_id = a.session_id AND p.subagent_id = c.parent
        WHERE NOT list_contains(a.seen, c.parent)
    ),
    roots AS (
        SELECT a.session_id, a.thread, arg_max({{'at': c.called_at}}, len(a.seen)).at AS root_at
        FROM above a JOIN called c ON c.session_id = a.session_id AND c.subagent_id = a.top
        GROUP BY a.session_id, a.thread
    )
    SELECT s.turn FROM (
        SELECT m.session_id, coalesce(r.root_at, m.ts, '-infinity'::TIMESTAMP) AS placed_at
        FROM matched m LEFT JOIN roots r ON r.session_id = m.session_id AND r.thread = m.thread
    ) x ASOF JOIN ({_STARTS}) s ON s.session_id = x.session_id AND s.start_at <= x.placed_at
    """
