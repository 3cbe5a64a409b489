"""Prices: the rows that are made from the price list, and what SQL makes of a response with them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from agnes_stats.ingest import prices
from agnes_stats.ingest.prices import PriceOverrides, UserPrice, fingerprint, rates_for
from genai_prices import Usage, calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ingest.rates import LIST, TODAY, TOKENS, cost, rate_of

# Flat prices, long-context tiers (one given up in March 2026, one with its own threshold), fast variants.
CLAUDES = [
    "claude-haiku-4-5-20251001",
    "claude-opus-4-1-20250805",
    "claude-sonnet-4-5-20250929",
    "claude-sonnet-4-6",
    "claude-opus-4-6",
    "claude-haiku-5-5",
    "claude-opus-4-8",
    "claude-sonnet-5",
    "claude-fable-5-2",
]

# ---- vectors computed by hand


def test_a_long_prompt_moves_the_whole_request_to_the_long_context_price() -> None:
    assert cost("claude-sonnet-4-5", input=250_000, output=1_000) == pytest.approx(1.5 + 0.0225)
    assert cost("claude-sonnet-4-5", input=200_000, output=1_000) == pytest.approx(0.6 + 0.015)
    assert cost("claude-sonnet-4-5", input=1, cache_read=200_000) == pytest.approx((6 + 200_000 * 0.6) / 1e6)


def test_cache_reads_and_writes_count_towards_the_long_context_limit_and_output_does_not() -> None:
    long = cost("claude-sonnet-4-5", input=1, cache_read=100_000, cache_write_5m=60_000, cache_write_1h=40_000)
    assert long == pytest.approx((6 + 100_000 * 0.6 + 60_000 * 7.5 + 40_000 * 12) / 1e6)
    assert cost("claude-sonnet-4-5", input=200_000, output=50_000) == pytest.approx(0.6 + 0.75)


def test_opus_and_sonnet_4_6_lost_their_long_context_price_on_2026_03_13() -> None:
    before, since = date(2026, 3, 12), date(2026, 3, 13)
    assert cost("claude-opus-4-6", before, input=300_000, output=1_000) == pytest.approx(3.0 + 0.0375)
    assert cost("claude-opus-4-6", since, input=300_000, output=1_000) == pytest.approx(1.5 + 0.025)
    assert cost("claude-sonnet-4-6", before, input=250_000, output=1_000) == pytest.approx(1.5 + 0.0225)
    assert cost("claude-sonnet-4-6", since, input=250_000, output=1_000) == pytest.approx(0.75 + 0.015)


def test_haiku() -> None:
    usage = {"input": 10_000, "output": 2_000, "cache_read": 90_000, "cache_write_5m": 8_000}
    assert cost("claude-haiku-4-5-20251001", **usage) == pytest.approx(0.01 + 0.01 + 0.009 + 0.01)


def test_one_hour_cache_writes_cost_twice_the_input_and_five_minute_ones_five_quarters() -> None:
    assert cost("claude-opus-4-6", cache_write_5m=100_000) == pytest.approx(0.625)
    assert cost("claude-opus-4-6", cache_write_1h=100_000) == pytest.approx(1.0)


def test_web_searches_cost_ten_dollars_per_thousand() -> None:
    assert cost("claude-opus-4-6", searches=3) == pytest.approx(0.03)
    assert cost("claude-opus-4-6", searches=3, tier="batch") == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("model", "factor"),
    [("claude-opus-4-6", 6), ("claude-opus-4-7", 6), ("claude-opus-4-8", 2), ("claude-opus-5", 2)],
)
def test_fast_mode_has_its_own_price(model: str, factor: int) -> None:
    usage = {"input": 1_000, "output": 500, "cache_read": 30_000, "cache_write_1h": 2_000}
    assert cost(model, speed="fast", **usage) == pytest.approx(factor * cost(model, **usage))


def test_a_model_without_a_fast_price_has_no_fast_rate() -> None:
    assert {rate.speed for rate in rates_for(["claude-haiku-4-5"], LIST)} == {"standard"}


@pytest.mark.parametrize(
    "model", ["azure/claude-opus-4-8", "us.anthropic.claude-opus-4-8", "vertex_ai/claude-opus-4-8"]
)
def test_what_anthropic_charges_for_speed_and_batches_is_not_laid_on_other_providers(model: str) -> None:
    assert {(rate.speed, rate.tier) for rate in rates_for([model], LIST)} == {("standard", "standard")}


@pytest.mark.parametrize("day", [date(2026, 2, 1), date(2026, 6, 1), date(2026, 11, 1)])
def test_batches_cost_half_on_every_day(day: date) -> None:
    usage = {"input": 250_000, "output": 500, "cache_read": 30_000, "cache_write_1h": 2_000}
    assert cost("claude-opus-4-6", day, tier="batch", **usage) == pytest.approx(
        cost("claude-opus-4-6", day, **usage) / 2
    )


def test_a_price_that_did_not_change_is_one_row() -> None:
    rates = rates_for(["claude-sonnet-5"], LIST)
    assert [(r.speed, r.tier, r.valid_from, r.valid_to, r.above) for r in rates] == [
        ("standard", "standard", None, None, 0),
        ("standard", "batch", None, None, 0),
    ]


def test_a_model_is_answered_once_and_the_rest_is_unaffected_by_an_unknown_one() -> None:
    once = rates_for(["claude-sonnet-5"], LIST)
    assert rates_for(["claude-sonnet-5", "who-knows", "claude-sonnet-5"], LIST) == once


@pytest.mark.parametrize("model", ["deepseek-chat", "perplexity/sonar-pro", "openai/text-embedding-3-small"])
def test_prices_that_do_not_fit_are_left_out(model: str) -> None:
    """By the hour; per request; without an output price."""
    assert rates_for([model], LIST) == []


def test_a_batch_price_that_only_the_list_knows_begins_when_the_list_says() -> None:
    batches = [rate for rate in rates_for(["gpt-5"], LIST) if rate.tier == "batch"]
    assert [(rate.valid_from, rate.valid_to, rate.input) for rate in batches] == [(date(2026, 10, 14), None, 0.625)]
    assert cost("gpt-5", input=1_000_000) == pytest.approx(1.25)


# ---- where the list is silent


def test_a_claude_without_a_listed_one_hour_price_pays_twice_the_input_price() -> None:
    rate = rate_of(rates_for(["us.anthropic.claude-sonnet-4-20250514-v1:0"], LIST), TODAY, 0)
    assert (rate.input, rate.cache_write_5m, rate.cache_write_1h) == (3.0, 3.75, 6.0)


def test_another_model_without_listed_cache_prices_pays_the_input_price() -> None:
    rate = rate_of(rates_for(["gpt-5"], LIST), TODAY, 0)
    assert (rate.cache_read, rate.cache_write_5m, rate.cache_write_1h) == (0.125, 1.25, 1.25)
    rate = rate_of(rates_for(["gpt-4"], LIST), TODAY, 0)
    assert rate.cache_read == rate.cache_write_5m == rate.cache_write_1h == rate.input == 30.0


# ---- overrides


def test_an_alias_has_the_price_of_its_model_under_its_own_name() -> None:
    overrides = PriceOverrides(aliases={"my-gateway-opus": "claude-opus-4-6"})
    expected = [replace(rate, model="my-gateway-opus") for rate in rates_for(["claude-opus-4-6"], LIST)]
    assert rates_for(["my-gateway-opus"], overrides) == expected != []


def test_aliases_are_followed_and_a_circle_ends() -> None:
    chain = PriceOverrides(aliases={"a": "b", "b": "claude-sonnet-4-5[1m]"})
    assert rate_of(rates_for(["a"], chain), TODAY, 0).context_window == 1_000_000
    assert rates_for(["a"], PriceOverrides(aliases={"a": "b", "b": "a", "c": "c"})) == []
    assert rates_for(["claude-sonnet-5"], PriceOverrides(aliases={"claude-sonnet-5": "claude-sonnet-5"})) != []


def test_a_price_from_the_configuration_holds_always_and_beats_the_list() -> None:
    own = UserPrice(
        input=1, output=2, cache_read=0.5, cache_write_5m=3, cache_write_1h=4, web_search=5, context_window=9
    )
    overrides = PriceOverrides(
        prices={"claude-opus-4-6": own},
        aliases={"claude-opus-4-6": "claude-sonnet-5", "x": "claude-opus-4-6"},
    )
    for model in ("claude-opus-4-6", "x"):
        rates = rates_for([model], overrides)
        for speed, tier in [
            ("standard", "standard"),
            ("fast", "standard"),
            ("standard", "batch"),
            ("fast", "batch"),
        ]:
            rate = rate_of(rates, date(2020, 1, 1), 900_000, speed, tier)
            assert [getattr(rate, kind) for kind in TOKENS] == [1, 2, 0.5, 3, 4]
            assert (rate.web_search, rate.context_window) == (5, 9)


def test_cache_prices_left_out_of_the_configuration() -> None:
    rate = rates_for(["x"], PriceOverrides(prices={"x": UserPrice(input=1, output=2)}))[0]
    assert [getattr(rate, kind) for kind in TOKENS] == [1, 2, 1, 1, 1]
    rate = rates_for(["x"], PriceOverrides(prices={"x": UserPrice(input=1, output=2, cache_write_5m=3, cache_read=0)}))[
        0
    ]
    assert [getattr(rate, kind) for kind in TOKENS] == [1, 2, 0, 3, 3]


# ---- fingerprint


def test_the_fingerprint_follows_the_price_list_and_the_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = PriceOverrides(aliases={"a": "x", "b": "y"}, prices={"p": UserPrice(1, 2), "q": UserPrice(3, 4)})
    same = PriceOverrides(aliases={"b": "y", "a": "x"}, prices={"q": UserPrice(3, 4), "p": UserPrice(1, 2)})
    assert fingerprint(one) == fingerprint(same)
    told = {
        fingerprint(LIST),
        fingerprint(one),
        fingerprint(replace(one, aliases={"a": "x"})),
        fingerprint(replace(one, prices={"p": UserPrice(1, 2), "q": UserPrice(3, 4, cache_read=0)})),
    }
    monkeypatch.setattr(prices, "version", lambda name: f"{name} 99")
    told.add(fingerprint(one))
    monkeypatch.setattr(prices, "RULES", prices.RULES + 1)
    told.add(fingerprint(one))
    assert len(told) == 6


def test_the_price_list_is_loaded_only_for_a_model_that_needs_it() -> None:
    code = (
        "import sys; from agnes_stats.ingest.prices import *;"
        "none = PriceOverrides(prices={'x': UserPrice(1, 2)});"
        "fingerprint(none); rates_for([], none); rates_for(['x'], none);"
        "sys.exit(any(name.startswith(('genai_prices', 'pydantic')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- against the library's own arithmetic

days = st.dates(date(2026, 1, 1), date(2027, 3, 1)) | st.sampled_from(
    [date(2026, 3, 12), date(2026, 3, 13), date(2026, 10, 13), date(2026, 10, 14)]
)
sizes = st.integers(0, 400_000) | st.sampled_from([0, 1, 100_000, 100_001, 199_999, 200_000, 200_001])


def library_cost(model: str, day: date, searches: int, context: dict[str, str], tokens: dict[str, int]) -> Decimal:
    writes = tokens["cache_write_5m"] + tokens["cache_write_1h"]
    usage = Usage(
        input_tokens=tokens["input"] + tokens["cache_read"] + writes,
        output_tokens=tokens["output"],
        cache_read_tokens=tokens["cache_read"],
        cache_write_tokens=writes,
        cache_write_1h_tokens=tokens["cache_write_1h"],
        web_searches=searches,
    )
    at = datetime.combine(day, time(), UTC) + timedelta(hours=13)
    return calc_price(usage, model, genai_request_timestamp=at, price_context=context).total_price


@settings(max_examples=examples(60, 300), deadline=None)
@given(
    model=st.sampled_from(CLAUDES),
    day=days,
    searches=st.integers(0, 20),
    tokens=st.fixed_dictionaries(dict.fromkeys(TOKENS, sizes)),
)
def test_multiplying_gives_what_the_library_gives(model: str, day: date, searches: int, tokens: dict[str, int]) -> None:
    ours = cost(model, day, searches=searches, **tokens)
    assert ours == pytest.approx(float(library_cost(model, day, searches, {}, tokens)), abs=1e-9, rel=1e-12)


@settings(max_examples=examples(30, 150), deadline=None)
@given(
    model=st.sampled_from([model for model in CLAUDES if model != "claude-opus-4-1-20250805"]),
    day=st.dates(date(2026, 10, 14), date(2027, 3, 1)),
    tokens=st.fixed_dictionaries(dict.fromkeys(TOKENS, sizes)),
)
def test_batches_cost_what_the_library_says_from_the_day_it_says_it(
    model: str, day: date, tokens: dict[str, int]
) -> None:
    ours = cost(model, day, tier="batch", **tokens)
    listed = library_cost(model, day, 0, {"processing": "batch"}, tokens)
    assert ours == pytest.approx(float(listed), abs=1e-9, rel=1e-12)


@settings(max_examples=examples(20, 100), deadline=None)
@given(
    model=st.sampled_from(["claude-opus-4-8", "claude-opus-5", "claude-fable-5-2"]),
    day=days,
    tokens=st.fixed_dictionaries(dict.fromkeys(TOKENS, sizes)),
)
def test_fast_mode_costs_what_the_library_says(model: str, day: date, tokens: dict[str, int]) -> None:
    ours = cost(model, day, speed="fast", **tokens)
    assert ours == pytest.approx(float(library_cost(model, day, 0, {"speed": "fast"}, tokens)), abs=1e-9, rel=1e-12)


def test_every_claude_of_the_list_has_one_rate_for_any_day_and_prompt() -> None:
    from genai_prices.data_snapshot import get_snapshot

    (anthropic,) = [provider for provider in get_snapshot().providers if provider.id == "anthropic"]
    names = [model.id for model in anthropic.models]
    assert len(names) > 20
    for name in names:
        rates = rates_for([name], LIST)
        edges = {0, *(rate.above for rate in rates)}
        for day in (date(2024, 1, 1), date(2026, 3, 13), date(2026, 10, 14), TODAY):
            for prompt in {size for edge in edges for size in (edge, edge + 1)}:
                assert rate_of(rates, day, prompt).model == name
