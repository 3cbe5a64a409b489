"""Reports in the field names of ccusage, so that scripts written for it keep working.

`period` is what newer versions of it call the key of a row; older ones said `date`, `week` or `month`: both are there.
Costs are null where nothing has a price; `unpricedTokens` are the tokens that a cost leaves out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..queries import limits, rhythm, tokens
from ..queries.budget import Budget
from ..queries.filters import Filter
from ..queries.periods import DayModelTokens, by_day_and_model, every_day
from ..queries.rhythm import Block

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
    """`daily`, `weekly` (weeks begin on Monday) or `monthly` sums, oldest first, with a breakdown by model.

    Days, weeks and months without a response are there, too.
    """
    old_name, key_of = PERIODS[report]
    found = by_day_and_model(connection, chosen)
    periods: dict[str, list[DayModelTokens]] = {key_of(day): [] for day in _days(chosen, found)}
    for row in found:
        periods[key_of(row.day)].append(row)
    rows = [{"period": key, old_name: key, **_row(groups)} for key, groups in sorted(periods.items())]
    return {report: rows, "totals": _totals(rows)}


def _days(chosen: Filter, found: list[DayModelTokens]) -> list[dt.date]:
    return every_day(chosen, {row.day for row in found}) if found else []


def by_model(connection: DuckDBPyConnection, chosen: Filter) -> Report:
    """Sums by model, the largest first; where fast responses or batches are priced apart they are rows of their own."""
    rows = [
        {"modelName": group.name, "speed": group.speed, "service_tier": group.service_tier, **_sums([group])}
        for group in tokens.by_group(connection, chosen, "model")
    ]
    return {"models": rows, "totals": _totals(rows)}


def with_budget(report: Report, budget: Budget) -> Report:
    """A report with the running month's budget."""
    return {
        **report,
        "budget": {
            "month": budget.month.strftime("%Y-%m"),
            "budget": budget.budget_usd,
            "spent": budget.spent_usd,
            "share": budget.share,
            "state": budget.state,
            "unpricedTokens": budget.unpriced_tokens,
            "outputUndercounted": budget.undercounted > 0,
        },
    }


def by_block(connection: DuckDBPyConnection, chosen: Filter, now: dt.datetime) -> list[tuple[Block | None, Report]]:
    """The five-hour blocks and the gaps between them, oldest first: a gap has no block.

    Pace and projection, of the running block only, are those of the dashboard: since its first response, up to now.
    """
    hits = [hit for hit in limits.hits(connection, chosen) if hit.until is not None]
    rows: list[tuple[Block | None, Report]] = []
    earlier: Block | None = None
    for block in reversed(rhythm.blocks(connection, chosen)):
        gap = rhythm.gap_between(earlier, block) if earlier else None
        if gap:
            rows.append((None, _gap(*gap)))
        reset = [hit.until for hit in hits if block.started_at <= hit.at < block.ends_at]
        rows.append((block, _block(block, now, reset[-1] if reset else None)))
        earlier = block
    return rows


def _block(block: Block, now: dt.datetime, reset: dt.datetime | None) -> Report:
    running = block.is_running(now)
    told = {
        "id": instant(block.started_at),
        "startTime": instant(block.started_at),
        "endTime": instant(block.ends_at),
        "actualEndTime": instant(block.last_at),
        "isActive": running,
        "isGap": False,
        "entries": block.responses,
        "tokenCounts": {
            "inputTokens": block.input_tokens,
            "outputTokens": block.output_tokens,
            "cacheCreationInputTokens": block.cache_write_tokens,
            "cacheReadInputTokens": block.cache_read_tokens,
        },
        "totalTokens": block.total_tokens,
        "costUSD": block.cost_usd,
        **_marked([block]),
        "models": block.models,
        "burnRate": _burn_rate(block, now) if running else None,
        "projection": _projection(block, now) if running else None,
    }
    return told if reset is None else {**told, "usageLimitResetTime": instant(reset)}


def _burn_rate(block: Block, now: dt.datetime) -> Report | None:
    rate = block.tokens_per_minute(now)
    if rate is None:
        return None
    uncached = (block.input_tokens + block.output_tokens) / block.total_tokens if block.total_tokens else 0.0
    return {
        "tokensPerMinute": rate,
        # What ccusage rates as high or low: without what the cache did.
        "tokensPerMinuteForIndicator": rate * uncached,
        "costPerHour": block.usd_per_hour(now),
    }


def _projection(block: Block, now: dt.datetime) -> Report | None:
    used, cost = block.projected_tokens(now), block.projected_usd(now)
    if used is None:
        return None
    return {
        "totalTokens": round(used),
        "totalCost": None if cost is None else round(cost, 2),
        "remainingMinutes": round((block.ends_at - now).total_seconds() / 60),
    }


def _gap(start: dt.datetime, end: dt.datetime) -> Report:
    counts = ("inputTokens", "outputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")
    return {
        "id": f"gap-{instant(start)}",
        "startTime": instant(start),
        "endTime": instant(end),
        "actualEndTime": None,
        "isActive": False,
        "isGap": True,
        "entries": 0,
        "tokenCounts": dict.fromkeys(counts, 0),
        "totalTokens": 0,
        "costUSD": 0.0,
        **_marked([]),
        "models": [],
        "burnRate": None,
        "projection": None,
    }


def instant(moment: dt.datetime) -> str:
    """A time of the store, which is UTC, as JavaScript writes it: "2026-01-31T12:00:00.000Z"."""
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def _row(groups: list[DayModelTokens]) -> Report:
    merged: dict[tuple[str, str, str], list[DayModelTokens]] = {}
    for group in groups:
        merged.setdefault((group.model, group.speed, group.service_tier), []).append(group)
    breakdowns = []
    for (name, speed, tier), parts in merged.items():
        sums = _sums(parts)
        told = {"modelName": name, "speed": speed, "service_tier": tier, "cost": sums.pop("totalCost")}
        breakdowns.append(told | {k: sums[k] for k in sums if k != "totalTokens"})
    return {**_sums(groups), "modelsUsed": sorted({name for name, _, _ in merged}), "modelBreakdowns": breakdowns}


def _sums(groups: Iterable[tokens.TokenSums]) -> Report:
    found = list(groups)
    costs = [group.cost_usd for group in found if group.cost_usd is not None]
    return {
        "inputTokens": sum(group.input_tokens for group in found),
        "outputTokens": sum(group.output_tokens for group in found),
        "cacheCreationTokens": sum(group.cache_write_tokens for group in found),
        "cacheReadTokens": sum(group.cache_read_tokens for group in found),
        "totalTokens": sum(group.total_tokens for group in found),
        "totalCost": sum(costs) if costs else None if found else 0.0,
        **_marked(found),
    }


def _marked(groups: Iterable[tokens.TokenSums]) -> Report:
    """What of it has no price, and how many responses logged a lower bound for their output."""
    found = list(groups)
    undercounted = sum(group.undercounted for group in found)
    return {
        "unpricedTokens": sum(group.unpriced_tokens for group in found),
        "responses": sum(group.responses for group in found),
        "undercountedResponses": undercounted,
        "outputUndercounted": undercounted > 0,
    }


_SUMMED = (
    "inputTokens",
    "outputTokens",
    "cacheCreationTokens",
    "cacheReadTokens",
    "totalTokens",
    "unpricedTokens",
    "responses",
    "undercountedResponses",
)


def _totals(rows: list[Report]) -> Report:
    costs = [row["totalCost"] for row in rows if row["totalCost"] is not None]
    summed = {name: sum(row[name] for row in rows) for name in _SUMMED}
    return {
        **summed,
        "outputUndercounted": summed["undercountedResponses"] > 0,
        "totalCost": sum(costs) if costs else None,
    }
