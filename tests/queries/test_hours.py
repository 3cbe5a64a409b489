"""Hours of a day: what is within them, asked of rollups, facts and sessions alike."""

from __future__ import annotations

import datetime as dt

import pytest
from agnes_stats.queries import breakdown, caching, metrics, sessions, timing, tokens, trends
from agnes_stats.queries.access import Which
from agnes_stats.queries.access_sums import Selection
from agnes_stats.queries.filters import Filter, within
from agnes_stats.queries.store import Store

from tests.transcripts import Transcript, store_of

ZONE = "Asia/Kathmandu"
"""Five hours and three quarters ahead of UTC."""
DAY = dt.date(2026, 3, 10)
WHOLE = Filter(zone=ZONE, since=DAY, until=DAY)
MIDNIGHT = dt.datetime(2026, 3, 9, 18, 15)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A session at 09:10 in UTC, one at 17:50, which is 23:35 there, and one on the day after, both there and here."""
    told = []
    for name, begins in (("a", "2026-03-10T09:10:00"), ("b", "2026-03-10T17:50:00"), ("c", "2026-03-11T09:10:00")):
        one = Transcript(name, begins).prompt(f"ask {name}").wait(5)
        told.append(
            one.response((name, "Read", {"file_path": f"/{name}.csv"}), tokens=(10, 20, 30, 40)).wait(2).result(name)
        )
    return store_of(tmp_path_factory.mktemp("hours"), told)


def hours() -> list[Filter]:
    starts = [MIDNIGHT + dt.timedelta(hours=number) for number in range(24)]
    return [WHOLE.between(start, start + dt.timedelta(hours=1)) for start in starts]


def test_the_hours_of_a_day_add_up_to_it(store: Store) -> None:
    with store.read() as connection:
        whole = tokens.totals(connection, WHOLE)
        each = [tokens.totals(connection, hour) for hour in hours()]
        assert whole.total_tokens == sum(one.total_tokens for one in each) == 200
        assert [number for number, one in enumerate(each) if one.responses] == [14, 23]
        now = dt.datetime(2026, 3, 12)
        listed = [sessions.list_sessions(connection, hour, now=now).rows for hour in hours()]
        assert [row.session_id for rows in listed for row in rows] == ["a", "b"]


def test_every_question_knows_hours(store: Store) -> None:
    chosen = hours()[14]
    now = dt.datetime(2026, 3, 12)
    with store.read() as connection:
        assert [row.total_tokens for row in tokens.by_group(connection, chosen, "model")] == [100]
        assert [row.session_id for row in tokens.top_sessions(connection, chosen)] == ["a"]
        shown = trends.over_time(connection, chosen, "model", now=now)
        assert (shown.granularity, shown.buckets) == ("hour", (dt.datetime(2026, 3, 10, 14),))
        assert trends.over_time(connection, chosen, "kind", now=now).buckets == shown.buckets
        earlier, begins = trends.period_before(chosen, DAY), MIDNIGHT + dt.timedelta(hours=14)
        assert earlier is not None
        assert (earlier.after, earlier.before) == (begins - dt.timedelta(hours=1), begins)
        assert timing.by_model(connection, chosen, "response")[0].count == 1
        assert sum(kind.tokens for kind in caching.by_kind(connection, chosen)) == 100
        assert breakdown.breakdown(connection, chosen).totals.total_tokens == 100
        assert metrics.metrics(connection, chosen, now=now).responses.count == 1
        assert Selection(connection, chosen, Which(), now=now).sums().accesses == 1


def test_what_has_no_hours_is_asked_as_before() -> None:
    assert within(WHOLE, "responses") == "responses"
    assert WHOLE.start() == MIDNIGHT
    assert WHOLE.between(MIDNIGHT, MIDNIGHT + dt.timedelta(hours=1)).end() == MIDNIGHT + dt.timedelta(hours=1)
