"""What some responses took together, by kind of token."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .money import exact_sum, known_usd
from .token_kinds import COLUMNS, CacheWrites, billed_elsewhere, known_count, unpriced


@dataclass(frozen=True, slots=True)
class TokensSpent(CacheWrites):
    """Sums over responses; `cost_usd` is None where nothing of it has a price, `unpriced_tokens` are not in it."""

    responses: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int | None
    """The part of the output that was thinking; None where nothing tells."""
    total_tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    billed_elsewhere_tokens: int
    undercounted: int


NAMES = (
    *COLUMNS,
    "responses",
    "reasoning_tokens",
    "total_tokens",
    "cost_usd",
    "unpriced_tokens",
    "billed_elsewhere_tokens",
    "undercounted",
)
"""The fields of `TokensSpent`."""

OF_RESPONSE = f"""{", ".join(COLUMNS)}, is_answer::INTEGER AS responses, reasoning_tokens, total_tokens, cost_usd,
    CASE WHEN {unpriced()} THEN total_tokens ELSE 0 END AS unpriced_tokens,
    CASE WHEN {billed_elsewhere()} THEN total_tokens ELSE 0 END AS billed_elsewhere_tokens,
    coalesce(output_undercounted, false)::INTEGER AS undercounted"""
"""SQL of the fields of a single response."""


def sums(only: str = "true") -> str:
    """SQL of the sums over rows of `OF_RESPONSE` for which the SQL condition `only` holds."""
    counts = ", ".join(
        f"sum({name}) FILTER ({only})::BIGINT AS {name}"
        if name == "reasoning_tokens"
        else f"coalesce(sum({name}) FILTER ({only}), 0)::BIGINT AS {name}"
        for name in NAMES
        if name != "cost_usd"
    )
    return f"{counts}, {exact_sum('cost_usd', only)} AS cost_usd"


def added(one: TokensSpent, other: TokensSpent) -> TokensSpent:
    """Both together. What is unknown of one of them is left out."""
    both = {field.name: (getattr(one, field.name), getattr(other, field.name)) for field in fields(TokensSpent)}
    usd = known_usd(both.pop("cost_usd"))
    return TokensSpent(**{name: known_count(counts) for name, counts in both.items()}, cost_usd=usd)  # type: ignore[arg-type]
