"""The turns of sessions: which prompt a response, a call or an event belongs to, and which run of which sub-agent.

A turn begins with a prompt, or with a slash command that gives the model work, and goes on until the next one. What a
sub-agent did belongs to the turn of the outermost call above it, however long it went on in the background. A sub-agent
that is called again, by its id, begins another run: what it does from then on belongs to that call.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .rollups import SUBAGENT_TYPES, subagent_type_of
from .subagents import run_key
from .threads import IDS, THREAD

if TYPE_CHECKING:
    from .store import Reader

_ALL = "session_id IS NOT NULL"
_THESE = f"session_id IN {IDS}"


def _starts(scope: str) -> str:
    # Of two at the same instant the later one takes what follows.
    return f"""
    SELECT session_id, ts AS start_at, arg_max(id, (path, pos)) AS turn FROM prompts
    WHERE ts IS NOT NULL AND {scope} AND begins_turn IS DISTINCT FROM false
    GROUP BY session_id, ts
    """


def _runs(scope: str) -> str:
    """CTEs up to `runs`: what each sub-agent did from `from_at` on, called by `call_id` from the thread `parent`.

    `root_at` is when the outermost call above was made. One that no call is known of has a single run.
    """
    return f"""
    called_by AS MATERIALIZED (
        SELECT c.session_id, a.subagent_id, c.id AS call_id, c.ts, c.pos,
            {THREAD.replace("subagent_id", "c.subagent_id")} AS parent
        FROM subagents a JOIN tool_calls c ON c.id = a.tool_use_id
        WHERE c.name IS NOT NULL AND {scope.replace("session_id", "c.session_id")}
        UNION
        SELECT session_id, spawned_subagent_id, id, ts, pos, {THREAD} FROM tool_calls
        WHERE name IS NOT NULL AND spawned_subagent_id IS NOT NULL AND {scope}
    ),
    known AS (
        SELECT session_id, subagent_id, min(ts) AS first_at FROM (
            SELECT session_id, {THREAD} AS subagent_id, ts FROM responses WHERE {scope}
            UNION ALL SELECT session_id, {THREAD}, ts FROM tool_calls WHERE name IS NOT NULL AND {scope}
            UNION ALL SELECT session_id, subagent_id, NULL FROM called_by
        ) WHERE subagent_id IS NOT NULL GROUP BY session_id, subagent_id
    ),
    begun AS MATERIALIZED (
        SELECT k.session_id, k.subagent_id, c.call_id, coalesce(c.ts, k.first_at) AS called_at, c.parent,
            row_number() OVER
                (PARTITION BY k.session_id, k.subagent_id ORDER BY c.ts NULLS LAST, c.pos, c.call_id) AS run
        FROM known k LEFT JOIN called_by c USING (session_id, subagent_id)
    ),
    spanned AS MATERIALIZED (
        SELECT *, CASE WHEN run = 1 THEN '-infinity'::TIMESTAMP ELSE coalesce(called_at, 'infinity'::TIMESTAMP) END
            AS from_at
        FROM begun
    ),
    above AS MATERIALIZED (
        SELECT r.session_id, r.subagent_id, r.run, p.subagent_id AS above_id, p.run AS above_run,
            p.called_at AS above_at
        FROM spanned r ASOF JOIN spanned p ON p.session_id = r.session_id AND p.subagent_id = r.parent
            AND coalesce(r.called_at, '-infinity'::TIMESTAMP) >= p.from_at
        WHERE r.parent IS NOT NULL
    ),
    climbed AS (
        SELECT session_id, subagent_id, run, above_id, above_run, above_at, [subagent_id, above_id] AS seen FROM above
        WHERE above_id <> subagent_id
        UNION ALL
        SELECT c.session_id, c.subagent_id, c.run, a.above_id, a.above_run, a.above_at, list_append(c.seen, a.above_id)
        FROM climbed c JOIN above a
            ON a.session_id = c.session_id AND a.subagent_id = c.above_id AND a.run = c.above_run
        WHERE NOT list_contains(c.seen, a.above_id)
    ),
    runs AS (
        SELECT s.session_id, s.subagent_id, s.run, s.call_id, s.called_at, s.parent, s.from_at,
            CASE WHEN t.subagent_id IS NULL THEN s.called_at ELSE t.root.at END AS root_at
        FROM spanned s LEFT JOIN (
            SELECT session_id, subagent_id, run, arg_max({{'at': above_at}}, len(seen)) AS root
            FROM climbed GROUP BY session_id, subagent_id, run
        ) t USING (session_id, subagent_id, run)
    )"""


def _placed(rows: str, runs: str, starts: str) -> str:
    return f"""
    SELECT x.*, s.turn FROM (
        SELECT r.*, o.run, o.call_id AS run_call,
            coalesce(CASE WHEN r.thread IS NULL THEN r.ts ELSE coalesce(o.root_at, r.ts) END, '-infinity'::TIMESTAMP)
                AS placed_at
        FROM (SELECT *, coalesce(ts, '-infinity'::TIMESTAMP) AS happened_at FROM ({rows})) r
        ASOF LEFT JOIN {runs} o
            ON o.session_id = r.session_id AND o.subagent_id = r.thread AND r.happened_at >= o.from_at
    ) x ASOF LEFT JOIN {starts} s ON s.session_id = x.session_id AND x.placed_at >= s.start_at
    """


def find_turns(connection: Reader, ids: Collection[str]) -> None:
    """Look up the turns and runs of some sessions, for `placed` on the same connection."""
    asked = {"ids": list(ids)}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE turn_starts AS {_starts(_THESE)}", asked)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE turn_runs AS WITH RECURSIVE {_runs(_THESE)} SELECT * FROM runs", asked
    )


@dataclass(frozen=True, slots=True)
class _RunTurn:
    session_id: str
    subagent_id: str
    run: int
    turn: str


def turns_of_runs(connection: Reader) -> dict[tuple[str, str], str]:
    """The turn that each run of a sub-agent belongs to, by session and key of the run; "": before the first prompt.

    Of the sessions that `find_turns` was given on this connection.
    """
    found = connection.ask(
        _RunTurn,
        """SELECT r.session_id, r.subagent_id, r.run, coalesce(s.turn, '') AS turn FROM turn_runs r
        ASOF LEFT JOIN turn_starts s ON s.session_id = r.session_id
            AND coalesce(r.root_at, '-infinity'::TIMESTAMP) >= s.start_at""",
    )
    return {(row.session_id, run_key(row.subagent_id, row.run)): row.turn for row in found}


def placed(rows: str) -> str:
    """SELECT of rows, each with its `turn` (NULL: before the first prompt), and `run` and `run_call` of its sub-agent.

    `rows` is SQL with the columns `session_id`, `thread` and `ts`, of sessions that `find_turns` was given.
    """
    return _placed(rows, "turn_runs", "turn_starts")


def placed_in_all(rows: str) -> str:
    """The same of any sessions, in one question."""
    return f"""
    WITH RECURSIVE {_runs(_ALL)}, starts AS MATERIALIZED ({_starts(_ALL)})
    {_placed(rows, "runs", "starts")}
    """


def matched_turns(fields: str, *, by_subagent_type: bool) -> str:
    """SELECT of the ids of the prompts and commands in whose turn is a response with the SQL condition `fields`.

    The condition names columns of `responses`, and `subagent_type` if `by_subagent_type`.
    """
    kind = join = ""
    if by_subagent_type:
        kind = f", {subagent_type_of('r')} AS subagent_type"
        join = f"LEFT JOIN ({SUBAGENT_TYPES}) t ON t.subagent_id = r.subagent_id"
    matched = f"""
        SELECT DISTINCT session_id, {THREAD} AS thread, ts
        FROM (SELECT r.*{kind} FROM responses r {join}) WHERE session_id IS NOT NULL AND {fields}
    """
    return f"SELECT turn FROM ({placed_in_all(matched)}) WHERE turn IS NOT NULL"
