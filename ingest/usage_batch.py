"""The rows of a reading that is only about what responses took: those of responses, merged, and of their sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

from ..queries.facts import RESPONSES
from .batch import Batch, Row
from .call_rows import PlacedRow
from .merged_rows import MergedRows
from .short_rows import ShortRows
from .text import keep

_OF_SESSIONS = frozenset(("session_firsts", "session_lasts", "summaries", "prompts", "activity", "strays", "worktrees"))
"""Tables that say whose a response is, what its session is called, and when a conversation went on."""


class Lines(Protocol):
    """Lines of responses that are compared with each other already."""

    def pop_rows(self, key: str) -> Iterable[Row]:
        """Those of one response as rows, if there are any, because there are others of it; they are not told again."""

    def unfinished(self) -> Iterable[Row]:
        """Those responses as rows that do not say why they stopped."""

    def tell(self, rows: ShortRows) -> None:
        """Tell all responses in short."""


@dataclass(slots=True)
class UsageBatch(Batch):
    """A batch that takes one file after the other, and drops what nobody asks for."""

    with_sessions: bool = False
    """Whether what files say of their sessions is wanted, too."""
    is_doubtful: bool = False
    """Whether the file that is read has to be read with its sessions."""
    has_strays: bool = False
    """Whether there are sub-agents that name another session than the one they were started in: whose they are is
    told by all files together."""
    waiting: set[str] = field(default_factory=set)
    """Sessions with responses that look like the beginning of one."""
    short: ShortRows = field(default_factory=ShortRows)
    """The rows that a decoder compares by itself; the others are in `rows`."""
    lines: Lines | None = None
    """What a decoder compares by itself of the file that is read."""
    _merged: MergedRows = field(default_factory=lambda: MergedRows(RESPONSES))
    _told: list[Row] = field(default_factory=list)
    """Rows of responses that may still be given a time."""
    _others: list[tuple[str, Row]] = field(default_factory=list)

    def begin(self) -> None:
        """A file begins: what was told since the last `end` is dropped."""
        self._merged.clear()
        self._told, self._others, self.lines = [], [], None
        self.is_doubtful = False

    def add(self, table: str, row: Row) -> None:
        """Take a row."""
        self.has_strays = self.has_strays or table == "strays"
        if table == "responses":
            self.say_whose(row)
            self._told.append(row)
        elif self.with_sessions and table in _OF_SESSIONS:
            self.say_whose(row)
            self._others.append((table, row))

    def take(self, table: str, rows: Sequence[PlacedRow]) -> None:
        """Nothing: neither tool calls nor what they touch is asked for."""

    def sizes(self) -> dict[str, int]:
        """How many rows there are of each table so far, those of the file that is read among them."""
        sizes = Counter(Batch.sizes(self))
        sizes["responses"] += len(self._told)
        sizes.update(table for table, _ in self._others)
        return dict(sizes)

    def doubt(self) -> None:
        """Say of the file that is read that a number of it depends on rows that were passed over."""
        self.is_doubtful = True

    def end(self) -> bool:
        """The file is read: take in what it told; whether that was done, for it is not if the file is doubtful."""
        if self.lines is not None:
            for key in {row["key"] for row in self._told}:
                for row in self.lines.pop_rows(key):
                    self._merged.take(row)
        for row in self._told:
            self._merged.add(row)
        rows = list(self._merged)
        waiting = list(filter(_waits, rows if self.lines is None else chain(rows, self.lines.unfinished())))
        if not self.with_sessions and (self.is_doubtful or waiting):
            return False
        self.waiting.update(row["session_id"] for row in waiting if row.get("session_id") is not None)
        for table, row in (*(("responses", row) for row in rows), *self._others):
            keep(table, row)
            self.rows.setdefault(table, []).append(row)
        if self.lines is not None:
            self.lines.tell(self.short)
        return True


def _waits(row: Row) -> bool:
    """Whether a response looks like the beginning of one: what comes after it, prompts too, tells whether it is."""
    return (
        row.get("lower_bound") is None
        and row.get("stop_reason") is None
        and not row.get("stays_early")
        and (bool(row.get("early_output")) or row["output_tokens"] < (row.get("least_output_tokens") or 0))
    )
