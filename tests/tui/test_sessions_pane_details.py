"""The details of a session, opened from the list."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.state import PaneState
from agnes_stats.tui.screens.help import HelpScreen
from agnes_stats.tui.sessions.detail import ActivityTable, SessionScreen
from textual.pilot import Pilot

from tests.storing import held
from tests.transcripts import Transcript, catch_up, store_of, write
from tests.tui.running import NOW, SIZES, at_sizes, press, running, screen_text, settle
from tests.tui.sessions_world import HOSTILE, bash, churn, world

LIVE, QUIET, ODD, PENDING = (f"3f0fc83a-000{number}" for number in (1, 2, 5, 6))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(world(tmp_path_factory.mktemp("world"))) as store:
        yield store


@contextlib.asynccontextmanager
async def opened(
    store: Store, session: str = LIVE, size: tuple[int, int] = (140, 45), **options: Any
) -> AsyncIterator[tuple[AgnesStats, Pilot[int]]]:
    async with running(store, size, **options) as (app, pilot):
        app.push_screen(SessionScreen(session))
        await settle(pilot)
        yield app, pilot


def listed(app: AgnesStats) -> list[str]:
    """The column of what happened, a line each."""
    table = app.screen.query_one(ActivityTable)
    return [str(record.cells["what"]) for record in table.records]


def cell(app: AgnesStats, part: str, column: str) -> str:
    table = app.screen.query_one(ActivityTable)
    return next(str(record.cells[column]) for record in table.records if part in str(record.cells["what"]))


def go_to(app: AgnesStats, part: str) -> None:
    table = app.screen.query_one(ActivityTable)
    table.select(next(record.key for record in table.records if part in str(record.cells["what"])))


async def test_the_screen_of_a_running_session_and_its_help(store: Store, golden: Callable[[str, str], None]) -> None:
    async with opened(store) as (app, pilot):
        text = screen_text(app)
        golden("sessions-detail-140x45", text)
        for told in (
            "/home/dana/work/warehouse",
            "2 prompts · 11 tools · 2 errors (1",
            "compaction",
            "61 %, 122k of 200k",
            "hit 96.8 %",
            "Sub-agents",
            "haiku-4.5",
            "/home/dana/.claude/projects/",
            "2.1.114",
        ):
            assert told in text
        # How things ended and how long they took.
        assert (cell(app, "select count", "result"), cell(app, "select count", "took")) == ("✓", "3.0 s")
        assert cell(app, "dbt run", "result") == "✗ error"
        assert cell(app, "Edit", "result") == "⊘ denied"
        assert cell(app, "select month", "result") == "… 14 s"
        assert cell(app, "Explore", "result").startswith("… ")
        assert (cell(app, "▾ 1", "result"), cell(app, "▾ 1", "took")) == ("✗ 2 errors", "45 s")
        assert cell(app, "▾ 2", "result") == "… 2 running"
        assert cell(app, "▾ 1", "cost").startswith("$0.")
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "Only what failed, was denied or interrupted, or all" in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, SessionScreen)


async def test_enter_opens_it_and_escape_goes_back(store: Store) -> None:
    async with running(store) as (app, pilot):
        await press(pilot, "enter")
        assert isinstance(app.screen, SessionScreen)
        await press(pilot, "escape")
        assert not isinstance(app.screen, SessionScreen)
        assert "6 sessions" in screen_text(app)
        await press(pilot, "enter", "q")
        assert not isinstance(app.screen, SessionScreen)
        assert app.is_running


async def test_a_short_session_opens_unfolded_and_its_prompts_fold(store: Store) -> None:
    async with opened(store) as (app, pilot):
        everything = listed(app)
        assert everything[:8] == [
            "▾ 1 the churn number looks too high, why?",
            '    Bash  duckdb -c "select count(*) from subscriptions"',
            "    Bash  dbt run --select churn",
            "      Database Error in model churn: no such column",
            "    Edit  models/churn.sql",
            "      no",
            "    answer  100 tokens out",
            "▾ 2 then count each customer once",
        ]
        assert everything[-3:] == [
            "    conversation compacted",
            "  ▸ Explore  find all uses of churn",
            '    Bash  duckdb -c "select month, sum(n) from churn"',
        ]
        go_to(app, "dbt run")
        await press(pilot, "left")
        selected = app.screen.query_one(ActivityTable).selected
        assert selected is not None
        assert "▾ 1" in str(selected.cells["what"]), "left on an entry goes to the one above"
        await press(pilot, "left")
        assert listed(app)[:2] == ["▸ 1 the churn number looks too high, why?", "▾ 2 then count each customer once"]
        await press(pilot, "enter")
        assert listed(app) == everything
        await press(pilot, "space")
        assert listed(app)[0].startswith("▸ 1")
        await press(pilot, "right")
        assert listed(app) == everything


async def test_only_failures_all_at_once_and_a_sub_agent_below_its_call(store: Store) -> None:
    async with opened(store) as (app, pilot):
        everything = listed(app)
        await press(pilot, "x")
        assert [what.strip() for what in listed(app)] == [
            "▾ 1 the churn number looks too high, why?",
            "Bash  dbt run --select churn",
            "Database Error in model churn: no such column",
            "Edit  models/churn.sql",
            "no",
            "▾ 2 then count each customer once",
        ]
        await press(pilot, "x")
        assert listed(app) == everything
        await press(pilot, "a")
        unfolded = listed(app)
        await press(pilot, "a")
        assert [what[:1] for what in listed(app)] == ["▸", "▸"]
        await press(pilot, "a")
        assert listed(app) == unfolded
        at = next(n for n, what in enumerate(listed(app)) if "Explore" in what)
        assert listed(app)[at : at + 4] == [
            "  ▾ Explore  find all uses of churn",
            "      Grep  churn",
            "      Read  models/marts.sql",
            '    Bash  duckdb -c "select month, sum(n) from churn"',
        ]
        go_to(app, "Grep")
        await press(pilot, "left", "left")
        assert "      Grep  churn" not in listed(app)


async def test_the_whole_text_of_an_entry(tmp_path: Path) -> None:
    command = "echo " + " ".join(f"word{number}" for number in range(30))
    told = bash(Transcript("s", "2026-03-10T10:00:00").prompt("go"), "c", command)
    async with opened(store_of(tmp_path, [told]), "s", (80, 24)) as (app, pilot):
        assert "word15" not in screen_text(app)
        await press(pilot, "down")
        assert "word15" in screen_text(app)


async def test_a_long_prompt_shows_its_latest_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agnes_stats.tui.sessions.detail._STEPS", 10)
    told = Transcript("s", "2026-03-10T10:00:00").prompt("go")
    for number in range(50):
        bash(told, f"c{number}", f"step {number}")
    async with opened(store_of(tmp_path, [told]), "s") as (app, pilot):
        assert listed(app)[0] == "▾ 1 go"
        assert listed(app)[1:3] == ["    … 40 earlier", "    Bash  step 40"]
        assert listed(app)[-1] == "    Bash  step 49"
        await press(pilot, "down", "enter")
        assert listed(app)[1:3] == ["    … 30 earlier", "    Bash  step 30"]


async def test_it_follows_a_running_session_unless_one_looks_elsewhere(tmp_path: Path) -> None:
    told, agent = churn()
    store = store_of(tmp_path, [told, agent])
    async with opened(store) as (app, pilot):
        table = app.screen.query_one(ActivityTable)
        assert table.cursor_row == table.row_count - 1
        told.wait(5).result("c5", text="9 rows").wait(1).result("t1").wait(1).response().wait(2).prompt("and now?")
        told.wait(1).response(("n1", "Bash", {"command": "make"}))
        write(tmp_path / "claude", [told])
        catch_up(store, tmp_path / "claude")
        later = told.now + dt.timedelta(seconds=4)
        app.now = lambda: later
        app._refresh_all()
        await settle(pilot)
        assert listed(app)[-2:] == ["▾ 3 and now?", "    Bash  make"]
        assert cell(app, "Bash  make", "result") == "… 4 s"
        assert cell(app, "select month", "result") == "✓"
        assert table.cursor_row == table.row_count - 1
        go_to(app, "dbt run")
        app._refresh_all()
        await settle(pilot)
        assert table.selected is not None
        assert "dbt run" in str(table.selected.cells["what"])


async def test_copying_the_id_and_showing_the_file(store: Store) -> None:
    async with opened(store, QUIET) as (app, pilot):
        await press(pilot, "y")
        assert app.clipboard == QUIET
        before = screen_text(app).count("3f0fc83a-0002.jsonl")
        await press(pilot, "f")
        assert screen_text(app).count("3f0fc83a-0002.jsonl") == before + 1


async def test_hostile_texts_are_plain_text(store: Store) -> None:
    async with opened(store, ODD, SIZES[0]) as (_, pilot):
        await press(pilot, "down")
        async for _, text in at_sizes(pilot, (SIZES[0], SIZES[1])):
            assert "[/foo]" in text
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f‮]", text)
            assert HOSTILE not in text


async def test_a_pending_session_says_so(store: Store) -> None:
    async with opened(store, PENDING) as (app, _):
        assert "not read yet" in screen_text(app)
        assert listed(app) == []


async def test_a_session_that_is_gone_from_the_store_and_a_store_that_cannot_be_read(
    store: Store, tmp_path: Path
) -> None:
    own = tmp_path / "own.duckdb"
    shutil.copy(store.path, own)
    async with opened(Store(own)) as (app, pilot):
        with Store(own).write() as connection:
            connection.execute("DELETE FROM sessions")
        app._refresh_all()
        await settle(pilot)
        assert app.screen.query_one(PaneState).mode == "empty"
        assert "not in the store any more" in screen_text(app)
        own.write_text("this is no database")
        app._refresh_all()
        await settle(pilot)
        assert app.screen.query_one(PaneState).mode == "failed"
        assert "Could not load the session" in screen_text(app)


async def test_costs_can_be_hidden(store: Store) -> None:
    async with opened(store, size=SIZES[0], no_cost=True) as (_, pilot):
        async for _, text in at_sizes(pilot, (SIZES[0], SIZES[1])):
            assert "$" not in text


async def test_a_narrow_screen_and_one_that_becomes_narrow_keep_the_essentials(
    store: Store, golden: Callable[[str, str], None]
) -> None:
    async with opened(store, size=(80, 24)) as (app, pilot):
        golden("sessions-detail-80x24", screen_text(app))
        for size in ((200, 60), (80, 24)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
        text = screen_text(app)
        assert "379k tokens · $0.34" in text
        assert "Bash  duckdb" in text
        assert max(map(len, text.splitlines())) <= 80


async def test_sub_agents_that_name_each_other_end(tmp_path: Path) -> None:
    main = Transcript("s", NOW).prompt("go").wait(1).response()
    agents = []
    for own, other in (("x", "y"), ("y", "x")):
        agent = Transcript("s", main.now, agent=own).wait(1).response((f"in-{own}", "Task", {"description": own}))
        agents.append(agent.note("t", f"agent {own}", f"in-{other}"))
    async with opened(store_of(tmp_path, [main, *agents]), "s") as (app, _):
        assert listed(app)[0].endswith("1 go")
