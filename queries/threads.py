"""The threads of sessions: each one's own conversation and those of its sub-agents, and which calls run now.

The questions here are many and small, because planning one large question takes DuckDB longer than asking ten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .money import exact_sum
from .token_kinds import unpriced

if TYPE_CHECKING:
    from .store import Reader

LIVE_FOR = dt.timedelta(minutes=5)
"""A session with a row this recent is running."""

THREAD = "coalesce(subagent_id, CASE WHEN is_sidechain THEN '' END)"
"""SQL for the thread of a response or call: NULL is the session's own, '' a sub-agent's that left no name."""

IDS = "(SELECT unnest($ids))"
"""SQL for the sessions in the list parameter `$ids`."""


@dataclass(frozen=True, slots=True)
class Thread:
    """The responses of one thread. Times are UTC without a zone; cost is USD, None where unpriced."""

    session_id: str
    thread: str | None
    subagent_name: str | None
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    last_key: str | None
    """The latest response."""
    last_stop: str | None
    """Why the latest response ended."""
    responses: int
    tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int

    @property
    def is_done(self) -> bool:
        """Whether the latest response says that there is no more to do."""
        return self.last_stop == "end"


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A tool call without a result."""

    session_id: str
    id: str
    thread: str | None
    response_key: str | None
    name: str
    detail: str | None
    started_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class _Turning:
    """When a session was last interrupted, and last prompted."""

    session_id: str
    interrupted_at: dt.datetime | None
    prompted_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Threads:
    """The threads of some sessions at a moment."""

    now: dt.datetime
    threads: Mapping[tuple[str, str | None], Thread]
    running: tuple[OpenCall, ...]
    """The calls that run, the latest first."""
    prompted_at: Mapping[str, dt.datetime] = field(default_factory=dict)
    """When each session was last prompted, as far as it was."""

    def goes_on(self, session_id: str, thread: str) -> bool:
        """Whether a sub-agent in the background still works: it has spoken lately, and was not done."""
        known = self.threads.get((session_id, thread))
        if known is None or known.last_at is None or known.is_done:
            return False
        return abs(self.now - known.last_at) <= LIVE_FOR


_THREADS = f"""
    SELECT * EXCLUDE (latest), latest.key AS last_key, latest.stop AS last_stop FROM (
        SELECT session_id, {THREAD} AS thread, any_value(subagent_name) AS subagent_name, min(ts) AS first_at,
            max(coalesce(ended_at, ts)) AS last_at, count(*) FILTER (is_answer) AS responses,
            arg_max({{'key': key, 'stop': stop_reason}}, (coalesce(ts, '-infinity'::TIMESTAMP), pos))
                FILTER (kind = 'turn') AS latest,
            sum(total_tokens)::BIGINT AS tokens, {exact_sum("cost_usd")} AS cost_usd,
            coalesce(sum(total_tokens) FILTER {unpriced()}, 0)::BIGINT AS unpriced_tokens,
            count(*) FILTER (output_undercounted) AS undercounted
        FROM responses WHERE session_id IN {IDS} GROUP BY session_id, thread
    )
"""

_OPEN = f"""
    SELECT session_id, id, {THREAD} AS thread, response_key, name, detail, ts AS started_at
    FROM tool_calls WHERE session_id IN {IDS} AND is_error IS NULL AND name IS NOT NULL
    ORDER BY ts DESC, pos DESC, id DESC
"""

_TURNINGS = f"""
    SELECT session_id, max(ts) FILTER (kind = 'interrupt') AS interrupted_at,
        max(ts) FILTER (kind = 'prompt') AS prompted_at
    FROM (
        SELECT session_id, kind, ts FROM events WHERE session_id IN {IDS}
        UNION ALL SELECT session_id, kind, ts FROM prompts WHERE session_id IN {IDS}
    ) GROUP BY session_id
"""


def threads_of(connection: Reader, ids: Collection[str], *, live: Collection[str], now: dt.datetime) -> Threads:
    """The threads of the sessions `ids`, of which `live` are running; `now` is UTC without a zone.

    A call without a result runs if its session does and nothing shows that it is over: its thread has not gone on to
    another response, nobody interrupted the session since, and, in the session's own thread, nobody typed a new prompt.
    """
    asked = {"ids": list(ids)}
    threads = {(row.session_id, row.thread): row for row in connection.ask(Thread, _THREADS, asked)}
    waiting = [call for call in connection.ask(OpenCall, _OPEN, asked) if call.session_id in live]
    turnings = {row.session_id: row for row in connection.ask(_Turning, _TURNINGS, asked)} if live else {}
    running = tuple(call for call in waiting if _runs(call, threads, turnings.get(call.session_id)))
    prompted = {key: row.prompted_at for key, row in turnings.items() if row.prompted_at is not None}
    return Threads(now, threads, running, prompted)


def _runs(call: OpenCall, threads: Mapping[tuple[str, str | None], Thread], turning: _Turning | None) -> bool:
    thread = threads.get((call.session_id, call.thread))
    if call.started_at is None or (thread is not None and thread.last_key != call.response_key):
        return False
    if turning is None:
        return True
    over = [turning.interrupted_at, turning.prompted_at if call.thread is None else None]
    return not any(moment is not None and moment > call.started_at for moment in over)
