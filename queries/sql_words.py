"""What may come next where somebody writes a query: tables, columns, names of the filters, words of SQL."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .console import PARAMETERS
from .schema import FACTS, TABLES, columns_of
from .store.parsing import tokens_of

KEYWORDS = (
    *("SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "HAVING", "JOIN", "LEFT JOIN", "USING", "UNION ALL"),
    *("DISTINCT", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "INTERVAL", "DESCRIBE", "SUMMARIZE", "QUALIFY"),
    *("FILTER", "OVER", "PARTITION BY", "NULLS LAST", "GROUP BY ALL", "ORDER BY ALL", "AND", "NOT", "WITH"),
)
FILTERS = "{{filters}}"
_BEFORE_TABLE = re.compile(r"(from|join|describe|summarize|into|,)$", re.IGNORECASE)
_WORD = re.compile(r"(\{\{\s*\w*|\$\w*|(?:(\w+)\.)?\w*)$")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that may stand there, and what it is."""

    word: str
    about: str


def tables() -> list[str]:
    """All tables of the store, in the order of their names."""
    return sorted({fact.name for fact in FACTS} | set(TABLES))


@functools.cache
def column_names() -> frozenset[str]:
    """All names of columns of the store: some, as `day`, DuckDB takes for words of SQL."""
    return frozenset(column for table in tables() for column in columns_of(table))


def beginning(before: str) -> str:
    """The beginning of a word at the end of a text: what a candidate goes on with. Of `s.day` only `day`."""
    found = _WORD.search(before)
    word = found[0] if found else ""
    return word.rpartition(".")[2]


def candidates(sql: str, at: int) -> list[Candidate]:
    """What may stand at a place of a query, the likeliest first; inside of texts and comments nothing may."""
    before = sql[:at]
    word = beginning(before)
    if any(start < at <= end and kind in ("string_const", "comment") for start, end, kind in tokens_of(sql)):
        return []
    typed = word.lower().replace(" ", "")
    seen = set()
    found = []
    for candidate in _possible(sql, before, word):
        key = candidate.word.lower()
        if key.startswith(typed) and key != typed and key not in seen:
            seen.add(key)
            found.append(candidate)
    return found


def _possible(sql: str, before: str, word: str) -> Iterator[Candidate]:
    if word.startswith("{{"):
        yield Candidate(FILTERS, "the filters of the dashboard, as a condition on tokens_daily")
        return
    if word.startswith("$"):
        yield from (Candidate(f"${name}", about) for name, about in PARAMETERS.items())
        return
    rest = before[: len(before) - len(word)]
    named = _named(sql)
    if rest.endswith("."):
        owner = re.split(r"\W", rest[:-1])[-1].lower()
        yield from _columns(named.get(owner, owner))
        return
    to_name = [Candidate(name, "table") for name in tables()]
    if _names_a_table(rest):
        yield from to_name
        return
    for table in dict.fromkeys(named.values()):
        yield from _columns(table)
    yield from (Candidate(keyword, "") for keyword in KEYWORDS)
    yield from to_name
    if not named:
        for name in tables():
            yield from _columns(name)


def _names_a_table(rest: str) -> bool:
    """Whether a table comes next: after FROM and the like, and after a comma that goes on with tables."""
    words = rest.split()
    if not words or not _BEFORE_TABLE.search(words[-1]):
        return False
    if not words[-1].endswith(","):
        return True
    clause = re.findall(r"\b(select|from|where|group|order|having)\b", rest, re.IGNORECASE)
    return bool(clause) and clause[-1].lower() == "from"


def _named(sql: str) -> dict[str, str]:
    """The tables of a query by the names they have in it."""
    known = set(tables())
    found = {}
    words = [sql[start:end] for start, end, kind in tokens_of(sql) if kind in ("keyword", "identifier")]
    for at, word in enumerate(words):
        after, then = [*words[at + 1 : at + 3], "", ""][:2]
        table = word.strip('"').lower()
        if table not in known:
            continue
        found[table] = table
        alias = then if after.lower() == "as" else after
        if alias and alias.upper() not in _RESERVED and alias.isidentifier():
            found[alias.lower()] = table
    return found


_RESERVED = {word for keyword in KEYWORDS for word in keyword.split()} | {"ON", "INNER", "RIGHT", "FULL", "CROSS", "AS"}


def _columns(table: str) -> Iterator[Candidate]:
    try:
        columns = columns_of(table)
    except KeyError:
        return
    yield from (Candidate(name, f"{table}, {kind}") for name, kind in columns.items())
