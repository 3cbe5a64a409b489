"""A workspace as a whole, also one that is broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from agnes_stats.ingest.agnes.updates import read_update_log

from tests.ingest.agnes_files import ledger, log, read_workspace, run


def test_an_empty_or_absent_workspace_has_nothing_and_no_problems(tmp_path: Path) -> None:
    for workspace in (tmp_path, tmp_path / "gone"):
        state = read_workspace(workspace, tmp_path / "config")
        assert (state.last_sync, state.tables, state.actions, state.uploads) == (None, (), (), ())
        assert (state.accesses, state.problems) == ((), ())


def test_a_file_that_vanished_since_it_was_listed_is_absent(tmp_path: Path) -> None:
    for name in ("user/snapshots/a.meta.json", "server/parquet/a.parquet", "server/parquet/b/1.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(tmp_path / "gone")
    state = read_workspace(tmp_path, tmp_path)
    assert (state.tables, state.accesses, state.problems) == ((), (), ())


def test_what_cannot_be_read_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    claude = tmp_path / ".claude"
    (claude / "agnes").mkdir(parents=True)
    os.mkfifo(claude / "agnes/update.log")
    (claude / "sync_state.json").mkdir()
    (claude / "agnes-sessions-uploaded.txt").symlink_to(claude / "agnes-sessions-uploaded.txt")
    ledger(tmp_path, "private", "s1")
    state = read_workspace(tmp_path, tmp_path)
    assert [row.session_id for row in state.uploads] == ["s1"]
    assert {Path(problem.path).name: problem.reason for problem in state.problems} == {
        "sync_state.json": "not a regular file",
        "update.log": "not a regular file",
        "agnes-sessions-uploaded.txt": os.strerror(40).lower(),
    }


def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = log(tmp_path, run("20260602T080000Z"))

    def refuse(path: Path, most: int) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("agnes_stats.ingest.agnes.values.read_bytes", refuse)
    reading = read_update_log(tmp_path)
    assert [(problem.path, problem.reason) for problem in reading.problems] == [(str(path), "permission denied")]
