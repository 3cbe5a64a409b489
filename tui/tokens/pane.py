"""The Tokens tab: key figures, and below them one of several views."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from ...queries.filters import Filter
from ...queries.timing import METRICS
from ...queries.trends import GRANULARITIES, LONGEST_BY_HOUR
from .. import budget_text as budget_words
from .. import format as words
from ..filter_text import FIELDS
from ..kit.cards import Cards
from ..kit.lines import StillText
from ..kit.state import PaneState
from ..kit.table import Record, RecordTable
from ..kit.view_strip import ViewStrip
from ..pane import Pane
from ..tabs import Tab
from ..views import HasViews
from . import head
from .agents import Agents
from .caching import Caching
from .head import HeadData
from .limits import Limits
from .overview import Overview, OverviewData
from .panels import Panels
from .rhythm import Rhythm
from .timing import Timing
from .tools import Tools
from .view import DIMENSIONS, WIDE, Question, TokenView, ViewOptions, dimensions, keep_options, kept_options

if TYPE_CHECKING:
    from ...queries.store import Reader

VIEWS: tuple[type[TokenView[Any]], ...] = (Overview, Timing, Rhythm, Limits, Agents, Caching, Tools, Panels)
CONSOLE = "console"
"""What stands beside the views and is a screen of its own."""
_VIEW_ACTIONS = frozenset().union(*(view.ACTIONS for view in VIEWS))

_FIELD_OF = {"username": "user", "git_branch": "branch"}
"""Dimensions whose field of the filter has another name."""


@dataclass(frozen=True, slots=True)
class TokensData:
    """An answer with its question: the figures, and what the view asked for."""

    question: Question
    head: HeadData
    detail: Any
    is_provisional: bool = False
    """Whether the figures are of what is not all in the store yet."""


class TokensPane(Pane[TokensData], HasViews):
    """Tokens and money: how much, over time, for what, and by whom."""

    EMPTY = "No tokens yet: use a coding agent, and what its sessions take is counted here."
    HELP = "Enter on a row shows only that row's model, project, agent, branch or session; Backspace takes that back."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "measure", "Measure", tooltip="Count money or tokens; in Timing: time, turns or speed"),
        Binding("b", "by", "Break down by", tooltip="Stack and list by the next of: " + ", ".join(DIMENSIONS.values())),
        Binding("B", "by(-1)", "Break down by", show=False, tooltip="Stack and list by the one before"),
        Binding("h", "granularity", "Hour/day/week", tooltip="Bars by day, week or month; by hour up to seven days"),
        Binding("w", "table", "Next part", show=False, tooltip="On a low screen: groups, or the biggest sessions"),
        Binding("escape", "overview", "Back", show=False, tooltip="Back to the overview"),
    ]

    def __init__(self, tab: Tab) -> None:
        super().__init__(tab)
        self._options = ViewOptions()
        self._shown: TokensData | None = None
        self._head: tuple[object, HeadData] | None = None
        """The figures that were asked for last, and how."""

    def compose(self) -> ComposeResult:
        """The figures, the views, and one line of notes."""
        self._options = kept_options(self.dashboard.choices)
        names = [(view.NAME, view.TITLE) for view in VIEWS]
        yield ViewStrip([*names, (CONSOLE, "SQL")], Overview.NAME).add_class("-always")
        yield PaneState()
        with Vertical(id="tokens-body"):
            yield Cards(id="figures")
            yield StillText(id="kinds", markup=False)
            with ContentSwitcher(initial=f"tokens-{ViewOptions().view}"):
                for view in VIEWS:
                    yield view()
            yield StillText(id="warning", markup=False)
            yield StillText(id="notes", markup=False)

    # -- asking and showing --------------------------------------------------------------------------------------

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> TokensData:
        """The figures, and what the view on the screen asks for."""
        dashboard = self.dashboard
        here = now.replace(tzinfo=dt.UTC).astimezone(dashboard.zone).replace(tzinfo=None)
        cost, width = not dashboard.settings.no_cost, dashboard.size.width
        settings = dashboard.settings
        question = Question(chosen, self._options, now, here, cost, width, settings.budget if cost else None, settings)
        view = self._view(question.options.view)
        with dashboard.reading_soon(chosen) as soon:
            figures = head.ask(soon, question) if soon is not None else self._figures(connection, question)
            if soon is not None and view.told_soon(question):
                question, connection = replace(question, is_soon=True), soon
            return TokensData(question, figures, view.ask(connection, question), soon is not None)

    def _figures(self, connection: Reader, question: Question) -> HeadData:
        """The figures: those at hand, if only what is shown below them is another."""
        asked = self._stamp, question.chosen, question.here.date(), question.cost, question.budget
        if self._head is None or self._head[0] != asked:
            self._head = asked, head.ask(connection, question)
        return self._head[1]

    @property
    def asks_for(self) -> Hashable:
        """View, grouping and order."""
        return self._options

    def has_rows(self, data: TokensData) -> bool:
        """Whether anything is selected."""
        return data.head.period.responses > 0

    def stands(self, data: TokensData) -> bool:
        """Whether the view's answer does, and is not told ahead of the store; the figures over it are of days."""
        return not data.is_provisional and self._view(data.question.options.view).STANDS

    def show_again(self, data: TokensData) -> None:
        """Nothing: no view that stands tells how long ago things are."""

    def show(self, data: TokensData) -> None:
        """The key figures and the view that is chosen, or why there is nothing."""
        self._shown = data
        self.refresh_bindings()
        if not self.has_rows(data):
            self._say_why_empty(data)
            return
        self._show_figures(data)
        name = data.question.options.view
        switcher = self.query_one(ContentSwitcher)
        moved = switcher.current != f"tokens-{name}"
        switcher.current = f"tokens-{name}"
        view = self._view(name)
        view.present(data.detail, data.question)
        self._say("#warning", budget_words.warning(data.head.budget))
        if moved:
            self.take_focus()

    def _say(self, line: str, told: str) -> None:
        widget = self.query_one(line, StillText)
        widget.update(Text(words.clean(told), no_wrap=True, overflow="ellipsis"))
        widget.display = bool(told)

    def _show_figures(self, data: TokensData) -> None:
        width = self.app.size.width
        self.query_one("#figures", Cards).show(head.cards(data.head, data.question, width))
        line = Text(no_wrap=True, overflow="ellipsis")
        for label, value in head.kinds(data.head, brief=width < head.KINDS_NARROW):
            line.append(f"{label} ", style="dim")
            line.append(f"{value}   ")
        self.query_one("#kinds", StillText).update(line)
        # The line has a blank on each side.
        self._say("#notes", head.notes(data.head, data.question, width - 2, is_provisional=data.is_provisional))

    def _say_why_empty(self, data: TokensData) -> None:
        if self.dashboard.is_reading:
            return
        if data.head.store_is_empty:
            places = " and ".join(self.dashboard.looked_in)
            looked = f" Looked in {places}." if places else ""
            self.query_one(PaneState).set("empty", f"{self.EMPTY}{looked} See it with made-up data: agnes-stats --demo")
        elif data.question.chosen.since is not None and not self._is_filtered(data.question.chosen):
            self.query_one(PaneState).set("empty", "No tokens in these days. Press r for a longer range.")

    def _is_filtered(self, chosen: Filter) -> bool:
        return bool(chosen.text) or any(getattr(chosen, field) is not None for field in FIELDS)

    def on_resize(self) -> None:
        """Figures for another width; a screen that has become wide is told more."""
        if self._shown is not None and self.has_rows(self._shown):
            self._show_figures(self._shown)
            if (self._shown.question.width >= WIDE) != (self.app.size.width >= WIDE):
                self.refresh_data()

    def _view(self, name: str) -> TokenView[Any]:
        return self.query_one(f"#tokens-{name}", TokenView)

    @property
    def first_focus(self) -> Widget | None:
        """What the view wants to have the focus."""
        return self._view(self._options.view).first_focus

    # -- choosing ------------------------------------------------------------------------------------------------

    def _choose(self, **changes: Any) -> None:
        self._options = replace(self._options, **changes)
        keep_options(self.dashboard.choices, self._options)
        self.refresh_bindings()
        self.refresh_data()

    @property
    def views(self) -> list[tuple[str, str]]:
        """The views, as names and titles."""
        return [(view.NAME, view.TITLE) for view in VIEWS]

    @property
    def view(self) -> str:
        """The one that is shown, or asked for."""
        return self._options.view

    async def show_view(self, name: str) -> None:
        """Show a view; the SQL console is a screen of its own."""
        if name == CONSOLE:
            self.dashboard.action_console()
            return
        self.query_one(ViewStrip).active = name
        self._choose(view=name)
        self.await_view(name)

    async def on_view_strip_chosen(self, message: ViewStrip.Chosen) -> None:
        """A view was clicked."""
        message.stop()
        await self.show_view(message.name)

    async def action_overview(self) -> None:
        """Back to the first view."""
        await self.show_view(Overview.NAME)

    def action_measure(self) -> None:
        """Money, or tokens; where times are shown, the next kind of them."""
        if self._options.view == Timing.NAME:
            now = METRICS.index(self._options.timing)
            self._choose(timing=METRICS[(now + 1) % len(METRICS)])
            return
        other = "total_tokens" if self._options.measure == "cost_usd" else "cost_usd"
        self._choose(measure=other, order=None, descending=True)

    def action_by(self, step: int = 1) -> None:
        """Break down by the next dimension, or one further on."""
        names = dimensions()
        place = names.index(self._options.by) if self._options.by in names else 0
        by = names[(place + step) % len(names)]
        self._choose(by=by, order=None, descending=True)

    def choose_dimension(self, name: str) -> None:
        """Break down by a dimension."""
        self._choose(by=name, order=None, descending=True)

    def action_granularity(self) -> None:
        """Bars by the next granularity that the range allows."""
        shown = self._shown
        if shown is None or not isinstance(shown.detail, OverviewData):
            return
        first, last = shown.head.first, shown.head.last
        hours = first is not None and last is not None and (last - first).days < LONGEST_BY_HOUR
        allowed = [name for name in GRANULARITIES if hours or name != "hour"]
        now = self._options.granularity or shown.detail.over_time.granularity
        place = allowed.index(now) if now in allowed else -1
        self._choose(granularity=allowed[(place + 1) % len(allowed)])

    def on_record_table_sort_requested(self, message: RecordTable.SortRequested) -> None:
        """Sort by a column; by the same one again, the other way round."""
        now = self._options.order or (self._shown.question.measure if self._shown else None)
        again = message.column_key == now
        self._choose(order=message.column_key, descending=not self._options.descending if again else True)

    def action_table(self) -> None:
        """What a low screen has no room for, in place of something else."""
        view = self._view(self._options.view)
        view.switch_table()
        self.take_focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something in the view now; Escape belongs to the app on the first one."""
        view = next(view for view in VIEWS if self._options.view == view.NAME)
        if action == "overview":
            return view is not Overview
        if action not in _VIEW_ACTIONS:
            return super().check_action(action, parameters)
        if action not in view.ACTIONS or self._shown is None or not self.has_rows(self._shown):
            return False
        if action == "table":
            return self._view(view.NAME).has_other_table
        return not (action == "measure" and self.dashboard.settings.no_cost and view is not Timing)

    # -- filters -------------------------------------------------------------------------------------------------

    def on_record_table_record_selected(self, message: RecordTable.RecordSelected) -> None:
        """Show only what the row is about."""
        self._filter_by(message.record)

    def _filter_by(self, record: Record) -> None:
        if not isinstance(record.data, tuple):
            return
        by, value, name = record.data
        field = str(_FIELD_OF.get(by, by))
        if value is None:
            self.app.notify(f"There is no filter for rows {words.clean(name)}.", markup=False)
            return
        if field == "session_id":
            self.dashboard.session_title = name
        self.dashboard.choose(**{field: value})
