"""Jump mode: a letter on everything that can be gone to."""

from __future__ import annotations

from pathlib import Path

import pytest
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.screens.console import ConsoleScreen
from agnes_stats.tui.screens.jump_screen import JumpScreen, targets
from agnes_stats.tui.screens.range_screen import RangeScreen
from agnes_stats.tui.tabs import TABS
from textual.widgets import Static

from tests.transcripts import Transcript, store_of
from tests.tui.running import press, running, screen_text, show_view


def letter_at(app: AgnesStats, words: str, text: str) -> str:
    """The letter on the first place where some words stand: `text` is the screen without letters."""
    row = next(number for number, line in enumerate(text.splitlines()) if words in line)
    column = text.splitlines()[row].index(words)
    labels = [(label.region.y, abs(label.region.x - column), str(label.name)) for label in app.screen.query(".jump")]
    return min((away, name) for y, away, name in labels if y == row)[1]


@pytest.mark.parametrize("size", [(80, 24), pytest.param((200, 60), marks=pytest.mark.long)], ids=str)
async def test_a_letter_leads_to_its_tab_view_filter_or_part(tmp_path: Path, size: tuple[int, int]) -> None:
    made = [Transcript("s1", "2026-03-10T14:00:00").prompt("count the orders").wait(1).response()]
    async with running(store_of(tmp_path, made), size) as (app, pilot):
        for words, tab, view in (
            ("Tokens", "tokens", "overview"),
            ("Timing", "tokens", "timing"),
            ("Sync", "sync", None),
            ("Sessions", "sessions", None),
        ):
            before = screen_text(app)
            await press(pilot, "ctrl+g")
            assert isinstance(app.screen, JumpScreen)
            await press(pilot, letter_at(app, words, before))
            assert len(app.screen_stack) == 1 and app.active_tab.id == tab, words
            assert view is None or app.active_tab.view == view  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=str)
async def test_every_part_that_takes_the_focus_and_every_word_that_can_be_clicked_has_one(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    made = [Transcript("s1", "2026-03-10T14:00:00").prompt("count the orders").wait(1).response()]
    async with running(store_of(tmp_path, made), size) as (app, pilot):
        await press(pilot, "2")
        found = targets(app.screen)
        parts = [widget for widget in app.screen.focus_chain if widget.is_on_screen and widget.region.area]
        assert len(parts) > 1 and len(found) >= len(TABS) + len(app.active_tab.views) + len(parts)  # type: ignore[attr-defined]
        for widget in parts:
            await press(pilot, "ctrl+g")
            labels = app.screen.query(Static).filter(".jump").results(Static)
            label = next(
                each for each in labels if (each.region.x, each.region.y) == (widget.region.x, widget.region.y)
            )
            await press(pilot, str(label.name))
            assert app.focused is widget
        # A filter's list opens; on what is over the tabs, only what is there has letters; a click is as good.
        before = screen_text(app)
        await press(pilot, "ctrl+g")
        await press(pilot, letter_at(app, app.filter_in_words()[0].split(",")[0], before))
        assert isinstance(app.screen, RangeScreen)
        await press(pilot, "escape")
        await press(pilot, "l")
        assert isinstance(app.screen, ConsoleScreen)
        await press(pilot, "ctrl+g")
        assert 0 < len(app.screen.query(".jump")) < 8
        await press(pilot, "ctrl+g")
        assert isinstance(app.screen, ConsoleScreen)
        await press(pilot, "escape", "ctrl+g")
        await pilot.click(app.screen.query(".jump").first())
        await press(pilot, "escape")
        assert len(app.screen_stack) == 1 and app.active_tab.id == "sessions"
        await show_view(pilot, "sessions")
        await press(pilot, "ctrl+g", "escape")
        assert len(app.screen_stack) == 1
