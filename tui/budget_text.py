"""A budget in words: nobody should have to tell colours apart to see that it is spent."""

from __future__ import annotations

from collections.abc import Sequence

from ..queries.budget import Budget
from . import format as words
from . import marks

_STATES = {"within": "budget", "near": "near budget", "over": "over budget"}
_WHEN = {"day": "today", "week": "this week", "session": "in this session"}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def label(budget: Budget) -> str:
    """ "budget", "near budget", "over budget"; "near day budget" for other periods than the month."""
    state = _STATES[budget.state]
    return state if budget.period == "month" else state.replace("budget", f"{budget.period} budget")


def amounts(budget: Budget) -> str:
    """ "$85.20 of $100.00 in November (85 %)", "… today (85 %)"."""
    spent = f"{marks.money_of(budget.spent_usd, budget)} of {words.usd(budget.budget_usd)}"
    when = _WHEN.get(budget.period) or f"in {_MONTHS[budget.month.month - 1]}"
    return f"{spent} {when} ({percent(budget)})"


def sentence(budget: Budget) -> str:
    """ "near budget: $85.20 of $100.00 in November (85 %)"."""
    return f"{label(budget)}: {amounts(budget)}"


def brief(budget: Budget) -> str:
    """ "near budget 85 %"."""
    return f"{label(budget)} {percent(budget)}"


def warning(budget: Budget | None) -> str:
    """The sentence if there is reason to warn, else ""."""
    return "" if budget is None or budget.state == "within" else sentence(budget)


def percent(budget: Budget) -> str:
    """Its share in whole percents, rounded down: 99.9 % is not all of it."""
    return words.percent(int(budget.share * 100 + 1e-9) / 100, 0)


def worst(budgets: Sequence[Budget]) -> Budget | None:
    """The one of which the largest share is spent; None without any."""
    return max(budgets, key=lambda budget: budget.share, default=None)
