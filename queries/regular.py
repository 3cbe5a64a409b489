"""Opening files whose names anybody may have made: only regular ones, and nothing that can block or has no end.

A pipe without a writer blocks whoever opens it, a device may never end, and to open some of them does something. So a
path is looked at before it is opened, it is opened without waiting, and what was opened is looked at again: another
file may have taken the name in between.
"""

from __future__ import annotations

import errno
import functools
import os
import stat
from pathlib import Path
from typing import BinaryIO

_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)

_CHUNK = 1024 * 1024


class NotRegularError(OSError):
    """What has this name is no regular file, but `kind`, as "a pipe"."""

    def __init__(self, kind: str, path: str | os.PathLike[str]) -> None:
        super().__init__(errno.EINVAL, "not a regular file", os.fspath(path))
        self.kind = kind

    def __str__(self) -> str:
        """What it is instead; the number and the path say nothing here."""
        return f"{self.kind}, not a regular file"


def oddity(status: os.stat_result) -> str | None:
    """What a file is if it is no regular one, as "a pipe"; None for a regular one.

    The files of the kernel's own file systems pass for regular, and have no size, no end, or block.
    """
    if stat.S_ISREG(status.st_mode):
        return "a file of the system" if is_of_the_system(status) else None
    return next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "something else")


def is_of_the_system(status: os.stat_result) -> bool:
    """Whether a file or folder is in one of the kernel's own file systems."""
    return status.st_dev in _kernel_devices()


@functools.cache
def _kernel_devices() -> frozenset[int]:
    found = set()
    for name in ("/proc", "/sys", "/sys/kernel/debug", "/sys/kernel/tracing"):
        try:
            status = os.stat(name)  # noqa: PTH116
        except OSError:
            continue
        found.add(status.st_dev)
    # Where nothing is mounted there, it is an ordinary folder of the disk.
    return frozenset(found - {os.stat("/").st_dev}) if found else frozenset()  # noqa: PTH116


def check(path: str | os.PathLike[str]) -> None:
    """Raise NotRegularError if something other than a regular file has this name; for those who open by name.

    Raises no other error: who opens it meets that.
    """
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return
    kind = oddity(status)
    if kind is not None:
        raise NotRegularError(kind, path)


def descriptor_of(path: str | os.PathLike[str]) -> int:
    """Open a regular file for reading; its descriptor. Raises NotRegularError, another OSError; ValueError for NUL."""
    kind = oddity(os.stat(path))  # noqa: PTH116
    if kind is not None:
        raise NotRegularError(kind, path)
    descriptor = os.open(path, _FLAGS)
    try:
        kind = oddity(os.fstat(descriptor))
        if kind is not None:
            raise NotRegularError(kind, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def opened(path: str | os.PathLike[str], buffering: int = -1) -> BinaryIO:
    """Open a regular file for reading bytes. Raises as `descriptor_of`."""
    return os.fdopen(descriptor_of(path), "rb", buffering)


def read_bytes(path: str | os.PathLike[str], most: int) -> bytes:
    """The content of a regular file of up to `most` bytes. Raises as `descriptor_of`; OSError for a larger one."""
    parts, size = [], 0
    with opened(path, 0) as stream:
        # What one may expect to be small is read at once; what grows while it is read is cut off.
        while part := stream.read(_CHUNK):
            size += len(part)
            if size > most:
                raise OSError(errno.EFBIG, f"larger than {_amount(most)}", os.fspath(path))
            parts.append(part)
    return b"".join(parts)


def read_text(path: Path, most: int) -> str:
    """The same as text in UTF-8. Raises ValueError for bytes that are none."""
    return read_bytes(path, most).decode("utf-8")


def _amount(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size:,} bytes"
