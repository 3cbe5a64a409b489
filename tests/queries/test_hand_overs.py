"""Who handed work to whom, how it ended and what it took: nests, sub-agents that run again, other AIs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.cursor import Cursor
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.hand_overs import HandOver, HandOvers, hand_overs
from agnes_stats.queries.store import Store

from tests.storing import kept_open
from tests.transcripts import HAIKU, OPUS, Transcript, store_of, write

BEGUN = dt.datetime(2026, 3, 10, 8, 0)
LATER = dt.datetime(2026, 3, 11)


def asked(store: Store, chosen: Filter | None = None, now: dt.datetime = LATER) -> HandOvers:
    with store.read() as connection:
        return hand_overs(connection, chosen or Filter(), now=now)


def by_task(found: HandOvers) -> dict[str | None, HandOver]:
    return {row.task: row for row in found.rows}


def call(key: str, kind: str, task: str, **more: Any) -> tuple[str, str, dict[str, Any]]:
    return key, "Agent", {"subagent_type": kind, "description": task, "prompt": task, **more}


def done(agent: str, ms: int = 1000, tokens: int = 100) -> dict[str, Any]:
    return {"status": "completed", "agentId": agent, "totalDurationMs": ms, "totalTokens": tokens}


def launched(agent: str) -> dict[str, Any]:
    return {"status": "async_launched", "isAsync": True, "agentId": agent}


def ended(told: Transcript, agent: str, status: str, tokens: int, call_id: str | None = None) -> Transcript:
    """What a session is told when something in the background ends."""
    by = f"<tool-use-id>{call_id}</tool-use-id>" if call_id else ""
    text = (
        f"<task-notification><task-id>{agent}</task-id>{by}<status>{status}</status><summary>x</summary>"
        f"<result>said <status>odd</status></result><usage><subagent_tokens>{tokens}</subagent_tokens>"
        "<duration_ms>7000</duration_ms></usage></task-notification>"
    )
    return told.prompt(text, origin={"kind": "task-notification"}, promptSource="system")


def nest() -> list[Transcript]:
    """Four levels: main > planner > coder > tester > reader, each in the one above; and one beside the planner."""
    levels = ("planner", "coder", "tester", "reader")
    told = [Transcript("s", BEGUN).prompt("Go").wait(2)]
    told[0].response(call("c1", "planner", "do planner"), call("c9", "reader", "do beside"), tokens=(0, 1, 0, 0))
    for number, level in enumerate(levels, 1):
        inner = Transcript("s", told[-1].now + dt.timedelta(seconds=1), agent=f"a{number}", model=HAIKU)
        inner.note(level, f"do {level}", f"c{number}").prompt("do").wait(1)
        calls = [call(f"c{number + 1}", levels[number], f"do {levels[number]}")] if number < 4 else []
        told.append(inner.response(*calls, ("t" + level, "Read", {"file_path": "x"}), tokens=(0, 10**number, 0, 0)))
    for number in range(4, 0, -1):
        outer, inner = told[number - 1], told[number]
        inner.wait(3).result("t" + levels[number - 1]).response(tokens=(0, 10**number, 0, 0))
        outer.now = inner.now + dt.timedelta(seconds=1)
        outer.result(f"c{number}", "report", toolUseResult=done(f"a{number}", number * 1000))
    told[0].result("c9", "No such agent", error=True).wait(1).response()
    return told


def test_a_nest_four_levels_deep(tmp_path: Path) -> None:
    store = store_of(tmp_path, nest())
    found = asked(store)
    rows = by_task(found)
    chain = [rows[f"do {name}"] for name in ("planner", "coder", "tester", "reader")]
    assert [(row.from_type, row.to_type, row.depth, row.children) for row in chain] == [
        ("main", "planner", 1, 1),
        ("planner", "coder", 2, 1),
        ("coder", "tester", 3, 1),
        ("tester", "reader", 4, 0),
    ]
    assert [row.parent for row in chain] == [None, "c1", "c2", "c3"]
    assert [row.spent and row.spent.total_tokens for row in chain] == [20, 200, 2000, 20000]
    assert [(row.status, row.duration_ms, row.model, row.tool_calls) for row in chain] == [
        ("done", 1000, HAIKU, 2),
        ("done", 2000, HAIKU, 2),
        ("done", 3000, HAIKU, 2),
        ("done", 4000, HAIKU, 1),
    ]
    beside = rows["do beside"]
    assert (beside.status, beside.from_type, beside.to_type, beside.depth) == ("failed", "main", "reader", 1)
    assert (found.deepest, found.average_depth) == (4, (1 + 2 + 3 + 4 + 1) / 5)
    edges = {(edge.from_type, edge.to_type): edge for edge in found.edges}
    assert (edges["main", "reader"].count, edges["main", "reader"].failed) == (1, 1)
    assert edges["tester", "reader"].p50_ms == 4000
    assert found.rows[0].timestamp == max(row.timestamp for row in found.rows if row.timestamp)


def test_under_a_filter_a_row_tells_what_matches(tmp_path: Path) -> None:
    store = store_of(tmp_path, nest())
    assert {row.task for row in asked(store, Filter(subagent_type="tester")).rows} == {"do tester", "do reader"}
    # The opus response made the first two calls; all that haiku did was in the nest.
    assert {row.task for row in asked(store, Filter(model=OPUS)).rows} == {"do planner", "do beside"}
    assert asked(store, Filter(model=OPUS)).spent.total_tokens == 0
    assert asked(store, Filter(model=HAIKU)).spent.total_tokens == 22220
    assert asked(store, Filter(since=dt.date(2026, 3, 11))).rows == ()


def test_pages_go_on_where_they_ended(tmp_path: Path) -> None:
    found = asked(store_of(tmp_path, nest()))
    first, cursor = found.page(2)
    assert cursor == Cursor(first[-1].timestamp or dt.datetime.min, first[-1].id)
    rest, end = found.page(50, cursor)
    assert [row.id for row in first + rest] == [row.id for row in found.rows]
    assert end is None


def test_a_message_after_its_end_is_another_run_of_the_same_agent(tmp_path: Path) -> None:
    main = Transcript("s", BEGUN).prompt("Go").wait(1)
    main.response(call("c1", "reader", "first", name="bob")).wait(1)
    main.result("c1", "Launched", toolUseResult=launched("a1"))
    child = Transcript("s", main.now, agent="a1", model=HAIKU).prompt("first").wait(10)
    child.response(("r1", "Read", {"file_path": "x"}), tokens=(0, 100, 0, 0)).wait(1).result("r1")
    child.response(tokens=(0, 100, 0, 0))
    main.now = child.now + dt.timedelta(seconds=1)
    # While it works a message is only a message.
    main.response(("m0", "SendMessage", {"to": "bob", "summary": "hurry"}))
    main.rows[-1]["timestamp"] = f"{child.now - dt.timedelta(seconds=5):%Y-%m-%dT%H:%M:%S.000Z}"
    main.result("m0")
    ended(main, "a1", "completed", 200).wait(60)
    main.response(("m1", "SendMessage", {"to": "bob", "summary": "once more"})).wait(1).result("m1")
    child.now = main.now
    child.prompt("once more").wait(5).response(tokens=(0, 5000, 0, 0))
    main.now = child.now
    ended(main.wait(1), "a1", "failed", 5200).wait(1).response()
    found = asked(store_of(tmp_path, [main, child]))
    rows = by_task(found)
    assert set(rows) == {"first", "once more"}
    first, again = rows["first"], rows["once more"]
    assert (first.subagent_id, again.subagent_id, again.to_type) == ("a1", "a1", "reader")
    assert (first.status, first.tool_calls, first.spent and first.spent.total_tokens) == ("done", 1, 200)
    assert (again.status, again.tool_calls, again.spent and again.spent.total_tokens) == ("failed", 0, 5000)
    assert (first.duration_ms, again.duration_ms, again.id) == (11_000, 5_000, "m1")
    assert found.spent.total_tokens == 5200


def test_interrupted_denied_and_running(tmp_path: Path) -> None:
    main = Transcript("s", BEGUN).prompt("Go").wait(1)
    main.response(call("c1", "reader", "stopped")).wait(5).prompt("[Request interrupted by user]")
    main.prompt("Try again").wait(1).response(call("c2", "reader", "refused")).wait(1)
    main.result("c2", "The user doesn't want to proceed with this tool use", error=True)
    main.wait(1).response(call("c3", "reader", "alive"), call("c4", "reader", "behind"), stop=None)
    main.result("c4", "Launched", toolUseResult=launched("a4"))
    child = Transcript("s", main.now, agent="a4").prompt("behind").wait(1)
    child.response(("r4", "Bash", {"command": "make"}), stop="tool_use")
    now = child.now + dt.timedelta(seconds=30)
    store = store_of(tmp_path, [main, child])
    running = {row.task: (row.status, row.duration_ms) for row in asked(store, now=now).rows}
    assert running["stopped"] == ("interrupted", None)
    assert running["refused"] == ("denied", None)
    assert running["alive"] == ("running", None)
    assert running["behind"] == ("running", None)
    over = {row.task: row.status for row in asked(store).rows}
    assert (over["alive"], over["behind"]) == ("interrupted", "interrupted")
    edge = next(edge for edge in asked(store, now=now).edges if edge.to_type == "reader")
    assert (edge.count, edge.running, edge.failed) == (4, 2, 0)


def test_how_something_in_the_background_ended(tmp_path: Path) -> None:
    main = Transcript("s", BEGUN).prompt("Go").wait(1)
    main.response(*(call(f"c{n}", "reader", task) for n, task in enumerate(("fine", "broken", "shot", "silent"))))
    children = []
    for number in range(4):
        main.wait(1).result(f"c{number}", "Launched", toolUseResult=launched(f"a{number}"))
        child = Transcript("s", main.now, agent=f"a{number}").prompt("x").wait(2).response(tokens=(0, 7, 0, 0))
        children.append(child)
    main.wait(10)
    for number, status in enumerate(("completed", "failed", "killed")):
        ended(main, f"a{number}", status, 70 + number, f"c{number}" if number else None)
    # One that went on after it was told of, and is not done.
    children[0].now = main.now + dt.timedelta(seconds=20)
    children[0].response(("r0", "Read", {"file_path": "x"}), stop="tool_use")
    store = store_of(tmp_path, [main.response(), *children])
    rows = by_task(asked(store))
    assert {task: row.status for task, row in rows.items()} == {
        "fine": "done",
        "broken": "failed",
        "shot": "interrupted",
        "silent": "done",
    }
    assert (rows["broken"].reported_tokens, rows["silent"].reported_tokens) == (71, None)
    assert rows["broken"].duration_ms == 2000
    soon = children[0].now + dt.timedelta(seconds=10)
    assert by_task(asked(store, now=soon))["fine"].status == "running"


def test_a_teammate_is_begun_and_says_no_more(tmp_path: Path) -> None:
    main = Transcript("s", BEGUN).prompt("Go").wait(1).response(call("c1", "reviewer", "review it", name="rex")).wait(3)
    told = {"status": "teammate_spawned", "prompt": "x", "agent_id": "rex@session-1", "agent_type": "reviewer"}
    store = store_of(tmp_path, [main.result("c1", "Spawned successfully.", toolUseResult=told).wait(1).response()])
    [row] = asked(store).rows
    assert (row.status, row.duration_ms, row.to_type) == ("done", None, "reviewer")
    [soon] = asked(store, now=main.now).rows
    assert soon.status == "running"


def codex_rollout(home: Path, thread: str, at: dt.datetime, cwd: str, prompt: str, tokens: int) -> None:
    import json

    rows: list[tuple[str, dict[str, Any]]] = [
        ("session_meta", {"id": thread, "cwd": cwd, "cli_version": "0.140.0", "source": "exec"}),
        ("turn_context", {"model": "gpt-5-codex", "cwd": cwd}),
        ("event_msg", {"type": "user_message", "message": prompt}),
        (
            "event_msg",
            {
                "type": "token_count",
                "info": {
                    name: {
                        "input_tokens": tokens,
                        "cached_input_tokens": 0,
                        "output_tokens": 5,
                        "reasoning_output_tokens": 0,
                        "total_tokens": tokens + 5,
                    }
                    for name in ("total_token_usage", "last_token_usage")
                },
            },
        ),
    ]
    path = home / f"sessions/2026/03/10/rollout-2026-03-10T08-00-00-{thread}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    stamp = f"{at:%Y-%m-%dT%H:%M:%S.000Z}"
    path.write_text("".join(json.dumps({"timestamp": stamp, "type": k, "payload": p}) + "\n" for k, p in rows))


def test_another_ai_through_the_shell_is_joined_with_its_own_transcript(tmp_path: Path) -> None:
    main = Transcript("s", BEGUN, cwd="/w/shop").prompt("Go").wait(1)
    shell = [
        ("b1", "cd lib && timeout 600 codex exec 'check the cart'"),
        ("b2", "codex exec 'check the till'"),
        ("b3", "gemini -p 'sum up'"),
        ("b4", 'codex exec "$(cat brief.md)"'),
        ("b5", "codex --version"),
    ]
    main.response(*((key, "Bash", {"command": script}) for key, script in shell)).wait(60)
    for number, (key, _) in enumerate(shell):
        main.result(key, "Error: exit 1" if number == 2 else "fine", error=number == 2)
    main.wait(1).response()
    codex = tmp_path / "codex"
    at = BEGUN + dt.timedelta(seconds=10)
    threads = [f"019c0000-0000-7000-8000-00000000000{n}" for n in range(4)]
    codex_rollout(codex, threads[0], at, "/w/shop/lib", "check the cart", 1000)
    # Another folder, another task, long after.
    codex_rollout(codex, threads[1], at, "/w/other", "check the till", 2000)
    codex_rollout(codex, threads[2], at, "/w/shop", "check the door", 3000)
    codex_rollout(codex, threads[3], at + dt.timedelta(minutes=5), "/w/shop", "check the till", 4000)
    write(tmp_path / "claude", [main])
    store = store_of(tmp_path, [])
    with kept_open(store):
        roots = [Root("claude", tmp_path / "claude"), Root("codex", codex)]
        Engine(store, roots, zones=("UTC",), workers=0, rest_seconds=0.0).catch_up()
    found = asked(store)
    rows = by_task(found)
    assert {(row.to_type, row.task) for row in found.rows} == {
        ("codex", "check the cart"),
        ("codex", "check the till"),
        ("gemini", "sum up"),
        ("codex", "$(cat brief.md)"),
    }
    assert all(row.external and row.from_type == "main" and row.depth == 1 for row in found.rows)
    cart = rows["check the cart"]
    assert (cart.child_session_id, cart.model, cart.status) == (threads[0], "gpt-5-codex", "done")
    assert cart.spent is not None and cart.spent.total_tokens == 1005
    assert cart.duration_ms == 60_000
    assert (rows["check the till"].child_session_id, rows["check the till"].spent) == (None, None)
    assert rows["sum up"].status == "failed"
    # Whose task is not told is known by place and time alone.
    assert rows["$(cat brief.md)"].child_session_id == threads[2]
    # What they took is counted in their own sessions.
    assert found.spent.total_tokens == 0
    assert {(edge.to_type, edge.external, edge.count, edge.spent is None) for edge in found.edges} == {
        ("codex", True, 3, False),
        ("gemini", True, 1, True),
    }
