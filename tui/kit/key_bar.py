"""The line of keys at the bottom: whole entries, as many as there is room for, help always among them.

One widget draws the whole line. Textual's footer makes a widget of each key, and with every other view all of them
anew: that took as long as to paint the view itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from ..key_names import brief

_FIRST = ("help",)
_SECOND = ("dismiss", "up", "quit", "leave")
"""Actions whose keys stay when others go, by how long they do: help, and the way out."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key and what it does; `shown` is how the key is written."""

    key: str
    shown: str
    description: str
    action: str
    is_enabled: bool
    tooltip: str

    @property
    def width(self) -> int:
        """Cells."""
        return Text(self.text).cell_len

    @property
    def text(self) -> str:
        """As it stands in the line."""
        return f"{self.shown} {self.description}" if self.description else self.shown

    @property
    def rank(self) -> int:
        """The smaller, the longer it stays when there is not room for all."""
        name = self.action.partition("(")[0].rpartition(".")[2]
        return 0 if name in _FIRST else 1 if name in _SECOND else 2


@dataclass(frozen=True, slots=True)
class _Placed:
    entry: KeyEntry
    x: int


class KeyBar(Widget, can_focus=False):
    """The keys that work just now. A click on one is as good as pressing it, and the pointer over it tells more."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"key-bar--key", "key-bar--description", "key-bar--pointed"}  # noqa: RUF012
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        color: $footer-foreground;
        background: $footer-background;
        & > .key-bar--key { color: $footer-key-foreground; text-style: bold; }
        & > .key-bar--description { color: $footer-description-foreground; }
        & > .key-bar--pointed { color: $footer-key-foreground; background: $block-hover-background; }
    }
    """

    _pointed: reactive[KeyEntry | None] = reactive(None)
    """The entry under the pointer."""

    def __init__(self, *, enter: str = "") -> None:
        """`enter` is what the Enter key does on this screen where no binding of ours tells it: a line to type in hears
        it, or a list."""
        super().__init__()
        self._first = (KeyEntry("enter", brief("enter"), enter, "enter", True, ""),) if enter else ()
        self._entries: tuple[KeyEntry, ...] = ()

    @property
    def entries(self) -> tuple[KeyEntry, ...]:
        """The keys that work, from left to right, also those for which there is no room."""
        return self._entries

    @property
    def told(self) -> list[KeyEntry]:
        """The keys that there is room for, from left to right."""
        return [placed.entry for placed in self._placed()]

    def on_mount(self) -> None:
        """Follow what works."""
        self.screen.bindings_updated_signal.subscribe(self, self.bindings_changed)

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """Tell the keys anew, also to a window without the focus: a browser's has none at first.

        Of a window that lost it the keys stay as they were: nothing in it is focused then.
        """
        awaits_focus = not screen.app.app_focus and screen.focused is None and self._entries
        if self.is_attached and screen is self.screen and not awaits_focus:
            self.call_after_refresh(self._take)

    def _take(self) -> None:
        """The keys may be others. Asked for at each move of the focus, mostly in vain."""
        if not self.is_attached:
            return
        first: dict[str, KeyEntry] = {}
        for _, binding, is_enabled, tooltip in self.screen.active_bindings.values():
            if binding.show and binding.action not in first:
                shown = self.app.get_key_display(binding)
                first[binding.action] = KeyEntry(
                    binding.key, shown, binding.description, binding.action, is_enabled, tooltip
                )
        entries = (*self._first, *first.values())
        if entries != self._entries:
            self._entries = entries
            self._pointed = None
            self.refresh()

    def _placed(self) -> list[_Placed]:
        """What stands where. Entries that do not fit are left out, one blank is between two."""
        room = self.size.width
        chosen: set[KeyEntry] = set()
        # The others from left to right; one that does not fit keeps out those behind it, so that none jumps around.
        for rank in (0, 1, 2):
            for entry in self._entries:
                if entry.rank == rank:
                    room -= entry.width + 1
                    if room + 1 < 0 and chosen:
                        break
                    chosen.add(entry)
        return _in_a_row([entry for entry in self._entries if entry in chosen])

    def render(self) -> Text:
        """The line."""
        line = Text(no_wrap=True, end="")
        key, description, pointed = (
            self.get_component_rich_style(f"key-bar--{name}", partial=True)
            for name in ("key", "description", "pointed")
        )
        for placed in self._placed():
            entry = placed.entry
            if line:
                line.append(" ")
            start = len(line)
            line.append(entry.shown, key)
            if entry.description:
                line.append(f" {entry.description}", description)
            if not entry.is_enabled:
                line.stylize("dim", start)
            elif entry == self._pointed:
                line.stylize(pointed, start)
        return line

    def _at(self, x: int) -> KeyEntry | None:
        return next((each.entry for each in self._placed() if 0 <= x - each.x < each.entry.width), None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """What the key under the pointer does, in a few words more."""
        self._pointed = self._at(event.x)
        tooltip = self._pointed.tooltip if self._pointed is not None else ""
        if (self.tooltip or "") != tooltip:
            self.tooltip = tooltip or None

    def on_leave(self) -> None:
        """The pointer has gone elsewhere."""
        self._pointed = None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press the key that was pointed at."""
        entry = self._at(event.x)
        if entry is None:
            return
        if entry.is_enabled:
            self.app.simulate_key(entry.key)
        else:
            self.app.bell()


def _in_a_row(entries: Sequence[KeyEntry]) -> list[_Placed]:
    placed, x = [], 0
    for entry in entries:
        placed.append(_Placed(entry, x))
        x += entry.width + 1
    return placed
