"""SQLite databases as a source: the rows that changed since the last reading."""

from __future__ import annotations

import contextlib
import json
import math
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
    instead: str | None = None
    """A table that newer versions of the owner may have instead."""
    beside: str | None = None
    """SQL of what a row needs of other tables to be understood; the decoder finds it in the row as `_beside`."""
    now: Callable[[], float] | None = None
    """What `by` says just now, if that is a time: rows beyond are of a clock that was wrong, and hide no other ones."""


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
        known: dict[str, int] = state.get("below", {})
        below = {
            table.table: self._below(table, since[table.table], known.get(table.table))
            for _, table in tables
            if table.table in since
        }
        if None in below.values():
            state, since, below = {}, {}, {}
        self.is_from_start = not since
        decoder = self._change.decoder(self._file, state.get("decoder", {}), self._batch, self._connection)
        since, more = dict(since), False
        for number, table in tables:
            name = table.table
            since[name], more, passed = self._read(number, table, since.get(name), decoder)
            below[name] = (below.get(name) or 0) + passed
            if more:
                break
        now: State = {"since": since, "below": below, "decoder": decoder.finish()}
        return now | ({"renews": True} if more and state.get("renews") else {}), more

    def _tables(self) -> list[tuple[int, ChangedRows]]:
        """The tables that are there, with their numbers. One that is missed is rejected; an empty database is new."""
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        there = {row[0] for row in self._connection.execute(query)}
        for table in self._change.tables if there else ():
            if table.table not in there and not table.optional and table.instead not in there:
                reject(self._batch, self._file.path, 0, 0, f"has no table {table.table}")
        return [(number, table) for number, table in enumerate(self._change.tables) if table.table in there]

    def _below(self, table: ChangedRows, since: Any, known: int | None) -> int | None:
        """How many rows are below a value up to which all are read, of which some are known.

        None if the values have gone down, or some of these rows are new.
        """
        if since is None:
            return 0
        query = f"SELECT coalesce(max({table.by}) < ?, true), count(*) FILTER (WHERE {table.by} < ?) FROM {table.table}"
        has_gone_down, count = self._connection.execute(query, [since, since]).fetchone()
        return None if has_gone_down or (known is not None and count > known) else int(count)

    def _read(self, number: int, table: ChangedRows, since: Any, decoder: RowDecoder) -> tuple[Any, bool, int]:
        """Feed the changed rows of a table.

        The value of `by` from which to go on, whether there are more rows, and how many of those read are below it.
        """
        last, now = since, table.now() if table.now is not None else math.inf
        passed = same = 0
        for row in self._changed(table, since):
            key, by, _, *told = row
            # One odd value among numbers, or one of the future, would hide all that comes after it.
            is_usual = isinstance(by, int | float) and by <= now and not isinstance(last, str)
            is_usual = is_usual or (isinstance(by, str) and (last is None or isinstance(last, str)))
            # Rows with the same value are read together: there is no place between them to go on from.
            if self.bytes >= self._limit and by != last and is_usual:
                return by, True, passed + same
            place = _place(key, number)
            reason = decoder.row(table.table, row, place)
            if reason is not None:
                reject(self._batch, self._file.path, place, 0, f"{table.table} row {key}: {reason}")
            self.places.append(place)
            self.bytes += sum([len(value) if type(value) in _SIZED else 8 for value in (key, by, *told)])
            if is_usual:
                passed, same = (passed, same + 1) if by == last else (passed + same, 1)
                last = by
        return last, False, passed

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

_KEYS = range(2**59)
"""Numbers of rows that leave room for these bits: SQLite's own go to 2**63, and below 0."""


def _place(key: Any, number: int) -> int:
    """The place of a row that `key` tells from the others of its table."""
    is_number = isinstance(key, int) and key in _KEYS
    return (key if is_number else zlib.crc32(str(key).encode("utf-8", "replace"))) << 4 | number


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
