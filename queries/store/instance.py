"""DuckDB itself, kept between two openings of a store: to start it takes ten times as long as to open the file.

It works in memory, and the store's file is attached to it while it is open and detached when it is closed: then the
file's log is taken in, its locks are let go of, and nothing of it is kept, exactly as if DuckDB had ended.
"""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..quoting import quoted
from .starting import Settings, started

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAME = "store"
"""What the store is called while it is attached."""

_TABLES = "provisional"
"""What tables in memory are called."""

_AHEAD = "ahead"
"""What those are called that are filled before the store is open, with a number."""

_numbers = itertools.count()

ROWS_TOGETHER = 10_240
"""Rows that are written as one group; a multiple of 2048.

Threads share out groups when a load is committed: of 300 MB of transcripts the largest tables have two. Where it writes
much DuckDB joins groups that are not full, in memory. With its usual 122,880 rows that takes as long as to write them
did, and more memory the larger the store is. Full ones stay as they are, whatever their size. Who reads need not know
it: to read all columns of a table takes 8 % longer than with 30,720 rows, to find a few of them less. A store of 3 GB
of transcripts is 6 % larger.
"""


class OpenStore(Protocol):
    """An open store."""

    def cursor(self) -> DuckDBPyConnection:
        """Another connection to it. All of them are closed before the database is."""

    def close(self) -> None:
        """Take in its log and let go of its file."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A connection to a DuckDB that is in no store, but in tables in memory, of its own."""

    engine: DuckDBPyConnection
    cursor: DuckDBPyConnection
    name: str
    """What DuckDB calls those tables' database, wherever the connection is."""
    before_end: list[Callable[[], None]]
    """What is to be done before that DuckDB is ended."""

    @contextlib.contextmanager
    def beside(self) -> Iterator[DuckDBPyConnection]:
        """Another connection to those tables, for another thread. It ends with the block."""
        cursor = beside(self.engine, self.name)
        try:
            yield cursor
        finally:
            cursor.close()

    @contextlib.contextmanager
    def above(self) -> Iterator[Outside]:
        """A connection to tables in memory of its own, and to those tables where it has none of a name.

        A transaction sees of a database what is there when it first looks: so what comes later is in another one.
        """
        from ._duckdb import duckdb

        cursor = beside(self.engine, self.name)
        try:
            name = f"{self.name}_above"
            cursor.execute(f"ATTACH ':memory:' AS {name}")
            try:
                cursor.execute(f"SET search_path = '{name}.main,{self.name}.main'")
                yield Outside(self.engine, cursor, name, self.before_end)
            finally:
                # After a fault nothing can be asked of it any more: it ends with DuckDB.
                with contextlib.suppress(duckdb.Error):
                    cursor.execute("USE memory")
                    cursor.execute(f"DETACH {name}")
        finally:
            cursor.close()


_instances: weakref.WeakSet[Instance] = weakref.WeakSet()


def end_all() -> None:
    """End every DuckDB of this process, which is about to end: what they put aside on the disk goes with them.

    Not one that has nothing there: it ends with the process, and to end it before takes 5 ms.
    """
    for instance in list(_instances):
        if instance.has_files:
            instance.end()


class Instance:
    """One DuckDB for the stores at one path, which has at most one of them open. Not to be used by two threads."""

    def __init__(self, path: Path, settings: Settings) -> None:
        # What does not fit into memory goes where it would go if DuckDB had been started with the file.
        self._aside = Path(f"{path}.tmp")
        self._settings: Settings = {**settings, "temp_directory": str(self._aside)}
        self._engine: DuckDBPyConnection | None = None
        self._is_attached = False
        self._before_end: list[Callable[[], None]] = []
        _instances.add(self)

    def open(self, path: Path, *, writable: bool) -> OpenStore:
        """Open the file at a path. Raises duckdb.Error, after which nothing is open and the next one begins afresh."""
        from ._duckdb import duckdb

        if self._engine is not None:
            try:
                return self._attached(self._engine, path, writable)
            except duckdb.Error:
                # It may be ill itself since an earlier fault, which says nothing of the file.
                self.end()
        self._engine = started(":memory:", self._settings)
        try:
            return self._attached(self._engine, path, writable)
        except BaseException:
            self.end()
            raise

    @contextlib.contextmanager
    def in_memory(self, statements: Iterable[str], tables: Iterable[str]) -> Iterator[DuckDBPyConnection]:
        """A connection to tables in memory, made by `statements`; of some of them with the rows of the open store.

        They end with the block, which may outlast the store's: that is not held any longer once its rows are copied.
        Without any such tables no store need be open.
        """
        if self._engine is None:
            self._engine = started(":memory:", self._settings)
        cursor = beside(self._engine, "memory")
        try:
            cursor.execute(f"ATTACH ':memory:' AS {_TABLES}")
            try:
                cursor.execute(f"USE {_TABLES}")
                for statement in statements:
                    cursor.execute(statement)
                for table in tables:
                    cursor.execute(f"INSERT INTO {table} BY NAME FROM {_NAME}.{table}")
                yield cursor
            finally:
                cursor.execute("USE memory")
                cursor.execute(f"DETACH {_TABLES}")
        finally:
            cursor.close()

    @contextlib.contextmanager
    def outside(self) -> Iterator[Outside | None]:
        """A connection that is in no store, for tables in memory; None before any was open. All ends with the block."""
        from ._duckdb import duckdb

        engine = self._engine
        if engine is None:
            yield None
            return
        cursor = beside(engine, "memory")
        try:
            name = f"{_AHEAD}_{next(_numbers)}"
            cursor.execute(f"ATTACH ':memory:' AS {name}")
            cursor.execute(f"USE {name}")
            try:
                yield Outside(engine, cursor, name, self._before_end)
            finally:
                # After a fault nothing can be asked of it any more: it ends with DuckDB.
                with contextlib.suppress(duckdb.Error):
                    cursor.execute("USE memory")
                    cursor.execute(f"DETACH {name}")
        finally:
            cursor.close()

    @contextlib.contextmanager
    def entered(self, outside: Outside | None) -> Iterator[bool]:
        """Have such a connection be in the open store for the block; whether it can be: it is of this DuckDB."""
        from ._duckdb import duckdb

        if outside is None or outside.engine is not self._engine:
            yield False
            return
        outside.cursor.execute(f"USE {_NAME}")
        try:
            yield True
        finally:
            # After a fault nothing can be asked of it any more.
            with contextlib.suppress(duckdb.Error):
                outside.cursor.execute(f"USE {outside.name}")

    def _attached(self, engine: DuckDBPyConnection, path: Path, writable: bool) -> OpenStore:
        how = f"READ_WRITE, ROW_GROUP_SIZE {ROWS_TOGETHER}" if writable else "READ_ONLY"
        engine.execute(f"ATTACH {quoted(str(path))} AS {_NAME} ({how})")
        self._is_attached = True
        return Attached(self, engine)

    @property
    def has_files(self) -> bool:
        """Whether it has anything on the disk: the store's file, or what it put aside."""
        return self._is_attached or self._aside.exists()

    def detach(self) -> None:
        """Close the file that is open."""
        from ._duckdb import duckdb

        if self._engine is not None:
            try:
                self._engine.execute(f"DETACH {_NAME}")
                self._is_attached = False
            except duckdb.Error:
                # What DuckDB has committed is in the log; ended, it lets go of the file in any case.
                self.end()

    def end(self) -> None:
        """End DuckDB; the next one to open the store begins afresh."""
        if self._engine is not None:
            for stop in self._before_end:
                stop()
            self._engine.close()
            self._engine, self._is_attached = None, False


def beside(connection: DuckDBPyConnection, name: str | None = None) -> DuckDBPyConnection:
    """Another connection to what a connection has open, of itself or under the given name."""
    name = name or connection.execute("SELECT current_database()").fetchall()[0][0]
    cursor = connection.cursor()
    try:
        # DuckDB does not pass on which of its databases the first one is in.
        cursor.execute(f'USE "{name}"')
    except BaseException:
        cursor.close()
        raise
    return cursor


class Attached:
    """A store's file, attached."""

    def __init__(self, instance: Instance, engine: DuckDBPyConnection) -> None:
        self._instance = instance
        self._engine = engine
        self._spare: DuckDBPyConnection | None = None

    def cursor(self) -> DuckDBPyConnection:
        """Another connection to it, or the one that is left."""
        spare, self._spare = self._spare, None
        return spare or beside(self._engine, _NAME)

    def leave(self, cursor: DuckDBPyConnection) -> None:
        """Leave a connection that is done with for whoever wants one next: a new one costs a statement."""
        self._spare = cursor

    def close(self) -> None:
        """Close what is left, and the file."""
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()
        self._instance.detach()
