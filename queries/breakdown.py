"""Tokens, cost and times of responses by what only some agents tell, and what sub-agents gave back.

One question for all agents: what an agent does not tell is a row without a name, or no row at all. All kinds of
responses count in tokens and cost, turns alone in times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .facts import TIMED
from .filters import Filter, Where, within
from .matching import asks_responses, with_text
from .money import exact_sum
from .rollups import day_of
from .token_kinds import WRITTEN, cache_hit_ratio
from .tokens import detailed, where_of

if TYPE_CHECKING:
    from .store import Reader

GROUPS = {
    "agent": ("agent", "true"),
    "machine": ("machine", "true"),
    "username": ("username", "true"),
    "project": ("project", "true"),
    "model": ("model", "true"),
    "mode": ("subagent_name", "true"),
    "effort": ("effort", "responses = 1"),
    "tool": ("tool", "kind = 'tool'"),
    "headless": ("tool", "kind = 'headless'"),
    "provider": ("provider", "true"),
    "gateway": ("gateway", "gateway IS NOT NULL"),
}
"""What responses are grouped by -> the column, and which responses are asked.

A thinking level is asked of answers: bills beside them do not tell it."""


@dataclass(frozen=True, slots=True)
class UsedTokens:
    """What some responses took. Tokens of the kinds do not overlap, but `reasoning_tokens` are part of the output."""

    name: str | None
    """None where the source does not tell."""
    bills: int
    """All that was billed; `responses` are those of them that answer somebody."""
    responses: int
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int | None
    """None where nothing tells."""
    cache_read_tokens: int
    cache_write_tokens: int
    total_tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    billed_elsewhere_tokens: int
    undercounted: int

    @property
    def cache_hit_ratio(self) -> float | None:
        """Tokens read from the cache among all that went in; None if nothing did."""
        return cache_hit_ratio(self.cache_read_tokens, self.total_tokens - self.output_tokens)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Continuous percentiles of a measure over the turns that tell it; None where none does."""

    count: int
    p50: float | None
    p90: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Delegation:
    """Sub-agents whose parent sums up what they took: Mux does of those that it removed, Claude of background ones.

    The figures are the parent's own and stand beside the sub-agents' responses, where these are known.
    """

    children: int
    tokens_consumed: int
    cost_usd: float | None
    """As the source states it."""
    report_tokens: int | None
    """The size of their reports, as the source estimates it; None where it does of none."""
    compression_ratio: float | None
    """Tokens consumed for each token reported, by those whose report is known; None if there is none."""


@dataclass(frozen=True, slots=True)
class Delegated(Delegation):
    """Sub-agents of one type."""

    subagent_type: str | None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What the filters leave, broken down; times are milliseconds."""

    totals: UsedTokens
    groups: dict[str, list[UsedTokens]]
    """By GROUPS, in each those with most tokens first."""
    ttft_ms: Percentiles
    duration_ms: Percentiles
    output_tokens_per_second: Percentiles
    """(output - reasoning) / duration of a turn, tools included."""
    delegation: Delegation
    children: list[Delegated]
    """The same by type of agent."""


_SUMS = f"""count(*) AS bills, coalesce(sum(responses), 0)::BIGINT AS responses,
    coalesce(sum(input_tokens), 0)::BIGINT AS input_tokens, coalesce(sum(output_tokens), 0)::BIGINT AS output_tokens,
    sum(reasoning_tokens)::BIGINT AS reasoning_tokens,
    coalesce(sum(cache_read_tokens), 0)::BIGINT AS cache_read_tokens,
    coalesce(sum({WRITTEN}), 0)::BIGINT AS cache_write_tokens,
    coalesce(sum(total_tokens), 0)::BIGINT AS total_tokens, {exact_sum("cost_usd")} AS cost_usd,
    coalesce(sum(unpriced_tokens), 0)::BIGINT AS unpriced_tokens,
    coalesce(sum(billed_elsewhere_tokens), 0)::BIGINT AS billed_elsewhere_tokens,
    coalesce(sum(undercounted), 0)::BIGINT AS undercounted"""

_MEASURES = {
    "ttft_ms": "ttft_ms",
    "duration_ms": "duration_ms",
    "output_tokens_per_second": "CASE WHEN duration_ms > 0 "
    "THEN (output_tokens - coalesce(reasoning_tokens, 0)) * 1e3 / duration_ms END",
}
"""Measure -> SQL of it for one turn; NULL where it is not told."""

_DELEGATED = f"""count(*) AS children, coalesce(sum(reported_tokens), 0)::BIGINT AS tokens_consumed,
    {exact_sum("reported_usd")} AS cost_usd,
    CASE WHEN count(*) = 0 THEN 0 ELSE sum(report_tokens) END::BIGINT AS report_tokens,
    sum(reported_tokens) FILTER (report_tokens > 0)
        / nullif(sum(report_tokens) FILTER (report_tokens > 0), 0) AS compression_ratio"""


def breakdown(connection: Reader, chosen: Filter) -> Breakdown:
    """Where tokens, money and time went. Percentiles are those of SQL's PERCENTILE_CONT.

    Sub-agents are placed in time where their parent summed them up.
    """
    where = where_of(chosen)
    rows = f"(FROM {detailed(chosen)} WHERE {where})"

    def used(name: str, which: str = "true") -> list[UsedTokens]:
        return connection.ask(
            UsedTokens,
            f"SELECT {name} AS name, {_SUMS} FROM {rows} WHERE {which} GROUP BY name ORDER BY total_tokens DESC, name",
            where.parameters,
        )

    def percentiles(measure: str) -> Percentiles:
        found = f"SELECT {_MEASURES[measure]} AS value FROM {rows} WHERE kind IN {TIMED}"
        return connection.one(
            Percentiles,
            "SELECT count(value) AS count, quantile_cont(value, 0.5) AS p50, quantile_cont(value, 0.9) AS p90, "
            f"quantile_cont(value, 0.99) AS p99 FROM ({found})",
            where.parameters,
        )

    children = _children(chosen)
    told = f"FROM {_children_of(chosen)} WHERE {children}"
    return Breakdown(
        totals=connection.one(UsedTokens, f"SELECT NULL::VARCHAR AS name, {_SUMS} FROM {rows}", where.parameters),
        groups={group: used(name, which) for group, (name, which) in GROUPS.items()},
        ttft_ms=percentiles("ttft_ms"),
        duration_ms=percentiles("duration_ms"),
        output_tokens_per_second=percentiles("output_tokens_per_second"),
        delegation=connection.one(Delegation, f"SELECT {_DELEGATED} {told}", children.parameters),
        children=connection.ask(
            Delegated,
            f"SELECT subagent_type, {_DELEGATED} {told} GROUP BY subagent_type "
            "ORDER BY tokens_consumed DESC, subagent_type",
            children.parameters,
        ),
    )


def _children_of(chosen: Filter) -> str:
    """SQL of sub-agents that gave something back, by the day of that. Needs the parameter `$zone`."""
    return f"""(
    SELECT a.* REPLACE (coalesce(a.subagent_type, o.subagent_name) AS subagent_type),
        {day_of("a.reported_ts", "$zone")} AS day, s.session_id, s.project, coalesce(s.username, a.username) AS whose
    FROM {within(chosen, "subagents", "reported_ts")} a LEFT JOIN sessions s ON s.session_id = a.parent LEFT JOIN (
        SELECT subagent_id, max(subagent_name) AS subagent_name
        FROM responses WHERE subagent_id IS NOT NULL GROUP BY subagent_id
    ) o ON o.subagent_id = a.subagent_id WHERE a.reported_tokens IS NOT NULL)"""


def _children(chosen: Filter) -> Where:
    """The conditions on `_children_of`; what only responses know is asked of the sub-agent's own."""
    columns = {
        "day": "day",
        "agent": "agent",
        "machine": "machine",
        "project": "project",
        "session_id": "session_id",
        "user": "whose",
    }
    columns |= {"subagent_type": "subagent_type"}
    where = with_text(Where().by(chosen, columns), chosen).add("true", zone=chosen.zone)
    by_model = chosen.but(since=None, until=None, project=None, session_id=None, user=None, subagent_type=None, text="")
    if asks_responses(by_model):
        own = where_of(by_model)
        where.add(f"subagent_id IN (SELECT subagent_id FROM {detailed(by_model)} WHERE {own})", **own.parameters)
    return where
