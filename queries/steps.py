"""The responses, tool calls and events of sessions, below the turn or the run of a sub-agent they belong to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .spent import NAMES, OF_RESPONSE, TokensSpent
from .threads import IDS, THREAD
from .turns import placed

if TYPE_CHECKING:
    from .session_detail import SessionDetail
    from .store import Reader

NOTES = ("compact", "api_error", "interrupt")
"""Events that are told; `turn` events only say how long a turn took."""


@dataclass(frozen=True, slots=True)
class Step:
    """A response of the model, a tool call, or an event below a turn or a run of a sub-agent.

    `kind` is response, call, or one of NOTES. `status` is ok, error, denied, running or interrupted; of a compaction or
    an interrupt it is None. `seconds` is None while a call runs, and includes the time it waited for permission; of a
    response it is the time to its answer. The numbers of tokens are those of a response, None of all else.
    """

    parent: str
    """`turn:<id>` or `agent:<key>`; of what came before the first prompt `turn:`."""
    total: int
    """How many steps the parent has in all, but for responses that made calls: they are told with those."""
    calls: bool
    """Whether it is a response that made calls."""
    session_id: str
    kind: str
    id: str
    name: str
    detail: str | None
    started_at: dt.datetime | None
    status: str | None
    seconds: float | None
    error: str | None
    thread: str | None
    """The sub-agent whose step it is; None is the session's own conversation."""
    response_key: str | None
    """The response that made the call; a response's own id."""
    subagent_type: str | None
    """Of a call that is for a sub-agent: its type, or the tool's name."""
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    responses: int | None
    reasoning_tokens: int | None
    total_tokens: int | None
    cost_usd: float | None
    unpriced_tokens: int | None
    billed_elsewhere_tokens: int | None
    undercounted: int | None

    @property
    def spent(self) -> TokensSpent | None:
        """What a response took."""
        if self.total_tokens is None:
            return None
        return TokensSpent(**{name: getattr(self, name) for name in NAMES})


_STATUS = """CASE WHEN denial IS NOT NULL THEN 'denied' WHEN is_error THEN 'error' WHEN is_error IS NOT NULL THEN 'ok'
    WHEN list_contains($running, id) THEN 'running' ELSE 'interrupted' END"""
_SECONDS = "greatest(0, epoch_us(result_ts) - epoch_us(ts)) / 1e6"
_ANSWERED = "coalesce(duration_ms / 1e3, greatest(0, epoch_us(coalesce(ended_at, ts)) - epoch_us(requested_at)) / 1e6)"
_PARENT = """CASE WHEN thread IS NULL OR $failed THEN 'turn:' || coalesce(turn, '')
    WHEN run > 1 THEN 'agent:' || thread || '#' || run ELSE 'agent:' || thread END"""
_NOTHING = ", ".join(f"NULL AS {name}" for name in NAMES)
_OF_RESPONSE = ", ".join(NAMES)

# A sub-agent's step stands below its run; with `$failed`, only what went wrong, flat below the turns.
_FOUND = f"""
    WITH found AS (
        SELECT {_PARENT} AS parent, session_id, 'call' AS kind, id, name, detail, ts AS started_at, pos, 1 AS place,
            {_STATUS} AS status, CASE WHEN result_ts IS NOT NULL THEN {_SECONDS} END AS seconds, error_text AS error,
            thread, response_key, NULL AS model, false AS calls,
            CASE WHEN class = 'subagent' THEN coalesce(subagent_type, name) END AS subagent_type, {_NOTHING}
        FROM ({
    placed(
        f"SELECT session_id, {THREAD} AS thread, ts, pos, id, name, detail, result_ts, is_error, denial, error_text, "
        f"response_key, class, subagent_type FROM tool_calls WHERE session_id IN {IDS} AND name IS NOT NULL"
    )
})
        UNION ALL BY NAME
        SELECT {_PARENT} AS parent, session_id, 'response' AS kind, key AS id, kind AS name, stop_reason AS detail,
            ts AS started_at, pos, 0 AS place, CASE WHEN is_api_error THEN 'error' ELSE 'ok' END AS status,
            {_ANSWERED} AS seconds, NULL AS error, thread, key AS response_key, model, calls, NULL AS subagent_type,
            {_OF_RESPONSE}
        FROM ({
    placed(
        f"SELECT session_id, {THREAD} AS thread, ts, pos, key, kind, stop_reason, is_api_error, duration_ms, ended_at, "
        f"requested_at, model, key IN (SELECT response_key FROM tool_calls WHERE session_id IN {IDS} "
        f"AND name IS NOT NULL AND response_key IS NOT NULL) AS calls, {OF_RESPONSE} "
        f"FROM responses WHERE NOT $failed AND session_id IN {IDS}"
    )
})
        UNION ALL BY NAME
        SELECT 'turn:' || coalesce(turn, '') AS parent, session_id, kind, id, kind AS name, text AS detail,
            ts AS started_at, pos, 0 AS place, CASE WHEN kind = 'api_error' THEN 'error' END AS status,
            NULL AS seconds, NULL AS error, NULL AS thread, NULL AS response_key, NULL AS model, false AS calls,
            NULL AS subagent_type, {_NOTHING}
        FROM ({
    placed(
        "SELECT session_id, NULL::VARCHAR AS thread, ts, pos, id, kind, text FROM events "
        f"WHERE session_id IN {IDS} AND kind IN (SELECT unnest($notes))"
    )
})
    )
"""

_STEPS = f"""{_FOUND}
    SELECT f.*, count(*) FILTER (NOT calls) OVER (PARTITION BY parent) AS total
    FROM found f JOIN (SELECT unnest($parents) AS parent, unnest($limits) AS most) w USING (parent)
    WHERE NOT $failed OR kind IN ('api_error', 'interrupt') OR status IN ('error', 'denied', 'interrupted')
    QUALIFY sum((NOT calls)::INTEGER) OVER (PARTITION BY parent
        ORDER BY started_at DESC NULLS FIRST, pos DESC, place DESC, id DESC ROWS UNBOUNDED PRECEDING) <= most
    ORDER BY started_at NULLS LAST, pos, place, id
"""


def steps(
    connection: Reader,
    ids: Collection[str],
    running: Collection[str],
    parents: Mapping[str, int],
    *,
    failed: bool = False,
) -> list[Step]:
    """The steps below some turns and runs of sub-agents of the sessions `ids`, in their order.

    Those are the sessions that `find_turns` was given on this connection; `running` are the ids of the calls that run.
    `parents` says how many at most of each; the latest are taken. With `failed` only calls that failed, were denied or
    interrupted, errors of the API and interrupts; those of sub-agents below the turn.
    """
    if not parents:
        return []
    asked = {
        "ids": list(ids),
        "running": list(running),
        "parents": list(parents),
        "limits": list(parents.values()),
        "failed": failed,
        "notes": list(NOTES),
    }
    return connection.ask(Step, _STEPS, asked)


# How many of its parent's entries have to be asked for so that one is among them: they are counted from the end.
_PLACE = f"""{_FOUND}
    SELECT parent, most FROM (
        SELECT parent, id, sum((NOT calls)::INTEGER) OVER (PARTITION BY parent
            ORDER BY started_at DESC NULLS FIRST, pos DESC, place DESC, id DESC ROWS UNBOUNDED PRECEDING) AS most
        FROM found
    ) WHERE id = $sought LIMIT 1
"""


def way_to(connection: Reader, detail: SessionDetail, sought: str) -> dict[str, int]:
    """What has to be asked for below which turns and runs of sub-agents so that a step of a session is among them.

    Nothing for what is no step, as a prompt. The session is one that `find_turns` was given on this connection.
    """
    runs = {f"agent:{run.key}": run for run in detail.agents}
    asked = {"ids": [detail.session.session_id], "running": [], "failed": False, "notes": list(NOTES)}
    way: dict[str, int] = {}
    following: str | None = sought
    while following is not None:
        found = connection.row(_PLACE, {**asked, "sought": following})
        if found is None or found[0] in way:
            break
        way[found[0]] = int(found[1])
        run = runs.get(found[0])
        following = run.call_id if run is not None else None
        if following is not None:
            # Where a call has started several, they stand below it.
            way.setdefault(f"call:{following}", 1)
    return way
