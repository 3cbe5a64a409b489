"""The SQL console: a query, and below it its answer as a table or a chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import ContentSwitcher, TextArea

from ...queries import console
from ...queries.asking import Asking, Stopped
from ...queries.console import Table
from ...queries.console_book import FORMS, Book, BookPages
from ...queries.console_examples import EXAMPLES
from ...queries.filters import Filter
from ...queries.store import StoreError
from .. import format as words
from ..kit.answer_view import SHOWN, AnswerView
from ..kit.key_bar import KeyBar
from ..kit.lines import StillText
from ..kit.pop_up import PopUp
from ..kit.sql_editor import SqlEditor
from ..kit.state import PaneState
from ..typed_app import OnDashboard
from .queries import NameScreen, QueryEntry, QueryScreen

NAME = "console"

_HINT = "F5 runs the query. Ctrl+O has examples."


class _Answered(Message):
    def __init__(self, number: int, table: Table | None, why: str) -> None:
        super().__init__()
        self.number = number
        self.table = table
        self.why = why


class ConsoleScreen(OnDashboard, PopUp[None]):
    """Asks in a process of its own, and keeps query and answer while it is not on the screen."""

    TITLE = "SQL"
    HELP = (
        "One SELECT on the tables of the store: DESCRIBE sessions tells the columns of one. It is read-only, sees no "
        "file and no network, and stops after 30 seconds and at 10,000 rows.\n"
        "{{filters}} stands for the filters of the dashboard, as a condition on tokens_daily. What they choose has "
        f"names, too, for other tables: {', '.join('$' + name for name in console.PARAMETERS)}. Days and times are "
        "never NULL, of the others NULL means that all count."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+j,ctrl+enter", "run", "Run", tooltip="Run the query (also Ctrl+J)"),
        Binding("ctrl+c", "stop", "Stop", show=False, priority=True, tooltip="Stop the query that runs"),
        Binding("ctrl+t", "chart", "Chart", tooltip="The answer as bars, as lines, stacked, or as a table"),
        Binding("f3", "words", "Columns", tooltip="Tables, columns and other words that may stand at the cursor"),
        Binding("ctrl+r", "history", "History", tooltip="Queries asked before, newest first"),
        Binding("ctrl+o", "queries", "Open", tooltip="Saved queries, and examples"),
        Binding("ctrl+s", "save", "Save", tooltip="Save the query under a name"),
        Binding("f9", "pin", "Pin", tooltip="Make the query a panel of the Tokens tab, shown as its answer is now"),
        Binding("f4,e", "export", "Export", tooltip="The answer or its chart as a file"),
        Binding("f1,question_mark", "help", "Help", key_display="F1", tooltip="The keys that work here"),
        Binding("escape", "up", "Back", tooltip="Stop the query that runs, or back to the dashboard"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._asked_sql = ""
        self._is_again = False
        """Whether the query is the one that was asked before."""
        self._asking: Asking | None = None
        self._table: Table | None = None
        self._saved_as = ""
        """Of the saved query that was opened or saved last."""
        self._to_open: QueryEntry | None = None

    @property
    def _book(self) -> Book:
        return Book(self.dashboard.store.path)

    @property
    def _chosen(self) -> Filter:
        pane = self.dashboard.active_pane
        return self.dashboard.chosen.but(text=pane.text if pane.id == "tokens" else "")

    def compose(self) -> ComposeResult:
        """The editor, what `{{filters}}` stands for, the answer, and a line about it."""
        yield SqlEditor(id="query", soft_wrap=True, placeholder="SELECT …", highlight_cursor_line=False)
        yield StillText(id="query-filters", markup=False)
        with ContentSwitcher(initial="answer-state", id="answer"):
            with Vertical(id="answer-state"):
                yield PaneState(_HINT, "empty")
            yield AnswerView(id="answer-view")
        yield StillText(id="answer-note", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin with what was asked last, or with an example."""
        editor = self.query_one(TextArea)
        history = self._pages().history
        editor.text = history[0] if history else next(iter(EXAMPLES.values()))
        editor.focus()

    def on_screen_resume(self) -> None:
        """The filters may be others now, and a query may have been asked for."""
        told_as = words.clean(console.conditions(self._chosen))
        line = Text(f"{{{{filters}}}} is {told_as}", no_wrap=True, overflow="ellipsis")
        self.query_one("#query-filters", StillText).update(line)
        entry, self._to_open = self._to_open, None
        self._open(entry)

    def edit(self, entry: QueryEntry) -> None:
        """Put a query into the editor, once it is on the screen."""
        self._to_open = entry

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
        self._is_again, self._asked_sql = sql == self._asked_sql, sql
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
        self.query_one(AnswerView).show(message.table, self.query_one(AnswerView).form, again=self._is_again)
        self._switch("answer-view")
        self._say(message.why or _about(message.table))

    @property
    def _showing(self) -> str | None:
        return self.query_one("#answer", ContentSwitcher).current

    def _switch(self, name: str) -> None:
        """Show the answer, or what is told in its place. The focus goes along, unless somebody writes."""
        self.refresh_bindings()
        had_focus = self.focused is not None and not isinstance(self.focused, TextArea)
        self.query_one("#answer", ContentSwitcher).current = name
        if had_focus:
            self.set_focus(self.query_one(TextArea) if name == "answer-state" else self.query_one(AnswerView).content)

    def _say(self, text: str) -> None:
        self.query_one("#answer-note", StillText).update(Text(words.clean(text), no_wrap=True, overflow="ellipsis"))

    # -- showing -------------------------------------------------------------------------------------------------

    def action_chart(self) -> None:
        """The answer in the next form."""
        if self._table is not None:
            view = self.query_one(AnswerView)
            view.show(self._table, SHOWN[(SHOWN.index(view.form) + 1) % len(SHOWN)])
            self._switch("answer-view")
            self._say(f"{_about(self._table)} · as {view.form}")

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
            pages = self._book.read()
        except StoreError as error:
            pages = BookPages(fault=str(error))
        if pages.fault:
            self.app.notify(pages.fault, severity="error", markup=False)
        return pages

    def action_history(self) -> None:
        """Choose from the queries asked before."""
        entries = [QueryEntry(sql) for sql in self._pages().history]
        self.app.push_screen(QueryScreen("History", entries), self._open)

    def action_queries(self) -> None:
        """Choose from the saved queries and the examples."""
        saved = [QueryEntry(sql, name, "saved") for name, sql in self._pages().saved.items()]
        examples = [QueryEntry(sql, name, "example") for name, sql in EXAMPLES.items()]
        self.app.push_screen(QueryScreen("Saved queries and examples", saved + examples, self._forget), self._open)

    def action_words(self) -> None:
        """Choose from what may stand where the cursor is."""
        editor = self.query_one(SqlEditor)
        entries = [QueryEntry(found.about, found.word, found.about) for found in editor.candidates()]
        self.app.push_screen(QueryScreen("Tables and columns", entries), self._complete)

    def _complete(self, entry: QueryEntry | None) -> None:
        if entry is not None:
            self.query_one(SqlEditor).complete(entry.name)

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

    def action_pin(self) -> None:
        """Make the query a panel: saved if it is not yet, and shown as its answer is now."""
        sql = self.query_one(TextArea).text.strip()
        if not sql:
            return
        saved = self._pages().saved
        if saved.get(self._saved_as) == sql:
            self._pin(self._saved_as, sql)
        else:
            screen = NameScreen(self._saved_as, list(saved), "Save it, and pin it to the Tokens tab, as")
            self.app.push_screen(screen, lambda name: self._pin(name, sql))

    def _pin(self, name: str | None, sql: str) -> None:
        if not name:
            return
        form = self.query_one(AnswerView).form if self._showing == "answer-view" else FORMS[0]

        def write() -> None:
            self._book.save(name, sql)
            self._book.pin(name, form)

        if self._kept(write):
            self._saved_as = name
            self.app.notify(f"“{name}” is a panel of the Tokens tab now.", markup=False)

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
        # A panel may show that query.
        self.dashboard.active_pane.refresh_data()
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


def _about(table: Table) -> str:
    rows = words.rows(len(table.rows))
    parts = [rows, words.millis(table.seconds * 1000)]
    if table.truncated:
        parts.insert(1, f"cut at {rows}: there are more")
    return " · ".join(parts)
