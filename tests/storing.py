"""What the tests of the store's file share: who else may hold it, and what is noted in it."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agnes_stats.queries.store import Store

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
sys.stdin.read()
"""


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
    """Another process that has the file open, until the block ends."""

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
