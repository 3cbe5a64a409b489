"""A long catch-up: many files, shared out to worker processes, loaded in transactions of a second or two."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.store import explained
from .copies import can_be_copied, processors
from .done import Done
from .plan import Job
from .progress import IngestSummary, Progress
from .ready import make_ready
from .work import TASK_BYTES, TASK_FILES, Workers, WorkTask

if TYPE_CHECKING:
    from .early import EarlyWorkers
    from .engine import Engine

LOAD_BYTES, LOAD_FILES = 1024 * 1024 * 1024, 4000
"""About how much of the transcripts goes into one transaction. Each costs 0.4 s, however little is in it, and memory
for what is: with this all processes together have 300 MiB."""

LAST_BYTES = 64 * 1024 * 1024
"""What is read is loaded while the last half as much is still read, if that is no less than this: at the end nothing is
done beside the last transaction. Only where a processor is left for that: else those that read wait for as long."""

LEAST_BYTES = 2 * 1024 * 1024
"""About how much a task reads at the least."""

QUEUED_BYTES = 256 * 1024 * 1024
"""About how much is with the workers, so that none of them waits while a transaction is under way."""

LOAD_SECONDS, UNSEEN_SECONDS = 2.0, 10.0
"""A transaction is begun after this long, so that rows read early are seen early; and where nobody looks on while they
are read."""

BREATH_SECONDS = 0.05
"""How long the store is left to others between two transactions, while something is read; they try every 4 to 20 ms."""

STALLED_SECONDS = 3.0
"""Another program that reads the same files is let do so until the store has not changed for this long."""


class Backfill:
    """Reads and loads some jobs in the order given. Made for one `run`."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        jobs: Sequence[Job],
        report: Callable[[Progress], None],
        summary: IngestSummary,
        *,
        workers: int,
        alone: bool,
        early: EarlyWorkers | None = None,
    ) -> None:
        """`workers`: processes, 0 for none, of which `early` ones are there, perhaps more.

        `alone`: everything is to be read, whatever other programs have read.
        """
        self._engine = engine
        self._folder = folder
        self._waiting = deque(jobs)
        self._report = report
        self._summary = summary
        self._early = early
        self._workers = max(workers, len(early.pipes)) if early is not None else workers
        self._alone = alone
        self._running: dict[Future[Done], list[Job]] = {}
        self._queued = 0
        """Bytes of what is running."""
        self._ready: list[tuple[Done, list[Job]]] = []
        self._left = {job.path: job for job in jobs}
        """Not in the store yet."""
        self._files = len(jobs)
        self._bytes = sum(job.todo for job in jobs)
        self._unshared = self._bytes
        """Bytes of what waits."""
        self._read = 0
        self._since = time.monotonic()
        self._number = 0
        self._seen = engine.store.stamp()

    def run(self, prepare: Callable[[], Sequence[Job]] | None = None) -> None:
        """Do all of it, or as much as there is until the engine is stopped. Raises StoreError.

        `prepare`: makes the store ready, while the first files are read, and tells what is still to be done.
        """
        engine = self._engine
        if self._early is None and self._workers and can_be_copied():
            make_ready(job.file for job in self._waiting)
        with Workers(self._workers, self._early) as workers:
            if prepare is not None:
                self._hand_out(workers)
                still = prepare()
                if engine.stop.is_set():
                    return
                self._seen = engine.store.stamp()
                self._drop_others(still)
            while not engine.stop.is_set():
                self._hand_out(workers)
                if not self._running and not self._ready:
                    return
                self._collect(workers)
                if not (self._running or self._waiting):
                    workers.let_go()
                if self._is_due():
                    self._load()
                    engine.breathe()
                    if self._waiting or not all(future.done() for future in self._running):
                        engine.stop.wait(BREATH_SECONDS)

    def _hand_out(self, workers: Workers) -> None:
        while self._waiting and (len(self._running) <= self._workers or self._has_room):
            group: list[Job] = []
            size, most = 0, self._task_bytes
            while self._waiting and size < most and len(group) < TASK_FILES:
                group.append(self._waiting.popleft())
                size += group[-1].todo
            self._unshared -= size
            self._submit(workers, group)

    @property
    def _task_bytes(self) -> int:
        """How much the next task should read: towards the end less, so that no worker waits long for another."""
        fair = self._unshared // (2 * self._workers) if self._workers else TASK_BYTES
        return min(TASK_BYTES, max(LEAST_BYTES, fair))

    @property
    def _has_room(self) -> bool:
        return self._workers > 0 and self._queued < QUEUED_BYTES

    def _submit(self, workers: Workers, group: list[Job]) -> None:
        self._number += 1
        files = [(job.file, job.watermark) for job in group]
        task = WorkTask(f"t{self._number}", str(self._folder), files, self._number)
        self._running[workers.submit(task)] = group
        self._queued += sum(job.todo for job in group)

    def _collect(self, workers: Workers) -> None:
        """Take what is finished; the rest of huge files goes on at once, before anything else."""
        for future in wait(self._running, timeout=0.1, return_when=FIRST_COMPLETED).done if self._running else ():
            group = self._running.pop(future)
            self._queued -= sum(job.todo for job in group)
            try:
                done = future.result()
            except OSError as error:
                raise explained(self._engine.store.path, error, opening=False) from error
            if not any(job.path in self._left for job in group):
                continue
            self._ready.append((done, group))
            self._read += sum(result.bytes_read for result in done.results)
            more = {str(result.file.path): result.watermark for result in done.results if result.more}
            if more:
                self._submit(workers, [job.since(more[job.path]) for job in group if job.path in more])

    def _is_due(self) -> bool:
        if not self._ready:
            return False
        patience = LOAD_SECONDS if self._engine.is_heard else UNSEEN_SECONDS
        late = time.monotonic() - self._since > patience
        many = self._read >= LOAD_BYTES or sum(len(group) for _, group in self._ready) >= LOAD_FILES
        nearly = self._workers < processors() and LAST_BYTES <= self._queued + self._unshared <= self._read / 2
        return late or many or nearly or not (self._running or self._waiting)

    def _load(self) -> None:
        if not self._alone and self._engine.store.stamp() not in (self._seen, self._engine.left_at()):
            self._see_others()
        ready, self._ready = self._ready, []
        if ready:
            self._engine.load([done for done, _ in ready], self._summary)
        self._seen = self._engine.store.stamp()
        for done, group in ready:
            unfinished = {str(result.file.path): result.watermark for result in done.results if result.more}
            for job in group:
                self._left.pop(job.path, None)
                if job.path in unfinished:
                    self._left[job.path] = job.since(unfinished[job.path])
        self._read, self._since = 0, time.monotonic()
        self._tell()

    def _tell(self) -> None:
        left = sum(job.todo for job in self._left.values())
        self._report(Progress(self._files, self._files - len(self._left), self._bytes, max(0, self._bytes - left)))

    # -- other programs at the same work -------------------------------------------------------------------------

    def _see_others(self) -> None:
        """Drop what another program has read meanwhile; if it reads what we read, let it do the rest while it does."""
        read = {job.path for _, group in self._ready for job in group}
        dropped = self._drop_settled()
        if not dropped & read:
            return
        while dropped and self._left and not self._engine.stop.is_set():
            self._tell()
            give_up = time.monotonic() + STALLED_SECONDS
            while self._engine.store.stamp() == self._seen and time.monotonic() < give_up:
                if self._engine.stop.wait(0.1):
                    return
            dropped = self._drop_settled()

    def _drop_settled(self) -> set[str]:
        """Forget the jobs that the store says are done; their paths."""
        self._seen = self._engine.store.stamp()
        return self._drop_others(self._engine.still_to_do(list(self._left.values())))

    def _drop_others(self, jobs: Sequence[Job]) -> set[str]:
        """Forget all but these jobs; the paths of the others."""
        still = {job.path for job in jobs}
        dropped = self._left.keys() - still
        for path in dropped:
            del self._left[path]
        self._summary.others += len(dropped)
        self._waiting = deque(job for job in self._waiting if job.path in still)
        self._unshared = sum(job.todo for job in self._waiting)
        self._ready = [(done, group) for done, group in self._ready if any(job.path in still for job in group)]
        return dropped
