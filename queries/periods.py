"""Tokens by day and model, the grain that reports by day, week or month are added up from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filters import Filter
from .priced_apart import priced_apart
from .tokens import SUMS, WHOSE, OwnedTokens, rollup, where_of

if TYPE_CHECKING:
    from .store import Reader


@dataclass(frozen=True, slots=True)
class DayModelTokens(OwnedTokens):
    """Sums of one model on one calendar day, at one speed and tier where these are priced apart."""

    day: dt.date
    model: str
    speed: str
    service_tier: str


def every_day(chosen: Filter, known: Collection[dt.date]) -> list[dt.date]:
    """All days of a range, those without a response, too; where the filter names no end, up to those `known`."""
    first = chosen.since or min(known, default=None)
    last = chosen.until or max(known, default=None)
    if first is None or last is None:
        return []
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def by_day_and_model(connection: Reader, chosen: Filter) -> list[DayModelTokens]:
    """Sums of every calendar day and model with a response, oldest day first, then the largest model."""
    where = where_of(chosen).add("day IS NOT NULL")
    return connection.ask(
        DayModelTokens,
        f"SELECT day, coalesce(model, 'unknown') AS model, priced_speed AS speed, priced_tier AS service_tier, {SUMS}, "
        f"{WHOSE} FROM {priced_apart(rollup(connection, chosen))} WHERE {where} GROUP BY ALL "
        "ORDER BY day, total_tokens DESC, model, priced_speed, priced_tier",
        where.parameters,
    )
