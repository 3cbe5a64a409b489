"""The only way out of the store: what a user wants forgotten, by session, by project, by age.

What is forgotten stays forgotten while its file is still on disk, also when the session goes on: a note is kept (the
session's id, or a time, and nothing else) and obeyed after every load. `recall` drops the notes; a rebuild then reads
again what is still on disk. A response that a fork copied belongs to the original session and is forgotten with it; if
the original's file is gone and the fork's is read anew, it counts as the fork's own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..queries.facts import Fact, Half
from ..queries.filters import Filter, Where
from ..queries.schema import FACTS, columns_of
from ..queries.store import Store
from .rollups import Touched

if TYPE_CHECKING:
    from ..queries.store import Writer


@dataclass(frozen=True, slots=True)
class Forgettable:
    """What to forget: everything of these sessions (None: of all), as far as it is older than `before` (None: all)."""

    sessions: tuple[str, ...] | None = None
    before: dt.datetime | None = None
    """UTC without a zone; rows without a time are never older."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a selection covers. `rows` are facts of all kinds, accesses and uploads; times are UTC."""

    sessions: int
    rows: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None


def select(
    connection: Writer,
    *,
    session: str | None = None,
    project: str | None = None,
    before: dt.datetime | None = None,
) -> Forgettable:
    """The selection that fulfils all that is given. A project is its path, or the last part of it."""
    if session is None and project is None:
        return Forgettable(None, before)
    where = Where().by(Filter(session_id=session, project=project), {"session_id": "session_id", "project": "project"})
    rows = connection.execute(f"SELECT session_id FROM sessions WHERE {where} ORDER BY 1", where.parameters).fetchall()
    return Forgettable(tuple(row[0] for row in rows), before)


def extent(connection: Writer, chosen: Forgettable) -> Extent:
    """How much `forget` would remove. Needs a connection that may write; writes nothing."""
    connection.execute("BEGIN")
    try:
        connection.execute("DELETE FROM forgotten")
        _note(connection, chosen)
        parts = " UNION ALL ".join(
            f"SELECT {table.session} AS session_id, {table.ts} AS ts FROM {table.name} WHERE {table.forgotten}"
            for table in _tables()
        )
        row = connection.row(f"SELECT count(DISTINCT session_id), count(*), min(ts), max(ts) FROM ({parts})")
    finally:
        connection.execute("ROLLBACK")
    assert row is not None
    return Extent(*row)


def forget(store: Store, chosen: Forgettable) -> None:
    """Remove a selection for good, with its rollups, the marks of files that are gone and the store's backup.

    In one transaction. Its notes are also kept beside the store, where no damage to that can reach them. Raises
    StoreError.
    """
    with store.write() as connection:
        connection.execute("BEGIN")
        try:
            _note(connection, chosen)
            _remove(connection)
            store.keep_notes(connection.rows("SELECT session_id, before, noted_at FROM forgotten"))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def enforce(connection: Writer) -> None:
    """Remove what a load brought back of things forgotten. Costs next to nothing if there is nothing of the kind."""
    if connection.row("SELECT 1 FROM forgotten LIMIT 1") is None:
        return
    rows = [f"{table.name} WHERE {table.forgotten}" for table in _tables()]
    rows += [f"({rivals.listed}) WHERE {rivals.forgotten}" for rivals in _rivals()]
    found = " UNION ALL ".join(f"(SELECT 1 FROM {one} LIMIT 1)" for one in rows)
    if connection.row(f"SELECT 1 FROM ({found}) LIMIT 1") is None:
        return
    connection.execute("BEGIN")
    try:
        _remove(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def recall(store: Store) -> None:
    """Drop all notes: what is still on disk is taken in again when it is next read as a whole. Raises StoreError."""
    with store.write() as connection:
        connection.execute("DELETE FROM forgotten")
        store.keep_notes([])


def _note(connection: Writer, chosen: Forgettable) -> None:
    sessions: Sequence[str | None] = (None,) if chosen.sessions is None else chosen.sessions
    connection.execute(
        "INSERT INTO forgotten SELECT unnest(?::VARCHAR[]), ?, get_current_timestamp()::TIMESTAMP",
        [list(sessions), chosen.before],
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of things that belong to a session and a time; both are SQL."""

    name: str
    session: str
    ts: str

    @property
    def forgotten(self) -> str:
        """The rows that a note covers, as an SQL condition."""
        return f"""(
            {self.session} IN (SELECT n.session_id FROM forgotten n WHERE n.session_id IS NOT NULL AND n.before IS NULL)
            OR {self.ts} < (SELECT max(n.before) FROM forgotten n WHERE n.session_id IS NULL)
            OR {self.ts} < (SELECT max(n.before) FROM forgotten n WHERE n.session_id = {self.session}))"""


def _tables() -> list[_Table]:
    """Every table with rows of a session at a time; not its labels, which go with its last row."""
    found = []
    for name in [fact.name for fact in FACTS if "session_id" not in fact.key] + ["uploads"]:
        columns = columns_of(name)
        sessions = [f"{name}.{column}" for column in columns if column.endswith("session_id")]
        times = [f"{name}.{column}" for column in columns if column == "ts" or column.endswith("_ts")]
        if sessions and times:
            found.append(_Table(name, f"coalesce({', '.join(sessions)})", f"coalesce({', '.join(times)})"))
    # A span of activity is as old as its end.
    return [*found, _Table("activity", "activity.session_id", "activity.ended_at")]


@dataclass(frozen=True, slots=True)
class _Rivals:
    """The lines of other files that are kept with the rows of a fact."""

    fact: Fact
    half: Half

    @property
    def listed(self) -> str:
        """SELECT of all of them as `rival`, with the keys of their facts."""
        keys = ", ".join(self.fact.key)
        each = f"unnest(from_json({self.half.rivals}, '{self.half.shape_of_rivals}'))"
        return f"SELECT {keys}, {each} AS rival FROM {self.fact.name} WHERE {self.half.rivals} IS NOT NULL"

    @property
    def forgotten(self) -> str:
        """Those that a note covers, as an SQL condition on `listed`."""
        of_rival = f"rival.{self.half.prefix}"
        return _Table("", f"{of_rival}session_id", f"{of_rival}ts").forgotten

    def remove(self, run: Callable[[str], object]) -> None:
        """Delete those that a note covers."""
        keys, column = ", ".join(self.fact.key), self.half.rivals
        left = f"list(rival ORDER BY rival.{self.half.prefix}path) FILTER (NOT coalesce({self.forgotten}, false))"
        run(
            f"CREATE OR REPLACE TEMP TABLE left_rivals AS SELECT {keys}, to_json({left})::VARCHAR AS rivals "
            f"FROM ({self.listed}) GROUP BY {keys}"
        )
        same = " AND ".join(f"l.{key} = {self.fact.name}.{key}" for key in self.fact.key)
        run(f"UPDATE {self.fact.name} SET {column} = l.rivals FROM left_rivals l WHERE {same}")


def _rivals() -> list[_Rivals]:
    return [_Rivals(fact, half) for fact in FACTS for half in fact.halves if half.rivals is not None]


_LABELS = tuple(fact.name for fact in FACTS if "session_id" in fact.key)


def _remove(connection: Writer) -> None:
    """Delete all rows that a note covers, then what is left of sessions without a row, then renew the rollups."""
    run = connection.execute
    touched = Touched(connection)
    run("CREATE OR REPLACE TEMP TABLE emptied (session_id VARCHAR)")
    run("CREATE OR REPLACE TEMP TABLE lost_calls AS SELECT id FROM tool_calls LIMIT 0")
    for table in _tables():
        rows = f"{table.name} WHERE {table.forgotten}"
        run(f"INSERT INTO emptied SELECT DISTINCT {table.session} FROM {rows}")
        touched.by(table.name, rows)
        if table.name == "tool_calls":
            run(f"INSERT INTO lost_calls SELECT id FROM {rows}")
        run(f"DELETE FROM {rows}")
    for rivals in _rivals():
        rivals.remove(run)
    _shorten_activity(connection, touched)
    kept = " UNION ALL ".join(f"SELECT {table.session} FROM {table.name}" for table in _tables())
    run(f"DELETE FROM emptied WHERE session_id IS NULL OR session_id IN ({kept})")
    gone = "(SELECT session_id FROM emptied)"
    run(
        "DELETE FROM summaries WHERE leaf_uuid IN "
        f"(SELECT value FROM session_lasts WHERE kind = 'leaf' AND session_id IN {gone})"
    )
    run(
        f"DELETE FROM subagents WHERE tool_use_id IN (FROM lost_calls) "
        f"OR path IN (SELECT path FROM files WHERE session_id IN {gone})"
    )
    for label in _LABELS:
        touched.by(label, f"{label} WHERE session_id IN {gone}")
        run(f"DELETE FROM {label} WHERE session_id IN {gone}")
    # Files that are still there keep their mark, or they would be read again.
    for told_by_path in ("rejects", "unknowns", "files"):
        run(
            f"DELETE FROM {told_by_path} WHERE path IN "
            f"(SELECT path FROM files WHERE gone_at IS NOT NULL AND session_id IN {gone})"
        )
    touched.rebuild()
    run("DROP TABLE emptied")
    run("DROP TABLE lost_calls")


def _shorten_activity(connection: Writer, touched: Touched) -> None:
    """Let spans that reach over a limit begin at it."""
    limit = """greatest(
        (SELECT max(n.before) FROM forgotten n WHERE n.session_id IS NULL),
        (SELECT max(n.before) FROM forgotten n WHERE n.session_id = activity.session_id))"""
    touched.by("activity", f"activity WHERE started_at < {limit}")
    connection.execute(f"UPDATE activity SET started_at = {limit} WHERE started_at < {limit}")
