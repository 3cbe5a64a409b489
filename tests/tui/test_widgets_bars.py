"""Stacked bars: the geometry by hand, the drawing as text, the cursor with keyboard and mouse."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from agnes_stats.tui.format import count, usd
from agnes_stats.tui.kit.axes import LegendEntry, fit_words, make_frame, paint_legend
from agnes_stats.tui.kit.bars import Series, StackedBars
from agnes_stats.tui.kit.canvas import Grid
from agnes_stats.tui.kit.palette import Ink, make_ink
from agnes_stats.tui.kit.scale import amount, make_scale, nice, place_labels, tick_labels
from agnes_stats.tui.kit.stack import EMPTY, StackedBlock, place_bars, stack
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import BUILTIN_THEMES

ANY_NUMBER = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-5, 10**12))
COLORS = [Color.parse(name) for name in ("#0178D4", "#FEA62B", "#4EBF71", "#3B689F")]


def ink(plain: bool = False) -> Ink:
    return make_ink(Color.parse("#121212"), Color.parse("#e0e0e0"), COLORS, plain)


def drawn(bars: StackedBars, width: int, height: int, plain: bool = False) -> list[str]:
    """The lines a widget paints, without an app."""
    grid = Grid(width, height, ink().base)
    bars.paint(grid, ink(plain))
    strips = grid.strips()
    assert all(strip.cell_length == cell_len(strip.text) == width for strip in strips)
    return [strip.text.rstrip() for strip in strips]


def bars_of(*rows: Sequence[float | None], labels: Sequence[str] | None = None, **options: object) -> StackedBars:
    widget = StackedBars(**options)  # type: ignore[arg-type]
    names = labels or [f"d{index}" for index in range(len(rows[0]))]
    widget.show([Series("abcdefgh"[index], tuple(row)) for index, row in enumerate(rows)], names)
    return widget


# -- what is average, and what is not over


def test_a_line_shows_the_average_and_words_tell_it() -> None:
    widget = StackedBars(unit=usd)
    widget.show([Series("a", (4, 0, 1, 1))], ["Nov 01", "Nov 02", "Nov 03", "Nov 04"], average=(2, "an active day"))
    assert widget.caption == "Peak Nov 01: $4.00 · ╌ $2.00 an active day"
    lines = drawn(widget, 40, 12)
    assert sum("╌" in line for line in lines[:-1]) == 1, "one line, behind the bars"
    average = next(line for line in lines if "╌" in line)
    assert "█" in average, "the bar above the average hides it"


def test_the_bar_that_will_grow_is_hatched_and_named() -> None:
    widget = StackedBars(unit=count)
    widget.show([Series("a", (4, 4))], ["Nov 01", "Nov 02"], running=(1, "today"))
    assert widget.caption == "Peak Nov 01: 4 · ▒ today so far 4"
    bottom = next(line for line in reversed(drawn(widget, 40, 10)) if "█" in line)
    assert "█" in bottom and "▒" in bottom.split("█")[-1]
    # A hatch shows only on another colour than its own.
    grid = Grid(40, 10, ink().base)
    widget.paint(grid, ink())
    hatched = [
        part.style for strip in grid.strips() for part in strip if "▒" in part.text and "so far" not in part.text
    ]
    assert hatched and all(style and style.color != style.bgcolor for style in hatched)
    # Without colour a pattern is a series.
    assert not any("▒" in line for line in drawn(widget, 40, 10, plain=True)[:-1])
    widget.show([Series("a", (4, 4))], ["Nov 01", "Nov 02"], running=(2, "today"))
    assert widget.caption == "Peak Nov 01: 4", "a bucket that is not there is none"


# -- scale


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, 0), (math.nan, 0), (math.inf, 0), (-3, 0), (5e-324, 0), ("x", 0), (True, 1), (10**400, 0), (2.5, 2.5)],
)
def test_amount_takes_anything(value: object, expected: float) -> None:
    assert amount(value) == expected


@pytest.mark.parametrize(("least", "expected"), [(1, 1), (1.1, 2), (2.1, 2.5), (26, 50), (0.6, 1), (700, 1000)])
def test_nice_steps(least: float, expected: float) -> None:
    assert nice(least) == pytest.approx(expected)


def test_ticks_are_human_and_lie_on_the_edges_of_rows() -> None:
    scale = make_scale(68, 12, usd)
    assert scale.labels == ("$0", "$25", "$50", "$75")
    assert scale.eighths(25) == scale.every * 8
    assert make_scale(2_300_000, 6, count).labels == ("0", "1M", "2M", "3M")


def test_ticks_stay_apart_when_the_unit_is_coarse() -> None:
    assert make_scale(1, 12, count).labels == ("0", "1")
    assert make_scale(0.3, 12, count).labels == ("0",)


def test_common_zeros_behind_the_point_are_left_out() -> None:
    assert tick_labels([0, 1e6, 2e6], count) == ("0", "1M", "2M")
    assert tick_labels([0, 2.5, 5], usd) == ("$0.00", "$2.50", "$5.00")


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 60))
def test_a_scale_holds_its_peak(value: float, rows: int) -> None:
    peak = amount(value)
    scale = make_scale(peak, rows, lambda v: f"{v:.17g}")
    assert scale.top >= peak * (1 - 1e-9) or rows == 0
    assert 0 <= scale.eighths(peak) <= rows * 8
    assert (len(scale.labels) - 1) * scale.every <= max(rows, 0)


@given(st.lists(st.text("abc", max_size=8), max_size=40), st.integers(0, 120), st.integers(1, 6))
def test_labels_never_overlap_nor_stick_out(labels: list[str], width: int, step: int) -> None:
    placed = place_labels(labels, [index * step for index in range(len(labels))], width)
    end = -1
    for index, column in placed:
        assert column > end
        end = column + len(labels[index])
        assert end <= width


def test_labels_are_evenly_spaced_and_keep_the_last() -> None:
    labels = [f"Nov {day:02d}" for day in range(1, 13)]
    placed = place_labels(labels, [day * 3 + 1 for day in range(12)], 36)
    assert [labels[index] for index, _ in placed] == ["Nov 03", "Nov 06", "Nov 09", "Nov 12"]


# -- stack


@pytest.mark.parametrize(
    ("buckets", "width", "expected"),
    [
        (30, 90, (0, 30, 2, 1)),
        (30, 89, (0, 30, 2, 1)),
        (30, 88, (0, 30, 1, 1)),
        (30, 59, (0, 30, 1, 1)),
        (30, 58, (0, 30, 1, 0)),
        (30, 30, (0, 30, 1, 0)),
        (30, 29, (1, 29, 1, 0)),
        (1, 90, (0, 1, 12, 2)),
        (7, 90, (0, 7, 11, 2)),
        (7, 190, (0, 7, 12, 2)),
    ],
)
def test_bars_shrink_before_any_is_left_out(buckets: int, width: int, expected: tuple[int, ...]) -> None:
    bars = place_bars(buckets, width)
    assert (bars.first, bars.shown, bars.wide(bars.first), bars.gap) == expected


@given(st.integers(1, 400), st.integers(1, 250))
def test_bars_share_the_whole_width(buckets: int, width: int) -> None:
    bars = place_bars(buckets, width)
    shown = range(bars.first, bars.first + bars.shown)
    assert bars.width == width
    ends = -bars.gap
    for index in shown:
        assert bars.column(index) >= ends + bars.gap
        assert bars.wide(index) >= 1
        ends = bars.column(index) + bars.wide(index)
        assert {bars.bucket(column) for column in range(bars.column(index), ends)} == {index}
    lead = bars.column(bars.first)
    assert abs((width - ends) - lead) <= 2, "as much room behind the last as before the first"
    if bars.gap:
        assert len({bars.wide(index) for index in shown}) == 1


@pytest.mark.parametrize(("buckets", "width"), [(0, 90), (5, 0)])
def test_without_bars_or_room_there_are_none(buckets: int, width: int) -> None:
    bars = place_bars(buckets, width)
    assert (bars.width, bars.bucket(0)) == (0, None)


def test_the_window_follows_the_cursor() -> None:
    assert place_bars(90, 30).first == 60
    assert place_bars(90, 30, cursor=75).first == 60
    assert place_bars(90, 30, cursor=10).first == 10


def test_every_column_belongs_to_a_bucket() -> None:
    bars = place_bars(4, 15)
    assert [bars.bucket(column) for column in (-1, 0, 3, 4, 15, 16)] == [None, 0, 0, 1, 3, None]


def test_a_cell_shows_two_colours() -> None:
    scale = make_scale(10, 10, count)  # a row is worth 1
    assert scale.top == 10
    assert stack([1.5, 1.0], scale) == [StackedBlock(0, 0, 8), StackedBlock(0, 1, 4), StackedBlock(1, EMPTY, 4)]
    assert stack([0, 0], scale) == []
    assert stack([0, 2], scale) == [StackedBlock(1, 1, 8), StackedBlock(1, 1, 8)]


def test_where_three_meet_the_two_largest_win() -> None:
    scale = make_scale(10, 10, count)
    assert stack([0.5, 0.125, 0.375], scale) == [StackedBlock(0, 2, 4)]


def test_what_is_not_nothing_shows() -> None:
    scale = make_scale(1e9, 10, count)
    assert stack([1], scale) == [StackedBlock(0, EMPTY, 1)]


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=6), st.integers(1, 30))
def test_a_bar_is_as_high_as_its_total(values: list[float], rows: int) -> None:
    scale = make_scale(max(sum(values), 1.0), rows, count)
    blocks = stack(values, scale)
    assert len(blocks) == math.ceil(scale.eighths(sum(values)) / 8) <= rows


# -- drawing


def test_bars_ticks_labels_legend_and_caption() -> None:
    widget = bars_of([4, 2, 0], [4, 0, 1], labels=["Nov 20", "Nov 21", "Nov 22"])
    assert drawn(widget, 40, 12) == [
        "   ■ a 6   ■ b 5",
        " 8 ███████████▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔",
        "   ███████████",
        " 6 ███████████▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔",
        "   ███████████",
        " 4 ███████████▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔",
        "   ███████████",
        " 2 ███████████▔▔███████████▔▔▔▔▔▔▔▔▔▔▔▔▔",
        "   ███████████  ███████████  ███████████",
        " 0 ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔",
        "      Nov 20       Nov 21       Nov 22",
        "   Peak Nov 20: 8",
    ]


def test_without_colour_glyphs_tell_series_apart() -> None:
    lines = drawn(bars_of([4, 2, 0], [4, 0, 1]), 40, 12, plain=True)
    assert lines[0] == "   █ a 6   ░ b 5"
    assert [line[3:14] for line in lines[1:9]] == ["░" * 11] * 4 + ["█" * 11] * 4
    assert lines[8][29:40] == "░" * 11


def test_a_low_or_narrow_widget_keeps_the_bars() -> None:
    widget = bars_of([4, 2, 1], labels=["Nov 20", "Nov 21", "Nov 22"])
    assert drawn(widget, 12, 3) == ["▆▆▆▔▃▃▃▔▂▂▂▔", "▔▔▔▔▔▔▔▔▔▔▔▔", "      Nov 22"]
    assert drawn(widget, 3, 1) == ["▆▃▂"]
    assert drawn(widget, 0, 0) == []


def test_all_buckets_are_on_the_axis_and_the_last_is_labelled() -> None:
    labels = [f"Nov {day:02d}" for day in range(1, 31)]
    lines = drawn(bars_of([1] * 30, labels=labels), 94, 10)
    assert lines[5].count("██") == 30
    assert [int(label) for label in lines[-2].split("Nov")[1:]] == list(range(3, 31, 3))


def test_too_many_buckets_show_the_latest_and_say_so() -> None:
    widget = bars_of(list(range(1, 101)), labels=[f"day {n}" for n in range(1, 101)])
    lines = drawn(widget, 34, 10)
    assert lines[-2].startswith("     … 71 earlier")
    assert lines[-2].endswith("day 100")
    widget.point(0)
    lines = drawn(widget, 34, 10)
    assert "day 1 " in lines[-2]
    assert lines[-2].endswith("71 later …")


@pytest.mark.parametrize("rows", [[[]], [[0, 0, 0]], [[None, math.nan, -1.0]], []])
def test_nothing_to_show_is_told_in_words(rows: list[list[float]]) -> None:
    widget = StackedBars(empty="No tokens in these days yet.")
    widget.show([Series("a", tuple(row)) for row in rows], ["x", "y", "z"])
    lines = drawn(widget, 20, 7)
    assert [line.strip() for line in lines if line] == ["No tokens in these", "days yet."]
    assert widget.caption == ""


def test_a_single_bucket_and_one_huge_value() -> None:
    assert "████████" in "".join(drawn(bars_of([5]), 40, 10))
    lines = drawn(bars_of([1, 1e300, 1]), 40, 10)
    assert any("▁▁▁▁▁▁▁▁" in line for line in lines)


def test_values_are_padded_and_cut_to_the_labels() -> None:
    widget = StackedBars()
    widget.show([Series("a", (1.0,)), Series("b", (1.0, 2.0, 3.0, 4.0))], ["x", "y"])
    widget.point(1)
    assert widget.caption == "y: b 2"
    widget.point(0)
    assert widget.caption == "x: 2 = a 1 + b 1"


@given(
    st.lists(st.lists(ANY_NUMBER, max_size=40), max_size=5),
    st.integers(1, 70),
    st.integers(1, 24),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 40)),
)
def test_any_numbers_can_be_drawn(
    rows: list[list[float | None]], width: int, height: int, plain: bool, cursor: int | None
) -> None:
    widget = StackedBars(unit=lambda value: f"{value:.3g}")
    size = max(map(len, rows), default=0)
    widget.show([Series("s", tuple(row)) for row in rows], [f"Nov {n}" for n in range(size)])
    widget._cursor = None if cursor is None or not size else cursor % size
    assert len(drawn(widget, width, height, plain)) == height


def test_names_from_data_are_cleaned() -> None:
    widget = StackedBars()
    widget.show([Series("[/x]\x1b[2J模型\n", (1,))], ["a\x1b[0m"])
    lines = drawn(widget, 40, 8)
    assert lines[0].strip() == "■ [/x]模型 1"
    assert "\x1b" not in "".join(lines)


# -- legend and caption


def legend(width: int, rows: int = 1) -> list[str]:
    grid = Grid(width, rows + 6, ink().base)
    entries = [LegendEntry("■", ink().base, name, "12.3M") for name in ("opus-4.6", "sonnet-4.5", "haiku-4.5")]
    frame = make_frame(width, 20, rows)
    paint_legend(grid, ink(), frame, entries)
    return [strip.text.rstrip() for strip in grid.strips()[:rows]]


def test_a_legend_drops_totals_then_names_what_is_missing() -> None:
    assert legend(57) == ["■ opus-4.6 12.3M   ■ sonnet-4.5 12.3M   ■ haiku-4.5 12.3M"]
    assert legend(56) == ["■ opus-4.6   ■ sonnet-4.5   ■ haiku-4.5"]
    assert legend(38) == ["■ opus-4.6   ■ sonnet-4.5   +1 more"]
    assert legend(25, rows=2) == ["■ opus-4.6   ■ sonnet-4.5", "■ haiku-4.5"]
    assert legend(5) == [""]


def test_a_caption_is_cut_between_words() -> None:
    text = "Nov 20: 1,234k = opus 1,200k + sonnet 34k"
    assert fit_words(text, 80) == text
    for width in range(2, len(text)):
        shown = fit_words(text, width)
        assert len(shown) <= width
        assert shown.endswith("…")
        if width >= 8:
            words = shown.removesuffix(" …").split()
            assert "".join(text.split()[: len(words)]).startswith("".join(words))
            assert text.split()[len(words) - 1].rstrip(":") == words[-1]


# -- on a screen


class Host(App[None]):
    def __init__(self, widget: StackedBars) -> None:
        super().__init__()
        self.bars = widget
        self.heard: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.bars

    def on_stacked_bars_bar_highlighted(self, message: StackedBars.BarHighlighted) -> None:
        assert message.control is self.bars
        self.heard.append(message.index)


def three() -> StackedBars:
    return bars_of([4, 2, 0], [4, 0, 1], labels=["Nov 20", "Nov 21", "Nov 22"])


async def test_the_keyboard_moves_over_the_bars() -> None:
    app = Host(three())
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("tab")
        assert app.bars.caption == "Nov 22: b 1"
        await pilot.press("left", "left", "left", "right", "end", "home")
        assert app.heard == [2, 1, 0, 1, 2, 0]
        assert app.bars.caption == "Nov 20: 8 = a 4 + b 4"
        assert app.bars.render_line(11).text.rstrip() == "   Nov 20: 8 = a 4 + b 4"
        assert app.bars.render_line(9).text.rstrip() == " 0 ▔▔▔▔▔▲▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔"


async def test_the_mouse_points_at_bars() -> None:
    app = Host(three())
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.hover(StackedBars, offset=(18, 5))
        await pilot.pause()
        assert app.bars.cursor == 1
        await pilot.click(StackedBars, offset=(30, 5))
        assert app.bars.cursor == 2
        await pilot.click(StackedBars, offset=(1, 5))
        await pilot.click(StackedBars, offset=(10, 0))
        assert app.bars.cursor == 2
        assert app.heard[-2:] == [1, 2]


async def test_the_caller_describes_bars_and_the_cursor_stays_on_its_label() -> None:
    widget = bars_of([1, 2, 3], labels=["a", "b", "c"], describe=lambda index: f"bucket {index}\x1b[2J")
    app = Host(widget)
    async with app.run_test(size=(40, 12)):
        widget.point(1)
        assert widget.caption == "bucket 1"
        widget.show([Series("x", (2, 3, 4))], ["b", "c", "d"])
        assert widget.cursor == 0
        widget.show([Series("x", (4, 5))], ["d", "e"])
        assert widget.cursor == 1
        widget.show([], [])
        assert widget.cursor is None


async def test_a_theme_change_changes_the_colours() -> None:
    app = Host(three())
    async with app.run_test(size=(40, 12)) as pilot:

        def color() -> object:
            """Of the first bar's foot, as it is on the screen."""
            line = app.screen._compositor.render_strips()[8]
            return next(s.style.color for s in line if s.style and "█" in s.text)

        before = color()
        app.register_theme(replace(BUILTIN_THEMES["textual-dark"], name="other", primary="#ff0000"))
        app.theme = "other"
        await pilot.pause()
        assert color() == Color.parse(app.theme_variables["primary"]).rich_color
        assert color() != before


async def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Host(three())
    async with app.run_test(size=(40, 12)):
        assert app.bars.render_line(0).text.rstrip() == "   █ a 6   ░ b 5"


async def test_a_resize_draws_anew() -> None:
    app = Host(three())
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.resize_terminal(20, 8)
        assert app.bars.render_line(0).cell_length == 20
        assert app.bars.render_line(7).text.startswith("    Nov 22: b 1")
