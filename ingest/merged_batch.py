"""The rows of a reading of much: those of one response that a file tells in several lines are one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .batch import Batch, keep_texts
from .call_rows import PlacedRow
from .short_rows import ShortRows


@dataclass(slots=True)
class MergedBatch(Batch):
    """A batch that takes one row of each response, when all that is read of a file is: half as many as lines."""

    short: ShortRows | None = None
    """Where it takes them in short; None: as it takes other rows."""

    def take(self, table: str, rows: Sequence[PlacedRow]) -> None:
        """As `Batch.take`; on their way into a file they stay what they are."""
        if self.short is None:
            Batch.take(self, table, rows)
        elif rows:
            keep_texts(table, rows)
            told: list[Any] = self.rows.setdefault(table, [])
            told += rows
