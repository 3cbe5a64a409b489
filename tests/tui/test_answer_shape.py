"""How an answer to a query becomes a chart."""

import datetime as dt
from typing import Any

import pytest
from agnes_stats.queries.console import Table
from agnes_stats.tui.kit.answer_shape import DRAWN, LAYERS, axes, drawing, fitting

TODAY = dt.date(2026, 11, 22)


def answer(columns: dict[str, str], *rows: tuple[Any, ...]) -> Table:
    return Table(list(columns), list(columns.values()), list(rows), truncated=False, seconds=0.0)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["VARCHAR", "BIGINT"], (0, 1)),
        (["HUGEINT", "VARCHAR[]", "DATE", "DOUBLE"], (2, 0)),
        (["BIGINT", "DECIMAL(18,3)"], (0, 1)),
        (["UTINYINT"], (None, 0)),
        (["VARCHAR", "BOOLEAN", "STRUCT(a INTEGER)", "INTEGER[]"], (0, None)),
        ([], (None, None)),
    ],
)
def test_the_axes_are_the_first_that_fit(types: list[str], expected: tuple[int | None, int | None]) -> None:
    assert axes(Table([""] * len(types), types, [], truncated=False, seconds=0.0)) == expected


def test_bars_of_names_stay_in_the_order_of_the_rows() -> None:
    table = answer({"name": "VARCHAR", "n": "BIGINT", "m": "BIGINT"}, ("b", 2, 9), (None, None, 1), ("b", 1, 1))
    drawn = drawing(table, "bars")
    assert drawn is not None
    assert (drawn.labels, drawn.series[0].values, len(drawn.series)) == (("b", "NULL", "b"), (2.0, None, 1.0), 1)
    assert (drawn.title, drawn.describe(0), drawn.describe(1)) == ("n by name", "b: 2", "NULL: NULL")


def test_days_are_a_calendar_whatever_order_the_rows_have() -> None:
    rows = [("2026-03-10", "4.50"), (dt.date(2026, 3, 7), 1), ("2026-03-08", None)]
    table = answer({"day": "DATE", "cost_usd": "DECIMAL(9,2)"}, *rows)
    bars, lines = drawing(table, "bars", TODAY), drawing(table, "lines", TODAY)
    assert bars is not None
    assert lines is not None
    assert bars.labels == ("Mar 07", "Mar 08", "Mar 09", "Mar 10")
    assert bars.series[0].values == (1.0, 0.0, 0.0, 4.5)
    assert lines.series[0].values == (1.0, None, None, 4.5), "between days without a row a line has a gap"
    assert bars.describe(3) == "2026-03-10: $4.50"


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (["2026-01-01", "2026-03-01"], ("Jan 2026", "Feb 2026", "Mar 2026")),
        (["2026-01-05", "2026-01-19"], ("Jan 05", "Jan 12", "Jan 19")),
        (["2026-01-06", "2026-01-08"], ("Jan 06", "Jan 07", "Jan 08")),
        (["2026-01-05", "2026-01-12", "2026-01-26"], ("Jan 05", "Jan 12", "Jan 19", "Jan 26")),
        (["infinity", "2026-01-05"], ("Jan 05 2026", "Dec 31 9999")),
        (["2026-01-05"], ("Jan 05",)),
    ],
)
def test_weeks_and_months_keep_their_step(days: list[str], labels: tuple[str, ...]) -> None:
    drawn = drawing(answer({"d": "DATE", "n": "BIGINT"}, *((day, 1) for day in days)), "bars", TODAY)
    assert drawn is not None
    assert drawn.labels == labels


def test_times_are_in_their_order_and_not_filled_up() -> None:
    rows = [("2026-03-10T12:30:00+00:00", 1), ("2026-03-08T01:00:00+00:00", 2)]
    drawn = drawing(answer({"ts": "TIMESTAMP WITH TIME ZONE", "n": "BIGINT"}, *rows), "lines", TODAY)
    assert drawn is not None
    assert drawn.labels == ("Mar 08 01:00", "Mar 10 12:30")
    assert drawn.describe(1) == "2026-03-10 12:30:00: 1"


def test_a_second_column_of_names_makes_the_layers_and_the_rest_are_one() -> None:
    rows = [("2026-03-10", f"m{n}", n) for n in range(1, LAYERS + 3)] + [("2026-03-11", "m1", 100)]
    drawn = drawing(answer({"day": "DATE", "model": "VARCHAR", "n": "BIGINT"}, *rows), "stacked")
    assert drawn is not None
    assert [one.name for one in drawn.series] == ["m1", "m8", "m7", "m6", "m5", "3 others"]
    assert [one.values for one in drawn.series[:2]] == [(1.0, 100.0), (8.0, 0.0)]
    assert sum(one.values[0] or 0 for one in drawn.series) == sum(range(1, LAYERS + 3))
    assert drawn.title == "n by day and model"
    assert drawn.describe(0) == "2026-03-10: 36 = m1 1 + m8 8 + m7 7 + m6 6 + m5 5 + 3 others 9"


def test_without_one_every_column_of_numbers_is_a_layer() -> None:
    table = answer({"name": "VARCHAR", "read": "BIGINT", "yes": "BOOLEAN", "written": "HUGEINT"}, ("x", 3, True, 4))
    drawn = drawing(table, "stacked")
    assert drawn is not None
    assert [(one.name, one.values) for one in drawn.series] == [("read", (3.0,)), ("written", (4.0,))]
    assert drawn.describe(0) == "x: 7 = read 3 + written 4"


def test_layers_over_names_are_added_up_by_name() -> None:
    rows = [("/a/x", "m", 1), ("/b/x", "m", 2), ("/a/x", "n", 4), ("/a/x", "m", 8)]
    drawn = drawing(answer({"project": "VARCHAR", "kind": "VARCHAR", "n": "BIGINT"}, *rows), "stacked")
    assert drawn is not None
    assert (drawn.labels, drawn.told) == (("x", "x"), ("/a/x", "/b/x"))
    assert [(one.name, one.values) for one in drawn.series] == [("m", (9.0, 2.0)), ("n", (4.0, None))]


@pytest.mark.parametrize(
    ("columns", "rows", "form"),
    [
        ({"day": "DATE", "n": "BIGINT"}, 2, "bars"),
        ({"day": "DATE", "model": "VARCHAR", "n": "BIGINT"}, 2, "stacked"),
        ({"project": "VARCHAR", "model": "VARCHAR", "n": "BIGINT"}, 2, "bars"),
        ({"project": "VARCHAR", "n": "BIGINT"}, 1, "table"),
        ({"n": "BIGINT"}, 9, "table"),
        ({"a": "VARCHAR", "b": "VARCHAR"}, 9, "table"),
    ],
)
def test_the_form_follows_from_the_columns(columns: dict[str, str], rows: int, form: str) -> None:
    value = {"DATE": "2026-03-10", "BIGINT": 1}
    assert fitting(answer(columns, *[tuple(value.get(kind, "x") for kind in columns.values())] * rows)) == form


def test_what_is_too_long_is_cut_where_it_matters_least() -> None:
    size = DRAWN + 5
    names = drawing(answer({"name": "VARCHAR", "n": "BIGINT"}, *((f"n{at}", at) for at in range(size))), "bars")
    first = dt.date(2025, 1, 1)
    days = drawing(
        answer({"d": "DATE", "n": "BIGINT"}, *((first + dt.timedelta(at), at) for at in range(size))), "bars"
    )
    assert names is not None
    assert days is not None
    assert (names.labels[0], names.cut, len(names.labels)) == ("n0", "the first 400 of 405", DRAWN)
    assert (days.told[-1], days.cut) == ("2026-02-09", "the last 400 of 405")
    assert len(days.series[0].values) == len(days.labels) == DRAWN


def test_nothing_to_draw() -> None:
    assert drawing(answer({"a": "VARCHAR"}, ("x",)), "bars") is None
    assert drawing(answer({}), "lines") is None
    drawn = drawing(answer({"n": "BIGINT"}, (1,), (None,)), "bars")
    assert drawn is not None
    assert (drawn.labels, drawn.title) == (("1", "2"), "n by row")
