"""`agnes-stats daily`, `weekly` and `monthly`: tokens and cost by period, in ccusage's words."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import terminal
from ..factories import filter_of
from ..settings import Settings
from .answering import PROVISIONAL, Soon, fill, marked, opened_soon, with_text
from .command import FILTERS, READING, TEXT, Command

# What makes a report is imported when it is made: others may read meanwhile.
if TYPE_CHECKING:
    from ...queries.budget import Budget
    from ...queries.filters import Filter
    from ...queries.periods import DayModelTokens
    from ...queries.store import Reader

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


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats daily|weekly|monthly`."""
    with opened_soon(settings, None if given.text else Soon.RESPONSES) as (connection, is_provisional):
        from .ccusage import budget_of, tell

        report = by_period(connection, with_text(connection, filter_of(settings), given), given.command)
        spent = budget_of(connection, settings) if given.command == "monthly" else None
    if spent is not None:
        report = with_budget(report, spent)
    status = tell(given, settings, marked(report, is_provisional), given.command)
    if spent is not None and not given.json:
        from .. import budget_text

        terminal.lines([budget_text.sentence(spent)])
    if is_provisional:
        if not given.json:
            terminal.lines(["", PROVISIONAL])
        fill(settings)
    return status


def by_period(connection: Reader, chosen: Filter, report: str) -> Report:
    """`daily`, `weekly` (weeks begin on Monday) or `monthly` sums, oldest first, with a breakdown by model.

    Days, weeks and months without a response between the first and the last with one are there, too.
    """
    from ...queries.periods import by_day_and_model
    from .ccusage import row_fields, total_fields

    old_name, key_of = PERIODS[report]
    found = by_day_and_model(connection, chosen)
    periods: dict[str, list[DayModelTokens]] = {key_of(day): [] for day in _days(chosen, found)}
    for row in found:
        periods[key_of(row.day)].append(row)
    rows = [{"period": key, old_name: key, **row_fields(groups)} for key, groups in sorted(periods.items())]
    return {report: rows, "totals": total_fields(rows)}


def _days(chosen: Filter, found: list[DayModelTokens]) -> list[dt.date]:
    from ...queries.periods import every_day

    # Not the whole range of the filter: one that begins long ago would be a page of empty days.
    return every_day(chosen.but(since=None, until=None), {row.day for row in found}) if found else []


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


COMMAND = Command(
    heeds=(*READING, *FILTERS, "no-cost"),
    run=run,
    options=(TEXT,),
    examples=(
        "daily --since 2026-01-01",
        "weekly --json",
    ),
)
MONTHLY = Command(heeds=(*READING, *FILTERS, "budget", "no-cost"), run=run, options=(TEXT,))
