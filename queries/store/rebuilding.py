"""Making all rollups anew from the facts: after an upgrade of the store, and where all prices are others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .. import rollups

ALL_SESSIONS = (
    "SELECT DISTINCT session_id FROM (SELECT session_id FROM responses UNION SELECT session_id FROM tool_calls "
    "UNION SELECT result_session_id FROM tool_calls UNION SELECT session_id FROM prompts "
    "UNION SELECT session_id FROM activity) WHERE session_id IS NOT NULL"
)
"""SELECT of the ids of all sessions that a rollup has a row for."""


def made_anew(zones: Iterable[str]) -> Iterator[str]:
    """The statements that make all rollups anew from the facts, those of days for some zones."""
    yield "DELETE FROM sessions"
    yield f"INSERT INTO sessions BY NAME {rollups.sessions(ALL_SESSIONS)}"
    for zone in zones:
        quoted = "'" + zone.replace("'", "''") + "'"
        for table, select in (
            ("tokens_daily", rollups.tokens_daily(quoted)),
            ("tools_daily", rollups.tools_daily(quoted)),
            ("extensions_daily", rollups.extensions_daily(quoted)),
        ):
            yield f"DELETE FROM {table} WHERE zone = {quoted}"
            yield f"INSERT INTO {table} BY NAME {select}"
