"""What a day, a week, a month or a session has cost so far, beside the budget for it."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from . import tokens
from .filters import Filter

if TYPE_CHECKING:
    from .store import Reader

State = Literal["within", "near", "over"]

Period = Literal["day", "week", "month", "session"]

PERIODS: tuple[Period, ...] = ("session", "day", "week", "month")
"""Weeks begin on Monday; a day, week or month is one of the calendar."""

NEAR = 0.8
"""From this share of the budget on there is a warning."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A period. Money is USD; what has no price is not in `spent_usd`, but told as `unpriced_tokens`."""

    month: dt.date
    """Its first day; of a session the day of today."""
    budget_usd: float
    spent_usd: float
    unpriced_tokens: int
    undercounted: int
    """Responses whose output, and so cost, is a lower bound."""
    period: Period = "month"
    session_id: str | None = None
    projected_usd: float | None = None
    """What it costs in the end if it goes on like this; None for a session, and at the first moment of a period."""

    @property
    def share(self) -> float:
        """What is spent, of the budget: 1.0 is all of it."""
        return self.spent_usd / self.budget_usd

    @property
    def state(self) -> State:
        """`near` from 80 % on, `over` from 100 % on."""
        return state_of(self.share)


def state_of(share: float) -> State:
    """`near` from 80 % on, `over` from 100 % on, whatever the arithmetic leaves behind the ninth digit."""
    exact = round(share, 9)
    return "over" if exact >= 1 else "near" if exact >= NEAR else "within"


def of_month(connection: Reader, chosen: Filter, today: dt.date, budget_usd: float) -> Budget:
    """The month of `today`, a day in the filter's zone.

    A budget is for everything: of the filter only the user counts, and the zone, which decides where the month begins.
    """
    return _of_days(connection, chosen, "month", today, budget_usd)


def budgets(
    connection: Reader,
    chosen: Filter,
    amounts: Mapping[Period, float],
    *,
    now: dt.datetime,
    session_id: str | None = None,
) -> list[Budget]:
    """The periods of `now` (UTC without a zone) for which `amounts` has a budget in USD, the shortest first.

    Of sessions it is `session_id`, else the dearest of those that have a response today; none if there is none. Of the
    filter only user and zone count.
    """
    here = now.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(chosen.zone)).replace(tzinfo=None)
    found = []
    for period in PERIODS:
        usd = amounts.get(period)
        if usd is None:
            continue
        if period == "session":
            one = _of_session(connection, chosen, session_id, here.date(), usd)
            found += [] if one is None else [one]
        else:
            found.append(_of_days(connection, chosen, period, here.date(), usd, here))
    return found


def days_of(period: Period, today: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last day of the day, week or month of `today`."""
    if period == "month":
        return today.replace(day=1), today.replace(day=calendar.monthrange(today.year, today.month)[1])
    if period == "week":
        first = today - dt.timedelta(days=today.weekday())
        return first, first + dt.timedelta(days=6)
    return today, today


def _of_days(
    connection: Reader,
    chosen: Filter,
    period: Period,
    today: dt.date,
    budget_usd: float,
    here: dt.datetime | None = None,
) -> Budget:
    first, last = days_of(period, today)
    sums = tokens.totals(connection, Filter(zone=chosen.zone, user=chosen.user, since=first, until=last))
    spent, projected = sums.cost_usd or 0.0, None
    if here is not None:
        begun = dt.datetime.combine(first, dt.time())
        gone = (here - begun) / dt.timedelta(days=(last - first).days + 1)
        projected = spent / gone if gone > 0 else None
    return Budget(
        first,
        budget_usd,
        spent,
        sums.unpriced_tokens,
        sums.undercounted,
        period,
        projected_usd=projected,
    )


def _of_session(
    connection: Reader, chosen: Filter, session_id: str | None, today: dt.date, budget_usd: float
) -> Budget | None:
    own = Filter(zone=chosen.zone, user=chosen.user)
    if session_id is None:
        lately = own.but(since=today, until=today)
        where = tokens.where_of(lately)
        session_id = connection.value(
            f"SELECT session_id FROM sessions WHERE session_id IN (SELECT session_id FROM "
            f"{tokens.rollup(connection, lately)} WHERE {where}) ORDER BY cost_usd DESC NULLS LAST, session_id LIMIT 1",
            where.parameters,
        )
    if session_id is None:
        return None
    sums = tokens.totals(connection, own.but(session_id=session_id))
    return Budget(
        today,
        budget_usd,
        sums.cost_usd or 0.0,
        sums.unpriced_tokens,
        sums.undercounted,
        "session",
        session_id,
    )
