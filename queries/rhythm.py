"""When the work is done: by day, by hour of the week, and in the five-hour blocks in which Claude plans count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter
from .money import exact_sum
from .token_kinds import TOTAL
from .tokens import SUMS, WHOSE, OwnedTokens, detailed, rollup, where_of

if TYPE_CHECKING:
    from .store import Reader

BLOCK = dt.timedelta(hours=5)

CALENDAR_DAYS = 53 * 7
"""Days that a calendar of a year in whole weeks can show."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a day took."""

    day: dt.date
    total_tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int


@dataclass(frozen=True, slots=True)
class WeekHour:
    """What an hour of the week took: `weekday` 0 (Monday) to 6, `hour` 0 to 23, on the clock of the filter's zone."""

    weekday: int
    hour: int
    total_tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    undercounted: int


@dataclass(frozen=True, slots=True)
class Block(OwnedTokens):
    """Five hours from the full hour of a response on, and what was used in them. Times are UTC without a zone."""

    started_at: dt.datetime
    first_at: dt.datetime
    """Its first response."""
    last_at: dt.datetime
    models: list[str]
    """In the order of their names."""

    @property
    def ends_at(self) -> dt.datetime:
        """Its end; a response of this very instant still belongs to it."""
        return min(self.started_at, dt.datetime.max - BLOCK) + BLOCK

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


def calendar(connection: Reader, chosen: Filter, today: dt.date) -> list[Day]:
    """Every day with a response in the year up to `today`, whatever days the filter names."""
    where = where_of(chosen.but(since=today - dt.timedelta(days=CALENDAR_DAYS - 1), until=today))
    return connection.ask(
        Day,
        f"SELECT day, sum({TOTAL})::BIGINT AS total_tokens, {exact_sum('cost_usd')} AS cost_usd, "
        "sum(unpriced_tokens)::BIGINT AS unpriced_tokens, sum(undercounted)::BIGINT AS undercounted "
        f"FROM {rollup(connection, chosen)} WHERE {where} GROUP BY day ORDER BY day",
        where.parameters,
    )


def week_hours(connection: Reader, chosen: Filter) -> list[WeekHour]:
    """Every hour of the week with a response. Responses without a time are left out."""
    where = where_of(chosen).add("ts IS NOT NULL")
    return connection.ask(
        WeekHour,
        "SELECT isodow(here) - 1 AS weekday, hour(here) AS hour, sum(total_tokens)::BIGINT AS total_tokens, "
        f"{exact_sum('cost_usd')} AS cost_usd, sum(unpriced_tokens)::BIGINT AS unpriced_tokens, "
        "sum(undercounted)::BIGINT AS undercounted FROM (SELECT *, timezone($zone, timezone('UTC', ts)) AS here "
        f"FROM {detailed(chosen, types=True)}) WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2",
        where.parameters,
    )


def blocks(connection: Reader, chosen: Filter) -> list[Block]:
    """The blocks with a response in the filter's days, the latest first.

    A block begins with the full hour (UTC) of its first response and takes in all up to five hours later, as ccusage
    counts Claude's session windows; a pause of five hours ends it for that very reason. Where blocks begin is decided
    by all responses that pass the filter except for its days; what is added up are those of its days.
    """
    where = where_of(chosen.but(since=None, until=None)).add("ts IS NOT NULL")
    hours = connection.rows(
        "SELECT date_trunc('hour', ts) AS hour, min(ts), min(ts) FILTER (ts > date_trunc('hour', ts)) "
        f"FROM {detailed(chosen, types=True)} WHERE {where} GROUP BY hour ORDER BY hour",
        where.parameters,
    )
    starts = block_starts(hours)
    if not starts:
        return []
    where = where_of(chosen).add("ts IS NOT NULL")
    begun, first = ([start[place] for start in starts] for place in (0, 1))
    return connection.ask(
        Block,
        f"""
        SELECT started_at, min(ts) AS first_at, max(ts) AS last_at,
            list(DISTINCT model ORDER BY model) AS models, {SUMS}, {WHOSE}
        FROM (FROM {detailed(chosen, types=True)} WHERE {where}) r
        ASOF JOIN (
            SELECT unnest($begun::TIMESTAMP[]) AS started_at, unnest($first::TIMESTAMP[]) AS opened_at
        ) b ON b.opened_at <= r.ts
        GROUP BY started_at ORDER BY started_at DESC""",
        where.parameters | {"begun": begun, "first": first},
    )


def block_starts(
    hours: Iterable[tuple[dt.datetime, dt.datetime, dt.datetime | None]],
) -> list[tuple[dt.datetime, dt.datetime]]:
    """The starts of the blocks, each with its first response.

    Given are the full hours with a response, in ascending order, each with its first one, and with the first of those
    that are not on the hour itself.
    """
    starts: list[tuple[dt.datetime, dt.datetime]] = []
    for hour, first, later in hours:
        end = starts[-1][0] + BLOCK if starts else None
        if end is None or hour > end:
            starts.append((hour, first))
        elif hour == end and later is not None:
            starts.append((hour, later))
    return starts


def gap_between(earlier: Block, later: Block) -> tuple[dt.datetime, dt.datetime] | None:
    """The time between two blocks in which none could have run, as ccusage tells it; None if there is none.

    It begins five hours after the last response, and ends with the next.
    """
    start = earlier.last_at + BLOCK
    return (start, later.first_at) if later.first_at > start else None
