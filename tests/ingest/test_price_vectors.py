"""What current models cost, by Anthropic's own list: every price of each, worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest
from agnes_stats.ingest.prices import rates_for

from tests.ingest.rates import LIST, TOKENS, cost

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
