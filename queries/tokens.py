"""Where the tokens and the money went, by day, model and session."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .filters import Filter, Where, within
from .matching import RESPONSE_FIELDS, with_text
from .money import exact_sum, known_usd
from .priced_apart import STANDARD, priced_apart
from .rollups import SUBAGENT_TYPES, day_of, subagent_type_of, tokens_daily
from .token_kinds import (
    TOTAL,
    WRITTEN,
    CacheWrites,
    billed_elsewhere,
    cache_hit_ratio,
    columns,
    inward,
    known_count,
    unpriced,
)

if TYPE_CHECKING:
    from .store import Reader

SUMS = f"""coalesce(sum(responses), 0)::BIGINT AS responses,
    {columns(sql="coalesce(sum({}), 0)::BIGINT")}, sum(reasoning_tokens)::BIGINT AS reasoning_tokens,
    coalesce(sum({TOTAL}), 0)::BIGINT AS total_tokens,
    {exact_sum("cost_usd")} AS cost_usd, coalesce(sum(unpriced_tokens), 0)::BIGINT AS unpriced_tokens,
    coalesce(sum(billed_elsewhere_tokens), 0)::BIGINT AS billed_elsewhere_tokens,
    coalesce(sum(undercounted), 0)::BIGINT AS undercounted, count(DISTINCT session_id) AS sessions"""
"""The sums every view of tokens consists of; the columns of `TokenSums`."""


@dataclass(frozen=True, slots=True)
class TokenSums(CacheWrites):
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
    billed_elsewhere_tokens: int
    """What a subscription pays for: it has no cost, and is not unpriced."""
    undercounted: int
    sessions: int
    reasoning_tokens: int | None
    """The part of the output that was thinking; None where nothing tells."""

    @property
    def cache_hit_ratio(self) -> float | None:
        """Tokens read from the cache among all that went in; None if nothing did."""
        return cache_hit_ratio(self.cache_read_tokens, inward(self))


def added(rows: Sequence[TokenSums]) -> TokenSums:
    """The sums of several groups of responses. A session may be in several: theirs cannot be added up, and are 0."""
    sums: dict[str, Any] = {}
    for field in dataclasses.fields(TokenSums):
        known = known_usd if field.name == "cost_usd" else known_count
        found = known(getattr(row, field.name) for row in rows)
        sums[field.name] = 0 if found is None and field.name not in _MAYBE_UNKNOWN else found
    return TokenSums(**sums | {"sessions": 0})


_MAYBE_UNKNOWN = ("cost_usd", "reasoning_tokens")
"""Sums that may be unknown, and are then no 0."""


NOTHING = TokenSums(0, 0, 0, 0, 0, 0, 0, 0.0, 0, 0, 0, 0, None)
"""What a day without a response took."""


WHOSE = ", ".join(
    f"CASE WHEN count(*) = count({name}) AND min({name}) = max({name}) THEN min({name}) END AS {name}"
    for name in ("agent", "machine", "username")
)
"""SQL of who told some responses, where that is the same of all; the columns of `OwnedTokens`."""


@dataclass(frozen=True, slots=True)
class OwnedTokens(TokenSums):
    """Sums with who told of them: None where that is not the same of all, or not told."""

    agent: str | None
    machine: str | None
    username: str | None


@dataclass(frozen=True, slots=True)
class DayTokens(OwnedTokens):
    """Sums of one calendar day."""

    day: dt.date


@dataclass(frozen=True, slots=True)
class GroupTokens(OwnedTokens):
    """Sums of one group; `name` is None where the rows have no value.

    Models have a group for each speed and service tier that is priced apart, others have all in one.
    """

    name: str | None
    speed: str
    service_tier: str


@dataclass(frozen=True, slots=True)
class SessionTokens(OwnedTokens):
    """Sums of one session within the selection."""

    session_id: str
    session_file: str | None
    title: str | None
    project: str | None
    started_at: dt.datetime | None
    primary_model: str | None


GROUPS = {
    "agent": "coalesce(agent, '(unknown)')",
    "machine": "machine",
    "model": "coalesce(model, '(unknown)')",
    "project": "project",
    "subagent_type": "subagent_type",
    "username": "username",
    "git_branch": "nullif(git_branch, '')",
    "version": "version",
}
"""What tokens can be grouped by -> the SQL of it."""

ORDERS = {
    "name": "lower(name)",
    "sessions": "sessions",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": WRITTEN,
    "total_tokens": "total_tokens",
    "cost_usd": "cost_usd",
}
"""What groups can be sorted by -> the SQL of it."""


def rollup(connection: Reader, chosen: Filter) -> str:
    """SQL of rows of tokens that know all that a filter is about, and all of GROUPS. Needs the parameter `$zone`.

    The stored rollup of the zone, or the same question on the facts if it is not kept, or the filter is about hours.
    """
    if chosen.has_hours:
        return f"({tokens_daily('$zone', within(chosen, 'responses'))})"
    kept = connection.value("SELECT 1 FROM zones WHERE zone = $zone", {"zone": chosen.zone})
    return "(FROM tokens_daily WHERE zone = $zone)" if kept else f"({tokens_daily('$zone')})"


def detailed(chosen: Filter, *, types: bool | None = None) -> str:
    """SQL of one row per response: the columns of the rollup, and what only the responses themselves know.

    Needs the parameter `$zone`. With a filter that asks for no type of agent the rows do not tell it, unless `types`:
    to find it takes as long as all the rest.
    """
    kind, join = subagent_type_of("r"), f"LEFT JOIN ({SUBAGENT_TYPES}) t ON t.subagent_id = r.subagent_id"
    if not (chosen.subagent_type is not None if types is None else types):
        kind, join = "NULL::VARCHAR", ""
    return f"""(
    SELECT {day_of("r.ts", "$zone")} AS day, r.ts, r.session_id, r.agent, r.machine,
        coalesce(s.username, r.username) AS username,
        s.project, r.model,
        {kind} AS subagent_type,
        r.speed, r.service_tier, r.git_branch, r.version, r.key, r.subagent_id, r.is_sidechain,
        r.requested_at, r.ended_at,
        r.kind, r.stop_reason, r.is_answer::INTEGER AS responses,
        r.subagent_name, r.effort, r.tool, r.provider, r.gateway, r.reasoning_tokens, r.ttft_ms, r.duration_ms,
        {columns("r.")},
        r.total_tokens, coalesce(r.web_searches, 0) AS web_searches, r.cost_usd,
        r.attributed_plugin, r.attributed_skill, r.attributed_mcp_server,
        CASE WHEN {unpriced("r.")} THEN r.total_tokens ELSE 0 END AS unpriced_tokens,
        CASE WHEN {billed_elsewhere("r.")} THEN r.total_tokens ELSE 0 END AS billed_elsewhere_tokens, r.billed,
        r.output_undercounted::INTEGER AS undercounted
    FROM {within(chosen, "responses")} r LEFT JOIN sessions s USING (session_id)
    {join})"""


def newest_day(connection: Reader, chosen: Filter) -> dt.date | None:
    """The last day of the filter's zone with a response that it is about, its days aside; None if there is none."""
    where = where_of(chosen.but(since=None, until=None))
    asked = f"SELECT max(day) FROM {rollup(connection, chosen)} WHERE {where}"
    day: dt.date | None = connection.value(asked, where.parameters)
    return day


def where_of(chosen: Filter) -> Where:
    """The conditions of a filter on the token rollup, and on `detailed`."""
    where = Where().by(
        chosen,
        {
            "day": "day",
            "agent": "agent",
            "machine": "machine",
            "project": "project",
            "session_id": "session_id",
            "user": "username",
            **RESPONSE_FIELDS,
        },
    )
    return with_text(where, chosen).add("true", zone=chosen.zone)


def totals(connection: Reader, chosen: Filter) -> TokenSums:
    """Sums over the whole selection. Responses without a day count unless the filter names days."""
    where = where_of(chosen)
    return connection.one(
        TokenSums,
        f"SELECT {SUMS} FROM {rollup(connection, chosen)} WHERE {where}",
        where.parameters,
    )


def reasoning(connection: Reader, chosen: Filter) -> int | None:
    """The part of the selection's output that was thinking; None where nothing tells."""
    where = where_of(chosen)
    sums = f"SELECT sum(reasoning_tokens)::BIGINT FROM {rollup(connection, chosen)} WHERE {where}"
    found: int | None = connection.value(sums, where.parameters)
    return found


def by_day(connection: Reader, chosen: Filter) -> list[DayTokens]:
    """Sums of every calendar day with a response, oldest first."""
    where = where_of(chosen).add("day IS NOT NULL")
    return connection.ask(
        DayTokens,
        f"SELECT day, {SUMS}, {WHOSE} FROM {rollup(connection, chosen)} WHERE {where} GROUP BY day ORDER BY day",
        where.parameters,
    )


def by_group(
    connection: Reader,
    chosen: Filter,
    group: str,
    *,
    order: str = "total_tokens",
    descending: bool = True,
) -> list[GroupTokens]:
    """Sums by one of GROUPS, sorted by one of ORDERS (KeyError for others), the largest first."""
    where = where_of(chosen)
    direction = "DESC" if descending else "ASC"
    rows, priced_as = rollup(connection, chosen), f"'{STANDARD}'"
    speed, tier = (priced_as, priced_as) if group != "model" else ("priced_speed", "priced_tier")
    return connection.ask(
        GroupTokens,
        f"FROM (SELECT {GROUPS[group]} AS name, {speed} AS speed, {tier} AS service_tier, {SUMS}, {WHOSE} "
        f"FROM {priced_apart(rows) if group == 'model' else rows} WHERE {where} GROUP BY 1, 2, 3) "
        f"ORDER BY {ORDERS[order]} {direction} NULLS LAST, total_tokens DESC, name, speed, service_tier",
        where.parameters,
    )


ASKED_OF_SESSIONS = ("title", "project", "started_at", "primary_model", "agent", "machine", "username")
"""Columns of `sessions` that are shown beside what these took."""


def top_sessions(
    connection: Reader, chosen: Filter, limit: int = 10, *, order: str = "total_tokens"
) -> list[SessionTokens]:
    """The sessions with the most of one of ORDERS in the selection: tokens, if not said otherwise."""
    where = where_of(chosen).add("session_id IS NOT NULL")
    sums = SUMS.replace("count(DISTINCT session_id) AS sessions", "1 AS sessions")
    sorting = f"{ORDERS[order]} DESC NULLS LAST, total_tokens DESC, session_id"
    return connection.ask(
        SessionTokens,
        f"""SELECT t.*, s.title, s.project, s.started_at, s.primary_model, s.agent, s.machine, s.username,
                f.session_file
            FROM (FROM (SELECT session_id, {sums} FROM {rollup(connection, chosen)} WHERE {where} GROUP BY session_id)
                ORDER BY {sorting} LIMIT {int(limit)}) t
            LEFT JOIN (SELECT session_id, {", ".join(ASKED_OF_SESSIONS)} FROM sessions) s USING (session_id)
            LEFT JOIN (SELECT session_id, parse_filename(min(path)) AS session_file
                FROM files WHERE is_main GROUP BY session_id) f USING (session_id)
            ORDER BY {sorting}""",
        where.parameters,
    )
