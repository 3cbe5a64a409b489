"""The rows of the tables of tokens: groups, kinds of tokens, sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.text import Text

from ...queries.caching import KindTokens
from ...queries.row_trends import POINTS, Trends
from ...queries.tokens import GroupTokens, SessionTokens, TokenSums, added
from .. import format as words
from .. import marks
from ..kit.palette import Ink
from ..kit.spark import sparkline
from ..kit.table import Column, Record, RecordTable
from ..learnt import told_apart
from . import text as phrases
from .view import Question

MOST_ROWS = 200
"""Groups that are listed; the rest are told as one row."""

BAR = 8

GROUP_COLUMNS = (
    Column("name", ""),
    Column("sessions", "Sessions", 8, "right", 96, sortable=True),
    Column("input_tokens", "Input", 7, "right", 92, sortable=True),
    Column("output_tokens", "Output", 7, "right", 62, sortable=True),
    Column("cache_read_tokens", "Cache R", 7, "right", 72),
    Column("cache_write_tokens", "Cache W", 7, "right", 72),
    Column("total_tokens", "Total", 8, "right", sortable=True),
    Column("cost_usd", "Cost", 9, "right", sortable=True),
    Column("million_usd", "$/1M", 7, "right", 82),
    Column("bar", "", BAR, min_screen=48, name="Bar"),
    Column("trend", "Trend", POINTS, min_screen=73),
)
BRIEF_COLUMNS = (
    Column("name", ""),
    Column("total_tokens", "Total", 8, "right"),
    Column("cost_usd", "Cost", 9, "right"),
    Column("bar", "", BAR, min_screen=44, name="Bar"),
    Column("trend", "Trend", POINTS, min_screen=66),
)
SESSION_COLUMNS = (
    Column("title", ""),
    Column("project", "Project", 16, min_screen=76),
    Column("agent", "Agent", 11, min_screen=104),
    Column("machine", "Machine", 11, min_screen=140),
    Column("username", "User", 11, min_screen=140),
    Column("model", "Model", 12, min_screen=100, by="primary_model"),
    Column("started_at", "Started", 15, min_screen=110),
    Column("output_tokens", "Output", 7, "right", 120),
    Column("cache_read_tokens", "Cache R", 7, "right", 130),
    Column("total_tokens", "Total", 8, "right"),
    Column("cost_usd", "Cost", 9, "right"),
    Column("bar", "", BAR, min_screen=64),
)


def priced_only(columns: Sequence[Column], cost: bool) -> list[Column]:
    """The columns, without those of money where it is hidden, and of who told it where that is always the same."""
    return [column for column in told_apart(columns) if cost or not column.key.endswith("_usd")]


class TokenTable(RecordTable):
    """A table among others: it shows its cursor only where the keys go to it."""

    def on_mount(self) -> None:
        self.show_cursor = self.has_focus

    def on_focus(self) -> None:
        self.show_cursor = True

    def on_blur(self) -> None:
        self.show_cursor = False

    def use(self, columns: Sequence[Column], rows: str) -> None:
        """Use other columns, the first one named after what the `rows` are."""
        first = columns[0]
        named = Column(first.key, rows, first.width, first.justify, first.min_screen, first.sortable)
        self.use_columns((named, *columns[1:]))


@dataclass(frozen=True, slots=True)
class Paint:
    """What the bars of a table are drawn with: `colors` says which series of the chart a name has."""

    ink: Ink
    colors: Mapping[str | None, int]

    def bar(self, name: str | None, value: float, largest: float) -> Text | str:
        """The bar of a row: no bar for nothing; names without a series have the last one, that of the others."""
        if not value or not largest:
            return ""
        series = self.colors.get(name, len(self.ink.series) - 1) if self.colors else 0
        return phrases.share_bar(value / largest, BAR, self.ink, series)


def value_of(row: TokenSums, question: Question) -> float:
    """A row's amount of the measure."""
    return float((row.cost_usd or 0.0) if question.money else row.total_tokens)


def _amounts(row: TokenSums) -> dict[str, str]:
    return {
        "sessions": words.count(row.sessions),
        "input_tokens": words.count(row.input_tokens),
        "output_tokens": phrases.output(row),
        "cache_read_tokens": words.count(row.cache_read_tokens),
        "cache_write_tokens": words.count(row.cache_write_tokens),
        "total_tokens": phrases.total(row),
        "cost_usd": marks.cost(row),
        "million_usd": words.usd(of_a_million(row)),
    }


def of_a_million(row: TokenSums) -> float | None:
    """USD that a million tokens of a row cost, those without a price and those that others pay for left out.

    None where no token has a price.
    """
    priced = row.total_tokens - row.unpriced_tokens - row.billed_elsewhere_tokens
    return row.cost_usd * 1e6 / priced if row.cost_usd is not None and priced > 0 else None


def _trend(row: GroupTokens, by: str, trends: Trends) -> Text | str:
    """The row over the days of the range; nothing where these are too few, or nothing was used."""
    apart = (row.speed, row.service_tier) if by == "model" else ("", "")
    values = trends.get((row.name, *apart), ())
    return Text(sparkline(values, POINTS), style="dim") if any(values) else ""


def group_records(
    rows: Sequence[GroupTokens], by: str, question: Question, paint: Paint, trends: Trends
) -> list[Record]:
    """Groups as records; a record's data are the dimension, the value and its name."""
    shown, rest = rows[:MOST_ROWS], rows[MOST_ROWS:]
    largest = max((value_of(row, question) for row in shown), default=0.0)
    records = [
        Record(
            words.priced(f"={row.name}", row.speed, row.service_tier) if row.name is not None else "",
            {
                "name": Text(
                    words.priced(name, row.speed, row.service_tier), style="" if row.name is not None else "italic"
                ),
                **_amounts(row),
                "bar": paint.bar(row.name, value_of(row, question), largest),
                "trend": _trend(row, by, trends),
            },
            (by, row.name, name),
            row,
        )
        for row, name in zip(shown, phrases.group_names(by, [row.name for row in shown]), strict=True)
    ]
    if rest:
        named = Text(words.plural(len(rest), "other"), style="italic")
        # A session may be in several groups, so theirs cannot be added up.
        records.append(Record("others", {"name": named, **_amounts(added(rest)), "sessions": ""}, raw=_others(rest)))
    return records


def _others(rows: Sequence[GroupTokens]) -> dict[str, object]:
    named = {"name": words.plural(len(rows), "other"), "speed": None, "service_tier": None}
    return asdict(added(rows)) | named | dict.fromkeys(("sessions", "agent", "machine", "username"))


def kind_records(kinds: Sequence[KindTokens], question: Question, paint: Paint) -> list[Record]:
    """Kinds of tokens as records, dearest or most first."""

    def value(kind: KindTokens) -> float:
        return float((kind.cost_usd or 0.0) if question.money else kind.tokens)

    ordered = sorted(kinds, key=value, reverse=True)
    largest = value(ordered[0]) if ordered else 0.0
    return [
        Record(
            kind.name,
            {
                "name": kind.name,
                "total_tokens": marks.tokens(kind.tokens, kind.undercounted) if kind.tokens else words.NONE,
                "cost_usd": marks.cost(kind),
                "bar": paint.bar(kind.name, value(kind), largest),
            },
            raw=kind,
        )
        for kind in ordered
    ]


def session_records(rows: Sequence[SessionTokens], question: Question, paint: Paint) -> list[Record]:
    """Sessions as records."""
    largest = max((value_of(row, question) for row in rows), default=0.0)
    return [
        Record(
            row.session_id,
            {
                "title": words.session(row.title, row.session_id, row.project),
                "project": project if row.project else words.NONE,
                "agent": row.agent,
                "machine": row.machine,
                "username": row.username,
                "model": words.model(row.primary_model) if row.primary_model else words.NONE,
                "started_at": words.when(row.started_at, question.now, question.zone),
                **_amounts(row),
                "bar": paint.bar(None, value_of(row, question), largest),
            },
            ("session_id", row.session_id, words.session(row.title, row.session_id, row.project)),
            row,
        )
        for row, project in zip(rows, phrases.group_names("project", [row.project for row in rows]), strict=True)
    ]
