"""The data commands of the `agnes` program: query, snapshot, catalog and its kin."""

from __future__ import annotations

import dataclasses
import json

from .model import ADHOC, Access, table_access
from .options import Split, grammar, split
from .queries import Stdin, query_access
from .sql import looks_like_sql

_DIALECT = "duckdb"
_INTERNAL = frozenset({"agnes_audit", "agnes_sessions", "agnes_telemetry"})
_RULES = grammar("sql scope format f limit register-bq n rows k show category token server")
_SNAPSHOT = grammar("select where limit order-by as from-query ttl older-than larger-than")
CATALOG = "catalog"
"""The resource of the list of tables, as the server calls it."""

BY_TABLE = {
    "schema": ("catalog.schema",),
    "sample": ("catalog.sample",),
    # Asks for both, and the server logs both.
    "describe": ("catalog.schema", "catalog.sample"),
    "explore": ("catalog.sample",),
}
"""Commands, and tools of Agnes's MCP server, about one table -> what they ask for, in the server's words."""

_SERVER_SCOPES = frozenset({"server", "remote"})


def agnes_accesses(words: tuple[str, ...], stdin: Stdin, *, remote: bool) -> list[Access]:
    """Return the accesses of one `agnes` call, given the words after the program's name."""
    verb, rest = next(((word, words[at + 1 :]) for at, word in enumerate(words) if word[:1] != "-"), ("", ()))
    if any(word in ("--help", "--version") for word in words):
        return []
    if verb == "query":
        return _query(split(rest, _RULES), stdin, remote=remote)
    if verb == "snapshot":
        return _snapshot(rest)
    if verb == "catalog":
        given = split(rest, _RULES)
        return [Access("catalog.list", "metrics" if given.has("metrics", "show") else CATALOG)]
    if verb == "search":
        return [Access("catalog.search", ADHOC)] if split(rest, _RULES).operands else []
    if verb in BY_TABLE:
        tables = split(rest, _RULES).operands[:1]
        return [table_access(action, tables, _DIALECT) for action in BY_TABLE[verb]] if tables else []
    return []


def agnes_query(sql: str | None, action: str) -> Access:
    """Return the access of a query that Agnes runs; one of its own usage tables makes it `query.internal`."""
    access = query_access(action, sql, "bigquery" if sql and "`" in sql else _DIALECT)
    if any(name.rpartition(".")[2] in _INTERNAL for name in access.tables_read):
        return query_access("query.internal", sql, access.dialect)
    return access


def _query(given: Split, stdin: Stdin, *, remote: bool) -> list[Access]:
    texts = [text for text in (*given.all("sql"), *given.operands) if text.strip() and text != "-"]
    if given.has("stdin") or (stdin.given and not texts):
        sql = _from_json(stdin.take())
    elif texts:
        sql = next((text for text in texts if looks_like_sql(text)), texts[0])
    else:
        return []
    if given.has("register-bq", "hybrid"):
        action = "query.hybrid"
    elif remote or given.has("remote") or given.last("scope") in _SERVER_SCOPES:
        action = "query.remote"
    else:
        action = "query.local"
    prints_csv = (given.last("format") or given.last("f") or "").lower() == "csv"
    return [dataclasses.replace(agnes_query(sql, action), prints_csv=prints_csv)]


def _from_json(text: str | None) -> str | None:
    """Return the SQL of the `{"sql": …}` that `--stdin` expects; anything else is taken as SQL itself."""
    try:
        payload = json.loads(text or "null")
    except (ValueError, RecursionError):
        return text
    sql = payload.get("sql") if isinstance(payload, dict) else None
    return sql if isinstance(sql, str) else text


def _snapshot(words: tuple[str, ...]) -> list[Access]:
    given = split(words, _SNAPSHOT)
    if not given.operands:
        return []
    verb, tables = given.operands[0], given.operands[1:2]
    if verb not in ("create", "estimate"):
        return [table_access(f"snapshot.{verb}", tables)] if verb in ("list", "drop", "refresh", "prune") else []
    if not tables:
        return []
    action = "snapshot.estimate" if verb == "estimate" or given.has("estimate") else "snapshot.create"
    sql = given.last("from-query")
    return (
        [query_access(action, sql, "bigquery" if "`" in sql else _DIALECT)] if sql else [table_access(action, tables)]
    )
