"""The dashboard in a browser: a server for this machine, with a key in its address.

What a loopback address serves, every user of the machine and every page that a browser has open can ask for. So a
request must carry the key that only who started the server knows, name a host that is this server, and, for the
connection that drives the dashboard, come from a page of this server.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web
from textual_serve.server import Server

from . import terminal

COOKIE = "agnes-stats-{}"
"""Browsers keep cookies by host, whatever the port: each server has its own."""
ANNOUNCING_SECONDS = 0.02
"""Between two looks at whether the server listens."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DashboardServer(Server):
    """Runs one dashboard for each browser window that connects. `command` is a line for the shell."""

    def __init__(self, command: str, host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        super().__init__(command, host, port, title="agnes-stats", public_url=f"http://{shown}:{port}")
        self.key = secrets.token_urlsafe(24)
        self._cookie = COOKIE.format(port)

    @property
    def address(self) -> str:
        """Where to point a browser: once it was there, its cookie has the key."""
        return f"{self.public_url}/?key={self.key}"

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let through who has the key. Raises HTTPForbidden for all others."""
        # A name that resolves to this machine would make a foreign page's requests look like our own.
        if f"http://{request.host}" != self.public_url:
            raise web.HTTPForbidden(text=f"This is {self.public_url}.")
        if request.headers.get("Origin", self.public_url) != self.public_url:
            raise web.HTTPForbidden(text="Only pages of this server may ask for that.")
        given = request.query.get("key")
        if not secrets.compare_digest(given or request.cookies.get(self._cookie, ""), self.key):
            raise web.HTTPForbidden(text="The address that agnes-stats printed has a key in it; use that one.")
        if given is not None and request.path == "/":
            # The key leaves the address line, where it would be seen, and be kept in the browser's history.
            answer = web.HTTPFound("/")
            answer.set_cookie(self._cookie, self.key, httponly=True, samesite="Strict")
            raise answer
        return await handler(request)

    def initialize_logging(self) -> None:
        """Nothing is written over what the terminal shows."""

    async def on_startup(self, app: web.Application) -> None:  # noqa: ARG002
        """Say where it is, as soon as it is there: this is called before the server listens."""
        self._announcing = asyncio.create_task(self._announce())

    async def on_shutdown(self, app: web.Application) -> None:  # noqa: ARG002
        """Say nothing any more."""
        self._announcing.cancel()

    async def _announce(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(self.host, self.port)
                writer.close()
                break
            await asyncio.sleep(ANNOUNCING_SECONDS)
        terminal.lines([f"The dashboard is at {self.address}", "Ctrl+C ends it."])
