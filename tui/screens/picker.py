"""Choosing one value of a filter: type a part of it, press Enter."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from ...queries import sessions
from ...queries.sessions import Choice
from ...queries.store import StoreError
from .. import format as words
from .. import learnt, user_names
from ..kit.key_bar import KeyBar
from .filter_list_screen import ListedScreen

SHOWN = 200

_ASK = {
    "project": sessions.projects,
    "model": sessions.models,
    "agent": sessions.agents,
    "machine": sessions.machines,
    "user": sessions.users,
}
"""What is chosen -> the question for its values."""

_CALLED = {"user": "person"}
"""What is chosen -> what it is called, where that is another word."""


class PickerScreen(ListedScreen[str | None]):
    """A list of projects, models, agents … Dismisses with the value, "" for all of them, None for no change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
    ]

    def __init__(self, what: str, current: str | None) -> None:
        super().__init__()
        self._what = what
        self._current = current
        self._choices: list[Choice] = []
        self._values: list[str] = []

    def compose(self) -> ComposeResult:
        """A line to type in, and the values."""
        with Vertical(id="picker"):
            yield Label(f"Show one {_CALLED.get(self._what, self._what)}", markup=False)
            yield Input(placeholder=f"part of the {_CALLED.get(self._what, self._what)}'s name", compact=True)
            yield OptionList(Option("◌  Loading…", disabled=True))
        yield KeyBar(enter="Choose")

    def on_mount(self) -> None:
        """Ask for the values; what is typed meanwhile is not lost."""
        self.query_one(Input).focus()
        self._ask()

    @work(thread=True, exit_on_error=False)
    def _ask(self) -> None:
        app = self.app
        try:
            with app.store.read() as connection:  # type: ignore[attr-defined]
                found = _ASK[self._what](connection, app.chosen)  # type: ignore[attr-defined]
                learnt.learn(connection)
        except StoreError as error:
            app.call_from_thread(self.query_one(Label).update, Text(f"Could not load them: {error}"))
            return
        app.call_from_thread(self._offer, found)

    def _offer(self, found: list[Choice]) -> None:
        self._choices = found
        self._fill("")

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, part: str) -> None:
        wanted = part.lower()
        fitting = [
            choice
            for choice in self._choices
            if wanted in choice.value.lower() or wanted in self._shown(choice.value).lower()
        ][:SHOWN]
        self._values = ["", *(choice.value for choice in fitting)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_option(Option(Text("all people" if self._what == "user" else f"all {self._what}s")))
        for choice in fitting:
            shown = self._shown(choice.value)
            line = Text(shown, style="bold" if choice.value == self._current else "")
            if shown != choice.value and self._what in ("project", "user"):
                line.append(f"  {words.clean(choice.value)}", style="dim")
            line.append(f"  {words.count(choice.sessions)} session{'' if choice.sessions == 1 else 's'}", style="dim")
            options.add_option(Option(line))
        options.highlighted = 1 if fitting and part else 0

    def _shown(self, value: str) -> str:
        if self._what == "project":
            return words.project(value)
        return words.clean(user_names.user_name(value) if self._what == "user" else value)

    @on(Input.Submitted)
    def _take(self) -> None:
        highlighted = self.query_one(OptionList).highlighted
        self.dismiss(None if highlighted is None else self._values[highlighted])

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._values[event.option_index])

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)
