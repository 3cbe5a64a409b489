"""What a `PlotextChart` can show: trends and distributions, as data that knows how to paint itself."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rich.cells import cell_len
from rich.style import Style

from ..format import clean, count, percent
from . import raster
from .axes import (
    Frame,
    LegendEntry,
    fit_words,
    gutter,
    legend_rows,
    make_frame,
    paint_labels,
    paint_legend,
    paint_scale,
)
from .canvas import Grid
from .palette import Ink
from .scale import Scale, Unit, amount, make_scale
from .series import Series

_MARKERS = ("hd", "braille", "dot", "cross", "diamond", "circle")
"""plotext's names of what lines are made of, one each where there is no colour."""
_SWATCHES = "▚⠒•♰◆●"
_NAME_CELLS = 24


@dataclass(frozen=True)
class Spots:
    """Where the parts of a painted plot are: the column of each one's middle, and the plot's first row."""

    left: int
    top: int
    centers: tuple[int, ...]

    def part_at(self, x: int, y: int) -> int | None:
        """The part nearest to a cell of the plot."""
        if not self.centers or y < self.top or not self.left <= x:
            return None
        column = x - self.left
        return min(range(len(self.centers)), key=lambda index: abs(self.centers[index] - column))


@dataclass(frozen=True)
class Trend:
    """Lines over labelled points, earliest first; `area` fills them down to the axis.

    A value that is None or not finite is a gap; a negative is drawn as 0. `describe` tells a point in words.
    """

    lines: tuple[Series, ...]
    labels: tuple[str, ...]
    unit: Unit = count
    area: bool = False
    describe: Callable[[int], str] | None = None

    def parts(self) -> int:
        """How many points there are."""
        return len(self.labels)

    def series(self) -> int:
        """How many colours it takes."""
        return len(self.lines)

    def values(self, line: int) -> list[float | None]:
        """A line's values, one a label: what can be drawn, else None."""
        shown = [
            None if value is None or not math.isfinite(value) else amount(value)
            for value in self.lines[line].values[: len(self.labels)]
        ]
        return shown + [None] * (len(self.labels) - len(shown))

    def peak(self) -> tuple[float, int, int]:
        """The highest value, its line and point; -1 where there is no value at all."""
        found = [
            (value, line, -point)
            for line in range(len(self.lines))
            for point, value in enumerate(self.values(line))
            if value is not None
        ]
        value, line, point = max(found, default=(-1.0, 0, 0))
        return value, line, -point

    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return self.peak()[0] < 0

    def words(self, point: int | None) -> str:
        """A point in words, or without one the highest."""
        if point is None:
            value, line, at = self.peak()
            return f"Peak {self._label(at)}: {self._part(line, value)}"
        if self.describe is not None:
            return clean(self.describe(point))
        values = [self.values(line)[point] for line in range(len(self.lines))]
        parts = [self._part(line, value) for line, value in enumerate(values) if value is not None]
        return f"{self._label(point)}: {' · '.join(parts) or 'no value'}"

    def _part(self, line: int, value: float) -> str:
        name = clean(self.lines[line].name, _NAME_CELLS) if len(self.lines) > 1 else ""
        return f"{name} {self.unit(value)}".lstrip()

    def _label(self, point: int) -> str:
        return clean(self.labels[point], 16)

    def paint(self, grid: Grid, ink: Ink, cursor: int | None) -> Spots:
        """Draw everything."""
        entries = self._entries(ink)
        frame = make_frame(grid.width, grid.height, legend_rows(entries, grid.width - 7))
        scale = make_scale(max(self.peak()[0], 0.0), frame.rows, self.unit)
        left = gutter(scale, grid.width)
        frame = replace(frame, gutter=left, width=grid.width - left)
        paint_scale(grid, ink, frame, scale, frame.width)
        last = max(1, len(self.labels) - 1)
        spots = [0.5] if len(self.labels) == 1 else [point / last for point in range(len(self.labels))]
        for line in range(len(self.lines)):
            self._paint_line(grid, ink, frame, scale, line, spots)
        centers = tuple(min(frame.width - 1, int(spot * frame.width)) for spot in spots)
        if cursor is not None:
            self._paint_cursor(grid, ink, frame, scale, cursor, centers[cursor])
        names = [self._label(point) for point in range(len(self.labels))]
        paint_labels(grid, ink, frame, names, centers, cursor)
        paint_legend(grid, ink, frame, entries)
        _paint_caption(grid, ink, frame, self.words(cursor))
        return Spots(frame.gutter, frame.plot, centers)

    def _entries(self, ink: Ink) -> list[LegendEntry]:
        if len(self.lines) < 2:
            return []
        return [
            LegendEntry(
                _SWATCHES[line % len(_SWATCHES)] if ink.plain else "■",
                _line_style(ink, line),
                clean(one.name, _NAME_CELLS),
            )
            for line, one in enumerate(self.lines)
        ]

    def _paint_line(self, grid: Grid, ink: Ink, frame: Frame, scale: Scale, line: int, spots: Sequence[float]) -> None:
        top = scale.top or 1.0
        values = self.values(line)
        points = [(x, None if v is None else v / top) for x, v in zip(spots, values, strict=True)]
        # Thin lines stay apart where many cross; a single one reads best heavy.
        marker = "hd" if self.area or len(self.lines) == 1 else "braille"
        if ink.plain:
            marker = _MARKERS[line % len(_MARKERS)]
        rows = raster.line(_thin(points, 2 * frame.width), frame.width, frame.rows, marker, self.area)
        style = _line_style(ink, line)
        for number, row in enumerate(rows):
            _put_drawn(grid, frame.gutter, frame.plot + number, row, style)

    def _paint_cursor(self, grid: Grid, ink: Ink, frame: Frame, scale: Scale, point: int, center: int) -> None:
        x, top = frame.gutter + center, scale.top or 1.0
        grid.shade(x, frame.plot, 1, frame.rows, Style(bgcolor=ink.cursor.rich_color))
        for line in range(len(self.lines)):
            value = self.values(line)[point]
            if value is not None:
                y = frame.bottom - min(frame.rows - 1, int(value / top * frame.rows))
                grid.put(x, y, "●", _line_style(ink, line) + Style(bgcolor=ink.cursor.rich_color, bold=True))


@dataclass(frozen=True)
class PlotMark:
    """A value pointed out on the horizontal axis of a distribution: a percentile."""

    label: str
    value: float | None


@dataclass(frozen=True)
class Histogram:
    """How many fall between consecutive edges; there is one more edge than counts.

    `unit` tells an edge; `overflow`: the last bin has no end; `describe` tells a bin in words. Raises
    ValueError unless the edges are finite and ascending.
    """

    counts: tuple[float, ...]
    edges: tuple[float, ...]
    marks: tuple[PlotMark, ...] = ()
    overflow: bool = False
    unit: Unit = count
    describe: Callable[[int], str] | None = None

    def __post_init__(self) -> None:
        if not self.counts:
            return
        finite = all(math.isfinite(edge) for edge in self.edges)
        if len(self.edges) != len(self.counts) + 1 or not finite or any(a >= b for a, b in pairwise(self.edges)):
            raise ValueError("a histogram needs finite ascending edges, one more than counts")

    def parts(self) -> int:
        """How many bins there are."""
        return len(self.counts)

    def series(self) -> int:
        """How many colours it takes: one for the bars, one for each mark."""
        return 1 + len(self.marks)

    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(amount(n) for n in self.counts)

    def words(self, part: int | None) -> str:
        """A bin in words, or without one the marks and the total."""
        total = sum(amount(n) for n in self.counts)
        if part is None:
            marks = [self._mark(mark) for mark in self.marks if _known(mark)]
            return " · ".join([*marks, f"{count(total)} in all"])
        if self.describe is not None:
            return clean(self.describe(part))
        open_end = self.overflow and part == len(self.counts) - 1
        end = "or more" if open_end else f"to {self.unit(self.edges[part + 1])}"
        n = amount(self.counts[part])
        return f"{self.unit(self.edges[part])} {end}: {count(n)} ({percent(n / total if total else 0)})"

    def _mark(self, mark: PlotMark) -> str:
        return f"{clean(mark.label, 12)} {self.unit(mark.value or 0.0)}"

    def paint(self, grid: Grid, ink: Ink, cursor: int | None) -> Spots:
        """Draw everything."""
        frame = make_frame(grid.width, grid.height, 1 if any(map(_known, self.marks)) else 0)
        counts = [amount(n) for n in self.counts]
        scale = make_scale(max(counts), frame.rows, count)
        left = gutter(scale, grid.width)
        frame = replace(frame, gutter=left, width=grid.width - left)
        if len(counts) > frame.width:
            return self._paint_merged(grid, ink, cursor, math.ceil(len(counts) / frame.width))
        column = max(1, min(frame.width // len(counts), 12))
        width = min(column * len(counts), frame.width)
        paint_scale(grid, ink, frame, scale, width)
        rows = raster.columns(tuple(n / scale.top for n in counts), column, frame.rows)
        bars = _line_style(ink, 0)
        if cursor is not None:
            behind = Style(bgcolor=ink.cursor.rich_color)
            grid.shade(frame.gutter + cursor * column, frame.plot, column, frame.rows, behind)
        for number, row in enumerate(rows):
            _put_drawn(grid, frame.gutter, frame.plot + number, row, bars)
        self._paint_marks(grid, ink, frame, column, rows)
        self._paint_edges(grid, ink, frame, column, cursor)
        _paint_caption(grid, ink, frame, self.words(cursor))
        centers = tuple(index * column + column // 2 for index in range(len(counts)))
        return Spots(frame.gutter, frame.plot, centers)

    def _paint_merged(self, grid: Grid, ink: Ink, cursor: int | None, size: int) -> Spots:
        """Draw `size` neighbouring bins as one, for a plot of fewer columns than bins."""
        starts = range(0, len(self.counts), size)
        sums = tuple(sum(map(amount, self.counts[start : start + size])) for start in starts)
        edges = (*(self.edges[start] for start in starts), self.edges[-1])
        merged = replace(self, counts=sums, edges=edges)
        spots = merged.paint(grid, ink, None if cursor is None else cursor // size)
        return replace(spots, centers=tuple(spots.centers[part // size] for part in range(len(self.counts))))

    def _paint_edges(self, grid: Grid, ink: Ink, frame: Frame, column: int, cursor: int | None) -> None:
        labels = [self.unit(edge) for edge in self.edges]
        if self.overflow:
            labels[-1] += "+"
        paint_labels(grid, ink, frame, labels, [index * column for index in range(len(labels))])
        if cursor is not None and frame.axis is not None:
            grid.put(frame.gutter + cursor * column + column // 2, frame.axis, "▲", ink.strong)

    def _column(self, value: float, column: int) -> int:
        """The column in which a value lies, linear inside its bin."""
        bin_ = max(0, min(bisect_right(self.edges, value) - 1, len(self.counts) - 1))
        low, high = self.edges[bin_], self.edges[bin_ + 1]
        inside = min(max((value - low) / (high - low), 0.0), 1.0)
        return min(int((bin_ + inside) * column), column * len(self.counts) - 1)

    def _paint_marks(self, grid: Grid, ink: Ink, frame: Frame, column: int, rows: Sequence[str]) -> None:
        """A vertical line a mark, on the bars where they are in its way, and its name above."""
        end = 0
        known = [(mark.value, number) for number, mark in enumerate(self.marks, 1) if _known(mark)]
        for value, number in sorted(known, key=lambda pair: pair[0] or 0.0):
            x = self._column(value or 0.0, column)
            style = _line_style(ink, number)
            for y, row in enumerate(rows):
                if row[x : x + 1] == " ":
                    grid.put(frame.gutter + x, frame.plot + y, "│", style)
                elif row[x : x + 1] == "█":
                    on_bar = Style(bgcolor=ink.fill(0)[1].rich_color)
                    color = ink.background if ink.plain else ink.fill(number)[1]
                    grid.put(frame.gutter + x, frame.plot + y, "│", on_bar + Style(color=color.rich_color))
            text = self._mark(self.marks[number - 1])
            start = max(min(x, frame.width - cell_len(text)), end)
            if frame.legend is not None and start + cell_len(text) <= frame.width:
                grid.put(frame.gutter + start, frame.legend, text, style)
                end = start + cell_len(text) + 2


def _known(mark: PlotMark) -> bool:
    return mark.value is not None and math.isfinite(mark.value)


def _line_style(ink: Ink, number: int) -> Style:
    return Style.from_color(ink.fill(number)[1].rich_color, ink.background.rich_color)


def _put_drawn(grid: Grid, x: int, y: int, row: str, style: Style) -> None:
    """Write what is drawn of a row, leaving what lies under its blanks."""
    for offset, char in enumerate(row):
        if char != " ":
            grid.put(x + offset, y, char, style)


def _paint_caption(grid: Grid, ink: Ink, frame: Frame, text: str) -> None:
    if frame.caption is not None:
        grid.put(frame.gutter, frame.caption, fit_words(text, frame.width), ink.base)


def _thin(points: Sequence[tuple[float, float | None]], most: int) -> tuple[tuple[float, float | None], ...]:
    """At most `most` points: of neighbours that share a pixel the highest stays."""
    if most < 1 or len(points) <= most:
        return tuple(points)
    size = math.ceil(len(points) / most)
    groups = (points[start : start + size] for start in range(0, len(points), size))
    return tuple(max(group, key=lambda point: -1.0 if point[1] is None else point[1]) for group in groups)
