"""Trends and histograms: harmless whatever the data, right where the eye checks."""

import subprocess
import sys
import textwrap

import pytest
from agnes_stats.tui.format import duration, percent
from agnes_stats.tui.kit import raster
from agnes_stats.tui.kit.canvas import Grid
from agnes_stats.tui.kit.chart import PlotextChart
from agnes_stats.tui.kit.palette import Ink, make_ink
from agnes_stats.tui.kit.plots import Histogram, PlotMark, Trend
from agnes_stats.tui.kit.series import Series
from textual.app import App, ComposeResult
from textual.color import Color

COLORS = [Color.parse(name) for name in ("#0178D4", "#FEA62B", "#4EBF71", "#3B689F")]


def ink(plain: bool = False) -> Ink:
    return make_ink(Color.parse("#121212"), Color.parse("#e0e0e0"), COLORS, plain)


def drawn(
    plot: Trend | Histogram, width: int, height: int, cursor: int | None = None, plain: bool = False
) -> list[str]:
    grid = Grid(width, height, ink().base)
    plot.paint(grid, ink(plain), cursor)
    strips = grid.strips()
    assert all(strip.cell_length == width for strip in strips)
    return [strip.text.rstrip() for strip in strips]


# -- the boundary to plotext

HAZARDS = """
    import math
    from hypothesis import given, settings, strategies as st
    from agnes_stats.tui.kit.canvas import Grid
    from agnes_stats.tui.kit.palette import make_ink
    from agnes_stats.tui.kit.plots import Histogram, PlotMark, Trend
    from agnes_stats.tui.kit.series import Series
    from textual.color import Color

    ink = make_ink(Color.parse("#000"), Color.parse("#fff"), [Color.parse("#08f")], False)
    plain = make_ink(Color.parse("#000"), Color.parse("#fff"), [Color.parse("#08f")], True)
    number = st.one_of(
        st.none(),
        st.floats(allow_nan=True, allow_infinity=True),
        st.sampled_from([0, -1, 1e7, 1e9, 1.7e308, -1.7e308, 5e-324, math.nan, math.inf, -math.inf]),
    )
    unit = "{:.3g}".format

    def paint(plot, width, height, cursor, colours):
        if not plot.empty():
            plot.paint(Grid(width, height, ink.base), colours, cursor if cursor is None else cursor % plot.parts())
            assert plot.words(None)

    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(
        st.lists(st.lists(number, max_size=30), max_size=4), st.booleans(), st.integers(1, 60),
        st.integers(1, 20), st.one_of(st.none(), st.integers(0, 30)), st.sampled_from([ink, plain]),
    )
    def trends(rows, area, width, height, cursor, colours):
        labels = tuple(f"l{n}" for n in range(max(map(len, rows), default=0)))
        lines = tuple(Series("s", tuple(row)) for row in rows)
        paint(Trend(lines, labels, unit, area), width, height, cursor, colours)

    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(
        st.lists(number, max_size=30), st.floats(-1e300, 1e300), st.lists(number, max_size=3),
        st.integers(1, 60), st.integers(1, 20), st.one_of(st.none(), st.integers(0, 30)), st.sampled_from([ink, plain]),
    )
    def histograms(counts, start, marks, width, height, cursor, colours):
        edges = tuple(start + abs(start or 1) * n / 4 for n in range(len(counts) + 1))
        plot = Histogram(tuple(n or 0 for n in counts), edges, tuple(PlotMark("p", m) for m in marks), True, unit)
        paint(plot, width, height, cursor, colours)

    trends()
    histograms()
"""


def test_no_data_ends_the_process_or_prints() -> None:
    done = subprocess.run(  # a crash in the compiled kernel must not take the test run along
        [sys.executable, "-c", textwrap.dedent(HAZARDS)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr[-2000:]) == (0, "", "")


def test_plotext_is_imported_with_the_first_drawing_only() -> None:
    code = """
        import sys
        from agnes_stats.tui.kit import chart, raster
        assert "plotext" not in sys.modules
        raster.line(((0.0, 0.0), (1.0, 1.0)), 4, 2)
        assert "plotext" in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


def test_lines_reach_the_corners() -> None:
    assert raster.line(((0.0, 0.0), (1.0, 1.0)), 4, 2) == ("  ▄▀", "▄▀  ")


def test_a_gap_breaks_the_line() -> None:
    points = ((0.0, 0.0), (0.3, 0.0), (0.5, None), (0.7, 0.0), (1.0, 0.0))
    assert raster.line(points, 10, 1) == ("▄▄▄▖  ▗▄▄▄",)


def test_bars_are_as_high_as_their_share() -> None:
    assert raster.columns((1.0, 0.5, 0.25, 0.001, 0.0), 2, 2) == ("██        ", "████▄▄▄▄  ")


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (5000, 5)])
def test_impossible_canvases_are_empty(width: int, height: int) -> None:
    assert raster.line(((0.0, 0.0), (1.0, 1.0)), width, height) == ()


# -- trends


def test_a_trend_is_framed_like_the_bars() -> None:
    plot = Trend((Series("a", (0, 2, 4)),), ("Nov 20", "Nov 21", "Nov 22"), area=True)
    assert drawn(plot, 30, 7) == [
        " 4 ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▄▄▄▄██",
        "                 ▄▄▄▟█████████",
        " 2 ▔▔▔▔▔▔▄▄▄▄█████████████████",
        "   ▄▄█████████████████████████",
        " 0 ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔",
        "   Nov 20     Nov 21    Nov 22",
        "   Peak Nov 22: 4",
    ]


def test_several_lines_have_a_legend_and_gaps_are_told() -> None:
    plot = Trend((Series("hits", (0.5, None)), Series("rest", (0.25, float("nan")))), ("x", "y"), percent)
    assert drawn(plot, 40, 10)[0].strip() == "■ hits   ■ rest"
    assert drawn(plot, 40, 10, plain=True)[0].strip() == "▚ hits   ⠒ rest"
    assert plot.words(0) == "x: hits 50.0 % · rest 25.0 %"
    assert plot.words(1) == "y: no value"
    assert plot.words(None) == "Peak x: hits 50.0 %"
    assert not plot.empty()
    assert Trend((Series("a", (None,)),), ("x",)).empty()
    assert not Trend((Series("a", (0,)),), ("x",)).empty()


def test_the_cursor_marks_the_point_on_every_line() -> None:
    plot = Trend((Series("a", (1, 4, 1)), Series("b", (4, 1, 1))), ("x", "y", "z"))
    lines = drawn(plot, 40, 12, cursor=1)
    column = next(line for line in lines if "▲" in line).index("▲")
    assert sum(line[column : column + 1] == "●" for line in lines) == 2


def test_a_line_without_colour_has_its_own_marks() -> None:
    plot = Trend((Series("a", (1, 1)), Series("b", (3, 3)), Series("c", (2, 2))), ("x", "y"))
    body = "".join(drawn(plot, 40, 14, plain=True)[2:-3])
    assert "•" in body
    assert any(0x2800 < ord(char) < 0x2900 for char in body)
    assert "▀" in body or "▄" in body


# -- histograms


def test_a_histogram_with_percentiles() -> None:
    plot = Histogram(
        (8, 4, 0, 2),
        (0, 600, 1200, 1800, 2400),
        (PlotMark("p50", 700), PlotMark("p99", 2300)),
        overflow=True,
        unit=duration,
    )
    lines = drawn(plot, 60, 14)
    assert lines[0].split() == ["p50", "11m", "p99", "38m"]
    assert lines[0].index("p50") == lines[1].index("│")
    assert lines[-2].split() == ["0", "s", "10m", "20m", "30m", "40m+"]
    assert lines[-1].strip() == "p50 11m · p99 38m · 14 in all"
    assert plot.words(0) == "0 s to 10m: 8 (57.1 %)"
    assert plot.words(3) == "30m or more: 2 (14.3 %)"


def test_a_mark_runs_over_the_bars_in_its_way() -> None:
    plot = Histogram((4, 4), (0, 1, 2), (PlotMark("p50", 0.5),))
    lines = drawn(plot, 40, 9)
    assert [line[9] for line in lines[1:6]] == ["│"] * 5
    assert lines[0].index("p50") == 9


def test_marks_beyond_the_edges_and_unknown_ones() -> None:
    plot = Histogram((4, 4), (0, 1, 2), (PlotMark("low", -5), PlotMark("none", None), PlotMark("high", 99)))
    assert drawn(plot, 40, 9)[0].split() == ["low", "−5", "high", "99"]
    assert plot.words(None) == "low −5 · high 99 · 8 in all"


def test_more_bins_than_columns_are_merged() -> None:
    plot = Histogram((1,) * 50, tuple(range(51)))
    grid = Grid(20, 8, ink().base)
    spots = plot.paint(grid, ink(), 49)
    assert len(spots.centers) == 50
    assert max(spots.centers) < 20 - spots.left
    assert drawn(plot, 20, 8)[-1].strip() == "50 in all"


@pytest.mark.parametrize("edges", [(0, 1), (0, 2, 1), (0, 1, float("inf")), (0, 0, 1)])
def test_wrong_edges_are_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="edges"):
        Histogram((1, 2), edges)


# -- the widget


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.chart = PlotextChart(empty="No timings yet.")
        self.heard: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.chart

    def on_plotext_chart_part_highlighted(self, message: PlotextChart.PartHighlighted) -> None:
        assert message.control is self.chart
        self.heard.append(message.index)


async def test_the_chart_says_when_it_is_empty() -> None:
    app = Host()
    async with app.run_test(size=(30, 5)) as pilot:
        assert app.chart.render_line(2).text.strip() == "No timings yet."
        app.chart.show(Histogram((0, 0), (0, 1, 2)), empty="None in this range.")
        await pilot.pause()
        assert app.chart.render_line(2).text.strip() == "None in this range."
        assert app.chart.caption == ""


async def test_keyboard_and_mouse_move_over_the_parts() -> None:
    app = Host()
    async with app.run_test(size=(43, 10)) as pilot:
        app.chart.show(Trend((Series("a", (1, 2, 3, 4)),), ("w", "x", "y", "z")))
        await pilot.press("end", "left")
        assert app.chart.caption == "y: 3"
        await pilot.hover(PlotextChart, offset=(4, 4))
        await pilot.pause()
        assert app.chart.caption == "w: 1"
        assert app.heard == [3, 2, 0]
        app.chart.show(Trend((Series("a", (1,)),), ("w",)))
        assert app.chart.cursor == 0


async def test_a_fixed_tone_and_the_theme_colour_the_line() -> None:
    app = Host()
    async with app.run_test(size=(30, 8)) as pilot:
        app.chart.show(Trend((Series("a", (4, 4), tone="error"),), ("x", "y"), area=True))
        await pilot.pause()

        def color() -> object:
            return next(s.style.color for s in app.chart.render_line(3) if s.style and "█" in s.text)

        assert color() == Color.parse(app.theme_variables["error"]).rich_color
        app.theme = "nord"
        await pilot.pause()
        assert color() == Color.parse(app.theme_variables["error"]).rich_color


async def test_a_missing_kernel_is_told_in_the_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> object:
        raise OSError("kernel.so: cannot open")

    monkeypatch.setattr(raster, "engine", missing)
    app = Host()
    async with app.run_test(size=(60, 8)) as pilot:
        app.chart.show(Trend((Series("a", (9, 8)),), ("x", "y")))
        await pilot.pause()
        text = " ".join(app.chart.render_line(y).text.strip() for y in range(8))
        assert "Charts need plotext, which cannot be loaded here: kernel.so: cannot open" in text
