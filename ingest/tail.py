"""Reading a file from where we left off, and noticing when it is no longer the same file."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os
from typing import Any, BinaryIO

from ..queries.regular import opened
from .batch import Batch
from .formats import ADAPTERS, SourceFile, State
from .formats.source import Parser
from .jsonl import MAX_LINE, is_whole
from .marks import Mark, Stretch, reason

__all__ = ["Mark", "Stretch", "read_stretch"]

STRETCH = 48 * 1024 * 1024
"""Bytes read of one file before its rows are handed on, so that a huge file needs no huge memory."""

BUFFER = 256 * 1024
"""Bytes read at once."""

UNTIMED_HEAD = 1024 * 1024
"""Bytes: a longer start of a file without any time is not read again when a time turns up."""

_HEAD = 1024
_TAIL = 256


def read_stretch(file: SourceFile, mark: Mark | None, batch: Batch, limit: int = STRETCH) -> Stretch | None:
    """Read what is new in a file into the batch, up to its last whole line.

    None if the file is gone. A file that cannot be read gives a mark with `error`, and what was read before stays.
    """
    adapter = ADAPTERS[file.kind]
    try:
        with opened(file.path, BUFFER) as stream:
            status = os.fstat(stream.fileno())
            start, state = (0, {}) if file.whole else _resume(stream, status, mark, adapter.version)
            parser = adapter.parser(file, state, batch)
            if file.whole:
                end, more = _read_whole(stream, parser), False
            else:
                stream.seek(start)
                end, more = _read_lines(stream, parser, start, limit, status.st_size)
            state = parser.finish()
            now = Mark(
                path=str(file.path),
                device=status.st_dev,
                inode=status.st_ino,
                # A stretch that ended early must not look finished to the next comparison of sizes.
                size=end if more else max(status.st_size, end),
                mtime_ns=0 if more else status.st_mtime_ns,
                read_to=end,
                head=_digest(stream, 0, min(end, _HEAD)),
                tail=_digest(stream, max(0, end - _TAIL), min(end, _TAIL)),
                state=json.dumps(state, separators=(",", ":")),
                parser=adapter.version,
            )
    except FileNotFoundError:
        return None
    except OSError as error:
        known = mark or Mark(path=str(file.path))
        return Stretch(
            file, dataclasses.replace(known, error=reason(error)), known.read_to, file.session_id, more=False
        )
    session = state.get("session")
    return Stretch(file, now, start, session if isinstance(session, str) else file.session_id, more)


def _resume(stream: BinaryIO, status: os.stat_result, mark: Mark | None, version: int) -> tuple[int, State]:
    """Where to go on and with what state: from the start unless all signs say the file was only appended to."""
    if (
        mark is None
        or mark.parser != version
        or (mark.device, mark.inode) != (status.st_dev, status.st_ino)
        or status.st_size < mark.read_to
    ):
        return 0, {}
    end = mark.read_to
    if _digest(stream, 0, min(end, _HEAD)) != mark.head:
        return 0, {}
    if _digest(stream, max(0, end - _TAIL), min(end, _TAIL)) != mark.tail:
        return 0, {}
    state: dict[str, Any] = json.loads(mark.state)
    # Rows before the first time in the file take that time: it may be in what follows.
    return (0, {}) if state.get("untimed") and end <= UNTIMED_HEAD else (end, state)


def _read_whole(stream: BinaryIO, parser: Parser) -> int:
    content = stream.read(MAX_LINE + 1)
    if len(content) > MAX_LINE:
        parser.reject(0, len(content), "longer than 64 MiB")
    elif content.strip():
        parser.feed(content, 0)
    return len(content)


def _read_lines(stream: BinaryIO, parser: Parser, start: int, limit: int, size: int) -> tuple[int, bool]:
    """Feed whole lines; the byte after the last one, and whether the limit stopped us.

    Nothing is read beyond `size`, which the file had when it was opened: what grows as fast as it is read has an end.
    """
    end = pos = start
    while pos - start < limit:
        line = stream.readline(min(MAX_LINE, size - pos)) if pos < size else b""
        if not line:
            return end, False
        if line.endswith(b"\n"):
            if not line.isspace():
                parser.feed(line, pos)
        elif len(line) == MAX_LINE:
            length = _skip_line(stream, pos, len(line), size)
            if length is None:
                return end, False
            parser.reject(pos, length, "line longer than 64 MiB")
            pos += length - len(line)
        elif not is_whole(line):
            return end, False
        else:
            parser.feed(line, pos)
        pos += len(line)
        end = pos
    return end, True


def _skip_line(stream: BinaryIO, start: int, length: int, size: int) -> int | None:
    """Read to the end of an overlong line: its length, or None if its end is not written yet.

    Holes, of which a file may have any number of terabytes, are passed over.
    """
    while (at := start + length) < size:
        data = _next_data(stream.fileno(), at)
        if data is None:
            return None
        stream.seek(data)
        part = stream.readline(min(MAX_LINE, size - data))
        length = data + len(part) - start
        if part.endswith(b"\n"):
            return length
        if not part:
            return None
    return None


def _next_data(descriptor: int, at: int) -> int | None:
    """Where something is written from a place on; None if there is only a hole."""
    if not hasattr(os, "SEEK_DATA"):
        return at
    here = os.lseek(descriptor, 0, os.SEEK_CUR)
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as error:
        # Not every file system knows of holes.
        return None if error.errno == errno.ENXIO else at
    finally:
        os.lseek(descriptor, here, os.SEEK_SET)


def _digest(stream: BinaryIO, start: int, length: int) -> str:
    stream.seek(start)
    return hashlib.blake2b(stream.read(length), digest_size=8).hexdigest()
