"""Widgets drawn cell by cell."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from ..format import clean
from .palette import Ink, widget_ink


class Grid:
    """A rectangle of styled cells; writing outside it is ignored."""

    def __init__(self, width: int, height: int, base: Style) -> None:
        self.width = width
        self.height = height
        self._chars = [[" "] * width for _ in range(height)]
        self._styles = [[base] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str, style: Style) -> int:
        """Write harmless text (see `format.clean`) from a cell on; returns the column behind it."""
        if not 0 <= y < self.height:
            return x
        chars, styles = self._chars[y], self._styles[y]
        for char in text:
            size = get_character_cell_size(char)
            if size and 0 <= x <= self.width - size:
                chars[x], styles[x] = char, style
                if size == 2:
                    chars[x + 1], styles[x + 1] = "", style
            elif not size and 0 < x <= self.width:
                chars[x - 1] += char
            x += size
        return x

    def shade(self, x: int, y: int, width: int, height: int, style: Style) -> None:
        """Add a style to a rectangle, keeping the characters."""
        for row in self._styles[max(0, y) : max(0, y + height)]:
            for column in range(max(0, x), min(self.width, x + width)):
                row[column] += style

    def strips(self) -> list[Strip]:
        """The rows, cells of one style joined."""
        return [self._strip(chars, styles) for chars, styles in zip(self._chars, self._styles, strict=True)]

    def _strip(self, chars: list[str], styles: list[Style]) -> Strip:
        segments: list[Segment] = []
        start = 0
        for index in range(1, self.width + 1):
            if index == self.width or styles[index] is not styles[start]:
                segments.append(Segment("".join(chars[start:index]), styles[start]))
                start = index
        return Strip(segments, self.width)


def put_centered(grid: Grid, text: str, style: Style) -> None:
    """A sentence in the middle of the grid, over as many lines as it needs."""
    lines = textwrap.wrap(clean(text), max(1, grid.width - 2))[: grid.height]
    for number, line in enumerate(lines):
        y = (grid.height - len(lines)) // 2 + number
        grid.put((grid.width - cell_len(line)) // 2, y, line, style)


class Canvas(Widget, can_focus=True):
    """A widget that paints a grid of cells, again only when its size, data, colours or cursor changed."""

    DEFAULT_CSS = """
    Canvas { width: 1fr; height: 1fr; }
    """
    ALLOW_SELECT: ClassVar[bool] = False

    _strips: list[Strip] | None = None

    def paint(self, grid: Grid, ink: Ink) -> None:
        """Draw the whole widget."""
        raise NotImplementedError

    def ink(self) -> Ink:
        """What to paint with, from the styles and theme in use."""
        return widget_ink(self)

    def repaint(self) -> None:
        """Paint anew: the data or the cursor changed."""
        self._strips = None
        self.refresh()

    def repaint_lines(self, lines: Iterable[int]) -> None:
        """Paint anew where only some lines differ: the rest of the screen is left as it is."""
        self._strips = None
        self.refresh(*(Region(0, line, self.size.width, 1) for line in lines))

    def notify_style_update(self) -> None:
        # Also told of a new theme, which may leave this widget's own styles as they are.
        super().notify_style_update()
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """Line `y` of the content area."""
        width, height = self.size
        strips = self._strips
        if strips is None or len(strips) != height or (strips and strips[0].cell_length != width):
            ink = self.ink()
            grid = Grid(width, height, ink.base)
            if width and height:
                self.paint(grid, ink)
            self._strips = strips = grid.strips()
        return strips[y] if y < len(strips) else Strip.blank(width, self.rich_style)
