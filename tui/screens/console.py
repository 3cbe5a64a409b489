"""The SQL console: a query, and below it its answer as a table or a chart."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import ContentSwitcher, Static, TextArea

from ...queries import console
from ...queries.asking import Asking, Stopped
from ...queries.console import Table
from ...queries.console_book import Book, BookPages
from ...queries.console_examples import EXAMPLES
from ...queries.filters import Filter
from ...queries.store import StoreError
from .. import format as words
from ..kit.answer_table import AnswerTable, is_number, told
from ..kit.bars import StackedBars
from ..kit.key_bar import KeyBar
from ..kit.series import Series
from ..kit.state import PaneState
from ..typed_app import OnDashboard
from .queries import NameScreen, QueryEntry, QueryScreen

NAME = "console"
DRAWN = 400
"""Rows of an answer that become bars."""

_NAMING = re.compile(r"(VARCHAR|DATE|TIMESTAMP[A-Z_ ]*|ENUM\(.*\))$", re.DOTALL)
"""Types by which bars are named."""

_HINT = "F5 runs the query. Ctrl+O has examples."


class _Answered(Message):
    def __init__(self, number: int, table: Table | None, why: str) -> None:
        super().__init__()
        self.number = number
        self.table = table
        self.why = why


class ConsoleScreen(OnDashboard, ModalScreen[None]):
    """Asks in a process of its own, and keeps query and answer while it is not on the screen."""

    TITLE = "SQL"
    HELP = (
        "One SELECT on the tables of the store: DESCRIBE sessions tells the columns of one. It is read-only, sees no "
        "file and no network, and stops after 30 seconds and at 10,000 rows.\n"
        "{{filters}} stands for the filters of the dashboard, as a condition on tokens_daily."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+j,ctrl+enter", "run", "Run", key_display="f5", tooltip="Run the query (also Ctrl+J)"),
        Binding("ctrl+c", "stop", "Stop", show=False, priority=True, tooltip="Stop the query that runs"),
        Binding("ctrl+t", "chart", "Chart", tooltip="The answer as a table or as a chart"),
        Binding("ctrl+r", "history", "History", tooltip="Queries asked before, newest first"),
        Binding("ctrl+o", "queries", "Open", tooltip="Saved queries, and examples"),
        Binding("ctrl+s", "save", "Save", tooltip="Save the query under a name"),
        Binding("f4,e", "export", "Export", key_display="f4", tooltip="The answer or its chart as a file"),
        Binding("f1,question_mark", "help", "Help", key_display="f1 ?", tooltip="The keys that work here"),
        Binding("escape", "up", "Back", tooltip="Stop the query that runs, or back to the dashboard"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._asking: Asking | None = None
        self._table: Table | None = None
        self._saved_as = ""
        """Of the saved query that was opened or saved last."""

    @property
    def _book(self) -> Book:
        return Book(self.dashboard.store.path)

    @property
    def _chosen(self) -> Filter:
        pane = self.dashboard.active_pane
        return self.dashboard.chosen.but(text=pane.text if pane.id == "tokens" else "")

    def compose(self) -> ComposeResult:
        """The editor, what `{{filters}}` stands for, the answer, and a line about it."""
        yield TextArea(id="query", soft_wrap=True, placeholder="SELECT …", highlight_cursor_line=False)
        yield Static(id="query-filters", markup=False)
        with ContentSwitcher(initial="answer-state", id="answer"):
            with Vertical(id="answer-state"):
                yield PaneState(_HINT, "empty")
            yield AnswerTable(id="result")
            yield StackedBars(id="answer-chart", classes="chart")
        yield Static(id="answer-note", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin with what was asked last, or with an example."""
        editor = self.query_one(TextArea)
        history = self._pages().history
        editor.text = history[0] if history else next(iter(EXAMPLES.values()))
        editor.focus()

    def on_screen_resume(self) -> None:
        """The filters may be others now."""
        told_as = words.clean(console.conditions(self._chosen))
        line = Text(f"{{{{filters}}}} is {told_as}", no_wrap=True, overflow="ellipsis")
        self.query_one("#query-filters", Static).update(line)

    def on_unmount(self) -> None:
        """Leave no process behind."""
        self.action_stop()

    # -- asking --------------------------------------------------------------------------------------------------

    def action_run(self) -> None:
        """Ask; a query that still runs is stopped."""
        sql = self.query_one(TextArea).text.strip()
        if not sql:
            return
        self.action_stop()
        self._number += 1
        try:
            self._asking = Asking(self.dashboard.store.path, sql, self._chosen)
        except StoreError as error:
            self.post_message(_Answered(self._number, None, str(error)))
            return
        self._say("Running. Escape stops it.")
        self._wait(self._asking, self._number, sql, self._book)

    @work(thread=True, exit_on_error=False)
    def _wait(self, asking: Asking, number: int, sql: str, book: Book) -> None:
        table, why = None, ""
        try:
            table = asking.answer()
            from ...ingest.redact import redacted

            if redacted(sql) == sql:
                # A history is kept without being asked for: it is no place for a credential that was looked for.
                book.note(sql)
        except Stopped:
            why = "Stopped."
        except StoreError as error:
            # An answer that only could not be noted in the history is an answer.
            why = str(error)
        self.post_message(_Answered(number, table, why))

    def action_stop(self) -> None:
        """Stop the query that runs."""
        if self._asking is not None:
            self._asking.stop()

    @on(_Answered)
    def _show(self, message: _Answered) -> None:
        """Show the answer, or why there is none."""
        if message.number != self._number:
            return
        self._asking = None
        if message.table is None:
            self.query_one(PaneState).set("failed" if message.why != "Stopped." else "empty", message.why)
            self._switch("answer-state")
            self._say("")
            return
        self._table = message.table
        self.query_one(AnswerTable).show(message.table)
        self._draw(message.table)
        if self._showing == "answer-state":
            self._switch("result")
        self._say(message.why or _about(message.table))

    @property
    def _showing(self) -> str | None:
        return self.query_one(ContentSwitcher).current

    def _switch(self, name: str) -> None:
        self.refresh_bindings()
        had_focus = self.focused is not None and not isinstance(self.focused, TextArea)
        self.query_one(ContentSwitcher).current = name
        if had_focus:
            self.set_focus(self.query_one(TextArea) if name == "answer-state" else self.query_one(f"#{name}"))

    def _say(self, text: str) -> None:
        self.query_one("#answer-note", Static).update(Text(words.clean(text), no_wrap=True, overflow="ellipsis"))

    # -- showing -------------------------------------------------------------------------------------------------

    def action_chart(self) -> None:
        """The answer as a table or as a chart."""
        if self._table is not None:
            self._switch("answer-chart" if self._showing == "result" else "result")

    def _draw(self, table: Table) -> None:
        bars = self.query_one(StackedBars)
        across, up = axes(table)
        if up is None:
            bars.border_title = None
            bars.show([], [], empty="Nothing to draw: that takes a column of numbers.")
            return
        rows = table.rows[:DRAWN]
        names = [str(n) if across is None else told(row[across], table.types[across]) for n, row in enumerate(rows, 1)]
        title = words.clean(table.columns[up], 40)
        by = "row" if across is None else words.clean(table.columns[across], 40)
        values = [_number(row[up]) for row in rows]
        bars.show(
            [Series(title, tuple(values))],
            # Of a path the end tells more than the beginning.
            [_end(name) for name in names],
            unit=_amount,
            describe=lambda index: f"{names[index]}: {told(rows[index][up], table.types[up]) or 'NULL'}",
            empty="Nothing to draw: all of it is 0, negative or NULL.",
        )
        bars.border_title = Text(f"{title} by {by}")
        bars.border_subtitle = f"the first {DRAWN} rows" if len(table.rows) > DRAWN else None

    # -- files, history, saved queries ---------------------------------------------------------------------------

    def action_export(self) -> None:
        """The answer as a file."""
        if self._table is None or self._showing == "answer-state":
            self.app.notify("There is no answer to export yet.", markup=False)
            return
        from ..exporting import offer

        offer(self.dashboard, self.query_one("#answer"), "sql")

    def _pages(self) -> BookPages:
        try:
            return self._book.read()
        except StoreError as error:
            self.app.notify(str(error), severity="error", markup=False)
            return BookPages()

    def action_history(self) -> None:
        """Choose from the queries asked before."""
        entries = [QueryEntry(sql) for sql in self._pages().history]
        self.app.push_screen(QueryScreen("History", entries), self._open)

    def action_queries(self) -> None:
        """Choose from the saved queries and the examples."""
        saved = [QueryEntry(sql, name, "saved") for name, sql in self._pages().saved.items()]
        examples = [QueryEntry(sql, name, "example") for name, sql in EXAMPLES.items()]
        self.app.push_screen(QueryScreen("Saved queries and examples", saved + examples, self._forget), self._open)

    def _forget(self, entry: QueryEntry) -> bool:
        return entry.note == "saved" and self._kept(lambda: self._book.delete(entry.name))

    def _open(self, entry: QueryEntry | None) -> None:
        if entry is not None:
            editor = self.query_one(TextArea)
            # Not `text`: what was there can be had back with Ctrl+Z.
            editor.replace(entry.sql, (0, 0), editor.document.end)
            editor.focus()
            self._saved_as = entry.name if entry.note == "saved" else ""

    def action_save(self) -> None:
        """Save the query under a name."""
        sql = self.query_one(TextArea).text.strip()
        if sql:
            self.app.push_screen(
                NameScreen(self._saved_as, list(self._pages().saved)), lambda name: self._save(name, sql)
            )

    def _save(self, name: str | None, sql: str) -> None:
        if name and self._kept(lambda: self._book.save(name, sql)):
            self._saved_as = name
            self.app.notify(f"Saved as “{name}”.", markup=False)

    def _kept(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except StoreError as error:
            self.app.notify(str(error), severity="error", markup=False)
            return False
        return True

    # -- keys ----------------------------------------------------------------------------------------------------

    def action_help(self) -> None:
        """All keys, in words."""
        from .help import HelpScreen

        self.app.push_screen(HelpScreen(self))

    def action_up(self) -> None:
        """Stop the query that runs; without one, back to the dashboard."""
        if self._asking is not None:
            self.action_stop()
        else:
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Ctrl+C stops the query that runs; without one it copies, or quits, as elsewhere. A chart needs an answer."""
        if action == "stop":
            return self.is_asking
        return action != "chart" or (self._table is not None and self._showing != "answer-state")

    @property
    def is_asking(self) -> bool:
        """Whether a query runs."""
        return self._asking is not None


def axes(table: Table) -> tuple[int | None, int | None]:
    """The column the bars are named by, and the one that says how high they are; None where there is none.

    The first of numbers is drawn, over the first of texts or days, else over the first of other numbers before it.
    """
    numbers = [at for at, kind in enumerate(table.types) if is_number(kind)]
    names = [at for at, kind in enumerate(table.types) if _NAMING.match(kind)]
    if not names and len(numbers) > 1:
        return numbers[0], numbers[1]
    return names[0] if names else None, numbers[0] if numbers else None


def _number(value: Any) -> float:
    # Decimals come as texts, so that they stay exact.
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _amount(value: float) -> str:
    return words.count(value) if value >= 100 or value == int(value) else f"{value:.3g}"


def _about(table: Table) -> str:
    rows = words.rows(len(table.rows))
    parts = [rows, words.millis(table.seconds * 1000)]
    if table.truncated:
        parts.insert(1, f"cut at {rows}: there are more")
    return " · ".join(parts)


def _end(name: str) -> str:
    """The last part of a path, of any system; a name as it is."""
    return re.split(r"[/\\]", name)[-1] if re.match(r"/|\\\\|[A-Za-z]:[/\\]", name) else name
