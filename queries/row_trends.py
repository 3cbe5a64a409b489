"""How each row of a table of sums came about over the days: a few values for each, to be drawn beside it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from . import matching
from .filters import Filter
from .money import exact_sum
from .priced_apart import priced_apart
from .rollups import day_of
from .token_kinds import TOTAL
from .tokens import GROUPS, rollup, where_of

if TYPE_CHECKING:
    from .store import Reader
    from .trends import Measure

POINTS = 12
"""Values of a row, at most: each stands for as many days as the others."""
LEAST_DAYS = 3
"""A shorter range has no course that is worth to be looked at."""

Trends = dict[tuple[Any, ...], tuple[float, ...]]
"""By what tells the rows apart."""


def of_groups(connection: Reader, chosen: Filter, group: str, *, today: dt.date, measure: Measure) -> Trends:
    """Sums by one of tokens.GROUPS: USD or tokens, by (name, speed, tier), the latter two "" but for models.

    Empty for a short range. Rows and days are those of `tokens.by_group`; `today` is in the zone of the filter.
    """
    where = where_of(chosen).add("day IS NOT NULL")
    rows = rollup(connection, chosen)
    by_model = group == "model"
    speed, tier = ("priced_speed", "priced_tier") if by_model else ("''", "''")
    amount = f"coalesce({exact_sum('cost_usd')}, 0)" if measure == "cost_usd" else f"sum({TOTAL})"
    found = (
        f"SELECT {GROUPS[group]} AS name, {speed} AS speed, {tier} AS tier, day, {amount}::DOUBLE AS amount "
        f"FROM {priced_apart(rows) if by_model else rows} WHERE {where} GROUP BY ALL"
    )
    return _spread(connection, found, where.parameters, chosen, today)


def of_tools(connection: Reader, chosen: Filter, *, today: dt.date, text: str | None = None) -> Trends:
    """Calls of each tool, by (name, "", ""); empty for a short range. `text` is the SQL in which words are sought."""
    where = matching.calls_where(chosen, text)
    found = (
        f"SELECT name, '' AS speed, '' AS tier, {day_of('matched_at', '$zone')} AS day, count(*)::DOUBLE AS amount "
        f"FROM {matching.calls(chosen)} WHERE {where} AND matched_at IS NOT NULL GROUP BY ALL"
    )
    return _spread(connection, found, where.parameters, chosen, today)


def _spread(connection: Reader, found: str, parameters: dict[str, Any], chosen: Filter, today: dt.date) -> Trends:
    """Amounts of days as values of equal spans, from the first day of the range, else of all rows, to the last one."""
    cells = connection.rows(
        f"""
        WITH found AS ({found}),
        span AS (
            SELECT coalesce($first_day, min(day)) AS first,
                coalesce($last_day, greatest($today, max(day))) - coalesce($first_day, min(day)) + 1 AS days
            FROM found
        )
        SELECT name, speed, tier, least($points, days)::BIGINT,
            least(greatest((day - first) * least($points, days) // days, 0), least($points, days) - 1)::BIGINT,
            {exact_sum("amount")}
        FROM found, span WHERE days >= {LEAST_DAYS} GROUP BY ALL""",
        parameters | {"first_day": chosen.since, "last_day": chosen.until, "today": today, "points": POINTS},
    )
    series: dict[tuple[Any, ...], list[float]] = {}
    for name, speed, tier, points, place, amount in cells:
        series.setdefault((name, speed, tier), [0.0] * points)[place] += amount
    return {key: tuple(values) for key, values in series.items()}
