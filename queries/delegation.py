"""What sub-agents took, and what they gave back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter
from .money import exact_sum
from .rollups import MAIN_AGENT
from .tokens import SUMS, TokenSums, detailed, where_of

if TYPE_CHECKING:
    from .store import Reader

CHARS_PER_TOKEN = 4
"""How many characters of a report are taken for one token: transcripts do not tell the tokens of a result."""


@dataclass(frozen=True, slots=True)
class AgentTokens(TokenSums):
    """One type of agent. What it reported is an estimate, see CHARS_PER_TOKEN."""

    name: str
    tasks: int
    """Sub-agents that responded; 0 where old transcripts do not tell them apart."""
    reporting_tokens: int
    """Tokens of the sub-agents whose report is known."""
    report_chars: int

    @property
    def reported_tokens(self) -> int:
        """About how many tokens came back."""
        return self.report_chars // CHARS_PER_TOKEN

    @property
    def compression(self) -> float | None:
        """Tokens consumed for each token reported, among those whose report is known; None if there is none."""
        return self.reporting_tokens / (self.report_chars / CHARS_PER_TOKEN) if self.report_chars else None


@dataclass(frozen=True, slots=True)
class DelegatedTask:
    """One sub-agent and what it was for."""

    subagent_id: str
    subagent_type: str
    description: str | None
    session_id: str | None
    title: str | None
    started_at: dt.datetime | None
    seconds: float | None
    """From its first response's request to its last row."""
    total_tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int
    report_chars: int | None

    @property
    def reported_tokens(self) -> int | None:
        """About how many tokens came back; None if that is not known."""
        return None if self.report_chars is None else self.report_chars // CHARS_PER_TOKEN

    @property
    def compression(self) -> float | None:
        """Tokens consumed for each token reported; None if that is not known."""
        return self.total_tokens / (self.report_chars / CHARS_PER_TOKEN) if self.report_chars else None


# An agent that was only started in the background has reported nothing yet: its result says just that.
_REPORTS = """
    SELECT spawned_subagent_id AS subagent_id, sum(report_chars)::BIGINT AS report_chars, min(detail) AS detail
    FROM tool_calls WHERE spawned_subagent_id IS NOT NULL AND spawned_status IS DISTINCT FROM 'background'
    GROUP BY spawned_subagent_id
"""


def by_subagent_type(connection: Reader, chosen: Filter) -> list[AgentTokens]:
    """Every type of agent, the main one included, the one with most tokens first."""
    where = where_of(chosen)
    return connection.ask(
        AgentTokens,
        f"""
        WITH rows AS (FROM {detailed(chosen, types=True)} WHERE {where}),
        reports AS ({_REPORTS}),
        each AS (
            SELECT subagent_type, subagent_id, sum(total_tokens) AS used, any_value(report_chars) AS report_chars
            FROM rows LEFT JOIN reports USING (subagent_id) WHERE subagent_id IS NOT NULL
            GROUP BY subagent_type, subagent_id
        ),
        told AS (
            SELECT subagent_type, count(*) AS tasks, sum(used) FILTER (report_chars > 0)::BIGINT AS reporting_tokens,
                sum(report_chars)::BIGINT AS report_chars
            FROM each GROUP BY subagent_type
        ),
        summed AS (SELECT subagent_type AS name, {SUMS} FROM rows GROUP BY subagent_type)
        SELECT s.*, coalesce(t.tasks, 0) AS tasks, coalesce(t.reporting_tokens, 0) AS reporting_tokens,
            coalesce(t.report_chars, 0) AS report_chars
        FROM summed s LEFT JOIN told t ON t.subagent_type = s.name ORDER BY total_tokens DESC, name""",
        where.parameters,
    )


def tasks(connection: Reader, chosen: Filter, limit: int = 50) -> list[DelegatedTask]:
    """The sub-agents that took the most tokens."""
    where = where_of(chosen).add("subagent_id IS NOT NULL").add(f"subagent_type <> '{MAIN_AGENT}'")
    return connection.ask(
        DelegatedTask,
        f"""
        SELECT r.*, coalesce(a.description, p.detail) AS description, s.title, p.report_chars
        FROM (
            SELECT subagent_id, any_value(subagent_type) AS subagent_type, any_value(session_id) AS session_id,
                min(coalesce(requested_at, ts)) AS started_at,
                epoch_ms(max(ended_at)) / 1e3 - epoch_ms(min(coalesce(requested_at, ts))) / 1e3 AS seconds,
                sum(total_tokens)::BIGINT AS total_tokens, {exact_sum("cost_usd")} AS cost_usd,
                sum(unpriced_tokens)::BIGINT AS unpriced_tokens, sum(undercounted)::BIGINT AS undercounted
            FROM {detailed(chosen, types=True)} WHERE {where} GROUP BY subagent_id
        ) r LEFT JOIN subagents a USING (subagent_id) LEFT JOIN ({_REPORTS}) p USING (subagent_id)
        LEFT JOIN sessions s USING (session_id)
        ORDER BY total_tokens DESC, subagent_id LIMIT {int(limit)}""",
        where.parameters,
    )
