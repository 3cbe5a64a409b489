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
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from . import calls, places, programs, shapes, statements, tongues
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
    *("sid=", "sas=", "sig=", "code=", "ticket=", "hmac", "session=", "sessid"),
    *("_assertion", "5fassertion", "clientassertion", "samlresponse"),
    *tongues.NAMES,
)
_OTHERS: dict[str, tuple[_Rule, ...]] = {
    "bearer": (places.bearer, named),
    "basic": (places.bearer,),
    "://": (places.userinfo,),
    **dict.fromkeys(("%3a%2f%2f", "%253a%252f%252f"), (places.encoded_userinfo,)),
    "@": (places.account,),
    "-----begin": (places.private_key,),
    "identified": (statements.identified,),
    **dict.fromkeys(calls.ANCHORS, (calls.call,)),
    "crypt": (statements.encrypted,),
    "from-literal": (statements.literal,),
    **dict.fromkeys(
        (
            *("-stdin", "/dev/stdin", "chpasswd", "sudo -s", "--with-token", "kinit", "passphrase-fd", "| base64"),
            *("|base64", "secret create", "secret set", "secret put", "secrets create", "versions add", "env add"),
            *("cryptsetup", "smbpasswd", "passwd ", "openconnect", "pass insert", "keepassxc", "secret-tool"),
            *("devops login", "databricks configure", "lpass login", "op signin", "terraform login", "createuser"),
            *("keyring set", "elasticsearch-reset-password"),
        ),
        (statements.piped,),
    ),
    **dict.fromkeys(("sp_addlogin", "sp_password", "sp_addlinkedsrvlogin"), (statements.procedure,)),
    "connect ": (statements.connect,),
    "convertto-securestring": (statements.secure_string,),
    **dict.fromkeys(("pgpass", ":5432:", ":5433:", ":6432:", "*:*:*"), (statements.password_file,)),
    "openrowset": (statements.row_set,),
    **dict.fromkeys(("acl setuser", " on >"), (statements.access_list,)),
    **dict.fromkeys(('send "', "send '"), (statements.sent,)),
    "stringdata": (statements.string_data,),
    "private-lines:": (statements.private_lines,),
    '"kty': (statements.web_key,),
    **dict.fromkeys(("mnemonic", "seed", "recovery phrase"), (statements.seed,)),
    **dict.fromkeys(tongues.WORDS, (tongues.spoken,)),
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


_ONLY = {"@": r"(?<=[^\s\"'@:,;<>]@)(?=\w)", "s.": r"(?=[a-z0-9]{24})", "sk": r"(?=[a-f0-9]{32})"}
"""Anchor -> what else has to stand around it: these are the most frequent ones, and nearly never is there anything."""

_PIVOTS = "z$@q_x0:wvybugpmcnsa"
_LOOKED_AT = 6
"""Characters of which every anchor has one among its first six, the rarest in commands and code first.

An anchor is searched for from there: only at a third of the characters of a text there is anything to look for, where
three quarters can be the first one of an anchor."""


_RARITY = {char: rank for rank, char in enumerate(_PIVOTS)}


def _pivot(anchor: str) -> int:
    """Which character of an anchor is searched for."""
    if anchor.isascii():
        ranks = [_RARITY.get(char, len(_PIVOTS)) for char in anchor[:_LOOKED_AT]]
        return ranks.index(min(ranks))
    return next(at for at, char in enumerate(anchor) if char > "\x7f")


_PIVOT_OF = {anchor: _pivot(anchor) for anchor in _RULES}


def _searched(anchors: Iterable[str]) -> str:
    """A pattern that finds anchors, each from its pivot to its end."""
    behind: dict[str, list[tuple[str, str]]] = {}
    for anchor in anchors:
        at = _PIVOT_OF[anchor]
        behind.setdefault(anchor[at], []).append((anchor[at + 1 :], anchor))
    chars = sorted(behind, key=lambda char: (_RARITY.get(char, len(_PIVOTS)), char))
    return "|".join(re.escape(char) + _rest_of(behind[char]) for char in chars)


def _rest_of(anchors: list[tuple[str, str]]) -> str:
    """A pattern of what stands behind the pivots of anchors, given with each; then it looks back for all of it."""
    branches: dict[str, list[tuple[str, str]]] = {}
    ends = []
    for rest, anchor in anchors:
        if rest:
            branches.setdefault(rest[0], []).append((rest[1:], anchor))
        else:
            ends.append(("" if _PIVOT_OF[anchor] == 0 else f"(?<={re.escape(anchor)})") + _ONLY.get(anchor, ""))
    parts = [re.escape(char) + _rest_of(within) for char, within in branches.items()] + sorted(ends, reverse=True)
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


_LONGEST = max(map(len, _RULES))
_FURTHEST = max(_PIVOT_OF.values())
"""Characters before a pivot in which an anchor can begin."""

_BY_BEGINNING: dict[str, list[str]] = {}
"""The first three characters, or the whole of shorter ones -> the anchors that begin with them, the longest first."""
_BEGIN_SHORT = frozenset(anchor[0] for anchor in _RULES if len(anchor) < 3)
"""The first characters of those shorter ones."""
for _anchor in sorted(_RULES, key=len, reverse=True):
    _BY_BEGINNING.setdefault(_anchor[:3], []).append(_anchor)
    if len(_anchor) < 3:
        for _begins, _begun in _BY_BEGINNING.items():
            if len(_begins) == 3 and _begins.startswith(_anchor):
                _begun.append(_anchor)


_BY_ITSELF, _SHORT = 256, 200
"""So many texts, if they are no longer than that, are looked through for each anchor by itself, before the pattern of
all is compiled: that takes as long. Who reads transcripts for what responses took sees names only, and fewer."""

_pattern: re.Pattern[str] | None = None
_texts = 0
"""How many were looked through by themselves."""


@cache
def _other_pattern() -> re.Pattern[str]:
    """The pattern of anchors that are not ASCII, which most texts need not be searched for."""
    return re.compile(_searched(anchor for anchor in _RULES if not anchor.isascii()))


def _anchors_in(lower: str) -> Iterable[tuple[int, str]]:
    """The anchors in a text in small letters, and where they begin, from left to right; of some that overlap, one."""
    global _pattern, _texts
    if _pattern is None:
        if len(lower) <= _SHORT and _texts < _BY_ITSELF:
            _texts += 1
            if not any(anchor in lower for anchor in _RULES):
                return ()
        _pattern = re.compile(_searched(filter(str.isascii, _RULES)))
    if not lower.isascii():
        places = sorted(found.span() for pattern in (_pattern, _other_pattern()) for found in pattern.finditer(lower))
        return _around(lower, places) if places else ()
    first = _pattern.search(lower)
    if first is None:
        return ()
    return _around(lower, (found.span() for found in _pattern.finditer(lower, first.start())))


def _around(lower: str, places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """The anchors that begin around or in some places: at each character the longest, and the next one behind it."""
    beginning = _BY_BEGINNING.get
    at = 0
    for pivot, end in places:
        if at < pivot - _FURTHEST:
            at = pivot - _FURTHEST
        while at < end:
            begun: Sequence[str] | None = beginning(lower[at : at + 3])
            if begun is None:
                if lower[at] not in _BEGIN_SHORT:
                    at += 1
                    continue
                begun = beginning(lower[at : at + 2]) or beginning(lower[at]) or ()
            for anchor in begun:
                if lower.startswith(anchor, at):
                    yield at, anchor
                    at += len(anchor)
                    break
            else:
                at += 1


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
    for start, anchor in _anchors_in(lower):
        if start >= last:
            break
        if spans is None:
            spans = Spans()
        elif start < spans.end and anchor[-1] != "(":
            continue  # of a call the arguments are looked at, whatever its name has told
        end = start + len(anchor)
        within, steps, follow = _steps(anchor)
        if lower[end : end + 1] in follow:
            for at, name, rules in steps:
                if lower.startswith(name, start + at):
                    for rule in rules:
                        rule(text, start + at, start + at + len(name), spans)
        else:
            for at, to, rule in within:
                rule(text, start + at, start + to, spans)
    return spans if spans is not None and spans.end else None
