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

_SESSIONS = "session_id IN (FROM touched_sessions)"

_LAST = f"""
    SELECT session_id, thread, max(ts) AS at FROM (
        SELECT session_id, {THREAD} AS thread, ts FROM responses WHERE {_SESSIONS}
        UNION ALL SELECT session_id, NULL, ts FROM prompts WHERE {_SESSIONS}
    ) GROUP BY session_id, thread
"""
"""SQL of the last time at which something began in each conversation."""

WAITS = f"is_placeholder AND {_SESSIONS}"
"""SQL condition for responses of `touched_sessions` that `settle` is about."""


def settle(run: Callable[[str], Answer]) -> bool:
    """Mark the placeholders of `touched_sessions` that no line can complete any more; whether any mark has changed."""
    run(f"""
        CREATE OR REPLACE TEMP TABLE {SETTLED} AS
        SELECT r.key, r.ts, r.session_id FROM (
            SELECT *, {THREAD} AS thread FROM responses WHERE {WAITS} AND NOT coalesce(stays_early, false)
        ) r LEFT JOIN ({_LAST}) l ON l.session_id = r.session_id AND l.thread IS NOT DISTINCT FROM r.thread
        WHERE coalesce(l.at > coalesce(r.ended_at, r.ts), false) <> r.output_undercounted""")
    if run(f"SELECT 1 FROM {SETTLED} LIMIT 1").fetchone() is None:
        return False
    run(f"UPDATE responses SET output_undercounted = NOT output_undercounted WHERE key IN (SELECT key FROM {SETTLED})")
    return True
