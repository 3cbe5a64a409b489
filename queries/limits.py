"""When a plan's limit was hit, and until when: Claude Code writes it into the transcript as an API error."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .filters import Filter, Where

if TYPE_CHECKING:
    from .store import Reader

_SAID = r"limit reached|hit your ([a-z0-9-]+ )?limit"
"""What all the wordings have in common, in any case; the rest differs from version to version."""

_EPOCH = re.compile(r"\|\s*(\d{9,11})\b")
"""Up to version 1.0: "Claude AI usage limit reached|1750708800", in seconds, UTC."""

_CLOCK = re.compile(
    r"resets?\b(?: at)?\s+(?:(?P<month>[a-z]{3})[a-z]*\.? (?P<day>\d{1,2})(?:,| at)* +)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))? ?(?P<half>[ap])m(?: \((?P<zone>[\w+/-]+)\))?",
    re.IGNORECASE,
)
"""Later: "resets 3pm", "will reset at 10am (America/Lima)", "resets May 5 at 9pm (America/New_York)"."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


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
    where = Where().add("kind = 'api_error' AND ts IS NOT NULL").add("regexp_matches(text, $said, 'i')", said=_SAID)
    where.by(chosen, {"agent": "agent", "machine": "machine", "user": "username"})
    if since is not None:
        where.add("ts >= $from", **{"from": since})
    found = connection.rows(
        "SELECT ts, text FROM (FROM events SELECT ts, text, kind, session_id, agent, machine) "
        "LEFT JOIN (SELECT session_id, username FROM sessions) USING (session_id) "
        f"WHERE {where} ORDER BY ts, text",
        where.parameters,
    )
    return [LimitHit(at, reset_time(text, at, chosen.zone)) for at, text in found]


def latest(connection: Reader, chosen: Filter, *, now: dt.datetime, block: dt.datetime | None) -> LimitHit | None:
    """The last refusal since the start of the running block, or one before whose limit still holds; else None."""
    # No limit lasts longer than a week.
    found = [hit for hit in hits(connection, chosen, since=now - dt.timedelta(days=8)) if hit.at <= now]
    return next((hit for hit in reversed(found) if hit.holds(now) or (block is not None and hit.at >= block)), None)


def reset_time(text: str, at: dt.datetime, zone: str) -> dt.datetime | None:
    """Until when an error written `at` (UTC without a zone) says the limit lasts; None if it does not say.

    A clock time without a zone is one of `zone`: Claude Code tells it on the clock of its machine.
    """
    epoch = _EPOCH.search(text)
    if epoch:
        return dt.datetime.fromtimestamp(int(epoch[1]), dt.UTC).replace(tzinfo=None)
    clock = _CLOCK.search(text)
    if clock is None:
        return None
    try:
        return _next(clock, at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(clock["zone"] or zone)))
    except (ValueError, OSError, LookupError):
        # No such hour, day, month or zone.
        return None


def _next(clock: re.Match[str], here: dt.datetime) -> dt.datetime:
    """The first time after `here` that a clock told as in `_CLOCK` shows, in UTC without a zone."""
    if not 1 <= int(clock["hour"]) <= 12:
        raise ValueError(clock["hour"])
    hour = int(clock["hour"]) % 12 + (12 if clock["half"] in "pP" else 0)
    when = here.replace(hour=hour, minute=int(clock["minute"] or 0), second=0, microsecond=0)
    if clock["day"]:
        when = when.replace(month=_MONTHS.index(clock["month"].lower()) + 1, day=int(clock["day"]))
        if when <= here:
            when = when.replace(year=when.year + 1)
    elif when <= here:
        when += dt.timedelta(days=1)
    return when.astimezone(dt.UTC).replace(tzinfo=None)
