"""The choices of days, and days as people type them."""

import datetime as dt
import json
from pathlib import Path

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli
from agnes_stats.tui.kit.bars import StackedBars
from agnes_stats.tui.memory import Memory, Remembered
from agnes_stats.tui.ranges import (
    ALL,
    RANGES,
    THIRTY,
    bucket,
    first_range,
    holding,
    last_hours,
    range_named,
    ranged,
    typed,
)
from agnes_stats.tui.tabs import TABS
from agnes_stats.tui.views import HasViews

from tests.tui.running import press, running, screen_text, settle, show_days, show_view

DAY = dt.date
TODAY = DAY(2026, 3, 4)
"""A Wednesday."""
NOW = dt.datetime(2026, 3, 4, 23, 30)


@pytest.mark.parametrize(
    ("label", "since", "until"),
    [
        ("today", TODAY, None),
        ("yesterday", DAY(2026, 3, 3), DAY(2026, 3, 3)),
        ("this week", DAY(2026, 3, 2), None),
        ("this month", DAY(2026, 3, 1), None),
        ("7 days", DAY(2026, 2, 26), None),
        ("30 days", DAY(2026, 2, 3), None),
        ("365 days", DAY(2025, 3, 5), None),
        ("24 hours", DAY(2026, 3, 3), None),
        ("all days", None, None),
    ],
)
def test_what_a_choice_stands_for(label: str, since: dt.date | None, until: dt.date | None) -> None:
    choice = next(choice for choice in RANGES if choice.label == label)
    assert choice.span_on(TODAY) == (since, until)
    assert range_named(label) is choice


@pytest.mark.parametrize(
    ("text", "label", "since", "until"),
    [
        ("14 days", "14 days", DAY(2026, 2, 19), None),
        ("14", "14 days", DAY(2026, 2, 19), None),
        ("1d", "today", TODAY, None),
        ("6h", "6 hours", DAY(2026, 3, 3), None),
        ("2026-01-05 14:00", "2026-01-05 14:00", DAY(2026, 1, 5), DAY(2026, 1, 5)),
        ("2026-01-05", "2026-01-05", DAY(2026, 1, 5), DAY(2026, 1, 5)),
        ("2024-2", "2024-02-01 to 2024-02-29", DAY(2024, 2, 1), DAY(2024, 2, 29)),
        ("2025", "2025-01-01 to 2025-12-31", DAY(2025, 1, 1), DAY(2025, 12, 31)),
        ("2026-01-05 to 2026-02-28", "2026-01-05 to 2026-02-28", DAY(2026, 1, 5), DAY(2026, 2, 28)),
        ("2026-01-05..2026-01", "2026-01-05 to 2026-01-31", DAY(2026, 1, 5), DAY(2026, 1, 31)),
        ("2026-01-05 2026-01-06", "2026-01-05 to 2026-01-06", DAY(2026, 1, 5), DAY(2026, 1, 6)),
        ("2026-01-05 ..", "since 2026-01-05", DAY(2026, 1, 5), None),
        (".. 2026-01-05", "until 2026-01-05", None, DAY(2026, 1, 5)),
    ],
)
def test_days_as_people_type_them(text: str, label: str, since: dt.date | None, until: dt.date | None) -> None:
    choice = typed(text)
    assert choice is not None
    assert (choice.label, choice.span_on(TODAY)) == (label, (since, until))
    again = range_named(label)
    assert again is not None
    assert again.span_on(TODAY) == (since, until)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "soon",
        "0",
        "2026-13",
        "2026-02-30",
        "2026-02-02 to 2026-01-01",
        "1200-01-01",
        "2026-01-01 x",
        "0 hours",
        "2026-01-01 24:00",
        "2026-01 14:00",
        "9" * 30,
    ],
)
def test_what_is_no_range(text: str) -> None:
    assert typed(text) is None


def test_the_day_is_that_of_the_zone() -> None:
    chosen = ranged(Filter(zone="Europe/Prague"), Filter(), RANGES[0], NOW)
    assert chosen.since == DAY(2026, 3, 5)
    assert ranged(Filter(zone="UTC"), Filter(), RANGES[0], NOW).since == TODAY


@pytest.mark.parametrize(
    ("label", "zone", "since", "until", "after", "before"),
    [
        # 23:30 in UTC; in Kathmandu it is 05:15 of the next day, and hours begin at a quarter past.
        ("24 hours", "UTC", DAY(2026, 3, 4), DAY(2026, 3, 4), (4, 0, 0), (5, 0, 0)),
        ("6 hours", "Asia/Kathmandu", DAY(2026, 3, 5), DAY(2026, 3, 5), (4, 18, 15), (5, 0, 15)),
        ("30 hours", "Europe/Prague", DAY(2026, 3, 3), DAY(2026, 3, 5), (3, 18, 0), (5, 0, 0)),
        ("2026-03-01 14:00", "Europe/Prague", DAY(2026, 3, 1), DAY(2026, 3, 1), (1, 13, 0), (1, 14, 0)),
    ],
)
def test_hours_are_those_of_the_clock_of_the_zone(
    label: str, zone: str, since: dt.date, until: dt.date, after: tuple[int, int, int], before: tuple[int, int, int]
) -> None:
    choice = range_named(label)
    assert choice is not None
    chosen = ranged(Filter(zone=zone), Filter(), choice, NOW)
    assert (chosen.since, chosen.until) == (since, until)
    assert (chosen.after, chosen.before) == (dt.datetime(2026, 3, *after), dt.datetime(2026, 3, *before))
    assert ranged(chosen, Filter(), THIRTY, NOW).has_hours is False


@pytest.mark.parametrize(
    ("granularity", "label"),
    [
        ("hour", "2026-02-02 14:00"),
        ("day", "2026-02-02"),
        ("week", "2026-02-02 to 2026-02-08"),
        ("month", "2026-02-01 to 2026-02-28"),
    ],
)
def test_what_a_bar_stands_for(granularity: str, label: str) -> None:
    assert bucket(dt.datetime(2026, 2, 2, 14), granularity).label == label


def test_days_of_the_command_line_are_what_all_means() -> None:
    fixed = Filter(since=DAY(2026, 1, 1))
    assert first_range(fixed) is ALL
    assert ranged(Filter(), fixed, ALL, NOW).since == DAY(2026, 1, 1)


@pytest.mark.parametrize(
    ("day", "label"),
    [(TODAY, "30 days"), (DAY(2026, 1, 1), "90 days"), (DAY(2025, 6, 1), "365 days"), (DAY(2020, 1, 1), "all days")],
)
def test_the_choice_that_has_a_day_in_it(day: dt.date, label: str) -> None:
    assert holding(day, TODAY).label == label
    assert THIRTY in RANGES


# -- on the screen ---------------------------------------------------------------------------------------------------

ROW = {"type": "user", "sessionId": "s", "cwd": "/w/shop", "timestamp": "2025-12-24T10:00:00Z", "uuid": "p"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One session, on the last Christmas Eve before `running.NOW`."""
    folder = tmp_path_factory.mktemp("ranges")
    place = folder / "claude" / "projects" / "-w"
    place.mkdir(parents=True)
    usage = {"input_tokens": 1, "output_tokens": 1}
    said = {"id": "m", "model": "claude-opus-4-6", "content": [], "usage": usage}
    rows = [
        {**ROW, "message": {"role": "user", "content": "wrap the presents"}},
        {**ROW, "type": "assistant", "uuid": "a", "message": said},
    ]
    (place / "s.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    path = folder / "store" / "s.duckdb"
    assert cli.main(["ingest", "--store", str(path), "--source", f"claude={folder / 'claude'}"]) == 0
    return Store(path)


async def test_days_are_chosen_from_a_list_or_typed(store: Store) -> None:
    async with running(store) as (app, pilot):
        assert "wrap the presents" not in screen_text(app)
        await press(pilot, "r")
        told = screen_text(app)
        assert "this month" in told and "Mar 01 to Mar 10" in told
        await press(pilot, "escape")
        assert "30 days ▾ · all projects" in screen_text(app)
        for asked, shown in (("90", "90 days"), ("2025-12", "2025-12-01 to 2025-12-31"), ("100 days", "100 days")):
            await show_days(pilot, asked)
            assert f"{shown} ▾ · all projects" in screen_text(app)
            assert "wrap the presents" in screen_text(app), asked
        await show_days(pilot, "yesterday")
        assert "wrap the presents" not in screen_text(app)


async def test_a_bar_is_zoomed_into_its_day_and_hour_and_back(store: Store) -> None:
    december = range_named("2025-12-01 to 2025-12-31")
    async with running(store, tab="tokens", days=december) as (app, pilot):
        bars = app.query_one("#over-time", StackedBars)
        app.set_focus(bars)
        bars.point(23)
        await press(pilot, "enter")
        assert " 2025-12-24 ✕ " in screen_text(app).splitlines()[1]
        assert "by hour" in str(bars.border_title)
        bars.point(10)
        await press(pilot, "enter")
        assert " 2025-12-24 10:00 ✕ " in screen_text(app)
        assert app.chosen.has_hours and "wrap the presents" in screen_text(app)
        await press(pilot, "backspace")
        assert " 2025-12-24 ✕ " in screen_text(app), "step by step"
        await press(pilot, "escape", "escape")
        assert "2025-12-01 to 2025-12-31 ▾" in screen_text(app) and "✕" not in screen_text(app)


async def test_hours_and_the_zone_hold_on_every_tab_and_view(store: Store) -> None:
    christmas = dt.datetime(2025, 12, 24, 23, 40)
    async with running(store, now=christmas, days=last_hours(24)) as (app, pilot):
        for tab in TABS:
            await press(pilot, str(TABS.index(tab) + 1))
            shown = app.active_tab
            for name, _ in shown.views if isinstance(shown, HasViews) else ():
                await show_view(pilot, name)
                text = screen_text(app)
                assert "Could not load" not in text, name
                assert "24 hours ▾" in text and "· UTC ▾" in text, name
        await press(pilot, "1")
        await show_view(pilot, "sessions")
        assert "10:00" in screen_text(app)
        await press(pilot, "z", *"tokyo", "enter")
        assert "· Asia/Tokyo ▾" in screen_text(app)
        assert "19:00" in screen_text(app), "the list tells it on the other clock, though no row has changed"
        # 08:40 of the next day in Tokyo: the session lies within the last day, but not within today.
        await show_days(pilot, "today")
        assert "wrap the presents" not in screen_text(app)
        await show_days(pilot, "6h")
        assert "wrap the presents" not in screen_text(app)


async def test_another_hour_is_another_range_without_a_key(store: Store) -> None:
    at = dt.datetime(2025, 12, 24, 12, 59)
    async with running(store, now=at, days=last_hours(3)) as (app, pilot):
        assert "wrap the presents" in screen_text(app)
        app.now = lambda: at + dt.timedelta(minutes=2)  # type: ignore[method-assign]
        app._tick()
        await settle(pilot)
        assert "wrap the presents" not in screen_text(app)


async def test_what_is_no_range_changes_nothing(store: Store) -> None:
    async with running(store) as (app, pilot):
        await press(pilot, "r", "x", "y")
        assert "no days are called that" in screen_text(app)
        await press(pilot, "enter")
        assert "30 days ▾ · all projects" in screen_text(app)


async def test_it_opens_on_what_there_is_and_only_once(store: Store) -> None:
    async with running(store, widens=True) as (app, pilot):
        assert "90 days ▾ · all projects" in screen_text(app)
        assert "wrap the presents" in screen_text(app)
        await show_days(pilot, "today")
        assert "today ▾ · all projects" in screen_text(app)
    memory = Memory(store.path)
    async with running(store, widens=True, days=RANGES[0], memory=memory) as (app, _):
        assert "90 days ▾ · all projects" in screen_text(app)
    assert memory.recall().range == RANGES[0], "what it opened on was nobody's choice"


async def test_it_is_as_it_was_left(store: Store) -> None:
    memory = Memory(store.path)
    async with running(store, memory=memory) as (app, pilot):
        await show_days(pilot, "2025-12")
        await press(pilot, "2")
        app.theme = "nord"
    left = memory.recall()
    assert (left.theme, left.tab, left.range and left.range.label) == ("nord", "tokens", "2025-12-01 to 2025-12-31")
    assert memory.path.stat().st_mode & 0o077 == 0
    async with running(store, days=left.range, tab=left.tab, theme=left.theme) as (app, _):
        assert "2025-12-01 to 2025-12-31 ▾ · all projects" in screen_text(app)
        assert app.theme == "nord"


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", '{"theme": 3, "tab": "nowhere", "range": "soon"}', '{"range": "2026-99"}', "[" * 100_000]
)
def test_what_is_remembered_wrongly_counts_as_absent(text: str, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "s.duckdb")
    assert memory.recall() == Remembered()
    memory.path.write_text(text)
    assert memory.recall() == Remembered()


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "none" / "s.duckdb")
    memory.keep(Remembered("nord", "tokens", RANGES[0]))
    assert memory.recall() == Remembered()
