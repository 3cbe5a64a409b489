"""A store that is a lakehouse: DuckLake, with its catalogue in a PostgreSQL and its rows in Parquet files.

Readers attach it read-only and look at one snapshot each; whoever drains into it has the one lock that is for that, on
the server. DuckDB is kept with the lake attached: there is no file that others wait for.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from .. import postgres
from ..quoting import quoted
from ..schema import FACTS, STORE_VERSION, ddl
from .database import CONFINED, SETTINGS, bring_up
from .errors import (
    StoreAway,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreForeign,
    StoreInterrupted,
    StoreReadOnly,
    StoreTooNew,
    explained,
)
from .file import WAIT_SECONDS, Aside, Store, WriterAhead
from .files import Stamp
from .instance import beside
from .lake_address import LakeAddress, lake_at
from .one_each import OneEach
from .reader import Reader, Writer
from .starting import ExtensionMissing, Settings, close_off, started
from .touched import TouchedByWrite

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAME = "store"
"""What the lake is called while it is attached."""

INLINED_ROWS = 500
"""So few new rows of a table stay in the catalogue, until they are compacted: a Parquet file of them costs more."""

DRAIN_SECONDS = 60.0
"""How long a drain waits for another one."""

REST_SECONDS = 2.0
"""So long after a failure to attach a lake nobody tries again: all that wait would wait one after the other."""

_WITHOUT_EXTREMES = """
    UPDATE "{schema}".ducklake_table_column_stats SET min_value = NULL, max_value = NULL
    WHERE (table_id, column_id) IN (
        SELECT table_id, column_id FROM "{schema}".ducklake_column WHERE column_type LIKE 'varchar%')
"""
"""The catalogue keeps the least and the greatest text that any column ever had, of rows that are gone, too."""

_OF_CONNECTIONS = {
    "application_name": "agnes-stats",
    "connect_timeout": "10",
    # A server that is cut off is noticed, whatever the network says.
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""What libpq is told unless the address says otherwise."""


class LakeBusy(StoreBusy):
    """Another drain has the lake."""

    def __init__(self, lake: LakeAddress) -> None:
        super().__init__(Path(), None)
        self.args = (f"another drain is under way into {lake.shown}; try again later",)


class LakeStore(Store):
    """The lake that a file stands for. Nothing is opened before the first `read` or `write`."""

    def __init__(self, path: Path, *, wait: float = WAIT_SECONDS) -> None:
        super().__init__(path, wait=wait)
        self._drains = False
        self._engine = _engine_of(path)

    # -- using it ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def read(self, *, unless: threading.Event | None = None, confined: bool = False) -> Iterator[Reader]:
        """Ask questions, which all see the same snapshot. Raises StoreAway, StoreForeign, StoreTooNew, QueryFailed."""
        if unless is not None and unless.is_set():
            raise StoreInterrupted("stopped while waiting for the store")
        cursor = self._engine.confined() if confined else self._engine.reading()
        try:
            yield Reader(self.path, cursor, self._explained)
        finally:
            _close(cursor)

    @contextlib.contextmanager
    def write(
        self,
        *,
        unless: threading.Event | None = None,
        only_at: Collection[Stamp] | None = None,
        touched: TouchedByWrite | None = None,  # noqa: ARG002
        ahead: WriterAhead | None = None,  # noqa: ARG002
    ) -> Iterator[Writer]:
        """Write, if this is a drain: see `for_drain`. Raises StoreReadOnly, LakeBusy, and as `read`."""
        lake = self._engine.lake
        if not self._drains or only_at is not None:
            raise StoreReadOnly(f"{lake.shown} is written by agnes-stats team drain, and by nothing else")
        with _locked(lake, max(self.wait, DRAIN_SECONDS), unless), _files_for_its_group(lake):
            cursor = self._engine.writing()
            with self._writer_lock:
                self._writer = cursor
            try:
                yield Writer(self.path, cursor, self._explained)
            finally:
                with self._writer_lock:
                    self._writer = None
                _close(cursor)

    def touched_since(self, position: int) -> frozenset[str] | None:  # noqa: ARG002
        """Nobody tells here what others push: anything."""
        return None

    def for_drain(self) -> None:
        """Let this process write."""
        self._drains = True

    @property
    def shown(self) -> str:
        """For people: where it is."""
        return self._engine.lake.shown

    @property
    def is_file(self) -> bool:
        """What is in it was pushed, and nothing on this machine tells when it changes."""
        return False

    def compact(self) -> None:
        """Write what was deleted out of its files, drop all that is past, and put small files together.

        Within a `write`. Whoever asks something just then may have to ask again. Raises StoreError.
        """
        self._engine.compact()

    def bytes_on_disk(self) -> int:
        """How large its files in use are together, in bytes, without what is in the catalogue. Raises StoreError."""
        with self.read() as reader:
            told = reader.value(
                f"SELECT sum(file_size_bytes + delete_file_size_bytes)::BIGINT FROM ducklake_table_info('{_NAME}')"
            )
        return int(told or 0)

    def _explained(self, error: BaseException) -> StoreError:
        return self._engine.explained(error)

    # -- what a file has, and a lake has not -----------------------------------------------------------------------

    def stamp(self) -> Stamp:
        """The snapshot that was seen last by anybody of this process. Asks nobody."""
        return self._engine.seen

    def look(self) -> Stamp:
        """The snapshot that is the newest now. Raises StoreError."""
        with self.read():
            return self._engine.seen

    def idle_seconds(self) -> float:
        """No clock here tells."""
        return float("inf")

    def identity(self) -> tuple[int, int] | None:
        """It is no file."""
        return None

    def make_way(self) -> None:
        """Nobody waits for it."""

    def linger(self, unless: threading.Event) -> None:
        """Nobody waits for it."""

    def set_aside(self) -> Aside | None:
        """Nothing: a lost lake is drained again from the inbox."""
        return None

    def copy_to(self, path: Path) -> None:  # noqa: ARG002
        """Raises StoreForeign: what is in it is told by an inbox, and goes by that."""
        raise StoreForeign(f"{self.shown} is a team's: only machines' own stores are merged")

    def back_up(self, *, unless: threading.Event | None = None) -> bool:  # noqa: ARG002
        """Nothing: the inbox has all."""
        return False

    @contextlib.contextmanager
    def in_memory(self, tables: Sequence[str]) -> Iterator[Writer]:  # noqa: ARG002
        """Raises StoreReadOnly: nothing is read from files beside it."""
        raise StoreReadOnly(f"{self.shown} takes nothing from files")
        yield Writer(self.path, self._engine.reading())  # type: ignore[unreachable]


# -- DuckDB with the lake attached ---------------------------------------------------------------------------------


class _Engine:
    """One DuckDB for readers and one for a drain, each with the lake attached for as long as that works."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lake: LakeAddress | None = None
        self._turn = threading.Lock()
        self._attached: dict[bool, DuckDBPyConnection] = {}
        self._failed: dict[bool, tuple[float, StoreError]] = {}
        self.seen: Stamp = ()
        """The snapshot that was seen last."""

    @property
    def lake(self) -> LakeAddress:
        """Where it is. Raises StoreForeign."""
        if self._lake is None:
            self._lake = lake_at(self._path)
        return self._lake

    def reading(self) -> DuckDBPyConnection:
        """A connection that has begun to look at the newest snapshot."""
        return self._begun(False)

    def writing(self) -> DuckDBPyConnection:
        """A connection to a lake that is there and of this version, made or brought up if need be."""
        cursor = self._begun(True)
        try:
            cursor.execute("ROLLBACK")
            self._make(cursor)
        except BaseException as error:
            _close(cursor)
            if isinstance(error, Exception) and not isinstance(error, StoreError):
                raise self.explained(error) from error
            raise
        return cursor

    def confined(self) -> DuckDBPyConnection:
        """As `reading`, of a DuckDB of its own that reaches nothing else."""
        try:
            return self._look(_attach(self.lake, self._path, writable=False, settings=CONFINED), writable=False)
        except Exception as error:
            raise self.explained(error) from error

    def compact(self) -> None:
        """See `LakeStore.compact`."""
        cursor = self._begun(True)
        try:
            cursor.execute("ROLLBACK")
            for statement in (
                f"FROM ducklake_flush_inlined_data('{_NAME}')",
                f"FROM ducklake_rewrite_data_files('{_NAME}', delete_threshold => 0)",
                f"FROM ducklake_merge_adjacent_files('{_NAME}')",
                f"FROM ducklake_expire_snapshots('{_NAME}', older_than => now())",
                f"FROM ducklake_cleanup_old_files('{_NAME}', cleanup_all => true)",
                f"FROM ducklake_delete_orphaned_files('{_NAME}', cleanup_all => true)",
            ):
                # Some tell times with a zone, for which Python's DuckDB wants one more package.
                cursor.execute(f"SELECT count(*) {statement}").fetchall()
        except Exception as error:
            raise self.explained(error) from error
        finally:
            _close(cursor)
        with _asking(self.lake) as connection:
            connection.execute(_WITHOUT_EXTREMES.format(schema=self.lake.schema).encode())

    def _begun(self, writable: bool) -> DuckDBPyConnection:
        for is_last in (False, True):
            try:
                return self._look(self._engine(writable), writable)
            except StoreError:
                raise
            except Exception as error:
                # The server may have been started anew since, and what DuckDB has of it is dead.
                with self._turn:
                    self._attached.pop(writable, None)
                if is_last:
                    raise self.explained(error) from error
        raise AssertionError  # the last one returns or raises

    def _engine(self, writable: bool) -> DuckDBPyConnection:
        with self._turn:
            if writable not in self._attached:
                until, reason = self._failed.get(writable, (0.0, StoreError()))
                if time.monotonic() < until:
                    raise reason
                try:
                    self._attached[writable] = _attach(self.lake, self._path, writable=writable, settings=SETTINGS)
                except Exception as error:
                    told = self.explained(error)
                    self._failed[writable] = time.monotonic() + REST_SECONDS, told
                    raise told from error
            return self._attached[writable]

    def _look(self, engine: DuckDBPyConnection, writable: bool) -> DuckDBPyConnection:
        """A cursor with a transaction begun, after a look at what is there."""
        from ._duckdb import duckdb

        cursor = beside(engine, _NAME)
        try:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            [(snapshot,)] = cursor.execute(f"FROM ducklake_current_snapshot('{_NAME}')").fetchall()
            try:
                told = cursor.execute("SELECT value FROM meta WHERE name = 'store_version'").fetchall()
            except duckdb.CatalogException:
                told = []
            self._check(int(told[0][0]) if told and str(told[0][0]).isdecimal() else 0, writable)
            self.seen = (int(snapshot),)
        except BaseException:
            _close(cursor)
            raise
        return cursor

    def _check(self, version: int, writable: bool) -> None:
        if version > STORE_VERSION:
            raise StoreTooNew(
                f"{self.lake.shown} was written by a newer agnes-stats (store version {version}, this one knows "
                f"{STORE_VERSION}): update agnes-stats"
            )
        if version < STORE_VERSION and not writable:
            older = "nothing is drained into it so far" if version == 0 else "it was written by an older agnes-stats"
            raise StoreForeign(f"{self.lake.shown}: {older}; agnes-stats team drain brings it up")

    def _make(self, cursor: DuckDBPyConnection) -> None:
        there = {table for (table,) in cursor.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = "
                                                      f"'{_NAME}'").fetchall()}  # fmt: skip
        if "meta" in there and cursor.execute("SELECT value FROM meta WHERE name = 'store_version'").fetchall() == [
            (str(STORE_VERSION),)
        ]:
            return
        if not there:
            cursor.execute("BEGIN")
            for statement in ddl():
                cursor.execute(statement)
            for fact in FACTS:
                if "ts" in fact.columns:
                    cursor.execute(f"ALTER TABLE {fact.name} SET PARTITIONED BY (year(ts), month(ts))")
            cursor.execute("INSERT INTO meta VALUES ('store_version', ?)", [str(STORE_VERSION)])
            cursor.execute("COMMIT")
            cursor.execute(f"CALL {_NAME}.set_option('parquet_compression', 'zstd')")
            return
        bring_up(cursor)

    def explained(self, error: BaseException) -> StoreError:
        """An error of DuckDB's, or of ours, in words for people; never with a password in it."""
        if isinstance(error, StoreError):
            return error
        return _explained(self.lake, error)


def _close(cursor: DuckDBPyConnection) -> None:
    """Close a connection, its transaction first: where the server is lost, DuckDB would end the process over that."""
    from ._duckdb import duckdb

    with contextlib.suppress(duckdb.Error):
        cursor.execute("ROLLBACK")
    cursor.close()


_engines = OneEach(_Engine)


def _engine_of(path: Path) -> _Engine:
    """The same for everyone in this process: to attach a lake takes a tenth of a second."""
    return _engines.of(path)


def _attach(lake: LakeAddress, path: Path, *, writable: bool, settings: Settings) -> DuckDBPyConnection:
    """A DuckDB in memory with the lake attached; closing settings are made after that. Raises duckdb.Error, StoreError.

    Whoever reads says so: DuckLake would make an empty lake where there is none.
    """
    closing: Settings = {
        name: settings[name] for name in ("enable_external_access", "lock_configuration") if name in settings
    }
    others = {name: value for name, value in settings.items() if name not in (*closing, "default_block_size")}
    # What does not fit into memory goes beside what else is on this machine of the lake.
    others.setdefault("temp_directory", f"{path}.tmp")
    extensions = ["postgres_scanner", "ducklake", *(["httpfs"] if lake.is_bucket else [])]
    engine = started(":memory:", others, extensions=extensions)
    try:
        if lake.is_bucket:
            _give_keys(engine)
        said = [f"METADATA_SCHEMA {quoted(lake.schema)}"]
        if lake.data is not None:
            said.append(f"DATA_PATH {quoted(lake.data)}")
        if writable:
            said.append(f"DATA_INLINING_ROW_LIMIT {INLINED_ROWS}")
        else:
            # Another machine may have the folder elsewhere.
            said += ["READ_ONLY", *(["OVERRIDE_DATA_PATH true"] if lake.data is not None else [])]
        name = f"ducklake:postgres:{conninfo(lake.catalogue)}"
        engine.execute(f"ATTACH {quoted(name)} AS {_NAME} ({', '.join(said)})")
        if closing:
            _open_only(engine)
            close_off(engine, closing)
    except BaseException:
        engine.close()
        raise
    return engine


def _open_only(engine: DuckDBPyConnection) -> None:
    """Let a DuckDB that is cut off read the files of the lake all the same."""
    [(data,)] = engine.execute(f"SELECT data_path FROM ducklake_settings('{_NAME}')").fetchall()
    engine.execute(f"SET GLOBAL allowed_directories = [{quoted(str(data))}]")


def conninfo(where: postgres.Address) -> str:
    """An address as libpq's own words, with how a connection is to be made; passwords are in none of it."""
    parts = urlsplit(where.url)
    told = {"host": parts.hostname, "port": parts.port, "user": parts.username, "dbname": parts.path.strip("/")}
    words = _OF_CONNECTIONS | {name: unquote(str(value)) for name, value in told.items() if value}
    words |= dict(parse_qsl(parts.query, keep_blank_values=True)) | postgres.encryption(where)
    return " ".join(f"{name}={_word(value)}" for name, value in words.items())


def _word(value: str) -> str:
    if re.fullmatch(r"[\w.:/@+-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _give_keys(engine: DuckDBPyConnection) -> None:
    """Tell DuckDB the keys of a bucket, as they are in the environment. Raises StoreError, without them."""
    from ._duckdb import duckdb

    said = {
        "KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID"),
        "SECRET": os.environ.get("AWS_SECRET_ACCESS_KEY"),
        "SESSION_TOKEN": os.environ.get("AWS_SESSION_TOKEN"),
        "REGION": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
    }
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
    if endpoint.netloc:
        said |= {"ENDPOINT": endpoint.netloc, "URL_STYLE": "path"}
    words = ["TYPE s3", *(f"{name} {quoted(value)}" for name, value in said.items() if value)]
    words += ["USE_SSL false"] if endpoint.scheme == "http" else []
    try:
        engine.execute(f"CREATE SECRET ({', '.join(words)})")
    except duckdb.Error:
        raise StoreReadOnly("DuckDB does not take the bucket's keys: see the variables AWS_…") from None


@contextlib.contextmanager
def _files_for_its_group(lake: LakeAddress) -> Iterator[None]:
    """What is written into a folder may be read by its group: people who look at the lake are in it."""
    before = os.umask(0o027) if lake.data is not None and not lake.is_bucket else None
    try:
        yield
    finally:
        if before is not None:
            os.umask(before)


@contextlib.contextmanager
def _locked(lake: LakeAddress, wait: float, unless: threading.Event | None) -> Iterator[None]:
    """Have the lake alone, among those who write. Raises LakeBusy, StoreAway, StoreReadOnly."""
    give_up = time.monotonic() + wait
    asked = "SELECT pg_try_advisory_lock(hashtextextended('agnes-stats lake ' || %s, 7))"
    with _asking(lake) as connection:
        while (row := connection.execute(asked, [lake.schema]).fetchone()) is not None and not row[0]:
            if unless is not None and unless.is_set():
                raise StoreInterrupted("stopped while waiting for the lake")
            if time.monotonic() > give_up:
                raise LakeBusy(lake)
            time.sleep(0.2)
        yield


@contextlib.contextmanager
def _asking(lake: LakeAddress) -> Iterator[postgres.Connection]:
    """A connection to the server of the catalogue. Raises StoreAway, StoreReadOnly."""
    try:
        with postgres.connected(lake.catalogue) as connection:
            yield connection
    except postgres.ServerAway as error:
        raise StoreAway(str(error)) from None
    except postgres.ServerError as error:
        raise StoreReadOnly(str(error)) from None


# -- what is wrong -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Fault:
    """What DuckDB, DuckLake or PostgreSQL say where something is wrong, and what that means."""

    marks: tuple[str, ...]
    kind: type[StoreError]
    words: str
    """With `{lake}`, `{data}` and `{line}`, what the server says."""


_FAULTS = (
    _Fault(
        ("creating a new ducklake is explicitly disabled",),
        StoreForeign,
        "{lake} does not exist, or may not be read by this role: agnes-stats team drain makes one",
    ),
    _Fault(
        ("does not match existing data path",),
        StoreForeign,
        "{lake} has its files elsewhere than in {data}: name the folder with which it was made, in ?data=",
    ),
    _Fault(
        ("password authentication failed", "no password supplied", "fatal:  role", "fatal:  database"),
        StoreReadOnly,
        "{lake} refuses us: {line}",
    ),
    _Fault(
        ("permission denied for database", "permission denied for schema"),
        StoreReadOnly,
        "{lake} is not prepared for this role ({line}): agnes-stats team init does that",
    ),
    _Fault(
        ("must be owner", "permission denied for", "insufficient privilege"),
        StoreReadOnly,
        "{lake} does not let this role do that: {line}",
    ),
    _Fault(
        (
            "unable to connect",
            "connection to server",
            "could not connect",
            "terminating connection",
            "server closed the connection",
            "could not translate host name",
            "connection refused",
            "the database system is",
            "no connection to the server",
            "connection not open",
            "ssl connection has been closed",
            "could not receive data",
            "connection timed out",
        ),
        StoreAway,
        "{lake} cannot be reached: {line}",
    ),
    _Fault(
        (
            "no files found",
            "cannot open file",
            "no such file",
            "404 (not found)",
            "http get error",
            "could not establish",
        ),
        StoreAway,
        "a file of {lake} cannot be read in {data}: {line}",
    ),
    _Fault(("transaction conflict", "conflict on", "failed to commit ducklake"), StoreConflict, "{line}"),
    _Fault(("ducklake catalog version", "migrat"), StoreTooNew, "{lake} is of another version of DuckLake: {line}"),
)


def _explained(lake: LakeAddress, error: BaseException) -> StoreError:
    from ._duckdb import duckdb

    text = str(error)
    said = text.lower()
    line = _line(text)
    if isinstance(error, ExtensionMissing):
        return error
    if not isinstance(error, duckdb.ParserException | duckdb.InterruptException):
        for fault in _FAULTS:
            if any(mark in said for mark in fault.marks):
                data = lake.data or "its folder"
                return fault.kind(fault.words.format(lake=lake.shown, data=data, line=line))
    return explained(Path(lake.shown), error, opening=False)


def _line(text: str) -> str:
    """What the server says, or the last word of DuckDB's, without the words of the connection."""
    told = re.search(r"(?:FATAL|ERROR):\s*(.+)", text) or re.search(r"(?:failed|error): (.+)", text, re.DOTALL)
    return postgres.line_of(told[1] if told else text)[:200].rstrip(" .")
