"""The list of sessions: what is running, and what did it take?"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.containers import Horizontal, Vertical

from ...queries.filters import Filter, Hit
from ...queries.sessions import SessionRow, SessionTotals
from ...queries.standing import Asked
from .. import format as words
from .. import marks
from ..kit.lines import StillText
from ..kit.palette import parse
from ..kit.state import PaneState
from ..kit.table import Column, Record, RecordTable
from ..learnt import told_apart
from ..live_states import MOST_LIVE, told_states
from ..pane import Pane
from ..ranges import day_at
from ..user_names import user_name
from . import text as told
from .data import FIRST_ORDER, SHOWN, Listed, SessionsData, sessions_data, with_sums
from .now import NowCards
from .side import SessionSide

if TYPE_CHECKING:
    from ...queries.live import LiveSession
    from ...queries.sessions import Processes
    from ...queries.store import Reader
    from ..views import View

COLUMNS = (
    Column("state", "", 1),
    Column("started_at", "Started", 15, sortable=True),
    Column("title", "Title", sortable=True),
    Column("project", "Project", 14, min_screen=104, sortable=True),
    Column("agent", "Agent", 11, min_screen=96, sortable=True),
    Column("machine", "Machine", 10, min_screen=150, sortable=True),
    Column("username", "User", 10, min_screen=100, sortable=True),
    Column("ended_at", "Last active", 15, min_screen=144, sortable=True),
    Column("primary_model", "Model", 10, min_screen=128, sortable=True),
    Column("active_seconds", "Active", 7, "right", min_screen=92, sortable=True),
    Column("wall_seconds", "Wall", 7, "right", min_screen=156, sortable=True),
    Column("user_messages", "Prompts", 7, "right", min_screen=138, sortable=True),
    Column("tool_calls_total", "Tools", 6, "right", min_screen=116, sortable=True),
    Column("tool_errors", "Err", 4, "right", min_screen=116, sortable=True),
    Column("tokens_total", "Tokens", 8, "right", sortable=True),
    Column("cost_usd", "Cost", 8, "right", sortable=True),
)
"""Keys are those of `sessions.ORDERS`: what is shown is what is sorted by."""

_INVITATION = (
    "Start Claude Code anywhere, and the session appears here while it runs.\n"
    "O  sessions in another folder (agnes-stats --source claude=FOLDER)\n"
    "E  the dashboard on generated sessions (agnes-stats --demo)"
)

_BRIEF_TITLE = 24
"""Cells of a title before the place where a text was found."""

_GAPS = 10
"""Cells of the line below the list that stay blank: its edges, and what parts sums and marks."""

_ASCENDING = ("title", "project", "agent", "machine", "username", "primary_model")
"""Columns that begin with the smallest when they are first sorted by."""


def _longest(wordings: Sequence[list[str]], room: int) -> str:
    """The first wording that fits into `room` cells; of the last one as much as does, where none fits."""
    for pieces in wordings:
        if cell_len("   ".join(pieces)) <= room:
            return "   ".join(pieces)
    pieces = [*wordings[-1], "…"]
    while len(pieces) > 1 and cell_len("   ".join(pieces)) > room:
        pieces.pop(-2)
    return "   ".join(pieces)


def _legends(totals: SessionTotals, *, cost: bool, brief: bool) -> list[str]:
    return marks.legends(
        undercounted=totals.undercounted,
        responses=totals.responses,
        unpriced=totals.unpriced_tokens if cost else 0,
        tokens=totals.tokens_total,
        elsewhere=totals.billed_elsewhere_tokens if cost else 0,
        brief=brief,
    )


@dataclass(frozen=True, slots=True)
class _Listed:
    """A list that was asked for: when, how, what ran then, and what came."""

    asked: Asked
    question: tuple[Filter, tuple[str, bool], Processes]
    runs: frozenset[str]
    data: SessionsData
    position: int
    """Where in the store's history it is from."""


def _ids(live: Sequence[LiveSession]) -> frozenset[str]:
    return frozenset(one.session.session_id for one in live)


class SessionsTable(RecordTable):
    """The list of sessions."""

    DEFAULT_CSS = """
    SessionsTable:focus { background-tint: transparent; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", tooltip="Open the session's details"),
    ]


class SessionsPane(Pane[SessionsData]):
    """Running sessions on top, then all of them; beside them on a wide screen the one under the cursor."""

    EMPTY = "No sessions yet."
    SHOWS_RUNNING = True
    HELP = (
        f"{told.LIVE} has a row in the last five minutes. {told.PENDING} is listed, not read yet. {told.BROKEN} cannot "
        f"be read. {told.GONE} means that the transcript is no longer on disk; what was read stays.\n"
        "Prompts are what a person typed. Active time leaves out pauses of more than ten minutes.\n"
        "What is counted is what the filters leave of a session; title, times and model are those of the whole.\n"
        f"{marks.MEANING}"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_id", "Copy", show=False, tooltip="Copy the session's id"),
        Binding("E", "demo", "Example", tooltip="The dashboard on generated sessions, which keep growing"),
        Binding("O", "folder", "Other folder", tooltip="Read the sessions in another folder"),
        Binding("f", "copy_file", "File", show=False, tooltip="Copy the path of the session's file"),
    ]

    def __init__(self, tab: View) -> None:
        super().__init__(tab)
        self._order = FIRST_ORDER
        self._to_top = False
        self._data: SessionsData | None = None
        self._listed: _Listed | None = None
        """The list that was asked for last."""
        self._made: dict[SessionRow, Record] = {}
        """What the rows look like on the screen."""
        self._made_for: object = None
        """What they look like depends on, besides: the theme, what day it is, and what was looked for."""
        self._found: Mapping[str, Hit] = {}
        """Where in the sessions the text is that they are filtered by."""

    def _empty_sentence(self) -> str:
        app = self.dashboard
        known = self._data.known if self._data else 0
        if known or app.is_reading:
            sentence = super()._empty_sentence()
            if sentence != self.EMPTY:
                return sentence
            return f"No session in these days, {words.plural(known, 'session')} in all. Press r for more days."
        # What can be done about it is among the keys.
        self.refresh_bindings()
        return f"{self.EMPTY} Looked in {', '.join(app.looked_in) or 'no folder'}.\n{_INVITATION}"

    def compose(self) -> ComposeResult:
        """State, running sessions, the list with its sums, and the session under the cursor."""
        self._order = self.dashboard.choices.order("sessions", COLUMNS, FIRST_ORDER)
        yield PaneState()
        yield NowCards()
        with Horizontal():
            with Vertical():
                yield SessionsTable(self._columns(), sort=self._order)
                yield StillText(id="sessions-caption", markup=False)
            yield SessionSide()

    def _columns(self) -> list[Column]:
        hidden = {"cost_usd"} if self.dashboard.settings.no_cost else set()
        return [column for column in told_apart(COLUMNS) if column.key not in hidden]

    # -- data ----------------------------------------------------------------------------------------------------

    def about_to_ask(self) -> contextlib.AbstractContextManager[None]:
        """The header leaves it to the list to ask what runs."""
        return self.dashboard.running.coming()

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> SessionsData:
        """What runs, and one page of the list."""
        data = self._load(connection, chosen, now)
        with self.dashboard.reading_soon(chosen) as soon:
            return data if soon is None else with_sums(soon, data, chosen, now)

    def _load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> SessionsData:
        """As the store has it; with the list at hand, if that is the same."""
        told, order = told_states(self.dashboard.settings), self._order
        question, held = (chosen, order, told.processes), self._listed
        live: list[LiveSession] = []

        def running(listed: Listed | None = None) -> list[LiveSession]:
            live[:] = self.dashboard.running.ask(
                connection, chosen, stamp=self._stamp, now=now, told=told, listed=listed
            )
            return live

        stands = held is not None and held.question == question and held.asked.stands(self._stamp, now)
        # The list says of sessions only whether they run.
        if held is not None and stands and len(running()) < MOST_LIVE and _ids(live) == held.runs:
            return replace(held.data, live=live[:MOST_LIVE])
        again = None
        if held is not None and held.question[:2] == question[:2] and held.data.listing is not None:
            touched = self.dashboard.store.touched_since(held.position)
            again = None if touched is None else (held.data.listing, touched)
        data = sessions_data(connection, chosen, now, order=order, limit=SHOWN, told=told, running=running, again=again)
        self._listed = _Listed(Asked(self._stamp, now, None), question, _ids(live), data, self._position)
        return data

    @property
    def takes_ahead(self) -> bool:
        """That is the newest sessions first."""
        return self._order == FIRST_ORDER

    @property
    def lasts(self) -> bool:
        """The list does; the session beside it is told how long ago it was."""
        return not self.query_one(SessionSide).display

    @property
    def asks_for(self) -> Hashable:
        """The order: of many sessions it says which are listed."""
        return self._order

    def stands(self, data: SessionsData) -> bool:
        """Whether no session on the cards has a pulse, which moves on with the minutes, and no sum is told ahead."""
        return not data.is_provisional and not any(any(live.pulse) for live in data.live)

    def show_again(self, data: SessionsData) -> None:
        """Only the cards tell how long ago anything was; they have a clock of their own."""

    def has_rows(self, data: SessionsData) -> bool:
        """Whether the list has any rows."""
        # What is said of an empty list depends on what the store has.
        self._data = data
        return bool(data.page.rows)

    def show(self, data: SessionsData) -> None:
        """Put it on the screen."""
        app = self.dashboard
        now, cost = app.now(), not app.settings.no_cost
        self.query_one(NowCards).show(data.live, now, cost=cost)
        table = self.query_one(SessionsTable)
        table.use_columns(self._columns())
        self._found = data.found
        table.show(self._records(data.page.rows, now), total=data.page.totals.sessions)
        table.mark_sort(*self._order)
        if self._to_top:
            self._to_top = False
            table.move_cursor(row=0)
        self._caption(data, cost=cost)
        if not self.query_one(SessionsTable).size.width:
            # Once: of a list that is hidden it has none until that is turned to, which is a change of size.
            self.call_after_refresh(self._caption_again)
        self._beside()

    def _records(self, rows: Sequence[SessionRow], now: dt.datetime) -> list[Record]:
        # While a session runs the list is shown with every line, and all but one or two rows are what they were.
        made_for = self.app.theme, self.dashboard.zone, day_at(now, self.dashboard.zone), tuple(self._found.items())
        before = self._made if made_for == self._made_for else {}
        self._made_for = made_for
        self._made = {row: before.get(row) or self._record(row, now) for row in rows}
        return list(self._made.values())

    def _record(self, row: SessionRow, now: dt.datetime) -> Record:
        faded = "dim" if row.pending or row.source_gone else ""
        title = Text(told.prefix(row), style="dim", no_wrap=True, overflow="ellipsis", end="")
        hit = told.hit(self._found.get(row.session_id), self.text)
        name = words.clean(told.name(row), _BRIEF_TITLE) if hit else told.name(row)
        title.append(name, style=faded or "not dim")
        title.append_text(hit)
        started = words.when(row.started_at, now, self.dashboard.zone)
        cells: dict[str, Text | str | None] = {
            "state": Text(told.state(row), style=self._tone("error" if row.error else "success")),
            "started_at": ("unreadable" if row.error else "pending") if row.pending else started,
            "title": title,
            "project": told.project(row.project),
            "agent": row.agent,
            "machine": row.machine,
            "username": row.username and user_name(row.username),
        }
        if not row.pending:
            errors = Text(words.count(row.tool_errors), style=self._tone("error")) if row.tool_errors else words.NONE
            cells |= {
                "ended_at": words.when(row.ended_at, now, self.dashboard.zone),
                "primary_model": told.models(row.primary_model),
                "active_seconds": words.duration(row.active_seconds),
                "wall_seconds": words.duration(row.wall_seconds),
                "user_messages": words.count(row.user_messages),
                "tool_calls_total": words.count(row.tool_calls_total),
                "tool_errors": errors,
                "tokens_total": marks.tokens(row.tokens_total, row.undercounted),
                "cost_usd": marks.cost(row),
            }
        return Record(row.session_id, cells, row)

    def _tone(self, name: str) -> str:
        return parse(self.app.theme_variables, f"text-{name}", Color.parse("white")).rich_color.name

    def _caption(self, data: SessionsData, *, cost: bool) -> None:
        page, totals = data.page, data.page.totals
        shown = min(totals.sessions, SHOWN)
        count = words.plural(totals.sessions, "session")
        if shown < totals.sessions:
            count = f"{shown:,} of {totals.sessions:,}"
        if totals.with_tokens != totals.sessions:
            # What the Tokens tab counts: why it says another number.
            count += f", {totals.with_tokens:,} with tokens"
        parts = [count, f"{marks.tokens(totals.tokens_total, totals.undercounted)} tokens"]
        if cost:
            parts.append(marks.cost(totals))
        if data.is_provisional:
            parts.append(marks.PROVISIONAL)
        private = [told.PRIVATE] if any(row.private for row in page.rows) else []
        short = [each.partition(",")[0] for each in private]
        full, brief = (_legends(totals, cost=cost, brief=brief) for brief in (False, True))
        legends = ([*full, *private], [*full, *short], [*brief, *private], [*brief, *short])
        # A table that is shown for the first time has no size yet, but its place has, some of which the panel may take.
        width = self.query_one(SessionsTable).size.width or self.size.width
        room = width - cell_len(" · ".join(parts)) - _GAPS
        legend = _longest(legends, room)
        line = Table.grid(expand=True, padding=(0, 3, 0, 0))
        line.add_column(no_wrap=True)
        line.add_column(no_wrap=True, overflow="ellipsis", justify="right", ratio=1)
        line.add_row(" · ".join(parts), legend)
        self.query_one("#sessions-caption", StillText).update(line, layout=False)

    def _beside(self) -> None:
        side = self.query_one(SessionSide)
        row = self._selected
        side.show_session(row.session_id if row and side.display else None)

    def on_resize(self) -> None:
        """A wider screen has room for the session under the cursor, and for more words below the list."""
        self.call_after_refresh(self._beside)
        self.call_after_refresh(self._caption_again)

    def _caption_again(self) -> None:
        # With what is there by then: another answer may have come.
        if self._data is not None and self._data.page.rows:
            self._caption(self._data, cost=not self.dashboard.settings.no_cost)

    @property
    def grows(self) -> bool:
        """Whether a session runs."""
        return self.query_one(NowCards).is_timing

    def tick(self) -> None:
        """Tell anew for how long it has been running."""
        self.query_one(NowCards).tick(self.dashboard.now())

    # -- keys and mouse ------------------------------------------------------------------------------------------

    @property
    def _selected(self) -> SessionRow | None:
        record = self.query_one(SessionsTable).selected
        return record.data if record is not None and isinstance(record.data, SessionRow) else None

    @on(RecordTable.SortRequested)
    def _sort(self, message: RecordTable.SortRequested) -> None:
        message.stop()
        order, descending = self._order
        key = message.column_key
        self._resort(key, not descending if key == order else key not in _ASCENDING)

    def _resort(self, key: str, descending: bool) -> None:
        self._order = (key, descending)
        self.dashboard.choices.note_order("sessions", self._order)
        self._to_top = True
        self.refresh_data()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does anything now: most are about rows, and the one under the cursor."""
        if action in ("copy_id", "copy_file"):
            return self._selected is not None
        if action in ("demo", "folder"):
            # Where there is nothing yet.
            return self._data is not None and not self._data.known and not self.dashboard.is_reading
        return super().check_action(action, parameters)

    def action_demo(self) -> None:
        """Begin again on generated sessions."""
        self.dashboard.begin_again("--demo")

    def action_folder(self) -> None:
        """Ask for a folder, and begin again with it."""
        from ..screens.folder_screen import FolderScreen

        def begin(source: str | None) -> None:
            if source is not None:
                self.dashboard.begin_again("--source", source)

        self.app.push_screen(FolderScreen(), begin)

    @on(RecordTable.RecordHighlighted)
    def _highlighted(self, message: RecordTable.RecordHighlighted) -> None:
        message.stop()
        self._beside()
        self.refresh_bindings()

    @on(RecordTable.RecordSelected)
    def _open(self, message: RecordTable.RecordSelected) -> None:
        message.stop()
        self._show_details(message.record.key)

    @on(NowCards.Opened)
    def _open_card(self, message: NowCards.Opened) -> None:
        message.stop()
        self._show_details(message.session_id)

    def _show_details(self, session_id: str) -> None:
        from .detail import SessionScreen

        hit = self._found.get(session_id)
        self.app.push_screen(SessionScreen(session_id, hit.id if hit is not None else None))

    def action_copy_id(self) -> None:
        """The session's id to the clipboard."""
        if self._selected is not None:
            told.copy_id(self.app, self._selected.session_id)

    def action_copy_file(self) -> None:
        """Where the session's file is."""
        if self._selected is not None:
            told.copy_file(self.app, self._selected)
