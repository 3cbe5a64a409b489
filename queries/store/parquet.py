"""Writing a Parquet file, which DuckDB does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..quoting import quoted

_NESTED = re.compile(r"\]$|^(STRUCT|MAP|UNION)\(")
"""Types whose values are lists and objects in JSON."""


def write(path: Path, columns: Sequence[tuple[str, str]], values: Sequence[Sequence[str | None]]) -> None:
    """Write columns, each with its name and DuckDB's type, and their values as texts or JSON. Raises OSError."""
    from ._duckdb import duckdb

    try:
        with duckdb.connect() as connection:
            named = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" {kind}' for name, kind in columns)
            connection.execute(f"CREATE TABLE answer ({named})")
            if any(values):
                # DuckDB turns texts into any type: a value may come from the store or out of JSON.
                told = ", ".join(
                    f"unnest($values[{place}])::{'JSON::' if _NESTED.search(kind) else ''}{kind}"
                    for place, (_, kind) in enumerate(columns, 1)
                )
                connection.execute(f"INSERT INTO answer SELECT {told}", {"values": [list(part) for part in values]})
            connection.execute(f"COPY answer TO {quoted(str(path))} (FORMAT parquet)")
    except duckdb.Error as error:
        raise OSError((str(error).splitlines() or ["Parquet failed"])[0]) from error
