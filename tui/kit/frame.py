"""The frame around all tabs, below the header strip: tab strip, filter line and status corner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
LOW = 13
"""Rows below which the frame has one line for the tabs and what is filtered."""
_TIGHT = 60
"""Columns below which the tabs are told by their keys."""
AWAITED = "◌"
"""Before the tab on the screen from the key that asks for something else until that is there."""
ZONE = "zone"
"""The name of the part that tells the zone."""


@dataclass(frozen=True, slots=True)
class FilterPart:
    """One thing that is filtered by, or could be: a word in the line that a click changes or drops."""

    name: str
    """What a click is about."""
    words: str
    held: bool = False
    """Whether something is left out by it, and a click drops it."""

    def told(self) -> Text:
        """As it is shown. A mark says what a click does, so that no colour has to."""
        if self.held:
            return Text(f" {words.clean(self.words, _WIDEST)} ✕ ", style="reverse")
        return Text(f"{words.clean(self.words, _WIDEST)} ▾", style="dim")


_WIDEST = 40
_BETWEEN = Text(" · ", style="dim")


class TabStrip(Static):
    """The tabs, and on the right what is filtered and what that leaves; in a line of its own where it does not fit."""

    active: reactive[str] = reactive("")
    awaits: reactive[bool] = reactive(False)
    """Whether the tab on the screen still shows the answer to another question than the last."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class FilterClicked(Message):
        """Something that is filtered by, or could be, was clicked."""

        def __init__(self, part: FilterPart) -> None:
            super().__init__()
            self.part = part

    def __init__(self, tabs: list[tuple[str, str, str]]) -> None:
        super().__init__(markup=False)
        self._tabs = tabs
        self._parts: list[FilterPart] = []
        self._note = ""
        self._sums = Text()
        self._places: list[tuple[int, int, int, str | FilterPart]] = []

    def describe(self, parts: Sequence[FilterPart], note: str = "") -> None:
        """Say what is filtered: the days, then the rest; `note` is what else is to be known of it."""
        self._parts, self._note = list(parts), note
        self._fit()

    def tell(self, sums: Text) -> None:
        """Say what the filters leave."""
        if sums != self._sums:
            self._sums = sums
            self._fit()

    def in_words(self) -> list[str]:
        """What is filtered, and what that leaves, without the marks of a click."""
        told = [*(part.words for part in self._parts), self._sums.plain.replace("  ", ", "), self._note]
        return [words.clean(", ".join(part for part in told if part))]

    def on_resize(self) -> None:
        """More room, or less."""
        self._fit()

    def _fit(self) -> None:
        """A second line, where what is left out does not fit beside the tabs."""
        room = self.app.size.width - self._tab_line([]).cell_len - 2
        needed = self._line(room).cell_len
        self.styles.height = 2 if needed > room and self.app.size.height >= LOW else 1
        self.refresh()

    def render(self) -> Text:
        """Keys and titles, then the filters at the right edge, or below."""
        self._places = []
        width = self.size.width
        line = self._tab_line(self._places)
        room = width - line.cell_len - 2
        if self.size.height > 1:
            below = Text("  ", no_wrap=True, overflow="ellipsis")
            below.append_text(self._line(width - 4, (1, 2)))
            line.append("\n").append_text(below)
        elif room > 0:
            told = self._line(room)
            blank = max(1, room - told.cell_len + 1)
            told = self._line(room, (0, line.cell_len + blank))
            line.append(" " * blank).append_text(told)
        return line

    def _tab_line(self, places: list[tuple[int, int, int, str | FilterPart]]) -> Text:
        line = Text(" ", no_wrap=True, overflow="ellipsis")
        for key, name, title in self._tabs:
            start = line.cell_len
            # Narrower than a usual screen, the keys have to do for all but the one that is shown.
            label = title if name == self.active or self.app.size.width >= _TIGHT else ""
            mark = AWAITED if self.awaits and name == self.active else " "
            line.append(f"{mark}{key} {label}".rstrip() + " ", style="reverse bold" if name == self.active else "")
            places.append((0, start, line.cell_len, name))
            line.append(" ")
        return line

    def _line(self, room: int, at: tuple[int, int] | None = None) -> Text:
        """What is filtered, within `room` if what is held allows it; `at` is the row and column where it begins."""
        line = Text(no_wrap=True, overflow="ellipsis")
        for piece, part in self._chosen(room):
            if line.cell_len:
                line.append_text(_BETWEEN)
            start = line.cell_len
            line.append_text(piece)
            if at is not None and part is not None:
                self._places.append((at[0], at[1] + start, at[1] + line.cell_len, part))
        return line

    def _chosen(self, room: int) -> list[tuple[Text, FilterPart | None]]:
        """The pieces that fit: the days and what is held always, then what it leaves, then what could be filtered."""
        pieces: list[tuple[int, Text, FilterPart | None]] = [
            (0 if part.held or not number else 3 if part.name == ZONE else 2, part.told(), part)
            for number, part in enumerate(self._parts)
        ]
        if self._sums:
            pieces.append((1, self._sums, None))
        if self._note:
            pieces.append((0, Text(words.clean(self._note), style="dim"), None))
        for rank in (3, 2, 1):
            if sum(piece.cell_len for _, piece, _ in pieces) + 3 * (len(pieces) - 1) <= room:
                break
            pieces = [piece for piece in pieces if piece[0] != rank]
        return [(piece, part) for _, piece, part in pieces]

    def jumps(self) -> Iterator[tuple[int, int, Message]]:
        """Where each tab and each filter begins, as column and row, and what a click there says."""
        for row, start, _, what in self._places:
            if isinstance(what, str):
                yield start, row, self.Chosen(what)
            else:
                # What could be filtered begins with its first letter, behind a blank.
                yield start - (not what.held), row, self.FilterClicked(what)

    def on_click(self, event: events.Click) -> None:
        """Choose the tab under the mouse, or change what is filtered."""
        for row, start, end, what in self._places:
            if event.y == row and start <= event.x < end:
                self.post_message(self.Chosen(what) if isinstance(what, str) else self.FilterClicked(what))


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
        self.keep(text)
        self.display = True
        self.disabled = False
        self.focus()

    def keep(self, text: str) -> None:
        """Have another text, without telling of it."""
        with self.prevent(Input.Changed):
            self.value = text

    def close(self) -> None:
        """Hide the line."""
        self.display = False
        self.disabled = True


class StatusCorner(Static):
    """The truth about the ingester, in the corner."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._width = 0
        self._said = ("", "")

    def say(self, text: str, brief: str = "") -> None:
        """Show a plain text; `brief` where there is no room for both that and keys.

        Only one of another length has the whole screen laid out again.
        """
        self._said = (text, brief)
        self.fit()

    def fit(self) -> None:
        """The screen may have another width: show as much as there is room for."""
        text, brief = self._said
        line = Text(words.clean(brief if brief and self.app.size.width < _TIGHT else text), no_wrap=True)
        before, self._width = self._width, line.cell_len
        self.update(line, layout=self._width != before)

    def tell(self, news: News) -> None:
        """Show what the ingester does."""
        if isinstance(news, Reading):
            progress = news.progress
            told = f"reading {progress.files_done:,} of {progress.files:,} files "
            told += f"{meter(progress.ratio, 8)} {words.percent(progress.ratio, 0)}"
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
