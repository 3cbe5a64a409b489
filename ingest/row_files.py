"""Rows on their way into the store, as SQL reads them."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from ..queries.quoting import quoted

RowFiles = dict[str, list[Path]]
"""Table -> files of its rows."""


@dataclass(frozen=True, slots=True)
class RowsApart:
    """Rows of several tables in one file, those of a table in one piece.

    To make a file takes up to a millisecond where many were deleted lately, and a catch-up has dozens of tasks.
    """

    path: str
    pieces: dict[str, tuple[int, int]]
    """Table -> where its rows begin and end, in bytes."""


def encoded_lines(rows: Iterable[object]) -> Iterator[bytes]:
    """Rows as JSON, a row a line, many lines at once."""
    encoder, rows = msgspec.json.Encoder(), iter(rows)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        yield encoder.encode_lines(some)


_ROWS_AT_ONCE = 1000


def write_each(folder: Path, name: str, tables: Mapping[str, Iterable[bytes]]) -> dict[str, Path]:
    """Write the lines of each table to `folder/name.table.ndjson`; the files by table. Raises OSError."""
    written = {}
    for table, lines in tables.items():
        written[table] = folder / f"{name}.{table}.ndjson"
        with written[table].open("wb") as file:
            file.writelines(lines)
    return written


def write_apart(path: Path, tables: Mapping[str, Iterable[bytes]]) -> RowsApart:
    """Write the lines of each table to a file. Raises OSError."""
    pieces = {}
    with path.open("wb") as file:
        for table, lines in tables.items():
            start = file.tell()
            file.writelines(lines)
            if file.tell() > start:
                pieces[table] = start, file.tell()
    return RowsApart(str(path), pieces)


def put_together(some: Sequence[RowsApart]) -> dict[str, Path]:
    """Copy the rows of each table into a file of its own, which lies beside the first of theirs. Raises OSError."""
    made: dict[str, Path] = {}
    with contextlib.ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for apart in some:
            with Path(apart.path).open("rb", buffering=0) as rows:
                for table, (start, end) in apart.pieces.items():
                    if table not in files:
                        made[table] = Path(f"{some[0].path}.{table}")
                        files[table] = stack.enter_context(made[table].open("wb", buffering=0))
                    rows.seek(start)
                    if _copy(rows, files[table], end - start) < end - start:
                        raise OSError(errno.EIO, "rows that were written are gone", apart.path)
    return made


def joined(files: Sequence[Path]) -> Path:
    """Join files of rows of one table into the first of them; the others are gone then. Raises OSError.

    DuckDB takes most of a millisecond to begin with a file, in which it reads a hundred rows.
    """
    first, *others = files
    if others:
        with first.open("ab", buffering=0) as whole:
            for other in others:
                with other.open("rb", buffering=0) as part:
                    _copy(part, whole, other.stat().st_size)
                other.unlink()
    return first


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> int:
    """Copy so many bytes from where two files are; how many there were."""
    left = size
    while left and (read := source.read(min(left, _COPIED_BYTES))):
        target.write(read)
        left -= len(read)
    return size - left


_COPIED_BYTES = 1024 * 1024


def read_rows(files: Sequence[Path], columns: Mapping[str, str]) -> str:
    """SQL that selects rows with the given columns; times arrive as microseconds."""
    names = ", ".join(quoted(str(path)) for path in files)
    raw = ", ".join(f"'{name}': '{'BIGINT' if kind == 'TIMESTAMP' else kind}'" for name, kind in columns.items())
    shown = ", ".join(
        f'make_timestamp("{name}") AS "{name}"' if kind == "TIMESTAMP" else f'"{name}"'
        for name, kind in columns.items()
    )
    return f"SELECT {shown} FROM read_json([{names}], format = 'newline_delimited', columns = {{{raw}}})"
