"""What several lines of a file tell of one fact becomes one row before it is handed over.

It is the same merge as in the store, for the same orders (`queries/facts.py`): of each group of columns the line that
wins, and what is added up of all. Whether a copy is one, and who wins between files, is decided in the store, for which
the rows of other files are needed. So merged rows and rows as they are told lead to the same store, however a file is
cut into stretches.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from ..queries.facts import Fact, Half
from .batch import Row

Values = tuple[Any, ...]

LATER = "later"
"""In a row that is taken: functions, one for each group of columns, that give those by which it is not compared."""

_ALL: dict[str, Callable[[Any, Any], Any]] = {"max": max, "bool_or": lambda one, other: one or other}
"""Aggregates of `Fact.sums`, of two values that there are."""


class Order:
    """How two lines of one file are compared in a group of columns."""

    def __init__(self, half: Half) -> None:
        # All are of one path, and it makes no difference which line of a file says that it is a copy: see
        # `merging._decided`.
        left_out = {f"{half.prefix}path", f"{half.prefix}is_copy" if half.rivals is not None else None}
        self._terms = [term for term in half.terms if term.column not in left_out]
        self._reversed = [number for number, term in enumerate(self._terms) if term.negated]
        self.is_last = half.pick == "max"
        """Whether of lines the last one counts, and not the first."""
        self.columns = tuple(term.column for term in self._terms)
        """Those by which lines are compared, in the order of their values."""

    def beats(self, later: Values, known: Values) -> bool:
        """Whether a line counts and not one that came before it: also if both are told alike, as in the store."""
        for number in self._reversed:
            if later[number] != known[number]:
                later, known = self._ranks(later), self._ranks(known)
                break
        try:
            return later >= known if self.is_last else later <= known
        except TypeError:
            # One of them has no value where they differ.
            later, known = self._ranks(later), self._ranks(known)
            return later >= known if self.is_last else later <= known

    def _ranks(self, values: Values) -> Values:
        return tuple([term.rank_of(value) for term, value in zip(self._terms, values, strict=True)])


class Winners:
    """Of each key the rows that count, one for each group of columns of a fact, and what is added up of all.

    All rows of a key are of one file.
    """

    def __init__(self, fact: Fact) -> None:
        said = [f"{half.prefix}is_copy" for half in fact.halves if half.rivals is not None]
        self.summed = (*fact.sums, *said)
        """The columns that are added up: also those in which one line says for all of its file that it is a copy."""
        orders = [Order(half) for half in fact.halves]
        self._sides = [(number, values_in(order.columns), order.beats) for number, order in enumerate(orders)]
        self._sums = values_in(self.summed)
        aggregates = (*(aggregate for _, aggregate in fact.sums.values()), *["bool_or"] * len(said))
        self._aggregates = [_ALL[aggregate] for aggregate in aggregates]
        self._known: dict[Hashable, tuple[list[Row], list[Values], list[Any]]] = {}
        """Of each key the rows that count, what they are compared by, and what is added up."""

    def add(self, key: Hashable, line: Row) -> None:
        """Take a row."""
        known = self._known.get(key)
        if known is None:
            values = [get(line) for _, get, _ in self._sides]
            self._known[key] = [line] * len(values), values, list(self._sums(line))
            return
        lines, best, sums = known
        for number, get, beats in self._sides:
            told = get(line)
            if beats(told, best[number]):
                lines[number], best[number] = line, told
        for number, value in enumerate(self._sums(line)):
            before = sums[number]
            if value is not None and value != before:
                sums[number] = value if before is None else self._aggregates[number](before, value)

    def clear(self) -> None:
        """Begin anew, without rows."""
        self._known.clear()

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[tuple[Any, Sequence[Row], Sequence[Any]]]:
        """Each key, its rows that count, by group of columns, and the values of `summed`."""
        for key, (lines, _, sums) in self._known.items():
            yield key, lines, sums


class MergedRows:
    """The rows of a fact that files tell, one for each key and file. For facts with one column as their key."""

    def __init__(self, fact: Fact) -> None:
        (name,) = fact.key
        self._key = itemgetter(name, "path")
        self._of_path = [column for column in fact.repeated if column not in told_by_merged(fact)]
        self._defaults = list(fact.defaults.items())
        self._repeated = list(fact.repeated.items())
        self._columns = [(tuple(half.columns), tuple(term.column for term in half.terms)) for half in fact.halves]
        """Of each group all columns, and those that a row has which tells the others later."""
        self._winners = Winners(fact)

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
        self._winners.add(self._key(row), row)

    def clear(self) -> None:
        """Begin anew, without rows."""
        self._winners.clear()

    def __iter__(self) -> Iterator[Row]:
        for _, rows, sums in self._winners:
            # What is not replaced below is of the first group, or the same of all.
            merged = dict(rows[0])
            merged.pop(LATER, None)
            for number, ((columns, compared), row) in enumerate(zip(self._columns, rows, strict=True)):
                later = row.get(LATER)
                if later is not None:
                    merged.update(later[number]())
                if row is not rows[0]:
                    shown = columns if later is None else compared
                    merged.update(zip(shown, map(row.get, shown), strict=True))
            merged.update(zip(self._winners.summed, sums, strict=True))
            for column in self._of_path:
                del merged[column]
            yield merged


def values_in(columns: tuple[str, ...]) -> Callable[[Row], Values]:
    """What gives the values of some columns of a row, which may not have all of them."""
    get = itemgetter(*columns)

    def values(row: Row) -> Values:
        try:
            return get(row)  # type: ignore[no-any-return]
        except KeyError:
            return tuple(map(row.get, columns))

    return values


def told_by_merged(fact: Fact) -> dict[str, str]:
    """Columns that merged rows of a fact tell, with their types: all but those that repeat the path."""
    return {name: kind for name, kind in fact.loaded.items() if fact.repeated.get(name) != "path"}
