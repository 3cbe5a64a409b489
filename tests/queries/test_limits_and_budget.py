"""When a plan's limit was hit and until when, and what a month cost of its budget."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from agnes_stats.ingest.formats.claude.limits import resets_in
from agnes_stats.queries import budget, limits
from agnes_stats.queries.budget import Budget
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.limits import LimitHit

from tests.transcripts import Transcript, store_of

AT = dt.datetime(2026, 3, 10, 13, 30)
"""A Tuesday; UTC."""


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("Claude AI usage limit reached|1773163200", "2026-03-10T17:20"),
        ("5-hour limit reached ∙ resets 3pm", "2026-03-10T14:00"),
        ("5-hour limit reached ∙ resets 3am", "2026-03-11T02:00"),
        ("5-hour limit reached ∙ resets 12am", "2026-03-10T23:00"),
        ("Claude usage limit reached. Your limit will reset at 10am (America/Lima).", "2026-03-10T15:00"),
        ("You've hit your session limit · resets 12:50pm (Europe/Paris)", "2026-03-11T11:50"),
        ("You've hit your limit · resets May 5 at 9pm (America/New_York)", "2026-05-06T01:00"),
        ("Weekly limit reached ∙ resets Jan 6, 1pm", "2027-01-06T12:00"),
        ("Limit reached · resets 8pm (Etc/GMT+5) · /upgrade to Max", "2026-03-11T01:00"),
        ("Weekly limit reached ∙ resets Tuesday at 9am", None),
        ("Limit reached · resets 13pm", None),
        ("Limit reached · resets 3pm (Nowhere/Land)", None),
        ("Limit reached · resets Feb 31, 1pm", None),
        ("You've hit your limit", None),
    ],
)
def test_until_when_a_limit_lasts_as_the_error_tells_it(text: str, until: str | None) -> None:
    """Without a zone of its own, a time is one of the filter's zone: Prague is an hour ahead of UTC."""
    expected = None if until is None else dt.datetime.fromisoformat(until)
    assert limits.reset_time(resets_in(text), AT, "Europe/Prague") == expected


def refused(session: Transcript, when: str, text: str, **fields: object) -> None:
    """Claude Code's row for a refusal."""
    session.now = dt.datetime.fromisoformat(f"2026-03-{when}")
    session.response(model="<synthetic>", text=text, tokens=(0, 0, 0, 0), stop="stop_sequence")
    session.rows[-1] |= {"isApiErrorMessage": True, **fields}


def test_refusals_are_found_among_api_errors_only(tmp_path: Path) -> None:
    session = Transcript("s", "2026-03-09T08:00:00").prompt("Why was the limit reached|1773163200?").response()
    session.response(text="You've hit your limit · resets 3pm")
    refused(session, "09T09:00:00", "Claude AI usage limit reached|1773054000")
    refused(session, "09T10:00:00", "API Error: Overloaded")
    refused(session, "10T13:30:00", "5-hour limit reached ∙ resets 3pm")
    refused(session, "10T13:35:00", "You've hit your limit")
    with store_of(tmp_path, [session]).read() as connection:
        first, second, third = limits.hits(connection, Filter(model="another", since=dt.date(2026, 3, 11)))
        assert first == LimitHit(dt.datetime(2026, 3, 9, 9), dt.datetime(2026, 3, 9, 11))
        assert second == LimitHit(AT, dt.datetime(2026, 3, 10, 15))
        assert third.until is None
        assert limits.hits(connection, Filter(user="eve@example.com")) == []

        def latest(when: str, block: dt.datetime | None = None) -> LimitHit | None:
            now = dt.datetime.fromisoformat(f"2026-03-{when}")
            return limits.latest(connection, Filter(), now=now, block=block)

        assert latest("09T10:59") == first, "it still holds"
        assert latest("09T11:00") is None, "it is over, and no block runs"
        assert latest("09T11:00", dt.datetime(2026, 3, 9, 8)) == first, "it is over, but of the running block"
        assert latest("10T13:32") == second
        assert latest("10T14:00") == second, "one that tells no time cannot be known to hold"
        assert latest("10T14:00", dt.datetime(2026, 3, 10, 13)) == third
        assert latest("09T08:59") is None, "what is yet to come"


def test_the_budget_is_for_the_calendar_month_of_the_zone_whatever_is_filtered(tmp_path: Path) -> None:
    # Opus 4.5: USD 25 a million of output.
    session = Transcript("s", "2026-02-28T23:30:00").prompt("Go").response(tokens=(0, 1_000_000, 0, 0))
    session.now = dt.datetime(2026, 3, 10, 12)
    session.response(tokens=(0, 2_000_000, 0, 0)).response(tokens=(0, 50, 0, 0), model="house-model")
    session.now = dt.datetime(2026, 4, 1, 0, 0)
    session.response(tokens=(0, 4_000_000, 0, 0))
    with store_of(tmp_path, [session]).read() as connection:
        today = dt.date(2026, 3, 10)
        found = budget.of_month(connection, Filter(model="another", since=today), today, 100.0)
        assert found == Budget(dt.date(2026, 3, 1), 100.0, 50.0, 50, 0)
        assert budget.of_month(connection, Filter(zone="Europe/Prague"), today, 100.0).spent_usd == 75.0
        assert budget.of_month(connection, Filter(zone="America/Lima"), today, 100.0).spent_usd == 150.0
        assert budget.of_month(connection, Filter(), dt.date(2026, 1, 31), 100.0).spent_usd == 0


@pytest.mark.parametrize(
    ("spent", "state"), [(0.0, "within"), (79.99, "within"), (80.0, "near"), (99.99, "near"), (100.0, "over")]
)
def test_a_budget_warns_at_80_and_at_100_percent(spent: float, state: str) -> None:
    assert Budget(dt.date(2026, 3, 1), 100.0, spent, 0, 0).state == state


def test_every_period_has_its_budget_and_what_it_will_come_to(tmp_path: Path) -> None:
    """Opus 4.5: USD 25 a million of output. Weeks begin on Monday: the tenth of March is a Tuesday."""
    told = Transcript("s", "2026-03-01T12:00:00").prompt("Go").response(tokens=(0, 4_000_000, 0, 0))
    told.now = dt.datetime(2026, 3, 9, 23)
    told.response(tokens=(0, 1_000_000, 0, 0))
    told.now = dt.datetime(2026, 3, 10, 1)
    told.response(tokens=(0, 2_000_000, 0, 0))
    other = Transcript("other", "2026-03-10T02:00:00").prompt("Go").response(tokens=(0, 400_000, 0, 0))
    amounts: dict[budget.Period, float] = {"month": 1000, "week": 100, "day": 60, "session": 100}
    with store_of(tmp_path, [told, other]).read() as connection:
        found = budget.budgets(connection, Filter(model="another"), amounts, now=dt.datetime(2026, 3, 10, 12))
        assert [one.period for one in found] == ["session", "day", "week", "month"]
        assert [one.spent_usd for one in found] == [175.0, 60.0, 85.0, 185.0]
        assert [one.state for one in found] == ["over", "over", "near", "within"]
        assert [one.projected_usd for one in found] == [
            None,
            120.0,
            pytest.approx(85 * 7 / 1.5),
            pytest.approx(185 * 31 / 9.5),
        ]
        assert found[0].session_id == "s", "the dearest of today"
        own = budget.budgets(connection, Filter(), amounts, now=dt.datetime(2026, 3, 10, 12), session_id="other")
        assert (own[0].spent_usd, own[0].state) == (10.0, "within")
        late = budget.budgets(connection, Filter(), amounts, now=dt.datetime(2026, 3, 11))
        assert [(one.period, one.spent_usd) for one in late] == [("day", 0.0), ("week", 85.0), ("month", 185.0)]
        assert late[0].projected_usd is None, "nobody knows yet"
        lima = budget.budgets(connection, Filter(zone="America/Lima"), amounts, now=dt.datetime(2026, 3, 10, 4))
        assert [(one.period, one.spent_usd) for one in lima][1:] == [("day", 85.0), ("week", 85.0), ("month", 185.0)]
        assert budget.budgets(connection, Filter(), {}, now=dt.datetime(2026, 3, 10)) == []
