"""The answer to a query in one of its forms: a table, bars, lines, or stacked bars."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from ...queries.console import Table
from ...queries.console_book import FORMS
from .. import format as words
from ..typed_app import OnDashboard
from .answer_shape import drawing, fitting
from .answer_table import AnswerTable
from .bars import StackedBars
from .chart import PlotextChart
from .plots import Trend

SHOWN = FORMS[1:]
"""Without the one that leaves the choice to the answer."""

_NO_NUMBERS = "Nothing to draw: that takes a column of numbers."
_NOTHING = "Nothing to draw: all of it is 0, negative or NULL."


class AnswerView(OnDashboard, ContentSwitcher):
    """Shows an answer, and draws only what is looked at."""

    DEFAULT_CSS = """
    AnswerView { height: 1fr; }
    AnswerView > * { height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(initial="result", id=id)
        self.table: Table | None = None
        self.form = "table"
        """The one that is shown, one of SHOWN."""

    def compose(self) -> ComposeResult:
        """One widget for each kind of drawing."""
        yield AnswerTable(id="result")
        yield StackedBars(id="bars", classes="chart")
        yield PlotextChart(id="lines", classes="chart")

    @property
    def content(self) -> Widget:
        """What shows it now."""
        return self.query_one(f"#{self.current}")

    def show(self, table: Table, form: str, *, again: bool = False) -> None:
        """Show an answer in one of FORMS; `again`: the same was asked before."""
        self.table = table
        self.form = fitting(table) if form == FORMS[0] else form
        if self.form == "table":
            self.query_one(AnswerTable).show(table, again=again)
            self.current = "result"
            return
        today = words.local(self.dashboard.now(), self.dashboard.zone)
        drawn = drawing(table, self.form, today)
        widget = self.query_one(PlotextChart) if self.form == "lines" else self.query_one(StackedBars)
        self.current = widget.id
        widget.border_title = None if drawn is None else Text(drawn.title)
        widget.border_subtitle = None if drawn is None or not drawn.cut else Text(drawn.cut)
        if isinstance(widget, PlotextChart):
            lines, labels = ((), ()) if drawn is None else (drawn.series, drawn.labels)
            trend = Trend(lines, labels) if drawn is None else Trend(lines, labels, drawn.unit, describe=drawn.describe)
            widget.show(trend, empty=_NO_NUMBERS if drawn is None else _NOTHING)
        elif drawn is None:
            widget.show([], [], empty=_NO_NUMBERS)
        else:
            widget.show(drawn.series, drawn.labels, unit=drawn.unit, describe=drawn.describe, empty=_NOTHING)
