"""Passwords, tokens and keys in commands, queries and messages, blotted out before anything is stored.

A transcript holds command lines as they were typed. What the store keeps of them must not be a second place to steal
credentials from, so whatever gives itself away as one is replaced by `***`; the rest of a text stays as it was.

A text is looked through once for *anchors*: words such as `token`, beginnings of tokens such as `ghp_`, names of
programs such as `curl`. Few texts have any. At each of them a rule or two look around in the text, no further than a
bounded distance, so the time is proportional to the length whatever is in the text. Rules find places and change
nothing, so none sees what another has left; the places are blotted out at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from . import places, programs, shapes, statements
from .names import named
from .spans import BLOT, REACH, Spans

__all__ = ["BLOT", "masked", "redacted"]

_Rule = Callable[[str, int, int, Spans], None]

_NAMES = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "auth",
        "cred",
        "cookie",
        "jwt",
        "psk",
        "pswd",
        "signature",
        "sessionid",
    ),
    *(
        "pw=",
        "pw:",
        'pw"',
        "pw'",
        "pw ",
        "psw",
        "_pat=",
        "_pat ",
        "_pat:",
        '_pat"',
        "pin=",
        "pin:",
        'pin"',
        "otp=",
        "otp:",
        'otp"',
    ),
    *("sid=", "sas=", "sig=", "code=", "ticket=", "hmac", "session="),
)
_OTHERS: dict[str, tuple[_Rule, ...]] = {
    "bearer": (places.bearer, named),
    "basic": (places.bearer,),
    "://": (places.userinfo,),
    **dict.fromkeys(("%3a%2f%2f", "%253a%252f%252f"), (places.encoded_userinfo,)),
    "@": (places.account,),
    "-----begin": (places.private_key,),
    "identified": (statements.identified,),
    **dict.fromkeys(statements.FUNCTIONS, (statements.table_function,)),
    "crypt": (statements.encrypted,),
    "from-literal": (statements.literal,),
    **dict.fromkeys(
        ("-stdin", "chpasswd", "sudo -s", "--with-token", "kinit", "passphrase-fd", "| base64", "|base64"),
        (statements.piped,),
    ),
    **dict.fromkeys(("sp_addlogin", "sp_password"), (statements.procedure,)),
    "connect ": (statements.connect,),
    "convertto-securestring": (statements.secure_string,),
    "pgpass": (statements.password_file,),
    "oracle:thin:": (statements.thin,),
}


_RULES: dict[str, tuple[_Rule, ...]] = {
    **dict.fromkeys(programs.ANCHORS, (programs.run,)),
    **dict.fromkeys(_NAMES, (named,)),
    **_OTHERS,
    **dict.fromkeys(shapes.ANCHORS, (shapes.shaped,)),
}


_BEGINNING: dict[str, list[tuple[str, tuple[_Rule, ...]]]] = {}
"""First character -> the anchors that begin with it, and their rules."""
for _anchor, _of_anchor in _RULES.items():
    _BEGINNING.setdefault(_anchor[0], []).append((_anchor, _of_anchor))

_Within = tuple[tuple[int, int, _Rule], ...]
_Steps = tuple[tuple[int, str, tuple[_Rule, ...]], ...]


@cache
def _steps(anchor: str) -> tuple[_Within, _Steps, frozenset[str]]:
    """What to do at an anchor: places in it, the anchors that end there, and their rules.

    Anchors overlap: `sk` and `key` in `skey`, `pass` in `sshpass`. The search goes on behind the one that it has found,
    so those that begin within are looked for here: the places of those that end within, with each rule; all of them,
    whether they end within or not; and which characters follow if there are any that do not.
    """
    found: list[tuple[int, str, tuple[_Rule, ...]]] = []
    has_name = False
    for at in range(len(anchor)):
        rest = anchor[at:]
        for other, rules in _BEGINNING.get(rest[0], ()):
            if rest.startswith(other) or (at and other.startswith(rest)):
                # A name is read from its first character to its last, wherever in it the anchor is.
                if rules == (named,) and has_name and rest.startswith(other):
                    continue
                has_name = has_name or (named in rules and rest.startswith(other))
                found.append((at, other, rules))
    found.sort(key=lambda step: (step[0], -len(step[1])))
    ends = [(at, at + len(other), rules) for at, other, rules in found if at + len(other) <= len(anchor)]
    within = tuple((at, end, rule) for at, end, rules in ends for rule in rules)
    return within, tuple(found), frozenset(other[len(anchor) - at :][:1] for at, other, _ in found) - {""}


def _trie(words: Mapping[str, str]) -> str:
    """A pattern of words, each with a pattern behind it: most places are passed over by the first characters."""
    if len(words) == 1:
        [(word, behind)] = words.items()
        return re.escape(word) + behind
    branches: dict[str, dict[str, str]] = {}
    for word, behind in words.items():
        branches.setdefault(word[:1], {})[word[1:]] = behind
    # Of two words that begin alike the longer one is tried first.
    ends = branches.pop("", {})
    parts = [*(re.escape(first) + _trie(rest) for first, rest in branches.items()), *ends.values()]
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


_RAREST = "$@7q3jxk_-/.ybgpmdcan"
"""Characters of which every anchor has one, the rarest first. They are less than a quarter of a text."""


def _from_rarest(words: Iterable[str]) -> str:
    """A pattern that finds whether any of some words is there, beginning with its rarest character.

    Most words begin with a frequent one: to look at each of these takes five times as long.
    """
    begins: dict[str, list[str]] = {}
    for word in words:
        at = next(at for char in _RAREST if (at := word.find(char)) >= 0)
        begins.setdefault(word[at:], []).append(word)
    return _trie({end: "" if end in whole else f"(?:{'|'.join(map(_before, whole))})" for end, whole in begins.items()})


def _before(word: str) -> str:
    return f"(?<={re.escape(word)})"


_LONGEST = max(map(len, _RULES))


_BY_ITSELF, _SHORT = 256, 200
"""So many texts, if they are no longer than that, are looked through for each anchor by itself, before the pattern of
all is compiled: that takes as long. Who reads transcripts for what responses took sees names only, and fewer."""

_MUCH = 100_000
"""Characters after which `_any_anchor` is compiled, too: until then it would have saved as much time as that takes."""

_pattern: re.Pattern[str] | None = None
_any_anchor: re.Pattern[str] | None = None
_texts = _chars = 0
"""How many were looked through."""


def _anchors_in(lower: str) -> Iterable[re.Match[str]]:
    """The anchors in a text in small letters."""
    global _pattern, _any_anchor, _texts, _chars
    if _pattern is None:
        if len(lower) <= _SHORT and _texts < _BY_ITSELF:
            _texts += 1
            if not any(anchor in lower for anchor in _RULES):
                return ()
        _pattern = re.compile(_trie(dict.fromkeys(_RULES, "")))
    if _any_anchor is None:
        _chars += len(lower)
        if _chars < _MUCH:
            return _pattern.finditer(lower)
        _any_anchor = re.compile(_from_rarest(_RULES))
    found = _any_anchor.search(lower)
    return _pattern.finditer(lower, max(0, found.start() - _LONGEST)) if found is not None else ()


def redacted(text: str, limit: int | None = None) -> str:
    """The text with the credentials that can be recognised replaced by `***`; variables such as `$TOKEN` stay.

    `limit`: only the first so many characters of the text are wanted; what is behind them is only looked at.
    """
    spans = _spans(text, limit)
    if spans is None:
        return text if limit is None else text[:limit]
    return spans.blotted(text, limit)


def masked(data: bytes) -> bytes:
    """Bytes of a text with every byte of its credentials as `*`: places and length stay."""
    spans = _spans(data.decode("latin-1"))
    return data if spans is None else spans.masked(data)


def _spans(text: str, limit: int | None = None) -> Spans | None:
    """The places of the credentials in a text; None if there are none.

    `limit`: those that begin behind so many characters are not wanted.
    """
    last = len(text) if limit is None else limit + REACH
    # An anchor is not cut, nor one that begins in it.
    looked_at = text[: last + 2 * _LONGEST]
    lower = looked_at.lower()
    if len(lower) != len(looked_at):
        # A few letters have two in lower case; places must be the same in both.
        lower = "".join(char.lower() if len(char.lower()) == 1 else char for char in looked_at)
    spans: Spans | None = None
    for anchor in _anchors_in(lower):
        start = anchor.start()
        if start >= last:
            break
        if spans is None:
            spans = Spans()
        elif start < spans.end:
            continue
        end = anchor.end()
        within, steps, follow = _steps(anchor[0])
        if lower[end : end + 1] in follow:
            for at, name, rules in steps:
                if lower.startswith(name, start + at):
                    for rule in rules:
                        rule(text, start + at, start + at + len(name), spans)
        else:
            for at, to, rule in within:
                rule(text, start + at, start + to, spans)
    return spans if spans is not None and spans.end else None
