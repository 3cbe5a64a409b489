"""A query as DuckDB's own parser understands it: quoting and comments cannot hide anything from that."""

from __future__ import annotations

import json
from typing import Any

from .database import CONFINED
from .errors import QueryFailed


def parsed(sql: str) -> dict[str, Any]:
    """One SELECT as DuckDB's tree of it, which is JSON.

    Raises QueryFailed in words for people: no SQL, several statements, or one of another kind; RecursionError where it
    is nested too deeply.
    """
    from ._duckdb import duckdb

    try:
        sql.encode()
        statements = duckdb.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise QueryFailed("only one SELECT at a time")
        with duckdb.connect(config=CONFINED) as parser:
            row = parser.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    except UnicodeEncodeError:
        raise QueryFailed("half a character is in the query") from None
    except duckdb.Error as error:
        raise QueryFailed((str(error).splitlines() or ["the query failed"])[0]) from None
    tree = json.loads(row[0]) if row else {}
    if not isinstance(tree, dict) or tree.get("error"):
        reason = tree.get("error_message") if isinstance(tree, dict) else None
        raise QueryFailed(f"this kind of query is not possible here: {reason}")
    return tree


def tokens_of(sql: str) -> list[tuple[int, int, str]]:
    """The words and signs of a text, as DuckDB reads it, which need be no whole query: start, end and what it is.

    That is "keyword", "identifier", "string_const", "numeric_const", "operator" or "comment"; places count characters.
    """
    from ._duckdb import duckdb

    told = sql.encode("utf-8", "replace").replace(b"\0", b" ")
    places = [(at, kind.name) for at, kind in duckdb.tokenize(told.decode())]
    ends = [*(at for at, _ in places), len(told)][1:]
    # DuckDB counts bytes.
    character = {0: 0}
    at = 0
    for number, char in enumerate(told.decode(), 1):
        at += len(char.encode())
        character[at] = number
    found = []
    for (start, kind), end in zip(places, ends, strict=True):
        text = told[start:end].decode(errors="replace").rstrip()
        found.append((character[start], character[start] + len(text), kind))
    return found
