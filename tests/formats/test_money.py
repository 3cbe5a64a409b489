"""What the responses of other agents cost, worked out by hand from the price lists of who sells the models.

USD for a million tokens: GPT-5.1 Codex 1.25 in, 0.125 from the cache, 10 out; Gemini 2.5 Pro 1.25, 0.125 and 10, for
prompts above 200,000 tokens 2.50, 0.25 and 15; Opus 4.6 5, 0.50 and 25, and 6.25 for a cache write; Haiku 4.5 1 and 5;
GPT-OSS 120B 0.35 and 0.75 at Cerebras, 0.039 and 0.18 where its maker's name is all that is known.
"""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from agnes_stats.queries import sync, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui.commands import tokens as command
from agnes_stats.tui.commands.ccusage import sum_fields
from agnes_stats.tui.commands.page import Page

from tests.formats.arriving import arrived, asked, lines

DAY = "2026-07-01"
START = 1782900000000  # 2026-07-01T10:00:00Z, in milliseconds
CHAT = "sessions/aaaa/chat.jsonl"


def codex(folder: Path, model: str, total: Mapping[str, int]) -> Store:
    """A rollout of one response."""
    thread = "0198c000-0000-7000-8000-000000000001"
    rows = [
        ("session_meta", {"id": thread, "timestamp": f"{DAY}T10:00:00.000Z", "model_provider": "openai"}),
        ("turn_context", {"turn_id": None, "model": model}),
        ("event_msg", {"type": "token_count", "info": {"total_token_usage": total, "last_token_usage": total}}),
    ]
    told = [
        {"timestamp": f"{DAY}T10:00:{5 * n:02}.000Z", "type": kind, "payload": payload}
        for n, (kind, payload) in enumerate(rows)
    ]
    path = f"sessions/2026/07/01/rollout-{DAY}T10-00-00-{thread}.jsonl"
    return arrived("at once", "codex", {path: lines(*told)}, folder)


def gemini(folder: Path, told: Mapping[str, int]) -> Store:
    """A chat of one answer."""
    head = {"sessionId": "aaaa-1", "projectHash": "x", "startTime": f"{DAY}T10:00:00.000Z"}
    answer = {
        "id": "m1",
        "timestamp": f"{DAY}T10:00:01.000Z",
        "type": "gemini",
        "content": "ok",
        "model": "gemini-2.5-pro",
        "tokens": told,
    }
    files = {"tmp/shop/chats/session-2026-07-01T10-00-aaaa.jsonl": lines(head, answer)}
    return arrived("at once", "gemini", files, folder)


def opencode(folder: Path, **data: Any) -> Store:
    """A session of one answer, in the files of older versions."""
    session = {"id": "ses_1", "directory": "/home/ann/shop", "title": "Shop", "time": {"created": START}}
    used = {"input": 100_000, "output": 10_000, "reasoning": 4_000, "cache": {"read": 50_000, "write": 20_000}}
    told = {
        "id": "msg_1",
        "sessionID": "ses_1",
        "role": "assistant",
        "time": {"created": START, "completed": START + 500},
        "modelID": "claude-opus-4-6",
        "providerID": "anthropic",
        "cost": 0.25,
        "tokens": used,
    }
    files = {
        "storage/session/shop/ses_1.json": json.dumps(session),
        "storage/message/ses_1/msg_1.json": json.dumps(told | data),
    }
    return arrived("at once", "opencode", files, folder)


def turn(number: int, used: Mapping[str, int], model: str, **metadata: Any) -> dict[str, Any]:
    told = {"timestamp": START + number * 1000, "historySequence": number, "model": model, "usage": used}
    return {"id": f"r{number}", "role": "assistant", "metadata": told | metadata, "parts": []}


def mux(folder: Path, *turns: dict[str, Any]) -> Store:
    config = {"projects": [["/home/ann/shop", {"workspaces": [{"id": "aaaa", "createdAt": f"{DAY}T09:00:00.000Z"}]}]]}
    return arrived("at once", "mux", {"config.json": json.dumps(config), CHAT: lines(*turns)}, folder)


def cost(store: Store) -> Any:
    [(found,)] = asked(store, "SELECT cost_usd FROM responses")
    return found


def test_codex_pays_for_input_cache_and_output_with_reasoning(tmp_path: Path) -> None:
    used = {
        "input_tokens": 1_000_000,
        "cached_input_tokens": 600_000,
        "output_tokens": 100_000,
        "reasoning_output_tokens": 40_000,
        "total_tokens": 1_100_000,
    }
    assert cost(codex(tmp_path, "gpt-5.1-codex", used)) == pytest.approx(0.5 + 0.075 + 1.0)


@pytest.mark.parametrize(
    ("given", "cached", "expected"),
    [
        (100_000, 60_000, 0.05 + 0.0075 + 0.1),
        (200_000, 0, 0.25 + 0.1),
        (200_001, 0, 200_001 * 2.5e-6 + 0.15),
        (300_000, 100_000, 0.5 + 0.025 + 0.15),
    ],
)
def test_gemini_pays_for_thoughts_as_output_and_more_for_a_long_prompt(
    given: int, cached: int, expected: float, tmp_path: Path
) -> None:
    told = {"input": given, "cached": cached, "output": 4_000, "thoughts": 6_000, "tool": 0, "total": given + 10_000}
    assert cost(gemini(tmp_path, told)) == pytest.approx(expected)


def test_opencode_has_our_price_and_its_own_beside_it(tmp_path: Path) -> None:
    store = opencode(tmp_path)
    assert asked(store, "SELECT cost_usd, logged_cost_usd FROM responses") == [
        (pytest.approx(0.5 + 0.25 + 0.025 + 0.125), 0.25)
    ]


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("cerebras", "gpt-oss-120b", (170_000 * 0.35 + 10_000 * 0.75) / 1e6),
        ("somebody", "gpt-oss-120b", (170_000 * 0.039 + 10_000 * 0.18) / 1e6),
        ("somebody", "claude-opus-4.6", 0.9),
        ("openai", "claude-opus-4.6", 0.9),
        ("somebody", "somewhat-9", None),
    ],
)
def test_who_sells_a_model_decides_what_it_costs(
    provider: str, model: str, expected: float | None, tmp_path: Path
) -> None:
    found = cost(opencode(tmp_path, providerID=provider, modelID=model))
    assert found == (None if expected is None else pytest.approx(expected))


USED = {"inputTokens": 100_000, "cachedInputTokens": 60_000, "outputTokens": 5_000, "reasoningTokens": 2_000}
WRITTEN = {"anthropic": {"cacheCreationInputTokens": 10_000}}


def test_a_turn_of_mux_costs_what_its_parts_do(tmp_path: Path) -> None:
    store = mux(tmp_path, turn(1, USED, "anthropic:claude-opus-4-6", providerMetadata=WRITTEN))
    assert cost(store) == pytest.approx(0.15 + 0.03 + 0.0625 + 0.125)


def test_a_made_up_name_has_the_price_of_the_model_it_stands_for(tmp_path: Path) -> None:
    plain = {"inputTokens": 1_000_000, "outputTokens": 100_000}
    store = mux(tmp_path, turn(1, plain, "mycustom:my-alias", metadataModel="anthropic:claude-haiku-4-5"))
    assert asked(store, "SELECT model, cost_usd FROM responses") == [("my-alias", pytest.approx(1.0 + 0.5))]
    with store.read() as connection:
        assert sync.store_facts(connection).unpriced_models == []


@pytest.fixture
def subscribed(tmp_path: Path) -> Store:
    """A turn that a subscription pays for, one without a known price, and one that costs 0.50."""
    plain = {"inputTokens": 100_000, "outputTokens": 10_000}
    included = {"providerMetadata": {"mux": {"costsIncluded": True}}}
    return mux(
        tmp_path,
        turn(1, plain, "anthropic:claude-opus-4-6", **included),
        turn(2, {"inputTokens": 400, "outputTokens": 100}, "mycustom:nobody-knows"),
        turn(3, {"inputTokens": 100_000, "outputTokens": 0}, "anthropic:claude-opus-4-6"),
    )


def test_what_is_billed_elsewhere_has_no_cost_and_is_not_unpriced(subscribed: Store) -> None:
    chosen = Filter(zone="UTC")
    with subscribed.read() as connection:
        sums = tokens.totals(connection, chosen)
        assert (sums.cost_usd, sums.unpriced_tokens, sums.billed_elsewhere_tokens) == (pytest.approx(0.5), 500, 110_000)
        answer = connection.execute(f"SELECT {tokens.SUMS} FROM {tokens.detailed(chosen)}", {"zone": "UTC"})
        detailed = dict(zip(answer.columns, answer.fetchall()[0], strict=True))
        assert {name: detailed[name] for name in dataclasses.asdict(sums)} == dataclasses.asdict(sums)
        told = sum_fields([sums])
        assert (told["unpricedTokens"], told["billedElsewhereTokens"]) == (500, 110_000)
        [opus] = [row for row in tokens.by_group(connection, chosen, "model") if row.name == "claude-opus-4-6"]
        assert (opus.unpriced_tokens, opus.billed_elsewhere_tokens) == (0, 110_000)
        assert sync.store_facts(connection).unpriced_models == ["nobody-knows"]
    assert asked(subscribed, "SELECT unpriced_tokens, billed_elsewhere_tokens FROM sessions") == [(500, 110_000)]


@pytest.mark.parametrize("cost_is_told", [True, False])
def test_it_is_said_in_words_where_money_is_shown(cost_is_told: bool, subscribed: Store) -> None:
    day = dt.date(2026, 7, 1)
    with subscribed.read() as connection:
        answer = command.tokens_answer(connection, Filter(zone="UTC"), today=day, days=1)
    assert answer["totals"]["billed_elsewhere_tokens"] == answer["daily"][0]["billed_elsewhere_tokens"] == 110_000
    page = Page(120, ZoneInfo("UTC"), dt.datetime(2026, 7, 2), cost_is_told)
    said = any("billed elsewhere: 110k tokens" in line for line in command.show(answer, page))
    assert said == cost_is_told


def test_a_cost_of_0_at_opencode_is_a_subscription(tmp_path: Path) -> None:
    store = opencode(tmp_path, cost=0)
    assert asked(store, "SELECT cost_usd, logged_cost_usd, billed FROM responses") == [(None, None, "elsewhere")]
    assert asked(store, "SELECT unpriced_tokens, billed_elsewhere_tokens FROM tokens_daily") == [(0, 180_000)]


def test_one_rule_says_what_is_unpriced() -> None:
    """A cost of NULL alone does not say it, so nobody but the rule may ask for that."""
    import agnes_stats

    root = Path(agnes_stats.__file__).parent
    askers = {
        str(path.relative_to(root))
        for room in ("queries", "ingest", "tui")
        for path in (root / room).rglob("*.py")
        if "cost_usd IS NULL" in path.read_text("utf-8")
    }
    # The cache's page scales the parts of a cost: where there is none, there is nothing to scale.
    assert askers == {"queries/token_kinds.py", "queries/caching.py"}
