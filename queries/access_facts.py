"""The SQL of data accesses: one row per access, whoever saw it.

A transcript knows the session and the command, the Agnes server what a query scanned and how long it took, a workspace
how large a snapshot is. Where two of them saw the same access it is one row: the transcript's, with what the others
know better.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .access_pairs import Pair, pairs_of
from .filters import Filter
from .threads import LIVE_FOR, threads_of

if TYPE_CHECKING:
    from .store import Reader

RUNS_SQL = "regexp_matches({0}, '^(query|snapshot)[.]')"
"""SQL: whether an action is one of those that give back rows."""

REMOTE = ("query.remote", "query.hybrid", "query.internal", "snapshot.create", "snapshot.estimate", "snapshot.refresh")
"""Actions that ask another machine. Whatever a server logged ran there, too, also its own `query.local`."""

_TOOK = "CASE WHEN c.result_ts < c.ts THEN 0 ELSE epoch_ms(c.result_ts) - epoch_ms(c.ts) END"
"""SQL: milliseconds from a call to its result."""

FAILED = "starts_with(result, 'error')"
"""SQL: whether an access failed; one that was denied never happened."""


_WENT_ELSEWHERE = "'running server-side'"
"""SQL: what `agnes query` says when it does not find the data on this machine."""

_SNAPSHOTS = "SELECT name, max(table_id) AS table_id FROM snapshots GROUP BY name HAVING count(DISTINCT table_id) = 1"
"""SQL: which table a snapshot is of, by its name, where no two workspaces disagree."""


@dataclass(frozen=True, slots=True)
class Basis:
    """How to select accesses: what was merged, what runs, and the parameters that the SQL needs."""

    pairs: tuple[Pair, ...]
    parameters: dict[str, Any]

    @property
    def sql(self) -> str:
        """All accesses, with the columns of `AccessRow` and some to filter by."""
        return _accesses("", self.pairs)

    @property
    def some(self) -> str:
        """Those whose `number` is in the list parameter `$numbers`."""
        return _accesses("WHERE rowid IN (SELECT unnest($numbers))", self.pairs)


def accesses(connection: Reader, chosen: Filter, now: dt.datetime) -> Basis:
    """All accesses, told apart and merged, with the columns of `AccessRow` and some to filter by.

    Of the filter only the days count, and only to look for accesses that two sources saw near them. `now` (UTC without
    a zone) decides which calls without a result still run.
    """
    pairs = tuple(pairs_of(connection, chosen))
    parameters: dict[str, Any] = {"running": running_calls(connection, now)}
    merged, extra = _apart(pairs)
    if merged:
        parameters |= {"kept": [pair.kept for pair in merged], "other": [pair.other for pair in merged]}
    if extra:
        parameters |= {"maker": [pair.kept for pair in extra], "extra": [pair.other for pair in extra]}
    return Basis(pairs, parameters)


def _apart(pairs: Iterable[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Those that are one access, and those of which the other is one more of the same call."""
    merged: list[Pair] = []
    extra: list[Pair] = []
    for pair in pairs:
        (extra if pair.is_extra else merged).append(pair)
    return merged, extra


def running_calls(connection: Reader, now: dt.datetime) -> list[str]:
    """The tool calls that run: no result yet, and nothing says that they, or their session, are over."""
    live = [
        str(session)
        for (session,) in connection.rows(
            "SELECT session_id FROM sessions WHERE ended_at BETWEEN $now - $live AND $now + $live",
            {"now": now, "live": LIVE_FOR},
        )
    ]
    return [call.id for call in threads_of(connection, live, live=live, now=now).running] if live else []


def _accesses(only: str, pairs: Iterable[Pair]) -> str:
    """The question, for the rows of the store that `only` leaves.

    Needs the parameter `$running`, if some are merged also `$kept` and `$other`, with extra ones `$maker` and `$extra`.
    """
    merged, extra = map(bool, _apart(pairs))
    others = hidden = ""
    if merged:
        others = """LEFT JOIN (
            SELECT p.kept, b.* FROM (SELECT unnest($kept) AS kept, unnest($other) AS other) p
            JOIN (SELECT *, rowid AS number FROM accesses WHERE rowid IN (SELECT unnest($other))) b
                ON b.number = p.other
        ) o ON o.kept = a.number"""
        hidden = "WHERE a.number NOT IN (SELECT unnest($other))"
    told = f"(SELECT *, rowid AS number, false AS is_extra, false AS has_extra FROM accesses {only})"
    if extra:
        told = f"""(
            SELECT n.* REPLACE (
                    coalesce(n.session_id, m.session_id) AS session_id, coalesce(n.call_id, m.call_id) AS call_id,
                    coalesce(n.command, m.command) AS command, coalesce(n.agent, m.agent) AS agent
                ), m.extra IS NOT NULL AS is_extra, list_contains($maker, n.number) AS has_extra
            FROM (SELECT *, rowid AS number FROM accesses {only}) n LEFT JOIN (
                SELECT p.extra, b.session_id, b.call_id, b.command, b.agent
                FROM (SELECT unnest($maker) AS maker, unnest($extra) AS extra) p
                JOIN (SELECT *, rowid AS number FROM accesses WHERE rowid IN (SELECT unnest($maker))) b
                    ON b.number = p.maker
            ) m ON m.extra = n.number
        )"""

    def best(*tellers: str) -> str:
        """The first that knows: columns of the other source (`o`), the transcript (`a`), the call (`c`)."""
        known = [teller for teller in tellers if merged or not teller.startswith("o.")]
        return f"coalesce({', '.join(known)})" if len(known) > 1 else known[0]

    result = best("o.result", "a.result")
    seen_in = "CASE WHEN a.is_extra THEN ['transcript', a.seen_in] ELSE [a.seen_in] END"
    action, resource = "a.action", "a.resource"
    if merged:
        seen_in = f"CASE WHEN o.seen_in IS NULL THEN {seen_in} ELSE [a.seen_in, o.seen_in] END"
        # What the user asks to be run elsewhere is that, whatever machine the server is.
        action = """CASE WHEN a.action = 'snapshot.refresh' OR a.action = 'query.remote' AND o.action = 'query.local'
                 THEN a.action ELSE coalesce(o.action, a.action) END"""
        resource = """CASE WHEN a.resource = 'adhoc' OR a.action = 'snapshot.refresh'
                 THEN coalesce(o.resource, a.resource) ELSE a.resource END"""
    tables_read = best("nullif(a.tables_read, [])", "o.tables_read", "[]")
    if merged:
        tables_read = (
            f"CASE WHEN a.action = 'snapshot.refresh' AND o.kept IS NOT NULL THEN o.tables_read ELSE {tables_read} END"
        )
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
        SELECT a.id, a.ts AS timestamp,
            CASE WHEN {action} = 'query.local' AND contains({_NOTE}, {_WENT_ELSEWHERE}) THEN 'query.remote'
                 ELSE {action} END AS action,
            CASE WHEN k.table_id IS NULL THEN {resource} ELSE 'table:' || k.table_id END AS resource,
            CASE WHEN {result} = 'ok' THEN 'success' WHEN {result} = 'blocked' THEN 'denied'
                 WHEN {result} IS NOT NULL THEN {result}
                 WHEN a.call_id IS NULL THEN CASE WHEN a.error IS NULL THEN 'success' ELSE 'error' END
                 WHEN c.denial IS NOT NULL THEN 'denied' WHEN c.is_error THEN 'error'
                 WHEN c.is_error IS NOT NULL THEN 'success'
                 WHEN list_contains($running::VARCHAR[], a.call_id) THEN 'running' ELSE 'interrupted' END AS result,
            {best("o.duration_ms", "a.duration_ms", _TOOK)} AS duration_ms,
            {best("o.rows_returned", "a.rows_returned", _speaks_for("c.result_rows"))} AS rows_returned,
            {best("o.bytes_scanned", "a.bytes_scanned")} AS bytes_scanned,
            CASE WHEN NOT c.is_error THEN {_speaks_for("c.result_bytes")} END AS bytes_returned,
            {best("o.error", "a.error", "c.error_text")} AS told_error,
            a.command, {best("a.sql", "o.sql")} AS sql,
            CASE WHEN k.table_id IS NOT NULL THEN [k.table_id] ELSE {tables_read} END AS tables_read,
            {best("nullif(a.tables_written, [])", "o.tables_written", "[]")} AS tables_written,
            {best("a.statement", "o.statement")} AS statement, {best("a.dialect", "o.dialect")} AS dialect,
            a.session_id, s.title, coalesce(s.project, a.workspace) AS project,
            {best("o.client_kind", "a.client_kind")} AS client_kind,
            {seen_in} AS seen_in, {_NOTE} AS note,
            coalesce(s.username, a.username) AS username, coalesce(a.agent, s.agent) AS agent,
            coalesce(a.machine, s.machine) AS machine,
            a.call_id, coalesce(r.ts, c.ts, a.ts) AS matched_at,
            a.number, coalesce(h.accesses, 1) AS in_call
        FROM {told} a
        {others}
        LEFT JOIN tool_calls c ON c.id = a.call_id
        LEFT JOIN responses r ON r.key = c.response_key
        LEFT JOIN sessions s ON s.session_id = a.session_id
        LEFT JOIN (
            SELECT call_id, count(*) AS accesses, count(*) FILTER ({RUNS_SQL.format("action")}) AS queries
            FROM accesses WHERE call_id IS NOT NULL GROUP BY call_id HAVING count(*) > 1
        ) h ON h.call_id = a.call_id
        LEFT JOIN ({_SNAPSHOTS}) k
            ON a.action IN ('snapshot.refresh', 'snapshot.drop') AND a.resource = 'table:' || k.name
        {hidden}
    )
    """


def _speaks_for(column: str) -> str:
    """SQL: what a call's result says goes to its only access, or to its only query; NULL for others.

    The rows of several queries in one call cannot be told apart, and nobody's are not counted twice. What looks like a
    number of rows in a file is none.
    """
    only = f"(h.call_id IS NULL OR (h.queries = 1 AND {RUNS_SQL.format('a.action')}))"
    only += " AND NOT a.is_extra AND NOT a.has_extra"
    if column == "c.result_rows":
        only += " AND regexp_matches(a.action, '^(query|snapshot|catalog)[.]')"
    return f"CASE WHEN {only} THEN {column} END"


_NOTE = _speaks_for("c.result_note")
