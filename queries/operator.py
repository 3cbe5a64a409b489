"""What the people of a store did: for whoever runs an Agnes server, or keeps the store of a team.

One question over facts, by username: a server's folder and the store of a team have them alike. Rows without one are of
whoever uses this machine.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import access_facts
from .filters import Filter, Where, is_user
from .matching import by_session
from .money import exact_sum
from .plugins import SOURCES, source_of
from .rollups import day_of

if TYPE_CHECKING:
    from .store import Reader

DAYS = 30
"""Days that are told where the filter names none, today among them."""

LATE = "INTERVAL 1 DAY"
"""SQL: a session that came to the server longer after it began is late."""


@dataclass(frozen=True, slots=True)
class PersonActivity:
    """What one person did. A session counts on the days on which somebody spoke in it."""

    username: str | None
    sessions: int
    active_days: int
    active_seconds: float
    """Of all sessions, without breaks of more than ten minutes; sessions side by side count each."""
    prompts: int
    tool_calls: int
    tool_errors: int
    skills: int
    """Skills invoked, however often the same."""
    tokens_total: int
    cost_usd: float | None
    """NULL where no price is known."""
    queries: int
    failed_queries: int
    late_sessions: int
    """Of a server's folder: files that were written last more than a day after the session began."""
    last_active_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class PeopleSkill:
    """A skill, by how often it was invoked."""

    name: str
    source: str
    """Where it is from, see `plugins`."""
    invocations: int
    errors: int
    people: int


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """A table, by how often it was read or written."""

    name: str
    accesses: int
    failed: int
    people: int
    last_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class PeopleDay:
    """A calendar day of the filter's zone on which somebody did something."""

    day: dt.date
    people: int
    sessions: int
    prompts: int
    active_seconds: float


@dataclass(frozen=True, slots=True)
class Operated:
    """All that is told of the people, and of which days."""

    since: dt.date
    until: dt.date
    people: list[PersonActivity]
    skills: list[PeopleSkill]
    tables: list[PeopleTable]
    days: list[PeopleDay]

    def calendar(self) -> list[dt.date]:
        """Every day of it, the first and the last included."""
        return [self.since + dt.timedelta(days=number) for number in range((self.until - self.since).days + 1)]


def window(chosen: Filter, today: dt.date) -> Filter:
    """The filter with its days, or with the last `DAYS` up to today where it names none."""
    until = chosen.until or max(today, chosen.since or today)
    return chosen.but(since=chosen.since or until - dt.timedelta(days=DAYS - 1), until=until)


def operated(connection: Reader, chosen: Filter, *, now: dt.datetime, today: dt.date, limit: int = 20) -> Operated:
    """What the people did in the days of the filter, else in the last 30; at most `limit` skills and tables.

    `now` is UTC without a zone; `today` is the day in the filter's zone. Of the filter count days, project, agent,
    session, person and text.
    """
    chosen = window(chosen, today)
    assert chosen.since is not None and chosen.until is not None
    return Operated(
        chosen.since,
        chosen.until,
        _people(connection, chosen, now),
        _skills(connection, chosen, limit),
        _tables(connection, chosen, now, limit),
        _days(connection, chosen),
    )


def _moments(chosen: Filter) -> tuple[str, Where]:
    """The common tables of what people did in the days, and what they are filtered by.

    `spans` is cut at the ends of the days; `whose` are the sessions that the filter leaves.
    """
    where = by_session(chosen).add("true", start=chosen.start(), end=chosen.end())
    inside = "ts >= $start AND ts < $end AND session_id IN (SELECT session_id FROM whose)"
    return (
        f"""
        whose AS MATERIALIZED (SELECT session_id, username, started_at FROM sessions WHERE {where}),
        spans AS (
            SELECT session_id, greatest(started_at, $start) AS began, least(ended_at, $end) AS ended
            FROM activity
            WHERE session_id IN (SELECT session_id FROM whose) AND started_at < $end AND ended_at >= $start
        ),
        asked AS (SELECT session_id, ts FROM prompts WHERE kind = 'prompt' AND {inside}),
        called AS (
            SELECT session_id, ts, skill, is_error, is_builtin, machine FROM tool_calls
            WHERE name IS NOT NULL AND {inside}
        ),
        answered AS (SELECT session_id, ts, total_tokens, cost_usd FROM responses WHERE {inside})""",
        where,
    )


def _people(connection: Reader, chosen: Filter, now: dt.datetime) -> list[PersonActivity]:
    common, where = _moments(chosen)
    basis = access_facts.accesses(connection, chosen, now)
    day = day_of("ts", "$zone")
    return connection.ask(
        PersonActivity,
        f"""
        WITH {common},
        moments AS (
            SELECT session_id, ts FROM asked UNION ALL SELECT session_id, ts FROM called
            UNION ALL SELECT session_id, ts FROM answered
            UNION ALL SELECT session_id, began FROM spans UNION ALL SELECT session_id, ended FROM spans
        ),
        seen AS (
            SELECT username, count(DISTINCT session_id) AS sessions, count(DISTINCT {day}) AS active_days,
                max(ts) AS last_active_at
            FROM moments JOIN whose USING (session_id) WHERE ts < $end GROUP BY username
        ),
        active AS (
            SELECT username, sum(epoch_ms(ended) - epoch_ms(began)) / 1000 AS active_seconds
            FROM spans JOIN whose USING (session_id) GROUP BY username
        ),
        prompted AS (SELECT username, count(*) AS prompts FROM asked JOIN whose USING (session_id) GROUP BY username),
        worked AS (
            SELECT w.username, count(*) AS tool_calls, count(*) FILTER (is_error) AS tool_errors, count(skill) AS skills
            FROM called c JOIN whose w USING (session_id) GROUP BY w.username
        ),
        billed AS (
            SELECT username, sum(total_tokens) AS tokens_total, {exact_sum("cost_usd")} AS cost_usd
            FROM answered JOIN whose USING (session_id) GROUP BY username
        ),
        queried AS (
            SELECT a.username, count(*) AS queries, count(*) FILTER (outcome = 'failed') AS failed_queries
            FROM ({basis.sql}) a WHERE action_group = 'query' AND timestamp >= $start AND timestamp < $end
                AND (session_id IN (SELECT session_id FROM whose) OR session_id IS NULL AND {_others(chosen)})
            GROUP BY a.username
        ),
        late AS (
            SELECT w.username, count(DISTINCT w.session_id) AS late_sessions
            FROM files f JOIN whose w ON w.session_id = f.session_id
            WHERE f.source = 'agnes-server-folder' AND f.is_main AND w.started_at >= $start AND w.started_at < $end
                AND make_timestamp(f.mtime_ns // 1000) - w.started_at > {LATE}
            GROUP BY w.username
        ),
        names AS (SELECT username FROM seen UNION SELECT username FROM queried)
        SELECT n.username, coalesce(sessions, 0) AS sessions, coalesce(active_days, 0) AS active_days,
            coalesce(active_seconds, 0)::DOUBLE AS active_seconds, coalesce(prompts, 0) AS prompts,
            coalesce(tool_calls, 0) AS tool_calls, coalesce(tool_errors, 0) AS tool_errors,
            coalesce(skills, 0) AS skills, coalesce(tokens_total, 0)::BIGINT AS tokens_total, cost_usd,
            coalesce(queries, 0) AS queries, coalesce(failed_queries, 0) AS failed_queries,
            coalesce(late_sessions, 0) AS late_sessions, last_active_at
        FROM names n
        {_joined("seen", "active", "prompted", "worked", "billed", "queried", "late")}
        ORDER BY active_seconds DESC, prompts DESC, n.username NULLS LAST
        """,
        basis.parameters | where.parameters | {"zone": chosen.zone},
    )


def _others(chosen: Filter) -> str:
    """SQL: whether what belongs to no session counts: not where the filter is about sessions."""
    is_about_sessions = chosen.but(since=None, until=None, user=None) != Filter(zone=chosen.zone)
    if is_about_sessions:
        return "false"
    return "true" if chosen.user is None else is_user("a.username")


def _joined(*tables: str) -> str:
    """SQL: these tables beside the names; nobody's name is one, too."""
    return " ".join(f"LEFT JOIN {table} ON {table}.username IS NOT DISTINCT FROM n.username" for table in tables)


def _skills(connection: Reader, chosen: Filter, limit: int) -> list[PeopleSkill]:
    common, where = _moments(chosen)
    plugin = "split_part(skill, ':', 1)"
    source = source_of(
        plugin, "any_value(k.plugin_source)", "bool_and(c.machine IS NOT NULL OR w.username IS NOT NULL)"
    )
    return connection.ask(
        PeopleSkill,
        f"""WITH {common}
        SELECT skill AS name, CASE WHEN contains(skill, ':') THEN {source}
                WHEN bool_or(c.is_builtin) THEN 'builtin' ELSE 'own' END AS source,
            count(*) AS invocations, count(*) FILTER (is_error) AS errors,
            count(DISTINCT coalesce(w.username, '')) AS people
        FROM called c JOIN whose w USING (session_id) LEFT JOIN ({SOURCES}) k ON k.plugin = {plugin}
        WHERE skill IS NOT NULL GROUP BY skill ORDER BY invocations DESC, name LIMIT {int(limit)}""",
        where.parameters,
    )


def _tables(connection: Reader, chosen: Filter, now: dt.datetime, limit: int) -> list[PeopleTable]:
    common, where = _moments(chosen)
    basis = access_facts.accesses(connection, chosen, now)
    return connection.ask(
        PeopleTable,
        f"""WITH {common}
        SELECT name, count(*) AS accesses, count(*) FILTER (outcome = 'failed') AS failed,
            count(DISTINCT coalesce(username, '')) AS people, max(timestamp) AS last_at
        FROM (
            SELECT unnest(list_distinct(list_concat(tables_read, tables_written))) AS name, outcome, a.username,
                timestamp
            FROM ({basis.sql}) a WHERE timestamp >= $start AND timestamp < $end
                AND (session_id IN (SELECT session_id FROM whose) OR session_id IS NULL AND {_others(chosen)})
        ) GROUP BY name ORDER BY accesses DESC, failed DESC, name LIMIT {int(limit)}""",
        basis.parameters | where.parameters,
    )


def _days(connection: Reader, chosen: Filter) -> list[PeopleDay]:
    common, where = _moments(chosen)
    day, prompted, began = day_of("ts", "$zone"), day_of("ts", "$zone"), day_of("began", "$zone")
    return connection.ask(
        PeopleDay,
        f"""WITH {common},
        seen AS (
            SELECT {day} AS day, count(DISTINCT coalesce(username, '')) AS people,
                count(DISTINCT session_id) AS sessions
            FROM (
                SELECT session_id, ts FROM asked UNION ALL SELECT session_id, ts FROM called
                UNION ALL SELECT session_id, ts FROM answered
            ) JOIN whose USING (session_id) GROUP BY 1
        ),
        prompted AS (SELECT {prompted} AS day, count(*) AS prompts FROM asked GROUP BY 1),
        -- A span counts on the day on which it began.
        active AS (
            SELECT {began} AS day, sum(epoch_ms(ended) - epoch_ms(began)) / 1000 AS active_seconds FROM spans GROUP BY 1
        )
        SELECT day, coalesce(people, 0) AS people, coalesce(sessions, 0) AS sessions, coalesce(prompts, 0) AS prompts,
            coalesce(active_seconds, 0)::DOUBLE AS active_seconds
        FROM seen FULL JOIN prompted USING (day) FULL JOIN active USING (day) ORDER BY day""",
        where.parameters | {"zone": chosen.zone},
    )
