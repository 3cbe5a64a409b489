"""Credentials that their place gives away: before the host of an address, after a scheme, within a private key."""

from __future__ import annotations

import re

from ..late import Late
from .judging import is_reference, looks_secret, words
from .spans import Spans

_SEGMENT = Late(r"[^\s\"'<>`]{1,2048}")
_SCHEME = Late(r"[A-Za-z][A-Za-z0-9+.-]{0,30}$")
_AUTHORITY_END = Late(r"[/?#]|\\[nrt\"'/]|$")
_HOST = Late(r"@[\w.\-\[\]:]{1,255}(?=[/?#,;)\\]|$)")
_PLAIN_HOST = Late(r"[\w.\-]*")
_PORT = Late(r"\d{1,5}")
_USERS = words("git user username oauth2 x-access-token x-token-auth token anonymous me root admin hg svn")
_NO_ACCOUNTS = words("mailto sip sips xmpp acct npm from to cc bcc email mail author user by reply-to")
_ACCOUNT = Late(r"(?P<user>[\w.+-]{1,64}):(?P<password>[^\s\"'/@:,;<>][^\s\"'@:,;<>]{2,127})$")
_CLIENT = Late(r"\b(?:curl|wget|s?ftp|xh|https?)[ \t][^\n|;]*$")
_ACCOUNT_HOST = Late(r"@(?:[A-Za-z][\w-]*(?:\.[\w-]+)+|localhost|\d{1,3}(?:\.\d{1,3}){3}|(?:tcp|unix)\()")
_BEARER = Late(r",?[ \t]+(?P<token>[A-Za-z0-9._~+/=%:-]{8,})")
_NOT_BEARER = Late(r"(?:auth\w*|tokens?|scheme|header\w*|[a-z]+)[.:]?", re.IGNORECASE)

_IN_ENCODED = r"[^\s\"'<>`&%]"
_ENCODED_ACCOUNT = Late(
    # What ends the host, or the address, is none of it, encoded as often as what is before it.
    rf"(?P<user>{_IN_ENCODED}{{0,256}})(?:%(?P<again>(?:25)?)3A"
    rf"(?P<password>(?:{_IN_ENCODED}|%(?!(?P=again)(?:2F|3F|23|26|40|20|22|27|0A))[0-9A-F]{{2}}){{1,512}}+))?"
    r"%(?:25)?40(?=[\w\[])",
    re.IGNORECASE,
)

_KEY_BEGIN = Late(r"-----BEGIN[A-Z0-9 ]{0,40}(?:PRIVATE KEY[A-Z0-9 ]{0,10}|STATIC KEY V1)-----", re.IGNORECASE)
_KEY_END = Late(r"-----END[A-Z0-9 ]{0,60}-----", re.IGNORECASE)
_KEY_BODY = Late(r"[^\"'`<>]*+")
_KEY_GOES_ON = Late(r"\\*[\"'`][\s+,.\\&()]{0,40}(?:\\n)?[\"'`]?(?=[A-Za-z0-9+/=]{20,})")
_KEY_LONGEST = 32_768


def userinfo(text: str, start: int, end: int, spans: Spans) -> None:
    """The password, or the token alone, between `://` and the host of an address, whatever characters are in it."""
    segment = _SEGMENT.match(text, end)
    if segment is None or "@" not in segment[0]:
        return
    rest = segment[0]
    scheme = _SCHEME.search(text, max(0, start - 32), start)
    is_web = scheme is not None and scheme[0].lower() in ("http", "https", "ws", "wss", "git+https", "git+http")
    at = _at(rest, is_web=is_web)
    if at <= 0:
        return
    user, colon, password = rest[:at].partition(":")
    if colon and password:
        if not is_reference(password):
            spans.add(end + len(user) + 1, end + at)
        if (len(user) >= 16 and looks_secret(user)) or password.lower() in ("x-oauth-basic", "x"):
            spans.add(end, end + len(user))
        return
    is_token = is_web or colon or (len(user) >= 16 and looks_secret(user))
    if is_token and user.lower() not in _USERS and not is_reference(user):
        spans.add(end, end + len(user))


def encoded_userinfo(text: str, start: int, end: int, spans: Spans) -> None:
    """The same in an address that is encoded to stand in another one: `https%3A%2F%2Fuser%3Apassword%40host`."""
    del start
    found = _ENCODED_ACCOUNT.match(text, end)
    if found is None:
        return
    if found["password"] is not None:
        from urllib.parse import unquote

        if not is_reference(unquote(found["password"])):
            spans.add(*found.span("password"))
    elif len(found["user"]) >= 16 and looks_secret(found["user"]):
        spans.add(*found.span("user"))


def _at(rest: str, *, is_web: bool) -> int:
    """Where the `@` before the host stands, from the characters behind `://`; -1 if there is none."""
    first = _AUTHORITY_END.search(rest).start()  # type: ignore[union-attr]
    at = rest.rfind("@", 0, first)
    if at >= 0 and is_web:
        return at
    colon = rest.find(":")
    if at < 0 and not 0 <= colon < first:
        host = rest[:first]
        if _PLAIN_HOST.fullmatch(host) and not ("." not in host and looks_secret(host)):
            return -1
        colon = -1
    if at < 0 and is_web and colon >= 0 and _PORT.fullmatch(rest, colon + 1, first):
        return -1
    # A slash, a question mark or a hash in a password; the host is behind the last `@` that can have one.
    hosts = [found.start() for found in _HOST.finditer(rest)]
    return max([at, *hosts])


def account(text: str, start: int, end: int, spans: Spans) -> None:
    """`user:password@host` without a scheme."""
    if not text[end : end + 1].isalnum() or ":" not in text[max(0, start - 130) : start]:
        return
    found = _ACCOUNT.search(text, max(0, start - 200), start)
    if (
        found is None
        or text[max(0, found.start() - 3) : found.start()] == "://"
        or not _ACCOUNT_HOST.match(text, start)
    ):
        return
    if found["user"].lower() in _NO_ACCOUNTS or is_reference(found["password"]):
        return
    is_of_client = _CLIENT.search(text, max(0, start - 300), found.start()) is not None
    if is_of_client or looks_secret(found["password"], is_strict=False):
        spans.add(*found.span("password"))


def bearer(text: str, start: int, end: int, spans: Spans) -> None:
    """What follows the word `Bearer` or `Basic`."""
    del start
    found = _BEARER.match(text, end)
    if found is None or is_reference(found["token"]):
        return
    token = found["token"]
    if looks_secret(token) or (len(token) >= 24 and not _NOT_BEARER.fullmatch(token)):
        spans.add(*found.span("token"))


def private_key(text: str, start: int, end: int, spans: Spans) -> None:
    """The body of a private key to its end; of one that was cut, as far as it goes, also over lines in quotes."""
    del end
    begin = _KEY_BEGIN.match(text, start)
    if begin is None:
        return
    closed = _KEY_END.search(text, begin.end(), begin.end() + _KEY_LONGEST)
    if closed is not None:
        spans.add(begin.end(), closed.start())
        return
    at = begin.end()
    while True:
        at = _KEY_BODY.match(text, at, begin.end() + _KEY_LONGEST).end()  # type: ignore[union-attr]
        more = _KEY_GOES_ON.match(text, at)
        if more is None:
            break
        at = more.end()
    spans.add(begin.end(), at)
