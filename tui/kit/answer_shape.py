"""How an answer to a query becomes a chart: which columns name the parts, which say how high they are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...queries.console import Table
from .. import format as words
from .answer_text import is_number, told
from .scale import Unit
from .series import REST, Series

DRAWN = 400
"""Parts of a chart, at most: of days the latest, of others the first."""
LAYERS = 6
"""Series of a chart; beyond them the rest are one."""

_NAMING = re.compile(r"(VARCHAR|DATE|TIMESTAMP[A-Z_ ]*|ENUM\(.*\))$", re.DOTALL)
"""Types by which parts are named."""
_MONEY = re.compile(r"(^|_)(usd|cost|costs|spend)(_|$)", re.IGNORECASE)
_NULL = "NULL"
_TOTAL_LABEL = 40


@dataclass(frozen=True, slots=True)
class Drawing:
    """Series over labels. `told` are the labels in full, `title` says what is drawn, `cut` what is not."""

    title: str
    labels: tuple[str, ...]
    told: tuple[str, ...]
    series: tuple[Series, ...]
    unit: Unit
    cut: str = ""

    def describe(self, index: int) -> str:
        """A part in words."""
        values = [(one.name, one.values[index]) for one in self.series]
        if len(values) == 1:
            value = values[0][1]
            return f"{self.told[index]}: {_NULL if value is None else self.unit(value)}"
        parts = [f"{words.clean(name, _TOTAL_LABEL)} {self.unit(value)}" for name, value in values if value]
        whole = sum(value or 0.0 for _, value in values)
        if len(parts) > 1:
            return f"{self.told[index]}: {self.unit(whole)} = {' + '.join(parts)}"
        return f"{self.told[index]}: {''.join(parts) or 'nothing'}"


def axes(table: Table) -> tuple[int | None, int | None]:
    """The column the parts are named by, and the one that says how high they are; None where there is none.

    The first of numbers is drawn, over the first of texts or days, else over the first of other numbers before it.
    """
    numbers = [at for at, kind in enumerate(table.types) if is_number(kind)]
    names = [at for at, kind in enumerate(table.types) if _NAMING.match(kind)]
    if not names and len(numbers) > 1:
        return numbers[0], numbers[1]
    return names[0] if names else None, numbers[0] if numbers else None


def fitting(table: Table) -> str:
    """The form that suits an answer: bars of one number each, stacked ones where a second column splits them."""
    across, up = axes(table)
    if across is None or up is None or len(table.rows) < 2:
        return "table"
    return "stacked" if _is_time(table.types[across]) and _split(table, across) is not None else "bars"


def drawing(table: Table, form: str, today: dt.date | None = None) -> Drawing | None:
    """What `form`, "bars", "lines" or "stacked", draws of an answer; None if it has no column of numbers.

    Bars are of the first number. Lines and stacks have a series for each value of a second column of names, else for
    each column of numbers. Days are in their order, and those without a row are there, too; all say
    their year unless they are of that of `today`.
    """
    across, up = axes(table)
    if up is None:
        return None
    split = None if form == "bars" or across is None else _split(table, across)
    numbers = [up]
    if form != "bars" and split is None:
        numbers = [at for at, kind in enumerate(table.types) if is_number(kind) and at != across]
    if across is not None and _is_time(table.types[across]) and not is_number(table.types[across]):
        return _over_time(table, across, numbers, split, form, today)
    return _over_names(table, across, numbers, split)


def _split(table: Table, across: int) -> int | None:
    """A second column of names."""
    named = (at for at, kind in enumerate(table.types) if at != across and _NAMING.match(kind))
    return next((at for at in named if not _is_time(table.types[at])), None)


def _is_time(kind: str) -> bool:
    return kind == "DATE" or kind.startswith("TIMESTAMP")


def _over_names(table: Table, across: int | None, numbers: Sequence[int], split: int | None) -> Drawing:
    rows = table.rows
    names = [str(n) if across is None else _name(table, row, across) for n, row in enumerate(rows, 1)]
    keys: list[Any] = list(dict.fromkeys(names)) if split is not None else list(range(len(rows)))
    place = {key: at for at, key in enumerate(keys)}
    where = [place[name] for name in names] if split is not None else list(range(len(rows)))
    shown = names if split is None else list(keys)
    series = _series(table, rows, where, len(shown), numbers, split)
    cut = f"the first {DRAWN} of {len(shown):,}" if len(shown) > DRAWN else ""
    return Drawing(
        _title(table, across, numbers, split),
        tuple(_end(name) for name in shown[:DRAWN]),
        tuple(shown[:DRAWN]),
        tuple(Series(one.name, one.values[:DRAWN]) for one in series),
        _unit(table, numbers),
        cut,
    )


def _over_time(
    table: Table, across: int, numbers: Sequence[int], split: int | None, form: str, today: dt.date | None
) -> Drawing:
    """Sorted by time; of calendar days also those for which there is no row."""
    rows = [row for row in table.rows if row[across] is not None]
    moments = [_moment(row[across]) for row in rows]
    axis = _axis(sorted(set(moments)), table.types[across])
    place = {moment: at for at, moment in enumerate(axis)}
    series = _series(table, rows, [place[moment] for moment in moments], len(axis), numbers, split)
    if form != "lines":
        series = [Series(one.name, tuple(value or 0.0 for value in one.values)) for one in series]
    cut = f"the last {DRAWN} of {len(axis):,}" if len(axis) > DRAWN else ""
    axis = axis[-DRAWN:]
    return Drawing(
        _title(table, across, numbers, split),
        tuple(_labels(axis, table.types[across], today)),
        tuple(told(moment.isoformat(), "TIMESTAMP").removesuffix(" 00:00:00") for moment in axis),
        tuple(Series(one.name, one.values[-DRAWN:]) for one in series),
        _unit(table, numbers),
        cut,
    )


def _moment(value: Any) -> dt.datetime:
    """A day or a time of an answer, which came as a text or as what it is."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    try:
        return dt.datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        # Infinity, or a day before the first that Python has.
        return dt.datetime.min if str(value).startswith("-") else dt.datetime.max


def _axis(moments: list[dt.datetime], kind: str) -> list[dt.datetime]:
    """Days, weeks or months without a gap: months if all days are first ones, weeks if all are Mondays."""
    if kind != "DATE" or len(moments) < 2 or dt.datetime.max in moments or dt.datetime.min in moments:
        return moments
    days = [moment.date() for moment in moments]
    if all(day.day == 1 for day in days):
        months = [day.year * 12 + day.month - 1 for day in days]
        whole = [dt.date(month // 12, month % 12 + 1, 1) for month in range(months[0], months[-1] + 1)]
    else:
        step = 7 if all(day.weekday() == 0 for day in days) else 1
        span = (days[-1] - days[0]).days
        whole = [days[0] + dt.timedelta(days=at) for at in range(0, span + 1, step)]
    # A few days in many years are no calendar.
    return moments if len(whole) > 10 * DRAWN else [dt.datetime.combine(day, dt.time()) for day in whole]


def _labels(axis: Sequence[dt.datetime], kind: str, today: dt.date | None) -> list[str]:
    if kind != "DATE":
        return words.axis(axis, "hour", today)
    is_months = len(axis) > 1 and all(moment.day == 1 for moment in axis)
    return words.axis(axis, "month" if is_months else "day", today)


def _series(
    table: Table,
    rows: Sequence[tuple[Any, ...]],
    where: Sequence[int],
    size: int,
    numbers: Sequence[int],
    split: int | None,
) -> list[Series]:
    """A series for each column of numbers, or for each value of the column `split`, the largest first."""
    if split is None:
        return [
            Series(words.clean(table.columns[at], _TOTAL_LABEL), _sums([row[at] for row in rows], where, size))
            for at in numbers
        ]
    groups: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(_name(table, row, split), []).append(number)
    up = numbers[0]

    def of(members: Sequence[int]) -> tuple[float | None, ...]:
        return _sums([rows[number][up] for number in members], [where[number] for number in members], size)

    found = sorted(groups, key=lambda name: -sum(value or 0.0 for value in of(groups[name])))
    kept = found if len(found) <= LAYERS else found[: LAYERS - 1]
    series = [Series(_end(name), of(groups[name])) for name in kept]
    if rest := [number for name in found[len(kept) :] for number in groups[name]]:
        series.append(Series(f"{len(found) - len(kept)} others", of(rest), REST))
    return series


def _sums(values: Sequence[Any], where: Sequence[int], size: int) -> tuple[float | None, ...]:
    sums: list[float | None] = [None] * size
    for value, at in zip(values, where, strict=True):
        number = _number(value)
        if number is not None:
            sums[at] = (sums[at] or 0.0) + number
    return tuple(sums)


def _number(value: Any) -> float | None:
    # Decimals come as texts, so that they stay exact.
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _name(table: Table, row: tuple[Any, ...], at: int) -> str:
    value = row[at]
    if value is None:
        return _NULL
    if table.columns[at].lower() == "model" and isinstance(value, str):
        return words.model(value)
    return told(value, table.types[at])


def _end(name: str) -> str:
    """The last part of a path, of any system, which tells more than its beginning; a name as it is."""
    return re.split(r"[/\\]", name)[-1] if re.match(r"/|\\\\|[A-Za-z]:[/\\]", name) else name


def _title(table: Table, across: int | None, numbers: Sequence[int], split: int | None) -> str:
    drawn = ", ".join(words.clean(table.columns[at], _TOTAL_LABEL) for at in numbers)
    by = "row" if across is None else words.clean(table.columns[across], _TOTAL_LABEL)
    return f"{drawn} by {by}" + (f" and {words.clean(table.columns[split], _TOTAL_LABEL)}" if split is not None else "")


def _unit(table: Table, numbers: Sequence[int]) -> Unit:
    return words.usd if all(_MONEY.search(table.columns[at]) for at in numbers) else _amount


def _amount(value: float) -> str:
    return words.count(value) if value >= 100 or value == int(value) else f"{value:.3g}"
