"""Tokens, cost and times by what agents tell of a response, over a Mux home made by hand; all figures are, too."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from agnes_stats.queries.breakdown import Breakdown, UsedTokens, breakdown
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui.commands.breakdown import breakdown_answer, show
from agnes_stats.tui.commands.page import Page

from tests.formats.arriving import held_at_once, lines

START = 1782900000000  # 2026-07-01T10:00:00Z, in milliseconds
DAY = dt.date(2026, 7, 1)
OPUS, GPT = "anthropic:claude-opus-4-6", "openai:gpt-5"


def turn(number: int, model: str, used: tuple[int, int, int, int], **more: Any) -> dict[str, Any]:
    """A turn; `used`: input with what was cached, of it cached, output with reasoning, of it reasoning."""
    given, cached, output, thought = used
    usage = {
        "inputTokens": given,
        "cachedInputTokens": cached,
        "outputTokens": output,
        "reasoningTokens": thought,
    }
    told = {"timestamp": START + number * 60_000, "historySequence": number, "model": model, "usage": usage}
    return {"id": f"r{number}", "role": "assistant", "metadata": told | more, "parts": []}


ADVICE = {"toolName": "advisor", "model": GPT, "usage": {"inputTokens": 80, "outputTokens": 20}}
HOME = {
    "config.json": json.dumps(
        {"projects": [["/home/ann/shop", {"workspaces": [{"id": "aaaa", "createdAt": "2026-07-01T09:00:00.000Z"}]}]]}
    ),
    "sessions/aaaa/chat.jsonl": lines(
        turn(
            1, OPUS, (1000, 600, 100, 20), agentId="exec", thinkingLevel="high", ttftMs=400, duration=2000,
            toolModelUsages=[ADVICE],
        ),
        turn(2, OPUS, (500, 100, 50, 0), agentId="exec", thinkingLevel="low", ttftMs=600, duration=5000),
        turn(3, GPT, (300, 0, 60, 60), agentId="plan", ttftMs=1000, duration=10_000),
    ),
    "sessions/aaaa/headless-usage.jsonl": lines(
        {"timestamp": START, "source": "title", "model": GPT, "usage": {"inputTokens": 40, "outputTokens": 10}}
    ),
    "sessions/aaaa/session-usage.json": json.dumps(
        {
            "rolledUpFrom": {
                "bbbb": {"totalTokens": 3000, "totalCostUsd": 0.25, "agentType": "explore", "rolledUpAtMs": START},
                "cccc": {"totalTokens": 500, "agentType": "plan", "rolledUpAtMs": START},
            }
        }
    ),
    "sessions/aaaa/subagent-reports.json": json.dumps(
        {"artifactsByChildTaskId": {"bbbb": {"reportTokenEstimate": 120}}}
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held_at_once("mux", HOME, tmp_path_factory.mktemp("breakdown")) as store:
        yield store


def asked(store: Store, chosen: Filter) -> Breakdown:
    with store.read() as connection:
        return breakdown(connection, chosen)


def told(rows: list[UsedTokens]) -> dict[str | None, tuple[int | None, ...]]:
    """Name -> bills, responses, input, cache read, output, reasoning."""
    return {
        row.name: (
            row.bills,
            row.responses,
            row.input_tokens,
            row.cache_read_tokens,
            row.output_tokens,
            row.reasoning_tokens,
        )
        for row in rows
    }


def test_tokens_by_what_a_response_tells(store: Store) -> None:
    found = asked(store, Filter())
    assert told([found.totals]) == {None: (5, 3, 1220, 700, 240, 80)}
    assert told(found.groups["mode"]) == {
        "exec": (3, 2, 880, 700, 170, 20),
        "plan": (1, 1, 300, 0, 60, 60),
        None: (1, 0, 40, 0, 10, 0),
    }
    assert told(found.groups["effort"]) == {
        "high": (1, 1, 400, 600, 100, 20),
        "low": (1, 1, 400, 100, 50, 0),
        None: (1, 1, 300, 0, 60, 60),
    }
    assert told(found.groups["tool"]) == {"advisor": (1, 0, 80, 0, 20, 0)}
    assert told(found.groups["headless"]) == {"title": (1, 0, 40, 0, 10, 0)}
    assert [row.name for row in found.groups["mode"]] == ["exec", "plan", None]


def test_cost_and_cache_by_provider(store: Store) -> None:
    anthropic, openai = asked(store, Filter()).groups["provider"]
    # Opus 4.6: 5, 0.50 and 25 USD a million; GPT-5: 1.25 and 10.
    assert anthropic.cost_usd == pytest.approx((800 * 5 + 700 * 0.5 + 150 * 25) / 1e6)
    assert openai.cost_usd == pytest.approx((420 * 1.25 + 90 * 10) / 1e6)
    assert (anthropic.name, anthropic.cache_hit_ratio) == ("anthropic", pytest.approx(700 / 1500))
    assert (openai.name, openai.cache_hit_ratio) == ("openai", 0)


def test_times_are_those_of_turns(store: Store) -> None:
    found = asked(store, Filter())
    first = found.ttft_ms
    assert (first.count, first.p50, first.p90, first.p99) == (3, 600, pytest.approx(920), pytest.approx(992))
    whole = found.duration_ms
    assert (whole.count, whole.p50, whole.p90, whole.p99) == (3, 5000, pytest.approx(9000), pytest.approx(9900))
    # 80 tokens in 2 seconds, 50 in 5; the third turn did nothing but think, and was as fast as 0.
    rate = found.output_tokens_per_second
    assert (rate.count, rate.p50, rate.p90, rate.p99) == (3, 10, pytest.approx(34), pytest.approx(39.4))


def test_what_sub_agents_took_for_what_they_reported(store: Store) -> None:
    found = asked(store, Filter())
    whole = found.delegation
    assert (whole.children, whole.tokens_consumed, whole.cost_usd, whole.report_tokens) == (2, 3500, 0.25, 120)
    assert asked(store, Filter(since=dt.date(2001, 1, 1), until=dt.date(2001, 1, 1))).delegation.report_tokens == 0
    # Only one of them is known to have reported.
    assert whole.compression_ratio == 25
    assert [(row.subagent_type, row.children, row.report_tokens, row.compression_ratio) for row in found.children] == [
        ("explore", 1, 120, 25),
        ("plan", 1, None, None),
    ]


@pytest.mark.parametrize(
    ("chosen", "bills", "children"),
    [
        (Filter(since=DAY, until=DAY), 5, 2),
        (Filter(since=DAY + dt.timedelta(days=1)), 0, 0),
        (Filter(project="shop"), 5, 2),
        (Filter(project="elsewhere"), 0, 0),
        (Filter(model="gpt-5"), 3, 0),
        (Filter(session_id="aaaa"), 5, 2),
        (Filter(subagent_type="explore"), 0, 1),
        (Filter(agent="mux"), 5, 2),
        (Filter(agent="codex"), 0, 0),
        (Filter(machine="laptop"), 0, 0),
        (Filter(text="shop"), 5, 2),
    ],
)
def test_a_filter_holds_for_all_of_it(chosen: Filter, bills: int, children: int, store: Store) -> None:
    found = asked(store, chosen)
    assert (found.totals.bills, found.delegation.children) == (bills, children)
    assert sum(row.bills for row in found.groups["mode"]) == bills


@pytest.mark.parametrize("cost", [True, False])
def test_the_page_names_what_is_there(cost: bool, store: Store) -> None:
    with store.read() as connection:
        answer = breakdown_answer(connection, Filter())
    text = "\n".join(show(answer, Page(100, ZoneInfo("UTC"), dt.datetime(2026, 7, 2), cost)))
    for word in (
        "5 bills, 3 of them responses",
        "exec",
        "plan",
        "high",
        "advisor",
        "title",
        "anthropic",
        "First token",
        "0.6",
        "25.0 to 1",
    ):
        assert word in text
    assert ("$" in text) == cost


def test_scripts_find_types_of_sub_agents_under_both_names(store: Store) -> None:
    with store.read() as connection:
        told = breakdown_answer(connection, Filter())["delegation"]
    rows = told["by_subagent_type"]
    assert [(row["subagent_type"], row["agent_type"]) for row in rows] == [("explore", "explore"), ("plan", "plan")]
    assert told["by_agent_type"] == rows


def test_without_responses_there_is_nothing(store: Store) -> None:
    with store.read() as connection:
        answer = breakdown_answer(connection, Filter(project="elsewhere"))
    assert show(answer, Page(80, ZoneInfo("UTC"), dt.datetime(2026, 7, 2), True, True)) == [
        "No tokens match these filters."
    ]
    assert answer["ttft_ms"] == {"count": 0, "p50": None, "p90": None, "p99": None}
    assert answer["totals"]["total_tokens"] == 0
