"""Lists that are looked at while rows come: the top is followed, elsewhere it is told how many are new."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from agnes_stats.queries.console import Table
from agnes_stats.queries.store import Store
from agnes_stats.tui.kit.answer_table import AnswerTable
from agnes_stats.tui.kit.table import ABOUT_A_ROW, Record, RecordTable
from agnes_stats.tui.sessions.detail import ActivityTable
from textual.app import App
from textual.scroll_view import ScrollView
from textual.widgets import Input, OptionList, TextArea

from tests.storing import held
from tests.transcripts import Transcript, catch_up, store_of, write
from tests.tui.places import PLACES, a_bit_of_everything, everywhere
from tests.tui.running import NOW, press, running, screen_text, settle
from tests.tui.test_keys import _below, bindings

MANY = 80
"""Rows that fit on no screen of the test."""


def numbered(first: int, last: int) -> list[Record]:
    """Rows, the newest on top."""
    return [Record(f"made-{number}", {}) for number in range(last, first - 1, -1)]


@pytest.mark.long
async def test_every_table_of_every_place_follows_what_comes_or_says_how_many(own_home: Path) -> None:
    with held(a_bit_of_everything(own_home)) as store:
        await follow_everywhere(store)


async def follow_everywhere(store: Store) -> None:
    seen, tried = [], set()
    async with everywhere(store, (140, 45)) as places:
        async for place, app, pilot in places:
            seen.append(place)
            tables = [table for table in app.screen.query(RecordTable) if table.is_on_screen and table.region.area]
            for table in tables:
                tried.add(table.place_name)
                table.begin_anew()
                table.show(numbered(1, MANY))
                table.move_cursor(row=0)
                await pilot.pause()
                table.show(numbered(1, MANY + 1))
                await pilot.pause()
                at_top = table.selected and table.selected.key
                if not table.GROWS_BELOW:
                    assert at_top == f"made-{MANY + 1}" and not table.unseen, (place, table)
                table.move_cursor(row=MANY)
                await pilot.pause()
                table.scroll_end(animate=False, immediate=True)
                table.show(numbered(1, MANY + 4))
                await pilot.pause()
                assert "▲ 3 new" in table.unseen, (place, table)
                assert "▲ 3 new" in table.render_line(0).text, (place, table)
                assert table.selected is not None and table.selected.key == "made-1", (place, table)
                table.scroll_home(animate=False, immediate=True)
                assert not table.unseen, (place, table)
    assert seen == list(PLACES)
    assert len(tried) > 20, tried


def test_every_widget_with_rows_is_one_of_those_that_tell() -> None:
    """A list of another kind would have to learn it: of those of a dialog nothing comes while they are open."""
    bindings()
    scrolled = {kind for kind in _below(ScrollView) if kind.__module__.startswith("agnes_stats.")}
    lists = {kind for kind in scrolled if not issubclass(kind, (OptionList, TextArea, Input))}
    assert RecordTable in lists and AnswerTable in lists and ActivityTable in lists
    for kind in lists:
        assert isinstance(getattr(kind, "unseen", None), property), kind
        assert kind is RecordTable or "show" not in vars(kind) or not issubclass(kind, RecordTable), kind


def test_keys_about_a_row_are_known_to_the_tables() -> None:
    """What acts on the row under the cursor acts on the one that the eye is on: tables have to know which keys do."""
    known, told = set(), set()
    for _, binding in bindings():
        action = binding.action.partition("(")[0].rpartition(".")[2]
        known.add(action)
        if any(
            words in binding.tooltip.lower()
            for words in ("the entry", "the session's", "the access", "under the cursor")
        ):
            told.add(action)
    assert known >= ABOUT_A_ROW
    assert told <= ABOUT_A_ROW | {"copy_resume", "zoom", "take"}, told - ABOUT_A_ROW


class Answers(App[None]):
    def compose(self):  # type: ignore[no-untyped-def]
        yield AnswerTable()


def answer(*numbers: int) -> Table:
    return Table(["n"], ["INTEGER"], [(number,) for number in numbers], truncated=False, seconds=0.0)


async def test_an_answer_that_is_asked_for_again_stays_where_it_is_read() -> None:
    app = Answers()
    async with app.run_test(size=(40, 8)) as pilot:
        table = app.query_one(AnswerTable)
        table.show(answer(*range(40, 0, -1)))
        await pilot.pause()
        table.scroll_to(y=10, animate=False, immediate=True)
        table.show(answer(*range(43, 0, -1)), again=True)
        await pilot.pause()
        assert "▲ 3 new · Home" in table.render_line(0).text and "30" in table.render_line(1).text
        table.scroll_to(y=2, animate=False, immediate=True)
        assert "▲ 2 new" in table.render_line(0).text
        table.show(answer(*range(44, 0, -1)), again=True)
        assert "▲ 3 new" in table.render_line(0).text
        table.scroll_home(animate=False, immediate=True)
        table.show(answer(*range(45, 0, -1)), again=True)
        await pilot.pause()
        assert table.unseen == "" and "45" in table.render_line(1).text
        table.scroll_to(y=10, animate=False, immediate=True)
        table.show(answer(*range(60, 0, -1)))
        await pilot.pause()
        assert table.unseen == "" and "60" in table.render_line(1).text


async def test_a_session_that_runs_says_what_came_below(tmp_path: Path) -> None:
    told = Transcript("s", NOW - dt.timedelta(minutes=4))
    for number in range(30):
        told.wait(2).prompt(f"prompt {number}").wait(1).response()
    store = store_of(tmp_path, [told])
    async with running(store, (140, 24)) as (app, pilot):
        await press(pilot, "enter")
        table = app.screen.query_one(ActivityTable)
        await press(pilot, "home")
        told.wait(1).prompt("one more").wait(1).response()
        write(tmp_path / "claude", [told])
        catch_up(store, tmp_path / "claude")
        app.screen.refresh_data()  # type: ignore[attr-defined]
        await settle(pilot)
        assert table.cursor_row == 0 and "▼ 2 new · End" in screen_text(app)
        await press(pilot, "end")
        assert "new · End" not in screen_text(app)
        # What somebody unfolds is not new.
        await press(pilot, "home", "a", "a")
        assert table.unseen == ""


@pytest.mark.parametrize(("view", "keys"), [("sessions", []), ("activity", [])])
async def test_a_list_in_use_says_what_came(tmp_path: Path, view: str, keys: list[str]) -> None:
    made = [Transcript(f"s{n:02}", NOW - dt.timedelta(minutes=100 - n)).prompt(f"prompt {n}") for n in range(60)]
    store = store_of(tmp_path, made)
    async with running(store, (140, 24)) as (app, pilot):
        await app.active_tab.show_view(view)  # type: ignore[attr-defined]
        await settle(pilot)
        await press(pilot, "end")
        made += [Transcript(f"t{n}", NOW - dt.timedelta(seconds=9 - n)).prompt(f"new {n}") for n in range(2)]
        write(tmp_path / "claude", made)
        catch_up(store, tmp_path / "claude")
        app.active_pane.refresh_data()
        await settle(pilot)
        assert "▲ 2 new · Home" in screen_text(app)
        # With other filters all that is shown is another list.
        await press(pilot, "r", *"90", "enter")
        assert "new · Home" not in screen_text(app)
        await press(pilot, "home")
        assert "new 1" in screen_text(app)
