"""From an SQL answer to frozen dataclasses."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from duckdb import DuckDBPyConnection

    T = TypeVar("T", bound=DataclassInstance)
else:
    T = TypeVar("T")


def rows_as(
    connection: DuckDBPyConnection, shape: type[T], sql: str, parameters: Mapping[str, Any] | None = None
) -> list[T]:
    """All rows of a question as `shape`; its fields are the columns, by name. Raises duckdb.Error."""
    fields = dataclasses.fields(shape)
    names = ", ".join(field.name for field in fields)
    found = connection.execute(f"SELECT {names} FROM ({sql})", dict(parameters or {})).fetchall()
    for place, field in enumerate(fields):
        if "dt.date" in str(field.type) and any(isinstance(row[place], str) for row in found):
            kind = dt.datetime if "dt.datetime" in str(field.type) else dt.date
            found = [(*row[:place], _within(row[place], kind), *row[place + 1 :]) for row in found]
    return [shape(*row) for row in found]


def _within(moment: object, kind: type[dt.date]) -> object:
    """DuckDB hands over a time that Python has none for as text: it becomes the first or last one that there is."""
    if not isinstance(moment, str):
        return moment
    return kind.min if "BC" in moment or moment.startswith("-") else kind.max


def one_as(connection: DuckDBPyConnection, shape: type[T], sql: str, parameters: Mapping[str, Any] | None = None) -> T:
    """The single row of a question that always has one."""
    return rows_as(connection, shape, sql, parameters)[0]


def scalar(connection: DuckDBPyConnection, sql: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """The first column of the first row; None if there is no row."""
    row = connection.execute(sql, dict(parameters or {})).fetchone()
    return None if row is None else row[0]
