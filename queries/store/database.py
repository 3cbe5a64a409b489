"""Opening the database of a store whose lock we have: one way, one set of settings, for everybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema import FACTS, STORE_VERSION, TABLES, columns_of, ddl
from .errors import (
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreTooNew,
    explained,
    holder_of,
    is_locked,
    refuse_odd,
)
from .files import Files
from .gate import Locked
from .instance import Attached, Instance, OpenStore
from .keepsakes import read_notes
from .locking import StoreUnlockable, has_record_locks
from .reader import Reader
from .scratch import scratch
from .starting import CHECKPOINT, Settings, started

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SETTINGS: Settings = {
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
    "checkpoint_threshold": CHECKPOINT,
}
"""Of every connection to a store."""

CONFINED: Settings = {
    **{name: value for name, value in SETTINGS.items() if name not in ("TimeZone", "preserve_insertion_order")},
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    # What does not fit fails: it would fill the disk, and of a process that is ended the files would stay.
    "temp_directory": "",
    "lock_configuration": "true",
}
"""Of one that answers what others wrote: it reaches nothing but the store. Days are the user's, rows in their order."""


class Outdated(Exception):
    """No store, an empty database, or a store of an older version, for reading: it has to be written to first."""


def connect(files: Files, instance: Instance | None = None, *, writable: bool) -> OpenStore:
    """Open the file, whose lock we have, in a DuckDB that is at work already, or in one of its own.

    Raises Locked if a program that knows nothing of the lock has it.
    """
    instance = instance or Instance(files.path, SETTINGS)
    if writable:
        refuse_odd(files.path)
        if files.is_missing():
            create(files, instance)
    return _connect(files, lambda: instance.open(files.path, writable=writable), writable=writable)


def connect_confined(files: Files) -> OpenStore:
    """Open the file for reading, as `connect`, in a DuckDB that reaches nothing else."""
    return _connect(files, lambda: started(str(files.path), CONFINED, read_only=True), writable=False)


def _connect(files: Files, open_it: Callable[[], OpenStore], *, writable: bool) -> OpenStore:
    from ._duckdb import duckdb

    refuse_odd(files.path)
    if not writable and files.is_missing():
        raise Outdated
    before, had_log = files.stamp(), files.log_path.exists()
    try:
        database = open_it()
    except duckdb.Error as error:
        if is_locked(error):
            if not has_record_locks(files.path):
                raise StoreUnlockable(files.path) from error
            raise Locked(holder_of(error)) from error
        if files.stamp() != before:
            raise Locked(None) from error
        raise _explained(files.path, error) from error
    try:
        if files.stamp() != before and not (writable and had_log):
            # DuckDB may have read the header before somebody without our lock wrote another one.
            raise Locked(None)
        cursor = database.cursor()
        try:
            _check(files.path, cursor, writable)
        except BaseException:
            cursor.close()
            raise
        if isinstance(database, Attached):
            database.leave(cursor)
        else:
            cursor.close()
    except BaseException:
        database.close()
        raise
    if writable:
        files.tighten()
    return database


def _check(path: Path, connection: DuckDBPyConnection, writable: bool) -> None:
    from ._duckdb import duckdb

    try:
        # Read to its end: a question that is not holds its state, and with it off every checkpoint, until we close.
        told = connection.execute("SELECT value FROM meta WHERE name = 'store_version'").fetchall()
        row = told[0] if told else None
    except duckdb.CatalogException:
        row = None
    except duckdb.BinderException:
        # Somebody else's table of that name.
        raise _foreign(path) from None
    except duckdb.Error as error:
        raise _explained(path, error) from error
    if (
        row is None
        and connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() LIMIT 1"
        ).fetchone()
        is not None
    ):
        raise _foreign(path)
    written = "0" if row is None else str(row[0])
    if not _VERSION.fullmatch(written):
        raise _foreign(path)
    version = int(written)
    if version > STORE_VERSION:
        raise StoreTooNew(
            f"{path} was written by a newer agnes-stats (store version {version}, this one knows "
            f"{STORE_VERSION}): update agnes-stats, or name another file with --store"
        )
    if version < STORE_VERSION:
        if not writable:
            raise Outdated
        bring_up(connection)


_VERSION = re.compile(r"[0-9]{1,9}")


def _foreign(path: Path) -> StoreForeign:
    return StoreForeign(f"{path} is a database, but no store of agnes-stats: name another with --store")


def _explained(path: Path, error: Exception) -> StoreError:
    if "sqlite" in str(error):
        return StoreForeign(f"{path} is a SQLite database: name another file with --store")
    return explained(path, error, opening=True)


def verify(reader: Reader) -> None:
    """Read every value of every table once. Raises StoreDamaged where a block is broken."""
    for table in [fact.name for fact in FACTS] + list(TABLES):
        reader.row(f"SELECT count(COLUMNS(*)) FROM {table}")


def is_sound(files: Files) -> bool:
    """Whether all of the store can be read; for one who has it alone."""
    try:
        database = connect(files, writable=False)
    except Outdated:
        return True
    except StoreDamaged:
        return False
    try:
        read_all(files, database)
    except StoreDamaged:
        return False
    finally:
        database.close()
    return True


def read_all(files: Files, database: OpenStore) -> None:
    """`verify` an open store."""
    cursor = database.cursor()
    try:
        verify(Reader(files.path, cursor))
    finally:
        cursor.close()


def create(files: Files, instance: Instance) -> None:
    """Make an empty store under another name and give it its own when it is whole: nobody sees half a store.

    It begins with the notes of what the user had forgotten. Raises StoreReadOnly, StoreFull.
    """
    from ._duckdb import duckdb

    with scratch(files.path) as folder:
        new = folder / "new.duckdb"
        try:
            database = instance.open(new, writable=True)
            try:
                cursor = database.cursor()
                try:
                    _begin(cursor)
                    take_notes(cursor, files.path)
                finally:
                    cursor.close()
            finally:
                database.close()
            files.publish(new)
        except (duckdb.Error, OSError) as error:
            raise explained(files.path, error, opening=False) from error


def create_from(files: Files, sources: Sequence[Path]) -> int:
    """Make a store as `create` does, of what can be read of damaged stores and backups; the number of rows taken over.

    Raises as that.
    """
    from ._duckdb import duckdb
    from .salvage import salvage

    with scratch(files.path) as folder:
        # What breaks DuckDB itself is left out.
        for left in range(len(sources) + 1):
            new = folder / f"{left}.duckdb"
            try:
                with started(str(new), SETTINGS) as connection:
                    _begin(connection)
                    taken = salvage(connection, sources[left:], folder)
                    if taken:
                        _fill(connection)
                    take_notes(connection, files.path)
                files.publish(new)
            except (duckdb.Error, OSError) as error:
                if isinstance(error, OSError) or left == len(sources):
                    raise explained(files.path, error, opening=False) from error
            else:
                return taken
    raise AssertionError  # the last one returns or raises


def _begin(connection: DuckDBPyConnection) -> None:
    """Make the tables of an empty store, in a database that has none."""
    connection.execute("BEGIN")
    for statement in ddl():
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('store_version', ?)", [str(STORE_VERSION)])
    connection.execute("COMMIT")


def take_notes(connection: DuckDBPyConnection, path: Path) -> None:
    """Note in a new store at a path what the user had forgotten."""
    for note in read_notes(path):
        connection.execute(
            "INSERT INTO forgotten SELECT ?::VARCHAR, ?::TIMESTAMP, ?::TIMESTAMP WHERE NOT EXISTS "
            "(FROM forgotten WHERE session_id IS NOT DISTINCT FROM ? AND before IS NOT DISTINCT FROM ?)",
            [*note, *note[:2]],
        )


def _fill(connection: DuckDBPyConnection) -> None:
    """Give rows of an older store what later columns would hold."""
    from .upgrade import fills

    zones = [zone for (zone,) in connection.execute("SELECT zone FROM zones").fetchall()]
    for statement in fills(zones):
        connection.execute(statement)


def _tables(connection: DuckDBPyConnection) -> dict[str, list[str]]:
    """The columns of each table of the store."""
    there: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND database_name = current_database()"
    ).fetchall():
        there.setdefault(table, []).append(column)
    return there


def bring_up(connection: DuckDBPyConnection) -> None:
    """Rename what had other names, add what is missing, then fill what rows of an older store should have.

    DuckDB does not change rows of a table in the transaction that altered it. Killed in between, the store still has
    its old version and is brought up again.
    """
    from .upgrade import renames

    connection.execute("BEGIN")
    for statement in renames(_tables(connection)):
        connection.execute(statement)
    connection.execute("COMMIT")
    there = _tables(connection)
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
        _fill(connection)
    connection.execute("DELETE FROM meta WHERE name = 'store_version'")
    connection.execute("INSERT INTO meta VALUES ('store_version', ?)", [str(STORE_VERSION)])
    connection.execute("COMMIT")
