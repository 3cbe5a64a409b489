"""The shape of one data access, and the few ways to make one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ..text import NAME_CHARS, kept

TEXT_LIMIT = 4000
"""Characters of a command or a statement that are kept."""

ADHOC = "adhoc"
"""The resource of an access that names no table, path or host."""

_PATH_LIMIT = 1000
_RESOURCE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Access:
    """One touch of data by one tool call.

    `action` is one of `query.local`, `query.remote`, `query.hybrid`, `query.internal`, `catalog.*`,
    `snapshot.*`, `file.read`, `file.write`, `file.search`, `web.fetch` or `web.search`. `resource` is
    `table:a, b`, a path, a host or `adhoc`. `command` (the whole shell command) and `sql` are cut to
    `TEXT_LIMIT` characters. `path` is the file as it was named, or the address of a web read.
    """

    action: str
    resource: str
    command: str | None = None
    sql: str | None = None
    tables_read: tuple[str, ...] = ()
    tables_written: tuple[str, ...] = ()
    statement: str | None = None
    dialect: str | None = None
    path: str | None = None
    prints_csv: bool = False
    """Whether its result is lines of values below a line of names, and nothing else."""


def table_resource(names: Iterable[str]) -> str:
    """Return `table:a, b` for table names, `adhoc` for none."""
    joined = ", ".join(dict.fromkeys(names))
    return kept(f"table:{joined}", _RESOURCE_LIMIT) if joined else ADHOC


def file_access(action: str, path: str, host: str | None = None) -> Access:
    """Return the access of a file; a file of another host is named `host:path` as scp does."""
    # The same files are read and written again and again.
    return (_remembered if len(path) <= NAME_CHARS else _of_file)(action, path, host)


def _of_file(action: str, path: str, host: str | None) -> Access:
    named = kept(f"{host}:{path}" if host else path, _PATH_LIMIT)
    return Access(action, named, path=named)


_remembered = lru_cache(maxsize=4096)(_of_file)


def table_access(action: str, tables: Iterable[str], dialect: str | None = None) -> Access:
    """Return an access of tables that was asked for by name and not by SQL."""
    read = tuple(dict.fromkeys(tables))
    return Access(action, table_resource(read), tables_read=read, dialect=dialect)
