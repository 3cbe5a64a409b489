"""Bringing the store up to date: find what changed, read it, load it.

Several programs may do so at once. What one has read the others find read: before it writes, each looks whether the
marks it set out from still hold. Short work leaves the store alone for a moment after somebody else's write, so that
many small writers together keep it closed, and open for others, most of the time.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..queries.store import (
    Stamp,
    Store,
    StoreChanged,
    StoreDamaged,
    StoreError,
    StoreInterrupted,
    TouchedByWrite,
    explained,
)
from ..queries.store.gate import chance
from ..queries.store.scratch import clear, scratch
from . import early
from .copies import can_be_copied, processors, usual_processes
from .formats import SOURCES, ReadResult, Root, SourceFile, Watermark, file_at
from .plan import Job, Plan, by_its_usual_name, job_for, plan
from .prices import PriceOverrides, rates_for
from .progress import IngestSummary, Progress
from .walk import walk
from .watermarks import KnownFile, is_stale, known_files, known_models, paths_by_identity, watermarks

# What reads and loads is imported where there is something to read: most runs find nothing new.
if TYPE_CHECKING:
    from ..queries.store import Reader, Writer
    from ..queries.store.file import WriterAhead
    from .done import Done
    from .incoming import Load
    from .usage_pass import Unread
    from .usage_reading import UsageReading
    from .work import WorkTask

__all__ = ["Engine", "IngestSummary", "Progress"]

WORKER_BYTES, WORKER_FILES = 24 * 1024 * 1024, 2000
"""Less than this is read in this process: starting workers would take longer."""

COPY_BYTES = 8 * 1024 * 1024
"""The same where they are copies of this process, which are there at once."""

MUCH_BYTES = 16 * 1024 * 1024
"""What is told by as much of the transcripts as this is written into the store's file at once, and not into its log."""

REST_FACTOR = 3.0
"""The store is left alone for this many times as long as the last write took: others find it free in three of four."""

REST_SECONDS = (0.5, 3.0)
"""The shortest and the longest rest."""

USUAL_REST_SECONDS = 1.2
"""The rest of whoever has not written yet. Longer than the usual one of a running ingester, so that a command that
comes in between leaves the writing to it and finds its files read."""

OWN_WATERMARKS = 1000
"""Watermarks kept in memory."""

KNOWN_FILES = 20_000
"""Files that the store knows, kept in memory between two sweeps; of more it is asked each time."""

ORPHANED_SECONDS = 10.0
"""Nobody holds the store open for writing as long as this without a commit."""

YIELDS = 3
"""How often short work gives way to other writers before it insists."""


class Begun(NamedTuple):
    """Files that are being read for what responses took, before anybody knows whether the store has them."""

    jobs: list[Job]
    reading: UsageReading


class EngineListener(Protocol):
    """Who hears of an engine's work while it is done, in its thread."""

    def between_transactions(self) -> None:
        """A transaction of a long catch-up is over, others are to come: do what must not wait for its end."""

    def files_written(self, files: int) -> None:
        """A transaction of so many files read is committed, and the store is still open."""


@dataclass(slots=True)
class Engine:
    """Keeps one store up to date from some roots. Not to be used by two threads at once."""

    store: Store
    roots: Sequence[Root]
    zones: Sequence[str] = ("UTC",)
    overrides: PriceOverrides = field(default_factory=PriceOverrides)
    workers: int = field(default_factory=usual_processes)
    stop: threading.Event = field(default_factory=threading.Event)
    rest_seconds: float = USUAL_REST_SECONDS
    """How long the store should be left alone after a write."""
    own_stamp: Stamp = ()
    """The store as our last write left it; `left_at` knows better if it was still open then."""
    _own_write: int | None = None
    """Our last write, as long as the file has not been closed after it."""
    _own_watermarks: dict[str, Watermark] = field(default_factory=dict)
    """Watermarks as our own writes left them: as long as nobody else writes they need not be read from the store."""
    _known: dict[str, KnownFile] = field(default_factory=dict)
    _known_models: set[str] = field(default_factory=set)
    _learnt_at: Stamp | None = None
    """The store when we learnt what it knows of files and models."""
    _folders: set[str] = field(default_factory=set)
    _unread: set[str] = field(default_factory=set)
    """Files that a load wants read again."""
    _listener: EngineListener | None = None

    def listen(self, listener: EngineListener) -> None:
        """Let somebody who keeps running hear of the work, and rest as such a one does. ValueError if one does."""
        if self._listener is not None:
            raise ValueError("somebody listens to this engine already")
        self._listener = listener
        self.rest_seconds = REST_SECONDS[0]

    @property
    def is_heard(self) -> bool:
        """Whether somebody listens, and shows what comes."""
        return self._listener is not None

    def breathe(self) -> None:
        """Called between the transactions of a long catch-up."""
        if self._listener is not None:
            self._listener.between_transactions()

    def catch_up(
        self, *, rebuild: bool = False, recalls: bool = False, report: Callable[[Progress], None] = lambda _: None
    ) -> IngestSummary:
        """Read all that is new, newest files first; returns early, with what is done so far, once `stop` is set.

        `rebuild` reads everything on disk again, and what was forgotten if it `recalls` that; a damaged store is set
        aside and what can be read of it taken over. `report` is called after each transaction. Raises StoreError.
        """
        begun, summary = time.monotonic(), IngestSummary()
        try:
            try:
                self._catch_up(summary, report, rebuild, recalls)
            except StoreDamaged:
                if not rebuild:
                    raise
                if aside := self.store.set_aside():
                    summary = IngestSummary(set_aside=aside.path, salvaged=aside.rows)
                self._catch_up(summary, report, rebuild, recalls)
            while self._unread and not self.stop.is_set():
                self._unread.clear()
                self._catch_up(summary, report)
        except StoreInterrupted:
            if not self.stop.is_set():
                raise
        summary.seconds = time.monotonic() - begun
        return summary

    def ingest(self, files: Iterable[SourceFile]) -> IngestSummary:
        """Read what is new in a few files that are known to have changed. Raises StoreError."""
        begun, summary = time.monotonic(), IngestSummary()
        if not (found := {str(file.path): file for file in files}):
            return summary
        stamp = self.store.stamp()
        if stamp == self.left_at() and found.keys() <= self._own_watermarks.keys():
            known = self._own_watermarks
        else:
            with self.store.read(unless=self.stop) as connection:
                known = watermarks(connection, list(found))
                found = self._by_usual_names(connection, found, known)
                known |= watermarks(connection, [path for path in found if path not in known])
        jobs = [job for path, file in found.items() if (job := job_for(file, known.get(path))) is not None]
        summary.others = len(found) - len(jobs)
        try:
            self._read_few(jobs, stamp, summary, lambda _: None)
        except StoreInterrupted:
            if not self.stop.is_set():
                raise
        unread = [self.recognise(Path(path)) for path in self._unread]
        if unread and not self.stop.is_set():
            self._unread.clear()
            summary.add(self.ingest(file for file in unread if file is not None))
        summary.seconds = time.monotonic() - begun
        return summary

    def look(self) -> Plan:
        """What there is to do now, without doing it. Raises StoreError."""
        with self.store.read(unless=self.stop) as connection:
            known = known_files(connection)
        return plan(self.roots, known, self.stop)

    def has_news(self, connection: Reader) -> bool:
        """Whether `catch_up` would find anything to do. If not, the caller can go on with the same connection."""
        clear(self.store.path.parent)
        if self._has_orphan() or is_stale(connection, self.zones, self.overrides):
            return True
        return not plan(self.roots, known_files(connection), self.stop).is_empty

    def begin(self, whole: contextlib.ExitStack, *, with_sessions: bool) -> Begun | None:
        """Begin to read what responses took for a store that is not there yet; None if it is, or there is little.

        That goes on in other processes while DuckDB is started, and ends with `whole`. `with_sessions` as for `tell`.
        """
        if not self.store.is_file or self.store.identity() is not None:
            return None
        jobs = plan(self.roots, {}, self.stop).jobs
        from . import usage_reading

        if not usage_reading.is_worth_it(jobs):
            return None
        try:
            folder = whole.enter_context(scratch(self.store.path))
        except StoreError:
            # Who makes the store tells what is wrong.
            return None
        reading = usage_reading.UsageReading(
            jobs, folder, self.workers, with_sessions=with_sessions, early=early.take(early.EarlyCopies)
        )
        return Begun(jobs, whole.enter_context(reading))

    def ahead_of_nothing(self, whole: contextlib.ExitStack, begun: Begun) -> Unread | None:
        """What can be told of tokens where there is no store, which need not be made for that; None if there is by now.

        It may be told as long as `whole` lasts. Raises StoreError.
        """
        if self.store.identity() is not None:
            return None
        from . import usage_pass

        few = self.store.begins_with_nothing()
        tables = whole.enter_context(self.store.new_in_memory(usage_pass.FEW if few else None))
        return replace(self._told_ahead(tables, begun.jobs, begun.reading), has_few=few)

    def _told_ahead(self, tables: Writer, jobs: Sequence[Job], begun: UsageReading | None) -> Unread:
        from .usage_pass import Unread

        return Unread(tables, jobs, self.store.path, self.zones, self.overrides, self.workers, self.recognise, begun)

    def ahead(self, connection: Reader, whole: contextlib.ExitStack, begun: Begun | None = None) -> Unread | None:
        """What can be told of tokens before the store is full; None where to fill it first takes no longer.

        It may be told as long as `whole` lasts, also when the store is not held any more.
        """
        known_to_store = known_files(connection)
        if begun is not None and not known_to_store:
            jobs, reading = begun
        else:
            jobs, reading = plan(self.roots, known_to_store, self.stop).jobs, None
            if begun is not None:
                begun.reading.end()
        from . import usage_pass, usage_reading

        if not usage_reading.is_worth_it(jobs) or not usage_pass.can_be_told(connection):
            return None
        known = watermarks(connection, [job.path for job in jobs])
        left = [job.since(known.get(job.path)) for job in jobs]
        tables = whole.enter_context(self.store.in_memory(usage_pass.COPIED))
        return self._told_ahead(tables, left, reading if left == jobs else None)

    def recognise(self, path: Path) -> SourceFile | None:
        """The source file at a path, if it is one of our roots'."""
        for root in self.roots:
            # Some watchers tell paths without the links that lead to them.
            for base in {root.path, root.path.resolve()}:
                if path.is_relative_to(base):
                    file = file_at(root, root.path / path.relative_to(base))
                    if file is not None:
                        return file
        return None

    def below(self, folder: Path) -> list[SourceFile]:
        """The source files below a folder."""
        return [file for entry in walk(folder, is_root=False) if (file := self.recognise(Path(entry.path))) is not None]

    def is_folder_of_files(self, path: Path) -> bool:
        """Whether source files were below a path when all were last listed."""
        below = f"{path}{os.sep}"
        return any(folder == str(path) or folder.startswith(below) for folder in self._folders)

    # -- planning ------------------------------------------------------------------------------------------------

    def _catch_up(
        self, summary: IngestSummary, report: Callable[[Progress], None], rebuild: bool = False, recalls: bool = False
    ) -> None:
        clear(self.store.path.parent)
        if rebuild:
            from ..queries.store.database import verify

            with self.store.read(unless=self.stop) as connection:
                verify(connection)
        if recalls:
            from .forget import recall

            recall(self.store)
        if not rebuild and self._may_read_first:
            made = plan(self.roots, {}, self.stop)
            if _is_much(made.jobs):
                self._fill(made, summary, report)
                return
        # What is there to read it all would do nothing.
        early.end()
        stamp = self.store.stamp()
        jobs = self._prepare(rebuild, summary)
        report(Progress(files=len(jobs), bytes=sum(job.todo for job in jobs)))
        much = _is_much(jobs)
        if jobs and (rebuild or much):
            from .backfill import Backfill

            with scratch(self.store.path) as folder:
                workers = self.workers if much else 0
                Backfill(self, folder, jobs, report, summary, workers=workers, alone=rebuild).run()
        elif jobs:
            self._read_few(jobs, stamp, summary, report)

    @property
    def _may_read_first(self) -> bool:
        """Whether there is no store yet, so that all there is to read is known, and workers are there at once."""
        return self.store.is_file and self.store.identity() is None and can_be_copied()

    def _fill(self, made: Plan, summary: IngestSummary, report: Callable[[Progress], None]) -> None:
        """Read much into a store that is not there yet: it is made, and what loads is imported, while workers read."""
        from .backfill import Backfill

        def prepare() -> list[Job]:
            jobs = self._prepare_nothing(made, summary)
            import_module(f"{__package__}.reading_ahead")
            return jobs

        report(Progress(files=len(made.jobs), bytes=sum(job.todo for job in made.jobs)))
        with scratch(self.store.path) as folder:
            readers = early.take(early.EarlyWorkers)
            filling = Backfill(
                self, folder, made.jobs, report, summary, workers=self.workers, alone=False, early=readers
            )
            filling.run(prepare)

    def _has_orphan(self) -> bool:
        """Whether there is the log of a writer that was killed. It costs every reader time; a writer takes it in."""
        return self.store.log_path.exists() and self.store.idle_seconds() > ORPHANED_SECONDS

    def _prepare(self, rebuild: bool, summary: IngestSummary) -> list[Job]:
        """Everything to read, newest first; along the way the store learns of new and of vanished files."""
        stale = self._learn()
        made = plan(self.roots, self._known, self.stop, everything=rebuild)
        if self._learnt_at is None:
            self._known = {}
        if self.stop.is_set():
            return []
        self._folders = made.folders
        summary.gone = len(made.gone)
        if stale or made.has_notes or self._has_orphan() or self._new_in(made):
            with self.store.write(unless=self.stop) as connection:
                self._tell_store(connection, made)
            self.note_own_write()
        return made.jobs if rebuild else self.still_to_do(made.jobs)

    def _prepare_nothing(self, made: Plan, summary: IngestSummary) -> list[Job]:
        """The same where there is no store: it is made, and is told in one go what there is to do, as `made` says."""
        with self.store.write(unless=self.stop) as connection:
            # Another program may have made it meanwhile.
            is_new = not known_files(connection)
            if is_new:
                self._known, self._known_models, self._learnt_at = {}, known_models(connection), None
                self._folders = made.folders
                self._tell_store(connection, made)
        if not is_new:
            return self._prepare(False, summary)
        self.note_own_write()
        return made.jobs

    def _tell_store(self, connection: Writer, made: Plan) -> None:
        """Let the store learn of new and of vanished files, and bring it up to date where it is stale."""
        from . import upkeep

        upkeep.refresh(self.store, connection, self.zones, self.overrides)
        upkeep.mark_gone(connection, made.gone)
        upkeep.mark_back(connection, made.back)
        upkeep.mark_hidden(connection, made.hidden)
        upkeep.mark_left_out(connection, made.left_out)
        upkeep.mark_pending(connection, [(job.file, job.size, job.mtime_ns) for job in self._new_in(made)])

    @staticmethod
    def _new_in(made: Plan) -> list[Job]:
        """The files that are listed before they are read: those that the store does not know, if there is much."""
        return [job for job in made.jobs if job.is_new] if _is_much(made.jobs) else []

    def _learn(self) -> bool:
        """Learn what the store knows, unless nobody wrote since last time; whether it has to be refreshed."""
        if (stamp := self.store.stamp()) == self._learnt_at:
            return False
        with self.store.read(unless=self.stop) as connection:
            self._known = known_files(connection)
            self._known_models = known_models(connection)
            stale = is_stale(connection, self.zones, self.overrides)
        self._learnt_at = None if stale or len(self._known) > KNOWN_FILES else stamp
        return stale

    def still_to_do(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs that are still to be done, each from where the store says the file is read to by now."""
        known = self._watermarks_of([job.path for job in jobs])
        fresh = [job.since(known.get(job.path)) for job in jobs]
        return [job for job in fresh if not job.is_settled]

    @staticmethod
    def _by_usual_names(
        connection: Reader, files: Mapping[str, SourceFile], known: Mapping[str, Watermark]
    ) -> dict[str, SourceFile]:
        """The files, those with a new name by the name they are known by."""
        identities = {}
        for path, file in files.items():
            if path not in known:
                with contextlib.suppress(OSError):
                    identities[path] = SOURCES[file.kind].fingerprint(file.path).identity
        usual = paths_by_identity(connection, identities.values())
        named = {}
        for path, file in files.items():
            identity = identities.get(path)
            other = by_its_usual_name(file, usual.get(identity), identity) if identity else None
            named[path if other is None else str(other.path)] = other or file
        return named

    def _watermarks_of(self, paths: Sequence[str]) -> Mapping[str, Watermark]:
        if not paths:
            return {}
        with self.store.read(unless=self.stop) as connection:
            return watermarks(connection, paths)

    # -- short work ----------------------------------------------------------------------------------------------

    def _read_few(
        self, jobs: list[Job], stamp: Stamp, summary: IngestSummary, report: Callable[[Progress], None]
    ) -> None:
        """Read a little in this process. Others may be doing the same: what they have read is not read again.

        `stamp` is of the store that the jobs' marks come from.
        """
        from .work import WorkTask

        progress = Progress(files=len(jobs), bytes=sum(job.todo for job in jobs))
        yielded = number = 0
        while jobs and not self.stop.is_set():
            self._rest()
            if self.store.stamp() not in (stamp, self.left_at()):
                stamp = self.store.stamp()
                before, jobs = len(jobs), self.still_to_do(jobs)
                summary.others += before - len(jobs)
                continue
            number += 1
            done = self.run(WorkTask(str(number), None, [(job.file, job.watermark) for job in jobs]))
            insist = yielded >= YIELDS
            if not self._load_in_turn(done, stamp, summary, insist=insist):
                yielded += 1
                continue
            more = {str(result.file.path): result.watermark for result in done.results if result.more}
            jobs = [job.since(more[job.path]) for job in jobs if job.path in more]
        report(Progress(progress.files, progress.files, progress.bytes, progress.bytes))

    def _rest(self) -> None:
        """Leave the store alone for a moment after another program wrote to it."""
        give_up = time.monotonic() + REST_SECONDS[1]
        while time.monotonic() < give_up and not self.stop.is_set() and self.store.stamp() != self.left_at():
            left = self.rest_seconds - self.store.idle_seconds()
            if left <= 0:
                return
            # At random, so that of several who wait one is first and does the work of all.
            self.stop.wait(left + 0.5 * self.rest_seconds * chance())

    def _load_in_turn(self, done: Done, stamp: Stamp, summary: IngestSummary, *, insist: bool) -> bool:
        """Load unless somebody else wrote meanwhile; whether it is loaded. `insist`: load in any case."""
        with contextlib.suppress(StoreChanged):
            self.load([done], summary, only_at=None if insist else (stamp, self.left_at()))
            return True
        return False

    # -- reading and loading -------------------------------------------------------------------------------------

    def run(self, task: WorkTask) -> Done:
        """Run a task in this process. Raises StoreFull, StoreReadOnly where its rows cannot be written."""
        from .work import run_task

        try:
            return run_task(task)
        except OSError as error:
            raise explained(self.store.path, error, opening=False) from error

    def load(self, ready: Sequence[Done], summary: IngestSummary, *, only_at: Collection[Stamp] | None = None) -> None:
        """Bring what was read into the store, in one transaction; nothing is written if it changes nothing.

        Raises StoreError, and StoreChanged if the store is at none of the stamps `only_at`, if given.
        """
        from .incoming import Load

        work = Load()
        for done in ready:
            if done.is_news:
                for table, rows in done.rows.items():
                    work.rows.setdefault(table, []).extend(rows)
                if done.rows_apart is not None:
                    work.apart.append(done.rows_apart)
                work.is_merged = done.is_merged
                work.results += done.results
                work.gone += [Path(path) for path in done.gone]
        if work.results or work.gone:
            summary.loads += 1
            self._write(work, {model for done in ready for model in done.models}, only_at)
        apart = [Path(done.rows_apart.path) for done in ready if done.rows_apart is not None]
        for path in (*apart, *work.made):
            path.unlink(missing_ok=True)
        summary.files += sum(not result.more for result in work.results)
        summary.bytes += sum(result.bytes_read for result in work.results)

    def _write(self, work: Load, models: set[str], only_at: Collection[Stamp] | None) -> None:
        from . import forget, upkeep

        self._price(work, models)
        touched = TouchedByWrite()
        with (
            self._read_ahead(work) as ahead,
            self.store.write(unless=self.stop, only_at=only_at, touched=touched, ahead=ahead) as connection,
        ):
            begun = time.monotonic()
            if ahead is None or connection is not ahead.writer:
                work.ahead.clear()
                work.forget_merged()
            if not (was_ours := self.store.stamp() == self.left_at()):
                work.forget_merged()
                # It may be another store, in the place of the one that we know.
                self._known_models &= known_models(connection)
                self._price(work, models)
                if is_stale(connection, self.zones, self.overrides):
                    upkeep.refresh(self.store, connection, self.zones, self.overrides)
            self._unread |= set(self._load(connection, work))
            if not work.nothing_is_forgotten:
                forget.enforce(connection)
            elif was_ours:
                touched.sessions = work.touched
            write, took = self.store.write_number(), time.monotonic() - begun
            if self._listener is not None:
                self._listener.files_written(len(work.results) + len(work.gone))
        self._known_models |= models
        self.note_own_write(work.results if was_ours and not work.gone else (), write=write)
        self.rest_seconds = min(max(took * REST_FACTOR, REST_SECONDS[0]), REST_SECONDS[1])

    @contextlib.contextmanager
    def _read_ahead(self, work: Load) -> Iterator[WriterAhead | None]:
        """Read what is in files before others have to wait for us: a quarter of the time that a large load takes."""
        if not work.apart:
            yield None
            return
        from .reading_ahead import read_ahead

        with self.store.ahead() as ahead, contextlib.ExitStack() as stack:
            if ahead is not None:
                is_much = sum(result.bytes_read for result in work.results) >= MUCH_BYTES
                stack.enter_context(ahead.writer.in_one_thread(writes_much=is_much))
                # Else processors have other things to do, or what is read has to be copied.
                together = not (self.is_heard or self._known_models) and processors() > 1
                try:
                    stack.enter_context(read_ahead(ahead, work, self.zones if together else None))
                except OSError as error:
                    raise explained(self.store.path, error, opening=False) from error
            yield ahead

    def _load(self, connection: Writer, work: Load) -> list[str]:
        from .load import load

        with contextlib.ExitStack() as stack:
            work.spool = lambda: stack.enter_context(scratch(self.store.path))
            try:
                return load(connection, work)
            except OSError as error:
                raise explained(self.store.path, error, opening=False) from error

    def _price(self, work: Load, models: set[str]) -> None:
        """Look up the prices of models that the store does not know."""
        new = models - self._known_models
        if new != work.priced_models.keys():
            work.rates = rates_for(new, self.overrides)
            windows = {rate.model: rate.context_window for rate in work.rates}
            work.priced_models = {model: windows.get(model) for model in new}

    def left_at(self) -> Stamp:
        """The store's stamp as our last write left it: as long as that is its stamp, nobody has written since.

        A screen that asked meanwhile may have closed the file after us, which takes in its log.
        """
        if self._own_write is not None and (closed := self.store.stamp_after(self._own_write)) is not None:
            self.own_stamp, self._own_write = closed, None
        return self.own_stamp

    def note_own_write(self, read: Sequence[ReadResult] = (), *, write: int | None = None) -> None:
        """Remember the store as we have just left it, with the watermarks we set; without any, all are read anew.

        `write`: the number of the write, if nobody else of this process can have written since.
        """
        if not read or len(self._own_watermarks) > OWN_WATERMARKS:
            self._own_watermarks.clear()
        self._own_watermarks |= {str(result.file.path): result.watermark for result in read}
        for path in self._unread:
            self._own_watermarks.pop(path, None)
        self.own_stamp, self._own_write = self.store.stamp(), write


def _is_much(jobs: Sequence[Job]) -> bool:
    """Whether reading is worth worker processes, and takes so long that what is to come is listed first."""
    least = min(WORKER_BYTES, COPY_BYTES) if can_be_copied() else WORKER_BYTES
    return sum(job.todo for job in jobs) > least or len(jobs) > WORKER_FILES
