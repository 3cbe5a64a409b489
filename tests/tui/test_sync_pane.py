"""The Sync tab, driven by its keys and read from the screen."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store, StoreForeign
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.filter_text import unknown_to_sync
from agnes_stats.tui.kit.captioned_table import Listing
from agnes_stats.tui.kit.state import PaneState
from agnes_stats.tui.sync import pane
from agnes_stats.tui.sync import text as sync_words
from agnes_stats.tui.sync.pane import SyncPane
from agnes_stats.tui.sync.program import Due, due_in_words

from tests.ingest.agnes_files import ledger, log, parquet, put, run
from tests.machine import Machine, bash
from tests.storing import held
from tests.transcripts import Transcript
from tests.tui.running import NOW, press, running, screen_text, settle, show_days, show_view

HOSTILE = "[/foo]\x1b[2J[red]hostile"


def token(expires: dt.datetime) -> str:
    """A token as the `agnes` command keeps it; nobody checks its signature."""
    claims = json.dumps({"exp": int(expires.replace(tzinfo=dt.UTC).timestamp())}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"


def filled_up(file: Path, size: int) -> None:
    """Give a transcript its size with empty lines: how long its rows are depends on where the tests run."""
    file.write_bytes(file.read_bytes().ljust(size, b"\n"))


def world(home: Path) -> Machine:
    """Two workspaces: one with sessions in every state of upload, one whose last pull failed."""
    machine = Machine(home)
    put(home / ".config/agnes/token.json", {"access_token": token(NOW + dt.timedelta(days=64, hours=1))})
    analyst, finance = machine.workspace(), machine.workspace("finance", last_sync="2026-03-07T09:00:00+00:00")
    sizes = {"orders": (1_204_331, 88_000_000), "customers": (88_412, 6_500_000), "plans": (12, 888)}
    state = {name: {"rows": rows, "size_bytes": size} for name, (rows, size) in sizes.items()}
    put(analyst / ".claude/agnes/sync_state.json", {"tables": state, "last_sync": "2026-03-10T14:32:00+00:00"})
    for name, when in (("orders", "2026-03-10T14:32:00"), ("customers", "2026-03-08T10:00:00")):
        parquet(analyst / f"server/parquet/{name}.parquet", 10, when)
    log(
        analyst,
        *(run(f"202602{day:02}T100000Z", ("pull", "ok", "3 tables, 2 parquets")) for day in range(1, 29)),
        run(
            "20260310T143210Z",
            ("pull", "ok", "3 tables, 4 parquets"),
            ("push", "ok", "2 session(s), 1 private skipped"),
        ),
    )
    reset = [{"table": name, "error": f"connection reset by peer {HOSTILE}"} for name in ("ledger", "vat", "assets")]
    log(finance, run("20260309T101500Z", ("pull", "error", reset)))
    titles = {"s1": "fix the churn query", "s2": HOSTILE, "s3": "salaries", "s4": "a huge one", "s5": "still going on"}
    for number, (name, title) in enumerate(titles.items()):
        transcript = Transcript(name, f"2026-03-10T{9 + number:02}:00:00", cwd=str(analyst)).title(title).prompt("Hi")
        filled_up(machine.session(transcript, analyst), 1_000 * (number + 1))
    refresh = bash("s6", "2026-03-10T14:32:00", "agnes update", analyst).title("refresh all")
    filled_up(machine.session(refresh, analyst), 6_000)
    ledger(analyst, "uploaded", "s1\t100000\t2026-03-10T14:32:09Z", "s2\t10\t2026-03-10T14:32:11Z")
    ledger(analyst, "failed", "2026-03-10T14:32:08Z\ts4\t413\t/x/s4.jsonl")
    ledger(analyst, "private", "s3")
    broken = machine.session(Transcript("s7", "2026-03-10T08:00:00").prompt("Hi").row("brand-new"), Path("/x"))
    broken.write_bytes(broken.read_bytes() + b'{"type": "user", \xff\x1b[2J [/red] "text"\n')
    machine.read()
    with machine.store.write() as connection:
        moment = NOW - dt.timedelta(seconds=14)
        connection.execute("UPDATE files SET read_at = ?, mtime_ns = ?", [moment, int(moment.timestamp()) * 10**9])
        connection.execute("UPDATE rejects SET seen_at = ?", [moment])
    return machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    home = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
        machine = world(home)
        with held(machine.store):
            yield machine


@pytest.fixture(autouse=True)
def at_home(machine: Machine, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home folder is the one the world lies in: paths are shown with ~."""
    monkeypatch.setenv("HOME", str(machine.home))
    # DuckDB decides how large a file is.
    monkeypatch.setattr(Store, "bytes_on_disk", lambda _: 31_000)


def sync_tab(store: Store, size: tuple[int, int] = (140, 45), **options: Any) -> Any:
    return running(store, size, tab="sync", **options)


def listed(app: AgnesStats, name: str, column: str) -> list[str]:
    records = app.query_one(f"#{name}", Listing).table.records
    return [str(record.cells[column]) for record in records]


def said(app: AgnesStats, name: str) -> str:
    """The sentence in place of a list."""
    state = app.query_one(f"#{name}", Listing).query_one(PaneState)
    assert state.mode == "empty" and state.display
    return str(state.render()).removeprefix("○  ")


# -- what it looks like


async def test_a_large_screen_and_text_from_data_that_is_neither_markup_nor_escape_codes(
    machine: Machine, golden: Callable[[str, str], None]
) -> None:
    async with sync_tab(machine.store, (200, 60)) as (app, pilot):
        text = screen_text(app)
        golden("sync-200x60", text)
        assert max(map(len, text.splitlines())) <= 200
        assert "[/foo][red]hostile" in text and "\x1b" not in text
        await show_view(pilot, "uploads")
        assert "[/foo][red]hostile" in screen_text(app)


async def test_a_narrow_screen_keeps_when_action_and_result_whole(
    machine: Machine, golden: Callable[[str, str], None]
) -> None:
    async with sync_tab(machine.store, (80, 24)) as (app, _):
        text = screen_text(app)
        golden("sync-80x24", text)
        assert max(map(len, text.splitlines())) <= 80
        for told in (
            "Uploaded 2 of 6",
            "Waiting 2",
            "Failed 1",
            "Private 1",
            "Token 64 days left",
            "Last pull 12m ago",
        ):
            assert told in text
        row = next(line for line in text.splitlines() if "manifest.fetch" in line)
        assert "14:32" in row and "success" in row and "3 tables, 4 parquets" in row


# -- figures


def look() -> sync_words.SyncLook:
    return sync_words.SyncLook(NOW, dt.UTC, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left", "value", "tone"),
    [
        (dt.timedelta(days=64, hours=5), "64 days left", ""),
        (dt.timedelta(days=8), "8 days left", ""),
        (dt.timedelta(days=7), "7 days left", "warning"),
        (dt.timedelta(days=1, hours=1), "1 day left", "warning"),
        (dt.timedelta(hours=5, minutes=2), "5h 2m left", "warning"),
        (dt.timedelta(0), "expired", "error"),
        (dt.timedelta(days=-3), "expired", "error"),
    ],
)
def test_a_token_warns_in_its_last_week(left: dt.timedelta, value: str, tone: str) -> None:
    workspace = pane.Workspace("/ws", NOW, None, NOW + left, False)
    cards = sync_words.cards([workspace], pane.TableSums(1, 1), pane.UploadSums(0, 0, 0, 0, 0, 0, 0), look())
    card = next(card for card in cards if card.label == "Token")
    assert (card.value, card.tone) == (value, tone)


@pytest.mark.parametrize(("waiting", "tone"), [(3, ""), (4, "warning")])
def test_a_gap_of_more_than_three_sessions_is_marked(waiting: int, tone: str) -> None:
    sums = pane.UploadSums(10, 10 - waiting, 0, 0, 0, waiting, 10)
    cards = sync_words.cards([pane.Workspace("/ws", NOW, None, None, False)], pane.TableSums(1, 1), sums, look())
    assert next(card.tone for card in cards if card.label == "Waiting") == tone


@pytest.mark.parametrize(
    ("first", "number", "told"),
    [
        (dt.timedelta(days=3, hours=4), 12, "in 3d 4h, 12 within 7 days"),
        (dt.timedelta(days=20), 0, "in 20d"),
        (dt.timedelta(hours=-1), 2, "at its next start, 2 within 7 days"),
        (None, 0, "–"),
    ],
)
def test_when_an_agent_deletes_the_next_session(first: dt.timedelta | None, number: int, told: str) -> None:
    due = Due("Claude Code", None if first is None else NOW + first, number)
    assert due_in_words(due, NOW) == told
    assert due_in_words(None, NOW) == "–"


# -- keys


async def test_what_is_told_of_an_action_and_enter_opens_its_session(
    machine: Machine, golden: Callable[[str, str], None]
) -> None:
    async with sync_tab(machine.store) as (app, pilot):
        text = screen_text(app)
        golden("sync-140x45", text)
        assert max(map(len, text.splitlines())) <= 140
        failed = listed(app, "actions", "result").index("error")
        assert "assets: connection reset" not in text
        await press(pilot, *["down"] * failed)
        assert "assets: connection reset" in screen_text(app), "the whole of an error"
        both = listed(app, "actions", "source").index("workspace, transcript")
        await press(pilot, *["down" if both > failed else "up"] * abs(both - failed))
        assert "seen in workspace, transcript" in screen_text(app), "an update that two sources tell is one row"
        await press(pilot, "enter")
        assert type(app.screen).__name__ == "SessionScreen" and "refresh all" in screen_text(app)


async def test_pages(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pane, "PAGE", 20)
    async with sync_tab(machine.store, chosen=Filter(since=dt.date(2026, 1, 1))) as (app, pilot):
        pages = [listed(app, "actions", "when")]
        assert "1 to 20 of 64 actions · n older" in screen_text(app)
        assert "N Newer" not in screen_text(app)
        for words in ("21 to 40 of 64 actions · n older · N newer", "41 to 60", "61 to 64 of 64 actions · N newer"):
            await press(pilot, "down", "n")
            assert words in screen_text(app)
            pages.append(listed(app, "actions", "when"))
        assert app.query_one("#actions", Listing).table.cursor_row == 0
        await press(pilot, "n")
        assert listed(app, "actions", "when") == pages[-1]
        for _ in range(3):
            # Faster than any page is loaded.
            app.query_one(SyncPane).action_newer()
        await settle(pilot)
        assert listed(app, "actions", "when") == pages[0]
        assert pages[-1][-1] == "Feb 01 10:00"
        await press(pilot, "n")
        await show_days(pilot, "30")
        assert "1 to 20 of 48 actions" in screen_text(app), "another range begins with its first page"


async def test_uploads_most_urgent_first_and_what_was_rejected(
    machine: Machine, golden: Callable[[str, str], None]
) -> None:
    async with sync_tab(machine.store) as (app, pilot):
        await show_view(pilot, "uploads")
        golden("sync-uploads-140x45", screen_text(app))
        assert listed(app, "uploads", "status") == ["failed", "waiting", "waiting", "grown", "private", "uploaded"]
        assert "refused: 413" in screen_text(app)
        await press(pilot, "enter")
        assert "a huge one" in screen_text(app) and type(app.screen).__name__ == "SessionScreen"
        await press(pilot, "escape")
        assert app.query_one(SyncPane).view == "uploads"
        await press(pilot, "escape")
        assert app.query_one(SyncPane).view == "history"
        await show_view(pilot, "rejects")
        golden("sync-rejects-140x45", screen_text(app))


async def test_tables_are_sorted_by_key_and_escape_leads_to_the_actions_and_then_drops_the_filter(
    machine: Machine,
) -> None:
    async with sync_tab(machine.store) as (app, pilot):
        assert listed(app, "tables", "table_id") == ["orders", "customers", "plans"]
        await press(pilot, "S")
        assert listed(app, "tables", "table_id") == ["customers", "orders", "plans"]
        await press(pilot, "s", "t")
        assert listed(app, "tables", "table_id") == ["customers", "orders", "plans"]
        assert "Table ▴" in screen_text(app)
        await press(pilot, "S")
        assert listed(app, "tables", "table_id") == ["plans", "orders", "customers"]
        await press(pilot, "slash", *"chu", "enter")
        await show_view(pilot, "uploads")
        assert listed(app, "uploads", "title") == ["fix the churn query"]
        await press(pilot, "escape")
        assert app.query_one(SyncPane).view == "history" and app.query_one(SyncPane).text == "chu"
        await press(pilot, "escape")
        assert app.query_one(SyncPane).text == ""
        assert app.focused is app.query_one("#actions", Listing).table


async def test_every_key_is_in_the_help_of_a_view_where_it_works(machine: Machine) -> None:
    told = ""
    async with sync_tab(machine.store, (120, 60)) as (app, pilot):
        for name in ("uploads", "rejects", "history"):
            await show_view(pilot, name)
            await press(pilot, "question_mark")
            told += screen_text(app)
            await press(pilot, "escape")
    # There is one page only, and on a large screen all parts are seen.
    for binding in SyncPane.BINDINGS:
        assert (getattr(binding, "tooltip", "") in told) == (binding.action not in ("older", "newer", "next_part"))  # type: ignore[union-attr]


# -- sentences


async def test_without_a_workspace_it_says_where_it_looked_and_what_works(own_home: Path) -> None:
    machine = Machine(own_home)
    machine.session(Transcript("s1", "2026-03-10T12:00:00").prompt("Hi"), Path("/x"))
    async with sync_tab(machine.read().store, (140, 45)) as (app, pilot):
        assert app.query_one(SyncPane).view == "about", "of a workspace there is nothing to see"
        told = screen_text(app)
        assert "Sources  2 files" in told, told
        assert "Read last" in told and "tool_calls" not in told
        assert re.search(r" in \d+d", told), "when Claude Code deletes it"
        await press(pilot, "escape")
        assert app.query_one(SyncPane).view == "history"
        text = " ".join(screen_text(app).split())
        for told in (
            "AGNES_LOCAL_DIR (not set)",
            "config.yaml (no such file)",
            "1 folder that",
            "init-complete",
            "--demo",
        ):
            assert told in text
        assert "claude" in text and "1 file" in text and "0 B behind" in text
        assert not app.query_one("#tables").display
        app.query_one(SyncPane).refresh_data()
        await settle(pilot)
        assert app.query_one(SyncPane).view == "history", "who went there stays there"
    async with sync_tab(machine.store, (120, 30), source=("claude=/x/y",)) as (app, pilot):
        await show_view(pilot, "history")
        assert "Looked in claude=/x/y." in screen_text(app)


async def test_why_there_are_no_actions(machine: Machine) -> None:
    long_ago = Filter(since=dt.date(2020, 1, 1), until=dt.date(2020, 1, 2))
    async with sync_tab(machine.store, chosen=long_ago) as (app, pilot):
        assert "No sync activity in these days. Press r for a longer range." in screen_text(app)
        assert "orders" in screen_text(app), "tables are the state of now"
        await press(pilot, "slash", *"zz", "enter")
        assert said(app, "actions") == said(app, "tables") == "Nothing here matches the filters. Escape drops them."
        for name in ("uploads", "rejects"):
            await show_view(pilot, name)
            assert said(app, name) == "Nothing here matches the filters. Escape drops them."


async def test_nothing_rejected_is_said(own_home: Path) -> None:
    async with sync_tab(Machine(own_home).read().store) as (app, pilot):
        await show_view(pilot, "rejects")
        assert "Every line of every file could be used" in screen_text(app)
        assert "R Read again" not in screen_text(app)


async def test_a_store_that_cannot_be_read_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def foreign(*_: object) -> None:
        raise StoreForeign("this is no store")

    monkeypatch.setattr(SyncPane, "load", foreign)
    async with sync_tab(machine.store) as (app, _):
        state = app.query_one(SyncPane).query_one(PaneState)
        assert state.mode == "failed"
        assert "this is no store. Press F5 to try again." in str(state.render())


def test_filters_that_actions_do_not_know_are_told() -> None:
    assert unknown_to_sync(Filter(project="shop", agent="codex", machine="lab", user="ann", session_id="s1")) == ""
    told = unknown_to_sync(Filter(model="opus", subagent_type="Explore", branch="main", version="2.1.1"))
    assert told == "sync knows no sub-agent or branch or version or model: all is shown"
