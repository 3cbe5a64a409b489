"""The kinds of tokens, their total, and how much of what went in came from the cache, for SQL and Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

WRITES = ("cache_write_5m_tokens", "cache_write_1h_tokens")
"""Columns of what was written to the prompt cache, by how long it lives."""

COLUMNS = ("input_tokens", "output_tokens", "cache_read_tokens", *WRITES)
"""Columns of all kinds of tokens. No token is in two of them."""

TOTAL = " + ".join(COLUMNS)
"""SQL of the tokens of all kinds of a row."""

ELSEWHERE = "elsewhere"
"""The value of `responses.billed` where a subscription pays: no cost by the token, neither $0 nor unpriced."""

WRITTEN = " + ".join(WRITES)
"""SQL of what a row wrote to the prompt cache."""

RATES = {column: column.removesuffix("_tokens") for column in COLUMNS}
"""Kind of tokens -> the column of `rates` with its price."""

INWARD = " + ".join(name for name in COLUMNS if name != "output_tokens")
"""SQL of all that went in: plain, read from the cache, written to it."""


def unpriced(row: str = "") -> str:
    """SQL of whether no price is known of a response; `row` is its name and a dot, if it has one.

    What is billed elsewhere has no cost, either, but that is known.
    """
    return f"({row}cost_usd IS NULL AND {row}billed IS DISTINCT FROM '{ELSEWHERE}')"


def billed_elsewhere(row: str = "") -> str:
    """SQL of whether somebody else than the token's buyer pays for a response."""
    return f"({row}billed IS NOT DISTINCT FROM '{ELSEWHERE}')"


def columns(row: str = "", sql: str = "{}") -> str:
    """SQL of the columns of all kinds by their own names, in the SQL `sql`; `row` is "r." for those of `r`."""
    return ", ".join(f"{sql.format(f'{row}{name}')} AS {name}" for name in COLUMNS)


class CacheWrites:
    """For rows with a column for each of WRITES."""

    __slots__ = ()
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int

    @property
    def cache_write_tokens(self) -> int:
        """Cache writes of both lifetimes."""
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens


def known_count(values: Iterable[int | None]) -> int | None:
    """The sum of the counts that are known; None if none is. Of money: `money.known_usd`."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


class HasInward(Protocol):
    """Whatever knows the tokens that went in."""

    @property
    def input_tokens(self) -> int: ...
    @property
    def cache_read_tokens(self) -> int: ...
    @property
    def cache_write_tokens(self) -> int: ...


def inward(row: HasInward) -> int:
    """All that went in: plain, read from the cache, written to it."""
    return row.input_tokens + row.cache_read_tokens + row.cache_write_tokens


def cache_hit_ratio(read: int, inward_tokens: int) -> float | None:
    """Tokens read from the cache among all that went in; None if nothing did."""
    return read / inward_tokens if inward_tokens else None
