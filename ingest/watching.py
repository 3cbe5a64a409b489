"""Noticing that files change, by the system's watcher where there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from .sources import Root

DEBOUNCE_MS, STEP_MS = 120, 50
"""Changes are told together once there was none for a step, or after the first time at the latest."""

TURN_MS = 500
"""How soon after its start a watcher that has seen nothing says so."""

_INNER = {"claude": ("projects",), "workspace": (".claude/agnes", "user/snapshots")}
"""Where in a root the files are: the rest may be large, and busy with other things."""

_WHOLE = {"claude"}
"""Kinds whose root is watched itself where it has none of these folders (yet)."""


class Watcher:
    """One thread that watches the folders of some roots and tells the paths that changed."""

    def __init__(self, note: Callable[[set[Path]], None], begun: Callable[[], None], stop: threading.Event) -> None:
        """`note` gets what changed; `begun` is called when a watch has begun: what changed before was not seen."""
        self._note = note
        self._begun = begun
        self._stop = stop
        self._again = threading.Event()
        self._folders: dict[Path, tuple[int, int]] = {}
        self.is_polling = False
        """No watcher works here: somebody has to look at the files."""
        self._thread = threading.Thread(target=self._run, name="agnes-stats-watch")

    def start(self) -> None:
        """Start the thread; it waits to be told what to watch."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread, once the stop event is set."""
        self._again.set()
        if self._thread.is_alive():
            self._thread.join()

    def watch(self, roots: Iterable[Root]) -> None:
        """Watch these roots from now on. A folder that was replaced by another of its name is watched anew."""
        folders = {}
        for root in roots:
            for folder in _folders_of(root):
                try:
                    status = folder.stat()
                except OSError:
                    continue
                folders[folder] = (status.st_dev, status.st_ino)
        if folders != self._folders:
            self._folders = folders
            self._again.set()

    def _run(self) -> None:
        from watchfiles import watch

        while not self._stop.is_set():
            self._again.clear()
            folders = [folder for folder in self._folders if folder.is_dir()]
            if not folders:
                self._again.wait()
                continue
            self.is_polling = False
            try:
                first = True
                for changes in watch(
                    *folders,
                    watch_filter=None,
                    stop_event=_Either(self._stop, self._again),
                    debounce=DEBOUNCE_MS,
                    step=STEP_MS,
                    rust_timeout=TURN_MS,
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    ignore_permission_denied=True,
                ):
                    if first:
                        self._begun()
                        first = False
                    if changes:
                        self._note({Path(path) for _, path in changes})
            except FileNotFoundError:
                # It vanished just now; the next sweep says what there is to watch.
                self._again.wait(1.0)
            except (OSError, RuntimeError):
                # No watcher here: a network folder, no watches left.
                self.is_polling = True
                self._begun()
                self._again.wait()


class _Either:
    """An event that is set when one of two is: the watcher takes only one."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        self._events = (first, second)

    def is_set(self) -> bool:
        """Whether one of them is set."""
        return self._events[0].is_set() or self._events[1].is_set()


def _folders_of(root: Root) -> list[Path]:
    inner = _INNER.get(root.kind)
    if inner is None:
        return [root.path]
    present = [root.path / name for name in inner if (root.path / name).is_dir()]
    return present or ([root.path] if root.kind in _WHOLE else [])
