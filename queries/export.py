"""An answer, or the rows of a table on the screen, as a file: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from .console import Table
from .regular import check
from .replaced import replacing
from .store import parquet

FORMATS = ("csv", "json", "parquet")


def plain(value: Any) -> Any:
    """A value of the store as JSON knows it; times are UTC and get their offset, bytes are written as DuckDB does.

    JSON has no NaN and no infinity: they become texts.
    """
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).isoformat()
    if isinstance(value, bytes):
        return "".join(f"\\x{byte:02X}" for byte in value)
    if isinstance(value, dt.timedelta):
        clock = str(value - dt.timedelta(days=value.days))
        return f"{value.days} days {clock}" if value.days else clock
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def answer_to(table: Table) -> dict[str, Any]:
    """An answer as JSON knows it."""
    return {
        "columns": [{"name": name, "type": kind} for name, kind in zip(table.columns, table.types, strict=True)],
        "rows": [[plain(value) for value in row] for row in table.rows],
        "row_count": len(table.rows),
        "truncated": table.truncated,
        "duration_ms": round(table.seconds * 1000),
    }


def answer_of(told: Mapping[str, Any]) -> Table:
    """The answer that `answer_to` told; its values stay as JSON knows them."""
    return Table(
        columns=[column["name"] for column in told["columns"]],
        types=[column["type"] for column in told["columns"]],
        rows=[tuple(row) for row in told["rows"]],
        truncated=told["truncated"],
        seconds=told["duration_ms"] / 1000,
    )


def table_of(records: Sequence[Mapping[str, Any]]) -> Table:
    """Rows given by their fields as an answer: a column for every field, in the order in which they come up."""
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = [[record.get(name) for record in records] for name in names]
    rows = list(zip(*columns, strict=True))
    return Table(names, [_type_of(column) for column in columns], rows, truncated=False, seconds=0.0)


def fields_of(row: object) -> dict[str, Any] | None:
    """The fields of a row of the store, or of a mapping; None if it has none."""
    if isinstance(row, Mapping):
        return {str(name): value for name, value in row.items()}
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        return dataclasses.asdict(row)
    return None


def _type_of(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT" if all(abs(value) < 1 << 63 for value in values if value is not None) else "HUGEINT"
    if kinds and kinds <= {int, float, Decimal}:
        return "DOUBLE"
    if kinds == {dt.date}:
        return "DATE"
    if kinds == {dt.datetime}:
        return "TIMESTAMP"
    return "VARCHAR"


def write_json(table: Table, out: IO[str]) -> None:
    """One object: columns, rows as lists, and whether rows are missing."""
    out.write(json.dumps(answer_to(table), ensure_ascii=False))
    out.write("\n")


def write_csv(table: Table, out: IO[str]) -> None:
    """A header and the rows; NULL is an empty field, lists and objects are JSON. Nothing else is changed or escaped."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([[_text(value) if value is not None else "" for value in row] for row in table.rows])


def _text(value: Any) -> Any:
    made = plain(value)
    return json.dumps(made, ensure_ascii=False) if isinstance(made, dict | list) else made


def write_parquet(table: Table, path: Path) -> None:
    """A Parquet file with the answer's own types. Raises OSError, also where the path is that of a pipe or a device."""
    check(path)
    columns = list(zip(_distinct(table.columns), table.types, strict=True))
    parts = [[_as_text(value) for value in part] for part in zip(*table.rows, strict=True)]
    parquet.write(path, columns, parts)


def _as_text(value: Any) -> str | None:
    made = _text(value)
    return None if made is None else str(made)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, the second `a` as `a_1`; for DuckDB, upper and lower case are the same."""
    made: dict[str, str] = {}
    for name in names:
        own, number = name, 0
        while own.lower() in made:
            number += 1
            own = f"{name}_{number}"
        made[own.lower()] = own
    return list(made.values())


def save(table: Table, path: Path, form: str) -> None:
    """Write a file in one of `FORMATS`; one that stands there is replaced when the new one is complete.

    Raises OSError, and ValueError for another format.
    """
    if form not in FORMATS:
        raise ValueError(f"unknown format {form!r}, expected one of {', '.join(FORMATS)}")
    replacing(path, lambda aside: _write(table, aside, form))


def _write(table: Table, path: Path, form: str) -> None:
    if form == "parquet":
        write_parquet(table, path)
        return
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as out:
        (write_json if form == "json" else write_csv)(table, out)
