"""The calendar and the week by hours: cells in their place, levels, and the cursor in words."""

import datetime as dt
import math

import pytest
from agnes_stats.tui.format import usd
from agnes_stats.tui.kit.calendar import CalendarHeatmap, HourHeatmap
from agnes_stats.tui.kit.heat_scale import LEVELS, leveler
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.widget import Widget

SUNDAY = dt.date(2026, 11, 22)


class Host(App[None]):
    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.heard: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_calendar_heatmap_day_highlighted(self, message: CalendarHeatmap.DayHighlighted) -> None:
        assert message.control is self.widget
        self.heard.append(message.day)

    def on_hour_heatmap_hour_highlighted(self, message: HourHeatmap.HourHighlighted) -> None:
        assert message.control is self.widget
        self.heard.append((message.weekday, message.hour))

    def lines(self) -> list[str]:
        return [self.widget.render_line(y).text.rstrip() for y in range(9)]


def test_levels_are_quarters_by_rank() -> None:
    level = leveler([0, 1, 2, 3, 1_000_000, None, math.nan])
    assert [level(value) for value in (0, None, 1, 2, 3, 1_000_000)] == [0, 0, 1, 2, 3, 4]
    assert leveler([5, 5])(5) == 4
    assert leveler([])(0) == 0
    assert len(LEVELS) == 5
    assert cell_len(LEVELS) == 5


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers())), st.one_of(st.none(), st.floats()))
def test_any_value_has_a_level(values: list[float | None], value: float | None) -> None:
    assert 0 <= leveler(values)(value) <= 4


async def test_a_calendar_puts_days_in_their_week() -> None:
    calendar = CalendarHeatmap()
    app = Host(calendar)
    async with app.run_test(size=(112, 12)):
        calendar.show(
            {SUNDAY: 4, SUNDAY - dt.timedelta(days=1): 1, dt.date(2026, 11, 2): 2, dt.date(2020, 1, 1): 9}, SUNDAY
        )
        lines = app.lines()
        assert lines[7].endswith("▇")
        assert lines[6].endswith("▪")
        assert lines[7].index("▇") == lines[6].index("▪") == 4 + 52 * 2
        assert lines[1].index("■") == 4 + 50 * 2
        assert lines[0].split() == ["Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
        assert lines[0].index("Nov") == 4 + 49 * 2  # November 1 is the Sunday of the week before
        assert [lines[row][:4].strip() for row in range(1, 8)] == ["Mon", "", "Wed", "", "Fri", "", ""]
        assert lines[8].strip().split("  ")[0] == "3 active days · most Sun Nov 22: 4"
        assert lines[8].endswith("less ·▫▪■▇ more")


async def test_the_year_ends_with_its_last_day() -> None:
    calendar = CalendarHeatmap()
    app = Host(calendar)
    async with app.run_test(size=(112, 12)):
        wednesday = dt.date(2026, 11, 18)
        calendar.show({wednesday: 1}, wednesday)
        assert calendar.part_count() == 52 * 7 + 3
        lines = app.lines()
        assert lines[3].endswith("▇")
        assert len(lines[4]) < len(lines[3])


async def test_a_narrow_calendar_shows_the_latest_weeks_and_follows_the_cursor() -> None:
    calendar = CalendarHeatmap()
    app = Host(calendar)
    async with app.run_test(size=(30, 12)):
        calendar.show({SUNDAY: 1, dt.date(2025, 11, 17): 5}, SUNDAY)
        assert app.lines()[7][-1] == LEVELS[2]
        calendar.point(0)
        assert app.lines()[1][4] == "▇"
        assert "Nov 17 2025: 5" in calendar.caption


async def test_keys_move_by_days_and_weeks_inside_the_year() -> None:
    calendar = CalendarHeatmap(unit=usd)
    app = Host(calendar)
    async with app.run_test(size=(112, 12)) as pilot:
        calendar.show({SUNDAY: 4.5}, SUNDAY)
        calendar.point(370)
        await pilot.press("down", "right")
        assert calendar.caption == "Sun Nov 22: $4.50"
        await pilot.press("left", "up")
        assert calendar.caption == "Sat Nov 14: nothing"
        calendar.point(3)
        await pilot.press("left")
        assert calendar.cursor == 3
        assert app.heard == [SUNDAY, dt.date(2026, 11, 15), dt.date(2026, 11, 14), dt.date(2025, 11, 20)]


async def test_the_mouse_points_at_days_and_the_caller_describes_them() -> None:
    calendar = CalendarHeatmap()
    app = Host(calendar)
    async with app.run_test(size=(112, 12)) as pilot:
        calendar.show({SUNDAY: 1}, SUNDAY, describe=lambda day: f"on {day}\x1b[0m")
        await pilot.hover(CalendarHeatmap, offset=(4 + 52 * 2, 1))
        await pilot.pause()
        assert calendar.caption == "on 2026-11-16"
        for outside in ((2, 3), (4 + 53 * 2, 3), (20, 0), (20, 8)):
            await pilot.hover(CalendarHeatmap, offset=outside)
        await pilot.pause()
        assert calendar.caption == "on 2026-11-16"
        calendar.show({SUNDAY: 1}, SUNDAY + dt.timedelta(days=7), describe=lambda day: f"on {day}")
        assert calendar.caption == "on 2026-11-16"


@pytest.mark.parametrize("widget", [CalendarHeatmap(), HourHeatmap()])
async def test_nothing_is_told_in_words(widget: CalendarHeatmap | HourHeatmap) -> None:
    app = Host(widget)
    async with app.run_test(size=(40, 12)) as pilot:
        assert "Nothing to show yet." in "".join(app.lines())
        assert widget.caption == ""
        if isinstance(widget, HourHeatmap):
            widget.show([[0.0] * 24] * 7)
        else:
            widget.show({SUNDAY: -1}, SUNDAY)
        await pilot.press("left", "down")
        assert "Nothing to show yet." in "".join(app.lines())


async def test_hours_lie_in_their_row_and_column() -> None:
    hours = HourHeatmap()
    app = Host(hours)
    async with app.run_test(size=(80, 12)) as pilot:
        rows: list[list[float | None]] = [[] for _ in range(7)]
        rows[1] = [None] * 14 + [3.0]
        rows[6] = [1.0]
        hours.show(rows)
        lines = app.lines()
        assert lines[0].split() == ["00", "03", "06", "09", "12", "15", "18", "21"]
        assert lines[2].index("▇▇") == 4 + 14 * 3
        assert lines[7].index("▪▪") == 4
        assert hours.caption == "Most Tue 14:00 to 15:00: 3"
        hours.point(0)
        await pilot.press("down", "right", "up", "up")
        assert hours.caption == "Mon 01:00 to 02:00: nothing"
        assert app.heard == [(0, 0), (1, 0), (1, 1), (0, 1)]
        hours.show(rows, describe=lambda weekday, hour: f"{weekday}/{hour}")
        assert hours.caption == "0/1"


@pytest.mark.parametrize("width", [1, 5, 28, 29, 60, 200])
async def test_any_width_can_be_drawn(width: int) -> None:
    hours, calendar = HourHeatmap(), CalendarHeatmap()
    for widget in (hours, calendar):
        app = Host(widget)
        async with app.run_test(size=(width, 12)):
            hours.show([[1.0] * 24] * 7)
            calendar.show({SUNDAY: 1}, SUNDAY)
            assert all(widget.render_line(y).cell_length == width for y in range(9))


async def test_the_cursor_shows_without_colour() -> None:
    hours = HourHeatmap()
    app = Host(hours)
    async with app.run_test(size=(80, 12)):
        hours.show([[1.0] * 24] * 7)
        hours.point(0)
        assert any(segment.style and segment.style.reverse for segment in hours.render_line(1))
