"""How far a file is read, and whether it has changed since. Imports nothing that reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..queries.regular import NotRegularError, oddity
from .formats import SourceFile


@dataclass(frozen=True, slots=True)
class Mark:
    """The watermark of a file: who it was and how far it is read. `read_to` is bytes."""

    path: str
    device: int = 0
    inode: int = 0
    size: int = 0
    mtime_ns: int = 0
    read_to: int = 0
    head: str = ""
    tail: str = ""
    state: str = "{}"
    parser: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one reading of a file came to."""

    file: SourceFile
    mark: Mark
    start: int
    """First byte read; 0 also when the file was read again from the start."""
    session_id: str | None
    more: bool
    """Whether there is more to read, because of `STRETCH`."""

    @property
    def bytes_read(self) -> int:
        """Bytes of whole lines read."""
        return self.mark.read_to - self.start


class Known(NamedTuple):
    """What the store knows of a file. `parser` is None for one that is only listed so far."""

    path: str
    source: str
    """The kind of its adapter."""
    root: str
    is_gone: bool
    device: int
    inode: int
    size: int
    mtime_ns: int
    read_to: int
    parser: int | None
    error: str | None

    @property
    def mark(self) -> Mark | None:
        """Its mark, without what reading on needs; None for a file that is only listed so far."""
        if self.parser is None:
            return None
        return Mark(
            self.path,
            self.device,
            self.inode,
            self.size,
            self.mtime_ns,
            self.read_to,
            parser=self.parser,
            error=self.error,
        )


def is_unchanged(seen: Mark | Known | None, status: os.stat_result, parser: int) -> bool:
    """Whether a file needs no opening: same file, same size and time, read before by this parser, without an error."""
    return (
        seen is not None
        and seen.error is None
        and seen.parser == parser
        and seen.size == status.st_size
        and seen.mtime_ns == status.st_mtime_ns
        and seen.inode == status.st_ino
        and seen.device == status.st_dev
    )


def is_known_trouble(seen: Mark | Known | None, status: os.stat_result | None) -> bool:
    """Whether a file is none that can be read, and that is known: there is nothing to try again."""
    kind = None if status is None else oddity(status)
    return kind is not None and seen is not None and seen.error == reason(NotRegularError(kind, seen.path))


def reason(error: OSError) -> str:
    """Why a file cannot be read, as its mark tells it."""
    told = error if isinstance(error, NotRegularError) else error.strerror or error
    return f"cannot be read: {told}"


def stat(path: Path) -> os.stat_result | None:
    """The file's status; None if it is gone or out of reach."""
    try:
        return path.stat()
    except OSError:
        return None
