"""When the rows of a file were written, and what they say of their sessions over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..batch import Batch

ACTIVITY_GAP = 600_000_000
"""Microseconds: rows further apart belong to different spans of activity."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_DAY, _END_DAY = ((dt.datetime(year, 1, 1, tzinfo=dt.UTC) - _EPOCH).days for year in (1900, 9000))

_read = dt.datetime.fromisoformat


def parse_time(value: Any) -> int | None:
    """Microseconds since 1970 of an ISO time; without an offset it is UTC. None if it is no time.

    A broken clock may show any year; where the calendar ends, a day has no neighbours and some zones have no day.
    """
    # Every row has one: what nearly all of them are, a text with an offset, is not asked for.
    try:
        since = _read(value) - _EPOCH
    except ValueError:
        return None
    except TypeError:
        if not isinstance(value, str):
            return None
        since = _read(value).replace(tzinfo=dt.UTC) - _EPOCH
    # As `moments.micros` has it, whose call, for every row, would take as long as half of all this.
    days = since.days
    return (days * 86_400 + since.seconds) * 1_000_000 + since.microseconds if _FIRST_DAY <= days < _END_DAY else None


_LATEST_MILLIS = 2 * 10**14


def moment_of(value: Any) -> int | None:
    """Microseconds since 1970 of an ISO time or of milliseconds since 1970; None if it is neither."""
    if type(value) is int or type(value) is float:
        return int(value * 1000) if 0 < value < _LATEST_MILLIS else None
    return parse_time(value)


def spans(times: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Times in microseconds, in any order, at least one, as spans without a gap of more than ten minutes."""
    return joined(zip(times, times, strict=True))


def joined(some: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans in microseconds, in any order, at least one, joined where there is no gap of more than ten minutes."""
    ordered = iter(sorted(some))
    start, end = next(ordered)
    for begun, ended in ordered:
        if begun - end > ACTIVITY_GAP:
            yield start, end
            start, end = begun, ended
        elif ended > end:
            end = ended
    yield start, end


_OF_ROWS = ("git_branch", "version", "leaf")
"""The labels that any row may carry."""

Label = tuple[int | None, int, str]
"""Time in microseconds (None before the first time in the file, after it no more), place in bytes, what is said."""


class SessionLabels:
    """What the rows of one stretch say of the sessions they belong to: first and last labels, and activity."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}
        self._firsts: dict[str, dict[str, Label]] = {}
        self._lasts: dict[str, dict[str, Label]] = {}
        self._latest: dict[str, tuple[int | None, int, str, str, str]] = {}
        """The latest row that had all three labels of `row`: kept apart, because nearly every row is one."""

    @property
    def waits(self) -> bool:
        """Whether there are labels of rows before the first time."""
        self._settle()
        return any(label[0] is None for labels in self._all() for label in labels.values())

    def seen(self, session: str, ts: int) -> None:
        """A user or assistant row was written at a time."""
        self.seen_in(session)(ts)

    def seen_in(self, session: str) -> Callable[[int], None]:
        """What takes the times of such rows of a session."""
        return self._times.setdefault(session, []).append

    def is_first(self, session: str, kind: str, ts: int | None, pos: int) -> bool:
        """Whether a row is the earliest so far to say this of its session."""
        labels = self._firsts.get(session)
        known = labels.get(kind) if labels is not None else None
        return known is None or (ts or 0, pos) < (known[0] or 0, known[1])

    def first(self, session: str, kind: str, label: Label) -> None:
        """Keep a label that `is_first`."""
        self._firsts.setdefault(session, {})[kind] = label

    def row(self, session: str, ts: int | None, pos: int, branch: Any, version: Any, leaf: Any) -> None:
        """Keep the labels that any row of a session may carry."""
        if branch and version and leaf and type(branch) is type(version) is type(leaf) is str:
            known = self._latest.get(session)
            if known is None or (ts or 0, pos) > (known[0] or 0, known[1]):
                self._latest[session] = ts, pos, branch, version, leaf
        else:
            self.last(session, ts, pos, zip(_OF_ROWS, (branch, version, leaf), strict=True))

    def last(self, session: str, ts: int | None, pos: int, said: Iterable[tuple[str, Any]]) -> None:
        """Keep labels, of which the latest of each kind counts; what is no text, or empty, is none."""
        labels = self._lasts.setdefault(session, {})
        for kind, value in said:
            if value and isinstance(value, str):
                known = labels.get(kind)
                if known is None or (ts or 0, pos) > (known[0] or 0, known[1]):
                    labels[kind] = ts, pos, value

    def begin(self, ts: int) -> None:
        """The first time in the file: that of all labels before it."""
        self._settle()
        for labels in self._all():
            for kind, (when, pos, value) in labels.items():
                labels[kind] = (ts if when is None else when), pos, value

    def write(self, batch: Batch, path: str, whose: Mapping[str, str | None]) -> None:
        """Add the labels and the spans of activity.

        `whose`: the columns that say which agent, machine and person it is about.
        """
        self._settle()
        for table, sessions in (("session_firsts", self._firsts), ("session_lasts", self._lasts)):
            for session, labels in sessions.items():
                for kind, (ts, pos, value) in labels.items():
                    row = {"session_id": session, "kind": kind, "path": path, "pos": pos, "value": value, **whose}
                    batch.add(table, row if ts is None else row | {"ts": ts})
        for session, times in self._times.items():
            for start, end in spans(times) if times else ():
                batch.add("activity", {"session_id": session, "started_at": start, "ended_at": end})

    def _all(self) -> Iterator[dict[str, Label]]:
        yield from self._firsts.values()
        yield from self._lasts.values()

    def _settle(self) -> None:
        for session, (ts, pos, *said) in self._latest.items():
            self.last(session, ts, pos, zip(_OF_ROWS, said, strict=True))
        self._latest.clear()
