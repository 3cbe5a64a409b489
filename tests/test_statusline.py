"""The status line: a line soon, whatever is being done to the store, and the last one with its age if that is busy."""

import datetime as dt
import fcntl
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from agnes_stats.ingest import usage_pass, usage_reading
from agnes_stats.queries.sessions import one_session
from agnes_stats.queries.store.locking import lock_path
from agnes_stats.tui import cli
from agnes_stats.tui.commands import statusline
from agnes_stats.tui.settings import settings_from

from tests.storing import note, store_in, until
from tests.transcripts import Transcript, write


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one session in `claude` and a store that knows it."""
    folder = tmp_path_factory.mktemp("known")
    write(folder / "claude", [Transcript("s1", "2026-11-02T10:00:00").prompt("hi").wait(10).response()])
    (folder / "data").mkdir()
    store_in(folder / "data")
    assert cli.main(["ingest", *places(folder)]) == 0
    return folder


@pytest.fixture
def folder(known: Path, tmp_path: Path) -> Path:
    """A copy of it, which was written to just now: somebody else keeps it up to date."""
    shutil.copytree(known, tmp_path, dirs_exist_ok=True)
    os.utime(tmp_path / "data/store.duckdb")
    return tmp_path


def places(folder: Path) -> list[str]:
    return ["--store", str(folder / "data/store.duckdb"), "--source", f"claude={folder / 'claude'}"]


def kept(folder: Path) -> Path:
    return folder / "data/store.duckdb.statusline"


def started(
    folder: Path, session: str = "s1", options: Sequence[str] = (), soon: float = 60.0, **told: object
) -> subprocess.Popen[str]:
    """A status line in a program of its own, which waits so many seconds for a new answer, and half a second more."""
    code = (
        "import sys\nfrom agnes_stats.tui import cli\nfrom agnes_stats.tui.commands import statusline\n"
        f"statusline.SOON_SECONDS = statusline.ALONE_SECONDS = {soon}\nstatusline.FIRST_SECONDS = 0.5\n"
        "sys.exit(cli.main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "statusline", *places(folder), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"session_id": session, **told}))
    process.stdin.close()
    process.stdin = None
    return process


def line_of(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60.0)
    assert (process.returncode, err) == (0, "")
    assert out.endswith("\n") and out.count("\n") == 1
    return out.strip()


@contextmanager
def busy(folder: Path) -> Iterator[None]:
    """Somebody writes to the store, and does not come to an end."""
    with lock_path(folder / "data/store.duckdb").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_it_says_what_the_store_knows_and_keeps_it_for_its_owner_only(folder: Path) -> None:
    line = line_of(started(folder))
    assert line.startswith("opus-4.5 · session")
    assert "today" in line
    assert "as of" not in line
    assert stat.S_IMODE(kept(folder).stat().st_mode) == 0o600
    assert [one["session_id"] for one in json.loads(kept(folder).read_text())] == ["s1"]


def test_the_window_of_the_session_is_the_one_that_claude_code_tells(folder: Path) -> None:
    def window() -> tuple[int | None, int | None]:
        with store_in(folder / "data").read() as connection:
            row = one_session(connection, "s1", now=dt.datetime(2026, 11, 2, 12))
        assert row is not None
        return row.context_tokens, row.context_window

    assert "context <1 %" not in line_of(started(folder))
    assert window() == (1210, 200_000)
    for size in (0, -1, "x", True, None, 10**12):
        line_of(started(folder, context_window={"context_window_size": size}))
    line_of(started(folder, context_window="200k"))
    line_of(started(folder, options=["--no-ingest"], context_window={"context_window_size": 10_000}))
    assert window() == (1210, 200_000)
    assert "context 12 %" in line_of(started(folder, context_window={"context_window_size": 10_000}))
    assert window() == (1210, 10_000)
    assert "context 12 %" in line_of(started(folder)), "it is kept"


def test_the_limits_are_told_and_kept_also_while_the_store_is_busy(folder: Path) -> None:
    def window(used: float, hours: float) -> dict[str, float]:
        return {"used_percentage": used, "resets_at": time.time() + 3600 * hours}

    limits = {"five_hour": window(42.000000000000004, 2), "seven_day": window(12.9, 90), "gone": window(3, -1)}
    with busy(folder):
        assert line_of(started(folder, soon=0.0, rate_limits=limits)).endswith(" · 5h 42 % · 7d 12 %")
        assert line_of(started(folder, soon=0.0, rate_limits={"five_hour": None})) == statusline.NOTHING
    assert len((folder / "data/limits.jsonl").read_text().splitlines()) == 1
    assert line_of(started(folder, rate_limits=limits)).endswith(" · 5h 42 % · 7d 12 %")
    assert len((folder / "data/limits.jsonl").read_text().splitlines()) == 1, "nothing is new"


def test_while_the_store_is_busy_it_says_the_last_line_and_its_age(folder: Path) -> None:
    line = line_of(started(folder))
    told = json.loads(kept(folder).read_text())
    kept(folder).write_text(json.dumps([{**told[0], "at": time.time() - 130}]))
    with busy(folder):
        assert line_of(started(folder, soon=0.0)) == f"{line} · as of 2m ago"


def test_of_another_session_it_says_what_holds_for_all(folder: Path) -> None:
    line = line_of(started(folder))
    with busy(folder):
        other = line_of(started(folder, "s2", soon=0.0))
    assert other.startswith("today ")
    assert other.rsplit(" · ", 1)[0] in line


def test_other_settings_have_other_last_lines(folder: Path) -> None:
    line_of(started(folder))
    with busy(folder):
        assert line_of(started(folder, options=["--no-cost"], soon=0.0)) == statusline.NOTHING


def test_it_has_a_line_even_where_there_is_nothing_to_say_yet(folder: Path) -> None:
    with busy(folder):
        assert line_of(started(folder, soon=0.0)) == statusline.NOTHING


def test_the_answer_that_came_too_late_is_kept_for_the_next_time(folder: Path) -> None:
    with busy(folder):
        assert line_of(started(folder, soon=0.0)) == statusline.NOTHING
    until(kept(folder).exists)
    with busy(folder):
        assert line_of(started(folder, soon=0.0)).startswith("opus-4.5 · session")


def test_one_process_at_a_time_asks_the_store(folder: Path) -> None:
    note(store_in(folder / "data"), "not idle")
    with busy(folder):
        first = started(folder)
        until(lambda: Path(f"{kept(folder)}-lock").exists() and is_locked(Path(f"{kept(folder)}-lock")))
        # It does not wait for an answer of its own.
        assert line_of(started(folder)) == statusline.NOTHING
        assert first.poll() is None
    assert line_of(first).startswith("opus-4.5")


def is_locked(path: Path) -> bool:
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_many_at_once_all_have_a_line(folder: Path) -> None:
    running = [started(folder, f"s{number % 2}", soon=0.05) for number in range(6)]
    assert all(line_of(process) for process in running)


def test_what_is_wrong_with_the_store_is_told_in_the_line(folder: Path) -> None:
    (folder / "data/store.duckdb").write_text("no database\n" * 1000)
    assert "cannot be read as a store" in line_of(started(folder))


@pytest.mark.parametrize("text", ["", "{", "[1]", "[{}]", '[{"settings": 1}]', "[" * 100_000, '{"at": []}', "\0"])
def test_broken_last_lines_are_none(tmp_path: Path, text: str) -> None:
    last = statusline.LastLines(settings_from({"store": str(tmp_path / "store.duckdb")}, {}), "s1")
    last.path.write_text(text)
    assert last.read() is None
    line = statusline.StatusLine("session 1", "today 2", 3.0)
    last.write(line)
    assert last.read() == line


def test_a_pipe_in_the_place_of_the_last_lines_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(kept(folder))
    assert line_of(started(folder)).startswith("opus-4.5")


def test_where_no_process_can_be_made_it_is_asked_at_once_and_briefly(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statusline, "_can_fork", lambda: False)
    monkeypatch.setattr("sys.stdin", io.StringIO('{"session_id": "s1"}'))
    capsys.readouterr()
    assert cli.main(["statusline", *places(folder)]) == 0
    line = capsys.readouterr().out.strip()
    assert line.startswith("opus-4.5")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"session_id": "s1"}'))
    with busy(folder):
        assert cli.main(["statusline", *places(folder)]) == 0
    assert capsys.readouterr().out.startswith(f"{line} · as of ")


def test_a_new_line_of_the_session_is_read_where_nobody_else_does(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = next((folder / "claude").rglob("s1.jsonl"))
    before = line_of(started(folder))
    more = Transcript("s1", "2026-11-02T10:00:00").prompt("hi").wait(10).response().wait(10).response()
    file.write_text("".join(json.dumps(row) + "\n" for row in more.rows))
    told = json.dumps({"session_id": "s1", "transcript_path": str(file)})
    store = folder / "data/store.duckdb"
    for age, is_news in ((0, False), (60, True)):
        os.utime(store, (time.time() - age,) * 2)
        monkeypatch.setattr("sys.stdin", io.StringIO(told))
        capsys.readouterr()
        assert cli.main(["statusline", *places(folder)]) == 0
        assert (capsys.readouterr().out.strip() != before) is is_news


def test_before_the_store_is_full_it_says_what_will_be_so_and_does_not_fill_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(usage_reading, "LEAST_BYTES", 1)
    monkeypatch.setattr(statusline.terminal, "read_input", lambda _: json.dumps({"session_id": "s1"}))
    store = folder / "data/store.duckdb"
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    write(folder / "claude", [Transcript("s2", now).response(tokens=(5000, 7000, 0, 0))])

    def told(*, idle: bool) -> str:
        moment = time.time() - (60 if idle else 0)
        os.utime(store, (moment, moment))
        assert cli.main(["statusline", *places(folder)]) == 0
        return capsys.readouterr().out.strip()

    assert "12k" not in told(idle=False), "who fills it is at it"
    line = told(idle=True)
    assert "12k" in line and line.startswith("opus-4.5 · session") and line.endswith(statusline.PROVISIONAL)
    monkeypatch.setattr(usage_pass.Unread, "tell", None)
    assert told(idle=True) == line, "it is not read again for each prompt"
    with store_in(folder / "data").read() as connection:
        assert connection.value("SELECT count(*) FROM responses") == 1
