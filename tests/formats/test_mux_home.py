"""A Mux home with all that happens to one at once: every figure below is added up by hand from the rows.

Forks of forks, a fork whose original is gone, histories that were rotated, rewritten and cleared, sub-agents of
sub-agents, living and removed, bills beside the answers, and lines that nobody can use.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.breakdown import Breakdown, UsedTokens, breakdown
from agnes_stats.queries.filters import Filter

from tests.formats.arriving import arrived, asked, every_way, held_at_once, lines, tokens

START = 1782900000000  # 2026-07-01T10:00:00Z, in milliseconds
HOUR = 3600
SONNET, GPT, GROK = "anthropic:claude-sonnet-4-5", "openai:gpt-5", "xai:grok-4"


def at(second: float) -> int:
    return START + int(second * 1000)


def turn(key: str, second: float, given: int, output: int, **more: Any) -> dict[str, Any]:
    """An answer; `given` is all that went in, `cached` of it read and `written` of it written to the cache."""
    used = {"inputTokens": given, "outputTokens": output}
    for name, column in (("cached", "cachedInputTokens"), ("thought", "reasoningTokens")):
        if name in more:
            used[column] = more.pop(name)
    told = {"timestamp": at(second), "historySequence": int(second), "model": SONNET, "agentId": "exec", "usage": used}
    if "written" in more:
        told["providerMetadata"] = {"anthropic": {"cacheCreationInputTokens": more.pop("written")}}
    return {"id": key, "role": "assistant", "parts": [], "metadata": told | more}


def ask(key: str, second: float, text: str) -> dict[str, Any]:
    told = {"timestamp": at(second), "historySequence": int(second)}
    return {"id": key, "role": "user", "parts": [{"type": "text", "text": text}], "metadata": told}


def made(key: str, hour: float, **more: Any) -> dict[str, Any]:
    minute = int(hour % 1 * 60)
    return {"id": key, "title": f"The {key}", "createdAt": f"2026-07-01T{int(hour):02}:{minute:02}:00.000Z", **more}


def extra(tool: str, model: str, given: int, output: int) -> dict[str, Any]:
    return {"toolName": tool, "model": model, "usage": {"inputTokens": given, "outputTokens": output}}


def call(source: str, second: float, given: int, output: int, **more: Any) -> dict[str, Any]:
    usage = {"inputTokens": given, "outputTokens": output}
    return {"timestamp": at(second), "source": source, "model": GPT, "usage": usage, **more}


def chat(workspace: str, name: str = "chat.jsonl") -> str:
    return f"sessions/{workspace}/{name}"


def removed(parent: str, child: str, name: str = "chat.jsonl") -> str:
    return f"sessions/{parent}/subagent-transcripts/{child}/{name}"


ORIGINAL = [
    ask("u1", 10, "Build the till"),
    turn("a1", 20, 1000, 100, cached=600, written=200, thought=40, ttftMs=500, duration=4000, thinkingLevel="high"),
]
SECOND = turn("a2", 60, 500, 50, cached=100, ttftMs=700, duration=10_000, thinkingLevel="high")
IN_FORK = turn("b1", 2 * HOUR, 300, 30, ttftMs=900, duration=3000, thinkingLevel="low")
IN_FORK_OF_FORK = turn("b2", 4 * HOUR, 200, 20, thinkingLevel="low")
TORN = '{"id": "a9", "role": "assistant", "metadata": {"usage"'

HOME = {
    "config.json": json.dumps(
        {
            "projects": [
                [
                    "/home/ann/till",
                    {
                        "workspaces": [
                            made("first", 9),
                            made("fork", 11.5),
                            made("forkfork", 13.5),
                            made("child", 10.5, parentWorkspaceId="first", agentType="explore", title="look around"),
                        ]
                    },
                ],
                ["/home/ann/other", {"workspaces": [made("many", 9, projects=[{"projectPath": "/home/ann/web"}])]}],
                "no pair",
            ]
        }
    ),
    # The first two rows were rotated into the archive; a crash left one of them in the chat, too.
    chat("first", "chat-archive.jsonl"): lines(*ORIGINAL, TORN),
    chat("first"): lines(
        ORIGINAL[1],
        SECOND,
        # A summary of the conversation is billed; while its row is written anew, its first telling is a placeholder.
        turn("c1", 90, 400, 80, agentId="compact", compactionBoundary=True, compacted="user"),
        {"id": "p1", "role": "assistant", "parts": [], "metadata": {"timestamp": at(99), "historySequence": 99}},
        # A turn that failed, but whose tool had used a model.
        {
            "id": "e1",
            "role": "assistant",
            "parts": [],
            "metadata": {
                "timestamp": at(120),
                "agentId": "exec",
                "error": "overloaded",
                "toolModelUsages": [extra("advisor", GPT, 70, 7)],
            },
        },
        # After the history was cleared it begins at 0 again.
        turn("z1", 0.5, 90, 9, historySequence=0),
        {"role": "assistant", "parts": [], "metadata": "none"},
    ),
    chat("first", "partial.json"): json.dumps(turn("p1", 99, 9999, 999)),
    chat("first", "headless-usage.jsonl"): lines(
        call("workspace_status", 30, 40, 4), "[1, 2]", call("memory_sweep", 31, 0, 0, usage=None)
    ),
    chat("first", "session-usage.json"): json.dumps(
        {
            "byModel": {SONNET: {"input": {"tokens": 777_777}}},
            "rolledUpFrom": {
                "gone": {"totalTokens": 880, "totalCostUsd": 0.5, "agentType": "explore", "rolledUpAtMs": at(200)},
                "deep": {"totalTokens": 120, "agentType": "plan", "rolledUpAtMs": at(201)},
                "old": True,
            },
        }
    ),
    chat("first", "subagent-reports.json"): json.dumps(
        {"artifactsByChildTaskId": {"gone": {"reportTokenEstimate": 44}, "deep": {}}}
    ),
    # Forks hold what they copied, byte for byte.
    chat("fork"): lines(*ORIGINAL, SECOND, IN_FORK),
    chat("forkfork"): lines(*ORIGINAL, SECOND, IN_FORK, IN_FORK_OF_FORK),
    # A sub-agent that lives, with an older copy of it among the removed ones.
    chat("child"): lines(
        ask("u2", 2000, "look"),
        turn("d1", 2001, 60, 6, agentId="explore"),
        turn("d2", 2002, 50, 5, agentId="explore"),
    ),
    removed("first", "child"): lines(turn("d1", 2001, 60, 6, agentId="explore")),
    # A removed one, and one that it had started; what they say of themselves is there for the second only.
    removed("first", "gone"): lines(ask("u3", 100, "count"), turn("g1", 101, 800, 80, agentId="explore")),
    removed("first", "gone", "headless-usage.jsonl"): lines(call("aborted_stream", 102, 30, 3)),
    removed("first", "deep"): lines(turn("h1", 103, 110, 10, agentId="plan", model=GROK)),
    removed("first", "deep", "metadata.json"): json.dumps({"parentWorkspaceId": "gone", "agentType": "plan"}),
    # Two projects in one workspace; a fork of something that is nowhere any more; a workspace of no project at all.
    chat("many"): lines(
        turn("m1", 300, 20, 2, providerMetadata={"mux": {"costsIncluded": True}}),
        turn("m2", 301, 10, 4, model=GROK, thought=9, providerMetadata={"xai": {"costInUsdTicks": 5_000_000_000}}),
    ),
    chat("lonely"): lines(turn("m1", 305, 7, 1)),
}


def told(rows: list[UsedTokens]) -> dict[str | None, tuple[int | None, ...]]:
    """Name -> bills, responses, input, cache read, cache write, output, reasoning."""
    return {
        row.name: (
            row.bills,
            row.responses,
            row.input_tokens,
            row.cache_read_tokens,
            row.cache_write_tokens,
            row.output_tokens,
            row.reasoning_tokens,
        )
        for row in rows
    }


@every_way
def test_every_row_counts_once_where_it_belongs(way: str, tmp_path: Path) -> None:
    store = arrived(way, "mux", HOME, tmp_path)
    assert tokens(store) == (13, 2787, 420, 700, 200, 49)
    sessions = "session_id, project, user_messages, assistant_messages, input_tokens, output_tokens"
    found = asked(store, f"SELECT {sessions} FROM sessions ORDER BY session_id")
    # What was read before the list of workspaces leaves an empty session where it turns out to be a sub-agent.
    assert way != "at once" or all(row[3] for row in found)
    assert [row for row in found if row[3]] == [
        # 200 + 400 + 400 + 90, the tool 70, the call 40; sub-agents 110, 800, the call 30, 110.
        ("first", "/home/ann/till", 1, 8, 2250, 354),
        ("fork", "/home/ann/till", 0, 1, 300, 30),
        ("forkfork", "/home/ann/till", 0, 1, 200, 20),
        ("lonely", None, 0, 1, 7, 1),
        # The old row of xAI tells its output without the reasoning: 4 + 9.
        ("many", "/home/ann/web", 0, 2, 30, 15),
    ]
    agents = "SELECT subagent_id, sum(output_tokens) FROM responses WHERE is_sidechain GROUP BY 1 ORDER BY 1"
    assert asked(store, agents) == [("child", 11), ("deep", 10), ("gone", 83)]


def test_what_nobody_can_use_is_told(tmp_path: Path) -> None:
    store = arrived("at once", "mux", HOME, tmp_path)
    assert asked(store, "SELECT parse_filename(path), count(*) FROM rejects GROUP BY 1 ORDER BY 1") == [
        ("chat-archive.jsonl", 1),
        ("headless-usage.jsonl", 1),
    ]
    assert asked(store, "SELECT kind, text FROM events ORDER BY kind") == [
        ("api_error", "overloaded"),
        ("compact", None),
    ]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Breakdown:
    with held_at_once("mux", HOME, tmp_path_factory.mktemp("home")) as store, store.read() as connection:
        return breakdown(connection, Filter())


def test_the_dashboard_by_agent_thinking_tool_and_call(found: Breakdown) -> None:
    assert told([found.totals]) == {None: (16, 13, 2787, 700, 200, 420, 49)}
    assert told(found.groups["mode"]) == {
        "exec": (9, 8, 1297, 700, 200, 232, 49),
        "explore": (3, 3, 910, 0, 0, 91, 0),
        "compact": (1, 1, 400, 0, 0, 80, 0),
        "plan": (1, 1, 110, 0, 0, 10, 0),
        None: (2, 0, 70, 0, 0, 7, 0),
    }
    assert told(found.groups["effort"])["high"] == (2, 2, 600, 700, 200, 150, 40)
    assert told(found.groups["effort"])["low"] == (2, 2, 500, 0, 0, 50, 0)
    assert told(found.groups["tool"]) == {"advisor": (1, 0, 70, 0, 0, 7, 0)}
    assert told(found.groups["headless"]) == {
        "workspace_status": (1, 0, 40, 0, 0, 4, 0),
        "aborted_stream": (1, 0, 30, 0, 0, 3, 0),
    }
    assert {row.name: row.bills for row in found.groups["project"]} == {
        "/home/ann/till": 13,
        "/home/ann/web": 2,
        None: 1,
    }


def test_the_dashboard_by_model_and_provider(found: Breakdown) -> None:
    assert {row.name: row.responses for row in found.groups["model"]} == {
        "claude-sonnet-4-5": 11,
        "grok-4": 2,
        "gpt-5": 0,
    }
    hits = {row.name: row.cache_hit_ratio for row in found.groups["provider"]}
    # 700 of 1000 + 500 + 400 + 90 + 300 + 200 + 60 + 50 + 800 + 20 + 7 that went in.
    assert hits == {"anthropic": pytest.approx(700 / 3427), "openai": 0, "xai": 0}
    assert found.totals.billed_elsewhere_tokens == 22


def test_the_dashboard_of_times_and_delegation(found: Breakdown) -> None:
    assert (found.ttft_ms.count, found.ttft_ms.p50) == (3, 700)
    assert (found.duration_ms.count, found.duration_ms.p50, found.duration_ms.p90) == (3, 4000, pytest.approx(8800))
    # 60 tokens in 4 seconds, 50 in 10, 30 in 3; thinking is left out.
    assert (found.output_tokens_per_second.count, found.output_tokens_per_second.p50) == (3, 10)
    gone = found.delegation
    assert (gone.children, gone.tokens_consumed, gone.cost_usd, gone.report_tokens) == (2, 1000, 0.5, 44)
    assert gone.compression_ratio == 20
