"""The store: one DuckDB file that nobody owns.

DuckDB locks its file for one process, so everybody opens it for one batch or one answer and closes it again. Whoever
finds it taken waits a little, at random, and tries again. Inside a process the threads share one open database: a
reader that comes while a batch is written reads beside it and sees the last committed state.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .schema import STORE_VERSION, ddl

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WAIT_SECONDS = 10.0
"""How long a process waits for the store before it gives up."""


class StoreError(Exception):
    """The store cannot be used. The message is one line for people."""


class StoreBusy(StoreError):
    """Another process has held the store for longer than we wait. `pid` is None where the system does not say."""

    def __init__(self, path: Path, pid: int | None) -> None:
        self.pid = pid
        holder = f"process {pid}" if pid else "another process"
        super().__init__(f"{path} is in use by {holder}; try again, or close that program")


class StoreTooNew(StoreError):
    """The store was written by a newer agnes-stats."""


class StoreDamaged(StoreError):
    """The file is not a store, or a broken one."""


class StoreReadOnly(StoreError):
    """The store, its folder or its disk does not take writes."""


class QueryFailed(StoreError):
    """DuckDB could not answer a question."""


class Store:
    """The store at a path. Nothing is opened, and no file made, before the first `read` or `write`."""

    def __init__(self, path: Path, *, wait: float = WAIT_SECONDS) -> None:
        self.path = path
        self.wait = wait
        self._turn = threading.Condition()
        self._open: DuckDBPyConnection | None = None
        self._writable = False
        self._users = 0

    @contextlib.contextmanager
    def read(self) -> Iterator[DuckDBPyConnection]:
        """A connection for questions. A store that does not exist yet is made, empty.

        Raises StoreBusy, StoreTooNew, StoreDamaged, StoreReadOnly; QueryFailed where DuckDB refuses a question.
        """
        if not self.path.exists():
            with self.write():
                pass
        import duckdb

        with self._connection(writable=False) as connection:
            try:
                yield connection
            except duckdb.Error as error:
                raise QueryFailed(_first_line(error)) from error

    @contextlib.contextmanager
    def write(self) -> Iterator[DuckDBPyConnection]:
        """A connection that may write. Hold it for one transaction. Raises as `read` does."""
        with self._connection(writable=True) as connection:
            yield connection

    def set_aside(self) -> Path:
        """Rename the store, and its log, to a name with the date, so that a new one can be made. The new path."""
        stamp = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
        aside = self.path.with_name(f"{self.path.stem}-{stamp}{self.path.suffix}")
        self.path.rename(aside)
        log = Path(f"{self.path}.wal")
        if log.exists():
            log.rename(f"{aside}.wal")
        return aside

    @contextlib.contextmanager
    def _connection(self, *, writable: bool) -> Iterator[DuckDBPyConnection]:
        database = self._enter(writable)
        try:
            cursor = database.cursor()
            try:
                yield cursor
            finally:
                cursor.close()
        finally:
            self._leave()

    def _enter(self, writable: bool) -> DuckDBPyConnection:
        with self._turn:
            # Readers may join a writer, a writer cannot join readers: their database is open read-only.
            while self._open is not None and writable and not self._writable:
                self._turn.wait()
            if self._open is None:
                self._open = self._connect(writable)
                self._writable = writable
            self._users += 1
            return self._open

    def _leave(self) -> None:
        with self._turn:
            self._users -= 1
            if self._users == 0 and self._open is not None:
                self._open.close()
                self._open = None
                self._turn.notify_all()

    def _connect(self, writable: bool) -> DuckDBPyConnection:
        new = writable and not self.path.exists()
        if new:
            self._make_folder()
        connection = self._connect_patiently(writable)
        try:
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            self._check(connection, writable)
        except BaseException:
            connection.close()
            raise
        if new:
            self.path.chmod(0o600)
        return connection

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreReadOnly(f"cannot make the folder {self.path.parent}: {error.strerror}") from error

    def _connect_patiently(self, writable: bool) -> DuckDBPyConnection:
        import duckdb

        give_up = time.monotonic() + self.wait
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=not writable, config=_CONFIG)
            except duckdb.IOException as error:
                text = str(error)
                if "lock" not in text:
                    raise self._explained(error) from error
                if time.monotonic() > give_up:
                    raise StoreBusy(self.path, _pid_in(text)) from error
            except duckdb.Error as error:
                raise self._explained(error) from error
            time.sleep(random.uniform(0.004, 0.02))

    def _check(self, connection: DuckDBPyConnection, writable: bool) -> None:
        import duckdb

        tables = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta'").fetchone()
        if tables == (0,):
            if not writable:
                raise StoreDamaged(f"{self.path} is not a store of agnes-stats")
            connection.execute("BEGIN")
            for statement in ddl():
                connection.execute(statement)
            connection.execute("INSERT INTO meta VALUES ('store_version', ?)", [str(STORE_VERSION)])
            connection.execute("COMMIT")
            return
        try:
            row = connection.execute("SELECT value FROM meta WHERE name = 'store_version'").fetchone()
        except duckdb.Error as error:
            raise self._explained(error) from error
        version = int(row[0]) if row else 0
        if version > STORE_VERSION:
            raise StoreTooNew(
                f"{self.path} was written by a newer agnes-stats (store version {version}, this one knows "
                f"{STORE_VERSION}): update agnes-stats, or name another file with --store"
            )

    def _explained(self, error: Exception) -> StoreError:
        text = _first_line(error)
        if "ermission denied" in text or "read-only" in text.lower():
            return StoreReadOnly(f"{self.path} cannot be opened: {text}")
        return StoreDamaged(f"{self.path} cannot be read as a store: {text}")


_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "preserve_insertion_order": "false",
    "autoinstall_known_extensions": "false",
    "memory_limit": "512MB",
}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _pid_in(text: str) -> int | None:
    found = re.search(r"PID (\d+)", text)
    return int(found[1]) if found else None
