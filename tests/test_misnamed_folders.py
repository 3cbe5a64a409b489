"""A variable that names a folder of transcripts that is not there: everyone who reads says so in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from agnes_stats.ingest import formats
from agnes_stats.tui import cli, terminal

SOURCES = Path(__file__).resolve().parent.parent / "ingest" / "formats"


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home without anything, and a folder that is there beside one that is not."""
    for name in formats.naming():
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home" / "right").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{tmp_path / 'home' / 'right'}, {tmp_path / 'wrong'}")
    return f"agnes-stats: CLAUDE_CONFIG_DIR names {tmp_path / 'wrong'}, and there is no such folder\n"


def told(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str]:
    status = cli.main([*words, "--store", str(folder / "store.duckdb")])
    return status, capsys.readouterr().err


@pytest.mark.parametrize("words", [["sessions"], ["tokens", "--json"], ["ingest"], ["home"], []])
def test_it_is_told_each_time(words: list[str], wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [told(capsys, tmp_path, *words), told(capsys, tmp_path, *words)] == [(0, wrong)] * 2


def test_several_are_told_in_one_line(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "none"))
    status, err = told(capsys, tmp_path, "sessions")
    assert (status, err.count("\n"), err.count("there is no such folder")) == (0, 1, 2)


def test_who_reads_nothing_there_is_silent(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(capsys, tmp_path, "ingest") == (0, wrong)
    assert told(capsys, tmp_path, "sessions", "--no-ingest") == (0, "")
    assert told(capsys, tmp_path, "sessions", "--source", f"claude={tmp_path / 'home' / 'right'}") == (0, "")
    assert told(capsys, tmp_path, "config") == (0, "")
    # On a screen a line would be gone at once.
    monkeypatch.setattr(terminal, "can_show_screen", lambda: True)
    monkeypatch.setattr("agnes_stats.tui.dashboard.dashboard", lambda *_: 0)
    assert told(capsys, tmp_path) == (0, "")


def test_every_variable_of_a_source_is_known() -> None:
    """As the sources read them; those of XDG name what holds folders of many programs."""
    read = "".join(path.read_text("utf-8") for path in SOURCES.glob("*/source.py"))
    read += (SOURCES / "agnes" / "server_folder.py").read_text("utf-8")
    known = set(re.findall(r'"([A-Z]+_[A-Z_]+)"', read))
    assert {name for name in known if not name.startswith("XDG_")} == set(formats.naming())
    first, *others = formats.naming()
    assert formats.not_there(dict.fromkeys(formats.naming(), "/nowhere/a,/nowhere/b")) == [
        (first, "/nowhere/a"),
        (first, "/nowhere/b"),
        *((name, "/nowhere/a,/nowhere/b") for name in others),
    ]
