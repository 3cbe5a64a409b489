"""Every view as plain text: complete, each number with its name, and nothing drawn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from agnes_stats.tui import cli, ending
from agnes_stats.tui.access.pane import VIEWS as ACCESS
from agnes_stats.tui.kit.bars import StackedBars
from agnes_stats.tui.kit.cards import Card, Cards
from agnes_stats.tui.kit.series import Series
from agnes_stats.tui.marks import legends
from agnes_stats.tui.plain import _ART, _row, said
from agnes_stats.tui.sessions.pane import SessionsTab
from agnes_stats.tui.sync.pane import VIEWS as SYNC
from agnes_stats.tui.tokens.pane import VIEWS as TOKENS

from tests.transcripts import Transcript, store_of

TITLE = "שלום [red]注文を数える"
"""From right to left, wide, and like markup."""


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        ("│ Spend  $3.12 ▁▂▅█ │", "Spend, $3.12"),
        ("● 2 live", "runs 2 live"),
        ("≥96.0M · $1.25+?", "at least 96.0M · $1.25 and some without a price"),
        ("✓ 3 ✗ 1", "well 3 failed 1"),
        (
            " · ".join(legends(undercounted=3, responses=40, unpriced=1, tokens=4)),
            "lower bound: 3 of 40 responses (8 %) · no known price: 1 token (25 %)",
        ),
        (
            "   ".join(legends(undercounted=3, responses=40, unpriced=1, tokens=4, brief=True)),
            "lower bound in 8 %, without a price in 25 %",
        ),
        ("──────", ""),
        (TITLE, TITLE),
    ],
)
def test_marks_are_words_and_drawings_are_nothing(drawn: str, told: str) -> None:
    assert said(drawn) == told


def test_a_cell_is_told_with_the_name_of_its_column() -> None:
    cells = [("Title", TITLE), ("", "●"), ("Err", "–"), ("▾ Cost", "≥$3.12")]
    assert _row(cells) == f"Title: {TITLE}; runs; Cost: at least $3.12"


def test_charts_and_figures_are_told_in_words() -> None:
    bars = StackedBars()
    bars.show([Series("a", (1, 0, 3)), Series("b", (2, 0, 0))], ["Mon", "Tue", "Wed"])
    told = bars.in_words()
    assert told[0].startswith("Peak") and len(told) == 3 and "Tue" not in " ".join(told)
    assert bars.cursor is None
    assert Cards([Card("Spend", "$3", "today"), Card("Rows", "7")]).in_words() == ["Spend: $3 (today)", "Rows: 7"]


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    told = Transcript("s1", "2026-03-10T09:00:00").title(TITLE).prompt("count the orders").wait(3)
    told.response(("c", "Read", {"file_path": "/orders.csv"}), tokens=(10, 20, 30, 40)).wait(1).result("c")
    store = store_of(tmp_path, [told])
    return ["--store", str(store.path), "--source", f"claude={tmp_path / 'claude'}", "--tz", "UTC", "--no-ingest"]


def test_every_view_is_told_and_nothing_else_is_written(options: list[str]) -> None:
    """By a process of its own: DuckDB 2 tells at its end what of its own is still in use, on the terminal."""
    words = [sys.executable, "-X", "utf8", "-m", "agnes_stats", "--plain", *options]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=True)
    assert done.stderr == ""
    text = done.stdout
    named = {
        "Sessions": [view.label for view in SessionsTab.VIEWS],
        "Tokens": [view.TITLE for view in TOKENS],
        "Data access": [title for _, title in ACCESS],
        "Sync": [title for _, title in SYNC],
    }
    headings = [f"# {tab}, {title}" for tab, titles in named.items() for title in titles]
    assert [line for line in text.splitlines() if line.startswith("# ")] == headings
    assert not _ART.findall(text)
    assert f"; Title: {TITLE}; " in text
    assert "What: count the orders" in text and "Resource: /orders.csv" in text
    assert "all projects, all models, UTC, 100, " in text
    assert "Could not load" not in text and "Loading" not in text


def test_one_view_alone_and_one_that_there_is_not(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--view", "Tasks", "--tab", "sessions", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("# ")] == ["# Sessions, Tasks"]
    assert cli.main(["--plain", "--view", "nowhere", "--tab", "sync", *options]) == 2
    assert "no view is called 'nowhere'; there are Workspace, Uploads" in capsys.readouterr().err


def test_the_program_goes_on_once_the_views_were_looked_at(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ends a program half a second after its screen would end it before all is written, with status 0."""
    monkeypatch.setattr(ending, "begin", lambda: pytest.fail("the end begins before anything is written"))
    assert cli.main(["--view", "Tasks", "--tab", "sessions", *options]) == 0
    assert "# Sessions, Tasks" in capsys.readouterr().out
