"""What charts have in common: the rows they use, axes, labels and the legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style

from ..format import clean
from .canvas import Grid
from .palette import Ink
from .scale import Scale, place_labels

_GAP = 3
"""Columns between two entries of the legend."""


@dataclass(frozen=True)
class LegendEntry:
    """A series in a legend: how it is drawn, its name, and its total in words."""

    glyph: str
    style: Style
    name: str
    total: str = ""


@dataclass(frozen=True)
class Frame:
    """Which row of a chart holds what; None where the chart is too low for it."""

    legend: int | None
    plot: int
    rows: int
    axis: int | None
    labels: int | None
    caption: int | None
    gutter: int
    width: int

    @property
    def bottom(self) -> int:
        """The lowest row of the plot."""
        return self.plot + self.rows - 1


def make_frame(width: int, height: int, legend_rows: int = 1) -> Frame:
    """The rows of a chart, the plot's first: what it can do without goes when it is low. No gutter yet."""
    above = 0 if height < 5 else min(legend_rows, 1 if height < 14 else 2)
    below = 0 if height < 3 else 2
    tail = 1 if height >= 7 else 0
    rows = height - above - below - tail
    axis = above + rows if below else None
    return Frame(
        0 if above else None,
        above,
        rows,
        axis,
        None if axis is None else axis + 1,
        height - 1 if tail else None,
        0,
        width,
    )


def gutter(scale: Scale, width: int) -> int:
    """Columns left of the plot for the ticks' labels; 0 where that leaves too little for the plot."""
    widest = max(cell_len(label) for label in scale.labels)
    return widest + 2 if width >= widest + 12 else 0


def paint_scale(grid: Grid, ink: Ink, frame: Frame, scale: Scale, width: int) -> None:
    """The value axis and grid lines over `width` columns.

    A tick's value is the upper edge of its row, where a bar of that value ends.
    """
    for number, label in enumerate(scale.labels):
        y = frame.bottom + 1 - number * scale.every
        if frame.gutter and (number or frame.axis is not None):
            grid.put(frame.gutter - 1 - cell_len(label), y, label, ink.muted)
        if number:
            grid.put(frame.gutter, y, "▔" * width, ink.faint)
    if frame.axis is not None:
        grid.put(frame.gutter, frame.axis, "▔" * width, ink.muted)


def paint_labels(
    grid: Grid,
    ink: Ink,
    frame: Frame,
    labels: Sequence[str],
    centers: Sequence[int],
    cursor: int | None = None,
    earlier: int = 0,
    later: int = 0,
) -> None:
    """Names under the axis at the columns `centers`, as many as fit; the cursor's always.

    `earlier` and `later` tell how many there are beyond the ends.
    """
    if frame.axis is None or frame.labels is None:
        return
    left = f"… {earlier} earlier " if earlier else ""
    right = f" {later} later …" if later else ""
    grid.put(frame.gutter, frame.labels, left, ink.muted)
    grid.put(frame.gutter + frame.width - len(right), frame.labels, right, ink.muted)
    taken = range(0)
    if cursor is not None:
        name = labels[cursor]
        start = max(0, min(centers[cursor] - (cell_len(name) - 1) // 2, frame.width - cell_len(name)))
        taken = range(start - 1, start + cell_len(name) + 1)
        grid.put(frame.gutter + centers[cursor], frame.axis, "▲", ink.strong)
    begin = len(left)
    room = frame.width - begin - len(right)
    for index, column in place_labels(labels, [center - begin for center in centers], room):
        span = range(begin + column, begin + column + cell_len(labels[index]))
        if centers[index] >= begin and not (taken and span.start < taken.stop and taken.start < span.stop):
            grid.put(frame.gutter + span.start, frame.labels, labels[index], ink.muted)
    if cursor is not None:
        pad = " " if taken.start >= 0 else ""
        grid.put(frame.gutter + taken.start + 1 - len(pad), frame.labels, f"{pad}{labels[cursor]} ", ink.strong)


def fit_words(text: str, width: int) -> str:
    """The text cut between words, so that no number is shown in part."""
    if cell_len(text) <= width:
        return text
    head = clean(text, width - 1).removesuffix("…")
    return f"{head[: head.rfind(' ')].rstrip(' +·=:,')} …" if " " in head else clean(text, width)


def _flow(sizes: Sequence[int], width: int, rows: int, note: int) -> list[tuple[int, int]] | None:
    """Where entries of these widths go: (row, column), `note` columns of the last row kept; None: no room."""
    places: list[tuple[int, int]] = []
    row = x = 0
    for size in sizes:
        limit = width - (note if row == rows - 1 else 0)
        if x and x + size > limit:
            row, x = row + 1, 0
            limit = width - (note if row == rows - 1 else 0)
        if row >= rows or x + size > limit:
            return None
        places.append((row, x))
        x += size + _GAP
    return places


def _fit_legend(entries: Sequence[LegendEntry], width: int, rows: int) -> tuple[list[tuple[int, int]], bool]:
    """Places for as many entries as fit, with their totals if all do."""
    for totals in (True, False):
        sizes = [cell_len(e.name) + 2 + (cell_len(e.total) + 1 if totals and e.total else 0) for e in entries]
        places = _flow(sizes, width, rows, 0)
        if places is not None:
            return places, totals
    for keep in range(len(entries) - 1, 0, -1):
        places = _flow(sizes[:keep], width, rows, len(f"+{len(entries) - keep} more") + _GAP)
        if places is not None:
            return places, False
    return [], False


def legend_rows(entries: Sequence[LegendEntry], width: int) -> int:
    """Rows the legend asks for: none for nothing, two where one would hide something."""
    if not entries:
        return 0
    places, totals = _fit_legend(entries, width, 1)
    return 1 if len(places) == len(entries) and totals else 2


def paint_legend(grid: Grid, ink: Ink, frame: Frame, entries: Sequence[LegendEntry]) -> None:
    """The series from below; without totals where they do not fit, and then "+2 more"."""
    if frame.legend is None or not entries:
        return
    places, totals = _fit_legend(entries, frame.width, frame.plot - frame.legend)
    row, x = 0, -_GAP
    for (row, column), entry in zip(places, entries, strict=False):
        y = frame.legend + row
        x = grid.put(frame.gutter + column, y, entry.glyph, entry.style) + 1
        x = grid.put(x, y, entry.name, ink.base)
        if totals and entry.total:
            x = grid.put(x + 1, y, entry.total, ink.muted)
        x -= frame.gutter
    if len(places) < len(entries):
        more = f"+{len(entries) - len(places)} more"
        if x + _GAP + len(more) <= frame.width:
            grid.put(frame.gutter + x + _GAP, frame.legend + row, more, ink.muted)
