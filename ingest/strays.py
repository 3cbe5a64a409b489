"""Rows of sub-agents that name a session without any row of its own: they belong to the session they were started in.

Whether the named session has rows may become known later, in this load or another, and in any order. So a fact keeps
both, the session that its row names and the one in whose folder it lies, and after each load the facts of such rows are
given to the one or the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..queries.rollups import HAS_ROWS
from ..queries.schema import FACTS

if TYPE_CHECKING:
    from ..queries.store import Writer
    from .rollups import Touched

NAMED, HOME = "named_session_id", "home_session_id"
"""Columns of a fact, with a prefix where its session has one: NULL unless they differ."""


def settle(connection: Writer, touched: Touched) -> None:
    """Give all such facts to the session they belong to by now. Costs next to nothing if there are none."""
    if connection.row("SELECT 1 FROM strays LIMIT 1") is None:
        return
    for fact in FACTS:
        for column in fact.columns:
            if column.endswith(NAMED):
                _settle(connection, fact.name, column.removesuffix(NAMED), touched)


def _settle(connection: Writer, table: str, prefix: str, touched: Touched) -> None:
    named, home, session = f"{prefix}{NAMED}", f"{prefix}{HOME}", f"{prefix}session_id"
    belongs = f"CASE WHEN {HAS_ROWS.format(session=f'{table}.{named}')} THEN {named} ELSE {home} END"
    misplaced = f"{table} WHERE {named} IS NOT NULL AND {session} IS DISTINCT FROM {belongs}"
    if connection.row(f"SELECT 1 FROM {misplaced} LIMIT 1") is None:
        return
    touched.by(table, misplaced)
    connection.execute(f"UPDATE {table} SET {session} = {belongs} WHERE {named} IS NOT NULL")
    touched.by(table, f"{table} WHERE {named} IS NOT NULL")
