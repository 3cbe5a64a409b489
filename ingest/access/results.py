"""What the text of a tool's result says: how many rows came back, and which line tells what went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..text import one_line
from .printed import may_hold_rows, printed_rows

_HEAD = 20_000
_TAIL = 40_000
_ROWS_HEAD = 2_000
_ROWS_TAIL = 6_000
_ERROR_LIMIT = 300
_LINE_LIMIT = 1_000

_COUNT_NAMES = ("row_count", "rows_returned", "rowCount", "num_rows")
_COUNTED_ROWS = re.compile(rb"row(?<=[0-9] row)"), re.compile(rb"Row(?<=[0-9] Row)")
"""Rows with a number before them. A pattern that begins with a word finds its places as fast as a plain search."""
_COUNT_HINTS = tuple(name.encode() for name in _COUNT_NAMES)
_E, _C, _R, _LINE, _BRACKET = b"ECR_["
_NAMED_COUNT = re.compile(r"[\"']?\b(?:row_count|rows_returned|rowCount|num_rows)[\"']?\s*[:=]\s*\"?(\d{1,15})\b")
_FOOTERS = re.compile(
    # psql, trino, duckdb
    r"^[ \t│|]*\(?(?P<footer>\d{1,15}) rows?\b(?:[ \t]*\(\d+ shown\)|[ \t]+\d+ columns?|\)|[ \t]*[│|]|[ \t]*\r?$)"
    r"|^(?P<set>\d{1,15}) rows? in set\b"  # mysql, clickhouse
    r"|^(?P<empty>Empty set)\b"
    r"|^(?P<produced>\d{1,15}) Row\(s\) produced"  # snowsql
    r"|^\(truncated at (?P<cut>\d{1,15}) rows\)",  # agnes query
    re.MULTILINE,
)

_ESCAPES = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f](?:(?<=\x1b)(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)))?"
)
"""A control character, and with ESC what it begins. What begins with one set of characters is looked for faster."""
_NO_CODES = bytes(code for code in range(128) if _ESCAPES.match(chr(code)) is None)
_TAGS = re.compile(r"</?(?:tool_use_error|error|stderr|stdout|system-reminder)>")
_TRACEBACK = "Traceback (most recent call last):"
_NOTE = re.compile(r"^\[(?:scope|auto-snapshot)\] .+$", re.MULTILINE)
_NOTE_HINTS = (b"[scope] ", b"[auto-snapshot] ")
_NOTE_LIMIT = 300

_TELLING = re.compile(
    r"^\W*(?:[\w. ]*(?:Error|Exception)\b\s*[:(\[]|Error\b|ERROR\b|error(?:\[\w+\])?:|FATAL\b|fatal:|panic:)"
    r"|\b(?:error|ERROR|FATAL|fatal):\s"
)
_TELLING_WORDS = ("rror", "ERROR", "Exception", "FATAL", "fatal:", "panic:")
"""Where none of these is, `_TELLING` finds nothing: they are found sooner."""
_HINTS = (
    *("no such ", "not found", "does not exist", "permission denied", "access denied", "cannot ", "could not "),
    *("unable to ", "failed", "refused", "timed out", "unrecognized", "invalid"),
)
_HINTING = re.compile("|".join(_HINTS), re.IGNORECASE)
_EXIT_CODE = re.compile(r"^(?:Exit code|Command failed with exit code|exit status)\W*\d+\W*$", re.IGNORECASE)


def rows_in(result_text: str, *, csv: bool = False) -> int | None:
    """Return the rows that a query's result has or says that it has, or None when neither can be told.

    Counted are the tables, records, lists and (`csv`) lines that `agnes query` prints. Else understood are a
    `row_count` or `rows_returned` in JSON and the footers of psql, trino, duckdb, mysql, clickhouse, snowsql and
    `agnes query`; the footers of several statements are added up. Of a long text the ends are read. Last, tables
    without a footer are counted, as DuckDB prints them.
    """
    counted = printed_rows(result_text, csv=csv)
    if counted is not None and not _has_plain_box(result_text):
        return counted
    said = _said_rows(result_text)
    return counted if said is None else said


def _has_plain_box(text: str) -> bool:
    """Whether there is a table of the kind that has a footer at times."""
    return text.lstrip().startswith(("┌", "+-"))


def _said_rows(text: str) -> int | None:
    if len(text) > _ROWS_HEAD + _ROWS_TAIL:
        text = text[:_ROWS_HEAD] + "\n" + text[-_ROWS_TAIL:]
    named = _NAMED_COUNT.search(text) if any(name in text for name in _COUNT_NAMES) else None
    if named is not None:
        return int(named[1])
    matches = [found for line in _telling_lines(text) if (found := _FOOTERS.search(line))]
    counts = [0 if found["empty"] else int(found[found.lastgroup or 0]) for found in matches]
    return sum(counts) if counts else None


def may_count_rows(end: bytes, ends: bytes | None = None) -> bool:
    """Return whether the end of a result, as it stands in JSON, may say how many rows there were, or show them.

    Few do; the others need not be decoded to find that out. `ends`: its beginning and its end, if that is more.
    """
    # A single byte is found in no time, and most are absent. As a number: to look for bytes begins with an exception.
    if may_hold_rows(end if ends is None else ends) or (_E in end and b"Empty set" in end):
        return True
    small, large = _COUNTED_ROWS
    if b"row" in end:
        if _LINE in end or _C in end:
            for name in _COUNT_HINTS:
                if name in end:
                    return True
        if small.search(end) is not None:
            return True
    return _R in end and large.search(end) is not None


def may_hold_note(ends: bytes) -> bool:
    """Return whether a result, as it stands in JSON, begins or ends with a note of `agnes query`."""
    if _BRACKET in ends:
        for hint in _NOTE_HINTS:
            if hint in ends:
                return True
    return False


def note_in(result_text: str) -> str | None:
    """Return what `agnes query` says of where a query ran, and of whose rows it gave, in one line; None if nothing."""
    notes = dict.fromkeys(found[0].strip() for found in _NOTE.finditer(_without_codes(result_text[:_HEAD])))
    notes |= dict.fromkeys(found[0].strip() for found in _NOTE.finditer(_without_codes(result_text[-_HEAD:])))
    return one_line("; ".join(notes), _NOTE_LIMIT) if notes else None


def _without_codes(text: str) -> str:
    """Return a text without control characters other than blanks and new lines, and what they begin."""
    if text.isascii() and not text.encode().translate(None, _NO_CODES):
        return text
    return _ESCAPES.sub("", text)


def _places(text: str, word: str) -> Iterator[int]:
    """Yield where a word stands in a text."""
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _telling_lines(text: str) -> list[str]:
    """Return the lines that a footer may be on, in their order.

    Found by plain searches: most texts only speak of rows, and the pattern is slow on them.
    """
    starts = set()
    for word in (" row", " Row", "Empty set"):
        for at in _places(text, word):
            if word == "Empty set" or text[at - 1 : at].isdigit():
                starts.add(text.rfind("\n", 0, at) + 1)
    return [text[start:].split("\n", 1)[0] for start in sorted(starts)]


def error_line(result_text: str) -> str:
    """Return the first line that tells what failed, without control characters, cut to 300 characters.

    In order: the last line of the first traceback, a line that names an error, one that hints at a failure,
    the first line that is not just an exit code. Empty for an empty text.
    """
    # Escape codes first: they may stand inside a credential.
    text = _TAGS.sub("", _without_codes(result_text[: _HEAD + _TAIL]))
    lines = [line for line in text.splitlines() if line.strip()]
    found = _after_traceback(lines) if _TRACEBACK in text else None
    if found is None:
        found = next((line for line in lines if _tells(line)), None)
    if found is None:
        found = next((line for line in lines if _hints(line)), None)
    if found is None:
        found = next((line for line in lines if not _EXIT_CODE.match(line.strip())), lines[0] if lines else "")
    return one_line(found, _ERROR_LIMIT)


def _tells(line: str) -> bool:
    """Return whether a line names an error."""
    begins = line[:_LINE_LIMIT]
    for word in _TELLING_WORDS:
        if word in begins:
            return _TELLING.search(begins) is not None
    return False


def _hints(line: str) -> bool:
    """Return whether a line speaks of a failure."""
    begins = line[:_LINE_LIMIT]
    if not begins.isascii():
        # Some letters are the same as one of ours in either case, and are not when they are made small.
        return _HINTING.search(begins) is not None
    small = begins.lower()
    return any(hint in small for hint in _HINTS)


def _after_traceback(lines: list[str]) -> str | None:
    """Return the line that ends the first traceback: the first one indented no deeper than its head."""
    start = next((index for index, line in enumerate(lines) if line.lstrip().startswith(_TRACEBACK)), None)
    if start is None:
        return None
    indent = len(lines[start]) - len(lines[start].lstrip())
    return next((line for line in lines[start + 1 :] if len(line) - len(line.lstrip()) <= indent), None)
