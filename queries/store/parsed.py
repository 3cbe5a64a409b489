"""Statements that DuckDB has parsed, for those that are asked again and again.

DuckDB 2 takes a fifth to a third of a small question's time to parse it: 4 ms for the 7,000 characters of the list of
sessions. What it makes of a text depends on the text only, so it is kept, for all connections of this process.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, Statement

MOST_CHARACTERS = 200_000
"""Characters of statements that are kept: DuckDB keeps 18 bytes for each."""

MOST_SEEN = 1000
"""Texts that are known to have been run once."""


class Parsed:
    """Keeps the latest statements that were run at least twice. Safe from any thread."""

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._most = most_characters
        self._lock = threading.Lock()
        self._seen: dict[int, None] = {}
        """Hashes of texts that were run once. Many never are again, with values in them."""
        self._kept: dict[str, Statement] = {}
        """The one that was run longest ago comes first."""
        self._characters = 0

    def of(self, sql: str, connection: DuckDBPyConnection) -> Statement | str:
        """What to run instead of a text: the statement that it is, or, where none is kept, the text itself."""
        with self._lock:
            statement = self._kept.pop(sql, None)
            if statement is not None:
                self._kept[sql] = statement
                return statement
            if not self._is_again(sql):
                return sql
        statement = _parsed(sql, connection)
        if statement is None:
            return sql
        with self._lock:
            self._keep(sql, statement)
        return statement

    def _is_again(self, sql: str) -> bool:
        key = hash(sql)
        if key in self._seen:
            del self._seen[key]
            return True
        self._seen[key] = None
        if len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        return False

    def _keep(self, sql: str, statement: Statement) -> None:
        if len(sql) > self._most or sql in self._kept:
            return
        self._kept[sql] = statement
        self._characters += len(sql)
        while self._characters > self._most:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._characters -= len(oldest)


def _parsed(sql: str, connection: DuckDBPyConnection) -> Statement | None:
    """The statement of a text; None if it is several, or none: then whoever runs it is told what is wrong."""
    from ._duckdb import duckdb

    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error:
        return None
    return statements[0] if len(statements) == 1 else None


PARSED = Parsed()
"""Those of this process."""
