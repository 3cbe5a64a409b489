"""Commands for scripts and status lines: reports in ccusage's words, the user's own SQL, one line about now."""

from __future__ import annotations

import argparse
import datetime as dt
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ..queries import budget, console, export
from ..queries.console_book import Book
from ..queries.console_examples import EXAMPLES
from ..queries.store import Store, StoreError
from . import budget_text as budget_words
from . import ccusage_output as reports
from . import format as words
from . import marks, terminal
from .commands import opened
from .factories import filter_of, utc_now
from .ranges import day_at
from .settings import BadSetting, Settings, path_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ..queries.budget import Budget
    from ..queries.rhythm import Block

_HEADINGS = ("Input", "Output", "Cache read", "Cache write", "Total", "Cost")
"""In the order of the dashboard and of `tokens`."""
_RECENT = dt.timedelta(days=3)


def period_report(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats daily|weekly|monthly`."""
    with opened(settings) as connection:
        report = reports.by_period(connection, filter_of(settings), given.command)
        spent = budget_of(connection, settings) if given.command == "monthly" else None
    if spent is not None:
        report = reports.with_budget(report, spent)
    status = _print(given, settings, report, given.command)
    if spent is not None and not given.json:
        terminal.lines([budget_words.sentence(spent)])
    return status


def budget_of(connection: DuckDBPyConnection, settings: Settings) -> Budget | None:
    """The running month's budget, if there is one and money is told at all."""
    if settings.budget is None or settings.no_cost:
        return None
    return budget.of_month(connection, filter_of(settings), today_of(settings), settings.budget)


def today_of(settings: Settings) -> dt.date:
    return day_at(utc_now(), ZoneInfo(settings.tz))


def block_report(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats blocks`: a list of what `reports.by_block` tells."""
    now = utc_now()
    with opened(settings) as connection:
        rows = reports.by_block(connection, filter_of(settings), now)
    if given.active:
        rows = [row for row in rows if row[1]["isActive"]]
    if given.recent:
        since = reports.instant(now - _RECENT)
        rows = [row for row in rows if row[1]["startTime"] >= since]
    if given.json:
        terminal.answer({"blocks": [told for _, told in rows]})
        return 0
    zone = ZoneInfo(settings.tz)
    lines = [(_block_name(told, zone), *_numbers(told)) for block, told in rows if block is not None]
    _write_lines([("Block", *_HEADINGS), *lines], settings)
    for block, _ in rows:
        if block is not None and block.is_running(now):
            terminal.lines([_pace(block, now, settings)])
    _write_legends([told for _, told in rows], settings)
    return 0


def _block_name(told: dict[str, Any], zone: ZoneInfo) -> str:
    start, end = (dt.datetime.fromisoformat(told[key]).astimezone(zone) for key in ("startTime", "endTime"))
    states = ["running"] if told["isActive"] else []
    if "usageLimitResetTime" in told:
        reset = dt.datetime.fromisoformat(told["usageLimitResetTime"]).astimezone(zone)
        states.append(f"limit until {reset:{'%H:%M' if reset.date() == end.date() else '%Y-%m-%d %H:%M'}}")
    return f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}" + (f" ({', '.join(states)})" if states else "")


def _numbers(told: dict[str, Any]) -> tuple[str, ...]:
    counts = told["tokenCounts"]
    kinds = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
    return _cells([counts[kind] for kind in kinds], told, "costUSD")


def _cells(kinds: Sequence[int], told: dict[str, Any], cost: str) -> tuple[str, ...]:
    """The cells below _HEADINGS: what of it is a lower bound, or has no price, is marked."""
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


def _write_legends(rows: Sequence[dict[str, Any]], settings: Settings) -> None:
    """What the marks mean, below the table."""
    legends = marks.legends(
        undercounted=sum(row["undercountedResponses"] for row in rows),
        responses=sum(row["responses"] for row in rows),
        unpriced=0 if settings.no_cost else sum(row["unpricedTokens"] for row in rows),
        tokens=sum(row["totalTokens"] for row in rows),
    )
    terminal.lines([*([""] if legends else []), *legends])


def _pace(block: Block, now: dt.datetime, settings: Settings) -> str:
    rate, heading = block.tokens_per_minute(now), block.projected_tokens(now)
    left = words.duration((block.ends_at - now).total_seconds())
    if rate is None or heading is None:
        return f"running: {left} left"
    pace, goal = f"{marks.tokens_of(rate, block)} tokens/min", f"{marks.tokens_of(heading, block)} tokens"
    if not settings.no_cost:
        pace = f"{marks.money_of(block.usd_per_hour(now), block)} an hour, {pace}"
        goal = f"{marks.money_of(block.projected_usd(now), block)}, {goal}"
    return f"running: {left} left, at {pace}, heading for {goal}"


def model_report(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats models`."""
    with opened(settings) as connection:
        report = reports.by_model(connection, filter_of(settings))
    return _print(given, settings, report, "models")


def _print(given: argparse.Namespace, settings: Settings, report: dict[str, Any], rows: str) -> int:
    if given.json:
        terminal.answer(report)
        return 0
    lines: list[tuple[str, ...]] = [("", *_HEADINGS)]
    for row in (*report[rows], {**report["totals"], "period": "total"}):
        kinds = [row[f"{name}Tokens"] for name in ("input", "output", "cacheRead", "cacheCreation")]
        name = words.clean(row.get("period") or row.get("modelName"), 40)
        name = words.priced(name, row.get("speed", "standard"), row.get("service_tier", "standard"))
        lines.append((name, *_cells(kinds, row, "totalCost")))
    _write_lines(lines, settings)
    _write_legends([report["totals"]], settings)
    return 0


def _write_lines(lines: list[tuple[str, ...]], settings: Settings) -> None:
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


def sql(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats sql QUERY`: read-only, at most 10,000 rows."""
    store = Store(settings.store)
    with opened(settings):
        # The console's question has a connection of its own, once nobody here has the store open.
        pass
    try:
        _tell_table(given, console.ask(store.path, _query(given, store), chosen=filter_of(settings)))
    except RecursionError:
        raise StoreError(console.TOO_DEEP) from None
    return 0


def _tell_table(given: argparse.Namespace, table: console.Table) -> None:
    if given.parquet:
        try:
            export.write_parquet(table, path_of(given.parquet))
        except OSError as error:
            raise BadSetting(f"--parquet: {error}") from None
    elif given.csv:
        _write_csv(table)
    elif given.json:
        terminal.answer(export.answer_to(table))
    else:
        _print_table(table)
    if table.truncated:
        terminal.error(f"only the first {len(table.rows):,} rows")


def _query(given: argparse.Namespace, store: Store) -> str:
    """The query of the command line, of standard input, or of that name in the console."""
    if (given.query is None) == (given.saved is None):
        raise BadSetting("sql takes a query, - for standard input, or --saved NAME")
    if given.saved is None:
        return _query_told() if given.query == "-" else str(given.query)
    known = EXAMPLES | Book(store.path).read().saved
    if given.saved not in known:
        raise BadSetting(f"no query is saved as {given.saved!r}; there are: {', '.join(known)}")
    return known[given.saved]


def _query_told() -> str:
    try:
        told = terminal.read_input(console.MAX_QUERY)
    except (OSError, ValueError) as error:
        raise BadSetting(f"sql: standard input cannot be read: {error}") from None
    if told is None:
        raise BadSetting(f"sql: - wants a query of at most {console.MAX_QUERY:,} characters on standard input")
    return told


def _write_csv(table: console.Table) -> None:
    made = io.StringIO()
    export.write_csv(table, made)
    terminal.raw(made.getvalue())


def _print_table(table: console.Table) -> None:
    cells = [[words.clean(value, 60) for value in row] for row in (table.columns, *table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.columns))]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminal.lines([line.rstrip()])
    terminal.lines([f"({words.rows(len(table.rows))}, {words.millis(table.seconds * 1000)})"])
