"""The only place that talks to plotext.

plotext 6.1 ends the process on a NaN in a connected line and on points far outside the limits, and takes
gigabytes for points moderately outside. So it never sees data: only coordinates inside a canvas of cells.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

LARGEST = 1000
"""The widest and highest canvas, in cells."""


@functools.cache
def engine() -> Any:
    """The plotext module, imported at the first call: that takes a third of a second.

    Raises ImportError or OSError where plotext or its compiled kernel is missing.
    """
    import plotext  # type: ignore[import-untyped]

    plotext.terminal.limit(False, False)  # a canvas may be larger than the terminal
    return plotext


def _draw(
    paths: Iterable[Sequence[tuple[float, float]]], width: int, height: int, marker: str, filled: bool
) -> tuple[str, ...]:
    """Paths in cells from the lower left corner as `height` rows of `width` characters."""
    figure = engine().figure
    figure.clear()
    figure.plot_size(width, height)
    figure.axes(False)
    figure.canvas("default")
    for axis, length in (("x", width), ("y", height)):
        ruler = figure.ruler(axis)
        ruler.ticks([], [])
        ruler.alignment("edge")
        ruler.lim(0, length)
    for path in paths:
        xs, ys = zip(*path, strict=True)
        signal = figure.signal(list(xs), list(ys), marker=marker).lines(True)
        figure.draw(signal.fillx() if filled else signal)
    rows = figure.build().string(colorless=True).split("\n")[:height]
    figure.clear()
    return tuple(row.ljust(width)[:width] for row in rows)


def _usable(width: int, height: int) -> bool:
    return 0 < width <= LARGEST and 0 < height <= LARGEST


@functools.lru_cache(maxsize=32)
def line(
    points: tuple[tuple[float, float | None], ...],
    width: int,
    height: int,
    marker: str = "hd",
    filled: bool = False,
) -> tuple[str, ...]:
    """A line through points given as finite shares (0 to 1) of the width and the height; a None breaks it.

    `filled` fills it down to the lower edge. Returns `height` rows of text, none for a canvas without cells.
    """
    if not _usable(width, height):
        return ()
    # The middle of the outermost pixels: on the very edge a point would fall off the canvas.
    across, up = 0.25, 0.125 if marker == "braille" else 0.25

    def pixel(x: float, y: float) -> tuple[float, float]:
        return min(max(x * width, across), width - across), min(max(y * height, up), height - up)

    runs = itertools.groupby(points, key=lambda point: point[1] is None)
    paths = [[pixel(x, y) for x, y in run if y is not None] for gap, run in runs if not gap]
    return _draw(paths, width, height, marker, filled)


@functools.lru_cache(maxsize=32)
def columns(shares: tuple[float, ...], column: int, height: int) -> tuple[str, ...]:
    """Touching bars `column` cells wide, each a finite share (0 to 1) of the height; what is not 0 shows.

    Returns `height` rows of text, none for a canvas without cells.
    """
    width = column * len(shares)
    if not _usable(width, height):
        return ()
    paths = []
    for index, share in enumerate(shares):
        if share > 0:
            halves = max(1, min(round(share * height * 2), height * 2))
            left, y = index * column, halves / 2 - 0.25
            paths.append([(left + 0.25, y), (left + column - 0.25, y)])
    return _draw(paths, width, height, "hd", filled=True)
