"""What some responses took together, by kind of token."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .token_kinds import COLUMNS, CacheWrites, billed_elsewhere, known_sum, unpriced


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

_MAYBE_NULL = ("reasoning_tokens", "cost_usd")


def sums(only: str = "true") -> str:
    """SQL of the sums over rows of `OF_RESPONSE` for which the SQL condition `only` holds."""
    return ", ".join(
        f"sum({name}) FILTER ({only})::{'DOUBLE' if name == 'cost_usd' else 'BIGINT'} AS {name}"
        if name in _MAYBE_NULL
        else f"coalesce(sum({name}) FILTER ({only}), 0)::BIGINT AS {name}"
        for name in NAMES
    )


def added(one: TokensSpent, other: TokensSpent) -> TokensSpent:
    """Both together. What is unknown of one of them is left out."""
    both = ((getattr(one, field.name), getattr(other, field.name)) for field in fields(TokensSpent))
    return TokensSpent(*(known_sum(values) for values in both))  # type: ignore[arg-type]
