"""Fast responses and batches are rows of their own wherever models are listed, if they have another price."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.prices import PriceOverrides, UserPrice
from agnes_stats.queries import periods, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.session_detail import session_detail
from agnes_stats.queries.store import Store
from agnes_stats.tui import terminal
from agnes_stats.tui.commands import models
from agnes_stats.tui.commands import periods as period_commands
from agnes_stats.tui.commands import tokens as token_command
from agnes_stats.tui.commands.page import page_of
from agnes_stats.tui.settings import Settings

from tests.storing import held
from tests.transcripts import Transcript, store_of

NOW = dt.datetime(2026, 11, 20)
TODAY = NOW.date()
HOUSE, UNKNOWN, HAIKU = "house-model", "nobody-knows", "claude-haiku-4-5"

# Model, speed and tier as they are told, tokens of input; each in a response of its own.
RESPONSES = [
    ("claude-opus-5", "standard", "standard", 1_000_000),
    ("claude-opus-5", None, "priority", 1_000_000),
    ("claude-opus-5", "turbo", None, 1_000_000),
    ("claude-opus-5", "fast", "standard", 1_000_000),
    ("claude-opus-5", "fast", "priority", 1_000_000),
    ("claude-opus-5", "standard", "batch", 1_000_000),
    ("claude-opus-5", "fast", "batch", 7),
    (HAIKU, "standard", "standard", 1_000_000),
    (HAIKU, "fast", "standard", 5),
    (HOUSE, "standard", "standard", 1_000_000),
    (HOUSE, "fast", "batch", 1_000_000),
    (UNKNOWN, "standard", "standard", 3),
    (UNKNOWN, "fast", "standard", 4),
]
# Model, speed, tier -> USD, tokens.
ROWS = {
    ("claude-opus-5", "standard", "standard"): (15.0, 3_000_000),
    ("claude-opus-5", "fast", "standard"): (20.0, 2_000_000),
    ("claude-opus-5", "standard", "batch"): (2.5, 1_000_000),
    ("claude-opus-5", "fast", "batch"): (None, 7),
    (HAIKU, "standard", "standard"): (1.0, 1_000_000),
    (HAIKU, "fast", "standard"): (None, 5),
    (HOUSE, "standard", "standard"): (6.0, 2_000_000),
    (UNKNOWN, "standard", "standard"): (None, 7),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    session = Transcript("s", "2026-11-10T12:00:00").prompt("Go")
    for model, speed, tier, given in RESPONSES:
        session.response(model=model, tokens=(given, 0, 0, 0))
        session.rows[-1]["message"]["usage"] |= {"speed": speed, "service_tier": tier}
    folder = Path(tmp_path_factory.mktemp("apart"))
    made = store_of(folder, [session], zones=("UTC",))
    own = PriceOverrides(prices={HOUSE: UserPrice(input=3, output=3)})
    Engine(made, [Root("claude", folder / "claude")], zones=("UTC",), overrides=own, workers=1).catch_up()
    with held(made):
        yield made


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_models_are_listed_apart(store: Store, zone: str) -> None:
    """In a zone whose days are kept, and in one whose days are asked of the facts."""
    chosen = Filter(zone=zone)
    with store.read() as connection:
        groups = tokens.by_group(connection, chosen, "model")
        assert {(row.name, row.speed, row.service_tier): (row.cost_usd, row.total_tokens) for row in groups} == ROWS
        days = periods.by_day_and_model(connection, chosen)
        assert {(row.model, row.speed, row.service_tier): (row.cost_usd, row.total_tokens) for row in days} == ROWS
        assert sum(row.total_tokens for row in groups) == tokens.totals(connection, chosen).total_tokens
        by_project = tokens.by_group(connection, chosen, "project")
        assert [(row.speed, row.service_tier) for row in by_project] == [("standard", "standard")]
        fast = tokens.by_group(connection, chosen.but(model=HAIKU, branch="main"), "model")
        assert [(row.speed, row.total_tokens) for row in fast] == [("standard", 1_000_000), ("fast", 5)]


def test_answers_for_scripts_say_speed_and_tier(store: Store) -> None:
    with store.read() as connection:
        answer = token_command.tokens_answer(connection, Filter(), today=TODAY, days=30)["by_model"]
        assert {
            (row["model"], row["speed"], row["service_tier"]): (row["cost_usd"], row["total"]) for row in answer
        } == ROWS
        report = models.by_model(connection, Filter())["models"]
        assert {
            (row["modelName"], row["speed"], row["service_tier"]): (row["totalCost"], row["totalTokens"])
            for row in report
        } == ROWS
        [week] = period_commands.by_period(connection, Filter(), "weekly")["weekly"]
        told = week["modelBreakdowns"]
        assert {(row["modelName"], row["speed"], row["service_tier"]): row["cost"] for row in told} == {
            key: cost for key, (cost, _) in ROWS.items()
        }
        assert week["modelsUsed"] == sorted({model for model, _, _ in ROWS})


def test_a_session_lists_them_apart(store: Store) -> None:
    with store.read() as connection:
        detail = session_detail(connection, "s", now=NOW)
    assert detail is not None
    assert {(use.model, use.speed, use.service_tier): (use.cost_usd, use.tokens) for use in detail.models} == ROWS


def test_they_are_named_apart(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with store.read() as connection:
        answer = token_command.tokens_answer(connection, Filter(), today=TODAY, days=30)
    terminal.lines(token_command.show(answer, page_of(Settings(store=store.path, tz="UTC"))))
    shown = capsys.readouterr().out
    for name in ("opus-5 ", "opus-5 fast ", "opus-5 batch ", "opus-5 fast batch "):
        assert f"\n{name}" in shown
