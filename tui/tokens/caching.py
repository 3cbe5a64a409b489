"""What the prompt cache does: how much of the input it holds, and what that saves."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget

from ...queries import caching, tokens, trends
from ...queries.caching import ModelCache, ProviderCache
from ...queries.tokens import DayTokens
from ...queries.trends import Granularity
from .. import format as words
from .. import marks
from ..kit.bars import StackedBars
from ..kit.palette import widget_ink
from ..kit.series import Series
from ..kit.table import Column, Record
from ..ranges import bucket
from . import text as phrases
from .records import BAR, Paint, TokenTable, priced_only
from .view import Question, TokenView

if TYPE_CHECKING:
    from ...queries.store import Reader

_COLUMNS = (
    Column("name", "Maker and model"),
    Column("ratio", "Hit", 7, "right"),
    Column("cache_read", "Read", 8, "right"),
    Column("write_5m", "Write 5m", 8, "right", 66),
    Column("write_1h", "Write 1h", 8, "right", 66),
    Column("input", "Not cached", 10, "right", 80),
    Column("saved_usd", "≈ Saved", 9, "right"),
    Column("bar", "", BAR, min_screen=70),
)


@dataclass(frozen=True, slots=True)
class CachingData:
    """Days with a response, the range they are shown in, and the makers of the models."""

    days: tuple[DayTokens, ...]
    span: tuple[dt.date, dt.date] | None
    providers: tuple[ProviderCache, ...]


class Caching(TokenView[CachingData]):
    """What went in over time, and a table of makers and their models."""

    NAME = "caching"
    TITLE = "Cache"

    def compose(self) -> ComposeResult:
        """The chart and the table."""
        yield StackedBars(id="caching-days", classes="chart", empty="No input on any day of this range.")
        yield TokenTable(priced_only(_COLUMNS, self.shows_cost), sorts=False, id="caching-models")

    def told_soon(self, question: Question) -> bool:  # noqa: ARG002
        """Always: it is of nothing but what responses took."""
        return True

    def ask(self, connection: Reader, question: Question) -> CachingData:
        """What was read from the cache, written to it and neither, by day and by model."""
        chosen = question.chosen
        return CachingData(
            tuple(tokens.by_day(connection, chosen)),
            trends.days_of(connection, chosen, question.here.date()),
            tuple(caching.by_provider(caching.by_model(connection, chosen))),
        )

    @property
    def first_focus(self) -> Widget | None:
        """The table."""
        return self.query_one("#caching-models")

    def show(self, data: CachingData, question: Question) -> None:
        """A bar for each stretch of time, then a row for each model."""
        granularity, buckets, found = _by_bucket(data, question)

        def describe(index: int) -> str:
            when, inward = phrases.bucket_in_words(buckets[index], granularity, question.here.date()), found[index]
            told = f"{words.count(inward.read)} of {words.count(inward.read + inward.written + inward.plain)} read"
            return f"{when}: nothing" if inward.ratio is None else f"{when}: {words.percent(inward.ratio)}, {told}"

        bars = self.query_one("#caching-days", StackedBars)
        bars.stand_for(bucket(at, granularity) for at in buckets)
        bars.border_title = f"What went in by {granularity}: read from the cache, written to it, or neither"
        bars.show(
            [
                Series("Read", tuple(inward.read for inward in found)),
                Series("Written", tuple(inward.written for inward in found)),
                Series("Not cached", tuple(inward.plain for inward in found)),
            ],
            words.axis(buckets, granularity, question.here.date()),
            describe=describe,
            running=phrases.running(buckets, granularity, question),
        )
        paint = Paint(widget_ink(self), {})
        records = []
        for provider in data.providers:
            records.append(_provider_record(provider, paint))
            names = phrases.group_names("model", [model.name for model in provider.models])
            records += [_model_record(model, name, paint) for model, name in zip(provider.models, names, strict=True)]
        self.query_one("#caching-models", TokenTable).show(records)


@dataclass(frozen=True, slots=True)
class _Inward:
    """What went in during a bucket."""

    read: int = 0
    written: int = 0
    plain: int = 0

    def plus(self, row: DayTokens) -> _Inward:
        return _Inward(
            self.read + row.cache_read_tokens, self.written + row.cache_write_tokens, self.plain + row.input_tokens
        )

    @property
    def ratio(self) -> float | None:
        total = self.read + self.written + self.plain
        return self.read / total if total else None


def _by_bucket(data: CachingData, question: Question) -> tuple[Granularity, list[dt.datetime], list[_Inward]]:
    """Every bucket of the range with what went in."""
    if data.span is None:
        return "day", [], []
    granularity = trends.fitting(*data.span)
    buckets = trends.axis(*data.span, granularity, question.here)
    found = [_Inward()] * len(buckets)
    for row in data.days:
        place = bisect_right(buckets, dt.datetime.combine(row.day, dt.time())) - 1
        found[place] = found[place].plus(row)
    return granularity, buckets, found


def _provider_record(provider: ProviderCache, paint: Paint) -> Record:
    models: Sequence[ModelCache] = provider.models
    return Record(
        f"maker {provider.name}",
        {
            "name": Text(provider.name, style="bold"),
            "ratio": words.percent(provider.cache_hit_ratio),
            "cache_read": words.count(provider.cache_read_tokens),
            "write_5m": words.count(sum(model.cache_write_5m_tokens for model in models)),
            "write_1h": words.count(sum(model.cache_write_1h_tokens for model in models)),
            "input": words.count(sum(model.input_tokens for model in models)),
            "saved_usd": marks.money(provider.saved_usd, unpriced=provider.unpriced_tokens),
            "bar": paint.bar(None, provider.cache_hit_ratio or 0.0, 1.0),
        },
    )


def _model_record(model: ModelCache, name: str, paint: Paint) -> Record:
    return Record(
        f"={model.name}",
        {
            "name": Text(f"  {name}"),
            "ratio": words.percent(model.cache_hit_ratio),
            "cache_read": words.count(model.cache_read_tokens),
            "write_5m": words.count(model.cache_write_5m_tokens),
            "write_1h": words.count(model.cache_write_1h_tokens),
            "input": words.count(model.input_tokens),
            "saved_usd": marks.money(model.saved_usd, unpriced=model.unpriced_tokens),
            "bar": paint.bar(None, model.cache_hit_ratio or 0.0, 1.0),
        },
        ("model", model.name, name),
        model,
    )
