"""The list of data accesses, a page at a time."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from ..kit.table import Column, RecordTable

COLUMNS = (
    Column("when", "When", 15),
    Column("action", "Action", 15),
    Column("resource", "Resource"),
    Column("result", "Result", 11),
    Column("rows", "Rows", 6, "right", min_screen=104),
    Column("duration", "Duration", 8, "right", min_screen=92),
    Column("session", "Session", min_screen=120),
    Column("project", "Project", 14, min_screen=112),
    Column("agent", "Agent", 11, min_screen=100),
    Column("machine", "Machine", 10, min_screen=112),
    Column("username", "User", 10, min_screen=112),
)


class AccessTable(RecordTable):
    """The list of accesses. Moving beyond its ends asks for another page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Full text", tooltip="Show the whole SQL and command"),
    ]

    SORTS: ClassVar[bool] = False

    class Beyond(Message):
        """The cursor is to go beyond the last row (`older`) or the first."""

        def __init__(self, older: bool) -> None:
            super().__init__()
            self.older = older

    def _beyond(self, older: bool) -> bool:
        at_end = self.cursor_row == (self.row_count - 1 if older else 0)
        if at_end:
            self.post_message(self.Beyond(older))
        return at_end

    def action_cursor_down(self) -> None:
        """One row on."""
        if not self._beyond(True):
            super().action_cursor_down()

    def action_cursor_up(self) -> None:
        """One row back."""
        if not self._beyond(False):
            super().action_cursor_up()

    def action_page_down(self) -> None:
        """A screen on."""
        if not self._beyond(True):
            super().action_page_down()

    def action_page_up(self) -> None:
        """A screen back."""
        if not self._beyond(False):
            super().action_page_up()
