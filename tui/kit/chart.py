"""Trends and distributions, drawn by plotext."""

from __future__ import annotations

from textual.message import Message

from . import raster
from .canvas import Grid, put_centered
from .cursor_canvas import Pointed
from .palette import Ink, widget_ink
from .plots import Histogram, Spots, Trend

_NOWHERE = Spots(0, 0, ())


class PlotextChart(Pointed):
    """A line or area chart over time, or a histogram with percentiles; the cursor tells one part in words."""

    HELP = "Left and right move over the chart; the line below tells the highlighted part in words."

    class PartHighlighted(Message):
        """The cursor came to the point or bin `index`."""

        def __init__(self, chart: PlotextChart, index: int) -> None:
            super().__init__()
            self.chart = chart
            self.index = index

        @property
        def control(self) -> PlotextChart:
            """The widget the message is from."""
            return self.chart

    def __init__(
        self,
        *,
        empty: str = "Nothing to show yet.",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`empty` is told when there is no data."""
        super().__init__(id=id, classes=classes)
        self._empty = empty
        self._plot: Trend | Histogram | None = None
        self._spots = _NOWHERE

    def show(self, plot: Trend | Histogram, *, empty: str | None = None) -> None:
        """Show a plot; the cursor stays at its place."""
        self._plot = plot
        self._empty = self._empty if empty is None else empty
        if self._cursor is not None:
            self._cursor = min(self._cursor, plot.parts() - 1) if plot.parts() else None
        self.repaint()

    @property
    def caption(self) -> str:
        """The highlighted part in words; without one, the plot's outstanding value."""
        return "" if self._plot is None or self._plot.empty() else self._plot.words(self._cursor)

    def part_count(self) -> int:
        return 0 if self._plot is None else self._plot.parts()

    def part_at(self, x: int, y: int) -> int | None:
        return self._spots.part_at(x, y)

    def announce(self, index: int) -> None:
        self.post_message(self.PartHighlighted(self, index))

    def ink(self) -> Ink:
        tones = [line.tone for line in self._plot.lines] if isinstance(self._plot, Trend) else []
        return widget_ink(self, self._plot.series() if self._plot else 1, tones)

    def paint(self, grid: Grid, ink: Ink) -> None:
        self._spots = _NOWHERE
        if self._plot is None or self._plot.empty():
            put_centered(grid, self._empty, ink.muted)
            return
        try:
            raster.engine()
        except (ImportError, OSError) as error:  # no wheel of its compiled kernel for this platform
            put_centered(grid, f"Charts need plotext, which cannot be loaded here: {error}", ink.muted)
            return
        self._spots = self._plot.paint(grid, ink, self._cursor)
