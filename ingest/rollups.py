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
_DAY_TABLES = {
    "responses": "tokens_daily",
    "tool_calls": "tools_daily",
    "prompts": "extensions_daily",
}


class Touched:
    """Collects what a transaction touches, then rebuilds the rollups of it. Lives inside that transaction."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._run = connection.execute
        self._run("CREATE OR REPLACE TEMP TABLE touched_sessions (session_id VARCHAR)")
        self._run("CREATE OR REPLACE TEMP TABLE touched_days (zone VARCHAR, day DATE)")
        self._run("CREATE OR REPLACE TEMP TABLE touched_agents (agent_id VARCHAR)")
        self._any = False
        self._agents = False

    def by(self, table: str, rows: str) -> None:
        """Note the sessions, days and sub-agents of `rows`, an SQL selection of rows of `table`."""
        self._any = self._any or table in _SESSION_COLUMNS or table in ("agents", "summaries")
        for column in _SESSION_COLUMNS.get(table, ()):
            self._run(f"INSERT INTO touched_sessions SELECT DISTINCT {column} FROM {rows}")
        if table in _DAY_TABLES:
            self._run(
                f"INSERT INTO touched_days SELECT DISTINCT zone, {day_of('ts', 'zone')} "
                f"FROM (SELECT DISTINCT date_trunc('minute', ts) AS ts FROM {rows}), zones"
            )
        if table == "agents":
            self._agents = True
            self._run(f"INSERT INTO touched_agents SELECT agent_id FROM {rows}")
        if table == "tool_calls":
            # The call that a note names may come after the note.
            self._agents = True
            self._run(
                f"INSERT INTO touched_agents SELECT spawned_agent_id FROM (FROM {rows}) "
                "WHERE spawned_agent_id IS NOT NULL "
                f"UNION SELECT agent_id FROM agents WHERE tool_use_id IN (SELECT id FROM {rows})"
            )
        if table == "summaries":
            self._run(
                "INSERT INTO touched_sessions SELECT session_id FROM session_lasts WHERE kind = 'leaf' "
                f"AND value IN (SELECT leaf_uuid FROM {rows})"
            )

    def rebuild(self) -> None:
        """Rebuild the sessions and the days touched, in every zone that is kept."""
        if not self._any:
            return
        self._rebuild_sessions()
        if self._agents and self._has("FROM touched_agents"):
            self._touch_days_of_agents()
        rebuild_days(self._run, "touched_days")
        for table in ("touched_sessions", "touched_days", "touched_agents"):
            self._run(f"DROP TABLE {table}")

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
