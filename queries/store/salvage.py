"""Taking over what can still be read of a store that is damaged, or of its backup, into a new one.

Most of a store is read again from the transcripts. What is not, the facts of vanished files, what the Agnes server said
and what the user had forgotten, is only here.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..quoting import quoted
from ..schema import FACTS, TABLES, columns_of
from .errors import StoreForeign, refuse_odd
from .upgrade import Columns, as_found

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DERIVED = {"rates", "models", "sessions", "tokens_daily", "tools_daily", "extensions_daily"}
"""Tables that are made of the others."""

_OWN = ("store_version", "prices", "redactor", "unwiped")
"""Notes of a store about itself. Without them everything is priced and redacted, and the rollups are made, anew."""

_WHOLES = {
    "activity": ("session_id",),
    "files": ("path",),
    "rejects": ("path",),
    "unknowns": ("path",),
    "snapshot_keys": ("snapshot",),
    "zones": ("zone",),
    "meta": ("name",),
    "forgotten": ("session_id", "before"),
    "workspaces": ("workspace",),
    "accounts": ("workspace",),
    "sync_tables": ("workspace",),
    "uploads": ("workspace",),
}
"""Table -> the columns whose rows belong together: taken from one store, not from both. Facts have their key; a table
that is not listed is taken as a whole."""

_ROWS = 2048
"""DuckDB reads so many rows at a time: of fewer none can be read where one cannot."""


def salvage(connection: DuckDBPyConnection, sources: Sequence[Path], folder: Path) -> int:
    """Take over rows into an empty store; how many. Of what several sources have the first counts.

    `folder` takes copies for a moment. Sources that cannot be opened at all have nothing. Raises duckdb.Error where the
    new store cannot be written.
    """
    taken = 0
    for source in sources:
        with _attached(connection, source, folder) as is_there:
            if is_there:
                taken += _take_all(connection)
    return taken


@contextlib.contextmanager
def _attached(connection: DuckDBPyConnection, source: Path, folder: Path) -> Iterator[bool]:
    """Have the source at hand as `old`, without its log if that is broken; whether that is possible."""
    from ._duckdb import duckdb

    without_log = folder / "without-log.duckdb"
    for path in (source, without_log):
        try:
            refuse_odd(source)
            if path is without_log:
                shutil.copyfile(source, without_log)
            connection.execute(f"ATTACH {quoted(str(path))} AS old (READ_ONLY)")
        except (duckdb.Error, OSError, StoreForeign):
            continue
        try:
            yield True
        finally:
            connection.execute("DETACH old")
            without_log.unlink(missing_ok=True)
        return
    yield False


def _take_all(connection: DuckDBPyConnection) -> int:
    facts = {fact.name: tuple(fact.key) for fact in FACTS}
    kinds: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'old'"
    ).fetchall():
        kinds.setdefault(table, {})[column] = kind
    taken, found = 0, as_found(kinds)
    for table in [*facts, *(name for name in TABLES if name not in DERIVED)]:
        if table in found:
            whole = facts.get(table) or _WHOLES.get(table, ())
            former, columns = found[table]
            texts = {new for new, column in columns.items() if kinds[former][column] == "VARCHAR"}
            old = _Old(former, columns, texts)
            taken += _Taking(connection, table, whole, old, is_fact=table in facts).all()
    return taken


@dataclass(frozen=True, slots=True)
class _Old:
    """A table as the old store has it."""

    name: str
    columns: Columns
    texts: Set[str]
    """Those of its columns that hold texts."""


class _Taking:
    """Takes over one table, as much of it as can be read."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        table: str,
        whole: Sequence[str],
        old: _Old,
        *,
        is_fact: bool,
    ) -> None:
        """`whole`: columns whose rows belong together."""
        self._run = connection.execute
        self._table = table
        self._old = old
        self._columns = [column for column in columns_of(table) if column in old.columns]
        self._whole = [column for column in whole if column in old.columns]
        needed = {*self._whole, *_ordering(table)} if is_fact else set(old.columns)
        self._texts = [column for column in self._columns if column in old.texts and column not in needed]

    def all(self) -> int:
        """How many rows were taken."""
        from ._duckdb import duckdb

        keys = ", ".join(f'"{column}"' for column in self._whole) or "1 AS one"
        self._run(f"CREATE OR REPLACE TEMP TABLE known_wholes AS SELECT DISTINCT {keys} FROM main.{self._table}")
        try:
            [(end,)] = self._run(f"SELECT coalesce(max(rowid) + 1, 0) FROM old.{self._old.name}").fetchall()
        except duckdb.Error:
            return 0
        return self._take(0, end)

    def _take(self, start: int, end: int) -> int:
        """Rows from one place to another; those that cannot be read are found by halving."""
        if start >= end:
            return 0
        taken = self._insert(start, end)
        if taken is not None:
            return taken
        if end - start <= _ROWS:
            return self._insert(start, end, self._unreadable(start, end)) or 0
        middle = start + max((end - start) // 2 // _ROWS, 1) * _ROWS
        return self._take(start, middle) + self._take(middle, end)

    def _insert(self, start: int, end: int, without: Sequence[str] = ()) -> int | None:
        """The number of rows; None if they cannot be read."""
        from ._duckdb import duckdb

        names = self._old.columns
        told = ", ".join(
            ("NULL" if column in without else f'o."{names[column]}"') + f' AS "{column}"' for column in self._columns
        )
        same = (
            " AND ".join(f'o."{names[column]}" IS NOT DISTINCT FROM k."{column}"' for column in self._whole) or "true"
        )
        own = f"AND o.name NOT IN {_OWN}" if self._table == "meta" else ""
        try:
            [(count,)] = self._run(
                f"INSERT INTO main.{self._table} BY NAME SELECT {told} FROM old.{self._old.name} o "
                f"ANTI JOIN known_wholes k ON {same} WHERE o.rowid >= {start} AND o.rowid < {end} {own}"
            ).fetchall()
        except duckdb.Error as error:
            if _is_of_the_new(error):
                raise
            return None
        return int(count)

    def _unreadable(self, start: int, end: int) -> list[str]:
        """The texts among the columns of these rows that cannot be read: a fact may do without them."""
        from ._duckdb import duckdb

        found = []
        for column in self._texts:
            try:
                self._run(
                    f'SELECT max("{self._old.columns[column]}") FROM old.{self._old.name} '
                    f"WHERE rowid >= {start} AND rowid < {end}"
                ).fetchone()
            except duckdb.Error:
                found.append(column)
        return found


def _ordering(table: str) -> set[str]:
    """The columns by which two tellings of a fact are put in order."""
    halves = [half for fact in FACTS if fact.name == table for half in fact.halves]
    orders = " ".join(" ".join([*half.order, half.where or ""]) for half in halves)
    return set(re.findall(r"\w+", orders))


def _is_of_the_new(error: Exception) -> bool:
    """Whether it is the new store that fails, for want of space."""
    text = str(error).lower()
    return any(mark in text for mark in ("no space left", "disk quota", "file too large", "out of memory"))
