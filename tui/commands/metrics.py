"""`agnes-stats metrics`: how long calls ran, calls by hour and day, errors, and what tools cost."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING, Any

from ...queries.filters import Filter
from .. import format as words
from ..factories import filter_of, utc_now
from ..settings import Settings
from .answering import answered, with_text
from .command import FILTERS, READING, TEXT, Command
from .json_fields import spent_cells, spent_fields, stamp
from .page import TextColumn, table

if TYPE_CHECKING:
    from ...queries.attribution import Attributed
    from ...queries.store import Reader
    from .page import Page

    Answer = dict[str, Any]

_SHOWN = 25
"""Tools that the page lists; the JSON answer has all."""


def run(given: argparse.Namespace, settings: Settings) -> int:
    """`agnes-stats metrics`."""
    chosen = filter_of(settings)
    return answered(
        given,
        settings,
        lambda connection: metrics_answer(connection, with_text(connection, chosen, given), now=utc_now()),
        show,
    )


def metrics_answer(connection: Reader, chosen: Filter, *, now: dt.datetime) -> Answer:
    """All metrics. `now`: UTC without a zone."""
    from ...queries.metrics import metrics

    found = metrics(connection, chosen, now=now)
    times = found.responses
    return {
        "calls": {
            "count": found.calls,
            "classes": [{"below_ms": row.below_ms, "count": row.count} for row in found.classes],
            "by_tool": [_tool(row) for row in found.by_tool],
            "rest": spent_fields(found.rest),
            "error_classes": [{"name": row.name, "count": row.count} for row in found.error_classes],
            "daily": [{"day": row.day.isoformat(), "count": row.count, "errors": row.errors} for row in found.daily],
        },
        "by_hour": [
            {"hour": stamp(row.hour), "prompts": row.prompts, "tool_calls": row.tool_calls} for row in found.by_hour
        ],
        "responses": {
            "avg_tokens": times.avg_tokens,
            "peak_tokens": times.peak_tokens,
            "p50_ms": _whole(times.p50_ms),
            "p90_ms": _whole(times.p90_ms),
            "p99_ms": _whole(times.p99_ms),
        },
        "error_ratio": found.error_ratio,
        "api_errors": found.api_errors,
        "events_per_minute": found.events_per_minute,
    }


def _tool(row: Attributed) -> Answer:
    return {
        "name": row.name,
        "class": row.kind,
        "count": row.count,
        "errors": row.errors,
        "denied": row.denied,
        "p50_ms": _whole(row.p50_ms),
        "p95_ms": _whole(row.p95_ms),
        "result_tokens": row.result_tokens,
        "rule": row.rule,
        **spent_fields(row),
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def show(answer: Answer, page: Page) -> list[str]:
    """Rates and sizes, the classes of times, the tools, and the errors by class."""
    calls, responses = answer["calls"], answer["responses"]
    if not calls["by_tool"] and responses["avg_tokens"] is None:
        return [page.nothing("calls or responses")]
    lines = [
        f"events a minute {answer['events_per_minute']:.1f} · error rate {words.percent(answer['error_ratio'])}"
        f" · API errors {words.count(answer['api_errors'])}",
        f"a response: {words.plural(responses['avg_tokens'], 'token')} on average,"
        f" {words.count(responses['peak_tokens'])} at most; first row after p50 {words.millis(responses['p50_ms'])},"
        f" p90 {words.millis(responses['p90_ms'])},"
        f" p99 {words.millis(responses['p99_ms'])}",
        "calls by execution time: " + " · ".join(_class(calls["classes"], number) for number in range(5)),
    ]
    lines += ["", *_tools(calls, page)]
    if calls["error_classes"]:
        lines += ["", "errors: " + " · ".join(f"{row['name']} {row['count']:,}" for row in calls["error_classes"])]
    return lines


def _class(classes: list[Answer], number: int) -> str:
    edge, count = classes[number]["below_ms"], words.count(classes[number]["count"])
    if edge is None:
        return f"over {classes[number - 1]['below_ms'] // 1000} s {count}"
    return f"under {edge // 1000} s {count}"


def _tools(calls: Answer, page: Page) -> list[str]:
    columns = [
        TextColumn("Tool, server, skill …", flexible=True),
        TextColumn("Kind", rank=2),
        TextColumn("Calls", right=True),
        TextColumn("Err", right=True),
        TextColumn("p50", right=True, rank=3),
        TextColumn("p95", right=True, rank=3),
        TextColumn("≈ results", right=True, rank=4),
        TextColumn("≈ tokens", right=True),
        *([TextColumn("≈ cost", right=True)] if page.cost else []),
        TextColumn("Rule", rank=1),
    ]
    width = 2 if page.cost else 1
    cells = [
        [
            row["name"],
            row["class"],
            words.count(row["count"]),
            words.count(row["errors"]) if row["errors"] else words.NONE,
            words.millis(row["p50_ms"]),
            words.millis(row["p95_ms"]),
            words.count(row["result_tokens"]),
            *spent_cells(row)[:width],
            row["rule"] or words.NONE,
        ]
        for row in calls["by_tool"][:_SHOWN]
    ]
    cells.append(["rest: answers to people", "", "", "", "", "", "", *spent_cells(calls["rest"])[:width], ""])
    more = len(calls["by_tool"]) - _SHOWN
    return [*table(columns, cells, page.width), *([f"and {more:,} more: --json"] if more > 0 else [])]


COMMAND = Command(
    heeds=(*READING, *FILTERS, "no-cost"), run=run, options=(TEXT,), examples=("metrics", "metrics --since 2026-01-01")
)
