"""The views of the Tokens tab beside the overview: timing, rhythm, agents, cache, tool results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agnes_stats.ingest import limit_log
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.calendar import CalendarHeatmap, HourHeatmap
from agnes_stats.tui.kit.chart import PlotextChart
from agnes_stats.tui.tokens.pane import VIEWS
from agnes_stats.tui.tokens.records import TokenTable

from tests.storing import held
from tests.transcripts import HAIKU, OPUS, SONNET, Transcript, store_of
from tests.tui.running import press, running, screen_text, settle, show_view

NAMES = ("overview", "timing", "rhythm", "agents", "caching", "tools")
WEBSITE = "/home/dana/work/website"
NOW = dt.datetime(2026, 3, 10, 10, 30)


def transcripts() -> list[Transcript]:
    """A morning with a sub-agent that reads a lot, some turns, and a website on the days before."""
    churn = Transcript("churn", "2026-03-10T09:20:00").title("Fix the churn query").prompt("Fix it").wait(3)
    churn.response(
        ("t1", "Task", {"subagent_type": "Explore", "description": "Find how churn is counted"}),
        ("r1", "Read", {"file_path": "/home/dana/work/warehouse/models/churn.sql"}),
        tokens=(1_000, 6_000, 500_000, 90_000),
    )
    agent = Transcript("churn", churn.now, agent="a1", model=HAIKU).prompt("Look").wait(8)
    agent.response(tokens=(500, 900, 120_000, 9_000))
    churn.wait(20).result("r1", "x" * 40_000)
    churn.wait(20).result("t1", "y" * 4_000, toolUseResult={"agentId": "a1", "status": "completed"})
    churn.wait(5).response(("b1", "Bash", {"command": "make"}), tokens=(200, 3_000, 600_000, 8_000))
    churn.wait(2).result("b1", "Error: no rule to make", error=True)
    churn.row("system", subtype="turn_duration", durationMs=52_000)
    sessions = [churn, agent]
    for number, day in enumerate(("2026-03-02T08:15:00", "2026-03-05T08:40:00", "2026-03-05T19:10:00")):
        site = Transcript(f"site{number}", day, cwd=WEBSITE, model=SONNET).prompt("Add a page").wait(2 + number)
        site.response(tokens=(100, 2_000, 40_000, 7_000))
        site.row("system", subtype="turn_duration", durationMs=9_000 + 1_000 * number)
        sessions.append(site)
    return sessions


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(store_of(tmp_path_factory.mktemp("tokens-views"), transcripts())) as store:
        yield store


def opened(store: Store, size: tuple[int, int] = (140, 45), **options: object):  # type: ignore[no-untyped-def]
    return running(store, size, tab="tokens", now=NOW, **options)


def rows(app: AgnesStats, table: str) -> list[list[str]]:
    found = app.query_one(f"#{table}", TokenTable)
    return [[str(value) for value in record.cells.values()] for record in found.records]


@pytest.fixture
def golden_view(golden: Callable[[str, str], None]) -> Callable[[AgnesStats, str], None]:
    """`golden_view(app, name)` compares a view with what is expected."""
    return lambda app, name: golden(f"tokens-{name}-140x45", "\n".join(screen_text(app).splitlines()[6:-1]))


def offered(app: AgnesStats) -> str:
    """The keys told below the tab."""
    return screen_text(app).splitlines()[-1]


GoldenView = Callable[[AgnesStats, str], None]


def test_no_view_is_without_an_expected_screen() -> None:
    # Each but the first and the last, which others test, is compared below, in the test of what it tells.
    compared = ("timing", "rhythm", "limits", "agents", "caching", "tools")
    assert [view.NAME for view in VIEWS] == ["overview", *compared, "panels"]


async def test_escape_goes_back_to_the_overview_and_only_then_drops_filters(store: Store) -> None:
    async with opened(store, chosen=Filter(model=OPUS)) as (app, pilot):
        for name in ("timing", "tools"):
            await show_view(pilot, name)
            assert not app.query_one("#over-time").region, "the overview is away"
            await press(pilot, "escape")
            assert app.query_one("#over-time").region
            assert app.chosen.model == OPUS
        await press(pilot, "escape")
        assert app.chosen.model is None


async def test_a_view_is_opened_by_a_click_and_keys_that_mean_nothing_in_it_are_not_offered(store: Store) -> None:
    async with opened(store) as (app, pilot):
        assert "Break down by" in offered(app)
        column = screen_text(app).splitlines()[2].index("Timing")
        await pilot.click("ViewStrip", offset=(column, 0))
        await settle(pilot)
        assert "Response time of" in screen_text(app)
        assert "Break down by" not in offered(app)
        assert "Measure" in offered(app)
        await show_view(pilot, "tools")
        await press(pilot, "b", "h", "u", "w")
        assert "Measure" not in offered(app)
        await show_view(pilot, "overview")
        assert "Spend by day and model" in screen_text(app), "nothing happened behind the view"


# -- timing


async def test_timing_goes_from_metric_to_metric_and_a_wide_screen_shows_all(
    store: Store, golden_view: GoldenView
) -> None:
    async with opened(store) as (app, pilot):
        await show_view(pilot, "timing")
        golden_view(app, "timing")
        assert "Response time of 5 responses" in screen_text(app)
        assert ["opus-4.5", "2", "4.0 s", "4.8 s", "5.0 s"] in [row[:5] for row in rows(app, "timing-models")]
        await press(pilot, "u")
        assert "Turn duration of 4 turns" in screen_text(app)
        assert ["opus-4.5", "1", "52 s", "52 s", "52 s"] in [row[:5] for row in rows(app, "timing-models")]
        await press(pilot, "u")
        assert "Output speed of 5 responses" in screen_text(app)
        assert ["sonnet-4.5", "3", "667 tok/s"] in [row[:3] for row in rows(app, "timing-models")]
        await press(pilot, "u")
        assert "Response time of 5 responses" in screen_text(app)
        assert "Turn duration of" not in screen_text(app)
        app.set_focus(app.query_one("#timing-response", PlotextChart))
        await press(pilot, "end")
        assert "or more: 1 (20.0 %)" in screen_text(app), "a bucket in words"
        await pilot.resize_terminal(200, 60)
        await settle(pilot)
        for title in ("Response time of", "Turn duration of", "Output speed of"):
            assert title in screen_text(app)


# -- rhythm


async def test_the_running_block_its_pace_and_where_it_is_heading_and_the_year_and_the_week(
    store: Store, golden_view: GoldenView
) -> None:
    async with opened(store) as (app, pilot):
        await show_view(pilot, "rhythm")
        golden_view(app, "rhythm")
        told = screen_text(app)
        assert "● 09:00 to 14:00   3h 30m left" in told
        assert "30 % of the time" in told
        assert "19k tokens/min" in told
        assert "heading for" in told
        assert "4 blocks, on average" in told
        assert [row[0] for row in rows(app, "rhythm-blocks")] == [
            "● 09:00 to 14:00",
            "Mar 05 19:00 to 00:00",
            "Mar 05 08:00 to 13:00",
            "Mar 02 08:00 to 13:00",
        ]
        # The year and the week count money or tokens.
        days, hours = app.query_one("#rhythm-days", CalendarHeatmap), app.query_one("#rhythm-hours", HourHeatmap)
        assert days.caption == "3 active days · most Tue Mar 10: $1.42"
        assert hours.caption == "Most Tue 09:00 to 10:00: $1.42"
        await press(pilot, "u")
        assert days.caption == "3 active days · most Tue Mar 10: 1.3M"
        app.set_focus(days)
        await press(pilot, "end")
        assert days.caption == "Tue Mar 10: 1.3M tokens"
        await press(pilot, "up")
        assert days.caption == "Mon Mar 09: nothing"


async def test_a_limit_and_the_budget_stand_beside_the_block(tmp_path: Path) -> None:
    one = Transcript("one", "2026-03-10T09:20:00").prompt("Go").response(tokens=(0, 100_000, 0, 0)).wait(1800)
    one.response(model="<synthetic>", text="Claude AI usage limit reached|1773144000", tokens=(0, 0, 0, 0))
    one.rows[-1]["isApiErrorMessage"] = True
    store = store_of(tmp_path, [one])
    async with opened(store, budget=3.0) as (app, pilot):
        await show_view(pilot, "rhythm")
        told = screen_text(app)
        assert "limit        hit 09:50, until 12:00" in told
        assert "near budget  $2.50 of $3.00 in March (83 %)" in told
        assert "largest $2.50, 09:00 to 14:00" in told, "all of it fits"
    async with running(store, (80, 24), tab="tokens", now=NOW, budget=2.0) as (app, pilot):
        await show_view(pilot, "rhythm")
        assert "limit hit 09:50, until 12:00 · ● 3h 30m left · heading for" in screen_text(app)
        assert "over budget: $2.50 of $2.00 in March (125 %)" in screen_text(app)
    async with running(store, tab="tokens", now=NOW + dt.timedelta(hours=2), budget=90.0) as (app, pilot):
        await show_view(pilot, "rhythm")
        assert "limit        hit 09:50, over since 12:00" in screen_text(app)
        assert "budget       $2.50 of $90.00 in March (2 %)" in screen_text(app)


async def test_without_a_running_block_that_is_said(store: Store) -> None:
    async with running(store, tab="tokens", now=NOW + dt.timedelta(hours=8)) as (app, pilot):
        await show_view(pilot, "rhythm")
        assert "No block is running" in screen_text(app)
        assert "heading for" not in screen_text(app)


async def test_a_low_screen_shows_the_days_or_the_hours(store: Store) -> None:
    async with opened(store, (80, 24)) as (app, pilot):
        await show_view(pilot, "rhythm")
        assert "the last year" in screen_text(app)
        assert "● 3h 30m left · heading for" in screen_text(app)
        assert "by hour of the week" not in screen_text(app)
        await press(pilot, "w")
        assert "by hour of the week" in screen_text(app)
        assert "the last year" not in screen_text(app)


# -- agents, cache, tools


async def test_what_is_left_of_limits_and_budgets(tmp_path: Path, golden_view: GoldenView) -> None:
    store = store_of(tmp_path, [Transcript("s", NOW - dt.timedelta(hours=1)).prompt("Go").response()])
    async with opened(store) as (app, pilot):
        await show_view(pilot, "limits")
        assert '"agnes-stats statusline"' in screen_text(app), "how to get to know them"
    log = limit_log.log_beside(store.path)
    for hours in range(-50, 1, 2):
        at = NOW.replace(tzinfo=dt.UTC).timestamp() + 3600 * hours
        windows = {
            "five_hour": {"used_percentage": 50 + hours % 5 * 10, "resets_at": at + 3600},
            "seven_day": {"used_percentage": 60 + hours, "resets_at": NOW.replace(tzinfo=dt.UTC).timestamp() + 90_000},
        }
        assert limit_log.note(log, {"rate_limits": windows}, at)
    Engine(store, [Root("limits", log.parent)], workers=0).catch_up()
    async with opened(store, budget=90.0, budget_day=0.04) as (app, pilot):
        await show_view(pilot, "limits")
        golden_view(app, "limits")
        assert "5h: how much was used, the last 48 hours" in screen_text(app)
        await press(pilot, "down")
        assert "7d: how much was used, the last 8 days" in screen_text(app)


async def test_agents_and_their_tasks_filter(store: Store, golden_view: GoldenView) -> None:
    async with opened(store) as (app, pilot):
        await show_view(pilot, "agents")
        golden_view(app, "agents")
        assert "Delegated 130k tokens, 8.8 %" in screen_text(app)
        assert "1 task · compression ≈ 130×" in screen_text(app)
        assert [row[0] for row in rows(app, "agents-types")] == ["main", "Explore"]
        assert rows(app, "agents-tasks")[0][:3] == ["Find how churn is counted", "Explore", "Fix the churn query"]
        await press(pilot, "down", "enter")
        assert app.chosen.subagent_type == "Explore"
        app.set_focus(app.query_one("#agents-tasks"))
        await press(pilot, "enter")
        assert app.chosen.session_id == "churn"


async def test_the_cache_by_maker_and_model_and_tools_by_the_size_of_their_results(
    store: Store, golden_view: GoldenView
) -> None:
    async with opened(store) as (app, pilot):
        await show_view(pilot, "tools")
        golden_view(app, "tools")
        assert "3 calls gave back about 11k tokens" in screen_text(app)
        assert [row[:4] for row in rows(app, "tools-by-size")] == [
            ["Read", "1", "–", "10k"],
            ["Task", "1", "–", "1.0k"],
            ["Bash", "1", "1 (100.0 %)", "5"],
        ]
        await show_view(pilot, "caching")
        golden_view(app, "caching")
        assert [row[0].strip() for row in rows(app, "caching-models")] == [
            "Anthropic",
            "opus-4.5",
            "sonnet-4.5",
            "haiku-4.5",
        ]
        app.set_focus(app.query_one("#caching-days"))
        await press(pilot, "end")
        assert "Tue Mar 10: 91.8 %, 1.2M of 1.3M read" in screen_text(app)
        await press(pilot, "left")
        assert "Mon Mar 09: nothing" in screen_text(app)
        app.set_focus(app.query_one("#caching-models"))
        await press(pilot, "down", "down", "enter")
        assert app.chosen.model == SONNET
        await press(pilot, "end", "enter")
        assert app.chosen.model == SONNET
        app.choose(model=None)
        await show_view(pilot, "tools")
        app.set_focus(app.query_one("#tools-largest"))
        await press(pilot, "enter")
        assert app.chosen.session_id == "churn"


async def test_without_turns_sub_agents_or_tools_that_is_said(store: Store) -> None:
    async with opened(store, chosen=Filter(subagent_type="Explore")) as (app, pilot):
        await show_view(pilot, "timing")
        await press(pilot, "u")
        assert "No turns with a time here." in screen_text(app)
        assert rows(app, "timing-models") == []
        app.choose(subagent_type=None, project=WEBSITE)
        await show_view(pilot, "agents")
        assert "Nothing was delegated to sub-agents here." in screen_text(app)
        await show_view(pilot, "tools")
        assert "No tool was called here." in screen_text(app)


async def test_no_view_shows_money_where_it_is_hidden(store: Store) -> None:
    async with opened(store, (200, 60), no_cost=True) as (app, pilot):
        for name in NAMES:
            await show_view(pilot, name)
            assert "$" not in screen_text(app), name
            assert "Cost" not in screen_text(app), name
            assert "Saved" not in screen_text(app), name


@pytest.mark.parametrize("size", [(60, 16), pytest.param((250, 80), marks=pytest.mark.long)])
async def test_every_view_at_every_size(store: Store, size: tuple[int, int]) -> None:
    async with opened(store, size) as (app, pilot):
        for name in NAMES:
            await show_view(pilot, name)
            await press(pilot, "w", "tab", "down", "left")
            assert "Could not load" not in screen_text(app), name
