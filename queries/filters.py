"""The one filter that every number on a screen obeys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from .projects import is_project, spelled


class Hit(NamedTuple):
    """A text in which the text of a filter was found."""

    where: str
    """title, prompt, command, path, sql or error."""
    text: str
    id: str
    """Of the prompt, tool call, access, event or session that has it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions, responses and accesses count. Days are calendar days in `zone`, both ends included."""

    zone: str = "UTC"
    since: dt.date | None = None
    until: dt.date | None = None
    after: dt.datetime | None = None
    """Of those days only what is from this instant on, in UTC without a zone."""
    before: dt.datetime | None = None
    """Of those days only what is before this instant."""
    project: str | None = None
    """A project's path, or its last parts, as many as its name has or fewer."""
    agent: str | None = None
    """A coding agent, as facts name it: claude-code, codex, …"""
    machine: str | None = None
    """The machine that a source was copied from, as it was named."""
    model: str | None = None
    subagent_type: str | None = None
    session_id: str | None = None
    user: str | None = None
    branch: str | None = None
    """A git branch."""
    version: str | None = None
    """A version of the agent."""
    text: str = ""
    found: Mapping[str, Hit] | None = field(default=None, compare=False, repr=False)
    """The sessions with `text` in any of their texts, and one of these, where that was looked for."""

    def but(self, **changes: Any) -> Filter:
        """A copy with some fields changed."""
        return replace(self, **changes)

    @property
    def is_open(self) -> bool:
        """Whether nothing is filtered out."""
        return self == Filter(zone=self.zone)

    def start(self) -> dt.datetime | None:
        """The first instant that counts, in UTC without a zone."""
        day = None if self.since is None else _instant(self.since, self.zone)
        return max((moment for moment in (day, self.after) if moment is not None), default=None)

    def end(self) -> dt.datetime | None:
        """The first instant that does not count any more, in UTC without a zone."""
        day = None
        if self.until is not None:
            last = self.until == dt.date.max
            day = dt.datetime.max if last else _instant(self.until + dt.timedelta(days=1), self.zone)
        return min((moment for moment in (day, self.before) if moment is not None), default=None)

    @property
    def has_hours(self) -> bool:
        """Whether it is about less than whole days."""
        return self.after is not None or self.before is not None

    def between(self, first: dt.datetime, end: dt.datetime) -> Filter:
        """The same over what is from one instant on and before another, both in UTC without a zone."""
        last = max(first, end - dt.timedelta(microseconds=1))
        return self.but(since=_day(first, self.zone), until=_day(last, self.zone), after=first, before=end)


def _day(moment: dt.datetime, zone: str) -> dt.date:
    from zoneinfo import ZoneInfo

    return moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).date()


def within(chosen: Filter, rows: str, moment: str = "ts") -> str:
    """SQL of a table, or of its rows within the hours of a filter; `moment` is the column of their times, in UTC.

    For questions that know the day of a row only: those conditions are about days.
    """
    bounds = [f"{moment} {sign} TIMESTAMP '{at}'" for sign, at in ((">=", chosen.after), ("<", chosen.before)) if at]
    return f"(FROM {rows} WHERE {' AND '.join(bounds)})" if bounds else rows


def _instant(day: dt.date, zone: str) -> dt.datetime:
    from zoneinfo import ZoneInfo

    local = dt.datetime.combine(day, dt.time(), ZoneInfo(zone))
    try:
        return local.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError:
        # The very first or last day that there is, which begins outside of UTC's.
        return dt.datetime.min if day.year == 1 else dt.datetime.max


_LONG_ID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{24,64}"

LEAST = 4
"""Characters of a long id that are enough to name who has it."""


def is_user(column: str) -> str:
    """SQL: whether a person is the one that `$user` names, by the beginning if that is of a server's long id."""
    return (
        f"{column} = $user OR length($user) >= {LEAST} AND starts_with({column}, $user) "
        f"AND regexp_full_match({column}, '{_LONG_ID}')"
    )


class Where:
    """Conditions joined by AND, with their parameters."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.parameters: dict[str, Any] = {}

    def add(self, condition: str, **parameters: Any) -> Where:
        """Add an SQL condition that names its parameters `$name`; "true" adds parameters only."""
        if condition != "true":
            self._conditions.append(f"({condition})")
        self.parameters |= parameters
        return self

    def by(self, chosen: Filter, columns: Mapping[str, str]) -> Where:
        """Add the conditions of a filter; `columns` says which SQL expression each field is about, others are left out.

        `day` is for since and until as calendar days; `ts` for the same as instants in UTC.
        """
        if chosen.since is not None and "day" in columns:
            self.add(f"{columns['day']} >= $since", since=chosen.since)
        if chosen.until is not None and "day" in columns:
            self.add(f"{columns['day']} <= $until", until=chosen.until)
        first, end = (chosen.start(), chosen.end()) if "ts" in columns else (None, None)
        if first is not None:
            self.add(f"{columns['ts']} >= $start", start=first)
        if end is not None:
            self.add(f"{columns['ts']} < $end", end=end)
        if chosen.project is not None and "project" in columns:
            self.add(is_project(columns["project"], "$project"), project=spelled(chosen.project))
        if chosen.user is not None and "user" in columns:
            self.add(is_user(columns["user"]), user=chosen.user)
        for name in ("agent", "machine", "model", "subagent_type", "session_id", "branch", "version"):
            value = getattr(chosen, name)
            if value is not None and name in columns:
                self.add(f"{columns[name]} = ${name}", **{name: value})
        if chosen.text and "text" in columns:
            self.add(f"contains(lower({columns['text']}), lower($text))", text=chosen.text)
        return self

    def __str__(self) -> str:
        return " AND ".join(self._conditions) or "true"
