"""Where the tokens and the money went, by day, model and session."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter, Where
from .rollups import tokens_daily
from .rows import one_as, rows_as, scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SUMS = """coalesce(sum(responses), 0)::BIGINT AS responses,
    coalesce(sum(input_tokens), 0)::BIGINT AS input_tokens, coalesce(sum(output_tokens), 0)::BIGINT AS output_tokens,
    coalesce(sum(cache_read_tokens), 0)::BIGINT AS cache_read_tokens,
    coalesce(sum(cache_write_5m_tokens), 0)::BIGINT AS cache_write_5m_tokens,
    coalesce(sum(cache_write_1h_tokens), 0)::BIGINT AS cache_write_1h_tokens,
    coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens
        + cache_write_1h_tokens), 0)::BIGINT AS total_tokens,
    sum(cost_usd) AS cost_usd, coalesce(sum(unpriced_tokens), 0)::BIGINT AS unpriced_tokens,
    coalesce(sum(undercounted), 0)::BIGINT AS undercounted, count(DISTINCT session_id) AS sessions"""
"""The sums every view of tokens consists of; the columns of `TokenSums`."""


@dataclass(frozen=True, slots=True)
class TokenSums:
    """Sums over responses. `cost_usd` is None where nothing of it has a price; `unpriced_tokens` are not in it."""

    responses: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    total_tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int
    sessions: int

    @property
    def cache_write_tokens(self) -> int:
        """Cache writes of both lifetimes."""
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def cache_hit_ratio(self) -> float | None:
        """Tokens read from the cache among all that went in; None if nothing did."""
        inward = self.input_tokens + self.cache_read_tokens + self.cache_write_tokens
        return self.cache_read_tokens / inward if inward else None


@dataclass(frozen=True, slots=True)
class DayTokens(TokenSums):
    """Sums of one calendar day."""

    day: dt.date


@dataclass(frozen=True, slots=True)
class GroupTokens(TokenSums):
    """Sums of one group; `name` is None where the rows have no value."""

    name: str | None


@dataclass(frozen=True, slots=True)
class SessionTokens(TokenSums):
    """Sums of one session within the selection."""

    session_id: str
    session_file: str | None
    title: str | None
    project: str | None
    started_at: dt.datetime | None
    primary_model: str | None


GROUPS = {
    "model": "coalesce(model, '(unknown)')",
    "project": "project",
    "agent_type": "agent_type",
    "username": "username",
}
"""What tokens can be grouped by -> the SQL of it."""


def rollup(connection: DuckDBPyConnection, zone: str) -> str:
    """SQL of the token rollup in a zone: the stored one, or the same question on the facts if it is not kept.

    Needs the parameter `$zone`.
    """
    kept = scalar(connection, "SELECT 1 FROM zones WHERE zone = $zone", {"zone": zone})
    return "(FROM tokens_daily WHERE zone = $zone)" if kept else f"({tokens_daily('$zone')})"


def where_of(chosen: Filter) -> Where:
    """The conditions of a filter on the token rollup."""
    where = Where().by(
        chosen,
        {
            "day": "day",
            "project": "project",
            "model": "model",
            "agent_type": "agent_type",
            "session_id": "session_id",
            "user": "username",
        },
    )
    return where.add("true", zone=chosen.zone)


def totals(connection: DuckDBPyConnection, chosen: Filter) -> TokenSums:
    """Sums over the whole selection. Responses without a day count unless the filter names days."""
    where = where_of(chosen)
    return one_as(
        connection,
        TokenSums,
        f"SELECT {SUMS} FROM {rollup(connection, chosen.zone)} WHERE {where}",
        where.parameters,
    )


def by_day(connection: DuckDBPyConnection, chosen: Filter) -> list[DayTokens]:
    """Sums of every calendar day with a response, oldest first."""
    where = where_of(chosen).add("day IS NOT NULL")
    return rows_as(
        connection,
        DayTokens,
        f"SELECT day, {SUMS} FROM {rollup(connection, chosen.zone)} WHERE {where} GROUP BY day ORDER BY day",
        where.parameters,
    )


def by_group(connection: DuckDBPyConnection, chosen: Filter, group: str) -> list[GroupTokens]:
    """Sums by one of GROUPS (KeyError otherwise), the largest first."""
    where = where_of(chosen)
    return rows_as(
        connection,
        GroupTokens,
        f"SELECT {GROUPS[group]} AS name, {SUMS} FROM {rollup(connection, chosen.zone)} WHERE {where} "
        "GROUP BY 1 ORDER BY total_tokens DESC, name",
        where.parameters,
    )


def by_day_and_group(connection: DuckDBPyConnection, chosen: Filter, group: str) -> list[tuple[dt.date, GroupTokens]]:
    """Sums of every day and group of GROUPS, oldest day first."""
    where = where_of(chosen).add("day IS NOT NULL")
    answer = connection.execute(
        f"SELECT day, * EXCLUDE (day) FROM (SELECT day, {SUMS}, {GROUPS[group]} AS name "
        f"FROM {rollup(connection, chosen.zone)} WHERE {where} GROUP BY day, name) ORDER BY day, total_tokens DESC",
        where.parameters,
    )
    return [(row[0], GroupTokens(*row[1:])) for row in answer.fetchall()]


def top_sessions(connection: DuckDBPyConnection, chosen: Filter, limit: int = 10) -> list[SessionTokens]:
    """The sessions with the most tokens in the selection."""
    where = where_of(chosen).add("session_id IS NOT NULL")
    return rows_as(
        connection,
        SessionTokens,
        f"""SELECT t.*, s.title, s.project, s.started_at, s.primary_model,
                (SELECT parse_filename(any_value(path)) FROM files f WHERE f.session_id = t.session_id AND is_main)
                    AS session_file
            FROM (SELECT session_id, {SUMS.replace("count(DISTINCT session_id) AS sessions", "1 AS sessions")}
                FROM {rollup(connection, chosen.zone)} WHERE {where} GROUP BY session_id) t
            LEFT JOIN sessions s USING (session_id) ORDER BY total_tokens DESC, session_id LIMIT {int(limit)}""",
        where.parameters,
    )
