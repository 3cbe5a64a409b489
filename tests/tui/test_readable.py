"""Every text can be read in every theme: its contrast with what is behind it, as WCAG 2 asks for."""

from __future__ import annotations

import pytest
from agnes_stats.tui.format import clean
from agnes_stats.tui.kit.palette import contrast
from agnes_stats.tui.kit.readable import KEPT_IN_PLACE, LEAST, READABLE, readable
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tests.transcripts import Transcript, store_of
from tests.tui.running import press, running, settle

GREY, LIGHT = Color.parse("#808080"), Color.parse("#f0f0f0")
COLORS = st.tuples(*[st.integers(0, 255)] * 3).map(lambda rgb: Color(*rgb))


def mended(text: str, color: Color, background: Color) -> Segment:
    """A text as it comes to the screen."""
    style = Style.from_color(color.rich_color, background.rich_color)
    (told,) = READABLE.apply([Segment(text, style)], Color.parse("black"))
    return told


def seen(segment: Segment) -> float:
    """The contrast of a segment."""
    assert segment.style is not None and segment.style.color is not None and segment.style.bgcolor is not None
    return contrast(Color(*segment.style.color.get_truecolor()), Color(*segment.style.bgcolor.get_truecolor()))


@given(COLORS, COLORS)
def test_any_colour_on_any_other_can_be_read_afterwards(color: Color, background: Color) -> None:
    assert seen(mended("$3.12", color, background)) >= LEAST
    if contrast(color, background) >= LEAST:
        assert readable(color, background) == color, "what can be read stays as the theme has it"


def test_what_is_drawn_and_what_the_terminal_colours_stay_as_they_are() -> None:
    for drawn in ("▔▔▔", "██▄ ", "·▪■", "╌╌", "⣿⠒"):
        assert seen(mended(drawn, GREY, LIGHT)) < LEAST
    own = Segment("word", Style.parse("blue on default"))
    assert READABLE.apply([own], LIGHT) == [own]
    assert READABLE.apply([Segment("word")], LIGHT) == [Segment("word")]


def test_a_text_without_a_background_is_on_that_of_its_widget() -> None:
    plain = Segment("word", Style(color=GREY.rich_color))
    (told,) = READABLE.apply([plain], LIGHT)
    assert told.style is not None and told.style.color is not None
    assert contrast(Color(*told.style.color.get_truecolor()), LIGHT) >= LEAST


def test_a_text_from_right_to_left_does_not_take_its_neighbours_along() -> None:
    cells = [Segment(text) for text in (" ", "עברית", "  ", "12", " ▄▄")]
    told = KEPT_IN_PLACE.apply(cells, LIGHT)
    assert [segment.text for segment in told] == [" ", "\u200eעברית\u200e", "  ", "12", " ▄▄"]
    assert [segment.cell_length for segment in told] == [segment.cell_length for segment in cells]
    for other in ("漢字", "données", "42 %", "▄▄"):
        assert KEPT_IN_PLACE.apply([Segment(other)], LIGHT)[0].text == other


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("🇨🇿 flag", "CZ flag"),
        ("👍🏽 done", "👍 done"),
        ("👨\u200d👩\u200d👧 family", "👨👩👧 family"),
        ("❤\ufe0f heart", "❤ heart"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
    ],
)
def test_what_terminals_do_not_agree_on_is_told_in_what_they_agree_on(text: str, told: str) -> None:
    assert clean(text) == told
    for width in range(1, 9):
        assert cell_len(clean(text, width)) == sum(map(cell_len, clean(text, width))) <= width


async def test_nothing_on_the_screen_is_too_faint_to_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    told = Transcript("s", "2026-03-10T09:00:00").prompt("Go").response(("c", "Bash", {"command": "x"}))
    store = store_of(tmp_path_factory.mktemp("store"), [told.result("c", "no", error=True).response()])
    async with running(store, tab="tokens") as (app, pilot):
        for theme in ("solarized-light", "atom-one-dark", "textual-light"):
            app.theme = theme
            await settle(pilot)
            for key in ("1", "2", "3"):
                await press(pilot, key)
                faint = [
                    segment.text
                    for strip in app.screen._compositor.render_strips()
                    for segment in strip
                    if _is_text(segment) and seen(segment) < LEAST
                ]
                assert faint == [], (theme, key)


def _is_text(segment: Segment) -> bool:
    style = segment.style
    if style is None or style.color is None or style.bgcolor is None or not any(map(str.isalnum, segment.text)):
        return False
    return {style.color.type, style.bgcolor.type} == {ColorType.TRUECOLOR}
