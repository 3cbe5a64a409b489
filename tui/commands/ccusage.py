"""What the reports in ccusage's words have in common: its field names, and the same table.

`period` is what newer versions of it call the key of a row; older ones said `date`, `week` or `month`: both are there.
Costs are null where none of the tokens has a price; `unpricedTokens` are the tokens that a cost leaves out.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...queries import budget, tokens
from ...queries.budget import Budget
from ...queries.money import known_usd
from ...queries.periods import DayModelTokens
from .. import format as words
from .. import marks, terminal
from ..factories import filter_of, utc_now
from ..ranges import day_at
from ..settings import Settings
from .json_fields import usd, whose_fields

if TYPE_CHECKING:
    from ...queries.store import Reader

    Report = dict[str, Any]


HEADINGS = ("Input", "Output", "Cache read", "Cache write", "Total", "Cost")
"""In the order of the dashboard and of `tokens`."""


def instant(moment: dt.datetime) -> str:
    """A time of the store, which is UTC, as JavaScript writes it: "2026-01-31T12:00:00.000Z"."""
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def row_fields(groups: list[DayModelTokens]) -> Report:
    merged: dict[tuple[str, str, str], list[DayModelTokens]] = {}
    for group in groups:
        merged.setdefault((group.model, group.speed, group.service_tier), []).append(group)
    breakdowns = []
    for (name, speed, tier), parts in merged.items():
        sums = sum_fields(parts)
        told = {"modelName": name, "speed": speed, "service_tier": tier, "cost": sums.pop("totalCost")}
        told |= whose(parts)
        breakdowns.append(told | {k: sums[k] for k in sums if k != "totalTokens"})
    return {
        **whose(groups),
        **sum_fields(groups),
        "modelsUsed": sorted({name for name, _, _ in merged}),
        "modelBreakdowns": breakdowns,
    }


def whose(groups: Sequence[tokens.OwnedTokens]) -> Report:
    """Who told of all of them, where that is the same; else null."""
    told = [whose_fields(group) for group in groups]
    names = ("agent", "machine", "username")
    return {name: told[0][name] if len({row[name] for row in told}) == 1 else None for name in names}


def sum_fields(groups: Iterable[tokens.TokenSums]) -> Report:
    found = list(groups)
    total = sum(group.total_tokens for group in found)
    return {
        "inputTokens": sum(group.input_tokens for group in found),
        "outputTokens": sum(group.output_tokens for group in found),
        "cacheCreationTokens": sum(group.cache_write_tokens for group in found),
        "cacheReadTokens": sum(group.cache_read_tokens for group in found),
        "reasoningTokens": _known(group.reasoning_tokens for group in found),
        "totalTokens": total,
        "totalCost": usd(known_usd(group.cost_usd for group in found), total),
        **mark_fields(found),
    }


def _known(counts: Iterable[int | None]) -> int | None:
    """The sum of what is known; null where nothing is. They are part of the output."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def mark_fields(groups: Iterable[tokens.TokenSums]) -> Report:
    """What of it has no price, and how many responses logged a lower bound for their output."""
    found = list(groups)
    undercounted = sum(group.undercounted for group in found)
    return {
        "unpricedTokens": sum(group.unpriced_tokens for group in found),
        "billedElsewhereTokens": sum(group.billed_elsewhere_tokens for group in found),
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
    "billedElsewhereTokens",
    "responses",
    "undercountedResponses",
)


def total_fields(rows: list[Report]) -> Report:
    summed = {name: sum(row[name] for row in rows) for name in _SUMMED}
    # A day without a response costs nothing, which says nothing of what the others cost.
    costs = [row["totalCost"] for row in rows if row["totalTokens"] or row["totalCost"]]
    return {
        **summed,
        "reasoningTokens": _known(row["reasoningTokens"] for row in rows),
        "outputUndercounted": summed["undercountedResponses"] > 0,
        "totalCost": usd(known_usd(costs), summed["totalTokens"]),
    }


def budget_of(connection: Reader, settings: Settings) -> Budget | None:
    """The running month's budget, if there is one and money is told at all."""
    if settings.budget is None or settings.no_cost:
        return None
    return budget.of_month(connection, filter_of(settings), today_of(settings), settings.budget)


def today_of(settings: Settings) -> dt.date:
    return day_at(utc_now(), ZoneInfo(settings.tz))


def cells(kinds: Sequence[int], told: dict[str, Any], cost: str) -> tuple[str, ...]:
    """The cells below HEADINGS: what of it is a lower bound, or has no price, is marked."""
    bounds = told["undercountedResponses"]
    plain, output, read, write = kinds
    return (
        words.count(plain),
        marks.tokens(output, bounds),
        words.count(read),
        words.count(write),
        marks.tokens(told["totalTokens"], bounds),
        marks.money(told[cost], unpriced=told["unpricedTokens"], undercounted=bounds),
    )


def write_legends(rows: Sequence[dict[str, Any]], settings: Settings) -> None:
    """What the marks mean, below the table."""
    legends = marks.legends(
        undercounted=sum(row["undercountedResponses"] for row in rows),
        responses=sum(row["responses"] for row in rows),
        unpriced=0 if settings.no_cost else sum(row["unpricedTokens"] for row in rows),
        tokens=sum(row["totalTokens"] for row in rows),
        elsewhere=0 if settings.no_cost else sum(row["billedElsewhereTokens"] for row in rows),
    )
    terminal.lines([*([""] if legends else []), *legends])


SPANS = {"daily": "day", "weekly": "week", "monthly": "month"}
"""Reports of what is on a calendar, and what their rows are."""


def tell(given: argparse.Namespace, settings: Settings, report: dict[str, Any], rows: str) -> int:
    if given.json:
        terminal.answer(report)
        return 0
    lines: list[tuple[str, ...]] = [("", *HEADINGS)]
    # A page of zeros tells nobody anything; scripts get all of them.
    used = [row for row in report[rows] if row["totalTokens"] or row["totalCost"] or rows not in SPANS]
    if not used:
        from .page import page_of

        terminal.lines([page_of(settings, filtered=bool(given.text)).nothing("tokens")])
        return 0
    for row in (*used, {**report["totals"], "period": "total"}):
        kinds = [row[f"{name}Tokens"] for name in ("input", "output", "cacheRead", "cacheCreation")]
        name = words.clean(row.get("period") or row.get("modelName"), 40)
        name = words.priced(name, row.get("speed", "standard"), row.get("service_tier", "standard"))
        lines.append((name, *cells(kinds, row, "totalCost")))
    write_table(lines, settings)
    if len(used) < len(report[rows]):
        terminal.lines([f"{words.plural(len(report[rows]) - len(used), SPANS[rows])} without tokens left out"])
    write_legends([report["totals"]], settings)
    return 0


def write_table(lines: list[tuple[str, ...]], settings: Settings) -> None:
    """A table: names at the left, numbers at the right, money in the last column, if it is told at all."""
    if settings.no_cost:
        lines = [line[:-1] for line in lines]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        terminal.lines(["  ".join([first, *others]).rstrip()])
