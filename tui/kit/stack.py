"""The geometry of stacked bars, without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .scale import Scale

EMPTY = -1
"""Stands for "no series" in a cell."""

_WIDEST_BAR = 12
"""Columns of the widest bar: where there are few, more room goes between them."""


@dataclass(frozen=True)
class Bars:
    """Where the bars stand: `shown` of them from bucket `first` on share `span` columns, with `gap` between two."""

    first: int
    shown: int
    span: int
    gap: int

    @property
    def width(self) -> int:
        """Columns from the first bar to the end of the last, all of the plot."""
        return max(0, self.span - self.gap) if self.shown else 0

    def _slot(self, number: int) -> int:
        return number * self.span // max(self.shown, 1)

    def wide(self, index: int) -> int:
        """Columns of the bar of bucket `index`. All are as wide, unless there is no gap that could differ instead."""
        number = index - self.first
        if self.gap == 0:
            return self._slot(number + 1) - self._slot(number)
        return min(self.span // self.shown - self.gap, _WIDEST_BAR)

    def column(self, index: int) -> int:
        """The first column of bucket `index`."""
        number = index - self.first
        room = self._slot(number + 1) - self._slot(number) - self.gap
        return self._slot(number) + max(0, room - self.wide(index)) // 2

    def center(self, index: int) -> int:
        """The column in the middle of the bar of bucket `index`."""
        return self.column(index) + (self.wide(index) - 1) // 2

    def bucket(self, column: int) -> int | None:
        """The bucket drawn at a column, the room around it included."""
        if not 0 <= column < self.span or not self.shown:
            return None
        # The last whose slot begins there or before.
        return self.first + ((column + 1) * self.shown - 1) // self.span


def place_bars(buckets: int, width: int, cursor: int | None = None) -> Bars:
    """Bars over the whole width, one cell at least; of too many the latest, or those from the cursor on."""
    if buckets <= 0 or width <= 0:
        return Bars(0, 0, 0, 0)
    if buckets > width:
        first = buckets - width
        if cursor is not None:
            first = min(first, max(0, cursor))
        return Bars(first, width, width, 0)
    step = (width + 1) // buckets
    gap = 0 if step == 1 else 1 if step < 8 else 2
    # The last bar needs no gap behind it.
    return Bars(0, buckets, width + gap, gap)


@dataclass(frozen=True)
class StackedBlock:
    """A cell of a bar: `eighths` of it, from below, show one series and the rest another, or EMPTY."""

    below: int
    above: int
    eighths: int


def stack(values: Sequence[float], scale: Scale) -> list[StackedBlock]:
    """The cells of one bar from the bottom up, as far as it reaches; `values` from the bottom series up.

    A cell can show two colours: where three meet, the two that leave the fewest eighths wrong.
    """
    total, owners = 0.0, bytearray()
    for series, value in enumerate(values):
        total += value
        owners.extend([series] * (scale.eighths(total) - len(owners)))
    return [_block([*owners[start : start + 8]]) for start in range(0, len(owners), 8)]


def _block(owners: list[int]) -> StackedBlock:
    owners += [EMPTY] * (8 - len(owners))
    best, block = -1, StackedBlock(owners[0], EMPTY, 8)
    for cut in range(1, 9):
        below, above = owners[:cut], owners[cut:]
        lower = max(below, key=below.count)
        upper = max(above, key=above.count) if above else lower
        right = below.count(lower) + above.count(upper)
        if right > best:
            best, block = right, StackedBlock(lower, upper, cut)
    return StackedBlock(block.below, block.above, 8) if block.below == block.above else block
