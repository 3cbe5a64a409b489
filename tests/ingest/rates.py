"""What a response costs by rates, in Python."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from agnes_stats.ingest.prices import PriceOverrides, Rate, rates_for

LIST = PriceOverrides()
TODAY = date(2026, 11, 22)

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
    of_tokens: float = sum(n * getattr(rate, kind) for kind, n in tokens.items()) / 1e6
    return of_tokens * (rate.us_factor if geo == "us" else 1) + searches * (rate.web_search or 0) / 1e3
