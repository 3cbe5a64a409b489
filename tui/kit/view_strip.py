"""The views of a tab in one line, the one that is shown marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

_SPACIOUS = 84
"""Columns from which the views stand apart."""


class ViewStrip(Static):
    """Names of views; a click chooses one. Where they do not fit, it begins further on, up to the marked one."""

    DEFAULT_CSS = """
    ViewStrip { height: 1; padding: 0 1; color: $text-muted; }
    """

    active: reactive[str] = reactive("")

    class Chosen(Message):
        """A view was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, views: Sequence[tuple[str, str]], active: str) -> None:
        """`views` are names and titles, in their order."""
        super().__init__(markup=False)
        self._views = tuple(views)
        self._places: list[tuple[int, int, str]] = []
        self.set_reactive(ViewStrip.active, active)

    def render(self) -> Text:
        """The views and the keys that move through them."""
        gap = " " if self.app.size.width >= _SPACIOUS else ""
        lengths = [len(title) + 2 + len(gap) for _, title in self._views]
        first = 0
        names = [name for name, _ in self._views]
        at = names.index(self.active)
        while first < at and sum(lengths[first : at + 1]) > self.size.width:
            first += 1
        line = Text("", no_wrap=True, overflow="ellipsis")
        self._places = []
        for name, title in self._views[first:]:
            start = line.cell_len
            line.append(f" {title} ", style="bold reverse" if name == self.active else "")
            self._places.append((start, line.cell_len, name))
            line.append(gap)
        line.append("  [ ]", style="dim")
        return line

    def jumps(self) -> Iterator[tuple[int, int, Message]]:
        """Where each view begins, as column and row, and what a click there says."""
        for start, _, name in self._places:
            if start < self.size.width:
                yield start, 0, self.Chosen(name)

    def on_click(self, event: events.Click) -> None:
        """Choose the view under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for start, end, name in self._places:
            if start <= offset.x < end:
                self.post_message(self.Chosen(name))
