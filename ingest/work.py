"""Reading files into files of rows, here or in worker processes.

A worker is a child process that takes tasks on its standard input and answers on its standard output: a copy of a
command, or, where that may not be copied, a Python of its own. It ends when its input ends, so a program that is killed
leaves no process behind.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Protocol

import msgspec

from ..queries.plain_json import from_plain
from .batch import Batch
from .copies import can_be_copied, copied
from .done import Done, collected_later, decoded_done, encoded_done
from .formats import SOURCES, ReadResult, SourceBusy, SourceFile, Watermark, reason
from .formats.change import STRETCH
from .merged_batch import MergedBatch
from .model_names import models_of
from .row_files import write_apart
from .short_rows import ShortRows
from .text import kept

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .early import EarlyWorkers

REASON_CHARS = 300

TASK_BYTES, TASK_FILES = 12 * 1024 * 1024, 1000
"""About how much of the transcripts one task reads, in how many files at most."""


@dataclass(frozen=True, slots=True)
class WorkTask:
    """Files to read, each from its watermark on, into a file of rows `folder/name.rows`; without a folder into rows."""

    name: str
    folder: str | None
    files: Sequence[tuple[SourceFile, Watermark | None]]
    number: int | None = None
    """Another one for each task whose rows are loaded together; with one, responses are told in short."""


_MOST_TASKS = 2**31


def run_task(task: WorkTask) -> Done:
    """Read the files of a task. Files that are gone, or cannot be read, are told, not raised.

    Raises OSError where the rows cannot be written.
    """
    with collected_later():
        # Here, and not there, for its rows to be gone before Python looks for what leads back to itself.
        return _done(task)


def _done(task: WorkTask) -> Done:
    done, batch = _run(task)
    short = batch.short if isinstance(batch, MergedBatch) else None
    done.models = models_of([*batch.of("responses"), *(short.said if short is not None else ())])
    if task.folder is None:
        done.rows = batch.rows
    else:
        folder = Path(task.folder)
        tables = batch.encoded() | (short.encoded() if short is not None else {})
        done.rows_apart = write_apart(folder / f"{task.name}.rows", tables)
    return done


def _run(task: WorkTask) -> tuple[Done, Batch]:
    batch = _batch_for(task)
    try:
        done = _read(task.files, batch)
    except Exception:  # noqa: BLE001
        # A fault of a parser: the file that has it is found, and costs no other file anything.
        batch = _batch_for(task)
        done = _read_apart(task.files, batch)
    done.is_merged = isinstance(batch, MergedBatch)
    return done, batch


def _batch_for(task: WorkTask) -> Batch:
    # What comes to files that are known may be a few lines, which are merged as they are with what the store knows.
    if task.folder is not None and task.number is not None:
        return MergedBatch(short=ShortRows(task.number, _MOST_TASKS))
    is_much = task.folder is not None or any(watermark is None for _, watermark in task.files)
    return MergedBatch() if is_much else Batch()


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
        own = type(batch)()
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
        batch.extend(own)
    return done


_encode = encoded_done


class _Worker(Protocol):
    """One child process."""

    tasks: IO[bytes]
    answers: IO[bytes]

    def end(self) -> None:
        """End the process at once."""


class _StartedWorker:
    """A Python of its own."""

    def __init__(self) -> None:
        # Where workers are copies none is started; and they begin with what this module imports.
        import subprocess

        # -P: the folder that the user happens to be in is no place to import from.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "agnes_stats.ingest.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # The terminal is the dashboard's; a task that kills its worker is done, or explained, by the parent.
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self.tasks: IO[bytes] = self._process.stdin
        self.answers: IO[bytes] = self._process.stdout

    def end(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()


class _CopiedWorker:
    """A copy of this process. Raises OSError where there is none to be had."""

    def __init__(self) -> None:
        taken, given = os.pipe()
        told, answered = os.pipe()
        process = copied(lambda: serve_on(taken, answered))
        os.close(taken)
        os.close(answered)
        self.tasks: IO[bytes] = os.fdopen(given, "wb")
        self.answers: IO[bytes] = os.fdopen(told, "rb")
        if process is None:
            self.tasks.close()
            self.answers.close()
            raise ChildProcessError("no copy of this process can be made")
        self._process = process

    def end(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


class _EarlyWorker:
    """One that was made before anybody knew what there is to do; it ends when nobody can give it tasks."""

    def __init__(self, tasks: int, answers: int) -> None:
        self.tasks: IO[bytes] = os.fdopen(tasks, "wb")
        self.answers: IO[bytes] = os.fdopen(answers, "rb")

    def end(self) -> None:
        """End the process at once."""
        with contextlib.suppress(OSError):
            self.tasks.close()


def serve_on(tasks: int, answers: int, children: Sequence[int] = ()) -> None:
    """Be a worker on two pipes, and have nothing open but these: what this process has is let go of when it wants.

    `children`: processes that it made, which end when it does, and are waited for.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    # Neither of them is one of the first three, which this process has had from the start.
    for ours, theirs in ((0, tasks), (1, answers), (2, nothing)):
        os.dup2(theirs, ours)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    serve(children)


def _answer(worker: _Worker, task: WorkTask) -> Done:
    """What a worker answers to a task; EOFError if the process died."""
    try:
        worker.tasks.write(_encode(task) + b"\n")
        worker.tasks.flush()
        answer = worker.answers.readline()
    except (OSError, ValueError) as error:
        raise EOFError from error
    if not answer.endswith(b"\n"):
        raise EOFError
    return decoded_done(answer)


def _close(worker: _Worker) -> None:
    worker.end()
    with contextlib.suppress(OSError):
        worker.tasks.close()
    worker.answers.close()


class Workers:
    """A few worker processes; a context manager. With `count` 0 the tasks run in this process instead.

    `early`: so many that were made before.
    """

    def __init__(self, count: int, early: EarlyWorkers | None = None) -> None:
        # What only gives tasks to workers, and does not read, is imported beside these.
        from concurrent.futures import ThreadPoolExecutor

        self._early = early
        self._idle: SimpleQueue[_Worker | None] = SimpleQueue()
        self._all: list[_Worker] = []
        self._lock = threading.Lock()
        self._stopping = False
        self.count = count
        for tasks, answers in early.pipes if early is not None else ():
            worker = _EarlyWorker(tasks, answers)
            self._all.append(worker)
            self._idle.put(worker)
        for _ in range(max(1, count) - len(self._all)):
            self._idle.put(self._start(as_copy=can_be_copied()) if count else None)
        self._threads = ThreadPoolExecutor(max(1, count), thread_name_prefix="ingest-worker")

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopping = True
        for worker in self._all:
            _close(worker)
        if self._early is not None:
            self._early.wait()
        self._threads.shutdown(cancel_futures=True)

    def let_go(self) -> None:
        """Let the processes end, beside what else is done: there are no more tasks, and none is under way."""
        for worker in self._all:
            with contextlib.suppress(OSError):
                worker.tasks.close()

    def submit(self, task: WorkTask) -> Future[Done]:
        """Run a task when a worker is free. A task whose worker died is done in this process."""
        return self._threads.submit(self._run, task)

    def _start(self, *, as_copy: bool = False) -> _Worker | None:
        """A worker process; None where the system has none to spare, or we are about to end."""
        with self._lock:
            if self._stopping:
                return None
            try:
                worker: _Worker = _CopiedWorker() if as_copy else _StartedWorker()
            except OSError:
                return None
            self._all.append(worker)
            return worker

    def _run(self, task: WorkTask) -> Done:
        worker = self._idle.get()
        try:
            if worker is not None:
                return _answer(worker, task)
        except EOFError:
            worker = self._start()
        finally:
            self._idle.put(worker)
        return Done() if self._stopping else run_task(task)


def serve(children: Sequence[int] = ()) -> None:
    """Answer tasks on standard input until it ends, which is when the parent does, however it ends.

    `children`: processes that end then, too.
    """
    # Ctrl-C goes to everybody on the terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_take_tasks, args=(tasks, children), daemon=True).start()
    decode = msgspec.json.Decoder(WorkTask, dec_hook=from_plain).decode
    try:
        # Not `sys.stdout`: in a copy that may still hold what the other process was about to write.
        with open(1, "wb", closefd=False) as answers:
            while True:
                answers.write(_encode(run_task(decode(tasks.get()))) + b"\n")
                answers.flush()
    finally:
        # The parent does the task again and tells what is wrong. Python's own end would wait for the other thread.
        os._exit(1)


def _take_tasks(tasks: SimpleQueue[bytes], children: Sequence[int]) -> None:
    """Pass tasks on until there are no more; then nobody waits for the one that is under way, either."""
    with open(0, "rb", closefd=False) as told:
        for line in told:
            tasks.put(line)
    for child in children:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
    os._exit(0)
