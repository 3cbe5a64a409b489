"""How much of a plan's limits is used, as the agents were told by their services, and when they will be full.

A limit is an account's. It has a window that ends at `resets_at`, when all of it is there again. What is known of it is
as old as the last answer of a session: after ten minutes it is called stale, and once its window has ended nobody knows
how much is used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter, Where

if TYPE_CHECKING:
    from .store import Reader

STALE_AFTER = dt.timedelta(minutes=10)
TREND_FOR = dt.timedelta(minutes=60)
"""How far back the samples go through which the line to the full limit is drawn."""

SAME_RESET = dt.timedelta(seconds=120)
"""Ends of windows that differ by less are the same one: some agents reckon it from the seconds that are left."""

CHART_DAYS = 8
"""Samples of the last so many days are charted: a little more than the longest usual window."""

ORDER = ("five_hour", "seven_day")
"""Windows are told in this order, others after them."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was used at a moment. Times are UTC without a zone, shares are per cent."""

    agent: str | None
    machine: str | None
    username: str | None
    account: str | None
    limit_id: str | None
    span: str
    ts: dt.datetime
    used_percentage: float
    resets_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class PlanLimit:
    """One limit as it is now. Times are UTC without a zone; None: not known."""

    agent: str | None
    machine: str | None
    username: str | None
    account: str | None
    """The plan, where the agent tells it, with the name of a limit that not all models share."""
    window: str
    used_percentage: float | None
    """None once the window has ended."""
    resets_at: dt.datetime | None
    as_of: dt.datetime
    stale: bool
    projected_full_at: dt.datetime | None
    """When all of it is used if it goes on as in the last hour; None if not before it is reset."""
    last_used: float
    """What was used when it was told last, whether or not the window has ended since."""
    limit_id: str | None = None
    """The name of a limit that not all models share."""
    has_pace: bool = False
    """Whether its window was told of at least twice, so that something can be said of how it goes on."""

    def turned(self, then: dt.datetime, now: dt.datetime) -> bool:
        """Whether between two moments its window ended, or what was told of it became old."""
        ended = self.resets_at is not None and then < self.resets_at <= now
        return ended or then - self.as_of <= STALE_AFTER < now - self.as_of


_ONE = "agent, machine, username, limit_id, span"
"""SQL of what a limit is known by."""


def limits(connection: Reader, chosen: Filter, *, now: dt.datetime) -> list[PlanLimit]:
    """Every limit that anybody told, as it is now (UTC without a zone): by agent, the shorter windows first.

    Of the filter only agent, machine and user count.
    """
    where = _where(chosen).add("ts <= $now", now=now + STALE_AFTER)
    latest = connection.ask(
        Sample,
        f"SELECT * FROM limit_samples WHERE {where} QUALIFY row_number() OVER "
        f"(PARTITION BY {_ONE} ORDER BY ts DESC, id DESC) = 1",
        where.parameters,
    )
    if not latest:
        return []
    where.add("ts >= $since", since=now - TREND_FOR)
    recent = connection.ask(Sample, f"SELECT * FROM limit_samples WHERE {where} ORDER BY ts, id", where.parameters)
    trends: dict[tuple[object, ...], list[Sample]] = {}
    for sample in recent:
        trends.setdefault(_key(sample), []).append(sample)
    found = [_limit(sample, trends.get(_key(sample), []), now) for sample in latest]
    return sorted(found, key=_place)


def _place(limit: PlanLimit) -> tuple[object, ...]:
    rank = ORDER.index(limit.window) if limit.window in ORDER else len(ORDER)
    told = (limit.agent, limit.machine, limit.username)
    return (*(part or "" for part in told), rank, limit.window, limit.account or "")


def history(connection: Reader, chosen: Filter, *, now: dt.datetime) -> list[Sample]:
    """The last sample of each hour of the last CHART_DAYS days, oldest first."""
    where = _where(chosen).add("ts BETWEEN $since AND $now", since=now - dt.timedelta(days=CHART_DAYS), now=now)
    return connection.ask(
        Sample,
        f"SELECT * FROM limit_samples WHERE {where} QUALIFY row_number() OVER "
        f"(PARTITION BY {_ONE}, time_bucket(INTERVAL 1 HOUR, ts) ORDER BY ts DESC, id DESC) = 1 ORDER BY ts, id",
        where.parameters,
    )


def are_ahead(connection: Reader, *, now: dt.datetime) -> bool:
    """Whether anybody told of a limit at a time that is still to come."""
    return bool(connection.rows("SELECT 1 FROM limit_samples WHERE ts > $now LIMIT 1", {"now": now}))


def by_hour(samples: Sequence[Sample], limit: PlanLimit, *, now: dt.datetime) -> list[float | None]:
    """How much of a limit was used at the end of each hour of the last CHART_DAYS days, as `history` tells it.

    What was told holds until more is told, or the window ends: from then on nobody knows.
    """
    own = [sample for sample in samples if _is_of(sample, limit)]
    hours, at = CHART_DAYS * 24, 0
    found: list[float | None] = []
    last: Sample | None = None
    for number in range(hours):
        end = now - dt.timedelta(hours=hours - 1 - number)
        while at < len(own) and own[at].ts <= end:
            last, at = own[at], at + 1
        over = last is None or (last.resets_at is not None and last.resets_at <= end)
        found.append(None if last is None or over else last.used_percentage)
    return found


def _is_of(sample: Sample, limit: PlanLimit) -> bool:
    told = (sample.agent, sample.machine, sample.username, sample.limit_id, sample.span)
    return told == (limit.agent, limit.machine, limit.username, limit.limit_id, limit.window)


def _where(chosen: Filter) -> Where:
    return Where().by(chosen, {"agent": "agent", "machine": "machine", "user": "username"})


def _key(sample: Sample) -> tuple[object, ...]:
    return (sample.agent, sample.machine, sample.username, sample.limit_id, sample.span)


def _limit(latest: Sample, recent: Sequence[Sample], now: dt.datetime) -> PlanLimit:
    over = latest.resets_at is not None and latest.resets_at <= now
    named = [part for part in (latest.account, latest.limit_id) if part]
    return PlanLimit(
        agent=latest.agent,
        machine=latest.machine,
        username=latest.username,
        account=" · ".join(named) or None,
        window=latest.span,
        used_percentage=None if over else latest.used_percentage,
        resets_at=latest.resets_at,
        as_of=latest.ts,
        stale=over or now - latest.ts > STALE_AFTER,
        projected_full_at=None if over else full_at(recent),
        last_used=latest.used_percentage,
        limit_id=latest.limit_id,
        has_pace=not over and len(recent) > 1 and same_window(recent[-2], latest),
    )


def full_at(samples: Sequence[Sample]) -> dt.datetime | None:
    """When a limit is full, on the straight line through the first and the last sample of its current window.

    `samples` of one limit, oldest first. None for a single one, where nothing grew, where it is full already, and for a
    time after the window's end.
    """
    if not samples:
        return None
    last = samples[-1]
    first = last
    for sample in reversed(samples[:-1]):
        # Less used than before: between them all of it was there again, whatever was said of the end.
        if not same_window(sample, last) or sample.used_percentage > first.used_percentage:
            break
        first = sample
    grown, took = last.used_percentage - first.used_percentage, last.ts - first.ts
    left = 100 - last.used_percentage
    if grown <= 0 or took <= dt.timedelta(0) or left <= 0:
        return None
    try:
        when = last.ts + took * (left / grown)
    except OverflowError:
        return None
    return None if last.resets_at is not None and when > last.resets_at else when


def same_window(one: Sample, other: Sample) -> bool:
    """Whether two samples of a limit are of the same window."""
    if one.resets_at is None or other.resets_at is None:
        return one.resets_at is other.resets_at
    return abs(one.resets_at - other.resets_at) <= SAME_RESET
