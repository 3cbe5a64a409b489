"""What fills the context: tools by the size of their results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget

from ...queries import results
from ...queries.results import Result, ToolResults
from .. import format as words
from ..kit.lines import StillText
from ..kit.palette import widget_ink
from ..kit.table import Column, Record
from .records import BAR, Paint, TokenTable
from .view import Question, TokenView

if TYPE_CHECKING:
    from ...queries.store import Reader

MOST_RESULTS = 20

_TOOL_COLUMNS = (
    Column("name", "Tool"),
    Column("calls", "Calls", 7, "right"),
    Column("errors", "Errors", 12, "right", 76),
    Column("tokens", "≈ Tokens", 8, "right", by="result_bytes"),
    Column("share", "Share", 7, "right", 62, by="result_bytes"),
    Column("typical", "Typical", 8, "right", 90, by="typical_bytes"),
    Column("largest", "Largest", 8, "right", 52, by="largest_bytes"),
    Column("bar", "", BAR, min_screen=56),
)
_RESULT_COLUMNS = (
    Column("name", "Largest results", 18),
    Column("detail", "Of"),
    Column("title", "Session", 28, min_screen=116),
    Column("ts", "When", 15, min_screen=84),
    Column("tokens", "≈ Tokens", 8, "right", by="result_bytes"),
)


@dataclass(frozen=True, slots=True)
class ToolsData:
    """All tools, and the largest results."""

    tools: tuple[ToolResults, ...]
    largest: tuple[Result, ...]


class Tools(TokenView[ToolsData]):
    """A sentence, a table of tools, and one of results."""

    NAME = "tools"
    TITLE = "Tools"

    def compose(self) -> ComposeResult:
        """The sum in words, then the tables."""
        yield StillText(id="tools-sum", classes="about", markup=False)
        yield TokenTable(_TOOL_COLUMNS, id="tools-by-size")
        yield TokenTable(_RESULT_COLUMNS, id="tools-largest")

    def ask(self, connection: Reader, question: Question) -> ToolsData:
        """How much tools gave back: by tool, and the largest results."""
        return ToolsData(
            tuple(results.by_tool(connection, question.chosen)),
            tuple(results.largest(connection, question.chosen, MOST_RESULTS)),
        )

    @property
    def first_focus(self) -> Widget | None:
        """The table of tools."""
        return self.query_one("#tools-by-size")

    def show(self, data: ToolsData, question: Question) -> None:
        """The sum in words, then a row for each tool and for each of the largest results."""
        whole = sum(row.result_tokens for row in data.tools)
        text = Text(no_wrap=True, overflow="ellipsis")
        if data.tools:
            calls = words.plural(sum(row.calls for row in data.tools), "call")
            text.append(f"{calls} gave back about {words.plural(whole, 'token')}")
            text.append(f"   ≈: {results.BYTES_PER_TOKEN} bytes a token", style="dim")
        else:
            text.append("No tool was called here.", style="dim")
        self.query_one("#tools-sum", StillText).update(text)
        paint = Paint(widget_ink(self), {})
        biggest = max((row.result_bytes for row in data.tools), default=0)
        self.query_one("#tools-by-size", TokenTable).show([_tool(row, whole, biggest, paint) for row in data.tools])
        largest = self.query_one("#tools-largest", TokenTable)
        largest.display = bool(data.largest)
        largest.show([_result(row, question) for row in data.largest])


def _tool(row: ToolResults, whole: int, biggest: int, paint: Paint) -> Record:
    errors = f"{words.count(row.errors)} ({words.percent(row.errors / row.finished)})" if row.errors else words.NONE
    typical = None if row.typical_bytes is None else row.typical_bytes / results.BYTES_PER_TOKEN
    return Record(
        row.name,
        {
            "name": row.name,
            "calls": words.count(row.calls),
            "errors": errors,
            "tokens": words.count(row.result_tokens),
            "share": words.percent(row.result_tokens / whole if whole else None),
            "typical": words.count(typical),
            "largest": words.count(row.largest_bytes / results.BYTES_PER_TOKEN),
            "bar": paint.bar(None, row.result_bytes, biggest),
        },
        raw=row,
    )


def _result(row: Result, question: Question) -> Record:
    return Record(
        row.id,
        {
            "name": row.name,
            "detail": row.detail,
            "title": row.title,
            "ts": words.when(row.ts, question.now, question.zone),
            "tokens": words.count(row.result_tokens),
        },
        (
            "session_id",
            row.session_id,
            words.session(row.title, row.session_id),
        ),
        row,
    )
