"""Where a value begins and ends: quoted at any depth, or bare as shells, URLs, YAML and connection strings have it."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..late import Late

LONGEST = 4096
"""Characters of a value that are looked at before it is known to be a credential."""

QUOTE = r"""(?:\\{0,15}(?:\"{3}|'{3}|["'`])|%2[27]|&(?:quot|apos|\#3[49]|\#x2[27]);|\\{1,15}u002[27])"""
"""A quotation mark as it stands in a text, in JSON within a text and so on, in a URL, in HTML."""

_OPENED = Late(rf"(?:[fFrRbBuUnN]{{1,2}}|[$@E])?({QUOTE})")
_DOUBLED = Late(r"''(?P<value>[^'\s;,)}\]:=+|&][^'\n]{0,400})''")
"""A quoted text within one of SQL."""
_CLOSES = frozenset(" \t\r\n;),+|&]}:=")
"""What follows a quotation mark that ends a text instead of beginning a value."""

_PAIR = r"(?:[\w.\-\ %\[\]]{1,40}+|[\"'])[=:]"
_BARE = Late(
    rf"""(?>
      [^\s"'`\\;&|,()\[\]{{}}<>]++
    | \\{{1,15}}+(?![nrt](?:[\s\\"'`]|$|[A-Za-z_][\w.\-]{{0,40}}+\ ?[=:]))[^\s"'`\\]
    | \\\ (?=\S)
    | \\{{0,15}}+"(?=[A-Za-z0-9$])(?:[^"\n]{{0,200}}+"(?=[\s;&|)]|$))?+
    | \\{{0,15}}+'(?=[A-Za-z0-9$])(?:[^'\n]{{0,200}}+'(?=[\s;&|)]|$))?+
    | [;&|,](?![\s;&|,"'`\\]|$|{_PAIR})
    | [()\[\]{{}}<>](?=[\w!@\#$%^*+/=~\-])
    )*+""",
    re.VERBOSE,
)
_PARAMETER = Late(r"[^\s&#\"'<>`\\]++")
_JOINED = Late(r"\"[^\"\s]*+\"|'[^'\s]*+'|[A-Za-z0-9$!@%^*+=~][^\s\"'`;&|,)\]}<>]*+")
"""What a shell joins to a quoted word: another quoted part, or bare characters."""

LAST = Late(r"[ \t]*+(?:\\{0,8}[\"'`]|[\r\n#}\])<]|,|;|\\[nr]|$)")
"""What follows a value that is the last thing on its line, or in its text or structure."""


class Value(NamedTuple):
    """A value: `start` and `end` without its quotation marks, and the place behind them."""

    start: int
    end: int
    after: int
    is_quoted: bool


def value_at(text: str, pos: int) -> Value | None:
    """The value that begins at a place; None if nothing, or nothing but the end of a quoted text, stands there."""
    opened = _OPENED.match(text, pos)
    if opened is not None:
        doubled = _DOUBLED.match(text, pos) if opened[1] == "'" else None
        if doubled is not None:
            return Value(*doubled.span("value"), doubled.end(), True)
        found = _quoted_at(text, opened.end(), opened[1])
        if found is not None:
            return found
        if text[opened.end() : opened.end() + 1] not in _CLOSES and closing(text, opened.end(), opened[1]) is None:
            # The end is missing: of what was cut nobody knows where it would have ended.
            line = text.find("\n", opened.end(), opened.end() + LONGEST)
            end = line if line >= 0 else min(len(text), opened.end() + LONGEST)
            return Value(opened.end(), end, end, True) if end > opened.end() else None
    end = _BARE.match(text, pos, pos + LONGEST).end()  # type: ignore[union-attr]
    return Value(pos, end, end, False) if end > pos else None


def to_its_end(text: str, value: Value) -> Value:
    """The value as far as it goes. For a judgement its beginning is enough, and anything may follow an anchor."""
    if value.is_quoted or value.end - value.start < LONGEST:
        return value
    end = _BARE.match(text, value.start).end()  # type: ignore[union-attr]
    return Value(value.start, end, end, False)


def _quoted_at(text: str, start: int, mark: str) -> Value | None:
    """The value from `start` to the quotation mark that closes `mark`; None if there is none, or it closes another."""
    opened = start - len(mark)
    if text[start : start + 1] in _CLOSES:
        return None
    closed = closing(text, start, mark)
    if closed is None or closed[0] == start:
        return None
    end, after = closed
    while (joined := _JOINED.match(text, after)) is not None and mark in ("'", '"'):
        # The word goes on, and is one with its quotation marks: 'one'"two", or "one"two.
        start, end = opened, joined.end()
        after = end
    return Value(start, end, after, True)


def closing(text: str, start: int, mark: str) -> tuple[int, int] | None:
    """Where the quotation mark stands that closes `mark`, and where it ends; None if it is too far or absent.

    A mark with k backslashes is closed by one with as many; within, marks have more of them, one or three or seven
    levels of quoting deep. One with fewer ends the text around it.
    """
    quote = mark.lstrip("\\")
    stop = min(len(text), start + LONGEST)
    if quote[0] in "%&u":
        end = text.find(mark, start, stop)
        return None if end < 0 else (end, end + len(mark))
    slashes = len(mark) - len(quote)
    end = start - 1
    while (end := text.find(quote, end + 1, stop)) >= 0:
        run = 0
        while run < 31 and end - run > start and text[end - run - 1] == "\\":
            run += 1
        if not (run % (2 * slashes + 2) == slashes or run < slashes):
            continue
        if run == slashes == 0 and quote != "`" and text[end + 1 : end + 2] == quote and end > start:
            end += 1  # doubled, as SQL writes it
            continue
        return end - min(run, slashes), end + len(quote)
    return None


def parameter_end(text: str, pos: int) -> int:
    """Where the value of a parameter of a URL ends that begins at a place."""
    found = _PARAMETER.match(text, pos)
    return pos if found is None else found.end()
