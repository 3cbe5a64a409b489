"""SQLite databases as a source: the rows that changed since the last reading."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...queries import regular
from ..batch import Batch
from .change import reject, session_of, whole
from .source import ReadResult, Source, SourceBusy, SourceFile, State, Watermark

if TYPE_CHECKING:
    import sqlite3


_ROWS_AT_ONCE = 100
"""Whose texts are in memory together."""

BUSY_SECONDS = 0.2
"""How long we wait for a database that its owner keeps locked; then the next sweep tries again."""


class RowDecoder(Protocol):
    """Turns rows of a database into rows of the store. It lives for one reading."""

    def row(self, table: str, row: sqlite3.Row, pos: int) -> str | None:
        """Read one row, whose facts stand at the place `pos`. The reason if it cannot be used; nothing is raised."""

    def finish(self) -> State:
        """Add what can only be said at the end; the state for the next reading."""


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """A table of which those rows are read that changed since the last reading."""

    table: str
    by: str
    """The column that grows with every change of a row, or, where rows do not change, with every new row."""
    key: str = "rowid"
    """A column that tells the rows apart."""
    optional: bool = False
    """Not every version of the owner has it."""
    beside: str | None = None
    """SQL of what a row needs of other tables to be understood; the decoder finds it in the row as `_beside`."""


@dataclass(frozen=True, slots=True)
class Database:
    """A SQLite file that its owner has open and writes to.

    It is opened read-only for one reading, which sees one state of it, and waits at most BUSY_SECONDS for its owner;
    after that SourceBusy leaves it to the next sweep. `Source.members` has to name the file and its `-wal`, so that
    either growing is noticed. Of each table those rows are read whose column `by` is not below the largest value read
    so far (nor NULL). What a row says of a fact replaces what had been said of it before; what a deleted row had told
    stays. A database whose values have gone down, or whose file is another one, is read again from the start.
    """

    decoder: Callable[[SourceFile, State, Batch, sqlite3.Connection], RowDecoder]
    """Makes the decoder, which may look up in the connection what a row needs to be understood."""
    tables: tuple[ChangedRows, ...]
    """In the order in which they are read; new ones are added at the end, sixteen at most."""

    def todo(self, watermark: Watermark, size: int) -> int:
        """By how much it has grown: that is about what is new in it."""
        return abs(size - watermark.read_to)

    def read(
        self, source: Source, file: SourceFile, watermark: Watermark | None, batch: Batch, limit: int
    ) -> ReadResult:
        """Read the rows that changed since, up to about `limit` bytes of them."""
        import sqlite3

        seen, told = source.fingerprint(file.path), batch.sizes()
        for member in source.members(file.path):
            regular.check(member)
        state: State = {}
        if watermark is not None and watermark.version != source.version:
            state = {"renews": True}
        elif watermark is not None and (watermark.device, watermark.inode) == seen.identity:
            state = json.loads(watermark.state)
        try:
            with contextlib.closing(_connected(file.path)) as connection:
                # One state for all tables.
                connection.execute("BEGIN")
                reading = _DatabaseReading(self, file, batch, connection, limit)
                now, more = reading.run(state)
        except sqlite3.Error as error:
            raise _explained(error, file.path) from error
        is_from_start = reading.is_from_start
        return ReadResult(
            file,
            whole(file, seen, now, source, more=more),
            0 if is_from_start else max(1, watermark.read_to if watermark else 0),
            session_of(now["decoder"], file),
            more,
            bytes_read=reading.bytes,
            extents=((str(file.path), 0),),
            tables=batch.grown_since(told),
            places=None if is_from_start and not state.get("renews") else tuple(reading.places),
            renews=bool(state.get("renews")),
        )

    def told_at(self, source: Source, file: SourceFile, pos: int) -> Any:  # noqa: ARG002
        """The row that has this place; texts that hold JSON are parsed."""
        import sqlite3

        number = pos & _TABLE
        if number >= len(self.tables) or pos <= _TABLE:
            raise LookupError
        table = self.tables[number]
        regular.check(file.path)
        try:
            with contextlib.closing(_connected(file.path)) as connection:
                for (key,) in connection.execute(f"SELECT {table.key} FROM {table.table}"):
                    if _place(key, number) == pos:
                        row = connection.execute(f"SELECT * FROM {table.table} WHERE {table.key} = ?", [key]).fetchone()
                        return {column: _value(row[column]) for column in row.keys()}  # noqa: SIM118
        except sqlite3.Error as error:
            raise _explained(error, file.path) from error
        raise LookupError


class _DatabaseReading:
    """One reading of a database."""

    def __init__(
        self, change: Database, file: SourceFile, batch: Batch, connection: sqlite3.Connection, limit: int
    ) -> None:
        self._change = change
        self._file = file
        self._batch = batch
        self._connection = connection
        self._limit = limit
        self.bytes = 0
        self.places: list[int] = [0]
        """Of all rows read; 0 is that of what is said of the whole file."""
        self.is_from_start = True

    def run(self, state: State) -> tuple[State, bool]:
        """Read what is new since a state: the next state, and whether there is more to read."""
        tables = self._tables()
        since: dict[str, Any] = state.get("since", {})
        if any(self._has_gone_down(table, since[table.table]) for _, table in tables if table.table in since):
            state, since = {}, {}
        self.is_from_start = not since
        decoder = self._change.decoder(self._file, state.get("decoder", {}), self._batch, self._connection)
        since, more = dict(since), False
        for number, table in tables:
            since[table.table], more = self._read(number, table, since.get(table.table), decoder)
            if more:
                break
        now: State = {"since": since, "decoder": decoder.finish()}
        return now | ({"renews": True} if more and state.get("renews") else {}), more

    def _tables(self) -> list[tuple[int, ChangedRows]]:
        """The tables that are there, with their numbers. One that is missed is rejected; an empty database is new."""
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        there = {row[0] for row in self._connection.execute(query)}
        for table in self._change.tables if there else ():
            if table.table not in there and not table.optional:
                reject(self._batch, self._file.path, 0, 0, f"has no table {table.table}")
        return [(number, table) for number, table in enumerate(self._change.tables) if table.table in there]

    def _has_gone_down(self, table: ChangedRows, since: Any) -> bool:
        if since is None:
            return False
        query = f"SELECT coalesce(max({table.by}) < ?, true) FROM {table.table}"
        return bool(self._connection.execute(query, [since]).fetchone()[0])

    def _read(self, number: int, table: ChangedRows, since: Any, decoder: RowDecoder) -> tuple[Any, bool]:
        """Feed the changed rows of a table: the value of `by` from which to go on, and whether there are more."""
        last = since
        for row in self._changed(table, since):
            key, by, _, *told = row
            # Rows with the same value are read together: there is no place between them to go on from.
            if self.bytes >= self._limit and by != last:
                return by, True
            place = _place(key, number)
            reason = decoder.row(table.table, row, place)
            if reason is not None:
                reject(self._batch, self._file.path, place, 0, f"{table.table} row {key}: {reason}")
            self.places.append(place)
            self.bytes += sum([len(value) if type(value) in _SIZED else 8 for value in (key, by, *told)])
            # One odd value among numbers would hide all that comes after it.
            if last is None or isinstance(by, str) == isinstance(last, str):
                last = by if isinstance(by, int | float | str) else last
        return last, False

    def _changed(self, table: ChangedRows, since: Any) -> Iterator[sqlite3.Row]:
        """The changed rows of a table by `by` and `key`: `_key`, `_by`, `_beside`, and all its columns.

        SQLite would sort whole rows, texts and all, at every reading. So it sorts only what tells them apart.
        """
        which = "true" if since is None else f"{table.by} >= ? OR {table.by} IS NULL"
        ordered = self._connection.execute(
            f"SELECT {table.key} FROM {table.table} WHERE {which} ORDER BY {table.by}, {table.key}",
            [] if since is None else [since],
        )
        columns = f"{table.key} AS _key, {table.by} AS _by, {table.beside or 'NULL'} AS _beside, *"
        while keys := [key for (key,) in ordered.fetchmany(_ROWS_AT_ONCE)]:
            marks = ", ".join("?" * len(keys))
            query = f"SELECT {columns} FROM {table.table} WHERE {table.key} IN ({marks})"
            found = {row["_key"]: row for row in self._connection.execute(query, keys)}
            yield from (found[key] for key in keys if key in found)
            if None in keys:
                yield from self._connection.execute(f"SELECT {columns} FROM {table.table} WHERE {table.key} IS NULL")


_SIZED = (str, bytes)

_TABLE = 0b1111
"""The bits of a place that tell the table."""


def _place(key: Any, number: int) -> int:
    """The place of a row that `key` tells from the others of its table."""
    return (key if isinstance(key, int) else zlib.crc32(str(key).encode())) << 4 | number


def _connected(path: Path) -> sqlite3.Connection:
    import sqlite3

    where = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(where, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.text_factory = _text
    return connection


def _value(value: Any) -> Any:
    """A column's value; what is JSON of an object or a list, as that."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _text(raw: bytes) -> str:
    # One odd byte costs no row.
    return raw.decode("utf-8", "replace")


def _explained(error: sqlite3.Error, path: Path) -> Exception:
    import sqlite3

    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return SourceBusy(str(error))
    return OSError(str(error)) if path.exists() else FileNotFoundError(str(path))
