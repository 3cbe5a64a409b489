"""How does the work go: how long do calls run, how often do they fail, what do tools cost?"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.widget import Widget

from ...queries.attribution import REST, Attributed
from ...queries.filters import Filter
from ...queries.hand_over_facts import Spent
from ...queries.metrics import EXCELLENT, GOOD, Metrics, metrics
from .. import format as words
from ..kit.bars import StackedBars
from ..kit.cards import Card, Cards
from ..kit.palette import parse
from ..kit.sections import Section, Sections
from ..kit.series import Series
from ..kit.spark import bar
from ..kit.state import PaneState
from ..kit.table import Column, Record, RecordTable
from ..pane import Pane
from ..ranges import bucket, one_hour
from .delegations import spent_cells

if TYPE_CHECKING:
    from ...queries.store import Reader

_BAR = 9
"""Cells; with more of them the table would be wider than a third of a usual screen."""

_CLASSES = (
    Column("name", "Ran", 12),
    Column("count", "Calls", 7, "right"),
    Column("share", "Share", 7, "right", 33),
    Column("bar", "", _BAR, min_screen=43),
)
_TOOLS = (
    Column("name", "Tool, server, skill …"),
    Column("kind", "Kind", 8, min_screen=58),
    Column("count", "Calls", 6, "right"),
    Column("errors", "Err", 5, "right"),
    Column("p50", "p50", 7, "right", 66, by="p50_ms"),
    Column("p95", "p95", 7, "right", 74, by="p95_ms"),
    Column("results", "≈ results", 9, "right", 100, by="result_tokens"),
    Column("tokens", "≈ tokens", 8, "right", by="total_tokens"),
    Column("cost", "≈ cost", 8, "right", by="cost_usd"),
    Column("rule", "Rule", 8, min_screen=84),
)
_ERRORS = (Column("name", "Errors"), Column("count", "Calls", 7, "right"), Column("bar", "", 8, min_screen=36))


class MetricParts(Sections):
    """Two charts over the times, the tools and the errors."""

    DEFAULT_CSS = """
    MetricParts { grid-size: 6; grid-rows: 11 1fr; height: 1fr; }
    MetricParts > #metrics-hours, MetricParts > #metrics-days { column-span: 3; }
    MetricParts > #metrics-classes, MetricParts > #metrics-errors { column-span: 2; }
    MetricParts > #metrics-tools { column-span: 4; row-span: 2; }
    MetricParts.-single > #metrics-hours, MetricParts.-single > #metrics-days { column-span: 1; }
    MetricParts.-single > #metrics-classes, MetricParts.-single > #metrics-errors { column-span: 1; }
    MetricParts.-single > #metrics-tools { column-span: 1; row-span: 1; }
    """


class MetricsPane(Pane[Metrics]):
    """Key figures, calls by hour and by day, classes of times and of errors, and what tools cost."""

    EMPTY = "No calls or responses yet."
    HELP = (
        "A call's time is from the call to its result; left out are calls that wait for a person, that were refused, "
        "and that go on in the background. A time on the edge of a class belongs to the one above.\n"
        f"Error rate: failed calls of finished ones; up to {words.percent(EXCELLENT, 0)} excellent, up to "
        f"{words.percent(GOOD, 0)} good.\n"
        "≈ Nobody is billed for a tool. Each response belongs to what the agent says it worked on (told), else to the "
        "calls whose results it is the first to answer, in equal parts (answers); the rest answers people. So all rows "
        "together are all tokens. Results are taken at 4 bytes a token."
    )
    DEFAULT_CSS = """
    MetricsPane Cards { margin: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "next_part", "Next part", tooltip="The next part: tools, hours, days, times, errors"),
    ]

    def compose(self) -> ComposeResult:
        """State, key figures, and the parts."""
        cost = not self.dashboard.settings.no_cost
        tools = [column for column in _TOOLS if cost or column.key != "cost"]
        yield PaneState()
        yield Cards()
        yield MetricParts(
            [
                Section("Last 24 hours", StackedBars(id="hours", empty="Nothing in 24 hours."), id="metrics-hours"),
                Section("Calls by day", StackedBars(id="days", empty="No call has a day."), id="metrics-days"),
                Section("Execution time", RecordTable(_CLASSES, id="classes"), id="metrics-classes"),
                Section("What tools cost", RecordTable(tools, id="tools"), id="metrics-tools"),
                Section("Errors", RecordTable(_ERRORS, id="errors"), id="metrics-errors"),
            ],
            current="metrics-tools",
            key="w",
            id="metrics-parts",
        )

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> Metrics:
        """What the filters leave of calls and responses, added up."""
        return metrics(connection, chosen, now=now)

    def has_rows(self, data: Metrics) -> bool:
        """Whether there is any call or response."""
        return bool(data.by_tool or data.responses.count or data.rest.total_tokens)

    def show(self, data: Metrics) -> None:
        """Put it on the screen."""
        self.query_one(Cards).show(_cards(data))
        zone = self.dashboard.zone
        hours, days = self.query_one("#hours", StackedBars), self.query_one("#days", StackedBars)
        hours.stand_for(one_hour(words.local(row.hour, zone)) for row in data.by_hour)
        days.stand_for(bucket(dt.datetime.combine(row.day, dt.time()), "day") for row in data.daily)
        hours.show(
            [
                Series("tool calls", tuple(float(row.tool_calls) for row in data.by_hour)),
                Series("prompts", tuple(float(row.prompts) for row in data.by_hour)),
            ],
            [f"{words.local(row.hour, zone):%H}h" for row in data.by_hour],
        )
        days.show(
            [
                Series("not failed", tuple(float(row.count - row.errors) for row in data.daily)),
                Series("failed", tuple(float(row.errors) for row in data.daily), "error"),
            ],
            words.axis([row.day for row in data.daily], "day", words.local(self.dashboard.now(), zone)),
        )
        self._show_classes(data)
        whole = max([row.total_tokens for row in (*data.by_tool, data.rest)], default=0)
        self.query_one("#tools", RecordTable).show([*(_tool(row) for row in data.by_tool), _rest(data.rest)])
        self.query_one("#metrics-tools", Section).note(f"sum {words.plural(_sum(data), 'token')}" if whole else "")
        most = max((row.count for row in data.error_classes), default=0)
        self.query_one("#errors", RecordTable).show(
            [
                Record(
                    row.name,
                    {
                        "name": row.name,
                        "count": words.count(row.count),
                        "bar": Text(bar(row.count / most, 8), style=self._tone("error")),
                    },
                    row,
                )
                for row in data.error_classes
            ]
        )
        told = f"API errors {words.count(data.api_errors)}"
        self.query_one("#metrics-errors", Section).note(told if data.error_classes else f"none · {told}")

    def _show_classes(self, data: Metrics) -> None:
        ran = sum(row.count for row in data.classes)
        records = []
        for number, row in enumerate(data.classes):
            if row.below_ms is not None:
                name = f"under {row.below_ms // 1000} s"
            else:
                name = f"over {(data.classes[number - 1].below_ms or 0) // 1000} s"
            share = row.count / ran if ran else None
            width = _BAR
            cells: dict[str, Text | str | int | None] = {
                "name": name,
                "count": words.count(row.count),
                "share": words.percent(share),
                "bar": Text(bar(share, width), style=self._tone("primary")),
            }
            records.append(Record(str(number), cells, row))
        self.query_one("#classes", RecordTable).show(records)

    def _tone(self, name: str) -> str:
        return parse(self.app.theme_variables, f"text-{name}", Color.parse("white")).rich_color.name

    # -- keys ----------------------------------------------------------------------------------------------------

    @property
    def first_focus(self) -> Widget | None:
        """The tools; on a small screen the part that is shown."""
        parts = self.query_one(Sections)
        return parts.current.content if parts.is_single else self.query_one("#tools")

    def action_next_part(self) -> None:
        """The next part."""
        self.query_one(Sections).go_on()


def _sum(data: Metrics) -> int:
    return sum(row.total_tokens for row in (*data.by_tool, data.rest))


def _tool(row: Attributed) -> Record:
    return Record(
        f"{row.kind}\0{row.name}",
        {
            "name": row.name,
            "kind": row.kind,
            "count": words.count(row.count),
            "errors": words.count(row.errors) if row.errors else words.NONE,
            "p50": words.millis(row.p50_ms),
            "p95": words.millis(row.p95_ms),
            "results": words.count(row.result_tokens) if row.result_tokens else words.NONE,
            **spent_cells(row),
            "rule": row.rule or words.NONE,
        },
        row,
    )


def _rest(rest: Spent) -> Record:
    return Record(REST, {"name": Text("rest: answers to people", style="dim"), **spent_cells(rest)}, rest)


def _cards(data: Metrics) -> list[Card]:
    ratio, times = data.error_ratio, data.responses
    tone = "" if ratio is None else "success" if ratio <= EXCELLENT else "" if ratio <= GOOD else "error"
    health = "" if ratio is None else "excellent" if ratio <= EXCELLENT else "good" if ratio <= GOOD else "high"
    hours = tuple(float(row.tool_calls) for row in data.by_hour)
    return [
        Card("Events a minute", f"{data.events_per_minute:.1f}", "in the last 5 minutes", hours),
        Card("Error rate", words.percent(ratio), health, tone=tone),
        Card("Tokens a response", words.count(times.avg_tokens), f"at most {words.count(times.peak_tokens)}"),
        Card(
            "Response time",
            words.millis(times.p50_ms),
            f"p90 {words.millis(times.p90_ms)} · p99 {words.millis(times.p99_ms)}",
        ),
        Card("Calls", words.count(data.calls), "finished or not"),
    ]
