"""The frame around the tabs: what it prepares, and how seldom it asks."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.news import UpToDate
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui import app as apps
from agnes_stats.tui import header, header_data
from agnes_stats.tui.dashboard import app_of
from agnes_stats.tui.kit.key_bar import KeyBar
from agnes_stats.tui.messages import HomeLoaded, IngestNews
from agnes_stats.tui.pane import Pane
from agnes_stats.tui.settings import Settings
from agnes_stats.tui.tabs import TABS
from textual import events
from textual.screen import Screen

from tests.storing import note
from tests.transcripts import Transcript, store_of
from tests.tui.running import NOW, app_on, press, running, screen_text, settle, until
from tests.tui.test_loading import slow


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_of(tmp_path, [Transcript("s1", "2026-03-10T09:00:00").prompt("count the orders").response()])


async def test_what_comes_while_the_dashboard_closes_is_no_fault(store: Store) -> None:
    async with running(store) as (app, _):
        assert app.is_up
    assert not app.is_up
    app.on_ingest_news(IngestNews(UpToDate(1, 0.0)))
    app.live_changed()
    app._tick()
    await app._prepare_tab()


async def test_tabs_are_made_before_they_are_wanted_and_the_first_one_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "PREPARE_SECONDS", 0.01)
    # However long a busy machine takes from the key to the tick, the key has just been pressed.
    monkeypatch.setattr(apps, "IN_USE_SECONDS", 3600.0)
    looked: list[str] = []
    # As at a start: what it makes is not looked through for garbage, neither then nor later.
    monkeypatch.setattr("gc.isenabled", lambda: False)
    monkeypatch.setattr("agnes_stats.tui.garbage.begin_to_look", lambda: looked.append("begin"))
    monkeypatch.setattr("agnes_stats.tui.garbage.pass_over", lambda: looked.append("pass over"))
    monkeypatch.setattr("agnes_stats.tui.garbage.look_at_rest", lambda: looked.append("look"))
    app = app_of(Settings(store.path, tz="UTC", no_ingest=True, since=dt.date(2026, 1, 1)))
    async with app.run_test(size=(140, 45)) as pilot:
        while len(app.panes) < len(TABS):
            await pilot.pause(0.01)
        await settle(pilot)
        assert app.active_pane.id == "sessions"
        assert app.focused is app.active_pane.first_focus
        assert "count the orders" in screen_text(app)
        await press(pilot, "3", "2")
        assert app.active_pane.id == "tokens"
        assert len(app.panes) == len(TABS)
        while "pass over" not in looked:
            await pilot.pause(0.01)
        app._tick()
        assert looked == ["begin", "pass over"], "somebody has just pressed a key"
        app._used_at -= apps.IN_USE_SECONDS
        app._tick()
        assert looked == ["begin", "pass over", "look"]


async def test_no_tab_is_prepared_while_somebody_presses_keys(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "IN_USE_SECONDS", 3600.0)
    async with running(store) as (app, pilot):
        made = len(app.panes)
        await press(pilot, "j")
        await app._prepare_tab()
        assert len(app.panes) == made
        app._used_at -= apps.IN_USE_SECONDS
        await app._prepare_tab()
        assert len(app.panes) == made + 1


async def test_each_minute_the_header_asks_only_if_something_was_written_or_ten_minutes_went_by(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Filter] = []
    answer = header_data.header_data

    def counted(connection: object, settings: object, chosen: Filter, *more: object) -> object:
        asked.append(chosen)
        return answer(connection, settings, chosen, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(header_data, "header_data", counted)
    async with running(store) as (app, pilot):
        for minutes, written, total in ((0, False, 1), (1, True, 2), (2, False, 2), (12, False, 3)):
            if written:
                note(store, "x")
            app.now = lambda minutes=minutes: NOW + dt.timedelta(minutes=minutes)  # type: ignore[misc]
            app._tick()
            await settle(pilot)
            assert len(asked) == total, minutes
        app.choose(model="haiku")
        await settle(pilot)
        assert asked[-1].model == "haiku"


async def test_a_late_answer_does_not_replace_that_to_a_newer_question(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads answer in any order: what another filter left stood beside the one that holds."""
    answer, may_go_on, came = header_data.header_data, threading.Event(), threading.Event()

    def held(connection: object, settings: object, chosen: Filter, *more: object) -> object:
        if chosen.model == "haiku":
            came.set()
            may_go_on.wait()
        return answer(connection, settings, chosen, *more)  # type: ignore[arg-type]

    posted: list[int] = []

    def noted(number: int, *more: Any, **named: Any) -> HomeLoaded:
        posted.append(number)
        return HomeLoaded(number, *more, **named)

    async with running(store) as (app, pilot):
        monkeypatch.setattr(header_data, "header_data", held)
        monkeypatch.setattr(header, "HomeLoaded", noted)
        before = screen_text(app).splitlines()[1]
        app.choose(model="haiku")
        await until(pilot, came.is_set)
        app.choose(model=None)
        await until(pilot, lambda: len(posted) == 1)
        may_go_on.set()
        await until(pilot, lambda: len(posted) == 2)
        await settle(pilot)
        assert posted[0] > posted[1]
        assert screen_text(app).splitlines()[1] == before


class Silent:
    """An ingester that has not told anything yet."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


async def test_what_is_asked_again_and_says_the_same_does_not_lay_out_the_screen_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That takes longer than all else that a new line costs on the screen."""
    laid_out: list[bool] = []
    async with running(store) as (app, pilot):
        lay_out = Screen._refresh_layout
        monkeypatch.setattr(
            Screen, "_refresh_layout", lambda *given, **named: laid_out.append(True) or lay_out(*given, **named)
        )
        for key in ("1", "2", "3", "4"):
            await press(pilot, key)
            shown = screen_text(app)
            laid_out.clear()
            app.active_pane.refresh_data()
            app.header.refresh_data()
            await settle(pilot)
            assert (screen_text(app), laid_out) == (shown, []), key


async def test_before_reading_has_begun_nobody_is_told_that_there_is_nothing(tmp_path: Path) -> None:
    app = app_on(Store(tmp_path / "new" / "s.duckdb"), service=lambda _: Silent())
    async with app.run_test(size=(100, 30)) as pilot:
        for key in ("1", "2", "3", "4"):
            await press(pilot, key)
            assert "Still reading" in screen_text(app), key
        app.post_message(IngestNews(UpToDate(0, 0.1)))
        await press(pilot, "1")
        assert "No sessions yet" in screen_text(app)


async def test_in_a_window_without_the_focus_the_keys_are_told_all_the_same(store: Store) -> None:
    """A browser's window has none until somebody clicks into it."""
    async with running(store, (100, 30)) as (app, pilot):
        app.post_message(events.AppBlur())
        await settle(pilot)
        assert "s Sort" in screen_text(app), "they stay"
        await app.action_show_tab("tokens")
        await settle(pilot)
        assert not app.app_focus
        assert "? Help" in screen_text(app) and "u Measure" in screen_text(app)


async def test_keys_are_heard_where_there_is_nothing_to_focus(store: Store) -> None:
    async with running(store, (100, 30)) as (app, pilot):
        await press(pilot, "2", *["right_square_bracket"] * 3)
        assert "No limits are known" in screen_text(app)
        assert isinstance(app.focused, Pane)
        await press(pilot, "left_square_bracket")
        assert "No limits are known" not in screen_text(app)


def test_keys_that_are_asked_for_when_their_screen_is_gone_are_not_looked_for() -> None:
    KeyBar()._take()


async def test_a_key_that_asks_for_something_else_is_answered_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(store) as (app, pilot):
        await press(pilot, "2")
        assert "  2 Tokens  " in screen_text(app)
        with slow(monkeypatch):
            app.active_pane.refresh_data()
            await pilot.pause()
            assert "  2 Tokens  " in screen_text(app), "what was asked before and is asked again is no other question"
        await settle(pilot)
        with slow(monkeypatch):
            await pilot.press("u")
            assert " ◌2 Tokens  " in screen_text(app)
            await pilot.press("1")
            assert "  1 Sessions   2 Tokens  " in screen_text(app)
        await settle(pilot)
        await press(pilot, "2")
        assert "  2 Tokens  " in screen_text(app)


def test_escape_is_soon_a_key_of_its_own(tmp_path: Path) -> None:
    begun = f"""
from argparse import Namespace
from pathlib import Path
from agnes_stats.tui import dashboard, settings

def run(*_):
    from textual import constants
    print(constants.ESCAPE_DELAY)
    return 0

dashboard._run = run
dashboard.dashboard(Namespace(demo=False), settings.Settings(Path({str(tmp_path / "s.duckdb")!r}), tz='UTC'))
"""
    for given, told in ({}, "0.025"), ({"ESCDELAY": "400"}, "0.4"):
        environment = {name: value for name, value in os.environ.items() if name != "ESCDELAY"} | given
        said = subprocess.run(
            [sys.executable, "-c", begun], env=environment, check=True, capture_output=True, text=True
        )
        assert said.stdout.split() == [told]
