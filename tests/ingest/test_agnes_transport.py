"""How the client of an Agnes server fails, and where the token goes."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agnes_stats.ingest.agnes.account import Token
from agnes_stats.ingest.agnes.server import (
    AgnesAddressError,
    AgnesAnswerError,
    AgnesClient,
    AgnesClosedError,
    AgnesRedirectError,
    AgnesStatusError,
    AgnesTimeoutError,
    AgnesTlsError,
    AgnesTokenError,
    AgnesUnreachableError,
    is_refused,
)

from tests.ingest.agnes_http import SECRET, Handler, Request, Server, client, entry, failing, pages_of, says, servers


@pytest.fixture
def serve() -> Iterator[Callable[[], Server]]:
    with servers() as start:
        yield start


@pytest.fixture
def server(serve: Callable[[], Server]) -> Server:
    return serve()


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AgnesTokenError), (403, AgnesTokenError), (404, AgnesStatusError), (500, AgnesStatusError)],
)
def test_an_error_of_the_server_is_one_line(server: Server, status: int, error: type[AgnesStatusError]) -> None:
    server.answer = says(status, {"detail": f"no: {SECRET}\n\x1b[31m"})
    caught = failing(client(server), error)
    assert isinstance(caught, AgnesStatusError)
    assert caught.status == status
    assert str(status) in str(caught)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_no_object_is_an_error(server: Server, body: bytes) -> None:
    server.answer = says(200, body)
    failing(client(server), AgnesAnswerError)


def test_an_answer_that_is_too_large_is_an_error(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agnes_stats.ingest.agnes.transport.MAX_BODY", 100)
    server.answer = says(200, b" " * 101)
    assert "too large" in str(failing(client(server), AgnesAnswerError))


def test_an_error_on_a_later_page_is_an_error(server: Server) -> None:
    first = pages_of([entry(number) for number in range(7)], size=3)
    server.answer = lambda handler, request: (
        first(handler, request) if len(server.requests) < 3 else handler.say(500, {})
    )
    failing(client(server), AgnesStatusError)


def test_no_server_at_all(serve: Callable[[], Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as placeholder:
        port = placeholder.getsockname()[1]
    caught = failing(AgnesClient(f"http://127.0.0.1:{port}", Token(SECRET), proxies={}), AgnesUnreachableError)
    assert "connection refused" in str(caught)


def test_a_connection_that_breaks(server: Server) -> None:
    server.answer = lambda handler, request: handler.connection.shutdown(socket.SHUT_RDWR)
    failing(client(server), AgnesUnreachableError)


def test_a_server_that_hangs_is_given_up_in_time(server: Server) -> None:
    server.answer = lambda handler, request: hang(server)
    assert "0.2 s" in str(failing(client(server, timeout=0.2), AgnesTimeoutError))


def test_a_server_that_trickles_is_given_up_in_time(server: Server) -> None:
    """Each byte starts the time limit of a socket anew; only that of the whole request can end this."""
    gave_up = threading.Event()

    def trickle(handler: Handler, request: Request) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        try:
            while not server.stopping.wait(0.02):
                handler.wfile.write(b" ")
        except OSError:
            gave_up.set()

    server.answer = trickle
    began = time.monotonic()
    failing(client(server, timeout=0.3), AgnesTimeoutError)
    assert time.monotonic() - began < 4
    assert gave_up.wait(10)


def test_closing_ends_a_request_at_once(server: Server) -> None:
    server.answer = lambda handler, request: hang(server)
    waiting = client(server, timeout=60)

    def close() -> None:
        server.asked.wait(10)
        waiting.close()

    closer = threading.Thread(target=close)
    closer.start()
    failing(waiting, AgnesClosedError)
    closer.join()
    failing(waiting, AgnesClosedError)
    assert len(server.requests) == 1


def hang(server: Server) -> None:
    server.stopping.wait(30)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_never_followed(serve: Callable[[], Server], status: int) -> None:
    server, other = serve(), serve()
    other.answer = says(200, {"rows": []})
    server.answer = says(status, {}, Location=f"{other.url}/api/me/stats/queries")
    caught = failing(client(server), AgnesRedirectError)
    assert other.url in str(caught)
    assert other.requests == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "location",
    [
        "//{other}/x",
        "http://{here}@{other}/x",
        "http://{here}\\@{other}/x",
        "https://{here}/x",
        "ftp://{here}/x",
        "",
    ],
)
def test_no_spelling_of_another_host_gets_the_token(serve: Callable[[], Server], location: str) -> None:
    server, other = serve(), serve()
    hosts = {"here": server.url.removeprefix("http://"), "other": other.url.removeprefix("http://")}
    server.answer = says(302, {}, Location=location.format(**hosts))
    failing(client(server), AgnesRedirectError)
    assert other.requests == []
    assert len(server.requests) == 1


def test_a_redirect_within_the_server_is_followed_once(server: Server) -> None:
    def answer(handler: Handler, request: Request) -> None:
        if request.path.endswith("/"):
            handler.say(200, {"rows": [entry(1)]})
        else:
            handler.say(307, {}, Location=f"{request.path}/?limit=200")

    server.answer = answer
    assert len(client(server).queries().rows) == 1
    assert [request.path for request in server.requests] == [
        "/api/me/stats/queries",
        "/api/me/stats/queries/",
    ]
    server.answer = says(307, {}, Location="/api/me/stats/queries")
    failing(client(server), AgnesRedirectError)
    assert len(server.requests) == 4


def test_a_user_in_the_address_of_a_redirect_is_not_taken_over(server: Server) -> None:
    def answer(handler: Handler, request: Request) -> None:
        if request.path == "/there":
            handler.say(200, {"rows": [entry(1)]})
        else:
            handler.say(302, {}, Location=server.url.replace("http://", "http://me:pw@") + "/there")

    server.answer = answer
    assert len(client(server).queries().rows) == 1


@pytest.mark.parametrize(
    "location",
    [
        "/api/sync/manifest",
        "/api//sync/manifest?x=1",
        "/api/me/../sync/manifest",
        "/API/%73ync/manifest",
        "/api/sync",
    ],
)
def test_the_manifest_is_never_fetched_not_even_by_redirect(server: Server, location: str) -> None:
    server.answer = says(302, {}, Location=location)
    failing(client(server), AgnesAddressError)
    assert len(server.requests) == 1


def test_only_what_counts_as_activity_is_refused() -> None:
    assert is_refused("/agnes/api/sync/manifest")
    assert is_refused("/api/%2573ync/manifest")
    assert is_refused("/api\\sync\\manifest")
    assert not is_refused("/api/me/stats/sync")
    assert not is_refused("/api/me/stats/queries")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "agnes.example",
        "ftp://a.example",
        "https://",
        "https://a:b@c.example",
        "http://a.example:x",
        "http://a b/",
        "http://a.example/?x=1",
        "http://a.example/\n",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(AgnesAddressError):
        AgnesClient(address, Token(SECRET))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_only_a_trusted_certificate_gets_the_token(server: Server, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=agnes", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.httpd.socket = context.wrap_socket(server.httpd.socket, server_side=True)
    server.answer = says(200, {"rows": [entry(1)]})
    address = server.url.replace("http://", "https://")
    stranger = failing(AgnesClient(address, Token(SECRET), proxies={}), AgnesTlsError)
    assert "certificate not accepted" in str(stranger)
    plain = failing(AgnesClient(server.url, Token(SECRET), proxies={}), AgnesTlsError)
    assert "this port speaks TLS" in str(plain)
    assert server.requests == []
    trusting = AgnesClient(address, Token(SECRET), proxies={}, ca_bundle=certificate)
    assert len(trusting.queries().rows) == 1
    assert server.requests[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_a_port_without_tls_is_told_in_words(server: Server) -> None:
    address = server.url.replace("http://", "https://")
    told = failing(AgnesClient(address, Token(SECRET), proxies={}), AgnesTlsError)
    assert "does not speak TLS" in str(told)
    assert server.requests == []


def test_a_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    server.answer = says(200, {})
    AgnesClient("http://agnes.invalid", Token(SECRET), plain_http=True).sync()
    assert server.requests[0].headers["Host"] == "agnes.invalid"


def test_no_proxy_is_told_the_token_for_a_server_on_this_machine(
    serve: Callable[[], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = serve(), serve()
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", proxy.url)
    server.answer = proxy.answer = says(200, {})
    AgnesClient(server.url, Token(SECRET)).sync()
    assert (len(server.requests), proxy.requests) == (1, [])


HERE = ("http://localhost:1", "http://LOCALHOST:1/agnes", "http://127.0.0.1:1", "http://127.8.9.1:1", "http://[::1]:1")
ELSEWHERE = (
    "http://agnes.example.com",
    "http://10.0.0.5:8000",
    "http://0.0.0.0:8000",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "http://127.1:8000",
    "http://2130706433:8000",
    "http://[::]:8000",
    "http://[fe80::1]:8000",
    "http://agnes:8000",
)


def test_over_http_a_token_goes_to_this_machine_only() -> None:
    for address in HERE:
        AgnesClient(address, Token(SECRET))
    for address in ELSEWHERE:
        with pytest.raises(AgnesAddressError, match="over http a token goes to this machine only"):
            AgnesClient(address, Token(SECRET))
        AgnesClient(address, Token(SECRET), plain_http=True)
        AgnesClient(address.replace("http:", "https:"), Token(SECRET))


def test_what_is_the_matter_with_a_token_is_told_in_words(server: Server) -> None:
    for detail, kind, words in (
        ("Token revoked", "revoked", "was revoked"),
        ("Token expired", "expired", "has expired"),
        ("Account deactivated", "deactivated", "is deactivated"),
        ("User not found", "deactivated", "does not exist any more"),
        ("Token unknown", "refused", "does not know the token"),
        ("Invalid or expired token", "refused", "token not accepted"),
        (f"\x1b[31m{SECRET}", "refused", "token not accepted"),
        (["odd"], "refused", "token not accepted"),
    ):
        server.answer = says(401, {"detail": detail})
        caught = failing(client(server), AgnesTokenError)
        assert (caught.kind, words in str(caught)) == (kind, True)


def test_a_server_without_the_endpoint_is_too_old_and_one_that_wants_newer_clients_says_so(server: Server) -> None:
    server.answer = says(404, {"detail": "Not Found"})
    assert failing(client(server), AgnesStatusError).kind == "too old"
    server.answer = says(426, {})
    caught = failing(client(server), AgnesStatusError)
    assert (caught.kind, "update agnes-stats" in str(caught)) == ("client too old", True)
    server.answer = says(400, b"<center>The plain HTTP request was sent to HTTPS port</center>")
    assert "https://" in str(failing(client(server), AgnesTlsError))


def test_what_repeats_the_token_loses_it(server: Server) -> None:
    told = {"sql": f"select '{SECRET}'", "error": [SECRET]}
    server.answer = says(200, {"rows": [entry(1, resource=SECRET, params=told)], SECRET: SECRET})
    (row,) = client(server).queries().rows
    assert (row.resource, row.sql) == ("***", "select '***'")
    assert SECRET not in repr(row)
