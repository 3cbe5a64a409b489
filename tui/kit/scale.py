"""The arithmetic of axes: harmless numbers, human ticks, which labels fit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

Unit = Callable[[float], str]
"""Tells a value in words, as the functions in `format` do."""

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_LARGEST, _SMALLEST = 1e250, 1e-250
"""Beyond these the arithmetic of a scale would leave the range of floats."""


def amount(value: object) -> float:
    """A value to draw: finite and >= 0. None, NaN, infinities, negatives and non-numbers count as 0."""
    if isinstance(value, bool):
        return float(value)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    if not math.isfinite(number) or number < _SMALLEST:
        return 0.0
    return min(number, _LARGEST)


def nice(least: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is >= `least` > 0."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _NICE if step * power >= least * (1 - 1e-9))


@dataclass(frozen=True)
class Scale:
    """A value axis whose ticks lie exactly on the edges of rows."""

    top: float
    """The value at the upper edge of the highest row; 0 when there is nothing to show."""
    rows: int
    every: int
    """Rows from tick to tick."""
    labels: tuple[str, ...]
    """Of the ticks, from 0 upwards."""

    def eighths(self, value: float) -> int:
        """The height of a value in eighths of a row; what is not 0 shows."""
        if self.top <= 0 or value <= 0:
            return 0
        return max(1, min(round(value / self.top * self.rows * 8), self.rows * 8))


def tick_labels(values: Sequence[float], unit: Unit) -> tuple[str, ...]:
    """The ticks in words, without the ".0" they all share."""
    labels = [unit(value) for value in values]
    short = [re.sub(r"\.0+(?!\d)", "", label) for label in labels]
    if all(a != b or not re.search(r"\d\.\d", a) for a, b in zip(labels, short, strict=True)):
        labels = short
    return tuple(labels)


def make_scale(peak: float, rows: int, unit: Unit) -> Scale:
    """The tightest axis of `rows` rows that holds `peak`, its ticks human and told in distinct labels."""
    if rows < 1 or peak <= 0:
        return Scale(0.0, max(rows, 0), max(rows, 1), (unit(0.0),))
    closest = max(1 if rows < 4 else 2 if rows < 9 else 3, math.ceil(rows / 6))
    options = []
    for every in range(closest, max(closest, rows // 2) + 1):
        step = nice(peak * every / rows)
        options.append((step * rows / every, every, step))
    for top, every, step in sorted(options):
        labels = tick_labels([step * index for index in range(rows // every + 1)], unit)
        if len(set(labels)) == len(labels):
            return Scale(top, rows, every, labels)
    # The unit cannot tell steps this small apart: name only the top, if at least that.
    ends = (unit(0.0), unit(peak))
    return Scale(peak, rows, rows, ends if len(set(ends)) == 2 else ends[:1])


def place_labels(labels: Sequence[str], centers: Sequence[int], width: int) -> list[tuple[int, int]]:
    """Which labels fit under an axis, as (index, column): evenly spaced from the last, one cell apart.

    Labels are centred under their bar and pushed inside the width where they would stick out.
    """
    if not labels:
        return []
    for stride in range(1, len(labels) + 1):
        placed: list[tuple[int, int]] = []
        limit = width + 1
        for index in range(len(labels) - 1, -1, -stride):
            length = cell_len(labels[index])
            column = max(0, min(centers[index] - (length - 1) // 2, width - length))
            if length > width or column + length + 1 > limit:
                break
            if length:
                placed.append((index, column))
                limit = column
        else:
            return placed[::-1]
    return []
