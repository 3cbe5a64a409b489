"""The axis of a chart over time, and what stands on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from agnes_stats.queries import row_trends, tokens, trends
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store

from tests.transcripts import HAIKU, OPUS, SONNET, Transcript, store_of

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader

NOW = dt.datetime(2026, 3, 10, 14, 44)
MARCH = Filter(since=dt.date(2026, 3, 1))


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    sessions = []
    for number, (day, model, output) in enumerate(
        [
            ("03-02T10:30", OPUS, 400),
            ("03-02T22:10", SONNET, 150),
            ("03-08T23:30", HAIKU, 200),
            ("03-10T09:59", OPUS, 50),
        ]
    ):
        session = Transcript(f"s{number}", f"2026-{day}:00", model=model)
        sessions.append(session.prompt("Go").response(tokens=(0, output, 0, 0)))
    with store_of(tmp_path_factory.mktemp("trends"), sessions, zones=("UTC", "Europe/Prague")).read() as opened:
        yield opened


def test_every_day_of_the_range_has_a_place(connection: Reader) -> None:
    shown = trends.over_time(connection, MARCH, "model", now=NOW)
    assert shown.granularity == "day"
    assert [bucket.day for bucket in shown.buckets] == list(range(1, 11))
    assert [(layer.name, layer.tokens) for layer in shown.layers] == [
        (OPUS, (0, 400, 0, 0, 0, 0, 0, 0, 0, 50)),
        (HAIKU, (0, 0, 0, 0, 0, 0, 0, 200, 0, 0)),
        (SONNET, (0, 150, 0, 0, 0, 0, 0, 0, 0, 0)),
    ]


def test_what_is_new_changes_no_earlier_place(connection: Reader) -> None:
    assert trends.places(connection, "model") == {OPUS: 0, SONNET: 1, HAIKU: 2}
    assert trends.places(connection, "kind")["Output"] == 4


def test_a_week_begins_on_monday(connection: Reader) -> None:
    shown = trends.over_time(connection, MARCH, "project", now=NOW, granularity="week")
    assert [bucket.strftime("%a %d") for bucket in shown.buckets] == ["Mon 23", "Mon 02", "Mon 09"]
    assert shown.layers[0].tokens == (0, 750, 50)


def test_months(connection: Reader) -> None:
    chosen = Filter(since=dt.date(2025, 12, 31))
    shown = trends.over_time(connection, chosen, "project", now=NOW, granularity="month")
    assert [(bucket.year, bucket.month) for bucket in shown.buckets] == [(2025, 12), (2026, 1), (2026, 2), (2026, 3)]
    assert shown.layers[0].tokens == (0, 0, 0, 800)


def test_hours_are_those_of_the_zone_and_none_is_still_to_come(connection: Reader) -> None:
    chosen = Filter(zone="Europe/Prague", since=dt.date(2026, 3, 9))
    shown = trends.over_time(connection, chosen, "model", now=NOW + dt.timedelta(hours=1), granularity="hour")
    assert shown.buckets[0] == dt.datetime(2026, 3, 9)
    assert shown.buckets[-1] == dt.datetime(2026, 3, 10, 15)
    told = {layer.name: [shown.buckets[i].hour for i, n in enumerate(layer.tokens) if n] for layer in shown.layers}
    assert told == {HAIKU: [0], OPUS: [10]}


def test_hours_of_a_long_range_become_days(connection: Reader) -> None:
    assert trends.over_time(connection, MARCH, "model", now=NOW, granularity="hour").granularity == "day"


def test_beyond_the_most_the_rest_are_one_layer_but_never_a_single_one(connection: Reader) -> None:
    one = trends.over_time(connection, MARCH, "model", now=NOW, most=1).layers
    assert [(layer.name, layer.merged, sum(layer.tokens)) for layer in one] == [(OPUS, 1, 450), (None, 2, 350)]
    # Sonnet is the last of three; by itself it keeps its name.
    two = trends.over_time(connection, MARCH, "model", now=NOW, most=2).layers
    assert [(layer.name, layer.merged) for layer in two] == [(OPUS, 1), (HAIKU, 1), (SONNET, 1)]


def test_by_money_the_dearest_comes_first(connection: Reader) -> None:
    chosen = Filter(since=dt.date(2026, 3, 2), until=dt.date(2026, 3, 8))
    layers = trends.over_time(connection, chosen, "model", now=NOW, measure="cost_usd").layers
    assert [layer.name for layer in layers] == [OPUS, SONNET, HAIKU]
    assert layers[0].of("cost_usd")[0] == pytest.approx(400 * 25e-6)


def test_kinds_are_layers_too(connection: Reader) -> None:
    layers = trends.over_time(connection, MARCH, "kind", now=NOW, measure="cost_usd").layers
    assert [(layer.name, sum(layer.tokens)) for layer in layers] == [("Output", 800)]


def test_nothing_selected_has_no_axis(connection: Reader) -> None:
    shown = trends.over_time(connection, Filter(until=dt.date(2020, 1, 1)), "model", now=NOW)
    assert (shown.buckets, shown.layers) == ((), ())


def test_all_days_begin_with_the_first_response_and_end_today(connection: Reader) -> None:
    shown = trends.over_time(connection, Filter(), "model", now=NOW + dt.timedelta(days=2))
    assert (shown.buckets[0], shown.buckets[-1]) == (dt.datetime(2026, 3, 2), dt.datetime(2026, 3, 12))


@pytest.mark.parametrize(
    ("days", "wish", "got"),
    [
        (30, None, "day"),
        (365, None, "week"),
        (2000, None, "month"),
        (7, "hour", "hour"),
        (8, "hour", "day"),
        (365, "day", "day"),
        (20_000, "day", "month"),
        (20_000, "week", "month"),
    ],
)
def test_a_granularity_that_fits_the_range(days: int, wish: trends.Granularity | None, got: str) -> None:
    first = dt.date(1970, 1, 1)
    assert trends.fitting(first, first + dt.timedelta(days=days - 1), wish) == got


def test_the_period_before_is_as_long_and_ends_the_day_before() -> None:
    before = trends.period_before(Filter(since=dt.date(2026, 3, 1), model=OPUS), dt.date(2026, 3, 10))
    assert before == Filter(since=dt.date(2026, 2, 19), until=dt.date(2026, 2, 28), model=OPUS)
    assert trends.period_before(Filter(), dt.date(2026, 3, 10)) is None
    assert trends.period_before(Filter(since=dt.date(2026, 4, 1)), dt.date(2026, 3, 10)) is None


def test_what_a_period_has(connection: Reader) -> None:
    found = trends.period(connection, Filter(since=dt.date(2026, 3, 2), until=dt.date(2026, 3, 8)))
    assert (found.active_days, found.tokens_per_active_day) == (2, 375)
    assert found.cost_per_active_day == pytest.approx((400 * 25 + 150 * 15 + 200 * 5) / 1e6 / 2)
    nothing = trends.period(connection, Filter(until=dt.date(2020, 1, 1)))
    assert (nothing.active_days, nothing.tokens_per_active_day, nothing.cost_per_active_day) == (0, None, None)


ZONES = ("UTC", "Pacific/Kiritimati", "Etc/GMT+12")


@pytest.fixture(scope="module")
def one_response(tmp_path_factory: pytest.TempPathFactory) -> Store:
    told = Transcript("s1", "2026-03-10T09:00:00").response(tokens=(0, 7, 0, 0))
    return store_of(tmp_path_factory.mktemp("odd-days"), [told], zones=ZONES)


@pytest.mark.parametrize("moment", ["9999-12-31 23:59:59", "0001-01-01", "290000-01-01", "1000-01-01 (BC)"])
def test_days_that_python_has_none_for_have_a_place(one_response: Store, moment: str) -> None:
    """No transcript brings them in; somebody else's hand may."""
    with one_response.write() as connection:
        connection.execute(f"UPDATE responses SET ts = '{moment}'")
        connection.execute(
            "UPDATE tokens_daily SET day = timezone(zone, timezone('UTC', ?::TIMESTAMP))::DATE", [moment]
        )
    with one_response.read() as connection:
        for zone in ZONES:
            for group in ("model", "kind"):
                shown = trends.over_time(connection, Filter(zone=zone), group, now=NOW)
                assert sum(sum(layer.tokens) for layer in shown.layers) == 7, zone


def test_each_group_has_its_course_over_the_days(connection: Reader) -> None:
    chosen = MARCH.but(until=dt.date(2026, 3, 12))
    found = row_trends.of_groups(connection, chosen, "model", today=NOW.date(), measure="total_tokens")
    by_day = {
        name: {day: value for day, value in enumerate(values, 1) if value} for (name, *_), values in found.items()
    }
    assert {len(values) for values in found.values()} == {row_trends.POINTS}
    assert by_day == {OPUS: {2: 400, 10: 50}, SONNET: {2: 150}, HAIKU: {8: 200}}
    sums = {row.name: row.total_tokens for row in tokens.by_group(connection, chosen, "model")}
    assert {name: sum(values) for (name, *_), values in found.items()} == sums


def test_a_course_of_many_days_adds_them_up_and_of_few_there_is_none(connection: Reader) -> None:
    year = Filter(since=dt.date(2025, 3, 11), until=dt.date(2026, 3, 10))
    found = row_trends.of_groups(connection, year, "model", today=NOW.date(), measure="cost_usd")
    assert len(found[OPUS, "standard", "standard"]) == row_trends.POINTS
    assert found[OPUS, "standard", "standard"][-1] == pytest.approx(450 * 25e-6)
    all_days = row_trends.of_groups(connection, Filter(), "project", today=NOW.date(), measure="total_tokens")
    assert [(len(values), sum(values)) for values in all_days.values()] == [(9, 800)]
    two = Filter(since=dt.date(2026, 3, 9), until=dt.date(2026, 3, 10))
    assert row_trends.of_groups(connection, two, "model", today=NOW.date(), measure="cost_usd") == {}
