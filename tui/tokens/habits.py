"""When the work is done, in words: the peak hour, the days of the week, the times of the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from ...queries.money import known_usd
from ...queries.rhythm import WeekHour
from .. import format as words
from .. import marks
from ..kit.calendar import WEEKDAYS
from ..kit.spark import bar

PARTS = (("morning", 5, 12), ("afternoon", 12, 17), ("evening", 17, 22), ("night", 22, 5))
"""Times of the day, each with its first hour and the one after its last."""

_BAR = 16


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares of all that was used, by day of the week and by time of the day, and the hour with the most."""

    weekdays: tuple[float, ...]
    """Seven shares of one, from Monday on."""
    parts: tuple[float, ...]
    """One share for each of PARTS."""
    hour: int
    """The hour of the day in which most was used, on all days together."""
    share: float
    """What of all was used in it."""
    total_tokens: int
    """In it."""
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int


def habits(rows: Sequence[WeekHour], *, money: bool) -> Habits | None:
    """What hours of the week come to, in money or in tokens; None where nothing was used."""

    def value(row: WeekHour) -> float:
        return float((row.cost_usd or 0.0) if money else row.total_tokens)

    whole = sum(map(value, rows))
    if not whole:
        return None
    hours = [sum(value(row) for row in rows if row.hour == hour) for hour in range(24)]
    peak = max(range(24), key=hours.__getitem__)
    of_peak = [row for row in rows if row.hour == peak]
    return Habits(
        weekdays=tuple(sum(value(row) for row in rows if row.weekday == day) / whole for day in range(7)),
        parts=tuple(sum(hours[hour] for hour in _hours(first, end)) / whole for _, first, end in PARTS),
        hour=peak,
        share=hours[peak] / whole,
        total_tokens=sum(row.total_tokens for row in of_peak),
        cost_usd=known_usd(row.cost_usd for row in of_peak),
        unpriced_tokens=sum(row.unpriced_tokens for row in of_peak),
        undercounted=sum(row.undercounted for row in of_peak),
    )


def _hours(first: int, end: int) -> Sequence[int]:
    """The hours of a time of the day, which may go past midnight."""
    return [hour % 24 for hour in range(first, end if end > first else end + 24)]


def _peak(told: Habits, *, cost: bool) -> str:
    """ "Peak hour 18:00 to 19:00: 31 %, $18.26, 24.7M tokens"."""
    amounts = [words.percent(told.share, 0), marks.cost(told)] if cost else [words.percent(told.share, 0)]
    used = f"{marks.tokens(told.total_tokens, told.undercounted)} tokens"
    return f"Peak hour {told.hour:02d}:00 to {(told.hour + 1) % 24:02d}:00: {', '.join([*amounts, used])}"


def sentence(told: Habits | None, *, cost: bool) -> str:
    """All of it in a line, what says most first; "" for nothing."""
    if told is None:
        return ""
    day = max(range(7), key=told.weekdays.__getitem__)
    parts = [f"{name} {words.percent(share, 0)}" for (name, _, _), share in zip(PARTS, told.parts, strict=True)]
    return " · ".join(
        [_peak(told, cost=cost), f"most on {WEEKDAYS[day]} ({words.percent(told.weekdays[day], 0)})", *parts]
    )


def panel(told: Habits | None, *, cost: bool, style: str) -> Text:
    """The same as eight lines of bars: days of the week, beside them times of the day; a full bar is all of it.

    `style` is that of bars.
    """
    if told is None:
        return Text("Nothing was used in these days.", style="dim")
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    for number, (day, share) in enumerate(zip(WEEKDAYS, told.weekdays, strict=True)):
        _row(text, f"{day} ", share, style)
        if number < len(PARTS):
            name, first, end = PARTS[number]
            text.append("   ")
            _row(text, f"{name:<9} {first:02d} to {end:02d} ", told.parts[number], style)
        text.append("\n")
    text.append(_peak(told, cost=cost))
    return text


def _row(text: Text, label: str, share: float, style: str) -> None:
    text.append(label)
    text.append(bar(share, _BAR), style=style)
    text.append(f"{words.percent(share, 0):>6}")
