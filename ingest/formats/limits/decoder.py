"""Samples of limits, from lines to events."""

from __future__ import annotations

from typing import Any

import msgspec

from ...batch import Batch
from ...jsonl import Unusable, reader_of
from ...limit_log import AGENT, windows_in
from ...text import short
from ..emit import Emitter
from ..events import LimitSample, Place
from ..source import SourceFile, State
from ..times import moment_of


class LimitsRow(msgspec.Struct, gc=False):
    """A line: when, and what was told of each window."""

    ts: Any = None
    rate_limits: Any = None


_rows = reader_of(LimitsRow)


class LimitsDecoder:
    """Reads one stretch of the file into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._emitter = Emitter(file, batch, agent=AGENT, state=state)

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        for found in _rows.each(line):
            at = pos + found.offset
            if isinstance(found.row, Unusable):
                self._emitter.reject(at, len(found.data), str(found.row))
                continue
            ts = moment_of(found.row.ts)
            windows = windows_in(found.row.rate_limits)
            if ts is None or not windows:
                self._emitter.reject(at, len(found.data), "no sample of a limit")
                continue
            self._emitter.clock(ts)
            for name, window in windows.items():
                resets_at = window.get("resets_at")
                sample = LimitSample(
                    span=short(name) or name,
                    used=window["used_percentage"],
                    resets_at=None if resets_at is None else int(resets_at) * 1_000_000,
                )
                self._emitter.limit(sample, Place(None, ts, at))

    def finish(self) -> State:
        """The state for the next stretch."""
        return self._emitter.finish()
