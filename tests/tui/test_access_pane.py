"""The Data access tab, driven by its keys and read from the screen: the list, its filters, pages and details."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui.access import data as access_data
from agnes_stats.tui.access.detail import AccessScreen
from agnes_stats.tui.access.pane import AccessPane
from agnes_stats.tui.access.table import AccessTable
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.state import PaneState
from agnes_stats.tui.sessions.detail import SessionScreen

from tests.queries.accesses import agnes, store_with
from tests.storing import held
from tests.tui.access_world import HOSTILE, world
from tests.tui.running import NOW, SIZES, at_sizes, press, running, screen_text, settle, show_days, show_view


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(world(tmp_path_factory.mktemp("world"))) as store:
        yield store


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of three."""
    monkeypatch.setattr(access_data, "PAGE", 3)


def on_access(store: Store, size: tuple[int, int] = (140, 45), **options: Any) -> Any:
    return running(store, size, **{"tab": "access", **options})


def keys(app: AgnesStats) -> list[str]:
    return [record.key for record in app.screen_stack[0].query_one(AccessTable).records]


def caption(app: AgnesStats) -> str:
    return next(line for line in screen_text(app).splitlines() if " access" in line and "Data access" not in line)


async def test_the_screen_and_what_failed_at_any_size(store: Store, golden: Callable[[str, str], None]) -> None:
    async with on_access(store, SIZES[0]) as (app, pilot):
        await press(pilot, "down")
        async for size, text in at_sizes(pilot, SIZES):
            golden(f"access-{size[0]}x{size[1]}", "\n".join(text.splitlines()[2:-1]))
            assert max(map(len, text.splitlines())) <= size[0]
            for told in ("Reads", "Failed", "query.remote", "table:orders", "error.400", "15 accesses"):
                assert told in text
        await press(pilot, "t", "x")
        async for size, text in at_sizes(pilot, SIZES):
            assert "no column named x" in text and "select x from orders" in text
            if size == (80, 24):
                # The figures, in one line here, obey the filters.
                assert "Reads 2 " in text.splitlines()[4] and "Failed 2 (100.0 %)" in text.splitlines()[4]
                assert caption(app).strip() == "2 accesses · queries · failed"


async def test_an_access_is_told_in_full_below_the_list_and_for_how_long_it_runs(store: Store) -> None:
    async with on_access(store) as (app, pilot):
        line = next(line for line in screen_text(app).splitlines() if "14:44:16" in line)
        assert "running" in line and "14 s …" in line
        app.now = lambda: NOW + dt.timedelta(seconds=9)
        app.query_one(AccessPane).tick()
        await settle(pilot)
        assert "23 s …" in screen_text(app)
        app.query_one(AccessTable).select("churn-no0:0")
        await settle(pilot)
        text = screen_text(app)
        for told in (
            "2026-03-10 14:06:12 · 800 ms · 1,204 rows · 5.0 kB scanned",
            "duckdb · select · seen in transcript, server",
            "reads orders, customers",
            "fix the churn query · warehouse",
            "select month, count(*) from orders",
        ):
            assert told in text


async def test_the_cursor_keeps_its_row_when_others_come(tmp_path: Path) -> None:
    from tests.queries.accesses import session

    told = [session("s1", "14:00", *[agnes("select 1 from t")] * 5)]
    store = store_with(tmp_path, told)
    async with on_access(store) as (app, pilot):
        await press(pilot, "down", "down")
        store_with(tmp_path, [*told, session("s2", "14:30", agnes("select 2 from t"))])
        await press(pilot, "f5")
        table = app.query_one(AccessTable)
        assert (table.selected.key, table.cursor_row) == ("s1-no2:0", 3)


# -- filters


async def test_groups_of_actions_and_results_one_after_the_other_even_where_nothing_matches(store: Store) -> None:
    async with on_access(store) as (app, pilot):
        everything = keys(app)
        seen = []
        for name in ("queries", "files", "web", "catalog", "snapshots"):
            await press(pilot, "t")
            assert f" {name} ✕ " in screen_text(app).splitlines()[1] and f"· {name}" in caption(app)
            seen += keys(app)
        assert sorted(seen) == sorted(everything)
        await press(pilot, "t")
        assert keys(app) == everything
        seen = []
        for name in ("failed", "denied", "running", "interrupted", "success"):
            await press(pilot, "x")
            assert f" {name} ✕ " in screen_text(app).splitlines()[1]
            seen += keys(app) if app.query_one("#access-body").display else []
        assert sorted(seen) == sorted(everything)
        await press(pilot, "t", "t", "t", "x", "x")
        assert "No data accesses match these filters. Press Escape to clear them." in screen_text(app)
        await press(pilot, "escape")
        assert keys(app) == everything


async def test_text_project_and_days(store: Store) -> None:
    async with on_access(store) as (app, pilot):
        await press(pilot, "slash", *"EVENT", "enter")
        assert set(keys(app)) == {"churn-no1:0", "churn-no3:0", "server:http://agnes:alone"}
        assert "“EVENT”" in screen_text(app)
        await press(pilot, "escape")
        app.choose(project="web-frontend")
        await settle(pilot)
        assert {key.split("-")[0] for key in keys(app)} == {"web", "run"}
        app.choose(project=None)
        await settle(pilot)
        assert "old-no0:0" not in keys(app)
        await show_days(pilot, "all")
        assert "old-no0:0" in keys(app)


# -- pages


@pytest.mark.usefixtures("few")
async def test_pages_forth_and_back_to_the_end_are_together_the_list(store: Store) -> None:
    async with on_access(store) as (app, pilot):
        first = keys(app)
        assert caption(app).strip() == "3 of 15 accesses · n older"
        await press(pilot, "n")
        second = keys(app)
        assert caption(app).strip() == "4 to 6 of 15 accesses · n older · N newer"
        assert len(second) == 3 and not set(first) & set(second)
        await press(pilot, "N")
        assert keys(app) == first
        await press(pilot, "N")
        assert keys(app) == first
        seen = list(first)
        for _ in range(4):
            await press(pilot, "n")
            seen += keys(app)
        assert len(seen) == len(set(seen)) == 15
        assert caption(app).strip() == "13 to 15 of 15 accesses · N newer"
        await press(pilot, "n", "end", "down")
        assert keys(app) == seen[-3:], "the last page has no next"


@pytest.mark.usefixtures("few")
async def test_moving_beyond_the_end_turns_the_page_and_another_filter_begins_at_the_first(store: Store) -> None:
    async with on_access(store) as (app, pilot):
        first = keys(app)
        await press(pilot, "up")
        await press(pilot, "down", "down", "down")
        table = app.query_one(AccessTable)
        second = keys(app)
        assert second != first and table.cursor_row == 0
        await press(pilot, "up")
        assert keys(app) == first and table.cursor_row == 2
        await press(pilot, "pagedown")
        assert keys(app) == second
        await press(pilot, "pageup")
        assert keys(app) == first
        await press(pilot, "n", "t")
        assert caption(app).startswith(" 3 of ")
        await press(pilot, "n")
        await show_days(pilot, "90")
        assert caption(app).startswith(" 3 of ")


# -- details


async def test_enter_shows_everything_and_leads_on(store: Store, golden: Callable[[str, str], None]) -> None:
    async with on_access(store, (80, 24)) as (app, pilot):
        app.query_one(AccessTable).select("churn-no0:0")
        await press(pilot, "enter")
        assert isinstance(app.screen, AccessScreen)
        golden("access-detail-80x24", screen_text(app))
        await press(pilot, "y")
        assert app.clipboard == "select month, count(*) from orders join customers using (id)"
        await press(pilot, "question_mark")
        assert "Copy the SQL" in screen_text(app)
        await press(pilot, "escape", "o")
        assert isinstance(app.screen, SessionScreen)
        await press(pilot, "escape", "escape")
        assert app.screen is app.screen_stack[0] and app.focused is app.query_one(AccessTable)


async def test_the_session_and_the_sql_are_one_key_away_and_a_failure_says_why(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no luck")

    async with on_access(store) as (app, pilot):
        app.query_one(AccessTable).select("web-no0:0")
        await press(pilot, "y")
        assert app.clipboard == "/w/web-frontend/models/churn.sql"
        await press(pilot, "o")
        assert isinstance(app.screen, SessionScreen)
        await press(pilot, "escape")
        app.query_one(AccessTable).select("server:http://agnes:alone")
        await press(pilot, "o")
        assert ["the session is not known" in note.message for note in app._notifications] == [False, True]
        with monkeypatch.context() as patched:
            patched.setattr(AccessPane, "load", broken)
            await press(pilot, "f5")
        assert app.query_one("#access PaneState", PaneState).mode == "failed"
        assert "no luck" in screen_text(app) and "F5" in screen_text(app)


async def test_nothing_in_the_data_reaches_the_terminal_or_is_markup(store: Store) -> None:
    async with on_access(store, (200, 60)) as (app, pilot):
        for key in keys(app):
            app.query_one(AccessTable).select(key)
            await settle(pilot)
            text = screen_text(app)
            assert not {char for char in text if char < " " and char != "\n"}
        app.query_one(AccessTable).select("evil-no0:0")
        await settle(pilot)
        assert "[/foo]hidden" in screen_text(app)
        await press(pilot, "y")
        assert app.clipboard == "select '[/foo][bold]x' from t"
        assert "\x1b" in HOSTILE
        await press(pilot, "enter")
        assert "select '[/foo][bold]x' from t" in screen_text(app)


# -- nothing to show


async def test_an_empty_store_says_where_it_looked(tmp_path: Path) -> None:
    async with on_access(Store(tmp_path / "store.duckdb")) as (app, _):
        text = screen_text(app)
        assert "No data accesses yet" in text and "~/.claude" in text and "agnes-stats --demo" in text


async def test_days_without_an_access_say_what_to_press(store: Store) -> None:
    day = dt.date(2026, 3, 1)
    async with on_access(store, chosen=Filter(since=day, until=day)) as (app, pilot):
        assert "No data accesses in these days. Press r for a longer range." in screen_text(app)
        await show_days(pilot, "90")
        assert keys(app)


async def test_every_key_is_told_in_the_help_of_a_view_where_it_works(store: Store) -> None:
    told = ""
    async with on_access(store, (140, 60)) as (app, pilot):
        for name in ("summary", "tools", "list"):
            await show_view(pilot, name)
            await press(pilot, "question_mark")
            told += screen_text(app)
            await press(pilot, "escape")
    pages = ("older", "newer")
    for binding in AccessPane.BINDINGS:
        # There is one page only.
        assert (binding.tooltip in told) == (binding.action not in pages)  # type: ignore[union-attr,operator]
    assert "wait for your permission" in told


def test_the_clock_of_the_tests_stands_still() -> None:
    assert dt.datetime(2026, 3, 10, 14, 44, 30) == NOW
