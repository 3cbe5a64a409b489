"""The SQL of sync actions: one row per action, whoever told it.

A workspace's log knows the runs of `agnes update`, its ledgers what became of each session, a transcript the commands
that an agent ran, the Agnes server the pulls it served. Where two of them saw the same action it is one row.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .access_facts import running_calls
from .projects import lies_in

if TYPE_CHECKING:
    from .store import Reader

SYNC_ACTIONS = ("sync.trigger", "sync.update", "manifest.fetch", "session.upload")
"""The only actions that are shown as sync. A list, not a prefix: a name that is new to us stays out."""

APART = dt.timedelta(minutes=2)
"""The same action is told by two sources with no more than this between them."""

PLACES = """
    SELECT DISTINCT workspace FROM (
        SELECT workspace FROM workspaces UNION ALL SELECT workspace FROM uploads
        UNION ALL SELECT server FROM server_reads
        UNION ALL SELECT root FROM files WHERE source = 'workspace' AND gone_at IS NULL
    )
"""
"""SQL: all workspaces that the store knows, and the address of the server if it was asked."""


def gather(connection: Reader, now: dt.datetime) -> str:
    """Put all sync actions into a temporary table with the columns of `SyncRow`, `project` and `username`; its name.

    `now` (UTC without a zone) decides which commands without a result still run.
    """
    parameters = {"running": running_calls(connection, now), "actions": list(SYNC_ACTIONS)}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE told_sync AS {_TOLD}", parameters)
    pairs = _pairs(connection)
    parameters = {"kept": [pair.kept for pair in pairs], "other": [pair.other for pair in pairs]}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE merged_sync AS {_MERGED}", parameters)
    return "merged_sync"


_TOLD = f"""
    SELECT y.id, y.ts AS timestamp, greatest(y.ts, c.result_ts) AS ended, y.action,
        coalesce(y.resource, CASE y.action WHEN 'manifest.fetch' THEN 'manifest' END) AS resource,
        CASE WHEN y.result IS NOT NULL THEN y.result
             WHEN c.denial IS NOT NULL THEN 'denied' WHEN c.is_error THEN 'error'
             WHEN c.is_error IS NOT NULL THEN 'success'
             WHEN list_contains($running::VARCHAR[], y.call_id) THEN 'running' ELSE 'interrupted' END AS result,
        y.source, CASE WHEN y.source IN ('workspace', 'transcript', 'ledger') THEN y.source ELSE 'server' END AS teller,
        y.call_id IS NOT NULL AND count(*) OVER (PARTITION BY y.call_id) > 1 AS has_company,
        nullif(concat_ws(': ', y.detail, CASE WHEN c.is_error THEN c.error_text END), '') AS detail,
        coalesce(y.duration_ms, CASE WHEN c.result_ts >= c.ts THEN epoch_ms(c.result_ts) - epoch_ms(c.ts) END)
            AS duration_ms,
        coalesce(y.workspace, h.workspace) AS workspace, y.session_id, s.title,
        coalesce(s.project, y.workspace) AS project, coalesce(s.username, y.username) AS username, y.agent,
        coalesce(y.machine, s.machine) AS machine
    FROM sync_actions y
    LEFT JOIN tool_calls c ON c.id = y.call_id
    LEFT JOIN sessions s ON s.session_id = y.session_id
    LEFT JOIN (
        SELECT session_id, arg_max(workspace, length(workspace)) AS workspace
        FROM sessions JOIN ({PLACES}) ON {lies_in("cwd", "workspace")} GROUP BY session_id
    ) h ON h.session_id = y.session_id
    WHERE y.action IN (SELECT unnest($actions))
    -- What an older version kept of the ledgers: the last line of each session.
    UNION ALL BY NAME
    SELECT 'upload:' || u.workspace || ':' || u.session_id AS id, u.ts AS timestamp, u.ts AS ended,
        'session.upload' AS action, 'session:' || u.session_id AS resource,
        CASE u.status WHEN 'uploaded' THEN 'success' WHEN 'private' THEN 'skipped'
             ELSE 'error' || coalesce('.' || nullif(regexp_extract(u.http_status, '^[0-9]+$'), ''), '') END AS result,
        'ledger' AS source, 'ledger' AS teller, false AS has_company,
        CASE u.status WHEN 'private' THEN 'private' WHEN 'failed' THEN u.http_status END AS detail,
        u.workspace, u.session_id, s.title, coalesce(s.project, u.workspace) AS project, s.username, s.agent,
        s.machine
    FROM uploads u LEFT JOIN sessions s ON s.session_id = u.session_id
    WHERE u.ts IS NOT NULL AND (u.workspace, u.session_id) NOT IN (
        SELECT (workspace, session_id) FROM sync_actions
        WHERE source = 'ledger' AND workspace IS NOT NULL AND session_id IS NOT NULL
    )
"""

_OUTCOME = """CASE WHEN starts_with({0}, 'error') OR {0} = 'denied' THEN 'bad' WHEN {0} = 'success' THEN 'good' END"""
"""SQL: how an action ended; NULL where that is not known, or is neither."""

_CANDIDATES = f"""
    WITH told AS (
        SELECT t.*, coalesce(t.ended, t.timestamp) AS end_at, {_OUTCOME.format("t.result")} AS outcome,
            rtrim(CASE WHEN t.teller = 'server' THEN t.workspace ELSE w.server END, '/') AS server
        FROM told_sync t LEFT JOIN workspaces w ON w.workspace = t.workspace
    ),
    near AS (
        SELECT k.id AS kept, o.id AS other, k.timestamp AS kept_at, o.end_at AS other_at,
            greatest(epoch_us(o.timestamp) - epoch_us(k.end_at), epoch_us(k.timestamp) - epoch_us(o.end_at), 0) AS gap,
            k.outcome AS kept_outcome, o.outcome AS other_outcome, k.has_company OR o.has_company AS has_company,
            o.teller AS told_by
        FROM told o JOIN told k ON k.action = o.action
            AND k.timestamp <= o.end_at + $apart AND k.end_at >= o.timestamp - $apart
        WHERE ((o.action = 'sync.update' AND o.teller = 'transcript' AND k.teller = 'workspace'
                AND (o.workspace IS NULL OR o.workspace = k.workspace))
            OR (o.action = 'manifest.fetch' AND o.teller = 'server' AND k.teller IN ('workspace', 'transcript')))
            AND (k.server IS NULL OR o.server IS NULL OR k.server = o.server)
            AND (k.username IS NULL OR o.username IS NULL OR k.username = o.username)
    )
    SELECT kept, other FROM near
    WHERE kept_outcome IS NULL OR other_outcome IS NULL OR kept_outcome = other_outcome
        -- A script may go on after a run that failed, or fail after one that did not.
        OR gap = 0 AND (has_company OR told_by = 'transcript' AND other_outcome = 'good')
    ORDER BY gap, kept_outcome IS DISTINCT FROM other_outcome, abs(epoch_us(kept_at) - epoch_us(other_at)), kept, other
"""
"""All that may be the same action, the closest first.

What ended otherwise is another one: a pull that failed is not the one that the server served. Only `agnes update`
writes a log: a pull or a push that an agent ran by itself is none of those in the log.
"""

_MERGED = f"""
    WITH pairs AS (SELECT unnest($kept::VARCHAR[]) AS kept, unnest($other::VARCHAR[]) AS other)
    SELECT k.id, k.timestamp, k.action, coalesce(k.resource, o.resource) AS resource,
        CASE WHEN {_OUTCOME.format("o.result")} = 'bad' AND {_OUTCOME.format("k.result")} IS NULL THEN o.result
             ELSE k.result END AS result,
        concat_ws(', ', k.source, o.source) AS source, k.detail, coalesce(k.duration_ms, o.duration_ms) AS duration_ms,
        k.workspace, coalesce(k.session_id, o.session_id) AS session_id, coalesce(k.title, o.title) AS title,
        coalesce(o.project, k.project) AS project, coalesce(k.username, o.username) AS username,
        coalesce(k.agent, o.agent) AS agent, coalesce(k.machine, o.machine) AS machine
    FROM told_sync k LEFT JOIN pairs p ON p.kept = k.id LEFT JOIN told_sync o ON o.id = p.other
    WHERE k.id NOT IN (SELECT other FROM pairs)
"""


@dataclass(frozen=True, slots=True)
class _Pair:
    kept: str
    other: str


def _pairs(connection: Reader) -> list[_Pair]:
    """The actions that two sources told, each in one pair at most."""
    found: list[_Pair] = []
    taken: set[str] = set()
    for pair in connection.ask(_Pair, _CANDIDATES, {"apart": APART}):
        if taken.isdisjoint((pair.kept, pair.other)):
            taken |= {pair.kept, pair.other}
            found.append(pair)
    return found
