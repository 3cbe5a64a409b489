"""Responses that are told in short, shown as the table they would be in: to write all columns of it takes far longer.

A question reads the few columns that it is about. What a row of the table is made of is said where that is made:
`merging.rows_told_once`, `costs.priced`. Only rows can be shown that need no merging, and only when
prices are known.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.facts import RESPONSES
from .costs import priced
from .merging import rows_told_once
from .row_files import read_rows
from .short_rows import ShortFiles, own_rows, said_rows, whole_rows

if TYPE_CHECKING:
    from ..queries.store import Writer

_OWN, _SAID, _APART, _MERGED = "short_own", "short_said", "short_apart", "merged_responses"
"""Tables: the two parts of rows told in short, the keys of those that are loaded, and what these become."""


def take(
    connection: Writer, short: Sequence[ShortFiles], others: Sequence[Path], sessions: Collection[str]
) -> str | None:
    """Read rows told in short. SELECT of those that are to be loaded before `show`, if there are any.

    They are the ones that others tell, too, and with them all of their sessions; and of some `sessions`, of which
    something depends on all that is told of them. `others`: files with more rows of responses.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_OWN} AS {own_rows(short)}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_SAID} AS {said_rows(short)}")
    keys = f"SELECT k FROM {_OWN} GROUP BY k HAVING count(*) > 1"
    if others:
        keys += f" UNION ({read_rows(others, {'key': 'VARCHAR'})})"
    [(apart,)] = connection.rows(f"CREATE OR REPLACE TEMP TABLE {_APART} AS {keys}")
    if not apart and not sessions:
        return None
    with_said = f"{_OWN} JOIN {_SAID} USING (s)"
    of = f"SELECT session_id FROM {with_said} WHERE k IN (FROM {_APART}) UNION SELECT unnest(?::VARCHAR[])"
    if others:
        of += f" UNION ({read_rows(others, {'session_id': 'VARCHAR'})})"
    connection.execute(f"INSERT INTO {_APART} SELECT k FROM {with_said} WHERE session_id IN ({of})", [list(sessions)])
    return whole_rows(f"FROM {_OWN} WHERE k IN (FROM {_APART})", f"FROM {_SAID}")


def show(connection: Writer) -> None:
    """Let `responses` show those that `take` has read beside the ones in the table."""
    name = RESPONSES.name
    connection.execute(f"DELETE FROM {_OWN} WHERE k IN (FROM {_APART})")
    # Numbers for keys, while each is priced by itself: to compare the keys takes longer than all the rest.
    own = f"SELECT * REPLACE (rowid AS k), k AS named FROM {_OWN}"
    whole = whole_rows(own, f"FROM {_SAID}", also=("named",))
    path = f'"path" AS "{RESPONSES.halves[1].prefix}path"'
    told = f"(SELECT *, {path} FROM ({whole}))"
    rows = priced(f"({rows_told_once(RESPONSES, told, None, also=('named',))})")
    connection.execute(f"ALTER TABLE {name} RENAME TO {_MERGED}")
    connection.execute(
        f"CREATE VIEW {name} AS FROM {_MERGED} UNION ALL BY NAME "
        f"(SELECT * EXCLUDE (named) REPLACE (named AS key) FROM ({rows}))"
    )
