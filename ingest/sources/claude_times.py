"""When the rows of a transcript were written, and what they say of their sessions over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from ..batch import Batch, micros

ACTIVITY_GAP = 600_000_000
"""Microseconds: rows further apart belong to different spans of activity."""

_YEARS = range(1900, 9000)


def parse_time(value: Any) -> int | None:
    """Microseconds since 1970 of an ISO time; without an offset it is UTC. None if it is no time.

    A broken clock may show any year; where the calendar ends, a day has no neighbours and some zones have no day.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return micros(moment) if moment.year in _YEARS else None


def spans(times: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Times in microseconds, in any order, as spans without a gap of more than ten minutes."""
    ordered = sorted(times)
    start = end = ordered[0]
    for moment in ordered[1:]:
        if moment - end > ACTIVITY_GAP:
            yield start, end
            start = moment
        end = moment
    yield start, end


class Sessions:
    """What the rows of one stretch say of the sessions they belong to: first and last labels, and activity."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}
        self._firsts: dict[tuple[str, str], _Label] = {}
        self._lasts: dict[tuple[str, str], _Label] = {}

    @property
    def waits(self) -> bool:
        """Whether there are labels of rows before the first time."""
        return any(label[0] is None for labels in (self._firsts, self._lasts) for label in labels.values())

    def seen(self, session: str, ts: int) -> None:
        """A user or assistant row was written at a time."""
        self._times.setdefault(session, []).append(ts)

    def first(self, session: str, kind: str, ts: int | None, pos: int, value: str) -> None:
        """A label of which the earliest counts."""
        known = self._firsts.get((session, kind))
        if known is None or _order(ts, pos) < _order(*known[:2]):
            self._firsts[session, kind] = ts, pos, value

    def last(self, session: str, kind: str, ts: int | None, pos: int, value: str) -> None:
        """A label of which the latest counts."""
        known = self._lasts.get((session, kind))
        if known is None or _order(ts, pos) > _order(*known[:2]):
            self._lasts[session, kind] = ts, pos, value

    def begin(self, ts: int) -> None:
        """The first time in the file: that of all labels before it."""
        for labels in (self._firsts, self._lasts):
            for key, (when, pos, value) in labels.items():
                labels[key] = (ts if when is None else when), pos, value

    def write(self, batch: Batch, path: str) -> None:
        """Add the labels and the spans of activity."""
        for table, labels in (("session_firsts", self._firsts), ("session_lasts", self._lasts)):
            for (session, kind), (ts, pos, value) in labels.items():
                row = {"session_id": session, "kind": kind, "path": path, "pos": pos, "value": value}
                batch.add(table, row if ts is None else row | {"ts": ts})
        for session, times in self._times.items():
            for start, end in spans(times):
                batch.add("activity", {"session_id": session, "started_at": start, "ended_at": end})


_Label = tuple[int | None, int, str]


def _order(ts: int | None, pos: int) -> tuple[int, int]:
    # Once there is a time, all labels have one: see `begin`.
    return ts or 0, pos
