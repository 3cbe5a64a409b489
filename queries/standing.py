"""How long an answer stands though nothing is written: days and hours begin, and what runs stops running.

Whoever shows an answer need not ask again each time the clock moves on, only where this may make it another.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .threads import LIVE_FOR

if TYPE_CHECKING:
    from .store import Reader, Stamp

_NUMBERS = itertools.count()

QUARTER = dt.timedelta(minutes=15)
"""Whatever the zone, its days and hours begin with one of these on UTC's clock."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was so when a question was asked: at which stamp of the store, and when, in UTC without a zone."""

    stamp: Stamp
    at: dt.datetime
    moves_until: dt.datetime | None
    """What `moves_until` said then."""

    def stands(self, stamp: Stamp, now: dt.datetime) -> bool:
        """Whether the answer is still the same, for all that depends on what runs and on the day and the hour.

        No clock that was set back is trusted.
        """
        is_moving = self.moves_until is not None and self.at <= self.moves_until
        return stamp == self.stamp and self.at <= now and not is_moving and _quarter(self.at) == _quarter(now)


def _quarter(moment: dt.datetime) -> int:
    return (moment - dt.datetime.min) // QUARTER


def of_one_state(before: Stamp, after: Stamp) -> Stamp:
    """The stamp of what is read, given those before and after the store was opened: another one each time where they
    differ, as nobody can tell of which of the two states that is."""
    return before if before == after else (*before, next(_NUMBERS))


def moves_until(connection: Reader, now: dt.datetime) -> dt.datetime | None:
    """Until when what runs may be something else by itself; None where no session has a time.

    A session runs for LIVE_FOR around its last row, and what is in it, its calls and sub-agents, around one of their
    own, which lie between its first and its last. Those that begin within the running quarter of an hour count, too.
    """
    soon = now + QUARTER + LIVE_FOR
    last = connection.value("SELECT max(ended_at) FROM sessions WHERE started_at <= $soon", {"soon": soon})
    try:
        return None if last is None else last + LIVE_FOR
    except OverflowError:
        return dt.datetime.max
