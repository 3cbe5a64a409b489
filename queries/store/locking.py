"""The lock beside the store, shared by readers and held alone by a writer, from before DuckDB looks at the file until
it has closed it.

DuckDB (2.0.0, 2.0.1) reads a file's header before it locks the file, and never again: whoever writes in between is
overwritten. So nobody may open the file without this lock. `<store>.lock` is what is locked, `<store>.queue` a
turnstile before it: whoever wants in passes it one after the other, and a writer keeps it while it waits for the
readers inside to leave, so that no stream of readers can keep it out.

Where it has to wait, a claim waits in the kernel, in a thread of its own: that costs nothing, and whoever wants the
store can still be told to stop. The standard library's `flock` does that; portable lock libraries try again and again
instead. On Windows `LockFileEx` does, which portalocker calls.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from .errors import StoreError, StoreForeign, StoreReadOnly, explained

PATIENCE_SECONDS = (0.25, 1.0)
"""How long a waiting writer keeps new readers out: at first, and at most. It grows each time it was in vain."""

GAP_SECONDS = 0.25
"""How long it lets them in again before the next time: one of those inside may stay for half a minute."""

_NO_LOCKS = {
    number
    for name in ("ENOLCK", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EINVAL")
    if (number := getattr(errno, name, None)) is not None
}
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


class StoreUnlockable(StoreError):
    """The store lies on a file system that has no locks."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the file system of {path} has no file locks, without which several programs would destroy the store: "
            "name a file on another one with --store"
        )


def lock_path(store: Path) -> Path:
    """What is locked for a store: the same file by whatever name the store is opened."""
    return Path(f"{os.path.realpath(store)}.lock")


def queue_path(store: Path) -> Path:
    """The turnstile before the lock."""
    return Path(f"{os.path.realpath(store)}.queue")


# -- one file ------------------------------------------------------------------------------------------------------

if sys.platform == "win32":
    from portalocker import AlreadyLocked, LockException, LockFlags
    from portalocker.portalocker import Win32Locker

    def _flock(descriptor: int, *, exclusive: bool, blocking: bool) -> bool:
        flags = LockFlags.EXCLUSIVE if exclusive else LockFlags.SHARED
        try:
            Win32Locker().lock(descriptor, flags if blocking else flags | LockFlags.NON_BLOCKING)
        except AlreadyLocked:
            return False
        except LockException as error:
            raise OSError(errno.ENOLCK, str(error)) from error
        return True

    def _funlock(descriptor: int) -> None:
        Win32Locker().unlock(descriptor)

else:
    import fcntl

    def _flock(descriptor: int, *, exclusive: bool, blocking: bool) -> bool:
        """Lock an open file; whether that worked. Blocking, it waits until it does."""
        how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(descriptor, how if blocking else how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _funlock(descriptor: int) -> None:
        # Closing would do, but for a child process that is about to begin and has the file open still.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class Lock:
    """A file that this process has locked, or is about to. `close` lets go of it."""

    def __init__(self, path: Path, *, exclusive: bool) -> None:
        """Open the file, which is made if there is none, for the user alone. Raises OSError."""
        self._path = path
        self._exclusive = exclusive
        self._descriptor = self._open()

    def _open(self) -> int:
        flags = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | flags, 0o600)
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise
            descriptor = os.open(self._path, os.O_RDONLY | flags)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileExistsError(errno.EEXIST, "is no regular file", str(self._path))
        return descriptor

    def take(self, *, blocking: bool) -> bool:
        """Lock it; whether that worked. Raises OSError."""
        while _flock(self._descriptor, exclusive=self._exclusive, blocking=blocking):
            if self._is_the_one():
                return True
            # Somebody deleted the file: others lock the one that has its name now.
            renewed = self._open()
            os.close(self._descriptor)
            self._descriptor = renewed
        return False

    def _is_the_one(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        return False

    def close(self) -> None:
        """Let go of it."""
        with contextlib.suppress(OSError):
            _funlock(self._descriptor)
        os.close(self._descriptor)


def holder_of(path: Path) -> int | None:
    """A process that has locked a file, the first one in Linux's list; None if it is ours, or no system tells."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError, ValueError):
        status = path.stat()
        name = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
        for line in Path("/proc/locks").read_text("ascii", "replace").splitlines():
            # 7: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF; those who wait have an arrow before FLOCK.
            _, kind, _, _, pid, file = line.split()[:6]
            if kind == "FLOCK" and file == name and int(pid) not in (0, os.getpid()):
                return int(pid)
    return None


def is_awaited(store: Path) -> bool:
    """Whether another process waits for the store: until it has it, it keeps the turnstile closed."""
    try:
        turnstile = Lock(queue_path(store), exclusive=True)
    except OSError:
        return False
    try:
        return not turnstile.take(blocking=False)
    except OSError:
        return False
    finally:
        turnstile.close()


def has_record_locks(store: Path) -> bool:
    """Whether the locks that DuckDB takes work where the store lies. It says only that it got none."""
    if sys.platform == "win32":
        return True
    try:
        # Not on the store itself: to close it here would end the locks that DuckDB has of it in this process.
        descriptor = os.open(lock_path(store), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return True
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _NO_LOCKS
    finally:
        os.close(descriptor)
    return True


# -- the claim of a process ------------------------------------------------------------------------------------------


class _State(Enum):
    IDLE = "nobody wants it"
    WAITING = "a thread waits for it"
    HELD = "we have it"


class Claim:
    """This process's claim to one store, for reading or for writing alone. Safe for threads, one holder at a time.

    `take` makes the claim, and `drop` ends it. In between `wake` is called, from another thread, when it may have been
    granted.
    """

    def __init__(self, store: Path, *, exclusive: bool, wake: Callable[[], None]) -> None:
        self._store = store
        self._exclusive = exclusive
        self._wake = wake
        self._guard = threading.Lock()
        self._state = _State.IDLE
        self._wanted = False
        self._lock: Lock | None = None
        self._turnstile: Lock | None = None
        self._is_past_turnstile = False
        """The thread waits for the lock itself."""
        self._turned_at = 0.0
        """When we came to have the turnstile, or let go of it."""
        self._patience = PATIENCE_SECONDS[0]
        self._error: OSError | None = None

    @property
    def is_held(self) -> bool:
        """Whether we have it: the store may be opened."""
        return self._state is _State.HELD

    @property
    def lets_others_first(self) -> bool:
        """Whether we wait, and readers may come in meanwhile."""
        return self._state is _State.WAITING and self._is_past_turnstile and self._turnstile is None

    def take(self, *, wait: bool) -> bool:
        """Whether we have it. If not, and we are to wait for it, `wake` will be called.

        Raises StoreUnlockable; StoreReadOnly, StoreFull where it cannot be made.
        """
        with self._guard:
            try:
                if self._error is not None:
                    error, self._error = self._error, None
                    raise error
                return self._take(wait)
            except OSError as error:
                raise self._explained(error) from error

    def drop(self) -> None:
        """Let go of it, or give up waiting for it."""
        with self._guard:
            self._wanted = False
            if self._state is _State.HELD:
                self._state = _State.IDLE
                if self._lock is not None:
                    self._lock.close()
                    self._lock = None
            elif self._is_past_turnstile:
                # The thread goes on waiting, and lets go at once; until then another claim of ours may come by it.
                self._open_turnstile()

    def holder(self) -> int | None:
        """A process that keeps us out, as far as the system says."""
        return holder_of(lock_path(self._store))

    def _take(self, wait: bool) -> bool:
        if self._state is _State.IDLE:
            if self._at_once():
                return True
            if wait:
                self._state, self._wanted, self._patience = _State.WAITING, True, PATIENCE_SECONDS[0]
                self._turnstile = None
                threading.Thread(target=self._wait, name="agnes-stats-lock", daemon=True).start()
        elif self._state is _State.WAITING:
            self._wanted = self._wanted or wait
            self._take_turns()
        return self.is_held

    def _at_once(self) -> bool:
        """Take what nobody else has or waits for."""
        try:
            turnstile = self._made(queue_path)
        except OSError as error:
            if error.errno not in {*_READ_ONLY, errno.ENOENT}:
                raise
            turnstile = None
        try:
            if turnstile is not None and not turnstile.take(blocking=False):
                return False
            try:
                lock = self._made(lock_path)
            except OSError as error:
                if self._exclusive or error.errno not in {*_READ_ONLY, errno.ENOENT}:
                    raise
                # Where we may not even make the lock we cannot write: we read, and look whether anybody else wrote.
                self._state = _State.HELD
                return True
            if lock.take(blocking=False):
                self._state, self._lock = _State.HELD, lock
                return True
            lock.close()
            return False
        finally:
            if turnstile is not None:
                turnstile.close()

    def _made(self, path_of: Callable[[Path], Path]) -> Lock:
        is_queue = path_of is queue_path
        return Lock(path_of(self._store), exclusive=is_queue or self._exclusive)

    # -- waiting, in a thread of its own -----------------------------------------------------------------------------

    def _wait(self) -> None:
        try:
            self._wait_in_turn()
        except OSError as error:
            with self._guard:
                self._is_past_turnstile = False
                self._open_turnstile()
                self._state, self._error = _State.IDLE, error if self._wanted else None
        self._wake()

    def _wait_in_turn(self) -> None:
        turnstile = None
        with contextlib.suppress(PermissionError, FileNotFoundError):
            turnstile = self._made(queue_path)
        if turnstile is not None:
            turnstile.take(blocking=True)
        lock = self._past(turnstile)
        if lock is None:
            return
        try:
            lock.take(blocking=True)
        except OSError:
            lock.close()
            raise
        self._granted(lock)

    def _past(self, turnstile: Lock | None) -> Lock | None:
        """What to wait for now; None if nobody wants it any more."""
        with self._guard:
            self._turnstile, self._turned_at = turnstile, time.monotonic()
            if self._wanted:
                self._is_past_turnstile = True
                return self._made(lock_path)
            self._open_turnstile()
            self._state = _State.IDLE
            return None

    def _granted(self, lock: Lock) -> None:
        with self._guard:
            self._is_past_turnstile = False
            self._open_turnstile()
            if self._wanted:
                self._state, self._lock = _State.HELD, lock
            else:
                self._state = _State.IDLE
                lock.close()

    def _open_turnstile(self) -> None:
        if self._turnstile is not None:
            self._turnstile.close()
            self._turnstile, self._turned_at = None, time.monotonic()

    def _take_turns(self) -> None:
        """Close the turnstile for some time, and let readers through for some time, while one of them stays inside."""
        if not (self._exclusive and self._is_past_turnstile):
            return
        since = time.monotonic() - self._turned_at
        if self._turnstile is not None and since > self._patience:
            self._open_turnstile()
            self._patience = min(2 * self._patience, PATIENCE_SECONDS[1])
        elif self._turnstile is None and since > GAP_SECONDS:
            turnstile = self._made(queue_path)
            if turnstile.take(blocking=False):
                self._turnstile, self._turned_at = turnstile, time.monotonic()
            else:
                turnstile.close()

    def _explained(self, error: OSError) -> StoreError:
        if error.errno in _NO_LOCKS:
            return StoreUnlockable(self._store)
        if error.errno in (errno.EEXIST, errno.EISDIR, errno.ELOOP):
            return StoreForeign(f"{lock_path(self._store)}, or .queue beside it, is no file of ours: move it away")
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return StoreReadOnly(f"cannot make {lock_path(self._store)}: {error.strerror}")
        return explained(self._store, error, opening=False)
