"""Key figures in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from textual.color import Color
from textual.geometry import Size

from ..format import clean
from .axes import fit_words
from .canvas import Canvas, Grid
from .palette import Ink, parse
from .spark import sparkline

_NARROW = 100
"""A screen narrower than this, in columns, gets the figures as lines of text."""
_LOW = 28
"""So does one lower than this, in rows."""
_LINES = 2
"""The most lines of text."""
_TREND = 12
_GAP = 3


@dataclass(frozen=True)
class Card:
    """A key figure: what it is, its value in words, and where there is room a note and a trend.

    `tone` names a theme variable for the value ("success", "warning", "error").
    """

    label: str
    value: str
    note: str = ""
    trend: tuple[float | None, ...] = ()
    tone: str = ""


def _tidy(card: Card) -> Card:
    return Card(clean(card.label, 24), clean(card.value, 24), clean(card.note, 40), card.trend, card.tone)


def _card_widths(cards: Sequence[Card], width: int) -> list[int] | None:
    """A width for each card that shows its label and value, the rest shared; None if there is too little."""
    needed = [max(cell_len(card.label), cell_len(card.value)) + 4 for card in cards]
    spare = width - sum(needed)
    if not cards or spare < 0:
        return None
    wishes = [
        max(0, max(cell_len(card.note) + 4, cell_len(card.value) + 5 + min(len(card.trend), _TREND)) - least)
        for card, least in zip(cards, needed, strict=True)
    ]
    for index, wish in sorted(enumerate(wishes), key=lambda pair: pair[1]):
        given = min(wish, spare)
        needed[index] += given
        spare -= given
    each, more = divmod(spare, len(cards))
    return [wide + each + (index < more) for index, wide in enumerate(needed)]


def _flow(cards: Sequence[Card], width: int) -> list[list[Card]]:
    """Cards as lines of "label value" pairs; a pair is never cut, so the last may be missing."""
    lines: list[list[Card]] = [[]]
    used = 0
    for card in cards:
        size = cell_len(card.label) + 1 + cell_len(card.value)
        if used and used + _GAP + size > width:
            if len(lines) == _LINES:
                break
            lines.append([])
            used = 0
        if size > width:
            break
        lines[-1].append(card)
        used += size + (_GAP if used else 0)
    return [line for line in lines if line]


class Cards(Canvas, can_focus=False):
    """A row of cards; on a narrow or low screen one or two lines of "label value" pairs."""

    DEFAULT_CSS = """
    Cards { width: 1fr; height: auto; }
    """

    def __init__(
        self,
        cards: Sequence[Card] = (),
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._cards = tuple(map(_tidy, cards))

    def show(self, cards: Sequence[Card]) -> None:
        """Show these figures."""
        tidy = tuple(map(_tidy, cards))
        if tidy != self._cards:
            self._cards = tidy
            self._strips = None
            self.refresh(layout=True)

    @property
    def text(self) -> str:
        """All figures in words, on one line."""
        return " · ".join(f"{card.label} {card.value} {card.note}".rstrip() for card in self._cards)

    def in_words(self) -> list[str]:
        """A line for each figure."""
        return [f"{card.label}: {card.value}" + (f" ({card.note})" if card.note else "") for card in self._cards]

    def _widths(self, width: int, screen: Size) -> list[int] | None:
        """The cards' widths, None if they are to be lines of text."""
        if screen.width < _NARROW or screen.height < _LOW:
            return None
        return _card_widths(self._cards, width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        if not self._cards:
            return 0
        if self._widths(width, viewport) is not None:
            return 3 if any(card.note for card in self._cards) else 2
        return max(1, len(_flow(self._cards, width)))

    def paint(self, grid: Grid, ink: Ink) -> None:
        widths = self._widths(grid.width, self.screen.size) if grid.height > 1 else None
        if widths is None:
            self._paint_lines(grid, ink)
            return
        x = 0
        for card, width in zip(self._cards, widths, strict=True):
            self._paint_card(grid, ink, card, x, width - 1)
            x += width

    def _tone(self, card: Card, ink: Ink) -> Style:
        color = parse(self.app.theme_variables, card.tone, ink.foreground) if card.tone else ink.foreground
        return Style(color=color.rich_color, bold=True)

    def _paint_card(self, grid: Grid, ink: Ink, card: Card, x: int, width: int) -> None:
        surface = _surface(ink)
        behind = Style(bgcolor=surface.rich_color)
        accent = Style(color=ink.series[0].rich_color)
        grid.shade(x, 0, width, grid.height, behind)
        for y in range(grid.height):
            grid.put(x, y, "▎", accent + behind)
        grid.put(x + 2, 0, card.label, ink.muted + behind)
        end = grid.put(x + 2, 1, card.value, self._tone(card, ink) + behind)
        trend = sparkline(card.trend, min(_TREND, x + width - 2 - end))
        if len(trend) >= min(len(card.trend), 5):
            grid.put(x + width - 1 - len(trend), 1, trend, accent + behind)
        if grid.height > 2:
            grid.put(x + 2, 2, _note(card.note, width - 3), ink.muted + behind)

    def _paint_lines(self, grid: Grid, ink: Ink) -> None:
        for y, line in enumerate(_flow(self._cards, grid.width)):
            x = 0
            for card in line:
                x = grid.put(x, y, card.label, ink.muted)
                x = grid.put(x + 1, y, card.value, ink.base + self._tone(card, ink)) + _GAP


def _note(text: str, width: int) -> str:
    """A note cut between words; nothing where its number is cut off: "saved …" says nothing."""
    told = fit_words(text, width)
    has_number = any(char.isdigit() for char in text)
    return "" if has_number and not any(char.isdigit() for char in told) else told


def _surface(ink: Ink) -> Color:
    return ink.background if ink.background.ansi is not None else ink.background.blend(ink.foreground, 0.06)
