"""The generated sessions of `--demo`: whole, believable, and going on."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.demo import sessions as demo
from agnes_stats.demo.script import projects
from agnes_stats.demo.sessions import DemoGrower, running_demo, write_demo
from agnes_stats.ingest.access import accesses_of
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.projects import project_of
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.hand_overs import hand_overs
from agnes_stats.queries.metrics import metrics
from agnes_stats.queries.tasks import on_board, tasks
from agnes_stats.queries.token_kinds import TOTAL
from agnes_stats.tui import dashboard
from agnes_stats.tui.settings import Settings

from tests.ingest.agnes_files import read_workspace
from tests.storing import kept_open, store_in

NOW = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)

Row = dict[str, Any]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, NOW)
    return folder


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def rows_of(data: bytes) -> list[Row]:
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def transcripts(root: Path) -> dict[Path, list[Row]]:
    return {path: rows_of(path.read_bytes()) for path in (root / "projects").rglob("*.jsonl")}


def blocks(rows: list[Row], kind: str) -> Iterator[tuple[Row, Row]]:
    for row in rows:
        content = row.get("message", {}).get("content")
        for block in content if isinstance(content, list) else ():
            if block["type"] == kind:
                yield row, block


def time_of(row: Row) -> datetime:
    return datetime.fromisoformat(row["timestamp"])


@pytest.fixture(scope="module")
def rows(root: Path) -> list[Row]:
    return [row for found in transcripts(root).values() for row in found]


# ---- the files


def test_every_row_has_its_place_and_time(root: Path) -> None:
    assert transcripts(root)
    for path, found in transcripts(root).items():
        is_agent = path.name.startswith("agent-")
        session = path.parent.parent.name if is_agent else path.stem
        assert {row["sessionId"] for row in found} == {session}
        times = [time_of(row) for row in found if "timestamp" in row]
        assert times == sorted(times)
        assert NOW - timedelta(days=46) < times[0] <= times[-1] <= NOW
        for row in found:
            if "cwd" in row:
                assert row["isSidechain"] is is_agent
                if not is_agent:
                    assert path.parent.name == re.sub(r"[^A-Za-z0-9]", "-", row["cwd"])


def test_rows_form_chains_of_unique_rows(root: Path) -> None:
    seen: set[str] = set()
    assert transcripts(root)
    for found in transcripts(root).values():
        chained = [row for row in found if "uuid" in row]
        own = {row["uuid"] for row in chained}
        assert len(own) == len(chained)
        assert not own & seen
        seen |= own
        for before, row in zip([None, *chained], chained, strict=False):
            assert row["parentUuid"] == (
                before["uuid"] if before and row.get("subtype") != "compact_boundary" else None
            )


def test_the_same_seed_and_time_give_the_same_files(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    first, second, other = ((write_demo(root, NOW, seed), contents(root), shutil.rmtree(root))[1] for seed in (7, 7, 8))
    assert first == second
    assert first.keys() != other.keys()


def test_a_shorter_history_fits_its_days(tmp_path: Path) -> None:
    write_demo(tmp_path, NOW, days=5)
    found = transcripts(tmp_path)
    times = [time_of(row) for rows in found.values() for row in rows if "timestamp" in row]
    assert NOW - timedelta(days=6) < min(times)
    assert sum(not path.name.startswith("agent-") for path in found) == demo.SESSIONS


def test_no_placeholder_of_the_script_is_left(root: Path) -> None:
    assert all(turn.prompt and turn.answer and turn.title for project in projects() for turn in project.turns)
    for path, data in contents(root).items():
        assert not re.search(rb"\$(table|other|column|month|rows|count)\b", data), path


# ---- what is in them


def test_sixty_sessions_of_five_projects(root: Path) -> None:
    main = [found for path, found in transcripts(root).items() if not path.name.startswith("agent-")]
    assert len(main) == 60
    folders = {next(row["cwd"] for row in found if "cwd" in row) for found in main}
    assert {project_of(folder) for folder in folders} == {
        *(f"/home/dana/work/{name}" for name in ("warehouse", "web-frontend", "payments-api", "infra")),
        str(root / "workspace"),
    }
    assert any(".claude/worktrees" in folder for folder in folders)
    live = [
        found
        for found in main
        if NOW - time_of([row for row in found if "timestamp" in row][-1]) < timedelta(minutes=5)
    ]
    assert len(live) == 2


def test_every_kind_of_row_that_screens_show(rows: list[Row]) -> None:
    kinds = Counter(row.get("subtype", row["type"]) for row in rows)
    for kind in ("ai-title", "custom-title", "turn_duration", "compact_boundary", "local_command", "attachment"):
        assert kinds[kind], kind
    assert any(row.get("isCompactSummary") for row in rows)
    assert any(row.get("isApiErrorMessage") and row["message"]["model"] == "<synthetic>" for row in rows)
    assert any(row.get("toolDenialKind") == "user-rejected" for row in rows)
    assert any("<command-name>" in str(row.get("message", {}).get("content")) for row in rows)
    assert {"2.1.114", "2.1.41"} == {row["version"] for row in rows if "version" in row}
    models = {row["message"]["model"] for row in rows if row["type"] == "assistant"}
    expected = {"claude-opus-4-6", "claude-sonnet-5", "claude-haiku-4-5-20251001", "acme/coder-large-2"}
    assert models == {*expected, "<synthetic>"}


def test_responses_are_billed_once_over_several_rows(rows: list[Row]) -> None:
    responses = defaultdict(list)
    for row in rows:
        if row["type"] == "assistant" and not row.get("isApiErrorMessage"):
            responses[row["message"]["id"]].append(row)
    assert any(len(found) > 1 for found in responses.values())
    streamed = 0
    for found in responses.values():
        outputs = [row["message"]["usage"]["output_tokens"] for row in found]
        if found[0]["version"] != "2.1.41":
            assert outputs[-1] == max(outputs)
            assert len({row["message"]["usage"]["cache_read_input_tokens"] for row in found}) == 1
            streamed += outputs[0] < outputs[-1]
        else:
            assert max(outputs) <= 5
            assert found[-1]["message"]["stop_reason"] is None
    assert streamed


def test_usage_is_what_claude_bills(rows: list[Row]) -> None:
    usages = [
        (row, row["message"]["usage"])
        for row in rows
        if row["type"] == "assistant" and not row.get("isApiErrorMessage")
    ]
    for row, usage in usages:
        split = usage["cache_creation"]
        assert usage["cache_creation_input_tokens"] == sum(split.values())
        assert split["ephemeral_5m_input_tokens" if not row["isSidechain"] else "ephemeral_1h_input_tokens"] == 0
    assert any(usage["cache_read_input_tokens"] > 50_000 for _, usage in usages)
    assert any(usage["server_tool_use"]["web_search_requests"] for _, usage in usages)
    assert {usage["speed"] for _, usage in usages} == {"standard", "fast"}


def test_calls_and_results_belong_together(root: Path, rows: list[Row]) -> None:
    for found in transcripts(root).values():
        calls = {block["id"]: row for row, block in blocks(found, "tool_use")}
        results = {block["tool_use_id"]: row for row, block in blocks(found, "tool_result")}
        assert results.keys() <= calls.keys()
        # Only the sessions that are going on may wait for one.
        waiting = [time_of(calls[call]) for call in calls.keys() - results.keys()]
        assert all(NOW - moment < timedelta(minutes=10) for moment in waiting)
        assert all(time_of(results[call]) >= time_of(calls[call]) for call in results)
    tools = Counter(block["name"] for _, block in blocks(rows, "tool_use"))
    for tool in ("Bash", "Read", "Edit", "Write", "Grep", "Glob", "WebFetch", "WebSearch", "Task", "Skill"):
        assert tools[tool], tool
    assert {"mcp__postgres__query", "mcp__agnes__query", "mcp__linear__create_comment"} <= tools.keys()
    failed = [row for row, block in blocks(rows, "tool_result") if block.get("is_error")]
    assert any("toolDenialKind" not in row for row in failed)
    # Of a query that failed there are no rows, but why.
    told = [str(block["content"]) for _, block in blocks(rows, "tool_result") if "evnts" in str(block["content"])]
    assert told and not any(" | " in text for text in told)


def test_sub_agents_have_a_note_a_transcript_and_a_report(root: Path, rows: list[Row]) -> None:
    calls = {block["id"]: block["input"] for _, block in blocks(rows, "tool_use")}
    notes = {path: json.loads(path.read_bytes()) for path in root.rglob("agent-*.meta.json")}
    assert len(notes) > 10
    for path, note in notes.items():
        assert calls[note["toolUseId"]]["subagent_type"] == note["agentType"]
        crew = rows_of(path.with_name(path.name.replace(".meta.json", ".jsonl")).read_bytes())
        assert {row["agentId"] for row in crew} == {path.name.removeprefix("agent-").removesuffix(".meta.json")}
    reports = [row["toolUseResult"] for row in rows if "agentId" in (row.get("toolUseResult") or ())]
    assert {note["toolUseId"] for note in notes.values()} >= {
        block["tool_use_id"] for row, block in blocks(rows, "tool_result") if row.get("toolUseResult") in reports
    }
    over = [report for report in reports if report["status"] == "completed"]
    assert all(report["totalTokens"] > 0 and report["totalDurationMs"] > 0 for report in over)
    # Reports are of the length of real ones, and some sub-agents worked in the background, or for another sub-agent.
    assert all(len(report["content"][0]["text"]) > 400 for report in over)
    assert len(over) < len(reports)
    assert {note["spawnDepth"] for note in notes.values()} == {1, 2, 3}


def test_the_calls_touch_data(rows: list[Row]) -> None:
    touched = Counter(
        access.action for _, block in blocks(rows, "tool_use") for access in accesses_of(block["name"], block["input"])
    )
    for action in ("query.local", "query.remote", "snapshot.create", "catalog.list", "catalog.schema", "file.read"):
        assert touched[action], action


def test_every_view_of_the_work_has_something_to_show(root: Path, tmp_path: Path) -> None:
    store = store_in(tmp_path)
    with kept_open(store):
        Engine(store, [Root("claude", root)], zones=("UTC",), workers=0, rest_seconds=0.0).catch_up()
    now = NOW.replace(tzinfo=None)
    with store.read() as connection:
        found = hand_overs(connection, Filter(), now=now)
        board = on_board(tasks(connection, Filter(), limit=400))
        told = metrics(connection, Filter(), now=now)
    assert {"done", "failed", "denied"} <= {row.status for row in found.rows}
    assert {row.to_type for row in found.rows if row.external} == {"codex", "gemini"}
    assert found.deepest == 3
    assert all(board[column] for column in ("pending", "in_progress", "blocked", "completed"))
    assert all(row.count for row in told.classes)
    assert {row.kind for row in told.by_tool} >= {"tool", "server", "plugin", "command"}
    assert sum(row.tool_calls for row in told.by_hour) > 10
    results = sum(row.result_tokens for row in told.by_tool) / sum(row.finished for row in told.by_tool)
    assert 150 < results < 3_000


# ---- the workspace


def test_the_workspace_is_in_order(root: Path) -> None:
    state = read_workspace(root / "workspace", root / "no-config")
    assert state.problems == ()
    assert state.last_sync is not None
    assert timedelta(0) < NOW - state.last_sync < timedelta(hours=1)
    assert len(state.tables) == 14
    assert all(table.rows and table.size_bytes and table.changed_at for table in state.tables)
    assert {upload.status for upload in state.uploads} == {"uploaded", "failed", "private"}
    assert {(action.action, action.result) for action in state.actions} >= {
        ("manifest.fetch", "success"),
        ("manifest.fetch", "error"),
        ("session.upload", "success"),
        ("session.upload", "skipped"),
        ("sync.update", "success"),
    }
    assert len(state.accesses) == 3


def test_all_but_two_sessions_of_the_workspace_are_dealt_with(root: Path) -> None:
    folder = root / "projects" / re.sub(r"[^A-Za-z0-9]", "-", str(root / "workspace"))
    sessions = {path.stem: path.stat().st_size for path in folder.glob("*.jsonl")}
    uploads = {upload.session_id: upload for upload in read_workspace(root / "workspace", root).uploads}
    assert uploads.keys() < sessions.keys()
    assert len(sessions) - len(uploads) == 2
    assert all(upload.size_bytes in (None, sessions[session]) for session, upload in uploads.items())


# ---- going on


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def growing(tmp_path: Path) -> tuple[Path, Time, DemoGrower]:
    write_demo(tmp_path, NOW)
    clock = Time()
    return tmp_path, clock, DemoGrower(tmp_path, NOW, clock=clock)


def step(clock: Time, grower: DemoGrower, times: int) -> None:
    for _ in range(times):
        clock.now += timedelta(seconds=0.5)
        grower.step()


def grown(before: dict[Path, bytes], after: dict[Path, bytes]) -> dict[Path, list[Row]]:
    """The rows that were appended, by file."""
    assert before.keys() <= after.keys()
    changed = [path for path in after if path.suffix == ".jsonl" and after[path] != before.get(path)]
    assert all(after[path].startswith(before.get(path, b"")) for path in changed)
    return {path: rows_of(after[path][len(before.get(path, b"")) :]) for path in changed}


def test_live_sessions_go_on_where_they_were(growing: tuple[Path, Time, DemoGrower]) -> None:
    root, clock, grower = growing
    before = contents(root / "projects")
    step(clock, grower, 300)
    fresh = grown(before, contents(root / "projects"))
    assert sum(not path.name.startswith("agent-") for path in fresh) == 2
    for rows in fresh.values():
        assert all(NOW < time_of(row) <= clock.now for row in rows if "timestamp" in row)
    assert any(
        row["type"] == "user" and isinstance(row["message"]["content"], str) for rows in fresh.values() for row in rows
    )
    test_rows_form_chains_of_unique_rows(root)


@pytest.mark.long
def test_a_step_is_a_few_rows_and_no_session_is_quiet_for_long(growing: tuple[Path, Time, DemoGrower]) -> None:
    root, clock, grower = growing
    counts: dict[str, list[int]] = defaultdict(list)
    before = {path: path.read_bytes() for path in (root / "projects").rglob("*.jsonl")}
    for _ in range(300):
        step(clock, grower, 1)
        added: Counter[str] = Counter()
        for path in (root / "projects").rglob("*.jsonl"):
            session = path.parent.parent.name if path.name.startswith("agent-") else path.stem
            added[session] += 0
            if path.stat().st_size != len(before.get(path, b"")):
                data = path.read_bytes()
                added[session] += len(rows_of(data[len(before.get(path, b"")) :]))
                before[path] = data
        for session, number in added.items():
            counts[session].append(number)
    live = [numbers for numbers in counts.values() if any(numbers)]
    assert len(live) == 2
    for numbers in live:
        assert max(numbers) <= 5
        quiet = [len(list(run)) for number, run in groupby(numbers) if number == 0]
        assert 6 <= max(quiet) <= 12  # A pause is six seconds at most, and a note has no row.


@pytest.mark.long
def test_another_grower_at_the_same_point_goes_on_alike(tmp_path: Path) -> None:
    root, results = tmp_path / "demo", []
    for _ in range(2):
        write_demo(root, NOW)
        clock = Time()
        step(clock, DemoGrower(root, NOW, clock=clock), 130)
        results.append(contents(root))
        shutil.rmtree(root)
    assert results[0] == results[1]


def test_the_workspace_is_synced_again_after_half_a_minute(growing: tuple[Path, Time, DemoGrower]) -> None:
    root, clock, grower = growing
    before = read_workspace(root / "workspace", root)
    step(clock, grower, 60)
    after = read_workspace(root / "workspace", root)
    assert after.problems == ()
    assert after.last_sync == clock.now
    assert {action.when for action in after.actions} - {action.when for action in before.actions} == {clock.now}
    (sent,) = set(after.uploads) - set(before.uploads)
    assert sent.status == "uploaded"
    assert sent.when == clock.now


def test_a_running_demo_grows_until_it_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stepped = threading.Event()
    monkeypatch.setattr(demo, "STEP_SECONDS", 0.001)
    monkeypatch.setattr(DemoGrower, "step", lambda self: stepped.set())
    with running_demo(tmp_path):
        assert stepped.wait(10)
        assert (tmp_path / "projects").is_dir()
    assert "demo" not in {thread.name for thread in threading.enumerate()}


def test_what_stops_a_running_demo_is_told_at_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()

    def fail(self: DemoGrower) -> None:
        stopped.set()
        raise OSError("disk full")

    monkeypatch.setattr(demo, "STEP_SECONDS", 0.001)
    monkeypatch.setattr(DemoGrower, "step", fail)
    with pytest.raises(OSError, match="disk full"), running_demo(tmp_path):
        assert stopped.wait(10)


def test_what_a_killed_demo_left_is_removed_by_the_next_and_nothing_of_one_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(demo, "running_demo", contextlib.nullcontext)
    left = tmp_path / ".agnes-stats-left"
    (left / "store").mkdir(parents=True)
    (left / "in-use").touch()
    settings = Settings(store=tmp_path / "mine" / "s.duckdb", tz="UTC")
    with dashboard._demo(settings) as first:
        assert not left.exists()
        with dashboard._demo(settings) as second:
            roots = {one.store.parent.parent for one in (first, second)}
            assert set(tmp_path.iterdir()) == roots and len(roots) == 2
    assert list(tmp_path.iterdir()) == []


# ---- other agents


def others(root: Path) -> dict[str, list[list[Row]]]:
    return {
        agent: [rows_of(path.read_bytes()) for path in sorted((root / agent).rglob("*.jsonl"))]
        for agent in ("codex", "gemini")
    }


def test_two_more_agents_have_sessions_with_times_up_to_now(root: Path) -> None:
    found = others(root)
    assert {agent: len(files) for agent, files in found.items()} == {"codex": demo.THREADS, "gemini": demo.CHATS}
    for files in found.values():
        for lines in files:
            times = [time_of(row) for row in lines if "timestamp" in row]
            assert times == sorted(times)
            assert NOW - timedelta(days=46) < times[0] <= times[-1] <= NOW


def test_all_of_it_is_read_and_nothing_rejected(root: Path, tmp_path: Path) -> None:
    store = store_in(tmp_path)
    roots = [Root(kind, root / demo.SOURCES[kind]) for kind in ("codex", "gemini")]
    Engine(store, roots, workers=0).catch_up()
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM rejects").fetchall() == [(0,)]
        told = connection.execute(
            "SELECT agent, count(*), count(title), bool_and(user_messages > 0 AND tokens_total > 0), "
            "bool_and(project LIKE '/home/dana/work/%'), sum(tool_errors) > 0 "
            f"FROM (SELECT *, {TOTAL} AS tokens_total FROM sessions) GROUP BY agent ORDER BY agent"
        ).fetchall()
        unpriced = connection.execute("SELECT count(*) FROM responses WHERE cost_usd IS NULL").fetchall()
    assert told == [
        ("codex", demo.THREADS, demo.THREADS, True, True, True),
        ("gemini", demo.CHATS, demo.CHATS, True, True, True),
    ]
    assert unpriced == [(0,)]


def test_a_thread_of_codex_goes_on_where_it_was(growing: tuple[Path, Time, DemoGrower]) -> None:
    root, clock, grower = growing
    before = contents(root / "codex")
    step(clock, grower, 60)
    grown = [path for path, data in contents(root / "codex").items() if data != before[path]]
    assert len(grown) == 1
    data = grown[0].read_bytes()
    assert data.startswith(before[grown[0]])
    totals = [
        row["payload"]["info"]["total_token_usage"]["total_tokens"]
        for row in rows_of(data)
        if row["payload"].get("type") == "token_count"
    ]
    assert totals == sorted(totals)
    assert len(set(totals)) == len(totals)
