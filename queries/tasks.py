"""The to-do lists of sessions: what their tool calls come to, task by task, with each task's history.

A list without ids is told as a whole each time: a task in it is known by what it says, of two that say the same by
their order. What a newer list does not say any more is not on it. Every conversation has a list of its own, sub-agents
too. Tasks with ids are shared by the session and its sub-agents. A task is blocked as long as one that it waits for is
neither completed nor deleted: Claude Code leaves finished ones in its data.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import matching
from .filters import Filter, Where

if TYPE_CHECKING:
    from .store import Reader

STATUSES = ("pending", "in_progress", "blocked", "completed", "deleted")
"""What a task can be, in the order of a board."""

_DONE = ("completed", "deleted")

_SESSIONS = 100
"""Sessions that are looked through at a time, the latest first."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a task became what; UTC without a zone."""

    status: str
    timestamp: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a session. Its id is its own, or that of the call that told it first."""

    session_id: str
    agent: str | None
    machine: str | None
    username: str | None
    project: str | None
    title: str | None
    id: str
    subject: str
    status: str
    """One of STATUSES."""
    owner: str | None
    """Who does it: a name that was given, or the type of the sub-agent whose list it is on."""
    subagent_id: str | None
    updated_at: dt.datetime | None
    history: tuple[Moment, ...]
    """From its making on; the last one is what it is now, but that a task which waits was not told to."""


@dataclass(frozen=True, slots=True)
class Count:
    """How much of a session's list is done: `done` of `total`. What was dropped does not count."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Change:
    id: str
    session_id: str
    agent: str | None
    machine: str | None
    username: str | None
    project: str | None
    title: str | None
    ts: dt.datetime | None
    call_id: str | None
    subagent_id: str | None
    subagent_type: str | None
    form: str
    number: int
    of: int
    task_id: str | None
    subject: str | None
    status: str | None
    owner: str | None
    blocked_by: list[str] | None
    blocks: list[str] | None
    matches: bool


@dataclass(slots=True)
class _Draft:
    id: str
    first: _Change
    subject: str = ""
    status: str = "pending"
    owner: str | None = None
    updated_at: dt.datetime | None = None
    history: list[Moment] = field(default_factory=list)
    waits_for: set[str] = field(default_factory=set)
    matches: bool = False

    def tell(self, change: _Change, status: str | None) -> None:
        """Take what a change says of it."""
        now = self.status if status is None else status
        before = (self.status, self.subject, self.owner) if self.history else None
        if not self.history or now != self.history[-1].status:
            self.history.append(Moment(now, change.ts))
        self.status = now
        self.subject = change.subject or self.subject
        self.owner = change.owner or self.owner
        # A list that is told anew says all of it again, and most of that has not changed.
        if (self.status, self.subject, self.owner) != before or change.form == "update":
            self.updated_at = change.ts if change.ts is not None else self.updated_at
        self.matches = self.matches or change.matches


def tasks(
    connection: Reader, chosen: Filter, *, limit: int = 50, sessions: Collection[str] | None = None
) -> list[Task]:
    """The tasks of which anything matches, the one that changed last first, at most `limit`.

    A change matches by the call that told it. `sessions`: only those of these sessions.
    """
    found: list[Task] = []
    waiting = _latest(connection, chosen, sessions)
    while waiting:
        ids = [session for session, _ in waiting[:_SESSIONS]]
        waiting = waiting[_SESSIONS:]
        found += _of(connection, chosen, ids)
        found.sort(key=lambda task: (task.updated_at or dt.datetime.min, task.session_id, task.id), reverse=True)
        # No session that is left has changed since; its tasks come after these.
        if len(found) >= limit and waiting and (found[limit - 1].updated_at or dt.datetime.min) >= waiting[0][1]:
            break
    return found[:limit]


_ANY = "SELECT 1 FROM task_changes WHERE session_id IN (SELECT unnest($sessions)) LIMIT 1"


def counts(connection: Reader, sessions: Collection[str]) -> dict[str, Count]:
    """How much of their own lists some sessions have done; those without a list are left out."""
    if not sessions or connection.row(_ANY, {"sessions": list(sessions)}) is None:
        # Most have none; to find that out takes a fifth of the question.
        return {}
    found = _of(connection, Filter(), list(sessions))
    by_session: dict[str, list[str]] = {}
    for task in found:
        if task.status != "deleted" and task.subagent_id is None:
            by_session.setdefault(task.session_id, []).append(task.status)
    return {session: Count(Counter(statuses)["completed"], len(statuses)) for session, statuses in by_session.items()}


def _latest(connection: Reader, chosen: Filter, sessions: Collection[str] | None) -> list[tuple[str, dt.datetime]]:
    """The sessions with tasks and the time of their last change, the latest first."""
    where = Where().by(
        chosen,
        {
            "agent": "coalesce(t.agent, s.agent)",
            "machine": "coalesce(t.machine, s.machine)",
            "project": "s.project",
            "session_id": "t.session_id",
            "user": "coalesce(s.username, t.username)",
        },
    )
    if sessions is not None:
        where.add("t.session_id IN (SELECT unnest($sessions))", sessions=list(sessions))
    answer = connection.execute(
        f"""
        SELECT t.session_id, coalesce(max(t.ts), '0001-01-01'::TIMESTAMP) AS latest
        FROM task_changes t LEFT JOIN sessions s ON s.session_id = t.session_id
        WHERE t.form IS NOT NULL AND t.session_id IS NOT NULL AND {where}
        GROUP BY t.session_id ORDER BY latest DESC, t.session_id""",
        where.parameters,
    )
    return [(str(session), latest) for session, latest in answer.fetchall()]


def _matching(chosen: Filter) -> tuple[str, Where]:
    """SQL of whether a change `t` matches: by its call; one without a call by its own time."""
    if chosen.is_open:
        return "true", Where()
    facts = chosen.but(text="")
    where = matching.calls_where(facts)
    by_call = f"t.call_id IN (SELECT id FROM {matching.calls(facts)} WHERE {where})"
    alone = Where().by(chosen, {"ts": "t.ts"}).add("t.call_id IS NULL")
    where.parameters |= alone.parameters
    found = by_call if matching.asks_responses(chosen) else f"({by_call} OR ({alone}))"
    if chosen.text:
        words = Where().by(chosen, {"text": "concat_ws(' ', t.subject, s.title, s.project)"})
        where.parameters |= words.parameters
        found += f" AND {words}"
    return f"coalesce({found}, false)", where


def _of(connection: Reader, chosen: Filter, ids: Sequence[str]) -> list[Task]:
    """All tasks of some sessions of which anything matches."""
    matches, where = _matching(chosen)
    changes = connection.ask(
        _Change,
        f"""
        SELECT t.id, t.session_id, coalesce(t.agent, s.agent) AS agent, t.machine,
            coalesce(s.username, t.username) AS username, s.project, s.title, t.ts, t.call_id, t.subagent_id,
            a.subagent_type AS subagent_type, t.form, t.number, t.of, coalesce(t.task_id, t.given_id) AS task_id,
            t.subject, t.status, t.owner, t.blocked_by, t.blocks, {matches} AS matches
        FROM task_changes t LEFT JOIN sessions s ON s.session_id = t.session_id
        LEFT JOIN (SELECT subagent_id, subagent_type FROM subagents) a ON a.subagent_id = t.subagent_id
        LEFT JOIN tool_calls c ON c.id = t.call_id
        WHERE t.form IS NOT NULL AND t.session_id IN (SELECT unnest($ids))
            AND t.undone IS NOT true AND c.is_error IS NOT true
        ORDER BY t.session_id, t.ts NULLS FIRST, t.pos, t.id, t.number""",
        where.parameters | {"ids": list(ids)},
    )
    by_session: dict[str, list[_Change]] = {}
    for change in changes:
        by_session.setdefault(change.session_id, []).append(change)
    return [task for several in by_session.values() for task in _told(several)]


def _told(changes: Sequence[_Change]) -> list[Task]:
    """What the changes of one session come to."""
    lists: dict[str | None, list[_Draft]] = {}
    known: dict[str, _Draft] = {}
    written: dict[str, list[_Change]] = {}
    for change in changes:
        if change.form == "list":
            written.setdefault(_telling(change), []).append(change)
    for change in changes:
        if change.form != "list":
            _take(known, change)
        elif (several := written.pop(_telling(change), None)) is not None:
            lists[change.subagent_id] = _list(lists.get(change.subagent_id, []), several)
    drafts = [draft for several in lists.values() for draft in several]
    return [_task(draft, known) for draft in (*drafts, *known.values()) if draft.matches]


def _telling(change: _Change) -> str:
    """Which telling of a whole list a change is of: the rows of one have their number behind a colon."""
    return change.id.rpartition(":")[0]


def _list(before: Sequence[_Draft], told: Iterable[_Change]) -> list[_Draft]:
    """The tasks of a list that was told anew; those that say the same are the same, in their order."""
    left: dict[str, list[_Draft]] = {}
    for draft in before:
        left.setdefault(draft.subject, []).append(draft)
    found = []
    for change in sorted(told, key=lambda each: each.number):
        if change.of == 0:
            continue
        same = left.get(change.subject or "")
        draft = same.pop(0) if same else _Draft(change.id, change, change.subject or "")
        draft.tell(change, change.status)
        found.append(draft)
    return found


def _take(known: dict[str, _Draft], change: _Change) -> None:
    """Take what is said of one task with an id; without an id it is known by its call until the result is there."""
    key = change.task_id or change.id
    draft = known.get(key)
    if change.form == "create" or draft is None:
        draft = known[key] = _Draft(key, change)
    if change.form == "state":
        draft.waits_for = set(change.blocked_by or ())
    draft.waits_for |= set(change.blocked_by or ())
    for other in change.blocks or ():
        waiting = known.get(other)
        if waiting is None:
            waiting = known[other] = _Draft(other, change)
        waiting.waits_for.add(key)
    is_same = change.form == "state" and change.status == draft.status and bool(draft.history)
    if is_same:
        # It only shows what is known: the task has not changed.
        draft.matches = draft.matches or change.matches
        return
    draft.tell(change, change.status)


def _task(draft: _Draft, known: dict[str, _Draft]) -> Task:
    status = draft.status
    waits = any(other in known and known[other].status not in _DONE for other in draft.waits_for)
    if status == "pending" and waits:
        status = "blocked"
    first = draft.first
    return Task(
        first.session_id,
        first.agent,
        first.machine,
        first.username,
        first.project,
        first.title,
        draft.id,
        draft.subject,
        status,
        draft.owner or first.subagent_type,
        first.subagent_id if first.form == "list" else None,
        draft.updated_at,
        tuple(draft.history),
    )


def on_board(found: Iterable[Task]) -> dict[str, list[Task]]:
    """Tasks by what they are, in the order of STATUSES; what was dropped is on no board."""
    board: dict[str, list[Task]] = {status: [] for status in STATUSES if status != "deleted"}
    for task in found:
        if task.status in board:
            board[task.status].append(task)
    return board
