"""Every hand-over of work: from which agent to which, what for, how it ended, and what it took.

A hand-over is a run of a sub-agent, or of another AI through the shell. A sub-agent that a message wakes after its end
runs again: two hand-overs, one agent; each response and call belongs to the run in whose time it falls. What a
sub-agent did without a known call is a hand-over of the session's own. So the tokens of all that are not external are
those of all sub-agents, under any filter.

The questions are several and plain; how the answers hang together is put together here.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import hand_over_facts as facts
from .cursor import UNTIMED, Cursor
from .external import Child, External, children, duration_of, externals, status_of
from .filters import Filter
from .hand_over_facts import End, HandingCall, Spent, SubagentNote, spent_in_all
from .percentiles import percentile
from .rollups import MAIN_AGENT, SUBAGENT_TYPES
from .runs import Key, Run, begun, run_at, runs_of
from .subagents import OWN_WORK
from .threads import LIVE_FOR, Threads, threads_of

if TYPE_CHECKING:
    from .store import Reader

STATUSES = ("running", "done", "failed", "denied", "interrupted")

_UNKNOWN_AGENT = "subagent"


@dataclass(frozen=True, slots=True)
class HandOver:
    """One run of a sub-agent or of another AI. Times are UTC without a zone.

    Tokens, calls and errors are of what matches the filter; those of an external one are its whole session's, and None
    if that is not known. `duration_ms` is None while it runs, and where it cannot be known.
    """

    id: str
    """The call that handed the work over; else the sub-agent."""
    timestamp: dt.datetime | None
    session_id: str | None
    agent: str | None
    machine: str | None
    username: str | None
    from_type: str
    to_type: str
    task: str | None
    status: str
    """One of STATUSES."""
    duration_ms: int | None
    model: str | None
    """The one with most tokens."""
    tool_calls: int | None
    errors: int | None
    spent: Spent | None
    reported_tokens: int | None
    """What the sub-agent took as its parent was told: counted nowhere."""
    depth: int
    """1: handed over by the session itself."""
    external: bool
    subagent_id: str | None
    parent: str | None
    """The id of the hand-over in whose run this one was made; None: the session itself made it."""
    children: int = 0
    """Hand-overs that were made in it."""
    child_session_id: str | None = None
    """Of an external one, the session with its own transcript, where that is read."""
    project: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """All hand-overs from one type of agent to another. Times are milliseconds, of those that are over."""

    from_type: str
    to_type: str
    external: bool
    count: int
    running: int
    failed: int
    p50_ms: float | None
    p95_ms: float | None
    spent: Spent | None
    """None where nothing is known of what any of them took."""


@dataclass(frozen=True, slots=True)
class HandOvers:
    """All hand-overs that match, the latest first, and what they come to."""

    rows: tuple[HandOver, ...]
    edges: tuple[Edge, ...]
    """The one with most hand-overs first."""

    @property
    def deepest(self) -> int:
        """The longest chain of hand-overs; 0 if there is none."""
        return max((row.depth for row in self.rows), default=0)

    @property
    def average_depth(self) -> float | None:
        """How deep a hand-over is, on average; None if there is none."""
        return sum(row.depth for row in self.rows) / len(self.rows) if self.rows else None

    @property
    def spent(self) -> Spent:
        """What the sub-agents took; external ones are counted in their own sessions."""
        return spent_in_all(row.spent for row in self.rows if row.spent is not None and not row.external)

    def page(self, limit: int, cursor: Cursor | None = None) -> tuple[list[HandOver], Cursor | None]:
        """At most `limit` of them after a cursor, and where the next page begins (None at the end)."""
        rows: Sequence[HandOver] = self.rows
        if cursor is not None:
            rows = [row for row in rows if _place(row) < (cursor.timestamp, cursor.id)]
        page = list(rows[:limit])
        return page, Cursor(*_place(page[-1])) if len(rows) > limit else None


def _place(row: HandOver) -> tuple[dt.datetime, str]:
    return row.timestamp or UNTIMED, row.id


@dataclass(frozen=True, slots=True)
class _About:
    session_id: str
    project: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class _World:
    """What the rows are made of."""

    runs: Mapping[Key, Sequence[Run]]
    types: Mapping[str, str]
    notes: Mapping[str, SubagentNote]
    threads: Threads


def hand_overs(connection: Reader, chosen: Filter, *, now: dt.datetime) -> HandOvers:
    """The hand-overs of which anything matches: the call that handed over, or what was done in it.

    `now` is UTC without a zone; it decides what still runs.
    """
    notes, ends, away = facts.notes(connection), facts.ends(connection), externals(connection)
    begun_by = begun(facts.calls(connection), notes, ends)
    apart = sorted({child for (_, child), calls in begun_by.items() if len(calls) > 1})
    runs = runs_of(begun_by, facts.work(connection, chosen, apart), facts.done(connection, chosen, apart), ends, now)
    world = _World(runs, _types(connection), {note.subagent_id: note for note in notes}, _threads(connection, now))
    every = [run for several in runs.values() for run in several]
    made = facts.matched(connection, chosen, [run.call.id for run in every if run.call] + [run.call_id for run in away])
    rows = [
        _row(run, world)
        for run in every
        if (run.call is not None and run.call.id in made) or any(part.matches for part in run.parts)
    ]
    rows += _external_rows(connection, [run for run in away if run.call_id in made], ends, world)
    rows = _completed(connection, rows)
    return HandOvers(tuple(rows), _edges(rows))


def _completed(connection: Reader, rows: Sequence[HandOver]) -> list[HandOver]:
    """The rows in their order, with what others say of them."""
    about = {row.session_id: row for row in connection.ask(_About, "SELECT session_id, project, title FROM sessions")}
    inside = Counter(row.parent for row in rows)
    found = []
    for row in rows:
        of = about.get(row.session_id or "")
        found.append(
            replace(
                row,
                children=inside[row.id],
                project=of.project if of is not None else None,
                title=of.title if of is not None else None,
            )
        )
    return sorted(found, key=_place, reverse=True)


def _types(connection: Reader) -> dict[str, str]:
    answer = connection.execute(
        f"SELECT subagent_id, subagent_type FROM ({SUBAGENT_TYPES}) WHERE subagent_type IS NOT NULL"
    )
    return {str(agent): str(kind) for agent, kind in answer.fetchall()}


def _threads(connection: Reader, now: dt.datetime) -> Threads:
    """The threads of the sessions that run."""
    live = [
        str(session)
        for (session,) in connection.execute(
            "SELECT session_id FROM sessions WHERE ended_at BETWEEN $now - $live AND $now + $live",
            {"now": now, "live": LIVE_FOR},
        ).fetchall()
    ]
    return threads_of(connection, live, live=live, now=now) if live else Threads(now, {}, ())


# -- sub-agents ------------------------------------------------------------------------------------------------------


def _row(run: Run, world: _World) -> HandOver:
    call, note = run.call, world.notes.get(run.subagent_id or "")
    matching = [part for part in run.work if part.matches]
    done = [part for part in run.done if part.matches]
    status = run.status(world.threads)
    above = _above(run, world)
    teller = call or next(iter(run.parts), None)
    return HandOver(
        id=run.id,
        timestamp=run.begun_at,
        session_id=run.session_id,
        agent=teller.agent if teller else None,
        machine=teller.machine if teller else None,
        username=teller.username if teller else None,
        from_type=_type(above[0], world) if above else MAIN_AGENT,
        to_type=_type(run, world),
        task=_task(run, call, note),
        status=status,
        duration_ms=run.duration_ms(status),
        model=_model(matching or run.work),
        tool_calls=sum(part.calls for part in done),
        errors=sum(part.errors for part in done),
        spent=spent_in_all(matching),
        reported_tokens=_reported(run, call, note),
        depth=len(above) + 1,
        external=False,
        subagent_id=run.subagent_id,
        parent=above[0].id if above else None,
    )


def _above(run: Run | None, world: _World) -> list[Run]:
    """The runs that a run was made in, the innermost first."""
    found: list[Run] = []
    while run is not None:
        above = _maker(run, world)
        if above is None or above in found:
            break
        found.append(above)
        run = above
    return found


def _maker(run: Run, world: _World) -> Run | None:
    if run.call is not None:
        thread = run.call.thread
    else:
        note = world.notes.get(run.subagent_id or "")
        thread = note.parent if note is not None else None
    if thread is None or thread == run.subagent_id:
        return None
    return run_at(world.runs, run.session_id, thread, run.begun_at)


def _type(run: Run, world: _World) -> str:
    if run.subagent_id is None and run.call is not None:
        return run.call.subagent_type or run.call.name
    named = next((part.subagent_name for part in run.work if part.subagent_name), None)
    return world.types.get(run.subagent_id or "") or named or _UNKNOWN_AGENT


def _task(run: Run, call: HandingCall | None, note: SubagentNote | None) -> str | None:
    """What it was for: what the call says in words, else what is noted of the sub-agent."""
    said = call.detail if call is not None else None
    noted = note.description if note is not None else None
    child = run.subagent_id or ""
    own = next((what for begin, what in OWN_WORK.items() if child.startswith(begin)), None)
    in_words = said if said is not None and not said.startswith("{") else None
    return in_words or noted or said or own


def _model(work: Sequence[facts.Work]) -> str | None:
    taken: dict[str, int] = defaultdict(int)
    for part in work:
        if part.model is not None:
            taken[part.model] += part.total_tokens
    return max(taken, key=lambda model: (taken[model], model)) if taken else None


def _reported(run: Run, call: HandingCall | None, note: SubagentNote | None) -> int | None:
    if call is not None and call.spawned_tokens is not None:
        return call.spawned_tokens
    told = [end.tokens for end in run.ends if end.tokens is not None]
    if told:
        return max(told)
    return note.reported_tokens if note is not None and not run.ends else None


# -- other AIs -------------------------------------------------------------------------------------------------------


def _external_rows(connection: Reader, away: Sequence[External], ends: Sequence[End], world: _World) -> list[HandOver]:
    if not away:
        return []
    now, running = world.threads.now, {call.id for call in world.threads.running}
    known = children(connection, away, ends, now)
    return [_external_row(run, known.get(run.id), ends, running, world) for run in away]


def _external_row(
    run: External, child: Child | None, ends: Sequence[End], running: Collection[str], world: _World
) -> HandOver:
    maker = run_at(world.runs, run.session_id, run.thread, run.started_at) if run.thread is not None else None
    status = status_of(run, ends, running, world.threads.now)
    return HandOver(
        id=run.id,
        timestamp=run.started_at,
        session_id=run.session_id,
        agent=run.agent,
        machine=run.machine,
        username=run.username,
        from_type=_type(maker, world) if maker is not None else MAIN_AGENT,
        to_type=run.program,
        task=run.task,
        status=status,
        duration_ms=None if status in ("running", "denied") else duration_of(run, ends, child),
        model=child.model if child is not None else None,
        tool_calls=child.tool_calls if child is not None else None,
        errors=child.errors if child is not None else None,
        spent=child,
        reported_tokens=None,
        depth=(len(_above(maker, world)) + 2) if maker is not None else 1,
        external=True,
        subagent_id=None,
        parent=maker.id if maker is not None else None,
        child_session_id=child.session_id if child is not None else None,
    )


# -- edges -----------------------------------------------------------------------------------------------------------


def _spent_by(rows: Sequence[HandOver]) -> Spent | None:
    known = [row.spent for row in rows if row.spent is not None]
    return spent_in_all(known) if known else None


def _edges(rows: Iterable[HandOver]) -> tuple[Edge, ...]:
    groups: dict[tuple[str, str, bool], list[HandOver]] = defaultdict(list)
    for row in rows:
        groups[row.from_type, row.to_type, row.external].append(row)
    found = []
    for (source, target, is_external), several in groups.items():
        times = sorted(row.duration_ms for row in several if row.duration_ms is not None)
        found.append(
            Edge(
                source,
                target,
                is_external,
                len(several),
                sum(row.status == "running" for row in several),
                sum(row.status == "failed" for row in several),
                percentile(times, 0.5),
                percentile(times, 0.95),
                _spent_by(several),
            )
        )
    return tuple(sorted(found, key=lambda edge: (-edge.count, edge.from_type, edge.to_type)))


# -- the graph -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChainNode:
    """All hand-overs along one chain of types of agents, and what is below them."""

    path: tuple[str, ...]
    """From the session's own conversation down; an external one is the last."""
    external: bool
    count: int
    running: int
    failed: int
    spent: Spent | None
    """Its own: what is below it is not in it; None where nothing is known of it."""


def graph(found: HandOvers) -> list[ChainNode]:
    """The chains, each below the one it goes on from, the one with most hand-overs first."""
    by_id = {row.id: row for row in found.rows}
    groups: dict[tuple[str, ...], list[HandOver]] = defaultdict(list)
    for row in found.rows:
        groups[_path(row, by_id)].append(row)
    nodes = {
        path: ChainNode(
            path,
            all(row.external for row in several),
            len(several),
            sum(row.status == "running" for row in several),
            sum(row.status == "failed" for row in several),
            _spent_by(several),
        )
        for path, several in groups.items()
    }

    def place(path: tuple[str, ...]) -> list[tuple[int, str]]:
        """Sorts each chain behind its beginnings."""
        starts = (path[: end + 1] for end in range(len(path)))
        return [(-nodes[start].count if start in nodes else 0, start[-1]) for start in starts]

    return sorted(nodes.values(), key=lambda node: place(node.path))


def _path(row: HandOver, by_id: Mapping[str, HandOver]) -> tuple[str, ...]:
    path = [row.to_type]
    seen = {row.id}
    while True:
        above = by_id.get(row.parent or "")
        if above is None or above.id in seen:
            return (row.from_type, *reversed(path))
        path.append(above.to_type)
        seen.add(above.id)
        row = above
