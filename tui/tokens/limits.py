"""What is left: the official limits of the plans, and the budgets."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget

from ...queries import budget, plan_limits
from ...queries.budget import Budget
from ...queries.plan_limits import PlanLimit, Sample
from .. import budget_text, limit_text
from .. import format as words
from ..factories import budgets_of
from ..kit.chart import PlotextChart
from ..kit.lines import StillText
from ..kit.palette import widget_ink
from ..kit.plots import Trend
from ..kit.series import Series
from ..kit.table import Column, Record
from . import text as phrases
from .records import TokenTable
from .view import Question, TokenView

if TYPE_CHECKING:
    from ...queries.store import Reader

_BAR = 20
_SHORT = 48
"""Hours of the course of a window of five: of more nobody could tell one from the next."""

_COLUMNS = (
    Column("name", "Limit", 12),
    Column("agent", "Agent", 12, min_screen=80),
    Column("account", "Plan", 12, min_screen=110),
    Column("used", "Used", 7, "right"),
    Column("bar", "", _BAR, min_screen=115),
    Column("resets_at", "Resets", 16),
    Column("verdict", "At this pace"),
    Column("as_of", "As of", 15, min_screen=70),
)


@dataclass(frozen=True, slots=True)
class LimitsData:
    """The limits as they are now, how they came there, and the budgets."""

    limits: tuple[PlanLimit, ...]
    history: tuple[Sample, ...]
    budgets: tuple[Budget, ...]


class Limits(TokenView[LimitsData]):
    """A table of limits, their course over eight days, and a line of each budget."""

    NAME = "limits"
    TITLE = "Limits"
    STANDS = False

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[LimitsData, Question] | None = None

    def compose(self) -> ComposeResult:
        """The table, the chart and the budgets."""
        yield StillText(id="limits-none", classes="about", markup=False)
        yield TokenTable(_COLUMNS, id="limits-table")
        yield PlotextChart(id="limits-days", classes="chart", empty="Nothing was told in the last eight days.")
        yield StillText(id="limits-budgets", classes="about", markup=False)

    def ask(self, connection: Reader, question: Question) -> LimitsData:
        """All of it: a limit is an account's, whatever is filtered but agent, machine and user."""
        chosen, now = question.chosen, question.now
        amounts = budgets_of(question.settings) if question.cost and question.settings is not None else {}
        return LimitsData(
            tuple(plan_limits.limits(connection, chosen, now=now)),
            tuple(plan_limits.history(connection, chosen, now=now)),
            tuple(budget.budgets(connection, chosen, amounts, now=now)),
        )

    @property
    def first_focus(self) -> Widget | None:
        """The table."""
        table = self.query_one("#limits-table")
        return table if table.display else None

    def show(self, data: LimitsData, question: Question) -> None:
        """The plan's limits with how much is used by day, or how to have them told; and the budgets."""
        none, table = self.query_one("#limits-none", StillText), self.query_one("#limits-table", TokenTable)
        chart = self.query_one("#limits-days", PlotextChart)
        none.display = not data.limits
        table.display = chart.display = bool(data.limits)
        none.update(Text(limit_text.INVITATION))
        table.show([self._record(limit, number, question) for number, limit in enumerate(data.limits)])
        self._shown = (data, question)
        self._show_course()
        budgets = self.query_one("#limits-budgets", StillText)
        budgets.update(Text("\n".join(budget_text.sentence(one) for one in data.budgets)))
        budgets.display = bool(data.budgets)

    def on_record_table_record_highlighted(self, message: TokenTable.RecordHighlighted) -> None:
        """The chart is about the limit under the cursor."""
        message.stop()
        self._show_course()

    def _show_course(self) -> None:
        if self._shown is None or not self._shown[0].limits:
            return
        data, question = self._shown
        selected = self.query_one("#limits-table", TokenTable).selected
        limit = selected.raw if selected is not None and isinstance(selected.raw, PlanLimit) else data.limits[0]
        is_short = limit.window == "five_hour"
        shown = _SHORT if is_short else plan_limits.CHART_DAYS * 24
        used = plan_limits.by_hour(data.history, limit, now=question.now)[-shown:]
        hours = [question.here - dt.timedelta(hours=shown - 1 - number) for number in range(shown)]
        chart = self.query_one("#limits-days", PlotextChart)
        span = f"{_SHORT} hours" if is_short else f"{plan_limits.CHART_DAYS} days"
        chart.border_title = f"{_name(limit, data.limits)}: how much was used, the last {span}"
        labels = tuple(words.axis(hours, "hour", question.here))
        line = Series(_name(limit, data.limits), tuple(used))
        chart.show(Trend((line,), labels, unit=limit_text.percent, area=True))

    def _record(self, limit: PlanLimit, number: int, question: Question) -> Record:
        used = limit.used_percentage
        told = words.NONE if used is None else limit_text.percent(used)
        style = "dim" if limit.stale else "bold" if used is not None and used >= 80 else ""
        share = min((used or 0.0) / 100, 1.0)
        ink = widget_ink(self)
        since = words.relative(limit.as_of, question.now)
        if limit.stale:
            since += ", stale" if used is not None else ""
        return Record(
            f"{limit.agent} {limit.machine} {limit.username} {limit.limit_id} {limit.window}",
            {
                "name": limit_text.name(limit.window, limit.account),
                "agent": words.clean(limit.agent, 12) or words.NONE,
                "account": words.clean(limit.account, 12) or words.NONE,
                "used": Text(told, style=style),
                "bar": phrases.share_bar(share, _BAR, ink, number % len(ink.series)) if share else "",
                "resets_at": words.when(limit.resets_at, question.now, question.zone),
                "verdict": verdict(limit, question),
                "as_of": since,
            },
            None,
            limit,
        )


def verdict(limit: PlanLimit, question: Question) -> Text:
    """Whether it lasts, in words: "lasts until reset", "full 16:40, 2h 20m too early", "reset since, 40 % before"."""
    if limit.used_percentage is None:
        return Text(f"reset since, {limit_text.percent(limit.last_used)} before", style="dim", end="")
    if limit.used_percentage >= 100:
        until = "" if limit.resets_at is None else f" until {words.when(limit.resets_at, question.now, question.zone)}"
        return Text(f"over{until}", style="bold", end="")
    full = limit.projected_full_at
    if full is None:
        is_told = limit.has_pace and not limit.stale
        return Text("lasts until reset" if is_told else "not known yet", style="" if is_told else "dim", end="")
    told = f"full {words.when(full, question.now, question.zone)}"
    if limit.resets_at is not None and limit.resets_at > full:
        told += f", {words.duration((limit.resets_at - full).total_seconds())} too early"
    return Text(told, style="bold", end="")


def _name(limit: PlanLimit, limits: tuple[PlanLimit, ...]) -> str:
    name = limit_text.name(limit.window, limit.account)
    return f"{words.clean(limit.agent, 12)} {name}" if len({one.agent for one in limits}) > 1 else name
