"""Counts as agents write them."""

from __future__ import annotations

MAX_COUNT = 10**12
"""Counts above this are mistakes: no response comes near, and the sums of a store must fit 63 bits."""


def whole_number(value: object) -> int | None:
    """A value that can be a count, else None; True and False are none, and 3.0 is 3."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None


MAX_USD = 1e6


def dollars(value: object) -> float | None:
    """An amount in USD as an agent states it; None if it is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= MAX_USD else None  # type: ignore[arg-type,operator]
