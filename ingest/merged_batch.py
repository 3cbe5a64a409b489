"""The rows of a reading of much: those of one response that a file tells in several lines are one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..queries.facts import RESPONSES
from .batch import Batch
from .merged_rows import MergedRows


@dataclass(slots=True)
class MergedBatch(Batch):
    """A batch whose rows of responses are merged by file: half as many are written, and read again."""

    merges: ClassVar[bool] = True

    def merge(self) -> None:
        """All is read: merge what several readings told of one response in the same file."""
        rows = self.of(RESPONSES.name)
        if len({(row["key"], row["path"]) for row in rows}) < len(rows):
            merged = MergedRows(RESPONSES)
            for row in rows:
                merged.take(row | {"usage_path": row["path"]})
            rows[:] = merged
