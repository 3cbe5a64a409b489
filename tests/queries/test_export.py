"""Answers and rows as files."""

import csv
import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from agnes_stats.queries import console, export
from agnes_stats.queries.console import Table
from agnes_stats.queries.replaced import replacing
from agnes_stats.queries.store import Store

EVERY_TYPE = r"""SELECT 1 AS a, 2 AS A, 1.50::DECIMAL(9, 2) AS decimal, DATE '2026-01-02' AS day,
    TIMESTAMP '2026-01-02 10:00' AS ts, 'a' || chr(10) || chr(27) || '"' AS text, NULL AS nothing, [1, NULL] AS list,
    {'a': DATE '2020-01-01', 'b': 'q"z'} AS struct, MAP {'k': 1} AS map, '\x00\xFF'::BLOB AS blob,
    INTERVAL '3 days 1 hour' AS span, true AS yes, TIME '10:11' AS clock, [{'l': ['x']}] AS deep, 'inf'::DOUBLE AS big
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"""


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Table:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    with Store(path).write():
        pass
    return console.ask(path, EVERY_TYPE)


def read(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT * FROM '{path}'").fetchall()


def test_every_type_goes_through_json_into_parquet_and_stays_what_it_was(answer: Table, tmp_path: Path) -> None:
    again = export.answer_of(json.loads(json.dumps(export.answer_to(answer), allow_nan=False)))
    for name, table in (("direct", answer), ("through json", again)):
        export.save(table, tmp_path / f"it's {name}.parquet", "parquet")
        rows = duckdb.connect().read_parquet(str(tmp_path / f"it's {name}.parquet")).fetchall()
        assert rows == answer.rows, name


def test_csv_and_json_hold_the_values_as_they_are(answer: Table, tmp_path: Path) -> None:
    export.save(answer, tmp_path / "a.csv", "csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        header, first, second = csv.reader(file)
    row = dict(zip(header, first, strict=True))
    assert header[:2] == ["a", "A"]
    assert row["text"] == 'a\n\x1b"'
    assert (row["ts"], row["decimal"], row["nothing"]) == ("2026-01-02T10:00:00+00:00", "1.50", "")
    assert json.loads(row["struct"]) == {"a": "2020-01-01", "b": 'q"z'}
    assert second == [""] * len(header)
    export.save(answer, tmp_path / "a.json", "json")
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["rows"][0][header.index("big")] == "inf"
    assert told["rows"][0][header.index("list")] == [1, None]
    assert told["row_count"] == 2


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    name: str | None
    tokens: int
    cost: float | None
    at: dt.datetime | None
    tags: tuple[str, ...]


def test_rows_of_the_store_become_columns_of_their_types(tmp_path: Path) -> None:
    at = dt.datetime(2026, 1, 2, 3, 4, 5)
    rows = [Row("a", 1 << 40, 0.1, at, ("x", "y")), Row(None, 2, None, None, ())]
    records = [export.fields_of(row) for row in rows]
    table = export.table_of([*[row for row in records if row], {"name": "rest", "more": True}])
    assert table.columns == ["name", "tokens", "cost", "at", "tags", "more"]
    export.save(table, tmp_path / "rows.parquet", "parquet")
    assert read(tmp_path / "rows.parquet") == [
        ("a", 1 << 40, 0.1, at, '["x", "y"]', None),
        (None, 2, None, None, "[]", None),
        ("rest", None, None, None, None, True),
    ]
    assert export.fields_of("text") is None
    assert export.fields_of(Row) is None


def test_a_file_is_replaced_when_the_new_one_is_complete_and_for_its_owner_only(answer: Table, tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("before")

    def fail(aside: Path) -> None:
        aside.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replacing(target, fail)
    assert target.read_text() == "before"
    for form in export.FORMATS:
        export.save(answer, target, form)
        assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(ValueError, match="xlsx"):
        export.save(answer, target, "xlsx")
