"""Another price table prices what is stored anew, without reading a transcript."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import prices
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.prices import PriceOverrides, UserPrice
from agnes_stats.queries import tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store

from tests.transcripts import OPUS, Transcript, store_of

HOUSE = "house-model"
OPUS_COST = 1_000_000 * 25e-6
"""USD: Opus 4.5 costs 25 a million of output."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A session of a listed and of an unknown model, whose transcript is gone."""
    session = Transcript("s", "2026-03-10T12:00:00").prompt("Go").response(tokens=(0, 1_000_000, 0, 0))
    session.response(tokens=(2_000_000, 500_000, 0, 0), model=HOUSE)
    made = store_of(tmp_path, [session], zones=("UTC", "Asia/Tokyo"))
    shutil.rmtree(tmp_path / "claude" / "projects")
    return made


def again(store: Store, overrides: PriceOverrides) -> None:
    root = store.path.parent / "claude"
    Engine(store, [Root("claude", root)], zones=("UTC", "Asia/Tokyo"), overrides=overrides, workers=1).catch_up()


def costs(store: Store) -> dict[str, float | None]:
    """The cost by model as the responses have it, which is what everything else must say."""
    with store.read() as connection:
        found: dict[str, Any] = dict(connection.execute("SELECT model, cost_usd FROM responses").fetchall())
        known = [cost for cost in found.values() if cost is not None]
        assert connection.execute("SELECT cost_usd FROM sessions").fetchone() == (sum(known),)
        for zone in ("UTC", "Asia/Tokyo", "America/Lima"):
            groups = tokens.by_group(connection, Filter(zone=zone), "model")
            assert {group.name: group.cost_usd for group in groups} == found
            unpriced = {group.name: group.unpriced_tokens for group in groups}
            assert unpriced == {OPUS: 0, HOUSE: 0 if found[HOUSE] is not None else 2_500_000}
        priced = connection.execute("SELECT model FROM models WHERE NOT priced").fetchall()
        assert priced == ([] if found[HOUSE] is not None else [(HOUSE,)])
    return found


def test_overrides_price_stored_facts_anew_and_so_does_their_end(store: Store) -> None:
    assert costs(store) == {OPUS: pytest.approx(OPUS_COST), HOUSE: None}
    again(store, PriceOverrides(prices={HOUSE: UserPrice(input=1, output=4), OPUS: UserPrice(input=1, output=2)}))
    assert costs(store) == {OPUS: pytest.approx(2.0), HOUSE: pytest.approx(2 * 1 + 0.5 * 4)}
    again(store, PriceOverrides(aliases={HOUSE: OPUS}))
    assert costs(store) == {OPUS: pytest.approx(OPUS_COST), HOUSE: pytest.approx(2 * 5 + 0.5 * 25)}
    again(store, PriceOverrides(prices={HOUSE: UserPrice(input=0, output=0)}))
    assert costs(store)[HOUSE] == 0, "what the user says is free is free"
    again(store, PriceOverrides())
    assert costs(store) == {OPUS: pytest.approx(OPUS_COST), HOUSE: None}, "and what nobody knows is not"


def test_a_new_price_list_prices_stored_facts_anew_and_the_same_one_does_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil() -> None:
        with store.write() as connection:
            connection.execute("UPDATE responses SET cost_usd = 99")

    def stored() -> set[tuple[float | None]]:
        with store.read() as connection:
            return set(connection.execute("SELECT cost_usd FROM responses").fetchall())

    spoil()
    again(store, PriceOverrides())
    assert stored() == {(99.0,)}
    monkeypatch.setattr(prices, "version", lambda name: f"{name} 99")
    again(store, PriceOverrides())
    assert costs(store) == {OPUS: pytest.approx(OPUS_COST), HOUSE: None}
