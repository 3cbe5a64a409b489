"""What sub-agents took, and what they gave back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget

from ...queries import delegation
from ...queries.delegation import AgentTokens, DelegatedTask
from ...queries.money import known_usd
from ...queries.rollups import MAIN_AGENT
from .. import format as words
from .. import marks
from ..kit.lines import StillText
from ..kit.palette import widget_ink
from ..kit.table import Column, Record
from . import text as phrases
from .records import BAR, Paint, TokenTable, priced_only, value_of
from .view import Question, TokenView

if TYPE_CHECKING:
    from ...queries.store import Reader

MOST_TASKS = 50

_TYPE_COLUMNS = (
    Column("name", "Agent type"),
    Column("tasks", "Tasks", 6, "right"),
    Column("responses", "Responses", 9, "right", 100),
    Column("total_tokens", "Tokens", 8, "right"),
    Column("reported", "≈ Reported", 10, "right", 56, by="report_chars"),
    Column("compression", "Compression", 11, "right", 70),
    Column("cost_usd", "Cost", 9, "right"),
    Column("bar", "", BAR, min_screen=80),
)
_TASK_COLUMNS = (
    Column("what", "Largest tasks", by="description"),
    Column("subagent_type", "Agent type", 18, min_screen=84),
    Column("title", "Session", 24, min_screen=130),
    Column("started_at", "Started", 15, min_screen=106),
    Column("took", "Took", 7, "right", 60, by="seconds"),
    Column("total_tokens", "Tokens", 8, "right"),
    Column("reported", "≈ Reported", 10, "right", 120, by="report_chars"),
    Column("compression", "Compression", 11, "right", 150),
    Column("cost_usd", "Cost", 9, "right"),
)


@dataclass(frozen=True, slots=True)
class AgentsData:
    """All types of agents, and the largest tasks of sub-agents."""

    types: tuple[AgentTokens, ...]
    tasks: tuple[DelegatedTask, ...]


class Agents(TokenView[AgentsData]):
    """A sentence, a table of agent types, and one of tasks."""

    NAME = "agents"
    TITLE = "Agents"
    ACTIONS = frozenset({"measure"})

    def compose(self) -> ComposeResult:
        """The sum in words, then the tables."""
        yield StillText(id="agents-sum", classes="about", markup=False)
        yield TokenTable(priced_only(_TYPE_COLUMNS, self.shows_cost), id="agents-types")
        yield TokenTable(priced_only(_TASK_COLUMNS, self.shows_cost), id="agents-tasks")

    def ask(self, connection: Reader, question: Question) -> AgentsData:
        """What sub-agents took, by type and by task."""
        return AgentsData(
            tuple(delegation.by_subagent_type(connection, question.chosen)),
            tuple(delegation.tasks(connection, question.chosen, MOST_TASKS)),
        )

    @property
    def first_focus(self) -> Widget | None:
        """The table of types."""
        return self.query_one("#agents-types")

    def show(self, data: AgentsData, question: Question) -> None:
        """The sum in words, then a row for each type and for each of the largest tasks."""
        self.query_one("#agents-sum", StillText).update(_sum_in_words(data.types, question))
        paint = Paint(widget_ink(self), {})
        types = sorted(data.types, key=lambda row: value_of(row, question), reverse=True)
        largest = largest_below([(row.name, value_of(row, question)) for row in types])
        self.query_one("#agents-types", TokenTable).show(
            [
                Record(
                    row.name,
                    {
                        "name": row.name,
                        "tasks": words.count(row.tasks) if row.tasks else words.NONE,
                        "responses": words.count(row.responses),
                        "total_tokens": phrases.total(row),
                        "reported": words.count(row.reported_tokens) if row.report_chars else words.NONE,
                        "compression": _times(row.compression),
                        "cost_usd": marks.cost(row),
                        "bar": "" if row.name == MAIN_AGENT else paint.bar(None, value_of(row, question), largest),
                    },
                    ("subagent_type", row.name, row.name),
                    row,
                )
                for row in types
            ]
        )
        tasks = self.query_one("#agents-tasks", TokenTable)
        tasks.display = bool(data.tasks)
        tasks.show([_task(row, question) for row in data.tasks])


def largest_below(amounts: Sequence[tuple[str, float]]) -> float:
    """The largest amount of a type of sub-agent: beside the main agent's, the bars of all of them would look alike."""
    return max((amount for name, amount in amounts if name != MAIN_AGENT), default=0.0)


def _times(ratio: float | None) -> str:
    return words.NONE if ratio is None else f"{words.count(ratio)}×"


def _task(row: DelegatedTask, question: Question) -> Record:
    return Record(
        row.subagent_id,
        {
            "what": row.description or row.subagent_id,
            "subagent_type": row.subagent_type,
            "title": row.title,
            "started_at": words.when(row.started_at, question.now, question.zone),
            "took": None if row.seconds is None else words.millis(row.seconds * 1000),
            "total_tokens": marks.tokens(row.total_tokens, row.undercounted),
            "reported": words.count(row.reported_tokens),
            "compression": _times(row.compression),
            "cost_usd": marks.cost(row),
        },
        (
            "session_id",
            row.session_id,
            words.session(row.title, row.session_id),
        ),
        row,
    )


def _sum_in_words(types: tuple[AgentTokens, ...], question: Question) -> Text:
    """How much was delegated."""
    whole = sum(row.total_tokens for row in types)
    below = [row for row in types if row.name != MAIN_AGENT]
    text = Text(no_wrap=True, overflow="ellipsis")
    if not below:
        text.append("Nothing was delegated to sub-agents here.", style="dim")
        return text
    used = sum(row.total_tokens for row in below)
    bounds, unpriced = sum(row.undercounted for row in below), sum(row.unpriced_tokens for row in below)
    parts = [f"Delegated {marks.tokens(used, bounds)} tokens, {words.percent(used / whole if whole else 0)}"]
    usd = known_usd(row.cost_usd for row in below)
    if question.cost and usd is not None:
        parts.append(marks.money(usd, unpriced=unpriced, undercounted=bounds))
    parts.append(words.plural(sum(row.tasks for row in below), "task"))
    reporting, chars = sum(row.reporting_tokens for row in below), sum(row.report_chars for row in below)
    if chars:
        parts.append(f"compression ≈ {_times(reporting * delegation.CHARS_PER_TOKEN / chars)}")
    text.append(" · ".join(parts))
    text.append(f"   ≈: {delegation.CHARS_PER_TOKEN} characters a token", style="dim")
    return text
