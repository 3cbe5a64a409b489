"""The people of a server's folder, on the Sync tab."""

from __future__ import annotations

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.kit.captioned_table import Listing

from tests.queries.test_operator import ANN, NOW, store
from tests.tui.running import press, running, screen_text

__all__ = ["store"]


@pytest.mark.parametrize("size", [(80, 24), (140, 45), (200, 60)])
async def test_people_skills_and_tables_with_failures(store: Store, size: tuple[int, int]) -> None:
    async with running(store, size=size, now=NOW) as (app, pilot):
        await press(pilot, "4")
        await press(pilot, "o")
        text = screen_text(app)
        for told in ("3f2a9c1e", "bob", "2 people", "flea:invoice", "orders", "gone"):
            assert told in text
        await press(pilot, "enter")
        assert app.chosen.user == ANN and "user 3f2a9c1e" in screen_text(app)
        assert app.query_one("#people-list", Listing).table.row_count == 1
        await press(pilot, "o")
        assert "2 people" not in screen_text(app)
