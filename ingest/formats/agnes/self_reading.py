"""Parsers that need more than the lines of their file."""

from __future__ import annotations

from pathlib import Path

from ...agnes.values import Problem
from ...batch import Batch
from ..source import SourceFile


class SelfReading:
    """A parser of a file whose reader knows which files it needs, and opens them itself, in `finish`."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._file = file
        self._batch = batch

    def document(self, path: Path, content: bytes) -> None:
        """Nothing: a file that is empty tells something, too, and the content given may be a secret."""

    def _problem(self, problem: Problem) -> None:
        self._batch.add(
            "rejects",
            {"path": str(self._file.path), "pos": problem.pos, "length": problem.length, "reason": problem.reason},
        )
