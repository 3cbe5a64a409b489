"""Rows of one fact that a file tells several times become one row before they are handed over.

It is the same merge as in the store, for the same orders (`queries/facts.py`): of each group of columns the row that
wins, and what is added up of all. Whether a copy is one, and who wins between files, is decided in the store, for which
the rows of other files are needed. So merged rows and rows as they are told lead to the same store, however a file is
cut into stretches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

from ..queries.facts import Fact, Half
from .batch import Row

_Rank = tuple[Any, ...]

LATER = "later"
"""In a row that is taken: functions, one for each group of columns, that give those by which it is not compared."""

_ALL: dict[str, Callable[[Any, Any], Any]] = {"max": max, "bool_or": lambda one, other: one or other}
"""Aggregates of `Fact.sums`, of two values that there are."""


class MergedRows:
    """The rows of a fact that files tell, one for each key and file. For facts with one column as their key."""

    def __init__(self, fact: Fact) -> None:
        (self._name,) = fact.key
        self._key = itemgetter(self._name, "path")
        self._of_path = [column for column in fact.repeated if column not in told_by_merged(fact)]
        self._sums = [(column, _ALL[aggregate]) for column, (_, aggregate) in fact.sums.items()]
        self._defaults = list(fact.defaults.items())
        self._repeated = list(fact.repeated.items())
        self._summed = list(fact.sums)
        self._halves = [_Side(half) for half in fact.halves]
        self._sides = len(self._halves)
        self._rows: dict[tuple[str, str], tuple[list[Row], list[Any]]] = {}
        """Of each key and file the row that wins in each group of columns, and what is added up."""

    def add(self, row: Row) -> None:
        """Take a row, as an emitter tells it; it is changed."""
        for column, other in self._defaults:
            if row.get(column) is None:
                row[column] = row.get(other)
        for column, other in self._repeated:
            row[column] = row[other]
        self.take(row)

    def take(self, row: Row) -> None:
        """Take a row that has all columns, also those that have a default or repeat others; or tells some `LATER`."""
        key = self._key(row)
        known = self._rows.get(key)
        if known is None:
            self._rows[key] = [row] * self._sides, [row.get(column) for column, _ in self._sums]
            return
        winners, sums = known
        for number, (column, aggregate) in enumerate(self._sums):
            value = row.get(column)
            if value is not None:
                before = sums[number]
                sums[number] = value if before is None else aggregate(before, value)
        for number, side in enumerate(self._halves):
            winners[number] = side.winner(winners[number], row)

    def clear(self) -> None:
        """Begin anew, without rows."""
        self._rows = {}

    def __iter__(self) -> Iterator[Row]:
        for winners, sums in self._rows.values():
            # What is not replaced below is of the first group, or the same of all.
            merged = dict(winners[0])
            merged.pop(LATER, None)
            for number, (side, row) in enumerate(zip(self._halves, winners, strict=True)):
                later = row.get(LATER)
                if later is not None:
                    merged.update(later[number]())
                if row is not winners[0]:
                    columns = side.columns if later is None else side.ranked
                    merged.update(zip(columns, map(row.get, columns), strict=True))
            merged.update(zip(self._summed, sums, strict=True))
            for column in self._of_path:
                del merged[column]
            yield merged


def told_by_merged(fact: Fact) -> dict[str, str]:
    """Columns that merged rows of a fact tell, with their types: all but those that repeat the path."""
    return {name: kind for name, kind in fact.loaded.items() if fact.repeated.get(name) != "path"}


class _Side:
    """How two rows of one file are compared in a group of columns."""

    def __init__(self, half: Half) -> None:
        self.columns = tuple(half.columns)
        self._is_last = half.pick == "max"
        self._said = f"{half.prefix}is_copy" if half.rivals is not None else None
        # Within a file it makes no difference which of its rows says that it is a copy: see `merging._decided`.
        self.ranked = tuple(term.column for term in half.terms)
        """The columns that a row has which tells the rest later."""
        self._terms = [term for term in half.terms if term.column != self._said]
        self._values = itemgetter(*(term.column for term in self._terms))
        self._reversed = [number for number, term in enumerate(self._terms) if term.negated]

    def winner(self, known: Row, row: Row) -> Row:
        """The one of two rows that counts; if any of the file says that it is a copy, it says so."""
        one, other = self._ranks(known, row)
        # Of two that are told alike the one that came last counts, as in the store.
        best, left = (row, known) if (other >= one if self._is_last else other <= one) else (known, row)
        if self._said is not None and left.get(self._said) and not best.get(self._said):
            return best | {self._said: True}
        return best

    def _ranks(self, known: Row, row: Row) -> tuple[_Rank, _Rank]:
        """What the two are compared by; at once where all values are there, and nothing is told in reverse."""
        try:
            one, other = self._values(known), self._values(row)
        except KeyError:
            return self._slowly(known), self._slowly(row)
        if None in one or None in other:
            return self._slowly(known), self._slowly(row)
        for number in self._reversed:
            if one[number] != other[number]:
                return self._slowly(known), self._slowly(row)
        return one, other

    def _slowly(self, row: Row) -> _Rank:
        return tuple([term.rank(row) for term in self._terms])
