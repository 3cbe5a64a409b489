"""What an agent's ledger of requests tells, too: its answers and accounts then bill nothing.

A ledger (`ResponseKind.REQUEST`) tells all tokens of each request. The session's own file tells only some of them, with
each answer or in an account at the end, and may be read before the ledger, after it, or again. So after each load of
such an agent the tokens of what the ledger covers are put to 0. It covers a session from its first request there on: a
session may be older than the ledger, which the agent began to keep with some version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..queries.token_kinds import COLUMNS

if TYPE_CHECKING:
    from ..queries.store import Answer

COVERED = "covered_responses"
"""The temporary table of the responses that `settle` has changed."""

_SLACK = "INTERVAL 10 MINUTES"
"""A request is told twice, here and there, at about the same time."""


def settle(run: Callable[[str], Answer]) -> bool:
    """Let what a ledger covers in `touched_sessions` bill nothing; whether anything has changed."""
    run(f"""
        CREATE OR REPLACE TEMP TABLE {COVERED} AS
        SELECT r.key, r.ts, r.session_id FROM responses r JOIN (
            SELECT session_id, min(ts) AS began FROM responses
            WHERE kind = 'request' AND session_id IN (FROM touched_sessions) GROUP BY session_id
        ) l ON l.session_id = r.session_id
        WHERE r.kind IN ('turn', 'account') AND r.total_tokens > 0
            AND coalesce(r.ts >= l.began - {_SLACK}, true)""")
    if run(f"SELECT 1 FROM {COVERED} LIMIT 1").fetchone() is None:
        return False
    nothing = ", ".join(f"{column} = 0" for column in (*COLUMNS, "total_tokens"))
    free = "reasoning_tokens = NULL, cost_usd = CASE WHEN cost_usd IS NOT NULL THEN 0 END"
    run(f"UPDATE responses SET {nothing}, {free} WHERE key IN (SELECT key FROM {COVERED})")
    return True
