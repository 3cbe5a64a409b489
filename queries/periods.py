"""Tokens by day and model, the grain that reports by day, week or month are added up from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter
from .rows import rows_as
from .tokens import SUMS, TokenSums, rollup, where_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class DayModelTokens(TokenSums):
    """Sums of one model on one calendar day."""

    day: dt.date
    model: str


def by_day_and_model(connection: DuckDBPyConnection, chosen: Filter) -> list[DayModelTokens]:
    """Sums of every calendar day and model with a response, oldest day first, then the largest model."""
    where = where_of(chosen).add("day IS NOT NULL")
    return rows_as(
        connection,
        DayModelTokens,
        f"SELECT day, coalesce(model, 'unknown') AS model, {SUMS} FROM {rollup(connection, chosen)} "
        f"WHERE {where} GROUP BY ALL ORDER BY day, total_tokens DESC, model",
        where.parameters,
    )
