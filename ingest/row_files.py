"""Rows on their way into the store, as SQL reads them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..queries.quoting import quoted

RowFiles = dict[str, list[Path]]
"""Table -> files of its rows."""


def joined(files: Sequence[Path]) -> Path:
    """Join files of rows of one table into the first of them; the others are gone then. Raises OSError.

    DuckDB takes most of a millisecond to begin with a file, in which it reads a hundred rows.
    """
    first, *others = files
    if others:
        with first.open("ab") as whole:
            for other in others:
                with other.open("rb") as part:
                    shutil.copyfileobj(part, whole, _COPIED_BYTES)
                other.unlink()
    return first


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
