"""What is assigned to a name: with `=` or `:`, in blocks of YAML, in XML, in `SET PASSWORD FOR user = …`."""

from __future__ import annotations

import re

from ..late import Late
from .judged import NOTHING, judged, second_of_two
from .judging import Said, Sureness, is_reference, looks_secret
from .values import QUOTE, Value

_TYPE = (
    r"(?::[ \t]*+(?:[A-Za-z_][\w.]*(?:\[[^\]\n]{0,60}\])?(?:[ \t]*+\|[ \t]*+\w+)?)?(?=[ \t]*+=)"
    r"|(?:string|String)(?=[ \t]*+=))?"
)
_CLOSED = rf"(?P<quote>{QUOTE})?(?:[\])]{{0,2}}|%(?:25)?5[Dd]|\*\*|\[\d{{0,5}}\])"
_JOINED = Late(
    rf"{_CLOSED}(?P<before>[ \t]*+){_TYPE}[ \t]*+"
    r"(?P<op>=>|<<<|<-|:=|:[-=+]|::(?=[ \t]++[A-Za-z0-9+/]{4,}=*+[ \t]*+(?:\r?\n|\\n|[\"']|$))|\?=|[=!]==?|\+=|->|[=:]"
    r"|%3[AaDd])(?P<after>(?:\*\*(?=[ \t]))?[ \t]*+)"
)
_PAIRED = Late(
    rf"{QUOTE}?[ \t]*+,?\s*+-?[ \t]*+{QUOTE}?(?i:value|default|content|secretstring){QUOTE}?[ \t]*+[:=][ \t]*+"
    r"|[ \t]++-Value[ \t]++|[\"'][ \t]*+\{[^{}]{0,120}?\bdefault[ \t]*=[ \t]*"
)
"""`{"name": "token", "value": "…"}`, and as YAML and XML have it."""
_ELEMENT = Late(r"[^<>\n]{0,200}>\s*+")
_NAMED_ELEMENT = Late(r"[\"'][^<>\n]{0,200}>\s*+")
_KEY_ELEMENT = Late(r"</\w{1,20}>\s*+<\w{1,20}>")
_NAMING = Late(r"\b(?:name|key|id|property)=[\"']$")
_BLOCK = Late(r"[ \t]*+[|>][-+]?\d?[ \t]*+\n(?P<first>[ \t]++)\S[^\n]*(?:\n(?:(?P=first)[^\n]*|[ \t]*+(?=\n)))*")
_NEXT_LINE = Late(r"[ \t]*+\r?\n[ \t]*+(\S+)[ \t]*+(?=\r?\n|$)")
_TO_SEMICOLON = Late(r"[^;\"'\n]{1,500}+(?=[;\"'])")
_TO_BRACE = Late(r"[^}\n]{1,1000}(?=\})")
_BRACED = Late(r"\{([^{}\n]{1,200})\}(?=[;\"']|$)")
_WRAPPED = Late(
    r"(?:Buffer\.from|SecretStr|Secret|String|bytes|str|(?:[\w.]+\.)?(?:hash|md5|sha\d+|b64encode|encode\w*|crypt|hashpw|hash_password"
    rf"|make_password|generate_password_hash))\((?=[bBrRuU]?{QUOTE})"
)
"""A call that only changes how the value is written."""
_TAGGED = Late(r"[&!][\w!:.-]*+[ \t]++(?=[^\s|>])")
_COMPOUND = Late(r"\w[-_]\w|[a-z][A-Z]")
_OLD_AND_NEW = Late(
    r"[ \t]++from[ \t]++'(?P<values>[^'\n]{1,200}(?:'[ \t]++to[ \t]++'[^'\n]{1,200})?)(?=')", re.IGNORECASE
)
_FOR_USER = Late(r"[ \t]++for[ \t]++[^=\s]{1,100}[ \t]*+=[ \t]*+", re.IGNORECASE)


def assigned(text: str, left: int, right: int, kind: Sureness) -> Value | None:
    """`name=value`, `"name": "value"`, `name := value` and the like."""
    joined = _JOINED.match(text, right)
    if joined is None:
        return None
    pos = joined.end()
    found = _bracketed(text, left, right, pos, kind) or _with_an_end(text, left, pos, joined)
    if found is not None:
        return found
    if (wrapped := _WRAPPED.match(text, pos)) is not None:
        return judged(text, wrapped.end(), kind, Said.SET) or NOTHING
    is_spaced = bool(joined["before"] or joined["after"])
    if joined["op"] == ":":
        return _told(text, left, right, kind, joined)
    if joined["after"] and not joined["before"] and text[left:right].isupper():
        return NOTHING  # of a shell: the variable is empty
    if _is_folder(text, left, right, pos):
        return NOTHING
    return judged(text, pos, kind, Said.SPACED if is_spaced else Said.SET) or NOTHING


def _told(text: str, left: int, right: int, kind: Sureness, joined: re.Match[str]) -> Value | None:
    """`name: value`, which may be prose."""
    pos = joined.end()
    if text.startswith(":", pos):
        return None  # of a path in code
    if text.startswith(("//", "?"), joined.end("op")) or _is_folder(text, left, right, pos):
        return NOTHING
    if (tagged := _TAGGED.match(text, pos)) is not None:
        pos = tagged.end()
    if kind is Sureness.TOKEN and _COMPOUND.search(text, left, right) is not None:
        kind = Sureness.STRONG  # no word of a sentence
    is_option = text[left] == "/" and not (joined["before"] or joined["after"])
    return judged(text, pos, kind, Said.SET if is_option else Said.TOLD)


def _bracketed(text: str, left: int, right: int, pos: int, kind: Sureness) -> Value | None:
    """`Pwd={value};`, `auth=("user", "value")`; in any other structure the values have names of their own."""
    if text[pos : pos + 1] not in ("{", "(", "["):
        return None
    braced = _BRACED.match(text, pos) if text[left - 1 : left] == ";" else None
    if braced is not None and looks_secret(braced[1], is_strict=False):
        return Value(braced.start(1), braced.end(1), braced.end(), True)
    inner = text[pos + 1 : pos + 2]
    if inner in ('"', "'", "\\") and kind is Sureness.WEAK and (text[pos] == "(" or "ookie" in text[left:right]):
        return second_of_two(text, pos) or NOTHING
    return NOTHING


def _with_an_end(text: str, left: int, pos: int, joined: re.Match[str]) -> Value | None:
    """`${NAME:-value}`, and `;Password=one or more words;` of a connection string."""
    if joined["op"] in (":-", ":=", ":+") and text[left - 1 : left] == "{":
        default = _TO_BRACE.match(text, pos)
        is_one = default is not None and not is_reference(default[0])
        return Value(pos, default.end(), default.end(), False) if default is not None and is_one else NOTHING
    is_tight = joined["op"] == "=" and not joined["before"] and not joined["after"]
    if text[left - 1 : left] == ";" and is_tight and text[pos : pos + 1] not in ('"', "'", "\\"):
        words = _TO_SEMICOLON.match(text, pos)
        if words is not None and not is_reference(words[0]):
            return Value(pos, words.end(), words.end(), False)
    return None


def _is_folder(text: str, left: int, right: int, pos: int) -> bool:
    """Whether this is the shell's `PWD`."""
    return text[left:right].lstrip("$").lower() in ("pwd", "oldpwd") and text[pos : pos + 1] in ("/", "~", ".")


def for_user(text: str, left: int, right: int, kind: Sureness) -> Value | None:  # noqa: ARG001
    """`SET PASSWORD FOR user = 'value'`, `SET PASSWORD FROM 'value' TO 'value'`."""
    both = _OLD_AND_NEW.match(text, right)
    if both is not None:
        return NOTHING if is_reference(both["values"]) else Value(*both.span("values"), both.end(), True)
    said = _FOR_USER.match(text, right)
    return None if said is None else judged(text, said.end(), kind, Said.SET) or NOTHING


def block(text: str, left: int, right: int, kind: Sureness) -> Value | None:  # noqa: ARG001
    """`name: |` of YAML with the value below, or the value alone on the next line."""
    if text[right : right + 1] != ":":
        return None
    block = _BLOCK.match(text, right + 1)
    if block is not None:
        start = block.end("first")
        return NOTHING if is_reference(text[start : block.end()]) else Value(start, block.end(), block.end(), False)
    below = _NEXT_LINE.match(text, right + 1)
    if below is not None and looks_secret(below[1], is_strict=kind < Sureness.STRONG):
        return Value(below.start(1), below.end(1), below.end(), False)
    return None


def element(text: str, left: int, right: int, kind: Sureness) -> Value | None:  # noqa: ARG001
    """`<name>value</name>`."""
    if text[left - 1 : left] == "<":
        opened = _ELEMENT.match(text, right)
    elif _NAMING.search(text, max(0, left - 20), left) is not None:
        opened = _NAMED_ELEMENT.match(text, right)
    else:
        opened = _KEY_ELEMENT.match(text, right) if text[left - 1 : left] == ">" else None
    if opened is None:
        return None
    end = text.find("<", opened.end(), opened.end() + 4096)
    value = text[opened.end() : end].rstrip() if end > 0 else ""
    if not value or is_reference(value):
        return None
    return Value(opened.end(), opened.end() + len(value), end, False)


def paired(text: str, left: int, right: int, kind: Sureness) -> Value | None:  # noqa: ARG001
    paired = _PAIRED.match(text, right)
    return None if paired is None else judged(text, paired.end(), kind, Said.SET)
