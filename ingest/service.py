"""The background ingester of the dashboard: one thread that catches up, and then follows the files.

It tells what happens through one callback with frozen values; it never touches a screen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..queries.store import StoreBusy, StoreError
from .engine import Engine, Progress
from .sources import ADAPTERS, Places, Root

SWEEP_SECONDS = 30.0
"""How often all files are compared with the store, for what the watcher missed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A catch-up is under way."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class UpToDate:
    """Everything on disk is in the store."""

    files: int
    """Files read since the last news."""
    seconds: float
    """What reading and loading them took."""
    polling: bool = False
    """No file watcher works here: the files are compared every second."""


@dataclass(frozen=True, slots=True)
class Troubled:
    """The store cannot be written; tried again soon. `fatal` if only the user can help."""

    reason: str
    fatal: bool


News = Reading | UpToDate | Troubled


class IngestService:
    """Owns the ingester's threads. `tell` is called from them and must only pass the news on."""

    def __init__(self, engine: Engine, tell: Callable[[News], None], *, find_roots: Callable[[], list[Root]]) -> None:
        self._engine = engine
        self._tell = tell
        self._find_roots = find_roots
        self._stop = engine.stop
        self._changed: set[Path] = set()
        self._news = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._polling = False
        self._next_sweep = 0.0
        self._watched: tuple[Root, ...] = ()
        self._rewatch = threading.Event()
        engine.between = self._ingest_changed

    def start(self) -> None:
        """Start catching up, and watching."""
        for name, target in (("ingest", self._run), ("watch", self._watch)):
            thread = threading.Thread(target=target, name=f"agnes-stats-{name}")
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Ask the threads to end and wait for them: at most one transaction."""
        self._stop.set()
        self._rewatch.set()
        with self._news:
            self._news.notify_all()
        for thread in self._threads:
            thread.join()

    def note(self, paths: set[Path]) -> None:
        """Say that files have changed. Safe from any thread."""
        with self._news:
            self._changed |= paths
            self._news.notify_all()

    # -- the ingesting thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if time.monotonic() >= self._next_sweep:
                    self._sweep()
                    self._next_sweep = time.monotonic() + (1.0 if self._polling else SWEEP_SECONDS)
                self._ingest_changed()
            except StoreBusy as error:
                self._tell(Troubled(str(error), fatal=False))
                self._stop.wait(1.0)
            except StoreError as error:
                self._tell(Troubled(str(error), fatal=True))
                self._stop.wait(5.0)
            with self._news:
                if not self._changed and not self._stop.is_set():
                    self._news.wait(max(0.0, self._next_sweep - time.monotonic()))

    def _sweep(self) -> None:
        roots = self._find_roots()
        if roots != list(self._engine.roots):
            self._engine.roots = roots
        if tuple(roots) != self._watched:
            self._watched = tuple(roots)
            self._rewatch.set()
        summary = self._engine.catch_up(
            report=lambda progress: self._tell(Reading(progress)) if progress.files else None
        )
        self._tell(UpToDate(summary.files + summary.gone, summary.seconds, self._polling))

    def _ingest_changed(self) -> None:
        with self._news:
            paths, self._changed = self._changed, set()
        files = [file for path in sorted(paths) if (file := self._engine.recognise(path)) is not None]
        if files:
            try:
                summary = self._engine.ingest(files)
            except StoreError:
                self.note(paths)
                raise
            self._tell(UpToDate(summary.files, summary.seconds, self._polling))

    # -- the watching thread -------------------------------------------------------------------------------------

    def _watch(self) -> None:
        from watchfiles import watch

        while not self._stop.is_set():
            self._rewatch.clear()
            folders = [watched for root in self._watched if (watched := _watch_folder(root)).is_dir()]
            if not folders:
                self._rewatch.wait(0.5)
                continue
            over = _Either(self._stop, self._rewatch)
            try:
                for changes in watch(
                    *folders, stop_event=over, debounce=120, step=40, rust_timeout=2000, raise_interrupt=False
                ):
                    self.note({Path(path) for _, path in changes})
            except (OSError, RuntimeError):
                # No watcher here (a network folder, no watches left): the sweeps become frequent instead.
                self._polling = True
                self._next_sweep = 0.0
                self.note(set())
                self._rewatch.wait()


class _Either:
    """An event that is set when one of two is: the watcher takes only one."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        self._events = (first, second)

    def is_set(self) -> bool:
        """Whether one of them is set."""
        return any(event.is_set() for event in self._events)


def _watch_folder(root: Root) -> Path:
    inner = root.path / "projects"
    return inner if inner.is_dir() else root.path


def find_roots(places: Places) -> list[Root]:
    """The folders of transcripts on this machine, for all formats."""
    return [Root(kind, path) for kind, adapter in ADAPTERS.items() for path in adapter.roots(places)]
