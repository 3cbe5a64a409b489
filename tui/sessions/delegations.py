"""Who handed work to whom, how did it end, and what did it take?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.widget import Widget

from ...queries.filters import Filter
from ...queries.hand_over_facts import Spent
from ...queries.hand_overs import ChainNode, Edge, HandOver, HandOvers, graph, hand_overs
from .. import format as words
from .. import marks
from ..kit.cards import Card, Cards
from ..kit.palette import parse
from ..kit.sections import Section, Sections
from ..kit.state import PaneState
from ..kit.table import Column, Record, RecordTable
from ..pane import Pane
from . import text as told

if TYPE_CHECKING:
    from ...queries.store import Reader
    from ..views import View

SHOWN = 300
"""Hand-overs that are listed."""

GLYPHS = {"running": "●", "done": "✓", "failed": "✗", "denied": "⊘", "interrupted": "◌"}
TONES = {"running": "success", "failed": "error", "denied": "warning", "interrupted": "warning"}
"""How a hand-over ended -> its mark, and the colour of it."""

_LIST = (
    Column("when", "When", 15, by="timestamp"),
    Column("way", "From → to", by="from_type"),
    Column("task", "Task"),
    Column("status", "Status", 13),
    Column("took", "Took", 7, "right", 76, by="duration_ms"),
    Column("model", "Model", 11, min_screen=110),
    Column("tools", "Tools", 5, "right", 118, by="tool_calls"),
    Column("errors", "Err", 4, "right", 150),
    Column("children", "Below", 5, "right", 132),
    Column("tokens", "Tokens", 8, "right", 90, by="spent.total_tokens"),
    Column("cost", "Cost", 8, "right", by="spent.cost_usd"),
    Column("project", "Project", 16, min_screen=170),
)
_EDGES = (
    Column("way", "From → to", by="from_type"),
    Column("count", "Runs", 6, "right"),
    Column("running", "Run.", 4, "right", 60),
    Column("failed", "Failed", 6, "right", 44),
    Column("p50", "p50", 7, "right", by="p50_ms"),
    Column("p95", "p95", 7, "right", 50, by="p95_ms"),
    Column("tokens", "Tokens", 8, "right", 66, by="spent.total_tokens"),
    Column("cost", "Cost", 8, "right", by="spent.cost_usd"),
)
_GRAPH = (
    Column("name", "Who started whom"),
    Column("count", "Runs", 6, "right"),
    Column("tokens", "Tokens", 8, "right"),
    Column("cost", "Cost", 8, "right"),
)


@dataclass(frozen=True, slots=True)
class DelegationsData:
    """All hand-overs, and their graph."""

    found: HandOvers
    nodes: tuple[ChainNode, ...]


class DelegationParts(Sections):
    """The list over the other two."""

    DEFAULT_CSS = """
    DelegationParts { grid-size: 2; grid-rows: 5fr 3fr; }
    DelegationParts > #delegations-all { column-span: 2; }
    DelegationParts.-single > #delegations-all { column-span: 1; }
    """


class DelegationsPane(Pane[DelegationsData]):
    """Sums on top, every hand-over below them, newest first; then from which type to which, and the graph."""

    EMPTY = "No work was handed over yet: no sub-agent, and no other AI through the shell."
    HELP = (
        f"{GLYPHS['running']} runs, {GLYPHS['done']} is done, {GLYPHS['failed']} failed, {GLYPHS['denied']} was "
        f"refused, {GLYPHS['interrupted']} was interrupted.\n"
        "A sub-agent that a message wakes again has run twice. ⇗ is another AI, run through the shell; its tokens are "
        "counted in its own session, and shown here if that is read.\n"
        "Enter opens the session; on a line of “from → to” it leaves only those in the list, Escape all again."
    )
    DEFAULT_CSS = """
    DelegationsPane Cards { margin: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "next_part", "Next part", tooltip="The next part: list, from → to, graph"),
        Binding("y", "copy_id", "Copy", show=False, tooltip="Copy the session's id"),
    ]

    def __init__(self, tab: View) -> None:
        super().__init__(tab)
        self._data: DelegationsData | None = None
        self._way: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        """State, sums, and three parts."""
        yield PaneState()
        yield Cards(id="delegations-cards")
        yield DelegationParts(
            [
                Section("Delegations", RecordTable(self._columns(_LIST), id="delegations-list"), id="delegations-all"),
                Section("From → to", RecordTable(self._columns(_EDGES), id="delegations-edges"), id="delegations-ways"),
                Section(
                    "Graph",
                    RecordTable(self._columns(_GRAPH), sorts=False, id="delegations-nodes"),
                    id="delegations-graph",
                ),
            ],
            current="delegations-all",
            key="w",
            id="delegations-parts",
        )

    def _columns(self, columns: tuple[Column, ...]) -> list[Column]:
        return [column for column in columns if column.key != "cost" or not self.dashboard.settings.no_cost]

    def load(self, connection: Reader, chosen: Filter, now: dt.datetime) -> DelegationsData:
        """All hand-overs."""
        found = hand_overs(connection, chosen, now=now)
        return DelegationsData(found, tuple(graph(found)))

    def has_rows(self, data: DelegationsData) -> bool:
        """Whether any work was handed over."""
        return bool(data.found.rows)

    def own_filters(self) -> list[tuple[str, str]]:
        """The way that is listed, and the text."""
        way = [("way", f"{self._way[0]} → {self._way[1]}")] if self._way is not None else []
        return [*way, *super().own_filters()]

    def drop_own(self, name: str) -> None:
        """List all ways again."""
        super().drop_own(name)
        if name == "way":
            self._way = None
            self.query_one("#delegations-list", RecordTable).begin_anew()
            if self._data is not None:
                self.show(self._data)

    def show(self, data: DelegationsData) -> None:
        """Put it on the screen."""
        self._data = data
        self.query_one(Cards).show(_cards(data.found, cost=not self.dashboard.settings.no_cost))
        self._show_list(data.found)
        edges = data.found.edges
        self.query_one("#delegations-edges", RecordTable).show([self._edge(edge) for edge in edges])
        self.query_one("#delegations-nodes", RecordTable).show([_node(node) for node in data.nodes])

    def _show_list(self, found: HandOvers) -> None:
        now = self.dashboard.now()
        rows = [row for row in found.rows if self._way in (None, (row.from_type, row.to_type))]
        table = self.query_one("#delegations-list", RecordTable)
        table.show([self._row(row, now) for row in rows[:SHOWN]], total=len(rows))
        section = self.query_one("#delegations-all", Section)
        way = f"{self._way[0]} → {self._way[1]} only, Escape for all" if self._way else ""
        section.note(way or (f"the latest {SHOWN:,} of {len(rows):,}" if len(rows) > SHOWN else ""))

    @property
    def grows(self) -> bool:
        """Whether anything runs."""
        return self._data is not None and any(row.status == "running" for row in self._data.found.rows)

    def tick(self) -> None:
        """Tell anew for how long it has been running."""
        if self._data is not None:
            self._show_list(self._data.found)

    def _row(self, row: HandOver, now: dt.datetime) -> Record:
        took = words.millis(row.duration_ms)
        if row.status == "running" and row.timestamp is not None:
            took = words.duration((now - row.timestamp).total_seconds())
        status = Text(f"{GLYPHS[row.status]} {row.status}", style=self._tone(TONES.get(row.status, "")))
        errors = Text(words.count(row.errors), style=self._tone("error")) if row.errors else words.NONE
        return Record(
            row.id,
            {
                "when": words.when(row.timestamp, now, self.dashboard.zone),
                "way": way_of(row),
                "task": row.task or words.NONE,
                "status": status,
                "took": took,
                "model": words.model(row.model) if row.model else words.NONE,
                "tools": words.count(row.tool_calls),
                "errors": errors,
                "children": words.count(row.children) if row.children else words.NONE,
                **spent_cells(row.spent),
                "project": told.project(row.project),
            },
            row,
        )

    def _edge(self, edge: Edge) -> Record:
        failed = Text(words.count(edge.failed), style=self._tone("error")) if edge.failed else words.NONE
        running = Text(words.count(edge.running), style=self._tone("success")) if edge.running else words.NONE
        return Record(
            f"{edge.from_type}\0{edge.to_type}\0{edge.external}",
            {
                "way": f"{edge.from_type} → {edge.to_type}{_AWAY if edge.external else ''}",
                "count": words.count(edge.count),
                "running": running,
                "failed": failed,
                "p50": words.millis(edge.p50_ms),
                "p95": words.millis(edge.p95_ms),
                **spent_cells(edge.spent),
            },
            edge,
        )

    def _tone(self, name: str) -> str:
        if not name:
            return ""
        return parse(self.app.theme_variables, f"text-{name}", Color.parse("white")).rich_color.name

    # -- keys ----------------------------------------------------------------------------------------------------

    @property
    def first_focus(self) -> Widget | None:
        """The list."""
        return self.query_one("#delegations-list")

    def action_next_part(self) -> None:
        """The next part."""
        self.query_one(Sections).go_on()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys about a row need one."""
        return self._session is not None if action == "copy_id" else super().check_action(action, parameters)

    @property
    def _session(self) -> str | None:
        record = self.query_one("#delegations-list", RecordTable).selected
        row = record.data if record is not None else None
        return row.session_id if isinstance(row, HandOver) else None

    def action_copy_id(self) -> None:
        """The session's id to the clipboard."""
        if self._session is not None:
            told.copy_id(self.app, self._session)

    @on(RecordTable.RecordSelected)
    def _open(self, message: RecordTable.RecordSelected) -> None:
        message.stop()
        about = message.record.data
        if isinstance(about, HandOver):
            session = about.child_session_id or about.session_id
            if session is not None:
                from .detail import SessionScreen

                self.app.push_screen(SessionScreen(session))
        elif isinstance(about, Edge) and self._data is not None:
            self._way = about.from_type, about.to_type
            self.query_one("#delegations-list", RecordTable).begin_anew()
            self._show_list(self._data.found)
            self.dashboard.describe_filter()
            self.take_focus()

    @on(RecordTable.RecordHighlighted)
    def _highlighted(self, message: RecordTable.RecordHighlighted) -> None:
        message.stop()
        self.refresh_bindings()


_AWAY = " ⇗"
"""Marks another AI."""


def way_of(row: HandOver) -> str:
    """From which type of agent to which."""
    return f"{row.from_type} → {row.to_type}{_AWAY if row.external else ''}"


def spent_cells(spent: Spent | None) -> dict[str, str]:
    """Tokens and cost; a dash where nothing is known, or nothing was taken."""
    if spent is None or not spent.total_tokens:
        return {"tokens": words.NONE, "cost": words.NONE}
    cost = marks.money(spent.cost_usd, unpriced=spent.unpriced_tokens, undercounted=spent.undercounted)
    return {"tokens": marks.tokens(spent.total_tokens, spent.undercounted), "cost": cost}


def _node(node: ChainNode) -> Record:
    depth = len(node.path) - 2
    name = "   " * depth + ("└─ " if depth else "") + node.path[-1]
    if not depth and node.path[0] != "main":
        name = f"{node.path[0]} → {name}"
    return Record(
        "\0".join(node.path),
        {"name": name + (_AWAY if node.external else ""), "count": words.count(node.count), **spent_cells(node.spent)},
        node,
    )


def _cards(found: HandOvers, *, cost: bool) -> list[Card]:
    rows = found.rows
    counts = {status: sum(row.status == status for row in rows) for status in GLYPHS}
    over = len(rows) - counts["running"]
    failed, average = counts["failed"], found.average_depth
    away = sum(row.external for row in rows)
    spent = spent_cells(found.spent)
    return [
        Card("Delegations", words.count(len(rows)), f"to {len({row.to_type for row in rows})} types of agents"),
        Card("Running", words.count(counts["running"]), tone="success" if counts["running"] else ""),
        Card(
            "Failed",
            words.count(failed),
            f"{words.percent(failed / over if over else None)} of those that are over",
            tone="error" if failed else "",
        ),
        Card("Stopped", words.count(counts["interrupted"] + counts["denied"]), "interrupted or refused"),
        Card("Deepest chain", words.count(found.deepest), f"on average {average:.1f}" if average else ""),
        Card("Other AIs", words.count(away), "through the shell"),
        Card("Tokens", spent["tokens"], f"cost {spent['cost']}" if cost else ""),
    ]
