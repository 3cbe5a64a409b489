"""What a piece of SQL does: the tables it reads and writes, and the kind of its statement."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from ..late import Late
from .options import words
from .plain_sql import Statement, plain_statement

if TYPE_CHECKING:
    from sqlglot import exp

PARSE_LIMIT = 100_000
"""Characters of SQL beyond which it is kept as text only: parsing costs about 5 µs a character."""

_MIN_NODES = 2_000
_NODES_PER_TOKEN = 4

_COMMENTS = r"(?:\s|--[^\n]*(?:\n|$)|[#][^\n]*(?:\n|$)|/\*.*?\*/)*+"
_FIRST_WORD = Late(_COMMENTS + r"\(*+\s*+([a-z]+)\b", re.IGNORECASE | re.DOTALL)
_REPLACED = Late(r"\s*(?:into|materialized\s+view(?:\s+concurrently)?)\s+([\w.\"`]+)", re.IGNORECASE)
_EXPLAIN_OPTIONS = Late(
    r"\s*(?:(?:analyze|verbose|extended|estimate|pipeline|syntax|plan|query\s+plan)\b|\([^()]*\))*\s*",
    re.IGNORECASE,
)
_PRAGMA = Late(
    r"pragma\s+(?:\w+\.)?(?:table_x?info|index_list|foreign_key_list|show|storage_info)\s*[(=]\s*['\"]?([\w.]+)",
    re.IGNORECASE,
)
_SQL_SHAPE = Late(
    _COMMENTS
    + r"""\(*+\s*+(?:
        select\b(?:.*\bfrom\b | \s+(?:distinct\s+)?(?:[-\d'"*(@$] | \w+\s*\())
      | with\s+(?:recursive\s+)?["\w.]+[^;]*?\bas\s+(?:not\s+)?(?:materialized\s+)?\(
      | insert\s+(?:or\s+\w+\s+)?(?:into|overwrite)\b | replace\s+into\b | merge\s+into\b
      | update\s+\S+(?:\s+\S+){0,3}?\s+set\b | delete\s+(?:\w+\s+)?from\b
      | truncate\s+(?:table\s+)?\w+\s*;?\s*$ | copy\s+[("\w].*\b(?:from|to)\b
      | (?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:temp\w*\s+|unique\s+|materialized\s+|external\s+)*
        (?:table|view|index|schema|database|function|macro|sequence|type|trigger|extension|role|user|policy)\b
      | from\s+['"\w.]+(?:\(.*\))?\s*(?:$|;|select\b|where\b|limit\b|join\b|group\b|order\b)
      | show\s+(?:all\s+|full\s+|create\s+)?(?:tables|databases|schemas|columns|table|views|indexes)\b
      | (?:describe|desc|summarize)\s+(?:\S+\s*;?\s*$|select\b.*\bfrom\b)
      | explain\s+(?:analyze\s+|query\s+plan\s+|\([\w\s,]*\)\s*)?(?:select|with|insert|update|delete|from)\s
      | begin\s*(?:transaction\s*)?; | set\s+\w+\s*(?:=|\bto\b).*;\s*select\b | use\s+\w+\s*;\s*\w
      | pragma\s+\w+ | attach\s+['"] | values\s*\( | pivot\s+\w+\s+on\b | vacuum\s*;?\s*$
    )""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)

_SAME_KIND = {
    "union": "select",
    "except": "select",
    "intersect": "select",
    "subquery": "select",
    "truncatetable": "truncate",
    "transaction": "begin",
    "loaddata": "load",
}
_KINDS = words(
    "select insert update delete merge create drop alter copy truncate begin commit rollback describe "
    "show pragma set use attach detach install load summarize values pivot analyze explain grant revoke "
    "call vacuum refresh export import checkpoint with from replace table unload lock comment kill "
    "cache uncache optimize"
)
_WORD_KINDS = {"with": "select", "from": "select", "table": "select", "replace": "insert", "desc": "describe"}
_TRIVIAL = words("set use begin commit rollback attach detach install load pragma")
_FILE_FUNCTIONS = words(
    "read_csv read_csv_auto sniff_csv read_parquet parquet_scan parquet_schema parquet_metadata "
    "read_json read_json_auto read_json_objects read_ndjson read_ndjson_auto read_xlsx read_text "
    "read_blob delta_scan iceberg_scan st_read file s3 url"
)
_TABLE_FUNCTIONS = words("sqlite_scan postgres_scan mysql_scan")
_LEGACY_TABLE = Late(r"(?<=[\s,(])\[([\w-]+(?::[\w-]+)?\.[\w$-]+)\]")
_INPUT_FORMAT = Late(r"^(\s*insert\s+into\s+[^;']*?)\s+format\s+\w+\s*;?\s*$", re.IGNORECASE)
_RELATIONS = frozenset({"TABLE", "VIEW", "MATERIALIZED VIEW", "INDEX"})


def looks_like_sql(text: str) -> bool:
    """Return whether a text is SQL and not prose that begins with one of its words."""
    return _SQL_SHAPE.match(text[:5000]) is not None


@lru_cache(maxsize=128)
def analyse(text: str, dialect: str | None) -> Statement:
    """Return what SQL text touches, all its statements together; the kind is that of the first telling one.

    `dialect` is a name known to sqlglot or None. Text that cannot be parsed, or is longer than `PARSE_LIMIT`,
    gives no tables and at most the kind its first word tells.
    """
    plain = plain_statement(text, dialect)
    return parsed(text, dialect) if plain is None else plain


def parsed(text: str, dialect: str | None) -> Statement:
    """Return the same by the parser alone, which takes a fifth of a second to import."""
    fallback = Statement(kind=_kind_of_text(text))
    if not text.strip() or len(text) > PARSE_LIMIT:
        return fallback
    try:
        trees = list(_parse(_prepared(text, dialect), dialect))
        tables = [found for tree in trees for found in _tables_of(tree)]
        kinds = [kind for tree in trees if (kind := _kind(tree))]
    except (RecursionError, ValueError, TypeError, AttributeError, LookupError):
        # The parser is not proof against every text; what it stumbles over is kept as text.
        return fallback
    kind = next((kind for kind in kinds if kind not in _TRIVIAL), kinds[0] if kinds else None)
    return Statement(
        named=tuple(dict.fromkeys(name for name, _ in tables)),
        read=tuple(dict.fromkeys(name for name, is_target in tables if not is_target)),
        written=tuple(dict.fromkeys(name for name, is_target in tables if is_target)),
        kind=kind or fallback.kind,
    )


def _prepared(text: str, dialect: str | None) -> str:
    """Return SQL in which what the parser does not know of a dialect is written in a way it does know."""
    if dialect == "bigquery" and "[" in text:
        return _LEGACY_TABLE.sub(lambda found: f"`{found[1].replace(':', '.')}`", text)
    if dialect == "clickhouse":
        return _INPUT_FORMAT.sub(r"\1 VALUES (NULL)", text)
    return text


def _parse(text: str, dialect: str | None) -> Iterator[exp.Expr]:
    """Yield the statements that can be parsed; one broken statement does not cost the others."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it reports each statement it only half understands
    rules = sqlglot.Dialect.get_or_raise(dialect)
    try:
        tokens = rules.tokenize(text)
    except SqlglotError:
        return
    start = 0
    ends = [at for at, token in enumerate(tokens) if token.token_type.name == "SEMICOLON"]
    for end in [*ends, len(tokens)]:
        # A statement makes at most one node a token, but joins without conditions are tried in every nesting.
        limit = _MIN_NODES + _NODES_PER_TOKEN * (end - start)
        with suppress(SqlglotError):
            parsed = rules.parser(max_nodes=limit).parse(tokens[start:end], text)
            yield from (tree for tree in parsed if tree is not None)
        start = end + 1


def _kind_of_text(text: str) -> str | None:
    found = _FIRST_WORD.match(text[:2000])
    word = found[1].lower() if found else ""
    return _WORD_KINDS.get(word, word) if word in _KINDS or word in _WORD_KINDS else None


def _kind(tree: exp.Expr) -> str | None:
    from sqlglot import exp

    if isinstance(tree, exp.Command):
        word = str(tree.this).lower()
        return _WORD_KINDS.get(word, word)
    kind = _SAME_KIND.get(tree.key, tree.key)
    return kind if kind in _KINDS else None


def _tables_of(tree: exp.Expr) -> list[tuple[str, bool]]:
    """Return the tables of one statement in the order of the text, and whether each is written."""
    from sqlglot import exp

    if isinstance(tree, exp.Command):
        return _of_command(tree)
    if isinstance(tree, exp.Pragma):
        found = _PRAGMA.match(tree.sql())
        return [(found[1], False)] if found else []
    if isinstance(tree, exp.Use):
        return []
    if isinstance(tree, exp.Show):
        target = tree.args.get("target")
        return [(target.name, False)] if isinstance(target, exp.Expr) and target.name else []
    if isinstance(tree, exp.Summarize) and isinstance(tree.this, exp.Literal):
        return [(tree.this.name, False)]
    targets, hidden = _targets(tree)
    aliases = {table.alias for table in tree.find_all(exp.Table) if table.alias}
    placed: list[tuple[int, str, bool]] = []
    for table in tree.find_all(exp.Table, bfs=False):
        if id(table) in hidden or table.text("db") in aliases or _is_cte(table):
            continue
        placed += [(_position(table), name, id(table) in targets) for name in _names(table)]
    placed.sort(key=lambda entry: entry[0])
    return [(name, is_target) for _, name, is_target in placed] + _copied_files(tree)


def _of_command(tree: exp.Command) -> list[tuple[str, bool]]:
    """Return the tables of a statement the parser keeps as words: EXPLAIN, REPLACE INTO, REFRESH."""
    if str(tree.this).upper() in ("REPLACE", "REFRESH"):
        found = _REPLACED.match(tree.text("expression"))
        return [(re.sub(r'["`]', "", found[1]), True)] if found else []
    if str(tree.this).upper() != "EXPLAIN":
        return []
    rest = _EXPLAIN_OPTIONS.sub("", tree.text("expression"), count=1)
    if rest[:7].lower() == "explain":
        return []
    inner = analyse(rest, None)
    return [(name, False) for name in inner.named]


def _targets(tree: exp.Expr) -> tuple[set[int], set[int]]:
    """Return the ids of the table nodes that are written, and of those that name a schema or a function."""
    from sqlglot import exp

    written: set[int] = set()
    hidden: set[int] = set()
    for node in tree.find_all(
        exp.Insert,
        exp.Create,
        exp.Update,
        exp.Delete,
        exp.Merge,
        exp.Drop,
        exp.TruncateTable,
        exp.Alter,
        exp.Copy,
        exp.Into,
    ):
        if isinstance(node, exp.Copy) and not node.args.get("kind"):
            continue  # COPY … TO reads the table
        is_relation = node.args.get("kind") in _RELATIONS or not isinstance(node, (exp.Create, exp.Drop))
        named = [node.this, *(node.args.get("tables") or ())]
        named += node.expressions if isinstance(node, exp.TruncateTable) else ()
        for target in named:
            inner = target.this if isinstance(target, (exp.Schema, exp.UserDefinedFunction)) else target
            inner = inner.args.get("table") if isinstance(inner, exp.Index) else inner
            if isinstance(inner, exp.Table):
                (written if is_relation else hidden).add(id(inner))
    return written, hidden


def _names(table: exp.Table) -> list[str]:
    """Return the name of a table, or the files its table function reads."""
    from sqlglot import exp

    if not isinstance(table.this, exp.Func):
        parts = [part for part in table.parts if part.name]
        known = all(isinstance(part, (exp.Identifier, exp.Var)) for part in parts)  # `$t` is a parameter
        name = ".".join(part.name for part in parts) if known else ""
        return [name] if name and not name.startswith("$") else []
    function = table.this
    called = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
    arguments = [function.this] if isinstance(function, exp.ReadCSV) else function.expressions
    if called.lower() in _FILE_FUNCTIONS and arguments:
        return [literal.name for literal in arguments[0].find_all(exp.Literal) if literal.is_string]
    if called.lower() in _TABLE_FUNCTIONS and arguments:
        return [arguments[-1].name]
    return []


def _copied_files(tree: exp.Expr) -> list[tuple[str, bool]]:
    from sqlglot import exp

    if not isinstance(tree, exp.Copy):
        return []
    files = (file for file in tree.args.get("files") or () if isinstance(file, exp.Literal) and file.is_string)
    return [(file.name, not tree.args.get("kind")) for file in files]


def _position(table: exp.Table) -> int:
    nodes = (table.this, *table.parts)
    starts = [node.meta["start"] for node in nodes if node is not None and "start" in node.meta]
    return min(starts, default=0)


def _is_cte(table: exp.Table) -> bool:
    """Return whether a bare name means a common table expression that is visible where it stands.

    Inside its own definition a name still means the real table, unless the WITH is recursive (SQL:1999 7.12).
    """
    from sqlglot import exp

    if table.text("db") or not isinstance(table.this, exp.Identifier):
        return False
    name = table.name.lower()
    child: exp.Expr = table
    node = table.parent
    while node is not None:
        if isinstance(node, exp.With):
            siblings = node.expressions
            before = siblings if node.recursive else siblings[: next(i for i, s in enumerate(siblings) if s is child)]
        else:
            clause = node.args.get("with_")
            before = clause.expressions if isinstance(clause, exp.With) and clause is not child else []
        if any(cte.alias.lower() == name for cte in before):
            return True
        child, node = node, node.parent
    return False
