"""Choosing a query from a list, and giving one a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from .. import format as words
from ..kit.key_bar import KeyBar
from ..kit.lines import StillText
from ..kit.pop_up import PopUp
from .filter_list_screen import ListedScreen

_PREVIEW = 8
"""Lines of the query under the cursor."""


@dataclass(frozen=True, slots=True)
class QueryEntry:
    """A query of a list. `name` is empty in the history, `note` says where it is from."""

    sql: str
    name: str = ""
    note: str = ""


class QueryScreen(ListedScreen[QueryEntry | None]):
    """A list of queries, the one under the cursor below it. Dismisses with the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back"),
        Binding("f8", "delete", "Delete", tooltip="Delete the saved query"),
    ]

    def __init__(
        self, title: str, entries: Sequence[QueryEntry], delete: Callable[[QueryEntry], bool] | None = None
    ) -> None:
        """`delete` forgets an entry; False if that entry stays."""
        super().__init__()
        self._title = title
        self._entries = list(entries)
        self._shown: list[QueryEntry] = []
        self._delete = delete

    def compose(self) -> ComposeResult:
        """A line to type in, the list, the whole query."""
        with Vertical(id="picker"):
            yield Label(self._title, markup=False)
            yield Input(placeholder="part of it", compact=True)
            yield OptionList()
            yield StillText(id="query-preview", markup=False)
        yield KeyBar(enter="Take")

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill()
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _fill(self) -> None:
        part = self.query_one(Input).value.lower()
        self._shown = [entry for entry in self._entries if part in f"{entry.name} {entry.sql}".lower()]
        options = self.query_one(OptionList)
        options.clear_options()
        for entry in self._shown:
            line = Text(words.clean(entry.name or entry.sql, 200), no_wrap=True, overflow="ellipsis")
            line.append(f"  {entry.note}", style="dim")
            options.add_option(Option(line))
        options.highlighted = 0 if self._shown else None
        self._preview()

    @on(OptionList.OptionHighlighted)
    def _preview(self) -> None:
        entry = self._current
        text = "Nothing here yet." if entry is None else words.block(entry.sql, _PREVIEW)
        self.query_one("#query-preview", StillText).update(Text(text))

    @property
    def _current(self) -> QueryEntry | None:
        highlighted = self.query_one(OptionList).highlighted
        return None if highlighted is None or highlighted >= len(self._shown) else self._shown[highlighted]

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _take(self) -> None:
        self.dismiss(self._current)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Where nothing can be forgotten there is no key for it."""
        return action != "delete" or self._delete is not None

    def action_delete(self) -> None:
        """Forget the query under the cursor."""
        entry = self._current
        if entry is not None and self._delete is not None and self._delete(entry):
            self._entries.remove(entry)
            self._fill()


class NameScreen(PopUp[str | None]):
    """A name for a query. Dismisses with it; one that is taken has to be confirmed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]

    def __init__(self, name: str, taken: Sequence[str], question: str = "Save the query as") -> None:
        super().__init__()
        self._question = question
        self._first = name
        self._taken = taken
        self._confirmed = name

    def compose(self) -> ComposeResult:
        """One line."""
        with Vertical(id="name"):
            yield Label(self._question, markup=False)
            yield Input(self._first, placeholder="its name", max_length=80, compact=True)
            yield Static("↵ save · Esc back", id="name-note", markup=False)
        yield KeyBar(enter="Save")

    def on_mount(self) -> None:
        """Ready to type."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        name = words.clean(event.value)
        if not name:
            return
        if name in self._taken and name != self._confirmed:
            self._confirmed = name
            self.query_one("#name-note", Static).update("There is one of that name: ↵ replaces it · Esc back")
            return
        self.dismiss(name)
