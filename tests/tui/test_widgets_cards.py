"""Key figures, one-line charts, the sentence in place of a pane, and the colours of all of them."""

import itertools
import math

import pytest
from agnes_stats.tui.kit.canvas import Grid
from agnes_stats.tui.kit.cards import Card, Cards
from agnes_stats.tui.kit.palette import contrast, distance, grey, make_ink, parse, placed, series_colors
from agnes_stats.tui.kit.spark import bar, meter, sparkline
from agnes_stats.tui.kit.state import PaneState
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import BUILTIN_THEMES
from textual.widget import Widget

CARDS = (
    Card("Spend 30d", "$212.40", "+12 % on the 30 days before", (1, 2, 4, 3, 5, 9)),
    Card("Today", "$6.42", "3 sessions"),
    Card("Cache hit", "91.3 %", "saved $1,204", tone="success"),
)


class Host(App[None]):
    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget

    def lines(self) -> list[str]:
        return [self.widget.render_line(y).text.rstrip() for y in range(self.widget.size.height)]


# -- one-line charts


@pytest.mark.parametrize(
    ("values", "width", "expected"),
    [
        ((), 8, ""),
        ((1, 2), 0, ""),
        ((0, 1, 4, 8), 8, "▁▂▅█"),
        ((0, 0.001, 100), 8, "▁▂█"),
        ((0, 0), 8, "▁▁"),
        ((5,), 8, "█"),
        ((None, math.nan, -3, math.inf, 7), 8, "▁▁▁▁█"),
        ((1, 1, 3, 3), 2, "▄█"),
        ((1e308, 1e308, 1e308), 2, "██"),
    ],
)
def test_sparkline(values: tuple[float | None, ...], width: int, expected: str) -> None:
    assert sparkline(values, width) == expected


@pytest.mark.parametrize(
    ("ratio", "width", "expected"),
    [
        (0.69, 16, "███████████░░░░░"),
        (0, 4, "░░░░"),
        (0.001, 4, "█░░░"),
        (0.999, 4, "███░"),
        (1, 4, "████"),
        (7, 4, "████"),
        (None, 4, "░░░░"),
        (0.5, 1, "░"),
        (0.5, 0, ""),
    ],
)
def test_meter(ratio: float | None, width: int, expected: str) -> None:
    assert meter(ratio, width) == expected


@pytest.mark.parametrize(
    ("share", "width", "expected"),
    [(0.5, 4, "██  "), (0.53, 4, "██▏ "), (0.0001, 4, "▏   "), (0, 4, "    "), (2, 4, "████"), (None, 2, "  ")],
)
def test_bar(share: float | None, width: int, expected: str) -> None:
    assert bar(share, width) == expected


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers()), max_size=50), st.integers(-2, 60), st.floats())
def test_one_line_charts_keep_their_width(values: list[float | None], width: int, ratio: float) -> None:
    assert len(sparkline(values, width)) == max(0, min(width, len(values)))
    assert len(meter(ratio, width)) == len(bar(ratio, width)) == max(0, width)


# -- cards


async def test_cards_show_value_note_and_trend() -> None:
    app = Host(Cards(CARDS))
    async with app.run_test(size=(110, 30)):
        label, value, note = app.lines()
        assert label.split("▎")[1:] == [label.split("▎")[1], label.split("▎")[2], " Cache hit"]
        assert value.split("▎")[1].split() == ["$212.40", "▂▃▅▄▅█"]
        assert [part.strip() for part in note.split("▎")[1:]] == [
            "+12 % on the 30 days before",
            "3 sessions",
            "saved $1,204",
        ]


@pytest.mark.parametrize("size", [(99, 40), (120, 27)])
async def test_on_a_small_screen_cards_are_a_line(size: tuple[int, int]) -> None:
    app = Host(Cards(CARDS))
    async with app.run_test(size=size):
        assert app.lines() == ["Spend 30d $212.40   Today $6.42   Cache hit 91.3 %"]


async def test_pairs_wrap_whole_and_numbers_are_never_cut() -> None:
    app = Host(Cards(CARDS))
    async with app.run_test(size=(40, 24)) as pilot:
        assert app.lines() == ["Spend 30d $212.40   Today $6.42", "Cache hit 91.3 %"]
        await pilot.resize_terminal(20, 24)
        await pilot.pause()
        assert app.lines() == ["Spend 30d $212.40", "Today $6.42"]
        await pilot.resize_terminal(10, 24)
        await pilot.pause()
        assert "".join(app.lines()) == ""


@given(
    st.lists(st.tuples(st.text("ab ", max_size=20), st.text("0123456789.", min_size=1, max_size=12)), max_size=9),
    st.integers(1, 140),
)
def test_a_value_is_shown_whole_or_not_at_all(pairs: list[tuple[str, str]], width: int) -> None:
    cards = Cards([Card(label, f"<{value}>") for label, value in pairs])
    grid = Grid(width, 2, Style.null())
    cards._paint_lines(grid, make_ink(Color(0, 0, 0), Color(255, 255, 255), [Color(1, 2, 3)], False))
    for strip in grid.strips():
        assert strip.text.count("<") == strip.text.count(">")


async def test_a_note_without_its_number_is_left_out() -> None:
    cards = Cards((Card("Cache", "91.3 %", "saved about $1,204.50"), Card("Today", "$6.42", "+12 % vs before")))
    app = Host(cards)
    async with app.run_test(size=(100, 30)) as pilot:
        assert "saved about $1,204.50" in app.lines()[2]
        cards.styles.width = 28
        await pilot.pause()
        assert "saved" not in app.lines()[2] and "+12 %" in app.lines()[2]


async def test_cards_follow_their_data() -> None:
    cards = Cards()
    app = Host(cards)
    async with app.run_test(size=(110, 30)) as pilot:
        assert cards.size.height == 0
        cards.show([Card("Reads", "412\x1b[2J"), Card("[/x]", "1")])
        await pilot.pause()
        assert cards.size.height == 2
        assert "[/x]" in app.lines()[0]
        assert cards.text == "Reads 412 · [/x] 1"
        assert "\x1b" not in "".join(app.lines())
        drawn = cards._strips
        cards.show([Card("Reads", "412"), Card("[/x]", "1")])
        assert cards._strips is drawn


async def test_a_tone_colours_the_value() -> None:
    app = Host(Cards(CARDS))
    async with app.run_test(size=(110, 30)):
        segment = next(s for s in app.widget.render_line(1) if "91.3 %" in s.text)
        assert segment.style
        assert segment.style.color == Color.parse(app.theme_variables["success"]).rich_color


# -- the sentence in place of a pane


async def test_a_pane_tells_its_state() -> None:
    state = PaneState("Loading [/sessions]…")
    app = Host(state)
    async with app.run_test(size=(50, 5)) as pilot:
        assert "◌  Loading [/sessions]…" in "".join(app.lines())
        assert state.mode == "loading"
        state.set("failed", "Could not load: \x1b[2J[store] busy")
        await pilot.pause()
        assert "✗  Could not load: [store] busy" in "".join(app.lines())
        assert state.has_class("-failed")
        assert not state.has_class("-loading")
        state.set("empty", "Nothing yet.")
        await pilot.pause()
        assert state.display
        state.set("ready")
        await pilot.pause()
        assert not state.display
        with pytest.raises(ValueError, match="unknown mode"):
            state.set("broken")


# -- colours


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_series_colours_are_of_the_theme_visible_and_apart(name: str) -> None:
    variables = dict(BUILTIN_THEMES[name].to_color_system().generate())
    background = parse(variables, "background", Color(0, 0, 0))
    colors = series_colors(variables, background, parse(variables, "foreground", background), 6)
    # Six layers and what is left of them, in every theme.
    seven = series_colors(variables, background, parse(variables, "foreground", background), 7)
    assert len(set(seven)) == 7 and seven[:6] == colors
    assert colors[0] == parse(variables, "primary", background) or contrast(colors[0], background) >= 2
    if background.ansi is None:
        hues = sorted(color.hsl.h for color in seven)
        assert all(after - before >= 0.07 for before, after in itertools.pairwise([*hues, hues[0] + 1])), "no two blues"
        assert all(color.hsl.s >= 0.1 for color in seven), "grey is for what is left"
        assert all(contrast(color, background) >= 2 for color in colors)
        assert all(distance(a, b) >= 70 for a in colors for b in colors if a is not b)


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_what_is_left_is_grey_and_unlike_any_series(name: str) -> None:
    variables = dict(BUILTIN_THEMES[name].to_color_system().generate())
    background = parse(variables, "background", Color(0, 0, 0))
    foreground = parse(variables, "foreground", background)
    rest = grey(background, foreground, is_dark=BUILTIN_THEMES[name].dark)
    assert all(color != rest for color in series_colors(variables, background, foreground, 7))
    if background.ansi is None:
        assert contrast(rest, background) >= 2
    else:
        assert rest.ansi not in (None, -1), "it can stand behind another"


def test_who_finds_his_colour_taken_has_one_that_nobody_wants() -> None:
    red, green, blue = Color(255, 0, 0), Color(0, 255, 0), Color(0, 0, 255)
    assert placed([red, green, blue], [1, 0]) == [green, red]
    assert placed([red, green, blue], [0, 3, 1]) == [red, blue, green]
    assert placed([red, green, blue], [2, None]) == [blue, red]
    assert placed([red], [0, 1, 2]) == [red, red, red]


def test_a_theme_without_hues_gets_others_and_one_without_colours_none() -> None:
    black, white = Color(0, 0, 0), Color(255, 255, 255)
    red = series_colors({"primary": "#ff0000"}, black, white, 3)
    assert red[0].hex == "#FF0000" and len(set(red)) == 3
    assert series_colors({}, black, white, 2) == [white, white]
    assert series_colors({"primary": "not a colour"}, black, white, 1) == [white]


def test_a_grid_clips_and_keeps_wide_characters_whole() -> None:
    grid = Grid(5, 1, Style.null())
    assert grid.put(3, 0, "ab日", Style(bold=True)) == 7
    grid.put(-1, 0, "xyz", Style.null())
    grid.put(0, 5, "nowhere", Style.null())
    strip = grid.strips()[0]
    assert (strip.text, strip.cell_length) == ("yz ab", 5)
    wide = Grid(3, 1, Style.null())
    wide.put(0, 0, "日本", Style.null())
    assert cell_len(wide.strips()[0].text) == 3
    assert wide.strips()[0].text == "日 "
