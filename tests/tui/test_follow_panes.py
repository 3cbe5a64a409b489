"""Delegations, Agents, Tasks and Metrics, driven by their keys and read from the screen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.kit.sections import Sections
from agnes_stats.tui.kit.table import RecordTable
from agnes_stats.tui.sessions.detail import SessionScreen

from tests.queries.test_hand_overs import call, done, launched
from tests.queries.test_tasks import changed, made, todo
from tests.storing import held
from tests.transcripts import HAIKU, Transcript, catch_up, store_of, write
from tests.tui.places import cut_at_the_side
from tests.tui.running import NOW, SIZES, at_sizes, press, running, screen_text, settle


def work() -> list[Transcript]:
    """A session that runs: a planner that started a coder, one that failed, one behind; lists of tasks; errors."""
    begun = NOW - dt.timedelta(minutes=20)
    main = Transcript("s-one", begun).title("fix the churn query").prompt("Go").wait(2)
    main.response(call("c1", "planner", "plan the fix"), call("c2", "reader", "read the docs"))
    main.wait(1).result("c2", "No such agent", error=True)
    planner = (
        Transcript("s-one", main.now, agent="a1", model=HAIKU).note("planner", "plan the fix", "c1").prompt("plan")
    )
    planner.wait(2).response(call("c3", "coder", "write the fix"), tokens=(0, 300, 0, 0))
    coder = (
        Transcript("s-one", planner.now, agent="a2", model=HAIKU).note("coder", "write the fix", "c3").prompt("write")
    )
    coder.wait(2).response(("b1", "Bash", {"command": "make"}), tokens=(0, 4000, 0, 0)).wait(12).result("b1")
    coder.response()
    planner.now = main.now = coder.now
    planner.wait(1).result("c3", "done", toolUseResult=done("a2", 15_000)).response()
    main.wait(3).result("c1", "done", toolUseResult=done("a1", 20_000)).wait(1)
    todo(main, "w1", ("read the model", "completed"), ("write a test", "in_progress"), ("ship [it]", "pending"))
    made(main, "t1", "1", "migrate the table")
    made(main, "t2", "2", "tell the team")
    changed(main, "t3", "2", addBlockedBy=["1"])
    main.now = NOW - dt.timedelta(seconds=40)
    main.prompt("and watch it").wait(1).response(
        ("x1", "Bash", {"command": "codex exec 'watch the till'"}),
        call("c4", "watcher", "watch the nightly run"),
        stop=None,
    )
    main.result("c4", "Launched", toolUseResult=launched("a4"))
    watcher = Transcript("s-one", main.now, agent="a4", model=HAIKU).note("watcher", "watch the nightly run", "c4")
    watcher.prompt("watch").wait(2).response(("g1", "Read", {"file_path": "log"}), stop="tool_use")
    return [main, planner, coder, watcher]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(store_of(tmp_path_factory.mktemp("work"), work())) as store:
        yield store


async def view(app: Any, pilot: Any, name: str) -> str:
    """Go to a view; what the screen says."""
    await app.query_one("SessionsTab").show_view(name)
    await settle(pilot)
    return screen_text(app)


def line(text: str, part: str) -> str:
    return next(line for line in text.splitlines() if part in line)


async def test_delegations_tell_who_started_whom_at_any_size(store: Store) -> None:
    async with running(store, SIZES[0]) as (app, pilot):
        await view(app, pilot, "delegations")
        async for size, text in at_sizes(pilot, SIZES):
            assert max(map(len, text.splitlines())) <= size[0]
            assert "● running" in line(text, "main → watcher")
            assert "✓ done" in line(text, "planner → coder")
            assert "✗ failed" in line(text, "main → reader")
            assert "main → codex ⇗" in text
            if size[0] > 80:
                assert "└─ coder" in text
                assert "plan the fix" in line(text, "main → planner")


async def test_a_way_leaves_only_its_hand_overs_and_escape_brings_all_back(store: Store) -> None:
    async with running(store) as (app, pilot):
        await view(app, pilot, "delegations")
        listed = app.query_one("#delegations-list", RecordTable)
        assert len(listed.records) == 5
        await press(pilot, "w")
        edges = app.query_one("#delegations-edges", RecordTable)
        edges.select("planner\0coder\0False")
        await press(pilot, "enter")
        assert [record.key for record in listed.records] == ["c3"]
        await press(pilot, "escape")
        assert len(listed.records) == 5


async def test_enter_opens_the_session_of_a_hand_over(store: Store) -> None:
    async with running(store) as (app, pilot):
        await view(app, pilot, "delegations")
        app.query_one("#delegations-list", RecordTable).select("c1")
        await press(pilot, "enter")
        assert isinstance(app.screen, SessionScreen)


async def test_on_a_small_screen_one_part_at_a_time(store: Store) -> None:
    async with running(store, (80, 24)) as (app, pilot):
        for name, parts in (("delegations", 3), ("tasks", 4), ("metrics", 5)):
            await view(app, pilot, name)
            sections = app.active_pane.query_one(Sections)
            seen = []
            for _ in range(parts):
                seen.append(sections.current.id)
                assert [part.id for part in sections.parts if part.display] == [sections.current.id]
                assert sections.current.size.width > 70
                await press(pilot, "w")
            assert len(set(seen)) == parts
            assert sections.current.id == seen[0]


async def test_agents_are_ranked_at_any_size_and_one_type_can_be_chosen(store: Store) -> None:
    async with running(store, SIZES[0]) as (app, pilot):
        await view(app, pilot, "agents")
        async for _, text in at_sizes(pilot, SIZES):
            assert "●" in line(text, "watcher")
            assert "opus-4.5" in line(text, "main ")
        table = app.query_one("#ranking", RecordTable)
        first = [record.key.split("\0")[1] for record in table.records]
        assert first[0] == "main"
        await press(pilot, "s", "a")
        assert sorted(first) == [record.key.split("\0")[1] for record in table.records]
        table.select(next(record.key for record in table.records if "coder" in record.key))
        await press(pilot, "enter")
        assert app.chosen.subagent_type == "coder"
        await settle(pilot)
        assert [record.key.split("\0")[1] for record in table.records] == ["coder"]


async def test_tasks_stand_on_a_board_and_tell_their_history_at_any_size(store: Store) -> None:
    async with running(store, SIZES[0]) as (app, pilot):
        await view(app, pilot, "tasks")
        cards = {
            status: [str(record.cells["subject"]) for record in app.query_one(f"#cards-{status}", RecordTable).records]
            for status in ("pending", "in_progress", "blocked", "completed")
        }
        assert cards == {
            "pending": ["migrate the table", "ship [it]"],
            "in_progress": ["write a test"],
            "blocked": ["tell the team"],
            "completed": ["read the model"],
        }
        async for _, text in at_sizes(pilot, SIZES):
            assert "write a test" in text
            assert "fix the churn query · warehouse · claude-code · 1 of 5 done" in text
        await press(pilot, "enter")
        assert isinstance(app.screen, SessionScreen)


async def test_the_board_opens_on_the_column_that_has_cards(tmp_path: Path) -> None:
    done_all = todo(
        Transcript("s-done", NOW - dt.timedelta(hours=1)).prompt("Go"), "w1", ("read the model", "completed")
    )
    async with running(store_of(tmp_path, [done_all]), SIZES[0]) as (app, pilot):
        await view(app, pilot, "tasks")
        async for size, text in at_sizes(pilot, SIZES):
            assert "✓ read the model" in text, size
        assert app.focused is app.query_one("#cards-completed")
        await press(pilot, "w")
        assert app.focused is app.query_one("#cards-pending"), "it is looked at nonetheless"


async def test_a_task_says_when_it_became_what(store: Store) -> None:
    async with running(store) as (app, pilot):
        await view(app, pilot, "tasks")
        app.query_one("#cards-blocked", RecordTable).focus()
        await settle(pilot)
        text = screen_text(app)
        assert "⊘ tell the team" in text
        assert "pending 14:2" in text


async def test_metrics_add_up_on_the_screen_at_any_size(store: Store) -> None:
    async with running(store, SIZES[0]) as (app, pilot):
        await view(app, pilot, "metrics")
        async for size, text in at_sizes(pilot, (*SIZES, (120, 40))):
            assert "Error rate" in text and not cut_at_the_side(app), size
        table = app.query_one("#tools", RecordTable)
        assert table.records[-1].key == "rest"
        assert {record.key for record in table.records} >= {"tool\0Bash", "tool\0Agent", "tool\0TodoWrite"}
        classes = {str(r.cells["name"]): r.cells["count"] for r in app.query_one("#classes", RecordTable).records}
        assert list(classes) == ["under 1 s", "under 5 s", "under 10 s", "under 30 s", "over 30 s"]
        assert classes["under 30 s"] == "3"


async def test_the_running_session_says_how_much_of_its_list_is_done(store: Store) -> None:
    async with running(store) as (app, _):
        assert "1/5 tasks" in screen_text(app)


async def test_a_new_hand_over_appears_without_moving_the_cursor(tmp_path: Path) -> None:
    made_of = work()
    store = store_of(tmp_path, made_of)
    async with running(store) as (app, pilot):
        await view(app, pilot, "delegations")
        table = app.query_one("#delegations-list", RecordTable)
        table.select("c2")
        await settle(pilot)
        made_of[0].wait(1).response(call("c9", "reader", "read once more"), stop=None)
        write(tmp_path / "claude", made_of)
        catch_up(store, tmp_path / "claude")
        app.active_pane.refresh_data()
        await settle(pilot)
        assert table.records[0].key == "c9"
        assert table.selected is not None and table.selected.key == "c2"


async def test_a_store_without_anything_says_so(tmp_path: Path) -> None:
    store = store_of(tmp_path, [Transcript("s", NOW - dt.timedelta(days=1)).prompt("Hi")])
    async with running(store) as (app, pilot):
        assert "No work was handed over yet" in await view(app, pilot, "delegations")
        assert "No agent has done anything yet" in await view(app, pilot, "agents")
        assert "No to-do list yet" in await view(app, pilot, "tasks")
        assert "No calls or responses yet" in await view(app, pilot, "metrics")
