"""The Sync tab: is my data fresh, is everything uploaded, does this program see all?

A tab is a `Pane`. `load` runs in a thread: it asks functions of `queries` and returns one frozen value. `show` puts
that value on the screen. The rest is keys and what they do; most end in `refresh_data`, which asks again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from ...queries import servers, sessions, sync, teams, workspaces
from ...queries.cursor import Cursor
from ...queries.filters import Filter
from ...queries.operator import Operated, PersonActivity, operated
from ...queries.servers import ServerHealth
from ...queries.sync import Reject, SourceHealth, StoreFacts, SyncPage, SyncRow, Unknown
from ...queries.workspaces import SnapshotState, SyncTable, TableSums, UploadRow, UploadSums, Workspace
from .. import format as words
from ..factories import misnamed, workspace_places
from ..filter_text import unknown_to_sync
from ..kit.captioned_table import Listing
from ..kit.cards import Cards
from ..kit.lines import StillText
from ..kit.state import PaneState
from ..kit.table import RecordTable
from ..kit.view_strip import ViewStrip
from ..learnt import told_apart
from ..pane import Pane
from ..tabs import Tab
from ..views import HasViews
from . import program
from . import text as told
from .people import PeopleView, nobody
from .program import ProgramData, ProgramView
from .team import NOT_PUSHED, TEAM, caption, pusher

if TYPE_CHECKING:
    from ...queries.store import Reader

PAGE = 200
"""Actions on a page."""

LOW, ROWS_FOR_SOURCES = 30, 4
"""On a screen with fewer rows, or if it has not so many for each source, these are told together."""

_ASCENDING = ("table_id", "workspace")
"""Columns that begin with the smallest when they are first sorted by."""


@dataclass(frozen=True, slots=True)
class SyncPages:
    """Which page of the actions is shown: a cursor for each step back from the newest, under one filter."""

    chosen: Filter
    cursors: tuple[Cursor, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncData:
    """What the tab shows."""

    pages: SyncPages
    actions: SyncPage
    workspaces: list[Workspace]
    tables: list[SyncTable]
    table_sums: TableSums
    uploads: list[UploadRow]
    upload_sums: UploadSums
    people: Operated | None
    """What the people did; None while nobody looks at it."""
    snapshots: list[SnapshotState]
    looked_for: list[str]
    """Where workspaces were looked for, if there are none."""
    rejects: list[Reject]
    rejects_total: int
    unknowns: list[Unknown]
    sources: list[SourceHealth]
    servers: list[ServerHealth]
    store: StoreFacts
    store_bytes: int
    program: ProgramData | None
    """What this program does; None while nobody looks at it."""
    team: list[teams.Pusher]
    """Who pushes into this store, or this machine, if it pushes."""


VIEWS = (
    ("history", "Workspace"),
    ("uploads", "Uploads"),
    ("about", "This program"),
    ("people", "People"),
    ("team", "Team"),
    ("rejects", "Rejects"),
)
"""The views of the tab, as names and titles."""


class SyncPane(Pane[SyncData], HasViews):
    """Figures on top, this program's own health at the bottom; between them the history, or one of two lists."""

    HELP = (
        "The filter is about the actions; of tables and uploads, which are the state of now, all days count. Days, "
        "project, agent, machine, user and session leave actions out; model, sub-agent, branch and version are not "
        "known of them.\n"
        "An update that an agent ran and that the workspace's log tells too is one row. A push looks only at sessions "
        "that were started in the workspace's own folder: others are not counted here."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "older", "Older", tooltip="The next page of actions, further back"),
        Binding("N", "newer", "Newer", tooltip="The page of actions before, closer to now"),
        Binding("R", "reread", "Read again", tooltip="Read the file under the cursor again from its start"),
        Binding("w", "next_part", "Next part", tooltip="The next part of what is told of this program"),
        Binding("escape", "view('history')", "Back", show=False, tooltip="Back to the actions"),
    ]

    def __init__(self, tab: Tab) -> None:
        super().__init__(tab)
        self._data: SyncData | None = None
        self._pages = SyncPages(Filter())
        self._order = ("changed_at", True)
        self._shows_people = False
        self._first_seen = 0
        """How many actions there were when the first page of them was on the screen."""
        self._shows_program = False
        self._chose_view = False

    def filter_note(self) -> str:
        """Which filters of the other tabs leave this one as it is."""
        return unknown_to_sync(self.dashboard.chosen)

    def compose(self) -> ComposeResult:
        """The state in words, which the machinery of panes shows and hides, and the content."""
        self._order = self.dashboard.choices.order("sync", told.TABLES, self._order)
        yield ViewStrip(VIEWS, "history").add_class("-always")
        yield PaneState()
        yield Cards()
        with ContentSwitcher(initial="history"):
            with Horizontal(id="history"):
                with Vertical(id="actions-side"):
                    yield Listing(told_apart(told.ACTIONS), id="actions", sorts=False)
                    yield StillText(id="action", markup=False)
                yield Listing(told.TABLES, id="tables", sort=self._order)
            yield Listing(told.UPLOADS, id="uploads")
            yield ProgramView(id="about")
            yield PeopleView(id="people")
            yield Listing(told.REJECTS, id="rejects")
            yield Listing(TEAM, id="team")
        program = StillText(id="program", markup=False)
        program.border_title = "this program"
        yield program

    # -- asking and showing --------------------------------------------------------------------------------------

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> SyncData:
        """Everything, in one reading of the store. Runs in a thread: no widget is touched."""
        pages = self._pages if self._pages.chosen == chosen else SyncPages(chosen)
        cursor = pages.cursors[-1] if pages.cursors else None
        order, descending = self._order
        tables, table_sums = workspaces.list_tables(connection, chosen, order=order, descending=descending)
        uploads, upload_sums = workspaces.list_uploads(connection, chosen)
        places = workspaces.workspaces(connection)
        roots = sync.sources(connection)
        shows_program = self._shows_program or not (places or self._chose_view)
        sources = list(self.dashboard.settings.source)
        return SyncData(
            pages=pages,
            actions=sync.list_sync(connection, chosen, cursor=cursor, limit=PAGE, now=now),
            workspaces=places,
            people=operated(connection, chosen, now=now, today=self._today(now)) if self._shows_people else None,
            snapshots=workspaces.list_snapshots(connection, chosen),
            looked_for=[] if places else sources or workspace_places(sessions.count_projects(connection)),
            tables=tables,
            table_sums=table_sums,
            uploads=uploads,
            upload_sums=upload_sums,
            rejects=sync.rejects(connection, text=chosen.text),
            rejects_total=sync.count_rejects(connection, text=chosen.text),
            unknowns=sync.unknowns(connection),
            sources=roots,
            program=program.asked(connection, roots, now) if shows_program else None,
            servers=servers.servers(connection),
            store=sync.store_facts(connection),
            store_bytes=self.dashboard.store.bytes_on_disk(),
            team=teams.pushers(connection) or teams.this_machine(connection, self.dashboard.store.path),
        )

    @property
    def asks_for(self) -> Hashable:
        """The page of actions, and the order of the tables."""
        return (self._pages, self._order)

    def show(self, data: SyncData) -> None:
        """Put it on the screen. Tables keep cursor and scroll by the keys of their records."""
        self._data = data
        look = self._look()
        self.query_one(Cards).show(told.cards(data.workspaces, data.table_sums, data.upload_sums, look))
        if not data.pages.cursors:
            self._first_seen = data.actions.total
        self._listing("actions").table.use_columns(told_apart(told.ACTIONS))
        self._listing("actions").show(
            [told.action(row, look) for row in data.actions.rows],
            caption=told.actions_caption(
                data.actions,
                before=PAGE * len(data.pages.cursors),
                newer=max(0, data.actions.total - self._first_seen),
            ),
            nothing=self._why_no_actions(data),
        )
        self._listing("tables").show(
            [told.table(row, look) for row in data.tables],
            caption=told.tables_caption(data.table_sums, len(data.tables)),
            nothing=self._or_filtered("No tables are pulled."),
        )
        self._listing("tables").display = bool(data.workspaces)
        self._listing("tables").table.mark_sort(*self._order)
        self._listing("uploads").show(
            [told.upload(row, look) for row in data.uploads],
            caption=told.uploads_caption(data.upload_sums, len(data.uploads)),
            nothing=self._or_filtered("No session was started in a workspace's folder. Escape goes back."),
        )
        self._listing("rejects").show(
            [told.reject(row, look) for row in data.rejects],
            caption=told.rejects_caption(len(data.rejects), data.rejects_total, data.unknowns),
            nothing=self._or_filtered(told.nothing_rejected(data.unknowns)),
        )
        team = [pusher(row, look) for row in data.team]
        self._listing("team").show(team, caption=caption(data.team), nothing=NOT_PUSHED)
        if data.people is not None:
            nothing = self._or_filtered(nobody(data.people, all_days=self.dashboard.chosen.since is None))
            self.query_one(PeopleView).show(data.people, look, nothing=nothing)
        self._show_action()
        self._show_program(data)
        is_void = not data.workspaces and not data.team and not self.dashboard.is_reading
        if is_void and not self._chose_view and self.view == "history":
            # Of a workspace that is not there, there is little to see.
            focused = self.has_focus_within
            self._turn_to("about")
            if focused:
                self.take_focus()
        self.refresh_bindings()

    def _today(self, now: dt.datetime) -> dt.date:
        return words.local(now, self.dashboard.zone).date()

    def _look(self) -> told.SyncLook:
        return told.SyncLook(self.dashboard.now(), self.dashboard.zone, self.app.theme_variables)

    def _listing(self, name: str) -> Listing:
        return self.query_one(f"#{name}", Listing)

    def _or_filtered(self, sentence: str) -> str:
        """Why a list is empty: because of the filter, if there is one."""
        chosen = self.dashboard.chosen
        if self.text or chosen.project or chosen.session_id or chosen.user:
            return "Nothing here matches the filters. Escape drops them."
        return sentence

    def _why_no_actions(self, data: SyncData) -> str:
        dashboard = self.dashboard
        if dashboard.is_reading:
            return f"Still reading. {dashboard.reading_words}"
        if data.workspaces:
            return self._or_filtered("No sync activity in these days. Press r for a longer range.")
        return self._or_filtered(told.no_workspace(data.looked_for))

    def _show_action(self) -> None:
        """The action under the cursor, in full."""
        row = self._selected("actions")
        line = self.query_one("#action", StillText)
        line.display = isinstance(row, SyncRow)
        if isinstance(row, SyncRow):
            line.update(Text(told.action_in_full(row, self._look())))

    def _show_program(self, data: SyncData) -> None:
        """What this program has read: all of it in its own view, below the others a line for each source, or one."""
        look = self._look()
        facts = told.store(data.store, data.store_bytes, data.rejects_total, data.unknowns)
        facts = " · ".join([*misnamed(self.dashboard.settings), facts])
        if data.program is not None:
            costs = self.dashboard.costs.rows()
            self.query_one(ProgramView).show(data.sources, data.program, costs, facts, look)
        grid = Table.grid(padding=(0, 2, 0, 0))
        low = self.app.size.height < LOW
        if low or not 0 < len(data.sources) <= self.app.size.height // ROWS_FOR_SOURCES:
            grid.add_row(words.cell(told.sources_in_one(data.sources, look)))
        else:
            for source in told.sources(data.sources, look):
                grid.add_row(*map(words.cell, source))
        for server in data.servers:
            cells = told.server(server, look)
            if low:
                grid.add_row(Text.assemble(*(part for cell in cells for part in (cell, " · ") if cell), end=""))
            else:
                grid.add_row(*cells)
        lines = []
        if data.snapshots and not low:
            line = words.clean(told.snapshots_line(data.snapshots, look))
            lines.append(Text(line, no_wrap=True, overflow="ellipsis"))
        self.query_one("#program", StillText).update(
            Group(grid, *lines, Text(words.clean(facts), no_wrap=low, overflow="ellipsis"))
        )

    def on_resize(self) -> None:
        """More room, or less."""
        if self._data is not None:
            self._show_program(self._data)

    # -- keys ----------------------------------------------------------------------------------------------------

    @property
    def view(self) -> str:
        """What is between the figures and the strip, one of VIEWS."""
        return self.query_one(ContentSwitcher).current or "history"

    @property
    def first_focus(self) -> Widget | None:
        """The table of the view."""
        if self.view == "about":
            return self.query_one(ProgramView).first_focus
        return self._listing({"history": "actions", "people": "people-list"}.get(self.view, self.view)).table

    def _selected(self, name: str) -> object:
        """What the record under the cursor of a list is about; None if there is none."""
        record = self._listing(name).table.selected
        return None if record is None else record.data

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does anything now; those that do not are not in the footer, and Escape is left to the app."""
        if action == "view":
            return self.view != "history"
        if action == "next_part":
            return self.view == "about" and self.query_one(ProgramView).parts.is_single
        if action in ("older", "newer"):
            data = self._data
            if data is None or self.view != "history":
                return False
            return data.actions.older is not None if action == "older" else bool(data.pages.cursors)
        if action == "reread":
            return self.view == "rejects" and self._selected("rejects") is not None
        return super().check_action(action, parameters)

    @property
    def views(self) -> list[tuple[str, str]]:
        """The views, as names and titles."""
        return list(VIEWS)

    async def on_view_strip_chosen(self, message: ViewStrip.Chosen) -> None:
        """A view was clicked."""
        message.stop()
        await self.show_view(message.name)

    async def action_view(self, name: str) -> None:
        """Back to the history."""
        await self.show_view(name)

    async def show_view(self, name: str) -> None:
        """Show the history or one of the lists."""
        self._chose_view = True
        self._turn_to(name)
        self.take_focus()
        if self.view in ("people", "about"):
            self.refresh_data()
            self.await_view(self.view)
        self.refresh_bindings()

    def _turn_to(self, name: str) -> None:
        self.query_one(ContentSwitcher).current = name
        self.query_one(ViewStrip).active = name
        # What its own view tells in full needs no line below.
        self.set_class(name == "about", "-about")
        self._shows_people, self._shows_program = name == "people", name == "about"

    def action_next_part(self) -> None:
        """On a small screen, the next part of what is told of this program."""
        self.query_one(ProgramView).parts.go_on()

    def action_older(self) -> None:
        """The next page of actions, further back."""
        data = self._data
        if data is not None and data.actions.older is not None:
            self._turn(SyncPages(data.pages.chosen, (*data.pages.cursors, data.actions.older)))

    def action_newer(self) -> None:
        """The page of actions before, closer to now."""
        data = self._data
        if data is not None:
            # A key pressed twice is two pages, even if the first of them is not loaded yet.
            asked = self._pages if self._pages.chosen == data.pages.chosen else data.pages
            self._turn(SyncPages(asked.chosen, asked.cursors[:-1]))

    def _turn(self, pages: SyncPages) -> None:
        self._pages = pages
        self._listing("actions").table.move_cursor(row=0)
        self.refresh_data()

    @on(RecordTable.SortRequested)
    def _sort(self, message: RecordTable.SortRequested) -> None:
        key, descending = self._order
        again = message.column_key == key
        self._resort((message.column_key, not descending if again else message.column_key not in _ASCENDING))

    def _resort(self, order: tuple[str, bool]) -> None:
        self._order = order
        self.dashboard.choices.note_order("sync", order)
        self.refresh_data()

    def action_reread(self) -> None:
        """Have the file under the cursor read again from its start."""
        row = self._selected("rejects")
        if isinstance(row, Reject):
            started = self.dashboard.reread(row.path)
            said = "Reading again" if started else "This dashboard reads no files (--no-ingest)"
            self.app.notify(told.place(row.path), title=said, markup=False)

    @on(RecordTable.RecordHighlighted)
    def _highlighted(self) -> None:
        self._show_action()
        self.refresh_bindings()

    @on(RecordTable.RecordSelected)
    def _open(self, message: RecordTable.RecordSelected) -> None:
        """Enter: a reject's raw bytes, or the session of an action or an upload."""
        row = message.record.data
        if isinstance(row, Reject):
            from .reject import RejectScreen

            self.app.push_screen(RejectScreen(row))
        elif isinstance(row, PersonActivity) and row.username is not None:
            self.dashboard.choose(user=row.username)
        elif isinstance(row, SyncRow | UploadRow) and row.session_id:
            from ..sessions.detail import SessionScreen

            self.app.push_screen(SessionScreen(row.session_id))
