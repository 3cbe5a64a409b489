"""What another store tells of a fact, line by line, and how that comes into a store.

A store keeps of each fact the line that won, and of facts that several files tell the best line of each other file. All
of them are told again here, so that the store they come into decides as if it had read those files itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...queries.facts import Fact
from ..costs import priced
from ..merging import key_of, known_rows, merged_rows, open_keys, rival_rows

if TYPE_CHECKING:
    from ...queries.store import Writer
    from ..rollups import Touched


def tellings(fact: Fact, rows: str) -> str:
    """SELECT of all that `rows`, stored rows of a fact as SQL of a table, tell: one row for each line that is kept."""
    shown = ", ".join(f'"{column}"' for column in fact.loaded)
    own = f"SELECT {shown}, 0::TINYINT AS fresh FROM {rows}"
    if not fact.rivals:
        return own
    return f"{own} UNION ALL BY NAME {rival_rows(fact, rows, {})}"


def take(connection: Writer, fact: Fact, told: str, touched: Touched, *, instead: str | None = None) -> None:
    """Merge what `told`, a SELECT with the loaded columns of a fact, says into its table, within a transaction.

    `instead`: a table of keys of which nothing counts but what is told now; otherwise what is known counts as well.
    """
    incoming = f"incoming_{fact.name}"
    columns = ", ".join(f'"{column}"' for column in fact.loaded)
    rivals = "".join(f", NULL::VARCHAR AS {name}" for name in fact.rivals)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {incoming} AS SELECT {columns}, 1::TINYINT AS fresh{rivals} FROM ({told})"
    )
    keys = f"SELECT {key_of(fact)} FROM {incoming}" if instead is None else f"FROM {instead}"
    known = f"{fact.name} WHERE {key_of(fact)} IN ({keys})"
    if instead is None:
        [(count,)] = connection.rows(f"INSERT INTO {incoming} BY NAME {known_rows(fact, known, {})}")
    else:
        touched.by(fact.name, known)
        count = 0
    connection.execute(f"DELETE FROM {known}")
    opened = None
    if fact.rivals:
        opened = f"open_{fact.name}"
        [(several,)] = connection.rows(f"CREATE OR REPLACE TEMP TABLE {opened} AS {open_keys(fact, incoming)}")
        opened = opened if several else None
    if opened is not None and count:
        connection.execute(f"INSERT INTO {incoming} BY NAME {rival_rows(fact, incoming, {})}")
    merged = merged_rows(fact, incoming, [], opened)
    if fact.name == "responses":
        merged = f"WITH merged AS MATERIALIZED ({merged}) {priced('merged')}"
    connection.execute(f"INSERT INTO {fact.name} BY NAME {merged}")
    touched.add(fact.name, incoming)
