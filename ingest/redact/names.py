"""Values that a name gives away: assignments, fields, options, headers, parameters, statements of SQL, sentences."""

from __future__ import annotations

import re
from functools import lru_cache

from ..late import Late
from .assigned import assigned, block, element, for_user, paired
from .behind import followed, given, sentence
from .headers import header
from .judged import NOTHING
from .judging import Sureness, default_in, is_reference, kind_of, looks_secret, words
from .spans import Spans
from .values import LONGEST, Value, parameter_end, value_at

_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-$"
_WIDEST = 64
"""Characters of a name before and after the word in it that was found."""
_NAME_END = Late(rf"(?:[\w-]|\.(?=\w)){{0,{_WIDEST}}}+")
_WRITTEN = Late(
    r"\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+|['\"]%s(?:\\n)?['\"][ \t]+){0,3}"
    r"(?P<value>\"[^\"\n]+\"|'[^'\n]+'|[^\s\"';|&]+)[ \t]*>>?[ \t]*[\w./~$-]*$"
)
_IN_URL = Late(r"(?:[?&#]|&amp;|%26|%3[Ff]|\\u0026)(?:[\w.\-\[\]]{0,60})$")
_BEFORE_KEY = Late(
    r"\b(api|secret|private|access|encryption|licen[cs]e|auth|account|signing|master|pragma)[ \t]++(?:re)?$",
    re.IGNORECASE,
)
_HEADERS = Late(r"(?:proxy-)?authorization|(?:set-)?cookie2?", re.IGNORECASE)
_PARAMETERS = words("key code state sig signature auth pass pw pwd s sid session ticket otp pin hash hmac policy")

_RULES = (block, assigned, for_user, element, paired, given, followed, sentence)
"""The first that finds a value, or sees that there is one and it is no credential, decides."""


def named(text: str, start: int, end: int, spans: Spans) -> None:
    """Find what is said of the name around a word, if it is that of a credential."""
    while end > start and text[end - 1] in "=:\"' ":
        end -= 1  # some anchors are a name with what follows it
    left = start - _WIDEST if start > _WIDEST else 0
    left += len(text[left:start].rstrip(_NAME))
    right = _NAME_END.match(text, end).end()  # type: ignore[union-attr]
    name = text[left:right]
    is_header, kind = _meaning(name)
    if is_header and header(text, left, right, spans):
        return
    if text[right : right + 1] == "=" and _is_in_url(text, left):
        _parameter(text, name, right + 1, kind, spans)
        return
    if kind is Sureness.NONE:
        if name[-3:].lower() != "key" or (before := _BEFORE_KEY.search(text, max(0, left - 20), left)) is None:
            return
        kind, left = Sureness.TOKEN, before.start()
    if name.startswith("--secret") and (name == "--secret-id" or "gcloud" in text[max(0, left - 200) : left]):
        return  # these name one
    if text[right : right + 1] in ("", *" \n;&|)\"'.") and (written := _WRITTEN.search(text, max(0, left - 300), left)):
        # echo value > file, whose name says what it is
        value = value_at(text, written.start("value"))
        if value is not None and not is_reference(text[value.start : value.end]):
            spans.add(value.start, value.end)
        return
    for rule in _RULES:
        found = rule(text, left, right, kind)
        if found is not None:
            if found is not NOTHING:
                _add(text, found, spans)
            return


@lru_cache(maxsize=4096)
def _meaning(name: str) -> tuple[bool, Sureness]:
    """Whether a name is that of a header whose value may be several words, and how surely that of a credential."""
    return _HEADERS.fullmatch(name.lstrip("-$.")) is not None, kind_of(name)


def _is_in_url(text: str, left: int) -> bool:
    """Whether a name that begins there is that of a parameter of a URL."""
    return text[left - 1 : left] in ("?", "&") or _IN_URL.search(text, max(0, left - 80), left) is not None


def _add(text: str, found: Value, spans: Spans) -> None:
    default = default_in(text[found.start : found.end])
    if default is not None:
        spans.add(found.start + default[0], found.start + default[1])
    else:
        spans.add(found.start, found.end)


def _parameter(text: str, name: str, pos: int, kind: Sureness, spans: Spans) -> None:
    """The value of a parameter of a URL."""
    word = name.lower().lstrip("$.-")
    if kind is Sureness.NONE and word not in _PARAMETERS and not word.endswith(("key", "signature", "credential")):
        return
    end = parameter_end(text, pos)
    value = text[pos : min(end, pos + LONGEST)]
    if not value or is_reference(value):
        return
    is_chosen = looks_secret(value, is_strict=False) or (len(value) >= 8 and not (value.isalpha() and value.islower()))
    if (
        kind > Sureness.WEAK
        or word.endswith(("sig", "signature"))
        or is_chosen
        or (word != "state" and len(value) >= 16)
    ):
        spans.add(pos, end)
