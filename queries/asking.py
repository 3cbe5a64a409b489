"""Asking the console's question in a process of its own.

DuckDB allows one configuration per process and file, and the dashboard has the store open with another one than the
console's. A process can also be ended at any moment, whatever the query is doing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from .console import TOO_DEEP, Refused, Table, ask
from .export import answer_of, answer_to
from .filters import Filter
from .store import StoreError

MEMORY_BYTES = 4 << 30
"""Address space of the process, where the system can limit it; DuckDB itself is content with much less."""


class Stopped(StoreError):
    """Nobody waits for the answer any more."""


class Asking:
    """One question under way. `answer` blocks, `stop` ends it from another thread."""

    def __init__(self, path: Path, sql: str, chosen: Filter) -> None:
        """Start to ask the store at `path`. Raises StoreError if no process can be started."""
        self._question = json.dumps({"path": str(path), "sql": sql, "filter": _filter_to(chosen)})
        self._stopped = False
        try:
            # Without -P a module in the current folder would come before the one of that name.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                errors="surrogatepass",
            )
        except OSError as error:
            raise StoreError(f"could not start a process for the query: {error}") from error

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def answer(self) -> Table:
        """The answer. Raises Refused, Stopped, or StoreError with DuckDB's words."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._process:
            # Its input stays open: when that ends, with this process, so does the other one.
            with contextlib.suppress(OSError):
                self._process.stdin.write(self._question + "\n")
                self._process.stdin.flush()
            told = self._process.stdout.read()
        if self._stopped:
            raise Stopped("stopped")
        try:
            found = json.loads(told)
        except ValueError:
            raise StoreError(f"the query's process ended with status {self._process.returncode}") from None
        if "error" in found:
            raise (Refused if found["refused"] else StoreError)(found["error"])
        return answer_of(found)

    def stop(self) -> None:
        """End it; the store is open for reading only, so nothing is lost."""
        self._stopped = True
        self._process.kill()


def _filter_to(chosen: Filter) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in dataclasses.asdict(chosen).items()
    }


def _filter_of(told: dict[str, Any]) -> Filter:
    days = {name: dt.date.fromisoformat(told[name]) for name in ("since", "until") if told.get(name)}
    return Filter(**{**told, **days})


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard == resource.RLIM_INFINITY or hard > MEMORY_BYTES:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))


def _end_with_parent() -> None:
    # Not by sys.stdin: at its end Python would wait for who is reading from that.
    while os.read(0, 1024):
        pass
    os._exit(1)


def main() -> None:
    """Answer the question on standard input, on standard output, both JSON."""
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory()
    try:
        told = answer_to(ask(Path(asked["path"]), asked["sql"], chosen=_filter_of(asked["filter"])))
    except StoreError as error:
        told = {"error": str(error), "refused": isinstance(error, Refused)}
    except MemoryError:
        told = {"error": "the answer does not fit into memory", "refused": False}
    except RecursionError:
        told = {"error": TOO_DEEP, "refused": False}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
