"""A real HTTP server on this machine that speaks the interface of an Agnes server."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
import traceback
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from agnes_stats.ingest.agnes.account import Token
from agnes_stats.ingest.agnes.server import AgnesClient, AgnesServerError

SECRET = "agnes-secret-token"


@dataclass
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


Answer = Callable[["Handler", Request], None]


@dataclass
class Server:
    """A server on this machine. `answer` decides what it says; `requests` is what it was asked."""

    httpd: ThreadingHTTPServer
    answer: Answer = lambda handler, request: handler.say(404, {})
    endpoints: dict[str, Answer] = field(default_factory=lambda: {"sessions": sessions_of([])})
    requests: list[Request] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)

    def tell(self, **answers: Answer) -> None:
        """Answer by endpoint from now on: `queries`, `sync` … Those that are not named keep their answers."""
        self.endpoints |= answers
        self.answer = self._by_endpoint

    def _by_endpoint(self, handler: Handler, request: Request) -> None:
        self.endpoints.get(request.path.rpartition("/")[2], says(404, {"detail": "Not Found"}))(handler, request)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.httpd.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        here: Server = self.server.here
        url = urllib.parse.urlsplit(self.path)
        request = Request(url.path, dict(urllib.parse.parse_qsl(url.query)), dict(self.headers))
        here.requests.append(request)
        here.asked.set()
        here.answer(self, request)

    def say(self, status: int, body: object, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Say nothing."""


@contextlib.contextmanager
def servers() -> Iterator[Callable[[], Server]]:
    """A function that starts servers; all are stopped at the end."""
    started: list[tuple[Server, threading.Thread]] = []

    def start() -> Server:
        httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        httpd.daemon_threads = False
        server = Server(httpd)
        httpd.here = server  # type: ignore[attr-defined]
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return server

    try:
        yield start
    finally:
        for server, thread in started:
            server.stopping.set()
            server.httpd.shutdown()
            server.httpd.server_close()
            thread.join()


def client(server: Server, timeout: float = 10.0) -> AgnesClient:
    return AgnesClient(server.url, Token(SECRET), timeout=timeout, proxies={})


def says(status: int, body: object, **headers: str) -> Answer:
    return lambda handler, request: handler.say(status, body, **headers)


def entry(number: int, **more: object) -> dict[str, object]:
    """Row `number` of the audit log: one a minute, the times naive as the server writes them."""
    when = dt.datetime(2026, 6, 1) + dt.timedelta(minutes=number)
    return {
        "id": f"id-{number:03}",
        "timestamp": when.isoformat(),
        "action": "query.remote",
        "resource": "table:events",
        "result": "success",
        "duration_ms": 120,
        "params": {},
        "client_kind": "cli",
        **more,
    }


def pages_of(rows: list[dict[str, object]], size: int) -> Answer:
    """Newest first, in pages of `size`, with the cursor of the server: only complete ones count."""

    def answer(handler: Handler, request: Request) -> None:
        ordered = sorted(rows, key=lambda row: (row["timestamp"], row["id"]), reverse=True)
        if "cursor_ts" in request.query and "cursor_id" in request.query:
            cursor = (request.query["cursor_ts"], request.query["cursor_id"])
            ordered = [row for row in ordered if (row["timestamp"], row["id"]) < cursor]
        page = ordered[:size]
        last = {"timestamp": page[-1]["timestamp"], "id": page[-1]["id"]} if len(ordered) > size else None
        handler.say(200, {"limit": size, "rows": page, "next_cursor": last})

    return answer


def uploaded(name: str, **more: object) -> dict[str, object]:
    """A session that the server has, as it lists it when it has worked on it."""
    return {
        "session_file": f"u1/{name}.jsonl",
        "session_id": name,
        "started_at": "2026-06-01T10:00:00",
        "ended_at": "2026-06-01T10:30:00",
        "processed": True,
        "pipeline_status": "processed",
        "items_extracted": 0,
        "download_url": f"/profile/sessions/{name}.jsonl",
        **more,
    }


def sessions_of(rows: list[dict[str, object]]) -> Answer:
    """The sessions that the server has, in pages by offset and limit."""

    def answer(handler: Handler, request: Request) -> None:
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        page = rows[offset : offset + limit]
        handler.say(200, {"total": len(rows), "offset": offset, "limit": limit, "rows": page})

    return answer


def failing(asked: AgnesClient, error: type[AgnesServerError]) -> AgnesServerError:
    """The error of a request: a single printable line and, with all its frames, without the token."""
    with pytest.raises(error) as caught:
        asked.queries()
    message = str(caught.value)
    assert message.isprintable()
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert SECRET not in "".join(told.format())
    assert SECRET not in repr(asked)
    return caught.value
