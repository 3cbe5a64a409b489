"""What there is to do: the files on disk compared with what the store knows of them."""

from __future__ import annotations

import dataclasses
import errno
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..queries.regular import oddity
from .formats import ADAPTERS, Root, SourceFile
from .marks import Known, Mark, is_known_trouble, is_unchanged, reason


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read, from its mark on, and what it was like when it was listed."""

    file: SourceFile
    mark: Mark | None
    size: int
    mtime_ns: int
    identity: tuple[int, int]
    is_new: bool = False
    """The store has never heard of it."""

    @property
    def path(self) -> str:
        """The file's path, as the store names it."""
        return str(self.file.path)

    @property
    def todo(self) -> int:
        """Bytes still to read."""
        same = self.mark is not None and self.mark.read_to <= self.size and not self.file.whole
        return self.size - self.mark.read_to if self.mark is not None and same else self.size

    @property
    def is_settled(self) -> bool:
        """Whether the mark says that all is read that was there when this job was made."""
        mark = self.mark
        return (
            mark is not None
            and mark.error is None
            and mark.parser == ADAPTERS[self.file.kind].version
            and _identity(mark) == self.identity
            and mark.size >= self.size
            and mark.mtime_ns >= self.mtime_ns
        )

    def from_mark(self, mark: Mark | None) -> Job:
        """The same job, going on from another place."""
        return dataclasses.replace(self, mark=mark)


@dataclass(slots=True)
class Plan:
    """All that differs between the disk and the store."""

    jobs: list[Job] = field(default_factory=list)
    """To read, the newest first."""
    gone: list[str] = field(default_factory=list)
    """Vanished, though their root is there."""
    back: list[str] = field(default_factory=list)
    """Thought to be gone, and on disk."""
    hidden: dict[str, str] = field(default_factory=dict)
    """Known files out of reach -> why: their folder may not be read any more."""
    folders: set[str] = field(default_factory=set)
    """Folders that hold files."""
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Root -> files and bytes on disk; roots that are there only."""

    @property
    def is_empty(self) -> bool:
        """Whether disk and store agree."""
        return not (self.jobs or self.gone or self.back or self.hidden)


def plan(roots: Iterable[Root], known: Mapping[str, Known], stop: threading.Event, *, everything: bool = False) -> Plan:
    """Compare the files under some roots with the store. `everything`: as if nothing had been read yet."""
    made = Plan()
    present = [root for root in roots if root.path.is_dir()]
    found = _found(present, known, stop)
    made.sizes = {str(root.path): (0, 0) for root in present}
    for path, (root, file, status) in found.items():
        where = str(root.path)
        files, size = made.sizes[where]
        made.sizes[where] = (files + 1, size + (status.st_size if status else 0))
        made.folders.add(os.path.dirname(path))  # noqa: PTH120
        seen = known.get(path)
        if seen and seen.is_gone:
            made.back.append(path)
        if is_known_trouble(seen, status):
            continue
        if everything or status is None or not is_unchanged(seen, status, ADAPTERS[root.kind].version):
            file = file or ADAPTERS[root.kind].recognise(root.path, Path(path))
            if file is not None:
                mark = seen.mark if seen and not everything else None
                made.jobs.append(_job(file, mark, status, is_new=seen is None))
    folders = {str(root.path) for root in present}
    for path, seen in known.items():
        if not seen.is_gone and path not in found and seen.root in folders and not stop.is_set():
            _missed(path, seen, made)
    made.jobs.sort(key=lambda job: job.mtime_ns, reverse=True)
    return made


def job_for(file: SourceFile, mark: Mark | None) -> Job | None:
    """The job of reading one file that may have changed; None if it has not."""
    try:
        status = file.path.stat()
    except OSError:
        status = None
    if is_known_trouble(mark, status):
        return None
    if status is not None and is_unchanged(mark, status, ADAPTERS[file.kind].version):
        return None
    return _job(file, mark, status)


def _job(file: SourceFile, mark: Mark | None, status: os.stat_result | None, *, is_new: bool = False) -> Job:
    """`status` is None for a file out of reach: the attempt to read it will say why."""
    if status is None:
        return Job(file, mark, 0, 0, (0, 0), is_new)
    return Job(file, mark, status.st_size, status.st_mtime_ns, (status.st_dev, status.st_ino), is_new)


class _Found(NamedTuple):
    """A file on disk. `file` is None where the store knows it: most are as they were, and need no more."""

    root: Root
    file: SourceFile | None
    status: os.stat_result | None
    """None if it is out of reach."""


def _found(roots: Sequence[Root], known: Mapping[str, Known], stop: threading.Event) -> dict[str, _Found]:
    """The files under the roots, each content once: of several names the store's own, else the first."""
    names: dict[tuple[int, int] | str, tuple[bool, str, _Found]] = {}
    for root in roots:
        adapter, where = ADAPTERS[root.kind], str(root.path)
        for entry in adapter.discover(root.path):
            if stop.is_set():
                return {}
            path, file = os.fspath(entry), None
            seen = known.get(path)
            if seen is None or (seen.root, seen.source, seen.parser) != (where, root.kind, adapter.version):
                file = adapter.recognise(root.path, Path(path))
                if file is None:
                    continue
            try:
                status = entry.stat()
                # What is no file is not read, under none of its names.
                identity: tuple[int, int] | str = path if oddity(status) else (status.st_dev, status.st_ino)
            except OSError as error:
                if error.errno in _ABSENT:
                    continue
                status, identity = None, path
            other = names.get(identity)
            if other is None or (seen is None, path) < other[:2]:
                names[identity] = (seen is None, path, _Found(root, file, status))
    found = {path: each for is_new, path, each in names.values() if not is_new}
    if len(found) < len(names):
        usual: dict[tuple[int, int] | str, str] = {
            (seen.device, seen.inode): path
            for path, seen in known.items()
            if seen.parser is not None and not seen.is_gone
        }
        for key, (is_new, path, each) in names.items():
            if is_new:
                name, each = _by_usual_name(path, each, usual.get(key))
                found[name] = each
    return found


def _by_usual_name(path: str, found: _Found, usual: str | None) -> tuple[str, _Found]:
    if found.file is None or found.status is None:
        return path, found
    named = by_its_usual_name(found.file, usual, found.status)
    return (path, found) if named is None else (str(named.path), found._replace(file=named))


def _identity(mark: Mark) -> tuple[int, int]:
    return mark.device, mark.inode


def by_its_usual_name(file: SourceFile, usual: str | None, status: os.stat_result) -> SourceFile | None:
    """The file under the name that the store knows it by, if it still has that, too: files and folders have links."""
    if usual is None:
        return None
    try:
        if not os.path.samestat(Path(usual).stat(), status):
            return None
    except OSError:
        return None
    return ADAPTERS[file.kind].recognise(file.root, Path(usual))


_ABSENT = (errno.ENOENT, errno.ENOTDIR)


def _missed(path: str, seen: Known, made: Plan) -> None:
    """Say why a known file was not found: it is gone, out of reach, or has another name now."""
    try:
        Path(path).stat()
    except OSError as error:
        if error.errno in _ABSENT:
            made.gone.append(path)
        elif seen.mark is None or seen.mark.error != reason(error):
            made.hidden[path] = reason(error)
