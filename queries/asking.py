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
import queue
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


class Asker:
    """A process that answers one question after the other, started with the first one.

    `ask` blocks; it is for one thread at a time. `stop` ends it from another one, and whoever waits is told so.
    """

    def __init__(self, path: Path) -> None:
        """`path` is the store."""
        self._path = path
        self._process: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it if it does not run. Raises StoreError if no process can be started, or Stopped."""
        if self._stopped.is_set():
            self._end()
            raise Stopped("stopped")
        if self._process is not None and self._process.poll() is None:
            return
        self._end()
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
        if self._stopped.is_set():
            self._process.kill()

    def ask(self, sql: str, chosen: Filter) -> Table:
        """The answer. Raises Refused, Stopped, or StoreError with DuckDB's words."""
        self.start()
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        # Its input stays open: when that ends, with this process, so does the other one.
        # Where that process has ended already, what it told at last, or that it told nothing, says so.
        with contextlib.suppress(OSError):
            process.stdin.write(json.dumps({"path": str(self._path), "sql": sql, "filter": _filter_to(chosen)}) + "\n")
            process.stdin.flush()
        told = process.stdout.readline()
        if self._stopped.is_set():
            self._end()
            raise Stopped("stopped")
        try:
            found = json.loads(told)
        except ValueError:
            self._end()
            raise StoreError(f"the query's process ended with status {process.returncode}") from None
        if "error" in found:
            raise (Refused if found["refused"] else StoreError)(found["error"])
        return answer_of(found)

    def stop(self) -> None:
        """End it for good; the store is open for reading only, so nothing is lost."""
        self._stopped.set()
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Let go of the process; the next question starts another one. For whoever asks."""
        if self._process is not None:
            self._process.kill()
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # A question that was not written is of no use to a process that has ended.
        with contextlib.suppress(BrokenPipeError), process:
            pass


class Asking:
    """One question under way. `answer` blocks, `stop` ends it from another thread."""

    def __init__(self, path: Path, sql: str, chosen: Filter) -> None:
        """Start to ask the store at `path`. Raises StoreError if no process can be started."""
        self._question = sql, chosen
        self._asker = Asker(path)
        self._asker.start()
        self.pid = self._asker.pid or 0

    def answer(self) -> Table:
        """The answer. Raises Refused, Stopped, or StoreError with DuckDB's words."""
        try:
            return self._asker.ask(*self._question)
        finally:
            self._asker.close()

    def stop(self) -> None:
        """End it; the store is open for reading only, so nothing is lost."""
        self._asker.stop()


def _filter_to(chosen: Filter) -> dict[str, Any]:
    # Where a text was found is looked up anew; a large store has it in very many places.
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in dataclasses.asdict(chosen.but(found=None)).items()
    }


def _filter_of(told: dict[str, Any]) -> Filter:
    days = {name: dt.date.fromisoformat(told[name]) for name in ("since", "until") if told.get(name)}
    hours = {name: dt.datetime.fromisoformat(told[name]) for name in ("after", "before") if told.get(name)}
    return Filter(**{**told, **days, **hours})


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard == resource.RLIM_INFINITY or hard > MEMORY_BYTES:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))


def _hear(questions: queue.SimpleQueue[bytes]) -> None:
    """Hand on what is asked, a line each; when nobody can ask any more, end whatever is under way."""
    # Not by sys.stdin: at its end Python would wait for who is reading from that.
    held = b""
    while heard := os.read(0, 65536):
        *lines, held = (held + heard).split(b"\n")
        for line in lines:
            questions.put(line)
    os._exit(0)


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return answer_to(ask(Path(asked["path"]), asked["sql"], chosen=_filter_of(asked["filter"])))
    except StoreError as error:
        return {"error": str(error), "refused": isinstance(error, Refused)}
    except MemoryError:
        return {"error": "the answer does not fit into memory", "refused": False}
    except RecursionError:
        return {"error": TOO_DEEP, "refused": False}


def main() -> None:
    """Answer the questions on standard input, on standard output; both a line of JSON each."""
    questions: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(questions,), daemon=True).start()
    _limit_memory()
    while True:
        sys.stdout.write(json.dumps(_answer(json.loads(questions.get()))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
