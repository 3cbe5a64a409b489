"""Killed at any instant, nothing is lost, counted twice or left behind. `kill_loop.py` does this at length."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from agnes_stats.queries.store import Store

from tests.faults.killing import LIVE, Killer, hand_written, verdict
from tests.storing import until


@pytest.mark.long
@pytest.mark.parametrize("how", ["backfill", "live"])
def test_killed_and_started_again_it_ends_in_the_same_store(tmp_path: Path, how: str) -> None:
    hand_written(tmp_path / "source", sessions=3, responses=8)
    killer = Killer(tmp_path, tmp_path / "source", seed=4)
    (killer.backfill if how == "backfill" else killer.live)(4, longest=0.8)
    assert verdict(killer, tmp_path) == ""
    assert killer.in_commit > 0


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(word) for word in listed.split()]


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_a_killed_ingester_leaves_no_worker_behind(tmp_path: Path) -> None:
    hand_written(tmp_path / "claude", sessions=12, responses=25)
    process = subprocess.Popen(
        [sys.executable, "-c", LIVE, tmp_path / "claude", tmp_path / "store.duckdb", "small"], stdout=subprocess.PIPE
    )
    workers: list[int] = []
    until(lambda: workers.extend(children(process.pid)) or workers)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    until(lambda: not any(alive(worker) for worker in workers))


def test_ctrl_c_ends_a_catch_up_without_a_traceback(tmp_path: Path) -> None:
    hand_written(tmp_path / "claude", sessions=12, responses=25)
    arguments = ["ingest", "--store", tmp_path / "s.duckdb", "--source", f"claude={tmp_path / 'claude'}"]
    script = """
import os, signal, sys, threading
import agnes_stats.ingest.load as loads
from agnes_stats.tui.cli import main
load = loads.load
def interrupted(*given, **named):
    threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()
    load(*given, **named)
loads.load = interrupted
sys.exit(main(sys.argv[1:]))
"""
    run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (130, "")
    with Store(tmp_path / "s.duckdb").read() as connection:
        assert connection.execute("SELECT count(*) FROM responses").fetchone() == (0,)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
