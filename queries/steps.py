"""The tool calls and events of a session, below the turn or the sub-agent they belong to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .placement import NOTES, placed
from .session_detail import SessionDetail
from .threads import THREAD

if TYPE_CHECKING:
    from .store import Reader


@dataclass(frozen=True, slots=True)
class Step:
    """A tool call (`kind` call) or an event (`kind` one of NOTES) below a turn or a sub-agent.

    `status` of a call is ok, error, denied, running or interrupted; of an event it is None. `seconds` is None while a
    call runs, and includes the time it waited for permission.
    """

    parent: str
    """`turn:<id>` or `agent:<id>`."""
    total: int
    """How many steps the parent has in all."""
    kind: str
    id: str
    name: str
    detail: str | None
    started_at: dt.datetime | None
    status: str | None
    seconds: float | None
    error: str | None
    thread: str | None
    """The sub-agent that made the call; None is the session's own conversation."""


_STATUS = """CASE WHEN denial IS NOT NULL THEN 'denied' WHEN is_error THEN 'error' WHEN is_error IS NOT NULL THEN 'ok'
    WHEN list_contains($running, id) THEN 'running' ELSE 'interrupted' END"""
_SECONDS = "greatest(0, epoch_us(result_ts) - epoch_us(ts)) / 1e6"

# A sub-agent's call stands below the sub-agent; with `$failed`, only what went wrong, flat below the turns.
_STEPS = f"""
    WITH found AS (
        SELECT CASE WHEN thread IS NULL OR $failed THEN 'turn:' || turn ELSE 'agent:' || thread END AS parent,
            'call' AS kind, id, name, detail, ts AS started_at, pos, {_STATUS} AS status,
            CASE WHEN result_ts IS NOT NULL THEN {_SECONDS} END AS seconds, error_text AS error, thread
        FROM ({
    placed(
        "tool_calls",
        f"{THREAD} AS thread, ts, pos, id, name, detail, result_ts, is_error, denial, error_text",
    )
}) WHERE name IS NOT NULL
        UNION ALL
        SELECT 'turn:' || turn, kind, id, kind, text, ts, pos, NULL, NULL, NULL, NULL
        FROM ({placed("events", "NULL::VARCHAR AS thread, ts, pos, id, kind, text")})
        WHERE kind IN (SELECT unnest($notes))
    )
    SELECT f.*, count(*) OVER (PARTITION BY parent) AS total
    FROM found f JOIN (SELECT unnest($parents) AS parent, unnest($limits) AS most) w USING (parent)
    WHERE NOT $failed OR kind IN ('api_error', 'interrupt') OR status IN ('error', 'denied', 'interrupted')
    QUALIFY row_number() OVER (PARTITION BY parent ORDER BY started_at DESC NULLS FIRST, pos DESC, id DESC) <= most
    ORDER BY started_at NULLS LAST, pos, id
"""


def steps(connection: Reader, detail: SessionDetail, parents: Mapping[str, int], *, failed: bool = False) -> list[Step]:
    """The steps below some turns and sub-agents of a session, in their order.

    `parents` says how many at most of each; the latest are taken. With `failed` only calls that failed, were denied or
    interrupted, errors of the API and interrupts; those of sub-agents below the turn.
    """
    if not parents:
        return []
    asked = detail.placement.asked(detail.session.session_id)
    asked |= {
        "running": [call.id for call in detail.threads.running],
        "parents": list(parents),
        "limits": list(parents.values()),
        "failed": failed,
        "notes": list(NOTES),
    }
    return connection.ask(Step, _STEPS, asked)
