"""The people of a server's folder, on the Sync tab."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from agnes_stats.queries.store import Store
from agnes_stats.tui.kit.captioned_table import Listing

from tests.ingest.agnes_files import put
from tests.machine import Machine
from tests.queries.test_operator import ANN, NOW, store
from tests.tui.running import SIZES, at_sizes, press, running, screen_text, show_days, show_view

__all__ = ["store"]


async def test_people_skills_and_tables_with_failures_at_any_size(store: Store) -> None:
    async with running(store, SIZES[0], now=NOW) as (app, pilot):
        await press(pilot, "4")
        await show_view(pilot, "people")
        async for _, text in at_sizes(pilot, SIZES):
            for told in ("3f2a9c1e", "bob", "2 people", "flea:invoice", "orders", "gone"):
                assert told in text
        await press(pilot, "enter")
        assert app.chosen.user == ANN and "user 3f2a9c1e" in screen_text(app)
        assert app.query_one("#people-list", Listing).table.row_count == 1
        await press(pilot, "escape")
        assert "2 people" not in screen_text(app)


async def test_where_nobody_did_anything_it_is_said_in_which_days(store: Store) -> None:
    late = NOW + dt.timedelta(days=400)
    async with running(store, (140, 45), now=late) as (app, pilot):
        await press(pilot, "4")
        await show_view(pilot, "people")
        text = screen_text(app)
        assert "Nobody did anything from " in text and "Press r for other days." in text
        await show_days(pilot, "all days")
        assert "Nobody did anything in the last 30 days, from " in screen_text(app)


async def test_snapshots_are_told_on_a_line_of_their_own(own_home: Path) -> None:
    machine = Machine(own_home)
    folder = machine.workspace()
    put(folder / ".claude/agnes/sync_state.json", {"tables": {}, "snapshot_blocked": ["sales"]})
    for name, more in (("sales", {"policy_fingerprint": "x"}), ("events", {"expires_at": "2026-03-30T17:00:00"})):
        meta = {"table_id": name, "fetched_at": "2026-03-10T12:00:00", **more}
        put(folder / f"user/snapshots/{name}.meta.json", meta)
    async with running(machine.read().store, now=NOW) as (app, pilot):
        await press(pilot, "4")
        text = screen_text(app)
    assert "2 snapshots, withheld by the last pull: sales, 1 with only the rows a policy leaves you" in text
    assert "events expires in 5h" in text
