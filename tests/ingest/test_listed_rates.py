"""The rates that are kept as a file are those of the price list; `pytest --update-golden` makes the file anew."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from itertools import pairwise

import pytest
from agnes_stats.ingest import listed_rates, prices
from agnes_stats.ingest.listed_rates import FILE, as_text, listed
from agnes_stats.ingest.prices import LIBRARY, RULES, PriceOverrides, rates_by_library, rates_for, version

from tests.test_layers import loaded_by

DATED = (
    *("claude-3-5-haiku-20241022", "claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20241022"),
    *("claude-3-7-sonnet-20250219", "claude-3-opus-20240229", "claude-haiku-4-5-20251001", "claude-opus-4-1-20250805"),
    *("claude-opus-4-20250514", "claude-opus-4-5-20251101", "claude-sonnet-4-20250514", "claude-sonnet-4-5-20250929"),
)
"""Names of models as transcripts have them, which the price list knows by their beginning."""

USUAL = ("gpt-5", "gpt-4.1", "gpt-4o", "o3", "o4", "codex", "gemini-2.5", "gemini-3")
"""Parts of the names of other makers' models that coding agents use."""


def _names() -> list[str]:
    from genai_prices.data_snapshot import get_snapshot

    found = {*DATED, "unknown"}
    for provider in get_snapshot().providers:
        if provider.id == "anthropic":
            found |= {model.id for model in provider.models}
        elif provider.id in ("openai", "google"):
            found |= {model.id for model in provider.models if any(part in model.id for part in USUAL)}
    return sorted(found)


def _as_it_should_be() -> str:
    rows = {
        name: [{k: v for k, v in dataclasses.asdict(rate).items() if k != "model"} for rate in rates_by_library(name)]
        for name in _names()
    }
    return as_text(version(LIBRARY), RULES, rows)


def test_the_file_says_what_the_price_list_says(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        FILE.write_text(_as_it_should_be(), "utf-8")
        listed_rates._read.cache_clear()
    if json.loads(FILE.read_text("utf-8"))["version"] == version(LIBRARY):
        assert FILE.read_text("utf-8") == _as_it_should_be()
    else:
        assert listed("claude-opus-5", version(LIBRARY), RULES) is None, "it is of another version, and not used"


def test_it_is_used_as_written_for_its_version_and_rules_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    of_file = json.loads(FILE.read_text("utf-8"))["version"]
    assert listed("claude-opus-5", of_file, RULES)
    assert listed("claude-opus-5", of_file, RULES + 1) is None
    assert listed("claude-opus-5", "0", RULES) is None
    assert listed("claude-opus-99", of_file, RULES) is None
    assert listed("unknown", of_file, RULES) == [], "known to have no price"
    monkeypatch.setattr(prices, "version", lambda _: of_file)
    monkeypatch.setattr(prices, "find", None)
    own = PriceOverrides(aliases={"mine": "claude-opus-5"})
    asked = rates_for(["claude-opus-5", "mine", "unknown"], own)
    assert {rate.model for rate in asked} == {"claude-opus-5", "mine"}
    with pytest.raises(TypeError):
        rates_for(["claude-opus-5[1m]"], own)


def test_usual_models_are_priced_without_loading_the_price_list() -> None:
    code = (
        "from agnes_stats.ingest.prices import PriceOverrides, rates_for\n"
        f"assert rates_for({DATED!r}, PriceOverrides())"
    )
    is_of_another_version = json.loads(FILE.read_text("utf-8"))["version"] != version(LIBRARY)
    assert ("genai_prices" in loaded_by(code)) == is_of_another_version


def test_a_request_has_one_rate_at_the_most() -> None:
    spans: dict[tuple[str, str, str], dict[tuple[dt.date, dt.date], list[int]]] = {}
    for name in _names():
        for rate in rates_by_library(name):
            days = (rate.valid_from or dt.date.min, rate.valid_to or dt.date.max)
            spans.setdefault((name, rate.speed, rate.tier), {}).setdefault(days, []).append(rate.above)
    assert len(spans) > len(DATED)
    for kind, found in spans.items():
        in_order = sorted(found)
        assert all(one[1] <= other[0] for one, other in pairwise(in_order)), kind
        for above in found.values():
            assert sorted(set(above)) == sorted(above), kind
            assert 0 in above, kind
