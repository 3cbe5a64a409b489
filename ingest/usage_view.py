"""Responses that are told in short, asked as the table they would be in: to write all columns of it takes far longer.

A question reads the few columns that it is about. What a row of the table is made of is said where that is made:
`merging`, `lower_bounds`, `costs.priced`. Only into tables that have no response, and only when prices are known.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.facts import RESPONSES
from ..queries.quoting import quoted
from ..queries.rollups import READ_OF_RESPONSES, sessions, tokens_daily
from ..queries.tokens import ASKED_OF_SESSIONS
from . import lower_bounds
from .costs import priced
from .merged_rows import told_by_merged
from .merging import merged_rows, rows_told_once
from .row_files import read_rows
from .short_rows import ShortFiles, own_rows, parts_of, said_rows, whole_rows

if TYPE_CHECKING:
    from ..queries.store import Writer

_OWN, _SAID, _WHOLE = "short_own", "short_said", "short_whole"
"""Tables: the two parts of rows told in short, and rows that were told as a whole, which become such, too."""

_APART, _AGAIN, _MERGED = "short_apart", "short_again", "short_merged"
"""Tables: the keys that are told again, their rows, and what is made of these."""

_SESSIONS, _MARKED = "short_sessions", "short_marked"
"""Tables: sessions in which something depends on all that is told of them, and the keys of responses it decides."""

_MADE_OF = " ".join((priced("rows"), lower_bounds.settled(_SESSIONS), *(sql for _, sql in RESPONSES.computed.values())))

ROLLED_UP = RESPONSES.only({*READ_OF_RESPONSES, *re.findall(r"\w+", _MADE_OF)} & RESPONSES.columns.keys())
"""Responses with the columns that rollups are made of."""


@dataclass(frozen=True, slots=True)
class ToldResponses:
    """Responses as they were read: the two parts of each, and what is made of those that are told again."""

    has_merged: bool
    has_marked: bool = False

    @property
    def rows(self) -> str:
        """SELECT of rows of `responses`, with the columns of ROLLED_UP and without costs."""
        rows = rows_told_once(ROLLED_UP, f"({_whole(f'FROM {_OWN}')})", None)
        if self.has_merged:
            rows = f"{rows} UNION ALL BY NAME FROM {_MERGED}"
        if self.has_marked:
            mark = f"output_undercounted <> (key IN (FROM {_MARKED})) AS output_undercounted"
            rows = f"SELECT * REPLACE ({mark}) FROM ({rows})"
        return rows


def _whole(own: str) -> str:
    repeated = "".join(f', "{other}" AS "{column}"' for column, other in _REPEATED.items())
    return f"SELECT *{repeated} FROM ({whole_rows(own, f'FROM {_SAID}', ROLLED_UP)})"


_REPEATED = {column: other for column, other in ROLLED_UP.repeated.items() if column not in told_by_merged(ROLLED_UP)}


def read(
    connection: Writer, short: Sequence[ShortFiles], others: Sequence[Path], waiting: Collection[str]
) -> ToldResponses:
    """Read rows told in short, `others` from files of whole rows, and merge those that are told again.

    `waiting`: sessions with responses that look like the beginning of one; what else these tell is in `prompts`.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_OWN} AS {own_rows(short)}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_SAID} AS {said_rows(short, ROLLED_UP)}")
    if others:
        rows = read_rows(others, told_by_merged(ROLLED_UP))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_WHOLE} AS {rows}")
        for table, part in zip((_OWN, _SAID), parts_of(_WHOLE, ROLLED_UP), strict=True):
            connection.execute(f"INSERT INTO {table} BY NAME {part}")
    again = f"SELECT k FROM {_OWN} GROUP BY k HAVING count(*) > 1"
    [(count,)] = connection.rows(f"CREATE OR REPLACE TEMP TABLE {_APART} AS {again}")
    told = ToldResponses(has_merged=count > 0)
    waits = bool(waiting)
    if count:
        rows = f"SELECT *, 1::TINYINT AS fresh FROM ({_whole(f'FROM {_OWN} WHERE k IN (FROM {_APART})')})"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_AGAIN} AS {rows}")
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_MERGED} AS {merged_rows(ROLLED_UP, _AGAIN, [])}")
        connection.execute(f"DELETE FROM {_OWN} WHERE k IN (FROM {_APART})")
        waits = waits or connection.row(f"SELECT 1 FROM {_MERGED} WHERE {lower_bounds.WAITS_YET} LIMIT 1") is not None
    return _marked(connection, told, waiting) if waits else told


def _marked(connection: Writer, told: ToldResponses, waiting: Collection[str]) -> ToldResponses:
    """The same with the marks of the responses that no line can complete any more."""
    sessions = "SELECT unnest(?::VARCHAR[]) AS session_id"
    if told.has_merged:
        sessions += f" UNION SELECT session_id FROM {_MERGED} WHERE {lower_bounds.WAITS_YET}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_SESSIONS} AS {sessions}", [list(waiting)])
    of_them = f"SELECT * FROM ({told.rows}) WHERE session_id IN (FROM {_SESSIONS})"
    settled = f"SELECT key FROM ({lower_bounds.settled(f'(FROM {_SESSIONS})')})"
    marked = f"WITH responses AS MATERIALIZED ({of_them}) {settled}"
    [(count,)] = connection.rows(f"CREATE OR REPLACE TEMP TABLE {_MARKED} AS {marked}")
    return replace(told, has_marked=count > 0)


def show(connection: Writer, told: ToldResponses) -> None:
    """Let `responses` show them."""
    connection.execute(f"DROP TABLE IF EXISTS {RESPONSES.name}")
    connection.execute(f"CREATE VIEW {RESPONSES.name} AS {priced(f'({told.rows})')}")


def roll_up(connection: Writer, told: ToldResponses, zones: Sequence[str]) -> None:
    """Make their rollup by day for some zones, and of `responses` nothing: nobody asks for that."""
    connection.execute(f"DROP TABLE IF EXISTS {RESPONSES.name}")
    rows = priced(f"({told.rows})")
    for zone in zones:
        connection.execute("INSERT INTO zones VALUES (?, NULL)", [zone])
        days = tokens_daily(quoted(zone), with_subagents=False)
        connection.execute(f"INSERT INTO tokens_daily BY NAME WITH {RESPONSES.name} AS ({rows}) {days}")


def roll_up_sessions(connection: Writer, told: ToldResponses, zones: Sequence[str]) -> None:
    """The same, and of their sessions what is asked beside tokens; no row of `strays` is about any."""
    with_worktrees = connection.row("SELECT 1 FROM worktrees LIMIT 1") is not None
    # Those that are named and have nothing in the end are left out below.
    named = " UNION ".join(f"SELECT session_id FROM {table}" for table in (_SAID, "prompts", "activity"))
    only = f"SELECT session_id FROM ({named}) WHERE session_id IS NOT NULL"
    rows = sessions(only, with_strays=False, with_worktrees=with_worktrees, columns=ASKED_OF_SESSIONS)
    connection.execute("DROP TABLE sessions")
    connection.execute(f"CREATE TABLE sessions AS WITH {RESPONSES.name} AS ({told.rows}) SELECT * FROM ({rows})")
    roll_up(connection, told, zones)
