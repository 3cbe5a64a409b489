"""Reading files into spooled rows, here or in worker processes.

A worker is a plain child process that takes tasks on its standard input and answers on its standard output. It ends
when its input ends, so a dashboard that is killed leaves no process behind.
"""

from __future__ import annotations

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

from .batch import Batch
from .sources import SourceFile
from .tail import Mark, Stretch, read_stretch

TASK_BYTES = 12 * 1024 * 1024
"""About how much of the transcripts one task reads."""


@dataclass(frozen=True, slots=True)
class Task:
    """Files to read, each from its mark on, into files of rows `folder/name.*`."""

    name: str
    folder: str
    files: Sequence[tuple[SourceFile, Mark | None]]


@dataclass(slots=True)
class Done:
    """What a task came to."""

    spool: dict[str, str] = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)


def run_task(task: Task) -> Done:
    """Read the files of a task. Files that are gone, or cannot be read, are told, not raised."""
    batch, done = Batch(), Done()
    for file, mark in task.files:
        stretch = read_stretch(file, mark, batch)
        if stretch is None:
            done.gone.append(str(file.path))
        else:
            done.stretches.append(stretch)
    done.models = sorted({row["model"] for row in batch.of("responses")})
    done.spool = {table: str(path) for table, path in batch.spool(Path(task.folder), task.name).items()}
    return done


def _to_plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))


def _from_plain(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)


_encode = msgspec.json.Encoder(enc_hook=_to_plain).encode
_decode_task = msgspec.json.Decoder(Task, dec_hook=_from_plain).decode
_decode_done = msgspec.json.Decoder(Done, dec_hook=_from_plain).decode


class _Worker:
    """One child process. `run` gives it a task and waits for the answer."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agnes_stats.ingest.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, task: Task) -> Done:
        """The answer to a task; EOFError if the process died."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(_encode(task) + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError as error:
            raise EOFError from error
        if not answer:
            raise EOFError
        return _decode_done(answer)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class Workers:
    """A few worker processes; a context manager. With `count` 0 the tasks run in this process instead."""

    def __init__(self, count: int) -> None:
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._all = [_Worker() for _ in range(count)]
        for worker in self._all:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(max(1, count), thread_name_prefix="ingest-worker")
        self._stopping = threading.Event()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for worker in self._all:
            worker.close()
        self._threads.shutdown(cancel_futures=True)

    def submit(self, task: Task) -> Future[Done]:
        """Run a task when a worker is free. A task whose worker died is done in this process."""
        return self._threads.submit(self._run, task)

    def _run(self, task: Task) -> Done:
        if not self._all:
            return run_task(task)
        worker = self._idle.get()
        try:
            return worker.run(task)
        except (EOFError, ValueError, OSError):
            return Done() if self._stopping.is_set() else run_task(task)
        finally:
            self._idle.put(worker)


def serve() -> None:
    """Answer tasks on standard input until it ends."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(_encode(run_task(_decode_task(line))) + b"\n")
        sys.stdout.buffer.flush()
