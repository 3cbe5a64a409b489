"""Where the tokens went: over time, by what they went to, and the biggest sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from ...queries import caching, row_trends, tokens, trends
from ...queries.caching import KindTokens
from ...queries.row_trends import Trends
from ...queries.tokens import GroupTokens, SessionTokens
from ...queries.trends import Layer, OverTime
from .. import format as words
from ..kit.bars import StackedBars
from ..kit.palette import widget_ink
from ..kit.series import REST, Series
from ..learnt import differs
from ..ranges import bucket
from . import text as phrases
from .records import (
    BRIEF_COLUMNS,
    GROUP_COLUMNS,
    SESSION_COLUMNS,
    Paint,
    TokenTable,
    group_records,
    kind_records,
    priced_only,
    session_records,
)
from .view import DIMENSIONS, Question, TokenView

if TYPE_CHECKING:
    from ...queries.store import Reader

TOP = 10
FEWEST = 3
"""Active days, or hours or weeks, from which on an average of them says something."""
LAYERS = 6
"""Series of the chart; beyond them the rest are one."""

_TWO, _THREE = 116, 184
"""Columns from which a second and a third table stand beside the first."""
_LOW = 34
"""A view lower than this, in rows, shows one table at a time."""


_LATE = "subagent_type"
"""What is told beside the files of sub-agents, and by who starts them."""


@dataclass(frozen=True, slots=True)
class OverviewData:
    """Bars, groups by the chosen dimension and by another one, and the biggest sessions."""

    over_time: OverTime
    groups: tuple[GroupTokens, ...]
    """Empty where the tokens are broken down by kind."""
    kinds: tuple[KindTokens, ...]
    places: Mapping[str | None, int]
    """The number by which a group keeps its colour, whatever the filters."""
    trends: Mapping[str, Trends]
    """By dimension, how each of its groups came about."""
    beside: tuple[tuple[str, tuple[GroupTokens, ...]], ...]
    """Up to two more dimensions with their groups, for screens that are wide enough."""
    sessions: tuple[SessionTokens, ...]


class Overview(TokenView[OverviewData]):
    """Bars over time, a table of groups, and the ten biggest sessions."""

    NAME = "overview"
    TITLE = "Overview"
    ACTIONS = frozenset({"measure", "by", "granularity", "table"})

    def compose(self) -> ComposeResult:
        """The chart, the tables."""
        cost = self.shows_cost
        yield StackedBars(id="over-time", classes="chart", empty="Nothing to draw on any day of this range.")
        with Horizontal(id="groups"):
            yield TokenTable(priced_only(GROUP_COLUMNS, cost), id="by")
            yield TokenTable(priced_only(BRIEF_COLUMNS, cost), classes="beside", id="second")
            yield TokenTable(priced_only(BRIEF_COLUMNS, cost), classes="beside", id="third")
        yield TokenTable(priced_only(SESSION_COLUMNS, cost), id="top")

    # -- asking

    def told_soon(self, question: Question) -> bool:
        """All but the types of sub-agents."""
        return question.options.by != _LATE

    def ask(self, connection: Reader, question: Question) -> OverviewData:
        """All of it, by the filter of the question."""
        chosen, options, measure = question.chosen, question.options, question.measure
        by_kind = options.by == "kind"
        told = [by for by in ("project", "agent", "model", _LATE) if not (question.is_soon and by == _LATE)]
        others = [by for by in told if by != options.by and differs(by)][:2]
        order, descending = options.order or measure, options.descending
        groups = [] if by_kind else tokens.by_group(connection, chosen, options.by, order=order, descending=descending)
        return OverviewData(
            over_time=trends.over_time(
                connection,
                chosen,
                options.by,
                now=question.here,
                measure=measure,
                granularity=options.granularity,
                most=LAYERS,
            ),
            groups=tuple(groups),
            kinds=tuple(caching.by_kind(connection, chosen)) if by_kind else (),
            places=trends.places(connection, options.by),
            trends={
                by: row_trends.of_groups(connection, chosen, by, today=question.here.date(), measure=measure)
                for by in ([] if by_kind else [options.by]) + others
            },
            beside=tuple((by, tuple(tokens.by_group(connection, chosen, by, order=measure))) for by in others),
            sessions=tuple(tokens.top_sessions(connection, chosen, TOP, order=measure)),
        )

    # -- showing

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= _TWO, "-two")
        self.set_class(event.size.width >= _THREE, "-three")
        self.set_class(event.size.height < _LOW, "-low")

    def show(self, data: OverviewData, question: Question) -> None:
        """The bars over time, then the tables in the same colours."""
        options, measure = question.options, question.measure
        # What has no value of this measure, as tokens without a price, is no layer.
        layers = [layer for layer in data.over_time.layers if any(layer.of(measure))]
        places = [data.places.get(layer.name) if layer.merged == 1 else None for layer in layers]
        self._show_bars(data.over_time, layers, places, question)
        ink = widget_ink(self.query_one("#over-time"), max(len(layers), 1), _tones(layers), places)
        paint = Paint(ink, {layer.name: place for place, layer in enumerate(layers) if layer.merged == 1})
        plain = Paint(ink, {})
        by = self.query_one("#by", TokenTable)
        cost = question.cost
        if options.by == "kind":
            by.use(priced_only(BRIEF_COLUMNS, cost), "Token kind")
            by.show(kind_records(data.kinds, question, paint))
            by.mark_sort(measure, True)
        else:
            by.use(priced_only(GROUP_COLUMNS, cost), DIMENSIONS[options.by].capitalize())
            by.show(group_records(data.groups, options.by, question, paint, data.trends[options.by]))
            by.mark_sort(options.order or measure, options.descending)
        self.set_class(len(data.beside) < 2, "-no-third")
        for table, (dimension, groups) in zip(self.query(".beside").results(TokenTable), data.beside, strict=False):
            table.use(priced_only(BRIEF_COLUMNS, cost), DIMENSIONS[dimension].capitalize())
            table.show(group_records(groups, dimension, question, plain, data.trends[dimension]))
            table.mark_sort(measure, True)
        top = self.query_one("#top", TokenTable)
        top.use(priced_only(SESSION_COLUMNS, cost), "Top sessions")
        top.show(session_records(data.sessions, question, plain))
        top.mark_sort(measure, True)

    def _show_bars(
        self, shown: OverTime, layers: Sequence[Layer], places: Sequence[int | None], question: Question
    ) -> None:
        by = question.options.by
        own = phrases.group_names(by, [layer.name for layer in layers])
        names = [
            f"{layer.merged} others" if layer.merged > 1 else name for layer, name in zip(layers, own, strict=True)
        ]

        def describe(index: int) -> str:
            return _bucket_sentence(shown, layers, names, index, question)

        bars = self.query_one("#over-time", StackedBars)
        bars.show(
            [
                Series(name, layer.of(question.measure), tone, place)
                for name, layer, tone, place in zip(names, layers, _tones(layers), places, strict=True)
            ],
            words.axis(shown.buckets, shown.granularity, question.here.date()),
            unit=words.usd if question.money else words.count,
            describe=describe,
            average=average(shown, layers, question),
            running=phrases.running(shown.buckets, shown.granularity, question),
        )
        bars.stand_for(bucket(at, shown.granularity) for at in shown.buckets)
        bars.border_title = f"{'Spend' if question.money else 'Tokens'} by {shown.granularity} and {DIMENSIONS[by]}"
        keys = [f"u {'tokens' if question.money else 'spend'}"] if question.cost else []
        bars.border_subtitle = " · ".join([*keys, "b by what", "h hour, day, week", "↵ zoom"])

    # -- tables

    @property
    def first_focus(self) -> Widget | None:
        """The table that is shown."""
        only_sessions = self.has_class("-low") and self.has_class("-sessions")
        return self.query_one("#top" if only_sessions else "#by")

    def switch_table(self) -> None:
        """On a low screen, show the other table."""
        self.toggle_class("-sessions")


def average(shown: OverTime, layers: Sequence[Layer], question: Question) -> tuple[float, str] | None:
    """What was used on average, and of what: "an active day" is one with tokens, as in the figures above."""
    active = sum(any(layer.tokens[index] for layer in shown.layers) for index in range(len(shown.buckets)))
    if active < FEWEST:
        return None
    return sum(sum(layer.of(question.measure)) for layer in layers) / active, f"an active {shown.granularity}"


def _tones(layers: Sequence[Layer]) -> list[str]:
    """What colours the layers must have."""
    return [REST if layer.merged > 1 else "" for layer in layers]


def _bucket_sentence(
    shown: OverTime, layers: Sequence[Layer], names: Sequence[str], index: int, question: Question
) -> str:
    """A bar in words, with its tokens where it shows money."""
    unit = words.usd if question.money else words.count
    values = [layer.of(question.measure)[index] for layer in layers]
    parts = [f"{name} {unit(value)}" for name, value in zip(names, values, strict=True) if value]
    when = phrases.bucket_in_words(shown.buckets[index], shown.granularity, question.here.date())
    used = sum(layer.tokens[index] for layer in shown.layers)
    if not parts and not used:
        return f"{when}: nothing"
    told = f"{when}: {unit(sum(values))} = {' + '.join(parts)}" if len(parts) > 1 else f"{when}: {''.join(parts)}"
    return f"{told} · {words.plural(used, 'token')}" if question.money else told
