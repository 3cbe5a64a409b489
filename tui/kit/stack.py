"""The geometry of stacked bars, without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .scale import Scale

EMPTY = -1
"""Stands for "no series" in a cell."""

_WIDEST_STEP = 10


@dataclass(frozen=True)
class Bars:
    """Where the bars stand: `shown` of them from bucket `first` on, `step` columns apart, `bar` wide."""

    first: int
    shown: int
    step: int
    bar: int

    @property
    def width(self) -> int:
        """Columns from the first bar to the end of the last."""
        return max(0, (self.shown - 1) * self.step + self.bar) if self.shown else 0

    def column(self, index: int) -> int:
        """The first column of bucket `index`."""
        return (index - self.first) * self.step

    def bucket(self, column: int) -> int | None:
        """The bucket drawn at a column, its gap included."""
        index = column // self.step if self.step else -1
        return self.first + index if column >= 0 and index < self.shown else None


def place_bars(buckets: int, width: int, cursor: int | None = None) -> Bars:
    """Bars as wide as fit, one cell at least; of too many the latest, or those from the cursor on."""
    if buckets <= 0 or width <= 0:
        return Bars(0, 0, 1, 1)
    if buckets > width:
        first = buckets - width
        if cursor is not None:
            first = min(first, max(0, cursor))
        return Bars(first, width, 1, 1)
    # The last bar needs no gap behind it.
    step = min((width + 1) // buckets, _WIDEST_STEP)
    gap = 0 if step == 1 else 1 if step < 8 else 2
    return Bars(0, buckets, step, step - gap)


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
