"""The other views of the Data access tab: what the accesses add up to, and how the tools did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.access.detail import AccessScreen
from agnes_stats.tui.access.table import AccessTable
from agnes_stats.tui.access.views import AccessSummary, ToolStatistics
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.bars import StackedBars
from agnes_stats.tui.kit.table import RecordTable
from textual.widgets import ContentSwitcher

from tests.queries.accesses import session, store_with
from tests.storing import held
from tests.transcripts import Transcript
from tests.tui.access_world import world
from tests.tui.running import press, running, screen_text, settle, show_days, show_view


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(world(tmp_path_factory.mktemp("world"))) as store:
        yield store


def on_access(store: Store, size: tuple[int, int] = (140, 45), **options: Any) -> Any:
    return running(store, size, tab="access", **options)


def view(app: AgnesStats) -> str:
    return str(app.query_one("#access-body ContentSwitcher", ContentSwitcher).current)


def part(app: AgnesStats, name: str) -> RecordTable:
    return app.query_one(f"#{name} RecordTable", RecordTable)


def keys(table: RecordTable) -> list[str]:
    return [record.key for record in table.records]


Golden = Callable[[str, str], None]


def screen_is(app: AgnesStats, golden: Golden, name: str) -> None:
    text = screen_text(app)
    assert max(map(len, text.splitlines())) <= app.size.width
    golden(f"access-{name}-{app.size.width}x{app.size.height}", "\n".join(text.splitlines()[2:-1]))


async def test_both_views_and_back_to_the_list(store: Store, golden: Golden) -> None:
    async with on_access(store) as (app, pilot):
        for name in ("summary", "tools"):
            await show_view(pilot, name)
            assert view(app) == f"access-{name}"
            screen_is(app, golden, name)
            await press(pilot, "escape")
            assert view(app) == "access-list" and app.focused is app.query_one(AccessTable)


async def test_both_views_on_a_large_screen(store: Store, golden: Golden) -> None:
    async with on_access(store, (200, 60)) as (app, pilot):
        for name in ("summary", "tools"):
            await show_view(pilot, name)
            screen_is(app, golden, name)


async def test_a_small_screen_shows_one_part_at_a_time_and_a_larger_one_all(store: Store, golden: Golden) -> None:
    async with on_access(store, (80, 24)) as (app, pilot):
        await show_view(pilot, "tools")
        screen_is(app, golden, "tools")
        await show_view(pilot, "summary")
        screen_is(app, golden, "summary")
        seen = []
        for _ in range(6):
            (shown,) = (one for one in app.query_one(AccessSummary).parts if one.display)
            seen.append(shown.id)
            assert app.focused is shown.content
            await press(pilot, "w")
        assert sorted(seen) == sorted(str(one.id) for one in app.query_one(AccessSummary).parts)
        assert seen[0] == "summary-tables"
        await press(pilot, "w")
        await pilot.resize_terminal(140, 45)
        await settle(pilot)
        assert all(one.display for one in app.query_one(AccessSummary).parts)
        assert "w next" not in screen_text(app)
        await pilot.resize_terminal(140, 24)
        await settle(pilot)
        assert [one.id for one in app.query_one(AccessSummary).parts if one.display] == ["summary-files"]


async def test_a_table_an_action_and_a_place_lead_to_their_accesses(store: Store) -> None:
    async with on_access(store) as (app, pilot):
        await show_view(pilot, "summary")
        assert part(app, "summary-tables").select("events")
        await press(pilot, "enter")
        assert view(app) == "access-list"
        assert keys(app.query_one(AccessTable)) == ["churn-no3:0", "churn-no1:0", "server:http://agnes:alone"]
        assert "table events" in screen_text(app).splitlines()[1]
        await press(pilot, "escape")
        assert len(app.query_one(AccessTable).records) == 15
        for section, row, count in (("actions", "query.remote", 6), ("places", "web", 1), ("places", "remote", 7)):
            await show_view(pilot, "summary")
            table = part(app, f"summary-{section}")
            assert table.select(row)
            app.set_focus(table)
            await press(pilot, "enter")
            assert view(app) == "access-list" and len(app.query_one(AccessTable).records) == count
            await press(pilot, "escape")


async def test_the_summary_is_sorted_by_any_column(store: Store) -> None:
    async with on_access(store) as (app, pilot):
        await show_view(pilot, "summary")
        table = part(app, "summary-tables")
        assert keys(table)[:3] == ["customers", "events", "orders"]
        await press(pilot, "S")
        assert keys(table)[0] == "sums"
        await press(pilot, "s", "w")
        assert keys(table)[0] == "sums" and "▾ Writes" in screen_text(app)
        await press(pilot, "s", "f")
        assert set(keys(table)[:2]) == {"lost", "orders"}


async def test_every_day_is_on_the_axis_and_the_slowest_queries_open_in_full(store: Store) -> None:
    async with on_access(store) as (app, pilot):
        await show_view(pilot, "summary")
        await press(pilot, "w", "w", "w", "w")
        table = part(app, "summary-slowest")
        assert app.focused is table and keys(table)[0] in ("churn-no1:0", "web-no3:0", "evil-no0:0")
        chart = app.query_one("#summary-days StackedBars", StackedBars)
        assert chart.part_count() == 30 and "Accesses by day" in screen_text(app)
        table.select("churn-no1:0")
        await press(pilot, "enter")
        assert isinstance(app.screen, AccessScreen) and "select count(*) from events" in screen_text(app)
        await press(pilot, "escape")
        await show_days(pilot, "365")
        assert chart.part_count() == 53 and "Accesses by week" in screen_text(app)


async def test_the_summary_obeys_the_filters_and_tools_those_of_all_tabs_only(store: Store) -> None:
    async with on_access(store) as (app, pilot):
        await show_view(pilot, "summary")
        await press(pilot, "t", "x")
        assert keys(part(app, "summary-actions")) == ["query.remote"]
        assert keys(part(app, "summary-tables")) == ["lost", "orders"]
        assert keys(part(app, "summary-slowest")) == ["churn-no2:0", "server:http://agnes:gone"]
        assert "queries 2" in screen_text(app) and "files" not in screen_text(app).splitlines()[7]
        await show_view(pilot, "tools")
        table = part(app, "tools-tool")
        assert len(table.records) == 5
        assert "queries" not in screen_text(app).splitlines()[1]
        # They are sorted by any column.
        assert keys(table)[0] == "Bash"
        await press(pilot, "S")
        assert keys(table)[-1] == "Bash"
        table.action_sort_by("name")
        await settle(pilot)
        assert keys(table) == sorted(keys(table), key=str.lower)
        app.choose(project="web-frontend")
        await settle(pilot)
        assert "Tool calls" in screen_text(app) and keys(table).count("Bash") == 1
        await press(pilot, "x")
        assert view(app) == "access-list"


async def test_who_queries_no_data_sees_files_and_pages(tmp_path: Path) -> None:
    read, wrote = ("Read", {"file_path": "/w/a.py"}), ("Write", {"file_path": "/w/b.py", "content": "x"})
    told = session("s1", "14:00", read, read, wrote, ("WebFetch", {"url": "https://example.com", "prompt": "x"}))
    async with on_access(store_with(tmp_path, [told])) as (app, pilot):
        await show_view(pilot, "summary")
        text = screen_text(app)
        for words in ("Files read", "Files written", "Searches", "Web", "those touched most"):
            assert words in text
        assert "Slowest queries" not in text and "Tables" not in text
        assert keys(part(app, "summary-files")) == ["/w/a.py", "/w/b.py"]
        assert [one.id for one in app.query_one(AccessSummary).parts][1] == "summary-files"
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        for _ in range(4):
            (shown,) = (one for one in app.query_one(AccessSummary).parts if one.display)
            assert shown.id not in ("summary-tables", "summary-slowest")
            await press(pilot, "w")
        table = part(app, "summary-files")
        app.set_focus(table)
        await press(pilot, "enter")
        assert view(app) == "access-list" and len(app.query_one(AccessTable).records) == 2
        assert "file /w/a.py" in screen_text(app)


async def test_servers_skills_and_plugins_are_told(tmp_path: Path) -> None:
    told = session(
        "s1",
        "14:00",
        ("mcp__agnes__query", {"sql": "select 1"}),
        ("Skill", {"skill": "toolbox:review"}),
        ("Bash", {"command": "ls"}),
    )
    async with on_access(store_with(tmp_path, [told])) as (app, pilot):
        await show_view(pilot, "tools")
        text = screen_text(app)
        assert "agnes / query" in text and "toolbox:review" in text
        names = {one.id: keys(part(app, str(one.id))) for one in app.query_one(ToolStatistics).parts}
        assert names["tools-server"] == ["agnes"] and names["tools-plugin"] == ["toolbox"]


async def test_views_without_anything(tmp_path: Path) -> None:
    told = Transcript("s1", "2026-03-10T14:00").prompt("look").response(("c", "TodoWrite", {})).result("c")
    async with on_access(store_with(tmp_path, [told])) as (app, pilot):
        assert "No data accesses yet" in screen_text(app)
        await show_view(pilot, "tools")
        assert keys(part(app, "tools-tool")) == ["TodoWrite"] and "none used" in screen_text(app)
        await press(pilot, "slash", *"zz", "enter")
        assert "No tool calls match these filters" in screen_text(app)
        await press(pilot, "escape")
        assert "No data accesses yet" in screen_text(app)
        await show_view(pilot, "tools")
        assert "none used" not in screen_text(app) or keys(part(app, "tools-tool")) == []
