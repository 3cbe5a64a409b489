"""What is told of a limit, of a million tokens, and of bars of agents, without a screen."""

import datetime as dt
from dataclasses import replace

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.plan_limits import PlanLimit
from agnes_stats.queries.tokens import NOTHING
from agnes_stats.queries.trends import Granularity, Layer, OverTime
from agnes_stats.tui.tokens import text
from agnes_stats.tui.tokens.agents import largest_below
from agnes_stats.tui.tokens.limits import verdict
from agnes_stats.tui.tokens.overview import average
from agnes_stats.tui.tokens.records import of_a_million
from agnes_stats.tui.tokens.view import Question, ViewOptions

NOW = dt.datetime(2026, 3, 10, 14, 30)
ASKED = Question(Filter(zone="UTC"), ViewOptions(), NOW, NOW, True, 140)
LIMIT = PlanLimit(
    agent="claude-code",
    machine=None,
    username=None,
    account=None,
    window="five_hour",
    used_percentage=40.0,
    resets_at=NOW + dt.timedelta(hours=4),
    as_of=NOW,
    stale=False,
    projected_full_at=None,
    last_used=40.0,
    has_pace=True,
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "lasts until reset"),
        ({"projected_full_at": NOW + dt.timedelta(hours=1, minutes=40)}, "full 16:10, 2h 20m too early"),
        ({"used_percentage": 100.0}, "over until 18:30"),
        ({"used_percentage": 100.0, "resets_at": None}, "over"),
        ({"used_percentage": None}, "reset since, 40 % before"),
        # Of a limit that was told once nobody knows how it goes on, nor of one that was told long ago.
        ({"has_pace": False}, "not known yet"),
        ({"stale": True}, "not known yet"),
    ],
)
def test_one_verdict_on_a_limit(changes: dict[str, object], told: str) -> None:
    assert verdict(replace(LIMIT, **changes), ASKED).plain == told  # type: ignore[arg-type]


def test_a_million_tokens_cost_what_those_with_a_price_do() -> None:
    row = replace(NOTHING, total_tokens=5_000_000, unpriced_tokens=1_000_000, billed_elsewhere_tokens=2_000_000)
    assert of_a_million(replace(row, cost_usd=3.0)) == 1.5
    assert of_a_million(replace(row, cost_usd=None)) is None
    assert of_a_million(replace(row, unpriced_tokens=3_000_000, cost_usd=0.0)) is None


def test_bars_of_sub_agents_are_not_scaled_to_the_main_agent() -> None:
    assert largest_below([("main", 900.0), ("Explore", 9.0), ("Plan", 3.0)]) == 9.0
    assert largest_below([("main", 900.0)]) == 0.0


def test_an_active_day_is_one_with_tokens_whether_or_not_they_have_a_price() -> None:
    days = tuple(NOW.replace(hour=0, minute=0) + dt.timedelta(days=number) for number in range(4))
    priced = Layer("a", 1, (10, 0, 0, 20), (4.0, 0.0, 0.0, 2.0))
    free = Layer("b", 1, (0, 0, 5, 0), (0.0, 0.0, 0.0, 0.0))
    assert average(OverTime("day", days, (priced, free)), [priced], ASKED) == (2.0, "an active day")
    assert average(OverTime("day", days, (priced,)), [priced], ASKED) is None, "two days have no average"


@pytest.mark.parametrize(
    ("granularity", "last", "told"),
    [
        ("day", NOW.replace(hour=0, minute=0), (1, "today")),
        ("day", NOW.replace(day=9, hour=0, minute=0), None),
        ("hour", NOW.replace(minute=0), (1, "this hour")),
        ("hour", NOW.replace(hour=13, minute=0), None),
        ("week", dt.datetime(2026, 3, 9), (1, "this week")),
        ("week", dt.datetime(2026, 3, 2), None),
        ("month", dt.datetime(2026, 3, 1), (1, "this month")),
        ("month", dt.datetime(2026, 2, 1), None),
        ("day", dt.datetime(2026, 3, 11), None),
    ],
)
def test_which_bar_is_not_over(granularity: Granularity, last: dt.datetime, told: object) -> None:
    assert text.running([dt.datetime(2026, 1, 1), last], granularity, ASKED) == told
    assert text.running([], granularity, ASKED) is None


def test_a_model_in_two_rows_is_one_and_two_of_one_name_are_told_apart() -> None:
    assert text.group_names("model", ["claude-opus-4-6", "claude-opus-4-6", "claude-haiku-4-5-20251001"]) == [
        "opus-4.6",
        "opus-4.6",
        "haiku-4.5",
    ]
    two = text.group_names("model", ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929"])
    assert len(set(two)) == 2 and two[1] == "sonnet-4.5 20250929"
