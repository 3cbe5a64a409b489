"""How full the context of a session is: its window, which is learnt, and at how many tokens it will be compacted.

The window of Claude Code is 200,000 tokens unless the session shows otherwise: its status line tells the size, a single
request was larger, the model's name says `[1m]`, or an automatic compaction came later. It is then the smallest known
window that holds that. Codex tells its window; of others the price list knows the model's. The configuration has the
last word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Reader

DEFAULT_WINDOW = 200_000
"""Tokens."""

LONG_WINDOW = 1_000_000
"""Tokens; what `[1m]` in the name of a model asks for."""

COMPACTED_AT = 0.835
"""Of the window: where Claude Code compacts by itself, as far as no compaction tells it (167,117 of 200,000)."""

WINDOW_LABEL = "context_window"
"""The kind of the label of a session with the size of its window, in tokens."""


def told_window(connection: Reader, session_id: str) -> int | None:
    """The window that a session was told to have, in tokens; None where nothing tells it."""
    sql = "SELECT TRY_CAST(value AS BIGINT) FROM session_lasts WHERE session_id = $id AND kind = $kind"
    tokens: int | None = connection.value(sql, {"id": session_id, "kind": WINDOW_LABEL})
    return tokens


# An automatic compaction says how large the context was.
_COMPACTIONS = """
    SELECT session_id, max(amount) AS most, arg_max(amount, (ts, amount)) FILTER (ts IS NOT NULL) AS latest,
        max(ts) AS latest_at
    FROM events
    WHERE kind = 'compact' AND cause = 'auto' AND amount > 0 AND session_id IS NOT NULL GROUP BY session_id
"""

_HOLDS = f"""CASE WHEN largest <= {DEFAULT_WINDOW} THEN {DEFAULT_WINDOW}
    WHEN largest <= {LONG_WINDOW} THEN {LONG_WINDOW} ELSE largest END"""
"""SQL of the smallest known window for the largest context seen."""

_WINDOWS = f"""
    SELECT session_id, context_tokens, context_model, latest, latest_at,
        coalesce(configured, CASE
            WHEN is_claude AND told IS NULL AND is_long THEN greatest({LONG_WINDOW}, {_HOLDS})
            WHEN is_claude THEN CASE WHEN told >= largest THEN told ELSE greatest(told, {_HOLDS}) END
            WHEN coalesce(told, listed) IS NOT NULL THEN greatest(coalesce(told, listed), largest) END) AS size,
        CASE WHEN configured IS NOT NULL THEN 'config' WHEN told IS NOT NULL OR largest > {DEFAULT_WINDOW} THEN 'seen'
             WHEN is_long OR NOT is_claude THEN 'model' ELSE 'default' END AS window_from
    FROM (
        SELECT s.session_id, s.context_tokens, s.context_model, c.latest, c.latest_at,
            coalesce(s.context_agent, 'claude-code') = 'claude-code' AND contains(lower(s.context_model), 'claude')
                AS is_claude,
            contains(lower(s.context_model), '[1m]') AS is_long,
            greatest(s.context_peak, s.context_tokens, c.most) AS largest,
            t.told, m.context_window AS listed, w.tokens AS configured
        FROM sessions s
        LEFT JOIN ({_COMPACTIONS}) c ON c.session_id = s.session_id
        LEFT JOIN (
            SELECT session_id, TRY_CAST(value AS BIGINT) AS told FROM session_lasts WHERE kind = '{WINDOW_LABEL}'
        ) t ON t.session_id = s.session_id
        LEFT JOIN models m ON m.model = s.context_model
        LEFT JOIN context_windows w ON w.model = s.context_model
        WHERE s.context_tokens IS NOT NULL
    )
"""

# Planned once: written twice it took as long as to plan all else of the list of sessions.
CONTEXTS = f"""
    WITH w AS MATERIALIZED ({_WINDOWS})
    SELECT w.session_id, w.size AS context_window, w.window_from AS context_window_from,
        coalesce(w.latest, u.latest, round({COMPACTED_AT} * w.size))::BIGINT AS compacts_at
    FROM w LEFT JOIN (
        SELECT context_model, size, arg_max(latest, (latest_at, latest)) AS latest FROM w
        WHERE latest IS NOT NULL GROUP BY context_model, size
    ) u ON u.context_model = w.context_model AND u.size = w.size
"""
"""SQL of the window of each session that has a context, how it is known (`seen`, `model`, `config` or `default`), and
the size at which it will be compacted: where the session, or else another one of its model and window, last was."""
