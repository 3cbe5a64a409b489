"""Keys at the bottom and in the help: whole, true, and help always among them, on every tab, view and screen."""

import importlib
import pkgutil
from pathlib import Path

import pytest
from agnes_stats import tui
from agnes_stats.queries.store import Store
from agnes_stats.tui.access.views import TABLES
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.key_names import brief, spelled
from agnes_stats.tui.kit.canvas import Canvas
from agnes_stats.tui.kit.key_bar import KeyBar
from agnes_stats.tui.kit.table import Column
from agnes_stats.tui.screens.help import EVERYWHERE, HelpScreen, Keys, keys_on
from agnes_stats.tui.screens.order_screen import letters
from agnes_stats.tui.sessions.list import COLUMNS as SESSIONS
from agnes_stats.tui.tabs import TABS
from agnes_stats.tui.tokens.panels import Words
from agnes_stats.tui.verbs import fits, verbs
from rich.cells import cell_len
from textual.binding import Binding
from textual.dom import DOMNode
from textual.widget import Widget
from textual.widgets import Input, TextArea

from tests.machine import Machine
from tests.tui.places import PLACES, a_bit_of_everything, cut_at_the_side, everywhere
from tests.tui.running import press, running, screen_text, settle


@pytest.fixture
def store(own_home: Path) -> Store:
    """A machine with a bit of everything."""
    return a_bit_of_everything(own_home)


@pytest.mark.parametrize(
    "size",
    [(80, 24), *(pytest.param(size, marks=pytest.mark.long) for size in ((50, 20), (110, 35), (140, 45)))],
    ids=str,
)
async def test_the_keys_told_are_whole_and_work_there_and_help_is_among_them(
    store: Store, size: tuple[int, int]
) -> None:
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
            assert size < (80, 24) or not cut_at_the_side(app), place
            descriptions = [entry.description for entry in shown]
            assert "Help" in descriptions and {"Back", "Quit"} & set(descriptions), place
            assert "? Help" in line or "F1 Help" in line, place
            # What does not fit is left out, and only that.
            rest = [entry for entry in bar.entries if entry not in shown]
            assert not rest or cell_len(line) + 1 + rest[0].width > bar.region.width, place
            app.screen.refresh_bindings()
            await settle(pilot)
            assert bar.told == shown, place
            told_of_working(app, place)
    assert seen == list(PLACES)


def told_of_working(app: AgnesStats, place: str) -> Keys:
    """What the help would tell here: each key once, and only those that work."""
    keys = keys_on(app.screen)
    told = [key for entry in (*keys.here, *keys.everywhere) for key in entry.keys]
    assert len(told) == len(set(told)), place
    shown = {spelled(each.binding.key) for each in app.screen.active_bindings.values() if each.enabled}
    names = shown | {"Ctrl+C", "Ctrl+P", "Ctrl+G", "?", "Esc", "q", "↵", "F1", "e", "Ctrl+J", "F5", "Ctrl+↵"}
    assert set(told) <= names, (place, set(told) - names)
    return keys


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


async def test_where_there_is_no_row_nothing_is_offered_to_open(store: Store, tmp_path: Path) -> None:
    async with running(Store(tmp_path / "empty" / "s.duckdb"), (80, 24)) as (app, pilot):
        for tab in "1234":
            await press(pilot, tab)
            assert "↵" not in screen_text(app).splitlines()[-1], tab
    async with running(store, (80, 24)) as (app, pilot):
        assert "↵ Open" in screen_text(app).splitlines()[-1]
        await press(pilot, "slash", *"zzzz", "enter")
        assert "Nothing matches" in screen_text(app) and "↵" not in screen_text(app).splitlines()[-1]
        await press(pilot, "escape")
        assert "↵ Open" in screen_text(app).splitlines()[-1]


@pytest.mark.long
async def test_help_tells_the_keys_that_work_there_and_no_others(store: Store) -> None:
    """Each in words on its screen; which they are is seen with those at the bottom, too."""
    seen = []
    async with everywhere(store, (120, 60)) as places:
        async for place, app, pilot in places:
            seen.append(place)
            screen = app.screen
            title = app.active_pane.tab.title if len(app.screen_stack) == 1 else str(screen.TITLE)
            keys = told_of_working(app, place)
            await press(pilot, "f1" if place == "console" else "question_mark")
            assert isinstance(app.screen, HelpScreen), place
            text = screen_text(app)
            assert title in text and "This tab" not in text, place
            offered = list(verbs(app, screen))
            # The palette does not offer itself.
            about = [entry.about for entry in (*keys.here, *keys.everywhere) if "Ctrl+P" not in entry.keys]
            for word in {word for each in about for word in each.split()}:
                assert any(fits([word.lower()], verb.name, verb.about) for verb in offered), (place, word)
            for called in [entry.description for entry in screen.query_one(KeyBar).entries]:
                assert any(fits(called.lower().split(), verb.name) for verb in offered), (place, called)
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
            # What this program tells of itself has parts, also of an empty store.
            parts = {"w"} if tab.name == "sync" else set()
            assert not told & {"s", "S", "y", "o", "f", "w", "h", "b", "n", "N", "R", "backspace"} - parts, tab.name
            assert "Esc" not in {key for entry in keys_on(app.screen).everywhere for key in entry.keys}
        await press(pilot, "1", "slash", *"zz", "enter")
        assert "Esc" in {key for entry in keys_on(app.screen).everywhere for key in entry.keys}


# -- how keys are written


@pytest.mark.parametrize(
    ("key", "at_length", "in_short"),
    [
        ("enter", "↵", "↵"),
        ("escape", "Esc", "Esc"),
        ("f5", "F5", "F5"),
        ("f", "f", "f"),
        ("S", "S", "S"),
        ("slash", "/", "/"),
        ("question_mark", "?", "?"),
        ("left_square_bracket", "[", "["),
        ("delete", "Del", "Del"),
        ("ctrl+p", "Ctrl+P", "^P"),
        ("ctrl+enter", "Ctrl+↵", "^↵"),
        ("shift+up", "Shift+↑", "Shift+↑"),
    ],
)
def test_a_key_is_written_as_it_is_called(key: str, at_length: str, in_short: str) -> None:
    assert (spelled(key), brief(key)) == (at_length, in_short)


async def test_bottom_line_help_and_palette_write_keys_alike(store: Store) -> None:
    async with running(store, (80, 24)) as (app, pilot):
        assert screen_text(app).splitlines()[-1].startswith("↵ Open")
        told = {(verb.key, verb.name) for verb in verbs(app, app.screen)}
        assert {("↵", "Open"), ("F5", "Ask again"), ("Ctrl+G", "Jump")} <= told
        await press(pilot, "l")
        console = screen_text(app).splitlines()[-1]
        assert (
            console.startswith("F5 Run") and "^R History" in console and console.rstrip().endswith("F1 Help Esc Back")
        )


# -- one key, one meaning

_LEAVES = {"escape", "q", "enter"}
"""What leads on or back: it is called by where it leads."""


def bindings() -> list[tuple[str, Binding]]:
    """Every key that a class of ours binds, with that class's name."""
    for module in pkgutil.walk_packages(tui.__path__, "agnes_stats.tui."):
        if module.name.rpartition(".")[2] != "browser_driver":
            importlib.import_module(module.name)
    found = []
    for kind in sorted(_below(DOMNode), key=lambda kind: (kind.__module__, kind.__name__)):
        if kind.__module__.startswith("agnes_stats.") and "BINDINGS" in vars(kind):
            made = Binding.make_bindings(vars(kind)["BINDINGS"])
            found += [(kind.__name__, binding) for binding in made]
    return found


def _below(kind: type) -> set[type]:
    found = {kind}
    each: type
    for each in kind.__subclasses__():
        found |= _below(each)
    return found


def test_a_letter_means_the_same_wherever_it_works() -> None:
    meanings: dict[str, dict[str, list[str]]] = {}
    for owner, binding in bindings():
        if binding.description and (len(binding.key) == 1 or binding.key.startswith("ctrl+")) and binding.key != "q":
            meanings.setdefault(binding.key, {}).setdefault(binding.description, []).append(owner)
    # On every screen this ends what is under way: a query, else the program.
    meanings.pop("ctrl+c")
    assert {"s", "x", "w", "n", "N", "y", "o", "v", "ctrl+t"} <= set(meanings)
    assert {key: told for key, told in meanings.items() if len(told) > 1} == {}


def test_letters_move_in_everything_that_takes_the_focus_but_where_one_types() -> None:
    bindings()
    parts = [kind for kind in _below(Widget) if kind.__module__.startswith("agnes_stats.") and kind.can_focus]
    moved_in = [kind for kind in parts if not issubclass(kind, (Input, TextArea)) and kind not in (Canvas, Words)]
    assert {"AnswerTable", "PanelBox", "StackedBars", "RecordTable", "Options", "Scroll"} <= {
        kind.__name__ for kind in moved_in
    }
    for kind in moved_in:
        assert set("jkgG") <= set(kind._merge_bindings().key_to_bindings), kind


def test_each_column_has_a_letter_of_its_own_to_sort_by() -> None:
    """Where there are not more than letters, none of which moves or leads back."""
    for columns in (SESSIONS, TABLES, [Column(f"c{n}", "Same", sortable=True) for n in range(21)]):
        found = letters([column for column in columns if column.label])
        assert all(found) and len(set(found)) == len(found) and not set(found) & set("jkgqs")
    shown = {column.key: letter for column, letter in zip(SESSIONS[1:], letters(SESSIONS[1:]), strict=True)}
    assert (shown["title"], shown["cost_usd"], shown["ended_at"], shown["tool_errors"]) == ("t", "c", "l", "e")


def test_what_is_called_the_same_has_the_same_key() -> None:
    keys: dict[str, dict[str, set[str]]] = {}
    for owner, binding in bindings():
        if binding.description and binding.key not in _LEAVES and binding.show:
            keys.setdefault(binding.description, {}).setdefault(owner, set()).add(binding.key)
    assert {called: owners for called, owners in keys.items() if not set.intersection(*owners.values())} == {}


def test_letters_that_move_are_bound_to_nothing_else() -> None:
    found = [binding for _, binding in bindings()]
    moves = [binding.action for binding in found if binding.key in ("j", "k", "g", "G")]
    assert len(moves) > 8 and all(
        action.startswith(("cursor_", "scroll_", "point_", "step", "first", "last")) for action in moves
    )
    digits = [binding.action for binding in found if binding.key.isdigit()]
    assert len(digits) == len(TABS) and all(action.startswith("show_tab") for action in digits)
