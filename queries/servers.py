"""The Agnes servers that were asked: for whom, when, and how that went."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Reader

NOT_AHEAD = "<= get_current_timestamp()::TIMESTAMP + INTERVAL 1 DAY"
"""SQL: of a time that somebody else's clock told; a later one is kept, and is no time at which anything was."""

PULLS = f"""
    SELECT max(pulled_at) FROM (
        SELECT last_sync AS pulled_at FROM workspaces UNION ALL SELECT last_pull_at FROM server_reads
    ) WHERE pulled_at {NOT_AHEAD}
"""
"""SQL: when tables were last pulled, whoever tells it."""


def last_pull(connection: Reader) -> dt.datetime | None:
    """When tables were last pulled, in UTC; None if neither a workspace nor a server tells."""
    moment: dt.datetime | None = connection.value(PULLS)
    return moment


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """A server as it was last asked for one account. Times are UTC."""

    server: str
    account: str
    """An address, the server's own name of a user, or `token` and a few digits where nothing tells whose it is."""
    asked_at: dt.datetime | None
    answered_at: dt.datetime | None
    """When all that was asked was last answered; None if that never was."""
    failure: str | None
    """`revoked`, `expired`, `deactivated`, `refused`, `too old`, `TLS`, `unreachable` …; None where all is well."""
    reason: str | None
    """The failure in words; without one, what else is to be said."""
    failing: list[str]
    """The endpoints that failed: `queries`, `sync` …"""
    token_expires_at: dt.datetime | None
    last_pull_at: dt.datetime | None
    rows: int
    """Queries and sync actions kept of it."""

    @property
    def is_reachable(self) -> bool:
        """Whether it answered at all, be it with a refusal."""
        return self.failure not in ("unreachable", "timeout", "TLS", "address")


def servers(connection: Reader) -> list[ServerHealth]:
    """All servers and accounts that were ever asked, the one asked last first."""
    return connection.ask(
        ServerHealth,
        f"""SELECT server, account, max(asked_at) AS asked_at,
            CASE WHEN bool_and(answered_at IS NOT NULL) THEN min(answered_at) END AS answered_at,
            min_by(failure, endpoint) FILTER (failure IS NOT NULL) AS failure,
            coalesce(min_by(reason, endpoint) FILTER (failure IS NOT NULL), min(reason)) AS reason,
            coalesce(list(endpoint ORDER BY endpoint) FILTER (failure IS NOT NULL), []) AS failing,
            arg_max_null(token_expires_at, asked_at) AS token_expires_at,
            max(last_pull_at) FILTER (last_pull_at {NOT_AHEAD}) AS last_pull_at, any_value(coalesce(n.rows, 0)) AS rows
        FROM server_reads LEFT JOIN (
            SELECT path AS server, username AS account, count(*) AS rows FROM (
                SELECT path, username FROM accesses WHERE seen_in = 'server'
                UNION ALL SELECT path, username FROM sync_actions WHERE starts_with(id, 'server:')
            ) GROUP BY ALL
        ) n USING (server, account)
        GROUP BY server, account ORDER BY asked_at DESC, server, account""",
    )
