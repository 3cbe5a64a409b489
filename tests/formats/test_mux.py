"""Mux: what its workspaces count, in every way of arriving. The rules are in docs/counting.md, "Mux"."""

import json
from pathlib import Path
from typing import Any

from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root

from tests.formats.arriving import arrived, asked, every_way, lines, tokens

START = 1782900000000  # 2026-07-01T10:00:00Z, in milliseconds
MODEL = "anthropic:claude-opus-4-6"
CHAT, ARCHIVE = "sessions/aaaa/chat.jsonl", "sessions/aaaa/chat-archive.jsonl"
CHILD = "sessions/aaaa/subagent-transcripts/bbbb"


def row(number: int, role: str = "assistant", text: str = "ok", **metadata: Any) -> dict[str, Any]:
    told = {"timestamp": START + number * 1000, "historySequence": number, **metadata}
    return {"id": f"r{number}", "role": role, "metadata": told, "parts": [{"type": "text", "text": text}]}


def usage(given: int, output: int, **more: int) -> dict[str, int]:
    return {"inputTokens": given, "outputTokens": output, **more}


def turn(number: int, used: Any, **metadata: Any) -> dict[str, Any]:
    return row(number, model=MODEL, agentId="exec", usage=used, **metadata)


ASK = row(0, "user", "Fix the shop")
BILL = usage(1000, 50, cachedInputTokens=600, reasoningTokens=20)
FULL = turn(
    2,
    BILL,
    providerMetadata={"anthropic": {"cacheCreationInputTokens": 100}},
    thinkingLevel="high",
    ttftMs=700,
    duration=4000,
)


def config(*workspaces: dict[str, Any]) -> str:
    return json.dumps({"projects": [["/home/ann/shop", {"workspaces": list(workspaces)}]]})


def made(key: str, hour: int = 9, **more: Any) -> dict[str, Any]:
    return {"id": key, "title": key, "createdAt": f"2026-07-01T{hour:02}:00:00.000Z", **more}


@every_way
def test_a_turn_is_a_response(way: str, tmp_path: Path) -> None:
    store = arrived(way, "mux", {"config.json": config(made("aaaa")), CHAT: lines(ASK, FULL)}, tmp_path)
    assert tokens(store) == (1, 300, 50, 600, 100, 20)
    columns = "agent, provider, model, effort, ttft_ms, duration_ms, subagent_name, epoch_ms(ended_at - ts)"
    assert asked(store, f"SELECT {columns} FROM responses") == [
        ("mux", "anthropic", "claude-opus-4-6", "high", 700, 4000, "exec", 4000)
    ]
    assert asked(store, "SELECT title, project, user_messages FROM sessions") == [("aaaa", "/home/ann/shop", 1)]


@every_way
def test_a_row_in_archive_and_chat_counts_once(way: str, tmp_path: Path) -> None:
    assert tokens(arrived(way, "mux", {ARCHIVE: lines(ASK, FULL), CHAT: lines(FULL)}, tmp_path))[0] == 1


@every_way
def test_the_same_id_in_two_workspaces_is_two_rows(way: str, tmp_path: Path) -> None:
    other = turn(2, BILL) | {"metadata": FULL["metadata"] | {"timestamp": START + 99_000}}
    files = {CHAT: lines(FULL), "sessions/cccc/chat.jsonl": lines(other)}
    assert tokens(arrived(way, "mux", files, tmp_path))[0] == 2


@every_way
def test_a_fork_counts_to_the_workspace_that_was_made_first(way: str, tmp_path: Path) -> None:
    own = turn(5000, usage(1, 1))
    files = {
        "config.json": config(made("aaaa"), made("cccc", 11)),
        CHAT: lines(ASK, FULL),
        "sessions/cccc/chat.jsonl": lines(ASK, FULL, own),
    }
    store = arrived(way, "mux", files, tmp_path)
    assert asked(store, "SELECT session_id, input_tokens FROM responses ORDER BY ts") == [("aaaa", 300), ("cccc", 1)]
    assert asked(store, "SELECT session_id FROM prompts") == [("aaaa",)]


@every_way
def test_old_rows_tell_the_output_without_the_reasoning(way: str, tmp_path: Path) -> None:
    store = arrived(way, "mux", {CHAT: lines(turn(2, usage(5, 10, reasoningTokens=50)))}, tmp_path)
    assert asked(store, "SELECT output_tokens, reasoning_tokens FROM responses") == [(60, 50)]


@every_way
def test_who_pays(way: str, tmp_path: Path) -> None:
    rows = (
        turn(1, usage(1, 1), providerMetadata={"mux": {"costsIncluded": True}}),
        turn(2, usage(1, 1), providerMetadata={"xai": {"costInUsdTicks": 25_000_000_000}}),
    )
    store = arrived(way, "mux", {CHAT: lines(*rows)}, tmp_path)
    assert asked(store, "SELECT billed, logged_cost_usd FROM responses ORDER BY ts") == [
        ("elsewhere", None),
        (None, 2.5),
    ]


@every_way
def test_gateways_are_no_providers(way: str, tmp_path: Path) -> None:
    rows = row(1, model="mux-gateway:anthropic/claude-opus-4-6", usage=usage(1, 1))
    store = arrived(way, "mux", {CHAT: lines(rows)}, tmp_path)
    assert asked(store, "SELECT gateway, provider, model FROM responses") == [
        ("mux-gateway", "anthropic", "claude-opus-4-6")
    ]


@every_way
def test_models_of_tools_and_calls_without_a_conversation_are_bills(way: str, tmp_path: Path) -> None:
    used = [
        {"toolName": "advisor", "model": "openai:gpt-5.5", "timestamp": START + 9000, "usage": usage(90, 8)},
        {"toolName": "", "model": "openai:gpt-5.5", "usage": usage(7, 7)},
    ]
    headless = (
        {"timestamp": START, "source": "title", "model": "my:alias", "metadataModel": MODEL, "usage": usage(5, 2)},
        {"source": "sweep", "usage": usage(9, 9)},
    )
    files = {CHAT: lines(turn(2, BILL, toolModelUsages=used)), "sessions/aaaa/headless-usage.jsonl": lines(*headless)}
    store = arrived(way, "mux", files, tmp_path)
    assert tokens(store)[:3] == (1, 400 + 90 + 5, 60)
    assert asked(store, "SELECT kind, tool, model, priced_as FROM responses WHERE NOT is_answer ORDER BY kind") == [
        ("headless", "title", "alias", "claude-opus-4-6"),
        ("tool", "advisor", "gpt-5.5", None),
    ]


@every_way
def test_what_streams_and_what_is_summed_up_is_never_added(way: str, tmp_path: Path) -> None:
    ledger = {"byModel": {MODEL: {"input": {"tokens": 999}}}, "rolledUpFrom": {"x": {"totalTokens": 30}, "y": True}}
    files = {
        CHAT: lines(FULL, row(3, partial=True)),
        "sessions/aaaa/partial.json": json.dumps(turn(4, BILL)),
        "sessions/aaaa/session-usage.json": json.dumps(ledger),
        "sessions/aaaa/subagent-reports.json": json.dumps(
            {"artifactsByChildTaskId": {"x": {"reportTokenEstimate": 3}}}
        ),
    }
    store = arrived(way, "mux", files, tmp_path)
    assert tokens(store)[0] == 1
    assert asked(store, "SELECT subagent_id, reported_tokens, report_tokens, parent FROM subagents") == [
        ("x", 30, 3, "aaaa")
    ]


@every_way
def test_removed_sub_agents_and_theirs_belong_to_the_session(way: str, tmp_path: Path) -> None:
    files = {
        "config.json": config(made("aaaa")),
        f"{CHILD}/metadata.json": json.dumps({"parentWorkspaceId": "aaaa"}),
        f"{CHILD}/chat.jsonl": lines(ASK, turn(3, usage(7, 7))),
        f"{CHILD}/../dddd/metadata.json".replace("bbbb/../", ""): json.dumps({"parentWorkspaceId": "bbbb"}),
        f"{CHILD}/../dddd/chat.jsonl".replace("bbbb/../", ""): lines(turn(4, usage(8, 8))),
        CHAT: lines(ASK, FULL),
    }
    store = arrived(way, "mux", files, tmp_path)
    assert asked(store, "SELECT DISTINCT session_id FROM responses") == [("aaaa",)]
    assert asked(store, "SELECT subagent_id FROM responses WHERE is_sidechain ORDER BY 1") == [("bbbb",), ("dddd",)]
    assert asked(store, "SELECT count(*) FROM prompts") == [(1,)]


def test_a_list_of_workspaces_that_comes_last_moves_all_of_a_sub_agent(tmp_path: Path) -> None:
    files = {
        "config.json": config(made("aaaa"), made("bbbb", parentWorkspaceId="aaaa", agentType="explore")),
        CHAT: lines(ASK, FULL),
        "sessions/bbbb/chat.jsonl": lines(row(3, "user", "look"), turn(4, usage(7, 7)), row(5, error="no")),
        "sessions/bbbb/headless-usage.jsonl": lines({"source": "title", "model": MODEL, "usage": usage(3, 1)}),
    }
    told = "SELECT session_id, subagent_id FROM responses ORDER BY 1, 2 NULLS FIRST"
    later = arrived("last file first", "mux", files, tmp_path / "later")
    assert asked(later, told) == [("aaaa", None), ("aaaa", "bbbb"), ("aaaa", "bbbb")]
    at_once = arrived("at once", "mux", files, tmp_path / "at once")
    for rows in (told, "FROM sessions", "SELECT * EXCLUDE path FROM prompts", "FROM activity ORDER BY ALL"):
        assert asked(later, rows) == asked(at_once, rows)
    assert [session for (session,) in asked(later, "SELECT session_id FROM sessions")] == ["aaaa"]


@every_way
def test_a_living_sub_agent_with_an_older_copy_of_itself_counts_once(way: str, tmp_path: Path) -> None:
    files = {
        "config.json": config(made("aaaa"), made("bbbb", parentWorkspaceId="aaaa", agentType="explore")),
        f"{CHILD}/chat.jsonl": lines(turn(3, usage(7, 7))),
        "sessions/bbbb/chat.jsonl": lines(turn(3, usage(7, 7)), turn(4, usage(8, 8))),
    }
    store = arrived(way, "mux", files, tmp_path)
    assert tokens(store)[:2] == (2, 15)
    assert asked(store, "SELECT session_id, subagent_id FROM responses GROUP BY ALL") == [("aaaa", "bbbb")]


@every_way
def test_only_what_a_person_typed_is_a_prompt(way: str, tmp_path: Path) -> None:
    rows = (ASK, row(3, "user", "<snapshot>", synthetic=True), row(4, "user", "go on", kind="goal_check"))
    assert asked(arrived(way, "mux", {CHAT: lines(*rows)}, tmp_path), "SELECT text FROM prompts") == [("Fix the shop",)]


@every_way
def test_calls_nested_ones_too_and_how_they_ended(way: str, tmp_path: Path) -> None:
    def call(name: str, output: Any, given: Any, **more: Any) -> dict[str, Any]:
        told = {"toolCallId": name, "toolName": name, "input": given, "output": output, "state": "output-available"}
        return {"type": "dynamic-tool", "timestamp": START + 5000, **told, **more}

    inner = call("file_read", {"success": True}, {"path": "b.csv"})
    del inner["type"]
    parts = [
        call("bash", {"success": False, "exitCode": 1, "output": "no"}, {"script": "duckdb a.db -c 'from orders'"}),
        call("code", {"success": True}, {}, nestedCalls=[inner]),
        call("task", None, {"agentId": "explore"}, state="input-available"),
    ]
    store = arrived(way, "mux", {CHAT: lines(FULL | {"parts": parts})}, tmp_path)
    assert asked(store, "SELECT name, class, is_error FROM tool_calls ORDER BY name") == [
        ("bash", "tool_use", True),
        ("code", "tool_use", False),
        ("file_read", "tool_use", False),
        ("task", "subagent", None),
    ]
    assert {"table:orders", "b.csv"} <= {row[0] for row in asked(store, "SELECT resource FROM accesses")}


def test_calls_of_rows_without_ids_are_told_apart(tmp_path: Path) -> None:
    call = {"type": "dynamic-tool", "toolCallId": "call_1", "toolName": "bash", "state": "input-available"}
    rows = [turn(n, BILL, historySequence=n) | {"id": None, "parts": [call]} for n in (1, 2)]
    store = arrived("at once", "mux", {CHAT: lines(ASK, *rows)}, tmp_path)
    assert asked(store, "SELECT count(*) FROM tool_calls") == [(2,)]


def test_rows_that_are_cleared_away_stay_counted(tmp_path: Path) -> None:
    store = arrived("at once", "mux", {CHAT: lines(ASK, FULL)}, tmp_path)
    (tmp_path / "home" / CHAT).write_text(lines(turn(9, usage(1, 1))))
    Engine(store, [Root("mux", tmp_path / "home")], workers=0).catch_up()
    assert tokens(store)[0] == 2


def test_a_torn_line_costs_itself_only(tmp_path: Path) -> None:
    store = arrived("at once", "mux", {CHAT: lines(ASK, '{"id": "r1", "role"', FULL)}, tmp_path)
    assert tokens(store)[0] == 1
    assert asked(store, "SELECT count(*) FROM rejects") == [(1,)]


def test_a_home_under_two_names_counts_once(tmp_path: Path) -> None:
    store = arrived("at once", "mux", {f".xum/{CHAT}": lines(ASK, FULL)}, tmp_path)
    (tmp_path / "home" / ".mux").symlink_to(".xum")
    Engine(store, [Root("mux", tmp_path / "home")], workers=0).catch_up()
    assert tokens(store)[0] == 1
