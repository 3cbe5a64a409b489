"""What can be wrong with the store, in words for people, and how DuckDB's own words are read."""

from __future__ import annotations

import re
from pathlib import Path

from ..regular import NotRegularError, check

REBUILD = "`agnes-stats ingest --rebuild` keeps it aside under another name and builds a new one"


class StoreError(Exception):
    """The store cannot be used. The message is one line for people."""


class StoreBusy(StoreError):
    """Another process has held the store for longer than we wait. `pid` is None where the system does not say."""

    def __init__(self, path: Path, pid: int | None) -> None:
        self.pid = pid
        holder = f"process {pid}" if pid else "another process"
        super().__init__(f"{path} is in use by {holder}; try again, or close that program")


class StoreAway(StoreError):
    """The lake cannot be reached: later it may. What is on the screen is still true of then."""


class StoreTooNew(StoreError):
    """The store was written by a newer agnes-stats, or a newer DuckDB."""


class StoreMissing(StoreError):
    """There is no store, and nobody wants one made."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no store at {path}")


class StoreForeign(StoreError):
    """A sound database of somebody else, which we leave alone."""


class StoreDamaged(StoreError):
    """The file is not a store, or a broken one. It can be set aside, never deleted."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be read as a store: {reason}; {REBUILD}")


class StoreReadOnly(StoreError):
    """The store or its folder does not take writes."""


class StoreFull(StoreError):
    """No space is left for what had to be written. Nothing that was in the store is lost."""


class StoreInterrupted(StoreError):
    """The work was stopped by `Store.interrupt`; what it had not committed is undone."""


class QueryFailed(StoreError):
    """DuckDB could not answer a question."""


class StoreConflict(QueryFailed):
    """Another reader of this process keeps a state that is in the way of a change."""


def refuse_odd(path: Path) -> None:
    """Raise StoreForeign if a store's file, or its log, is a pipe, a device or a folder: DuckDB would wait on it."""
    for name in (path, Path(f"{path}.wal")):
        try:
            check(name)
        except NotRegularError as odd:
            raise StoreForeign(f"{name} is {odd.kind}: name a file with --store") from None


_FULL = ("no space left", "file too large", "disk quota", "disk full", "errno 28")
_LOCKED = ("could not set lock", "conflicting lock", "being used by another process")
_DENIED = ("permission denied", "read-only", "read only")
_NEWER = ("version number", "newer version of duckdb")
_BROKEN = (
    "corrupt",
    "checksum",
    "could not read",
    "not a valid duckdb",
    "replaying wal",
    "serialization error",
    "failed to deserialize",
    "database has been invalidated",
)


def is_locked(error: BaseException) -> bool:
    """Whether another process has the file open in a way that excludes us."""
    text = _words(error).lower()
    return any(mark in text for mark in _LOCKED)


def holder_of(error: BaseException) -> int | None:
    """The process that holds the lock, as far as DuckDB knows it."""
    found = re.search(r"PID (\d+)", _words(error))
    return int(found[1]) if found else None


def explained(path: Path, error: BaseException, *, opening: bool) -> StoreError:
    """An error of DuckDB, or of the system, as one of ours. `opening`: it came before any statement was run."""
    from ._duckdb import duckdb

    text, words = _words(error), _words(error).lower()
    if isinstance(error, duckdb.InterruptException):
        return StoreInterrupted("stopped")
    if isinstance(error, duckdb.ProgrammingError | duckdb.DataError) and not opening:
        # It quotes the question, whatever words are in that.
        return QueryFailed(_brief(str(error)))
    if any(mark in words for mark in _FULL):
        return StoreFull(f"no space left to write {path}: free some, nothing in the store is lost")
    if any(mark in words for mark in _DENIED):
        return StoreReadOnly(
            f"{path} cannot be opened for writing ({_brief(text)}): make it writable, or name another file with "
            "--store; --no-ingest answers from it as it is"
        )
    if any(mark in words for mark in _NEWER):
        return StoreTooNew(
            f"{path} was written by a newer DuckDB: update agnes-stats, or name another file with --store"
        )
    if opening or any(mark in words for mark in _BROKEN):
        return StoreDamaged(path, _brief(text))
    if isinstance(error, duckdb.TransactionException):
        return StoreConflict(_brief(text))
    return QueryFailed(_brief(text))


def _words(error: BaseException) -> str:
    """The messages of an error and of those that led to it: a failed rollback must not hide the failed commit."""
    parts: list[str] = []
    at: BaseException | None = error
    while at is not None:
        parts.append(str(at) or type(at).__name__)
        at = at.__cause__ or at.__context__
    return "\n".join(reversed(parts))


def _brief(text: str) -> str:
    """The first line, without DuckDB's class names before it and blanks or stops after it."""
    first = next((line for line in text.splitlines() if line.strip()), "unknown error")
    return re.sub(
        r"^(?:(?:IO|Serialization|Internal|FATAL|TransactionContext|INTERNAL)\s+Error:\s*)+", "", first
    ).strip(" .!")
