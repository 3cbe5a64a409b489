"""How the Tokens tab says things: names of groups, sums, ranges of time."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from ...queries.filters import Filter
from ...queries.tokens import TokenSums
from ...queries.trends import Granularity
from .. import format as words
from .. import marks
from ..kit.palette import Ink
from ..ranges import bucket
from .view import DIMENSIONS, Question

_DAY_OF_MODEL = re.compile(r"[-@](20\d{6})(?!\d)")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def compared(now: float | None, before: float | None) -> str:
    """How much more than before: "+12 %", or "17×" where percents say little; "" without anything to compare with."""
    if now is not None and before is not None and now >= 10 * before > 0:
        return f"{words.count(now / before)}×"
    return words.change(now, before)


def total(sums: TokenSums) -> str:
    """All tokens, marked where some of them are a lower bound."""
    return marks.tokens(sums.total_tokens, sums.undercounted)


def output(sums: TokenSums) -> str:
    """Output tokens, marked where some of them are a lower bound."""
    return marks.tokens(sums.output_tokens, sums.undercounted)


def group_name(by: str, name: str | None) -> str:
    """A group as people call it."""
    if name is None:
        return f"(no {DIMENSIONS[by]})"
    if by == "model":
        return words.model(name)
    return words.project(name) if by == "project" else words.clean(name)


def group_names(by: str, names: Sequence[str | None]) -> list[str]:
    """Groups as people call them, told apart: of two models of one name the days they are of, or all of their names."""
    told = [group_name(by, name) for name in names]
    for longer in (_dated, words.clean) if by == "model" else ():
        # A model that is in two rows, at two speeds, is one.
        shown = Counter(dict(zip(names, told, strict=True)).values())
        told = [longer(name) if name and shown[short] > 1 else short for name, short in zip(names, told, strict=True)]
    return told


def _dated(model: str) -> str:
    """A model's short name with the day it is of: "sonnet-4.5 20250929"; one without a day is the latest."""
    day = _DAY_OF_MODEL.search(model)
    return f"{words.model(model)} {day[1]}" if day else words.model(model)


def day_in_words(day: dt.date, today: dt.date) -> str:
    """ "Tue Nov 18", "Tue Nov 18 2025"."""
    return f"{_WEEKDAYS[day.weekday()]} {words.day(day, today)}"


def bucket_in_words(bucket: dt.datetime, granularity: Granularity, today: dt.date) -> str:
    """A bucket in full: "Tue Nov 18", "Mon Nov 17 to Sun Nov 23", "Tue Nov 18, 14:00 to 15:00", "Nov 2025"."""
    if granularity == "month":
        return words.month(bucket)
    if granularity == "week":
        return f"{day_in_words(bucket, today)} to {day_in_words(bucket + dt.timedelta(days=6), today)}"
    if granularity == "hour":
        return f"{day_in_words(bucket, today)}, {bucket:%H}:00 to {bucket + dt.timedelta(hours=1):%H}:00"
    return day_in_words(bucket, today)


_RUNNING: dict[Granularity, str] = {"hour": "this hour", "day": "today", "week": "this week", "month": "this month"}


def running(buckets: Sequence[dt.datetime], granularity: Granularity, question: Question) -> tuple[int, str] | None:
    """The bucket that is not over yet, as its index and its name; None if the days end before it."""
    here = question.here
    if not buckets or here < buckets[-1]:
        return None
    if granularity == "hour":
        is_over = here >= buckets[-1] + dt.timedelta(hours=1)
    else:
        _, last_day = bucket(buckets[-1], granularity).span_on(here.date())
        is_over = last_day is not None and here.date() > last_day
    return None if is_over else (len(buckets) - 1, _RUNNING[granularity])


def span_in_words(chosen: Filter, today: dt.date) -> str:
    """The days of a filter: "30 days", "to Nov 01", "all days"."""
    if chosen.after is not None and chosen.before is not None:
        return words.plural(round((chosen.before - chosen.after).total_seconds() / 3600), "hour")
    if chosen.since is None:
        return "all days" if chosen.until is None else f"to {words.day(chosen.until, today)}"
    days = ((chosen.until or today) - chosen.since).days + 1
    return words.plural(days, "day") if days > 0 else "no days"


def share_bar(share: float, width: int, ink: Ink, series: int) -> Text:
    """A low bar of at most `width` cells, in the colour of a chart's series; what is not 0 shows."""
    halves = max(round(min(share, 1.0) * width * 2), 1 if share > 0 else 0)
    _, color = ink.fill(series)
    return Text("▄" * (halves // 2) + "▖" * (halves % 2), style=Style(color=color.rich_color), no_wrap=True, end="")
