"""The command palette with its own keys on the bottom line, as all else has that comes up over a screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import CommandPalette

from ..kit.key_bar import KeyBar


class PaletteScreen(CommandPalette):
    """Textual's, and the keys that work in it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "escape", "Back")]

    def compose(self) -> ComposeResult:
        """A line to type in, what was found, and the keys."""
        yield from super().compose()
        yield KeyBar(enter="Do it")
