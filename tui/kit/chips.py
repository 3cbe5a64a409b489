"""What is filtered by, as chips: a click drops one."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Static


class FilterChips(Static):
    """One line, there only while something is filtered."""

    DEFAULT_CSS = """
    FilterChips { height: 1; padding: 0 1; }
    """

    class Dropped(Message):
        """The chip of a field was clicked."""

        def __init__(self, field: str) -> None:
            super().__init__()
            self.field = field

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.display = False
        self._places: list[tuple[int, int, str]] = []

    def show(self, chips: Sequence[tuple[str, str]], hint: str) -> None:
        """The chips as (field, words), and at the end what else can be done, which may be cut off."""
        line = Text(" ", no_wrap=True, overflow="ellipsis")
        self._places = []
        for field, told in chips:
            start = line.cell_len
            # Reversed, so that a chip is one without colours, too.
            line.append(f" {told} ✕ ", style="reverse")
            self._places.append((start, line.cell_len, field))
            line.append(" ")
        line.append(f" {hint}", style="dim")
        self.update(line)
        self.display = bool(chips)

    def on_click(self, event: events.Click) -> None:
        """Drop the chip under the mouse."""
        # The event counts from the border of the widget, the line from its padding.
        x = event.x - self.styles.padding.left
        for start, end, field in self._places:
            if start <= x < end:
                self.post_message(self.Dropped(field))
