"""By which column a table is sorted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from ..format import clean
from ..kit.key_bar import KeyBar
from ..kit.pop_up import PopUp
from ..kit.scrolling import Options
from ..kit.table import Column, RecordTable

_KEYS = "its letter sorts by a column · once more: the other way round"
_FREE = "abcdefhilmnoprtuvwxyz"
"""Letters that mean nothing else here."""


def letters(columns: Sequence[Column]) -> list[str]:
    """A letter for each column: the first of its name, else another one of it; "" where none is left."""
    names = [name_of(column).lower() for column in columns]
    found = [""] * len(columns)
    for possible in ([name[:1] for name in names], names, [_FREE] * len(columns)):
        for at, chars in enumerate(possible):
            found[at] = found[at] or next((char for char in chars if char in _FREE and char not in found), "")
    return found


def name_of(column: Column) -> str:
    """What a column is called in words."""
    return clean(column.label or column.name or column.key.replace("_", " ").capitalize())


class OrderScreen(PopUp[None]):
    """The columns that a table can be sorted by, each with its letter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back"),
        Binding("s", "take", "Sort", show=False, tooltip="Sort by the column under the cursor"),
        Binding("D", "usual", "Usual", tooltip="The rows as they come"),
    ]

    def __init__(self, table: RecordTable) -> None:
        super().__init__()
        self._table = table
        self._columns = table.sortable
        self._letters = letters(self._columns)

    def compose(self) -> ComposeResult:
        """The keys, and the columns."""
        with Vertical(id="picker") as box:
            box.border_subtitle = _KEYS
            yield Label("Sort by", markup=False)
            yield Options(*map(self._line, self._columns, self._letters))
        yield KeyBar(enter="Sort")

    def _line(self, column: Column, letter: str) -> Option:
        order = self._table.order
        mark = " " if order is None or order[0] != column.key else "▾" if order[1] else "▴"
        return Option(Text.assemble((letter or " ", "bold underline"), f"  {mark} {name_of(column)}"))

    def on_mount(self) -> None:
        """The cursor is on the column that it is sorted by."""
        options, order = self.query_one(Options), self._table.order
        keys = [column.key for column in self._columns]
        options.highlighted = keys.index(order[0]) if order is not None and order[0] in keys else 0
        options.focus()

    def on_key(self, event: events.Key) -> None:
        """A letter sorts by its column."""
        if event.key in self._letters:
            event.stop()
            self._sort(self._letters.index(event.key))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._sort(event.option_index)

    def action_take(self) -> None:
        """Sort by the column under the cursor."""
        at = self.query_one(Options).highlighted
        if at is not None:
            self._sort(at)

    def action_usual(self) -> None:
        """The rows as they come."""
        if self._table.sorts_itself:
            self._table.sort_by("")
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Who asks for the rows in an order has no other one."""
        return action != "usual" or self._table.sorts_itself

    def _sort(self, at: int) -> None:
        self._table.sort_by(self._columns[at].key)
        self.dismiss()
