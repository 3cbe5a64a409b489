"""Linux's inotify: the kernel tells what changes in folders, and until then whoever listens sleeps."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import platform
import select
import struct
import sys
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

GATHER_SECONDS = 0.005
"""What changes so soon after something else is told with it: a line may be written in two parts."""

_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x4, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF = 0x400, 0x800
_OVERFLOW, _IGNORED, _ONLY_FOLDERS, _IS_FOLDER = 0x4000, 0x8000, 0x1000000, 0x40000000
_WANTED = _MODIFY | _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF | _ONLY_FOLDERS

_HEAD = struct.Struct("iIII")
_MOST_BYTES, _MOST_READS = 64 * 1024, 16
_PASSED_OVER = {errno.ENOENT, errno.ENOTDIR, errno.EACCES}
"""Folders that have gone meanwhile, or are not ours to see."""


def works() -> bool:
    """Whether it can be asked here. Not where files are changed from outside, as in Windows' Linux."""
    if not sys.platform.startswith("linux") or os.environ.get("WATCHFILES_FORCE_POLLING"):
        return False
    return "microsoft" not in platform.release().lower() and _library() is not None


@functools.cache
def _library() -> Any | None:
    try:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        library.inotify_init1.argtypes = [ctypes.c_int]
        library.inotify_add_watch.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32]
        library.inotify_rm_watch.argtypes = [ctypes.c_int, ctypes.c_int]
    except (ImportError, OSError, AttributeError):
        return None
    return library


def _called(answer: int) -> int:
    if answer < 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer


@dataclass(slots=True)
class Seen:
    """What was told since last time."""

    paths: set[str] = field(default_factory=set)
    """What has changed, come or gone."""
    new_folders: list[str] = field(default_factory=list)
    """Folders among it that have come, which nobody watches yet."""
    is_incomplete: bool = False
    """More has changed than could be told, or a folder that was to be watched has gone."""


class Watches:
    """Some folders that are watched, each by itself. A context manager; for one thread."""

    def __init__(self) -> None:
        """Raises OSError where there are no more of these, RuntimeError where the system has none."""
        library = _library()
        if library is None:
            raise RuntimeError("no inotify")
        self._library = library
        self._descriptor = _called(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._paths: dict[int, str] = {}

    def __enter__(self) -> Watches:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.close(self._descriptor)

    def __len__(self) -> int:
        return len(self._paths)

    def add(self, folder: str) -> None:
        """Watch a folder, too, unless it has gone. Raises OSError if there are too many."""
        try:
            number = _called(self._library.inotify_add_watch(self._descriptor, os.fsencode(folder), _WANTED))
        except OSError as error:
            if error.errno not in _PASSED_OVER:
                raise
            return
        self._paths[number] = folder

    def wait(self, woken: int) -> Seen:
        """What changes next. Nothing as soon as the descriptor `woken` can be read from."""
        seen = Seen()
        poll = select.poll()
        for descriptor in (self._descriptor, woken):
            poll.register(descriptor, select.POLLIN)
        if self._descriptor not in dict(poll.poll()):
            return seen
        time.sleep(GATHER_SECONDS)
        with contextlib.suppress(BlockingIOError):
            for _ in range(_MOST_READS):
                self._read(os.read(self._descriptor, _MOST_BYTES), seen)
        return seen

    def _read(self, data: bytes, seen: Seen) -> None:
        at = 0
        while at < len(data):
            number, what, _, length = _HEAD.unpack_from(data, at)
            name = data[at + _HEAD.size : at + _HEAD.size + length].rstrip(b"\0")
            at += _HEAD.size + length
            self._take(number, what, os.fsdecode(name), seen)

    def _take(self, number: int, what: int, name: str, seen: Seen) -> None:
        if what & _OVERFLOW:
            seen.is_incomplete = True
        folder = self._paths.get(number)
        if folder is None:
            return
        if what & _IGNORED:
            del self._paths[number]
            return
        path = f"{folder}{os.sep}{name}" if name else folder
        seen.paths.add(path)
        if what & _MOVE_SELF:
            # It is still watched, under a name that it has no more.
            seen.is_incomplete = True
        if what & _IS_FOLDER and what & (_CREATE | _MOVED_TO):
            seen.new_folders.append(path)
