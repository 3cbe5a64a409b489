"""Which price a model's name has: in the spellings of every maker, cloud and gateway, and by the user's aliases."""

from __future__ import annotations

import pytest
from agnes_stats.ingest.prices import PriceOverrides, UserPrice, rates_for

from tests.ingest.rates import LIST, TODAY, cost, rate_of


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
