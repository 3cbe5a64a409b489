"""Who asks a store that is not there, and forbids to read, hears so in one line; nothing is made."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest
from agnes_stats.tui import cli, completing, dashboard, terminal
from agnes_stats.tui.commands import COMMANDS, command_of

NEEDED = {
    "context": ["s-one"],
    "search": ["orders"],
    "sql": ["SELECT 1"],
    "push": ["--to", "postgresql://ann@127.0.0.1:1/agnes"],
}
ASKING = [name for name in COMMANDS if "no-ingest" in command_of(name).heeds and command_of(name).needs_store]


def said(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = cli.main([*words, "--store", str(folder / "wrong" / "store.duckdb")])
    told = capsys.readouterr()
    return status, told.out, told.err


@pytest.mark.parametrize("words", [[name, *NEEDED.get(name, [])] for name in ASKING] + [["--plain"], []])
def test_a_question_says_so_and_makes_nothing(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = said(tmp_path, capsys, *words, "--no-ingest")
    assert (status, out) == (1, "")
    assert err == f"agnes-stats: there is no store at {tmp_path / 'wrong' / 'store.duckdb'}\n"
    assert not list(tmp_path.iterdir())


def test_all_that_answer_from_the_store_are_asked() -> None:
    assert {"sessions", "tokens", "sql", "panels", "push", "mcp", "serve"} <= set(ASKING)
    assert [name for name in COMMANDS if not command_of(name).needs_store] == [
        "statusline",
        "doctor",
        "config",
    ]


def test_forget_makes_no_store_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(tmp_path, capsys, "forget", "--session", "s-one", "--yes")
    assert (status, out, err.count("there is no store at")) == (1, "", 1)
    assert not list(tmp_path.iterdir())


def test_the_doctor_tells_it_and_the_status_line_has_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = said(tmp_path, capsys, "doctor", "--no-ingest")
    assert (status, "there is no store at" in out) == (1, True)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.stdin", io.StringIO("{}"))
    status, out, _ = said(tmp_path, capsys, "statusline", "--no-ingest")
    assert (status, out.count("\n"), "there is no store at" in out) == (0, 1, True)
    assert not (tmp_path / "wrong" / "store.duckdb").exists()


def test_tab_makes_no_store(tmp_path: Path) -> None:
    values = completing._stored(lambda _: ["shop"])
    assert values("", argparse.Namespace(store=str(tmp_path / "wrong" / "store.duckdb"))) == []
    assert not list(tmp_path.iterdir())


def test_a_dashboard_needs_one_only_where_it_may_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "can_show_screen", lambda: True)
    monkeypatch.setattr(dashboard, "dashboard", lambda *_: 0)
    assert said(tmp_path, capsys)[0] == 0
    assert said(tmp_path, capsys, "--demo", "--no-ingest")[0] == 0
    status, _, err = said(tmp_path, capsys, "--no-ingest")
    assert (status, err.count("there is no store at")) == (1, 1)
