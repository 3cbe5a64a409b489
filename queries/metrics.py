"""How the work goes: times of calls in classes, calls and prompts by hour, rates, sizes and errors."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import matching, timing
from .attribution import OF_PROMPTS, REST, Attributed, attributed
from .executed import CLASSES_MS, class_of, executed, milliseconds
from .filters import Filter, within
from .hand_over_facts import Spent
from .periods import every_day
from .rollups import day_of
from .threads import LIVE_FOR
from .tokens import detailed, where_of

if TYPE_CHECKING:
    from .store import Reader

HOURS = 24

EXCELLENT, GOOD = 0.05, 0.1
"""Error rates up to which things go excellently, or well; as HtmlGraph has them."""


def _says(words: str) -> str:
    return f"regexp_matches(said, '{words}')"


_SHELLS = ", ".join(
    f"'{name}'" for name in ("bash", "shell", "exec", "execcommand", "localshell", "powershell", "runshellcommand")
)

_ERRORS = {
    "denied": "denial IS NOT NULL",
    "timeout": _says("timed out|timeout"),
    "no permission": _says("permission denied|eacces|not permitted|requires approval|forbidden|unauthorized|sandbox"),
    "interrupted": _says("interrupt|cancel|aborted|killed|sibling"),
    "command failed": f"replace(lower(name), '_', '') IN ({_SHELLS})",
    "stale or unread": _says(
        "has not been read|modified since|string to replace|matches of the string|verification failed"
    ),
    "not found": _says("no such file|does not exist|not found|enoent|cannot find"),
    "bad input": _says("invalid|missing required|unexpected parameter|failed to parse|too large|exceeds|eisdir"),
    "network": _says("network|econn|connect|socket|status code [45]|fetch failed"),
}
"""Class of an error -> the SQL of it over the call and `said`, its line in small letters; the first one counts."""

OTHER = "other"


@dataclass(frozen=True, slots=True)
class ClassOfTime:
    """Calls that ran less than `below_ms`, and not in the class before; None: without an end."""

    below_ms: int | None
    count: int


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """How many there are of something with a name."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class DayOfCalls:
    """The calls of a day."""

    day: dt.date
    count: int
    errors: int


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour, that begins at `hour` (UTC without a zone)."""

    hour: dt.datetime
    prompts: int
    tool_calls: int


@dataclass(frozen=True, slots=True)
class Responses:
    """The size of responses in tokens, all kinds together, and the time to their first row in milliseconds."""

    count: int
    avg_tokens: float | None
    peak_tokens: int | None
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """All of it, of what matches."""

    calls: int
    """All that match, finished or not; what `by_tool` counts has slash commands besides."""
    classes: tuple[ClassOfTime, ...]
    by_tool: tuple[Attributed, ...]
    rest: Spent
    error_classes: tuple[ErrorClass, ...]
    daily: tuple[DayOfCalls, ...]
    by_hour: tuple[Hour, ...]
    responses: Responses
    error_ratio: float | None
    """Errors among the finished calls."""
    events_per_minute: float
    """Prompts, responses and tool calls in the last five minutes."""
    api_errors: int
    """Errors that the model's service answered with; none of them is a call."""


@dataclass(frozen=True, slots=True)
class _Call:
    class_number: int | None
    error_class: str | None
    day: dt.date | None
    count: int
    errors: int
    finished: int


def metrics(connection: Reader, chosen: Filter, *, now: dt.datetime) -> Metrics:
    """All metrics of what matches; `now` is UTC without a zone: hours and rate are those that end with it."""
    calls = _calls(connection, chosen)
    table = attributed(connection, chosen)
    finished, errors = sum(row.finished for row in calls), sum(row.errors for row in calls)
    by_hour, rate = _hours(connection, chosen, now)
    rests = [row for row in table if row.kind == REST]
    return Metrics(
        calls=sum(row.count for row in calls),
        classes=tuple(
            ClassOfTime(edge, sum(row.count for row in calls if row.class_number == number))
            for number, edge in enumerate(CLASSES_MS)
        ),
        by_tool=tuple(row for row in table if row.kind != REST),
        rest=rests[0] if rests else Spent(),
        error_classes=_error_classes(calls),
        daily=_days(calls, chosen),
        by_hour=by_hour,
        responses=_responses(connection, chosen),
        error_ratio=errors / finished if finished else None,
        events_per_minute=rate,
        api_errors=_api_errors(connection, chosen),
    )


def _calls(connection: Reader, chosen: Filter) -> list[_Call]:
    """The calls that match, counted by all that is asked of them at once."""
    where = matching.calls_where(chosen)
    kinds = " ".join(f"WHEN {condition} THEN '{name}'" for name, condition in _ERRORS.items())
    return connection.ask(
        _Call,
        f"""
        SELECT class_number, error_class, day, count(*) AS count, count(*) FILTER (is_error) AS errors,
            count(*) FILTER (is_error IS NOT NULL) AS finished
        FROM (
            SELECT CASE WHEN {executed()} THEN {class_of(milliseconds())} END AS class_number, is_error,
                CASE WHEN is_error THEN CASE {kinds} ELSE '{OTHER}' END END AS error_class, day
            FROM (SELECT *, lower(coalesce(error_text, '')) AS said FROM {matching.calls(chosen)}) WHERE {where}
        ) GROUP BY ALL""",
        where.parameters,
    )


def _error_classes(calls: list[_Call]) -> tuple[ErrorClass, ...]:
    counts: dict[str, int] = {}
    for row in calls:
        if row.error_class is not None:
            counts[row.error_class] = counts.get(row.error_class, 0) + row.errors
    return tuple(
        ErrorClass(name, count) for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _days(calls: list[_Call], chosen: Filter) -> tuple[DayOfCalls, ...]:
    """Every day from the first to the last one with a call, or of the range that was asked for."""
    counts: dict[dt.date, tuple[int, int]] = {}
    for row in calls:
        if row.day is not None:
            count, errors = counts.get(row.day, (0, 0))
            counts[row.day] = (count + row.count, errors + row.errors)
    if not counts:
        return ()
    return tuple(DayOfCalls(day, *counts.get(day, (0, 0))) for day in every_day(chosen, counts))


def _moments(chosen: Filter) -> tuple[str, dict[str, object]]:
    """SQL of the times of prompts, responses and calls that match, each with what it is."""
    typed, made, used = matching.prompts_where(chosen), matching.calls_where(chosen), where_of(chosen)
    typed.by(chosen, OF_PROMPTS)
    matching.with_text(typed, chosen)
    sql = f"""
        SELECT 'prompt' AS what, ts FROM (
            SELECT p.*, s.project, coalesce(s.username, p.username) AS owner, coalesce(p.agent, s.agent) AS told_by,
                coalesce(p.machine, s.machine) AS told_on
            FROM (FROM prompts WHERE kind = 'prompt' AND ts BETWEEN $from_here AND $to_here) p
            LEFT JOIN sessions s ON s.session_id = p.session_id
        ) WHERE {typed}
        UNION ALL SELECT 'call', ts FROM {matching.calls(chosen)} WHERE {made} AND ts BETWEEN $from_here AND $to_here
        UNION ALL SELECT 'response', ts FROM {detailed(chosen)}
            WHERE {used} AND kind = 'turn' AND ts BETWEEN $from_here AND $to_here
    """
    return sql, typed.parameters | made.parameters | used.parameters


def _hours(connection: Reader, chosen: Filter, now: dt.datetime) -> tuple[tuple[Hour, ...], float]:
    """The last 24 hours, the running one last, all of them, zeros too; and the events a minute in the last minutes."""
    last = now.replace(minute=0, second=0, microsecond=0)
    first = last - dt.timedelta(hours=HOURS - 1)
    sql, parameters = _moments(chosen)
    found = connection.rows(
        f"""SELECT date_trunc('hour', ts), count(*) FILTER (what = 'prompt'), count(*) FILTER (what = 'call'),
            count(*) FILTER (ts >= $lately) FROM ({sql}) GROUP BY 1""",
        parameters | {"from_here": min(first, now - LIVE_FOR), "to_here": now, "lately": now - LIVE_FOR},
    )
    known = {hour: Hour(hour, prompts, calls) for hour, prompts, calls, _ in found}
    hours = (first + dt.timedelta(hours=number) for number in range(HOURS))
    rate = sum(count for *_, count in found) / (LIVE_FOR.total_seconds() / 60)
    return tuple(known.get(hour, Hour(hour, 0, 0)) for hour in hours), rate


def _responses(connection: Reader, chosen: Filter) -> Responses:
    """Sizes and times at once; the times are those of `timing`: of the main agent, or of the type that is asked for."""
    where = where_of(chosen)
    own = "true" if chosen.subagent_type is not None else "subagent_id IS NULL AND NOT is_sidechain"
    return connection.one(
        Responses,
        f"""
        SELECT count, avg_tokens, peak_tokens, times[1] AS p50_ms, times[2] AS p90_ms, times[3] AS p99_ms FROM (
            SELECT count(*) FILTER (responses = 1) AS count,
                (avg(total_tokens) FILTER (responses = 1))::DOUBLE AS avg_tokens,
                max(total_tokens) FILTER (responses = 1) AS peak_tokens,
                quantile_cont(({timing.SAMPLES["response"]})::DOUBLE, [0.5, 0.9, 0.99])
                    FILTER ({timing.VALID["response"]} AND kind = 'turn' AND {own}) AS times
            FROM {detailed(chosen)} WHERE {where}
        )""",
        where.parameters,
    )


def _api_errors(connection: Reader, chosen: Filter) -> int:
    """Errors of the service by their session and time; what is asked about responses is not known of them."""
    if matching.asks_responses(chosen):
        return 0
    from .filters import Where

    where = Where().by(
        chosen,
        OF_PROMPTS | {"day": "day"},
    )
    matching.with_text(where, chosen)
    errors = f"(FROM {within(chosen, 'events')} WHERE kind = 'api_error')"
    row = connection.execute(
        f"""SELECT count(*) FROM (
            SELECT e.session_id, s.project, coalesce(e.agent, s.agent) AS told_by,
                coalesce(e.machine, s.machine) AS told_on,
                coalesce(s.username, e.username) AS owner, {day_of("e.ts", "$zone")} AS day
            FROM {errors} e LEFT JOIN sessions s ON s.session_id = e.session_id
        ) WHERE {where}""",
        where.parameters | {"zone": chosen.zone},
    ).fetchone()
    return 0 if row is None else int(row[0])
