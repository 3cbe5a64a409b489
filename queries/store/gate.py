"""One open database per process and file, shared by its threads.

Many processes may read a file, or one may write it: `locking` sees to that, and the lock is held as long as the
database is open, so a process opens it for a moment only. Among the threads of a process:

- readers share a database; those who come while a writer works join it and see the last commit;
- a writer cannot join readers. It gets the next turn: readers who come meanwhile wait for it, unless another process
  keeps the writer out for long, then readers and writer try by turns;
- once a writer has left, nobody joins its database any more, so that other processes get their turn; where these have
  to wait, already when it is done.

A program that knows nothing of the lock, as the `duckdb` shell, may still have the file: then it is tried again, more
and more seldom.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from .errors import StoreBusy, StoreInterrupted
from .files import Files, Stamp
from .instance import Instance, OpenStore
from .locking import Claim, is_awaited
from .one_each import OneEach
from .touched import Journal, TouchedByWrite

RETRY_SECONDS = (0.01, 0.25)
"""Between two attempts at a file that is open in a program without our lock: at first, and at most."""

LOOK_SECONDS = 0.05
"""How often a writer that lingers looks whether another process waits."""

CROWD_SECONDS = 10.0
"""So long after another process had to wait a writer makes way when it is done: where one came more of them come."""

UNLESS_SECONDS = 0.1
"""How often whoever waits looks whether it should go on waiting, and a writer whether it is another one's turn."""


def chance() -> float:
    """A number from 0 to 1, other ones in other processes. Python's module for that takes long to import."""
    return time.perf_counter_ns() // 100 % 1000 / 1000


class Locked(Exception):
    """A program without our lock has the file open. `pid` is None where the system does not say."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


Connect = Callable[[], OpenStore]
"""Opens the database; raises Locked, or what is wrong with the store."""


class Gate:
    """Lets the threads of this process in and out of one database file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Condition()
        self._database: OpenStore | None = None
        self._instance: Instance | None = None
        self._writable = False
        self._opening = False
        self._writing = False
        self._waiting = {False: 0, True: 0}
        """Readers and writers waiting."""
        self._readers_first = False
        """The last attempt of a waiting writer failed: readers may open the file before it tries again."""
        self._inside: Counter[int] = Counter()
        """Threads that are in, and how often."""
        self._writes = 0
        """How many threads have come in to write."""
        self._closed: tuple[int, Stamp] = 0, ()
        """The write after which the file was closed last, and what it was like then, before anybody else had it."""
        self._journal = Journal()
        self._left_at: Stamp | None = None
        """What the file was like when this process closed it last, before anybody else had it."""
        self._when_closed: list[Callable[[], None]] = []
        """What is to be done once it is closed after the write that is under way, or was the last one."""
        self._awaited_at = -CROWD_SECONDS
        """When another process was last seen to wait for a writer that was done."""
        self._makes_way = False
        """The writer that is in is done, and nobody joins it any more."""
        self._claims = {exclusive: Claim(path, exclusive=exclusive, wake=self._wake) for exclusive in (False, True)}

    def instance(self, make: Callable[[], Instance]) -> Instance:
        """The DuckDB in which this process has the file open, whenever it has."""
        with self._turn:
            if self._instance is None:
                self._instance = make()
            return self._instance

    def enter(
        self,
        connect: Connect,
        *,
        writable: bool,
        wait: float,
        unless: threading.Event | None = None,
        joins: bool = True,
        touched: TouchedByWrite | None = None,
    ) -> OpenStore:
        """The open database; `writable`: no other process has it. Raises StoreBusy after `wait` seconds.

        Also whatever `connect` raises, StoreInterrupted as soon as `unless` is set, StoreUnlockable where there are no
        locks. `joins`: what another thread has open will do. `touched`: what a writer will say that it changes.
        """
        with self._turn:
            self._waiting[writable] += 1
            try:
                self._await(connect, writable, _Patience(wait, unless), joins)
            finally:
                self._waiting[writable] -= 1
                if not self._waiting[writable] and (self._database is None or self._writable != writable):
                    self._claims[writable].drop()
                self._turn.notify_all()
            assert self._database is not None
            self._inside[threading.get_ident()] += 1
            self._writing = self._writing or writable
            self._writes += writable
            if writable:
                self._when_closed.clear()
                self._journal.begin(touched or TouchedByWrite())
            return self._database

    def write_number(self) -> int:
        """Which write of this process is under way, or was the last one."""
        return self._writes

    def stamp_after(self, write: int) -> Stamp | None:
        """What the file was like when it was closed after a write, with nothing written since; None until it is.

        Whoever of this process has it open last closes it, and that may be a reader.
        """
        with self._turn:
            closed, stamp = self._closed
            return stamp if closed == write else None

    def position(self) -> int:
        """How many writes, of anybody, this process knows to be over."""
        with self._turn:
            return self._journal.position()

    def touched_since(self, position: int) -> frozenset[str] | None:
        """By somebody who is in: which sessions may be others than after so many writes; None if anything may."""
        with self._turn:
            return self._journal.since(position)

    def when_closed(self, then: Callable[[], None]) -> None:
        """Do something once the file is closed, if somebody of this process has it open for writing.

        Nobody else has it yet then. It must be brief, and raise nothing; another write that begins before makes it
        void.
        """
        with self._turn:
            if self._database is not None and self._writable:
                self._when_closed.append(then)

    def _tell_closed(self) -> None:
        told, self._when_closed = self._when_closed, []
        for then in told:
            then()

    def _await(self, connect: Connect, writable: bool, patience: _Patience, joins: bool) -> None:
        """Wait until the database is open for us."""
        claim, holder = self._claims[writable], None
        while not (joins and self._may_join(writable)):
            if self._may_open(writable) and not patience.is_pausing:
                if claim.take(wait=patience.left > 0):
                    try:
                        self._open(connect, writable)
                        return
                    except Locked as locked:
                        holder = locked.pid
                        patience.pause()
                else:
                    holder = claim.holder() if patience.left <= 0 else holder
            if patience.unless is not None and patience.unless.is_set():
                raise StoreInterrupted("stopped while waiting for the store")
            if patience.left <= 0:
                raise StoreBusy(self._path, holder)
            self._turn.wait(patience.next_look)

    def leave(self, *, writable: bool) -> None:
        """Undo an `enter`. The last one out closes the file."""
        with self._turn:
            me = threading.get_ident()
            self._inside[me] -= 1
            if not self._inside[me]:
                del self._inside[me]
            if writable:
                self._writing = self._makes_way = False
                self._journal.end()
            try:
                if not self._inside and self._database is not None:
                    database, self._database = self._database, None
                    self._readers_first = False
                    try:
                        self._left_at = None
                        database.close()
                        self._left_at = Files(self._path).stamp()
                        if self._writable:
                            self._closed = self._writes, self._left_at
                            self._tell_closed()
                    finally:
                        self._claims[self._writable].drop()
            finally:
                self._turn.notify_all()

    def make_way(self) -> None:
        """Called by a writer that is done: nobody joins it any more, if another process waits or did lately."""
        with self._turn:
            self._makes_way = self._is_crowded()

    def linger(self, join_seconds: float, leave_seconds: float, unless: threading.Event) -> None:
        """Called by a writer that is done, before it leaves: let readers of this process in, and out again.

        Waits `join_seconds` for the first to come, and `leave_seconds` for the last to go, or until `unless` is set or
        another process waits: who comes then is behind that one. Not at all where it makes way.
        """
        me = threading.get_ident()
        with self._turn:
            if not self._makes_way and self._wait(lambda: bool(self._inside.keys() - {me}), join_seconds, unless):
                self._wait(lambda: not self._inside.keys() - {me}, leave_seconds, unless)

    def _wait(self, is_so: Callable[[], bool], seconds: float, unless: threading.Event) -> bool:
        give_up = time.monotonic() + seconds
        while not is_so():
            left = give_up - time.monotonic()
            if left <= 0 or unless.is_set() or self._is_crowded():
                return False
            self._turn.wait(min(left, LOOK_SECONDS))
        return True

    def _is_crowded(self) -> bool:
        """Whether another process waits, or did lately."""
        now = time.monotonic()
        if is_awaited(self._path):
            self._awaited_at = now
        return now - self._awaited_at < CROWD_SECONDS

    def _may_join(self, writable: bool) -> bool:
        if self._database is None:
            return False
        if threading.get_ident() in self._inside and not writable:
            return True
        if writable:
            return self._writable and not self._writing
        return self._writing and not self._makes_way if self._writable else not self._waiting[True]

    def _may_open(self, writable: bool) -> bool:
        if self._database is not None or self._opening:
            return False
        if writable or not self._waiting[True]:
            return True
        # What is granted must be used, or it would keep our own writer out.
        return self._readers_first or self._claims[False].is_held or self._claims[True].lets_others_first

    def _open(self, connect: Connect, writable: bool) -> None:
        """Open the file, to which we have the claim, without keeping the other threads out of this gate meanwhile."""
        self._opening = True
        self._turn.release()
        database = None
        try:
            found = Files(self._path).stamp()
            database = connect()
        finally:
            self._turn.acquire()
            if database is not None and found != self._left_at:
                self._journal.note_others()
            self._opening = False
            self._database, self._writable = database, writable
            if database is None:
                self._claims[writable].drop()
            if writable:
                self._readers_first = database is None
            self._turn.notify_all()

    def _wake(self) -> None:
        with self._turn:
            self._turn.notify_all()


class _Patience:
    """How long one thread goes on waiting, and when it looks again."""

    def __init__(self, wait: float, unless: threading.Event | None) -> None:
        self.unless = unless
        self._give_up = time.monotonic() + wait
        self._next_try = 0.0
        self._pause = RETRY_SECONDS[0]

    @property
    def left(self) -> float:
        return self._give_up - time.monotonic()

    @property
    def is_pausing(self) -> bool:
        return time.monotonic() < self._next_try

    @property
    def next_look(self) -> float:
        look = min(self.left, UNLESS_SECONDS)
        return min(look, max(self._next_try - time.monotonic(), 0.0)) if self.is_pausing else look

    def pause(self) -> None:
        """Try again later, at random, so that two do not keep meeting."""
        self._next_try = time.monotonic() + (0.5 + chance() / 2) * self._pause
        self._pause = min(2 * self._pause, RETRY_SECONDS[1])


_gates = OneEach(Gate)


def gate_of(path: Path) -> Gate:
    """The gate of a file: the same for everyone in this process, for DuckDB allows only one way of opening it."""
    return _gates.of(path)
