"""Gemini CLI: what its chats count, in every way of arriving. The rules are in docs/counting.md, "Gemini CLI"."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.formats.arriving import arrived, asked, every_way, lines, tokens

CHAT = "tmp/shop/chats/session-2026-07-01T10-00-aaaa.jsonl"
OLD_CHAT = "tmp/shop/chats/session-2026-07-01T10-00-aaaa.json"
HEAD = {"sessionId": "aaaa-1", "projectHash": "x", "startTime": "2026-07-01T10:00:00.000Z"}


def message(number: int, kind: str, content: Any = "", **more: Any) -> dict[str, Any]:
    when = f"2026-07-01T10:00:{number:02}.000Z"
    return {"id": f"m{number}", "timestamp": when, "type": kind, "content": content, **more}


def answer(number: int, told: Mapping[str, int] | None, *calls: Mapping[str, Any]) -> dict[str, Any]:
    more: dict[str, Any] = {"toolCalls": list(calls)} if calls else {}
    return message(number, "gemini", "ok", model="gemini-2.5-pro", tokens=told, **more)


TOKENS = {"input": 1000, "cached": 600, "output": 40, "thoughts": 60, "tool": 5, "total": 1105}
ASK = message(1, "user", [{"text": "Fix the shop"}])


@every_way
def test_input_is_without_the_cache_and_output_with_thoughts(way: str, tmp_path: Path) -> None:
    store = arrived(way, "gemini", {CHAT: lines(HEAD, ASK, answer(2, TOKENS))}, tmp_path)
    assert tokens(store) == (1, 405, 100, 600, 0, 60)
    assert asked(store, "SELECT agent, provider, model, session_id FROM responses") == [
        ("gemini", "google", "gemini-2.5-pro", "aaaa-1")
    ]


@every_way
def test_a_message_that_is_told_again_counts_once_and_keeps_its_tokens(way: str, tmp_path: Path) -> None:
    rows = (
        HEAD,
        ASK,
        answer(2, None),
        answer(2, TOKENS),
        {"$set": {"messages": [ASK, answer(2, None)], "summary": "The shop"}},
        {"$rewindTo": "m1"},
    )
    store = arrived(way, "gemini", {CHAT: lines(*rows)}, tmp_path)
    assert tokens(store) == (1, 405, 100, 600, 0, 60)
    assert asked(store, "SELECT title FROM sessions") == [("The shop",)]
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]


@every_way
def test_messages_and_calls_without_ids_count_once_each(way: str, tmp_path: Path) -> None:
    call = {"name": "read_file", "status": "success"}
    told = [ASK, answer(2, TOKENS, call, call), answer(3, {"input": 7, "output": 1}, call)]
    nameless = [{name: value for name, value in one.items() if name != "id"} for one in told]
    rows = (HEAD, *nameless, {"$set": {"messages": nameless[:2]}}, {"type": "gemini", "tokens": {"output": 9}})
    store = arrived(way, "gemini", {CHAT: lines(*rows)}, tmp_path)
    assert tokens(store)[:3] == (3, 412, 110)
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]
    assert asked(store, "SELECT count(*) FROM tool_calls") == [(3,)]


@every_way
def test_a_chat_in_both_forms_counts_once(way: str, tmp_path: Path) -> None:
    whole = json.dumps(HEAD | {"messages": [ASK, answer(2, TOKENS)]}, indent=2)
    newer = lines(HEAD, ASK, answer(2, TOKENS), answer(4, {"input": 7, "output": 1}))
    store = arrived(way, "gemini", {OLD_CHAT: whole, CHAT: newer}, tmp_path)
    assert tokens(store)[:3] == (2, 412, 101)
    assert asked(store, "SELECT count(*) FROM rejects") == [(0,)]


@every_way
def test_nothing_used_is_no_response(way: str, tmp_path: Path) -> None:
    nothing = dict.fromkeys(TOKENS, 0)
    assert tokens(arrived(way, "gemini", {CHAT: lines(HEAD, answer(2, nothing))}, tmp_path))[0] == 0


@every_way
def test_a_sub_agent_belongs_to_the_session_of_its_folder(way: str, tmp_path: Path) -> None:
    sub = {"sessionId": "bbbb", "kind": "subagent"}
    files = {
        CHAT: lines(HEAD, ASK, answer(2, TOKENS)),
        "tmp/shop/chats/aaaa-1/bbbb.jsonl": lines(sub, ASK, answer(2, TOKENS)),
    }
    store = arrived(way, "gemini", files, tmp_path)
    assert tokens(store, "session_id = 'aaaa-1'")[0] == 2
    assert asked(store, "SELECT subagent_id FROM responses WHERE is_sidechain") == [("bbbb",)]
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]


@every_way
def test_what_gemini_itself_takes_for_no_prompt_is_none(way: str, tmp_path: Path) -> None:
    said = ("/help", "?", "<session_context>x", "<hook_context>x", "", "  Fix it")
    rows = (HEAD, *(message(number, "user", text) for number, text in enumerate(said)))
    store = arrived(way, "gemini", {CHAT: lines(*rows)}, tmp_path)
    assert asked(store, "SELECT text FROM prompts") == [("Fix it",)]


@every_way
def test_calls_and_how_they_ended(way: str, tmp_path: Path) -> None:
    def call(name: str, status: str, **given: Any) -> dict[str, Any]:
        when = "2026-07-01T10:00:03.000Z"
        said = [{"functionResponse": {"response": {"output": "Error: it broke"}}}]
        return {"id": name, "name": name, "args": given, "status": status, "timestamp": when, "result": said}

    rows = (
        HEAD,
        ASK,
        answer(
            2,
            TOKENS,
            call("run_shell_command", "success", command="duckdb a.db -c 'from orders'"),
            call("replace", "cancelled", file_path="/a.py"),
            call("read_file", "error", absolute_path="/b.csv"),
            call("db__ask", "executing"),
        ),
    )
    store = arrived(way, "gemini", {CHAT: lines(*rows)}, tmp_path)
    assert asked(store, "SELECT name, class, mcp_server, is_error, denial FROM tool_calls ORDER BY name") == [
        ("db__ask", "mcp_call", "db", None, None),
        ("read_file", "tool_use", None, True, None),
        ("replace", "tool_use", None, True, "cancelled"),
        ("run_shell_command", "tool_use", None, False, None),
    ]
    assert {"table:orders", "/a.py", "/b.csv"} <= {row[0] for row in asked(store, "SELECT resource FROM accesses")}
    assert asked(store, "SELECT count(*) FROM tool_calls WHERE result_ts IS NOT NULL") == [(0,)]


@every_way
def test_the_project_is_the_folder_that_is_told_else_its_name(way: str, tmp_path: Path) -> None:
    rows = lines(HEAD, ASK)
    other = rows.replace("aaaa-1", "cccc")
    files = {"tmp/till/.project_root": "/home/ann/till\n", "tmp/till/chats/session-b.jsonl": other, CHAT: rows}
    if way == "last file first":
        # Gemini CLI makes the note of the folder before the chat.
        files = dict(reversed(files.items()))
    store = arrived(way, "gemini", files, tmp_path)
    assert asked(store, "SELECT session_id, project FROM sessions ORDER BY 1") == [
        ("aaaa-1", "shop"),
        ("cccc", "/home/ann/till"),
    ]


def test_a_file_that_is_no_chat_is_refused_once(tmp_path: Path) -> None:
    files = {CHAT: lines({"a": 1}, {"b": 2}), OLD_CHAT: "{}", "tmp/shop/logs.json": "[]"}
    store = arrived("at once", "gemini", files, tmp_path)
    assert asked(store, "SELECT DISTINCT reason, count(*) FROM rejects GROUP BY ALL") == [
        ("no session id: not a chat of Gemini CLI", 2)
    ]
