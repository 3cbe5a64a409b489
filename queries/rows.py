"""From an SQL answer to frozen dataclasses."""

from __future__ import annotations

import dataclasses
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
    names = ", ".join(field.name for field in dataclasses.fields(shape))
    answer = connection.execute(f"SELECT {names} FROM ({sql})", dict(parameters or {}))
    return [shape(*row) for row in answer.fetchall()]


def one_as(connection: DuckDBPyConnection, shape: type[T], sql: str, parameters: Mapping[str, Any] | None = None) -> T:
    """The single row of a question that always has one."""
    return rows_as(connection, shape, sql, parameters)[0]


def scalar(connection: DuckDBPyConnection, sql: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """The first column of the first row; None if there is no row."""
    row = connection.execute(sql, dict(parameters or {})).fetchone()
    return None if row is None else row[0]
