"""A budget in words: nobody should have to tell colours apart to see that it is spent."""

from __future__ import annotations

from ..queries.budget import Budget
from . import format as words
from . import marks

_STATES = {"within": "budget", "near": "near budget", "over": "over budget"}
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
    """ "budget", "near budget" or "over budget"."""
    return _STATES[budget.state]


def amounts(budget: Budget) -> str:
    """ "$85.20 of $100.00 in November (85 %)"."""
    spent = f"{marks.money_of(budget.spent_usd, budget)} of {words.usd(budget.budget_usd)}"
    return f"{spent} in {_MONTHS[budget.month.month - 1]} ({percent(budget)})"


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
