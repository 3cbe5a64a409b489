"""Making all rollups anew from the facts: after an upgrade of the store, and where all prices are others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .. import rollups
from ..quoting import quoted

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
        name = quoted(zone)
        for table, select in (
            ("tokens_daily", rollups.tokens_daily(name)),
            ("tools_daily", rollups.tools_daily(name)),
            ("extensions_daily", rollups.extensions_daily(name)),
        ):
            yield f"DELETE FROM {table} WHERE zone = {name}"
            yield f"INSERT INTO {table} BY NAME {select}"
