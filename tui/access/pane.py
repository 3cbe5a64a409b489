"""The Data access tab: what data did the agent touch, did it work?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from ...queries.access import GROUPS, OUTCOMES, AccessRow, Which
from ...queries.access_sums import AccessPage
from ...queries.filters import Filter
from .. import format as words
from ..kit.cards import Cards
from ..kit.lines import StillText
from ..kit.sections import Sections
from ..kit.state import PaneState
from ..kit.table import RecordTable
from ..kit.view_strip import ViewStrip
from ..learnt import told_apart
from ..pane import Pane
from ..tabs import Tab
from ..views import HasViews
from . import text as told
from .data import AccessData, AccessOptions, ask
from .side import AccessDetail
from .table import COLUMNS, AccessTable
from .text import AccessLook
from .views import SORTED, AccessSummary, ToolStatistics

if TYPE_CHECKING:
    from ...queries.store import Reader

LOW = 30
"""A screen with fewer rows tells less of the access under the cursor."""

VIEWS = (("list", "List"), ("summary", "Summary"), ("tools", "Tools"))
"""The views of the tab, as names and titles."""

_COME = {
    "data accesses": "queries, files and pages that an agent reads or writes appear here",
    "tool calls": "how often each tool is used, fails and takes long appears here",
}


class AccessPane(Pane[AccessData], HasViews):
    """Figures on top; below them the list with one access in full, the summary, or the statistics of tools."""

    HELP = (
        "Durations run from the call to its result: they include the wait for your permission. Where the Agnes server "
        "logged a query, its own numbers are shown.\n"
        "Failed is what went wrong, denied what you or a rule refused. Remote is what another machine was asked for."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "next_group", "Type", tooltip="Show all accesses, or only " + ", ".join(GROUPS)),
        Binding("x", "next_outcome", "Results", tooltip="Show all results, or only " + ", ".join(OUTCOMES)),
        Binding("n", "older", "Older", tooltip="The next page of accesses, further back"),
        Binding("N", "newer", "Newer", tooltip="The page of accesses before, closer to now"),
        Binding("w", "next_section", "Next part", tooltip="Go on to the next part of the summary or of the statistics"),
        Binding("o", "open_session", "Session", tooltip="Open the session of the access"),
        Binding("y", "copy_sql", "Copy", show=False, tooltip="Copy the SQL, without one the command"),
        Binding("escape", "view('list')", "Back", show=False, tooltip="Back to the list of accesses"),
    ]

    def __init__(self, tab: Tab) -> None:
        super().__init__(tab)
        self._options = AccessOptions()
        self._data: AccessData | None = None
        self._first_seen = 0
        """How many accesses there were when the first page of them was on the screen."""
        self._land: int | None = None
        """The row on which the cursor is to land on the page that was asked for."""

    def compose(self) -> ComposeResult:
        """The state in words, the figures, and the three views."""
        tables, tools = self._kept_order("tables"), self._kept_order("tools")
        self._options = replace(self._options, tables=tables, tools=tools)
        yield ViewStrip(VIEWS, "list").add_class("-always")
        yield PaneState()
        with Vertical(id="access-body"):
            yield Cards(id="access-cards")
            with ContentSwitcher(initial="access-list"):
                with Container(id="access-list"):
                    with Vertical(id="access-rows"):
                        yield StillText(id="access-strip", markup=False)
                        yield AccessTable(told_apart(COLUMNS), id="accesses")
                        yield StillText(id="access-caption", markup=False)
                    yield AccessDetail(can_focus=False)
                yield AccessSummary(self._options.tables, key="w", id="access-summary")
                yield ToolStatistics(self._options.tools, key="w", id="access-tools")

    # -- asking and showing --------------------------------------------------------------------------------------

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> AccessData:
        """The figures, and what the view on the screen shows. Runs in a thread."""
        return ask(connection, self._options, chosen, now)

    @property
    def asks_for(self) -> Hashable:
        """View, filters, page and orders."""
        return replace(self._options, paged=None)

    def has_rows(self, data: AccessData) -> bool:
        """Whether the view has anything to show."""
        return data.has_rows

    def show_again(self, data: AccessData) -> None:
        """Nothing: of accesses the day and the time of day are told, and what runs goes on by itself."""

    def show(self, data: AccessData) -> None:
        """Put it on the screen."""
        self._data = data
        land = None
        if data.asked is self._options:
            # Otherwise the user has gone on since, and the next answer is under way.
            self._options = data.options
            land, self._land = self._land, None
        self.query_one(ContentSwitcher).current = f"access-{data.options.view}"
        self.query_one(ViewStrip).active = data.options.view
        if data.has_rows:
            self._show_view(data, land)
        else:
            self.query_one(PaneState).set("empty", self._why_empty(data))
        self.refresh_bindings()

    def _show_view(self, data: AccessData, land: int | None) -> None:
        look = self._look()
        cards = self.query_one("#access-cards", Cards)
        if data.tool_sums is not None:
            cards.show(told.tool_cards(data.tool_sums))
            self.query_one(ToolStatistics).show(data.tools, data.trends, order=data.options.tools, look=look)
        elif data.sums is not None:
            cards.show(told.cards(data.sums))
            if data.page is not None:
                self._show_list(data, data.page, data.sums.accesses, land)
            elif data.summary is not None:
                axis, order = self._axis(data), data.options.tables
                summary = self.query_one(AccessSummary)
                summary.show(data.summary, data.days, axis, sums=data.sums, order=order, look=look)

    def _show_list(self, data: AccessData, page: AccessPage, total: int, land: int | None) -> None:
        table = self._fill(page, total)
        if land is not None:
            table.move_cursor(row=land % len(page.rows))
        if not data.options.pages:
            self._first_seen = total
        parts = [
            told.pages(page, total, max(0, total - self._first_seen)),
            *(told for _, told in _own(data.options.which)),
        ]
        caption = Text(" · ".join(parts), no_wrap=True, overflow="ellipsis")
        self.query_one("#access-caption", StillText).update(caption)
        self._show_strip(data)
        self._show_detail()

    def _fill(self, page: AccessPage, total: int) -> AccessTable:
        look = self._look()
        table = self.query_one(AccessTable)
        table.use_columns(told_apart(COLUMNS))
        table.show([told.access(row, look) for row in page.rows], total=total)
        return table

    @property
    def grows(self) -> bool:
        """Whether an access on the screen runs."""
        page = self._data.page if self._data is not None else None
        return page is not None and any(row.result == "running" for row in page.rows)

    def tick(self) -> None:
        """Tell anew for how long the accesses on the screen that run have been running."""
        if self._data is not None and self._data.page is not None and self.grows:
            self._fill(self._data.page, self.query_one(AccessTable).total)

    def _show_strip(self, data: AccessData) -> None:
        strip = self.query_one("#access-strip", StillText)
        width = strip.content_size.width or self.size.width - 2
        strip.update(told.strip(data.days, self._axis(data), data.top, width, self._look().today))

    def _show_detail(self) -> None:
        """The access under the cursor, in full."""
        detail = self.query_one(AccessDetail)
        roomy = self.app.size.height >= LOW
        detail.set_class(not roomy, "-tight")
        detail.show_access(self._selected, self._look(), all_facts=roomy)

    def _look(self) -> AccessLook:
        return AccessLook(self.dashboard.now(), self.dashboard.zone, self.app.theme_variables)

    def _axis(self, data: AccessData) -> list[dt.date]:
        return told.days_between(data.days, data.chosen, self._look().today)

    def _why_empty(self, data: AccessData) -> str:
        dashboard, chosen = self.dashboard, data.chosen
        if dashboard.is_reading:
            return f"Still reading your sessions. {dashboard.reading_words}"
        things = "tool calls" if data.options.view == "tools" else "data accesses"
        if data.store_is_empty:
            places = " and ".join(dashboard.looked_in)
            looked = f" Looked in {places}." if places else ""
            return f"No {things} yet: {_COME[things]}.{looked}\nSee it with made-up data: agnes-stats --demo"
        narrowed = chosen.but(since=None, until=None) != Filter(zone=chosen.zone) or self.own_filters()
        if narrowed:
            return f"No {things} match these filters. Press Escape to clear them."
        return f"No {things} in these days. Press r for a longer range."

    def on_resize(self) -> None:
        """More room, or less."""
        self.call_after_refresh(self._show_in_room)

    def _show_in_room(self) -> None:
        # Of what is there by then: another answer may have come.
        data = self._data
        if data is not None and data.page is not None and data.has_rows:
            self._show_strip(data)
            self._show_detail()

    # -- choosing ------------------------------------------------------------------------------------------------

    @property
    def first_focus(self) -> Widget | None:
        """What the view is about. The keys of the tab are heard there even while there is nothing to see."""
        if self._options.view == "list":
            return self.query_one(AccessTable)
        return self.query_one(f"#access-{self._options.view}", Sections).current.content

    @property
    def _selected(self) -> AccessRow | None:
        record = self.query_one(AccessTable).selected
        return record.data if record is not None and isinstance(record.data, AccessRow) else None

    def own_filters(self) -> list[tuple[str, str]]:
        """The filters that the line does not say for every tab. Tools have other ones than accesses."""
        own = [] if self._options.view == "tools" else _own(self._options.which)
        return [*own, *super().own_filters()]

    def drop_own(self, name: str) -> None:
        """Show what one filter of this tab leaves out."""
        super().drop_own(name)
        if name in _WHICH:
            self._options = replace(self._options, which=replace(self._options.which, **{name: None}), pages=())

    def _choose(self, **changes: Any) -> None:
        """Change what is shown, and say so in the line of filters."""
        self._options = replace(self._options, **changes)
        self.dashboard.choose()

    def _narrow(self, **changes: Any) -> None:
        view = "list" if self._options.view == "tools" else self._options.view
        self._choose(which=replace(self._options.which, **changes), pages=(), view=view)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does anything now; those that do not are not in the footer, and Escape is left to the app."""
        view, page = self._options.view, self._data.page if self._data else None
        if action == "view":
            return view != "list"
        if action == "older":
            return view == "list" and page is not None and page.older is not None
        if action == "newer":
            return view == "list" and bool(self._options.pages)
        if action == "next_section":
            return view != "list" and self._data is not None and self._data.has_rows
        if action in ("open_session", "copy_sql"):
            return view == "list" and page is not None and self._selected is not None
        return super().check_action(action, parameters)

    @property
    def views(self) -> list[tuple[str, str]]:
        """The views, as names and titles."""
        return list(VIEWS)

    @property
    def view(self) -> str:
        """The one that is shown, or asked for."""
        return self._options.view

    async def show_view(self, name: str) -> None:
        """Show a view."""
        self._choose(view=name)
        self.await_view(name)

    def show_table(self, name: str) -> None:
        """Only what read or wrote a table."""
        self._choose(which=Which(table=name), pages=(), view="list")

    async def on_view_strip_chosen(self, message: ViewStrip.Chosen) -> None:
        """A view was clicked."""
        message.stop()
        await self.show_view(message.name)

    async def action_view(self, name: str) -> None:
        """Back to the list."""
        await self.show_view(name)

    def action_next_group(self) -> None:
        """Only the next group of actions."""
        self._narrow(group=_after(self._options.which.group, list(GROUPS)), action=None)

    def action_next_outcome(self) -> None:
        """Only the next kind of result."""
        self._narrow(outcome=_after(self._options.which.outcome, list(OUTCOMES)))

    def action_older(self) -> None:
        """The next page, further back."""
        data = self._data
        if data is not None and data.page is not None and data.page.older is not None and self._land is None:
            self._land = 0
            self._options = replace(self._options, pages=(*data.options.pages, data.page.older))
            self.refresh_data()

    def action_newer(self, land: int = 0) -> None:
        """The page before, closer to now."""
        if self._options.pages and self._land is None:
            self._land = land
            self._options = replace(self._options, pages=self._options.pages[:-1])
            self.refresh_data()

    @on(AccessTable.Beyond)
    def _beyond(self, message: AccessTable.Beyond) -> None:
        message.stop()
        if message.older:
            self.action_older()
        else:
            self.action_newer(-1)

    def action_next_section(self) -> None:
        """Go on to the next part."""
        self.query_one(f"#access-{self._options.view}", Sections).go_on()

    @on(RecordTable.SortRequested)
    def _sort(self, message: RecordTable.SortRequested) -> None:
        message.stop()
        name = "tables" if self._options.view == "summary" else "tools"
        order, descending = getattr(self._options, name)
        key = message.column_key
        self._resort(name, (key, not descending if key == order else key != "name"))

    def _resort(self, name: str, order: tuple[str, bool]) -> None:
        self.dashboard.choices.note_order(name, order)
        self._choose(**{name: order})

    def _kept_order(self, name: str) -> tuple[str, bool]:
        usual: tuple[str, bool] = getattr(self._options, name)
        return self.dashboard.choices.order(name, SORTED[name], usual)

    # -- rows ----------------------------------------------------------------------------------------------------

    @on(RecordTable.RecordHighlighted)
    def _highlighted(self, message: RecordTable.RecordHighlighted) -> None:
        message.stop()
        if isinstance(message.table, AccessTable):
            self._show_detail()
            self.refresh_bindings()

    @on(RecordTable.RecordSelected)
    def _open(self, message: RecordTable.RecordSelected) -> None:
        """Enter: an access in full, or the accesses of a row of the summary."""
        message.stop()
        chosen = message.record.data
        if isinstance(chosen, AccessRow):
            from .detail import AccessScreen

            self.app.push_screen(AccessScreen(chosen, self._look()))
        elif isinstance(chosen, Which):
            fields = ("place", "action", "table", "file")
            changes = {name: getattr(chosen, name) for name in fields if getattr(chosen, name) is not None}
            self._choose(which=replace(self._options.which, **changes), pages=(), view="list")

    def action_open_session(self) -> None:
        """Open the session of the access under the cursor."""
        if self._selected is not None:
            told.open_session(self.app, self._selected.session_id)

    def action_copy_sql(self) -> None:
        """Copy what was asked."""
        if self._selected is not None:
            told.copy(self.app, self._selected)


_WHICH = ("group", "outcome", "place", "action", "table", "file")
"""The fields of `Which`, in the order in which they are told."""


def _own(which: Which) -> list[tuple[str, str]]:
    """What is asked for besides the filter of all panes, as fields and words."""
    found = [(name, getattr(which, name)) for name in _WHICH]
    named = ("table", "file")
    return [(name, words.clean(f"{name} {value}" if name in named else value, 40)) for name, value in found if value]


def _after(value: str | None, values: list[str]) -> str | None:
    """The value after this one; None before the first and after the last."""
    following = [None, *values, None]
    return following[following.index(value) + 1]
