"""Whatever stands where a value should: no decoder breaks on it, and the rows around it count."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.formats import SOURCES

from tests.formats import test_codex, test_codex_newer, test_copilot, test_gemini, test_mux, test_pi, test_qwen
from tests.formats.arriving import lines

ODD: tuple[Any, ...] = (
    None,
    True,
    "",
    "x",
    "\ud800",
    "12",
    -5,
    1.5,
    float("nan"),
    2**70,
    [],
    {},
    [["a"]],
    [{"type": []}],
    {"a": {}},
)

Rows = Sequence[Mapping[str, Any]]

_ARGUMENTS = '{"cmd": "ls"}'
_CALL = {"id": "c1", "name": "run_shell_command", "args": {"command": "ls"}, "status": "error", "agentId": "a"}
_DIFF = {"diff": "@@\n+a\n"}
_TOOL = {"type": "dynamic-tool", "toolCallId": "c", "toolName": "task", "state": "output-available"}
_TOOL_INPUT: dict[str, Any] = {"input": {"script": "ls"}, "output": {"success": True, "exitCode": 0, **_DIFF}}
_USED = {"toolName": "look", "model": "openai:gpt-5", "usage": test_mux.usage(1, 1), "timestamp": 1}


def _claude(kind: str, second: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "uuid": f"u{second}", "sessionId": "s", "timestamp": f"2026-07-01T10:00:0{second}Z", **more}


_RESULT = {"type": "tool_result", "tool_use_id": "t1", "is_error": False, "content": "[main 1a2b3c4] 3 rows"}
_MADE: dict[str, Any] = {"structuredPatch": [{"lines": ["+a"]}], "gitOperation": {"commit": {"sha": "1a2b3c4"}}}
_BLOCKS = [
    {"type": "text", "text": "ok"},
    {"type": "thinking", "thinking": "so"},
    {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "echo ok"}},
]

EXAMPLES: dict[str, tuple[str, Rows]] = {
    "claude": (
        "projects/-home-ann-shop/s.jsonl",
        (
            _claude(
                "user", 1, message={"role": "user", "content": "Fix the shop"}, cwd="/home/ann/shop", version="2.1.0"
            ),
            _claude(
                "assistant",
                2,
                message={
                    "id": "msg_1",
                    "model": "claude-opus-4-6",
                    "content": _BLOCKS,
                    "usage": {
                        "input_tokens": 5,
                        "output_tokens": 7,
                        "cache_creation": {"ephemeral_1h_input_tokens": 1},
                    },
                },
            ),
            _claude(
                "user",
                3,
                message={"role": "user", "content": [_RESULT]},
                toolUseResult=_MADE | {"tasks": [{"id": "1"}]},
            ),
            _claude("user", 4, message={"role": "user", "content": [_RESULT | {"is_error": True}]}),
            _claude("system", 5, subtype="compact_boundary", content="done", compactMetadata={"trigger": "auto"}),
            _claude("attachment", 6, attachment={"type": "queued_command", "prompt": "go on", "commandMode": "prompt"}),
            _claude("cost-state", 7, totalCostUSD=1.5, modelUsage={"claude-opus-4-6": {"inputTokens": 5}}),
        ),
    ),
    "codex": (
        test_codex.rollout(test_codex.A),
        (
            *test_codex.MAIN,
            *test_codex_newer.PAGED[1:],
            test_codex.item(3, "function_call", name="spawn_agent", call_id="go", arguments=_ARGUMENTS),
            test_codex_newer.activity("started", event_id="go"),
            test_codex.item(4, "function_call_output", call_id="go", output="Exit code: 1"),
            test_codex.event(
                5, "mcp_tool_call_end", call_id="m", invocation={"server": "d", "tool": "a"}, result={"Ok": {}}
            ),
            test_codex.event(6, "task_complete", duration_ms=4, time_to_first_token_ms=3),
            test_codex_newer.R1,
        ),
    ),
    "pi": (
        test_pi.OLD,
        (
            *test_pi.SESSION,
            test_pi.answer(
                4,
                test_pi.usage(1, 1),
                {"type": "toolCall", "id": "c:1", "name": "bash", "arguments": {"command": "ls"}},
            ),
            test_pi.entry(
                5, "toolResult", [{"type": "text", "text": "x"}], toolCallId="c:1", isError=True, details=_DIFF
            ),
            {"type": "compaction", "id": "k", "timestamp": "2026-07-01T10:00:06Z", "usage": test_pi.usage(1, 1)},
            {"type": "session_info", "id": "n", "timestamp": "2026-07-01T10:00:07Z", "name": "shop"},
        ),
    ),
    "gemini": (
        test_gemini.CHAT,
        (
            test_gemini.HEAD,
            test_gemini.ASK,
            test_gemini.answer(2, test_gemini.TOKENS, _CALL),
            {"$set": {"messages": [test_gemini.ASK], "summary": "The shop", "kind": "main"}},
            test_gemini.message(3, "error", "no"),
        ),
    ),
    "qwen": (
        test_qwen.CHAT,
        (
            test_qwen.ASK,
            test_qwen.ANSWER,
            test_qwen.record(
                3, "assistant", {"functionCall": {"id": "c:1", "name": "task", "args": {"command": "ls"}}}
            ),
            test_qwen.record(
                4,
                "tool_result",
                {"functionResponse": {"id": "c:1", "response": {"output": "x"}}},
                toolCallResult={"callId": "c:1", "status": "error", "resultDisplay": _DIFF},
            ),
            test_qwen.record(
                5, "system", subtype="chat_compression", systemPayload={"info": {"originalTokenCount": 5}}
            ),
        ),
    ),
    "copilot": (
        test_copilot.EVENTS,
        (
            test_copilot.START,
            test_copilot.ASK,
            test_copilot.answer(2, 5),
            test_copilot.event(3, "subagent.started", toolCallId="c1", agentName="explore"),
            test_copilot.event(
                4, "tool.execution_start", toolCallId="c1", toolName="task", arguments={"command": "ls"}
            ),
            test_copilot.event(
                5, "tool.execution_complete", toolCallId="c1", success=False, error={"code": "denied", "message": "no"}
            ),
            test_copilot.event(6, "session.model_change", newModel="x", reasoningEffort="high"),
            test_copilot.event(7, "session.compaction_complete", success=True, preCompactionTokens=5),
            test_copilot.closed(8, 9, 9),
        ),
    ),
    "mux": (
        test_mux.CHAT,
        (
            test_mux.ASK,
            test_mux.FULL,
            test_mux.turn(3, test_mux.BILL, toolModelUsages=[_USED], compactionBoundary=True, error="no")
            | {"parts": [_TOOL | _TOOL_INPUT | {"nestedCalls": [_TOOL]}]},
        ),
    ),
}


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a row."""
    if at:
        yield at
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for name, each in inner:
        yield from places(each, (*at, name))


def changed(row: Mapping[str, Any], at: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """A copy of a row with another value at a place."""
    copy: dict[str, Any] = json.loads(json.dumps(row))
    inside: Any = copy
    for name in at[:-1]:
        inside = inside[name]
    inside[at[-1]] = value
    return copy


def told(kind: str, root: Path) -> Batch:
    """What the source says of all its files."""
    source, batch = SOURCES[kind], Batch()
    for path in sorted(Path(found) for found in source.discover(root)):
        source.fingerprint(path)
        file = source.recognise(root, path)
        assert file is not None
        source.change(file).read(source, file, None, batch, 10**9)
    return batch


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_odd_value_anywhere_costs_its_own_row_only(kind: str, tmp_path: Path) -> None:
    name, rows = EXAMPLES[kind]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(lines(*rows), "utf-8")
    whole = {row["key"] for row in told(kind, tmp_path).of("responses")}
    assert whole
    for number, row in enumerate(rows):
        odd = [changed(row, at, value) for at in places(row) for value in ODD]
        behind = rows[number:] if number else rows
        path.write_text(lines(*rows[:number], *odd, *behind), "utf-8")
        found = told(kind, tmp_path)
        if number or kind in ("claude", "qwen", "mux"):
            # Without its first row the rest of such a file is refused, with one reject.
            assert whole <= {row["key"] for row in found.of("responses")}
        else:
            assert found.of("rejects") or found.of("responses")


_MARK = "MARK"


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("bad", [b"\xff", b"\xe2\x82", b"\xed\xa0\x80", rb"\ud83d", rb"\u0000", b"\x07", b"\x00"])
def test_a_text_that_is_not_quite_one_costs_nothing(kind: str, bad: bytes, tmp_path: Path) -> None:
    name, rows = EXAMPLES[kind]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    odd = [
        changed(row, at, value + _MARK)
        for number, row in enumerate(rows)
        for at in places(row)
        if isinstance(value := _inside(row, at), str) and (number or at != ("type",))
    ]
    path.write_bytes(lines(*rows, *odd).encode().replace(_MARK.encode(), bad))
    found = told(kind, tmp_path)
    path.write_text(lines(*rows, *odd).replace(_MARK, "-"), "utf-8")
    assert found.of("rejects") == []
    plain = told(kind, tmp_path)
    for table in ("responses", "tool_calls", "prompts", "events", "own_totals"):
        assert len(found.of(table)) == len(plain.of(table))


@pytest.mark.parametrize(
    ("kind", "field", "what"),
    [
        ("claude", "type", "row type tomorrow"),
        ("codex", "type", "row type tomorrow"),
        ("pi", "type", "entry type tomorrow"),
        ("gemini", "type", "message type tomorrow"),
        ("qwen", "type", "record type tomorrow"),
        ("copilot", "type", "event tomorrow"),
        ("mux", "role", "role tomorrow"),
    ],
)
def test_what_is_of_a_new_type_is_told_to_the_doctor(kind: str, field: str, what: str, tmp_path: Path) -> None:
    name, rows = EXAMPLES[kind]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(lines(*rows, {**rows[1], field: "tomorrow"}), "utf-8")
    assert [row["what"] for row in told(kind, tmp_path).of("unknowns")] == [what]


def _inside(row: Any, at: Sequence[str | int]) -> Any:
    for name in at:
        row = row[name]
    return row


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_an_odd_list_of_workspaces_is_none(value: Any, tmp_path: Path) -> None:
    home = json.loads(test_mux.config(test_mux.made("aaaa")))
    path = tmp_path / test_mux.CHAT
    path.parent.mkdir(parents=True)
    path.write_text(lines(test_mux.FULL), "utf-8")
    for number, at in enumerate(places(home)):
        (tmp_path / "config.json").write_text(json.dumps(changed(home, at, value)) + " " * number, "utf-8")
        assert len(told("mux", tmp_path).of("responses")) == 1
