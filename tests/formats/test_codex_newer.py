"""Codex: what newer rollouts tell in other words, or anew. Rules and helpers are those of `test_codex.py`."""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.activity import list_activity
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.hand_overs import hand_overs

from tests.formats.arriving import arrived, asked, every_way, lines, tokens
from tests.formats.test_codex import (
    CHILD,
    FIRST,
    MAIN,
    SECOND,
    A,
    B,
    count,
    event,
    head,
    item,
    rollout,
    row,
    turn,
    usage,
    uuid7,
)


def completed(second: float, what: str, **more: Any) -> dict[str, Any]:
    return event(
        second, "item_completed", thread_id=A, turn_id=uuid7(1), item={"type": what, "id": f"i{second}", **more}
    )


PAGED = (
    head(A, history_mode="paginated"),
    event(1, "task_started", turn_id=uuid7(1)),
    completed(2, "UserMessage", content=[{"type": "text", "text": "Fix the shop"}, {"type": "local_image"}]),
    turn(3, uuid7(1)),
    completed(4, "AgentMessage", content=[{"type": "Text", "text": "Fix the shop"}]),
    completed(6, "McpToolCall", server="db", tool="ask", status="completed", arguments={"sql": "select 1"},
              duration={"secs": 2, "nanos": 0}, result={"content": [{"type": "text", "text": "1"}], "isError": False}),
    completed(7, "McpToolCall", server="db", tool="tell", status="failed", arguments={}, error={"message": "gone"}),
    item(8, "custom_tool_call", name="apply_patch", call_id="i9", input="*** Begin Patch\n*** Update File: a.py\n"),
    completed(9, "FileChange", status="declined", changes={}),
    count(10, FIRST, FIRST),
)  # fmt: skip


@every_way
def test_newer_threads_tell_prompts_and_calls_in_items(way: str, tmp_path: Path) -> None:
    store = arrived(way, "codex", {rollout(A): lines(*PAGED)}, tmp_path)
    assert asked(store, "SELECT text, epoch_ms(ts) % 60000 FROM prompts") == [("Fix the shop", 2000)]
    assert asked(store, "SELECT prompt_id IS NOT NULL FROM responses") == [(True,)]
    told = "SELECT name, class, is_error, error_text, epoch_ms(result_ts - ts) FROM tool_calls ORDER BY result_ts"
    assert asked(store, told) == [
        ("mcp__db__ask", "mcp_call", False, None, 2000),
        ("mcp__db__tell", "mcp_call", True, "gone", 0),
        ("apply_patch", "tool_use", True, "", 1000),
    ]
    assert asked(store, "SELECT what FROM unknowns") == []


def test_a_thread_that_was_migrated_says_the_same_again(tmp_path: Path) -> None:
    store = arrived("at once", "codex", {rollout(A): lines(*MAIN)}, tmp_path)
    said = completed(2, "UserMessage", content=[{"type": "text", "text": "Fix the shop"}])
    ends = (event(21, "task_complete", turn_id=uuid7(1), duration_ms=5), row(22, "compacted", {"message": ""}))
    with (tmp_path / "home" / rollout(A)).open("a", encoding="utf-8") as file:
        file.write(lines(*ends))
    Engine(store, [Root("codex", tmp_path / "home")], workers=0).catch_up()
    (tmp_path / "home" / rollout(A)).write_text(lines(*MAIN[:2], said, *MAIN[3:], *ends, *ends), "utf-8")
    Engine(store, [Root("codex", tmp_path / "home")], workers=0).catch_up()
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]
    assert asked(store, "SELECT kind, count(*) FROM events GROUP BY ALL ORDER BY 1") == [("compact", 1), ("turn", 1)]
    assert tokens(store)[0] == 2


STARTED = {"agent_thread_id": B, "agent_path": "/root/tester"}


def activity(what: str, **more: Any) -> dict[str, Any]:
    return row(300, "event_msg", {"type": "sub_agent_activity", "kind": what, **STARTED, **more})


@pytest.mark.parametrize(
    ("told", "output"),
    [
        (activity("started", event_id="go"), '{"task_name":"/root/tester"}'),
        (completed(300, "SubAgentActivity", kind="started", **STARTED, id="go"), '{"task_name":"/root/tester"}'),
        (event(300, "collab_agent_spawn_end", call_id="go", new_thread_id=B), "{}"),
        (event(300, "thread_settings_applied"), json.dumps({"agent_id": B, "nickname": "Hubble"})),
    ],
    ids=["activity", "item", "older event", "output"],
)
def test_a_call_that_starts_a_sub_agent_and_its_run_are_one(told: dict[str, Any], output: str, tmp_path: Path) -> None:
    rows = (
        *MAIN[:3],
        item(299, "function_call", name="spawn_agent", call_id="go", arguments='{"task_name":"tester"}'),
        told,
        item(300, "function_call_output", call_id="go", output=output),
    )
    store = arrived("cut anywhere", "codex", {rollout(A): lines(*rows), rollout(B): lines(*CHILD)}, tmp_path)
    with store.read() as connection:
        [prompt] = list_activity(connection, Filter(), now=dt.datetime(2026, 7, 2)).rows
        [over] = hand_overs(connection, Filter(), now=dt.datetime(2026, 7, 2)).rows
    assert prompt.subagents == 1
    assert (over.to_type, over.spent.total_tokens, over.status) == ("tester", 1050, "done")


def test_the_end_of_a_sub_agent_is_told_to_its_session(tmp_path: Path) -> None:
    rows = (*MAIN[:3], completed(330, "SubAgentActivity", kind="completed", **STARTED))
    store = arrived("at once", "codex", {rollout(A): lines(*rows), rollout(B): lines(*CHILD)}, tmp_path)
    assert asked(store, "SELECT task_id, status, session_id FROM background_ends") == [(B, "completed", A)]


def record(second: float, response: str, used: Mapping[str, int], total: Mapping[str, int]) -> dict[str, Any]:
    told = {"response_id": response, "thread_id": A, "usage": used, "thread_token_usage": total}
    return row(second, "token_usage_record", told)


NEXT = usage(800, 700, 40, 10)
R1, R2 = record(10, "r1", FIRST, FIRST), record(20, "r2", NEXT, SECOND)
C1, C2 = count(10, FIRST, FIRST), count(20, SECOND, NEXT)


@every_way
@pytest.mark.parametrize(
    "told",
    [
        (R1, C1, R2, C2),
        (C1, R1, C2, R2),
        (R1, R1, R2),
        (R1, R2, C2),
        (C1, R1, R2),
        (R1, C1, R2, count(22, SECOND, SECOND)),
        (C1, R1, R1, C2, R2, R2),
        (C1, C2, R1, R2),
    ],
    ids=[
        "before",
        "behind",
        "records only",
        "first count lost",
        "last count lost",
        "another last",
        "told twice",
        "both behind",
    ],
)
def test_records_of_usage_count_where_no_event_tells_of_it(
    way: str, told: tuple[dict[str, Any], ...], tmp_path: Path
) -> None:
    rows = (*MAIN[:3], *told, event(30, "task_complete", turn_id=uuid7(1)))
    store = arrived(way, "codex", {rollout(A): lines(*rows)}, tmp_path)
    assert tokens(store) == (2, 500, 90, 1300, 0, 30)
    assert asked(store, "SELECT count(*) FROM unknowns") == [(0,)]


def test_what_is_new_in_rollouts_is_told(tmp_path: Path) -> None:
    new = (event(4, "tomorrow"), item(5, "thought"), completed(6, "Dance"), event(7, "task_complete", duration_ms=None))
    store = arrived("at once", "codex", {rollout(A): lines(*MAIN, *new)}, tmp_path)
    assert asked(store, "SELECT what FROM unknowns ORDER BY what") == [
        ("completed item Dance",),
        ("event tomorrow",),
        ("response item thought",),
    ]
