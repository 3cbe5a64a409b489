"""What the Sessions tab asks the store. Imports nothing of the screen."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...queries import live, sessions
from ...queries.filters import Filter, Hit
from ..live_states import MOST_LIVE

if TYPE_CHECKING:
    from ...queries.listing import SessionListing
    from ...queries.store import Reader

SHOWN = 500
"""Rows of the list; more do not help, the filter does."""

SHOWN_AT_FIRST = 60
"""Rows that more than fill most screens."""

FIRST_ORDER = ("started_at", True)
"""What the list is sorted by at first, and whether descending."""


Listed = Callable[[], Sequence[sessions.SessionRow]]
"""Asks for the rows of the list, once."""


@dataclass(frozen=True, slots=True)
class SessionsData:
    """What the tab shows."""

    live: list[live.LiveSession]
    page: sessions.SessionPage
    known: int
    """Sessions in the store, whatever the filters."""
    found: Mapping[str, Hit]
    """Where in the sessions the text is that they are filtered by."""
    is_provisional: bool = False
    """Whether the sums are of what is not all in the store yet."""
    listing: SessionListing | None = field(default=None, compare=False, repr=False)
    """What it takes to put the list right when little changes."""


def first_page(connection: Reader, chosen: Filter, now: dt.datetime) -> SessionsData:
    """As much of the list as there is room for."""
    return sessions_data(connection, chosen, now, limit=SHOWN_AT_FIRST)


def sessions_data(
    connection: Reader,
    chosen: Filter,
    now: dt.datetime,
    *,
    order: tuple[str, bool] = FIRST_ORDER,
    limit: int = SHOWN,
    told: live.Told = live.NOTHING_TOLD,
    running: Callable[[Listed], Sequence[live.LiveSession]] | None = None,
    again: tuple[SessionListing, Collection[str]] | None = None,
) -> SessionsData:
    """One page of the list, and what runs. `now` is UTC without a zone; `running`: who asks that, given the list.

    `again`: what was listed before, asked in the same way, and the sessions that were touched since.
    """
    by, descending = order

    @functools.cache
    def listing() -> SessionListing:
        if again is not None:
            before, touched = again
            return sessions.listed_again(connection, before, touched, chosen, now=now, order=by, told=told.processes)
        return sessions.listed(
            connection, chosen, now=now, order=by, descending=descending, limit=limit, told=told.processes
        )

    def listed() -> Sequence[sessions.SessionRow]:
        return listing().page.rows

    if running is None:
        found = live.running_now(connection, chosen, now=now, told=told, limit=MOST_LIVE, listed=listed())
    else:
        found = list(running(listed))
    page = listing().page
    known = page.totals.sessions or sessions.count_sessions(connection)
    return SessionsData(found[:MOST_LIVE], page, known, chosen.found or {}, listing=listing())


def with_sums(soon: Reader, data: SessionsData, chosen: Filter, now: dt.datetime) -> SessionsData:
    """The rows that the store has by now, with the sums of all that there will be."""
    totals = sessions.list_sessions(soon, chosen, now=now, limit=0).totals
    return replace(data, page=replace(data.page, totals=totals), is_provisional=True)
