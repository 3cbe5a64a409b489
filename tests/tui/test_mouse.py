"""The mouse: what it points at does what the key does, on tabs, views, filters, names of columns, rows and bars."""

from __future__ import annotations

from pathlib import Path

from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.bars import StackedBars
from agnes_stats.tui.kit.table import RecordTable
from agnes_stats.tui.screens.range_screen import RangeScreen
from agnes_stats.tui.sessions.detail import SessionScreen
from textual.pilot import Pilot

from tests.transcripts import Transcript, store_of
from tests.tui.running import running, screen_text, settle


def made() -> list[Transcript]:
    first = Transcript("s1", "2026-03-09T10:00:00").title("count the orders").prompt("go").wait(1)
    second = Transcript("s2", "2026-03-10T10:00:00").title("bake the cake").prompt("go").wait(1)
    return [first.response(tokens=(1, 900, 0, 0)), second.response(tokens=(1, 5, 0, 0))]


async def click(app: AgnesStats, pilot: Pilot[int], words: str, below: int = 0) -> None:
    """Click on the first place at or below a line of the screen where some words stand."""
    lines = screen_text(app).splitlines()
    row = next(number for number, line in enumerate(lines) if number >= below and words in line)
    await pilot.click(offset=(lines[row].index(words), row))
    await settle(pilot)


async def test_everything_that_looks_like_it_can_be_clicked(tmp_path: Path) -> None:
    async with running(store_of(tmp_path, made()), (140, 45)) as (app, pilot):
        # A row: the first click puts the cursor there, the next one opens it, wherever in the row it is.
        table = app.query_one(RecordTable)
        await click(app, pilot, "count the orders", below=3)
        assert table.selected is not None and table.selected.key == "s1" and len(app.screen_stack) == 1
        await click(app, pilot, "Mar 09" if "Mar 09" in screen_text(app) else "yesterday")
        assert isinstance(app.screen, SessionScreen)
        await pilot.press("escape")
        await settle(pilot)
        # The name of a column.
        await click(app, pilot, "Tokens", below=3)
        assert [record.key for record in table.records] == ["s1", "s2"]
        await click(app, pilot, "Tokens", below=3)
        assert [record.key for record in table.records] == ["s2", "s1"]
        # A tab, a view, the name of a column of a table that sorts itself.
        await click(app, pilot, "2 Tokens")
        assert app.active_tab.id == "tokens"
        await click(app, pilot, "Timing")
        assert "Response time of" in screen_text(app)
        await click(app, pilot, "Overview")
        top = app.query_one("#top", RecordTable)
        assert [record.key for record in top.records] == ["s1", "s2"]
        await click(app, pilot, "Top sessions")
        assert [record.key for record in top.records] == ["s2", "s1"]
        # A bar leaves only its day, and the mark of that in the line of filters brings all back.
        bars = app.query_one("#over-time", StackedBars)
        days = app.chosen.since, app.chosen.until
        x = next(x for x in range(bars.size.width) if bars.part_at(x, bars.size.height // 2) == bars.part_count() - 1)
        await pilot.click(bars, offset=(x + 2, bars.size.height // 2))
        await settle(pilot)
        assert (app.chosen.since, app.chosen.until) != days and app.chosen.since == app.chosen.until
        await click(app, pilot, "✕")
        assert (app.chosen.since, app.chosen.until) == days
        # A filter: a list to choose from; one that holds is dropped.
        await click(app, pilot, app.filter_in_words()[0].split(",")[0])
        assert isinstance(app.screen, RangeScreen)
        await pilot.press("escape")
        await settle(pilot)
        app.choose(model="claude-opus-4-5-20251101")
        await settle(pilot)
        await click(app, pilot, "✕")
        assert app.chosen.model is None
        # A key at the bottom.
        await click(app, pilot, "q Quit")
    assert not app.is_running
