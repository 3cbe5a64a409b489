"""What Claude Code's status line says of a session's context window: its transcript does not tell that."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ..queries.context import WINDOW_LABEL

if TYPE_CHECKING:
    from ..queries.store import Store

TOLD_BY = "status line"
"""Stands for the path of a file: no file tells it."""


def note_context_window(store: Store, session_id: str, tokens: int, now: dt.datetime) -> None:
    """Keep the size of a session's window as a label of the session. `now` is UTC without a zone. Raises StoreError."""
    with store.write() as connection:
        connection.execute("BEGIN")
        connection.execute(
            "DELETE FROM session_lasts WHERE session_id = ? AND kind = ?",
            [session_id, WINDOW_LABEL],
        )
        connection.execute(
            "INSERT INTO session_lasts (session_id, kind, ts, path, pos, value) VALUES (?, ?, ?, ?, 0, ?)",
            [session_id, WINDOW_LABEL, now, TOLD_BY, str(tokens)],
        )
        connection.execute("COMMIT")
