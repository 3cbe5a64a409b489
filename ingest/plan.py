"""What there is to do: the files on disk compared with what the store knows of them."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..queries.paths import is_folder
from .formats import SOURCES, Fingerprint, Root, SourceFile, Watermark, file_at, reason
from .formats.paths import is_utf8
from .formats.source import ABSENT
from .walk import MOST_TOLD, walking
from .watermarks import KnownFile, is_known_trouble, is_unchanged

NOT_LISTED = "is not listed"


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read, from its watermark on, and what it was like when it was listed."""

    file: SourceFile
    watermark: Watermark | None
    seen: Fingerprint | None
    """None if the file is out of reach: the attempt to read it will say why."""
    is_new: bool = False
    """The store has never heard of it."""
    todo: int = field(init=False, compare=False)
    """About how many bytes there are still to read. Asked for again and again: it is found out once.

    Of a file of which nothing is read that is all of it, however it changes: what decodes it is not imported for that.
    """

    def __post_init__(self) -> None:
        todo = self.size
        if self.watermark is not None:
            todo = SOURCES[self.file.kind].change(self.file).todo(self.watermark, todo)
        object.__setattr__(self, "todo", todo)

    @property
    def path(self) -> str:
        """The file's path, as the store names it."""
        return str(self.file.path)

    @property
    def size(self) -> int:
        """Bytes on disk, when it was listed."""
        return self.seen.size if self.seen is not None else 0

    @property
    def mtime_ns(self) -> int:
        """When it had last changed, when it was listed."""
        return self.seen.mtime_ns if self.seen is not None else 0

    @property
    def is_settled(self) -> bool:
        """Whether the watermark says that all is read that was there when this job was made."""
        mark, seen = self.watermark, self.seen
        if mark is None or seen is None or mark.error is not None:
            return False
        if mark.version != SOURCES[self.file.kind].version or (mark.device, mark.inode) != seen.identity:
            return False
        if (mark.mtime_ns, mark.size, mark.members) == (seen.mtime_ns, seen.size, seen.members):
            return True
        if not _is_later(mark, seen):
            return False
        # Somebody may have read on since. Or the file was put back, with its time, to what it had been before.
        try:
            now = SOURCES[self.file.kind].fingerprint(self.file.path)
        except OSError:
            return False
        return not _is_later(mark, now)

    @classmethod
    def of(
        cls, file: SourceFile, watermark: Watermark | None, seen: Fingerprint | None, *, is_new: bool = False
    ) -> Job:
        """The job of reading a file on; from its start, if it was thought to be another machine's.

        Where nobody says which machine's it is, it is the one that was said last.
        """
        if watermark is not None and file.machine is None and watermark.machine is not None:
            file = dataclasses.replace(file, machine=watermark.machine)
        is_same = watermark is None or watermark.machine == file.machine
        return cls(file, watermark if is_same else None, seen, is_new)

    def since(self, watermark: Watermark | None) -> Job:
        """The same job, going on from another place."""
        if watermark is self.watermark:
            return self
        return self.of(self.file, watermark, self.seen, is_new=self.is_new)


def _is_later(mark: Watermark, seen: Fingerprint) -> bool:
    """Whether a watermark is of a later state of the file than was seen, as far as time and size tell."""
    if mark.mtime_ns == seen.mtime_ns:
        return mark.size > seen.size and mark.members == seen.members
    return mark.mtime_ns > seen.mtime_ns


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
    left_out: list[tuple[Root, str, str]] = field(default_factory=list)
    """Folders that are not listed, which the store does not know yet, and why."""
    folders: set[str] = field(default_factory=set)
    """Folders that hold files."""
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Root -> files and bytes on disk; roots that are there only."""

    @property
    def is_empty(self) -> bool:
        """Whether disk and store agree."""
        return not (self.jobs or self.has_notes)

    @property
    def has_notes(self) -> bool:
        """Whether there is anything to note that is not read."""
        return bool(self.gone or self.back or self.hidden or self.left_out)


def plan(
    roots: Iterable[Root], known: Mapping[str, KnownFile], stop: threading.Event, *, everything: bool = False
) -> Plan:
    """Compare the files under some roots with the store. `everything`: as if nothing had been read yet."""
    made = Plan()
    present = [root for root in roots if is_folder(root.path)]
    found, left_out = _found(present, known, stop)
    made.sizes = {str(root.path): (0, 0) for root in present}
    for path, (root, file, now) in found.items():
        where = str(root.path)
        files, size = made.sizes[where]
        made.sizes[where] = (files + 1, size + (now.size if now else 0))
        made.folders.add(os.path.dirname(path))  # noqa: PTH120
        seen = known.get(path)
        if seen and seen.is_gone:
            made.back.append(path)
        if is_known_trouble(seen, now):
            continue
        is_moved = seen is not None and root.machine not in (None, seen.machine)
        if everything or is_moved or now is None or not is_unchanged(seen, now, SOURCES[root.kind].version):
            file = file or file_at(root, Path(path))
            if file is not None:
                watermark = seen.watermark if seen and not everything else None
                made.jobs.append(Job.of(file, watermark, now, is_new=seen is None))
    for path, (root, why) in left_out.items():
        seen = known.get(path)
        if seen is None or seen.is_gone or seen.error != why:
            made.left_out.append((root, path, why))
    folders = {str(root.path) for root in present}
    there = found.keys() | left_out.keys()
    for path, seen in known.items():
        if not seen.is_gone and path not in there and seen.root in folders and not stop.is_set():
            _missed(path, seen, made)
    made.jobs.sort(key=lambda job: job.mtime_ns, reverse=True)
    return made


def job_for(file: SourceFile, watermark: Watermark | None) -> Job | None:
    """The job of reading one file that may have changed; None if it has not."""
    source = SOURCES[file.kind]
    try:
        now = source.fingerprint(file.path)
    except OSError:
        now = None
    if is_known_trouble(watermark, now):
        return None
    job = Job.of(file, watermark, now)
    return None if now is not None and is_unchanged(job.watermark, now, source.version) else job


class _Found(NamedTuple):
    """A file on disk. `file` is None where the store knows it: most are as they were, and need no more."""

    root: Root
    file: SourceFile | None
    now: Fingerprint | None
    """None if it is out of reach."""


def _found(
    roots: Sequence[Root], known: Mapping[str, KnownFile], stop: threading.Event
) -> tuple[dict[str, _Found], dict[str, tuple[Root, str]]]:
    """The files under the roots, each content once: of several names the store's own, else the first.

    And the folders and files that were left out, with their root and why.
    """
    names: dict[tuple[int, int] | str, tuple[bool, str, _Found]] = {}
    left_out: dict[str, tuple[Root, str]] = {}
    for root, entry in _listed(roots, stop, left_out):
        source, where = SOURCES[root.kind], str(root.path)
        path, file = os.fspath(entry), None
        seen = known.get(path)
        if seen is None or (seen.root, seen.source, seen.version) != (where, root.kind, source.version):
            file = file_at(root, Path(path))
            if file is None:
                if (odd := _with_odd_name(root, path)) is not None and len(left_out) < MOST_TOLD:
                    left_out[odd] = root, f"{NOT_LISTED}: its name is not UTF-8"
                continue
        now: Fingerprint | None
        try:
            now = source.fingerprint(entry)
            # What is no file is not read, under none of its names.
            identity: tuple[int, int] | str = path if now.oddity else now.identity
        except OSError as error:
            if error.errno in ABSENT:
                continue
            now, identity = None, path
        other = names.get(identity)
        if other is None or (seen is None, path) < other[:2]:
            names[identity] = (seen is None, path, _Found(root, file, now))
    if stop.is_set():
        return {}, {}
    found = {path: each for is_new, path, each in names.values() if not is_new}
    if len(found) < len(names):
        usual: dict[tuple[int, int] | str, str] = {
            (seen.device, seen.inode): path
            for path, seen in known.items()
            if seen.version is not None and not seen.is_gone
        }
        for key, (is_new, path, each) in names.items():
            if is_new:
                name, each = _by_usual_name(path, each, usual.get(key))
                found[name] = each
    return found, left_out


def _with_odd_name(root: Root, path: str) -> str | None:
    """What the store calls a file that is only no source file because its path is not UTF-8; None of all others."""
    if path.isascii() or is_utf8(Path(path)):
        return None
    told = os.fsencode(path).decode("utf-8", "replace")
    is_another = os.path.lexists(told)
    return None if is_another or file_at(root, Path(told)) is None else told


def _listed(
    roots: Sequence[Root], stop: threading.Event, left_out: dict[str, tuple[Root, str]]
) -> Iterator[tuple[Root, os.DirEntry[str] | Path]]:
    """All files that may be of a source; `left_out` is added to. Ends early once `stop` is set."""
    for root in roots:
        with walking(stop) as walk:
            for entry in SOURCES[root.kind].discover(root.path):
                if stop.is_set():
                    return
                yield root, entry
        left_out |= {path: (root, f"{NOT_LISTED}: {why}") for path, why in walk.left_out.items()}


def _by_usual_name(path: str, found: _Found, usual: str | None) -> tuple[str, _Found]:
    if found.file is None or found.now is None:
        return path, found
    named = by_its_usual_name(found.file, usual, found.now.identity)
    return (path, found) if named is None else (str(named.path), found._replace(file=named))


def by_its_usual_name(file: SourceFile, usual: str | None, identity: tuple[int, int]) -> SourceFile | None:
    """The file under the name that the store knows it by, if it still has that, too: files and folders have links."""
    if usual is None:
        return None
    source = SOURCES[file.kind]
    try:
        if source.fingerprint(Path(usual)).identity != identity:
            return None
    except OSError:
        return None
    return file_at(Root(file.kind, file.root, file.machine), Path(usual))


def _missed(path: str, seen: KnownFile, made: Plan) -> None:
    """Say why a known file was not found: it is gone, out of reach, or has another name now."""
    try:
        Path(path).stat()
        if (seen.error or "").startswith(NOT_LISTED):
            # It is listed now, and was never a file.
            made.gone.append(path)
    except OSError as error:
        if error.errno in ABSENT:
            made.gone.append(path)
        elif seen.version is None or seen.error != reason(error):
            made.hidden[path] = reason(error)
