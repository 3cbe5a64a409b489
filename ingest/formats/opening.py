"""Opening the files of a source: regular files only, and unpacked where they are compressed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from ...queries import regular

BUFFER = 256 * 1024
"""Bytes read at once."""

COMPRESSED = (".gz", ".zst")
"""Endings of files that are unpacked as they are read."""

MOST_UNPACKED = 4 * 1024**3
"""Bytes of a compressed file that are read: a few of them may unpack to more than any disk holds."""


class BrokenError(OSError):
    """A compressed file that cannot be unpacked from here on."""


@contextlib.contextmanager
def opened(path: Path, buffer: int = BUFFER) -> Iterator[tuple[BinaryIO, os.stat_result, int]]:
    """A file's content, seekable; the status of the file; how many bytes of content there are at most.

    `buffer`: bytes read at once where less is asked for. Raises FileNotFoundError, and OSError for what is no regular
    file or cannot be read; reading on in a compressed file may raise BrokenError.
    """
    with regular.opened(path, buffer) as file:
        status = os.fstat(file.fileno())
        if path.suffix not in COMPRESSED:
            yield file, status, status.st_size
            return
        with _unpacker(path.suffix)(file) as stream:
            yield cast("BinaryIO", _Unpacked(stream)), status, MOST_UNPACKED


class _Unpacked:
    """A stream whose library says in its own way that a file is broken."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def seek(self, pos: int) -> None:
        self._translated(self._stream.seek, pos)

    def read(self, size: int) -> bytes:
        return cast("bytes", self._translated(self._stream.read, size))

    def readinto(self, space: memoryview) -> int:
        got = self.read(len(space))
        space[: len(got)] = got
        return len(got)

    def readline(self, size: int) -> bytes:
        return cast("bytes", self._translated(self._stream.readline, size))

    @staticmethod
    def _translated(call: Callable[[int], Any], number: int) -> Any:
        try:
            return call(number)
        except Exception as error:
            # EOFError, zlib.error, gzip.BadGzipFile, ZstdError …
            if isinstance(error, MemoryError):
                raise
            raise BrokenError(f"cannot be unpacked: {error}") from error


def _unpacker(suffix: str) -> Callable[[BinaryIO], Any]:
    for name in ("gzip",) if suffix == ".gz" else ("compression.zstd", "backports.zstd"):
        with contextlib.suppress(ImportError):
            return cast("Callable[[BinaryIO], Any]", import_module(name).open)
    raise OSError("is compressed with zstd, and nothing is installed that unpacks it: install backports.zstd")
