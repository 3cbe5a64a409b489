"""Credentials in statements of SQL and shells that no name of their own gives away."""

from __future__ import annotations

import re

from ..late import Late
from .calls import arguments
from .judging import is_reference
from .spans import REACH, Spans
from .values import QUOTE, Value, value_at

_IDENTIFIED = Late(
    r"[ \t\n]+(?:(?:with|via)[ \t\n]+\S{1,60}[ \t\n]+)?(?:by|as|using)[ \t\n]+(?:password[ \t\n]+|values[ \t\n]+|0x)?",
    re.IGNORECASE,
)
_REPLACE = Late(r"[ \t\n]+replace[ \t\n]+", re.IGNORECASE)
_CALL = Late(r"(?:_iv|_bytea|bypassphrase|bykey)?\s*\(", re.IGNORECASE)
_LITERAL = Late(r"[ =]?[\"']?[\w.-]{1,100}=")
_ECHOED = Late(
    r"\b(?:echo|printf|print|Write-Output)[ \t]+(?:-\w+[ \t]+|['\"]%s(?:\\n)?['\"][ \t]+){0,3}", re.IGNORECASE
)
_OF_SECRET = Late(r"(?:pass(?:word|wd|phrase)?|token|secret|key)(?:-on)?$", re.IGNORECASE)
_PIPED = Late(r"(?:[ \t]*;[^|\n]{0,160})?[ \t]*\)?[ \t]*\|[^|\n]{0,160}$")
_CONNECT = Late(r"[ \t]*[\w.$-]{1,64}/(?P<password>[^@\s\"']{1,128})@\w")
_OF_STRING = Late(r"(?:[ \t]+-(?:String|AsPlainText|Force))*[ \t]+")
_PIPED_STRING = Late(r"(?P<mark>[\"'])(?P<value>[^\"'$\n][^\"'\n]{0,300})(?P=mark)[ \t]*\|[ \t]*$")
_ROW_SET = Late(
    r"[ \t]*\([ \t]*'[^'\n]{1,60}'[ \t]*,[ \t]*'[^'\n]{0,200}'[ \t]*;[ \t]*'[^'\n]{0,100}'[ \t]*;"
    r"[ \t]*'(?P<password>[^'\n]{1,200})'"
)
_ON_USER = Late(r"(?:acl[ \t]+setuser[ \t]+|\buser[ \t]+)[\w.@-]{1,64}[^\n]{0,160}$", re.IGNORECASE)
_ACL_RULE = Late(r"(?<![\w>])[\"']?(?P<sign>[><#])(?P<value>[^\s\"'<>]{1,400})")
_SENDS = Late(r"[\"'](?P<value>[^\"'$\n\\][^\"'\n\\]{2,200})(?:\\+[rn])*")
_ASKED = Late(r"ass(?:word|phrase)", re.IGNORECASE)
_OBJECT = Late(rf"(?:{QUOTE})?[ \t]*:[ \t\n]*\{{[^{{}}]{{1,3000}}\}}")
_MAPPING = Late(r":[ \t]*(?:\n[ \t]+[\w.-]+:[ \t]+[^\n]+)+")
_MEMBER = Late(rf"[\w.-]+(?:{QUOTE})?[ \t]*:[ \t]*(?=[^\s|>])")
_PRIVATE_LINES = Late(r"[ \t]*\d+[ \t]*(?:\r?\n|\\r|\\n)+(?P<key>(?:[A-Za-z0-9+/=]{1,80}(?:\r?\n|\\r|\\n|$))++)")
_KEY_MEMBER = Late(r"\\{0,8}\"(?:d|p|q|dp|dq|qi|k)\\{0,8}\"[ \t]*:[ \t]*\\{0,8}\"(?P<value>[A-Za-z0-9_=-]{16,2000})")
_PHRASE = Late(
    r"\w{0,12}(?:[ \t]+phrase)?[\"'\\]{0,4}[ \t]*(?:[:=]|is)?[ \t]*[\"'\\]{0,4}"
    r"(?P<words>(?:[a-z]{3,8}[ ,]{1,3}){11,23}[a-z]{3,8})\b"
)
_HERE = Late(r"[^|;\n]{0,120}?<<<[ \t]*")
_PGPASS = Late(r"(?<![\w.*:-])[\w.*-]{1,100}:(?:\d{1,5}|\*):[^:\s\"']{1,100}:[^:\s\"']{1,100}:")
_THIN = Late(r"[^/\s@\"']{1,64}/")


def _blot(text: str, value: Value | None, spans: Spans) -> None:
    if value is not None and not is_reference(text[value.start : value.end]):
        spans.add(value.start, value.end)


def identified(text: str, start: int, end: int, spans: Spans) -> None:
    """`IDENTIFIED BY …`."""
    del start
    said = _IDENTIFIED.match(text, end)
    value = value_at(text, said.end()) if said is not None else None
    if value is None:
        return
    _blot(text, value, spans)
    replaced = _REPLACE.match(text, value.after)
    if replaced is not None:
        _blot(text, value_at(text, replaced.end()), spans)


def encrypted(text: str, start: int, end: int, spans: Spans) -> None:
    """All texts given to a function that encrypts, decrypts or hashes: one of them is the key."""
    del start
    call = _CALL.match(text, end)
    if call is not None:
        for value in arguments(text, call.end()):
            if value is not None and value[1] - value[0] > 2:
                spans.add(*value)


def procedure(text: str, start: int, end: int, spans: Spans) -> None:
    """`EXEC sp_addlogin 'user', 'password'` and its kind: all quoted arguments, of a new login all but the first."""
    found = arguments(text, end)
    name = text[start:end].lower()
    first = 4 if "linked" in name else 1 if "add" in name else 0
    for argument in found[first:]:
        if argument is not None:
            spans.add(*argument)


def row_set(text: str, start: int, end: int, spans: Spans) -> None:
    """`OPENROWSET('provider', 'server';'user';'password', …)`."""
    del start
    said = _ROW_SET.match(text, end)
    if said is not None:
        spans.add(*said.span("password"))


def connect(text: str, start: int, end: int, spans: Spans) -> None:
    """`CONNECT user/password@database`."""
    del start
    said = _CONNECT.match(text, end)
    if said is not None and not is_reference(said["password"]):
        spans.add(*said.span("password"))


def literal(text: str, start: int, end: int, spans: Spans) -> None:
    """`--from-literal=name=value`, whatever the name."""
    del start
    said = _LITERAL.match(text, end)
    if said is not None:
        _blot(text, value_at(text, said.end()), spans)


def piped(text: str, start: int, end: int, spans: Spans) -> None:
    """What is given to a program that reads a password from its input: `echo x | …`, `… <<< x`."""
    if text[start] == "-" and text[start + 1] == "s" and not _OF_SECRET.search(text, max(0, start - 20), start):
        return
    before = max(0, start - REACH)
    line = max(before, text.rfind("\n", before, start) + 1)
    for echo in _ECHOED.finditer(text, line, start):
        value = value_at(text, echo.end())
        if value is not None and _PIPED.match(text, value.after, start + (text[start] == "|")):
            words = text[value.start : value.end]
            anchor = text[start:end].lower()
            at = words.find(":") + 1 if anchor == "chpasswd" or "base64" in anchor else 0
            if not is_reference(words[at:]) and (at or "base64" not in anchor):
                spans.add(value.start + at, value.end)
    here = _HERE.match(text, end)
    if here is not None:
        _blot(text, value_at(text, here.end()), spans)


def secure_string(text: str, start: int, end: int, spans: Spans) -> None:
    """PowerShell's `ConvertTo-SecureString "x"`."""
    piped = _PIPED_STRING.search(text, max(0, start - REACH), start)
    if piped is not None:
        spans.add(*piped.span("value"))
    said = _OF_STRING.match(text, end)
    if said is not None and text[said.end() : said.end() + 1] != "-":
        _blot(text, value_at(text, said.end()), spans)


def access_list(text: str, start: int, end: int, spans: Spans) -> None:
    """`ACL SETUSER user on >password` of Redis, and `user … on >password` in its file."""
    begins = start if text[start] in "aA" else -1
    if begins < 0 and (user := _ON_USER.search(text, max(0, start - 100), end)) is not None:
        begins = user.start()
    if begins < 0 or start < spans.read_to.get("acl", 0):
        return
    line = text.find("\n", end, end + REACH)
    last = line if line >= 0 else end + REACH
    spans.read_to["acl"] = last
    for rule in _ACL_RULE.finditer(text, begins, last):
        _blot(text, Value(*rule.span("value"), rule.end(), False), spans)


def sent(text: str, start: int, end: int, spans: Spans) -> None:
    """`expect "password:"; send "value"`."""
    found = _SENDS.match(text, end - 1)
    if found is not None and _ASKED.search(text, max(0, start - 120), start) is not None:
        _blot(text, Value(*found.span("value"), found.end(), True), spans)


def string_data(text: str, start: int, end: int, spans: Spans) -> None:
    """The values in `stringData` of a secret of Kubernetes, whatever their names."""
    del start
    found = _OBJECT.match(text, end) or _MAPPING.match(text, end)
    if found is not None:
        for member in _MEMBER.finditer(text, end + 1, found.end()):
            _blot(text, value_at(text, member.end()), spans)


def private_lines(text: str, start: int, end: int, spans: Spans) -> None:
    """The private half of a key of PuTTY."""
    del start
    found = _PRIVATE_LINES.match(text, end)
    if found is not None:
        spans.add(*found.span("key"))


def web_key(text: str, start: int, end: int, spans: Spans) -> None:
    """The private members of a JSON web key around its `"kty"`."""
    if start < spans.read_to.get("kty", 0):
        return
    spans.read_to["kty"] = end + 3000
    for member in _KEY_MEMBER.finditer(text, max(0, start - REACH), end + 3000):
        spans.add(*member.span("value"))


def seed(text: str, start: int, end: int, spans: Spans) -> None:
    """The twelve or more words of a wallet's `mnemonic`."""
    del start
    found = _PHRASE.match(text, end)
    if found is not None:
        spans.add(*found.span("words"))


def password_file(text: str, start: int, end: int, spans: Spans) -> None:
    """Lines of `.pgpass`: host, port, database, user, password."""
    if start < spans.read_to.get("pgpass", 0):
        return
    spans.read_to["pgpass"] = end + 400
    for line in _PGPASS.finditer(text, max(0, start - REACH), end + 400):
        _blot(text, value_at(text, line.end()), spans)


def thin(text: str, start: int, end: int, spans: Spans) -> None:
    """`jdbc:oracle:thin:user/password@host`."""
    del start
    said = _THIN.match(text, end)
    at = text.find("@", said.end(), said.end() + 200) if said is not None else -1
    if said is not None and at > 0:
        password = text[said.end() : at]
        if len(password.split()) == 1 and not is_reference(password):
            spans.add(said.end(), at)
