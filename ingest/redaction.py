"""What is stored already, read once more by a redactor that has learnt something since.

Facts of files that are gone are nowhere else, so they are changed where they are. What was there before is overwritten
on the disk, too: DuckDB only marks blocks as free, and a free block keeps its content for years.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..queries.schema import FACTS, TABLES, columns_of
from ..queries.store import StoreConflict
from .redaction_version import VERSION, is_due
from .text import TEXTS, kept, plain_json, without_credentials

if TYPE_CHECKING:
    from ..queries.store import Store, Writer

CHUNK = 2_000
"""Values that are looked at, at once: at most 8 MB of text."""

SPARE_BLOCKS = 16
"""Written beyond those that are free: what is written takes a little more or less room than it has bytes."""

Texts = str | list[str]


def read_again(connection: Writer) -> set[tuple[str, str]]:
    """Blot out credentials in all columns of texts, unless this redactor has read them; the (table, column) changed.

    Within the transaction of the caller.
    """
    if not is_due(connection):
        return set()
    changed = set()
    if not _is_empty(connection):
        changed = {(table, column) for table in TEXTS for column in TEXTS[table] if _read(connection, table, column)}
        if _change(connection, "files", "state", _state_without_credentials):
            changed.add(("files", "state"))
    connection.execute("DELETE FROM meta WHERE name = 'redactor'")
    connection.execute("INSERT INTO meta VALUES ('redactor', ?)", [str(VERSION)])
    if changed:
        connection.execute("DELETE FROM meta WHERE name = 'unwiped'")
        connection.execute("INSERT INTO meta VALUES ('unwiped', 'true')")
    return changed


def wipe(store: Store, connection: Writer) -> None:
    """Overwrite what was blotted out where it still is in a store, if there may be any. Not in a transaction.

    Old values stand beside new ones in blocks that are used: every table is written anew, then the free blocks are
    filled. If another reader of this process keeps an old state, it is done another time.
    """
    if connection.row("SELECT 1 FROM meta WHERE name = 'unwiped'") is None:
        return
    if not store.is_file:
        store.compact()
        connection.execute("DELETE FROM meta WHERE name = 'unwiped'")
        return
    try:
        for table in (*(fact.name for fact in FACTS), *TABLES):
            connection.execute(f"CREATE OR REPLACE TABLE {table} AS FROM {table}")
        connection.execute("CHECKPOINT")
        row = connection.row("SELECT free_blocks, block_size FROM pragma_database_size()")
        assert row is not None
        numbers = (row[0] + SPARE_BLOCKS) * row[1] // 8
        # Numbers without a pattern: eight bytes each, however they are compressed.
        connection.execute(f"CREATE OR REPLACE TABLE wiping AS SELECT hash(range) AS number FROM range({numbers})")
        connection.execute("CHECKPOINT")
    except StoreConflict:
        return
    finally:
        connection.execute("DROP TABLE IF EXISTS wiping")
    connection.execute("DELETE FROM meta WHERE name = 'unwiped'")


def _is_empty(connection: Writer) -> bool:
    """Whether there is nothing to read, as in a store that was just made."""
    rows = " UNION ALL ".join(f"(SELECT 1 FROM {table} LIMIT 1)" for table in TEXTS)
    return connection.row(f"SELECT 1 FROM ({rows}) LIMIT 1") is None


def _read(connection: Writer, table: str, column: str) -> bool:
    """Read one column of texts; whether anything changed."""
    limit = TEXTS[table][column]
    return _change(connection, table, column, lambda value: _blotted(value, limit))


def _state_without_credentials(state: Texts) -> Texts:
    return plain_json(without_credentials(json.loads(str(state))))


def _change(connection: Writer, table: str, column: str, read: Callable[[Texts], Texts]) -> bool:
    """Read one column; whether anything changed. Every value is looked at once, however often it stands there."""
    kind = columns_of(table)[column]
    found = False
    for values in _values(connection, table, column):
        changes = [(value, after) for value in values if (after := read(value)) != value]
        if changes:
            found = True
            connection.execute(
                f'UPDATE {table} SET "{column}" = changes.after '
                f"FROM (SELECT unnest(?::{kind}[]) AS before, unnest(?::{kind}[]) AS after) changes "
                f'WHERE {table}."{column}" = changes.before',
                [[before for before, _ in changes], [after for _, after in changes]],
            )
    return found


def _values(connection: Writer, table: str, column: str) -> Iterator[list[Texts]]:
    with connection.beside() as reader:
        answer = reader.execute(f'SELECT DISTINCT "{column}" FROM {table} WHERE "{column}" IS NOT NULL')
        while rows := answer.fetchmany(CHUNK):
            yield [value for (value,) in rows]


def _blotted(value: Texts, limit: int) -> Texts:
    return kept(value, limit) if isinstance(value, str) else [kept(text, limit) for text in value]
