"""One GET at a time, over HTTP or HTTPS, that ends in time whatever the other side does.

A socket's own time limit starts again with every byte, and looking up a name has none at all. So the
exchange runs in a thread of its own, which the caller waits for only as long as it said, and whose socket
is then shut. What went wrong is handed over as a word or two, not as an exception: its frames would hold
the token.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ... import __version__
from ...queries.regular import read_bytes
from .account import Token

MAX_BUNDLE = 16 * 1024 * 1024
"""Bytes of a file of certificates."""

_NO_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "UNEXPECTED_MESSAGE",
    "PACKET_LENGTH_TOO_LONG",
)
"""What OpenSSL calls an answer that is no TLS."""

MAX_BODY = 16 * 1024 * 1024
"""Bytes; the largest page asked for is far below."""

GREETING_SECONDS = 2.0

USER_AGENT = f"agnes-stats/{__version__}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever its status. It does not show its contents: a server may repeat what it was sent."""

    status: int
    location: str | None = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer: `timeout`, `closed`, `too large`; with a reason `certificate` (not accepted), `plain`
    (https was spoken to a port without TLS), `tls` (http was spoken to a port with TLS), `unreachable`.
    """

    kind: str
    reason: str = ""


class Transport:
    """Sends GET requests with a token. Redirects are answers like any other; nothing is followed here."""

    def __init__(
        self, token: Token, *, ca_bundle: Path | None = None, proxies: Mapping[str, str] | None = None
    ) -> None:
        """`ca_bundle` is trusted beside the system's certificates; no `proxies` means the environment's."""
        self._token = token
        self._trust = functools.cache(lambda: _trusting(ca_bundle))
        self._proxies = dict(proxies) if proxies is not None else None
        self._lock = threading.Lock()
        self._closed = False
        self._running: _Exchange | None = None

    def get(self, url: str, timeout: float) -> Reply | Failure:
        """The answer, or why there is none within `timeout` seconds. Not for two threads at once."""
        exchange = _Exchange(url, self._token, timeout, self._trust, self._proxies)
        with self._lock:
            if self._closed:
                return Failure("closed")
            self._running = exchange
        exchange.start()
        try:
            return exchange.outcome.get(timeout=max(timeout, 0.0))
        except queue.Empty:
            return Failure("timeout")
        finally:
            self._running = None
            exchange.abandon()

    def close(self) -> None:
        """End the request that is under way, if any, and refuse later ones. For any thread."""
        with self._lock:
            self._closed = True
            running = self._running
        if running is not None:
            running.outcome.put(Failure("closed"))


class _Exchange(threading.Thread):
    """One request and its answer. Nobody waits for the thread; it ends when its socket is shut."""

    def __init__(
        self,
        url: str,
        token: Token,
        timeout: float,
        trust: Callable[[], ssl.SSLContext],
        proxies: dict[str, str] | None,
    ) -> None:
        super().__init__(name="agnes-request", daemon=True)
        self.outcome: queue.SimpleQueue[Reply | Failure] = queue.SimpleQueue()
        self._url = url
        self._token = token
        self._timeout = timeout
        self._trust = trust
        self._proxies = proxies
        self._guard = threading.Lock()
        self._socket: socket.socket | None = None
        self._abandoned = False

    def run(self) -> None:
        try:
            self.outcome.put(self._exchange())
        except (OSError, http.client.HTTPException, ValueError) as error:
            kind = "tls" if _is_broken_off(error) and self._port_has_tls() else _kind(error)
            self.outcome.put(Failure(kind, _reason(error)))

    def connected(self, connection: socket.socket) -> None:
        """Take note of the socket, so that it can be shut; refuse it if nobody waits any more."""
        with self._guard:
            if self._abandoned:
                raise ConnectionAbortedError
            self._socket = connection

    def abandon(self) -> None:
        """Shut the socket, which makes whatever the thread is waiting for fail at once."""
        with self._guard:
            self._abandoned = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # Not the method of a TLS socket: that one changes its state under the thread that reads.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _exchange(self) -> Reply | Failure:
        request = urllib.request.Request(self._url, headers={"User-Agent": USER_AGENT, "Accept": "application/json"})
        request.add_unredirected_header("Authorization", self._token.header())
        with self._opener().open(request, timeout=self._timeout) as response:
            body: bytes = response.read(MAX_BODY + 1)
            if len(body) > MAX_BODY:
                return Failure("too large")
            return Reply(response.status, response.headers.get("Location"), body)

    def _port_has_tls(self) -> bool:
        """Whether TLS can be begun where plain http was broken off; nothing is sent but its first greeting."""
        there = urllib.parse.urlsplit(self._url)
        if there.scheme != "http" or there.hostname is None:
            return False
        greeting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        greeting.check_hostname, greeting.verify_mode = False, ssl.CERT_NONE
        try:
            with socket.create_connection((there.hostname, there.port or 80), GREETING_SECONDS) as plain:
                self.connected(plain)
                with greeting.wrap_socket(plain, server_hostname=there.hostname):
                    return True
        except (OSError, ValueError):
            return False

    def _opener(self) -> urllib.request.OpenerDirector:
        """Only what a request needs: no redirects, no cookies, no files, no passwords from elsewhere."""
        opener = urllib.request.OpenerDirector()
        # No proxy is asked for what is on this machine: it would be sent the token.
        proxies = {} if is_here(self._url) else self._proxies
        opener.add_handler(urllib.request.ProxyHandler(proxies))
        opener.add_handler(_PlainHandler(self))
        opener.add_handler(_TlsHandler(self, self._trust()))
        return opener


class _PlainConnection(http.client.HTTPConnection):
    def __init__(self, host: str, *, exchange: _Exchange, timeout: float) -> None:
        super().__init__(host, timeout=timeout)
        self._exchange = exchange

    def connect(self) -> None:
        super().connect()
        self._exchange.connected(self.sock)


class _TlsConnection(http.client.HTTPSConnection):
    def __init__(self, host: str, *, exchange: _Exchange, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, timeout=timeout, context=context)
        self._exchange = exchange

    def connect(self) -> None:
        super().connect()
        self._exchange.connected(self.sock)


class _PlainHandler(urllib.request.HTTPHandler):
    def __init__(self, exchange: _Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_PlainConnection, exchange=self._exchange), req)


class _TlsHandler(urllib.request.HTTPSHandler):
    def __init__(self, exchange: _Exchange, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._exchange = exchange
        self._trust = context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        connection = functools.partial(_TlsConnection, exchange=self._exchange, context=self._trust)
        return self.do_open(connection, req)


def _trusting(ca_bundle: Path | None) -> ssl.SSLContext:
    """Reading the system's certificates takes up to a tenth of a second, so this is for once."""
    context = ssl.create_default_context()
    if ca_bundle is not None:
        context.load_verify_locations(cadata=read_bytes(ca_bundle, MAX_BUNDLE).decode("ascii", "ignore"))
    return context


def is_here(url: str) -> bool:
    """Whether an address is one of this machine's own, spelled so that there is no doubt. ValueError for no address."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _kind(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "timeout"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
        return "plain"
    return "unreachable"


def _is_broken_off(error: Exception) -> bool:
    """Whether the other side took the request and then said nothing, or nothing that is HTTP."""
    cause = getattr(error, "reason", error)
    return isinstance(cause, ConnectionResetError | BrokenPipeError | http.client.BadStatusLine)


def _reason(error: Exception) -> str:
    """What happened, from the parts of an error that cannot contain what was sent."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {cause.verify_message}"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return type(cause if isinstance(cause, Exception) else error).__name__
