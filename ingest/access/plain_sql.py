"""What the plainest SQL does, told without its parser.

Most queries are one SELECT of a few columns, or one DELETE. To import the parser takes a fifth of a second, and it
needs a tenth of a millisecond for each of them. Such a statement is known by its words alone, in every dialect: they
are written as one letter each, and the row of letters has to fit a pattern. Whatever does not is for the parser
(`sql.parsed`), and what this says, that would have said as well (`tests/ingest/test_plain_sql.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..late import Late
from .options import words


@dataclass(frozen=True, slots=True)
class Statement:
    """Tables in order of appearance (names of common table expressions left out) and the lower-case kind."""

    named: tuple[str, ...] = ()
    """All tables, in the order of the text."""
    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    kind: str | None = None


_LONGEST = 2000
"""Characters of a statement that is looked at."""

_TOKEN = Late(
    r"""\s*(?:([A-Za-z][A-Za-z0-9_]*)(?![\w'"$@\#`])|(\d+(?:\.\d+)?)(?![\w.])|('[^'\\]*')|("[^"\\.$]+")"""
    r"""|(<=|>=|<>|!=|[=<>])|([-+/])|([.,()*;]))\s*""",
    re.ASCII,
)
"""A word, a number, a text, a name in quotes, a comparison, an operator, a mark."""
_NUMBER, _TEXT, _QUOTED, _COMPARISON, _OPERATOR, _MARK = range(2, 8)
_LETTERS = {_NUMBER: "d", _TEXT: "s", _QUOTED: "q", _COMPARISON: "=", _OPERATOR: "p"}

_WORDS = {
    "select": "S",
    "delete": "X",
    "distinct": "D",
    "from": "F",
    "where": "W",
    "group": "G",
    "order": "R",
    "by": "Y",
    "having": "H",
    "limit": "M",
    "offset": "T",
    "as": "A",
    "and": "&",
    "or": "&",
    "is": "I",
    "not": "!",
    "null": "0",
    "like": "L",
    "in": "K",
    "between": "B",
    "join": "J",
    "inner": "i",
    "left": "l",
    "right": "l",
    "full": "j",
    "outer": "o",
    "on": "O",
    "asc": "z",
    "desc": "z",
    "count": "c",
    "round": "r",
    **dict.fromkeys(("coalesce", "nullif"), "e"),
    **dict.fromkeys(("sum", "avg", "min", "max", "lower", "upper", "length", "abs"), "f"),
}
"""Words with a meaning here -> the letter that stands for them; other ones that are no names are `_NO_NAMES`."""

_NAME = "[nq]"
_DOTTED = rf"{_NAME}(?:\.{_NAME}){{0,2}}"
_VALUE = rf"(?:{_DOTTED}|[dsv])"
_CALL = Late(rf"c\(\*\)|(?:c\(D?|[fr]\(){_VALUE}\)|[lr]\({_VALUE},d\)|e\({_VALUE},{_VALUE}\)")
_LIST = Late(rf"K\({_VALUE}(?:,{_VALUE})*\)")


def _many(what: str, mark: str) -> str:
    """Some of a kind with a mark between them. To say what they are only once makes the pattern a tenth as long."""
    return rf"(?:{what}(?:{mark}(?=[nqdsv*])|(?![nqdsv*]|{mark})))+"


_SUM = rf"{_VALUE}(?:[p*]{_VALUE})*"
_TESTS = _many(rf"{_SUM}(?:={_SUM}|I!?0|!?Ls|!?k|B{_VALUE}&{_VALUE})", "&")
_SHOWN = rf"(?:{_SUM}(?:A?{_NAME})?|\*|{_NAME}\.\*)"
_TABLE = rf"{_DOTTED}(?:A?{_NAME})?"
_PLAIN = Late(
    rf"(?:SD?{_SHOWN}(?:,{_SHOWN})*|(?=XF{_DOTTED}(?:W|;?$)[^GRM]*$)X)"
    rf"(?:(?P<tables>F{_TABLE}(?:,{_TABLE}|(?:i|[jl]o?)?J{_TABLE}O{_TESTS})*)(?:W{_TESTS})?"
    rf"(?:GY{_many(_SUM, ',')}(?:H{_TESTS})?)?(?:RY{_many(_SUM + 'z?', ',')})?(?:Md(?:Td)?)?)?;?"
)
_NAMED = Late(rf"[FJ,]({_DOTTED})(?:A?({_NAME}))?")
"""A table, and the name that it is given, among those that are read: a comma stands there for nothing else."""

_NO_NAMES = words(
    "all alter anti any array asof asymmetric begin binary case charset collate connect_by_root create cross cube "
    "current_user_id describe distinctrow drop else except explain fetch for force format glob global grant if "
    "ignore ilike insert install intersect into key lambda lateral lock map match match_condition match_recognize "
    "minus mod natural notnull only option output overlaps partitioned_by paste positional prewhere qualify regexp "
    "returning revoke rlike rollback rollup sample semi separator serdeproperties settings straight_join stream "
    "summarize symmetric tablesample then top uncache undrop union unpivot use using values variadic when window "
    "with xor"
)
"""Other words that mean something in one dialect or another where a name could stand."""
_IN_QUOTES = frozenset({None, "duckdb", "sqlite", "postgres", "redshift", "snowflake", "trino"})
"""Dialects in which what stands in double quotes is a name."""


def plain_statement(text: str, dialect: str | None) -> Statement | None:
    """Return what a statement of the plainest kind does; None of any other, and of what is no SQL."""
    if len(text) > _LONGEST:
        return None
    read = _letters_of(text, may_quote=dialect in _IN_QUOTES)
    found = None if read is None else _PLAIN.fullmatch(read[0])
    if read is None or found is None:
        return None
    names = _tables_in(*read, *found.span("tables")) if found["tables"] else ()
    if names is None:
        return None
    return Statement(names, names, (), "select") if read[0][0] == "S" else Statement(names, (), names, "delete")


def _tables_in(letters: str, told: list[str], start: int, end: int) -> tuple[str, ...] | None:
    """Return the tables between two letters; None if one of them is a column of another: `FROM t, t.items`."""
    tables: dict[str, None] = {}
    schemas, others = set(), set()
    for table in _NAMED.finditer(letters, start, end):
        parts = [told[at] for at in range(*table.span(1), 2)]
        tables[".".join(parts)] = None
        schemas.update(parts[-2:-1])
        others.update(told[slice(*table.span(2))])
    return None if schemas & others else tuple(tables)


def _letters_of(text: str, *, may_quote: bool) -> tuple[str, list[str]] | None:
    """Return a letter for each word of a text, and what the text says there; None if something else is in it."""
    letters: list[str] = []
    told: list[str] = []
    pos = 0
    while pos < len(text):
        found = _TOKEN.match(text, pos)
        kind = None if found is None else found.lastindex
        if found is None or kind is None or (kind == _QUOTED and not may_quote):
            return None
        said = found[kind]
        letter = said if kind == _MARK else _LETTERS.get(kind) or _WORDS.get(said.lower(), "n")
        if letter == "n" and said.lower() in _NO_NAMES:
            return None
        letters.append(letter)
        told.append(said[1:-1] if kind == _QUOTED else said)
        pos = found.end()
    read = "".join(letters), told
    # The second time those around others: `round(avg(a), 2)`.
    return _shortened(_shortened(_shortened(read, _CALL, "v"), _CALL, "v"), _LIST, "k")


def _shortened(read: tuple[str, list[str]], what: Late, letter: str) -> tuple[str, list[str]]:
    """Put one letter in the place of each call of a function, or list of values."""
    letters, told = read
    for found in reversed([*what.finditer(letters)]):
        letters = letters[: found.start()] + letter + letters[found.end() :]
        told[found.start() : found.end()] = [""]
    return letters, told
