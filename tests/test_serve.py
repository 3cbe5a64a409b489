"""`agnes-stats serve`: who has the key sees the dashboard in a browser, and nobody else does."""

import asyncio
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from agnes_stats.tui import cli
from agnes_stats.tui.commands.serve import dashboard_line, is_loopback, server_of
from agnes_stats.tui.serving import DashboardServer
from aiohttp.test_utils import TestClient, TestServer

from tests.storing import until

Client = TestClient[aiohttp.web.Request, aiohttp.web.Application]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[DashboardServer, Client]]:
    (tmp_path / "claude").mkdir()
    words = ["serve", "--store", str(tmp_path / "s.duckdb"), "--source", f"claude={tmp_path / 'claude'}"]
    server = server_of(cli.parser(words).parse_args(words))
    tested = TestServer(await server._make_app(), host="127.0.0.1")
    # The cookies of an address, which those of aiohttp's client would not take without being told.
    async with TestClient(tested, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        server.public_url = f"http://127.0.0.1:{tested.port}"
        yield server, client


async def test_without_the_key_there_is_nothing(served: tuple[DashboardServer, Client]) -> None:
    _, client = served
    for path in ("/", "/ws", "/?key=", "/?key=wrong", "/static/css/xterm.css", "/download/x"):
        assert (await client.get(path)).status == 403, path


async def test_the_key_becomes_a_cookie_and_leaves_the_address(served: tuple[DashboardServer, Client]) -> None:
    server, client = served
    answer = await client.get(f"/?key={server.key}")
    assert answer.status == 200
    assert str(answer.url) == f"{server.public_url}/"
    assert server.key not in await answer.text()
    assert (await client.get("/")).status == 200


async def test_a_foreign_page_gets_nothing_though_the_browser_has_the_key(
    served: tuple[DashboardServer, Client],
) -> None:
    server, client = served
    assert (await client.get(f"/?key={server.key}")).status == 200
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await client.ws_connect("/ws", headers={"Origin": "http://elsewhere.example"})
    # A name of theirs that resolves to this machine.
    assert (await client.get("/", headers={"Host": "elsewhere.example"})).status == 403


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def shown_in_a_window(address: str) -> str:
    """What a window is sent, until the tabs are in it."""
    origin = address.partition("/?")[0]
    told = ""
    async with asyncio.timeout(60), aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(address) as page:
            assert page.status == 200
        async with session.ws_connect(f"{origin}/ws?width=100&height=30", headers={"Origin": origin}) as window:
            async for message in window:
                told += message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
                if "Data access" in told:
                    break
    return told


@pytest.mark.long
def test_a_window_shows_the_dashboard_and_nothing_outlives_the_server(tmp_path: Path) -> None:
    (tmp_path / "claude").mkdir()
    places = ["--store", str(tmp_path / "s.duckdb"), "--source", f"claude={tmp_path / 'claude'}"]
    words = [sys.executable, "-m", "agnes_stats", "serve", "--port", str(free_port()), *places]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            assert "Sessions" in asyncio.run(shown_in_a_window(address))
        finally:
            # Else the end of the block would wait for it for ever.
            server.kill()
        server.wait()
        until(lambda: not is_alive(server.pid))


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_dashboard_gets_the_options_that_were_given() -> None:
    words = ["serve", "--port", "9000", "--tab", "tokens", "--no-cost", "--project", "a b; c"]
    line = shlex.split(dashboard_line(cli.parser(words).parse_args(words)))
    assert line[1:3] == ["-m", "agnes_stats"]
    assert line[3:] == ["--project=a b; c", "--tab=tokens", "--no-cost"]


def test_what_only_this_machine_reaches() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.0.0.2", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.1", "localhost.example")))


def test_a_port_that_cannot_be_had_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--port", "0"]) == 2
    assert "--port: 0 is not between 1 and 65535" in capsys.readouterr().err
    assert cli.main(["serve", "--host", "203.0.113.9"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("agnes-stats: cannot serve at 203.0.113.9 port 8000: ")
