"""Where a query is written: its words in colours, and what may come next in grey behind the cursor."""

from __future__ import annotations

import re
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from ...queries.sql_words import Candidate, beginning, candidates, column_names
from ...queries.store.parsing import tokens_of

_PLACEHOLDER = re.compile(r"\{\{\s*filters\s*\}\}|\$\w+", re.IGNORECASE)
_COLORED = {
    "keyword": "sql--keyword",
    "string_const": "sql--text",
    "numeric_const": "sql--number",
    "comment": "sql--comment",
}
_LONGEST = 20_000
"""Characters of a text that is still coloured with each key."""


class SqlEditor(TextArea):
    """A text area that knows SQL as DuckDB reads it, and the tables of the store."""

    COMPONENT_CLASSES = {*TextArea.COMPONENT_CLASSES, "sql--filter", *_COLORED.values()}  # noqa: RUF012
    DEFAULT_CSS = """
    SqlEditor {
        & .sql--keyword { color: $text-primary; text-style: bold; }
        & .sql--text { color: $text-success; }
        & .sql--number { color: $text-warning; }
        & .sql--comment { color: $text-muted; text-style: italic; }
        & .sql--filter { color: $text-accent; text-style: underline; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "accept", "Complete", show=False, tooltip="Take the word in grey (also →)"),
    ]

    _colored = ""
    _spans: list[tuple[int, int, str]] = []  # noqa: RUF012
    _starts: list[int] = []  # noqa: RUF012

    def get_line(self, line_index: int) -> Text:
        """A line with its words in their colours."""
        line = super().get_line(line_index)
        if self.text != self._colored:
            self._color()
        if line_index >= len(self._starts):
            return line
        start = self._starts[line_index]
        end = start + len(line)
        for first, last, name in self._spans:
            if first < end and last > start:
                line.stylize(self._look(name), max(0, first - start), min(last, end) - start)
        return line

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(name, partial=True)

    def _color(self) -> None:
        self._colored = text = self.text
        newline = len(self.document.newline)
        self._starts = [0]
        for line in self.document.lines:
            self._starts.append(self._starts[-1] + len(line) + newline)
        self._spans = []
        if len(text) > _LONGEST:
            return
        self._spans = [
            (start, end, _COLORED[kind])
            for start, end, kind in tokens_of(text)
            if kind in _COLORED and not (kind == "keyword" and text[start:end] in column_names())
        ]
        self._spans += [(found.start(), found.end(), "sql--filter") for found in _PLACEHOLDER.finditer(text)]

    # -- what may come next --------------------------------------------------------------------------------------

    @property
    def place(self) -> int:
        """Where the cursor is, counted in characters from the beginning."""
        row, column = self.cursor_location
        return sum(len(line) + len(self.document.newline) for line in self.document.lines[:row]) + column

    def candidates(self) -> list[Candidate]:
        """What may stand where the cursor is."""
        return [] if len(self.text) > _LONGEST else candidates(self.text, self.place)

    def complete(self, word: str) -> None:
        """Put a candidate in the place of the beginning of it that is there."""
        row, column = self.cursor_location
        typed = beginning(self.text[: self.place])
        self.replace(word, (row, column - len(typed)), (row, column))

    def action_accept(self) -> None:
        """Take the word in grey."""
        self.insert(self.suggestion)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without such a word Tab goes on to what is next."""
        return bool(self.suggestion) if action == "accept" else super().check_action(action, parameters)

    def update_suggestion(self) -> None:
        """The rest of the likeliest word, once two letters of it are there and nothing follows them."""
        self.suggestion = ""
        row, column = self.cursor_location
        if self.document.get_line(row)[column : column + 1].isalnum():
            return
        typed = beginning(self.text[: self.place])
        found = self.candidates() if len(typed) > 1 else []
        if found:
            self.suggestion = found[0].word[len(typed) :]
