"""What a month has cost so far, beside the budget for it."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from . import tokens
from .filters import Filter

if TYPE_CHECKING:
    from .store import Reader

State = Literal["within", "near", "over"]

NEAR = 0.8
"""From this share of the budget on there is a warning."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A calendar month. Money is USD; what has no price is not in `spent_usd`, but told as `unpriced_tokens`."""

    month: dt.date
    """Its first day."""
    budget_usd: float
    spent_usd: float
    unpriced_tokens: int
    undercounted: int
    """Responses whose output, and so cost, is a lower bound."""

    @property
    def share(self) -> float:
        """What is spent, of the budget: 1.0 is all of it."""
        return self.spent_usd / self.budget_usd

    @property
    def state(self) -> State:
        """`near` from 80 % on, `over` from 100 % on."""
        return "over" if self.share >= 1 else "near" if self.share >= NEAR else "within"


def of_month(connection: Reader, chosen: Filter, today: dt.date, budget_usd: float) -> Budget:
    """The month of `today`, a day in the filter's zone.

    A budget is for everything: of the filter only the user counts, and the zone, which decides where the month begins.
    """
    first = today.replace(day=1)
    last = today.replace(day=calendar.monthrange(today.year, today.month)[1])
    sums = tokens.totals(connection, Filter(zone=chosen.zone, user=chosen.user, since=first, until=last))
    return Budget(first, budget_usd, sums.cost_usd or 0.0, sums.unpriced_tokens, sums.undercounted)
