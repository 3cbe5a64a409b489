"""Commands for scripts and status lines: reports in ccusage's words, the user's own SQL, one line about now."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ..queries import console, export, home, sessions, tokens
from ..queries.filters import Filter
from ..queries.store import Store, StoreError
from . import format as words
from . import reports
from .commands import opened
from .settings import BadSetting, Settings
from .wiring import engine_of, filter_of, utc_now

STATUS_WAIT_SECONDS = 1.0


def period_report(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats daily|weekly|monthly`."""
    with opened(settings).read() as connection:
        report = reports.by_period(connection, filter_of(settings), given.command)
    return _print(given, report, given.command)


def model_report(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats models`."""
    with opened(settings).read() as connection:
        report = reports.by_model(connection, filter_of(settings))
    return _print(given, report, "models")


def _print(given: argparse.Namespace, report: dict[str, Any], rows: str) -> int:
    if given.json:
        sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")
        return 0
    lines: list[tuple[str, ...]] = [("", "Input", "Output", "Cache write", "Cache read", "Total", "Cost")]
    for row in (*report[rows], {**report["totals"], "period": "total"}):
        numbers = [row[f"{name}Tokens"] for name in ("input", "output", "cacheCreation", "cacheRead", "total")]
        cost = words.usd(row["totalCost"]) + (" +unpriced" if row["unpricedTokens"] else "")
        name = words.clean(row.get("period") or row.get("modelName"), 40)
        lines.append((name, *(words.tokens(number) for number in numbers), cost))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        sys.stdout.write("  ".join([first, *others]).rstrip() + "\n")
    return 0


def sql(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats sql QUERY`: read-only, at most 10,000 rows."""
    query = sys.stdin.read() if given.query == "-" else given.query
    store = opened(settings)
    table = console.ask(store.path, query, chosen=filter_of(settings))
    if given.parquet:
        try:
            export.write_parquet(table, Path(given.parquet))
        except OSError as error:
            raise BadSetting(f"--parquet: {error}") from None
    elif given.csv:
        export.write_csv(table, sys.stdout)
    elif given.json:
        export.write_json(table, sys.stdout)
    else:
        _print_table(table)
    if table.truncated:
        sys.stderr.write(f"agnes-stats: only the first {console.MAX_ROWS:,} rows\n")
    return 0


def _print_table(table: console.Table) -> None:
    cells = [table.columns, *([words.clean(value, 60) for value in row] for row in table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.columns))]
    for row in cells:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    sys.stdout.write(f"({len(table.rows)} rows, {words.millis(table.seconds * 1000)})\n")


def statusline(given: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001
    """`agnes-stats statusline`: one line for Claude Code's status line, which gives JSON on standard input."""
    told = _told_by_claude()
    store = Store(settings.store, wait=STATUS_WAIT_SECONDS)
    transcript = told.get("transcript_path")
    # A busy store must not delay a prompt: then the line says what was known a moment ago.
    with suppress(StoreError):
        if isinstance(transcript, str) and not settings.no_ingest:
            engine = engine_of(settings, store)
            file = engine.recognise(Path(transcript))
            if file is not None:
                engine.ingest([file])
    sys.stdout.write(_status(store, settings, told.get("session_id")) + "\n")
    return 0


def _told_by_claude() -> dict[str, Any]:
    if sys.stdin is None or sys.stdin.isatty():
        return {}
    try:
        told = json.loads(sys.stdin.read() or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _status(store: Store, settings: Settings, session_id: object) -> str:
    now = utc_now()
    today = now.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(settings.tz)).date()
    with store.read() as connection:
        sums = tokens.totals(connection, Filter(zone=settings.tz, since=today, until=today))
        frame = home.home(connection, "24h", now=now)
        chosen = Filter(session_id=session_id) if isinstance(session_id, str) else None
        page = sessions.list_sessions(connection, chosen, now=now, limit=1) if chosen else None
    parts = []
    if page and page.rows:
        row = page.rows[0]
        parts.append(words.model(row.primary_model))
        parts.append(f"session {_amount(row.cost_usd, row.tokens_total, settings)}")
        if row.context_tokens and row.context_window:
            parts.append(f"context {words.percent(row.context_tokens / row.context_window, 0)}")
    parts.append(f"today {_amount(sums.cost_usd, sums.total_tokens, settings)}")
    if frame.last_pull_at is not None:
        parts.append(f"pulled {words.relative(frame.last_pull_at, now)}")
    return " · ".join(parts)


def _amount(cost: float | None, count: int, settings: Settings) -> str:
    return words.tokens(count) if settings.no_cost or cost is None else f"{words.usd(cost)} {words.tokens(count)}"
