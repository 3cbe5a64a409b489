"""`/` on the Sessions tab finds any text that is kept, says where it is, and Enter opens the session there."""

from __future__ import annotations

from pathlib import Path

from agnes_stats.queries.store import Store
from agnes_stats.tui.sessions.detail import ActivityTable, SessionScreen

from tests.transcripts import Transcript, store_of
from tests.tui.running import press, running, screen_text, settle


def long_session() -> Transcript:
    """Many calls for its first prompt, of which the first one and one of a sub-agent are special; then another one."""
    told = Transcript("long", "2026-03-10T09:00:00").title("Long")
    told.prompt("Begin").wait(1).response(("first", "Bash", {"command": "echo special_word"})).wait(1).result("first")
    for number in range(300):
        told.wait(1).response((f"c{number}", "Bash", {"command": f"make part{number}"})).wait(1).result(f"c{number}")
    told.wait(1).response(("t", "Task", {"description": "dig"})).wait(5).result("t")
    return told.wait(1).prompt("Go on").wait(1).response()


def world(tmp_path: Path) -> Store:
    told = long_session()
    agent = Transcript("long", "2026-03-10T09:20:10", agent="x").response(("g", "Grep", {"pattern": "deep_word"}))
    agent.note("Explore", "dig", "t")
    other = Transcript("other", "2026-03-10T10:00:00").prompt("Nothing of it").response()
    return store_of(tmp_path, [told, agent, other])


async def test_what_is_found_is_shown_and_opened_at_its_row(tmp_path: Path) -> None:
    async with running(world(tmp_path)) as (app, pilot):
        for word, where in (("special_word", "command: echo special_word"), ("deep_word", "path: deep_word")):
            await press(pilot, "slash", *(key if key != "_" else "underscore" for key in word), "enter")
            await settle(pilot)
            told = screen_text(app)
            assert where in told
            assert "Nothing of it" not in told
            await press(pilot, "enter")
            await settle(pilot)
            assert isinstance(app.screen, SessionScreen)
            pointed = app.screen.query_one(ActivityTable).selected
            assert pointed is not None and word in str(pointed.cells["what"]), "the cursor is on it"
            await press(pilot, "escape", "escape")
            await settle(pilot)
        assert "Nothing of it" in screen_text(app), "all are there again"
