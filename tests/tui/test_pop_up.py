"""Screens that come up are laid out and drawn no more often than it takes, and are right all the same."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import agnes_stats.tui
import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats, MainScreen
from agnes_stats.tui.kit.pop_up import PopUp
from agnes_stats.tui.screens.palette_screen import PaletteScreen
from textual.css.model import RuleSet
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList

from tests.tui.running import press, running, screen_text, settle
from tests.tui.sessions_world import world


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return world(tmp_path)


async def test_what_is_below_is_not_laid_out_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out: list[str] = []
    lay_out = Screen._refresh_layout

    def noted(screen: Screen[Any], *given: Any, **named: Any) -> None:
        laid_out.append(type(screen).__name__)
        lay_out(screen, *given, **named)

    monkeypatch.setattr(Screen, "_refresh_layout", noted)
    async with running(store) as (app, pilot):
        laid_out.clear()
        await press(pilot, "question_mark")
        assert "HelpScreen" in laid_out and "MainScreen" not in laid_out
        # Its size is another one on another terminal, and so is that of what is below.
        await pilot.resize_terminal(100, 30)
        await settle(pilot)
        assert app.screen.size == (100, 30) and "MainScreen" in laid_out
        assert "Everywhere" in screen_text(app)
        await press(pilot, "escape")
        assert "Everywhere" not in screen_text(app) and "Started" in screen_text(app)


async def test_what_is_below_shines_through(store: Store) -> None:
    async with running(store) as (app, pilot):
        before = screen_text(app)
        assert "agnes-stats" in before and "Started" in before
        await press(pilot, "question_mark")
        # Of ModalScreen are the styles, too.
        assert app.screen.styles.background.a < 1
        assert "agnes-stats" in screen_text(app).splitlines()[0]
        assert {"PopUp", "ModalScreen"} <= app.screen._css_type_names


async def test_a_screen_that_came_up_is_drawn_anew_when_it_has_to_be(store: Store) -> None:
    async with running(store) as (app, pilot):
        await press(pilot, "question_mark")
        assert isinstance(app.screen, PopUp) and not app.screen._is_coming_up
        app.screen.refresh()
        assert app.screen._repaint_required
        await settle(pilot)
        await press(pilot, "escape", "question_mark")
        assert "Everywhere" in screen_text(app)


def ours() -> set[type[Any]]:
    """All screens that come up over others."""

    def below(kind: type[Any]) -> set[type[Any]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    for found in pkgutil.walk_packages(agnes_stats.tui.__path__, "agnes_stats.tui."):
        importlib.import_module(found.name)
    return {kind for kind in below(ModalScreen) if kind.__module__.startswith("agnes_stats.")}


def test_every_screen_is_one_of_these() -> None:
    # The palette is Textual's.
    assert {kind for kind in ours() if not issubclass(kind, PopUp)} == {PaletteScreen}
    assert MainScreen not in ours()


async def test_a_rule_is_hashed_as_the_object_that_it_is(store: Store) -> None:
    async with running(store):
        one, other = RuleSet(tie_breaker=1), RuleSet(tie_breaker=2)
        assert hash(one) == object.__hash__(one)
        assert len({one, other, one}) == 2


@pytest.mark.parametrize("width", [60, 80, 140])
async def test_whatever_comes_up_is_in_the_middle(store: Store, width: int) -> None:
    """Of the columns as well as of the lines, give or take half a cell, and wholly on the screen."""
    async with running(store, (width, 30)) as (app, pilot):
        for key, told in COMES_UP.items():
            await press(pilot, key)
            assert isinstance(app.screen, PopUp), key
            assert bottom_line(app) == told, "those of what is below do nothing now"
            box = app.screen.query_one("#picker, #export, #help").region
            assert box in app.screen.region, key
            # The last line is that of the keys.
            assert abs(box.x - (width - box.right)) <= 1 and abs(box.y - (29 - box.bottom)) <= 1, (key, box)
            await press(pilot, "escape")
            assert not isinstance(app.screen, PopUp), key


COMES_UP = {
    "r": "↵ Choose Esc Back",
    "z": "↵ Choose Esc Back",
    "p": "↵ Choose Esc Back",
    "m": "↵ Choose Esc Back",
    "s": "↵ Sort Esc Back",
    "C": "Esc Done Space Show or hide < Earlier > Later D Usual",
    "e": "↵ Save Esc Back ^F Format",
    "question_mark": "Esc Back",
}
"""Key -> the keys that work in what comes up."""


def bottom_line(app: AgnesStats) -> str:
    return screen_text(app).splitlines()[-1]


async def test_the_bottom_line_has_the_keys_of_what_comes_up_elsewhere(store: Store) -> None:
    async with running(store, (80, 24)) as (app, pilot):
        below = bottom_line(app)
        for key, told in (("ctrl+g", "Esc Back"), ("ctrl+p", "↵ Do it Esc Back")):
            await press(pilot, key)
            assert bottom_line(app) == told, key
            await press(pilot, "escape")
            assert bottom_line(app) == below, key
        await press(pilot, "l")
        for key, told in (("ctrl+o", "↵ Take Esc Back F8 Delete"), ("ctrl+s", "↵ Save Esc Back")):
            await press(pilot, key)
            assert bottom_line(app) == told, key
            await press(pilot, "escape")


def test_whatever_comes_up_has_a_line_for_its_keys() -> None:
    lacking = {kind.__name__ for kind in ours() if "KeyBar(" not in inspect.getsource(kind)}
    assert lacking == {"PopUp", "ListedScreen"}, "these two are what the others are made of"


async def test_what_is_offered_takes_a_line_each(store: Store) -> None:
    async with running(store, (80, 24)) as (app, pilot):
        for key in ("r", "z", "p", "m", "s", "C"):
            await press(pilot, key)
            options = app.screen.query_one(OptionList)
            assert options.virtual_size.height == options.option_count, key
            await press(pilot, "escape")
        await press(pilot, "C")
        assert bottom_line(app) == "Esc Done Space Show or hide < Earlier > Later D Usual"
        await press(pilot, "escape", "r")
        assert "or type 14 days · 6 hours · 2026-03 · 2026-01-05 to 2026-02-28" in screen_text(app)
