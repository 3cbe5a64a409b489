"""`agnes-stats serve`: the dashboard in a browser."""

from __future__ import annotations

import argparse
import ipaddress
import shlex
import socket
import sys
from typing import TYPE_CHECKING

from ... import __name__ as package
from .. import terminal
from ..settings import OPTIONS, BadSetting, Settings
from .answering import between
from .command import Command, options_in

if TYPE_CHECKING:
    from ..serving import DashboardServer

LOOPBACK = "127.0.0.1"


def run(given: argparse.Namespace, _: Settings) -> int:
    """`agnes-stats serve`."""
    server = server_of(given)
    if not is_loopback(given.host):
        terminal.error(f"whoever reaches {given.host} and has the key sees all of this; it is not encrypted")
    with socket.socket(socket.AF_INET6 if ":" in given.host else socket.AF_INET) as probe:
        # The library would tell it with all of a traceback.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((given.host, given.port))
        except OSError as error:
            raise BadSetting(f"cannot serve at {given.host} port {given.port}: {error.strerror or error}") from None
    server.serve()
    return 0


def server_of(given: argparse.Namespace) -> DashboardServer:
    """The server that the command line asks for, not running yet. Raises BadSetting."""
    try:
        from ..serving import DashboardServer
    except ImportError:
        raise BadSetting("serve needs textual-serve; install agnes-stats[serve]") from None
    return DashboardServer(dashboard_line(given), given.host, between("port", given.port, 1, 65535))


def dashboard_line(given: argparse.Namespace) -> str:
    """The command that shows one dashboard, for the shell, with the options that were given here."""
    words = [sys.executable, "-m", package, *(["--demo"] if given.demo else [])]
    words += [word for option in options_in(given).values() for word in option]
    return shlex.join(words)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


COMMAND = Command(
    heeds=tuple(option.name for option in OPTIONS if option.name != "no-color"),
    run=run,
    options=(
        ("--port", {"type": int, "default": 8000, "metavar": "N", "help": "where it listens (8000)"}),
        (
            "--host",
            {"default": LOOPBACK, "metavar": "ADDRESS", "help": f"of this machine alone, unless told ({LOOPBACK})"},
        ),
        ("--demo", {"action": "store_true", "help": "on generated sessions"}),
    ),
    has_json=False,
    examples=("serve", "serve --port 8080 --tab tokens"),
)
