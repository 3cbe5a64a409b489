"""What the header asks the store. Imports nothing of the screen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..queries.filters import Filter
from .factories import budgets_of

if TYPE_CHECKING:
    from ..queries.budget import Budget
    from ..queries.home import Home
    from ..queries.live import LiveSession, Told
    from ..queries.plan_limits import PlanLimit
    from ..queries.store import Reader
    from .settings import Settings

MOST_LIVE = 50
"""Running sessions that are looked at; nobody waits for as many."""


@dataclass(frozen=True, slots=True)
class HeaderData:
    """What happened lately, what runs, and what is left."""

    home: Home
    live: list[LiveSession]
    """Of everything, whatever is filtered: who waits for the user waits."""
    limits: list[PlanLimit]
    budgets: list[Budget]


def header_data(
    connection: Reader, settings: Settings, chosen: Filter, window: str, now: dt.datetime, told: Told
) -> HeaderData:
    """All of it. `now` is UTC without a zone; `told` is what processes say of their sessions."""
    from ..queries import budget, home, live, plan_limits

    everything = Filter(zone=settings.tz, user=settings.user)
    return HeaderData(
        home.home(connection, window, now=now, chosen=chosen),
        live.running_now(connection, everything, now=now, told=told, limit=MOST_LIVE),
        plan_limits.limits(connection, everything, now=now),
        budget.budgets(connection, everything, budgets_of(settings), now=now),
    )
