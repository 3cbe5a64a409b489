"""Credentials that are given by their place in a call: `jwt.sign(payload, "secret")`, `mysqli("host", "user", "…")`."""

from __future__ import annotations

from ..late import Late
from .judging import is_reference, looks_secret
from .spans import Spans

_QUOTED = r"(?:[bBrRuUfFN]{0,2}\\{0,8}(?:'((?:[^'\n]|''){0,400})\\{0,8}'|\"([^\"\n]{0,400})\\{0,8}\"))"
_ARGUMENT = Late(
    rf"{_QUOTED}(?!\w)|(?:[^,()'\"\[\]{{}}]|\([^()\n]{{0,200}}\)|\[[^\[\]\n]{{0,200}}\]|\{{[^{{}}\n]{{0,200}}\}})"
    r"{1,200}"
)

_DATABASES = {
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

_CALLS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("jwt.sign", "jwt.verify", "jwt.encode", "jwt.decode"), (1,)),
    **dict.fromkeys(("hmac.new", "fernet", "bcrypt.hash", "bcrypt.hashsync", "bcrypt.hashpw", "bcrypt.checkpw"), (0,)),
    **dict.fromkeys(("bcrypt.compare", "bcrypt.comparesync", "secretstring::from"), (0,)),
    **dict.fromkeys(("check_password_hash", "changeuserpassword", "wifi.begin", "simple_bind_s"), (1,)),
    **dict.fromkeys(("oracle.connect", "oracledb.connect", "passwordauthentication", "twilio.client"), (1,)),
    **dict.fromkeys(("create_user", "create_superuser", "set_password", "create_credential", "ldap_bind"), (2,)),
    **dict.fromkeys(("getconnection", "new pdo", "mysqli_connect", "mysqli", "clientsecretcredential"), (2,)),
    "usernamepasswordcredential": (2,),
    "oauthhandler": (1, 3),
}
"""Calls in programs -> the same."""

_SIGN_IN = ("login", "client.run", "bot.run", "telegram.bot", "telegrambot", "stripe")
"""Calls with a user and a password, or with a token alone."""

ANCHORS = (*(f"{name}(" for name in (*_DATABASES, *_CALLS, *_SIGN_IN[1:])), ".login(")


def call(text: str, start: int, end: int, spans: Spans) -> None:
    """Find the credentials among the arguments of a call that opens at `end`."""
    name = text[start : end - 1].lower().lstrip(".")
    found = arguments(text, end)
    if name in _SIGN_IN:
        if len(found) > 1 and name == "login":
            _add(text, found[1], spans)
        elif len(found) == 1 and (only := found[0]) is not None:
            is_token = only[1] - only[0] >= 16 and looks_secret(text[slice(*only)])
            spans.add(*(only if is_token else (0, 0)))
        return
    wanted = _CALLS.get(name)
    if wanted is None:
        if len(found) < 3 or found[0] is None:
            return
        # As an engine of tables or databases they have one argument less.
        wanted = (3,) if len(found) == 4 and name in ("mysql", "postgresql") else _DATABASES[name]
    for at in wanted:
        if at < len(found):
            _add(text, found[at], spans)


def _add(text: str, argument: tuple[int, int] | None, spans: Spans) -> None:
    if argument is not None and not is_reference(text[slice(*argument)]):
        spans.add(*argument)


def arguments(text: str, pos: int) -> list[tuple[int, int] | None]:
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
