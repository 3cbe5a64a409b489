"""Noticing that files change, by the system's watcher where there is one.

On Linux the kernel's is asked directly: it costs nothing while nothing changes, and tells at once. `watchfiles` is the
watcher everywhere else, and where that one does not work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..queries.paths import is_folder
from ..queries.waking import WakingEvent
from . import inotify
from .formats import SOURCES, Root
from .walk import folders as folders_below
from .walk import walking

DEBOUNCE_MS = 120
"""Changes are told together once there was none for a step, or after this time at the latest."""

BUSY_STEP_MS, QUIET_STEP_MS = 10, 100
"""How long a step is: many short ones cost time, so they are for sessions that are under way."""

BUSY_SECONDS = 10.0
"""How long after a change the next one is expected."""

TURN_MS = 500
"""How soon after its start a watcher that has seen nothing says so."""

MOST_WATCHED = 20_000
"""Folders that are watched one by one; the sweeps see what is in others."""


class Watcher:
    """Watches the folders of some roots and tells the paths that changed."""

    def __init__(self, note: Callable[[set[Path]], None], begun: Callable[[], None], stop: threading.Event) -> None:
        """`note` gets what changed; `begun` is called when a watch has begun: what changed before was not seen."""
        kind = KINDS["the kernel" if inotify.works() else "watchfiles"]
        self._deep = kind("agnes-stats-watch", note, begun, stop, recursive=True)
        self._flat = kind("agnes-stats-watch-flat", note, begun, stop, recursive=False)

    @property
    def is_polling(self) -> bool:
        """No watcher works here: somebody has to look at the files."""
        return self._deep.is_polling or self._flat.is_polling

    def start(self) -> None:
        """Start the threads; they wait to be told what to watch."""
        self._deep.start()
        self._flat.start()

    def join(self) -> None:
        """Wait for the threads, once the stop event is set."""
        self._deep.join()
        self._flat.join()

    def watch(self, roots: Iterable[Root]) -> None:
        """Watch these roots from now on. A folder that was replaced by another of its name is watched anew."""
        wanted = [SOURCES[root.kind].watch_paths(root.path) for root in roots]
        self._deep.watch(folder for paths in wanted for folder in paths.deep)
        self._flat.watch(folder for paths in wanted for folder in paths.flat)
        self._flat.awaited = {folder for paths in wanted if paths.flat for folder in paths.deep}


class _WatchThread:
    """One thread that watches some folders, with all that is below them or without."""

    def __init__(
        self,
        name: str,
        note: Callable[[set[Path]], None],
        begun: Callable[[], None],
        stop: threading.Event,
        *,
        recursive: bool,
    ) -> None:
        self._note = note
        self._begun = begun
        self._stop = stop
        self._recursive = recursive
        self._again = threading.Event()
        self._folders: dict[Path, tuple[int, int]] = {}
        self._named: frozenset[str] | None = None
        """The folders that the watcher was told of, each by itself; None if it finds those below by itself."""
        self.is_polling = False
        self.awaited: set[Path] = set()
        """Folders that have to be watched once they are there."""
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._again.set()
        if self._thread.is_alive():
            self._thread.join()

    def watch(self, wanted: Iterable[Path]) -> None:
        folders = {}
        for folder in wanted:
            try:
                status = folder.stat()
            except OSError:
                continue
            folders[folder] = (status.st_dev, status.st_ino)
        if folders != self._folders:
            self._folders = folders
            self._again.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._again.clear()
            folders = [folder for folder in self._folders if is_folder(folder)]
            if not folders:
                self._again.wait()
                continue
            self.is_polling = False
            try:
                self._follow(folders)
            except FileNotFoundError:
                # It vanished just now; the next sweep says what there is to watch.
                self._again.wait(1.0)
            except (OSError, RuntimeError):
                # No watcher here: a network folder, no watches left.
                self.is_polling = True
                self._begun()
                self._again.wait()

    def _follow(self, folders: list[Path]) -> None:
        """Watch until there is something else to watch. Raises OSError, RuntimeError where that does not work."""
        from watchfiles import watch

        inner = self._within_bounds(folders) if self._recursive else None
        if self._again.is_set():
            return
        self._named = None if inner is None else frozenset(inner)
        first, pace = True, _Pace()
        for changes in watch(
            *(folders if inner is None else inner),
            watch_filter=None,
            stop_event=_Either(self._stop, self._again),
            debounce=DEBOUNCE_MS,
            step=pace,  # type: ignore[arg-type]  # anything that can be taken for an integer
            rust_timeout=TURN_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
            recursive=self._recursive and inner is None,
        ):
            if first:
                self._begun()
                first = False
            if changes:
                pace.quicken()
                self._tell({Path(path) for _, path in changes})

    def _within_bounds(self, folders: list[Path]) -> list[str] | None:
        """All folders to watch one by one, where there are links to folders: the system's watcher follows any of them.

        None where there are none; it then watches what is below by itself.
        """
        found: list[str] = []
        with walking(_Either(self._stop, self._again)) as walk:
            for folder in folders:
                found += (path for path, _ in folders_below(folder))
        return found[:MOST_WATCHED] if walk.links or walk.left_out else None

    def _tell(self, changed: set[Path]) -> None:
        if not changed.isdisjoint(self.awaited):
            self._begun()
        if self._named is not None and any(str(path) not in self._named and is_folder(path) for path in changed):
            self._again.set()
        self._note(changed)


class _KernelThread(_WatchThread):
    """The same by Linux's own watcher: it sleeps until something changes, and then tells at once."""

    _again: WakingEvent

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._again = WakingEvent()

    def _follow(self, folders: list[Path]) -> None:
        with inotify.Watches() as watches:
            for folder in folders:
                self._add(watches, str(folder))
            # What changed before was not seen.
            self._begun()
            while not (self._stop.is_set() or self._again.is_set()):
                seen = watches.wait(self._again.reader)
                for path in seen.new_folders if self._recursive else ():
                    self._add(watches, path)
                if seen.paths:
                    self._tell({Path(path) for path in seen.paths})
                if seen.is_incomplete:
                    # More has changed than was told: all is looked at, and watched anew.
                    self._again.set()

    def _add(self, watches: inotify.Watches, folder: str) -> None:
        if not self._recursive:
            watches.add(folder)
            return
        with walking(_Either(self._stop, self._again)):
            for path, _ in folders_below(Path(folder)):
                if len(watches) >= MOST_WATCHED:
                    return
                watches.add(path)

    def _tell(self, changed: set[Path]) -> None:
        if not changed.isdisjoint(self.awaited) or any(path in self._folders for path in changed):
            self._begun()
        if self._recursive and any(path.is_symlink() and is_folder(path) for path in changed):
            # What it leads to is watched, within bounds, like all that is there at the beginning.
            self._again.set()
        self._note(changed)


KINDS: dict[str, type[_WatchThread]] = {"the kernel": _KernelThread, "watchfiles": _WatchThread}
"""By who tells what changes."""


class _Pace:
    """The length of a step in milliseconds; the watcher asks for it at each turn."""

    def __init__(self) -> None:
        self._busy_until = 0.0

    def quicken(self) -> None:
        """Something has changed just now."""
        self._busy_until = time.monotonic() + BUSY_SECONDS

    def __index__(self) -> int:
        return BUSY_STEP_MS if time.monotonic() < self._busy_until else QUIET_STEP_MS


class _Either:
    """An event that is set when one of two is: the watcher takes only one."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        self._events = (first, second)

    def is_set(self) -> bool:
        """Whether one of them is set."""
        return self._events[0].is_set() or self._events[1].is_set()
