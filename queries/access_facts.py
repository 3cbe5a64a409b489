"""The SQL of data accesses: one row per access, whoever saw it.

A transcript knows the session and the command, the Agnes server what a query scanned and how long it took, a workspace
how large a snapshot is. Where two of them saw the same access it is one row: the transcript's, with what the others
know better.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .access_pairs import Pair, pairs_of
from .filters import Filter
from .sessions import LIVE_FOR
from .threads import threads_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RUNS_SQL = "regexp_matches({0}, '^(query|snapshot)[.]')"
"""SQL: whether an action is one of those that give back rows."""

REMOTE = ("query.remote", "query.hybrid", "query.internal", "snapshot.create", "snapshot.estimate", "snapshot.refresh")
"""Actions that ask another machine. Whatever a server logged ran there, too, also its own `query.local`."""

FAILED = "starts_with(result, 'error')"
"""SQL: whether an access failed; one that was denied never happened."""


@dataclass(frozen=True, slots=True)
class Basis:
    """How to select accesses: what was merged, what runs, and the parameters that the SQL needs."""

    pairs: tuple[Pair, ...]
    parameters: dict[str, Any]

    @property
    def sql(self) -> str:
        """All accesses, with the columns of `AccessRow` and some to filter by."""
        return _accesses("", merged=bool(self.pairs))

    @property
    def some(self) -> str:
        """Those whose `number` is in the list parameter `$numbers`."""
        return _accesses("WHERE rowid IN (SELECT unnest($numbers))", merged=bool(self.pairs))


def accesses(connection: DuckDBPyConnection, chosen: Filter, now: dt.datetime) -> Basis:
    """All accesses, told apart and merged, with the columns of `AccessRow` and some to filter by.

    Of the filter only the days count, and only to look for accesses that two sources saw near them. `now` (UTC without
    a zone) decides which calls without a result still run.
    """
    pairs = tuple(pairs_of(connection, chosen))
    parameters: dict[str, Any] = {"running": running_calls(connection, now)}
    if pairs:
        parameters |= {"kept": [pair.kept for pair in pairs], "other": [pair.other for pair in pairs]}
    return Basis(pairs, parameters)


def running_calls(connection: DuckDBPyConnection, now: dt.datetime) -> list[str]:
    """The tool calls that run: no result yet, and nothing says that they, or their session, are over."""
    live = [
        str(session)
        for (session,) in connection.execute(
            "SELECT session_id FROM sessions WHERE ended_at BETWEEN $now - $live AND $now + $live",
            {"now": now, "live": LIVE_FOR},
        ).fetchall()
    ]
    return [call.id for call in threads_of(connection, live, live=live, now=now).running] if live else []


def _accesses(only: str, *, merged: bool) -> str:
    """The question, for the rows of the store that `only` leaves.

    Needs the parameter `$running`, if some are merged also `$kept` and `$other`.
    """
    others, hidden = "(FROM accesses LIMIT 0) o ON false", ""
    if merged:
        others = """(
            SELECT p.kept, b.* FROM (SELECT unnest($kept) AS kept, unnest($other) AS other) p
            JOIN (SELECT *, rowid AS number FROM accesses WHERE rowid IN (SELECT unnest($other))) b
                ON b.number = p.other
        ) o ON o.kept = a.number"""
        hidden = "WHERE a.number NOT IN (SELECT unnest($other))"
    remote = ", ".join(f"'{action}'" for action in REMOTE)
    return f"""
    SELECT * EXCLUDE (told_error),
        CASE WHEN result = 'success' THEN NULL ELSE told_error END AS error,
        split_part(action, '.', 1) AS action_group,
        CASE WHEN {FAILED} THEN 'failed' WHEN result IN ('denied', 'running', 'interrupted') THEN result
             ELSE 'success' END AS outcome,
        CASE WHEN list_contains(seen_in, 'server') OR action IN ({remote}) THEN 'remote'
             WHEN starts_with(action, 'web.') THEN 'web' WHEN starts_with(action, 'catalog.') THEN 'catalog'
             ELSE 'local' END AS place,
        action = 'file.write' OR len(tables_written) > 0 AS writes
    FROM (
        SELECT a.id, a.ts AS timestamp, coalesce(o.action, a.action) AS action,
            CASE WHEN a.resource = 'adhoc' THEN coalesce(o.resource, a.resource) ELSE a.resource END AS resource,
            CASE WHEN coalesce(o.result, a.result) = 'ok' THEN 'success'
                 WHEN coalesce(o.result, a.result) = 'blocked' THEN 'denied'
                 WHEN coalesce(o.result, a.result) IS NOT NULL THEN coalesce(o.result, a.result)
                 WHEN a.call_id IS NULL THEN CASE WHEN a.error IS NULL THEN 'success' ELSE 'error' END
                 WHEN c.denial IS NOT NULL THEN 'denied' WHEN c.is_error THEN 'error'
                 WHEN c.is_error IS NOT NULL THEN 'success'
                 WHEN list_contains($running::VARCHAR[], a.call_id) THEN 'running' ELSE 'interrupted' END AS result,
            coalesce(o.duration_ms, a.duration_ms,
                CASE WHEN c.result_ts < c.ts THEN 0 ELSE epoch_ms(c.result_ts) - epoch_ms(c.ts) END) AS duration_ms,
            coalesce(o.rows_returned, a.rows_returned, CASE WHEN {_speaks_for("c.result_rows")} END) AS rows_returned,
            coalesce(o.bytes_scanned, a.bytes_scanned) AS bytes_scanned,
            CASE WHEN NOT c.is_error AND {_speaks_for("c.result_bytes")} END AS bytes_returned,
            coalesce(o.error, a.error, c.error_text) AS told_error,
            a.command, coalesce(a.sql, o.sql) AS sql,
            CASE WHEN len(a.tables_read) > 0 THEN a.tables_read ELSE coalesce(o.tables_read, []) END AS tables_read,
            CASE WHEN len(a.tables_written) > 0 THEN a.tables_written ELSE coalesce(o.tables_written, []) END
                AS tables_written,
            coalesce(a.statement, o.statement) AS statement, coalesce(a.dialect, o.dialect) AS dialect,
            a.session_id, s.title, coalesce(s.project, a.workspace) AS project,
            coalesce(o.client_kind, a.client_kind) AS client_kind,
            list_filter([a.seen_in, o.seen_in], lambda source: source IS NOT NULL) AS seen_in,
            coalesce(s.username, a.username) AS username, a.call_id, a.number, coalesce(h.accesses, 1) AS in_call
        FROM (SELECT *, rowid AS number FROM accesses {only}) a
        LEFT JOIN {others}
        LEFT JOIN tool_calls c ON c.id = a.call_id
        LEFT JOIN sessions s ON s.session_id = a.session_id
        LEFT JOIN (
            SELECT call_id, count(*) AS accesses, count(*) FILTER ({RUNS_SQL.format("action")}) AS queries
            FROM accesses WHERE call_id IS NOT NULL GROUP BY call_id HAVING count(*) > 1
        ) h ON h.call_id = a.call_id
        {hidden}
    )
    """


def _speaks_for(column: str) -> str:
    """SQL within CASE WHEN: what a call's result says goes to its only access, or to its only query.

    The rows of several queries in one call cannot be told apart, and nobody's are not counted twice. What looks like a
    number of rows in a file is none.
    """
    only = f"(h.call_id IS NULL OR (h.queries = 1 AND {RUNS_SQL.format('a.action')}))"
    if column == "c.result_rows":
        only += " AND regexp_matches(a.action, '^(query|snapshot|catalog)[.]')"
    return f"{only} THEN {column}"
