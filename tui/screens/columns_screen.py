"""Which columns of a table are shown, and in which order."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from ..kit.key_bar import KeyBar
from ..kit.pop_up import PopUp
from ..kit.scrolling import Options
from ..kit.table import Column, RecordTable
from .order_screen import name_of


class ColumnsScreen(PopUp[None]):
    """All columns of a table, those that are shown first; what is changed is seen at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Done"),
        Binding("space", "show_or_hide", "Show or hide", tooltip="Show or hide the column"),
        Binding("less_than_sign,shift+up", "move(-1)", "Earlier", key_display="<", tooltip="Move it to the left"),
        Binding("greater_than_sign,shift+down", "move(1)", "Later", key_display=">", tooltip="Move it to the right"),
        Binding("D", "usual", "Usual", tooltip="The usual columns in their usual order"),
    ]

    def __init__(self, table: RecordTable) -> None:
        super().__init__()
        self._table = table
        self._columns: list[tuple[Column, bool]] = []

    def compose(self) -> ComposeResult:
        """The keys, and the columns."""
        with Vertical(id="picker"):
            yield Label("Columns of this table", markup=False)
            yield Options()
        yield KeyBar()

    def on_mount(self) -> None:
        """The columns as they are."""
        self._read()
        self._fill(0)
        self.query_one(OptionList).focus()

    def _read(self) -> None:
        shown = self._table.chosen_columns
        keys = {column.key for column in shown}
        rest = [column for column in self._table.all_columns if column.key not in keys]
        self._columns = [*((column, True) for column in shown), *((column, False) for column in rest)]

    def _fill(self, at: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(Text(f"{'✓' if on else ' '} {name_of(column)}")) for column, on in self._columns])
        options.highlighted = at

    @on(OptionList.OptionSelected)
    def _toggle(self) -> None:
        self.action_show_or_hide()

    def action_show_or_hide(self) -> None:
        """Show or hide the column under the cursor; the last one that is shown stays."""
        at = self.query_one(OptionList).highlighted
        if at is None:
            return
        column, on = self._columns[at]
        if on and sum(shown for _, shown in self._columns) == 1:
            return
        self._columns[at] = (column, not on)
        self._apply(at)

    def action_move(self, step: int) -> None:
        """Move the column under the cursor."""
        at = self.query_one(OptionList).highlighted
        if at is None or not 0 <= at + step < len(self._columns):
            return
        self._columns.insert(at + step, self._columns.pop(at))
        self._apply(at + step)

    def action_usual(self) -> None:
        """As if nobody had chosen."""
        self._table.choose([])
        self._read()
        self._fill(0)

    def _apply(self, at: int) -> None:
        self._table.choose([column.key for column, on in self._columns if on])
        self._fill(at)
