"""Private temporary folders beside the store: on the same disk, for files that become part of it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from .faults import StoreReadOnly, explained

_PREFIX = ".agnes-stats-"
_STALE_SECONDS = 24 * 3600.0
"""A folder this old belongs to nobody, even if a process has its number again."""


@contextlib.contextmanager
def scratch(store: Path) -> Iterator[Path]:
    """A folder for the block, 0700, beside the store at a path. Raises StoreReadOnly, StoreFull."""
    import shutil
    import tempfile

    make_folder(store)
    clear(store.parent)
    try:
        folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=store.parent)
    except OSError as error:
        raise explained(store, error, opening=False) from error
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_folder(store: Path) -> None:
    """Make the store's folder, for the user alone, if there is none. Raises StoreReadOnly."""
    try:
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreReadOnly(f"cannot make the folder {store.parent}: {error.strerror}") from error


def clear(folder: Path) -> None:
    """Remove the scratch folders that killed processes left behind."""
    for left in folder.glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and (not _is_alive(int(pid)) or _age(left) > _STALE_SECONDS):
            import shutil

            shutil.rmtree(left, ignore_errors=True)


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
