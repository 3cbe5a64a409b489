"""Whether two stores say the same: all tables, row by row, apart from the times at which we looked."""

from __future__ import annotations

from typing import Any

from agnes_stats.queries.schema import FACTS, TABLES, columns_of
from agnes_stats.queries.store import Store

OURS = {
    "files": {"read_at", "gone_at"},
    "rejects": {"seen_at"},
    "workspaces": {"seen_at"},
    "zones": {"asked_at"},
    "forgotten": {"noted_at"},
}


def contents(store: Store, *, without: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Every table's rows in a fixed order. Doubles are rounded: they are sums in no fixed order."""
    with store.read() as connection:
        found = {}
        for table in [fact.name for fact in FACTS] + list(TABLES):
            if table in without:
                continue
            columns = [column for column in columns_of(table) if column not in OURS.get(table, ())]
            shown = ", ".join(
                f'round("{column}", 9)' if columns_of(table)[column] == "DOUBLE" else f'"{column}"'
                for column in columns
            )
            found[table] = connection.execute(f"SELECT {shown} FROM {table} ORDER BY ALL").fetchall()
        return found


def difference(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> str:
    """In words, what differs first; empty if nothing does."""
    for table, rows in one.items():
        if rows != other[table]:
            only, missing = set(rows) - set(other[table]), set(other[table]) - set(rows)
            counts = f"{table}: {len(rows)} and {len(other[table])} rows"
            return f"{counts}; only here {list(only)[:2]}, missing {list(missing)[:2]}"
    return ""
