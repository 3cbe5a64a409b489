"""The Sessions tab, driven by its keys and read from the screen."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.dashboard import restart
from agnes_stats.tui.kit.lines import StillText
from agnes_stats.tui.kit.state import PaneState
from agnes_stats.tui.kit.table import RecordTable
from agnes_stats.tui.sessions.now import NowCards
from agnes_stats.tui.sessions.side import SessionSide
from textual.widgets import Input

from tests.storing import held
from tests.transcripts import Transcript, store_of, write
from tests.tui.running import NOW, SIZES, at_sizes, press, running, screen_text, settle, show_days
from tests.tui.sessions_world import world


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(world(tmp_path_factory.mktemp("world"))) as store:
        yield store


def order(app: object) -> list[str]:
    return [record.key[-1] for record in app.query_one(RecordTable).records]  # type: ignore[attr-defined]


def line(text: str, part: str) -> str:
    return next(line for line in text.splitlines() if part in line)


async def test_the_screen_tells_what_runs_at_any_size(store: Store, golden: Callable[[str, str], None]) -> None:
    async with running(store, SIZES[0]) as (_, pilot):
        async for size, text in at_sizes(pilot, SIZES):
            lines = text.splitlines()
            # Without the frame around all tabs, and the names of the views.
            golden(f"sessions-{size[0]}x{size[1]}", "\n".join(lines[3:-1]))
            first = next(n for n, text in enumerate(lines) if "● fix the churn" in text)
            assert "$" in lines[first]
            assert "Bash  duckdb" in lines[first + 1]
            assert "running 14 s" in lines[first + 1]
            assert "1 sub-agent running" in lines[first + 1]
            assert max(map(len, lines)) <= size[0]


async def test_everything_about_a_session_is_in_its_row(store: Store) -> None:
    async with running(store, (168, 45)) as (app, _):
        row = line(screen_text(app), "14:02")
        for told in ("●", "fix the churn query", "warehouse", "opus-4.5", "9m", "42m", "11", "379k", "$0.34"):
            assert told in row


async def test_nothing_runs(store: Store) -> None:
    async with running(store, now=NOW + dt.timedelta(minutes=6)) as (app, _):
        text = screen_text(app)
        assert "Now" not in text
        assert "●" not in text
        assert app.query_one(NowCards).size.height == 0


async def test_marks_and_what_they_mean_and_time_passes_on_the_cards(store: Store) -> None:
    async with running(store) as (app, pilot):
        text = screen_text(app)
        assert "(source gone) migrate to uv" in text
        assert "🔒 why is the nightly sync slow" in text
        assert "≥1.2M" in line(text, "nightly sync")
        assert "≥$5.78" in line(text, "nightly sync"), "the cost of a lower bound is one"
        assert "$0.04+?" in line(text, "migrate to uv")
        pending = line(text, "3f0fc83a-0006.jsonl")
        assert "pending" in pending
        assert "◌" in pending
        caption = line(text, "6 sessions, 5 with tokens ·")
        assert "≥ in 4 %   +? in <1 %   🔒 private, never uploaded" in caption
        moment = NOW + dt.timedelta(seconds=7)
        app.now = lambda: moment
        app.query_one(NowCards).tick(app.now())
        await pilot.pause()
        assert "running 21 s" in screen_text(app)
        await pilot.click(NowCards, offset=(10, 1))
        await settle(pilot)
        assert "then count each customer once" in screen_text(app), "a card opens its session"


async def test_the_marks_are_told_at_length_where_there_is_room_from_the_first_rows_on(store: Store) -> None:
    async with running(store, (169, 45), chosen=Filter(zone="UTC", project="/nowhere")) as (app, pilot):
        assert "lower bound" not in screen_text(app)
        await press(pilot, "p", "enter")
        assert "≥ lower bound: 1 of " in line(screen_text(app), "6 sessions, 5 with tokens ·")


async def test_below_a_list_beside_its_details_no_mark_is_told_by_half(store: Store) -> None:
    """From the first answer on, when the panel has not taken its part of the width yet."""
    for width in (170, 180, 200):
        async with running(store, (width, 45)) as (app, _):
            caption = line(screen_text(app), "6 sessions, 5 with tokens ·").partition("│")[0]
            assert "🔒 private" in caption and "…" not in caption, caption


async def test_sorting_by_key_and_by_mouse(store: Store) -> None:
    async with running(store) as (app, pilot):
        assert order(app) == ["1", "2", "3", "5", "6", "4"]
        header = next(n for n, text in enumerate(screen_text(app).splitlines()) if "Started" in text)
        # The letter of a column sorts by it, that of the one in force the other way round.
        await press(pilot, "s")
        assert "t    Title" in screen_text(app)
        await press(pilot, "t")
        assert "Title ▴" in screen_text(app)
        assert order(app) == ["5", "2", "1", "4", "3", "6"]
        await press(pilot, "s", "t")
        assert "Title ▾" in screen_text(app)
        assert order(app) == ["3", "4", "1", "2", "5", "6"]
        await press(pilot, "S")
        assert "Title ▴" in screen_text(app)
        assert app.query_one(RecordTable).cursor_row == 0
        await press(pilot, "s", "j", "enter")
        assert "Project ▴" in screen_text(app)
        await press(pilot, "s", "s")
        assert "Project ▾" in screen_text(app)
        await press(pilot, "s", "l")
        assert order(app)[0] == "1", "last active"
        await press(pilot, "s", "escape")
        column = screen_text(app).splitlines()[header].index("Tokens")
        for mark, first in (("▾", "3"), ("▴", "6")):
            await pilot.click(offset=(column, header))
            await settle(pilot)
            assert f"{mark} Tokens" in screen_text(app)
            assert order(app)[0] == first


async def test_rows_that_stay_the_same_follow_the_theme_and_the_day(store: Store) -> None:
    async with running(store) as (app, pilot):

        def tone() -> object:
            return getattr(app.query_one(RecordTable).records[3].cells["tool_errors"], "style", None)

        before = tone()
        app.theme = "textual-light"
        app.active_pane.refresh_data()
        await settle(pilot)
        assert tone() not in (None, before)
        assert "yesterday 11:47" not in screen_text(app)
        app.now = lambda: NOW + dt.timedelta(days=1)
        app.active_pane.refresh_data()
        await settle(pilot)
        assert "yesterday 11:47" in screen_text(app)


async def test_filtering_as_you_type_and_enter_goes_back_to_the_rows(store: Store) -> None:
    async with running(store) as (app, pilot):
        await press(pilot, "slash", "c", "h", "u", "r", "n")
        assert order(app) == ["1"]
        assert "1 session ·" in screen_text(app)
        await press(pilot, "x")
        assert "Nothing matches these filters. Press Escape to clear them." in screen_text(app)
        assert "● fix the churn" in screen_text(app)
        await press(pilot, "escape")
        assert len(order(app)) == 6
        await press(pilot, "slash", "u", "v", "enter")
        assert not isinstance(app.focused, Input)
        await press(pilot, "enter")
        assert "migrate to uv" in screen_text(app)
        await press(pilot, "escape")
        assert order(app) == ["4"]


async def test_range_and_project_hold_here_too(store: Store) -> None:
    async with running(store) as (app, pilot):
        app.choose(project="infra")
        await settle(pilot)
        assert order(app) == ["5", "4"]
        app.choose(project=None, since=None)
        await show_days(pilot, "7 days")
        assert "7 days" in screen_text(app)
        assert order(app) == ["1", "2", "3"]


async def test_the_cursor_stays_on_its_session_when_data_come(store: Store, tmp_path: Path) -> None:
    own = tmp_path / "own.duckdb"
    shutil.copy(store.path, own)
    async with running(Store(own)) as (app, pilot):
        table = app.query_one(RecordTable)
        await press(pilot, "down", "down")
        assert table.selected is not None
        assert table.selected.key.endswith("3")
        with Store(own).write() as connection:
            connection.execute("DELETE FROM sessions WHERE session_id = '3f0fc83a-0002'")
        app.active_pane.refresh_data()
        await settle(pilot)
        assert order(app) == ["1", "3", "5", "6", "4"]
        assert table.selected.key.endswith("3")


async def test_the_session_under_the_cursor_beside_a_wide_list(store: Store) -> None:
    async with running(store, (200, 60)) as (app, pilot):
        assert "the churn number looks too high" in screen_text(app)
        await press(pilot, "down")
        text = screen_text(app)
        assert "/home/dana/work/web-frontend" in text
        assert "the churn number looks too high" not in text
        await press(pilot, "down", "down")
        text = screen_text(app)
        assert "[/foo] [red]x gone" in text, "hostile titles are plain text"
        assert "\x1b" not in text
        assert "‮" not in text
        await press(pilot, "end", "up")
        assert "not read yet" in screen_text(app)
        side = app.query_one(SessionSide)
        side.show_session("3f0fc83a-0002")
        side.show_session(None)
        await settle(pilot)
        assert "Versions" not in screen_text(app), "a late answer for another session is dropped"
        side.show_session("3f0fc83a-0002")
        assert "Loading the session" in str(side.query_one(StillText).render()), "never a blank panel"


async def test_the_id_the_file_and_the_other_parts_as_the_screen_becomes_wide_and_narrow(store: Store) -> None:
    async with running(store, (140, 45)) as (app, pilot):
        await press(pilot, "y")
        assert app.clipboard == "3f0fc83a-0001"
        await press(pilot, "f")
        assert app.clipboard.endswith("3f0fc83a-0001.jsonl")
        assert "3f0fc83a-0001.jsonl" in screen_text(app)
        await press(pilot, "end", "f")
        assert "Copied, but gone from disk" in screen_text(app)
        app.clear_notifications()
        await press(pilot, "home")
        assert not app.query_one(SessionSide).display
        await pilot.resize_terminal(200, 45)
        await settle(pilot)
        assert "the churn number looks too high" in screen_text(app)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert not app.query_one(SessionSide).display
        assert "fix the churn query" in screen_text(app)


async def test_costs_can_be_hidden(store: Store) -> None:
    async with running(store, (200, 60), no_cost=True) as (app, _):
        assert "$" not in screen_text(app)
        assert "Cost" not in screen_text(app)


async def test_times_are_those_of_the_zone(store: Store) -> None:
    async with running(store, tz="America/New_York", chosen=Filter(zone="America/New_York")) as (app, _):
        assert "fix the churn query" in line(screen_text(app), "●  10:02")


async def test_nothing_yet(tmp_path: Path) -> None:
    async with running(store_of(tmp_path, []), (80, 24)) as (app, _):
        text = screen_text(app)
        assert "No sessions yet. Looked in ~/.claude." in text
        assert "agnes-stats --demo" in text and "--source claude=FOLDER" in text
        assert app.query_one("SessionsPane PaneState", PaneState).mode == "empty"


async def test_nothing_in_these_days(store: Store) -> None:
    async with running(store, now=NOW + dt.timedelta(days=300)) as (app, pilot):
        assert "No session in these days, 5 sessions in all. Press r for more days." in screen_text(app)
        await show_days(pilot, "365")
        assert len(order(app)) == 6


async def test_a_store_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    path.write_text("this is no database")
    async with running(Store(path)) as (app, pilot):
        assert app.query_one("SessionsPane PaneState", PaneState).mode == "failed"
        assert "Could not load sessions" in screen_text(app)
        path.unlink()
        await press(pilot, "f5")
        assert "No sessions yet" in screen_text(app)


async def test_the_list_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agnes_stats.tui.sessions.list.SHOWN", 2)
    told = [Transcript(f"s{n}", f"2026-03-0{n}T10:00:00").prompt(f"do {n}").response() for n in range(1, 7)]
    async with running(store_of(tmp_path, told)) as (app, _):
        assert order(app) == ["6", "5"]
        assert "2 of 6 · 7.9k tokens" in screen_text(app)


async def test_many_at_once_are_counted(tmp_path: Path) -> None:
    told = [Transcript(f"s{n}", "2026-03-10T14:44:00").prompt(f"do {n}").response() for n in range(30)]
    async with running(store_of(tmp_path, told)) as (app, _):
        text = screen_text(app)
        assert "● 30 live" in text and "and 27 more sessions running" in text
        assert text.count("waiting for you since 30 s") == 3
        # It counts on while nothing is written.
        app.now = lambda: NOW + dt.timedelta(seconds=9)
        assert app.active_pane.grows
        app.active_pane.tick()
        assert screen_text(app).count("waiting for you since 39 s") == 3


def test_the_world_is_written_as_claude_code_does(tmp_path: Path) -> None:
    write(tmp_path, [Transcript("s", "2026-03-10T14:44:00").prompt("hi")])
    assert (tmp_path / "projects" / "-home-dana-work" / "s.jsonl").read_text().count("\n") == 1


async def test_nothing_yet_leads_to_the_demo_or_to_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[str, ...]] = []
    monkeypatch.setattr(AgnesStats, "begin_again", lambda _, *added: begun.append(added))
    async with running(store_of(tmp_path, []), (100, 30)) as (app, pilot):
        assert "E Example" in screen_text(app) and "O Other folder" in screen_text(app)
        await press(pilot, "E")
        assert begun == [("--demo",)]
        await press(pilot, "O", *"/no/such/place", "enter")
        assert "there is no folder /no/such/place" in screen_text(app)
        await press(pilot, "escape", "O")
        app.screen.query_one(Input).value = str(tmp_path)
        await press(pilot, "enter")
        assert begun == [("--demo",), ("--source", f"claude={tmp_path}")]


async def test_where_there_are_sessions_no_other_ones_are_offered(store: Store) -> None:
    async with running(store, (140, 45)) as (app, _):
        assert "Other folder" not in screen_text(app)


def test_to_begin_again_is_the_same_command_with_more(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("sys.orig_argv", ["python", "-m", "agnes_stats", "--no-cost"])
    monkeypatch.setattr("os.execv", lambda _, command: started.append(command[1:]))
    restart(("--demo",))
    assert started == [["-m", "agnes_stats", "--no-cost", "--demo"]]
