"""What the screen of a session tells besides its prompts: time, context, cache, kin, how to resume, whole texts."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.sessions import SessionRow, one_session
from agnes_stats.queries.store import Store
from agnes_stats.queries.timeline import Timeline, TimelineStep
from agnes_stats.tui import paging
from agnes_stats.tui.sessions import text as told_of
from agnes_stats.tui.sessions.resuming import resume_command
from agnes_stats.tui.sessions.strip import time_strip

from tests.transcripts import Transcript, store_of
from tests.tui.running import NOW, press, screen_text
from tests.tui.test_sessions_pane_details import cell, go_to, listed, opened

STYLES = {"success": "green", "warning": "yellow", "error": "red"}


def long_one(prompts: int = 3, calls: int = 30) -> Transcript:
    told = Transcript("s", "2026-03-10T09:00:00")
    for number in range(prompts):
        told.wait(30).prompt(f"prompt {number}")
        for call in range(calls):
            told.wait(2).response((f"c{number}-{call}", "Bash", {"command": f"run {number}-{call}"}))
            told.wait(1).result(f"c{number}-{call}")
        told.wait(2).response()
    return told


async def test_one_that_does_not_fit_opens_on_its_last_prompt(tmp_path: Path) -> None:
    told = long_one().wait(5).command("model")
    async with opened(store_of(tmp_path, [told]), "s") as (app, _):
        whats = listed(app)
        assert [what for what in whats if not what.startswith("   ")] == [
            *("▸ 1 prompt 0", "▸ 2 prompt 1", "▾ 3 prompt 2", "  4 /model"),
        ]
        text = screen_text(app)
        assert "run 2-29" in text and "/model" in text


async def test_one_that_fits_opens_unfolded(tmp_path: Path) -> None:
    async with opened(store_of(tmp_path, [long_one(3, 4)]), "s") as (app, _):
        assert "    Bash  run 0-0" in listed(app) and "    Bash  run 2-3" in listed(app)


async def test_context_cache_and_compaction_stand_where_they_happened(tmp_path: Path) -> None:
    told = Transcript("s", "2026-03-10T09:00:00").prompt("one").wait(2).response(tokens=(10, 100, 0, 50_000))
    told.wait(6 * 60).prompt("two").wait(2).response(tokens=(1, 9, 8_000, 43_000))
    told.wait(2).event(
        "compact_boundary", compactMetadata={"trigger": "auto", "preTokens": 51_001, "postTokens": 9_000}
    )
    async with opened(store_of(tmp_path, [told]), "s", (160, 45)) as (app, _):
        assert listed(app)[2:] == [
            "▾ 2 two",
            "    cache rebuilt: pause  42k tokens, $0.26 of the cost",
            "    answer  9 tokens out",
            "    conversation compacted  auto  51k → 9.0k",
        ]
        assert (cell(app, "1 one", "context"), cell(app, "2 two", "context")) == ("50k", "51k")
        strip = screen_text(app).splitlines()[1:3]
        assert "tok/min" in strip[0] and "█" in strip[0]
        assert strip[1].count("◆") == 2 and strip[1].strip().endswith("◆ 1")
    async with opened(store_of(tmp_path / "2", [told]), "s", no_cost=True) as (app, _):
        assert "    cache rebuilt: pause  42k tokens" in listed(app)


def test_the_strip_marks_the_gravest_of_a_step() -> None:
    steps = (
        TimelineStep(10, 0, 0, 1, after_pause=False),
        TimelineStep(0, 2, 1, 1, after_pause=False),
        TimelineStep(5, 0, 1, 0, after_pause=False),
        TimelineStep(0, 0, 0, 0, after_pause=True),
    )
    line, marks = time_strip(Timeline(steps, 30.0), 60, STYLES).plain.splitlines()
    assert line.startswith("█▁▅▁") and line.endswith("peak 10 tok/min")
    assert marks.startswith("╵✗◆┊") and marks.endswith("✗ 2  ◆ 2")


async def test_a_key_copies_the_command_that_resumes_it(tmp_path: Path) -> None:
    told = Transcript("s", "2026-03-10T09:00:00", cwd="/home/dana/my work").prompt("hi").wait(1).response()
    async with opened(store_of(tmp_path, [told]), "s") as (app, pilot):
        await press(pilot, "c")
        assert app.clipboard == "cd '/home/dana/my work' && claude --resume s"
        assert "claude --resume s" in screen_text(app)


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> SessionRow:
    store = store_of(tmp_path_factory.mktemp("resumed"), [Transcript("s", "2026-03-10T09:00:00").prompt("hi")])
    with store.read() as connection:
        found = one_session(connection, "s", now=NOW)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("claude-code", "claude --resume s"),
        ("codex", "codex resume s"),
        ("copilot", "copilot --resume s"),
        ("opencode", "opencode --session s"),
        ("gemini", None),
        ("pi", None),
        ("mux", None),
        (None, None),
    ],
)
def test_each_agent_resumes_by_its_own_words(row: SessionRow, agent: str | None, expected: str | None) -> None:
    import dataclasses

    assert resume_command(dataclasses.replace(row, agent=agent), None) == expected
    # Its files were copied from elsewhere: here nothing can be resumed.
    assert resume_command(dataclasses.replace(row, agent=agent, machine="laptop"), "/w") is None


async def test_what_it_left_behind_and_what_it_is_a_copy_of(tmp_path: Path) -> None:
    first = Transcript("first", "2026-03-10T09:00:00").prompt("go").wait(1).response().title("the first one")
    fork = Transcript("fork", "2026-03-10T09:00:00")
    fork.rows = [
        row | {"sessionId": "fork", "forkedFrom": {"sessionId": "first"}}
        for row in first.rows
        if row["type"] in ("user", "assistant")
    ]
    fork.wait(60).prompt("now edit").wait(1).response(("e", "Edit", {"file_path": "/a"})).wait(1)
    fork.result("e", toolUseResult={"structuredPatch": [{"lines": ["+one", "+two", "-three"]}]})
    fork.wait(1).response(("b", "Bash", {"command": "git commit"})).wait(1).result("b", "[main 1a2b3c4] Edit")
    fork.wait(1).row("pr-link", prUrl="https://github.com/o/r/pull/7")
    store = store_of(tmp_path, [first, fork])
    async with opened(store, "fork", (160, 45)) as (app, _):
        text = screen_text(app)
        for told in ("+2 −1 lines", "1a2b3c4", "https://github.com/o/r/pull/7", "the first one (first)"):
            assert told in text, told
    async with opened(store, "fork", (80, 24)) as (app, _):
        assert "+2 −1 lines · 1 commit · 1 pull request · from the first one" in screen_text(app)
    async with opened(store, "first", (160, 45)) as (app, _):
        assert "Forked" in screen_text(app) and "(fork)" in screen_text(app)


@pytest.fixture
def paged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a pager writes what it is shown; the terminal of a test cannot be lent, so that is left out."""
    out = tmp_path / "paged"
    monkeypatch.setenv(
        "PAGER", f"{sys.executable} -c \"import sys; open({str(out)!r}, 'wb').write(sys.stdin.buffer.read())\""
    )

    @contextlib.contextmanager
    def suspended(_: Any) -> Iterator[None]:
        yield

    monkeypatch.setattr("agnes_stats.tui.app.AgnesStats.suspend", suspended)
    return out


async def test_the_whole_text_of_an_entry_in_the_pager(tmp_path: Path, paged: Path) -> None:
    told = Transcript("s", "2026-03-10T09:00:00").prompt("first line\nand the rest of it").wait(1)
    told.response(
        ("b", "Bash", {"command": "echo a\nexport AWS_SECRET_ACCESS_KEY=abcdEFGH1234abcdEFGH1234abcdEFGH1234abcd"})
    )
    told.wait(1).result("b", "\x1b[31mred\x1b[0m\n" + "out\n" * 300).wait(1).response(text="All is done.")
    store = store_of(tmp_path, [told])
    async with opened(store, "s") as (app, pilot):
        for entry, expected in (
            ("first line", "and the rest of it"),
            ("Bash  echo", "export AWS_SECRET_ACCESS_KEY=***"),
            ("answer", "All is done."),
        ):
            go_to(app, entry)
            await press(pilot, "v")
            text = paged.read_text("utf-8")
            assert expected in text, entry
            assert "\x1b" not in text and "abcdEFGH1234" not in text
        go_to(app, "Bash  echo")
        await press(pilot, "v")
        assert paged.read_text("utf-8").count("    out\n") >= 300
        # Nothing of it is kept.
        assert not [path for path in tmp_path.glob("store*") if b"and the rest of it" in path.read_bytes()]
        paged.unlink()
        next(tmp_path.rglob("s.jsonl")).unlink()
        await press(pilot, "v")
        assert not paged.exists()
        assert "gone from disk" in screen_text(app)


def test_the_pager_that_is_named_else_a_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "less -R +G")
    assert paging.pager() == ["less", "-R", "+G"]
    monkeypatch.setenv("PAGER", "'less")
    with pytest.raises(paging.NoPagerError, match="PAGER"):
        paging.pager()
    monkeypatch.delenv("PAGER")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name == "more" else None)
    assert paging.pager() == ["more"]
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(paging.NoPagerError, match="no pager"):
        paging.pager()


def test_a_session_in_which_nobody_typed_anything_has_a_name(tmp_path: Path) -> None:
    told = Transcript("0123456789ab", "2026-03-10T09:00:00", cwd="/home/dana/work/warehouse")
    told.response(("b", "Bash", {"command": "ls"})).wait(1).result("b")
    store: Store = store_of(tmp_path, [told])
    with store.read() as connection:
        row = one_session(connection, "0123456789ab", now=NOW + dt.timedelta(hours=9))
    assert row is not None
    assert told_of.name(row) == "(no prompt) 1 tool in warehouse, 01234567"
