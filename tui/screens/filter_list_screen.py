"""What the screens have in common that narrow a list down while one types."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList

from ..kit.pop_up import PopUp

Chosen = TypeVar("Chosen")


class ListedScreen(PopUp[Chosen]):
    """A line to type in above a list; the arrows move in the list while the line keeps the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
    ]

    def action_move(self, by: int) -> None:
        """Move the highlight while the line keeps the focus."""
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()
