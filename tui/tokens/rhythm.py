"""When the work is done: a year of days, the hours of the week, and five-hour blocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from ...queries import limits, rhythm
from ...queries.budget import Budget, of_month
from ...queries.limits import LimitHit
from ...queries.rhythm import Block, Day, WeekHour
from .. import budget_text as budget_words
from .. import format as words
from .. import marks
from ..kit.calendar import WEEKDAYS, CalendarHeatmap, HourHeatmap
from ..kit.lines import StillText
from ..kit.palette import widget_ink
from ..kit.spark import meter
from ..kit.table import Column, Record
from . import text as phrases
from .habits import habits as habits_of
from .habits import panel, sentence
from .records import BAR, Paint, TokenTable, priced_only
from .view import Question, TokenView

if TYPE_CHECKING:
    from ...queries.store import Reader

MOST_BLOCKS = 100
_LOW = 32
"""A view lower than this, in rows, shows the calendar or the hours."""
_TWO = 100
"""Columns from which the hours stand beside the running block."""
_HABITS = 184
"""Columns from which what the week tells stands beside the year."""
_METER = 24

_COLUMNS = (
    Column("began", "Block", by="started_at"),
    Column("responses", "Responses", 9, "right", 80),
    Column("took", "Took", 8, "right", 66),
    Column("total_tokens", "Tokens", 8, "right"),
    Column("cost_usd", "Cost", 9, "right"),
    Column("rate", "Tokens/min", 10, "right", 84),
    Column("rate_usd", "$/hour", 9, "right", 90),
    Column("bar", "", BAR, min_screen=56),
)


@dataclass(frozen=True, slots=True)
class RhythmData:
    """Days of the last year, hours of the week, and all blocks, the latest first."""

    days: tuple[Day, ...]
    hours: tuple[WeekHour, ...]
    blocks: tuple[Block, ...]
    limit: LimitHit | None
    """The last refusal that still matters."""
    budget: Budget | None


class Rhythm(TokenView[RhythmData]):
    """A calendar, a week, and the blocks."""

    NAME = "rhythm"
    TITLE = "Rhythm"
    STANDS = False
    ACTIONS = frozenset({"measure", "table"})

    def __init__(self) -> None:
        super().__init__()
        self._money = True

    def compose(self) -> ComposeResult:
        """A year, a week, what runs now, and a table."""
        with Horizontal(id="rhythm-year"):
            yield CalendarHeatmap(unit=self._tell, id="rhythm-days", classes="chart")
            yield StillText(id="rhythm-habits", classes="chart", markup=False)
        with Horizontal(id="rhythm-week"):
            yield HourHeatmap(unit=self._tell, id="rhythm-hours", classes="chart")
            yield StillText(id="rhythm-now", classes="chart", markup=False)
        yield StillText(id="rhythm-sentence", classes="about", markup=False)
        yield StillText(id="rhythm-brief", classes="about", markup=False)
        yield TokenTable(priced_only(_COLUMNS, self.shows_cost), id="rhythm-blocks")

    def told_soon(self, question: Question) -> bool:  # noqa: ARG002
        """Always: it is of nothing but what responses took."""
        return True

    def ask(self, connection: Reader, question: Question) -> RhythmData:
        """What was taken by day, by hour of the week, and by block of five hours."""
        chosen, today, budget = question.chosen, question.here.date(), question.budget
        blocks = tuple(rhythm.blocks(connection, chosen))
        running = _running(blocks, question)
        return RhythmData(
            tuple(rhythm.calendar(connection, chosen, today)),
            tuple(rhythm.week_hours(connection, chosen)),
            blocks,
            limits.latest(connection, chosen, now=question.now, block=running.started_at if running else None),
            None if budget is None else of_month(connection, chosen, today, budget),
        )

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < _LOW, "-low")
        self.set_class(event.size.width < _TWO, "-narrow")
        self.set_class(event.size.width >= _HABITS, "-wide")

    def switch_table(self) -> None:
        """On a low screen, the hours in place of the days."""
        self.toggle_class("-hours")

    @property
    def first_focus(self) -> Widget | None:
        """The blocks."""
        return self.query_one("#rhythm-blocks")

    # -- showing

    def _tell(self, value: float) -> str:
        return words.usd(value) if self._money else words.count(value)

    def show(self, data: RhythmData, question: Question) -> None:
        """The calendar, the hours of the week, and the blocks, in tokens or in money."""
        self._money = money = question.money
        what = "Spend" if money else "Tokens"

        def value(row: Day | WeekHour) -> float:
            return float((row.cost_usd or 0.0) if money else row.total_tokens)

        days = self.query_one("#rhythm-days", CalendarHeatmap)
        days.show(
            {row.day: value(row) for row in data.days},
            question.here.date(),
            describe=_days_in_words(data, question.here.date(), money),
        )
        days.border_title = f"{what} a day, the last year"
        hours = self.query_one("#rhythm-hours", HourHeatmap)
        grid = [[0.0] * 24 for _ in WEEKDAYS]
        for row in data.hours:
            grid[row.weekday][row.hour] = value(row)
        hours.show(grid)
        span = phrases.span_in_words(question.chosen, question.here.date())
        hours.border_title = f"{what} by hour of the week, {span}"
        habits = habits_of(data.hours, money=money)
        beside = self.query_one("#rhythm-habits", StillText)
        beside.border_title = f"{what} by day and time, {span}: shares of all"
        colour = widget_ink(self).series[0].rich_color.name
        beside.update(panel(habits, cost=question.cost, style=colour))
        line = Text(sentence(habits, cost=question.cost), no_wrap=True, overflow="ellipsis")
        self.query_one("#rhythm-sentence", StillText).update(line)
        now = self.query_one("#rhythm-now", StillText)
        now.border_title = "Five-hour block"
        now.update(_now_in_words(data, question))
        self.query_one("#rhythm-brief", StillText).update(_brief(data, question))
        self._show_blocks(data.blocks, question)

    def _show_blocks(self, blocks: tuple[Block, ...], question: Question) -> None:
        paint = Paint(widget_ink(self), {})
        shown = blocks[:MOST_BLOCKS]
        largest = max((_amount(block, question) for block in shown), default=0.0)
        self.query_one("#rhythm-blocks", TokenTable).show(
            [_record(block, question, paint, largest) for block in shown], total=len(blocks)
        )


@dataclass(frozen=True, slots=True)
class _Marks:
    """What makes marks of amounts that come from several blocks."""

    unpriced_tokens: int
    undercounted: int


def _days_in_words(data: RhythmData, today: dt.date, money: bool) -> Callable[[dt.date], str]:
    known = {row.day: row for row in data.days}

    def describe(day: dt.date) -> str:
        row = known.get(day)
        when = phrases.day_in_words(day, today)
        if row is None:
            return f"{when}: nothing"
        cost = f"{marks.cost(row)} · " if money else ""
        return f"{when}: {cost}{marks.tokens(row.total_tokens, row.undercounted)} tokens"

    return describe


def _amount(block: Block, question: Question) -> float:
    return float((block.cost_usd or 0.0) if question.money else block.total_tokens)


def _span(block: Block, question: Question) -> str:
    """ "Nov 18 13:00 to 18:00" on the clock of the zone."""
    end = words.local(block.ends_at, question.zone)
    return f"{words.when(block.started_at, question.now, question.zone)} to {end:%H:%M}"


def _record(block: Block, question: Question, paint: Paint, largest: float) -> Record:
    now, running = question.now, block.is_running(question.now)
    return Record(
        block.started_at.isoformat(),
        {
            "began": Text(f"{'● ' if running else ''}{_span(block, question)}", style="bold" if running else ""),
            "responses": words.count(block.responses),
            "took": words.duration(block.elapsed(now).total_seconds()),
            "total_tokens": marks.tokens(block.total_tokens, block.undercounted),
            "cost_usd": marks.cost(block),
            "rate": marks.tokens_of(block.tokens_per_minute(now), block),
            "rate_usd": marks.money_of(block.usd_per_hour(now), block),
            "bar": paint.bar(None, _amount(block, question), largest),
        },
        raw=block,
    )


def _running(blocks: tuple[Block, ...], question: Question) -> Block | None:
    return blocks[0] if blocks and blocks[0].is_running(question.now) else None


def _now_in_words(data: RhythmData, question: Question) -> Text:
    """The running block with its pace, a limit that was hit, the budget, and what blocks usually take."""
    text = Text()
    blocks, running = data.blocks, _running(data.blocks, question)
    if running is None:
        text.append("No block is running; the next response begins one.\n", style="dim")
    else:
        _tell_running(text, running, question)
    if data.limit is not None:
        text.append(f"limit        {_hit(data.limit, question)}\n", style="bold")
    if data.budget is not None:
        text.append(f"{budget_words.label(data.budget):<13}", style="" if data.budget.state == "within" else "bold")
        text.append(f"{budget_words.amounts(data.budget)}\n")
    if blocks:
        # There is room for a blank line, but not with all of the others.
        text.append("\n" if data.limit is None or data.budget is None else "")
        largest = max(blocks, key=lambda block: _amount(block, question))
        usual = sum(_amount(block, question) for block in blocks) / len(blocks)
        every = _Marks(sum(block.unpriced_tokens for block in blocks), sum(block.undercounted for block in blocks))
        told = marks.money_of if question.money else marks.tokens_of
        text.append(f"{words.plural(len(blocks), 'block')}, on average {told(usual, every)} each\n")
        text.append(f"largest {told(_amount(largest, question), largest)}, {_span(largest, question)}", style="dim")
    return text


def _hit(limit: LimitHit, question: Question) -> str:
    """ "hit 14:30, until 19:00"."""
    told = f"hit {words.when(limit.at, question.now, question.zone)}"
    if limit.until is None:
        return told
    return f"{told}, {'until' if limit.holds(question.now) else 'over since'} {_clock(limit.until, question)}"


def _clock(moment: dt.datetime, question: Question) -> str:
    """ "19:00", and on another day "Nov 22 19:00"."""
    here = words.local(moment, question.zone)
    day = "" if here.date() == question.here.date() else f"{words.day(here, question.here)} "
    return f"{day}{here:%H:%M}"


def _brief(data: RhythmData, question: Question) -> Text:
    """The same in one line, what is urgent first."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if data.limit is not None and data.limit.holds(question.now):
        text.append(f"limit {_hit(data.limit, question)} · ", style="bold")
    block, now = _running(data.blocks, question), question.now
    if block is None:
        text.append("No five-hour block is running; the next response begins one.")
    else:
        heading = f"{marks.tokens_of(block.projected_tokens(now), block)} tokens"
        if question.cost:
            heading = f"{marks.money_of(block.projected_usd(now), block)} · {heading}"
        text.append(f"● {words.duration((block.ends_at - now).total_seconds())} left · heading for {heading}")
    if data.budget is not None:
        text.append(f" · {budget_words.brief(data.budget)}")
    return text


def _tell_running(text: Text, block: Block, question: Question) -> None:
    now = question.now
    left = (block.ends_at - now).total_seconds()
    text.append(f"● {_span(block, question)}", style="bold")
    text.append(f"   {words.duration(left)} left\n")
    share = (now - block.started_at) / rhythm.BLOCK
    text.append(f"{meter(share, _METER)}  {words.percent(share, 0)} of the time\n")
    used = [f"{marks.tokens(block.total_tokens, block.undercounted)} tokens"]
    rate, heading = block.tokens_per_minute(now), block.projected_tokens(now)
    pace = [f"{marks.tokens_of(rate, block)} tokens/min"]
    goal = [f"{marks.tokens_of(heading, block)} tokens"]
    if question.cost:
        used.insert(0, marks.cost(block))
        pace.insert(0, f"{marks.money_of(block.usd_per_hour(now), block)} an hour")
        goal.insert(0, marks.money_of(block.projected_usd(now), block))
    text.append(f"used         {' · '.join(used)}\n")
    text.append(f"at           {' · '.join(pace)}\n")
    text.append(f"heading for  {' · '.join(goal)}\n")
