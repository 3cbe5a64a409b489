"""Which day it is, and the choices of days."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from ..queries.filters import Filter

Span = tuple[dt.date | None, dt.date | None]
"""A first and a last day, both counted; None: no end on that side."""


Hours = tuple[dt.datetime, dt.datetime]
"""The beginning of the first hour and the end of the last, on the clock of a zone."""


@dataclass(frozen=True, slots=True)
class Range:
    """A choice of days."""

    label: str
    """As it is shown, and as it is remembered."""
    span_on: Callable[[dt.date], Span] = field(compare=False)
    """The days it stands for on a day."""
    hours_at: Callable[[dt.datetime], Hours] | None = field(compare=False, default=None)
    """Which hours of them it stands for at a moment, on the clock of a zone; None: all."""


def _last(days: int) -> Callable[[dt.date], Span]:
    return lambda today: (today - dt.timedelta(days=days - 1), None)


def _yesterday(today: dt.date) -> Span:
    day = today - dt.timedelta(days=1)
    return day, day


def _week(today: dt.date) -> Span:
    return today - dt.timedelta(days=today.weekday()), None


def last_hours(hours: int) -> Range:
    """So many hours of the clock, the one that runs included."""

    def at(now: dt.datetime) -> Hours:
        end = now.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
        return end - dt.timedelta(hours=hours), end

    days = -(-hours // 24)
    return Range(f"{hours} hours", lambda today: (today - dt.timedelta(days=days), None), at)


def one_hour(begins: dt.datetime) -> Range:
    """An hour of a day, on the clock of a zone."""
    begins = begins.replace(minute=0, second=0, microsecond=0)
    day, end = begins.date(), begins + dt.timedelta(hours=1)
    return Range(f"{begins:%Y-%m-%d %H:00}", lambda _: (day, day), lambda _: (begins, end))


def bucket(begins: dt.datetime, granularity: str) -> Range:
    """What a bar stands for that begins at a moment: an hour, a day, a week or a month."""
    day = begins.date()
    if granularity == "hour":
        return one_hour(begins)
    if granularity == "week":
        return _between(day, day + dt.timedelta(days=6))
    if granularity == "month":
        return _between(day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1]))
    return _between(day, day)


TODAY = Range("today", lambda today: (today, None))
ALL = Range("all days", lambda _: (None, None))
THIRTY = Range("30 days", _last(30))
RANGES = (
    TODAY,
    Range("yesterday", _yesterday),
    last_hours(24),
    Range("this week", _week),
    Range("this month", lambda today: (today.replace(day=1), None)),
    Range("7 days", _last(7)),
    THIRTY,
    Range("90 days", _last(90)),
    Range("365 days", _last(365)),
    ALL,
)
"""In the order in which they are offered; weeks begin on Monday, and days until today include it."""

HOW = "or type 14 days · 6 hours · 2026-03 · 2026-01-05 to 2026-02-28"
"""How other days are asked for."""

_MOST_DAYS = 36_500
_TO = re.compile(r"\s*(?:\.\.|\bto\b|\s)\s*")


def typed(text: str) -> Range | None:
    """The days that somebody typed: a number of them, a day, a month, a year, or from and to; None if it is none.

    "14 days", "14", "6 hours", "2026-01-05", "2026-01-05 14:00", "2026-01", "2026", "2026-01-05 to 2026-02-28",
    "2026-01-05 .." and ".. 2026-01-05".
    """
    text = text.strip().lower()
    hours = re.fullmatch(r"(\d{1,4})\s*(?:h|hours?)", text)
    if hours and int(hours[1]) > 0:
        return last_hours(int(hours[1]))
    hour = re.fullmatch(r"(\S+)[ t](\d{1,2}):00", text)
    if hour:
        day = _period(hour[1])
        is_one = day is not None and day[0] == day[1] and int(hour[2]) < 24
        return one_hour(dt.datetime.combine(day[0], dt.time(int(hour[2])))) if day and is_one else None
    number = re.fullmatch(r"(\d{1,5})\s*(?:d|days?)?", text)
    # Four digits alone are a year.
    if number and not re.fullmatch(r"\d{4}", text) and 0 < int(number[1]) <= _MOST_DAYS:
        days = int(number[1])
        return Range(f"{days} days" if days > 1 else "today", _last(days))
    if ".." not in text and " " not in text:
        whole = _period(text)
        return whole and _between(*whole)
    first, _, last = (part.strip() for part in _TO.sub("\0", text, count=1).partition("\0"))
    begins, ends = _period(first), _period(last)
    if (first and not begins) or (last and not ends) or not (begins or ends):
        return None
    since, until = begins and begins[0], ends and ends[1]
    return None if since and until and since > until else _between(since, until)


def _between(since: dt.date | None, until: dt.date | None) -> Range:
    if since == until:
        label = str(since)
    elif until is None:
        label = f"since {since}"
    else:
        label = f"{since} to {until}" if since else f"until {until}"
    return Range(label, lambda _: (since, until))


def _period(text: str) -> tuple[dt.date, dt.date] | None:
    """The first and last day of a day, a month or a year."""
    parts = re.fullmatch(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", text)
    if not parts:
        return None
    year, month, day = (int(part) if part else None for part in parts.groups())
    try:
        assert year is not None
        if not 1970 <= year <= 2199:
            return None
        if month is None:
            return dt.date(year, 1, 1), dt.date(year, 12, 31)
        if day is None:
            return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])
        return dt.date(year, month, day), dt.date(year, month, day)
    except ValueError:
        return None


def range_named(label: str) -> Range | None:
    """The choice that is shown in these words; None if there is none."""
    offered = next((choice for choice in RANGES if choice.label == label), None)
    return offered or typed(label.removeprefix("since ") + " .." if label.startswith("since ") else _reversed(label))


def _reversed(label: str) -> str:
    return f".. {label.removeprefix('until ')}" if label.startswith("until ") else label


def day_at(now: dt.datetime, zone: dt.tzinfo) -> dt.date:
    """Which day it is in a zone. `now` is UTC without a zone."""
    return now.replace(tzinfo=dt.UTC).astimezone(zone).date()


def holds_until(zone: str, before: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """When the day ends in a zone, or, where the last hours are asked for, the hour (`before`, a filter's).

    What was told at `now` of what is known is told in the same words until then, if nothing runs. In UTC, without a
    zone, as what is given.
    """
    if before is not None and before > now:
        return before
    there = ZoneInfo(zone)
    tomorrow = day_at(now, there) + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, dt.time(), there).astimezone(dt.UTC).replace(tzinfo=None)


def first_range(fixed: Filter, remembered: Range | None = None) -> Range:
    """The choice that the dashboard begins with: a filter that names days leaves nothing to choose."""
    return ALL if fixed.since or fixed.until else remembered or THIRTY


def holding(day: dt.date, today: dt.date) -> Range:
    """The first choice from 30 days on that has a day in it."""
    wide = RANGES[RANGES.index(THIRTY) :]
    return next((choice for choice in wide if (choice.span_on(today)[0] or dt.date.min) <= day), ALL)


def ranged(chosen: Filter, fixed: Filter, choice: Range, now: dt.datetime) -> Filter:
    """A filter over the days of a choice, or over those of `fixed`. `now` is UTC without a zone."""
    chosen = chosen.but(after=None, before=None)
    if choice is ALL:
        return chosen.but(since=fixed.since, until=fixed.until)
    zone = ZoneInfo(chosen.zone)
    if choice.hours_at is not None:
        here = now.replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)
        first, end = (
            moment.replace(tzinfo=zone).astimezone(dt.UTC).replace(tzinfo=None) for moment in choice.hours_at(here)
        )
        return chosen.between(first, end)
    since, until = choice.span_on(day_at(now, zone))
    return chosen.but(since=since, until=until)
