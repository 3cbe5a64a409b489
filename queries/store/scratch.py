"""Private temporary folders beside the store: on the same disk, for files that become part of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import StoreReadOnly, explained
from .locking import Lock

_PREFIX = ".agnes-stats-"
_LOCK = "in-use"
_STALE_SECONDS = 24 * 3600.0
"""A folder without a lock in it belongs to nobody when it is this old: its owner has died while it made it."""


@contextlib.contextmanager
def scratch(store: Path) -> Iterator[Path]:
    """A folder for the block, 0700, beside the store at a path. Raises StoreReadOnly, StoreFull.

    As long as it is in use a file in it is locked: numbers of processes would say nothing to one in another container.
    """
    make_folder(store)
    clear(store.parent)
    try:
        folder, lock = _made(store.parent)
    except OSError as error:
        raise explained(store, error, opening=False) from error
    try:
        yield folder
    finally:
        lock.close()
        remove(folder)


def remove(folder: Path) -> None:
    """Remove such a folder, the lock in it at last: if the process ends meanwhile, the next one finds what is left."""
    import shutil

    # Whoever clears may be at it, too.
    with contextlib.suppress(OSError):
        for inner in folder.glob("*"):
            if inner.is_dir():
                shutil.rmtree(inner, ignore_errors=True)
            elif inner.name != _LOCK:
                inner.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _made(parent: Path) -> tuple[Path, Lock]:
    import tempfile

    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = Lock(folder / _LOCK, exclusive=True)
        # Somebody who clears may come between, and take an unlocked folder for one that was left behind.
        with contextlib.suppress(FileNotFoundError):
            if lock.take(blocking=False):
                return folder, lock
        lock.close()


def make_folder(store: Path) -> None:
    """Make the store's folder, for the user alone, if there is none. Raises StoreReadOnly."""
    try:
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreReadOnly(f"cannot make the folder {store.parent}: {error.strerror}") from error


def clear(folder: Path) -> None:
    """Remove the scratch folders that killed processes left behind."""
    for left in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            _clear(left)


def _clear(left: Path) -> None:
    if (left / _LOCK).exists():
        lock = Lock(left / _LOCK, exclusive=True)
        try:
            if lock.take(blocking=False):
                remove(left)
        finally:
            lock.close()
    elif time.time() - left.stat().st_mtime > _STALE_SECONDS:
        remove(left)
