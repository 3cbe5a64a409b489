"""Optional client of an Agnes server: what the server logged of the user's queries and pulls.

Only three addresses are read. None of them leaves a trace on the server; others would: fetching the manifest
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
    AuditRow,
    Cursor,
    HomeStats,
    Known,
    QueryPage,
    ServerSync,
    home_stats_of,
    rows_of,
    sync_of,
)
from .transport import Failure, Reply, Transport
from .values import Problem

QUERIES = "/api/me/stats/queries"
SYNC = "/api/me/stats/sync"
HOME_STATS = "/api/me/home-stats"

REFUSED = ("/api/sync",)
"""Never called, not even if a redirect says so: these count as activity of the user."""

PAGE_SIZE = 200
"""Rows per request, the most that the server accepts."""


class AgnesServerError(Exception):
    """The server could not be asked, or its answer not be used. The message is a line for the user."""


class AgnesAddressError(AgnesServerError):
    """The address is none that can be asked, or one that must not be."""


class AgnesUnreachableError(AgnesServerError):
    """No connection, or it broke."""


class AgnesTimeoutError(AgnesServerError):
    """No complete answer in time."""


class AgnesRedirectError(AgnesServerError):
    """The server sent us elsewhere. The token goes nowhere but to the server it was made for."""


class AgnesStatusError(AgnesServerError):
    """The server answered with an error; its number is in `status`."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class AgnesTokenError(AgnesStatusError):
    """The server does not accept the token."""


class AgnesAnswerError(AgnesServerError):
    """The answer is not what the server's interface describes."""


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
    ) -> None:
        """Nothing is sent yet. Raise AgnesAddressError if `server` is no address.

        `timeout` is in seconds, for all of a request from looking up the name to the last byte.
        `ca_bundle` is trusted beside the system's certificates. No `proxies` means those of the
        environment.
        """
        self._server = _checked_address(server)
        self._timeout = timeout
        self._transport = Transport(token, ca_bundle=ca_bundle, proxies=proxies)

    def __repr__(self) -> str:
        return f"AgnesClient({self._server!r})"

    def close(self) -> None:
        """Make a request that is under way fail at once with AgnesClosedError, and all later ones."""
        self._transport.close()

    def queries(self, known: Known | None = None, start: Cursor | None = None, *, max_pages: int = 50) -> QueryPage:
        """The user's queries on the server, newest first, down to those that are known already.

        `known` is the newest row that was loaded before; rows of the very same time are returned again,
        because one of them may have come in since. After `max_pages` requests of `PAGE_SIZE` rows the
        answer ends with a cursor to go on from (`start`); `known` may move only when it ends without one,
        or the rows between would be lost. Raise AgnesServerError; nothing of what was read before is
        returned then.
        """
        rows: dict[str, AuditRow] = {}
        problems: list[Problem] = []
        cursor = start
        for _ in range(max_pages):
            asked = cursor
            parameters = {"limit": str(PAGE_SIZE)}
            if asked is not None:
                parameters |= {"cursor_ts": asked.timestamp, "cursor_id": asked.id}
            page, cursor, faults = rows_of(self._get(QUERIES, parameters), self._server + QUERIES)
            problems += faults
            for row in page:
                if known is not None and row.when < known.when:
                    return QueryPage(tuple(rows.values()), None, tuple(problems))
                if known is None or row.id != known.id:
                    rows.setdefault(row.id, row)
            if cursor is None:
                break
            if cursor == asked:
                raise AgnesAnswerError(f"{self._server}: the pages of {QUERIES} do not end")
        return QueryPage(tuple(rows.values()), cursor, tuple(problems))

    def sync(self) -> ServerSync:
        """When the user last pulled, and the newest sync actions. Raise AgnesServerError.

        The server looks at no more than the newest `PAGE_SIZE` actions of all users and has no further pages.
        """
        return sync_of(self._get(SYNC, {"limit": str(PAGE_SIZE)}), self._server + SYNC)

    def home_stats(self, window: str = "24h") -> HomeStats:
        """The server's own totals for `24h` or `7d` (anything else counts as `24h`). Raise
        AgnesServerError."""
        return home_stats_of(self._get(HOME_STATS, {"window": window}))

    def _get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object at a path. A redirect within the server is followed once."""
        deadline = time.monotonic() + self._timeout
        url = f"{self._server}{path}?{urllib.parse.urlencode(parameters)}"
        reply = self._ask(url, deadline)
        if 300 <= reply.status < 400:
            reply = self._ask(self._redirected(url, reply), deadline)
            if 300 <= reply.status < 400:
                raise AgnesRedirectError(f"{self._server}: {path} redirects again and again")
        self._check_status(reply.status, path)
        answer = _object(reply.body)
        if answer is None:
            raise AgnesAnswerError(f"{self._server}: the answer to {path} is not a JSON object")
        return answer

    def _ask(self, url: str, deadline: float) -> Reply:
        path = urllib.parse.urlsplit(url).path
        if is_refused(path):
            raise AgnesAddressError(f"{self._server}: {_printable(path)} is never called, it counts as activity")
        answer = self._transport.get(url, deadline - time.monotonic())
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

    def _check_status(self, status: int, path: str) -> None:
        if status in (401, 403):
            raise AgnesTokenError(f"{self._server}: token not accepted ({status}); run `agnes auth login`", status)
        if status != 200:
            raise AgnesStatusError(f"{self._server}: answered {status} to {path}", status)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value: Any = json.loads(body)
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
