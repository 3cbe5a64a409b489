"""What the Data access tab asks, and what it gets."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ...queries import access, row_trends, tools
from ...queries.access import AccessRow, Which
from ...queries.access_sums import (
    AccessPage,
    AccessSums,
    ActionUse,
    DayAccesses,
    FileUse,
    PlaceUse,
    Selection,
    TableUse,
)
from ...queries.cursor import Cursor
from ...queries.filters import Filter
from ...queries.row_trends import Trends
from ...queries.tools import ToolSums, ToolUse
from ..ranges import day_at

if TYPE_CHECKING:
    from ...queries.store import Reader

PAGE = 500
"""Accesses on the screen at a time."""


@dataclass(frozen=True, slots=True)
class SummaryData:
    """What the summary shows."""

    tables: list[TableUse]
    files: list[FileUse]
    places: list[PlaceUse]
    actions: list[ActionUse]
    slowest: list[AccessRow]


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """What the user chose on this tab. `pages` holds a cursor for each step back from the newest page."""

    view: str = "list"
    which: Which = field(default_factory=Which)
    pages: tuple[Cursor, ...] = ()
    paged: Filter | None = None
    """The filter of all panes under which the pages were turned: under another, the first page is shown."""
    tables: tuple[str, bool] = ("reads", True)
    tools: tuple[str, bool] = ("invocations", True)


@dataclass(frozen=True, slots=True)
class AccessData:
    """An answer with its question. Of the parts, those of the view are there."""

    asked: AccessOptions
    options: AccessOptions
    """What was asked, with the pages that are left of it under this filter."""
    chosen: Filter
    store_is_empty: bool
    """Whether the store has nothing for the view, whatever the filters."""
    sums: AccessSums | None = None
    days: tuple[DayAccesses, ...] = ()
    top: tuple[TableUse, ...] = ()
    page: AccessPage | None = None
    summary: SummaryData | None = None
    tool_sums: ToolSums | None = None
    tools: tuple[ToolUse, ...] = ()
    trends: Trends = field(default_factory=dict)
    """Of tools: how each was used over the days."""

    @property
    def has_rows(self) -> bool:
        """Whether the view has anything to show."""
        if self.tool_sums is not None:
            return self.tool_sums.invocations > 0
        return self.sums is not None and self.sums.accesses > 0


def ask(connection: Reader, asked: AccessOptions, chosen: Filter, now: dt.datetime) -> AccessData:
    """The figures, and what the view shows. `now` is UTC without a zone."""
    options = asked
    if options.paged != chosen:
        options = replace(options, pages=(), paged=chosen)
    if options.view == "tools":
        order, descending = options.tools
        used = tools.tool_use(connection, chosen, order=order, descending=descending)
        sums = tools.tool_sums(connection, chosen)
        empty = sums.invocations == 0 and tools.count_calls(connection) == 0
        today = day_at(now, ZoneInfo(chosen.zone))
        courses = row_trends.of_tools(connection, chosen, today=today, text=tools.OWN_WORDS)
        return AccessData(asked, options, chosen, empty, tool_sums=sums, tools=tuple(used), trends=courses)
    selected = Selection(connection, chosen, options.which, now=now)
    empty = access.count_accesses(connection) == 0
    data = AccessData(asked, options, chosen, empty, selected.sums(), tuple(selected.by_day()))
    if options.view == "list":
        cursor = options.pages[-1] if options.pages else None
        return replace(data, page=selected.page(cursor, PAGE), top=tuple(selected.tables(limit=8)))
    order, descending = options.tables
    tables = selected.tables(order=order, descending=descending)
    summary = SummaryData(tables, selected.files(), selected.places(), selected.actions(), selected.slowest())
    return replace(data, summary=summary)
