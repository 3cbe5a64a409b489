"""How tokens and money change over time: every bucket of a range, stacked by what they went to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from .caching import KINDS, costed_responses
from .filters import Filter
from .money import exact_sum, known_usd
from .token_kinds import TOTAL
from .tokens import GROUPS, SUMS, TokenSums, detailed, rollup, where_of

if TYPE_CHECKING:
    from .store import Reader

Granularity = Literal["hour", "day", "week", "month"]
GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)

Measure = Literal["cost_usd", "total_tokens"]
"""What is added up: USD, or tokens of all kinds."""

LONGEST_BY_HOUR = 7
"""Days: a longer range is not shown by hours."""

_MOST_BUCKETS = 1000
_SUFFICIENT: tuple[tuple[int, Granularity], ...] = ((100, "day"), (700, "week"))
"""Up to this many days, this granularity tells enough; beyond all, months."""

_PLACES = {
    "hour": "date_trunc('hour', timezone($zone, timezone('UTC', ts)))",
    "day": "day::TIMESTAMP",
    "week": "date_trunc('week', day)::TIMESTAMP",
    "month": "date_trunc('month', day)::TIMESTAMP",
}
"""SQL of the start of a row's bucket, in the filter's zone."""


@dataclass(frozen=True, slots=True)
class Period(TokenSums):
    """Sums of a span of days. `active_days` are those with a response."""

    active_days: int

    @property
    def cost_per_active_day(self) -> float | None:
        """USD; None without a price or a day."""
        return self.cost_usd / self.active_days if self.cost_usd is not None and self.active_days else None

    @property
    def tokens_per_active_day(self) -> float | None:
        """Tokens; None without a day."""
        return self.total_tokens / self.active_days if self.active_days else None


@dataclass(frozen=True, slots=True)
class Layer:
    """One series of a stack: a value of what it is stacked by, or, with `merged` > 1, the rest of them together."""

    name: str | None
    merged: int
    tokens: tuple[int, ...]
    """One sum a bucket."""
    costs: tuple[float, ...]
    """USD, one sum a bucket; what has no price is 0 here."""

    def of(self, measure: Measure) -> tuple[float, ...]:
        """The values of a measure."""
        return self.costs if measure == "cost_usd" else self.tokens


@dataclass(frozen=True, slots=True)
class OverTime:
    """Buckets of a range without a gap, oldest first, and the layers, largest first.

    A bucket is told by its first instant on the clock of the filter's zone; a week begins on Monday.
    """

    granularity: Granularity
    buckets: tuple[dt.datetime, ...]
    layers: tuple[Layer, ...]


def period(connection: Reader, chosen: Filter) -> Period:
    """Sums over the selection, with its active days."""
    where = where_of(chosen)
    return connection.one(
        Period,
        f"SELECT {SUMS}, count(DISTINCT day) AS active_days FROM {rollup(connection, chosen)} WHERE {where}",
        where.parameters,
    )


def period_before(chosen: Filter, today: dt.date) -> Filter | None:
    """The same selection over as many days just before; None for a range without a first day."""
    if chosen.after is not None and chosen.before is not None:
        return chosen.between(chosen.after - (chosen.before - chosen.after), chosen.after)
    if chosen.since is None:
        return None
    until = chosen.until or today
    days = (until - chosen.since).days + 1
    if days < 1:
        return None
    return chosen.but(since=chosen.since - dt.timedelta(days=days), until=chosen.since - dt.timedelta(days=1))


def is_empty(connection: Reader) -> bool:
    """Whether the store holds no response at all."""
    return connection.value("SELECT 1 FROM responses LIMIT 1") is None


def _within(day: str) -> str:
    """SQL of a day moved a week into Python's calendar: a zone may have one beyond it, and Python no word for that."""
    low, high = "DATE '0001-01-08'", "DATE '9999-12-24'"
    return f"CASE WHEN {day} < {low} THEN {low} WHEN {day} > {high} THEN {high} ELSE {day} END"


def days_of(connection: Reader, chosen: Filter, today: dt.date) -> tuple[dt.date, dt.date] | None:
    """First and last day to show: those the filter names, else the first with a response and today."""
    where = where_of(chosen).add("day IS NOT NULL")
    answer = connection.row(
        f"SELECT {_within('min(day)')}, {_within('max(day)')} FROM {rollup(connection, chosen)} WHERE {where}",
        where.parameters,
    )
    if answer is None or answer[0] is None:
        return None
    first, last = answer
    return chosen.since or first, chosen.until or max(today, last)


def fitting(first: dt.date, last: dt.date, wish: Granularity | None = None) -> Granularity:
    """The granularity for a range: the one wished for unless it would make too many buckets, else a readable one."""
    days = (last - first).days + 1
    usual: Granularity = next((granularity for most, granularity in _SUFFICIENT if days <= most), "month")
    if wish is None:
        return usual
    if wish == "hour":
        return wish if days <= LONGEST_BY_HOUR else usual
    if wish == "day":
        return wish if days <= _MOST_BUCKETS else usual
    return wish if wish == "month" or days <= 7 * _MOST_BUCKETS else "month"


def axis(first: dt.date, last: dt.date, granularity: Granularity, now: dt.datetime) -> list[dt.datetime]:
    """The first instants of all buckets from a day to another, both included; no hour beyond `now` (local)."""
    start = dt.datetime.combine(first, dt.time())
    end = dt.datetime.combine(last, dt.time(23))
    if granularity == "hour":
        # Hours to come would be bars that cannot be there yet.
        return list(_steps(start, min(end, max(now, start)), dt.timedelta(hours=1)))
    if granularity == "day":
        return list(_steps(start, end, dt.timedelta(days=1)))
    if granularity == "week":
        return list(_steps(start - dt.timedelta(days=start.weekday()), end, dt.timedelta(days=7)))
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [dt.datetime(month // 12, month % 12 + 1, 1) for month in months]


def _counts(hour: dt.datetime, chosen: Filter) -> bool:
    """Whether an hour on the clock of the filter's zone is one of those of the filter."""
    from zoneinfo import ZoneInfo

    at = hour.replace(tzinfo=ZoneInfo(chosen.zone)).astimezone(dt.UTC).replace(tzinfo=None)
    return (chosen.after is None or at >= chosen.after) and (chosen.before is None or at < chosen.before)


def _steps(start: dt.datetime, end: dt.datetime, step: dt.timedelta) -> Iterator[dt.datetime]:
    while start <= end:
        yield start
        start += step


def over_time(
    connection: Reader,
    chosen: Filter,
    group: str,
    *,
    now: dt.datetime,
    measure: Measure = "total_tokens",
    granularity: Granularity | None = None,
    most: int = 6,
) -> OverTime:
    """The selection over time, stacked by one of GROUPS or by "kind"; beyond `most` layers the rest become one.

    `now` is on the clock of the filter's zone. A granularity that would make too many buckets is replaced.
    Responses without a day are left out.
    """
    days = days_of(connection, chosen, now.date())
    if days is None:
        return OverTime(granularity or "day", (), ())
    # One bar for a day tells nothing.
    by_hour = chosen.has_hours or days[0] == days[1]
    shown = fitting(*days, granularity or ("hour" if by_hour else None))
    buckets = axis(*days, shown, now)
    if shown == "hour" and chosen.has_hours:
        buckets = [hour for hour in buckets if _counts(hour, chosen)]
    if group == "kind":
        layers = _by_kind(connection, chosen, shown, buckets)
    else:
        layers = _by_group(connection, chosen, group, measure, shown, buckets, most)
    return OverTime(shown, tuple(buckets), layers)


def places(connection: Reader, group: str) -> dict[str | None, int]:
    """A number from 0 for each value of one of GROUPS, or each "kind", that later values do not change.

    In the order in which they were first used, whatever the filters; beyond the rollups it is not looked.
    """
    if group == "kind":
        return {kind.name: place for place, kind in enumerate(KINDS)}
    names = connection.rows(
        f"SELECT {GROUPS[group]} AS name FROM tokens_daily GROUP BY 1 ORDER BY min(day) NULLS LAST, name NULLS LAST"
    )
    return {name: place for place, (name,) in enumerate(names)}


@dataclass(frozen=True, slots=True)
class _Cell:
    bucket: dt.datetime
    place: int
    name: str | None
    merged: int
    total_tokens: int
    cost_usd: float


def _by_group(
    connection: Reader,
    chosen: Filter,
    group: str,
    measure: Measure,
    granularity: Granularity,
    buckets: list[dt.datetime],
    most: int,
) -> tuple[Layer, ...]:
    where = where_of(chosen).add("day IS NOT NULL")
    rows = detailed(chosen, types=True) if granularity == "hour" else rollup(connection, chosen)
    ranked = exact_sum("cost_usd") if measure == "cost_usd" else "sum(total_tokens)"
    cells = connection.ask(
        _Cell,
        f"""
        WITH cells AS (
            SELECT {_PLACES[granularity]} AS bucket, {GROUPS[group]} AS name,
                sum({TOTAL})::BIGINT AS total_tokens,
                coalesce({exact_sum("cost_usd")}, 0) AS cost_usd
            FROM {rows} WHERE {where} GROUP BY 1, 2
        ),
        ranked AS (
            SELECT name, row_number() OVER (ORDER BY {ranked} DESC, sum(total_tokens) DESC, name) AS rank,
                count(*) OVER () AS names
            FROM cells GROUP BY name
        ),
        placed AS (
            SELECT name, least(rank, $most + 1) AS place, CASE WHEN rank > $most THEN names - $most ELSE 1 END AS merged
            FROM ranked
        )
        SELECT bucket, place, CASE WHEN any_value(merged) = 1 THEN any_value(c.name) END AS name,
            any_value(merged) AS merged, sum(total_tokens)::BIGINT AS total_tokens, {exact_sum("cost_usd")} AS cost_usd
        FROM cells c JOIN placed p ON p.name IS NOT DISTINCT FROM c.name
        GROUP BY bucket, place ORDER BY place, bucket""",
        where.parameters | {"most": most},
    )
    number = {bucket: index for index, bucket in enumerate(buckets)}
    found: dict[int, tuple[_Cell, list[int], list[float]]] = {}
    for cell in cells:
        _, tokens, costs = found.setdefault(cell.place, (cell, [0] * len(buckets), [0.0] * len(buckets)))
        # An hour later than now, of a machine whose clock is ahead, goes to the last bucket.
        index = number.get(cell.bucket, len(buckets) - 1)
        tokens[index] += cell.total_tokens
        costs[index] = known_usd((costs[index], cell.cost_usd)) or 0.0
    return tuple(Layer(cell.name, cell.merged, tuple(tokens), tuple(costs)) for cell, tokens, costs in found.values())


def _by_kind(
    connection: Reader, chosen: Filter, granularity: Granularity, buckets: list[dt.datetime]
) -> tuple[Layer, ...]:
    where = where_of(chosen).add("day IS NOT NULL")
    sums = ", ".join(f"sum({kind.tokens})::BIGINT, coalesce({exact_sum(kind.cost)}, 0)" for kind in KINDS)
    answer = connection.rows(
        f"SELECT {_PLACES[granularity]} AS bucket, {sums} FROM {costed_responses(chosen)} WHERE {where} GROUP BY 1",
        where.parameters,
    )
    number = {bucket: index for index, bucket in enumerate(buckets)}
    tokens = [[0] * len(buckets) for _ in KINDS]
    costs = [[0.0] * len(buckets) for _ in KINDS]
    for bucket, *values in answer:
        index = number.get(bucket, len(buckets) - 1)
        for kind in range(len(KINDS)):
            tokens[kind][index] += values[2 * kind]
            costs[kind][index] = known_usd((costs[kind][index], values[2 * kind + 1])) or 0.0
    return tuple(
        Layer(kind.name, 1, tuple(tokens[place]), tuple(costs[place]))
        for place, kind in enumerate(KINDS)
        if any(tokens[place]) or any(costs[place])
    )
