"""Intensities: five levels that differ in glyph, and where there is colour in shade."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable

from rich.style import Style
from textual.color import Color

from .axes import fit_words
from .canvas import Grid
from .palette import Ink
from .scale import amount

LEVELS = "·▫▪■▇"
_SHADES = (0.0, 0.6, 0.75, 0.88, 1.0)
_LEGEND = f"less {LEVELS} more"


def leveler(values: Iterable[object]) -> Callable[[object], int]:
    """Which level a value has: 0 for nothing, else the quarter of all that is not 0 in which it ranks, 1 to 4.

    By rank and not by size, or a single huge day would make all others look alike.
    """
    ranked = sorted(value for value in map(amount, values) if value)

    def level(value: object) -> int:
        shown = amount(value)
        return math.ceil(bisect_right(ranked, shown) / len(ranked) * 4) if shown and ranked else 0

    return level


def heat_style(ink: Ink, tone: Color, level: int, pointed: bool) -> Style:
    """How a cell of a level is drawn."""
    if pointed:
        return ink.base + Style(reverse=True)
    if level == 0:
        return ink.muted
    color = ink.foreground if ink.plain else tone
    if tone.ansi is None and ink.background.ansi is None and not ink.plain:
        color = ink.background.blend(tone, _SHADES[level])
    return Style.from_color(color.rich_color, ink.background.rich_color)


def paint_footer(grid: Grid, ink: Ink, tone: Color, y: int, left: int, caption: str) -> None:
    """The caption, and behind it what the glyphs mean if there is room for both."""
    start = grid.width - len(_LEGEND)
    room = grid.width - left
    if start > left + len(caption) + 1:
        x = grid.put(start, y, "less ", ink.muted)
        for level, glyph in enumerate(LEVELS):
            x = grid.put(x, y, glyph, heat_style(ink, tone, level, pointed=False))
        grid.put(x, y, " more", ink.muted)
    grid.put(left, y, fit_words(caption, room), ink.base)
