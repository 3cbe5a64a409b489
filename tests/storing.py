"""What tests share that make a store or look at its file: cheap ones, who else may hold it, what is noted in it."""

import functools
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agnes_stats.ingest.engine import Engine
from agnes_stats.queries.store import Store

BESIDE = ("store.duckdb.lock", "store.duckdb.queue")
"""What lies beside a store."""

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
sys.stdin.read()
"""


@functools.cache
def _without_rows() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.duckdb")
        # Zones are kept and prices looked at: what every store is told first, in 50 ms of CPU.
        Engine(store, []).catch_up()
        return store.path.read_bytes()


def store_in(folder: Path) -> Store:
    """The store in a folder. Where there is none it begins as a copy of an empty one, which costs less than a new one.

    Not for tests of how a store begins.
    """
    path = folder / "store.duckdb"
    if not path.exists():
        path.write_bytes(_without_rows())
        path.chmod(0o600)
    return Store(path)


@contextmanager
def kept_open(store: Store) -> Iterator[None]:
    """Open the file once for whatever this thread reads and writes in the block: each time takes 25 ms of CPU."""
    with ExitStack() as stack:
        with store.write():
            stack.enter_context(store.read())
        yield


_OPEN = ExitStack()


def stays_open(store: Store) -> Store:
    """Keep a store's file open until the test ends: each opening takes 20 ms of CPU.

    Not for tests of who may have it open, nor for those in which another process wants it.
    """
    _OPEN.enter_context(kept_open(store))
    return store


def close_all() -> None:
    """Close what stayed open."""
    _OPEN.close()


@contextmanager
def held(store: Store) -> Iterator[Store]:
    """A store that is only read from now on, its file open all the while: each question would open it anew."""
    with store.read():
        yield store


def another_inode(store: Store) -> None:
    """Put a copy of a store in its place."""
    other = store.path.with_name("other.duckdb")
    shutil.copy2(store.path, other)
    other.replace(store.path)


def spoil(paths: Iterable[Path]) -> None:
    """Change a byte near the end of each file."""
    for path in paths:
        data = bytearray(path.read_bytes())
        data[-40] ^= 1
        path.write_bytes(bytes(data))


def note(store: Store, value: str) -> None:
    with store.write() as connection:
        connection.execute("INSERT INTO meta VALUES ('note', ?)", [value])


def notes(store: Store) -> list[str]:
    with store.read() as connection:
        rows = connection.execute("SELECT value FROM meta WHERE name = 'note' ORDER BY 1").fetchall()
    return [value for (value,) in rows]


def until(is_so: Callable[[], object]) -> None:
    """Wait for a fact."""
    give_up = time.monotonic() + 10.0
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.001)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


class Holder:
    """A program without our lock, as the `duckdb` shell, that has the file open until the block ends."""

    def __init__(self, path: Path, how: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLD, path, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.pid = self._process.pid

    def __enter__(self) -> "Holder":
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"open\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
