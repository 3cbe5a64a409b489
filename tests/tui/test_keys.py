"""Keys at the bottom and in the help: whole, true, and help always among them, on every tab, view and screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.key_bar import KeyBar
from agnes_stats.tui.screens.help import EVERYWHERE, HelpScreen, keys_on
from agnes_stats.tui.tabs import TABS
from rich.cells import cell_len
from textual.pilot import Pilot

from tests.machine import Machine, bash
from tests.transcripts import Transcript
from tests.tui.running import press, running, screen_text, settle

PLACES = {
    "sessions": ["1"],
    "a session": ["1", "enter"],
    "activity": ["1", "right_square_bracket"],
    "tokens": ["2", "o"],
    **{f"tokens, {key}": ["2", key] for key in "tihxc"},
    "tokens, panels": ["2", "P"],
    "data access": ["3"],
    "access, summary": ["3", "t"],
    "access, tools": ["3", "u"],
    "an access": ["3", "home", "enter"],
    "sync": ["4"],
    "sync, uploads": ["4", "u"],
    "sync, rejects": ["4", "j"],
    "a reject": ["4", "j", "enter"],
    "console": ["l"],
    "console, answer": ["l", "f5", "tab"],
}
BACK = {
    "tokens": ["o"],
    "access, summary": ["escape"],
    "access, tools": ["escape"],
    "sync, uploads": ["escape"],
    "sync, rejects": ["escape"],
    "a reject": ["escape", "escape"],
    "console, answer": ["escape"],
    "a session": ["escape"],
    "activity": ["left_square_bracket"],
    "an access": ["escape"],
    "console": ["escape"],
}
"""The way back to the tab."""


@pytest.fixture
def store(own_home: Path) -> Store:
    """A machine with a bit of everything: sessions, accesses, a workspace, a line that cannot be read."""
    machine = Machine(own_home)
    folder = machine.workspace()
    machine.session(bash("s1", "2026-03-10T12:00:00", "duckdb a.db -c 'select * from orders'", folder), folder)
    path = machine.session(Transcript("s2", "2026-03-10T13:00:00").prompt("Hi").response(), Path("/x"))
    path.write_bytes(path.read_bytes() + b"{bad\n")
    return machine.read().store


@asynccontextmanager
async def everywhere(
    store: Store, size: tuple[int, int]
) -> AsyncIterator[AsyncIterator[tuple[str, AgnesStats, Pilot[int]]]]:
    """The dashboard at every place, one after the other."""
    async with running(store, size) as (app, pilot):

        async def walk() -> AsyncIterator[tuple[str, AgnesStats, Pilot[int]]]:
            for place, way in PLACES.items():
                for key in way:
                    await press(pilot, key)
                yield place, app, pilot
                for key in BACK.get(place, ()):
                    await press(pilot, key)
                assert len(app.screen_stack) == 1, place

        yield walk()


@pytest.mark.parametrize(
    "size", [(80, 24), *(pytest.param(size, marks=pytest.mark.long) for size in ((50, 20), (140, 45)))], ids=str
)
async def test_the_keys_at_the_bottom_are_whole_and_help_is_among_them(store: Store, size: tuple[int, int]) -> None:
    seen = []
    async with everywhere(store, size) as places:
        async for place, app, pilot in places:
            seen.append(place)
            bar = app.screen.query_one(KeyBar)
            shown = bar.told
            line = " ".join(entry.text for entry in shown)
            row = screen_text(app).splitlines()[bar.region.y]
            assert row[bar.region.x :].startswith(line), place
            assert cell_len(line) <= bar.region.width, place
            descriptions = [entry.description for entry in shown]
            assert "Help" in descriptions and {"Back", "Quit"} & set(descriptions), place
            assert "? Help" in line or "f1 Help" in line, place
            # What does not fit is left out, and only that.
            rest = [entry for entry in bar.entries if entry not in shown]
            assert not rest or cell_len(line) + 1 + rest[0].width > bar.region.width, place
            app.screen.refresh_bindings()
            await settle(pilot)
            assert bar.told == shown, place
    assert seen == list(PLACES)


async def test_a_click_on_a_key_is_as_good_as_pressing_it(store: Store) -> None:
    async with running(store, (140, 45)) as (app, pilot):
        bar = app.query_one(KeyBar)
        row = screen_text(app).splitlines()[bar.region.y]
        await pilot.hover(KeyBar, offset=(row.index("? Help") + 3 - bar.region.x, 0))
        assert bar.tooltip == "The keys that work here"
        await pilot.hover(KeyBar, offset=(bar.region.width - 1, 0))
        assert not bar.tooltip
        await pilot.click(KeyBar, offset=(row.index("? Help") + 3 - bar.region.x, 0))
        await settle(pilot)
        assert isinstance(app.screen, HelpScreen)


async def test_help_tells_the_keys_that_work_there_and_no_others(store: Store) -> None:
    seen = []
    async with everywhere(store, (120, 60)) as places:
        async for place, app, pilot in places:
            seen.append(place)
            screen = app.screen
            title = app.active_pane.tab.title if len(app.screen_stack) == 1 else str(screen.TITLE)
            keys, working = keys_on(screen), screen.active_bindings
            await press(pilot, "f1" if place == "console" else "question_mark")
            assert isinstance(app.screen, HelpScreen), place
            text = screen_text(app)
            assert title in text and "This tab" not in text, place
            told = [key for entry in (*keys.here, *keys.everywhere) for key in entry.keys]
            assert len(told) == len(set(told)), place
            shown = {app.get_key_display(each.binding) for each in working.values() if each.enabled}
            names = shown | {"^c", "^p", "?", "esc", "q", "⏎", "f1", "e", "^j", "f5", "^⏎"}
            assert set(told) <= names, (place, set(told) - names)
            for entry in (*keys.here, *keys.everywhere):
                assert entry.about.split(",")[0] in text, (place, entry.about)
            # What the tabs below a screen would do is not told on it.
            assert ("Choose the days that are shown" in text) == (len(app.screen_stack) == 2), place
            assert EVERYWHERE in text
            await press(pilot, "escape")
            assert app.screen is screen, place
    assert seen == list(PLACES)


async def test_keys_without_anything_to_do_are_not_told(own_home: Path) -> None:
    """On an empty store nothing can be sorted, copied or opened, and there is nothing to go back from."""
    store = Machine(own_home).read().store
    async with running(store, (80, 24)) as (app, pilot):
        for number, tab in enumerate(TABS, 1):
            await press(pilot, str(number))
            told = {key for entry in keys_on(app.screen).here for key in entry.keys}
            assert not told & {"s", "S", "y", "o", "k", "g", "b", "d", "n", "R", "backspace"} - {"o", "b"}, tab.name
            assert "esc" not in {key for entry in keys_on(app.screen).everywhere for key in entry.keys}
        await press(pilot, "1", "slash", *"zz", "enter")
        assert "esc" in {key for entry in keys_on(app.screen).everywhere for key in entry.keys}
