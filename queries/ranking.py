"""The agents by type and model: what each did, how well, how fast, and what that took."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import matching
from .executed import executed, milliseconds
from .filters import Filter
from .hand_over_facts import SPENT, Spent
from .rollups import MAIN_AGENT
from .threads import LIVE_FOR, THREAD
from .tokens import detailed, where_of

if TYPE_CHECKING:
    from .store import Reader

GOOD, FAIR = 0.9, 0.7
"""Shares of calls that went well from which on an agent does well, or middling; as HtmlGraph has them."""


@dataclass(frozen=True, slots=True)
class RankedAgent(Spent):
    """One type of agent with one model. Times are of its tool calls, in milliseconds, waits for a person left out.

    `events` are its responses and tool calls; `share` is theirs among all that match. Calls of a response that is not
    known are of the model that their thread used most.
    """

    agent: str | None = None
    subagent_type: str = MAIN_AGENT
    model: str | None = None
    is_running: bool = False
    """Whether it has done anything in the last five minutes."""
    sessions: int = 0
    events: int = 0
    tool_calls: int = 0
    errors: int = 0
    finished: int = 0
    avg_ms: float | None = None
    p95_ms: float | None = None
    share: float = 0.0
    last_active_at: dt.datetime | None = None

    @property
    def success_ratio(self) -> float | None:
        """Finished calls that went well; None if none is finished."""
        return None if not self.finished else 1 - self.errors / self.finished


_USUAL = f"""
    SELECT session_id, coalesce({THREAD}, '-') AS thread, mode(model) AS model FROM responses
    WHERE is_answer GROUP BY ALL
"""


def ranked_agents(connection: Reader, chosen: Filter, *, now: dt.datetime) -> list[RankedAgent]:
    """Every type of agent with every model, the one that did most first; `now` is UTC without a zone."""
    # The question names types of agents, so that they are told.
    telling = chosen if chosen.subagent_type is not None else chosen.but(subagent_type="")
    used, made = where_of(chosen), matching.calls_where(chosen)
    parameters = used.parameters | made.parameters | {"now": now, "live": LIVE_FOR}
    return connection.ask(
        RankedAgent,
        f"""
        WITH used AS (
            SELECT agent, subagent_type, model, {SPENT}, list(DISTINCT session_id) AS ids,
                max(coalesce(ended_at, ts)) AS last_at
            FROM {detailed(telling)} WHERE {used} GROUP BY ALL
        ),
        made AS (
            SELECT told_by AS agent, caller_type AS subagent_type, coalesce(c.model, o.model) AS model,
                count(*) AS tool_calls,
                count(*) FILTER (is_error) AS errors, count(*) FILTER (is_error IS NOT NULL) AS finished,
                avg({milliseconds()}) FILTER ({executed()}) AS avg_ms,
                quantile_cont({milliseconds()}, 0.95) FILTER ({executed()}) AS p95_ms,
                list(DISTINCT c.session_id) AS ids, max(coalesce(result_ts, ts)) AS last_at
            FROM (SELECT *, coalesce({THREAD}, '-') AS thread FROM {matching.calls(telling)} WHERE {made}) c
            LEFT JOIN ({_USUAL}) o ON o.session_id = c.session_id AND o.thread = c.thread
            GROUP BY ALL
        )
        SELECT coalesce(u.agent, m.agent) AS agent, coalesce(u.subagent_type, m.subagent_type) AS subagent_type,
            coalesce(u.model, m.model) AS model,
            coalesce(greatest(u.last_at, m.last_at) BETWEEN $now - $live AND $now + $live, false) AS is_running,
            len(list_distinct(list_concat(coalesce(u.ids, []), coalesce(m.ids, [])))) AS sessions,
            coalesce(u.responses, 0) + coalesce(m.tool_calls, 0) AS events, coalesce(m.tool_calls, 0) AS tool_calls,
            coalesce(m.errors, 0) AS errors, coalesce(m.finished, 0) AS finished, m.avg_ms, m.p95_ms,
            (events / nullif(sum(coalesce(u.responses, 0) + coalesce(m.tool_calls, 0)) OVER (), 0))::DOUBLE AS share,
            greatest(u.last_at, m.last_at) AS last_active_at,
            {", ".join(f"coalesce(u.{name}, 0) AS {name}" for name in _ZERO)}, u.reasoning_tokens, u.cost_usd
        FROM used u FULL JOIN made m ON m.agent IS NOT DISTINCT FROM u.agent
            AND m.subagent_type IS NOT DISTINCT FROM u.subagent_type AND m.model IS NOT DISTINCT FROM u.model
        ORDER BY events DESC, agent, subagent_type, model""",
        parameters,
    )


_ZERO = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"),
    *("unpriced_tokens", "undercounted", "responses"),
)
"""Columns of `Spent` that are 0 where there is no response."""
