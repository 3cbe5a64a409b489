"""Bringing the store up to date: find what changed, read it, load it."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..queries.store import Store
from . import upkeep
from .load import Load, load, marks
from .prices import PriceOverrides, rates_for
from .sources import ADAPTERS, Root, SourceFile
from .tail import Mark, is_unchanged, stat
from .work import TASK_BYTES, Done, Task, Workers, run_task

LOAD_BYTES = 64 * 1024 * 1024
"""About how much of the transcripts goes into one transaction of a backfill."""

LOAD_SECONDS = 2.0
"""A transaction is closed after this long, so that rows read early are seen early."""

WORKER_BYTES = 24 * 1024 * 1024
"""Less than this is read in this process: starting workers would take longer."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a catch-up is. Counts of files and bytes still to read at its start, and those done."""

    files: int = 0
    files_done: int = 0
    bytes: int = 0
    bytes_done: int = 0

    @property
    def ratio(self) -> float:
        """Done, from 0 to 1; 1 if there was nothing to do."""
        return self.bytes_done / self.bytes if self.bytes else 1.0


@dataclass(slots=True)
class Summary:
    """What a catch-up did."""

    files: int = 0
    bytes: int = 0
    gone: int = 0
    seconds: float = 0.0
    loads: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    file: SourceFile
    mark: Mark | None
    size: int
    mtime_ns: int

    @property
    def todo(self) -> int:
        same = self.mark is not None and self.mark.read_to <= self.size
        return self.size - self.mark.read_to if self.mark is not None and same else self.size


@dataclass(slots=True)
class Engine:
    """Keeps one store up to date from some roots. Not to be used by two threads at once."""

    store: Store
    roots: Sequence[Root]
    zones: Sequence[str] = ("UTC",)
    overrides: PriceOverrides = field(default_factory=PriceOverrides)
    workers: int = field(default_factory=lambda: min(4, os.cpu_count() or 1))
    between: Callable[[], None] = lambda: None
    """Called between the transactions of a long catch-up: whatever must not wait for its end."""
    stop: threading.Event = field(default_factory=threading.Event)
    _known_models: set[str] = field(default_factory=set)

    def catch_up(
        self, *, rebuild: bool = False, report: Callable[[Progress], None] = lambda _: None
    ) -> Summary:
        """Read all that is new, newest files first. `rebuild` reads everything on disk again.

        `report` is called from this thread after each transaction. Raises StoreError.
        """
        begun, summary = time.monotonic(), Summary()
        jobs = self._prepare(rebuild, summary)
        progress = Progress(files=len(jobs), bytes=sum(job.todo for job in jobs))
        report(progress)
        if jobs:
            with self._spool_folder() as folder:
                self._backfill(jobs, Path(folder), progress, report, summary)
        summary.seconds = time.monotonic() - begun
        return summary

    def ingest(self, files: Iterable[SourceFile]) -> Summary:
        """Read what is new in a few files that are known to have changed. Raises StoreError."""
        begun, summary = time.monotonic(), Summary()
        found = list(files)
        if not found:
            return summary
        with self.store.read() as connection:
            known = marks(connection, [str(file.path) for file in found])
        with self._spool_folder() as folder:
            work = [(file, known.get(str(file.path))) for file in found]
            number = 0
            while work and not self.stop.is_set():
                done = run_task(Task(str(number), folder, work))
                self._load([done], summary)
                work = [(stretch.file, stretch.mark) for stretch in done.stretches if stretch.more]
                number += 1
        summary.seconds = time.monotonic() - begun
        return summary

    def recognise(self, path: Path) -> SourceFile | None:
        """The source file at a path, if it is one of our roots'."""
        for root in self.roots:
            if path.is_relative_to(root.path):
                file = ADAPTERS[root.kind].recognise(root.path, path)
                if file is not None:
                    return file
        return None

    # -- planning ------------------------------------------------------------------------------------------------

    def _prepare(self, rebuild: bool, summary: Summary) -> list[_Job]:
        """Everything to read, newest first; along the way the store learns of new and of vanished files."""
        listed = {
            str(file.path): file for root in self.roots for file in ADAPTERS[root.kind].discover(root.path)
        }
        with self.store.read() as connection:
            known = marks(connection)
            listed_before = upkeep.listed_files(connection)
            stale = upkeep.is_stale(connection, self.zones, self.overrides)
            self._known_models = upkeep.known_models(connection)
        jobs = []
        for path, file in listed.items():
            status = stat(file.path)
            if status is None:
                continue
            mark = known.get(path)
            if rebuild or not is_unchanged(mark, status, ADAPTERS[file.kind].version):
                jobs.append(_Job(file, None if rebuild else mark, status.st_size, status.st_mtime_ns))
        roots = {str(root.path) for root in self.roots if root.path.is_dir()}
        gone = [path for path, root in listed_before.items() if path not in listed and root in roots]
        new = [job for job in jobs if str(job.file.path) not in listed_before]
        summary.gone = len(gone)
        if stale or gone or len(new) > 1:
            with self.store.write() as connection:
                upkeep.refresh(connection, self.zones, self.overrides)
                upkeep.mark_gone(connection, gone)
                upkeep.mark_pending(connection, [(job.file, job.size, job.mtime_ns) for job in new])
        return sorted(jobs, key=lambda job: job.mtime_ns, reverse=True)

    def _tasks(self, jobs: Sequence[_Job], folder: Path) -> Iterator[tuple[Task, list[_Job]]]:
        group: list[_Job] = []
        size = number = 0
        for job in jobs:
            group.append(job)
            size += job.todo
            if size >= TASK_BYTES:
                yield self._task(number, folder, group), group
                group, size, number = [], 0, number + 1
        if group:
            yield self._task(number, folder, group), group

    @staticmethod
    def _task(number: int, folder: Path, group: Sequence[_Job]) -> Task:
        return Task(f"t{number}", str(folder), [(job.file, job.mark) for job in group])

    # -- reading and loading -------------------------------------------------------------------------------------

    def _backfill(
        self,
        jobs: Sequence[_Job],
        folder: Path,
        progress: Progress,
        report: Callable[[Progress], None],
        summary: Summary,
    ) -> None:
        many = progress.bytes > WORKER_BYTES
        with Workers(self.workers if many else 0) as workers:
            tasks = self._tasks(jobs, folder)
            running: dict[Future[Done], int] = {}
            ready: list[Done] = []
            read, since, number = 0, time.monotonic(), 0
            while not self.stop.is_set():
                while len(running) < self.workers + 1 and (following := next(tasks, None)) is not None:
                    running[workers.submit(following[0])] = sum(job.todo for job in following[1])
                if not running and not ready:
                    break
                for future in wait(running, timeout=0.2, return_when=FIRST_COMPLETED).done if running else ():
                    read += running.pop(future)
                    done = future.result()
                    ready.append(done)
                    rest = [(stretch.file, stretch.mark) for stretch in done.stretches if stretch.more]
                    if rest:
                        number += 1
                        running[workers.submit(Task(f"m{number}", str(folder), rest))] = 0
                if ready and (not running or read >= LOAD_BYTES or time.monotonic() - since > LOAD_SECONDS):
                    self._load(ready, summary)
                    progress = replace(
                        progress,
                        files_done=progress.files_done
                        + sum(len(done.stretches) + len(done.gone) for done in ready),
                        bytes_done=min(progress.bytes, progress.bytes_done + read),
                    )
                    report(progress)
                    ready, read, since = [], 0, time.monotonic()
                    self.between()

    def _load(self, ready: Sequence[Done], summary: Summary) -> None:
        work, upgraded = Load(), False
        for done in ready:
            work.add({table: Path(path) for table, path in done.spool.items()})
            work.stretches += done.stretches
            work.gone += [Path(path) for path in done.gone]
        models = {model for done in ready for model in done.models} - self._known_models
        if models:
            work.rates = rates_for(models, self.overrides)
            windows = {rate.model: rate.context_window for rate in work.rates}
            work.priced_models = {model: windows.get(model) for model in models}
        with self.store.write() as connection:
            upgraded = upkeep.is_upgrade(connection, work.stretches)
            load(connection, work, purge=upgraded)
        self._known_models |= models
        for paths in work.spool.values():
            for path in paths:
                path.unlink(missing_ok=True)
        summary.loads += 1
        summary.files += len(work.stretches)
        summary.bytes += sum(stretch.bytes_read for stretch in work.stretches)

    def _spool_folder(self) -> tempfile.TemporaryDirectory[str]:
        parent = self.store.path.parent
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        clear_spools(parent)
        return tempfile.TemporaryDirectory(
            prefix=f"{_SPOOL}{os.getpid()}-", dir=parent, ignore_cleanup_errors=True
        )


_SPOOL = ".agnes-stats-spool-"


def clear_spools(folder: Path) -> None:
    """Remove what killed processes left behind."""
    for left in folder.glob(f"{_SPOOL}*"):
        pid = left.name.removeprefix(_SPOOL).split("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
