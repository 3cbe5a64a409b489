"""Accesses that two sources saw: which row of a server or a workspace is which row of a transcript."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .filters import Filter

if TYPE_CHECKING:
    from .store import Reader

APART = dt.timedelta(minutes=2)
"""The same access is told by two sources with no more than this between them."""

PREVIEW = 180
"""A server keeps the first 200 characters of a query; one this long may be cut, with blanks at its end dropped."""

_AROUND = dt.timedelta(days=1)
"""How far beyond the days of a filter accesses are compared: who is near an end still finds the same partner."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The access `other` of a server or workspace is the access `kept` of a transcript.

    Or, if it `is_extra`, it is one more that the same call made: a loop asks many times, and a transcript shows its
    words once. Both are told by the numbers of their rows, which hold as long as the transaction.
    """

    kept: int
    other: int
    is_extra: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    kept: int
    other: int
    may_be_extra: bool


def pairs_of(connection: Reader, chosen: Filter) -> list[Pair]:
    """The accesses that two sources saw, each in one pair at most: the closest in time go together.

    Of the filter only the days count.
    """
    if connection.value("SELECT 1 FROM accesses WHERE seen_in <> 'transcript' LIMIT 1") is None:
        return []
    near, parameters = _near(chosen)
    found: list[Pair] = []
    kept: set[int] = set()
    others: set[int] = set()
    candidates = connection.ask(_Candidate, _candidates(near), parameters | {"apart": APART})
    for pair in candidates:
        if pair.kept not in kept and pair.other not in others:
            kept.add(pair.kept)
            others.add(pair.other)
            found.append(Pair(pair.kept, pair.other))
    for pair in candidates:
        if pair.may_be_extra and pair.other not in others:
            others.add(pair.other)
            found.append(Pair(pair.kept, pair.other, is_extra=True))
    return found


def _near(chosen: Filter) -> tuple[str, dict[str, Any]]:
    start, end = chosen.start(), chosen.end()
    conditions, parameters = ["true"], {}
    if start is not None:
        conditions.append("a.ts >= $near_start")
        parameters["near_start"] = start - _AROUND
    if end is not None:
        conditions.append("a.ts < $near_end")
        parameters["near_end"] = end + _AROUND
    return " AND ".join(conditions), parameters


def _candidates(near: str) -> str:
    """All that may be pairs, the closest first.

    What was denied reached no server, and what failed left no snapshot. From the call to its result any moment may be
    the server's: the result waits for the user's permission, and for the server. What ended otherwise is another
    access, but for two cases within the call: its script went on after a query that failed, and a call of several
    accesses, of which only one may have failed.
    """
    # Time first: the texts of queries are compared only where the times leave a chance.
    return f"""
    WITH others AS MATERIALIZED (
        SELECT a.rowid AS number, seen_in, action, resource, username, sql, ts, client_kind,
            coalesce(starts_with(result, 'error'), false) AS failed,
            regexp_extract(path, '([^/\\\\]*)[.]meta[.]json$', 1) AS snapshot
        FROM accesses a WHERE seen_in <> 'transcript' AND {near}
    ),
    calls AS (
        SELECT a.rowid AS number, a.id, a.call_id, a.action, a.resource, a.username, a.sql, a.command, c.is_error,
            a.ts AS began, greatest(a.ts, coalesce(c.result_ts, a.ts)) AS ended
        FROM accesses a LEFT JOIN tool_calls c ON c.id = a.call_id
        WHERE a.seen_in = 'transcript' AND c.denial IS NULL AND {near}
            AND split_part(a.action, '.', 1) IN (SELECT split_part(action, '.', 1) FROM others)
            AND (a.action IN ('snapshot.create', 'snapshot.refresh') OR starts_with(a.action, 'query.'))
    ),
    close AS MATERIALIZED (
        SELECT c.number AS kept, o.number AS other, c.began, c.ended, o.ts, c.action, c.resource, c.sql, c.is_error,
            c.call_id, c.command, o.action AS other_action, o.resource AS other_resource, o.sql AS other_sql, o.failed,
            o.snapshot, o.client_kind,
            greatest(epoch_us(c.began) - epoch_us(o.ts), epoch_us(o.ts) - epoch_us(c.ended), 0) AS gap
        FROM calls c JOIN others o ON o.ts >= c.began - $apart AND o.ts <= c.ended + $apart
            AND split_part(c.action, '.', 1) = split_part(o.action, '.', 1)
        WHERE c.username IS NULL OR o.username IS NULL OR c.username = o.username
    ),
    worded AS (
        SELECT *, {_normal("sql")} AS query, {_normal("other_sql")} AS other_query,
            call_id IN (
                SELECT call_id FROM accesses WHERE call_id IN (SELECT call_id FROM close)
                GROUP BY call_id HAVING count(*) > 1
            ) AS has_company
        FROM close
    ),
    alike AS (
        SELECT *, coalesce(gap = 0 AND contains(query, '$') AND {_FITS}, false) AS fits,
            CASE WHEN length(other_sql) >= {PREVIEW} THEN starts_with(query, other_query)
                 ELSE query = other_query END AS is_same
        FROM worded
    )
    SELECT kept, other,
        coalesce(gap = 0 AND starts_with(action, 'query.') AND client_kind IS DISTINCT FROM 'web'
            AND regexp_matches(command, {_REPEATS}), false) AS may_be_extra
    FROM alike
    WHERE CASE
        WHEN action = 'snapshot.refresh' THEN other_action IN ('snapshot.create', 'snapshot.refresh')
            AND resource = 'table:' || snapshot
        WHEN action = 'snapshot.create' THEN other_action = action AND other_resource = resource
        ELSE is_same OR fits END
        AND (is_error IS NULL OR is_error = failed OR gap = 0 AND (has_company OR failed))
    ORDER BY gap, coalesce(is_error <> failed, true), NOT is_same, client_kind IS NOT DISTINCT FROM 'web',
        abs(epoch_us(ts) - epoch_us(ended)), began, kept, ts, other
    """


_REPEATS = r"'(?i)\b(for|foreach|foreach-object|while|until|xargs|parallel)\b'"
"""SQL: what a script says that does something several times."""

_PATTERN = r"regexp_replace(regexp_replace(query, '([!%_])', '!\1', 'g'), '\$(\w+|\{[^}]*\}|\([^)]*\))', '%', 'g')"
"""SQL: a query in whose words a script puts values, as a pattern."""

_FITS = f"""CASE WHEN length(other_sql) >= {PREVIEW} THEN starts_with(other_query, regexp_extract(query, '^[^$]*'))
    ELSE other_query LIKE {_PATTERN} ESCAPE '!' END"""


def _normal(sql: str) -> str:
    """SQL of a query in which blanks, the case of letters and a semicolon at the end do not make another one."""
    return rf"rtrim(trim(regexp_replace(lower({sql}), '\s+', ' ', 'g')), '; ')"
