"""Reading files into files of rows, here or in worker processes.

A worker is a plain child process that takes tasks on its standard input and answers on its standard output. It ends
when its input ends, so a dashboard that is killed leaves no process behind.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec

from .batch import Batch, Row
from .formats import SOURCES, ReadResult, SourceBusy, SourceFile, Watermark
from .formats.change import STRETCH
from .model_names import price_name
from .text import kept
from .watermarks import reason

REASON_CHARS = 300

TASK_BYTES, TASK_FILES = 12 * 1024 * 1024, 1000
"""About how much of the transcripts one task reads, in how many files at most."""


@dataclass(frozen=True, slots=True)
class WorkTask:
    """Files to read, each from its watermark on, into files of rows `folder/name.*`; without a folder into rows."""

    name: str
    folder: str | None
    files: Sequence[tuple[SourceFile, Watermark | None]]


@dataclass(slots=True)
class Done:
    """What a task came to."""

    row_files: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Those of a task without a folder."""
    results: list[ReadResult] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    """All models of the responses, and the names under which their prices are looked up, if these are others."""
    is_news: bool = False
    """Whether anything differs from the watermarks that the task set out from."""


def run_task(task: WorkTask) -> Done:
    """Read the files of a task. Files that are gone, or cannot be read, are told, not raised.

    Raises OSError where the rows cannot be written.
    """
    batch = Batch()
    try:
        done = _read(task.files, batch)
    except Exception:  # noqa: BLE001
        # A fault of a parser: the file that has it is found, and costs no other file anything.
        batch = Batch()
        done = _read_apart(task.files, batch)
    responses = batch.of("responses")
    done.models = sorted({row["model"] for row in responses} | {price_name(row) for row in responses})
    if task.folder is None:
        done.rows = batch.rows
    else:
        done.row_files = {table: str(path) for table, path in batch.write(Path(task.folder), task.name).items()}
    return done


def _read(files: Sequence[tuple[SourceFile, Watermark | None]], batch: Batch) -> Done:
    done = Done()
    for file, watermark in files:
        try:
            result = SOURCES[file.kind].read(file, watermark, batch, STRETCH)
        except FileNotFoundError:
            done.gone.append(str(file.path))
            done.is_news = done.is_news or watermark is not None
            continue
        except SourceBusy:
            continue
        except OSError as error:
            result = _failed(file, watermark, reason(error))
        done.results.append(result)
        done.is_news = done.is_news or result.watermark != watermark
    return done


def _failed(file: SourceFile, watermark: Watermark | None, why: str) -> ReadResult:
    """A file that could not be read; what was read of it before stays."""
    known = watermark or Watermark(path=str(file.path))
    return ReadResult(file, dataclasses.replace(known, error=why), known.read_to, file.session_id, more=False)


def _read_apart(files: Sequence[tuple[SourceFile, Watermark | None]], batch: Batch) -> Done:
    """Read files each into a batch of its own; one that a decoder fails on is told as a file that cannot be read."""
    done = Done()
    for file, watermark in files:
        own = Batch()
        try:
            read = _read([(file, watermark)], own)
        except Exception as error:  # noqa: BLE001
            told = kept(f"cannot be parsed: {type(error).__name__}: {error}", REASON_CHARS)
            failed = _failed(file, watermark, told)
            done.results.append(failed)
            done.is_news = done.is_news or failed.watermark != watermark
            continue
        done.results += read.results
        done.gone += read.gone
        done.is_news = done.is_news or read.is_news
        for table, rows in own.rows.items():
            batch.rows.setdefault(table, []).extend(rows)
    return done


def _to_plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))


def _from_plain(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)


encoded_done = _encode = msgspec.json.Encoder(enc_hook=_to_plain).encode
_decode_task = msgspec.json.Decoder(WorkTask, dec_hook=_from_plain).decode
decoded_done = msgspec.json.Decoder(Done, dec_hook=_from_plain).decode


class _Worker:
    """One child process. `run` gives it a task and waits for the answer."""

    def __init__(self) -> None:
        # -P: the folder that the user happens to be in is no place to import from.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "agnes_stats.ingest.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # The terminal is the dashboard's; a task that kills its worker is done, or explained, by the parent.
            stderr=subprocess.DEVNULL,
        )

    def run(self, task: WorkTask) -> Done:
        """The answer to a task; EOFError if the process died."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(_encode(task) + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except (OSError, ValueError) as error:
            raise EOFError from error
        if not answer.endswith(b"\n"):
            raise EOFError
        return decoded_done(answer)

    def close(self) -> None:
        """End the process at once."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()


class Workers:
    """A few worker processes; a context manager. With `count` 0 the tasks run in this process instead."""

    def __init__(self, count: int) -> None:
        self._idle: SimpleQueue[_Worker | None] = SimpleQueue()
        self._all: list[_Worker] = []
        self._lock = threading.Lock()
        self._stopping = False
        self.count = count
        for _ in range(max(1, count)):
            self._idle.put(self._start() if count else None)
        self._threads = ThreadPoolExecutor(max(1, count), thread_name_prefix="ingest-worker")

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopping = True
        for worker in self._all:
            worker.close()
        self._threads.shutdown(cancel_futures=True)

    def submit(self, task: WorkTask) -> Future[Done]:
        """Run a task when a worker is free. A task whose worker died is done in this process."""
        return self._threads.submit(self._run, task)

    def _start(self) -> _Worker | None:
        """A worker process; None where the system has none to spare, or we are about to end."""
        with self._lock:
            if self._stopping:
                return None
            try:
                worker = _Worker()
            except OSError:
                return None
            self._all.append(worker)
            return worker

    def _run(self, task: WorkTask) -> Done:
        worker = self._idle.get()
        try:
            if worker is not None:
                return worker.run(task)
        except EOFError:
            worker = self._start()
        finally:
            self._idle.put(worker)
        return Done() if self._stopping else run_task(task)


def serve() -> None:
    """Answer tasks on standard input until it ends, which is when the parent does, however it ends."""
    # Ctrl-C goes to everybody on the terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_take_tasks, args=(tasks,), daemon=True).start()
    try:
        while True:
            sys.stdout.buffer.write(_encode(run_task(_decode_task(tasks.get()))) + b"\n")
            sys.stdout.buffer.flush()
    finally:
        # The parent does the task again and tells what is wrong. Python's own end would wait for the other thread.
        os._exit(1)


def _take_tasks(tasks: SimpleQueue[bytes]) -> None:
    """Pass tasks on until there are no more; then nobody waits for the one that is under way, either."""
    for line in sys.stdin.buffer:
        tasks.put(line)
    os._exit(0)
