"""Which turn of a session a response, a tool call or an event belongs to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .subagents import SubagentRun

NOTES = ("compact", "api_error", "interrupt")
"""Events that are told; `turn` events only say how long a turn took."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where in a session its turns begin, and when the outermost call above each sub-agent was made.

    What a sub-agent did belongs to the turn of that call, however long it went on in the background.
    """

    starts: tuple[tuple[dt.datetime, str], ...]
    roots: tuple[tuple[str, dt.datetime], ...]

    def asked(self, session_id: str) -> dict[str, Any]:
        """The parameters that `placed` names."""
        return {
            "id": session_id,
            "starts": [moment for moment, _ in self.starts],
            "turns": [turn for _, turn in self.starts],
            "agents": [agent for agent, _ in self.roots],
            "roots": [moment for _, moment in self.roots],
        }


def placed(rows: str, columns: str) -> str:
    """SELECT of rows of the session with the `turn` they belong to; "" is before the first prompt."""
    return f"""
        SELECT x.*, coalesce(s.turn, '') AS turn FROM (
            SELECT r.*, coalesce(o.root_at, r.ts, '-infinity'::TIMESTAMP) AS placed_at
            FROM (SELECT {columns} FROM {rows} WHERE session_id = $id) r
            LEFT JOIN (SELECT unnest($agents) AS thread, unnest($roots)::TIMESTAMP AS root_at) o USING (thread)
        ) x ASOF LEFT JOIN (SELECT unnest($starts)::TIMESTAMP AS start_at, unnest($turns) AS turn) s
        ON x.placed_at >= s.start_at
    """


def roots(agents: Sequence[SubagentRun]) -> tuple[tuple[str, dt.datetime], ...]:
    """When the outermost call above each sub-agent was made."""
    by_id = {agent.subagent_id: agent for agent in agents}
    found = []
    for agent in agents:
        top, seen = agent, {agent.subagent_id}
        while top.parent in by_id and top.parent not in seen:
            seen.add(top.parent)
            top = by_id[top.parent]
        if top.called_at is not None:
            found.append((agent.subagent_id, top.called_at))
    return tuple(found)
