"""Keeping the rollups true: after a batch exactly the sessions and days it touched are rebuilt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..queries import rollups as define
from ..queries.rollups import day_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SESSION_COLUMNS = {
    "responses": ("session_id",),
    "tool_calls": ("session_id", "result_session_id"),
    "prompts": ("session_id",),
    "session_firsts": ("session_id",),
    "session_lasts": ("session_id",),
    "activity": ("session_id",),
}
"""Tables whose rows a rollup is about -> columns with the sessions that a row belongs to."""

_DAY_TABLES = {
    "responses": "tokens_daily",
    "tool_calls": "tools_daily",
    "prompts": "extensions_daily",
}
"""Tables whose rows are counted by day -> a rollup that counts them."""

_OTHER_COLUMNS = {
    "responses": ("ts",),
    # A result whose call is not there is not counted by day.
    "tool_calls": ("ts", "id", "name", "spawned_agent_id"),
    "prompts": ("ts",),
    "summaries": ("leaf_uuid",),
    "agents": ("agent_id",),
}


class Touched:
    """Collects what a transaction touches, then rebuilds the rollups of it. Lives inside that transaction."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._run = connection.execute
        self._rows: dict[str, list[str]] = {}

    def by(self, table: str, rows: str) -> None:
        """Note `rows`, an SQL selection of rows of `table`, that may be gone at the end of the transaction."""
        columns = (*_SESSION_COLUMNS.get(table, ()), *_OTHER_COLUMNS.get(table, ()))
        if columns:
            noted = f"touched_{table}_{len(self._rows.get(table, ()))}"
            self._run(f"CREATE OR REPLACE TEMP TABLE {noted} AS SELECT {', '.join(columns)} FROM {rows}")
            self.add(table, noted)

    def add(self, table: str, relation: str) -> None:
        """Note the rows of a temporary table, that stays until the end, as rows of `table`."""
        if table in _SESSION_COLUMNS or table in _OTHER_COLUMNS:
            self._rows.setdefault(table, []).append(relation)

    def rebuild(self) -> None:
        """Rebuild the sessions and the days touched, in every zone that is kept."""
        if not self._rows:
            return
        self._run(f"CREATE OR REPLACE TEMP TABLE touched_sessions AS {self._sessions()}")
        self._run(f"CREATE OR REPLACE TEMP TABLE touched_days AS {self._days()}")
        self._rebuild_sessions()
        if "agents" in self._rows or "tool_calls" in self._rows:
            self._run(f"CREATE OR REPLACE TEMP TABLE touched_agents AS {self._agents()}")
            if self._has("FROM touched_agents"):
                self._touch_days_of_agents()
        rebuild_days(self._run, "touched_days")

    def _sessions(self) -> str:
        parts = [
            f"SELECT {column} AS session_id FROM {rows} WHERE {column} IS NOT NULL"
            for table, columns in _SESSION_COLUMNS.items()
            for rows in self._rows.get(table, ())
            for column in columns
        ] + [
            "SELECT session_id FROM session_lasts WHERE kind = 'leaf' "
            f"AND value IN (SELECT leaf_uuid FROM {rows})"
            for rows in self._rows.get("summaries", ())
        ]  # fmt: skip
        return " UNION ".join(parts) or "SELECT NULL::VARCHAR AS session_id LIMIT 0"

    def _days(self) -> str:
        parts = [
            f"SELECT ts FROM {rows}{' WHERE name IS NOT NULL' if table == 'tool_calls' else ''}"
            for table in _DAY_TABLES
            for rows in self._rows.get(table, ())
        ]
        times = " UNION ALL ".join(parts) or "SELECT NULL::TIMESTAMP AS ts LIMIT 0"
        # No zone's day begins within a minute.
        minutes = f"SELECT DISTINCT date_trunc('minute', ts) AS ts FROM ({times})"
        return f"SELECT DISTINCT zone, {day_of('ts', 'zone')} AS day FROM ({minutes}), zones"

    def _agents(self) -> str:
        parts = [f"SELECT agent_id FROM {rows}" for rows in self._rows.get("agents", ())]
        for rows in self._rows.get("tool_calls", ()):
            # The call that a note names may come after the note.
            parts.append(f"SELECT spawned_agent_id AS agent_id FROM {rows} WHERE spawned_agent_id IS NOT NULL")
            parts.append(f"SELECT agent_id FROM agents WHERE tool_use_id IN (SELECT id FROM {rows})")
        return " UNION ".join(parts)

    def _has(self, rows: str) -> bool:
        return self._run(f"SELECT 1 FROM ({rows}) LIMIT 1").fetchone() is not None

    def _touch_days_of_agents(self) -> None:
        """Rollups name the type of a sub-agent: its responses' days follow it, and those of the calls that start it."""
        agents = "(FROM touched_agents)"
        started = f"spawned_agent_id IN {agents} OR id IN (SELECT tool_use_id FROM agents WHERE agent_id IN {agents})"
        for rows in (f"responses WHERE agent_id IN {agents}", f"tool_calls WHERE {started}"):
            self._run(
                f"INSERT INTO touched_days SELECT DISTINCT zone, {day_of('ts', 'zone')} "
                f"FROM (SELECT DISTINCT ts FROM {rows}), zones"
            )

    def _rebuild_sessions(self) -> None:
        self._run(
            "CREATE OR REPLACE TEMP TABLE old_projects AS SELECT session_id, project, username FROM sessions "
            "WHERE session_id IN (FROM touched_sessions)"
        )
        self._run("DELETE FROM sessions WHERE session_id IN (FROM touched_sessions)")
        only = "SELECT DISTINCT session_id FROM touched_sessions WHERE session_id IS NOT NULL"
        self._run(f"INSERT INTO sessions BY NAME {define.sessions(only)}")
        # Day rollups carry the session's project and owner: where one changed, all its days follow.
        moved = (
            "SELECT o.session_id FROM old_projects o JOIN sessions s USING (session_id) "
            "WHERE o.project IS DISTINCT FROM s.project OR o.username IS DISTINCT FROM s.username"
        )
        for table in _DAY_TABLES if self._has(moved) else ():
            self._run(
                f"INSERT INTO touched_days SELECT DISTINCT zone, {day_of('ts', 'zone')} FROM {table}, zones "
                f"WHERE session_id IN ({moved})"
            )
        self._run("DROP TABLE old_projects")


def rebuild_days(run, days: str) -> None:  # type: ignore[no-untyped-def]
    """Rebuild the day rollups for the (zone, day) rows of the table `days`; a NULL day is the rows without a time."""
    zones = [zone for (zone,) in run(f"SELECT DISTINCT zone FROM {days}").fetchall()]
    for zone in zones:
        quoted = "'" + zone.replace("'", "''") + "'"
        wanted = f"(SELECT DISTINCT day FROM {days} WHERE zone = {quoted})"
        bounds = f"(SELECT min(day) - 2 FROM {wanted}), (SELECT max(day) + 2 FROM {wanted})"
        low, high = run(f"SELECT {bounds}").fetchone()
        near = f"ts BETWEEN '{low}' AND '{high}' OR" if low is not None else ""
        for table, select in (
            ("tokens_daily", define.tokens_daily(quoted, f"(FROM responses WHERE {near} ts IS NULL)")),
            ("tools_daily", define.tools_daily(quoted, f"(FROM tool_calls WHERE {near} ts IS NULL)")),
            (
                "extensions_daily",
                define.extensions_daily(
                    quoted,
                    f"(FROM tool_calls WHERE {near} ts IS NULL)",
                    f"(FROM prompts WHERE {near} ts IS NULL)",
                ),
            ),
        ):
            run(
                f"DELETE FROM {table} AS t WHERE zone = {quoted} AND EXISTS "
                f"(SELECT 1 FROM {wanted} w WHERE w.day IS NOT DISTINCT FROM t.day)"
            )
            run(
                f"INSERT INTO {table} BY NAME SELECT t.* FROM ({select}) t WHERE EXISTS "
                f"(SELECT 1 FROM {wanted} w WHERE w.day IS NOT DISTINCT FROM t.day)"
            )
