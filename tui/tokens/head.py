"""The key figures over all views of the Tokens tab."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ...queries import caching, tokens, trends
from ...queries.budget import Budget, of_month
from ...queries.filters import Filter
from ...queries.tokens import DayTokens
from ...queries.trends import Period
from .. import format as words
from .. import marks
from ..kit.cards import Card
from . import text as phrases
from .view import Question

if TYPE_CHECKING:
    from ...queries.store import Reader

_RECENT = 7
"""Days of the trend beside today."""


NARROW = 100
"""A screen narrower than this, in columns, gets the figures in brief."""
KINDS_NARROW = 112
"""So narrow a one tells the kinds of tokens by short names."""
_ALL_CARDS = 130
"""One of so many columns has room for all of them with their notes."""


@dataclass(frozen=True, slots=True)
class HeadData:
    """The figures of a selection, of the period before it (None if it has no first day), and of today."""

    period: Period
    before: Period | None
    today: Period | None
    """None where the filter's days end before today, or begin after it."""
    days: tuple[DayTokens, ...]
    """Days with a response, oldest first."""
    first: dt.date | None
    last: dt.date | None
    """The range shown; None without a day."""
    saved_usd: float | None
    unpriced: tuple[tuple[str, int], ...]
    """Models without a price, and their tokens."""
    store_is_empty: bool
    budget: Budget | None
    """The running month's; None without one."""


def ask(connection: Reader, question: Question) -> HeadData:
    """The figures of a question."""
    chosen, today = question.chosen, question.here.date()
    period = trends.period(connection, chosen)
    earlier = trends.period_before(chosen, today)
    span = trends.days_of(connection, chosen, today)
    models = tokens.by_group(connection, chosen, "model") if period.unpriced_tokens else []
    return HeadData(
        period=period,
        before=trends.period(connection, earlier) if earlier else None,
        today=trends.period(connection, chosen.but(since=today, until=today)) if _has(chosen, today) else None,
        days=tuple(tokens.by_day(connection, chosen)),
        first=span[0] if span else None,
        last=span[1] if span else None,
        saved_usd=caching.saved(connection, chosen) if question.cost else None,
        unpriced=tuple((row.name or "", row.unpriced_tokens) for row in models if row.unpriced_tokens),
        store_is_empty=not period.responses and trends.is_empty(connection),
        budget=None if question.budget is None else of_month(connection, chosen, today, question.budget),
    )


def cards(head: HeadData, question: Question, width: int) -> list[Card]:
    """The figures as cards; narrower screens, of `width` columns, get fewer."""
    span = phrases.span_in_words(question.chosen, question.here.date())
    spend, used = _spend(head, span), _tokens(head, span)
    first, last = (spend, used) if question.cost else (used, _sessions(head))
    today = [] if head.today is None else [_today(head, head.today, question)]
    cache = _cache(head, question)
    if width < NARROW:
        return [first, *today, last, cache]
    shown = [first, *today, _per_day(head, question), cache, _output(head), last]
    return shown if width >= _ALL_CARDS else [card for card in shown if card.label != "Output share"]


def kinds(head: HeadData, *, brief: bool) -> list[tuple[str, str]]:
    """The tokens by kind, and the sessions: labels and values."""
    sums, cache = head.period, "Cache" if brief else "Cache read"
    return [
        ("In" if brief else "Input", words.count(sums.input_tokens)),
        ("Out" if brief else "Output", phrases.output(sums)),
        (cache, words.count(sums.cache_read_tokens)),
        ("write" if brief else "Cache write", words.count(sums.cache_write_tokens)),
        ("Total", phrases.total(sums)),
        ("Sessions" if brief else "Sessions with tokens", words.count(sums.sessions)),
    ]


def notes(head: HeadData, question: Question, room: int, *, is_provisional: bool = False) -> str:
    """What the figures do not say by themselves: what has no price, what is a lower bound, and what is not all read.

    `room`, in cells, is that of the line.
    """
    sums = head.period

    def told(*, named: bool, brief: bool) -> str:
        legends = marks.legends(
            undercounted=sums.undercounted,
            responses=sums.responses,
            unpriced=sums.unpriced_tokens if question.cost else 0,
            tokens=sums.total_tokens,
            unpriced_models=head.unpriced if named else (),
            elsewhere=sums.billed_elsewhere_tokens if question.cost else 0,
            brief=brief,
        )
        return " · ".join([marks.STILL_READ, *legends] if is_provisional else legends)

    # In as many words as the line has room for: all marks in a few rather than some of them in many.
    ways = (told(named=True, brief=False), told(named=False, brief=False), told(named=False, brief=True))
    return next((way for way in ways if cell_len(way) <= room), ways[-1])


def _trend(
    head: HeadData, value: Callable[[DayTokens], float | None], gap: float | None = 0.0
) -> tuple[float | None, ...]:
    """A value for every day of the range; `gap` for days without a response."""
    if head.first is None or head.last is None:
        return ()
    known = {day.day: value(day) for day in head.days}
    return tuple(known.get(day, gap) for day in _days(head.first, head.last))


def _days(first: dt.date, last: dt.date) -> Sequence[dt.date]:
    return [first + dt.timedelta(days=number) for number in range(min((last - first).days, 4000) + 1)]


def _spend(head: HeadData, span: str) -> Card:
    sums, before = head.period, head.before
    changed = phrases.compared(sums.cost_usd, before.cost_usd if before else None)
    return Card(
        f"Spend {span}",
        marks.cost(sums),
        f"{changed} vs before" if changed else words.plural(sums.responses, "response"),
        _trend(head, lambda day: day.cost_usd),
    )


def _tokens(head: HeadData, span: str) -> Card:
    sums, before = head.period, head.before
    changed = phrases.compared(sums.total_tokens, before.total_tokens if before else None)
    note = f"{changed} vs before" if changed else f"in {span}"
    return Card("Tokens", phrases.total(sums), note, _trend(head, lambda day: day.total_tokens))


def _sessions(head: HeadData) -> Card:
    sums = head.period
    return Card(
        "Sessions",
        words.count(sums.sessions),
        words.plural(sums.responses, "response"),
        _trend(head, lambda day: day.sessions),
    )


def _has(chosen: Filter, day: dt.date) -> bool:
    return (chosen.since is None or chosen.since <= day) and (chosen.until is None or day <= chosen.until)


def _today(head: HeadData, sums: Period, question: Question) -> Card:
    if question.cost:
        value = marks.cost(sums) if sums.responses else words.usd(0)
        trend = _trend(head, lambda day: day.cost_usd)
    else:
        value, trend = phrases.total(sums), _trend(head, lambda day: day.total_tokens)
    used = f"{phrases.total(sums)} tokens" if question.cost else words.plural(sums.sessions, "session")
    note = used if sums.responses else "nothing yet"
    return Card("Today", value, note, trend[-_RECENT:])


def _per_day(head: HeadData, question: Question) -> Card:
    sums, before = head.period, head.before
    days = words.plural(sums.active_days, "active day")
    if question.cost:
        each, earlier = sums.cost_per_active_day, before.cost_per_active_day if before else None
        value = marks.money(each, unpriced=sums.unpriced_tokens, undercounted=sums.undercounted)
        trend = tuple(day.cost_usd for day in head.days)
    else:
        each, earlier = sums.tokens_per_active_day, before.tokens_per_active_day if before else None
        value = marks.tokens(each, sums.undercounted)
        trend = tuple(day.total_tokens for day in head.days)
    changed = phrases.compared(each, earlier)
    return Card("Per active day", value, f"{changed} · {days}" if changed else days, trend)


def _cache(head: HeadData, question: Question) -> Card:
    sums = head.period
    note = f"{words.count(sums.cache_read_tokens)} read"
    if question.cost and head.saved_usd is not None:
        # A cache that is written and never read costs more than it saves.
        verb = "saved" if head.saved_usd >= 0 else "cost"
        note = f"{verb} about {words.usd(abs(head.saved_usd))}"
    return Card(
        "Cache hit", words.percent(sums.cache_hit_ratio), note, _trend(head, lambda day: day.cache_hit_ratio, None)
    )


def _output(head: HeadData) -> Card:
    sums = head.period

    def share(row: DayTokens | Period) -> float | None:
        return row.output_tokens / row.total_tokens if row.total_tokens else None

    return Card(
        "Output share", words.percent(share(sums)), f"{phrases.output(sums)} written", _trend(head, share, None)
    )
