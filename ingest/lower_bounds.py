"""Which responses logged only a lower bound for their output, where the agent does not say so.

Some agents write the first lines of a response with the output count of the start of the stream, and the final count
with the last line. So a response that looks like a placeholder still grows, until its conversation goes on: then no
better line will come. Of versions that often leave it at the first count none is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..queries.threads import THREAD

if TYPE_CHECKING:
    from ..queries.store import Answer

SETTLED = "settled_responses"
"""The temporary table of the responses that `settle` has changed."""


def _waiting(sessions: str) -> str:
    return f"is_placeholder AND session_id IN {sessions}"


def settled(sessions: str) -> str:
    """SELECT of the placeholders of the sessions in the SQL of a set whose mark is another one now."""
    # The last time at which something began in each conversation.
    last = f"""
        SELECT session_id, thread, max(ts) AS at FROM (
            SELECT session_id, {THREAD} AS thread, ts FROM responses WHERE session_id IN {sessions}
            UNION ALL SELECT session_id, NULL, ts FROM prompts WHERE session_id IN {sessions}
        ) GROUP BY session_id, thread"""
    return f"""
        SELECT r.key, r.ts, r.session_id FROM (
            SELECT *, {THREAD} AS thread FROM responses
            WHERE {_waiting(sessions)} AND NOT coalesce(stays_early, false)
        ) r LEFT JOIN ({last}) l ON l.session_id = r.session_id AND l.thread IS NOT DISTINCT FROM r.thread
        WHERE coalesce(l.at > coalesce(r.ended_at, r.ts), false) <> r.output_undercounted"""


WAITS_YET = "is_placeholder AND NOT output_undercounted"
"""SQL condition for responses that something later would mark."""

_MARK = "UPDATE responses SET output_undercounted = NOT output_undercounted WHERE key IN"

_TOUCHED = "(FROM touched_sessions)"

WAITS = _waiting(_TOUCHED)
"""SQL condition for responses of `touched_sessions` that `settle` is about."""


def settle(run: Callable[[str], Answer]) -> bool:
    """Mark the placeholders of `touched_sessions` that no line can complete any more; whether any mark has changed."""
    run(f"CREATE OR REPLACE TEMP TABLE {SETTLED} AS {settled(_TOUCHED)}")
    if run(f"SELECT 1 FROM {SETTLED} LIMIT 1").fetchone() is None:
        return False
    run(f"{_MARK} (SELECT key FROM {SETTLED})")
    return True


def settle_in(sessions: str) -> str:
    """The statement that does the same for some sessions, the SQL of a set; it gives the times of what has changed."""
    return f"{_MARK} (SELECT key FROM ({settled(sessions)})) RETURNING ts"
