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

PARAMETERS = {
    "since": "the first day that counts, in the zone of the dashboard; 0001-01-01 where all days count",
    "until": "the last day that counts; 9999-12-31 where all do",
    "start": "the first instant of the first day, in UTC like every time in the store",
    "stop": "the first instant after the last day, in UTC",
    "zone": "the zone of the days, as Europe/Prague",
    "project": "the project, as its path; NULL: all of them, as with every name below",
    "model": "the model",
    "agent": "the coding agent, as claude-code",
    "machine": "the machine that files were copied from",
    "user": "the person, in the folder of a server",
    "branch": "the git branch",
    "version": "the version of the agent",
    "session": "the id of the session",
    "subagent_type": "the type of sub-agent",
    "text": "the words typed to filter",
}
"""What a query may call `$name` -> what that is. They have the values of the filters."""


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

    `{{filters}}` becomes the conditions of `chosen` on the day rollups, and PARAMETERS are what it chooses. Raises
    Refused, or StoreError with DuckDB's words. Not for a process that has the store open already: DuckDB allows one
    configuration per process and file.
    """
    chosen = chosen or Filter()
    sql = PLACEHOLDER.sub(lambda _: conditions(chosen), sql).strip().rstrip(";").strip()
    named = check(sql)
    begun = time.monotonic()
    values = parameters(chosen)
    with Store(path, wait=wait).read(confined=True) as reader:
        return _answered(reader, sql, {name: values[name.lower()] for name in named}, limit, begun)


def parameters(chosen: Filter) -> dict[str, dt.date | dt.datetime | str | None]:
    """The value of each of PARAMETERS. Days and times have one always, however open the range is."""
    since, until = chosen.since or dt.date.min, chosen.until or dt.date.max
    closed = chosen.but(since=since, until=until)
    return {
        "since": since,
        "until": until,
        "start": closed.start(),
        "stop": closed.end(),
        "zone": chosen.zone,
        "session": chosen.session_id,
        "text": chosen.text or None,
        **{
            name: getattr(chosen, name)
            for name in ("project", "model", "agent", "machine", "user", "branch", "version", "subagent_type")
        },
    }


def _answered(reader: Reader, sql: str, values: dict[str, Any], limit: int, begun: float) -> Table:
    timer = threading.Timer(TIMEOUT_SECONDS, reader.interrupt)
    timer.start()
    try:
        answer = described = reader.execute(sql, values)
        if _INSTANT in described.types:
            answer = reader.execute(_as_utc(sql, described.types), values)
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


def check(sql: str) -> frozenset[str]:
    """The parameters of a query, as it spells them. Raises Refused unless it names only tables of the store."""
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
    return frozenset(str(node["identifier"]) for node in nodes if node.get("type") == "VALUE_PARAMETER")


def _check_node(node: dict[str, Any], tables: set[str]) -> None:
    kind = node.get("type")
    path = _path_of(node)
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
    elif kind == "VALUE_PARAMETER" and str(node.get("identifier")).lower() not in PARAMETERS:
        raise Refused(
            f"there is no ${node.get('identifier')}; there are: {', '.join('$' + name for name in PARAMETERS)}"
        )
    elif kind == "SHOW_REF" and node.get("show_type") not in ("DESCRIBE", "SUMMARY"):
        raise Refused("only DESCRIBE and SUMMARIZE of a table or query")


def _path_of(node: dict[str, Any]) -> list[str]:
    """Catalogue, schema and name of a table, as far as they are said; DuckDB 1.5 tells them one by one."""
    if "table_name" in node:
        return [str(node[part]) for part in ("catalog_name", "schema_name", "table_name") if node.get(part)]
    return [str(part) for part in (node.get("qualified_name") or {}).get("path", [])]


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
