"""What is worth calling the user for: a session that begins to wait, and a budget that is near or spent. Each once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import budget_text
from .format import clean
from .sessions import text as told

if TYPE_CHECKING:
    from ..queries.budget import Budget
    from ..queries.live import LiveSession

LONGEST = 200
"""Characters of an alert: it is one line."""

_RANKS = {"within": 0, "near": 1, "over": 2}


class Alerts:
    """Compares what is so now with what was so before. What was so when the program began is no news."""

    def __init__(self, begun: dt.datetime) -> None:
        """`begun`: when the program began, in UTC without a zone."""
        self._begun = begun
        self._states: dict[str, str] = {}
        self._budgets: dict[tuple[object, ...], int] = {}
        self._was_settled = False

    def news(self, live: Sequence[LiveSession], budgets: Sequence[Budget], *, is_settled: bool) -> list[str]:
        """What to tell, one line each. What turns up before all is read (`is_settled`) is old.

        What was spent of a budget by then is known with the first answer after that.
        """
        found = []
        for session in live:
            key = session.session.session_id
            before, self._states[key] = self._states.get(key), session.state
            if is_settled and before != session.state and (session.since is None or session.since >= self._begun):
                found.append(_sentence(session, before))
        for budget in budgets:
            place = (budget.period, budget.session_id or budget.month)
            rank = _RANKS[budget.state]
            before_rank = self._budgets.get(place, 0)
            self._budgets[place] = max(rank, before_rank)
            if self._was_settled and rank > before_rank:
                found.append(_of_budget(budget, live))
        self._was_settled = is_settled
        return [line for line in found if line]


def _of_budget(budget: Budget, live: Sequence[LiveSession]) -> str:
    """What of which budget is spent; a session by its name, or, where it does not run, by its id."""
    if budget.session_id is None:
        return budget_text.sentence(budget)
    named = {one.session.session_id: _name(one) for one in live}
    return clean(f"{named.get(budget.session_id, budget.session_id[:8])}: {budget_text.sentence(budget)}", LONGEST)


def _name(live: LiveSession) -> str:
    return clean(f"{told.name(live.session)} ({told.project(live.session.project)})", LONGEST // 2)


def _sentence(live: LiveSession, before: str | None) -> str:
    """Which session, and why; nothing where it goes on by itself."""
    call, name = live.call, _name(live)
    if live.state == "permission":
        for_what = f": {call.name} {call.detail or ''}".rstrip() if call is not None else ""
        return clean(f"{name} asks for permission{for_what}", LONGEST)
    if live.state == "waiting":
        return clean(f"{name} waits for you", LONGEST)
    if live.state == "idle" and before == "working":
        return clean(f"{name} is done", LONGEST)
    return ""
