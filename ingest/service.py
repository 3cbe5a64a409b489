"""The background ingester of the dashboard: one thread that catches up and follows the files, and one that watches.

It tells what happens through one callback with frozen values; it never touches a screen.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..queries.paths import exists, is_folder
from ..queries.store import Stamp, StoreBusy, StoreError, StoreInterrupted
from .engine import Engine
from .formats import SOURCES, Root, SourceFile
from .news import News, Reading, Troubled, UpToDate
from .progress import IngestSummary, Progress
from .watching import Watcher
from .watermarks import mark_unread

if TYPE_CHECKING:
    from .server_source import ServerAccess, ServerPoller

SWEEP_SECONDS = (30.0, 300.0)
"""How often all files are compared with the store, for what the watcher missed: where they are few, and where many."""

LITTLE_SHARE = 0.0003
"""Where there are many, so seldom that this share of the time goes into it."""

POLL_SECONDS = 1.0
"""The same, where no watcher works."""

SWEEP_SHARE, POLL_SHARE = 0.002, 0.1
"""Sweeps, and polls, take at most this share of the time, however many files there are."""

LOOK_SECONDS = 2.0
"""How often it is looked whether the store is still the file that it was: it may be deleted, or another put there."""

SOON_SECONDS = 1.0
"""A sweep that is wanted soon waits this long for more of the same."""

BUSY_REST_SECONDS, IN_A_ROW, AT_ONCE_SECONDS = 1.0, 3, 0.1
"""Where lines come without a pause they are taken in together, once a second: each time all questions of the screen are
asked again, which costs the same for one line as for forty. Without a pause: so often in a row, so soon after a rest.
"""

RETRY_SECONDS = {False: 1.0, True: 5.0}
"""After a trouble, by whether only the user can help."""


class Follower(Protocol):
    """Who keeps something up to date with the store. It is called in the ingester's thread, and must be brief."""

    def follows(self, roots: Sequence[Root]) -> None:
        """All below these roots is in the store, and what comes there soon will be."""

    def written(self) -> None:
        """The store has just been written to, and is still open."""

    def look(self) -> None:
        """Called every other second while nothing else is done."""

    def stop(self) -> None:
        """The ingester ends."""


class IngestService:
    """Owns the ingester's threads. `tell` is called from them and must only pass the news on."""

    def __init__(
        self,
        engine: Engine,
        tell: Callable[[News], None],
        *,
        find_roots: Callable[[], list[Root]],
        server: ServerAccess | None = None,
        follower: Follower | None = None,
    ) -> None:
        """`server` is asked as well, now and then, if the user turned that on. `follower` hears of every write."""
        self._follower = follower
        self._engine = engine
        self._tell = tell
        self._find_roots = find_roots
        self._stop = engine.stop
        self._changed: set[Path] = set()
        self._unread: set[Path] = set()
        """Of the changed ones those to read from their start."""
        self._news = threading.Condition()
        self._watcher = Watcher(self.note, self._sweep_soon, self._stop)
        self._thread = threading.Thread(target=self._run, name="agnes-stats-ingest")
        self._next_sweep = 0.0
        self._next_ingest = 0.0
        self._next_look = 0.0
        self._in_a_row = 0
        """How often the next change was there already when the rest after the last one was over."""
        self._sweep_seconds = 0.0
        self._looked_at: dict[Path, tuple[int, int] | None] = {}
        """Files that no watcher is asked about -> their size and time; None: they are not there."""
        self._wants_rebuild = False
        self._store_file = engine.store.identity()
        """Which file the store was when all was last compared with it."""
        self._told: Stamp = ()
        """The store when we last told news of it."""
        self._poller = None if server is None else self._made_poller(server)
        self._follows_since: float | None = None
        """When changed files began to be read; None while something else is done."""
        self._has_told = False
        self._progress: Progress | None = None
        """How far a catch-up is that is under way."""
        engine.listen(self)

    def _made_poller(self, server: ServerAccess) -> ServerPoller:
        from .server_source import ServerPoller

        return ServerPoller(self._engine.store, server, self._tell_polled)

    def start(self) -> None:
        """Start catching up, and watching."""
        self._thread.start()
        self._watcher.start()
        if self._poller is not None:
            self._poller.start()

    def stop(self) -> None:
        """End the threads and wait for them. A transaction under way is undone; its files are read again next time."""
        self._stop.set()
        self._wake()
        if self._poller is not None:
            self._poller.stop()
        while self._thread.is_alive():
            self._engine.store.interrupt()
            self._thread.join(0.05)
        self._watcher.join()

    def note(self, paths: set[Path]) -> None:
        """Say that files have changed. Safe from any thread."""
        with self._news:
            self._changed |= paths
            self._news.notify_all()

    def reread(self, path: Path) -> None:
        """Read a file again from its start, whether it changed or not. Safe from any thread."""
        with self._news:
            self._unread.add(path)
            self._changed.add(path)
            self._news.notify_all()

    def rebuild(self) -> None:
        """Read everything on disk again; a damaged store is set aside first. Safe from any thread."""
        with self._news:
            self._wants_rebuild = True
            self._news.notify_all()

    def _tell_polled(self, rows: int, trouble: str | None) -> None:
        if trouble:
            self._tell(Troubled(trouble, fatal=False))
        else:
            self._tell_read(rows, 0.0)

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()

    # -- the ingesting thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._wants_rebuild or time.monotonic() >= self._next_sweep:
                    self._sweep()
                elif self._changed:
                    self._ingest_changed()
                self._wait_until_due()
            except StoreInterrupted:
                continue
            except StoreError as error:
                self._say_trouble(str(error), fatal=not isinstance(error, StoreBusy))
            except Exception as error:  # noqa: BLE001
                # Whatever it is, it is told, and the dashboard goes on living.
                self._say_trouble(f"{type(error).__name__}: {error}", fatal=True)
        if self._follower is not None:
            self._follower.stop()

    def _wait_until_due(self) -> None:
        """Wait for the next sweep, or for changed files once the store has had its rest."""
        while not self._is_due():
            if self._follower is not None and time.monotonic() >= self._next_look:
                self._follower.look()
                self._next_look = time.monotonic() + LOOK_SECONDS

    def _is_due(self) -> bool:
        """Whether something is to be done, after a wait for it."""
        with self._news:
            if self._stop.is_set() or self._wants_rebuild:
                return True
            due = min(self._next_sweep, self._next_ingest) if self._changed else self._next_sweep
            left = due - time.monotonic()
            if left <= 0:
                return True
            if self._engine.store.identity() != self._store_file:
                self._next_sweep = 0.0
                return True
            self._look()
            self._news.wait(min(left, LOOK_SECONDS))
            return False

    def _look(self) -> None:
        """See whether one of the files has changed that no watcher is asked about."""
        for path, before in self._looked_at.items():
            self._looked_at[path] = now = _size_and_time(path)
            if now != before:
                self._changed.add(path)

    def _say_trouble(self, reason: str, *, fatal: bool) -> None:
        self._tell(Troubled(reason, fatal))
        with self._news:
            self._news.wait_for(lambda: self._stop.is_set() or self._wants_rebuild, RETRY_SECONDS[fatal])

    def _sweep(self) -> None:
        rebuild, self._wants_rebuild = self._wants_rebuild, False
        begun = time.monotonic()
        # Whoever wants a sweep from here on wants another one.
        self._next_sweep = math.inf
        try:
            self._engine.roots = roots = self._find_roots()
            self._watcher.watch(roots)
            wanted = [path for root in roots for path in SOURCES[root.kind].watch_paths(root.path).looked_at]
            self._looked_at = {path: _size_and_time(path) for path in wanted}
            summary = self._engine.catch_up(rebuild=rebuild, report=self._report)
        except BaseException:
            self._next_sweep = 0.0
            raise
        finally:
            self._progress = None
        self._store_file = self._engine.store.identity()
        now = time.monotonic()
        if not summary.files:
            self._sweep_seconds = now - begun
        polls = self._watcher.is_polling
        least = min(self._pause(SWEEP_SECONDS[0], LITTLE_SHARE), SWEEP_SECONDS[1])
        pause = self._pause(POLL_SECONDS, POLL_SHARE) if polls else self._pause(least, SWEEP_SHARE)
        with self._news:
            self._next_sweep = min(self._next_sweep, now + pause)
        self._say(summary, always=True)
        if self._follower is not None:
            self._follower.follows(roots)
        self._engine.store.back_up(unless=self._stop)

    def _report(self, progress: Progress) -> None:
        if progress.files:
            self._progress = progress
            self._tell(Reading(progress))

    def _tell_read(self, files: int, seconds: float) -> None:
        """Tell of changed files, in the middle of a catch-up, too: then not all that is on disk is in the store."""
        if self._progress is not None:
            self._tell(Reading(self._progress, files))
        else:
            self._tell(UpToDate(files, seconds, self._watcher.is_polling))

    def _pause(self, least: float, share: float) -> float:
        return max(least, self._sweep_seconds / share)

    def _sweep_soon(self) -> None:
        """Compare all files before long: something happened that no list of paths tells."""
        with self._news:
            soon = time.monotonic() + self._pause(SOON_SECONDS, POLL_SHARE)
            self._next_sweep = min(self._next_sweep, soon)
            self._news.notify_all()

    def _rest(self, begun: float) -> float:
        """How long the store has its rest after a reading that began then, in seconds."""
        self._in_a_row = self._in_a_row + 1 if begun - self._next_ingest < AT_ONCE_SECONDS else 0
        least = BUSY_REST_SECONDS if self._in_a_row >= IN_A_ROW else 0.0
        return max(self._engine.rest_seconds, least)

    def _ingest_changed(self) -> None:
        begun = time.monotonic()
        with self._news:
            paths, self._changed = self._changed, set()
            unread, self._unread = self._unread, set()
        files: list[SourceFile] = []
        for path in sorted(paths):
            file = self._engine.recognise(path)
            if is_folder(path):
                files += self._engine.below(path)
            elif file is not None:
                files.append(file)
            elif self._engine.is_folder_of_files(path) and not exists(path):
                self._sweep_soon()
        if not files:
            return
        try:
            if unread:
                mark_unread(self._engine.store, unread, unless=self._stop)
                self._engine.note_own_write()
            self._follows_since, self._has_told = time.monotonic(), False
            summary = self._engine.ingest(files)
        except BaseException:
            with self._news:
                self._unread |= unread
                self.note(paths)
            raise
        finally:
            self._follows_since = None
        self._next_ingest = time.monotonic() + self._rest(begun)
        if self._has_told:
            self._told = self._engine.store.stamp()
        else:
            self._say(summary, always=False)

    def between_transactions(self) -> None:
        """The engine's: read changed files in the middle of a long catch-up."""
        self._ingest_changed()

    def files_written(self, files: int) -> None:
        """The engine's: tell of changed files while the store is open; a screen that asks at once need not wait."""
        since = None if self._stop.is_set() else self._follows_since
        if since is not None:
            self._engine.store.make_way()
            self._tell_read(files, time.monotonic() - since)
            self._has_told = True
        if self._follower is not None:
            self._follower.written()
        if since is not None:
            self._engine.store.linger(self._stop)

    def _say(self, summary: IngestSummary, *, always: bool) -> None:
        """Tell that the store is up to date, and whether its content is another one, whoever wrote it."""
        changed, stamp = summary.files + summary.gone, self._engine.store.stamp()
        if not changed and stamp != self._told:
            changed = max(1, summary.others)
        self._told = stamp
        if changed or always:
            self._tell_read(changed, summary.seconds)


def _size_and_time(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
