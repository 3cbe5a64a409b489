"""Sums of money: the same to the last digit in whatever order amounts come, and in SQL and Python.

Of floats they are not. So each amount is taken as a decimal of `PLACES` places, and these are added up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

PLACES = 12
"""Decimal places of USD that are added up: the price of a token has fewer."""

_UNIT: int = 10**PLACES
_MOST = 1e20
"""USD from which on amounts are added up as floats: no decimal holds them."""

_FINE = 2.0**53
"""Units up to which a float tells each of them."""


def as_decimal(usd: str) -> str:
    """SQL of an amount in USD as it is added up; NULL where no decimal holds it."""
    return f"TRY_CAST({usd} AS DECIMAL(38, {PLACES}))"


def all_exact(usd: str, only: str = "") -> str:
    """SQL of whether all amounts are such as can be added up as decimals; NULL where there are none."""
    return f"bool_and(abs({usd}) < 1e20){only}"


def exact_sum(usd: str, only: str = "true") -> str:
    """SQL of the sum of amounts in USD of rows for which the SQL condition `only` holds; NULL where none is known.

    Amounts that no decimal holds make it the sum of floats.
    """
    of = "" if only == "true" else f" FILTER ({only})"
    decimals = f"(sum({as_decimal(usd)}){of})::DOUBLE"
    return f"CASE WHEN {all_exact(usd, of)} THEN {decimals} ELSE sum({usd}){of} END"


def known_usd(amounts: Iterable[float | None]) -> float | None:
    """The same sum in Python: of the amounts that are known, None where none is."""
    known = [amount for amount in amounts if amount is not None]
    if not known:
        return None
    if not all(abs(amount) < _MOST for amount in known):
        return math.fsum(known)
    return _usd(sum(map(_units, known)))


def usd_of(decimal: Decimal) -> float:
    """A sum of `as_decimal` in USD, as `exact_sum` says it."""
    return _usd(int(decimal.scaleb(PLACES)))


def _units(usd: float) -> int:
    """An amount in units of the last place, rounded as DuckDB does; large ones are taken as they are written."""
    units = usd * _UNIT
    if abs(units) >= _FINE:
        from decimal import ROUND_HALF_UP, Decimal

        return int(Decimal(repr(usd)).scaleb(PLACES).to_integral_value(ROUND_HALF_UP))
    whole = int(units)
    return whole + (int(math.copysign(1, units)) if abs(units - whole) >= 0.5 else 0)


def _usd(units: int) -> float:
    if abs(units) <= 2**53:
        return units / _UNIT
    # As DuckDB does: whole and rest by themselves.
    whole, rest = divmod(abs(units), _UNIT)
    usd: float = whole + rest / _UNIT
    return usd if units > 0 else -usd
