"""Percentiles of values that are already here, as DuckDB's `quantile_cont` has them."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ascending: Sequence[float], share: float) -> float | None:
    """The value below which `share` (0 to 1) of the values lie, between its neighbours; None if there are none."""
    if not ascending:
        return None
    place = share * (len(ascending) - 1)
    below = int(place)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (ascending[above] - ascending[below]) * (place - below)
