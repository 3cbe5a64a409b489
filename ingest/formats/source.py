"""What a source has to offer, so that the rest of the ingester need not know whose files it reads, nor in what format.

To add an agent, make a folder beside this file with a subclass of `Source`, and name it in `formats/__init__.py`. The
contract that every source keeps is tested by `tests/formats/test_contract.py`, which runs over all that are registered.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ...queries.paths import is_folder
from ...queries.regular import NotRegularError, oddity

if TYPE_CHECKING:
    from ..batch import Batch
    from .change import Change
    from .retention import Retention

State = dict[str, Any]
"""What a decoder must remember between two readings of the same file; small, plain JSON."""

ABSENT = (errno.ENOENT, errno.ENOTDIR)
"""Errors that say that there is no such file."""


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
    """A folder to look in. `kind` names the source, as in `--source KIND@MACHINE=PATH`."""

    kind: str
    path: Path
    machine: str | None = None
    """The machine that the folder was copied or mounted from; None: nobody said."""


@dataclass(frozen=True, slots=True)
class WatchPaths:
    """What has to be watched to notice that a source changes. What is not there (yet) may be named, too."""

    deep: tuple[Path, ...] = ()
    """Folders of which everything below counts."""
    flat: tuple[Path, ...] = ()
    """Folders whose own files count: what is below them may be large, and busy with other things. Folders of `deep`
    that begin to exist in one of these are noticed at once."""
    looked_at: tuple[Path, ...] = ()
    """Single files that are looked at every other second: all else in their folder changes all the while."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One thing to read: a file, or a few that make up one whole (see `Source.members`)."""

    kind: str
    root: Path
    path: Path
    """The file, or the one that the whole is named after; it need not exist."""
    is_main: bool
    """A session's own file, not a sub-agent's or a side file."""
    session_id: str | None
    """As far as the path tells it; the rows decide."""
    username: str | None = None
    """Whose it is, where the folder of a server holds several people's sessions."""
    machine: str | None = None
    """The machine it was written on, where that is told apart; None: this one."""
    replaces: tuple[str, ...] = ()
    """Tables in which reading this file replaces all rows of its root, in their column `workspace`."""


class Fingerprint(NamedTuple):
    """What a file was like when somebody looked. Two that are equal say that nothing has changed in between."""

    device: int
    inode: int
    size: int
    """Bytes, of all members together."""
    mtime_ns: int
    """Of the member that changed last."""
    members: str | None = None
    """Of several files: name, device, inode, size and time of each, as JSON."""
    oddity: str | None = None
    """What it is if it is no regular file, as "a pipe": then it is not opened."""

    @property
    def identity(self) -> tuple[int, int]:
        """Which file it is, whatever it is called and however it has grown."""
        return self.device, self.inode


def fingerprint_of(members: Sequence[os.DirEntry[str] | Path]) -> Fingerprint:
    """The fingerprint of some files as one. Those that are absent or empty say nothing, unless all are.

    Raises FileNotFoundError if none of them exists, and OSError for one that is out of reach.
    """
    if len(members) == 1:
        status = members[0].stat()
        return Fingerprint(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, oddity=oddity(status))
    found = []
    missing: OSError | None = None
    for member in members:
        try:
            found.append((member.name, member.stat()))
        except OSError as error:
            if error.errno not in ABSENT:
                raise
            missing = error
    if not found:
        raise missing or FileNotFoundError(errno.ENOENT, "nothing to look at")
    found = [(name, status) for name, status in found if status.st_size or oddity(status)] or found[:1]
    first = found[0][1]
    return Fingerprint(
        first.st_dev,
        first.st_ino,
        sum(status.st_size for _, status in found),
        max(status.st_mtime_ns for _, status in found),
        json.dumps([(name, s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns) for name, s in found]),
        next(filter(None, (oddity(status) for _, status in found)), None),
    )


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a file is read, and what it was like then. Written in the transaction of the facts it goes with."""

    path: str
    device: int = 0
    inode: int = 0
    size: int = 0
    """Bytes on disk of which we know; less than there are if reading has to go on."""
    mtime_ns: int = 0
    members: str | None = None
    """As in `Fingerprint`."""
    read_to: int = 0
    """Bytes of the content that are read; with AppendedLines the next ones are read from here."""
    head: str = ""
    """Hash of the first bytes."""
    tail: str = ""
    """Hash of the last bytes before `read_to`."""
    state: str = "{}"
    """The decoder's `State`, as JSON."""
    version: int = 0
    """`Source.version` of the reader."""
    error: str | None = None
    """Why the file could not be read the last time; what was read before stays."""
    machine: str | None = None
    """`SourceFile.machine` of what was read."""


class Vanished(Enum):
    """What becomes of facts that a snapshot had told, and does not tell any more."""

    STAY = "stay"
    """They happened: what is gone was cleared away, or put elsewhere."""
    GO = "go"
    """They are dropped, unless another file tells them: what the snapshot does not say is not so."""
    UNSURE = "unsure"
    """Of one whose facts go: this time they stay, for not all of it could be read."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What one reading of a file came to; its rows are in the batch."""

    file: SourceFile
    watermark: Watermark
    start: int
    """First byte read; 0 also when the file was read again from the start, and never otherwise."""
    session_id: str | None
    more: bool
    """Whether there is more to read at once: what is read in one go is limited."""
    bytes_read: int = 0
    extents: tuple[tuple[str, int], ...] = ()
    """(path, bytes) of the files read: what was told of places beyond that is not there any more."""
    places: tuple[int, ...] | None = None
    """Of a database the places of the rows read, whose rejects are replaced; None: all rejects from `start` on are."""
    tables: tuple[str, ...] = ()
    """Tables in which what is said of a fact replaces what these files had said of it before."""
    vanished: Vanished = Vanished.STAY
    """What becomes of facts that these files alone had told, and do not tell now."""
    renews: bool = False
    """Whether all that these files alone had told at these `places` is dropped: a newer version tells it."""
    moved_from: str | None = None
    """The session that all this was thought to be: it has turned out to be a sub-agent's, in another session."""


class Matter(StrEnum):
    """What an agent may not tell of its sessions. Where it is missing, a view says why: `Source.untold`."""

    INPUT = "input"
    """Tokens that went in, as long as a session runs."""
    BRANCH = "branch"
    VERSION = "version"
    CALL_TIME = "call time"
    """When a tool call ended."""
    FIRST_TOKEN = "first token"
    """How long the first token took."""
    ERRORS = "errors"
    """Whether a call failed, by a sign of its own."""


class SourceBusy(Exception):
    """The owner of the file keeps us out just now. Nothing is wrong: the next sweep tries again."""


class Source:
    """One kind of source. A subclass says where its files lie, which they are, and how they change.

    Most runs find nothing new, so what decodes is imported in `change` and nowhere before.
    """

    kind: str
    """Its name, as in `--source KIND=PATH`; unique."""
    version: int
    """Raised when a change of the decoder should re-read files that are on disk. What they alone had told is then
    dropped first, as far as they still hold it."""
    is_cut: bool = False
    """Whether its files lose old entries while they go on: a newer version then drops nothing of what they had told."""
    agent: str | None = None
    """The agent that its facts tell of, as in `--agent`; None: no agent."""
    untold: Mapping[Matter, str] = MappingProxyType({})
    """What its agent does not tell, each with a sentence that stands where it is missing."""
    variable: str | None = None
    """The variable that names its folders, several with commas, where a person is to be told of it."""
    usual: tuple[str, ...] = ()
    """Where it lies if the variable is not set, as a person would write it, where a person is to be told of it."""
    keeps_ledger: bool = False
    """Whether it may tell what a request took in a ledger besides the session's own file (`ResponseKind.REQUEST`)."""

    def locate(self, places: Places) -> list[Path]:
        """Where this source usually lies on a machine; existing folders only, each once.

        A variable of the agent's own that names a folder wins over the usual places.
        """
        raise NotImplementedError

    def watch_paths(self, root: Path) -> WatchPaths:
        """What to watch in a root, by default all of it.

        Called at each sweep, so that folders which appear later are watched, too.
        """
        return WatchPaths(deep=(root,))

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        """All there is to read under a root, maybe with some that `recognise` does not know.

        Of files that make up one whole only the path that it is named after, whether or not that one exists. Folders
        that cannot be listed are passed over. Called at each sweep: it has to be fast.
        """
        raise NotImplementedError

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """What a change at `path` concerns, or None if that is not one of this source's files.

        The path of a member gives the whole that it belongs to. Nothing is opened.
        """
        raise NotImplementedError

    def members(self, path: os.DirEntry[str] | Path) -> Sequence[os.DirEntry[str] | Path]:
        """The files that make up what `discover` and `recognise` call `path`, in the order in which they are read.

        They need not exist. By default each file is a whole by itself.
        """
        return (path,)

    def fingerprint(self, path: os.DirEntry[str] | Path) -> Fingerprint:
        """What the whole called `path` is like now; it is read when this differs from what the watermark says.

        Raises FileNotFoundError if it is gone, and OSError if it is out of reach.
        """
        return fingerprint_of(self.members(path))

    def change(self, file: SourceFile) -> Change:
        """How a file changes, and what decodes it: `AppendedLines`, `Snapshot` or `Database` with a decoder."""
        raise NotImplementedError

    def usage_change(self, file: SourceFile) -> Change | None:
        """The same for who only asks what responses took: it may be read faster. None: it tells nothing of that."""
        return self.change(file)

    def retention(self, root: Path) -> Retention | None:  # noqa: ARG002
        """For how long the agent keeps the files under a root; None if it does not delete them by itself."""
        return None

    def read(self, file: SourceFile, watermark: Watermark | None, batch: Batch, limit: int) -> ReadResult:
        """Read what is new since a watermark (None: everything) into a batch; about `limit` bytes of it.

        A part that cannot be used becomes a reject (file, place, reason) and costs nothing but itself. Raises
        FileNotFoundError if the file is gone, SourceBusy if the next sweep should try again, and OSError, with a
        reason for people, if it cannot be read. Rows that are in the batch by then do no harm.
        """
        return self._read(self.change(file), file, watermark, batch, limit)

    def read_usage(self, file: SourceFile, watermark: Watermark | None, batch: Batch) -> ReadResult | None:
        """Read what is new of what responses took, as `read`, all at once; None if the file tells nothing of that."""
        change = self.usage_change(file)
        return None if change is None else self._read(change, file, watermark, batch, sys.maxsize)

    def _read(
        self, change: Change, file: SourceFile, watermark: Watermark | None, batch: Batch, limit: int
    ) -> ReadResult:
        batch.whose = {
            column: value
            for column, value in (("agent", self.agent), ("machine", file.machine), ("username", file.username))
            if value is not None
        }
        return change.read(self, file, watermark, batch, limit)


def reason(error: OSError) -> str:
    """Why a file cannot be read, as its watermark tells it."""
    told = error if isinstance(error, NotRegularError) else error.strerror or error
    return f"cannot be read: {told}"


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
        if is_folder(folder):
            found.setdefault(folder.resolve(), folder)
    return list(found.values())
