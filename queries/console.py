"""A question of the user's own, in SQL, that can only read the store's tables.

The connection is its own, read-only, cut off from files and network, with its configuration locked. Before that the
statement must be one query over the tables of the store: DuckDB's own parser says what it names, so quoting and
comments cannot hide anything.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .filters import Filter
from .quoting import quoted
from .schema import FACTS, TABLES
from .store import QueryFailed, Store, StoreError, StoreInterrupted
from .store.parsing import parsed
from .tokens import where_of

if TYPE_CHECKING:
    from .store import Answer, Reader

MAX_ROWS = 10_000
"""More are cut off, and the answer says so."""

MAX_CHARACTERS = 32_000_000
"""The same for texts that are together longer: an answer has to fit into memory several times over."""

TOO_DEEP = "the query, or its answer, is nested too deeply"

TIMEOUT_SECONDS = 30.0

MAX_QUERY = 100_000
"""Characters of a query: DuckDB's parser cannot be interrupted, and takes minutes for some longer ones."""

_INSTANT = "TIMESTAMP WITH TIME ZONE"

_BATCH = 256
"""Rows fetched at a time: what is too long is noticed after so many."""

ALLOWED_FUNCTIONS = frozenset({"generate_series", "range", "unnest"})
"""Functions that may stand where a table stands; all others read files, settings or foreign catalogues."""

REFUSED_FUNCTIONS = re.compile(r"^(current_setting|getenv|getvariable|set_config|pg_.*|duckdb_.*|pragma_.*)$")

_PARAMETER = re.compile(r"\$(\w+)")

PLACEHOLDER = re.compile(r"\{\{\s*filters\s*\}\}", re.IGNORECASE)


class Refused(StoreError):
    """The statement is not one query over the store's tables."""


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to a question. `truncated` if there was more than the rows; `seconds` is the time it took.

    `types` are DuckDB's names of the columns' types.
    """

    columns: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]
    truncated: bool
    seconds: float


def ask(path: Path, sql: str, *, chosen: Filter | None = None, limit: int = MAX_ROWS, wait: float = 10.0) -> Table:
    """Answer one SQL query on the store at `path`.

    `{{filters}}` becomes the conditions of `chosen` on the day rollups. Raises Refused, or StoreError with DuckDB's
    words. Not for a process that has the store open already: DuckDB allows one configuration per process and file.
    """
    sql = PLACEHOLDER.sub(lambda _: conditions(chosen or Filter()), sql).strip().rstrip(";").strip()
    check(sql)
    begun = time.monotonic()
    with Store(path, wait=wait).read(confined=True) as reader:
        return _answered(reader, sql, limit, begun)


def _answered(reader: Reader, sql: str, limit: int, begun: float) -> Table:
    timer = threading.Timer(TIMEOUT_SECONDS, reader.interrupt)
    timer.start()
    try:
        answer = described = reader.execute(sql)
        if _INSTANT in described.types:
            answer = reader.execute(_as_utc(sql, described.types))
        rows, truncated = _fetch(answer, limit)
    except StoreInterrupted:
        raise Refused(f"stopped after {TIMEOUT_SECONDS:.0f} seconds") from None
    finally:
        timer.cancel()
    return Table(
        columns=described.columns,
        types=described.types,
        rows=rows,
        truncated=truncated,
        seconds=time.monotonic() - begun,
    )


def _as_utc(sql: str, types: list[str]) -> str:
    """The query with its instants as times in UTC: for the others, Python's DuckDB wants one more package."""
    names = [f"c{place}" for place in range(len(types))]
    chosen = (f"timezone('UTC', {name})" if kind == _INSTANT else name for name, kind in zip(names, types, strict=True))
    return f"SELECT {', '.join(chosen)} FROM (\n{sql}\n) answer({', '.join(names)})"


def _fetch(answer: Answer, limit: int) -> tuple[list[tuple[Any, ...]], bool]:
    """The first rows, and whether there are more."""
    rows: list[tuple[Any, ...]] = []
    characters = 0
    while batch := answer.fetchmany(_BATCH):
        for row in batch:
            characters += sum(len(value) for value in row if isinstance(value, str | bytes | list))
            if len(rows) == limit or characters > MAX_CHARACTERS:
                return rows, True
            rows.append(row)
    return rows, False


def check(sql: str) -> None:
    """Raise Refused unless `sql` is one query that names only tables of the store."""
    if len(sql) > MAX_QUERY:
        raise Refused(f"the query is longer than {MAX_QUERY:,} characters")
    try:
        tree = parsed(sql)
    except QueryFailed as error:
        raise Refused(str(error)) from None
    except RecursionError:
        raise Refused(TOO_DEEP) from None
    known = {fact.name for fact in FACTS} | set(TABLES)
    nodes = list(_nodes(tree))
    named = {entry["key"] for node in nodes for entry in node.get("cte_map", {}).get("map", [])}
    for node in nodes:
        _check_node(node, known | named)


def _check_node(node: dict[str, Any], tables: set[str]) -> None:
    kind = node.get("type")
    path = [str(part) for part in (node.get("qualified_name") or {}).get("path", [])]
    if kind == "BASE_TABLE":
        inside = [part.lower() for part in path[:-1]] in ([], ["main"])
        if not inside or path[-1].lower() not in {name.lower() for name in tables}:
            raise Refused(f"the store has no table {'.'.join(path)!r}")
    elif kind == "TABLE_FUNCTION":
        name = str(node.get("function", {}).get("function_name", "")).lower()
        if name not in ALLOWED_FUNCTIONS:
            raise Refused(f"{name}() cannot be used here")
    elif kind == "FUNCTION" and REFUSED_FUNCTIONS.match(str(node.get("function_name", "")).lower()):
        raise Refused(f"{node['function_name']}() cannot be used here")
    elif kind == "SHOW_REF" and node.get("show_type") not in ("DESCRIBE", "SUMMARY"):
        raise Refused("only DESCRIBE and SUMMARIZE of a table or query")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def conditions(chosen: Filter) -> str:
    """The filter as SQL on `tokens_daily`, and as far as they have the columns on the other day rollups."""
    where = where_of(chosen).add("zone = $zone")
    return f"({_PARAMETER.sub(lambda found: _literal(where.parameters[found[1]]), str(where))})"


def _literal(value: object) -> str:
    return f"DATE '{value}'" if isinstance(value, dt.date) else quoted(str(value))
