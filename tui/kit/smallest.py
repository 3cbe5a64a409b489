"""What a terminal shows that is too small for a tab: what runs, what is left, what was spent, what size is missing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

LEAST_WIDTH = 30
"""Columns from which a tab is shown."""
LEAST_HEIGHT = 8
"""Rows from which it is."""


class SmallestView(Static):
    """Over all else where there is no room for that; the screen's style sheet says when."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._lines: tuple[Text, ...] = ()

    def tell(self, lines: Sequence[Text]) -> None:
        """What to show, a line each, the most urgent first."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self.refresh()

    def render(self) -> Text:
        """As many of them as there is room for; the last line says what size is missing."""
        width, height = self.size
        needed = Text(f"needs {LEAST_WIDTH} × {LEAST_HEIGHT}", style="dim")
        if needed.cell_len + len(" · q quits") <= width:
            needed.append(" · q quits")
        shown = [*self._lines[: max(0, height - 1)], needed]
        for line in shown:
            line.truncate(width, overflow="ellipsis")
        return Text("\n", no_wrap=True, overflow="ellipsis").join(shown)
