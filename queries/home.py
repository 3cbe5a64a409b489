"""The header frame: what happened in the last 24 hours or seven days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import matching, tokens
from .filters import Filter, Where
from .money import exact_sum
from .servers import PULLS
from .token_kinds import inward

if TYPE_CHECKING:
    from .store import Reader

WINDOWS = {"24h": dt.timedelta(hours=24), "7d": dt.timedelta(days=7)}
DEFAULT_WINDOW = "24h"


@dataclass(frozen=True, slots=True)
class Home:
    """Counts over a rolling window, by the time of the responses and prompts themselves."""

    sessions: int
    prompts: int
    projects: int
    responses: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int | None
    """Part of the output; None where nothing tells."""
    cost_usd: float | None
    unpriced_tokens: int
    billed_elsewhere_tokens: int
    undercounted: int
    last_pull_at: dt.datetime | None

    @property
    def cache_write_tokens(self) -> int:
        """Written to the cache for either time."""
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def total_tokens(self) -> int:
        """In, out and cache."""
        return inward(self) + self.output_tokens


def home(connection: Reader, window: str, *, now: dt.datetime, chosen: Filter | None = None) -> Home:
    """The frame for `24h` or `7d` before `now` (UTC without a zone); another window is taken as `24h`.

    Of what happened in it the filter leaves what it leaves everywhere.
    """
    since = now - WINDOWS.get(window, WINDOWS[DEFAULT_WINDOW])
    chosen = chosen or Filter()
    lately = Where().add("ts >= $from AND ts <= $now", **{"from": since, "now": now})
    used, typed, own = tokens.where_of(chosen), matching.prompts_where(chosen), matching.by_session(chosen)
    of_sessions = f" AND session_id IN (SELECT session_id FROM sessions WHERE {own})" if own.parameters else ""
    return connection.one(
        Home,
        f"""
        WITH r AS (FROM {tokens.detailed(chosen)} WHERE {lately} AND {used}),
        p AS (FROM prompts WHERE {lately} AND {typed} AND kind = 'prompt'{of_sessions}),
        ids AS (SELECT session_id FROM r UNION SELECT session_id FROM p)
        SELECT coalesce(sum(responses), 0)::BIGINT AS responses,
            coalesce(sum(input_tokens), 0)::BIGINT AS input_tokens,
            coalesce(sum(output_tokens), 0)::BIGINT AS output_tokens,
            coalesce(sum(cache_read_tokens), 0)::BIGINT AS cache_read_tokens,
            coalesce(sum(cache_write_5m_tokens), 0)::BIGINT AS cache_write_5m_tokens,
            coalesce(sum(cache_write_1h_tokens), 0)::BIGINT AS cache_write_1h_tokens,
            sum(reasoning_tokens)::BIGINT AS reasoning_tokens,
            {exact_sum("cost_usd")} AS cost_usd,
            coalesce(sum(unpriced_tokens), 0)::BIGINT AS unpriced_tokens,
            coalesce(sum(billed_elsewhere_tokens), 0)::BIGINT AS billed_elsewhere_tokens,
            coalesce(sum(undercounted), 0)::BIGINT AS undercounted,
            (SELECT count(*) FROM ids WHERE session_id IS NOT NULL) AS sessions,
            (SELECT count(*) FROM p) AS prompts,
            (SELECT count(DISTINCT project) FROM sessions WHERE session_id IN (FROM ids)) AS projects,
            ({PULLS}) AS last_pull_at
        FROM r""",
        lately.parameters | used.parameters | typed.parameters | own.parameters,
    )
