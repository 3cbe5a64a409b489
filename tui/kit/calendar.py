"""When: a year by days, and a week by hours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from ..format import clean, count, month
from ..format import day as day_name
from ..ranges import Range, bucket
from .canvas import Grid, put_centered
from .cursor_canvas import Pointed
from .heat_scale import LEVELS, heat_style, leveler, paint_footer
from .palette import Ink, parse
from .scale import Unit, amount

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKS = 53
_EMPTY = "Nothing to show yet."
_LEFT = 4
"""Columns for the names of the weekdays."""


class _Heatmap(Pointed):
    """Rows of weekdays; up and down move by rows."""

    _TONE = "success"
    """The theme's variable of the colour."""

    def __init__(
        self,
        *,
        unit: Unit = count,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`unit` tells a value."""
        super().__init__(id=id, classes=classes)
        self._unit = unit

    @property
    def caption(self) -> str:
        """The cell under the cursor in words; without one, the highest."""
        raise NotImplementedError

    def action_point_by(self, step: int) -> None:
        """Move by parts, not beyond the ends: a step across the edge would come out in another row."""
        if self._cursor is None or 0 <= self._cursor + step < self.part_count():
            super().action_point_by(step)

    def _paint_weekdays(self, grid: Grid, ink: Ink, top: int) -> None:
        for weekday, name in enumerate(WEEKDAYS):
            # Every second name, as rows this close would read as one block of text.
            if weekday % 2 == 0 and weekday < 6:
                grid.put(0, top + weekday, name, ink.muted)


class CalendarHeatmap(_Heatmap):
    """The last year by days, a column a week, Mondays on top, more or less of it as the width allows."""

    DEFAULT_CSS = """
    CalendarHeatmap { height: 9; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "point_by(-7)", "Week before", show=False),
        Binding("right", "point_by(7)", "Week after", show=False),
        Binding("up,k", "point_by(-1)", "Day before", show=False),
        Binding("down,j", "point_by(1)", "Day after", show=False),
    ]
    HELP = "Left and right move by weeks, up and down by days; the line below tells the day in words."

    class DayHighlighted(Message):
        """The cursor came to a day."""

        def __init__(self, calendar: CalendarHeatmap, day: dt.date) -> None:
            super().__init__()
            self.calendar = calendar
            self.day = day

        @property
        def control(self) -> CalendarHeatmap:
            """The widget the message is from."""
            return self.calendar

    def __init__(
        self,
        *,
        unit: Unit = count,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(unit=unit, id=id, classes=classes)
        self._start = self._end = dt.date(1970, 1, 1)
        self._values: list[float] = []
        self._describe: Callable[[dt.date], str] | None = None
        self._first = 0
        self._step = 2

    def span_of(self, index: int) -> Range | None:
        """The day."""
        return bucket(dt.datetime.combine(self._day(index), dt.time()), "day")

    def show(
        self,
        values: Mapping[dt.date, float | None],
        end: dt.date,
        *,
        describe: Callable[[dt.date], str] | None = None,
    ) -> None:
        """Show a value a day, missing ones being 0, for the 53 weeks up to `end`; the cursor stays on its day."""
        before = None if self._cursor is None else self._day(self._cursor)
        self._end = end
        self._start = end - dt.timedelta(days=end.weekday() + 7 * (_WEEKS - 1))
        days = (end - self._start).days + 1
        self._values = [amount(values.get(self._day(index))) for index in range(days)]
        self._describe = describe
        if before is not None:
            self._cursor = max(0, min((before - self._start).days, days - 1))
        self.repaint()

    def _day(self, index: int) -> dt.date:
        return self._start + dt.timedelta(days=index)

    @property
    def caption(self) -> str:
        if not any(self._values):
            return ""
        if self._cursor is None:
            peak = max(range(len(self._values)), key=self._values.__getitem__)
            active = sum(map(bool, self._values))
            noun = "day" if active == 1 else "days"
            return f"{active} active {noun} · most {self._tell(peak)}"
        if self._describe is not None:
            return clean(self._describe(self._day(self._cursor)))
        return self._tell(self._cursor)

    def _tell(self, index: int) -> str:
        day = self._day(index)
        value = self._unit(self._values[index]) if self._values[index] else "nothing"
        return f"{WEEKDAYS[day.weekday()]} {day_name(day, self._end)}: {value}"

    def part_count(self) -> int:
        return len(self._values)

    def part_at(self, x: int, y: int) -> int | None:
        week, weekday = (x - _LEFT) // self._step, y - 1
        if x < _LEFT or not 0 <= weekday < 7:
            return None
        index = (self._first + week) * 7 + weekday
        return index if index < len(self._values) else None

    def announce(self, index: int) -> None:
        self.post_message(self.DayHighlighted(self, self._day(index)))

    def paint(self, grid: Grid, ink: Ink) -> None:
        if not any(self._values):
            put_centered(grid, _EMPTY, ink.muted)
            return
        room = max(1, grid.width - _LEFT)
        self._step = 2 if room >= 40 else 1
        shown = min(_WEEKS, room // self._step)
        self._first = _WEEKS - shown
        if self._cursor is not None:
            self._first = min(self._first, self._cursor // 7)
        tone = parse(self.app.theme_variables, self._TONE, ink.foreground)
        level = leveler(self._values)
        for week in range(shown):
            for weekday in range(7):
                index = (self._first + week) * 7 + weekday
                if index < len(self._values):
                    rank = level(self._values[index])
                    style = heat_style(ink, tone, rank, index == self._cursor)
                    grid.put(_LEFT + week * self._step, 1 + weekday, LEVELS[rank], style)
        self._paint_weekdays(grid, ink, 1)
        self._paint_months(grid, ink, shown)
        paint_footer(grid, ink, tone, 8, _LEFT, self.caption)

    def _paint_months(self, grid: Grid, ink: Ink, shown: int) -> None:
        """Names over the week in which a month begins, unless the next month's is too close."""
        free = 0
        for week in range(shown):
            sunday = self._day((self._first + week) * 7 + 6)
            column = week * self._step
            if sunday.day <= 7 and column >= free:
                grid.put(_LEFT + column, 0, month(sunday)[:3], ink.muted)
                free = column + 4


class HourHeatmap(_Heatmap):
    """A week by hours: a row a weekday, a column an hour of the day."""

    _TONE = "primary"
    DEFAULT_CSS = """
    HourHeatmap { height: 9; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "point_by(-1)", "Hour before", show=False),
        Binding("right", "point_by(1)", "Hour after", show=False),
        Binding("up,k", "point_by(-24)", "Day before", show=False),
        Binding("down,j", "point_by(24)", "Day after", show=False),
    ]
    HELP = "The arrow keys move over weekdays and hours; the line below tells the hour in words."

    class HourHighlighted(Message):
        """The cursor came to an hour (0 to 23) of a weekday (0, Monday, to 6)."""

        def __init__(self, heatmap: HourHeatmap, weekday: int, hour: int) -> None:
            super().__init__()
            self.heatmap = heatmap
            self.weekday = weekday
            self.hour = hour

        @property
        def control(self) -> HourHeatmap:
            """The widget the message is from."""
            return self.heatmap

    def __init__(
        self,
        *,
        unit: Unit = count,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(unit=unit, id=id, classes=classes)
        self._values: list[float] = []
        self._describe: Callable[[int, int], str] | None = None
        self._wide = 1

    def show(
        self, values: Sequence[Sequence[float | None]], *, describe: Callable[[int, int], str] | None = None
    ) -> None:
        """Show seven rows, Monday first, of 24 values; missing ones are 0. `describe` takes weekday and hour."""
        rows = [list(row)[:24] for row in values][:7]
        rows += [[] for _ in range(7 - len(rows))]
        self._values = [amount(value) for row in rows for value in row + [None] * (24 - len(row))]
        self._describe = describe
        self.repaint()

    @property
    def caption(self) -> str:
        if not any(self._values):
            return ""
        if self._cursor is None:
            peak = max(range(len(self._values)), key=self._values.__getitem__)
            return f"Most {self._tell(peak)}"
        if self._describe is not None:
            return clean(self._describe(*divmod(self._cursor, 24)))
        return self._tell(self._cursor)

    def _tell(self, index: int) -> str:
        weekday, hour = divmod(index, 24)
        value = self._unit(self._values[index]) if self._values[index] else "nothing"
        return f"{WEEKDAYS[weekday]} {hour:02d}:00 to {(hour + 1) % 24:02d}:00: {value}"

    def part_count(self) -> int:
        return len(self._values)

    def part_at(self, x: int, y: int) -> int | None:
        hour, weekday = (x - _LEFT) // self._wide, y - 1
        inside = x >= _LEFT and hour < 24 and 0 <= weekday < 7 and self._values
        return weekday * 24 + hour if inside else None

    def announce(self, index: int) -> None:
        self.post_message(self.HourHighlighted(self, *divmod(index, 24)))

    def paint(self, grid: Grid, ink: Ink) -> None:
        if not any(self._values):
            put_centered(grid, _EMPTY, ink.muted)
            return
        self._wide = max(1, min((grid.width - _LEFT) // 24, 4))
        tone = parse(self.app.theme_variables, self._TONE, ink.foreground)
        level = leveler(self._values)
        for index, value in enumerate(self._values):
            weekday, hour = divmod(index, 24)
            rank = level(value)
            style = heat_style(ink, tone, rank, index == self._cursor)
            glyph = LEVELS[rank] * max(1, self._wide - 1) if rank else LEVELS[0].ljust(self._wide - 1)
            grid.put(_LEFT + hour * self._wide, 1 + weekday, glyph, style)
        every = 6 if self._wide == 1 else 3
        for hour in range(0, 24, every):
            grid.put(_LEFT + hour * self._wide, 0, f"{hour:02d}", ink.muted)
        self._paint_weekdays(grid, ink, 1)
        paint_footer(grid, ink, tone, 8, _LEFT, self.caption)
