"""Which agents do the work, how well, how fast, and for how much?"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.color import Color
from textual.widget import Widget

from ...queries.filters import Filter
from ...queries.ranking import FAIR, GOOD, RankedAgent, ranked_agents
from ...queries.rollups import MAIN_AGENT
from .. import format as words
from ..kit.cards import Card, Cards
from ..kit.palette import parse
from ..kit.spark import bar
from ..kit.state import PaneState
from ..kit.table import Column, Record, RecordTable
from ..learnt import told_apart
from ..pane import Pane
from . import text as told
from .delegations import spent_cells

if TYPE_CHECKING:
    from ...queries.store import Reader
    from ..views import View

_BAR = 10

_COLUMNS = (
    Column("state", "", 1),
    Column("type", "Agent", sortable=True),
    Column("agent", "Of", 11, min_screen=70, sortable=True),
    Column("model", "Model", 12, sortable=True),
    Column("events", "Events", 6, "right", sortable=True),
    Column("share", "Share", 6, "right", 90),
    Column("bar", "", _BAR, min_screen=150),
    Column("calls", "Calls", 6, "right", 110, sortable=True),
    Column("errors", "Err", 5, "right", 106, sortable=True),
    Column("success", "OK", 7, "right", 71, sortable=True),
    Column("avg", "avg", 7, "right", 88, sortable=True),
    Column("p95", "p95", 7, "right", 92, sortable=True),
    Column("sessions", "Sessions", 8, "right", 160, sortable=True),
    Column("tokens", "Tokens", 8, "right", sortable=True),
    Column("cost", "Cost", 8, "right", sortable=True),
    Column("last", "Last active", 11, "right", 80, sortable=True),
)

_VALUES = {
    "type": lambda row: (row.subagent_type, row.model or ""),
    "agent": lambda row: row.agent or "",
    "model": lambda row: row.model or "",
    "events": lambda row: row.events,
    "calls": lambda row: row.tool_calls,
    "errors": lambda row: row.errors,
    "success": lambda row: -1.0 if row.success_ratio is None else row.success_ratio,
    "avg": lambda row: row.avg_ms or 0.0,
    "p95": lambda row: row.p95_ms or 0.0,
    "sessions": lambda row: row.sessions,
    "tokens": lambda row: row.total_tokens,
    "cost": lambda row: row.cost_usd or 0.0,
    "last": lambda row: row.last_active_at or dt.datetime.min,
}
"""Columns that can be sorted by -> what by."""

_ASCENDING = ("type", "agent", "model")


class AgentsPane(Pane[tuple[RankedAgent, ...]]):
    """One line for each type of agent with each model."""

    EMPTY = "No agent has done anything yet."
    HELP = (
        f"{told.LIVE} has done something in the last five minutes. Events are responses and tool calls, the share "
        "is that of all events.\n"
        f"OK is the share of finished calls that went well: from {words.percent(GOOD, 0)} on green, from "
        f"{words.percent(FAIR, 0)} on yellow. avg and p95 are execution times of its calls, without waits for "
        "a person and what goes on in the background.\n"
        "main answers you and hands work on; bars compare the types of sub-agents. One called subagent is of a type "
        "that its transcript does not name.\n"
        "Enter leaves only that type of agent on all tabs."
    )
    DEFAULT_CSS = """
    AgentsPane Cards { margin: 0 1 1 1; }
    """

    def __init__(self, tab: View) -> None:
        super().__init__(tab)
        self._order = ("events", True)
        self._rows: tuple[RankedAgent, ...] = ()

    def compose(self) -> ComposeResult:
        """State, sums and the ranking."""
        self._order = self.dashboard.choices.order("agents", _COLUMNS, self._order)
        yield PaneState()
        yield Cards()
        yield RecordTable(self._columns(), sort=self._order, id="ranking")

    def _columns(self) -> list[Column]:
        hidden = {"cost"} if self.dashboard.settings.no_cost else set()
        return [column for column in told_apart(_COLUMNS) if column.key not in hidden]

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> tuple[RankedAgent, ...]:
        """All of them."""
        return tuple(ranked_agents(connection, chosen, now=now))

    def has_rows(self, data: tuple[RankedAgent, ...]) -> bool:
        """Whether there are any."""
        return bool(data)

    def show(self, data: tuple[RankedAgent, ...]) -> None:
        """Put them on the screen in the chosen order."""
        self._rows = data
        key, descending = self._order
        rows = sorted(data, key=_VALUES[key], reverse=descending)
        table = self.query_one(RecordTable)
        table.use_columns(self._columns())
        # Beside the main agents, which do most of it, the bars of sub-agents would all look alike.
        largest = max((row.share for row in data if row.subagent_type != MAIN_AGENT), default=0.0)
        table.show([self._record(row, largest) for row in rows])
        table.mark_sort(*self._order)
        self.query_one(Cards).show(_cards(data))

    def _record(self, row: RankedAgent, largest: float) -> Record:
        ratio = row.success_ratio
        tone = "" if ratio is None else "success" if ratio >= GOOD else "warning" if ratio >= FAIR else "error"
        return Record(
            f"{row.agent}\0{row.subagent_type}\0{row.model}",
            {
                "state": Text(told.LIVE if row.is_running else "", style=self._tone("success")),
                "type": row.subagent_type,
                "agent": row.agent,
                "model": words.model(row.model) if row.model else words.NONE,
                "events": words.count(row.events),
                "share": words.percent(row.share),
                "bar": ""
                if row.subagent_type == MAIN_AGENT or not largest
                else Text(bar(row.share / largest, _BAR), style=self._tone("primary")),
                "calls": words.count(row.tool_calls),
                "errors": Text(words.count(row.errors), style=self._tone("error")) if row.errors else words.NONE,
                "success": Text(words.percent(ratio), style=self._tone(tone)),
                "avg": words.millis(row.avg_ms),
                "p95": words.millis(row.p95_ms),
                "sessions": words.count(row.sessions),
                **spent_cells(row),
                "last": words.relative(row.last_active_at, self.dashboard.now()),
            },
            row,
        )

    def _tone(self, name: str) -> str:
        if not name:
            return ""
        return parse(self.app.theme_variables, f"text-{name}", Color.parse("white")).rich_color.name

    # -- keys ----------------------------------------------------------------------------------------------------

    @property
    def first_focus(self) -> Widget | None:
        """The ranking."""
        return self.query_one("#ranking")

    @on(RecordTable.SortRequested)
    def _sort(self, message: RecordTable.SortRequested) -> None:
        message.stop()
        key, descending = self._order
        same = message.column_key == key
        self._resort(message.column_key, not descending if same else message.column_key not in _ASCENDING)

    def _resort(self, key: str, descending: bool) -> None:
        self._order = (key, descending)
        self.dashboard.choices.note_order("agents", self._order)
        self.show(self._rows)

    @on(RecordTable.RecordSelected)
    def _only(self, message: RecordTable.RecordSelected) -> None:
        message.stop()
        if isinstance(message.record.data, RankedAgent):
            self.dashboard.choose(subagent_type=message.record.data.subagent_type)


def _cards(rows: tuple[RankedAgent, ...]) -> list[Card]:
    calls, errors = sum(row.tool_calls for row in rows), sum(row.errors for row in rows)
    finished = sum(row.finished for row in rows)
    ratio = 1 - errors / finished if finished else None
    running = len({row.subagent_type for row in rows if row.is_running})
    tone = "" if ratio is None else "success" if ratio >= GOOD else "warning" if ratio >= FAIR else "error"
    return [
        Card("Types of agents", words.count(len({row.subagent_type for row in rows}))),
        Card("Models", words.count(len({row.model for row in rows if row.model}))),
        Card("Running", words.count(running), tone="success" if running else ""),
        Card("Events", words.count(sum(row.events for row in rows))),
        Card("Calls", words.count(calls), f"{words.plural(errors, 'error')}" if errors else ""),
        Card("Calls that went well", words.percent(ratio), tone=tone),
    ]
