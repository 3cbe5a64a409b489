"""What a pane says until its first answer: that it is loading; never is it blank."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.state import PaneState
from agnes_stats.tui.screens.picker import PickerScreen
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.tui.places import PLACES, a_bit_of_everything
from tests.tui.running import press, running, settle

TURNS = 200
"""Rounds of the loop in which a sentence has to come: that takes a fraction of a second."""


@contextmanager
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As long as it lasts no question to the store is answered."""
    goes_on = threading.Event()
    read = Store.read

    def waits(store: Store, *args: Any, **how: Any) -> Any:
        goes_on.wait()
        return read(store, *args, **how)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "read", waits)
        try:
            yield
        finally:
            goes_on.set()


def says(app: AgnesStats) -> list[str]:
    """The sentences of what loads on the screen."""
    states = app.screen.query(PaneState).results(PaneState)
    return [str(state.render()) for state in states if state.mode == "loading" and state.display and state.region.area]


async def is_told(app: AgnesStats, pilot: Pilot[Any]) -> bool:
    for _ in range(TURNS):
        if any("Loading" in told for told in says(app)):
            return True
        await pilot.pause(0.005)
    return False


@pytest.mark.long
async def test_every_view_says_that_it_loads_until_its_first_answer(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = a_bit_of_everything(own_home)
    async with running(store, (140, 45)) as (app, pilot):
        for place, (tab, view, keys) in PLACES.items():
            if keys:
                continue
            with slow(monkeypatch):
                await pilot.press(tab)
                await app.active_tab.show_view(view)  # type: ignore[attr-defined]
                if view not in ("sessions", "panels", "uploads", "team", "rejects"):
                    # Of the first one the answer is there; of these the answer came with that of another view.
                    assert await is_told(app, pilot), place
            await settle(pilot)
            assert not says(app), place


async def test_a_view_a_session_and_a_list_to_choose_from_say_that_they_load(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(a_bit_of_everything(own_home), (140, 45)) as (app, pilot):
        for tab, view in (("1", "delegations"), ("2", "overview"), ("2", "timing"), ("3", "list"), ("3", "summary")):
            with slow(monkeypatch):
                await pilot.press(tab)
                await app.active_tab.show_view(view)  # type: ignore[attr-defined]
                assert await is_told(app, pilot), view
            await settle(pilot)
            assert not says(app), view
        await press(pilot, "1")
        await app.active_tab.show_view("sessions")  # type: ignore[attr-defined]
        with slow(monkeypatch):
            await pilot.press("enter")
            assert await is_told(app, pilot)
        await press(pilot, "escape")
        with slow(monkeypatch):
            await pilot.press("r", "escape", "p")
            await pilot.pause()
            assert isinstance(app.screen, PickerScreen)
            assert "Loading" in str(app.screen.query_one(OptionList).get_option_at_index(0).prompt)
        await settle(pilot)
        assert "Loading" not in str(app.screen.query_one(OptionList).get_option_at_index(0).prompt)
