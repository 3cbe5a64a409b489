"""The Activity view: prompts of all sessions, newest first, while they come."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.table import Record, RecordTable
from agnes_stats.tui.sessions import activity
from agnes_stats.tui.sessions.detail import SessionScreen
from rich.text import Text
from textual.pilot import Pilot

from tests.queries.test_activity import mixed, nest, resumed
from tests.storing import held
from tests.transcripts import Transcript, catch_up, store_of, write
from tests.tui.running import SIZES, at_sizes, press, running, screen_text, settle
from tests.tui.sessions_world import HOSTILE, world

NOW = dt.datetime(2026, 3, 10, 14, 44, 30)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(world(tmp_path_factory.mktemp("world"))) as store:
        yield store


@contextlib.asynccontextmanager
async def feed(
    store: Store, size: tuple[int, int] = (140, 45), **options: Any
) -> AsyncIterator[tuple[AgnesStats, Pilot[int]]]:
    async with running(store, size, **options) as (app, pilot):
        await press(pilot, "right_square_bracket")
        assert app.active_pane.id == "activity"
        yield app, pilot


def table(app: AgnesStats) -> RecordTable:
    return app.query_one("#activity-rows", RecordTable)


def listed(app: AgnesStats) -> list[str]:
    return [str(record.cells["what"]) for record in table(app).records]


def entry(app: AgnesStats, part: str) -> Record:
    return next(record for record in table(app).records if part in str(record.cells["what"]))


def cells(app: AgnesStats, part: str, *names: str) -> tuple[str, ...]:
    return tuple(str(entry(app, part).cells[name]) for name in names)


def prompts(app: AgnesStats) -> list[str]:
    """Those that are listed, without what is below them."""
    return [str(record.cells["what"])[2:] for record in table(app).records if record.key.count("/") == 0]


def is_marked(app: AgnesStats, part: str) -> bool:
    time = entry(app, part).cells["time"]
    return isinstance(time, Text) and "reverse" in str(time.style)


def go_to(app: AgnesStats, part: str) -> None:
    assert table(app).select(entry(app, part).key)


async def test_the_newest_prompt_of_all_sessions_is_on_top_at_any_size(store: Store) -> None:
    async with feed(store, SIZES[0]) as (app, pilot):
        assert [what[2:].split(" ")[0] for what in listed(app)[:5]] == ["then", "the", "add", "why", "[/foo]"]
        assert cells(app, "then count", "result", "tokens", "project") == ("✓ 6 … 2", "293k", "warehouse")
        assert cells(app, "the churn", "time", "result", "took") == ("14:02:00", "✓ 1 ✗ 2", "45 s")
        assert cells(app, "why is", "time") == ("Mar 09 19:20",)
        async for size, text in at_sizes(pilot, SIZES):
            assert max(map(len, text.splitlines())) <= size[0]
            for told in ("then count each customer once", "✓ 6 … 2", "$0.2", *(["warehouse"] if size[0] > 80 else [])):
                assert told in text, told
            assert "7 prompts" not in text and "6 prompts" in text
            assert "\x1b" not in text and "\x07" not in text
            assert HOSTILE not in text and "[/foo] [red]x" in " ".join(listed(app))


async def test_a_prompt_unfolds_to_what_was_done_at_any_depth_with_model_and_agent(tmp_path: Path) -> None:
    store = store_of(tmp_path, nest(4))
    async with feed(store, (200, 60)) as (app, pilot):
        assert listed(app) == ["▸ dig"]
        await press(pilot, "a")
        assert [what.rstrip() for what in listed(app)] == [
            "▾ dig",
            "    delegates  100 tokens out",
            "  ▾ digger-1  level 1",
            "      delegates  100 tokens out",
            "    ▾ digger-2  level 2",
            "        delegates  100 tokens out",
            "      ▾ digger-3  level 3",
            "          delegates  100 tokens out",
            "        ▾ digger-4  level 4",
            "            Bash  ls",
            "            answer  100 tokens out",
            "          answer  100 tokens out",
            "        answer  100 tokens out",
            "      answer  100 tokens out",
            "    answer  100 tokens out",
        ]
        assert cells(app, "digger-1", "who", "result", "tokens", "calls") == ("main", "✓", "2.6k", "1")
        assert cells(app, "digger-4", "who") == ("digger-3",)
        assert cells(app, "Bash  ls", "who", "model", "tokens", "took") == ("digger-4", "sonnet-4.5", "1.3k", "1.0 s")
        await press(pilot, "a")
        assert listed(app) == ["▸ dig"]
        await press(pilot, "enter")
        assert len(listed(app)) == 4
        await press(pilot, "left", "right")
        await press(pilot, "down", "down", "space")
        assert "    ▸ digger-2  level 2" in listed(app)
        go_to(app, "digger-2")
        await press(pilot, "left")
        assert "digger-1" in str(table(app).selected.cells["what"])  # type: ignore[union-attr]


async def test_a_resumed_sub_agent_stands_below_both_prompts(tmp_path: Path) -> None:
    async with feed(store_of(tmp_path, resumed())) as (app, pilot):
        await press(pilot, "a")
        assert [what.rstrip() for what in listed(app)] == [
            "▾ look again",
            "    delegates  100 tokens out",
            "  ▾ Explore  find it",
            "      Read  /y",
            "      Read  /y",
            "      answer  100 tokens out",
            "    answer  100 tokens out",
            "▾ look",
            "    delegates  100 tokens out",
            "  ▾ Explore  find it",
            "      Read  /x",
            "      answer  100 tokens out",
            "    answer  100 tokens out",
        ]


async def test_a_new_prompt_comes_in_on_top_marked_and_moves_no_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "NEW_SECONDS", 3600.0)
    told = Transcript("s", "2026-03-10T10:00:00")
    for number in range(5):
        told.wait(5).prompt(f"prompt {number}").wait(1).response()
    store = store_of(tmp_path, [told])

    async def more(text: str) -> None:
        told.wait(5).prompt(text).wait(1).response(("b", "Bash", {"command": "ls"}))
        write(tmp_path / "claude", [told])
        catch_up(store, tmp_path / "claude")
        app._refresh_all()
        await settle(pilot)

    async with feed(store) as (app, pilot):
        assert not is_marked(app, "prompt 4")
        await more("brand new")
        assert listed(app)[0] == "▸ brand new"
        # Nobody had moved the cursor: it stays on top.
        assert table(app).cursor_row == 0
        assert is_marked(app, "brand new") and not is_marked(app, "prompt 4")
        go_to(app, "prompt 2")
        await more("another")
        assert listed(app)[0] == "▸ another"
        assert "prompt 2" in str(table(app).selected.cells["what"])  # type: ignore[union-attr]
        pane: Any = app.active_pane
        pane._settle({row.id for row in pane._data.page.rows})
        assert not is_marked(app, "brand new")


async def test_filters_of_its_own_and_those_of_all_tabs(tmp_path: Path) -> None:
    async with feed(mixed(tmp_path)) as (app, pilot):
        everything = listed(app)
        assert [what[2:] for what in everything] == ["dig", "/model", "/review", "style the page"]
        await press(pilot, "x")
        assert [what[2:] for what in listed(app)] == ["style the page"]
        assert "failures ✕" in screen_text(app)
        await press(pilot, "backspace", "d")
        assert [what[2:] for what in listed(app)] == ["dig"]
        await press(pilot, "d")
        assert [what[2:] for what in listed(app)] == ["/model", "/review", "style the page"]
        assert "direct only" in screen_text(app)
        await press(pilot, "escape")
        assert listed(app) == everything
        go_to(app, "review")
        await press(pilot, "enter")
        await press(pilot, "down", "t")
        assert prompts(app) == ["/review"]
        assert "tool Grep ✕" in screen_text(app)
        await press(pilot, "escape", "slash", *"dig", "enter")
        assert listed(app) == ["▸ dig"]
        await press(pilot, "escape")
        go_to(app, "style")
        await press(pilot, "i")
        assert prompts(app) == ["/model", "/review", "style the page"]
        assert app.chosen.session_id == "web"
        await press(pilot, "x", "slash", *"nothing", "enter")
        assert "Nothing matches" in screen_text(app)
        await press(pilot, "escape", "escape")
        assert len(listed(app)) >= len(everything)


async def test_what_is_in_no_row_is_told_below(tmp_path: Path) -> None:
    told = Transcript("s", "2026-03-10T10:00:00").response().wait(1).prompt("go").wait(1).response()
    async with feed(store_of(tmp_path, [told])) as (app, _):
        assert "1 prompt · 1.3k tokens" in screen_text(app)
        assert "besides 1.3k tokens, what no prompt began" in screen_text(app)


async def test_more_than_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "SHOWN", 3)
    told = Transcript("s", "2026-03-10T10:00:00")
    for number in range(5):
        told.wait(5).prompt(f"prompt {number}").wait(1).response()
    async with feed(store_of(tmp_path, [told])) as (app, pilot):
        app.active_pane._shown = 3  # type: ignore[attr-defined]
        await press(pilot, "f5")
        assert [what.strip() for what in listed(app)] == [
            *(f"▸ prompt {n}" for n in (4, 3, 2)),
            "… older prompts: Enter",
        ]
        assert "the newest 3 prompts" in screen_text(app)
        go_to(app, "older")
        await press(pilot, "enter")
        assert len(listed(app)) == 5


async def test_enter_leads_to_the_session(store: Store) -> None:
    async with feed(store) as (app, pilot):
        go_to(app, "add the revenue")
        await press(pilot, "o")
        assert isinstance(app.screen, SessionScreen)
        assert "add the revenue dashboard" in screen_text(app)
        await press(pilot, "escape")
        assert app.active_pane.id == "activity"


async def test_an_empty_store_says_so(tmp_path: Path) -> None:
    async with feed(store_of(tmp_path, [])) as (app, _):
        assert "Nothing was asked yet" in screen_text(app)
