"""The line of keys at the bottom: whole entries, as many as there is room for, help always among them."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_FIRST = ("help",)
_SECOND = ("dismiss", "up", "quit", "leave")
"""Actions whose keys stay when others go, by how long they do: help, and the way out."""


class KeyBar(Footer):
    """Textual's footer, which cuts through the entry that reaches over the edge; here that one is left out."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)
        self._told: list[tuple[str, str, str, bool, str]] = []
        """The keys that were composed last."""

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """Tell the keys anew. Textual (8.2) leaves that until the window has the focus; a browser's has none at first.

        Of a window that lost it the keys stay as they were: nothing in it is focused then.
        """
        self._bindings_ready = True
        awaits_focus = not screen.app.app_focus and screen.focused is None and self._told
        if self.is_attached and screen is self.screen and not awaits_focus:
            self.call_after_refresh(self.recompose)

    async def recompose(self) -> None:
        """The keys may be others: if they are, choose anew. Asked for at each move of the focus, mostly in vain."""
        active = [each for each in self.screen.active_bindings.values() if each.binding.show]
        told = [
            (each.binding.action, each.binding.key, each.binding.description, each.enabled, each.tooltip)
            for each in active
        ]
        if told == self._told:
            return
        self._told = told
        await super().recompose()
        self._choose(self.size)

    def on_resize(self, event: events.Resize) -> None:
        """More room, or less."""
        self._choose(event.size)

    def _choose(self, size: Size) -> None:
        entries = list(self.query_children(FooterKey))
        room = size.width
        shown: set[FooterKey] = set()
        # The others from left to right; one that does not fit keeps out those behind it, so that none jumps around.
        for rank in (0, 1, 2):
            for entry in entries:
                if _rank(entry) == rank:
                    room -= _width(entry)
                    if room + 1 < 0 and shown:
                        break
                    shown.add(entry)
        for entry in entries:
            entry.display = entry in shown


def _rank(entry: FooterKey) -> int:
    name = entry.action.partition("(")[0].rpartition(".")[2]
    return 0 if name in _FIRST else 1 if name in _SECOND else 2


def _width(entry: FooterKey) -> int:
    """Cells, with the one between it and the next."""
    return entry.render().cell_len + 1
