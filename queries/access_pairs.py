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

    Both are told by the numbers of their rows, which hold as long as the transaction.
    """

    kept: int
    other: int


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
    for pair in connection.ask(Pair, _candidates(near), parameters | {"apart": APART}):
        if pair.kept not in kept and pair.other not in others:
            kept.add(pair.kept)
            others.add(pair.other)
            found.append(pair)
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
    the server's: the result waits for the user's permission, and for the server.
    """
    # Time first: the texts of queries are compared only where the times leave a chance.
    return f"""
    WITH others AS MATERIALIZED (
        SELECT a.rowid AS number, seen_in, action, resource, username, sql, ts
        FROM accesses a WHERE seen_in <> 'transcript' AND {near}
    ),
    calls AS (
        SELECT a.rowid AS number, a.id, a.action, a.resource, a.username, a.sql, c.is_error,
            a.ts AS began, greatest(a.ts, coalesce(c.result_ts, a.ts)) AS ended
        FROM accesses a LEFT JOIN tool_calls c ON c.id = a.call_id
        WHERE a.seen_in = 'transcript' AND c.denial IS NULL AND {near}
            AND split_part(a.action, '.', 1) IN (SELECT split_part(action, '.', 1) FROM others)
            AND (a.action = 'snapshot.create' OR starts_with(a.action, 'query.'))
    ),
    close AS MATERIALIZED (
        SELECT c.number AS kept, o.number AS other, c.began, c.ended, o.ts, c.action, c.resource, c.sql, c.is_error,
            o.seen_in, o.action AS other_action, o.resource AS other_resource, o.sql AS other_sql
        FROM calls c JOIN others o ON o.ts >= c.began - $apart AND o.ts <= c.ended + $apart
        WHERE c.username IS NULL OR o.username IS NULL OR c.username = o.username
    )
    SELECT kept, other FROM (SELECT *, {_normal("sql")} AS query, {_normal("other_sql")} AS other_query FROM close)
    WHERE CASE
        WHEN action = 'snapshot.create' THEN other_action = action AND other_resource = resource
            AND (seen_in = 'server' OR is_error IS DISTINCT FROM true)
        WHEN NOT starts_with(other_action, 'query.') THEN false
        WHEN length(other_sql) >= {PREVIEW} THEN starts_with(query, other_query)
        ELSE query = other_query END
    ORDER BY greatest(epoch_us(began) - epoch_us(ts), epoch_us(ts) - epoch_us(ended), 0),
        abs(epoch_us(ts) - epoch_us(ended)), began, kept, ts, other
    """


def _normal(sql: str) -> str:
    """SQL of a query in which blanks, the case of letters and a semicolon at the end do not make another one."""
    return rf"rtrim(trim(regexp_replace(lower({sql}), '\s+', ' ', 'g')), '; ')"
