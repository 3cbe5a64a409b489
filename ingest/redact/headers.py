"""Values of the headers that may be several words: `Authorization: Bearer …`, `Cookie: a=…; b=…`."""

from __future__ import annotations

import re

from ..late import Late
from .judging import is_reference, looks_secret, words
from .spans import Spans
from .values import LAST, QUOTE, closing, value_at

_OF_HEADER = Late(rf"(?:{QUOTE})?[\])]?[ \t]*+(?:=>|[:=,])[ \t]*+")
_OPENS_HEADER = Late(rf"[fFrRbBuU]?({QUOTE})")
_AROUND_HEADER = Late(rf"({QUOTE})(?:-H[ \t]*+)?$")
_SCHEME = Late(r"[A-Za-z][\w-]{1,30}[ \t]++(?=\S)")
_PAIRS = Late(r"[\w.$-]+=[^\s;\"'`]*(?:;[ \t]*+[\w.$-]+=[^\s;\"'`]*)*")
_JOINED_ON = Late(r"[A-Za-z0-9$][^\s\"'`;&|,)\]}<>]*")
_SCHEMES = words("bearer basic token apikey api-key digest negotiate ntlm bot key sharedkey ssws oauth splunk hawk")
_OF_SCHEMES = words("auth authentication authorization scheme header headers tokens credentials required")


def header(text: str, left: int, right: int, spans: Spans) -> bool:
    """Blot out the value of `Authorization: …` and `Cookie: …`, which may be several words; whether there is one."""
    joined = _OF_HEADER.match(text, right)
    if joined is None:
        return False
    pos = joined.end()
    opened = _OPENS_HEADER.match(text, pos)
    mark = None
    if opened is not None:
        mark, pos = opened[1], opened.end()
    else:
        around = _AROUND_HEADER.search(text, max(0, left - 20), left)
        mark = around[1] if around is not None else None
    is_cookie = "ookie" in text[left:right].lower()
    if mark is not None:
        closed = closing(text, pos, mark)
        end = closed[0] if closed is not None else _line_end(text, pos)
        joined_on = _JOINED_ON.match(text, closed[1]) if closed is not None else None
        if joined_on is not None and not is_reference(joined_on[0]):
            spans.add(*joined_on.span())
    else:
        end = _bare_header_end(text, pos, is_cookie=is_cookie)
    scheme = None
    if not is_cookie:
        scheme = _SCHEME.match(text, pos, end)
        pos = scheme.end() if scheme is not None else pos
    value = text[pos:end].strip()
    if not value or is_reference(value) or value.lower() in ("required", "bearer", "basic", "token"):
        return True
    if mark is None and not is_cookie and not _is_bare_credential(text, value, pos, end, scheme):
        return True
    spans.add(pos, end)
    return True


def _is_bare_credential(text: str, value: str, pos: int, end: int, scheme: re.Match[str] | None) -> bool:
    """Whether the word behind `Authorization:`, which may stand in a sentence, is one."""
    if looks_secret(value.split()[0], is_strict=False) or text[pos - 1] in ":=":
        return True
    is_known = scheme is not None and scheme[0].strip().lower() in _SCHEMES
    return is_known and len(value) > 4 and value.lower() not in _OF_SCHEMES and LAST.match(text, end) is not None


def _bare_header_end(text: str, pos: int, *, is_cookie: bool) -> int:
    if is_cookie:
        pairs = _PAIRS.match(text, pos)
        return pairs.end() if pairs is not None else pos
    scheme = _SCHEME.match(text, pos)
    if scheme is not None and scheme[0].strip().lower() in ("digest", "oauth", "hawk"):
        return _line_end(text, pos)
    value = value_at(text, scheme.end() if scheme is not None else pos)
    return pos if value is None else value.after


def _line_end(text: str, pos: int) -> int:
    end = text.find("\n", pos)
    return len(text) if end < 0 else end
