"""Credentials in statements of SQL and shells that no name of their own gives away."""

from __future__ import annotations

import re

from ..late import Late
from .judging import is_reference
from .spans import REACH, Spans
from .values import Value, value_at

_IDENTIFIED = Late(
    r"[ \t\n]+(?:(?:with|via)[ \t\n]+\S{1,60}[ \t\n]+)?(?:by|as|using)[ \t\n]+(?:password[ \t\n]+|values[ \t\n]+|0x)?",
    re.IGNORECASE,
)
_ARGUMENT = Late(r"\\{0,8}(?:'((?:[^'\n]|''){0,400})\\{0,8}'|\"([^\"\n]{0,400})\\{0,8}\")|[^,()'\"]{1,200}")
_CALL = Late(r"(?:_iv|_bytea|bypassphrase|bykey)?\s*\(", re.IGNORECASE)
_LITERAL = Late(r"[ =]?[\"']?[\w.-]{1,100}=")
_ECHOED = Late(
    r"\b(?:echo|printf|print|Write-Output)[ \t]+(?:-\w+[ \t]+|['\"]%s(?:\\n)?['\"][ \t]+){0,3}", re.IGNORECASE
)
_OF_SECRET = Late(r"(?:pass(?:word|wd|phrase)?|token|secret|key)$", re.IGNORECASE)
_PIPED = Late(r"[ \t]*\|[^|\n]{0,160}$")
_CONNECT = Late(r"[ \t]*[\w.$-]{1,64}/(?P<password>[^@\s\"']{1,128})@\w")
_HERE = Late(r"[^|;\n]{0,120}?<<<[ \t]*")
_PGPASS = Late(r"(?<![\w.*-])[\w.*-]{1,100}:(?:\d{1,5}|\*):[^:\s\"']{1,100}:[^:\s\"']{1,100}:")
_THIN = Late(r"[^/\s@\"']{1,64}/")
_OF_DATABASES = {
    "mysql": (4,),
    "postgresql": (4,),
    "mongodb": (4,),
    "remote": (3, 4),
    "remotesecure": (3, 4),
    "s3": (1, 2),
    "s3cluster": (2, 3),
    "gcs": (1, 2),
    "azureblobstorage": (3, 4),
}
"""Table functions of ClickHouse -> which of their arguments are credentials, from 0."""


def _blot(text: str, value: Value | None, spans: Spans) -> None:
    if value is not None and not is_reference(text[value.start : value.end]):
        spans.add(value.start, value.end)


def identified(text: str, start: int, end: int, spans: Spans) -> None:
    """`IDENTIFIED BY …`."""
    del start
    said = _IDENTIFIED.match(text, end)
    if said is not None:
        _blot(text, value_at(text, said.end()), spans)


def encrypted(text: str, start: int, end: int, spans: Spans) -> None:
    """All texts given to a function that encrypts, decrypts or hashes: one of them is the key."""
    del start
    call = _CALL.match(text, end)
    if call is not None:
        for value in _arguments(text, call.end()):
            if value is not None and value[1] - value[0] > 2:
                spans.add(*value)


def procedure(text: str, start: int, end: int, spans: Spans) -> None:
    """`EXEC sp_addlogin 'user', 'password'` and its kind: all quoted arguments, of a new login all but the first."""
    found = [argument for argument in _arguments(text, end) if argument is not None]
    for argument in found[1 if "add" in text[start:end].lower() else 0 :]:
        spans.add(*argument)


def connect(text: str, start: int, end: int, spans: Spans) -> None:
    """`CONNECT user/password@database`."""
    del start
    said = _CONNECT.match(text, end)
    if said is not None and not is_reference(said["password"]):
        spans.add(*said.span("password"))


def table_function(text: str, start: int, end: int, spans: Spans) -> None:
    """`mysql('host', 'database', 'table', 'user', 'password')` and its kind."""
    arguments = _arguments(text, end)
    if len(arguments) < 3 or arguments[0] is None:
        return
    for at in _OF_DATABASES[text[start : end - 1].lower()]:
        if at < len(arguments) and (found := arguments[at]) is not None and not is_reference(text[slice(*found)]):
            spans.add(*found)


FUNCTIONS = tuple(f"{name}(" for name in _OF_DATABASES)


def _arguments(text: str, pos: int) -> list[tuple[int, int] | None]:
    """Where the quoted arguments of a call stand, without their quotation marks; None for other arguments."""
    found: list[tuple[int, int] | None] = []
    while len(found) < 12:
        while text[pos : pos + 1] in (" ", "\n", "\t"):
            pos += 1
        argument = _ARGUMENT.match(text, pos)
        if argument is None:
            break
        group = argument.lastindex
        found.append(argument.span(group) if group else None)
        pos = argument.end()
        while text[pos : pos + 1] in (" ", "\n", "\t"):
            pos += 1
        if text[pos : pos + 1] != ",":
            break
        pos += 1
    return found


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
    del start
    said = re.compile(r"(?:[ \t]+-(?:String|AsPlainText|Force))*[ \t]+").match(text, end)
    if said is not None and text[said.end() : said.end() + 1] != "-":
        _blot(text, value_at(text, said.end()), spans)


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
