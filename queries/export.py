"""An answer as a file: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import IO, Any

from .console import Table


def plain(value: Any) -> Any:
    """A value of the store as JSON knows it; times are UTC and get their offset."""
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def write_json(table: Table, out: IO[str]) -> None:
    """One object: columns, rows as lists, and whether rows are missing."""
    answer = {
        "columns": [{"name": name, "type": kind} for name, kind in zip(table.columns, table.types, strict=True)],
        "rows": [[plain(value) for value in row] for row in table.rows],
        "row_count": len(table.rows),
        "truncated": table.truncated,
        "duration_ms": round(table.seconds * 1000),
    }
    json.dump(answer, out, ensure_ascii=False)
    out.write("\n")


def write_csv(table: Table, out: IO[str]) -> None:
    """A header and the rows; NULL is an empty field."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([["" if value is None else plain(value) for value in row] for row in table.rows])


def write_parquet(table: Table, path: Path) -> None:
    """A Parquet file with the answer's own types. Raises duckdb.Error, OSError."""
    import duckdb

    with duckdb.connect() as connection:
        columns = ", ".join(
            f'"{name.replace(chr(34), chr(34) * 2)}" {kind}'
            for name, kind in zip(table.columns, table.types, strict=True)
        )
        connection.execute(f"CREATE TABLE answer ({columns})")
        if table.rows:
            values = ", ".join("unnest(?)" for _ in table.columns)
            connection.execute(
                f"INSERT INTO answer SELECT {values}", [list(part) for part in zip(*table.rows, strict=True)]
            )
        target = str(path).replace("'", "''")
        connection.execute(f"COPY answer TO '{target}' (FORMAT parquet)")
