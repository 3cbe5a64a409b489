"""Values that a name gives away: assignments, fields, options, headers, parameters, statements of SQL, sentences."""

from __future__ import annotations

import re
from functools import lru_cache

from ..late import Late
from .assigned import assigned, block, element, for_user, paired
from .behind import followed, given, or_else, sentence
from .headers import header
from .judged import NOTHING
from .judging import Sureness, default_in, is_reference, kind_of, looks_secret, words
from .spans import Spans
from .tongues import phrase
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
    r"\b(api|secret|private|access|encryption|licen[cs]e|auth|account|signing|master|pragma"
    r"|activation)[ \t]++(?:re)?$",
    re.IGNORECASE,
)
_ENCODED_BEHIND = Late(r"%(?:25)?(?:5[Ff]|2[DEde])[\w.-]{1,40}")
_ENCODED = Late(r"%(?:25)?(?:5[FBDfbd]|2[DEde])")
"""`_`, `[`, `]`, `-` and `.` as a URL or a form encodes them."""
_ACCOUNT_BEFORE = Late(r"\\{0,8}[\"']user(?:name)?\\{0,8}[\"']:[^{}\n]{1,100}$")
_ATTACHED = Late(r"\battach\b[^;\n]{1,200}[ \t]$", re.IGNORECASE)
_HEADERS = Late(r"(?:proxy-)?authorization|(?:set-)?cookie2?", re.IGNORECASE)
_PARAMETERS = words("key code state sig signature auth pass pw pwd s sid session ticket otp pin hash hmac policy")

_RULES = (block, assigned, for_user, element, paired, given, or_else, followed, sentence)
"""The first that finds a value, or sees that there is one and it is no credential, decides."""


def named(text: str, start: int, end: int, spans: Spans) -> None:
    """Find what is said of the name around a word, if it is that of a credential."""
    left, right, name = _name_around(text, start, end)
    is_header, kind = _meaning(name)
    if is_header and header(text, left, right, spans):
        return
    if text[right : right + 1] == "=" and _is_in_url(text, left):
        _parameter(text, name, right + 1, kind, spans)
        return
    if kind is Sureness.NONE:
        kind, left, right = _of_surroundings(text, left, right, name)
        if kind is Sureness.NONE:
            return
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


def _name_around(text: str, start: int, end: int) -> tuple[int, int, str]:
    """The place of the name around a word, and the name, of which characters may be encoded where it stands."""
    while end > start and text[end - 1] in "=:\"' ":
        end -= 1  # some anchors are a name with what follows it
    left = start - _WIDEST if start > _WIDEST else 0
    left += len(text[left:start].rstrip(_NAME))
    right = _NAME_END.match(text, end).end()  # type: ignore[union-attr]
    name = text[left:right]
    if text[left - 1 : left] == "\\" and name[0] in "nrt" and name[1:2].isupper():
        left, name = left + 1, name[1:]  # the letter is that of a new line or a tab
    elif text[left - 1 : left] == "%" or text[right : right + 1] == "%":
        left, right, name = _encoded(text, left, start, right)
    return left, right, name


def _encoded(text: str, left: int, start: int, right: int) -> tuple[int, int, str]:
    """The place of a name in which characters are encoded, and the name: `api%5Fkey`, `user%5Bpassword%5D`."""
    while left > 0 and start - left < _WIDEST and _ENCODED.match(text, left - 1) is not None:
        left -= 1
        left -= min(left, _WIDEST) - len(text[max(0, left - _WIDEST) : left].rstrip(_NAME))
    behind = _ENCODED_BEHIND.match(text, right)
    right = right if behind is None else behind.end()
    return left, right, _ENCODED.sub("_", text[left:right])


def _of_surroundings(text: str, left: int, right: int, name: str) -> tuple[Sureness, int, int]:
    """How surely a word that is no name of a credential by itself is one with what stands around it, and its place."""
    found = phrase(text, left, right, name)
    if found is not None:
        return found
    if name[-3:].lower() == "key":
        before = _BEFORE_KEY.search(text, max(0, left - 20), left)
        if before is not None:
            return Sureness.TOKEN, before.start(), right
        if name == "key" and _ACCOUNT_BEFORE.search(text, max(0, left - 160), left - 1) is not None:
            return Sureness.TOKEN, left, right
        if name.lower() == "key" and _ATTACHED.search(text, max(0, left - 240), left) is not None:
            return Sureness.TOKEN, left, right
    if text[left - 1 : left] == "\\" and name[0] in "nrt":
        # The letter is that of a new line or a tab.
        return kind_of(name[1:]), left + 1, right
    return Sureness.NONE, left, right


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
