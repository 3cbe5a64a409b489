"""Reading small files that another program writes: bytes, JSON, times and counts, trusting none of them."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from ...queries.regular import read_bytes

MAX_FILE = 64 * 1024 * 1024
"""Bytes; the files read here are kilobytes, so anything larger is not one of them."""

MAX_TEXT = 4000
"""Characters kept of any one text."""

_INT64_MAX = 2**63 - 1
_BOM = b"\xef\xbb\xbf"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be used, and why. It cost only itself."""

    path: str
    reason: str
    line: int = 0
    """From 1; 0 where the whole file is meant."""
    pos: int = 0
    """Byte offset of the line."""
    length: int = 0
    """Bytes of the line, 0 where the whole file is meant."""


@dataclass(frozen=True, slots=True)
class ValuesRead(Generic[T]):
    """The rows that could be read from a file, and the problems met on the way."""

    rows: tuple[T, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a file. `torn` marks a last line without its newline: it may still be growing."""

    number: int
    pos: int
    data: bytes
    torn: bool

    def problem(self, path: Path, reason: str) -> Problem:
        """This line as a problem of the file at `path`."""
        return Problem(path_text(path), reason, self.number, self.pos, len(self.data))


def reason_of(error: Exception) -> str:
    """One line about an error of the file system, without the path, which the problem names anyway."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__


def read_file(path: Path, problems: list[Problem]) -> bytes | None:
    """The bytes of a regular file; None if it is absent, or (with a problem) if it cannot be read."""
    try:
        return read_bytes(path, MAX_FILE).removeprefix(_BOM)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = reason_of(error)
    problems.append(Problem(path_text(path), reason))
    return None


def read_object(path: Path, problems: list[Problem]) -> dict[str, Any] | None:
    """The JSON object in a file; None if the file is absent, or (with a problem) if it holds no object."""
    data = read_file(path, problems)
    if data is None:
        return None
    value: Any
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except ValueError as error:
        problems.append(Problem(path_text(path), f"not JSON: {error}"))
        return None
    except RecursionError:
        problems.append(Problem(path_text(path), "nested too deeply"))
        return None
    if isinstance(value, dict):
        return value
    problems.append(Problem(path_text(path), "not a JSON object"))
    return None


def list_folder(folder: Path, problems: list[Problem]) -> list[os.DirEntry[str]]:
    """The entries of a folder by name; none if it is absent, or (with a problem) if it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        problems.append(Problem(path_text(folder), reason_of(error)))
        return []


def lines_of(data: bytes) -> Iterator[LogLine]:
    """The non-blank lines of a file, without their line ends (LF or CR LF)."""
    pos = 0
    for number, raw in enumerate(data.split(b"\n"), 1):
        start, pos = pos, pos + len(raw) + 1
        if raw.strip():
            yield LogLine(number, start, raw.rstrip(b"\r"), torn=pos > len(data))


def text_of(value: object, limit: int = MAX_TEXT) -> str | None:
    """A non-empty string without credentials and lone surrogates, cut to `limit` characters; None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    # Most runs read no such file: what they import is here for all of them.
    from ..text import kept

    return kept(value, limit).encode("utf-8", "replace").decode()


def path_text(path: Path) -> str:
    """A path as text that can be stored; bytes of a file name that are no UTF-8 become `?`."""
    return os.fspath(path).encode("utf-8", "replace").decode()


def count_of(value: object) -> int | None:
    """A whole number from 0 to 2^63-1, also when it was written as a float; None for anything else."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _INT64_MAX:
        return None
    return value


def time_of(value: object) -> dt.datetime | None:
    """A time written in ISO 8601 (basic or extended form) as UTC. Without an offset it is UTC already.

    Agnes writes naive times in UTC everywhere, in its files and in the answers of its server.
    """
    if not isinstance(value, str):
        return None
    with contextlib.suppress(ValueError, OverflowError):
        moment = dt.datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    return None


def unix_time(value: object) -> dt.datetime | None:
    """Seconds since 1970, whole or not, as UTC; None for anything that is no such time."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return dt.datetime.fromtimestamp(value, dt.UTC)
    return None


def stable_id(*parts: str) -> str:
    """The same 32 hex digits for the same parts on every reading, so that loading twice changes nothing."""
    joined = "\x1f".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(joined).hexdigest()[:32]
