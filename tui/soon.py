"""What tokens took, told while much is still to be read: the sums on the screen need not wait until the store is full.

A process of its own reads the backlog for that alone, as `daily` does (`ingest/usage_pass.py`), and leaves what it
found in a second store beside the real one, for as long as that one is filled. What is asked there is what the full
store will say, and is marked provisional.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..queries.plain_json import from_plain, to_plain
from ..queries.store import Store, StoreError
from ..queries.store.scratch import scratch
from .settings import Settings

if TYPE_CHECKING:
    from ..queries.store import Reader

_FILE = "soon.duckdb"

NICENESS = 5
"""Of the process: the screen comes first, and then this, before what fills the store (`ingest/worker.py`)."""


class ReadingAhead:
    """Reads ahead, once; `told` is called in a thread when something can be asked."""

    def __init__(self, settings: Settings, told: Callable[[], None]) -> None:
        self._settings = settings
        self._told = told
        self._lock = threading.Lock()
        """Held while somebody asks: until then the second store stays."""
        self._store: Store | None = None
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start reading. Where that does not work nothing is told: the store says the same later."""
        # The screen waits for nobody, and has not to either at its end: the process ends with this one.
        threading.Thread(target=self._run, name="agnes-stats-soon", daemon=True).start()

    def end(self) -> None:
        """The store is full, or nobody asks any more."""
        self._over.set()
        if (process := self._process) is not None:
            _end(process)

    @contextlib.contextmanager
    def read(self) -> Iterator[Reader | None]:
        """A connection to what is known, or None."""
        with self._lock, contextlib.ExitStack() as opened:
            reader = None
            if self._store is not None and not self._over.is_set():
                with contextlib.suppress(StoreError):
                    reader = opened.enter_context(self._store.read())
            yield reader

    def _run(self) -> None:
        # The store says the same later, and what is wrong with it whoever fills it.
        with contextlib.suppress(StoreError, OSError, ValueError), scratch(self._settings.store) as folder:
            file = folder / _FILE
            with _started(encoded(self._settings, file)) as process:
                self._process = process
                if self._over.is_set():
                    _end(process)
                is_read = process.wait() == 0
            if not is_read:
                return
            self._store = Store(file)
            if not self._over.is_set():
                self._told()
            self._over.wait()
            with self._lock:
                self._store = None


def _end(process: subprocess.Popen[bytes]) -> None:
    # It shares its work out to copies of itself.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()


@contextlib.contextmanager
def _started(task: bytes) -> Iterator[subprocess.Popen[bytes]]:
    taken, given = os.pipe()
    # It stays open: when its input ends, with this process, so does the other one.
    with os.fdopen(taken, "rb") as taking, os.fdopen(given, "wb", buffering=0) as giving:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=taking,
            # The terminal is the dashboard's.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # With the others of this session: each session gets its own share of the processors.
            process_group=0,
        )
        try:
            taking.close()
            giving.write(task + b"\n")
            yield process
        finally:
            _end(process)
            process.wait()


# -- the process ---------------------------------------------------------------------------------------------------


class _Task(msgspec.Struct):
    settings: Settings
    file: Path


def encoded(settings: Settings, file: Path) -> bytes:
    """The task to leave in `file` what is read, in one line. Raises ValueError for what is no text, as some paths."""
    # Whom a server knows this user as is nobody else's business.
    asked = replace(settings, agnes=None, team=None)
    return msgspec.json.encode(_Task(asked, file), enc_hook=to_plain)


def do(task: bytes) -> bool:
    """Read what is not in the store yet for what its responses took; False if that is not worth it."""
    from .factories import engine_of

    told = msgspec.json.decode(task, type=_Task, dec_hook=from_plain)
    store = Store(told.settings.store)
    with contextlib.ExitStack() as whole:
        with store.read() as connection:
            ahead = engine_of(told.settings, store).ahead(connection, whole)
        if ahead is None:
            return False
        ahead.tell(with_sessions=True)
        ahead.tables.copy_to(told.file)
    return True


def _end_with_input() -> None:
    """End when the dashboard does, with all copies."""
    # Not by `sys.stdin`, which a copy of this process would find in use for ever.
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


def _task() -> bytes:
    found = b""
    while not found.endswith(b"\n") and (more := os.read(0, 1 << 16)):
        found += more
    return found


if __name__ == "__main__":
    with contextlib.suppress(AttributeError, OSError):  # Windows knows none
        os.nice(NICENESS)
    given = _task()
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.exit(0 if do(given) else 3)
