"""Text that can be read in any theme: where a theme's colours are too close to each other, the text's moves away.

Themes choose colours for looks. Of those that Textual brings, each has some text below the contrast that WCAG 2 asks
for (4.5 to 1): keys in the footer, what is muted, the row under the cursor, numbers of failures. This mends them all at
once, also those of themes to come, after styles, dimming and highlights have been laid over each other.
"""

from __future__ import annotations

import functools
import re

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import BLACK, WHITE, Color
from textual.filter import LineFilter

from .palette import contrast

LEAST = 4.5
"""The least contrast of a text with its background, by WCAG 2, level AA."""

_STEPS = 16
"""In so many steps a colour goes all the way to black or white."""

# Lines, bars, heat maps, curves: areas, whose colour means something.
_DRAWN = re.compile("[ \u2500-\u259f\u25a0-\u25ab\u2800-\u28ff·]*")


@functools.lru_cache(4096)
def readable(color: Color, background: Color) -> Color:
    """The colour, or the one nearest to it on the way to black or white that can be read on the background."""
    if contrast(color, background) >= LEAST:
        return color
    # One of the two is always far enough away.
    end = max(BLACK, WHITE, key=lambda extreme: contrast(extreme, background))
    mixed = (color.blend(end, step / _STEPS) for step in range(1, _STEPS + 1))
    return next((one for one in mixed if contrast(one, background) >= LEAST), end)


@functools.lru_cache(4096)
def _mended(style: Style, background: Color) -> Style | None:
    """The style with a colour that can be read; None if its own can, or if nobody knows what the terminal shows."""
    own, behind = style.color, style.bgcolor
    behind_triplet = background.rich_color.triplet if behind is None or behind.is_default else behind.triplet
    if own is None or own.triplet is None or behind_triplet is None:
        return None
    color = Color(*own.triplet)
    better = readable(color, Color(*behind_triplet))
    return None if better is color else style + Style(color=RichColor.from_rgb(better.r, better.g, better.b))


class ReadableText(LineFilter):
    """Gives every text a contrast of at least LEAST; what is drawn keeps its colours, and so do the terminal's own."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of a line, those that cannot be read with another colour."""
        return [_segment(segment, background) for segment in segments]


def _segment(segment: Segment, background: Color) -> Segment:
    text, style, control = segment
    if style is None or control:
        return segment
    mended = _mended(style, background)
    return segment if mended is None or _DRAWN.fullmatch(text) else Segment(text, mended, control)


# Hebrew, Arabic, Syriac, Thaana, NKo and the like, and the forms in which they are also written.
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]")
_LEFT_TO_RIGHT_MARK = "\u200e"


class KeptInPlace(LineFilter):
    """Keeps what stands beside a text that is written from right to left where it is.

    Terminals that know such texts take numbers and borders after one for a part of it, and show them on its other side.
    A mark of no width on both sides of it says that it ends there.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The segments of a line, those with such a text between two marks."""
        return [_between_marks(segment) for segment in segments]


def _between_marks(segment: Segment) -> Segment:
    text, style, control = segment
    if control or text.isascii() or not _RIGHT_TO_LEFT.search(text):
        return segment
    return Segment(f"{_LEFT_TO_RIGHT_MARK}{text}{_LEFT_TO_RIGHT_MARK}", style, control)


READABLE, KEPT_IN_PLACE = ReadableText(), KeptInPlace()
