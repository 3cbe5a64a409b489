"""Qwen Code: what its chats count, in every way of arriving. The rules are in docs/counting.md, "Qwen Code"."""

from pathlib import Path
from typing import Any

from tests.formats.arriving import arrived, asked, every_way, lines, tokens

CHAT = "projects/-home-ann-shop/chats/s1.jsonl"


def record(number: int, kind: str, *parts: Any, **more: Any) -> dict[str, Any]:
    told = {"uuid": f"u{number}", "sessionId": "s1", "timestamp": f"2026-07-01T10:00:{number:02}.000Z", "type": kind}
    where = {"cwd": "/home/ann/shop", "version": "0.9.0", "gitBranch": "main"}
    return {**told, **where, "message": {"role": kind, "parts": list(parts)}, **more}


ASK = record(1, "user", {"text": "Fix the shop"})
USAGE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 600,
    "candidatesTokenCount": 40,
    "thoughtsTokenCount": 60,
    "totalTokenCount": 1100,
}
ANSWER = record(2, "assistant", {"text": "ok"}, model="qwen3-coder-plus", usageMetadata=USAGE)


@every_way
def test_a_record_with_usage_is_a_response(way: str, tmp_path: Path) -> None:
    store = arrived(way, "qwen", {CHAT: lines(ASK, ANSWER)}, tmp_path)
    assert tokens(store) == (1, 400, 100, 600, 0, 60)
    assert asked(store, "SELECT title, project, version, git_branch, user_messages FROM sessions") == [
        ("Fix the shop", "/home/ann/shop", "0.9.0", "main", 1)
    ]


@every_way
def test_records_without_ids_count_each(way: str, tmp_path: Path) -> None:
    rows = [{name: value for name, value in ANSWER.items() if name != "uuid"} for _ in range(3)]
    assert tokens(arrived(way, "qwen", {CHAT: lines(ASK, *rows, ANSWER | {"uuid": None})}, tmp_path))[0] == 4


@every_way
def test_thoughts_are_in_the_candidates_if_the_total_says_so(way: str, tmp_path: Path) -> None:
    inside = ANSWER | {"usageMetadata": USAGE | {"totalTokenCount": 1040}}
    store = arrived(way, "qwen", {CHAT: lines(inside)}, tmp_path)
    assert asked(store, "SELECT output_tokens, reasoning_tokens FROM responses") == [(40, 40)]


@every_way
def test_a_branch_counts_to_the_original(way: str, tmp_path: Path) -> None:
    mark = {"sessionId": "s2", "forkedFrom": {"sessionId": "s1", "messageUuid": "x"}}
    own = record(9, "assistant", usageMetadata=USAGE, model="m", sessionId="s2")
    files = {CHAT.replace("s1", "a2"): lines(ASK | mark, ANSWER | mark, own), CHAT: lines(ASK, ANSWER)}
    store = arrived(way, "qwen", files, tmp_path)
    assert asked(store, "SELECT session_id, count(*) FROM responses GROUP BY 1 ORDER BY 1") == [("s1", 1), ("s2", 1)]
    assert asked(store, "SELECT session_id FROM prompts") == [("s1",)]


@every_way
def test_only_what_a_person_typed_is_a_prompt(way: str, tmp_path: Path) -> None:
    said = {"text": "x"}
    rows = (
        ASK,
        record(3, "user", said, subtype="notification"),
        record(4, "user", said, provenance="goal_control"),
        record(5, "user", said, isSidechain=True, agentId="explore-1"),
        record(6, "user", {"functionResponse": {}}),
        record(7, "system", subtype="slash_command", systemPayload={"phase": "invocation", "rawCommand": "/clear all"}),
    )
    store = arrived(way, "qwen", {CHAT: lines(*rows)}, tmp_path)
    assert asked(store, "SELECT kind, text, command FROM prompts ORDER BY ts") == [
        ("prompt", "Fix the shop", None),
        ("command", None, "clear"),
    ]


@every_way
def test_calls_sub_agents_and_how_they_ended(way: str, tmp_path: Path) -> None:
    def call(key: str, name: str, **given: Any) -> dict[str, Any]:
        return {"functionCall": {"id": key, "name": name, "args": given}}

    rows = (
        record(
            3, "assistant", call("a", "run_shell_command", command="duckdb a.db -c 'from orders'"), call("b", "task")
        ),
        record(5, "tool_result", toolCallResult={"callId": "a", "status": "success"}),
        record(6, "tool_result", toolCallResult={"callId": "b", "status": "cancelled"}),
        ANSWER | {"agentId": "explore-1", "agentName": "Explore", "isSidechain": True},
    )
    store = arrived(way, "qwen", {CHAT: lines(*rows)}, tmp_path)
    assert asked(
        store, "SELECT name, class, is_error, denial, epoch_ms(result_ts - ts) FROM tool_calls ORDER BY name"
    ) == [
        ("run_shell_command", "tool_use", False, None, 2000),
        ("task", "subagent", True, "cancelled", 3000),
    ]
    assert ("table:orders",) in asked(store, "SELECT resource FROM accesses")
    assert asked(store, "SELECT subagent_id, subagent_name FROM responses WHERE is_sidechain") == [
        ("explore-1", "Explore")
    ]


@every_way
def test_calls_that_are_only_counted_up_are_told_apart(way: str, tmp_path: Path) -> None:
    call = {"functionCall": {"id": "call_1", "name": "read_file", "args": {}}}

    def rows(number: int, status: str, **more: Any) -> list[dict[str, Any]]:
        told = {"callId": "call_1", "status": status}
        return [
            record(number, "assistant", call, **more),
            record(number + 1, "tool_result", toolCallResult=told, **more),
        ]

    files = {
        CHAT: lines(ASK, *rows(2, "success"), *rows(4, "error")),
        CHAT.replace("s1", "s2"): lines(*rows(6, "error", sessionId="s2")),
    }
    store = arrived(way, "qwen", files, tmp_path)
    assert asked(store, "SELECT session_id, is_error FROM tool_calls ORDER BY ts") == [
        ("s1", False),
        ("s1", True),
        ("s2", True),
    ]


@every_way
def test_titles_and_compactions(way: str, tmp_path: Path) -> None:
    rows = (
        ASK,
        record(3, "system", subtype="custom_title", systemPayload={"customTitle": "The shop", "titleSource": "auto"}),
        record(4, "system", subtype="chat_compression", systemPayload={"info": {"originalTokenCount": 900}}),
    )
    store = arrived(way, "qwen", {CHAT: lines(*rows)}, tmp_path)
    assert asked(store, "SELECT title FROM sessions") == [("The shop",)]
    assert asked(store, "SELECT kind, amount FROM events") == [("compact", 900)]
