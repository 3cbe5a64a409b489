"""What is running now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter
from .sessions import SessionRow, live_sessions

# What a session does is looked at only where one runs.
if TYPE_CHECKING:
    from .store import Reader
    from .tasks import Count
    from .threads import OpenCall

PULSE_FOR = dt.timedelta(minutes=30)
PULSE_STEPS = 15
"""The pulse of a session is so many equal steps over so long a time."""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A running session, and what it does at the moment."""

    session: SessionRow
    call: OpenCall | None
    """The tool call that started last among those that run, a sub-agent's too."""
    calls: int
    """How many tool calls run."""
    agents: int
    """How many sub-agents run."""
    waiting: bool
    """Whether the model has answered and the next word is the user's."""
    tasks: Count | None
    """How much of its to-do list is done; None if it has none."""
    pulse: tuple[int, ...]
    """Responses and tool calls in each of PULSE_STEPS steps of the last PULSE_FOR, oldest first."""


def running_now(connection: Reader, chosen: Filter, *, now: dt.datetime, limit: int = 20) -> list[LiveSession]:
    """Sessions with a row in the last five minutes, the latest first; `now` is UTC without a zone.

    Of the filter everything counts but its days and its text: what runs, runs now.
    """
    rows = live_sessions(connection, chosen, now=now, limit=limit)
    if not rows:
        return []
    from .subagents import subagents_of
    from .tasks import counts
    from .threads import threads_of

    ids = [row.session_id for row in rows]
    threads = threads_of(connection, ids, live=ids, now=now)
    busy = [agent.session_id for agent in subagents_of(connection, ids, threads) if agent.status == "running"]
    pulses = _pulses(connection, ids, now)
    listed = counts(connection, ids)
    found = []
    for row in rows:
        calls = [call for call in threads.running if call.session_id == row.session_id]
        pulse = tuple(pulses[row.session_id])
        own = threads.threads.get((row.session_id, None))
        agents = busy.count(row.session_id)
        waiting = not calls and not agents and own is not None and own.is_done and own.last_at == row.ended_at
        found.append(
            LiveSession(
                row, calls[0] if calls else None, len(calls), agents, waiting, listed.get(row.session_id), pulse
            )
        )
    return found


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
