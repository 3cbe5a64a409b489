"""Copilot CLI: what its sessions count, in every way of arriving. The rules are in docs/counting.md, "Copilot CLI"."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries import breakdown
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store

from tests.formats.arriving import arrived, asked, every_way, lines, tokens
from tests.storing import store_in

EVENTS = "session-state/s1/events.jsonl"
MODEL = "claude-sonnet-4.6"


def event(number: int, kind: str, **data: Any) -> dict[str, Any]:
    when = f"2026-07-01T10:{number:02}:00.000Z"
    return {"type": kind, "id": f"e{number}", "timestamp": when, "data": data}


START = event(
    0,
    "session.start",
    sessionId="s1",
    copilotVersion="1.0.80",
    selectedModel=MODEL,
    context={"cwd": "/home/ann/shop/api", "gitRoot": "/home/ann/shop", "branch": "main"},
)
ASK = event(1, "user.message", content="Fix the shop")


def answer(number: int, output: int, **more: Any) -> dict[str, Any]:
    return event(number, "assistant.message", messageId=f"m{number}", outputTokens=output, **more)


def closed(number: int, given: int, output: int, read: int = 0, written: int = 0, thought: int = 0) -> dict[str, Any]:
    usage = {
        "inputTokens": given,
        "outputTokens": output,
        "cacheReadTokens": read,
        "cacheWriteTokens": written,
        "reasoningTokens": thought,
    }
    return event(number, "session.shutdown", modelMetrics={MODEL: {"requests": {"cost": 1}, "usage": usage}})


def read(way: str, tmp_path: Path, *rows: Mapping[str, Any]) -> Any:
    return arrived(way, "copilot", {EVENTS: lines(START, *rows)}, tmp_path)


@every_way
def test_rows_without_ids_count_each(way: str, tmp_path: Path) -> None:
    rows = [
        row | {"id": None, "data": row["data"] | {"messageId": None}} for row in (ASK, answer(2, 30), answer(3, 40))
    ]
    store = arrived(way, "copilot", {EVENTS: lines(START, *rows, rows[0])}, tmp_path)
    assert tokens(store)[::2] == (2, 70, 0)
    assert asked(store, "SELECT count(*) FROM prompts") == [(2,)]


@every_way
def test_a_running_session_tells_output_only(way: str, tmp_path: Path) -> None:
    store = read(way, tmp_path, ASK, answer(2, 30), answer(3, 12))
    assert tokens(store) == (2, 0, 42, 0, 0, 0)


@every_way
def test_the_account_tells_the_rest_when_it_is_closed(way: str, tmp_path: Path) -> None:
    store = read(way, tmp_path, ASK, answer(2, 30), closed(3, 1000, 50, 700, 100, 9))
    assert tokens(store) == (1, 200, 50, 700, 100, 9)
    assert asked(store, "SELECT kind, output_tokens FROM responses ORDER BY ts") == [("turn", 30), ("account", 20)]


@every_way
def test_an_account_that_goes_on_counting_tells_by_its_difference(way: str, tmp_path: Path) -> None:
    rows = (answer(2, 30), closed(3, 1000, 30), answer(4, 20), closed(5, 1500, 50))
    assert tokens(read(way, tmp_path, *rows))[:3] == (2, 1500, 50)


@every_way
def test_an_account_that_begins_anew_tells_as_it_stands(way: str, tmp_path: Path) -> None:
    rows = (answer(2, 30), closed(3, 1000, 30), answer(4, 40), closed(5, 1100, 40))
    assert tokens(read(way, tmp_path, *rows))[:3] == (2, 2100, 70)


@every_way
def test_after_a_compaction_the_account_begins_anew(way: str, tmp_path: Path) -> None:
    rows = (
        answer(2, 30),
        closed(3, 1000, 30),
        event(4, "session.compaction_complete", success=True, preCompactionTokens=900),
        answer(5, 31),
        closed(6, 1200, 31),
    )
    store = read(way, tmp_path, *rows)
    assert tokens(store)[:3] == (2, 2200, 61)
    assert asked(store, "SELECT kind, amount FROM events") == [("compact", 900)]


@every_way
def test_an_account_that_is_written_again_bills_once(way: str, tmp_path: Path) -> None:
    rows = (
        ASK,
        answer(2, 5),
        closed(8, 9, 9, 3),
        closed(8, 9, 9, 3),
        answer(9, 4),
        closed(10, 20, 15),
        closed(8, 9, 9, 3),
    )
    assert tokens(read(way, tmp_path, *rows)) == tokens(read(way, tmp_path / "once", *rows[:3], *rows[4:6]))


@every_way
def test_a_message_that_is_written_again_counts_once(way: str, tmp_path: Path) -> None:
    again = answer(2, 30) | {"id": "other"}
    assert tokens(read(way, tmp_path, answer(2, 30), again, closed(3, 100, 30)))[:3] == (1, 100, 30)


@every_way
def test_the_model_is_that_of_the_message_else_the_one_that_was_chosen(way: str, tmp_path: Path) -> None:
    rows = (answer(2, 1), event(3, "session.model_change", newModel="gpt-5.4"), answer(4, 1), answer(5, 1, model="o9"))
    store = read(way, tmp_path, *rows)
    assert asked(store, "SELECT model FROM responses ORDER BY ts") == [(MODEL,), ("gpt-5.4",), ("o9",)]


@every_way
def test_prompts_are_what_a_person_typed(way: str, tmp_path: Path) -> None:
    rows = (
        ASK,
        event(2, "user.message", content="go on", isAutopilotContinuation=True),
        event(3, "user.message", content="skill text", source="skill"),
        event(4, "user.message", content="task", parentToolCallId="t"),
        event(5, "user.message", content="  "),
    )
    assert asked(read(way, tmp_path, *rows), "SELECT text FROM prompts") == [("Fix the shop",)]


@every_way
def test_calls_sub_agents_and_how_they_ended(way: str, tmp_path: Path) -> None:
    rows = (
        event(
            2, "tool.execution_start", toolCallId="a", toolName="bash", arguments={"command": "duckdb a.db -c 'from t'"}
        ),
        event(
            3, "tool.execution_complete", toolCallId="a", success=False, error={"message": "it broke", "code": "denied"}
        ),
        event(4, "tool.execution_start", toolCallId="b", toolName="task", arguments={"agent_type": "explore"}),
        event(5, "subagent.started", toolCallId="b", agentName="explore", agentDescription="looks"),
        answer(6, 5, parentToolCallId="b"),
        event(7, "tool.execution_complete", toolCallId="b", success=True, result={"content": "found"}),
        event(8, "tool.execution_start", toolCallId="c", toolName="db-ask", mcpServerName="db", arguments={}),
    )
    store = read(way, tmp_path, *rows)
    told = asked(store, "SELECT name, class, mcp_server, is_error, denial, subagent_type FROM tool_calls ORDER BY ts")
    assert told == [
        ("bash", "tool_use", None, True, "denied", None),
        ("task", "subagent", None, False, None, "explore"),
        ("db-ask", "mcp_call", "db", None, None, None),
    ]
    assert asked(store, "SELECT subagent_id, subagent_name FROM responses WHERE is_sidechain") == [("s1:b", "explore")]
    assert asked(store, "SELECT subagent_id, subagent_type, description FROM subagents") == [
        ("s1:b", "explore", "looks")
    ]
    assert ("table:t",) in asked(store, "SELECT resource FROM accesses")


@every_way
def test_a_session_lies_in_its_repository(way: str, tmp_path: Path) -> None:
    store = read(way, tmp_path, ASK, event(2, "session.title_changed", title="The shop"))
    assert asked(store, "SELECT title, project, cwd, git_branch, version FROM sessions") == [
        ("The shop", "/home/ann/shop", "/home/ann/shop/api", "main", "1.0.80")
    ]


def test_a_file_without_a_start_is_refused_once(tmp_path: Path) -> None:
    store = arrived("at once", "copilot", {EVENTS: lines(ASK, answer(2, 3))}, tmp_path)
    assert asked(store, "SELECT reason FROM rejects") == [("no session.start: not a session of Copilot CLI",)]
    assert tokens(store)[0] == 0


def test_rows_of_unknown_shape_are_no_fault(tmp_path: Path) -> None:
    odd = [
        {"type": 3},
        {"type": "assistant.message", "data": [1]},
        {"type": "session.shutdown", "data": {"modelMetrics": 5}},
    ]
    assert tokens(read("at once", tmp_path, *odd, answer(2, 3)))[2] == 3


# -- the ledger of requests ------------------------------------------------------------------------------------------

LEDGER_SHAPE = (
    """CREATE TABLE assistant_usage_events(id INTEGER PRIMARY KEY, session_id TEXT, model TEXT, input_tokens INTEGER,
        output_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER,
        created_at TEXT, initiator TEXT, duration_ms REAL, time_to_first_token_ms REAL, parent_tool_call_id TEXT,
        reasoning_effort TEXT, finish_reason TEXT)""",
    "CREATE TABLE sessions(id TEXT PRIMARY KEY, cwd TEXT, branch TEXT)",
)


def request(key: int, minute: float, given: int, output: int, read: int = 0, **more: Any) -> dict[str, Any]:
    when = f"2026-07-01 10:{int(minute):02}:{int(minute % 1 * 60):02}"
    told = {"id": key, "session_id": "s1", "model": MODEL, "created_at": when, "input_tokens": given}
    return told | {"output_tokens": output, "cache_read_tokens": read, **more}


def put(home: Path, rows: Sequence[Mapping[str, Any]], table: str = "assistant_usage_events") -> None:
    home.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(home / "session-store.db")) as database, database:
        if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in LEDGER_SHAPE:
                database.execute(statement)
        for row in rows:
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def events(home: Path, *rows: Mapping[str, Any]) -> None:
    path = home / EVENTS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lines(START, *rows), "utf-8")


def catch_up(store: Store, home: Path) -> Store:
    Engine(store, [Root("copilot", home)], workers=0).catch_up()
    return store


TOLD_TWICE = (ASK, answer(2, 30), answer(4, 12), closed(5, 1000, 50, 700, 100, 9))
REQUESTS = (
    request(1, 2, 400, 30, 250, cache_write_tokens=100, reasoning_tokens=5),
    request(2, 4.5, 600, 12, 450, reasoning_tokens=4),
)


@pytest.mark.parametrize("order", ["events first", "ledger first", "at once", "events again", "ledger in two parts"])
def test_the_ledger_tells_all_and_the_events_bill_nothing_besides(order: str, tmp_path: Path) -> None:
    home, store = tmp_path / "home", store_in(tmp_path)
    if order in ("events first", "events again"):
        events(home, *TOLD_TWICE)
        catch_up(store, home)
    put(home, REQUESTS[:1] if order == "ledger in two parts" else REQUESTS)
    if order != "at once":
        catch_up(store, home)
    if order == "ledger in two parts":
        put(home, REQUESTS[1:])
    if order == "events again":
        (home / EVENTS).unlink()
    events(home, *TOLD_TWICE)
    catch_up(store, home)
    assert tokens(store) == (2, 200, 42, 700, 100, 9)
    assert asked(store, "SELECT sum(output_tokens), sum(input_tokens) FROM tokens_daily") == [(42, 200)]
    assert asked(store, "SELECT assistant_messages, output_tokens, input_tokens, reasoning_tokens FROM sessions") == [
        (2, 42, 200, 9)
    ]


def test_what_was_told_before_there_was_a_ledger_stays(tmp_path: Path) -> None:
    """A session that was resumed with a newer version."""
    home, store = tmp_path / "home", store_in(tmp_path)
    events(home, ASK, answer(2, 30), closed(3, 1000, 30), answer(40, 20), closed(41, 1500, 50))
    put(home, [request(1, 40, 500, 20)])
    assert tokens(catch_up(store, home))[:3] == (2, 1500, 50)


def test_a_compaction_in_the_ledger_is_a_bill_of_its_own(tmp_path: Path) -> None:
    home, store = tmp_path / "home", store_in(tmp_path)
    events(home, ASK, answer(2, 30))
    put(home, [request(1, 2, 100, 30), request(2, 3, 5000, 700, initiator="compaction")])
    catch_up(store, home)
    assert tokens(store)[:3] == (1, 5100, 730)
    assert asked(store, "SELECT kind, output_tokens FROM responses ORDER BY kind") == [
        ("compaction", 700),
        ("request", 30),
        ("turn", 0),
    ]


def test_of_a_request_its_times_effort_and_sub_agent_are_told(tmp_path: Path) -> None:
    home, store = tmp_path / "home", store_in(tmp_path)
    more = {"parent_tool_call_id": "t9", "reasoning_effort": "high", "finish_reason": "tool_calls"}
    put(home, [request(1, 2, 100, 30, duration_ms=2000.4, time_to_first_token_ms=310.5, **more)])
    catch_up(store, home)
    columns = "subagent_id, is_sidechain, effort, stop_reason, duration_ms, ttft_ms"
    assert asked(store, f"SELECT {columns} FROM responses") == [("s1:t9", True, "high", "tool_use", 2000, 310)]
    with store.read() as connection:
        found = breakdown.breakdown(connection, Filter())
    assert (found.ttft_ms.p50, found.duration_ms.count, found.output_tokens_per_second.p50) == (310, 1, 15)


def test_a_session_of_which_only_the_ledger_is_left_has_its_folder(tmp_path: Path) -> None:
    home, store = tmp_path / "home", store_in(tmp_path)
    put(home, [{"id": "s1", "cwd": "/home/ann/shop", "branch": "main"}], "sessions")
    put(home, REQUESTS)
    catch_up(store, home)
    assert asked(store, "SELECT project, git_branch, agent, output_tokens FROM sessions") == [
        ("/home/ann/shop", "main", "copilot", 42)
    ]


def test_a_store_without_a_ledger_is_no_fault(tmp_path: Path) -> None:
    home, store = tmp_path / "home", store_in(tmp_path)
    put(home, [])
    with closing(sqlite3.connect(home / "session-store.db")) as database, database:
        database.execute("DROP TABLE assistant_usage_events")
    events(home, *TOLD_TWICE)
    assert tokens(catch_up(store, home)) == (2, 200, 50, 700, 100, 9)
    assert asked(store, "SELECT reason FROM rejects") == []


def test_a_request_without_a_session_is_rejected_and_empty_ones_are_none(tmp_path: Path) -> None:
    home, store = tmp_path / "home", store_in(tmp_path)
    put(home, [request(1, 2, 10, 3, session_id=None), request(2, 3, 0, 0), request(3, 4, 7, 5)])
    assert tokens(catch_up(store, home))[:3] == (0, 7, 5)
    assert asked(store, "SELECT reason FROM rejects") == [("assistant_usage_events row 1: it names no session",)]
