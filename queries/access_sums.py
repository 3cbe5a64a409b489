"""What a selection of data accesses adds up to: by day, table, place and action, and which took longest.

A `Selection` keeps what the filters leave for the time of one reading, so that all its answers speak of the same rows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import access_facts
from .access import OLDER, ORDER, AccessRow, Which, conditions, cut_page
from .cursor import Cursor
from .filters import Filter, Where
from .rollups import day_of

if TYPE_CHECKING:
    from .store import Reader

_SELECTED = "selected_accesses"

_OUTCOMES = """count(*) AS accesses, count(*) FILTER (outcome = 'failed') AS failed,
    count(*) FILTER (outcome = 'denied') AS denied,
    count(*) FILTER (outcome NOT IN ('running', 'interrupted')) AS finished"""

TABLE_ORDERS = {
    "name": "lower(name)",
    "reads": "reads",
    "writes": "writes",
    "failed": "failed",
    "last_read_at": "last_read_at",
    "rows_returned": "rows_returned",
}
"""What tables can be sorted by -> the SQL of it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of accesses. `finished` ones have a result; `failed` does not have the `denied` ones in it."""

    accesses: int
    failed: int
    denied: int
    finished: int

    @property
    def error_rate(self) -> float | None:
        """Failed among finished; None if none is finished."""
        return self.failed / self.finished if self.finished else None


@dataclass(frozen=True, slots=True)
class AccessSums(Counted):
    """Sums over a selection. Reads and writes are all of it; what reads and writes is a write."""

    reads: int
    writes: int
    running: int
    interrupted: int
    tables: int
    """Different tables read or written."""
    queries: int
    local: int
    remote: int
    """See `access.PLACES`."""
    rows_returned: int | None
    """None if no access tells."""
    bytes_scanned: int | None
    files_read: int
    """Different ones, as `files_written`."""
    files_written: int
    searches: int
    """In files."""
    web: int


@dataclass(frozen=True, slots=True)
class FileUse:
    """How a file was used; `project` is that of the access that touched it last."""

    name: str
    project: str | None
    reads: int
    writes: int
    failed: int
    denied: int
    sessions: int
    last_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class DayAccesses:
    """Accesses of a group of actions on a calendar day of the filter's zone. Those without a time are on no day."""

    day: dt.date
    action_group: str
    accesses: int
    reads: int
    failed: int


@dataclass(frozen=True, slots=True)
class TableUse:
    """How a table was used. `rows_returned` are those of the queries that read it, whatever else they read."""

    name: str
    reads: int
    writes: int
    failed: int
    last_read_at: dt.datetime | None
    rows_returned: int | None


@dataclass(frozen=True, slots=True)
class PlaceUse(Counted):
    """Accesses by where the data was, see `access.PLACES`. Times are milliseconds."""

    place: str
    rows_returned: int | None
    bytes_scanned: int | None
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class ActionUse(Counted):
    """Accesses of one action. Times are milliseconds, of those that did not fail."""

    action: str
    rows_returned: int | None
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class AccessPage:
    """Rows, newest first. `before` are newer; `older` is the cursor of the next page, None at the end."""

    rows: list[AccessRow]
    before: int
    older: Cursor | None


class Selection:
    """The accesses that the filters leave. One connection keeps one at a time: a new one replaces it."""

    def __init__(self, connection: Reader, chosen: Filter, which: Which, *, now: dt.datetime) -> None:
        """Select. `now` is UTC without a zone. KeyError for an unknown group."""
        self._connection = connection
        self._zone = chosen.zone
        self._basis = access_facts.accesses(connection, chosen, now)
        where = conditions(chosen, which)
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE {_SELECTED} AS
            SELECT number, id, timestamp, matched_at, action, action_group, outcome, place, writes, duration_ms,
                rows_returned, bytes_scanned, tables_read, tables_written, resource, project, session_id
            FROM ({self._basis.sql}) WHERE {where}""",
            self._basis.parameters | where.parameters,
        )

    def page(self, cursor: Cursor | None = None, limit: int = 500) -> AccessPage:
        """A page of rows, from the newest or from a cursor on."""
        where = Where()
        if cursor is not None:
            where.add(OLDER, cursor_ts=cursor.timestamp, cursor_id=cursor.id)
        numbers = f"SELECT number FROM {_SELECTED} WHERE {where} ORDER BY {ORDER} LIMIT {int(limit) + 1}"
        rows, older = cut_page(self._rows(numbers, ORDER, where), limit)
        before = 0
        if cursor is not None:
            newer = f"SELECT count(*) FROM {_SELECTED} WHERE NOT {OLDER}"
            before = int(self._connection.value(newer, where.parameters))
        return AccessPage(rows, before, older)

    def _rows(self, numbers: str, order: str, where: Where | None = None) -> list[AccessRow]:
        found = self._connection.rows(numbers, where.parameters if where else {})
        return self._connection.ask(
            AccessRow,
            f"SELECT * FROM ({self._basis.some}) ORDER BY {order}",
            self._basis.parameters | {"numbers": [number for (number,) in found]},
        )

    def sums(self) -> AccessSums:
        """Sums over all of it."""
        return self._connection.one(
            AccessSums,
            f"""SELECT {_OUTCOMES}, count(*) FILTER (NOT writes) AS reads, count(*) FILTER (writes) AS writes,
                count(*) FILTER (outcome = 'running') AS running,
                count(*) FILTER (outcome = 'interrupted') AS interrupted,
                count(*) FILTER (action_group = 'query') AS queries,
                count(*) FILTER (place = 'local') AS local, count(*) FILTER (place = 'remote') AS remote,
                sum(rows_returned)::BIGINT AS rows_returned, sum(bytes_scanned)::BIGINT AS bytes_scanned,
                count(DISTINCT resource) FILTER (action = 'file.read') AS files_read,
                count(DISTINCT resource) FILTER (action = 'file.write') AS files_written,
                count(*) FILTER (action = 'file.search') AS searches,
                count(*) FILTER (action_group = 'web') AS web,
                (SELECT count(DISTINCT name) FROM
                    (SELECT unnest(list_concat(tables_read, tables_written)) AS name FROM {_SELECTED})) AS tables
            FROM {_SELECTED}""",
        )

    def by_day(self) -> list[DayAccesses]:
        """Every day with an access, oldest first, by group of actions."""
        day = day_of("matched_at", "$zone")
        return self._connection.ask(
            DayAccesses,
            f"""SELECT {day} AS day, action_group, count(*) AS accesses, count(*) FILTER (NOT writes) AS reads,
                count(*) FILTER (outcome = 'failed') AS failed
            FROM {_SELECTED} WHERE matched_at IS NOT NULL GROUP BY ALL ORDER BY ALL""",
            {"zone": self._zone},
        )

    def tables(self, *, order: str = "reads", descending: bool = True, limit: int = 100) -> list[TableUse]:
        """The tables read or written, sorted by one of TABLE_ORDERS (KeyError for others)."""
        direction = "DESC" if descending else "ASC"
        return self._connection.ask(
            TableUse,
            f"""SELECT name, count(*) FILTER (is_read) AS reads, count(*) FILTER (is_written) AS writes,
                count(*) FILTER (outcome = 'failed') AS failed,
                max(timestamp) FILTER (is_read) AS last_read_at,
                sum(rows_returned) FILTER (is_read)::BIGINT AS rows_returned
            FROM (
                SELECT name, list_contains(tables_read, name) AS is_read,
                    list_contains(tables_written, name) AS is_written, * EXCLUDE (tables_read, tables_written)
                FROM (
                    SELECT *, unnest(list_distinct(list_concat(tables_read, tables_written))) AS name FROM {_SELECTED}
                )
            ) GROUP BY name
            ORDER BY {TABLE_ORDERS[order]} {direction} NULLS LAST, reads DESC, writes DESC, name LIMIT {int(limit)}""",
        )

    def files(self) -> list[FileUse]:
        """The files that were read or written, those touched most first: 100 at most."""
        return self._connection.ask(
            FileUse,
            f"""SELECT resource AS name,
                arg_max(project, (timestamp, project)) FILTER (timestamp IS NOT NULL) AS project,
                count(*) FILTER (NOT writes) AS reads, count(*) FILTER (writes) AS writes,
                count(*) FILTER (outcome = 'failed') AS failed,
                count(*) FILTER (outcome = 'denied') AS denied, count(DISTINCT session_id) AS sessions,
                max(timestamp) AS last_at
            FROM {_SELECTED} WHERE action IN ('file.read', 'file.write') AND resource IS NOT NULL GROUP BY resource
            ORDER BY count(*) DESC, max(timestamp) DESC NULLS LAST, name LIMIT 100""",
        )

    def places(self) -> list[PlaceUse]:
        """By where the data was, the most used first."""
        return self._connection.ask(
            PlaceUse,
            f"""SELECT place, {_OUTCOMES}, sum(rows_returned)::BIGINT AS rows_returned,
                sum(bytes_scanned)::BIGINT AS bytes_scanned, {_TIMES}
            FROM {_SELECTED} GROUP BY place ORDER BY accesses DESC, place""",
        )

    def actions(self) -> list[ActionUse]:
        """By action, the most used first."""
        return self._connection.ask(
            ActionUse,
            f"""SELECT action, {_OUTCOMES}, sum(rows_returned)::BIGINT AS rows_returned, {_TIMES}
            FROM {_SELECTED} GROUP BY action ORDER BY accesses DESC, action""",
        )

    def slowest(self, limit: int = 20) -> list[AccessRow]:
        """The queries that took longest, those that failed included."""
        numbers = f"""SELECT number FROM {_SELECTED} WHERE action_group = 'query' AND duration_ms IS NOT NULL
            AND outcome IN ('success', 'failed') ORDER BY duration_ms DESC, id LIMIT {int(limit)}"""
        return self._rows(numbers, "duration_ms DESC, id")


_TIMES = """quantile_cont(duration_ms, 0.5) FILTER (outcome IN ('success', 'failed')) AS p50_ms,
    quantile_cont(duration_ms, 0.95) FILTER (outcome IN ('success', 'failed')) AS p95_ms"""
