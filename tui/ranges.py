"""Which day it is, and the choices of days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ..queries.filters import Filter


@dataclass(frozen=True, slots=True)
class Range:
    """A choice of days: how many until today, or None for all."""

    label: str
    days: int | None


RANGES = (
    Range("7 days", 7),
    Range("30 days", 30),
    Range("90 days", 90),
    Range("365 days", 365),
    Range("all days", None),
)


def day_at(now: dt.datetime, zone: dt.tzinfo) -> dt.date:
    """Which day it is in a zone. `now` is UTC without a zone."""
    return now.replace(tzinfo=dt.UTC).astimezone(zone).date()


def first_range(fixed: Filter) -> Range:
    """The choice that the dashboard begins with: a filter that names days leaves nothing to choose."""
    return RANGES[-1] if fixed.since or fixed.until else RANGES[1]


def ranged(chosen: Filter, fixed: Filter, choice: Range, now: dt.datetime) -> Filter:
    """A filter over the days of a choice, or over those of `fixed`. `now` is UTC without a zone."""
    if choice.days is None:
        return chosen.but(since=fixed.since, until=fixed.until)
    today = day_at(now, ZoneInfo(chosen.zone))
    return chosen.but(since=today - dt.timedelta(days=choice.days - 1), until=None)
