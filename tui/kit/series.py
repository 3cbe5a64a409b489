"""The data of charts."""

from __future__ import annotations

from dataclasses import dataclass

REST = "rest"
"""The tone of a series that is all the others together: grey, in every theme."""


@dataclass(frozen=True)
class Series:
    """A named row of values, one for each label of the chart that shows it.

    `tone` names a theme variable ("error") for a series that must keep its colour; else `place` decides, a number that
    what it shows has in every chart; else its place in this chart.
    """

    name: str
    values: tuple[float | None, ...]
    tone: str = ""
    place: int | None = None
