"""What sessions of Claude Code say that they do, and whether the process that says so lives."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import session_states
from agnes_stats.ingest.session_states import living, proc_stat, told_states
from agnes_stats.queries.live import NOTHING_TOLD, ToldState

AT = dt.datetime(2026, 3, 10, 14)
MILLIS = int(AT.replace(tzinfo=dt.UTC).timestamp() * 1000)
ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is Linux that tells so")


def put(folder: Path, number: int, session: str = "s1", **more: Any) -> None:
    """The file of a process in a configuration folder."""
    content = {
        "pid": number,
        "sessionId": session,
        "cwd": "/w",
        "startedAt": MILLIS,
        "procStart": "77",
        "status": "busy",
    }
    content |= {"kind": "interactive", "entrypoint": "cli", "updatedAt": MILLIS}
    path = folder / "sessions" / f"{number}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({name: value for name, value in (content | more).items() if value is not None}))


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another process, which lives."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("status", "state"), [("busy", "working"), ("waiting", "waiting"), ("idle", "idle"), ("shell", "shell")]
)
def test_each_word_is_a_state(tmp_path: Path, status: str, state: str) -> None:
    put(tmp_path, 5, status=status)
    assert told_states([tmp_path], lambda _: True).states == {"s1": ToldState(state, None, AT)}


def test_the_time_of_the_status_counts_and_what_is_waited_for(tmp_path: Path) -> None:
    put(tmp_path, 5, status="waiting", waitingFor="permission to use Bash", statusUpdatedAt=MILLIS - 5000)
    told = told_states([tmp_path], lambda _: True).states["s1"]
    assert told == ToldState("waiting", "permission to use Bash", AT - dt.timedelta(seconds=5))


@pytest.mark.parametrize(
    ("lives", "more", "states", "over"),
    [
        (True, {}, ["s1"], []),
        (False, {}, [], ["s1"]),
        (None, {}, [], []),
        (True, {"status": None}, [], []),
        (True, {"status": "brand new word"}, [], []),
        (False, {"status": None}, [], ["s1"]),
        (True, {"status": None, "procStart": None}, [], []),
        (False, {"status": None, "procStart": None}, [], []),
        (True, {"sessionId": None, "session_id": "s1"}, [], []),
        (True, {"sessionId": 7}, [], []),
        (True, {"pid": 6}, [], []),
        (True, {"pid": None}, [], []),
        (True, {"updatedAt": "x"}, ["s1"], []),
    ],
)
def test_what_says_nothing_is_inferred(
    tmp_path: Path, lives: bool | None, more: dict[str, Any], states: list[str], over: list[str]
) -> None:
    """A version without a status, an SDK session, an orphan, a process that nobody can see: nothing is told of them."""
    put(tmp_path, 5, **more)
    told = told_states([tmp_path], lambda _: lives)
    assert (sorted(told.states), sorted(told.over)) == (states, over)


def test_a_session_that_was_resumed_lives_in_its_other_process(tmp_path: Path) -> None:
    put(tmp_path, 5, status="waiting")
    put(tmp_path, 6, status="idle")
    told = told_states([tmp_path], lambda content: content["pid"] == 6)
    assert {name: state.state for name, state in told.states.items()} == {"s1": "idle"}
    assert not told.over
    put(tmp_path, 6, status=None)
    told = told_states([tmp_path], lambda content: content["pid"] == 6)
    assert (told.states, told.over) == ({}, frozenset()), "it lives, and does not say what it does"


def test_files_that_are_none_cost_nothing_else(tmp_path: Path) -> None:
    put(tmp_path, 5)
    folder = tmp_path / "sessions"
    (folder / "6.json").write_bytes(b'{"pid": 6, "sess')
    (folder / "7.json").write_bytes(b"[" * 100_000)
    (folder / "8.json").write_bytes(b"\xff\xfe")
    (folder / "pid-9.json").write_text('{"session_id": "old", "cwd": "/w"}')
    (folder / "10.json").mkdir()
    os.mkfifo(folder / "11.json")
    assert sorted(told_states([tmp_path, tmp_path / "missing"], lambda _: True).states) == ["s1"]
    assert told_states([tmp_path / "missing"]) == NOTHING_TOLD


@ON_LINUX
def test_a_process_that_lives_is_known_by_its_start(other: subprocess.Popen[bytes], tmp_path: Path) -> None:
    found = proc_stat(other.pid)
    assert found is not None
    put(tmp_path, other.pid, procStart=str(found[1]))
    assert list(told_states([tmp_path]).states) == ["s1"]
    put(tmp_path, other.pid, procStart=str(found[1] - 1))
    told = told_states([tmp_path])
    assert (told.states, told.over) == ({}, {"s1"}), "another process got its number"


@ON_LINUX
def test_a_process_that_was_killed_is_over(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "600"])
    found = proc_stat(process.pid)
    assert found is not None
    put(tmp_path, process.pid, procStart=found[1], status="waiting")
    assert list(told_states([tmp_path]).states) == ["s1"]
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert told_states([tmp_path]).over == {"s1"}, "nobody has buried it yet"
    process.wait()
    assert told_states([tmp_path]).over == {"s1"}


@ON_LINUX
def test_without_the_kernels_number_the_time_decides(other: subprocess.Popen[bytes]) -> None:
    now = int(time.time() * 1000)
    assert living({"pid": other.pid, "startedAt": now}) is True
    assert living({"pid": other.pid, "startedAt": now - 3_600_000}) is False
    assert living({"pid": other.pid}) is None


@ON_LINUX
def test_of_another_space_of_processes_nothing_is_known(other: subprocess.Popen[bytes]) -> None:
    found = proc_stat(other.pid)
    assert found is not None
    told = {"pid": other.pid, "procStart": str(found[1])}
    assert living(told | {"pidDomain": str(Path("/proc/self/ns/pid").readlink())}) is True
    assert living(told | {"pidDomain": "pid:[4]"}) is None
    assert living(told | {"pidDomain": "some other word"}) is True


@pytest.mark.parametrize("pid", [None, "5", True, 2**70, -1])
def test_what_is_no_process_id_is_none(pid: object) -> None:
    assert living({"pid": pid, "procStart": "1"}) in (None, False)


def test_elsewhere_ps_tells_when_a_process_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_states, "_started_by_ps", lambda pid, _: 1000.0 if pid == os.getpid() else None)
    assert living({"pid": os.getpid(), "startedAt": 1_000_000}, "darwin") is True
    assert living({"pid": os.getpid(), "startedAt": 900_000}, "darwin") is False
    assert living({"pid": os.getpid()}, "darwin") is None
    assert living({"pid": 2**22 + 5, "startedAt": 1}, "darwin") is False
