"""When the work is done: by day, by hour of the week, and in the five-hour blocks in which Claude plans count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter
from .rows import rows_as
from .tokens import detailed, rollup, where_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BLOCK = dt.timedelta(hours=5)
_HOUR = dt.timedelta(hours=1)

CALENDAR_DAYS = 53 * 7
"""Days that a calendar of a year in whole weeks can show."""

_ALL_TOKENS = "input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens"


@dataclass(frozen=True, slots=True)
class Day:
    """What a day took."""

    day: dt.date
    total_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class WeekHour:
    """What an hour of the week took: `weekday` 0 (Monday) to 6, `hour` 0 to 23, on the clock of the filter's zone."""

    weekday: int
    hour: int
    total_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Block:
    """Five hours from the full hour of a response on, and what was used in them. Times are UTC without a zone."""

    started_at: dt.datetime
    first_at: dt.datetime
    """Its first response."""
    last_at: dt.datetime
    responses: int
    total_tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int

    @property
    def ends_at(self) -> dt.datetime:
        """The first instant after it."""
        return self.started_at + BLOCK

    def is_running(self, now: dt.datetime) -> bool:
        """Whether `now` is within it."""
        return self.started_at <= now < self.ends_at

    def elapsed(self, now: dt.datetime) -> dt.timedelta:
        """From the first response to `now`, or in a block that is over to the last."""
        return (now if self.is_running(now) else self.last_at) - self.first_at

    def tokens_per_minute(self, now: dt.datetime) -> float | None:
        """The burn rate; None until it can be told from a minute at least."""
        minutes = self.elapsed(now).total_seconds() / 60
        return self.total_tokens / minutes if minutes >= 1 else None

    def usd_per_hour(self, now: dt.datetime) -> float | None:
        """The burn rate in money; None without a price or until it can be told from a minute at least."""
        hours = self.elapsed(now).total_seconds() / 3600
        return self.cost_usd / hours if self.cost_usd is not None and hours * 60 >= 1 else None

    def projected_tokens(self, now: dt.datetime) -> float | None:
        """What the block comes to at its end if it goes on like this; None if it is over or the rate is not known."""
        rate = self.tokens_per_minute(now)
        if rate is None or not self.is_running(now):
            return None
        return self.total_tokens + rate * (self.ends_at - now).total_seconds() / 60

    def projected_usd(self, now: dt.datetime) -> float | None:
        """The same in money."""
        rate = self.usd_per_hour(now)
        if rate is None or self.cost_usd is None or not self.is_running(now):
            return None
        return self.cost_usd + rate * (self.ends_at - now).total_seconds() / 3600


def calendar(connection: DuckDBPyConnection, chosen: Filter, today: dt.date) -> list[Day]:
    """Every day with a response in the year up to `today`, whatever days the filter names."""
    where = where_of(chosen.but(since=today - dt.timedelta(days=CALENDAR_DAYS - 1), until=today))
    return rows_as(
        connection,
        Day,
        f"SELECT day, sum({_ALL_TOKENS})::BIGINT AS total_tokens, sum(cost_usd) AS cost_usd "
        f"FROM {rollup(connection, chosen)} WHERE {where} GROUP BY day ORDER BY day",
        where.parameters,
    )


def week_hours(connection: DuckDBPyConnection, chosen: Filter) -> list[WeekHour]:
    """Every hour of the week with a response. Responses without a time are left out."""
    where = where_of(chosen).add("ts IS NOT NULL")
    return rows_as(
        connection,
        WeekHour,
        "SELECT isodow(here) - 1 AS weekday, hour(here) AS hour, sum(total_tokens)::BIGINT AS total_tokens, "
        "sum(cost_usd) AS cost_usd FROM (SELECT *, timezone($zone, timezone('UTC', ts)) AS here "
        f"FROM {detailed()}) WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2",
        where.parameters,
    )


def blocks(connection: DuckDBPyConnection, chosen: Filter) -> list[Block]:
    """The blocks with a response in the filter's days, the latest first.

    A block begins with the full hour (UTC) of the first response after the end of the one before, as ccusage counts
    Claude's session windows; a pause of five hours ends it for that very reason. Where blocks begin is decided by all
    responses that pass the filter except for its days; what is added up are those of its days.
    """
    where = where_of(chosen.but(since=None, until=None)).add("ts IS NOT NULL")
    begun = [
        row[0]
        for row in connection.execute(
            f"SELECT DISTINCT date_trunc('hour', ts) AS hour FROM {detailed()} WHERE {where} ORDER BY hour",
            where.parameters,
        ).fetchall()
    ]
    starts = block_starts(begun)
    if not starts:
        return []
    where = where_of(chosen).add("ts IS NOT NULL")
    return rows_as(
        connection,
        Block,
        f"""
        SELECT started_at, min(ts) AS first_at, max(ts) AS last_at, count(*) AS responses,
            sum(total_tokens)::BIGINT AS total_tokens, sum(cost_usd) AS cost_usd,
            sum(unpriced_tokens)::BIGINT AS unpriced_tokens, sum(undercounted)::BIGINT AS undercounted
        FROM (FROM {detailed()} WHERE {where}) r
        ASOF JOIN (SELECT unnest($starts::TIMESTAMP[]) AS started_at) b ON b.started_at <= r.ts
        GROUP BY started_at ORDER BY started_at DESC""",
        where.parameters | {"starts": starts},
    )


def block_starts(hours: Sequence[dt.datetime]) -> list[dt.datetime]:
    """The starts of the blocks of responses in these full hours, given in ascending order."""
    starts: list[dt.datetime] = []
    for hour in hours:
        if not starts or hour >= starts[-1] + BLOCK:
            starts.append(hour)
    return starts
