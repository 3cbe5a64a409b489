"""The store: one DuckDB file that nobody owns.

DuckDB locks its file for one process, so everybody opens it for one batch or one answer and closes it again. Whoever
finds it taken waits a little, at random, and tries again. Inside a process the threads share one open database: a
reader that comes while a batch is written reads beside it and sees the last committed state.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .faults import (
    QueryFailed,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreFull,
    StoreInterrupted,
    StoreReadOnly,
    StoreTooNew,
    explained,
    holder_of,
    is_locked,
    refuse_odd,
)
from .gate import Locked, gate_of
from .regular import oddity
from .schema import FACTS, STORE_VERSION, TABLES, columns_of, ddl
from .scratch import scratch

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = [
    "QueryFailed",
    "Store",
    "StoreBusy",
    "StoreDamaged",
    "StoreError",
    "StoreForeign",
    "StoreFull",
    "StoreInterrupted",
    "StoreReadOnly",
    "StoreTooNew",
]

WAIT_SECONDS = 10.0
"""How long a process waits for the store before it gives up."""

JOIN_SECONDS, READ_SECONDS = 0.05, 0.5
"""How long a writer that lingers waits for the first reader to come, and for the last one to go."""

Stamp = tuple[int, ...]
"""Sizes and times of the store's files: another stamp, another content."""


class Store:
    """The store at a path. Nothing is opened, and no file made, before the first `read` or `write`."""

    def __init__(self, path: Path, *, wait: float = WAIT_SECONDS) -> None:
        self.path = path
        self.wait = wait
        self._gate = gate_of(path)
        self._writer: DuckDBPyConnection | None = None
        self._writer_lock = threading.Lock()

    # -- using it ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def read(self, *, unless: threading.Event | None = None) -> Iterator[DuckDBPyConnection]:
        """A connection for questions, which all see the same state. A store that does not exist is made, empty.

        `unless`: give up waiting, with StoreInterrupted, as soon as it is set. Raises StoreBusy, StoreTooNew,
        StoreForeign, StoreDamaged, StoreReadOnly; QueryFailed where DuckDB refuses a question.
        """
        if self._is_missing():
            self._create()
        with contextlib.ExitStack() as stack:
            try:
                connection = stack.enter_context(self._connection(False, self.wait, unless))
            except _Outdated:
                with self.write():
                    pass
                connection = stack.enter_context(self._connection(False, self.wait, unless))
            stack.enter_context(self._translated())
            # One snapshot for the whole block, also beside a writer.
            connection.execute("BEGIN")
            yield connection

    @contextlib.contextmanager
    def write(
        self, *, wait: float | None = None, unless: threading.Event | None = None
    ) -> Iterator[DuckDBPyConnection]:
        """A connection that may write. Hold it for one transaction. Only one thread of the process has it at a time.

        `wait`: seconds, if other than the store's. `unless`, and what is raised, as for `read`; also StoreFull, and
        StoreInterrupted by `interrupt`.
        """
        if self._is_missing():
            self._create()
        with self._connection(True, self.wait if wait is None else wait, unless) as connection:
            with self._writer_lock:
                self._writer = connection
            try:
                with self._translated():
                    yield connection
            finally:
                with self._writer_lock:
                    self._writer = None

    def linger(self, unless: threading.Event) -> None:
        """Inside a `write`, after its transaction: keep the store open for the readers of this process that come now.

        They need not open it, and neither of them waits until it is closed. Costs a moment if nobody comes. `unless`:
        go on as soon as it is set.
        """
        self._gate.linger(JOIN_SECONDS, READ_SECONDS, unless)

    def interrupt(self) -> None:
        """Stop the statement that this process is writing with, if it is; the writer then gets StoreInterrupted."""
        with self._writer_lock:
            if self._writer is not None:
                self._writer.interrupt()

    def stamp(self) -> Stamp:
        """What changes whenever anybody, in any process, writes to the store. Costs two looks at the disk."""
        return tuple(
            part for status in self._statuses() for part in (status.st_ino, status.st_mtime_ns, status.st_size)
        )

    def idle_seconds(self) -> float:
        """How long ago anybody last wrote to the store; infinite if there is none."""
        written = [status.st_mtime for status in self._statuses()]
        return max(0.0, time.time() - max(written)) if written else float("inf")

    @property
    def log_path(self) -> Path:
        """DuckDB's write-ahead log: what was committed and is not in the file yet."""
        return Path(f"{self.path}.wal")

    def set_aside(self) -> Path:
        """Rename the store, and its log, to a name with the date, so that a new one can be made. The new path.

        Where only the log is broken, the new store begins with what the file holds without it. Raises StoreReadOnly.
        """
        aside = self._dated()
        had_log = self.log_path.exists()
        try:
            self.path.rename(aside)
            if had_log:
                self.log_path.rename(f"{aside}.wal")
        except OSError as error:
            raise explained(self.path, error, opening=False) from error
        if had_log:
            self._begin_with(aside)
        return aside

    # -- opening it ----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _connection(self, writable: bool, wait: float, unless: threading.Event | None) -> Iterator[DuckDBPyConnection]:
        database = self._gate.enter(self._connect, writable=writable, wait=wait, unless=unless)
        try:
            cursor = database.cursor()
            try:
                yield cursor
            finally:
                cursor.close()
        finally:
            self._gate.leave(writable=writable)

    def _connect(self, writable: bool) -> DuckDBPyConnection:
        from .duck import duckdb

        refuse_odd(self.path)
        try:
            connection = duckdb.connect(str(self.path), read_only=not writable, config=_CONFIG)
        except duckdb.Error as error:
            if is_locked(error):
                raise Locked(holder_of(error)) from error
            raise self._explained_opening(error) from error
        try:
            self._check(connection, writable)
        except BaseException:
            connection.close()
            raise
        if writable:
            self._tighten()
        return connection

    def _check(self, connection: DuckDBPyConnection, writable: bool) -> None:
        from .duck import duckdb

        try:
            row = connection.execute("SELECT value FROM meta WHERE name = 'store_version'").fetchone()
        except duckdb.CatalogException:
            row = None
        except duckdb.Error as error:
            raise self._explained_opening(error) from error
        if row is None and connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchone() is not None:
            raise StoreForeign(f"{self.path} is a database, but no store of agnes-stats: name another with --store")
        version = int(row[0]) if row else 0
        if version > STORE_VERSION:
            raise StoreTooNew(
                f"{self.path} was written by a newer agnes-stats (store version {version}, this one knows "
                f"{STORE_VERSION}): update agnes-stats, or name another file with --store"
            )
        if version < STORE_VERSION:
            if not writable:
                raise _Outdated
            _bring_up(connection)

    def _explained_opening(self, error: Exception) -> StoreError:
        if "sqlite" in str(error):
            return StoreForeign(f"{self.path} is a SQLite database: name another file with --store")
        return explained(self.path, error, opening=True)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        from .duck import duckdb

        try:
            yield
        except duckdb.Error as error:
            raise explained(self.path, error, opening=False) from error
        except RuntimeError as error:
            # So DuckDB tells of a Ctrl-C that came while it worked.
            if "interrupted" in str(error):
                raise KeyboardInterrupt from error
            raise

    # -- its files -----------------------------------------------------------------------------------------------

    def _statuses(self) -> list[os.stat_result]:
        found = []
        for path in (self.path, self.log_path):
            with contextlib.suppress(OSError):
                found.append(path.stat())
        return found

    def _is_missing(self) -> bool:
        """Whether there is no file, or one without a byte, as `mktemp` makes it."""
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as error:
            raise explained(self.path, error, opening=False) from error
        return status.st_size == 0 and oddity(status) is None

    def _dated(self) -> Path:
        """A name with the time for the file, that nothing has yet."""
        stamp = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
        for number in itertools.count(1):
            mark = stamp if number == 1 else f"{stamp}-{number}"
            dated = self.path.with_name(f"{self.path.stem}-{mark}{self.path.suffix}")
            if not dated.exists() and not Path(f"{dated}.wal").exists():
                return dated
        raise AssertionError  # the count has no end

    def _create(self) -> None:
        """Make an empty store under another name and give it its own when it is whole: nobody sees half a store."""
        from .duck import duckdb

        with scratch(self.path) as folder:
            new = folder / "new.duckdb"
            try:
                with duckdb.connect(str(new), config=_CONFIG) as connection:
                    _bring_up(connection)
                new.chmod(0o600)
                if self.log_path.exists() and not self.path.exists():
                    # The log of a store that was deleted would be taken for the new one's.
                    self.log_path.rename(f"{self._dated()}.wal")
                _publish(new, self.path)
            except (duckdb.Error, OSError) as error:
                raise explained(self.path, error, opening=False) from error

    def _begin_with(self, aside: Path) -> None:
        """Put a copy of a store in place without its log; none if that is broken, too."""
        import shutil

        from .duck import duckdb

        with scratch(self.path) as folder:
            copy = folder / "copy.duckdb"
            try:
                shutil.copyfile(aside, copy)
                with duckdb.connect(str(copy), read_only=True, config=_CONFIG) as connection:
                    self._check(connection, writable=False)
                copy.chmod(0o600)
                _publish(copy, self.path)
            except (duckdb.Error, StoreError, _Outdated, OSError):
                # The new store then begins empty; the old one is kept aside in any case.
                return

    def _tighten(self) -> None:
        """What the agents did is nobody else's business, whatever mode a copied file came with."""
        with contextlib.suppress(OSError):
            mode = self.path.stat().st_mode
            if mode & 0o077:
                self.path.chmod(stat.S_IMODE(mode) & 0o700)


class _Outdated(Exception):
    """An empty database, or a store of an older version, open for reading: it has to be written to first."""


_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # Of a new store; many small columns waste most of DuckDB's usual 256 KiB blocks (measured: 5.4 % against 2.0 % of
    # 300 MB of transcripts).
    "default_block_size": "65536",
    "TimeZone": "UTC",
    "preserve_insertion_order": "false",
    # DuckDB 2.0.0 takes coalesce(sum(x), 0) for 0 when it can prove the right side of a LEFT JOIN empty, and then
    # sorts and filters by that: the conclusion is drawn from propagated statistics.
    "disabled_optimizers": "statistics_propagation",
    # Nothing is fetched from the network, ever.
    "autoinstall_known_extensions": "false",
    "memory_limit": "512MB",
}


_KINDS_OF_OLD_RESPONSES = """
    UPDATE responses SET kind = CASE WHEN stop_reason = 'advisor' THEN 'advisor' ELSE 'turn' END, is_answer = true
    WHERE kind IS NULL
"""
"""Before version 3 the reason told an advisor's answer. For vanished files; what is read again says it itself."""


def _bring_up(connection: DuckDBPyConnection) -> None:
    """Add the tables and columns that are missing, then fill those that rows of an older store should have.

    DuckDB does not change rows of a table in the transaction that altered it. Killed between the two, the store still
    has its old version and is brought up again.
    """
    there: dict[str, set[str]] = {}
    columns = connection.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    for table, column in columns:
        there.setdefault(table, set()).add(column)
    connection.execute("BEGIN")
    for table, statement in zip([*(fact.name for fact in FACTS), *TABLES], ddl(), strict=True):
        if table not in there:
            connection.execute(statement)
            continue
        for column, kind in columns_of(table).items():
            if column not in there[table]:
                connection.execute(f'ALTER TABLE {table} ADD COLUMN "{column}" {kind}')
    connection.execute("COMMIT")
    connection.execute("BEGIN")
    if there:
        connection.execute(_KINDS_OF_OLD_RESPONSES)
    connection.execute("DELETE FROM meta WHERE name = 'store_version'")
    connection.execute("INSERT INTO meta VALUES ('store_version', ?)", [str(STORE_VERSION)])
    connection.execute("COMMIT")


def _publish(new: Path, path: Path) -> None:
    """Give a file its name, unless another process was faster."""
    if path.exists() and path.stat().st_size == 0:
        new.replace(path)
        return
    try:
        path.hardlink_to(new)
    except FileExistsError:
        return
    except OSError:
        # A file system without hard links.
        if not path.exists():
            new.rename(path)
