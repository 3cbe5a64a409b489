"""The sub-agents of sessions: which call started each, what it took, and how it ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .threads import IDS, THREAD, Thread, Threads

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
    """A sub-agent. Times are UTC without a zone, `seconds` is None if it left no time, cost is USD or None.

    `status` is running, completed, failed, denied or interrupted. `tokens` is None where it left no response.
    """

    session_id: str
    subagent_id: str
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


@dataclass(frozen=True, slots=True)
class _Work:
    session_id: str
    thread: str
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    calls: int
    errors: int


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

    @property
    def in_background(self) -> bool:
        """Whether the call returned at once and the sub-agent went on."""
        return self.spawned_status == "background"


@dataclass(frozen=True, slots=True)
class _Note:
    subagent_id: str
    subagent_type: str | None
    description: str | None
    tool_use_id: str | None


_WORK = f"""
    SELECT session_id, {THREAD} AS thread, min(ts) AS first_at, max(coalesce(result_ts, ts)) AS last_at,
        count(*) AS calls, count(*) FILTER (is_error) AS errors
    FROM tool_calls WHERE session_id IN {IDS} AND name IS NOT NULL AND {THREAD} IS NOT NULL GROUP BY session_id, thread
"""

_STARTS = f"""
    SELECT session_id, id, {THREAD} AS thread, name, subagent_type, detail, ts AS started_at, result_ts AS ended_at,
        is_error, denial, spawned_subagent_id, spawned_status, spawned_ms
    FROM tool_calls
    WHERE session_id IN {IDS} AND name IS NOT NULL
        AND (class = 'subagent' OR spawned_subagent_id IS NOT NULL OR id IN (SELECT tool_use_id FROM subagents))
    ORDER BY ts NULLS LAST, pos
"""


def subagents_of(connection: Reader, ids: Collection[str], threads: Threads) -> list[SubagentRun]:
    """The sub-agents of the sessions `ids`, in the order in which they were called.

    Tokens, calls and, in the background, times are those of a sub-agent's own rows: such a call returns at once.
    """
    asked = {"ids": list(ids)}
    work = {(row.session_id, row.thread): row for row in connection.ask(_Work, _WORK, asked)}
    starts = {row.id: row for row in connection.ask(_Start, _STARTS, asked)}
    started = {
        (row.session_id, row.spawned_subagent_id): row
        for row in reversed(starts.values())
        if row.spawned_subagent_id is not None
    }
    keys = {(session, thread) for session, thread in [*threads.threads, *work, *started] if thread is not None}
    if not keys:
        return []
    notes = {
        row.subagent_id: row
        for row in connection.ask(
            _Note,
            "SELECT subagent_id, subagent_type, description, tool_use_id FROM subagents "
            "WHERE subagent_id IN (SELECT unnest($agents))",
            {"agents": sorted({thread for _, thread in keys})},
        )
    }
    found = []
    for key in keys:
        note = notes.get(key[1])
        start = starts.get(note.tool_use_id or "") if note else None
        found.append(_agent(key, note, start or started.get(key), threads, work.get(key)))
    latest = dt.datetime.max
    return sorted(found, key=lambda agent: (agent.called_at or latest, agent.subagent_id))


def _agent(
    key: tuple[str, str], note: _Note | None, start: _Start | None, threads: Threads, work: _Work | None
) -> SubagentRun:
    session_id, subagent_id = key
    thread = threads.threads.get(key)
    first = min((row.first_at for row in (thread, work) if row and row.first_at), default=None)
    last = max((row.last_at for row in (thread, work) if row and row.last_at), default=None)
    return SubagentRun(
        session_id=session_id,
        subagent_id=subagent_id,
        call_id=start.id if start else None,
        parent=start.thread if start else None,
        subagent_type=_type(note, start, thread),
        description=_description(subagent_id, note, start),
        called_at=start.started_at if start and start.started_at else first,
        started_at=first or (start.started_at if start else None),
        status=_status(key, start, threads),
        seconds=_seconds(start, first, last),
        responses=thread.responses if thread else 0,
        calls=work.calls if work else 0,
        errors=work.errors if work else 0,
        tokens=thread.tokens if thread else None,
        cost_usd=thread.cost_usd if thread else None,
        unpriced_tokens=thread.unpriced_tokens if thread else 0,
        undercounted=thread.undercounted if thread else 0,
    )


def _type(note: _Note | None, start: _Start | None, thread: Thread | None) -> str:
    told = (
        note and note.subagent_type,
        start and start.subagent_type,
        thread and thread.subagent_name,
        start and start.name,
    )
    return next((name for name in told if name), "subagent")


def _description(subagent_id: str, note: _Note | None, start: _Start | None) -> str | None:
    told = (note and note.description) or (start and start.detail)
    return told or next((what for begin, what in OWN_WORK.items() if subagent_id.startswith(begin)), None)


def _status(key: tuple[str, str], start: _Start | None, threads: Threads) -> str:
    if start is None or (start.in_background and not start.is_error):
        return "running" if threads.goes_on(*key) else "completed"
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
