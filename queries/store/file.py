"""The store: one DuckDB file that nobody owns.

Many may read it, or one may write it, so everybody opens it for one batch or one answer and closes it again, and
whoever finds it taken waits for the lock beside it (`locking`). Inside a process the threads share one open database: a
reader that comes while a batch is written reads beside it and sees the last committed state (`gate`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import kept
from ..schema import ddl
from .database import SETTINGS, Outdated, connect, connect_confined, create_from, is_sound, read_all, take_notes
from .errors import StoreBusy, StoreDamaged, StoreError, StoreMissing, StoreReadOnly, explained, refuse_odd
from .files import Files, Stamp
from .gate import gate_of
from .instance import Instance, OpenStore, Outside
from .keepsakes import Note, backup_path, is_backup_due, read_notes, write_notes
from .reader import Reader, Writer
from .scratch import make_folder, scratch
from .touched import TouchedByWrite

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WAIT_SECONDS = 10.0
"""How long a process waits for the store before it gives up."""

BACKUP_RETRY_SECONDS = 3600.0
"""How often one process looks after the backup."""

_ATTEMPTS = 3
"""How often a store that somebody keeps deleting is made anew for one reader."""

JOIN_SECONDS, READ_SECONDS = 0.05, 0.5
"""How long a writer that lingers waits for the first reader to come, and for the last one to go."""


_HAS_MORE_THAN_FILES_TELL = """
    SELECT EXISTS (FROM files WHERE gone_at IS NOT NULL) OR EXISTS (FROM forgotten)
        OR EXISTS (FROM accesses WHERE seen_in = 'server')
"""


@dataclass(frozen=True, slots=True)
class Aside:
    """A damaged store: where it is now, and how many rows of it, or of the backup, are in the new one."""

    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class WriterAhead:
    """A writer whose turn has not come."""

    writer: Writer
    outside: Outside

    @property
    def tables(self) -> str:
        """The database of its tables, which it also finds when it writes to the store."""
        return self.outside.name

    @contextlib.contextmanager
    def beside(self) -> Iterator[Writer]:
        """Another one that fills the same tables, for another thread. It ends with the block."""
        with self.outside.beside() as cursor:
            yield self.writer.another(cursor)

    @contextlib.contextmanager
    def ended_by(self, stop: Callable[[], None]) -> Iterator[None]:
        """While other threads are at work with such writers: `stop` is called before their DuckDB is ended.

        A connection that is closed while it is asked would break the process.
        """
        self.outside.before_end.append(stop)
        try:
            yield
        finally:
            self.outside.before_end.remove(stop)

    @contextlib.contextmanager
    def above(self) -> Iterator[WriterAhead]:
        """Another one with tables of its own, for another thread, that also has the same where it has none of a name.

        It ends with the block.
        """
        with self.outside.above() as outside:
            yield WriterAhead(self.writer.another(outside.cursor), outside)


class _Copied(Exception):
    """The store is copied: there is nothing to open."""


class StoreChanged(Exception):
    """Somebody else wrote to the store while we waited for it."""


OTHER_KINDS: dict[str, Callable[[], type[Store]]] = {}
"""Stores that are no files, by the suffix of the file that stands for one; they are imported when one is opened."""


class Store:
    """The store at a path. Nothing is opened, and no file made, before the first `read` or `write`."""

    def __new__(cls, path: Path, *, wait: float = WAIT_SECONDS) -> Store:  # noqa: ARG004
        """Of another kind where the path is of a file that stands for such a one: nobody else has to know."""
        kind = OTHER_KINDS.get(path.suffix) if cls is Store else None
        return super().__new__(cls if kind is None else kind())

    def __init__(self, path: Path, *, wait: float = WAIT_SECONDS) -> None:
        self.path = path
        self.wait = wait
        self._files = Files(path)
        self._gate = gate_of(path)
        self._instance = self._gate.instance(lambda: Instance(path, SETTINGS))
        self._next_backup = 0.0
        self._writer: DuckDBPyConnection | None = None
        self._writer_lock = threading.Lock()

    # -- using it ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def read(self, *, unless: threading.Event | None = None, confined: bool = False) -> Iterator[Reader]:
        """Ask questions, which all see the same state. A store that does not exist is made, empty.

        `unless`: give up waiting, with StoreInterrupted, as soon as it is set. `confined`: for what others wrote; the
        connection is cut off from files and network, and nothing else of this process may have the store open.
        Raises StoreBusy, StoreTooNew, StoreForeign, StoreDamaged, StoreReadOnly, StoreUnlockable; QueryFailed where
        DuckDB refuses a question.
        """
        with contextlib.ExitStack() as stack:
            reader = Reader(self.path, self._enter_reading(stack, unless, confined))
            # One snapshot for the whole block, also beside a writer.
            reader.execute("BEGIN TRANSACTION READ ONLY")
            yield reader

    @contextlib.contextmanager
    def write(
        self,
        *,
        unless: threading.Event | None = None,
        only_at: Collection[Stamp] | None = None,
        touched: TouchedByWrite | None = None,
        ahead: WriterAhead | None = None,
    ) -> Iterator[Writer]:
        """Write. Hold it for one transaction. Only one thread of the process has it at a time.

        `only_at`: raise StoreChanged, without opening it, if the store's stamp is another one once it is our turn.
        `touched`: where it will be said what is changed.
        `ahead`: go on with that writer, if it can: another one has none of its tables.
        `unless`, and what is raised, as for `read`; also StoreFull, and StoreInterrupted by `interrupt`.
        """
        if self._files.is_missing():
            make_folder(self.path)
        with (
            self._connection(True, unless, only_at=only_at, touched=touched) as connection,
            self._instance.entered(None if ahead is None else ahead.outside) as goes_on,
        ):
            writer = Writer(self.path, connection)
            if ahead is not None and goes_on:
                writer, connection = ahead.writer, ahead.outside.cursor
            with self._writer_lock:
                self._writer = connection
            try:
                yield writer
            finally:
                with self._writer_lock:
                    self._writer = None

    @contextlib.contextmanager
    def ahead(self) -> Iterator[WriterAhead | None]:
        """A writer for tables of its own, in memory, to be made before it is its turn to `write`: others have theirs.

        None where the store was never open. Its tables end with the block.
        """
        with self._instance.outside() as outside:
            yield None if outside is None else WriterAhead(Writer(self.path, outside.cursor), outside)

    @contextlib.contextmanager
    def in_memory(self, tables: Sequence[str]) -> Iterator[Writer]:
        """Inside a `read`: the tables of a store, in memory, with the rows that this one has of some of them.

        They end with this block, which may outlast that one. Raises StoreError.
        """
        with self._instance.in_memory(ddl(), tables) as connection:
            yield Writer(self.path, connection)

    @contextlib.contextmanager
    def new_in_memory(self, tables: Collection[str] | None = None) -> Iterator[Writer]:
        """The tables of a store that is not there yet, in memory, with what it will begin with; no file is made.

        `tables`: only these, where it begins with nothing: to make all takes as long as to ask a few questions. They
        end with this block. Raises StoreError.
        """
        from ._duckdb import duckdb

        with contextlib.ExitStack() as stack:
            try:
                connection = stack.enter_context(self._instance.in_memory(ddl(tables), ()))
                if tables is None:
                    take_notes(connection, self.path)
            except duckdb.Error as error:
                raise explained(self.path, error, opening=False) from error
            yield Writer(self.path, connection)

    def begins_with_nothing(self) -> bool:
        """Whether a store made now knows of nothing that the user had forgotten."""
        return not read_notes(self.path)

    def demand(self) -> None:
        """Raise StoreMissing where there is none: for whoever shall not make one."""
        refuse_odd(self.path)
        if self._files.is_missing():
            raise StoreMissing(self.path)

    def make_way(self) -> None:
        """Inside a `write`, after its transaction: keep readers of this process out if other processes wait.

        They come in once it is closed, side by side with those.
        """
        self._gate.make_way()

    def linger(self, unless: threading.Event) -> None:
        """Inside a `write`, after its transaction: keep the store open for the readers of this process that come now.

        They need not open it, and neither of them waits until it is closed. Costs a moment if nobody comes. `unless`:
        go on as soon as it is set. Goes on, too, as soon as another process waits for the store.
        """
        self._gate.linger(JOIN_SECONDS, READ_SECONDS, unless)

    def when_closed(self, then: Callable[[], None]) -> None:
        """Inside a `write`, or a `read` beside one: do something once the file is closed, while nobody else has it.

        Not if another write begins before. It must be brief, and raise nothing.
        """
        self._gate.when_closed(then)

    def interrupt(self) -> None:
        """Stop the statement that this process is writing with, if it is; the writer then gets StoreInterrupted."""
        with self._writer_lock:
            if self._writer is not None:
                self._writer.interrupt()

    def stamp(self) -> Stamp:
        """What changes whenever anybody, in any process, writes to the store. Costs two looks at the disk."""
        return self._files.stamp()

    def position(self) -> int:
        """For `touched_since`: where we are in the history of the store, to be asked before it is read."""
        return self._gate.position()

    def touched_since(self, position: int) -> frozenset[str] | None:
        """Inside a `read`, after its first question: the sessions that may be others than where we were then.

        None if anything may be.
        """
        return self._gate.touched_since(position)

    def look(self) -> Stamp:
        """The stamp as it is now, wherever that has to be asked. Raises StoreError."""
        return self.stamp()

    def for_drain(self) -> None:
        """Say that a drain writes: into some stores nobody else does."""

    @property
    def shown(self) -> str:
        """For people: where it is."""
        return str(self.path)

    @property
    def is_file(self) -> bool:
        """Whether it is a file: else nothing of this machine comes into it, and the disk tells nothing of it."""
        return True

    def bytes_on_disk(self) -> int:
        """How large it is, in bytes. Raises StoreError, OSError."""
        return self.path.stat().st_size

    def compact(self) -> None:
        """Within a `write`: drop what is only kept because it was there once. Of a file DuckDB sees to that."""

    def write_number(self) -> int:
        """Inside a `write`: which one of this process it is, for `stamp_after`."""
        return self._gate.write_number()

    def stamp_after(self, write: int) -> Stamp | None:
        """The stamp as a write of this process left it; None while the file is still open, or written to again.

        A reader of this process that came meanwhile may close the file after the writer has left.
        """
        return self._gate.stamp_after(write)

    def idle_seconds(self) -> float:
        """How long ago anybody last wrote to the store; infinite if there is none, or no clock can tell."""
        return self._files.idle_seconds()

    def identity(self) -> tuple[int, int] | None:
        """Which file it is, whatever is written to it: another one after it was deleted or replaced. None without."""
        return self._files.identity()

    @property
    def log_path(self) -> Path:
        """DuckDB's write-ahead log: what was committed and is not in the file yet."""
        return self._files.log_path

    def set_aside(self) -> Aside | None:
        """Rename a damaged store, and its log, to a name with the date, and begin a new one with what can be read.

        None if all of it can be read after all: that is looked at again while nobody else can have it open, and another
        program may have begun a new one meanwhile. What cannot be read of it is taken from the backup, if that has it.
        The rollups are made by who prices the facts. Raises StoreError.
        """
        aside: list[Aside] = []

        def begin_anew() -> OpenStore:
            if not is_sound(self._files):
                old = self._files.rename()
                aside.append(Aside(old, create_from(self._files, [old, backup_path(self.path)])))
            return connect(self._files, writable=True)

        self._gate.enter(begin_anew, writable=True, wait=self.wait, joins=False)
        self._gate.leave(writable=True)
        return aside[0] if aside else None

    def copy_to(self, path: Path) -> None:
        """Copy the store, as it is between two writes and of whatever version, to a path that nothing has.

        Raises StoreError, StoreForeign; StoreMissing where there is none.
        """
        self.demand()

        def copied() -> OpenStore:
            self._files.copy_to(Files(path))
            raise _Copied

        # Nobody writes while we have our turn; the file itself need not be opened for it.
        with contextlib.suppress(_Copied):
            self._gate.enter(copied, writable=False, wait=self.wait, joins=False)

    def back_up(self, *, unless: threading.Event | None = None) -> bool:
        """Copy the store to its backup, if that is a day old and something is only here; whether that was done.

        A store without vanished files, forgotten notes and rows of a server would be read again. Tried at most once an
        hour. Where it cannot be done the backup is as it was; what is wrong with the store the doctor tells.
        """
        is_early = time.monotonic() < self._next_backup or (unless is not None and unless.is_set())
        if is_early or not is_backup_due(self.path) or self._files.is_missing():
            return False
        self._next_backup = time.monotonic() + BACKUP_RETRY_SECONDS
        try:
            return self._copy_to_backup(unless)
        except StoreError:
            return False

    def _copy_to_backup(self, unless: threading.Event | None) -> bool:
        with scratch(self.path) as folder:
            copy = Files(folder / "backup.duckdb")
            with self._connection(False, unless, joins=False) as connection:
                if not Reader(self.path, connection).value(_HAS_MORE_THAN_FILES_TELL):
                    return False
                self._files.copy_to(copy)
            # It takes in its log, and is read as a whole: what is damaged is no backup.
            database = connect(copy, writable=True)
            try:
                read_all(copy, database)
            finally:
                database.close()
            copy.replace(backup_path(self.path))
        return True

    def keep_notes(self, notes: Sequence[Note]) -> None:
        """Keep all notes of what was forgotten beside the store, and drop the backup, in which that still is.

        Raises StoreError.
        """
        try:
            write_notes(self.path, notes)
        except OSError as error:
            raise explained(self.path, error, opening=False) from error
        self.drop_backup()

    def drop_backup(self) -> None:
        """Remove the backup, and answers that were kept: what is in them must not be anywhere any more.

        Raises StoreError.
        """
        try:
            backup_path(self.path).unlink(missing_ok=True)
            kept.drop(str(self.path))
        except OSError as error:
            raise explained(self.path, error, opening=False) from error

    # -- opening it ----------------------------------------------------------------------------------------------

    def _enter_reading(
        self, stack: contextlib.ExitStack, unless: threading.Event | None, confined: bool
    ) -> DuckDBPyConnection:
        """A connection for reading. What must be done to the store first is done, by one who has it alone."""
        for _ in range(_ATTEMPTS):
            if not self._files.is_missing():
                try:
                    return stack.enter_context(self._connection(False, unless, confined=confined))
                except Outdated:
                    pass
                except StoreDamaged as damage:
                    return self._look_again(stack, damage, unless, confined)
            with self.write(unless=unless):
                pass
        raise StoreBusy(self.path, None)

    def _look_again(
        self,
        stack: contextlib.ExitStack,
        damage: StoreDamaged,
        unless: threading.Event | None,
        confined: bool,
    ) -> DuckDBPyConnection:
        """A store that cannot be read is called damaged only if that is so when nobody else can have it open."""
        try:
            return stack.enter_context(self._connection(False, unless, confined=confined, alone=True))
        except (StoreReadOnly, Outdated):
            raise damage from None

    @contextlib.contextmanager
    def _connection(
        self,
        writable: bool,
        unless: threading.Event | None,
        *,
        confined: bool = False,
        alone: bool = False,
        joins: bool = True,
        only_at: Collection[Stamp] | None = None,
        touched: TouchedByWrite | None = None,
    ) -> Iterator[DuckDBPyConnection]:
        """A connection. `alone`: no other process has the store open, although it is only read.

        `joins`: what another thread of this process has open will do.
        """
        keeps_out = writable or alone

        def open_it() -> OpenStore:
            if only_at is not None and self.stamp() not in only_at:
                raise StoreChanged
            if confined:
                return connect_confined(self._files)
            return connect(self._files, self._instance, writable=writable)

        # No lock is made beside what is none of ours.
        refuse_odd(self.path)
        database = self._gate.enter(
            open_it,
            writable=keeps_out,
            wait=self.wait,
            unless=unless,
            joins=joins and not confined,
            touched=touched,
        )
        try:
            cursor = database.cursor()
            try:
                yield cursor
            finally:
                cursor.close()
        finally:
            self._gate.leave(writable=keeps_out)
