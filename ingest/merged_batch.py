"""The rows of a reading of much: those of one response that a file tells in several lines are one row."""

from __future__ import annotations

from dataclasses import dataclass

from ..queries.facts import RESPONSES
from .batch import Batch, Row
from .merged_rows import MergedRows
from .text import keep


@dataclass(slots=True)
class MergedBatch(Batch):
    """A batch of which the rows of responses are told once all is read: half as many are written, and read again."""

    def add(self, table: str, row: Row) -> None:
        """Take a row."""
        if table == RESPONSES.name:
            self.put(table, row)
        else:
            Batch.add(self, table, row)

    def merge(self) -> None:
        """All is read: merge the rows of responses, and keep of their texts what is kept of others' at once."""
        if rows := self.rows.get(RESPONSES.name):
            merged = MergedRows(RESPONSES)
            for row in rows:
                merged.add(row)
            rows[:] = merged
            for row in rows:
                keep(RESPONSES.name, row)
