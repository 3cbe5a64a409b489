"""The command palette: what can be done, found by any of its words, and what can be filtered by."""

from __future__ import annotations

from pathlib import Path

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.verbs import _found, fits, marked, verbs

from tests.transcripts import Transcript, store_of
from tests.tui.access_world import world
from tests.tui.running import press, running, screen_text, settle


@pytest.fixture
def store(tmp_path: Path) -> Store:
    told = (
        Transcript("s1", "2026-03-10T09:00:00", cwd="/w/ware[b]house")
        .title("count [red]the orders")
        .prompt("x")
        .response()
    )
    return store_of(tmp_path, [told])


@pytest.mark.parametrize(
    ("wanted", "name", "about", "is_found"),
    [
        ("export", "Export", "A table as a file", True),
        ("csv", "Export", "A table as CSV", True),
        ("range 90", "Range: 90 days", "", True),
        ("90 range", "Range: 90 days", "", True),
        ("xport", "Export", "", True),
        ("exprt", "Export", "", False),
        ("export orders", "Export", "A table as a file", False),
    ],
)
def test_any_words_of_what_it_does(wanted: str, name: str, about: str, *, is_found: bool) -> None:
    assert (fits(wanted.split(), name, about) > 0) == is_found


def test_what_is_called_so_comes_before_what_only_speaks_of_it() -> None:
    names = [("Theme: light", ""), ("Light", ""), ("Day", "a light one"), ("Twilight", "")]
    scores = sorted(names, key=lambda pair: -fits(["light"], *pair))
    assert scores == [("Light", ""), ("Theme: light", ""), ("Twilight", ""), ("Day", "a light one")]
    assert str(marked("a [b] name", ["[b]"])) == "a [b] name"


async def test_everything_is_offered_and_does_what_it_says(store: Store) -> None:
    async with running(store) as (app, pilot):
        offered = {verb.name: verb for verb in verbs(app, app.screen)}
        assert {
            "Sort",
            "Export",
            "SQL",
            "Range: 90 days",
            "Theme: nord",
            "Go: Tokens, Cache",
            "Go: Sync, Rejects",
        } <= set(offered)
        assert "Palette" not in offered and list(offered).count("Quit") == 1
        assert offered["Export"].key == "e"
        await offered["Go: Tokens, Cache"].run()
        offered["Range: 90 days"].run()
        await settle(pilot)
        assert app.active_pane.view == "caching"  # type: ignore[attr-defined]
        assert "90 days" in screen_text(app)
        await offered["Break down by project"].run()
        await settle(pilot)
        assert "by day and project" in screen_text(app)
        found = {verb.name: verb for verb in _found(app, "[")}
        assert set(found) == {"Project: ware[b]house", "Session: count [red]the orders"}
        found["Project: ware[b]house"].run()
        await settle(pilot)
        assert app.chosen.project == "/w/ware[b]house"
        await press(pilot, "ctrl+p", *"ware[")
        while "Project: ware[b]house" not in screen_text(app):
            await pilot.pause(0.01)
        assert "Session: count" not in screen_text(app)


async def test_a_table_is_found_and_what_touched_it_is_shown(tmp_path: Path) -> None:
    async with running(world(tmp_path)) as (app, pilot):
        found = {verb.name: verb for verb in _found(app, "EVENT")}
        assert set(found) == {"Table: events"}
        await found["Table: events"].run()
        await settle(pilot)
        assert "table events ✕" in screen_text(app) and app.active_tab.id == "access"
        await press(pilot, "escape")
        assert "table events" not in app.filter_in_words()[0]
