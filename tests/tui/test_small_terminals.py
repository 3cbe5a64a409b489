"""Terminals smaller than a usual one: what is told there, and that lists have the lines that there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.access.side import AccessDetail
from agnes_stats.tui.header import HeaderStrip
from agnes_stats.tui.kit.smallest import LEAST_HEIGHT, LEAST_WIDTH, SmallestView
from agnes_stats.tui.kit.table import RecordTable

from tests.transcripts import Transcript, store_of
from tests.tui import access_world
from tests.tui.running import press, running, screen_text, settle
from tests.tui.sessions_world import world


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return world(tmp_path)


async def test_where_no_tab_has_room_it_is_told_what_runs_what_was_spent_and_what_size_is_missing(
    store: Store,
) -> None:
    async with running(store) as (app, pilot):
        sums = app.header._sums(app.header.told).plain  # type: ignore[arg-type]
        for width, height in ((20, 5), (LEAST_WIDTH - 1, 30), (100, LEAST_HEIGHT - 1)):
            await pilot.resize_terminal(width, height)
            await settle(pilot)
            lines = screen_text(app).splitlines()
            assert lines[0].startswith("● ") and "live" in lines[0], lines
            assert "30 days" in lines and sums in lines, lines
            assert f"needs {LEAST_WIDTH} × {LEAST_HEIGHT}" in screen_text(app)
            # Keys are heard as ever.
            await press(pilot, "question_mark")
            assert screen_text(app).splitlines()[-1] == "Esc Back"
            await press(pilot, "escape")
        for size in ((LEAST_WIDTH, LEAST_HEIGHT), (80, 24)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert not app.query_one(SmallestView).display and "Started" in screen_text(app), size


async def test_a_list_has_most_of_a_low_terminal(store: Store) -> None:
    async with running(store, (LEAST_WIDTH, LEAST_HEIGHT)) as (app, pilot):
        for size, least in (((LEAST_WIDTH, LEAST_HEIGHT), 2), ((40, 12), 6), ((60, 15), 5)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            table = app.active_pane.query_one(RecordTable)
            assert table.content_size.height >= least, (size, screen_text(app))
        await press(pilot, "r", "a", "l", "l", "enter")
        assert "all days" in screen_text(app)


async def test_a_header_without_anything_to_tell_takes_no_line_of_a_low_terminal(tmp_path: Path) -> None:
    store = store_of(tmp_path, [Transcript("s1", "2026-03-09T09:00:00").prompt("count the orders").response()])
    async with running(store, (60, 12)) as (app, pilot):
        assert not app.query_one(HeaderStrip).region.height and "agnes-stats" not in screen_text(app)
        await pilot.resize_terminal(60, 24)
        await settle(pilot)
        assert "agnes-stats" in screen_text(app).splitlines()[0]


async def test_details_leave_a_low_terminal_to_their_list(tmp_path: Path) -> None:
    async with running(access_world.world(tmp_path), (60, 15)) as (app, pilot):
        await press(pilot, "3")
        assert not app.query_one(AccessDetail).display
        await pilot.resize_terminal(60, 24)
        await settle(pilot)
        assert app.query_one(AccessDetail).display
