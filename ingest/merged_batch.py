"""The rows of a reading of much: those of one response that a file tells in several lines are one row."""

from __future__ import annotations

from dataclasses import dataclass

from .batch import Batch
from .short_rows import ShortRows


@dataclass(slots=True)
class MergedBatch(Batch):
    """A batch that takes one row of each response, when all that is read of a file is: half as many as lines."""

    short: ShortRows | None = None
    """Where it takes them in short; None: as it takes other rows."""
