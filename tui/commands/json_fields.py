"""Fields that several answers have in common."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...queries import tokens
    from ...queries.access import Cursor

    Answer = dict[str, Any]


def stamp(moment: dt.datetime | None) -> str | None:
    """A time of the store as ISO text with its offset."""
    return None if moment is None else moment.replace(tzinfo=dt.UTC).isoformat()


def cursor_fields(cursor: Cursor | None) -> Answer | None:
    """Where an answer goes on, as the next question gives it back; None at the end."""
    return None if cursor is None else {"timestamp": stamp(cursor.timestamp), "id": cursor.id}


def token_fields(row: tokens.TokenSums) -> Answer:
    """Sums of tokens and cost."""
    return {
        "input": row.input_tokens,
        "output": row.output_tokens,
        "cache_read": row.cache_read_tokens,
        "cache_creation": row.cache_write_tokens,
        "cache_creation_5m": row.cache_write_5m_tokens,
        "cache_creation_1h": row.cache_write_1h_tokens,
        "total": row.total_tokens,
        "sessions": row.sessions,
        "responses": row.responses,
        "cost_usd": row.cost_usd,
        "unpriced_tokens": row.unpriced_tokens,
        "billed_elsewhere_tokens": row.billed_elsewhere_tokens,
        "undercounted": row.undercounted,
        "output_undercounted": row.undercounted > 0,
    }
