"""OpenCode: what its database and its older files count. The rules are in docs/counting.md, "OpenCode"."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.store import Store

from tests.formats.arriving import arrived, asked, every_way, tokens
from tests.storing import stays_open, store_in

SHAPE = """
CREATE TABLE session(id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT, title TEXT, version TEXT,
    time_created INTEGER, time_updated INTEGER);
CREATE TABLE message(id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT);
CREATE TABLE part(id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, time_created INTEGER, time_updated INTEGER,
    data TEXT);
"""
START = 1782900000000  # 2026-07-01T10:00:00Z, in milliseconds

Row = tuple[str, dict[str, Any]]
"""Table, and columns."""


def session(key: str, second: int = 0, parent: str | None = None, title: str = "The shop") -> Row:
    moment = START + second * 1000
    columns = {"id": key, "parent_id": parent, "directory": "/home/ann/shop", "title": title, "version": "1.3.0"}
    return "session", columns | {"time_created": moment, "time_updated": moment}


def message(key: str, of: str, second: int, role: str, **data: Any) -> Row:
    moment = START + second * 1000
    told = {"role": role, "time": {"created": moment, "completed": moment + 500}, **data}
    columns = {"id": key, "session_id": of, "data": json.dumps(told)}
    return "message", columns | {"time_created": moment, "time_updated": moment}


def usage(given: int, output: int, thought: int = 0, read: int = 0, written: int = 0, total: int | None = None) -> Any:
    told = {"input": given, "output": output, "reasoning": thought, "cache": {"read": read, "write": written}}
    return told if total is None else told | {"total": total}


def answer(key: str, of: str, second: int, told: Any, **data: Any) -> Row:
    more = {
        "modelID": "claude-opus-4-6",
        "providerID": "anthropic",
        "cost": 0.25,
        "finish": "stop",
        "parentID": "msg_1",
    }
    return message(key, of, second, "assistant", tokens=told, **{**more, **data})


def part(key: str, of: str, session_id: str, **data: Any) -> Row:
    columns = {"id": key, "message_id": of, "session_id": session_id, "data": json.dumps(data)}
    return "part", columns | {"time_created": START, "time_updated": START}


def asks(of: str = "ses_a", key: str = "msg_1", text: str = "Fix the shop", **more: Any) -> list[Row]:
    return [message(key, of, 1, "user"), part(f"prt_{key}", key, of, type="text", text=text, **more)]


def put(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            database.executescript(SHAPE)
        for table, columns in rows:
            marks = ", ".join("?" * len(columns))
            database.execute(f"REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))


def read(store: Store, home: Path) -> None:
    Engine(store, [Root("opencode", home)], workers=0, rest_seconds=0.0).catch_up()


def at_once(rows: list[Row], home: Path, store: Store) -> None:
    put(home / "opencode.db", rows)
    read(store, home)


def row_by_row(rows: list[Row], home: Path, store: Store) -> None:
    """Messages begin without tokens and are changed while they stream, as OpenCode does it."""
    for number, (table, columns) in enumerate(rows):
        if table == "message":
            begun = json.loads(columns["data"])
            begun |= {"tokens": usage(0, 0), "cost": 0} if begun["role"] == "assistant" else {}
            put(home / "opencode.db", [(table, columns | {"data": json.dumps(begun), "time_updated": START + number})])
            read(store, home)
        put(home / "opencode.db", [(table, columns | {"time_updated": columns["time_updated"] + 10_000 + number})])
        read(store, home)


def another_file(rows: list[Row], home: Path, store: Store) -> None:
    at_once(rows, home, store)
    (home / "opencode.db").unlink()
    at_once(rows, home, store)


FILLED: dict[str, Callable[[list[Row], Path, Store], None]] = {
    "at once": at_once,
    "row by row": row_by_row,
    "another file": another_file,
}
filled = pytest.mark.parametrize(
    "fill", [fill if fill == "at once" else pytest.param(fill, marks=pytest.mark.long) for fill in FILLED]
)
filled_in_every_way = pytest.mark.parametrize("fill", FILLED)
"""For a test that has to do with how rows change; row by row takes seconds."""


def told(fill: str, tmp_path: Path, *rows: Row) -> Store:
    store = stays_open(store_in(tmp_path))
    FILLED[fill](list(rows), tmp_path / "home", store)
    return store


@filled_in_every_way
def test_a_message_is_a_response(fill: str, tmp_path: Path) -> None:
    rows = [session("ses_a"), *asks(), answer("msg_2", "ses_a", 2, usage(100, 20, 5, 3000, 400, total=3520))]
    store = told(fill, tmp_path, *rows)
    assert tokens(store) == (1, 100, 20, 3000, 400, 5)
    assert asked(
        store, "SELECT agent, provider, logged_cost_usd, billed, duration_ms, stop_reason, prompt_id FROM responses"
    ) == [("opencode", "anthropic", 0.25, None, 500, "end", "opencode:msg_1")]
    assert asked(store, "SELECT title, project, version, user_messages FROM sessions") == [
        ("The shop", "/home/ann/shop", "1.3.0", 1)
    ]


@filled
def test_reasoning_is_in_the_output_or_beside_it_as_the_total_tells(fill: str, tmp_path: Path) -> None:
    rows = [
        session("ses_a"),
        answer("msg_2", "ses_a", 2, usage(10, 20, 5, total=30)),
        answer("msg_3", "ses_a", 3, usage(10, 20, 5, total=35)),
        answer("msg_4", "ses_a", 4, usage(10, 20, 5)),
        answer("msg_5", "ses_a", 5, usage(10, 20, 50)),
    ]
    store = told(fill, tmp_path, *rows)
    assert asked(store, "SELECT output_tokens, reasoning_tokens FROM responses ORDER BY ts") == [
        (20, 5),
        (25, 5),
        (20, 5),
        (70, 50),
    ]


@filled
def test_a_fork_counts_to_the_original(fill: str, tmp_path: Path) -> None:
    same = usage(100, 20)
    rows = [
        session("ses_a"),
        *asks(),
        answer("msg_2", "ses_a", 2, same),
        session("ses_b", 60),
        message("msg_8", "ses_b", 1, "user"),
        part("prt_8", "msg_8", "ses_b", type="text", text="Fix the shop"),
        answer("msg_9", "ses_b", 2, same),
        part("prt_9", "msg_9", "ses_b", type="tool", tool="bash", state={"status": "completed", "input": {}}),
        answer("msg_10", "ses_b", 70, same),
    ]
    store = told(fill, tmp_path, *rows)
    assert asked(store, "SELECT session_id, count(*) FROM responses GROUP BY 1 ORDER BY 1") == [
        ("ses_a", 1),
        ("ses_b", 1),
    ]
    assert asked(store, "SELECT session_id FROM prompts") == [("ses_a",)]
    assert asked(store, "SELECT count(*) FROM tool_calls") == [(0,)]


@filled
def test_a_copy_without_its_original_counts_where_it_lies(fill: str, tmp_path: Path) -> None:
    store = told(fill, tmp_path, session("ses_b", 60), answer("msg_9", "ses_b", 2, usage(1, 2)))
    assert tokens(store)[:3] == (1, 1, 2)


@filled
def test_a_sub_agent_belongs_to_its_root(fill: str, tmp_path: Path) -> None:
    state = {"status": "completed", "input": {"subagent_type": "explore", "description": "look"}, "output": "found"}
    rows = [
        session("ses_a"),
        *asks(),
        session("ses_b", 10, "ses_a"),
        session("ses_c", 20, "ses_b"),
        *asks("ses_c", "msg_5"),
        answer("msg_6", "ses_c", 21, usage(7, 7), agent="explore"),
        answer("msg_2", "ses_a", 5, usage(1, 1)),
        part("prt_2", "msg_2", "ses_a", type="tool", tool="task", state=state | {"metadata": {"sessionId": "ses_c"}}),
    ]
    store = told(fill, tmp_path, *rows)
    assert asked(store, "SELECT session_id, subagent_id, subagent_name FROM responses WHERE is_sidechain") == [
        ("ses_a", "ses_c", "explore")
    ]
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]
    assert asked(store, "SELECT class, subagent_type, spawned_subagent_id FROM tool_calls") == [
        ("subagent", "explore", "ses_c")
    ]


@filled
def test_only_what_a_person_typed_is_a_prompt(fill: str, tmp_path: Path) -> None:
    rows = [session("ses_a"), *asks(key="msg_1", synthetic=True), *asks(key="msg_3", ignored=True), *asks(key="msg_4")]
    assert asked(told(fill, tmp_path, *rows), "SELECT id FROM prompts") == [("opencode:msg_4",)]


@filled
def test_calls_and_how_they_ended(fill: str, tmp_path: Path) -> None:
    def tool(name: str, status: str, **state: Any) -> Row:
        time = {"start": START + 3000, "end": START + 4500}
        return part(
            f"prt_{name}", "msg_2", "ses_a", type="tool", tool=name, state={"status": status, "time": time, **state}
        )

    rows = [
        session("ses_a"),
        answer("msg_2", "ses_a", 2, usage(1, 1)),
        tool("bash", "completed", input={"command": "duckdb a.db -c 'from orders'"}, output="ok"),
        tool("edit", "error", input={"filePath": "/a.py"}, error="The user rejected permission to use this"),
        tool("db_ask", "running", input={}),
    ]
    store = told(fill, tmp_path, *rows)
    assert asked(
        store,
        "SELECT name, class, mcp_server, is_error, denial, epoch_ms(result_ts - ts) FROM tool_calls ORDER BY name",
    ) == [
        ("bash", "tool_use", None, False, None, 1500),
        ("db_ask", "mcp_call", "db", None, None, None),
        ("edit", "tool_use", None, True, "user-rejected", 1500),
    ]
    assert {"table:orders", "/a.py"} <= {row[0] for row in asked(store, "SELECT resource FROM accesses")}


@filled
def test_stopped_before_anything_came_back_is_no_response(fill: str, tmp_path: Path) -> None:
    error = {"name": "MessageAbortedError", "data": {"message": "Aborted"}}
    store = told(fill, tmp_path, session("ses_a"), answer("msg_2", "ses_a", 2, usage(0, 0), error=error))
    assert tokens(store)[0] == 0
    assert asked(store, "SELECT kind, text FROM events") == [("interrupt", "Aborted")]


@filled
def test_a_cost_of_nothing_means_that_a_subscription_pays(fill: str, tmp_path: Path) -> None:
    store = told(fill, tmp_path, session("ses_a"), answer("msg_2", "ses_a", 2, usage(1, 1), cost=0))
    assert asked(store, "SELECT logged_cost_usd, billed FROM responses") == [(None, "elsewhere")]


def test_what_is_deleted_stays_counted(tmp_path: Path) -> None:
    rows = [session("ses_a"), *asks(), answer("msg_2", "ses_a", 2, usage(100, 20))]
    store = told("at once", tmp_path, *rows)
    with closing(sqlite3.connect(tmp_path / "home/opencode.db")) as database, database:
        database.execute("DELETE FROM message")
    put(tmp_path / "home/opencode.db", [session("ses_z", 99)])
    read(store, tmp_path / "home")
    assert tokens(store)[0] == 1


def test_a_row_that_cannot_be_used_is_a_reject_and_costs_itself_only(tmp_path: Path) -> None:
    broken = answer("msg_3", "ses_a", 3, usage(1, 1))[1] | {"data": "{"}
    store = told("at once", tmp_path, session("ses_a"), ("message", broken), answer("msg_2", "ses_a", 2, usage(5, 5)))
    assert tokens(store)[1] == 5
    assert asked(store, "SELECT reason FROM rejects") == [("message row msg_3: its data is no JSON object",)]


OLD: Mapping[str, Any] = {
    "storage/session/p/ses_a.json": {
        "id": "ses_a",
        "title": "The shop",
        "directory": "/home/ann/shop",
        "version": "1.0",
        "time": {"created": START, "updated": START},
    },
    "storage/message/ses_a/msg_1.json": {
        "id": "msg_1",
        "sessionID": "ses_a",
        "role": "user",
        "time": {"created": START},
    },
    "storage/part/msg_1/prt_1.json": {
        "id": "prt_1",
        "sessionID": "ses_a",
        "messageID": "msg_1",
        "type": "text",
        "text": "Fix the shop",
    },
    "storage/message/ses_a/msg_2.json": {
        "id": "msg_2",
        "sessionID": "ses_a",
        "role": "assistant",
        "modelID": "m",
        "time": {"created": START + 1000},
        "tokens": usage(100, 20),
    },
    "storage/message/ses_a/msg_3.json": {"role": "user"},
}


@every_way
def test_older_files_tell_the_same(way: str, tmp_path: Path) -> None:
    files = {name: json.dumps(content) for name, content in OLD.items()}
    if way == "last file first":
        # OpenCode writes a session before its messages, and a message before its parts.
        files = dict(reversed(files.items()))
    store = arrived(way, "opencode", files, tmp_path)
    assert tokens(store)[:3] == (1, 100, 20)
    assert asked(store, "SELECT text FROM prompts") == [("Fix the shop",)]
    assert asked(store, "SELECT reason FROM rejects") == [("a message without the ids of itself and its session",)]


def test_the_database_and_the_older_files_are_the_same(tmp_path: Path) -> None:
    rows = [session("ses_a"), *asks(), answer("msg_2", "ses_a", 2, usage(100, 20))]
    store = told("at once", tmp_path, *rows)
    for name, content in OLD.items():
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    read(store, tmp_path / "home")
    assert tokens(store)[:3] == (1, 100, 20)
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]


@every_way
def test_an_exported_session_tells_the_same(way: str, tmp_path: Path) -> None:
    document = {
        "info": OLD["storage/session/p/ses_a.json"],
        "messages": [
            {"info": OLD["storage/message/ses_a/msg_1.json"], "parts": [OLD["storage/part/msg_1/prt_1.json"]]},
            {"info": OLD["storage/message/ses_a/msg_2.json"], "parts": []},
        ],
    }
    files = {"ses_a.json": json.dumps(document), "auth.json": '{"anthropic": {"key": "x"}}'}
    store = arrived(way, "opencode", files, tmp_path)
    assert tokens(store)[:3] == (1, 100, 20)
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]
    assert [Path(path).name for (path,) in asked(store, "SELECT path FROM files")] == ["ses_a.json"]


def test_more_rows_than_are_held_at_once_come_in_their_order(tmp_path: Path) -> None:
    """Rows are fetched by the hundred; each part finds its message, whichever of them are changed later."""
    rows = [session("ses_a"), *asks()]
    for number in range(230):
        key = f"msg_{999 - number}"
        rows += [answer(key, "ses_a", number + 2, usage(number, 1)), tool_part(f"prt_{key}", key)]
    store = told("at once", tmp_path, *rows)
    changed = [answer("msg_999", "ses_a", 500, usage(0, 7)), *rows[-2:]]
    put(tmp_path / "home" / "opencode.db", [(table, row | {"time_updated": START + 600_000}) for table, row in changed])
    read(store, tmp_path / "home")
    assert tokens(store)[:3] == (230, sum(range(230)), 229 + 7)
    assert asked(
        store,
        "SELECT count(*), count(DISTINCT c.response_key) FROM tool_calls c JOIN responses r "
        "ON r.key = c.response_key WHERE c.result_bytes = 4",
    ) == [(230, 230)]


def tool_part(key: str, of: str) -> Row:
    times = {"start": START, "end": START + 50}
    state = {"status": "completed", "input": {"filePath": "/a"}, "output": "fine", "time": times}
    return part(key, of, "ses_a", type="tool", tool="read", callID=key, state=state)


def test_a_database_in_which_nothing_changed_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = told("at once", tmp_path, session("ses_a"), *asks(), answer("msg_2", "ses_a", 2, usage(1, 1)))
    opened: list[object] = []
    connect = sqlite3.connect

    def noted(*args: Any, **options: Any) -> Any:
        opened.append(args)
        return connect(*args, **options)

    monkeypatch.setattr(sqlite3, "connect", noted)
    read(store, tmp_path / "home")
    assert not opened
    put(tmp_path / "home" / "opencode.db", [answer("msg_3", "ses_a", 3, usage(1, 1))])
    opened.clear()
    read(store, tmp_path / "home")
    assert len(opened) == 1


def test_what_is_of_a_new_type_is_told_to_the_doctor(tmp_path: Path) -> None:
    rows = [
        session("ses_a"),
        *asks(),
        message("msg_9", "ses_a", 9, "tomorrow"),
        part("p", "msg_1", "ses_a", type="new"),
    ]
    store = stays_open(store_in(tmp_path))
    at_once(rows, tmp_path / "home", store)
    assert asked(store, "SELECT what FROM unknowns ORDER BY 1") == [("part type new",), ("role tomorrow",)]
