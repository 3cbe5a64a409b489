"""Codex: what its rollouts count, in every way of arriving. The rules are in docs/counting.md, "Codex"."""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries import sync
from agnes_stats.queries.sessions import one_session
from backports import zstd

from tests.formats.arriving import WAYS, arrived, asked, every_way, lines, tokens
from tests.storing import store_in

DAY = "2026-07-01"


def uuid7(second: int, number: int = 1) -> str:
    """A UUID of version 7 made at a second of 2026-07-01T10:00:00Z."""
    stamp = f"{1782900000000 + second * 1000:012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7000-8000-{number:012x}"


def at(second: float) -> str:
    return f"{DAY}T10:{int(second) // 60:02}:{second % 60:06.3f}Z"


def row(second: float, kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"timestamp": at(second), "type": kind, "payload": payload}


def head(thread: str, second: float = 0, written: float | None = None, **more: Any) -> dict[str, Any]:
    meta = {"id": thread, "timestamp": at(second), "cwd": "/home/ann/shop", "cli_version": "0.144.0", "source": "cli"}
    return row(second if written is None else written, "session_meta", meta | {"model_provider": "openai"} | more)


def turn(second: float, turn_id: str | None, model: str = "gpt-5.2-codex", **more: Any) -> dict[str, Any]:
    return row(second, "turn_context", {"turn_id": turn_id, "model": model, "effort": "high", **more})


def usage(given: int, cached: int, output: int, thought: int = 0) -> dict[str, int]:
    return {
        "input_tokens": given,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "reasoning_output_tokens": thought,
        "total_tokens": given + output,
    }


def count(second: float, total: Mapping[str, int] | None, last: Mapping[str, int] | None = None) -> dict[str, Any]:
    info = {"total_token_usage": total, "last_token_usage": last}
    return row(second, "event_msg", {"type": "token_count", "info": info if total or last else None})


def event(second: float, kind: str, **more: Any) -> dict[str, Any]:
    return row(second, "event_msg", {"type": kind, **more})


def item(second: float, kind: str, **more: Any) -> dict[str, Any]:
    return row(second, "response_item", {"type": kind, **more})


def rollout(thread: str, folder: str = "sessions/2026/07/01") -> str:
    return f"{folder}/rollout-{DAY}T10-00-00-{thread}.jsonl"


A, B, C = uuid7(0, 10), uuid7(300, 11), uuid7(310, 12)
FIRST, SECOND = usage(1000, 600, 50, 20), usage(1800, 1300, 90, 30)
MAIN = (
    head(A),
    turn(1, uuid7(1)),
    event(2, "user_message", message="Fix the shop"),
    count(10, FIRST, FIRST),
    count(20, SECOND, usage(800, 700, 40, 10)),
)


@every_way
def test_input_is_without_the_cache_and_output_with_reasoning(way: str, tmp_path: Path) -> None:
    store = arrived(way, "codex", {rollout(A): lines(*MAIN)}, tmp_path)
    assert tokens(store) == (2, 500, 90, 1300, 0, 30)
    assert asked(store, "SELECT DISTINCT agent, kind, model, provider, effort, version FROM responses") == [
        ("codex", "turn", "gpt-5.2-codex", "openai", "high", "0.144.0")
    ]


@every_way
def test_a_total_that_is_told_again_counts_once(way: str, tmp_path: Path) -> None:
    rows = (*MAIN, count(21, SECOND, usage(800, 700, 40, 10)), count(22, None))
    assert tokens(arrived(way, "codex", {rollout(A): lines(*rows)}, tmp_path))[0] == 2


@every_way
def test_an_event_that_was_lost_is_in_the_difference(way: str, tmp_path: Path) -> None:
    rows = (*MAIN[:4], count(20, usage(5000, 4000, 400, 100), usage(1200, 1000, 100)))
    assert tokens(arrived(way, "codex", {rollout(A): lines(*rows)}, tmp_path)) == (2, 1000, 400, 4000, 0, 100)


@every_way
def test_a_counter_that_began_anew_tells_by_its_last(way: str, tmp_path: Path) -> None:
    again = usage(300, 100, 7)
    rows = (*MAIN, count(30, again, again))
    assert tokens(arrived(way, "codex", {rollout(A): lines(*rows)}, tmp_path))[:3] == (3, 700, 97)


@every_way
def test_it_tells_the_window_of_its_context(way: str, tmp_path: Path) -> None:
    told = count(30, usage(2000, 1500, 99), usage(200, 200, 9))
    told["payload"]["info"]["model_context_window"] = 258_400
    store = arrived(way, "codex", {rollout(A): lines(*MAIN, told)}, tmp_path)
    with store.read() as connection:
        row = one_session(connection, A, now=dt.datetime(2026, 7, 1, 12))
    assert row is not None
    assert (row.context_tokens, row.context_window, row.context_window_from) == (200, 258_400, "seen")


@every_way
def test_a_model_that_is_not_told_is_unknown(way: str, tmp_path: Path) -> None:
    store = arrived(way, "codex", {rollout(A): lines(head(A), count(10, FIRST, FIRST))}, tmp_path)
    assert asked(store, "SELECT model, cost_usd FROM responses") == [("unknown", None)]


FORK = (
    head(B, 300, forked_from_id=A),
    turn(300, uuid7(1)),
    event(300, "user_message", message="Fix the shop"),
    item(300, "function_call", name="exec_command", call_id="c1", arguments='{"cmd":"ls"}'),
    count(300, FIRST, FIRST),
    count(300.9, SECOND, usage(800, 700, 40, 10)),
    turn(310, uuid7(310)),
    event(311, "user_message", message="Now the till"),
    count(320, SECOND, usage(800, 700, 40, 10)),
    count(330, usage(2800, 2000, 190, 60), usage(1000, 700, 100, 30)),
)


@every_way
def test_a_fork_counts_only_its_own_turns(way: str, tmp_path: Path) -> None:
    store = arrived(way, "codex", {rollout(A): lines(*MAIN), rollout(B): lines(*FORK)}, tmp_path)
    assert tokens(store) == (3, 800, 190, 2000, 0, 60)
    assert tokens(store, f"session_id = '{B}'") == (1, 300, 100, 700, 0, 30)
    assert asked(store, f"SELECT text FROM prompts WHERE session_id = '{B}'") == [("Now the till",)]
    assert asked(store, "SELECT count(*) FROM tool_calls") == [(0,)]


@every_way
def test_a_fork_without_its_original_counts_no_more(way: str, tmp_path: Path) -> None:
    assert tokens(arrived(way, "codex", {rollout(B): lines(*FORK)}, tmp_path)) == (1, 300, 100, 700, 0, 30)


@every_way
def test_without_ids_of_turns_what_was_written_with_the_head_is_a_copy(way: str, tmp_path: Path) -> None:
    rows = (
        head(B, 300, forked_from_id=A),
        turn(300.2, None),
        count(300.5, FIRST, FIRST),
        turn(310, None),
        event(311, "user_message", message="Now the till"),
        count(320, SECOND, usage(800, 700, 40, 10)),
    )
    assert tokens(arrived(way, "codex", {rollout(B): lines(*rows)}, tmp_path)) == (1, 100, 40, 700, 0, 10)


CHILD = (
    head(
        B,
        300,
        source={"subagent": {"thread_spawn": {"parent_thread_id": A, "agent_role": "tester"}}},
        thread_source="subagent",
    ),
    head(A, 0, written=300),
    turn(301, uuid7(301)),
    event(302, "user_message", message="You are a tester"),
    count(310, FIRST, FIRST),
)


@every_way
def test_a_sub_agent_belongs_to_the_session_that_started_it(way: str, tmp_path: Path) -> None:
    store = arrived(way, "codex", {rollout(A): lines(*MAIN), rollout(B): lines(*CHILD)}, tmp_path)
    assert tokens(store, f"session_id = '{A}'")[0] == 3
    assert tokens(store, "is_sidechain") == (1, 400, 50, 600, 0, 20)
    assert asked(store, "SELECT subagent_id, subagent_type FROM subagents") == [(B, "tester")]
    assert asked(store, "SELECT text FROM prompts") == [("Fix the shop",)]


# Versions that do not name the root need the files of the parents; whoever starts a thread has a file before it.
@pytest.mark.parametrize("way", [way for way in WAYS if way != "last file first"])
def test_a_sub_agent_of_a_sub_agent_belongs_to_the_session_too(way: str, tmp_path: Path) -> None:
    deeper = (
        head(C, 310, source={"subagent": "review"}, parent_thread_id=B),
        turn(311, uuid7(311)),
        count(320, FIRST, FIRST),
    )
    files = {rollout(A): lines(*MAIN), rollout(B): lines(*CHILD), rollout(C): lines(*deeper)}
    store = arrived(way, "codex", files, tmp_path)
    assert asked(store, "SELECT DISTINCT session_id FROM responses") == [(A,)]


@every_way
def test_the_root_that_newer_versions_name_is_the_session(way: str, tmp_path: Path) -> None:
    deeper = (
        head(C, 310, source={"subagent": "review"}, parent_thread_id=B, session_id=A),
        turn(311, uuid7(311)),
        count(320, FIRST, FIRST),
    )
    store = arrived(way, "codex", {rollout(C): lines(*deeper)}, tmp_path)
    assert asked(store, "SELECT session_id, subagent_id, subagent_name FROM responses") == [(A, C, "review")]


@every_way
def test_calls_and_how_they_ended(way: str, tmp_path: Path) -> None:
    rows = (
        *MAIN[:3],
        item(
            3, "function_call", name="exec_command", call_id="ok", arguments='{"cmd":"duckdb a.db -c \'from orders\'"}'
        ),
        item(4, "function_call_output", call_id="ok", output="Process exited with code 0\nOutput:\nExit code: 3"),
        item(5, "function_call", name="shell", call_id="bad", arguments='{"command":["bash","-lc","cat x.csv"]}'),
        item(6, "function_call_output", call_id="bad", output='{"output":"no","metadata":{"exit_code":1}}'),
        item(
            7, "custom_tool_call", name="apply_patch", call_id="patch", input="*** Begin Patch\n*** Update File: a.py\n"
        ),
        event(8, "patch_apply_end", call_id="patch", success=False),
        item(9, "function_call", name="exec_command", call_id="no", arguments='{"cmd":"rm x"}'),
        item(10, "function_call_output", call_id="no", output="exec command rejected by user"),
        item(11, "web_search_call", id="ws"),
        event(
            14,
            "mcp_tool_call_end",
            call_id="mcp",
            invocation={"server": "db", "tool": "ask", "arguments": {"sql": "select 1"}},
            duration={"secs": 2, "nanos": 0},
            result={"Ok": {"isError": True, "content": [{"type": "text", "text": "no such table"}]}},
        ),
    )
    store = arrived(way, "codex", {rollout(A): lines(*rows)}, tmp_path)
    short = f"replace(id, 'codex:{A}:', '')"
    assert asked(store, f"SELECT {short}, class, is_error, denial FROM tool_calls ORDER BY 1") == [
        ("bad", "tool_use", True, None),
        ("mcp", "mcp_call", True, None),
        ("no", "tool_use", True, "user-rejected"),
        ("ok", "tool_use", False, None),
        ("patch", "tool_use", True, None),
        ("ws", "tool_use", None, None),
    ]
    assert asked(store, "SELECT epoch_ms(result_ts - ts), mcp_server FROM tool_calls WHERE class = 'mcp_call'") == [
        (2000, "db")
    ]
    touched = asked(store, "SELECT action, resource FROM accesses ORDER BY ts, resource")
    assert ("query.local", "table:orders") in touched
    assert ("file.read", "x.csv") in touched
    assert ("file.write", "a.py") in touched


@every_way
def test_a_program_of_the_code_mode_is_followed(way: str, tmp_path: Path) -> None:
    program = 'const r = await tools.exec_command({cmd:"duckdb a.db -c \\"from orders\\""});\ntext(r.output);'
    rows = (*MAIN[:3], item(3, "custom_tool_call", name="exec", call_id="js", input=program))
    store = arrived(way, "codex", {rollout(A): lines(*rows)}, tmp_path)
    assert asked(store, "SELECT resource FROM accesses WHERE action = 'query.local'") == [("table:orders",)]


@every_way
def test_front_ends_wrap_what_was_typed(way: str, tmp_path: Path) -> None:
    said = "# Context from my IDE setup:\n\n## My request for Codex:\nMend the till"
    rows = (head(A), turn(1, uuid7(1)), event(2, "user_message", message=said))
    store = arrived(way, "codex", {rollout(A): lines(*rows)}, tmp_path)
    assert asked(store, "SELECT text FROM prompts") == [("Mend the till",)]


@every_way
def test_the_last_name_of_a_thread_is_its_title(way: str, tmp_path: Path) -> None:
    index = lines({"id": A, "thread_name": "one"}, {"id": A, "thread_name": "The shop"})
    store = arrived(way, "codex", {rollout(A): lines(*MAIN), "session_index.jsonl": index}, tmp_path)
    assert asked(store, "SELECT title, project, version FROM sessions") == [("The shop", "/home/ann/shop", "0.144.0")]


@every_way
def test_a_torn_line_costs_itself_only(way: str, tmp_path: Path) -> None:
    rows = (*MAIN[:4], '{"timestamp": "2026-07-01T10:00:15Z", "type": "event_', *MAIN[4:])
    store = arrived(way, "codex", {rollout(A): lines(*rows)}, tmp_path)
    assert tokens(store)[0] == 2
    assert asked(store, "SELECT count(*) FROM rejects") == [(1,)]


def test_an_archived_copy_counts_nothing_twice(tmp_path: Path) -> None:
    files = {rollout(A): lines(*MAIN), rollout(A, "archived_sessions"): lines(*MAIN)}
    assert tokens(arrived("file by file", "codex", files, tmp_path))[0] == 2


def test_a_file_without_a_head_is_refused_once(tmp_path: Path) -> None:
    store = arrived("at once", "codex", {rollout(A): lines(*MAIN[1:])}, tmp_path)
    with store.read() as connection:
        assert [row.reason for row in sync.rejects(connection)] == ["no session header: not a rollout of Codex"]
    assert tokens(store)[0] == 0


def test_a_rollout_that_was_compressed_meanwhile_changes_nothing(tmp_path: Path) -> None:
    store = arrived("at once", "codex", {rollout(A): lines(*MAIN)}, tmp_path)
    plain = tmp_path / "home" / rollout(A)
    Path(f"{plain}.zst").write_bytes(zstd.compress(plain.read_bytes()))
    plain.unlink()
    Engine(store, [Root("codex", tmp_path / "home")], workers=0).catch_up()
    assert tokens(store) == (2, 500, 90, 1300, 0, 30)


def test_a_compressed_rollout_is_read_and_a_broken_one_is_a_reject(tmp_path: Path) -> None:
    home = tmp_path / "home" / "sessions"
    home.mkdir(parents=True)
    packed = zstd.compress(lines(*MAIN).encode())
    (home / f"rollout-{A}.jsonl.zst").write_bytes(packed)
    (home / f"rollout-{B}.jsonl.zst").write_bytes(packed[:-20])
    store = store_in(tmp_path)
    Engine(store, [Root("codex", tmp_path / "home")], workers=0).catch_up()
    assert tokens(store, f"session_id = '{A}'")[0] == 2
    with store.read() as connection:
        [reject] = sync.rejects(connection)
    assert "cannot be unpacked" in reject.reason


def test_rows_of_unknown_shape_are_no_fault(tmp_path: Path) -> None:
    odd = [
        {"timestamp": 5, "type": "event_msg", "payload": "text"},
        {"timestamp": at(9), "type": "event_msg", "payload": {"type": "token_count", "info": {"total_token_usage": 3}}},
        {"timestamp": at(9), "type": "response_item", "payload": {"type": "function_call", "arguments": "[1"}},
        {"timestamp": at(9), "type": ["x"], "payload": None},
        {"timestamp": at(9), "type": "tomorrow", "payload": {}},
    ]
    store = arrived("at once", "codex", {rollout(A): lines(*MAIN[:4], *odd, MAIN[4])}, tmp_path)
    assert tokens(store)[0] == 2
    assert (
        json.dumps(asked(store, "SELECT what FROM unknowns ORDER BY what"))
        == '[["row type [\'x\']"], ["row type tomorrow"], ["shape of a row event_msg"]]'
    )
