"""Listing what is below a folder, within bounds: a link may lead to the whole disk.

Real folders are listed wherever they are, down to a depth that no agent comes near. A link to a folder is followed
unless it leads to a folder above it, to another disk or into the system's own files, and the folders behind links are
counted. What is left out is remembered, so that it can be told: a user may name such a folder with `--source`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..queries.regular import is_of_the_system

MOST_DEEP = 16
"""Folders below one another; the deepest layout of an agent has six."""

MOST_LINKED = 10_000
"""Folders behind links, in one walk."""

MOST_TOLD = 100
"""Folders left out of one walk that are remembered."""

_LOOK_EVERY = 1000
"""Entries of a folder, between two looks whether to go on."""

ABOVE = "it leads to a folder above it"
ELSEWHERE = "it leads to another disk"
SYSTEM = "it is of the system"
DEEP = f"it is more than {MOST_DEEP} folders deep"
MANY = f"more than {MOST_LINKED:,} folders are behind links"


class Stop(Protocol):
    """An event, or what can stand for one."""

    def is_set(self) -> bool:
        """Whether to stop."""


@dataclass(slots=True)
class Walk:
    """What goes for all walks in a block, and what they left out."""

    stop: Stop
    """Once it is set, walks end early."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Path -> why."""
    links: int = 0
    """Links to folders that were met."""

    def leave_out(self, path: str, reason: str) -> None:
        """Remember a folder that is not listed."""
        if len(self.left_out) < MOST_TOLD:
            # The path comes into the store, which holds UTF-8 only.
            self.left_out[os.fsencode(path).decode("utf-8", "replace")] = reason


_current: ContextVar[Walk | None] = ContextVar("walk", default=None)


@contextlib.contextmanager
def walking(stop: Stop | None = None) -> Iterator[Walk]:
    """All walks in this block end early once `stop` is set, and tell the same `Walk` what they leave out."""
    made = Walk(stop or threading.Event())
    token = _current.set(made)
    try:
        yield made
    finally:
        _current.reset(token)


@dataclass(slots=True)
class _Folder:
    path: str
    depth: int
    linked: bool
    """Whether it is a link, or behind one."""


def walk(folder: Path, *, is_root: bool = True) -> Iterator[os.DirEntry[str]]:
    """All files below a folder. A folder that is met twice through links is listed once; others may be left out.

    `is_root`: the folder was named, and may itself be a link to anywhere but to a folder above it. Raises nothing:
    folders that cannot be listed are passed over.
    """
    for _, files in folders(folder, is_root=is_root):
        yield from files


def folders(
    folder: Path,
    *,
    is_root: bool = True,
    followed: int = MOST_DEEP,
    other_disks: bool = False,
    failed: Callable[[OSError], None] = lambda _: None,
) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """The same by folder: its path, and the files in it.

    Links are followed down to the depth `followed`, with `other_disks` also to those. `failed` is told of folders that
    cannot be listed.
    """
    told = _current.get() or Walk(threading.Event())
    seen: set[tuple[int, int]] = set()
    first = _Folder(str(folder), 0, not is_root)
    device = None if other_disks else _device_of(folder if is_root else folder.parent)
    waiting = [first]
    linked = 0
    while waiting and not told.stop.is_set():
        base = waiting.pop()
        try:
            status = os.stat(base.path)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in seen:
                continue
            is_link = os.path.islink(base.path)  # noqa: PTH114
            told.links += is_link and base is not first
            linked += base.linked
            reason = _reason(base, status, device, is_link=is_link, linked=linked)
            if reason is not None:
                told.leave_out(base.path, reason)
                if reason == MANY:
                    # Once is enough: it goes for all of them.
                    waiting = [other for other in waiting if not other.linked]
                continue
            inner, files = _entries(base, told.stop, followed)
        except OSError as error:
            failed(error)
            continue
        seen.add((status.st_dev, status.st_ino))
        waiting += inner
        yield base.path, files


def _entries(base: _Folder, stop: Stop, followed: int) -> tuple[list[_Folder], list[os.DirEntry[str]]]:
    inner: list[_Folder] = []
    files: list[os.DirEntry[str]] = []
    with os.scandir(base.path) as listed:
        for number, entry in enumerate(listed):
            if number % _LOOK_EVERY == 0 and stop.is_set():
                break
            if _is_folder(entry):
                is_link = entry.is_symlink()
                if not is_link or base.depth < followed:
                    inner.append(_Folder(entry.path, base.depth + 1, base.linked or is_link))
            else:
                files.append(entry)
    return inner, files


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _reason(base: _Folder, status: os.stat_result, device: int | None, *, is_link: bool, linked: int) -> str | None:
    """Why a folder is left out; None if it is listed."""
    if is_of_the_system(status):
        return SYSTEM
    if base.depth > MOST_DEEP:
        return DEEP
    if is_link and leads_up(base.path):
        return ABOVE
    if base.linked and device is not None and status.st_dev != device:
        return ELSEWHERE
    return MANY if linked > MOST_LINKED else None


def leads_up(link: str) -> bool:
    """Whether the target of a link holds the link itself."""
    target = os.path.realpath(link)
    place = os.path.realpath(os.path.dirname(os.path.abspath(link)))  # noqa: PTH100, PTH120
    return os.path.commonpath([target, place]) == target


def _device_of(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None
