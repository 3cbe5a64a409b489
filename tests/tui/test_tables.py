"""The answers of the commands as plain text."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli
from agnes_stats.tui import terminal as to_terminal
from agnes_stats.tui.commands import COMMANDS as EVERY
from agnes_stats.tui.commands import command_of, home, overview, page, queries, sessions, sync, tokens
from agnes_stats.tui.commands.page import TextColumn
from agnes_stats.tui.settings import Settings
from rich.cells import cell_len

from tests.ingest.agnes_files import ledger
from tests.machine import Machine
from tests.transcripts import Transcript, store_of
from tests.tui.running import NOW
from tests.tui.sessions_world import world

Golden = Callable[[str, str], None]

MODULES: dict[str, Any] = {
    "sessions": sessions,
    "tokens": tokens,
    "queries": queries,
    "sync": sync,
    "home": home,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return world(tmp_path_factory.mktemp("world"))


def settings(store: Store, **more: Any) -> Settings:
    return Settings(store=store.path, tz="UTC", **more)


def answer(store: Store, command: str, **chosen: Any) -> dict[str, Any]:
    filter_ = Filter(**chosen)
    with store.read() as connection:
        if command == "sessions":
            return sessions.sessions_answer(connection, filter_, now=NOW, limit=50, offset=0)
        if command == "tokens":
            return tokens.tokens_answer(connection, filter_, today=NOW.date(), days=3)
        if command == "queries":
            return queries.queries_answer(connection, filter_, limit=1, cursor=None)
        if command == "sync":
            return sync.sync_answer(connection, filter_, limit=50, cursor=None)
        return home.home_answer(connection, filter_, window="24h", now=NOW)


def told(
    capsys: pytest.CaptureFixture[str], store: Store, command: str, found: dict[str, Any] | None = None, **more: Any
) -> str:
    on = page.page_of(settings(store, **more), NOW)
    to_terminal.lines(MODULES[command].show(found or answer(store, command), on))
    return capsys.readouterr().out


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def narrow(width: int) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        monkeypatch.setenv("COLUMNS", str(width))

    return narrow


COMMANDS = list(MODULES)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command(store: Store, command: str, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    golden(f"table-{command}", told(capsys, store, command).rstrip("\n"))


def test_the_overview(store: Store, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    with store.read() as connection:
        overview.show_overview(connection, settings(store), Filter(), NOW)
    golden("table-overview", capsys.readouterr().out.rstrip("\n"))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160, 250])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_of_a_table_is_wider_than_the_terminal(
    store: Store, command: str, width: int, capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
) -> None:
    terminal(width)
    lines = told(capsys, store, command).splitlines()
    headed = next(n for n, line in enumerate(lines) if re.match(r" *(Started|Day|When|Last)", line))
    assert lines[headed + 1 :]
    for line in lines[headed:]:
        assert cell_len(line) <= width or line.startswith(("Last", "More", "≥"))


def test_what_matters_most_stays_longest() -> None:
    columns = [TextColumn("When"), TextColumn("Title", flexible=True), TextColumn("Cost", right=True)]
    rows = [["yesterday 19:20", "a title that is long", "$12.00"]]
    assert page.table(columns, rows, 40)[1] == "yesterday 19:20  a title that i…  $12.00"
    assert page.table(columns, rows, 28)[1] == "yesterday 19:20  a title th…"


def test_a_wide_terminal_shows_more(
    store: Store, capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
) -> None:
    terminal(60)
    narrow = told(capsys, store, "sessions")
    terminal(200)
    wide = told(capsys, store, "sessions")
    assert "Wall" in wide
    assert "Wall" not in narrow
    for label in ("Started", "Title", "Tokens", "Cost"):
        assert label in narrow
        assert label in wide


def test_marks_in_the_list_of_sessions(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, store, "sessions").splitlines()
    rows = {part: next(line for line in lines if part in line) for part in ("churn", "nightly", "uv", "0006")}
    assert rows["churn"].startswith("●")
    assert "(private)" in rows["nightly"]
    assert "≥1.2M" in rows["nightly"]
    assert "(source gone)" in rows["uv"]
    assert rows["0006"].startswith("◌  pending")
    assert lines[-3:] == [
        "6 sessions, 5 of 6 with tokens",
        "≥ lower bound: 1 of 23 responses (4 %)",
        "+? no known price: 1.3k tokens (<1 %)",
    ]


def test_a_session_that_was_sent_is_told_by_its_title(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = Machine(tmp_path)
    folder = machine.workspace()
    for session in ("s-one", "s-two"):
        machine.session(Transcript(session, "2026-03-10T08:00:00").prompt(f"Sum up {session}"), folder)
    ledger(folder, "uploaded", "s-one\t100\t2026-03-10T09:00:00Z", "s-away\t100\t2026-03-10T09:00:00Z")
    ledger(folder, "failed", "2026-03-10T09:00:00Z\ts-two\t413\t/x/s-two.jsonl")
    text = told(capsys, machine.read().store, "sync")
    assert "Sum up s-one" in text and "413 · Sum up s-two" in text and "session:s-away" in text


def test_texts_from_data_are_harmless(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    everything = "".join(told(capsys, store, command) for command in COMMANDS)
    assert "[/foo] [red]x gone" in everything
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f‮]", everything)


def test_columns_line_up_under_wide_characters() -> None:
    columns = [TextColumn("Name"), TextColumn("N", right=True)]
    assert page.table(columns, [["日本", "1"], ["abc", "10"]], 40) == ["Name   N", "日本   1", "abc   10"]


def test_flexible_columns_shrink_and_others_go_by_rank() -> None:
    columns = [TextColumn("Title", flexible=True), TextColumn("A", rank=2), TextColumn("B", rank=1)]
    rows = [["x" * 60, "aaaa", "bbbb"]]
    assert page.table(columns, rows, 80)[1] == f"{'x' * 60}  aaaa  bbbb"
    assert page.table(columns, rows, 50)[1] == f"{'x' * 37}…  aaaa  bbbb"
    assert page.table(columns, rows, 31)[1] == f"{'x' * 24}…  bbbb"
    assert page.table(columns, rows, 29)[1] == f"{'x' * 28}…"
    assert page.table(columns, rows, 10)[1] == f"{'x' * 9}…"


def test_costs_can_be_hidden(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    everything = "".join(told(capsys, store, command, no_cost=True) for command in COMMANDS)
    assert "$" not in everything
    assert "Cost" not in everything


def test_times_are_those_of_the_zone(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    on = page.page_of(Settings(store=store.path, tz="America/New_York"), NOW)
    to_terminal.lines(sessions.show(answer(store, "sessions"), on))
    assert "●  10:02" in capsys.readouterr().out


def test_how_to_go_on(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(store, "queries")
    cursor = found["next_cursor"]
    assert cursor is not None
    assert f"More: --cursor-ts {cursor['timestamp']} --cursor-id {cursor['id']}" in told(
        capsys, store, "queries", found
    )


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("sessions", "No sessions yet."),
        ("tokens", "No tokens yet."),
        ("queries", "No accesses to data yet."),
        ("sync", "Last pull never\nNo sync activity yet."),
        ("home", "0 sessions"),
    ],
)
def test_nothing_to_tell(tmp_path: Path, command: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sentence in told(capsys, store_of(tmp_path, []), command)


@pytest.mark.parametrize("command", sorted(EVERY))
def test_only_where_something_is_filtered_by_nothing_matches(command: str) -> None:
    source = Path(sys.modules[command_of(command).run.__module__].__file__ or "").read_text("utf-8")
    assert " match." not in source, "page.nothing knows whether anything is filtered by"


def test_a_filter_is_named_where_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = store_of(tmp_path, [])
    for asked in (["sessions", "--project", "shop"], ["tokens", "--since", "2026-01-01"], ["activity", "--failures"]):
        assert cli.main([*asked, "--store", str(empty.path), "--no-ingest"]) == 0
        assert "match these filters." in capsys.readouterr().out
    assert cli.main(["activity", "--store", str(empty.path), "--no-ingest"]) == 0
    assert "No prompts yet." in capsys.readouterr().out


def test_an_overview_of_nothing_says_where_it_looked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = store_of(tmp_path, [])

    def page(chosen: Filter = Filter(), **more: Any) -> str:  # noqa: B008
        with empty.read() as connection:
            overview.show_overview(connection, settings(empty, **more), chosen, NOW)
        return capsys.readouterr().out

    said = page()
    assert "Looked in ~/.claude, ~/.config/claude, " in said
    for place in ("~/.codex", "~/.gemini", "~/.copilot", "~/.local/share/opencode", "~/.mux", "~/.pi/agent", "~/.qwen"):
        assert place in said
    assert "agnes-stats --demo" in page()
    assert "Looked in claude=/x." in page(source=("claude=/x",))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "/elsewhere")
    monkeypatch.setenv("CODEX_HOME", "/other")
    said = page()
    assert "Looked in /elsewhere, " in said and "/other" in said and "~/.c" not in said.replace("~/.copilot", "")
    assert page(Filter(since=dt.date(2026, 1, 1))) == "Nothing matches these filters.\n"
