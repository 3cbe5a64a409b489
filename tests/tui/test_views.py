"""The views of a tab: one strip with their names, keys and clicks that choose, each view with its own filter."""

from __future__ import annotations

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.kit.view_strip import ViewStrip
from agnes_stats.tui.sessions.pane import SessionsTab
from agnes_stats.tui.views import View

from tests.transcripts import Transcript, store_of
from tests.tui.running import press, running, screen_text, settle

MORE = tuple(View(f"view-{name}", name.title(), f"The {name}", "list", "SessionsPane") for name in ("second", "third"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    told = Transcript("s1", "2026-03-10T09:00:00").prompt("count the orders").response()
    return store_of(tmp_path_factory.mktemp("views"), [told])


@pytest.fixture
def store(made: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(SessionsTab, "VIEWS", (SessionsTab.VIEWS[0], *MORE))
    return made


def strip(text: str, begins: str = "") -> str:
    """The line of views: the third, where there is room for the filters in the second."""
    lines = text.splitlines()
    return next((line for line in lines if line.strip().startswith(begins)), "") if begins else lines[2]


async def test_brackets_move_through_the_views_and_round(store: Store) -> None:
    async with running(store) as (app, pilot):
        assert strip(screen_text(app)).split() == ["List", "Second", "Third", "[", "]"]
        seen = [app.active_pane.id]
        for key in ("right_square_bracket",) * 3 + ("left_square_bracket",):
            await press(pilot, key)
            seen.append(app.active_pane.id)
            assert app.focused is app.active_pane.first_focus
            assert "count the orders" in screen_text(app)
        assert seen == ["sessions", "view-second", "view-third", "sessions", "view-third"]
        assert len(app.query("SessionsPane")) == 3


async def test_a_click_chooses_a_view_and_another_tab_comes_back_to_it(store: Store) -> None:
    async with running(store) as (app, pilot):
        await pilot.click(ViewStrip, offset=(strip(screen_text(app)).index("Third"), 0))
        await settle(pilot)
        assert app.active_pane.id == "view-third"
        await press(pilot, "2", "1")
        assert app.active_pane.id == "view-third"


async def test_each_view_is_filtered_by_its_own_words(store: Store) -> None:
    async with running(store) as (app, pilot):
        await press(pilot, "slash", *"zz", "enter")
        assert "Nothing matches" in screen_text(app)
        await press(pilot, "right_square_bracket")
        assert "count the orders" in screen_text(app)
        await press(pilot, "left_square_bracket")
        assert "Nothing matches" in screen_text(app)


async def test_where_the_strip_is_too_long_it_begins_further_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    long = MORE[0]._replace(label="Second and not the last")
    monkeypatch.setattr(SessionsTab, "VIEWS", (SessionsTab.VIEWS[0], long, MORE[1]))
    async with running(store, (30, 24)) as (app, pilot):
        line = screen_text(app).splitlines().index(strip(screen_text(app), "List"))
        await press(pilot, "left_square_bracket")
        shown = screen_text(app).splitlines()[line]
        assert "Third" in shown and "List" not in shown


async def test_a_strip_that_goes_on_says_so(store: Store) -> None:
    async with running(store, (60, 20)) as (app, pilot):
        await press(pilot, "2")
        assert strip(screen_text(app), "Overview").rstrip().endswith("…")
        await pilot.resize_terminal(140, 20)
        await settle(pilot)
        assert strip(screen_text(app), "Overview").rstrip().endswith("SQL    [ ]")


async def test_help_is_about_the_view(store: Store) -> None:
    async with running(store) as (app, pilot):
        await press(pilot, "right_square_bracket", "question_mark")
        text = screen_text(app)
        assert "The second" in text
        assert "The next view" in text
