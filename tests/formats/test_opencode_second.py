"""OpenCode 2: its own tables, beside those of before or alone. The rules are in docs/counting.md, "OpenCode"."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.store import Store

from tests.formats import test_opencode as first
from tests.formats.arriving import asked, tokens
from tests.formats.test_opencode import START, Row, usage
from tests.storing import stays_open, store_in

SHAPE = """
CREATE TABLE session_v2(id TEXT PRIMARY KEY, parent_id TEXT, fork_session_id TEXT, fork_boundary TEXT, directory TEXT,
    title TEXT, version TEXT, time_created INTEGER, time_updated INTEGER);
CREATE TABLE session_message(id TEXT PRIMARY KEY, session_id TEXT, type TEXT, seq INTEGER, time_created INTEGER,
    time_updated INTEGER, data TEXT);
"""


def session(key: str, second: int = 0, **more: Any) -> Row:
    table, columns = first.session(key, second)
    return f"{table}_v2", columns | {"version": "2.0.8"} | more


def said(key: str, of: str, second: int, kind: str, **data: Any) -> Row:
    moment = START + second * 1000
    told = {"time": {"created": moment, "completed": moment + 500}, **data}
    columns = {"id": key, "session_id": of, "type": kind, "seq": second, "data": json.dumps(told)}
    return "session_message", columns | {"time_created": moment, "time_updated": moment}


def answer(key: str, of: str, second: int, told: Any, *content: Any, **data: Any) -> Row:
    model = {"id": "claude-opus-4-6", "providerID": "anthropic", "variant": "high"}
    more = {"agent": "build", "model": model, "content": list(content), "cost": 0.25, "finish": "stop", **data}
    return said(key, of, second, "assistant", tokens=told, **more)


def tool(key: str, name: str, **state: Any) -> dict[str, Any]:
    time = {"created": START + 2000, "ran": START + 2100, "completed": START + 2600}
    return {"type": "tool", "id": key, "name": name, "state": state, "time": time}


SESSION = [
    session("ses_a"),
    said("msg_1", "ses_a", 1, "user", text="Fix the shop"),
    answer("msg_2", "ses_a", 2, usage(100, 20, 5, 3000, 40)),
    said("msg_3", "ses_a", 3, "synthetic", text="go on"),
]


def filled(folder: Path, rows: list[Row], shape: str = SHAPE, *, one_by_one: bool = False) -> Store:
    """A store that has read a database: at once, or after each row."""
    home, store = folder / "home", stays_open(store_in(folder))
    home.mkdir()
    with closing(sqlite3.connect(home / "opencode.db")) as database, database:
        database.executescript(shape)
    for part in [[row] for row in rows] if one_by_one else [rows]:
        first.put(home / "opencode.db", part)
        first.read(store, home)
    return store


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_message_tells_all_of_its_response(one_by_one: bool, tmp_path: Path) -> None:
    store = filled(tmp_path, SESSION, one_by_one=one_by_one)
    assert tokens(store) == (1, 100, 25, 3000, 40, 5)
    told = "key, model, provider, effort, logged_cost_usd, stop_reason, prompt_id, version, duration_ms"
    assert asked(store, f"SELECT {told} FROM responses") == [
        ("opencode:msg_2", "claude-opus-4-6", "anthropic", "high", 0.25, "end", "opencode:msg_1", "2.0.8", 500)
    ]
    assert asked(store, "SELECT id, text FROM prompts") == [("opencode:msg_1", "Fix the shop")]
    assert asked(store, "SELECT title, project FROM sessions") == [("The shop", "/home/ann/shop")]
    assert asked(store, "SELECT count(*) FROM rejects") == asked(store, "SELECT count(*) FROM unknowns") == [(0,)]


def test_calls_and_how_they_ended(tmp_path: Path) -> None:
    good = tool(
        "c1", "shell", status="completed", input={"command": "cat x.csv"}, content=[{"type": "text", "text": "1"}]
    )
    bad = tool("c2", "edit", status="error", input={}, error={"type": "unknown", "message": "no such file"})
    runs = tool("c3", "db_ask", status="running", input={"sql": "select 1"})
    store = filled(
        tmp_path, [*SESSION[:2], answer("msg_2", "ses_a", 2, usage(1, 1), good, bad, runs, "odd", {"type": "text"})]
    )
    told = "SELECT id, name, class, is_error, error_text, epoch_ms(result_ts - ts), response_key FROM tool_calls"
    assert sorted(asked(store, told)) == [
        ("opencode:msg_2:c1", "bash", "tool_use", False, None, 500, "opencode:msg_2"),
        ("opencode:msg_2:c2", "edit", "tool_use", True, "no such file", 500, "opencode:msg_2"),
        ("opencode:msg_2:c3", "db_ask", "mcp_call", None, None, None, "opencode:msg_2"),
    ]
    assert asked(store, "SELECT action, resource FROM accesses WHERE call_id = 'opencode:msg_2:c1'") == [
        ("file.read", "x.csv")
    ]


def test_a_sub_agent_belongs_to_the_session_that_called_it(tmp_path: Path) -> None:
    given = {"description": "look", "subagent_type": "explore"}
    calls = tool("c1", "subagent", status="completed", input=given, structured={"sessionID": "ses_b"})
    child = [session("ses_b", 3, parent_id="ses_a"), said("msg_4", "ses_b", 4, "user", text="look")]
    rows = [
        *SESSION[:2],
        answer("msg_2", "ses_a", 2, usage(1, 1), calls),
        *child,
        answer("msg_5", "ses_b", 5, usage(7, 7)),
    ]
    store = filled(tmp_path, rows)
    assert asked(store, "SELECT session_id, subagent_id, input_tokens FROM responses ORDER BY ts") == [
        ("ses_a", None, 1),
        ("ses_a", "ses_b", 7),
    ]
    assert asked(store, "SELECT spawned_subagent_id, subagent_type FROM tool_calls") == [("ses_b", "explore")]
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]


@pytest.mark.parametrize("one_by_one", [False, True])
def test_what_a_fork_copied_counts_to_the_original(one_by_one: bool, tmp_path: Path) -> None:
    copied = [(table, columns | {"id": f"msg_0{number}", "session_id": "ses_f"}) for number, (table, columns) in
              enumerate(SESSION) if table == "session_message"]  # fmt: skip
    fork = [session("ses_f", 60, fork_session_id="ses_a"), *copied, answer("msg_9", "ses_f", 61, usage(3, 3))]
    store = filled(tmp_path, [*SESSION, *fork], one_by_one=one_by_one)
    assert asked(store, "SELECT session_id, input_tokens FROM responses ORDER BY ts") == [("ses_a", 100), ("ses_f", 3)]
    assert asked(store, "SELECT session_id FROM prompts") == [("ses_a",)]


def test_what_was_migrated_counts_once_and_as_it_was(tmp_path: Path) -> None:
    """Up to 1.2 the output held the reasoning: only the older table still tells that."""
    older = [first.session("ses_a"), *first.asks(), first.answer("msg_2", "ses_a", 2, usage(100, 20, 5, total=120))]
    newer = [*SESSION[:2], answer("msg_2", "ses_a", 2, usage(100, 20, 5)), answer("msg_8", "ses_a", 8, usage(1, 2, 3))]
    store = filled(tmp_path, [*older, *newer], first.SHAPE + SHAPE)
    assert asked(store, "SELECT input_tokens, output_tokens, reasoning_tokens FROM responses ORDER BY ts") == [
        (100, 20, 5),
        (1, 5, 3),
    ]
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]


def test_odd_rows_cost_themselves_only(tmp_path: Path) -> None:
    odd = [
        said("msg_4", "ses_a", 4, "assistant", model="x", tokens=[1], content="none", time=None, error="gone"),
        said("msg_5", "ses_a", 5, "tomorrow"),
        said("msg_6", "ses_a", 6, "user", text={"no": "text"}),
        said("msg_7", "ses_a", 7, "compaction", reason="auto"),
        said("msg_8", "ses_a", 8, "assistant", error={"type": "aborted", "message": "stopped"}),
        ("session_message", {"id": "msg_9", "session_id": "ses_a", "type": "user", "seq": 9, "data": "{]"}),
    ]
    store = filled(tmp_path, [*SESSION, *odd])
    assert tokens(store)[0] == 1
    assert asked(store, "SELECT kind, text FROM events ORDER BY ts") == [("compact", None), ("interrupt", "stopped")]
    assert asked(store, "SELECT what FROM unknowns") == [("type of a message tomorrow",)]
    assert [reason for (reason,) in asked(store, "SELECT reason FROM rejects")] == [
        "session_message row msg_9: its data is no JSON object"
    ]
