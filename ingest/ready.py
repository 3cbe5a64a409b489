"""What worker processes are going to need, imported before they are copied: then none imports it for itself."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from . import access
from .formats import SOURCES, SourceFile
from .formats.opening import opened
from .redact import redacted

_LOOKED_AT = 8
"""Files that are looked into, the first ones."""

_BYTES = 256 * 1024
"""Of each of them, from its beginning."""

_CLIENTS = (b"psql ", b"duckdb ", b"sqlite3 ", b"mysql ", b"agnes query")


def make_ready(files: Iterable[SourceFile]) -> None:
    """Import what decodes some files, and what parses SQL if it looks as if they had any.

    The latter takes a tenth of a second, and is imported where it is first needed if this guess is wrong.
    """
    files = list(files)
    for file in {(file.kind, file.path.suffix): file for file in files}.values():
        SOURCES[file.kind].change(file)
    _make_tools_ready()
    if any(_speaks_of_sql(file.path) for file in islice(files, _LOOKED_AT)):
        from .access.sql import analyse

        analyse("SELECT 1", "duckdb")


def make_all_ready() -> None:
    """The same where nobody knows the files yet: what decodes those of most people, and what parses SQL."""
    from .access.sql import analyse
    from .formats.claude import decoder  # noqa: F401

    _make_tools_ready()
    analyse("SELECT 1", "duckdb")


def _make_tools_ready() -> None:
    """Make ready what reads tool calls."""
    access.import_all()
    # With an anchor in it, so that the pattern of all is compiled.
    redacted("token")


def _speaks_of_sql(path: Path) -> bool:
    """Whether a file begins with talk of a database's client; no if it cannot be read."""
    try:
        with opened(path) as (file, _, _):
            begins = file.read(_BYTES)
    except OSError:
        return False
    return any(name in begins for name in _CLIENTS)
