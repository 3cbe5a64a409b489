"""What the header asks the store. Imports nothing of the screen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..queries.filters import Filter
from .factories import budgets_of

if TYPE_CHECKING:
    from ..queries.budget import Budget
    from ..queries.live import LiveSession
    from ..queries.plan_limits import PlanLimit
    from ..queries.store import Reader
    from ..queries.tokens import TokenSums
    from .settings import Settings

HEADER = "header"
"""The name of the question, where it is asked ahead."""


@dataclass(frozen=True, slots=True)
class HeaderData:
    """What runs, what is left, and what the filters leave."""

    sums: TokenSums
    """Of all that is filtered, as everything below the header is."""
    live: list[LiveSession]
    """Of everything, whatever is filtered: who waits for the user waits."""
    limits: list[PlanLimit]
    budgets: list[Budget]
    has_workspace: bool
    last_pull_at: dt.datetime | None
    """None where there is no workspace, too."""
    is_provisional: bool = False
    """Whether the sums are of what is not all in the store yet."""


def whatever_is_filtered(settings: Settings, chosen: Filter) -> Filter:
    """What runs and what is left is that of everything, but for a person who is named on the command line."""
    return Filter(zone=chosen.zone, user=settings.user)


def header_data(
    connection: Reader,
    settings: Settings,
    chosen: Filter,
    now: dt.datetime,
    running: Callable[[], list[LiveSession]],
) -> HeaderData:
    """All of it. `now` is UTC without a zone; `running` asks what runs."""
    from ..queries import budget, plan_limits, servers, tokens, workspaces

    everything = whatever_is_filtered(settings, chosen)
    sums = tokens.totals(connection, chosen)
    limits = plan_limits.limits(connection, everything, now=now)
    budgets = budget.budgets(connection, everything, budgets_of(settings), now=now)
    has_workspace = workspaces.has_workspaces(connection)
    last_pull = servers.last_pull(connection) if has_workspace else None
    # At last: a list that is asked for meanwhile tells most of it.
    return HeaderData(sums, running(), limits, budgets, has_workspace, last_pull)
