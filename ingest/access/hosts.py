"""Hosts in addresses, and whether a host is this machine."""

from __future__ import annotations

import re

from ..late import Late

_ADDRESS = Late(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?(\[[^\]\s]*\]|[^/:?#\s]*)(?::(\d+))?", re.IGNORECASE)
_CONNECTION_HOST = Late(r"(?:^|\s)host(?:addr)?\s*=\s*'?([^\s']*)")
_LOCAL = Late(
    r"(?:(?:localhost|127(?:\.\d+){3}|0\.0\.0\.0|::1|host\.docker\.internal|\(local(?:db)?\))(?:[\\,].*)?|[/.].*)?",
    re.IGNORECASE,
)
"""A name of SQL Server may go on with `\\instance` or `,port`."""
_UNKNOWN = ("$", "`")


def is_local(host: str | None) -> bool:
    """Return whether a host is this machine: none given, a socket's folder, or a loopback name."""
    return host is None or _LOCAL.fullmatch(host.strip("[] ")) is not None


def web_host(address: str) -> str | None:
    """Return the host, with its port if one is written, of a web address with or without a scheme."""
    found = _ADDRESS.match(address.strip())
    if found is None or not found[1] or any(mark in found[1] for mark in _UNKNOWN):
        return None
    return f"{found[1]}:{found[2]}" if found[2] else found[1]


def connection_host(target: str) -> str | None:
    """Return the host a database URL or a `key=value` connection string names.

    A bare database name has none. A target that is only known when it runs (`$DATABASE_URL`) is returned as
    it is written: somebody configured a server there, so it counts as another host.
    """
    if target.startswith(_UNKNOWN):
        return target
    if "://" in target:
        found = _ADDRESS.match(target)
        return found[1] if found else None
    named = _CONNECTION_HOST.search(target)
    return named[1] if named else None
