"""Reports in the field names of ccusage, so that scripts written for it keep working.

`period` is what newer versions of it call the key of a row; older ones said `date`, `week` or `month`: both are there.
Costs are null where nothing has a price; `unpricedTokens` are the tokens that a cost leaves out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..queries import tokens
from ..queries.filters import Filter
from ..queries.periods import DayModelTokens, by_day_and_model

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    Report = dict[str, Any]


def monday_of(day: dt.date) -> dt.date:
    """The Monday of a day's week."""
    return day - dt.timedelta(days=day.weekday())


PERIODS: dict[str, tuple[str, Callable[[dt.date], str]]] = {
    "daily": ("date", dt.date.isoformat),
    "weekly": ("week", lambda day: monday_of(day).isoformat()),
    "monthly": ("month", lambda day: day.strftime("%Y-%m")),
}
"""Report -> the old name of its key, and the key of a day."""


def by_period(connection: DuckDBPyConnection, chosen: Filter, report: str) -> Report:
    """`daily`, `weekly` (weeks begin on Monday) or `monthly` sums, oldest first, with a breakdown by model."""
    old_name, key_of = PERIODS[report]
    periods: dict[str, list[DayModelTokens]] = {}
    for row in by_day_and_model(connection, chosen):
        periods.setdefault(key_of(row.day), []).append(row)
    rows = [{"period": key, old_name: key, **_row(groups)} for key, groups in sorted(periods.items())]
    return {report: rows, "totals": _totals(rows)}


def by_model(connection: DuckDBPyConnection, chosen: Filter) -> Report:
    """Sums by model, the largest first."""
    rows = [{"modelName": group.name, **_sums([group])} for group in tokens.by_group(connection, chosen, "model")]
    return {"models": rows, "totals": _totals(rows)}


def _row(groups: list[DayModelTokens]) -> Report:
    merged: dict[str, list[DayModelTokens]] = {}
    for group in groups:
        merged.setdefault(group.model, []).append(group)
    breakdowns = []
    for name, parts in merged.items():
        sums = _sums(parts)
        breakdowns.append(
            {"modelName": name, "cost": sums.pop("totalCost"), **{k: sums[k] for k in sums if k != "totalTokens"}}
        )
    return {**_sums(groups), "modelsUsed": sorted(merged), "modelBreakdowns": breakdowns}


def _sums(groups: Iterable[tokens.TokenSums]) -> Report:
    found = list(groups)
    costs = [group.cost_usd for group in found if group.cost_usd is not None]
    return {
        "inputTokens": sum(group.input_tokens for group in found),
        "outputTokens": sum(group.output_tokens for group in found),
        "cacheCreationTokens": sum(group.cache_write_tokens for group in found),
        "cacheReadTokens": sum(group.cache_read_tokens for group in found),
        "totalTokens": sum(group.total_tokens for group in found),
        "totalCost": sum(costs) if costs else None,
        "unpricedTokens": sum(group.unpriced_tokens for group in found),
    }


def _totals(rows: list[Report]) -> Report:
    costs = [row["totalCost"] for row in rows if row["totalCost"] is not None]
    names = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens", "unpricedTokens")
    return {**{name: sum(row[name] for row in rows) for name in names}, "totalCost": sum(costs) if costs else None}
