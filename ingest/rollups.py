"""Keeping the rollups true: after a batch exactly the sessions and days it touched are rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from ..queries.plugins import SOURCES, source_of
from ..queries.projects import lies_in
from ..queries.quoting import quoted
from ..queries.rollups import (
    COUNTED_BY_DAY,
    KEPT_ZONES,
    READ_BESIDE,
    READ_BY_SESSION,
    day_of,
    day_rollup,
    sessions,
)
from . import ledgers, lower_bounds

if TYPE_CHECKING:
    from ..queries.store import Answer, Writer


_TOUCHED = "SELECT DISTINCT session_id FROM touched_sessions WHERE session_id IS NOT NULL"


def marking() -> str:
    """SQL with all columns that are read to mark responses."""
    return f"{lower_bounds.settled('ids')} {lower_bounds.WAITS}"


class Touched:
    """Collects what a transaction touches, then rebuilds the rollups of it. Lives inside that transaction."""

    def __init__(self, connection: Writer) -> None:
        self._connection = connection
        self._run = connection.execute
        self._rows: dict[str, list[str]] = {}

    def by(self, table: str, rows: str) -> None:
        """Note `rows`, an SQL selection of rows of `table`, that may be gone at the end of the transaction."""
        columns = (*READ_BY_SESSION.get(table, ()), *READ_BESIDE.get(table, ()))
        if columns:
            noted = f"touched_{table}_{len(self._rows.get(table, ()))}"
            self._run(f"CREATE OR REPLACE TEMP TABLE {noted} AS SELECT {', '.join(columns)} FROM {rows}")
            self.add(table, noted)

    def add(self, table: str, relation: str) -> None:
        """Note the rows of a temporary table, that stays until the end, as rows of `table`."""
        if table in READ_BY_SESSION or table in READ_BESIDE:
            self._rows.setdefault(table, []).append(relation)

    def rebuild(self, *, with_ledgers: bool = False, only_marks: bool = False) -> bool:
        """Rebuild the sessions and the days touched, in every zone that is kept; whether marks of responses changed.

        `only_marks`: only these marks, on which rollups depend. `with_ledgers`: what was loaded is of an agent that
        may keep a ledger of its requests.
        """
        if not self._rows:
            return False
        self._run(f"CREATE OR REPLACE TEMP TABLE touched_sessions AS {self._sessions()}")
        found = _found(
            self._connection,
            {"waits": f"responses WHERE {lower_bounds.WAITS}"}
            | {table: table for table in ("strays", "worktrees", "sessions", *COUNTED_BY_DAY)},
        )
        marks = []
        if "waits" in found and lower_bounds.settle(self._run):
            marks.append(lower_bounds.SETTLED)
        if with_ledgers and ledgers.settle(self._run):
            marks.append(ledgers.COVERED)
        for marked in marks:
            self.add("responses", marked)
        if only_marks:
            return bool(marks)
        rows = sessions(_TOUCHED, with_strays="strays" in found, with_worktrees="worktrees" in found)
        if found.isdisjoint(("sessions", *COUNTED_BY_DAY)):
            # All are new, and so are their days: to find out which these are takes as long as to look at all.
            self._run(f"INSERT INTO sessions BY NAME {rows}")
            _make_all_days(self._connection, [zone for (zone,) in self._connection.rows("SELECT zone FROM zones")])
            return bool(marks)
        self._run(f"CREATE OR REPLACE TEMP TABLE touched_days AS {self._days()}")
        self._rebuild_sessions(rows)
        if "subagents" in self._rows or "tool_calls" in self._rows:
            self._run(f"CREATE OR REPLACE TEMP TABLE touched_subagents AS {self._agents()}")
            if self._has("FROM touched_subagents"):
                self._touch_days_of_agents()
        _rebuild_days(self._run)
        return bool(marks)

    def _sessions(self) -> str:
        parts = [
            f"SELECT {column} AS session_id FROM {rows} WHERE {column} IS NOT NULL"
            for table, columns in READ_BY_SESSION.items()
            for rows in self._rows.get(table, ())
            for column in columns
        ] + [
            "SELECT session_id FROM session_lasts WHERE kind = 'leaf' "
            f"AND value IN (SELECT leaf_uuid FROM {rows})"
            for rows in self._rows.get("summaries", ())
        ] + [
            f"SELECT f.session_id FROM session_firsts f JOIN {rows} w ON {lies_in('f.value', 'w.folder')} "
            "WHERE f.kind = 'project'"
            for rows in self._rows.get("worktrees", ())
        ] + [
            f"SELECT s.home FROM strays s JOIN {rows} USING (session_id)"
            for table in ("activity", "session_firsts")
            for rows in self._rows.get(table, ())
        ]  # fmt: skip
        return " UNION ".join(parts) or "SELECT NULL::VARCHAR AS session_id LIMIT 0"

    def _days(self) -> str:
        parts = [
            f"SELECT '{rollup}' AS rollup, ts FROM {rows} WHERE {which}"
            for rollup, counted in COUNTED_BY_DAY.items()
            for table, which in counted.items()
            for rows in self._rows.get(table, ())
        ]
        return _days_of(" UNION ALL ".join(parts) or "SELECT NULL::VARCHAR AS rollup, NULL::TIMESTAMP AS ts LIMIT 0")

    def _agents(self) -> str:
        parts = [f"SELECT subagent_id FROM {rows}" for rows in self._rows.get("subagents", ())]
        for rows in self._rows.get("tool_calls", ()):
            # The call that a note names may come after the note.
            parts.append(f"SELECT spawned_subagent_id AS subagent_id FROM {rows} WHERE spawned_subagent_id IS NOT NULL")
            parts.append(f"SELECT subagent_id FROM subagents WHERE tool_use_id IN (SELECT id FROM {rows})")
        return " UNION ".join(parts)

    def _has(self, rows: str) -> bool:
        return self._run(f"SELECT 1 FROM ({rows}) LIMIT 1").fetchone() is not None

    def _touch_days_of_agents(self) -> None:
        """Rollups name the type of a sub-agent: its responses' days follow it, and those of the calls that start it."""
        agents = "(FROM touched_subagents)"
        noted = f"SELECT tool_use_id FROM subagents WHERE subagent_id IN {agents}"
        started = f"spawned_subagent_id IN {agents} OR id IN ({noted})"
        for rollup, rows in (
            ("tokens_daily", f"responses WHERE subagent_id IN {agents}"),
            ("extensions_daily", f"tool_calls WHERE {started}"),
        ):
            times = f"SELECT '{rollup}' AS rollup, ts FROM {rows}"
            self._run(f"INSERT INTO touched_days {_days_of(times)}")

    def _rebuild_sessions(self, rows: str) -> None:
        self._run(
            "CREATE OR REPLACE TEMP TABLE old_projects AS SELECT session_id, project, username FROM sessions "
            "WHERE session_id IN (FROM touched_sessions)"
        )
        self._run("DELETE FROM sessions WHERE session_id IN (FROM touched_sessions)")
        self._run(f"INSERT INTO sessions BY NAME {rows}")
        # Day rollups carry the session's project and owner: where one changed, all its days follow.
        moved = (
            "SELECT o.session_id FROM old_projects o JOIN sessions s USING (session_id) "
            "WHERE o.project IS DISTINCT FROM s.project OR o.username IS DISTINCT FROM s.username"
        )
        if self._has(moved):
            for rollup in COUNTED_BY_DAY:
                days = f"SELECT '{rollup}', zone, day FROM {rollup} WHERE session_id IN ({moved})"
                self._run(f"INSERT INTO touched_days {days}")


def _days_of(rows: str) -> str:
    """SELECT of the days in every zone that is kept; `rows` is a SELECT of rollup and time."""
    # No zone's day begins within a minute.
    minutes = f"SELECT DISTINCT rollup, date_trunc('minute', ts) AS ts FROM ({rows})"
    return f"SELECT DISTINCT rollup, zone, {day_of('ts', 'zone')} AS day FROM ({minutes}), zones"


def rebuild_all_days(connection: Writer, zones: Iterable[str]) -> None:
    """Rebuild the day rollups of some zones, all days of them, from the facts."""
    zones = list(zones)
    for rollup in COUNTED_BY_DAY:
        for zone in zones:
            connection.execute(f"DELETE FROM {rollup} WHERE zone = ?", [zone])
    _make_all_days(connection, zones)


def _make_all_days(connection: Writer, zones: Iterable[str]) -> None:
    """Make the day rollups of some zones of which there is nothing."""
    # Where there are no rows: to plan the questions takes longer than to look.
    counted = {
        f"{rollup} {table}": f"{table} WHERE {which}"
        for rollup, tables in COUNTED_BY_DAY.items()
        for table, which in tables.items()
    }
    found = _found(connection, counted | {"subagents": "responses WHERE subagent_id IS NOT NULL"})
    for zone in zones:
        for rollup, tables in COUNTED_BY_DAY.items():
            if any(f"{rollup} {table}" in found for table in tables):
                select = day_rollup(rollup, quoted(zone), "true", with_subagents="subagents" in found)
                connection.execute(f"INSERT INTO {rollup} BY NAME {select}")


def _found(connection: Writer, rows: Mapping[str, str]) -> frozenset[str]:
    """The names of those selections of rows that have any, in one question."""
    # As one condition each it takes three times as long.
    looks = " UNION ALL ".join(f"(SELECT '{name}' FROM {which} LIMIT 1)" for name, which in rows.items())
    return frozenset(name for (name,) in connection.rows(looks))


def renew_sources(connection: Writer) -> None:
    """Tell anew where plugins are from, after this machine's lists of them changed."""
    listed = f"(SELECT plugin_source FROM ({SOURCES}) k WHERE k.plugin = extensions_daily.plugin)"
    source = source_of("plugin", listed, "(machine IS NOT NULL OR username IS NOT NULL)")
    connection.execute(f"UPDATE extensions_daily SET source = {source} WHERE plugin IS NOT NULL")


def _rebuild_days(run: Callable[[str], Answer]) -> None:
    """Rebuild the day rollups that `touched_days` names; the NULL day is that of rows without a time."""
    touched = run(
        "SELECT rollup, zone, list(DISTINCT day::VARCHAR), (min(day) - 2)::VARCHAR, (max(day) + 2)::VARCHAR "
        "FROM touched_days GROUP BY rollup, zone"
    )
    for rollup, zone, days, low, high in touched.fetchall():
        named = ", ".join(f"DATE '{day}'" for day in days if day is not None)
        of_days, of_rows = [], []
        if named:
            of_days.append(f"day IN ({named})")
            # The time in the zone is less than two days away from that in UTC.
            of_rows.append(f"ts BETWEEN '{low}' AND '{high}'")
        if None in days:
            of_days.append("day IS NULL")
            of_rows.append("ts IS NULL")
        _rebuild(run, rollup, zone, days=" OR ".join(of_days), rows=" OR ".join(of_rows))


def _rebuild(run: Callable[[str], object], rollup: str, zone: str, *, days: str, rows: str) -> None:
    """Replace the days for which a condition holds; they come from facts for which the condition `rows` holds."""
    run(f"DELETE FROM {rollup} WHERE zone = {quoted(zone)} AND ({days})")
    run(f"INSERT INTO {rollup} BY NAME SELECT * FROM ({day_rollup(rollup, quoted(zone), rows)}) WHERE {days}")


def rebuild_slice(
    connection: Writer, rollup: str, sessions: str, times: Collection[int | None], *, with_subagents: bool
) -> None:
    """Rebuild the days of some sessions, the SQL of a set, in all zones that are kept.

    From the first day on which one of `times` lies, in microseconds, to the last; None: also that of rows without a
    time. `with_subagents`: some of the sessions' responses are of sub-agents.
    """
    of_days, of_rows, moments = [], [], {}
    if told := [time for time in times if time is not None]:
        # Bound, so that the statements for the next lines of a session are the same.
        moments = {"first": min(told), "last": max(told)}
        low, high = (day_of(f"make_timestamp(${name}::BIGINT)", "zone") for name in moments)
        of_days.append(f"day BETWEEN {low} AND {high}")
        of_rows.append(
            f"ts BETWEEN make_timestamp($first::BIGINT - {_TWO_DAYS}) AND make_timestamp($last::BIGINT + {_TWO_DAYS})"
        )
    if None in times:
        of_days.append("day IS NULL")
        of_rows.append("ts IS NULL")
    days = f"({' OR '.join(of_days)})"
    connection.execute(f"DELETE FROM {rollup} WHERE session_id IN {sessions} AND {days}", moments)
    which = f"session_id IN {sessions} AND ({' OR '.join(of_rows)})"
    select = day_rollup(rollup, "z.zone", which, zones=KEPT_ZONES, with_subagents=with_subagents)
    connection.execute(f"INSERT INTO {rollup} BY NAME SELECT * FROM ({select}) WHERE {days}", moments)


_TWO_DAYS = 2 * 86_400_000_000
"""Microseconds: the time in a zone is less than that away from the one in UTC."""
