"""The files of a store, from outside: the database, DuckDB's log beside it, and the names they have or had."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import stat
import time
from pathlib import Path

from ..regular import oddity
from .errors import explained

CLOCK_SECONDS = 1.0
"""A file may be this much newer than now: its clock ticks more coarsely than ours."""

LAKE_SUFFIX = ".ducklake"
"""Of a small file that stands for a lakehouse (`lake_address`)."""

TEAM_MARK = ".team"
"""Behind the name of a team's store: the file that says so, without the store being opened for it."""

Stamp = tuple[int, ...]
"""Sizes and times of the store's files: another stamp, another content."""


class Files:
    """The files of the store at a path. Nothing is made or opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def log_path(self) -> Path:
        """DuckDB's write-ahead log: what was committed and is not in the file yet."""
        return Path(f"{self.path}.wal")

    def stamp(self) -> Stamp:
        """What changes whenever anybody, in any process, writes to the store. Costs two looks at the disk."""
        return tuple(
            part for status in self._statuses() for part in (status.st_ino, status.st_mtime_ns, status.st_size)
        )

    def idle_seconds(self) -> float:
        """How long ago anybody last wrote to the store; infinite if there is none.

        Also infinite where the file's clock is ahead of ours, or ours was set back: such a time says nothing.
        """
        written = [status.st_mtime for status in self._statuses()]
        idle = time.time() - max(written) if written else float("inf")
        return max(0.0, idle) if idle > -CLOCK_SECONDS else float("inf")

    def identity(self) -> tuple[int, int] | None:
        """Which file it is, whatever is written to it: another one after it was deleted or replaced. None without."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def is_missing(self) -> bool:
        """Whether there is no file, or one without a byte, as `mktemp` makes it."""
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as error:
            raise explained(self.path, error, opening=False) from error
        return status.st_size == 0 and oddity(status) is None

    def rename(self) -> Path:
        """Give the store, and its log, a name with the date; the new path. Raises StoreReadOnly."""
        aside = self.dated()
        had_log = self.log_path.exists()
        try:
            self.path.rename(aside)
            if had_log:
                self.log_path.rename(f"{aside}.wal")
        except OSError as error:
            raise explained(self.path, error, opening=False) from error
        return aside

    def dated(self) -> Path:
        """A name with the time for the file, that nothing has yet."""
        stamp = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
        for number in itertools.count(1):
            mark = stamp if number == 1 else f"{stamp}-{number}"
            dated = self.path.with_name(f"{self.path.stem}-{mark}{self.path.suffix}")
            if not dated.exists() and not Path(f"{dated}.wal").exists():
                return dated
        raise AssertionError  # the count has no end

    def publish(self, new: Path) -> None:
        """Give a new file the store's name, unless there is one that has it. Raises OSError."""
        new.chmod(0o600)
        if self.log_path.exists() and not self.path.exists():
            # The log of a store that was deleted would be taken for the new one's.
            self.log_path.rename(f"{self.dated()}.wal")
        if self.path.exists() and self.path.stat().st_size == 0:
            new.replace(self.path)
            return
        try:
            self.path.hardlink_to(new)
        except FileExistsError:
            return
        except OSError:
            # A file system without hard links. Whoever makes a store has the lock: nobody is faster.
            if not self.path.exists():
                new.rename(self.path)

    def copy_to(self, other: Files) -> None:
        """Copy the store, and its log, while nobody writes to it. Raises StoreFull, StoreReadOnly."""
        import shutil

        try:
            for own, copy in ((self.path, other.path), (self.log_path, other.log_path)):
                if own.exists():
                    shutil.copyfile(own, copy)
        except OSError as error:
            raise explained(self.path, error, opening=False) from error

    def replace(self, path: Path) -> None:
        """Give a closed store another name, and its place, once it is on the disk. Raises as `copy_to`."""
        try:
            self.path.chmod(0o600)
            with self.path.open("rb+") as file:
                os.fsync(file.fileno())
            self.path.replace(path)
        except OSError as error:
            raise explained(path, error, opening=False) from error

    def tighten(self) -> None:
        """What the agents did is nobody else's business, whatever mode a copied file came with."""
        with contextlib.suppress(OSError):
            mode = self.path.stat().st_mode
            if mode & 0o077:
                self.path.chmod(stat.S_IMODE(mode) & 0o700)

    def _statuses(self) -> list[os.stat_result]:
        found = []
        for path in (self.path, self.log_path):
            with contextlib.suppress(OSError):
                found.append(path.stat())
        return found
