"""The user's own queries as panels: saved ones, each drawn as it was chosen, over the days and filters of the tab."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from ...queries.asking import Asker, Stopped
from ...queries.console import Table
from ...queries.console_book import Book, BookPages, Panel
from ...queries.console_examples import EXAMPLES
from ...queries.filters import Filter
from ...queries.store import StoreError
from .. import format as words
from ..kit.answer_table import AnswerTable
from ..kit.answer_view import SHOWN, AnswerView
from ..kit.cursor_canvas import Pointed
from ..kit.state import PaneState
from ..screens.queries import NameScreen, QueryEntry, QueryScreen
from .view import Question, TokenView

if TYPE_CHECKING:
    from ...queries.store import Reader

EVERY_SECONDS = 5.0
"""Panels are asked anew at most this often while sessions grow: each is a query of unknown cost."""

_TWO, _THREE = 100, 184
"""Columns from which two and three panels stand beside each other."""
_LEAST_ROWS = 11

NONE_YET = (
    "No panels yet: a panel is a query of yours, drawn here over the days and filters of this tab. "
    "Press + to pin a saved query or an example, or l to write one."
)


class _PanelAnswered(Message):
    """The answer for a panel, or why there is none."""

    def __init__(self, panel: Panel, table: Table | None, why: str) -> None:
        super().__init__()
        self.panel = panel
        self.table = table
        self.why = why


class _AllAnswered(Message):
    """Nothing is left to ask of what was asked with this asker."""

    def __init__(self, asker: Asker) -> None:
        super().__init__()
        self.asker = asker


class Words(PaneState, can_focus=True):
    """What is said where there is no panel; the keys of the view are heard there."""


class PanelBox(Vertical, can_focus=True):
    """One panel: its name in the frame, and its answer, or why there is none."""

    DEFAULT_CSS = """
    PanelBox {
        border: round $primary 50%; padding: 0 1; border-title-color: $foreground; border-subtitle-color: $text-muted;
        & .chart { border: none; padding: 0; }
        &:focus { border: round $primary; }
        &.-waiting AnswerView { display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "point_by(-1)", "Earlier", show=False),
        Binding("right", "point_by(1)", "Later", show=False),
        Binding("home", "point_at(0)", "First", show=False),
        Binding("end", "point_at(-1)", "Last", show=False),
        Binding("up", "step(-1)", "Panel before", show=False, tooltip="Up in the table, or to the panel before"),
        Binding("down", "step(1)", "Next panel", show=False, tooltip="Down in the table, or to the next panel"),
        Binding("k", "step(-1)", show=False),
        Binding("j", "step(1)", show=False),
        Binding("g", "point_at(0)", show=False),
        Binding("G", "point_at(-1)", show=False),
        Binding("enter", "want('edit')", "Edit", tooltip="Open the panel's query in the SQL console"),
        Binding("F", "want('form')", "Form", tooltip="Show the panel as a table, as bars, as lines, or stacked"),
        Binding("f2", "want('rename')", "Rename", tooltip="Give the panel, and its query, another name"),
        Binding("delete", "want('unpin')", "Remove", tooltip="Take the panel away; its query stays saved"),
    ]
    HELP = "Left and right move over the bars of the panel, Tab goes to the next one."

    class Wanted(Message):
        """The user wants something done with the panel: "edit", "form", "rename" or "unpin"."""

        def __init__(self, box: PanelBox, what: str) -> None:
            super().__init__()
            self.box = box
            self.what = what

    def __init__(self, panel: Panel) -> None:
        super().__init__(classes="-waiting")
        self.panel = panel
        self.view = AnswerView()
        """Where the answer is."""
        self._table: Table | None = None
        self._why = ""
        """There is no answer."""
        self._drawn = ""
        """The query whose answer is in the frame."""

    def compose(self) -> ComposeResult:
        """What is said in its place, and the answer."""
        yield PaneState("Asking…")
        yield self.view

    def on_mount(self) -> None:
        """The frame has the keys; what is in it shows."""
        for widget in self.view.children:
            widget.can_focus = False
        self.border_title = Text(words.clean(self.panel.name, 60))
        self._draw()

    def tell(self, panel: Panel, table: Table | None, why: str) -> None:
        """An answer; where there is none, the one before is no answer any more. May come before the box is made."""
        if panel.sql == self.panel.sql:
            self._table, self._why = table, why
            self._draw()

    def _draw(self) -> None:
        if not self.view.is_mounted or (self._table is None and not self._why):
            return
        table, told = self._table, ""
        self.set_class(table is None, "-waiting")
        self.query_one(PaneState).set(*(("failed", self._why) if table is None else ("ready", "")))
        if table is not None:
            self.view.show(table, self.panel.form, again=self._drawn == self.panel.sql)
            self._drawn = self.panel.sql
            # Nobody sees it there; a file has its name from it.
            self.view.content.border_title = Text(words.clean(self.panel.name, 60))
            cut = f"cut at {words.rows(len(table.rows))}" if table.truncated else words.rows(len(table.rows))
            told = f"{self.view.form} · {cut} · {words.millis(table.seconds * 1000)}"
        self.border_subtitle = Text(told)

    def use(self, panel: Panel) -> None:
        """The same panel with another query, or another form."""
        before, self.panel = self.panel, panel
        if panel.form != before.form:
            self._draw()

    # -- keys

    def action_want(self, what: str) -> None:
        """Have something done with the panel."""
        self.post_message(self.Wanted(self, what))

    def action_point_by(self, step: int) -> None:
        """Move over the parts of a chart."""
        if isinstance(content := self.view.content, Pointed):
            content.action_point_by(step)

    def action_point_at(self, index: int) -> None:
        """To the first or last part of a chart."""
        if isinstance(content := self.view.content, Pointed):
            content.action_point_at(index)

    def action_step(self, step: int) -> None:
        """One row of a table that has more than fit, else one panel."""
        content = self.view.content
        if isinstance(content, AnswerTable) and self.view.display:
            before = content.scroll_offset.y
            content.scroll_relative(y=step, animate=False, immediate=True)
            if content.scroll_offset.y != before:
                return
        boxes = list(self.screen.query(PanelBox))
        at = boxes.index(self) + step
        if 0 <= at < len(boxes):
            boxes[at].focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Parts can be pointed at in charts."""
        if action in ("point_by", "point_at"):
            return self._table is not None and self.view.form != "table"
        return True


class Panels(TokenView[BookPages]):
    """All panels, as many beside each other as have room. A process of its own answers them, one after the other."""

    NAME = "panels"
    TITLE = "Panels"
    STANDS = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "add", "Add a panel", key_display="+", tooltip="Pin a saved query or an example as a panel"),
    ]
    DEFAULT_CSS = """
    Panels #panels-list { layout: grid; grid-size: 1; grid-rows: 12; grid-gutter: 0 1; height: 1fr; display: none; }
    Panels.-some #panels-list { display: block; }
    Panels.-some > Words { display: none; }
    Panels.-two #panels-list { grid-size: 2; }
    Panels.-three #panels-list { grid-size: 3; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._pages = BookPages()
        self._chosen = Filter()
        self._asker: Asker | None = None
        self._is_asking = False
        self._asked: tuple[frozenset[tuple[str, str]], Filter] | None = None
        self._asked_at = 0.0
        self._later: Timer | None = None
        self._making = asyncio.Lock()
        self._to_focus = ""
        """The panel that gets the focus once it is there."""

    def compose(self) -> ComposeResult:
        """The panels, or how to get one."""
        yield Words(NONE_YET, "empty")
        scroll = VerticalScroll(id="panels-list")
        scroll.can_focus = False
        yield scroll

    @property
    def _book(self) -> Book:
        app: Any = self.app
        return Book(app.store.path)

    def ask(self, connection: Reader, question: Question) -> BookPages:  # noqa: ARG002
        """The panels that there are. What they ask is asked apart: a query may take long, and holds the store."""
        try:
            return self._book.read()
        except StoreError as error:
            return BookPages(fault=str(error))

    def show(self, data: BookPages, question: Question) -> None:
        """Make the panels that are new, take away those that are gone, and ask."""
        self._pages, self._chosen = data, question.chosen.but(found=None)
        self.set_class(bool(data.panels), "-some")
        fault = f"{data.fault}. The next query that is saved puts that file aside for a new one."
        self.query_one(Words).set(*(("failed", fault) if data.fault else ("empty", NONE_YET)))
        if [box.panel for box in self._boxes] != list(data.panels):
            self._make()
        else:
            self._ask_if_due()

    @property
    def _boxes(self) -> list[PanelBox]:
        return list(self.query_one("#panels-list").query_children(PanelBox))

    @work(group="panels-made")
    async def _make(self) -> None:
        """Make the panels that are wanted of those that are there; what stays keeps its answer."""
        async with self._making:
            await self._make_wanted()

    async def _make_wanted(self) -> None:
        holder = self.query_one("#panels-list")
        wanted = {panel.name: panel for panel in self._pages.panels}
        focused = next((at for at, box in enumerate(self._boxes) if box.has_focus), None)
        for box in self._boxes:
            if box.panel.name not in wanted:
                await box.remove()
        there = {box.panel.name: box for box in self._boxes}
        for name, panel in wanted.items():
            if name in there:
                there[name].use(panel)
            else:
                await holder.mount(PanelBox(panel))
        order = list(wanted)
        holder.sort_children(key=lambda box: order.index(box.panel.name) if isinstance(box, PanelBox) else 0)
        self._arrange()
        self._focus_one(focused)
        self._ask_if_due()

    def _focus_one(self, focused: int | None) -> None:
        """The panel that was just made or named, else the one where the focus was, else the first."""
        boxes = self._boxes
        named = next((box for box in boxes if box.panel.name == self._to_focus), None)
        self._to_focus = ""
        app: Any = self.app
        if named is None and focused is None and self.query_one(Words).has_focus:
            focused = 0
        if named is None and focused is not None and boxes:
            named = boxes[min(focused, len(boxes) - 1)]
        if named is not None and app.screen is self.screen:
            named.focus()
        elif not boxes:
            self.app.call_later(self._focus_words)

    def _focus_words(self) -> None:
        if self.is_attached and self.display and self.app.focused is None and self.app.screen is self.screen:
            self.query_one(Words).focus()

    @property
    def first_focus(self) -> Widget | None:
        """The first panel, or what is said where there is none."""
        return next(iter(self._boxes), self.query_one(Words))

    def on_resize(self) -> None:
        """As many beside each other as have room."""
        self._arrange()

    def _arrange(self) -> None:
        """Panels share the height as long as they can be read, then the list scrolls."""
        count = len(self._boxes)
        fits = 3 if self.size.width >= _THREE else 2 if self.size.width >= _TWO else 1
        columns = max(1, min(fits, count))
        self.set_class(columns == 2, "-two")
        self.set_class(columns == 3, "-three")
        rows = -(-count // columns) or 1
        self.query_one("#panels-list").styles.grid_rows = str(max(_LEAST_ROWS, self.size.height // rows))

    # -- asking --------------------------------------------------------------------------------------------------

    def _ask_if_due(self) -> None:
        """Ask at once what is new, by another query or filter; what was asked already, now and then."""
        wanted = (frozenset((panel.name, panel.sql) for panel in self._pages.panels), self._chosen)
        if not self._pages.panels:
            return
        if wanted == self._asked:
            wait = self._asked_at + EVERY_SECONDS - time.monotonic()
            if self._is_asking or wait > 0:
                if self._later is None:
                    self._later = self.set_timer(max(wait, 0.1), self._ask_later)
                return
        elif self._is_asking and self._asker is not None:
            # Nobody waits for answers to what was asked before.
            self._asker.stop()
            self._asker = None
        if self._asker is None:
            self._asker = Asker(self._book.store)
        self._asked, self._asked_at, self._is_asking = wanted, time.monotonic(), True
        self._answer(self._asker, self._pages.panels, self._chosen)

    def _ask_later(self) -> None:
        self._later = None
        if self.is_on_screen:
            self._ask_if_due()

    @work(thread=True, group="panels-asked", exit_on_error=False)
    def _answer(self, asker: Asker, panels: tuple[Panel, ...], chosen: Filter) -> None:
        for panel in panels:
            table, why = None, ""
            try:
                table = asker.ask(panel.sql, chosen)
            except Stopped:
                return
            except StoreError as error:
                why = str(error)
            self.post_message(_PanelAnswered(panel, table, why))
        self.post_message(_AllAnswered(asker))

    @on(_PanelAnswered)
    def _hand_on(self, message: _PanelAnswered) -> None:
        message.stop()
        for box in self._boxes:
            if box.panel.name == message.panel.name:
                box.tell(message.panel, message.table, message.why)

    @on(_AllAnswered)
    def _rest(self, message: _AllAnswered) -> None:
        message.stop()
        if message.asker is self._asker:
            self._is_asking = False
            if not self.is_on_screen:
                self._let_go()

    def on_hide(self) -> None:
        """No process is kept for what nobody looks at."""
        self._let_go()

    def on_unmount(self) -> None:
        """Leave no process behind."""
        self._let_go()

    def _let_go(self) -> None:
        asker, self._asker, self._asked = self._asker, None, None
        if asker is not None and self._is_asking:
            asker.stop()
        elif asker is not None:
            asker.close()
        self._is_asking = False

    # -- adding, changing, taking away ---------------------------------------------------------------------------

    def action_add(self) -> None:
        """Pin a saved query, or an example, which is saved with that."""
        pages = self._pages
        pinned = {panel.name for panel in pages.panels}
        entries = [QueryEntry(sql, name, "saved") for name, sql in pages.saved.items() if name not in pinned]
        entries += [QueryEntry(sql, name, "example") for name, sql in EXAMPLES.items() if name not in pages.saved]
        self.app.push_screen(QueryScreen("Pin a query as a panel", entries), self._add)

    def _add(self, entry: QueryEntry | None) -> None:
        if entry is None:
            return

        def write(book: Book) -> None:
            if entry.note != "saved":
                book.save(entry.name, entry.sql)
            book.pin(entry.name)

        self._change(write, entry.name)

    def on_panel_box_wanted(self, message: PanelBox.Wanted) -> None:
        """Something is to be done with a panel."""
        message.stop()
        panel = message.box.panel
        if message.what == "edit":
            self._edit(panel)
        elif message.what == "form":
            self._next_form(message.box)
        elif message.what == "unpin":
            self._change(lambda book: book.unpin(panel.name))
            self.app.notify(f"“{panel.name}” is no panel any more; its query stays saved.", markup=False)
        else:
            taken = [name for name in self._pages.saved if name != panel.name]
            self.app.push_screen(
                NameScreen(panel.name, taken, "Rename the panel to"), lambda name: self._rename(panel, name)
            )

    def _next_form(self, box: PanelBox) -> None:
        """The form after the one that is kept; where that is left to the answer, after the one that is shown."""
        name = box.panel.name

        def write(book: Book) -> None:
            kept = next((panel for panel in book.read().panels if panel.name == name), box.panel)
            now = kept.form if kept.form in SHOWN else box.view.form
            form = SHOWN[(SHOWN.index(now) + 1) % len(SHOWN)]
            book.pin(name, form)
            box.use(dataclasses.replace(kept, form=form))

        self._change(write)

    def _rename(self, panel: Panel, name: str | None) -> None:
        if name:
            self._change(lambda book: book.rename(panel.name, name), name)

    def _edit(self, panel: Panel) -> None:
        from ..screens.console import NAME, ConsoleScreen

        app: Any = self.app
        app.action_console()
        console = app.get_screen(NAME)
        assert isinstance(console, ConsoleScreen)
        console.edit(QueryEntry(panel.sql, panel.name, "saved"))

    def _change(self, write: Callable[[Book], None], focus: str = "") -> None:
        """Write into the book and show what it holds then; why not, if that fails."""
        try:
            write(self._book)
        except StoreError as error:
            self.app.notify(str(error), severity="error", markup=False)
            return
        self._to_focus = focus
        app: Any = self.app
        app.active_pane.refresh_data()
