"""What Claude Code itself says that a session took, beside what its transcripts show."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .. import format as words

if TYPE_CHECKING:
    from ...queries.own_totals import Amount, ModelDifference, SessionOwnTotal


def own_total_pairs(
    total: SessionOwnTotal, now: dt.datetime, zone: ZoneInfo, *, cost: bool
) -> list[tuple[str, str | None]]:
    """Labels and values, for a column: its total, ours up to that moment, and each difference by its name."""
    moment = words.when(total.as_of, now, zone)
    said = [words.usd(total.cost_usd)] if cost else []
    own = f"{' · '.join([*said, words.plural(total.own_tokens, 'token')])}, {moment}"
    pairs: list[tuple[str, str | None]] = [
        ("Claude's own", own + (", some of it without a price" if total.is_incomplete else "")),
        ("Shown by then", amount(total.shown, cost=cost)),
    ]
    if total.forked_from is not None:
        before = total.before_fork
        where = f"in {total.forked_from[:8]}, which it was forked from"
        pairs.append(("Before", f"{amount(before, cost=cost)} {where}" if before.tokens else f"not known, {where}"))
    named = [difference(model, cost=cost) for model in total.differences]
    rest = total.unnamed_usd
    if cost and rest is not None:
        named.append(f"{'+' if rest > 0 else ''}{words.usd(rest)} of no model")
    label = "Difference"
    for name in named or ["none"]:
        pairs.append((label, name))
        label = ""
    return pairs


def amount(amount_: Amount, *, cost: bool) -> str:
    """Money and tokens: "$3.12 · 1.2M tokens"."""
    tokens = f"{words.plural(amount_.tokens, 'token')}"
    return f"{words.usd(amount_.cost_usd)} · {tokens}" if cost and amount_.cost_usd is not None else tokens


def difference(model: ModelDifference, *, cost: bool) -> str:
    """What one model makes: "haiku-4.5 +3.1k tokens +$0.0034, in no transcript"."""
    tokens, money = model.missing_tokens, model.missing_usd
    parts = [words.model(model.model)]
    if tokens:
        parts.append(f"{'+' if tokens > 0 else ''}{words.plural(tokens, 'token')}")
    if cost and abs(money) >= 0.00005:
        parts.append(f"{'+' if money > 0 else ''}{words.usd(money)}")
    why = "in no transcript" if tokens > 0 else "only in transcripts" if tokens < 0 else "by another price"
    return f"{' '.join(parts)}, {why}"
