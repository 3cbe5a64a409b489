"""Stacked bars over time, one bar a bucket, drawn at an eighth of a cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.style import Style
from textual.color import Color
from textual.message import Message

from ..format import clean, count
from .axes import LegendEntry, fit_words, gutter, legend_rows, make_frame, paint_labels, paint_legend, paint_scale
from .canvas import Grid, put_centered
from .cursor_canvas import Pointed
from .palette import Ink, widget_ink
from .scale import Scale, Unit, amount, make_scale
from .series import Series
from .stack import EMPTY, Bars, StackedBlock, place_bars, stack

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_AVERAGE, _HATCH = "╌", "▒"
_FEWEST_ROWS = 3
"""A chart of fewer rows has no line for an average: it would hide most of the bars."""
_NAME_CELLS = 24


class StackedBars(Pointed):
    """Bars of stacked series, a value axis, a legend with totals, a cursor that tells one bar in words."""

    HELP = "Left and right move over the bars; the line below tells the highlighted one in words."

    class BarHighlighted(Message):
        """The cursor came to bucket `index`."""

        def __init__(self, bars: StackedBars, index: int) -> None:
            super().__init__()
            self.bars = bars
            self.index = index

        @property
        def control(self) -> StackedBars:
            """The widget the message is from."""
            return self.bars

    def __init__(
        self,
        *,
        unit: Unit = count,
        describe: Callable[[int], str] | None = None,
        empty: str = "Nothing to show yet.",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`unit` tells a value, `describe` the bucket of an index, `empty` that there is no data."""
        super().__init__(id=id, classes=classes)
        self._unit = unit
        self._describe = describe
        self._empty = empty
        self._labels: tuple[str, ...] = ()
        self._series: tuple[Series, ...] = ()
        self._values: list[tuple[float, ...]] = []
        self._totals: list[float] = []
        self._average: tuple[float, str] | None = None
        self._growing: tuple[int, str] | None = None
        self._bars = Bars(0, 0, 0, 0)
        self._frame = make_frame(0, 0)

    # -- data

    def show(
        self,
        series: Sequence[Series],
        labels: Sequence[str],
        *,
        unit: Unit | None = None,
        describe: Callable[[int], str] | None = None,
        empty: str | None = None,
        average: tuple[float, str] | None = None,
        running: tuple[int, str] | None = None,
    ) -> None:
        """Show series over the buckets `labels` names, earliest first; the cursor stays on its label.

        A series with too few values is filled up with 0, values beyond the labels are ignored. A line shows
        `average`, a value and what it is of ("an active day"). `running` is the bucket
        that is not over, and its name ("today"): it is hatched, as it will grow.
        """
        before = self._labels[self._cursor] if self._cursor is not None else None
        self._labels = tuple(clean(label, 16) for label in labels)
        size = len(self._labels)
        self._series = tuple(series)
        padded = ([amount(value) for value in one.values[:size]] for one in self._series)
        columns = [values + [0.0] * (size - len(values)) for values in padded]
        self._values = list(zip(*columns, strict=True)) if columns else [()] * size
        self._totals = [sum(values) for values in self._values]
        self._unit = unit or self._unit
        self._describe = describe or self._describe
        self._empty = self._empty if empty is None else empty
        self._average = average
        self._growing = running if running is not None and 0 <= running[0] < size else None
        if before is not None:
            last = size - 1 if size else None
            self._cursor = self._labels.index(before) if before in self._labels else last
        self.repaint()

    @property
    def caption(self) -> str:
        """The highlighted bar in words; without one, the highest."""
        if not any(self._totals):
            return ""
        if self._cursor is None:
            peak = max(range(len(self._totals)), key=self._totals.__getitem__)
            told = [f"Peak {self._labels[peak]}: {self._unit(self._totals[peak])}"]
            if self._average is not None:
                value, of_what = self._average
                told.append(f"{_AVERAGE} {self._unit(value)} {of_what}")
            if self._growing is not None:
                index, name = self._growing
                hatch = "" if self.no_color else f"{_HATCH} "
                told.append(f"{hatch}{name} so far {self._unit(self._totals[index])}")
            return " · ".join(told)
        if self._describe is not None:
            return clean(self._describe(self._cursor))
        return self._sum_in_words(self._cursor)

    @property
    def no_color(self) -> bool:
        """Whether series are told apart by their pattern, so that none is left for a hatch."""
        return self.is_attached and bool(self.app.no_color)

    def _sum_in_words(self, index: int) -> str:
        named = zip(self._series, self._values[index], strict=True)
        parts = [f"{clean(one.name, _NAME_CELLS)} {self._unit(value)}" for one, value in named if value]
        total = self._unit(self._totals[index])
        text = f"{total} = {' + '.join(parts)}" if len(parts) > 1 else parts[0] if parts else total
        return f"{self._labels[index]}: {text}"

    # -- cursor

    def part_count(self) -> int:
        return len(self._labels)

    def part_at(self, x: int, y: int) -> int | None:
        return self._bars.bucket(x - self._frame.gutter) if y >= self._frame.plot else None

    def announce(self, index: int) -> None:
        self.post_message(self.BarHighlighted(self, index))

    # -- drawing

    def ink(self) -> Ink:
        tones, places = [one.tone for one in self._series], [one.place for one in self._series]
        return widget_ink(self, len(self._series), tones, places)

    def _entries(self, ink: Ink) -> list[LegendEntry]:
        totals = [sum(values) for values in zip(*self._values, strict=True)]
        entries = []
        for index, (one, total) in enumerate(zip(self._series, totals, strict=True)):
            glyph, color = ink.fill(index)
            style = Style.from_color(color.rich_color, ink.background.rich_color)
            name = clean(one.name, _NAME_CELLS)
            entries.append(LegendEntry(glyph if ink.plain else "■", style, name, self._unit(total)))
        return entries

    def paint(self, grid: Grid, ink: Ink) -> None:
        if not any(self._totals):
            self._bars = Bars(0, 0, 0, 0)
            put_centered(grid, self._empty, ink.muted)
            return
        entries = self._entries(ink)
        # About what is left of the width beside the axis; the scale needs the rows, the rows the legend.
        frame = make_frame(grid.width, grid.height, legend_rows(entries, grid.width - 7))
        scale = make_scale(max(self._totals), frame.rows, self._unit)
        left = gutter(scale, grid.width)
        self._frame = frame = replace(frame, gutter=left, width=grid.width - left)
        self._bars = bars = place_bars(len(self._labels), frame.width, self._cursor)
        paint_scale(grid, ink, frame, scale, bars.width)
        if self._average is not None and scale.top and frame.rows >= _FEWEST_ROWS:
            above = min(frame.rows - 1, int(amount(self._average[0]) / scale.top * frame.rows))
            grid.put(frame.gutter, frame.bottom - above, _AVERAGE * bars.width, ink.muted)
        buckets = range(bars.first, bars.first + bars.shown)
        for index in buckets:
            self._paint_bar(grid, ink, scale, index)
        paint_labels(
            grid,
            ink,
            frame,
            [self._labels[index] for index in buckets],
            [bars.center(index) for index in buckets],
            None if self._cursor is None else self._cursor - bars.first,
            earlier=bars.first,
            later=len(self._labels) - buckets.stop,
        )
        paint_legend(grid, ink, frame, entries)
        if frame.caption is not None:
            grid.put(frame.gutter, frame.caption, fit_words(self.caption, frame.width), ink.base)

    def _paint_bar(self, grid: Grid, ink: Ink, scale: Scale, index: int) -> None:
        x, bottom = self._frame.gutter + self._bars.column(index), self._frame.bottom
        wide = self._bars.wide(index)
        background = ink.background
        if index == self._cursor:
            background = ink.cursor
            behind = Style(bgcolor=background.rich_color)
            grid.shade(x, self._frame.plot, wide, self._frame.rows, behind)
        for row, block in enumerate(stack(self._values[index], scale)):
            glyph, style = self._block(ink, block, background)
            if self._growing is not None and index == self._growing[0] and glyph == "█" and not ink.plain:
                # A full cell has its colour behind it, too.
                glyph, style = _HATCH, style + Style(bgcolor=background.rich_color)
            grid.put(x, bottom - row, glyph * wide, style)

    @staticmethod
    def _block(ink: Ink, block: StackedBlock, background: Color) -> tuple[str, Style]:
        glyph, color = ink.fill(block.below)
        if ink.plain:
            # One glyph a cell: whoever has the larger part of it.
            if block.above != EMPTY and block.eighths < 4:
                glyph = ink.fill(block.above)[0]
            elif block.above == EMPTY and block.eighths < 4 and glyph != "█":
                glyph = "▁"
            elif block.above == EMPTY and glyph == "█":
                glyph = _EIGHTHS[block.eighths]
            return glyph, Style.from_color(color.rich_color, background.rich_color)
        above = background if block.above == EMPTY else ink.fill(block.above)[1]
        return _EIGHTHS[block.eighths], Style.from_color(color.rich_color, above.rich_color)
