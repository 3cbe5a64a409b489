"""Naming a folder with sessions, where none was found."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label, Static

from ..kit.key_bar import KeyBar
from ..kit.pop_up import PopUp
from ..settings import BadSetting, source_of

USUAL = "claude"
"""Whose sessions lie in a folder if nobody says so."""


class FolderScreen(PopUp[str | None]):
    """One line. Dismisses with what `--source` is to be, None for no change."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]

    def compose(self) -> ComposeResult:
        """A question, a line, and what is wrong with what stands in it."""
        with Vertical(id="name"):
            yield Label("Read the sessions in this folder", markup=False)
            yield Input(placeholder="~/backup/.claude, or codex=~/backup/.codex", compact=True)
            yield Static("↵ begin again with it · Esc back", id="name-note", markup=False)
        yield KeyBar(enter="Begin again")

    def on_mount(self) -> None:
        """Ready to type."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if not text:
            return
        try:
            self.dismiss(source_of(text if "=" in text else f"{USUAL}={text}"))
        except BadSetting as error:
            self.query_one("#name-note", Static).update(str(error))
