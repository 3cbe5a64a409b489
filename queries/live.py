"""What is running now, and what each session of it does.

Claude Code says itself what its sessions do, where it is new enough (`ToldState`, which `ingest/session_states.py`
reads): that is exact. Of all others it is inferred from their rows: who has answered and has nothing left to do waits
for a word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .filters import Filter
from .money import exact_sum
from .sessions import Processes, SessionRow, live_sessions

# What a session does is looked at only where one runs.
if TYPE_CHECKING:
    from .store import Reader
    from .subagents import SubagentRun
    from .tasks import Count
    from .threads import OpenCall, Threads

PULSE_FOR = dt.timedelta(minutes=30)
PULSE_STEPS = 15
"""The pulse of a session is so many equal steps over so long a time."""

PACE_FOR = dt.timedelta(minutes=5)
"""Tokens a minute and USD an hour are those of so long a time."""

RUNAWAY, RUNAWAY_PACES = 3.0, 4
"""A session runs away if it takes more than so many times what it took in the middle one of its own five minutes in
which it took anything; of which there must have been so many before."""

STATES = ("permission", "waiting", "working", "shell", "idle")
"""What a session may do, the most urgent first."""

ASKING_TOOLS = ("AskUserQuestion", "ExitPlanMode")
"""Calls that are questions to the user: while one runs, it is not for a permission that is waited."""


@dataclass(frozen=True, slots=True)
class ToldState:
    """What the process of a session says that it does: one of STATES but `permission`, which `why` tells."""

    state: str
    why: str | None = None
    """What is waited for, in its words."""
    since: dt.datetime | None = None
    """UTC without a zone."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of sessions by their processes."""

    states: Mapping[str, ToldState] = field(default_factory=dict)
    """Of those whose process lives, by session."""
    over: frozenset[str] = frozenset()
    """Sessions whose process has ended."""

    @property
    def processes(self) -> Processes:
        """Of which sessions a process lives, or has ended."""
        return (frozenset(self.states), self.over)


NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A running session, and what it does at the moment."""

    session: SessionRow
    state: str
    """One of STATES."""
    since: dt.datetime | None
    """Since when, in UTC without a zone; None where nobody tells."""
    exact: bool
    """Whether its process says so; else it is inferred from its rows."""
    call: OpenCall | None
    """The tool call that started last among those that run, a sub-agent's too."""
    calls: int
    """How many tool calls run."""
    agents: int
    """How many sub-agents run."""
    agent_tokens: int
    """What those have taken so far."""
    tasks: Count | None
    """How much of its to-do list is done; None if it has none."""
    pulse: tuple[int, ...]
    """Responses and tool calls in each of PULSE_STEPS steps of the last PULSE_FOR, oldest first."""
    tokens_per_minute: float
    """Over the last PACE_FOR, sub-agents too."""
    usd_per_hour: float | None
    """The same in money; None where nothing of it has a price."""
    runaway: bool
    """Whether that is far more than it usually takes."""

    @property
    def waiting(self) -> bool:
        """Whether the next word is the user's."""
        return self.state in ("permission", "waiting")


@dataclass(frozen=True, slots=True)
class Doings:
    """What some sessions do at a moment, whatever of them is counted."""

    ids: frozenset[str]
    threads: Threads
    busy: list[SubagentRun]
    """Sub-agents that run."""
    pulses: Mapping[str, Sequence[int]]
    tasks: Mapping[str, Count]
    paces: Mapping[str, _SessionPace]


def what_they_do(connection: Reader, ids: Sequence[str], *, now: dt.datetime) -> Doings:
    """What these sessions do, of which each runs. `now` is UTC without a zone."""
    from .subagents import subagents_of
    from .tasks import counts
    from .threads import threads_of

    threads = threads_of(connection, ids, live=ids, now=now)
    return Doings(
        frozenset(ids),
        threads,
        [agent for agent in subagents_of(connection, ids, threads) if agent.status == "running"],
        _pulses(connection, ids, now),
        counts(connection, ids),
        {pace.session_id: pace for pace in connection.ask(_SessionPace, _PACES, _asked(ids, now))},
    )


def running_now(
    connection: Reader,
    chosen: Filter,
    *,
    now: dt.datetime,
    limit: int = 20,
    told: Told = NOTHING_TOLD,
    listed: Iterable[SessionRow] = (),
    doings: Doings | None = None,
) -> list[LiveSession]:
    """Sessions with a row in the last five minutes, or whose living process says what it does; `now` is UTC without a
    zone. Those that wait for the user come first, then the latest.

    Of the filter everything counts but its days and its text: what runs, runs now. A session whose process has ended
    does not. `listed`: see `live_sessions`. `doings`: what they do, where somebody has asked that.
    """
    rows = live_sessions(connection, chosen, now=now, limit=max(limit, 50), told=told.processes, listed=listed)
    if not rows:
        return []
    ids = [row.session_id for row in rows]
    if doings is None or doings.ids != frozenset(ids):
        doings = what_they_do(connection, ids, now=now)
    threads = doings.threads
    found = []
    for row in rows:
        calls = [call for call in threads.running if call.session_id == row.session_id]
        agents = [agent for agent in doings.busy if agent.session_id == row.session_id]
        state, since, exact = _state(row, threads, calls, len(agents), told.states.get(row.session_id))
        pace = doings.paces.get(row.session_id)
        found.append(
            LiveSession(
                session=row,
                state=state,
                since=since,
                exact=exact,
                call=calls[0] if calls else None,
                calls=len(calls),
                agents=len(agents),
                agent_tokens=sum(agent.tokens or 0 for agent in agents),
                tasks=doings.tasks.get(row.session_id),
                pulse=tuple(doings.pulses[row.session_id]),
                tokens_per_minute=(pace.tokens if pace else 0) / (PACE_FOR.total_seconds() / 60),
                usd_per_hour=_per_hour(pace),
                runaway=pace is not None and pace.is_runaway,
            )
        )
    found.sort(key=lambda live: STATES.index(live.state))
    return found[:limit]


def _state(
    row: SessionRow, threads: Threads, calls: Sequence[OpenCall], agents: int, told: ToldState | None
) -> tuple[str, dt.datetime | None, bool]:
    """(state, since when, whether the process says so) of a session."""
    own = [call for call in calls if call.thread is None]
    asks = any(call.name in ASKING_TOOLS for call in own)
    if told is not None:
        state = told.state
        if state == "waiting" and _is_for_permission(told.why, bool(calls) and not asks):
            state = "permission"
        return state, told.since, True
    thread = threads.threads.get((row.session_id, None))
    is_done = not calls and not agents and thread is not None and thread.is_done and thread.last_at == row.ended_at
    if is_done or asks:
        return "waiting", row.ended_at if is_done else own[0].started_at, False
    return "working", threads.prompted_at.get(row.session_id), False


def _is_for_permission(why: str | None, has_call: bool) -> bool:
    """Whether what a session waits for is that it may use a tool: it says so, or there is a call without a result."""
    return "permission" in why.lower() if why else has_call


def _asked(ids: Sequence[str], now: dt.datetime) -> dict[str, object]:
    return {"ids": list(ids), "now": now, "width": int(PACE_FOR.total_seconds() * 1000)}


@dataclass(frozen=True, slots=True)
class _SessionPace:
    session_id: str
    tokens: int
    cost_usd: float | None
    usual: float | None
    paces: int

    @property
    def is_runaway(self) -> bool:
        return self.paces >= RUNAWAY_PACES and bool(self.usual) and self.tokens > RUNAWAY * (self.usual or 0)


# The last five minutes, and the five minutes before, and before: those in which anything was taken.
_PACES = f"""
    SELECT session_id, coalesce(sum(tokens) FILTER (step = 0), 0)::BIGINT AS tokens,
        any_value(cost_usd) FILTER (step = 0) AS cost_usd, median(tokens) FILTER (step > 0) AS usual,
        count(*) FILTER (step > 0) AS paces
    FROM (
        SELECT session_id, (epoch_ms($now) - epoch_ms(ts)) // $width AS step, sum(total_tokens) AS tokens,
            {exact_sum("cost_usd")} AS cost_usd
        FROM responses WHERE session_id IN (SELECT unnest($ids)) AND ts <= $now GROUP BY session_id, step
    ) GROUP BY session_id
"""


def _per_hour(pace: _SessionPace | None) -> float | None:
    if pace is None or (pace.tokens and pace.cost_usd is None):
        return None
    return (pace.cost_usd or 0.0) * (3600 / PACE_FOR.total_seconds())


def _pulses(connection: Reader, ids: Sequence[str], now: dt.datetime) -> dict[str, list[int]]:
    from .threads import IDS

    answer = connection.execute(
        f"""SELECT session_id, least($last, (epoch_ms(ts) - epoch_ms($since)) // $width)::INTEGER AS step, count(*)
        FROM (
            SELECT session_id, ts FROM responses WHERE session_id IN {IDS}
            UNION ALL SELECT session_id, ts FROM tool_calls WHERE session_id IN {IDS} AND name IS NOT NULL
        ) WHERE ts > $since AND ts <= $now GROUP BY session_id, step""",
        {
            "ids": list(ids),
            "since": now - PULSE_FOR,
            "now": now,
            "width": int(PULSE_FOR.total_seconds() * 1000) // PULSE_STEPS,
            "last": PULSE_STEPS - 1,
        },
    )
    pulses = {key: [0] * PULSE_STEPS for key in ids}
    for session_id, step, count in answer.fetchall():
        pulses[session_id][step] = count
    return pulses
