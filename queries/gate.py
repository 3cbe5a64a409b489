"""One open database per process and file, shared by its threads.

DuckDB locks a file for a process: many may read it, or one may write. So a process opens it for a moment only, and
whoever finds it taken tries again at random. Among the threads of a process:

- readers share a database; those who come while a writer works join it and see the last commit;
- a writer cannot join readers. It gets the next turn: readers who come meanwhile wait for it, unless another process
  keeps the writer out, then readers and writer try by turns;
- once a writer has left, nobody joins its database any more, so that other processes get their turn.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from .faults import StoreBusy, StoreInterrupted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RETRY_SECONDS = (0.004, 0.02)
"""Between two attempts at a file that another process has; at random, so that two do not keep meeting."""

UNLESS_SECONDS = 0.1
"""How often whoever waits looks whether it should go on waiting."""


class Locked(Exception):
    """Another process has the file open. `pid` is None where the system does not say."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


Connect = Callable[[bool], "DuckDBPyConnection"]
"""Opens the database, for writing or not; raises Locked, or what is wrong with the store."""


class Gate:
    """Lets the threads of this process in and out of one database file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Condition()
        self._database: DuckDBPyConnection | None = None
        self._writable = False
        self._opening = False
        self._writing = False
        self._writers = 0
        """Writers waiting."""
        self._readers_first = False
        """The last attempt of a waiting writer failed: readers may open the file before it tries again."""
        self._inside: Counter[int] = Counter()
        """Threads that are in, and how often."""

    def enter(
        self, connect: Connect, *, writable: bool, wait: float, unless: threading.Event | None = None
    ) -> DuckDBPyConnection:
        """The open database. Raises StoreBusy after `wait` seconds, and whatever `connect` raises.

        StoreInterrupted as soon as `unless` is set.
        """
        give_up = time.monotonic() + wait
        holder: int | None = None
        with self._turn:
            self._writers += writable
            try:
                while not self._may_join(writable):
                    pause = give_up - time.monotonic()
                    if self._may_open(writable):
                        try:
                            self._open(connect, writable)
                            break
                        except Locked as locked:
                            holder = locked.pid
                            pause = min(pause, random.uniform(*RETRY_SECONDS))
                    if unless is not None:
                        if unless.is_set():
                            raise StoreInterrupted("stopped while waiting for the store")
                        pause = min(pause, UNLESS_SECONDS)
                    if pause <= 0 or time.monotonic() >= give_up:
                        raise StoreBusy(self._path, holder)
                    self._turn.wait(pause)
            finally:
                self._writers -= writable
                self._turn.notify_all()
            assert self._database is not None
            self._inside[threading.get_ident()] += 1
            self._writing = self._writing or writable
            return self._database

    def leave(self, *, writable: bool) -> None:
        """Undo an `enter`. The last one out closes the file."""
        with self._turn:
            me = threading.get_ident()
            self._inside[me] -= 1
            if not self._inside[me]:
                del self._inside[me]
            if writable:
                self._writing = False
            try:
                if not self._inside and self._database is not None:
                    database, self._database = self._database, None
                    self._readers_first = False
                    database.close()
            finally:
                self._turn.notify_all()

    def linger(self, join_seconds: float, leave_seconds: float, unless: threading.Event) -> None:
        """Called by a writer that is done, before it leaves: let readers of this process in, and out again.

        Waits `join_seconds` for the first to come, and `leave_seconds` for the last to go, or until `unless` is set.
        """
        me = threading.get_ident()
        with self._turn:
            if self._wait(lambda: bool(self._inside.keys() - {me}), join_seconds, unless):
                self._wait(lambda: not self._inside.keys() - {me}, leave_seconds, unless)

    def _wait(self, is_so: Callable[[], bool], seconds: float, unless: threading.Event) -> bool:
        give_up = time.monotonic() + seconds
        while not is_so():
            left = give_up - time.monotonic()
            if left <= 0 or unless.is_set():
                return False
            self._turn.wait(min(left, UNLESS_SECONDS))
        return True

    def _may_join(self, writable: bool) -> bool:
        if self._database is None:
            return False
        if threading.get_ident() in self._inside and not writable:
            return True
        if writable:
            return self._writable and not self._writing
        return self._writing if self._writable else not self._writers

    def _may_open(self, writable: bool) -> bool:
        if self._database is not None or self._opening:
            return False
        return writable or not self._writers or self._readers_first

    def _open(self, connect: Connect, writable: bool) -> None:
        """Open the file without keeping the other threads out of this gate meanwhile."""
        self._opening = True
        self._turn.release()
        database = None
        try:
            database = connect(writable)
        finally:
            self._turn.acquire()
            self._opening = False
            self._database, self._writable = database, writable
            if writable:
                self._readers_first = database is None
            self._turn.notify_all()


_gates: WeakValueDictionary[str, Gate] = WeakValueDictionary()
_gates_lock = threading.Lock()


def gate_of(path: Path) -> Gate:
    """The gate of a file: the same for everyone in this process, for DuckDB allows only one way of opening it."""
    key = os.path.realpath(path)
    with _gates_lock:
        gate = _gates.get(key)
        if gate is None:
            gate = _gates[key] = Gate(path)
        return gate
