"""Charts of a single line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from .scale import amount

_LEVELS = "▁▂▃▄▅▆▇█"
_PARTS = " ▏▎▍▌▋▊▉"


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Values as at most `width` columns of ▁ to █, scaled to the largest; 0, None and non-finite are ▁.

    More values than columns are averaged in groups of neighbours; fewer take one column each.
    """
    if width <= 0 or not values:
        return ""
    amounts = [amount(value) for value in values]
    if len(amounts) > width:
        edges = [index * len(amounts) // width for index in range(width + 1)]
        groups = [amounts[a:b] for a, b in pairwise(edges)]
        amounts = [sum(value / len(group) for value in group) for group in groups]
    peak = max(amounts)
    if peak <= 0:
        return _LEVELS[0] * len(amounts)
    # What is not 0 rises above the floor, so that a quiet day differs from an idle one.
    return "".join(_LEVELS[math.ceil(value / peak * (len(_LEVELS) - 1))] for value in amounts)


def meter(ratio: float | None, width: int) -> str:
    """A share of one as a bar of `width` cells: "███████████░░░░░"; beyond 0 and 1 it is empty and full.

    It is full only at 1 and empty only at 0.
    """
    if width <= 0:
        return ""
    share = min(amount(ratio), 1.0)
    filled = round(share * width)
    if 0 < share < 1:
        filled = max(min(filled, width - 1), 1 if width > 1 else 0)
    return "█" * filled + "░" * (width - filled)


def bar(share: float | None, width: int) -> str:
    """A share of one as a bar at an eighth of a cell, padded with blanks to `width`; what is not 0 shows."""
    if width <= 0:
        return ""
    value = min(amount(share), 1.0)
    eighths = max(round(value * width * 8), 1 if value > 0 else 0)
    return ("█" * (eighths // 8) + _PARTS[eighths % 8].strip()).ljust(width)
