"""Optional client of an Agnes server: what the server logged of the user's queries and pulls.

Only four addresses are read. None of them leaves a trace on the server; others would: fetching the manifest
counts as a pull, and a query is a query. Errors are one line and never contain the token.
"""

from __future__ import annotations

import json
import posixpath
import re
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .account import Token
from .answers import (
    AnswerCursor,
    AuditRow,
    Known,
    QueryPage,
    ServerSession,
    ServerSessions,
    ServerSync,
    rows_of,
    sessions_of,
    sync_of,
)
from .transport import Failure, Reply, Transport, is_here
from .values import Problem

QUERIES = "/api/me/stats/queries"
SYNC = "/api/me/stats/sync"
SESSIONS = "/api/me/stats/sessions"

REFUSED = ("/api/sync",)
"""Never called, not even if a redirect says so: these count as activity of the user."""

PAGE_SIZE = 200
"""Rows per request, the most that the server accepts."""


class AgnesServerError(Exception):
    """The server could not be asked, or its answer not be used. The message is a line for the user."""

    kind = "failed"
    """What is the matter, in a word or two."""


class AgnesAddressError(AgnesServerError):
    """The address is none that can be asked, or one that must not be."""

    kind = "address"


class AgnesUnreachableError(AgnesServerError):
    """No connection, or it broke."""

    kind = "unreachable"


class AgnesTlsError(AgnesUnreachableError):
    """No encrypted connection that can be trusted, or one side speaks TLS and the other does not."""

    kind = "TLS"


class AgnesTimeoutError(AgnesServerError):
    """No complete answer in time."""

    kind = "timeout"


class AgnesRedirectError(AgnesServerError):
    """The server sent us elsewhere. The token goes nowhere but to the server it was made for."""

    kind = "moved"


class AgnesStatusError(AgnesServerError):
    """The server answered with an error; its number is in `status`."""

    def __init__(self, message: str, status: int, kind: str = "error") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class AgnesTokenError(AgnesStatusError):
    """The token is `revoked` or `expired`, its owner `deactivated`, or it is `refused` for another reason."""


class AgnesAnswerError(AgnesServerError):
    """The answer is not what the server's interface describes."""

    kind = "answer"


class AgnesClosedError(AgnesServerError):
    """The client was closed while it waited."""


class AgnesClient:
    """Reads what a server logged of the owner of a token. For one thread; `close` may be called from any."""

    def __init__(
        self,
        server: str,
        token: Token,
        *,
        timeout: float = 10.0,
        ca_bundle: Path | None = None,
        proxies: Mapping[str, str] | None = None,
        plain_http: bool = False,
    ) -> None:
        """Nothing is sent yet. Raise AgnesAddressError if `server` is no address, or one the token must not go to.

        Over http it goes to this machine only; `plain_http`: the user wants it sent unencrypted to another.

        `timeout` is in seconds, for all of a request from looking up the name to the last byte.
        `ca_bundle` is trusted beside the system's certificates. No `proxies` means those of the
        environment.
        """
        self._server = _checked_address(server)
        if not (plain_http or self._server.startswith("https:") or is_here(self._server)):
            raise AgnesAddressError(
                f"{self._server}: over http a token goes to this machine only; use https, or name this address as "
                "`server` under [agnes] in agnes-stats' config file"
            )
        self._token = token
        self._timeout = timeout
        self._transport = Transport(token, ca_bundle=ca_bundle, proxies=proxies)

    def __repr__(self) -> str:
        return f"AgnesClient({self._server!r})"

    def close(self) -> None:
        """Make a request that is under way fail at once with AgnesClosedError, and all later ones."""
        self._transport.close()

    def queries(
        self,
        known: Known | None = None,
        start: AnswerCursor | None = None,
        *,
        max_pages: int = 50,
        until: float = float("inf"),
    ) -> QueryPage:
        """The user's queries on the server, newest first, down to those that are known already.

        `known` is the newest row that was loaded before; rows of the very same time are returned again,
        because one of them may have come in since. After `max_pages` requests of `PAGE_SIZE` rows, or at the
        time `until` (of the monotonic clock), the answer ends with a cursor to go on from (`start`). Raise
        AgnesServerError; nothing of what was read before is returned then.
        """
        rows: dict[str, AuditRow] = {}
        problems: list[Problem] = []
        cursor = start
        for number in range(max_pages):
            if number and time.monotonic() > until:
                break
            asked = cursor
            parameters = {"limit": str(PAGE_SIZE)}
            if asked is not None:
                parameters |= {"cursor_ts": asked.timestamp, "cursor_id": asked.id}
            page, cursor, faults = rows_of(self._get(QUERIES, parameters, until), self._server + QUERIES)
            problems += faults
            if cursor is not None and (cursor == asked or (page and all(row.id in rows for row in page))):
                raise AgnesAnswerError(f"{self._server}: the pages of {QUERIES} do not end")
            for row in page:
                if known is not None and row.when < known.when:
                    cursor = None
                    break
                rows.setdefault(row.id, row)
            if cursor is None:
                break
        if known is not None:
            rows.pop(known.id, None)
        return QueryPage(tuple(rows.values()), cursor, tuple(problems))

    def sync(self, *, until: float = float("inf")) -> ServerSync:
        """When the user last pulled, and the newest sync actions. Raise AgnesServerError.

        The server looks at no more than the newest `PAGE_SIZE` actions of all users and has no further pages.
        `until` as for `queries`.
        """
        return sync_of(self._get(SYNC, {"limit": str(PAGE_SIZE)}, until), self._server + SYNC)

    def sessions(self, *, max_pages: int = 50, until: float = float("inf")) -> ServerSessions:
        """The sessions that the server has of the user, newest first. Raise AgnesServerError.

        At most `max_pages` pages of `PAGE_SIZE`; `until` as for `queries`. Rows that come in meanwhile move others to
        the next page, where they are told again.
        """
        found: dict[str, ServerSession] = {}
        problems: list[Problem] = []
        for number in range(max_pages):
            if number and time.monotonic() > until:
                break
            parameters = {"limit": str(PAGE_SIZE), "offset": str(number * PAGE_SIZE)}
            page, total, faults = sessions_of(self._get(SESSIONS, parameters, until), self._server + SESSIONS)
            problems += faults
            is_new = any(row.session_file not in found for row in page)
            found |= {row.session_file: row for row in page}
            # An old server ignores the offset and says the same again; none says that there are more than there are.
            if not is_new or (total is not None and (number + 1) * PAGE_SIZE >= total):
                return ServerSessions(tuple(found.values()), is_whole=not faults, problems=tuple(problems))
        return ServerSessions(tuple(found.values()), is_whole=False, problems=tuple(problems))

    def _get(self, path: str, parameters: Mapping[str, str], until: float = float("inf")) -> dict[str, Any]:
        """The JSON object at a path, without the token in it. A redirect within the server is followed once."""
        deadline = min(time.monotonic() + self._timeout, until)
        url = f"{self._server}{path}?{urllib.parse.urlencode(parameters)}"
        reply = self._ask(url, deadline)
        if 300 <= reply.status < 400:
            reply = self._ask(self._redirected(url, reply), deadline)
            if 300 <= reply.status < 400:
                raise AgnesRedirectError(f"{self._server}: {path} redirects again and again")
        self._check_status(reply, path)
        answer = _object(reply.body, self._token)
        if answer is None:
            raise AgnesAnswerError(f"{self._server}: the answer to {path} is not a JSON object")
        return answer

    def _ask(self, url: str, deadline: float) -> Reply:
        path = urllib.parse.urlsplit(url).path
        if is_refused(path):
            raise AgnesAddressError(f"{self._server}: {_printable(path)} is never called, it counts as activity")
        left = deadline - time.monotonic()
        answer = self._transport.get(url, left) if left > 0 else Failure("timeout")
        if isinstance(answer, Failure):
            raise self._error_of(answer)
        return answer

    def _error_of(self, failure: Failure) -> AgnesServerError:
        match failure.kind:
            case "timeout":
                return AgnesTimeoutError(f"{self._server}: no answer within {self._timeout:g} s")
            case "closed":
                return AgnesClosedError(f"{self._server}: the request was given up")
            case "too large":
                return AgnesAnswerError(f"{self._server}: the answer is too large")
            case "certificate":
                return AgnesTlsError(f"{self._server}: {_printable(failure.reason)}")
            case "plain":
                return AgnesTlsError(f"{self._server}: this port does not speak TLS; is the address one with http://?")
            case "tls":
                return AgnesTlsError(f"{self._server}: this port speaks TLS; the address has to begin with https://")
            case _:
                return AgnesUnreachableError(f"{self._server}: not reachable ({_printable(failure.reason)})")

    def _redirected(self, url: str, reply: Reply) -> str:
        try:
            target = urllib.parse.urljoin(url, reply.location or "")
            origin = _origin(target)
        except ValueError:
            origin = target = ""
        if not reply.location or not origin:
            raise AgnesRedirectError(f"{self._server}: answered {reply.status} without saying where to go")
        if origin != _origin(url):
            raise AgnesRedirectError(
                f"{self._server}: moved to {_printable(origin)} ({reply.status}); "
                "the token was not sent there. Set the new address if it is right"
            )
        # Only path and query are taken over, so that no spelling of an address leads to another host.
        there = urllib.parse.urlsplit(target)
        return urllib.parse.urlsplit(url)._replace(path=there.path, query=there.query).geturl()

    def _check_status(self, reply: Reply, path: str) -> None:
        status = reply.status
        if status == 200:
            return
        if status in (401, 403):
            kind, words = _refusal(reply.body)
            raise AgnesTokenError(f"{self._server}: {words} ({status})", status, kind)
        if status == 400 and any(words in reply.body for words in _TO_TLS):
            raise AgnesTlsError(f"{self._server}: this port speaks TLS; the address has to begin with https://")
        if status in (404, 405):
            words = f"has no {path} ({status}): an Agnes server too old for this, or none at all"
            raise AgnesStatusError(f"{self._server}: {words}", status, "too old")
        if status == 426:
            words = "the server takes only newer clients than this (426): update agnes-stats"
            raise AgnesStatusError(f"{self._server}: {words}", status, "client too old")
        raise AgnesStatusError(f"{self._server}: answered {status} to {path}", status)


_LOGIN = "run `agnes auth login`"
_REFUSALS = {
    "token revoked": ("revoked", f"the token was revoked; {_LOGIN}"),
    "token expired": ("expired", f"the token has expired; {_LOGIN}"),
    "account deactivated": ("deactivated", "the account is deactivated; ask whoever runs the server"),
    "user not found": ("deactivated", "the account does not exist any more; ask whoever runs the server"),
    "token unknown": ("refused", f"the server does not know the token; {_LOGIN}"),
    "agent deleted": ("refused", "the agent that the token was made for does not exist any more"),
    "agent token not valid on this surface": ("refused", f"the token is an agent's and not good for this; {_LOGIN}"),
}
"""Details of a refusal, as the server words them in lower case -> kind and our words. Others are not repeated."""

_TO_TLS = (
    b"plain HTTP request was sent to HTTPS port",
    b"HTTP request to an HTTPS server",
    b"speaking plain HTTP to an SSL-enabled server port",
)
"""What nginx, programs in Go and Apache say."""


def _refusal(body: bytes) -> tuple[str, str]:
    detail = (_object(body) or {}).get("detail")
    return _REFUSALS.get(
        detail.lower() if isinstance(detail, str) else "", ("refused", f"token not accepted; {_LOGIN}")
    )


def _object(body: bytes, token: Token | None = None) -> dict[str, Any] | None:
    try:
        value: Any = json.loads(body)
        if token is not None:
            value = token.removed_from(value)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def is_refused(path: str) -> bool:
    """Whether a path, however it is spelled, leads to one of the addresses in `REFUSED`."""
    before = None
    while before != path:
        before, path = path, urllib.parse.unquote(path)
    plain = posixpath.normpath(re.sub(r"[/\\]+", "/", path)).lower() + "/"
    return any(f"{refused}/" in plain for refused in REFUSED)


def _checked_address(server: str) -> str:
    try:
        _origin(server)
        parts = urllib.parse.urlsplit(server)
    except ValueError:
        raise AgnesAddressError("the server's address is not one like https://agnes.example.com") from None
    if parts.username is not None or parts.password is not None:
        raise AgnesAddressError("the server's address must not contain a user or a password")
    if parts.query or parts.fragment or " " in server or not server.isprintable():
        raise AgnesAddressError("the server's address must be without blanks, query and fragment")
    return server.rstrip("/")


def _origin(url: str) -> str:
    """Scheme, host and port; ValueError if there is no such thing."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no address")
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _printable(text: str) -> str:
    """Text of the other side in an error line: one line, short, and nothing that a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)[:200]
