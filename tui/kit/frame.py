"""The frame around all tabs, below the header strip: tab strip, filter line and status corner."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from ...ingest.news import News, Reading, Troubled, UpToDate
from .. import format as words
from .spark import meter

NARROW = 100
"""Columns below which the frame says less."""


class TabStrip(Static):
    """The tabs, and on the right what is filtered."""

    active: reactive[str] = reactive("")

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, tabs: list[tuple[str, str, str]]) -> None:
        super().__init__(markup=False)
        self._tabs = tabs
        self._filter: list[str] = []
        self._places: list[tuple[int, int, str]] = []

    def describe(self, parts: list[str]) -> None:
        """Say what is filtered; empty parts are left out."""
        self._filter = [part for part in parts if part]
        self.refresh()

    def render(self) -> Text:
        """One line: keys and titles, then the filter at the right edge."""
        line = Text(" ", no_wrap=True, overflow="ellipsis")
        self._places = []
        for key, name, title in self._tabs:
            start = line.cell_len
            style = "reverse bold" if name == self.active else ""
            line.append(f" {key} {title} ", style=style)
            self._places.append((start, line.cell_len, name))
            line.append(" ")
        room = self.size.width - line.cell_len - 1
        told = words.clean(" · ".join(self._filter))
        if Text(told).cell_len > room:
            # What is not filtered by need not be told; the days always are.
            told = words.clean(
                " · ".join([self._filter[0], *(p for p in self._filter[1:] if not p.startswith("all "))])
            )
        if room > 12 and told:
            told = words.clean(told, room)
            line.append(" " * max(0, room - Text(told).cell_len))
            line.append(told, style="dim")
        return line

    def on_click(self, event: events.Click) -> None:
        """Choose the tab under the mouse."""
        for start, end, name in self._places:
            if start <= event.x < end:
                self.post_message(self.Chosen(name))


class FilterInput(Input):
    """The line in which a filter is typed; hidden while it is not used."""

    def __init__(self) -> None:
        super().__init__(placeholder="filter as you type; Enter keeps it, Escape drops it", id="filter", compact=True)
        self.display = False
        self.disabled = True

    @property
    def is_open(self) -> bool:
        """Whether the line is on the screen."""
        return bool(self.display)

    def open(self, text: str) -> None:
        """Show the line with a text to go on from."""
        with self.prevent(Input.Changed):
            self.value = text
        self.display = True
        self.disabled = False
        self.focus()

    def close(self) -> None:
        """Hide the line."""
        self.display = False
        self.disabled = True


class StatusCorner(Static):
    """The truth about the ingester, in the corner."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._width = 0

    def say(self, text: str) -> None:
        """Show a plain text. Only one of another length has the whole screen laid out again."""
        line = Text(words.clean(text), no_wrap=True)
        before, self._width = self._width, line.cell_len
        self.update(line, layout=self._width != before)

    def tell(self, news: News) -> None:
        """Show what the ingester does."""
        if isinstance(news, Reading):
            progress = news.progress
            told = f"reading {progress.files_done:,} of {progress.files:,} files "
            told += f"{meter(progress.ratio, 8)} {progress.ratio:.0%}"
        elif isinstance(news, UpToDate):
            told = "● up to date"
            if self.app.size.width >= NARROW:
                told += f" · {words.millis(news.seconds * 1000):>6}"
            if news.polling:
                told += " · watching by polling"
        else:
            told = f"{'✗' if news.fatal else '…'} {_short(news)}"
        self.say(told)


def _short(news: Troubled) -> str:
    return news.reason if len(news.reason) <= 60 else f"{news.reason[:59]}…"
