"""A letter on everything that can be gone to: pressed, it is gone to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from ..kit.frame import TabStrip
from ..kit.key_bar import KeyBar
from ..kit.pop_up import PopUp
from ..kit.view_strip import ViewStrip

LETTERS = "asdfghjklqwertyuiopzxcvbnmASDFGHJKLQWERTYUIOPZXCVBNM"
"""Those under the fingers first."""


class Target(NamedTuple):
    """Something that can be gone to: its cell on the screen, and what goes there."""

    x: int
    y: int
    go: Callable[[], Any]


def targets(screen: Screen[Any]) -> list[Target]:
    """What can be gone to on a screen, from top to bottom: tabs, filters, views, and what takes the focus."""
    found = [*_words(screen), *_parts(screen)]
    # A part may begin where another one does that holds it.
    places = {(target.x, target.y): target for target in reversed(found)}
    return sorted(places.values(), key=lambda target: (target.y, target.x))[: len(LETTERS)]


def _words(screen: Screen[Any]) -> Iterator[Target]:
    for strip in (*screen.query(TabStrip), *screen.query(ViewStrip)):
        if strip.is_on_screen and strip.display:
            corner = strip.content_region
            for x, y, message in strip.jumps():
                yield Target(corner.x + x, corner.y + y, partial(strip.post_message, message))


def _parts(screen: Screen[Any]) -> Iterator[Target]:
    for widget in screen.focus_chain:
        region = widget.region.intersection(screen.region)
        if region.area and widget.is_on_screen:
            yield Target(region.x, region.y, partial(screen.set_focus, widget))


class JumpScreen(PopUp[Target | None]):
    """The letters, over the screen as it is. Dismisses with the target whose letter was pressed or clicked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]
    DEFAULT_CSS = """
    JumpScreen { background: transparent; layers: base; }
    JumpScreen > .jump {
        position: absolute; width: 1; height: 1; background: $accent; color: $background; text-style: bold reverse;
    }
    """
    TITLE = "Jump"

    def __init__(self, found: Sequence[Target]) -> None:
        super().__init__()
        self._found = dict(zip(LETTERS, found, strict=False))

    def compose(self) -> ComposeResult:
        """A label for each target."""
        for letter, target in self._found.items():
            label = Static(letter, classes="jump", markup=False, name=letter)
            label.styles.offset = (target.x, target.y)
            yield label
        yield KeyBar()

    def on_key(self, event: events.Key) -> None:
        """A letter leads to its target, any other key is none."""
        if event.character in self._found:
            event.stop()
            self.dismiss(self._found[event.character])

    def on_click(self, event: events.Click) -> None:
        """A click on a letter is as good; elsewhere it leads back."""
        name = event.widget.name if event.widget is not None else None
        self.dismiss(self._found.get(name or ""))
