"""The log of agnes update."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from agnes_stats.ingest.agnes.updates import SyncAction, read_update_log

from tests.ingest.agnes_files import log, run, utc

GOOD = run(
    "20260602T080000Z",
    ("cli", "ok", "already current"),
    ("marketplace", "skipped", "no plugins"),
    ("push", "ok", "3 session(s) + CLAUDE.local.md, 1 private skipped"),
    ("pull", "ok", "14 tables, 31 parquets"),
)
BAD = run(
    "20260602T090000Z",
    ("push", "skipped", "nothing to upload; no server request made"),
    (
        "pull",
        "error",
        [{"stage": "manifest", "error": "HTTP 503"}, {"table": "orders", "error": "md5"}, "late"],
    ),
)


def told(actions: Sequence[SyncAction]) -> list[tuple[str, str, str | None]]:
    return [(action.action, action.result, action.detail) for action in actions]


def test_a_run_is_told_with_its_exchanges_and_their_numbers(tmp_path: Path) -> None:
    path = log(tmp_path, GOOD)
    update, push, pull = read_update_log(tmp_path).rows
    assert told([update, push, pull]) == [
        ("sync.update", "success", "4 stages"),
        ("session.upload", "success", "3 session(s) + CLAUDE.local.md, 1 private skipped"),
        ("manifest.fetch", "success", "14 tables, 31 parquets"),
    ]
    assert (push.sessions, push.private, push.tables) == (3, 1, None)
    assert (pull.tables, pull.parquets, pull.sessions) == (14, 31, None)
    assert (update.tables, update.sessions) == (None, None)
    assert [(step.stage, step.status) for step in update.steps][:2] == [
        ("cli", "ok"),
        ("marketplace", "skipped"),
    ]
    for action in (update, push, pull):
        assert action.when == utc("2026-06-02T08:00")
        assert (action.workspace, action.agnes_version) == (str(tmp_path), "0.84.8")
        assert (action.path, action.pos) == (str(path), 0)


def test_a_failed_pull_tells_what_failed_and_a_push_that_had_nothing_is_skipped(tmp_path: Path) -> None:
    log(tmp_path, GOOD, BAD)
    failed = "manifest: HTTP 503; orders: md5; late"
    rows = read_update_log(tmp_path).rows[3:]
    assert told(rows) == [
        ("sync.update", "error", f"pull error: {failed}"),
        ("session.upload", "skipped", "nothing to upload; no server request made"),
        ("manifest.fetch", "error", failed),
    ]
    assert rows[0].pos == len(GOOD)


@pytest.mark.parametrize(
    ("steps", "result", "detail"),
    [
        ([("cli", "updated", "1 -> 2"), ("env", "ok", "x")], "success", "cli updated: 1 -> 2"),
        ([("token", "renew-soon", None)], "success", "token renew-soon: -"),
        ([("workspace", "merged", {"added": 2, "kept": 1})], "success", "workspace merged: added=2, kept=1"),
        ([("workspace", "skipped", "no token configured")], "skipped", "1 stage"),
        ([("cli", "updated", "1 -> 2"), ("env", "error", "E"), ("pull", "ok", "")], "error", "env error: E"),
        ([], "skipped", None),
    ],
)
def test_the_result_of_a_run(
    tmp_path: Path, steps: list[tuple[str, str, object]], result: str, detail: str | None
) -> None:
    log(tmp_path, run("20260602T080000Z", *steps))
    assert told(read_update_log(tmp_path).rows[:1]) == [("sync.update", result, detail)]


def test_a_stage_that_is_reported_twice_counts_with_its_last_word(tmp_path: Path) -> None:
    log(tmp_path, run("20260602T080000Z", ("push", "ok", "1 session(s)"), ("push", "error", "E")))
    update, push = read_update_log(tmp_path).rows
    assert (push.result, push.sessions) == ("error", None)
    assert len(update.steps) == 2


def test_ids_stay_the_same_when_the_log_grows_is_cut_or_moves(tmp_path: Path) -> None:
    log(tmp_path / "a", GOOD)
    first = {action.id for action in read_update_log(tmp_path / "a").rows}
    log(tmp_path / "a", GOOD, BAD)
    both = {action.id for action in read_update_log(tmp_path / "a").rows}
    log(tmp_path / "b", BAD)
    cut = {action.id for action in read_update_log(tmp_path / "b").rows}
    assert (len(first), len(both)) == (3, 6)
    assert first < both
    assert cut == both - first


def test_two_workspaces_have_different_ids(tmp_path: Path) -> None:
    log(tmp_path / "a", run("20260602T080000Z", workspace=None))
    log(tmp_path / "b", run("20260602T080000Z", workspace=None))
    (one,), (other,) = (read_update_log(tmp_path / name).rows for name in "ab")
    assert one.id != other.id


def test_a_bad_line_costs_only_itself_and_a_torn_one_waits(tmp_path: Path) -> None:
    bad = ["not json\n", "[1]\n", '{"steps": []}\n', '{"ts": "soon"}\n']
    path = log(tmp_path, GOOD, "\r\n\n", *bad, b'{"ts": "20260602T100000Z", "steps": "x\xff"}\r\n', BAD[:40])
    reading = read_update_log(tmp_path)
    assert [action.when.hour for action in reading.rows] == [8, 8, 8, 10]
    assert [(problem.line, problem.path) for problem in reading.problems] == [(n, str(path)) for n in (4, 5, 6, 7)]
    first = reading.problems[0]
    assert path.read_bytes()[first.pos : first.pos + first.length] == b"not json"
    log(tmp_path, BAD[:-1])
    assert len(read_update_log(tmp_path).rows) == 3


def test_two_runs_on_a_line_are_two_runs(tmp_path: Path) -> None:
    log(tmp_path, GOOD.rstrip() + BAD)
    assert len(read_update_log(tmp_path).rows) == 6


def test_text_that_no_store_could_hold_is_made_harmless(tmp_path: Path) -> None:
    log(tmp_path, run("20260602T080000Z", ("pull", "error", "\ud800" + "x" * 9000)))
    detail = read_update_log(tmp_path).rows[1].detail
    assert detail is not None
    assert "\ud800" not in detail
    assert len(detail) == 4000
