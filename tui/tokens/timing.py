"""How long the answers take, and how fast they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from ...queries import timing
from ...queries.timing import METRICS, Distribution, Metric, ModelPercentiles
from .. import format as words
from ..kit.chart import PlotextChart
from ..kit.lines import StillText
from ..kit.palette import widget_ink
from ..kit.plots import Histogram, PlotMark
from ..kit.table import Column, Record
from .records import BAR, Paint, TokenTable
from .view import WIDE, Question, TokenView

if TYPE_CHECKING:
    from ...queries.store import Reader


def _speed(value: float | None) -> str:
    return words.NONE if value is None else f"{words.count(value)} tok/s"


@dataclass(frozen=True, slots=True)
class _TimingTold:
    """How a metric is told: its title, what is counted (in the singular), what it is, and its unit."""

    title: str
    counted: str
    meaning: str
    unit: Callable[[float | None], str]


_TOLD: dict[Metric, _TimingTold] = {
    "response": _TimingTold(
        "Response time",
        "response",
        "From a prompt or tool result to the first row of the response. Transcripts do not tell the first token.",
        words.millis,
    ),
    "turn": _TimingTold(
        "Turn duration",
        "turn",
        "From a prompt to the end of the work on it, as Claude Code logs it since 2.1.",
        words.millis,
    ),
    "speed": _TimingTold(
        "Output speed",
        "response",
        "Output tokens over the whole time of the response, the wait for its first token included.",
        _speed,
    ),
}

_COLUMNS = (
    Column("name", "Model"),
    Column("count", "Count", 8, "right"),
    Column("p50", "p50", 11, "right"),
    Column("p90", "p90", 11, "right"),
    Column("p99", "p99", 11, "right"),
    Column("bar", "", BAR, min_screen=72),
)


@dataclass(frozen=True, slots=True)
class TimingData:
    """The distributions shown, and the percentiles of each model for the chosen one."""

    shown: tuple[tuple[Metric, Distribution | None], ...]
    models: tuple[ModelPercentiles, ...]


class Timing(TokenView[TimingData]):
    """Histograms with percentiles, and a table of models."""

    NAME = "timing"
    TITLE = "Timing"
    ACTIONS = frozenset({"measure"})

    def compose(self) -> ComposeResult:
        """A chart for each metric, of which narrow screens show one."""
        with Horizontal(id="timings"):
            for metric in METRICS:
                yield PlotextChart(id=f"timing-{metric}", classes="chart")
        yield StillText(id="timing-meaning", classes="about", markup=False)
        yield TokenTable(_COLUMNS, id="timing-models")

    def ask(self, connection: Reader, question: Question) -> TimingData:
        """The chosen metric; on a wide screen all of them."""
        chosen, metric = question.chosen, question.options.timing
        shown = METRICS if question.width >= WIDE else (metric,)
        return TimingData(
            tuple((one, timing.distribution(connection, chosen, one)) for one in shown),
            tuple(timing.by_model(connection, chosen, metric)),
        )

    def show(self, data: TimingData, question: Question) -> None:
        """The charts, and the table of the chosen metric."""
        chosen, shown = question.options.timing, dict(data.shown)
        for metric in METRICS:
            chart = self.query_one(f"#timing-{metric}", PlotextChart)
            chart.display = metric in shown
            if metric in shown:
                self._show_chart(chart, metric, shown[metric], chosen)
        meaning = Text(_TOLD[chosen].meaning, no_wrap=True, overflow="ellipsis")
        self.query_one("#timing-meaning", StillText).update(meaning)
        self._show_models(data, chosen)

    def _show_chart(self, chart: PlotextChart, metric: Metric, found: Distribution | None, chosen: Metric) -> None:
        told = _TOLD[metric]
        empty = f"No {told.counted}s with a time here."
        following = METRICS[(METRICS.index(chosen) + 1) % len(METRICS)]
        chart.border_subtitle = f"u {_TOLD[following].title.lower()}" if metric == chosen else ""
        if found is None:
            chart.border_title = told.title
            chart.show(Histogram((), ()), empty=empty)
            return
        chart.border_title = f"{told.title} of {words.plural(found.count, told.counted)}"
        marks = (PlotMark("p50", found.p50), PlotMark("p90", found.p90), PlotMark("p99", found.p99))
        chart.show(Histogram(found.counts, found.edges, marks, overflow=True, unit=told.unit), empty=empty)

    def _show_models(self, data: TimingData, metric: Metric) -> None:
        unit = _TOLD[metric].unit
        paint = Paint(widget_ink(self), {})
        largest = max((row.p50 for row in data.models), default=0.0)
        self.query_one("#timing-models", TokenTable).show(
            [
                Record(
                    row.name,
                    {
                        "name": words.model(row.name),
                        "count": words.count(row.count),
                        "p50": unit(row.p50),
                        "p90": unit(row.p90),
                        "p99": unit(row.p99),
                        "bar": paint.bar(None, row.p50, largest),
                    },
                    ("model", row.name, words.model(row.name)),
                    row,
                )
                for row in data.models
            ]
        )

    @property
    def first_focus(self) -> Widget | None:
        """The table of models."""
        return self.query_one("#timing-models")
