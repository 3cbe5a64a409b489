"""How many rows a client printed, where it does not say so: counted in tables, records, lists and lines."""

from __future__ import annotations

import json
import re

_MOST = 2_000_000
"""Characters of an answer that is looked at; agents cut what is longer than a fraction of this."""

_ASIDE = re.compile(
    r"^(?:\[(?:scope|auto-snapshot)\] .*|\(truncated at \d+ rows\)|BigQuery scanned ~.*|Shell cwd was reset to .*"
    r"|Warning: .*|<.?(?:stdout|stderr)>)\s*$"
)
"""Lines beside a result, most of them from standard error."""

_LEFT_OUT = re.compile(r"\[\d+ lines? truncated\]|output truncated|Output too large", re.IGNORECASE)
"""What agents write in place of what they left out."""

_RECORD = re.compile(r"^─── row (\d{1,12}) ───\s*$", re.MULTILINE)
_TOPS, _MIDDLES, _BOTTOMS = ("┏", "┌", "+-"), ("┡", "├", "╞", "|-"), ("└", "╘", "+-")

_NARROWEST = 80
"""Columns of the screen that a client takes for granted where there is none; a table below that was not squeezed."""

_DRAWN = ("└".encode(), "┡".encode(), "─── row ".encode())
_ESCAPED = (
    (ord("\\"), b"\\u2", (b"\\u2514", b"\\u2521", b"\\u2500 row ")),
    (ord("["), b'"[', (b'"[\\n', b'"[{', b'"[]')),
)
"""Hints in plain ASCII, with what they begin with and a byte of that: one byte is found in no time."""


def may_hold_rows(ends: bytes) -> bool:
    """Return whether a result, as it stands in JSON, begins or ends like one whose rows can be counted.

    `ends`: its beginning and its end.
    """
    if not ends.isascii():
        for hint in _DRAWN:
            if hint in ends:
                return True
    for byte, begin, hints in _ESCAPED:
        if byte in ends and begin in ends:
            for hint in hints:
                if hint in ends:
                    return True
    return False


def printed_rows(text: str, *, csv: bool = False) -> int | None:
    """Return the rows of a result as the `agnes` command and DuckDB print it; None if that cannot be told for sure.

    With `csv` the text is known to be lines of values below a line of names.
    """
    if len(text) > _MOST or _LEFT_OUT.search(text):
        return None
    lines = [line for line in text.splitlines() if not _ASIDE.match(line)]
    rest = "\n".join(lines).strip()
    if rest.startswith("["):
        return _listed(rest)
    records = [int(number) for number in _RECORD.findall(rest)]
    if records:
        return len(records) if records == list(range(1, len(records) + 1)) else None
    if any(line.startswith(_TOPS) for line in lines):
        return _boxed(lines)
    return _below_names(rest.splitlines()) if csv else None


def _listed(text: str) -> int | None:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return len(values) if isinstance(values, list) and all(isinstance(value, dict) for value in values) else None


def _below_names(lines: list[str]) -> int | None:
    """Lines of values; None if there are none, or if a line is another thing: values with commas are not quoted."""
    if len(lines) < 2 or any(line.count(",") < lines[0].count(",") for line in lines):
        return None
    return len(lines) - 1


def _boxed(lines: list[str]) -> int | None:
    """The rows of all tables; None if one is not whole, or if it may be that rows take several lines."""
    total, has_head = 0, False
    body: list[str] | None = None
    for line in lines:
        if body is None:
            if line.startswith(_TOPS):
                body, has_head = [], False
        elif not has_head:
            has_head = line.startswith(_MIDDLES)
        elif line.startswith(_BOTTOMS):
            found = _rows_of(body, len(line.rstrip()))
            if found is None:
                return None
            total, body = total + found, None
        elif line.startswith(_MIDDLES):
            # What stands below a second line across is about the table.
            return None
        else:
            body.append(line)
    return total if body is None else None


def _rows_of(body: list[str], width: int) -> int | None:
    cells = [re.split("[│|]", line.strip()[1:-1]) for line in body]
    if width < _NARROWEST or not cells:
        return len(cells)
    if all(cell.strip() for row in cells for cell in row) and len(cells[0]) > 1:
        return len(cells)
    # A value that did not fit goes on below, beside blanks: of the first column only if it fills its width.
    firsts = [row[0] for row in cells]
    if any(" " in first.strip() or len(first.strip()) >= len(first) - 2 for first in firsts):
        return None
    return sum(1 for first in firsts if first.strip())
