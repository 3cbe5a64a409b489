"""Fields that several answers have in common."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from .. import format as words
from .. import marks

if TYPE_CHECKING:
    from ...queries import tokens
    from ...queries.cursor import Cursor
    from ...queries.hand_over_facts import Spent
    from ...queries.spent import TokensSpent

    Answer = dict[str, Any]


def stamp(moment: dt.datetime | None) -> str | None:
    """A time of the store as ISO text with its offset."""
    return None if moment is None else moment.replace(tzinfo=dt.UTC).isoformat()


def cursor_fields(cursor: Cursor | None) -> Answer | None:
    """Where an answer goes on, as the next question gives it back; None at the end."""
    return None if cursor is None else {"timestamp": stamp(cursor.timestamp), "id": cursor.id}


def whose_fields(row: Any) -> Answer:
    """Who told a row: the agent, the machine where one is named, the person where one is."""
    return {"agent": row.agent, "machine": row.machine, "username": row.username}


def usd(cost: float | None, tokens: int) -> float | None:
    """A cost of what took so many `tokens`: no tokens cost nothing; those of which none has a known price, null."""
    return 0.0 if cost is None and not tokens else cost


def token_fields(row: tokens.TokenSums) -> Answer:
    """Sums of tokens and cost."""
    return {
        "input": row.input_tokens,
        "output": row.output_tokens,
        "cache_read": row.cache_read_tokens,
        "cache_creation": row.cache_write_tokens,
        "cache_creation_5m": row.cache_write_5m_tokens,
        "cache_creation_1h": row.cache_write_1h_tokens,
        "reasoning": row.reasoning_tokens,
        "total": row.total_tokens,
        "sessions": row.sessions,
        "responses": row.responses,
        "cost_usd": usd(row.cost_usd, row.total_tokens),
        "unpriced_tokens": row.unpriced_tokens,
        "billed_elsewhere_tokens": row.billed_elsewhere_tokens,
        "undercounted": row.undercounted,
        "output_undercounted": row.undercounted > 0,
    }


def spent_fields(spent: Spent | TokensSpent | None) -> Answer:
    """Tokens by kind, and beside them what they cost; all null where nothing is known of them."""
    if spent is None:
        return {"tokens": None, "cost_usd": None, "unpriced_tokens": None, "output_undercounted": None}
    return {
        "tokens": {
            "input": spent.input_tokens,
            "output": spent.output_tokens,
            "cache_read": spent.cache_read_tokens,
            "cache_creation": spent.cache_write_tokens,
            "cache_creation_5m": spent.cache_write_5m_tokens,
            "cache_creation_1h": spent.cache_write_1h_tokens,
            "reasoning": spent.reasoning_tokens,
            "total": spent.total_tokens,
        },
        "cost_usd": usd(spent.cost_usd, spent.total_tokens),
        "unpriced_tokens": spent.unpriced_tokens,
        "output_undercounted": spent.undercounted > 0,
    }


def spent_cells(row: Answer) -> list[str]:
    """The tokens and the cost of such fields, as they are shown."""
    if row["tokens"] is None:
        return [words.NONE, words.NONE]
    undercounted = int(row["output_undercounted"])
    return [
        marks.tokens(row["tokens"]["total"], undercounted),
        marks.money(row["cost_usd"], unpriced=row["unpriced_tokens"], undercounted=undercounted),
    ]
