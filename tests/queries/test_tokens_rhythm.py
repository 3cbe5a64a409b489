"""When the work is done: the calendar, the hours of the week, and five-hour blocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from agnes_stats.queries import rhythm, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.rhythm import Block
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.transcripts import Transcript, store_of

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader

UNPRICED = "acme/coder-large-2"


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    session = Transcript("s", "2026-03-09T08:40:00", branch="fix/churn")
    for when, output in (
        ("03-09T08:40", 100),
        ("03-09T12:59", 200),
        ("03-09T13:00", 400),
        ("03-09T13:30", 6400),
        ("03-09T22:30", 800),
        ("03-10T01:15", 1600),
        ("03-10T14:10", 3200),
    ):
        session.now = moment(when)
        session.response(tokens=(0, output, 0, 0))
    old = Transcript("old", "2024-12-31T10:00:00", model=UNPRICED).response(tokens=(0, 7, 0, 0))
    store = store_of(tmp_path_factory.mktemp("rhythm"), [session, old], zones=("UTC", "Asia/Tokyo"))
    with store.read() as opened:
        yield opened


def test_a_block_begins_with_the_full_hour_and_lasts_five(connection: Reader) -> None:
    found = rhythm.blocks(connection, Filter(session_id="s"))
    assert [(block.started_at, block.responses, block.total_tokens) for block in found] == [
        (moment("03-10T14:00"), 1, 3200),
        (moment("03-09T22:00"), 2, 2400),
        (moment("03-09T13:00"), 1, 6400),
        (moment("03-09T08:00"), 3, 700),
    ], "what comes at its very end is still the block's, what comes later in that hour begins the next"
    assert found[1].ends_at == moment("03-10T03:00")
    assert (found[1].first_at, found[1].last_at) == (moment("03-09T22:30"), moment("03-10T01:15"))


def test_what_comes_alone_at_the_very_end_of_a_block_begins_none() -> None:
    first, end, later = moment("03-09T08:40"), moment("03-09T13:00"), moment("03-09T13:30")
    hours = [(moment("03-09T08:00"), first, first), (end, end, None), (moment("03-09T15:00"), later, later)]
    assert [start for start, _ in rhythm.block_starts(hours)] == [moment("03-09T08:00"), moment("03-09T15:00")]


def test_a_block_knows_its_models_and_the_kinds_of_its_tokens(connection: Reader) -> None:
    (block,) = rhythm.blocks(connection, Filter(session_id="old"))
    assert (block.models, block.output_tokens, block.cost_usd, block.unpriced_tokens) == ([UNPRICED], 7, None, 7)


def test_a_gap_is_the_time_in_which_no_block_could_have_run(connection: Reader) -> None:
    last, before, second, first = rhythm.blocks(connection, Filter(session_id="s"))
    assert rhythm.gap_between(before, last) == (moment("03-10T06:15"), moment("03-10T14:10"))
    assert rhythm.gap_between(second, before) == (moment("03-09T18:30"), moment("03-09T22:30"))
    assert rhythm.gap_between(first, second) is None


def test_days_cut_what_a_block_adds_up_but_not_where_it_begins(connection: Reader) -> None:
    found = rhythm.blocks(connection, Filter(since=dt.date(2026, 3, 10)))
    assert [(block.started_at, block.total_tokens) for block in found] == [
        (moment("03-10T14:00"), 3200),
        (moment("03-09T22:00"), 1600),
    ]


@settings(max_examples=examples(5, 15), deadline=None)
@given(
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
    since=st.none() | st.dates(dt.date(2026, 3, 8), dt.date(2026, 3, 11)),
    until=st.none() | st.dates(dt.date(2026, 3, 8), dt.date(2026, 3, 11)),
    branch=st.sampled_from([None, "fix/churn", "main"]),
)
def test_blocks_and_hours_add_up_to_the_headline(
    connection: Reader, zone: str, since: dt.date | None, until: dt.date | None, branch: str | None
) -> None:
    chosen = Filter(zone=zone, since=since, until=until, branch=branch)
    whole = tokens.totals(connection, chosen)
    for rows in (rhythm.blocks(connection, chosen), rhythm.week_hours(connection, chosen)):
        assert sum(row.total_tokens for row in rows) == whole.total_tokens
        assert sum(row.cost_usd or 0 for row in rows) == pytest.approx(whole.cost_usd or 0)


def test_burn_rate_and_projection_of_the_running_block(connection: Reader) -> None:
    block, now = rhythm.blocks(connection, Filter())[0], moment("03-10T14:50")
    assert block.is_running(now)
    assert block.tokens_per_minute(now) == 3200 / 40
    assert block.projected_tokens(now) == pytest.approx(3200 + 80 * 250)
    assert block.cost_usd == pytest.approx(0.08)
    assert block.usd_per_hour(now) == pytest.approx(0.08 * 60 / 40)
    assert block.projected_usd(now) == pytest.approx(0.08 + 0.12 * 250 / 60)


def test_a_block_that_is_over_goes_nowhere(connection: Reader) -> None:
    block, now = rhythm.blocks(connection, Filter())[1], moment("03-10T14:50")
    assert not block.is_running(now)
    assert block.tokens_per_minute(now) == 2400 / 165
    assert block.projected_tokens(now) is None
    assert block.projected_usd(now) is None


def test_nothing_is_projected_from_less_than_a_minute_or_without_a_price() -> None:
    start = moment("03-10T14:00")
    fresh = Block(
        1, 0, 3200, 0, 0, 0, 3200, None, 3200, 0, 0, 1, None, "codex", None, None, start, start, start, [UNPRICED]
    )
    assert fresh.tokens_per_minute(start + dt.timedelta(seconds=59)) is None
    assert fresh.projected_tokens(start) is None
    later = start + dt.timedelta(hours=1)
    assert fresh.usd_per_hour(later) is None
    assert fresh.projected_usd(later) is None
    assert fresh.projected_tokens(later) == 3200 * 5
    assert not fresh.is_running(fresh.ends_at)


def test_hours_of_the_week_are_those_of_the_zone(connection: Reader) -> None:
    chosen = Filter(zone="Asia/Tokyo", session_id="s")
    found = {(row.weekday, row.hour): row.total_tokens for row in rhythm.week_hours(connection, chosen)}
    assert found == {(0, 17): 100, (0, 21): 200, (0, 22): 6800, (1, 7): 800, (1, 10): 1600, (1, 23): 3200}


def test_the_calendar_is_the_last_year_whatever_the_range(connection: Reader) -> None:
    found = rhythm.calendar(connection, Filter(since=dt.date(2026, 3, 10)), dt.date(2026, 3, 10))
    assert [(row.day, row.total_tokens) for row in found] == [
        (dt.date(2026, 3, 9), 7900),
        (dt.date(2026, 3, 10), 4800),
    ]
    assert not rhythm.calendar(connection, Filter(model=UNPRICED), dt.date(2026, 3, 10))


def test_nothing_selected_has_no_blocks(connection: Reader) -> None:
    assert rhythm.blocks(connection, Filter(model="gpt-99")) == []
