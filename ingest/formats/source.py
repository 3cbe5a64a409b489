"""What a source of transcripts has to offer, so that the rest of the ingester need not know its format."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..batch import Batch

State = dict[str, Any]
"""What a parser must remember between two readings of the same file; small, plain JSON."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where on this machine a source may lie."""

    environment: Mapping[str, str]
    home: Path
    here: Path
    """The current folder."""
    projects: tuple[str, ...] = ()
    """Folders that known sessions worked in."""


@dataclass(frozen=True, slots=True)
class Root:
    """A folder to look in. `kind` names the adapter, as in `--source KIND=PATH`."""

    kind: str
    path: Path


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a source, as it was when it was listed."""

    kind: str
    root: Path
    path: Path
    is_main: bool
    """A session's own file, not a sub-agent's or a side file."""
    session_id: str | None
    """As far as the path tells it; the rows decide."""
    username: str | None = None
    """Whose it is, where the folder of a server holds several people's sessions."""
    machine: str | None = None
    """The machine it was written on, where that is told apart; None: this one."""
    whole: bool = False
    """Rewritten as a whole when it changes, not appended to: read in one piece, each time."""
    replaces: tuple[str, ...] = ()
    """Tables in which reading this file replaces all rows of its root, in their column `workspace`."""


class Parser(Protocol):
    """Turns the lines of one file into rows. One parser lives for one stretch of one file."""

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`. Faults become rejects; nothing is raised."""

    def reject(self, pos: int, length: int, reason: str) -> None:
        """Note `length` bytes from `pos` on that cannot be used."""

    def finish(self) -> State:
        """Add what can only be said at the end of the stretch; the state for the next one."""


class Adapter(Protocol):
    """One transcript format. Most runs find nothing new: what parses is imported when a `parser` is asked for."""

    kind: str
    version: int
    """Raised when a change of the parser should re-read files that are on disk."""

    def roots(self, places: Places) -> list[Path]:
        """Where this source usually lies; existing folders only, each once."""

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        """All files under a root, maybe with some that `recognise` does not know.

        Folders that cannot be listed are passed over.
        """

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The file that a change at `path` concerns, or None if it is not one of this source."""

    def parser(self, file: SourceFile, state: State, batch: Batch) -> Parser:
        """A parser that goes on where `state` left off; an empty state means the start of the file."""


def walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    """All files below a folder. A folder that is met twice through links is listed once."""
    waiting = [str(folder)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        base = waiting.pop()
        try:
            status = os.stat(base)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in seen:
                continue
            with os.scandir(base) as listed:
                entries = list(listed)
        except OSError:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            if _is_folder(entry):
                waiting.append(entry.path)
            else:
                yield entry


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_no_folder(path: Path) -> bool:
    """Whether something that is no folder has this name, a loop of links included."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        return error.errno == errno.ELOOP


def existing(folders: Iterable[Path]) -> list[Path]:
    """The folders that exist, each once even if two names lead to it."""
    found: dict[Path, Path] = {}
    for folder in folders:
        if folder.is_dir():
            found.setdefault(folder.resolve(), folder)
    return list(found.values())
