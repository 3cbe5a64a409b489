"""When a plan's limit was hit, and until when, as the agent was told."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .filters import Filter, Where

if TYPE_CHECKING:
    from .store import Reader

_CLOCK = re.compile(r"(?:(?P<month>\d\d)-(?P<day>\d\d) )?(?P<hour>\d\d):(?P<minute>\d\d)(?: (?P<zone>\S+))?")
"""`events.resets` where it is no instant: a clock time, maybe of a day, maybe in a zone."""


@dataclass(frozen=True, slots=True)
class LimitHit:
    """A refusal for a limit. Times are UTC without a zone; `until` is None where the error does not tell it."""

    at: dt.datetime
    until: dt.datetime | None

    def holds(self, now: dt.datetime) -> bool:
        """Whether the limit is known to be still there."""
        return self.until is not None and self.at <= now < self.until


def hits(connection: Reader, chosen: Filter, *, since: dt.datetime | None = None) -> list[LimitHit]:
    """The refusals since a time (UTC without a zone), oldest first.

    A limit is an account's: of the filter only agent, machine and user count, and the zone, for times that name none.
    """
    where = Where().add("is_limit AND ts IS NOT NULL")
    where.by(chosen, {"agent": "agent", "machine": "machine", "user": "username"})
    if since is not None:
        where.add("ts >= $from", **{"from": since})
    found = connection.rows(
        "SELECT ts, resets FROM (FROM events SELECT ts, text, resets, is_limit, session_id, agent, machine) "
        "LEFT JOIN (SELECT session_id, username FROM sessions) USING (session_id) "
        f"WHERE {where} ORDER BY ts, text",
        where.parameters,
    )
    return [LimitHit(at, reset_time(resets, at, chosen.zone)) for at, resets in found]


def latest(connection: Reader, chosen: Filter, *, now: dt.datetime, block: dt.datetime | None) -> LimitHit | None:
    """The last refusal since the start of the running block, or one before whose limit still holds; else None."""
    # No limit lasts longer than a week.
    found = [hit for hit in hits(connection, chosen, since=now - dt.timedelta(days=8)) if hit.at <= now]
    return next((hit for hit in reversed(found) if hit.holds(now) or (block is not None and hit.at >= block)), None)


def reset_time(resets: str | None, at: dt.datetime, zone: str) -> dt.datetime | None:
    """Until when a limit lasts that was hit `at` (UTC without a zone), `resets` as in `events`; None if not told.

    A clock time without a zone is one of `zone`: agents tell it on the clock of their machine.
    """
    if resets is None:
        return None
    clock = _CLOCK.fullmatch(resets)
    try:
        if clock is None:
            return dt.datetime.fromisoformat(resets).astimezone(dt.UTC).replace(tzinfo=None)
        return _next(clock, at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(clock["zone"] or zone)))
    except (ValueError, OSError, LookupError):
        # No such hour, day, month or zone.
        return None


def _next(clock: re.Match[str], here: dt.datetime) -> dt.datetime:
    """The first time after `here` that a clock told as in `_CLOCK` shows, in UTC without a zone."""
    when = here.replace(hour=int(clock["hour"]), minute=int(clock["minute"]), second=0, microsecond=0)
    if clock["day"]:
        when = when.replace(month=int(clock["month"]), day=int(clock["day"]))
        if when <= here:
            when = when.replace(year=when.year + 1)
    elif when <= here:
        when += dt.timedelta(days=1)
    return when.astimezone(dt.UTC).replace(tzinfo=None)
