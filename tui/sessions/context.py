"""How full the context of a session is, in words and as a gauge."""

from __future__ import annotations

from ...queries.sessions import SessionRow
from .. import format as words
from ..kit.spark import meter

AMBER, RED = 0.7, 0.9
"""From these shares of the window on, the gauge is no longer plain."""


def tone(row: SessionRow) -> str:
    """ "warning" from 70 % on, "error" from 90 % on, else ""."""
    share = row.context_share
    if share is None or share < AMBER:
        return ""
    return "error" if share >= RED else "warning"


def gauge(row: SessionRow, width: int) -> str:
    """ "context ███████░░░░░ 61 %"; the tokens where the window is not known; "" without a context."""
    if not row.context_tokens:
        return ""
    if row.context_share is None:
        return f"context {words.count(row.context_tokens)}"
    return f"context {meter(row.context_share, width)} {words.percent(row.context_share, 0)}"


def to_compaction(row: SessionRow) -> str:
    """ "~91k to compaction", as far as that is known."""
    if not row.context_tokens or row.compacts_at is None:
        return ""
    left = row.compacts_at - row.context_tokens
    return f"~{words.count(left)} to compaction" if left > 0 else "compaction is due"


def brief(row: SessionRow) -> str:
    """ "context 61 %", and what is left where that is little."""
    if row.context_share is None:
        return ""
    told = f"context {words.percent(row.context_share, 0)}"
    return f"{told}, {to_compaction(row)}" if tone(row) and row.compacts_at else told


def in_full(row: SessionRow, width: int) -> str | None:
    """ "███████░░░░░ 61 %, 122k of 200k, ~45k to compaction"; None without a context."""
    if not row.context_tokens:
        return None
    share = row.context_share
    if share is None:
        return words.count(row.context_tokens)
    size = f"{words.count(row.context_tokens)} of {words.count(row.context_window)}"
    parts = [f"{meter(share, width)} {words.percent(share, 0)}", size, to_compaction(row)]
    return ", ".join(part for part in parts if part)
