"""Rows on their way into the store: collected in Python, handed over as compact JSON files.

DuckDB reads such a file in bulk; inserting row by row from Python is a hundred times slower.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .call_rows import PlacedRow
from .row_files import encoded_lines, write_each
from .text import RowTexts, keep

Row = dict[str, Any]
"""Column name -> value. Absent columns are NULL. Times are microseconds since 1970 in UTC."""


@dataclass(slots=True)
class Batch:
    """The rows of one transaction, by table."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    whose: dict[str, str] = field(default_factory=dict)
    """Columns that every row has from here on, unless it says otherwise: which agent, machine and person it is of."""

    def add(self, table: str, row: Row) -> None:
        """Add one row of a table of the store. Its texts are cut, and lose the credentials in them."""
        keep(table, row)
        self.put(table, row)

    def put(self, table: str, row: Row) -> None:
        """Add one row whose texts are kept as they are, or by whoever adds it."""
        if self.whose:
            self.say_whose(row)
        rows = self.rows.get(table)
        if rows is None:
            self.rows[table] = [row]
        else:
            rows.append(row)

    def say_whose(self, row: Row) -> None:
        """Give a row the columns of `whose` that it does not have itself."""
        for column, value in self.whose.items():
            if column not in row:
                row[column] = value

    def extend(self, other: Batch) -> None:
        """Add the rows of another batch, as it has them."""
        for table, rows in other.rows.items():
            self.rows.setdefault(table, []).extend(rows)

    def take(self, table: str, rows: Sequence[PlacedRow]) -> None:
        """Add rows of a table that are structs, and say themselves whose they are, the same way."""
        if rows:
            keep_texts(table, rows)
            self.rows.setdefault(table, []).extend(row.columns() for row in rows)

    def of(self, table: str) -> list[Row]:
        """The rows of a table so far."""
        return self.rows.get(table, [])

    def sizes(self) -> dict[str, int]:
        """How many rows there are of each table so far."""
        return {table: len(rows) for table, rows in self.rows.items()}

    def grown_since(self, sizes: Mapping[str, int]) -> tuple[str, ...]:
        """The tables of which rows were added since there were so many."""
        return tuple(table for table, size in self.sizes().items() if size > sizes.get(table, 0))

    def write(self, folder: Path, name: str) -> dict[str, Path]:
        """Write every table's rows to `folder/name.table.ndjson`. The files by table; empty tables have none."""
        return write_each(folder, name, self.encoded())

    def encoded(self) -> dict[str, Iterable[bytes]]:
        """Every table's rows as JSON, many lines at once."""
        return {
            table: encoded_lines(rows if table in _TELL_WHAT_IS else map(_told, rows))
            for table, rows in self.rows.items()
        }


def _told(row: Row) -> Row:
    # What is absent is NULL; to say so column by column takes a quarter of the bytes, which are read again.
    return {name: value for name, value in row.items() if value is not None} if None in row.values() else row


_TELL_WHAT_IS = frozenset(("tool_calls", "accesses"))
"""Tables with many rows, of which an emitter tells nearly nothing that is absent: to look for it takes longer."""


def keep_texts(table: str, rows: Sequence[PlacedRow]) -> None:
    """Cut the texts of rows of one kind, and blot out the credentials in them."""
    texts = _texts_of(table, type(rows[0]))
    for row in rows:
        texts.keep(row)


@functools.cache
def _texts_of(table: str, kind: type[PlacedRow]) -> RowTexts:
    return RowTexts(table, kind.__struct_fields__)
