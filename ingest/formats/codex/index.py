"""Names of threads: `session_index.jsonl`, of which the last line for a thread counts."""

from __future__ import annotations

from typing import Any

import msgspec

from ...batch import Batch
from ...jsonl import Unusable, reader_of
from ..emit import Emitter
from ..events import Label, Place
from ..source import SourceFile, State
from ..times import parse_time


class Named(msgspec.Struct, gc=False):
    """A line of the index."""

    id: Any = None
    thread_name: Any = None
    updated_at: Any = None


_rows = reader_of(Named)


class IndexDecoder:
    """Reads one stretch of the index into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._emitter = Emitter(file, batch, agent="codex", state=state)
        self._first_pos: int | None = None

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        self._first_pos = pos if self._first_pos is None else self._first_pos
        for found in _rows.each(line):
            row = found.row
            if isinstance(row, Unusable):
                self.reject(pos + found.offset, len(found.data), str(row))
            elif isinstance(row.id, str) and isinstance(row.thread_name, str):
                ts = parse_time(row.updated_at)
                self._emitter.clock(ts)
                self._emitter.label(Label.TITLE, row.thread_name.strip(), Place(row.id, ts, pos))

    def reject(self, pos: int, length: int, reason: str) -> None:
        """Note a line that cannot be used. `pos` and `length` are bytes."""
        self._emitter.reject(pos, length, reason)

    def finish(self) -> State:
        """Add the names; the state for the next stretch."""
        return self._emitter.finish(self._first_pos)
