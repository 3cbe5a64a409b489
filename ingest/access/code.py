"""SQL in the text of Python and JavaScript programs that are given on the command line."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice, product

from ..late import Late
from .commands import unescaped
from .hosts import connection_host, is_local
from .options import words
from .sql import looks_like_sql

_CODE_LIMIT = 200_000
_MAX_QUERIES = 20
_MAX_TEXTS = 8

_RUNNING = words(
    "sql query execute executemany executescript execute_sql exec_driver_sql read_sql read_sql_query "
    "read_gbq read_database read_database_uri query_df run_query run_sql fetch fetchrow fetchval "
    "fetch_all fetch_one"
)
_RUNS = tuple(name for name in _RUNNING if not any(other in name for other in _RUNNING - {name}))
"""One of these is in every program that hands SQL to a database, as far as it can be seen: parts of all those names."""
_SQL_KEYWORDS = frozenset({"sql", "query", "statement", "operation"})
_PYTHON_CALL = Late(
    r"\.\s*(?:sql|query|execute\w*|read_sql\w*)\s*\(\s*[rRfFuU]{0,2}"
    r"(?P<quote>\"\"\"|'''|\"|')(?P<body>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)",
    re.DOTALL,
)
_JAVASCRIPT_CALL = Late(
    r"\.\s*(?:query|execute|exec|prepare|all|get|run|each|raw|unsafe|\$(?:query|execute)RawUnsafe)\s*\(\s*"
    r"(?:\{\s*(?:text|sql|query)\s*:\s*)?(?P<quote>[\"'`])(?P<body>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)",
    re.DOTALL,
)
_JAVASCRIPT_TAG = Late(r"(?:\bsql|\$queryRaw|\$executeRaw)(?P<quote>`)(?P<body>(?:\\.|[^`\\])*)`", re.DOTALL)

_LIBRARIES = Late(
    r"\b(?:(?P<duckdb>duckdb)|(?P<sqlite>sqlite3|better-sqlite3|aiosqlite|sqlite)|(?P<bigquery>bigquery|read_gbq)"
    r"|(?P<snowflake>snowflake)|(?P<clickhouse>clickhouse)|(?P<trino>trino|prestodb)|(?P<spark>pyspark|spark)"
    r"|(?P<postgres>psycopg[23]?|asyncpg|pg8000|postgres(?:ql)?|pg)|(?P<mysql>pymysql|mysql2?|mariadb|MySQLdb))"
    r"(?![a-z])"
)
_CLOUD = frozenset({"bigquery", "snowflake", "trino"})
_SERVERS = frozenset({"postgres", "mysql", "clickhouse"})
_ADDRESSED = Late(
    r"(?P<url>\b(?:postgres(?:ql)?|mysql|mariadb|clickhouse)(?:\+\w+)?://[^\s\"'`]*)"
    r"|\bhost[\"']?\s*[:=]\s*(?P<quote>[\"'`]?)(?P<host>[^\s\"'`,)}]*)"
)
_CONFIGURED = Late(
    r"\b(?:connect|create_engine|create_pool|Client|Pool|Connection)\s*\(\s*(?:\{\s*connectionString\s*:\s*)?"
    r"(?:os\.|process\.env|[A-Z][A-Z_]+\b|getenv)"
)


def database_of(code: str) -> tuple[str | None, bool]:
    """Return the dialect of the database library a program uses, and whether the database is remote."""
    found = _LIBRARIES.search(code[:_CODE_LIMIT])
    dialect = found.lastgroup if found else None
    if dialect in _CLOUD:
        return dialect, True
    if dialect in _SERVERS or dialect is None:
        address = _ADDRESSED.search(code[:_CODE_LIMIT])
        if address is not None:
            return dialect, not is_local(connection_host(address["url"]) if address["url"] else address["host"])
        return dialect, _CONFIGURED.search(code[:_CODE_LIMIT]) is not None
    return dialect, False


def sql_in_python(code: str) -> list[str]:
    """Return the SQL a Python program hands to a database, in order; of a broken program what can be seen."""
    if len(code) > _CODE_LIMIT or (code.isascii() and not any(name in code for name in _RUNS)):
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in a text that is not ours
            tree = ast.parse(code)
        found = _in_tree(tree)
        return list(dict.fromkeys(islice(found, _MAX_QUERIES)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _matched(code, _PYTHON_CALL)


def sql_in_javascript(code: str) -> list[str]:
    """Return the SQL texts a JavaScript program hands to a database, in order of the two ways to do so."""
    return _matched(code[:_CODE_LIMIT], _JAVASCRIPT_CALL, _JAVASCRIPT_TAG)


def _matched(code: str, *patterns: Late) -> list[str]:
    texts = (unescaped(found["body"]) for pattern in patterns for found in pattern.finditer(code))
    return list(dict.fromkeys(islice((text for text in texts if looks_like_sql(text)), _MAX_QUERIES)))


def _in_tree(tree: ast.Module) -> Iterator[str]:
    nodes = [*ast.walk(tree)]
    if not any(isinstance(node, ast.Call) and _called(node) in _RUNNING for node in nodes):
        return
    bindings = _bindings(nodes)
    running = _RUNNING | _helpers(nodes)
    calls = [node for node in nodes if isinstance(node, ast.Call) and _called(node) in running]
    calls.sort(key=lambda node: (node.lineno, node.col_offset))
    for call in calls:
        arguments = [*call.args[:1], *(word.value for word in call.keywords if word.arg in _SQL_KEYWORDS)]
        for argument in arguments:
            yield from (text for text in _texts(argument, bindings) if looks_like_sql(text))


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _helpers(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names of the program's own functions that run SQL: `def q(sql): return con.execute(sql)`."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            named = [node.name]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            named = [target.id for target in node.targets if isinstance(target, ast.Name)]
        else:
            continue
        if any(isinstance(inner, ast.Call) and _called(inner) in _RUNNING for inner in ast.walk(node)):
            names.update(named)
    return names


def _bindings(nodes: Iterable[ast.AST]) -> dict[str, list[str]]:
    """Return the texts each name can stand for: assigned, or taken from a list of texts in a loop."""
    bindings: dict[str, list[str]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            _bind(bindings, node.targets[0], [node.value])
        elif isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.iter, (ast.List, ast.Tuple)):
            _bind(bindings, node.target, node.iter.elts)
    return bindings


def _bind(bindings: dict[str, list[str]], target: ast.expr, values: Iterable[ast.expr]) -> None:
    if isinstance(target, ast.Name):
        texts = [text for value in values for text in _texts(value, bindings)]
        bindings[target.id] = [*bindings.get(target.id, ()), *texts][:_MAX_TEXTS]


def _texts(node: ast.expr, bindings: dict[str, list[str]]) -> list[str]:
    """Return the texts an expression can have; none when only running the program could tell."""
    if isinstance(node, ast.Constant):
        return [str(node.value)] if isinstance(node.value, (str, int)) else []
    if isinstance(node, ast.Name):
        return bindings.get(node.id, [])
    if isinstance(node, ast.JoinedStr):
        return _joined([_texts(part, bindings) for part in node.values])
    if isinstance(node, ast.FormattedValue):
        return _texts(node.value, bindings) or ["{" + ast.unparse(node.value) + "}"]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined([_texts(node.left, bindings), _texts(node.right, bindings) or ["?"]])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _texts(node.left, bindings)
    if isinstance(node, ast.Call):
        # "…".format(…), text("…"), dedent("…"), "…".strip()
        inner = node.func.value if isinstance(node.func, ast.Attribute) and not node.args else None
        inner = node.args[0] if inner is None and node.args else inner
        if _called(node) == "format" and isinstance(node.func, ast.Attribute):
            inner = node.func.value
        return _texts(inner, bindings) if inner is not None else []
    return []


def _joined(parts: list[list[str]]) -> list[str]:
    return ["".join(texts) for texts in islice(product(*parts), _MAX_TEXTS)]
