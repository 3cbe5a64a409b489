"""Choosing the days that count: from a list, or typed."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from .. import format as words
from ..kit.key_bar import KeyBar
from ..ranges import HOW, RANGES, Range, typed
from .filter_list_screen import ListedScreen


class RangeScreen(ListedScreen[Range | None]):
    """A list of choices of days. Dismisses with the one chosen, None for no change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
    ]

    def __init__(self, current: Range, today: dt.date) -> None:
        super().__init__()
        self._current = current
        self._today = today
        self._offered: list[Range] = []

    def compose(self) -> ComposeResult:
        """A line to type in, and the choices."""
        with Vertical(id="picker"):
            yield Label("Show these days", markup=False)
            yield Input(placeholder=HOW, compact=True)
            yield OptionList()
        yield KeyBar(enter="Choose")

    def on_mount(self) -> None:
        """All of them, with the one that holds under the cursor."""
        self.query_one(Input).focus()
        self._fill("")

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, text: str) -> None:
        own = typed(text)
        fitting = [choice for choice in RANGES if text.strip().lower() in choice.label]
        if own is not None and own.label not in [choice.label for choice in fitting]:
            # What was typed whole is meant, whatever else begins like it.
            fitting = [own, *fitting] if not fitting or " " in text or "-" in text else [*fitting, own]
        self._offered = fitting
        options = self.query_one(OptionList)
        options.clear_options()
        for choice in fitting:
            line = Text(choice.label, style="bold" if choice.label == self._current.label else "")
            line.append(f"  {self._days(choice)}", style="dim")
            options.add_option(Option(line))
        if not fitting:
            options.add_option(Option(Text("no days are called that"), disabled=True))
        labels = [choice.label for choice in fitting]
        holds = self._current.label in labels and not text
        options.highlighted = labels.index(self._current.label) if holds else 0 if fitting else None

    def _days(self, choice: Range) -> str:
        """From when to when, where the label does not say so."""
        since, until = choice.span_on(self._today)
        if since is None or str(since) in choice.label:
            return ""
        first, last = (words.day(day, self._today) for day in (since, until or self._today))
        return first if first == last else f"{first} to {last}"

    @on(Input.Submitted)
    def _take(self) -> None:
        highlighted = self.query_one(OptionList).highlighted
        self.dismiss(self._offered[highlighted] if self._offered and highlighted is not None else None)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._offered[event.option_index])

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)
