"""Whether what stands at a place in a text is the credential that a name before it promises."""

from __future__ import annotations

from ..late import Late
from .judging import Said, Sureness, default_in, is_reference, is_secret
from .values import LAST, Value, to_its_end, value_at

_STRING = Late(r"(?:\\{0,8})(\"[^\"\n]{1,200}\"|'[^'\n]{1,200}')")

NOTHING = Value(0, 0, 0, False)
"""There is a value, and it is no credential."""


def judged(text: str, pos: int, kind: Sureness, said: Said) -> Value | None:
    """The value at a place, if it is a credential."""
    value = value_at(text, pos)
    if value is None:
        return None
    word = text[value.start : value.end]
    if value.is_quoted and text[value.start - 1] == "`" and " " in word:
        return None  # what a command prints
    if default_in(word) is not None:
        return value
    is_last = LAST.match(text, value.after) is not None
    if "'" in word or '"' in word:
        word = word.strip("\"'")  # '{"a": "'"$A"'"}'
    if not is_secret(word, kind, said, is_quoted=value.is_quoted, is_last=is_last):
        return None
    return to_its_end(text, value)


def second_of_two(text: str, pos: int) -> Value | None:
    """The second text in `("user", "password")`; None if there are no two."""
    first = _STRING.search(text, pos, pos + 200)
    second = None if first is None else _STRING.search(text, first.end(), first.end() + 210)
    if second is None or ")" in text[first.end() : second.start()]:  # type: ignore[union-attr]
        return None
    start, end = second.start(1) + 1, second.end(1) - 1
    end = start + len(text[start:end].rstrip("\\"))
    return NOTHING if is_reference(text[start:end]) else Value(start, end, second.end(), True)
