"""The sub-agents of sessions, run by run: which call started each, what it took, and how it ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .money import exact_sum
from .threads import IDS, THREAD, Thread, Threads
from .token_kinds import unpriced

if TYPE_CHECKING:
    from .store import Reader

OWN_WORK = {
    "acompact": "compacts the conversation",
    "aside_question": "answers a side question",
    "aprompt_suggestion": "suggests a prompt",
}
"""Sub-agents that the program starts for itself, by how their ids begin -> what they do."""


@dataclass(frozen=True, slots=True)
class SubagentRun:
    """A sub-agent, or, if it was called several times by its id, one of its runs.

    Times are UTC without a zone, `seconds` is None if it left no time, cost is USD or None. `status` is running,
    completed, failed, denied or interrupted. `tokens` is None where it left no response.
    """

    session_id: str
    subagent_id: str
    run: int
    """1 for the first."""
    call_id: str | None
    """The tool call that started it, as far as that is known."""
    parent: str | None
    """The thread of that call; None is the session's own conversation."""
    subagent_type: str
    description: str | None
    called_at: dt.datetime | None
    """When that call was made; else its first row."""
    started_at: dt.datetime | None
    status: str
    seconds: float | None
    responses: int
    calls: int
    errors: int
    tokens: int | None
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int

    @property
    def key(self) -> str:
        """What tells it from all others of its session."""
        return run_key(self.subagent_id, self.run)


def run_key(subagent_id: str, run: int) -> str:
    """What tells a run of a sub-agent from all others of its session."""
    return f"{subagent_id}#{run}" if run > 1 else subagent_id


@dataclass(frozen=True, slots=True)
class _Work:
    session_id: str
    thread: str
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    calls: int
    errors: int


@dataclass(frozen=True, slots=True)
class _Took:
    session_id: str
    thread: str
    run: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    calls: int
    errors: int
    responses: int
    told: int
    """Rows of responses, bills included; without any its tokens are not known."""
    tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int


@dataclass(frozen=True, slots=True)
class _Start:
    session_id: str
    id: str
    thread: str | None
    name: str
    subagent_type: str | None
    detail: str | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    is_error: bool | None
    denial: str | None
    spawned_subagent_id: str | None
    spawned_status: str | None
    spawned_ms: int | None
    dispatches: bool
    """Whether it is a call that waits for a sub-agent, as a message to one does not."""

    @property
    def in_background(self) -> bool:
        """Whether the call returned at once and the sub-agent went on."""
        return self.spawned_status == "background" or not self.dispatches


@dataclass(frozen=True, slots=True)
class _Note:
    subagent_id: str
    subagent_type: str | None
    description: str | None
    tool_use_id: str | None
    reported_status: str | None
    """How the session was told that one in the background ended."""


_WORK = f"""
    SELECT session_id, {THREAD} AS thread, min(ts) AS first_at, max(coalesce(result_ts, ts)) AS last_at,
        count(*) AS calls, count(*) FILTER (is_error) AS errors
    FROM tool_calls WHERE session_id IN {IDS} AND name IS NOT NULL AND {THREAD} IS NOT NULL GROUP BY session_id, thread
"""

_STARTS = f"""
    SELECT session_id, id, {THREAD} AS thread, name, subagent_type, detail, ts AS started_at, result_ts AS ended_at,
        is_error, denial, spawned_subagent_id, spawned_status, spawned_ms,
        class = 'subagent' OR spawned_status IS NOT NULL AS dispatches
    FROM tool_calls
    WHERE session_id IN {IDS} AND name IS NOT NULL
        AND (class = 'subagent' OR spawned_subagent_id IS NOT NULL OR id IN (SELECT tool_use_id FROM subagents))
    ORDER BY ts NULLS LAST, pos, id
"""

# Whether any call was made in, or has started, what is called a sub-agent below.
_ANY = f"""
    SELECT 1 FROM tool_calls WHERE session_id IN {IDS} AND name IS NOT NULL
        AND ({THREAD} IS NOT NULL OR spawned_subagent_id IS NOT NULL) LIMIT 1
"""

# What those sub-agents took in each run that were called more than once. Of a run's rows the first is none before its
# call; what came before the first call is the first run's.
_RUNS = f"""
    WITH begun AS (
        SELECT unnest($sessions) AS session_id, unnest($agents) AS thread, unnest($runs) AS run,
            unnest($from)::TIMESTAMP AS from_at
    )
    SELECT r.session_id, r.thread, b.run, min(ts) AS first_at, max(last_at) AS last_at,
        sum(is_call)::BIGINT AS calls, sum(failed)::BIGINT AS errors, sum(is_answer)::BIGINT AS responses,
        count(*) FILTER (NOT is_call) AS told, coalesce(sum(total_tokens), 0)::BIGINT AS tokens,
        {exact_sum("cost_usd")} AS cost_usd,
        coalesce(sum(total_tokens) FILTER (is_unpriced), 0)::BIGINT AS unpriced_tokens,
        count(*) FILTER (undercounted) AS undercounted
    FROM (
        SELECT session_id, {THREAD} AS thread, ts, coalesce(ended_at, ts) AS last_at, false AS is_call, false AS failed,
            is_answer, total_tokens, cost_usd, {unpriced()} AS is_unpriced, output_undercounted AS undercounted
        FROM responses WHERE session_id IN (SELECT session_id FROM begun)
        UNION ALL BY NAME
        SELECT session_id, {THREAD} AS thread, ts, coalesce(result_ts, ts) AS last_at, true AS is_call,
            coalesce(is_error, false) AS failed
        FROM tool_calls WHERE name IS NOT NULL AND session_id IN (SELECT session_id FROM begun)
    ) r ASOF JOIN begun b
        ON b.session_id = r.session_id AND b.thread = r.thread AND coalesce(r.ts, '-infinity'::TIMESTAMP) >= b.from_at
    GROUP BY r.session_id, r.thread, b.run
"""


def subagents_of(connection: Reader, ids: Collection[str], threads: Threads) -> list[SubagentRun]:
    """The sub-agents of the sessions `ids`, in the order in which they were called; of one called again each run.

    Tokens, calls and, in the background, times are those of a sub-agent's own rows: such a call returns at once.
    """
    asked = {"ids": list(ids)}
    is_one_known = any(thread is not None for _, thread in threads.threads)
    if not is_one_known and connection.row(_ANY, asked) is None:
        # Mostly there is none; to find that out takes a tenth of the other questions.
        return []
    work = {(row.session_id, row.thread): row for row in connection.ask(_Work, _WORK, asked)}
    starts = {row.id: row for row in connection.ask(_Start, _STARTS, asked)}
    called: dict[tuple[str, str], list[_Start]] = {}
    for start in starts.values():
        if start.spawned_subagent_id is not None:
            called.setdefault((start.session_id, start.spawned_subagent_id), []).append(start)
    keys = {(session, thread) for session, thread in [*threads.threads, *work, *called] if thread is not None}
    if not keys:
        return []
    notes = {
        row.subagent_id: row
        for row in connection.ask(
            _Note,
            "SELECT subagent_id, subagent_type, description, tool_use_id, reported_status FROM subagents "
            "WHERE subagent_id IN (SELECT unnest($agents))",
            {"agents": sorted({thread for _, thread in keys})},
        )
    }
    found: list[SubagentRun] = []
    again: dict[tuple[str, str], list[_Start]] = {}
    for key in keys:
        note, calls = notes.get(key[1]), called.get(key, [])
        noted = starts.get(note.tool_use_id or "") if note else None
        if noted is not None and noted not in calls:
            calls = sorted([*calls, noted], key=lambda start: start.started_at or dt.datetime.max)
        if len(calls) > 1:
            again[key] = calls
        else:
            found.append(_agent(key, note, calls[0] if calls else None, threads, _took(threads, work, key)))
    if again:
        found += _runs(connection, again, notes, threads)
    latest = dt.datetime.max
    return sorted(found, key=lambda agent: (agent.called_at or latest, agent.subagent_id, agent.run))


def _took(threads: Threads, work: Mapping[tuple[str, str], _Work], key: tuple[str, str]) -> _Took:
    """What a sub-agent with a single run took."""
    thread, done = threads.threads.get(key), work.get(key)
    return _Took(
        session_id=key[0],
        thread=key[1],
        run=1,
        first_at=min((row.first_at for row in (thread, done) if row and row.first_at), default=None),
        last_at=max((row.last_at for row in (thread, done) if row and row.last_at), default=None),
        calls=done.calls if done else 0,
        errors=done.errors if done else 0,
        responses=thread.responses if thread else 0,
        told=1 if thread else 0,
        tokens=thread.tokens if thread else 0,
        cost_usd=thread.cost_usd if thread else None,
        unpriced_tokens=thread.unpriced_tokens if thread else 0,
        undercounted=thread.undercounted if thread else 0,
    )


def _runs(
    connection: Reader,
    again: Mapping[tuple[str, str], list[_Start]],
    notes: Mapping[str, _Note],
    threads: Threads,
) -> list[SubagentRun]:
    """The runs of sub-agents that were called several times."""
    begun = [
        (key, run, dt.datetime.min if run == 1 else start.started_at or dt.datetime.max)
        for key, calls in again.items()
        for run, start in enumerate(calls, 1)
    ]
    asked = {
        "sessions": [key[0] for key, _, _ in begun],
        "agents": [key[1] for key, _, _ in begun],
        "runs": [run for _, run, _ in begun],
        "from": [moment for _, _, moment in begun],
    }
    took = {(row.session_id, row.thread, row.run): row for row in connection.ask(_Took, _RUNS, asked)}
    found = []
    for key, calls in again.items():
        for run, start in enumerate(calls, 1):
            nothing = _Took(*key, run, None, None, 0, 0, 0, 0, 0, None, 0, 0)
            found.append(
                _agent(
                    key, notes.get(key[1]), start, threads, took.get((*key, run), nothing), is_last=run == len(calls)
                )
            )
    return found


def _agent(
    key: tuple[str, str],
    note: _Note | None,
    start: _Start | None,
    threads: Threads,
    took: _Took,
    *,
    is_last: bool = True,
) -> SubagentRun:
    session_id, subagent_id = key
    return SubagentRun(
        session_id=session_id,
        subagent_id=subagent_id,
        run=took.run,
        call_id=start.id if start else None,
        parent=start.thread if start else None,
        subagent_type=_type(note, start, threads.threads.get(key)),
        description=_description(subagent_id, note, start, is_first=took.run == 1),
        called_at=start.started_at if start and start.started_at else took.first_at,
        started_at=took.first_at or (start.started_at if start else None),
        status=_status(key, start, note if is_last else None, threads, is_last=is_last),
        seconds=_seconds(start, took.first_at, took.last_at),
        responses=took.responses,
        calls=took.calls,
        errors=took.errors,
        tokens=took.tokens if took.told else None,
        cost_usd=took.cost_usd,
        unpriced_tokens=took.unpriced_tokens,
        undercounted=took.undercounted,
    )


def _type(note: _Note | None, start: _Start | None, thread: Thread | None) -> str:
    told = (
        note and note.subagent_type,
        start and start.subagent_type,
        thread and thread.subagent_name,
        start and start.name,
    )
    return next((name for name in told if name), "subagent")


def _description(subagent_id: str, note: _Note | None, start: _Start | None, *, is_first: bool) -> str | None:
    noted, asked = note and note.description, start and start.detail
    # The note is of the first call; a later one for the same sub-agent has words of its own, a message to it has none.
    told = noted or asked if is_first or (start is not None and not start.dispatches) else asked or noted
    return told or next((what for begin, what in OWN_WORK.items() if subagent_id.startswith(begin)), None)


_ENDS = {"failed": "failed", "killed": "interrupted", "stopped": "interrupted"}
"""What a session is told of one in the background -> how it ended."""


def _status(key: tuple[str, str], start: _Start | None, note: _Note | None, threads: Threads, *, is_last: bool) -> str:
    if start is None or (start.in_background and start.is_error is False):
        if is_last and threads.goes_on(*key):
            return "running"
        return _ENDS.get((note and note.reported_status) or "", "completed")
    if start.denial is not None:
        return "denied"
    if start.is_error is None:
        return "running" if any(call.id == start.id for call in threads.running) else "interrupted"
    return "failed" if start.is_error else "completed"


def _seconds(start: _Start | None, first: dt.datetime | None, last: dt.datetime | None) -> float | None:
    if start is not None and not start.in_background:
        if start.spawned_ms is not None:
            return start.spawned_ms / 1000
        if start.started_at is not None and start.ended_at is not None:
            return max(0.0, (start.ended_at - start.started_at).total_seconds())
    return (last - first).total_seconds() if first is not None and last is not None else None
