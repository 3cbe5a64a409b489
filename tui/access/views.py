"""The two other views of the Data access tab: what the accesses add up to, and how the tools did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from ...queries.access import GROUPS
from ...queries.access_sums import AccessSums, DayAccesses
from ...queries.row_trends import POINTS, Trends
from ...queries.tools import ToolUse
from .. import format as words
from .. import ranges
from ..kit.bars import StackedBars
from ..kit.sections import Section, Sections
from ..kit.series import Series
from ..kit.table import Column, Record, RecordTable
from . import text as told
from .data import SummaryData
from .text import AccessLook

_FILES = (
    Column("name", "File"),
    Column("project", "Project", 16, min_screen=72),
    Column("reads", "Reads", 6, "right"),
    Column("writes", "Writes", 6, "right"),
    Column("failed", "Failed", 6, "right"),
    Column("denied", "Denied", 6, "right", min_screen=90),
    Column("sessions", "Sessions", 8, "right", min_screen=64),
    Column("last", "Last", 15, min_screen=56),
)
_TIMES = (Column("p50_ms", "p50", 7, "right", 54), Column("p95_ms", "p95", 7, "right"))

TABLES = (
    Column("name", "Table", sortable=True),
    Column("reads", "Reads", 6, "right", sortable=True),
    Column("writes", "Writes", 6, "right", sortable=True),
    Column("failed", "Failed", 6, "right", sortable=True),
    Column("rows_returned", "Rows", 6, "right", min_screen=64, sortable=True),
    Column("last_read_at", "Last read", 15, min_screen=64, sortable=True),
)
"""Keys are those of `access_sums.TABLE_ORDERS`."""

_OUTCOMES = (
    Column("accesses", "Count", 6, "right"),
    Column("failed", "Failed", 6, "right"),
    Column("error_rate", "Rate", 7, "right"),
    Column("denied", "Denied", 6, "right", min_screen=60),
)
_ACTIONS = (Column("name", "Action", by="action"), *_OUTCOMES, *_TIMES)
_PLACES = (
    Column("name", "Where", by="place"),
    *_OUTCOMES,
    Column("rows", "Rows", 6, "right", by="rows_returned"),
    Column("bytes", "Scanned", 7, "right", min_screen=72, by="bytes_scanned"),
    Column("p95_ms", "p95", 7, "right", min_screen=72),
)
_SLOWEST = (
    Column("duration", "Took", 7, "right", by="duration_ms"),
    Column("when", "When", 15, by="timestamp"),
    Column("resource", "Resource"),
    Column("result", "Result", 11),
    Column("action", "Action", 14, min_screen=96),
    Column("session", "Session", min_screen=96, by="title"),
)
_TOOLS = (
    Column("invocations", "Calls", 6, "right", sortable=True),
    Column("errors", "Errors", 6, "right", sortable=True),
    Column("error_rate", "Rate", 7, "right", min_screen=92, sortable=True),
    Column("denied", "Denied", 6, "right", min_screen=60, sortable=True),
    Column("p50_ms", "p50", 7, "right", min_screen=56, sortable=True),
    Column("p95_ms", "p95", 7, "right", min_screen=42, sortable=True),
    Column("sessions", "Sessions", 8, "right", min_screen=88, sortable=True),
    Column("result_tokens", "≈ Tokens", 8, "right", min_screen=74, sortable=True),
    Column("share", "Share", 7, "right", min_screen=84),
)
"""Keys are those of `tools.ORDERS`."""

_KINDS = {"tool": "Tools", "server": "MCP servers", "skill": "Skills", "plugin": "Plugins"}
_DAYS, _WEEKS = 100, 700
"""Up to so many days a bar is a day; up to so many a week; beyond, a month."""


SORTED = {"tables": TABLES, "tools": (Column("name", "", sortable=True), *_TOOLS)}
"""The tables that can be sorted."""


class AccessSummary(Sections):
    """Bars by day, tables, actions, places, and the slowest queries."""

    DEFAULT_CSS = """
    AccessSummary { grid-size: 2 4; grid-columns: 1fr 1fr; grid-rows: 12 1fr 1fr 1fr; }
    AccessSummary > #summary-days, AccessSummary > #summary-slowest { column-span: 2; }
    AccessSummary.-files { grid-size: 2 3; grid-rows: 13 2fr 1fr; }
    AccessSummary.-files > #summary-files { column-span: 2; }
    """

    def __init__(self, order: tuple[str, bool], *, key: str, id: str) -> None:  # noqa: A002
        super().__init__(
            [
                Section("Accesses by day", StackedBars(), id="summary-days"),
                Section("Tables", RecordTable(TABLES, sort=order), id="summary-tables"),
                Section("Files", RecordTable(_FILES), id="summary-files"),
                Section("Actions", RecordTable(_ACTIONS), id="summary-actions"),
                Section("Local and remote", RecordTable(_PLACES), id="summary-places"),
                Section("Slowest queries", RecordTable(_SLOWEST), id="summary-slowest"),
            ],
            current="summary-tables",
            key=key,
            id=id,
        )

    def show(
        self,
        data: SummaryData,
        days: Sequence[DayAccesses],
        axis: Sequence[dt.date],
        *,
        sums: AccessSums,
        order: tuple[str, bool],
        look: AccessLook,
    ) -> None:
        """Show it; `sums` are those of all of it. Where no data was queried, files have the room of tables."""
        only_files = not (sums.tables or sums.queries)
        self.set_class(only_files, "-files")
        self.leave_out(*(("summary-tables", "summary-slowest") if only_files else ()))
        self._show_days(days, axis, look.today)
        shown = len(data.tables)
        rest = f"{shown} of {sums.tables:,}" if shown < sums.tables else ""
        self._fill("files", [told.file(row, look) for row in data.files], "those touched most ↵ shows its accesses")
        self._fill("tables", [told.table(row, look) for row in data.tables], f"{rest} ↵ shows its accesses")
        self._table("tables").mark_sort(*order)
        self._fill("actions", [told.action(row, look) for row in data.actions])
        self._fill("places", [told.place(row, look) for row in data.places])
        self._fill("slowest", [told.access(row, look) for row in data.slowest])

    def _table(self, name: str) -> RecordTable:
        return self.query_one(f"#summary-{name} RecordTable", RecordTable)

    def _fill(self, name: str, records: list[Record], note: str = "") -> None:
        self._table(name).show(records)
        self.query_one(f"#summary-{name}", Section).note(note if records else "none")

    def _show_days(self, days: Sequence[DayAccesses], axis: Sequence[dt.date], today: dt.date) -> None:
        unit, buckets = _buckets(axis)
        counts: dict[str, dict[dt.date, int]] = {}
        for row in days:
            group = counts.setdefault(row.action_group, {})
            bucket = _bucket(row.day, unit)
            group[bucket] = group.get(bucket, 0) + row.accesses
        names = {prefix: name for name, prefix in GROUPS.items()}
        # The order of the groups, not of their size: a colour stays with its group.
        known = [prefix for prefix in (*names, *sorted(counts.keys() - names.keys())) if prefix in counts]
        series = [
            Series(names.get(prefix, prefix), tuple(counts[prefix].get(bucket, 0) for bucket in buckets))
            for prefix in known
        ]
        labels = words.axis(buckets, unit, today)
        section = self.query_one("#summary-days", Section)
        section.rename(f"Accesses by {unit}")
        bars = self.query_one(StackedBars)
        bars.stand_for(ranges.bucket(dt.datetime.combine(bucket, dt.time()), unit) for bucket in buckets)
        bars.show(series, labels)


class ToolStatistics(Sections):
    """Tools, MCP servers, skills and plugins."""

    DEFAULT_CSS = """
    ToolStatistics { grid-size: 2 3; grid-columns: 5fr 3fr; grid-rows: 1fr 1fr 1fr; }
    ToolStatistics > #tools-tool { row-span: 3; }
    """

    def __init__(self, order: tuple[str, bool], *, key: str, id: str) -> None:  # noqa: A002
        super().__init__(
            [
                Section(
                    title,
                    RecordTable(_tool_columns(kind, title), sort=order),
                    id=f"tools-{kind}",
                )
                for kind, title in _KINDS.items()
            ],
            current="tools-tool",
            key=key,
            id=id,
        )

    def show(self, rows: Sequence[ToolUse], trends: Trends, *, order: tuple[str, bool], look: AccessLook) -> None:
        """Show them; `trends` are those of tools. Shares are of all that came back, at four bytes a token."""
        whole = sum(row.result_bytes for row in rows if row.kind == "tool")
        for kind in _KINDS:
            section = self.query_one(f"#tools-{kind}", Section)
            records = [told.tool(row, look, trends, whole) for row in rows if row.kind == kind]
            table = section.query_one(RecordTable)
            table.show(records)
            table.mark_sort(*order)
            section.note(words.count(len(records)) if records else "none used")


def _tool_columns(kind: str, title: str) -> list[Column]:
    """Of what is used. Only calls of tools have a course: most of them are of no skill and no server."""
    named = Column("name", title.rstrip("s"), sortable=True)
    return [named, *_TOOLS, Column("trend", "Trend", POINTS, min_screen=96)] if kind == "tool" else [named, *_TOOLS]


def _buckets(axis: Sequence[dt.date]) -> tuple[str, list[dt.date]]:
    """Which span a bar stands for, and the first days of all of them."""
    unit = "day" if len(axis) <= _DAYS else "week" if len(axis) <= _WEEKS else "month"
    return unit, list(dict.fromkeys(_bucket(day, unit) for day in axis))


def _bucket(day: dt.date, unit: str) -> dt.date:
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day
