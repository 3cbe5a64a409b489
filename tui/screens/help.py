"""All keys that work here, in words. Written from the bindings themselves, as they are when help is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import DataTable, Static

from ..key_names import spelled
from ..kit.key_bar import KeyBar
from ..kit.pop_up import PopUp
from ..kit.scrolling import Scroll
from ..pane import Pane
from ..tabs import Tab

EVERYWHERE = "Everywhere"
_OURS = __name__.split(".", maxsplit=1)[0]


@dataclass(slots=True)
class HelpEntry:
    """What some keys do, in words."""

    keys: list[str]
    """As they are shown."""
    about: str


@dataclass(slots=True)
class Keys:
    """The keys that work on a screen, its own first, then those of the app. What Textual's widgets bind is left out."""

    here: list[HelpEntry] = field(default_factory=list)
    everywhere: list[HelpEntry] = field(default_factory=list)


def keys_on(screen: Screen[Any]) -> Keys:
    """The keys that work on a screen as it is now, with what has the focus."""
    found = Keys()
    entries: dict[tuple[int, str], HelpEntry] = {}
    for node, binding, shown in keys_that_work(screen):
        about = binding.tooltip or binding.description
        entry = entries.get((id(node), binding.action))
        if entry is None:
            entry = entries[id(node), binding.action] = HelpEntry([], about)
            (found.everywhere if node is screen.app else found.here).append(entry)
        if shown not in entry.keys:
            entry.keys.append(shown)
    return found


def keys_that_work(screen: Screen[Any]) -> Iterator[tuple[Any, Binding, str]]:
    """Every key that does something on a screen now, of what is ours: where it is bound, and as it is shown."""
    for node, binding in _working(screen):
        if (binding.tooltip or binding.description) and _is_ours(node, binding):
            # What is shown at the bottom may stand for several keys, not all of which work here.
            yield node, binding, spelled(binding.key)


def _working(screen: Screen[Any]) -> Iterator[tuple[Any, Binding]]:
    for active in screen.active_bindings.values():
        if active.enabled:
            yield active.node, active.binding
    if screen.is_modal:
        # Of the app's keys a screen like this lets through those that come before all others.
        app = screen.app
        for _, binding in app._bindings:
            if binding.priority:
                yield app, binding


def _is_ours(node: Any, binding: Binding) -> bool:
    """Whether a class of ours binds the key, and not one of Textual's that it is made of."""
    for kind in type(node).__mro__:
        for one in Binding.make_bindings(kind.__dict__.get("BINDINGS", ())):
            if (one.key, one.action) == (binding.key, binding.action):
                return kind.__module__.split(".", maxsplit=1)[0] == _OURS
    return False


class HelpScreen(PopUp[None]):
    """What a tab or a screen is about, its keys, and those that work everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Back"),
    ]

    def __init__(self, about: Widget) -> None:
        """`about` is the pane or the screen that is on the screen now."""
        super().__init__()
        self._about = about
        self._title = about.tab.title if isinstance(about, Pane) else str(getattr(about, "TITLE", ""))
        self._keys = keys_on(about.screen)
        self._moves = [*_moves(about.screen), *_for_scripts(about)]

    def compose(self) -> ComposeResult:
        """One scrollable page."""
        with Scroll(id="help") as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc back"
            yield Static(self._page(), markup=False)
        yield KeyBar()

    def _page(self) -> Table:
        page = Table.grid(padding=(0, 2))
        about = (self._about.HELP or "").strip()
        if about:
            page.add_row("", Text(about))
            page.add_row()
        for heading, entries in ((self._title, self._keys.here), (EVERYWHERE, self._keys.everywhere)):
            if entries:
                page.add_row("", Text(heading, style="bold"))
                for entry in entries:
                    page.add_row(Text(" ".join(entry.keys), style="bold", justify="right"), Text(entry.about))
                page.add_row()
        for sentence in self._moves:
            page.add_row("", Text(sentence))
        return page


def _for_scripts(about: Widget) -> list[str]:
    """The command that answers what a tab shows."""
    tabs = (getattr(node, "tab", None) for node in about.ancestors_with_self)
    return [f"The same for scripts: agnes-stats {tab.command} --json" for tab in tabs if isinstance(tab, Tab)][:1]


def _moves(screen: Screen[Any]) -> list[str]:
    """How to move, as far as that goes here."""
    focused = screen.focused
    sentences = []
    if isinstance(focused, DataTable):
        sentences.append(
            "Arrow keys or j k, Page Up and Page Down, Home and End or g G move the cursor; Enter opens what it is on."
        )
    elif focused is not None and focused.allow_vertical_scroll:
        sentences.append("Arrow keys or j k, Page Up and Page Down, Home and End or g G scroll.")
    elif focused is not None and focused.HELP and focused is not screen:
        sentences.append(focused.HELP)
    if len(screen.focus_chain) > 1:
        sentences.append("Tab moves on to the next part.")
    return sentences
