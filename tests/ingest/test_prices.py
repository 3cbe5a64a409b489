"""Prices: the rows that are made from the price list, and what SQL makes of a response with them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from agnes_stats.ingest import prices
from agnes_stats.ingest.prices import PriceOverrides, Rate, UserPrice, fingerprint, rates_for
from genai_prices import Usage, calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

LIST = PriceOverrides()
TODAY = date(2026, 11, 22)

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

TOKENS = {"input": 0, "output": 0, "cache_read": 0, "cache_write_5m": 0, "cache_write_1h": 0}


def rate_of(rates: Iterable[Rate], day: date, prompt: int, speed: str = "standard", tier: str = "standard") -> Rate:
    """The rule of the module's docstring."""
    matching = [
        rate
        for rate in rates
        if (rate.speed, rate.tier) == (speed, tier)
        and (rate.valid_from is None or day >= rate.valid_from)
        and (rate.valid_to is None or day < rate.valid_to)
        and (rate.above == 0 or prompt > rate.above)
    ]
    largest = max(rate.above for rate in matching)
    (rate,) = [rate for rate in matching if rate.above == largest]
    return rate


def cost(
    model: str,
    day: date = TODAY,
    *,
    searches: int = 0,
    speed: str = "standard",
    tier: str = "standard",
    geo: str = "not_available",
    overrides: PriceOverrides = LIST,
    **tokens: int,
) -> float:
    tokens = TOKENS | tokens
    prompt = sum(tokens.values()) - tokens["output"]
    rate = rate_of(rates_for([model], overrides), day, prompt, speed, tier)
    of_tokens = sum(n * getattr(rate, kind) for kind, n in tokens.items()) / 1e6
    return of_tokens * (rate.us_factor if geo == "us" else 1) + searches * (rate.web_search or 0) / 1e3


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


MILLION = dict.fromkeys(TOKENS, 1_000_000)

# Anthropic's price list: USD per million of input, output, cache reads, five-minute and one-hour writes; what fast mode
# is times that (None: there is none); whether requests may have to stay in the US.
CURRENT: dict[str, tuple[tuple[float, ...], int | None, bool]] = {
    "claude-fable-5-2": ((8, 40, 0.2, 10, 16), 2, True),
    "claude-fable-5-1": ((10, 50, 0.25, 12.5, 20), None, True),
    "claude-fable-5": ((10, 50, 1, 12.5, 20), None, True),
    "claude-mythos-5-2": ((8, 40, 0.2, 10, 16), 2, True),
    "claude-mythos-5-1": ((10, 50, 0.25, 12.5, 20), None, True),
    "claude-mythos-5": ((10, 50, 1, 12.5, 20), None, True),
    "claude-opus-5-5": ((4, 20, 0.2, 5, 8), 2, True),
    "claude-opus-5": ((5, 25, 0.5, 6.25, 10), 2, True),
    "claude-opus-4-8": ((5, 25, 0.5, 6.25, 10), 2, True),
    "claude-opus-4-7": ((5, 25, 0.5, 6.25, 10), 6, True),
    "claude-opus-4-6": ((5, 25, 0.5, 6.25, 10), 6, True),
    "claude-opus-4-5-20251101": ((5, 25, 0.5, 6.25, 10), None, False),
    "claude-opus-4-1-20250805": ((15, 75, 1.5, 18.75, 30), None, False),
    "claude-opus-4-20250514": ((15, 75, 1.5, 18.75, 30), None, False),
    "claude-sonnet-5-5": ((2, 10, 0.1, 2.5, 4), None, True),
    "claude-sonnet-5": ((2, 10, 0.2, 2.5, 4), None, True),
    "claude-sonnet-4-6": ((3, 15, 0.3, 3.75, 6), None, True),
    "claude-sonnet-4-5-20250929": ((6, 22.5, 0.6, 7.5, 12), None, False),
    "claude-sonnet-4-20250514": ((3, 15, 0.3, 3.75, 6), None, False),
    "claude-haiku-5-5": ((0.5, 2.5, 0.05, 0.625, 1), None, True),
    "claude-haiku-4-5-20251001": ((1, 5, 0.1, 1.25, 2), None, False),
    "claude-3-7-sonnet-20250219": ((3, 15, 0.3, 3.75, 6), None, False),
    "claude-3-5-haiku-20241022": ((0.8, 4, 0.08, 1, 1.6), None, False),
}


@pytest.mark.parametrize("suffix", ["", "[1m]"])
@pytest.mark.parametrize("model", CURRENT)
def test_every_current_model_costs_what_anthropic_lists(model: str, suffix: str) -> None:
    listed, fast, may_stay = CURRENT[model]
    name = model + suffix
    assert cost(name, **MILLION) == pytest.approx(sum(listed))
    for kind, price in zip(TOKENS, listed, strict=True):
        # A prompt of the same size, so that the long-context price is that of the list above.
        assert cost(name, **MILLION) - cost(name, **(MILLION | {kind: 0})) == pytest.approx(price)
    assert cost(name, tier="batch", **MILLION) == pytest.approx(sum(listed) / 2)
    rates = rates_for([name], LIST)
    assert any(rate.speed == "fast" for rate in rates) == (fast is not None)
    if fast is not None:
        assert cost(name, speed="fast", **MILLION) == pytest.approx(fast * sum(listed))
    assert {rate.us_factor for rate in rates} == {1.1 if may_stay else 1.0}


def test_haiku_5_5_has_two_prices_by_the_size_of_the_prompt() -> None:
    assert cost("claude-haiku-5-5", input=100_000, output=1_000_000) == pytest.approx(0.01 + 0.5)
    assert cost("claude-haiku-5-5", input=1, cache_read=100_000) == pytest.approx((0.5 + 100_000 * 0.05) / 1e6)


def test_staying_in_the_us_costs_a_tenth_more_of_every_token_price_and_not_of_searches() -> None:
    for speed, tier in [("standard", "standard"), ("fast", "standard"), ("standard", "batch")]:
        listed = cost("claude-opus-5-5", speed=speed, tier=tier, **MILLION)
        stayed = cost("claude-opus-5-5", speed=speed, tier=tier, geo="us", **MILLION)
        assert stayed == pytest.approx(1.1 * listed)
    assert cost("claude-opus-5-5", geo="us", searches=1_000) == pytest.approx(10)


@pytest.mark.parametrize(
    "model",
    ["us.anthropic.claude-opus-5-5", "claude-opus-5-5@20260922", "azure/claude-opus-5-5", "gpt-5", "zai:glm-4.6"],
)
def test_only_anthropic_itself_is_paid_for_staying_in_the_us(model: str) -> None:
    assert {rate.us_factor for rate in rates_for([model], LIST)} == {1.0}


@pytest.mark.parametrize(
    ("model", "before", "since"),
    [
        ("claude-sonnet-5-5", 0.2, 0.1),
        ("claude-sonnet-5-5[1m]", 0.2, 0.1),
        ("claude-sonnet-5-5@default", 0.2, 0.1),
        ("anthropic/claude-sonnet-5.5", 0.2, 0.1),
        ("us.anthropic.claude-sonnet-5-5", 0.22, 0.11),
        ("claude-sonnet-5", 0.2, 0.2),
        ("claude-opus-5-5", 0.2, 0.2),
    ],
)
def test_cache_reads_of_sonnet_5_5_became_cheaper_on_2026_10_07(model: str, before: float, since: float) -> None:
    for day, price in ((date(2026, 9, 28), before), (date(2026, 10, 6), before), (date(2026, 10, 7), since)):
        assert cost(model, day, cache_read=1_000_000) == pytest.approx(price)
        assert cost(model, day, input=1_000_000) == pytest.approx(cost(model, input=1_000_000))


def test_batches_follow_what_a_price_was() -> None:
    for day, price in ((date(2026, 10, 6), 0.1), (date(2026, 10, 7), 0.05), (date(2026, 10, 14), 0.05)):
        assert cost("claude-sonnet-5-5", day, tier="batch", cache_read=1_000_000) == pytest.approx(price)


# ---- names


@pytest.mark.parametrize(
    "model",
    [
        *("<synthetic>", "", "opus", "claude-opus-9-9", "claude-mythos-5-9", "my-gateway-opus", "gateway/x", "a:", "/"),
        "arn:aws:bedrock:eu-west-2:123456789012:application-inference-profile/46u2vhiyo6z5",
        "arn:aws:bedrock:eu-west-2:123456789012:application-inference-profile/claude-opus-5",
        *("arn:", "global.anthropic.claude-opus-9-9", "apac.anthropic.", "@", "claude-opus-9-9@default"),
    ],
)
def test_an_unknown_model_has_no_rate(model: str) -> None:
    assert rates_for([model], LIST) == []


@pytest.mark.parametrize(
    ("model", "price", "window"),
    [
        ("claude-sonnet-4-5-20250929", 3.0, 200_000),
        ("Claude-Sonnet-4-5", 3.0, 200_000),
        ("claude-sonnet-4-5[1m]", 3.0, 1_000_000),
        ("claude-sonnet-5[1m]", 2.0, 1_000_000),
        ("claude-sonnet-4-5@20250929", 3.0, 200_000),
        ("claude-fable-5@20260601", 10.0, 1_000_000),
        ("vertex_ai/claude-opus-4-6", 5.0, 1_000_000),
        ("anthropic/claude-sonnet-4.5", 3.0, 200_000),
        ("anthropic:claude-sonnet-4-5", 3.0, 200_000),
        ("gateway:anthropic/claude-sonnet-4-5", 3.0, 200_000),
        ("openrouter/anthropic/claude-opus-4.6", 5.0, 1_000_000),
        ("openrouter/anthropic/claude-opus-4.6-fast", 30.0, None),
        ("zai:glm-4.6", 0.6, None),
        ("my.proxy.example/claude-opus-4-6", 5.0, 1_000_000),
        ("arn:aws:bedrock:us-east-1:123:inference-profile/us.anthropic.claude-opus-4-6-v1:0", 5.5, 1_000_000),
        ("anthropic.claude-opus-4-6-v1:0", 5.5, 1_000_000),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3, 200_000),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.0, 200_000),
        ("bedrock/eu.anthropic.claude-haiku-4-5-20251001-v1:0", 1.1, 200_000),
        ("us.anthropic.claude-opus-4-6-v1[1m]", 5.5, 1_000_000),
        ("anthropic.claude-opus-5-5", 4.4, 1_000_000),
        ("eu.anthropic.claude-opus-5-5-v1:0", 4.4, 1_000_000),
        ("apac.anthropic.claude-opus-5-5", 4.4, 1_000_000),
        ("us-gov.anthropic.claude-opus-4-8-v1:0", 5.5, 1_000_000),
        ("ca.anthropic.claude-sonnet-5", 2.2, 1_000_000),
        ("global.anthropic.claude-opus-5-5", 4.0, 1_000_000),
        ("global.anthropic.claude-opus-4-1-20250805-v1:0", 15.0, 200_000),
        ("global.anthropic.claude-mythos-5-1", 10.0, 1_000_000),
        ("us.anthropic.claude-mythos-5-20260609-v1:0", 11.0, 1_000_000),
        ("jp.anthropic.claude-opus-5-20260724-v1:0", 5.5, 1_000_000),
        ("apac.anthropic.claude-sonnet-4-20250514-v1:0", 3.0, 200_000),
        ("anthropic.claude-3-5-haiku-20241022-v1:0", 0.8, 200_000),
        ("US.Anthropic.Claude-Opus-5-5", 4.4, 1_000_000),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5", 5.5, 1_000_000),
        ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-4-8", 5.5, 1_000_000),
        ("arn:aws:bedrock:us-east-1:123:inference-profile/global.anthropic.claude-opus-5-5[1m]", 4.0, 1_000_000),
        ("arn:aws-us-gov:bedrock:us-gov-west-1:1:inference-profile/us-gov.anthropic.claude-opus-5", 5.5, 1_000_000),
        ("bedrock/converse/us.anthropic.claude-opus-5-5", 4.4, 1_000_000),
        ("bedrock/us-east-1/anthropic.claude-opus-5-5", 4.4, 1_000_000),
        ("bedrock/arn:aws:bedrock:us-east-1:123:inference-profile/us.anthropic.claude-opus-5-5", 4.4, 1_000_000),
        ("claude-opus-5-5@20260922", 4.0, 1_000_000),
        ("claude-opus-5@default", 5.0, 1_000_000),
        ("claude-mythos-5@default", 10.0, 1_000_000),
        ("vertex_ai/claude-sonnet-5-5@default", 2.0, 1_000_000),
        ("projects/p/locations/global/publishers/anthropic/models/claude-opus-5-5@default", 4.0, 1_000_000),
        ("anthropic/claude-mythos-5.1", 10.0, 1_000_000),
        ("anthropic/claude-opus-5.5", 4.0, 1_000_000),
        ("gpt-5-codex", 1.25, 400_000),
        ("openai/gpt-5", 1.25, 400_000),
    ],
)
def test_every_spelling_of_a_name_finds_its_price(model: str, price: float, window: int | None) -> None:
    rate = rate_of(rates_for([model], LIST), TODAY, 1_000)
    assert (rate.model, rate.input, rate.context_window) == (model, pytest.approx(price), window)


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


PROFILE = "arn:aws:bedrock:eu-west-2:123456789012:application-inference-profile/46u2vhiyo6z5"


@pytest.mark.parametrize("name", [PROFILE, f"{PROFILE}[1m]", f"bedrock/{PROFILE}", PROFILE.upper()])
@pytest.mark.parametrize("target", ["eu.anthropic.claude-opus-4-8", PROFILE.replace("46u2vhiyo6z5", "other")])
def test_a_profile_of_ones_own_may_have_an_alias(name: str, target: str) -> None:
    chain = {PROFILE: target, PROFILE.replace("46u2vhiyo6z5", "other"): "eu.anthropic.claude-opus-4-8-v1:0"}
    overrides = PriceOverrides(aliases=chain)
    assert cost(name, overrides=overrides, input=1_000_000) == pytest.approx(5.5)
    own = PriceOverrides(prices={PROFILE: UserPrice(input=7, output=8)})
    assert cost(name, overrides=own, input=1_000_000) == pytest.approx(7)
    assert {rate.us_factor for rate in rates_for([name], own)} == {1.0}


def test_a_name_as_it_is_written_goes_before_one_that_is_alike() -> None:
    overrides = PriceOverrides(
        prices={"House": UserPrice(1, 1), "house": UserPrice(2, 2), "house[1m]": UserPrice(3, 3)}
    )
    given = [
        cost(name, overrides=overrides, input=1_000_000) for name in ("House", "house", "house[1m]", "HOUSE[200k]")
    ]
    assert given == [1, 2, 3, 1]


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


@settings(max_examples=300, deadline=None)
@given(
    model=st.sampled_from(CLAUDES),
    day=days,
    searches=st.integers(0, 20),
    tokens=st.fixed_dictionaries(dict.fromkeys(TOKENS, sizes)),
)
def test_multiplying_gives_what_the_library_gives(model: str, day: date, searches: int, tokens: dict[str, int]) -> None:
    ours = cost(model, day, searches=searches, **tokens)
    assert ours == pytest.approx(float(library_cost(model, day, searches, {}, tokens)), abs=1e-9, rel=1e-12)


@settings(max_examples=150, deadline=None)
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


@settings(max_examples=100, deadline=None)
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
