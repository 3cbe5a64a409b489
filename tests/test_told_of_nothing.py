"""Where there is nothing to tell, commands say so, and what it may be that was misspelt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli

from tests.storing import held
from tests.transcripts import Transcript, store_of


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = store_of(tmp_path_factory.mktemp("told"), [Transcript("s1", "2026-03-10T08:00:00").prompt("Hi").response()])
    with held(made):
        yield made


@pytest.fixture
def told(store: Store, capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    yield ["--store", str(store.path), "--no-ingest", "--tz", "UTC"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["tokens", "daily", "weekly", "monthly", "models", "blocks", "activity", "metrics"])
def test_no_table_without_a_row(command: str, told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command, *told, "--project", "nowhere"]) == 0
    line = capsys.readouterr().out
    assert (line.count("\n"), "match these filters." in line) == (1, True)


def test_what_else_may_be_empty(told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert [cli.main(["blocks", flag, *told]) for flag in ("--active", "--recent")] == [0, 0]
    assert capsys.readouterr().out == "No block is running.\nNo block in the last three days.\n"
    assert cli.main(["sync", *told, "--since", "2026-03-01"]) == 0
    assert "No sync activity matches these filters." in capsys.readouterr().out


def test_an_agent_or_a_machine_that_there_is_not(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--store", str(store.path), "--no-ingest", "--json"]
    assert cli.main(["sessions", *words, "--agent", "claude"]) == 0
    assert capsys.readouterr().err == "agnes-stats: --agent: there is nothing of claude; there is of claude-code\n"
    # Nobody named a machine here, and of the right agent there is nothing to say.
    assert cli.main(["sessions", *words, "--agent", "claude-code", "--machine", "laptop"]) == 0
    assert capsys.readouterr().err == ""
