"""A PostgreSQL of a team's: its address, and connections to it. Imports psycopg when it connects, and nobody else does.

Passwords are where PostgreSQL's own programs look for them, and nowhere else: in the environment or in files.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .paths import exists, home_folder

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_SECONDS = 10

_NO_DATABASE = re.compile(r'database "[^"]*" does not exist$')


class ServerError(Exception):
    """The server cannot be used. The message is one line for people."""


class ServerAway(ServerError):
    """It cannot be reached: later it may."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is: a checked address without a password."""

    url: str

    @property
    def shown(self) -> str:
        """For people: machine and database."""
        parts = urlsplit(self.url)
        return f"{parts.hostname or 'this machine'}{f':{parts.port}' if parts.port else ''}{parts.path}"


def address(text: str, form: str) -> Address:
    """A checked address. Raises ServerError for one with a password in it, or, with `form`, for one that is none."""
    try:
        parts = urlsplit(text)
        has_password = parts.password is not None or re.search(r"[?&](ssl)?password=", parts.query, re.IGNORECASE)
        is_one = parts.scheme in ("postgresql", "postgres") and (parts.port or True)
    except ValueError:
        has_password, is_one = None, False
    if has_password:
        raise ServerError(
            "the address has a password in it, which others can read: leave it out, and put it into PGPASSWORD, "
            "~/.pgpass or the file that PGPASSFILE names"
        )
    if not is_one:
        raise ServerError(form)
    return Address(text)


def _is_here(host: str) -> bool:
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def encryption(where: Address) -> dict[str, str]:
    """What connections beyond this machine are made with, where nothing else is said: whom we speak to is proven."""
    parts = urlsplit(where.url)
    if "sslmode=" in parts.query or os.environ.get("PGSSLMODE") or _is_here(parts.hostname or ""):
        return {}
    found = {"sslmode": "verify-full"}
    has_roots = "sslrootcert=" in parts.query or os.environ.get("PGSSLROOTCERT")
    if not has_roots and not exists(home_folder() / ".postgresql" / "root.crt"):
        found["sslrootcert"] = "system"
    return found


@contextlib.contextmanager
def connected(where: Address, *, seconds: float = CONNECT_SECONDS, missing: str = "") -> Iterator[Connection]:
    """A connection, in which every statement is a transaction unless one is begun.

    Raises ServerAway if there is none to be had, ServerError for whatever the server refuses inside the block, with
    `missing` where a table is not there.
    """
    try:
        import psycopg
    except ImportError:
        raise ServerError("this needs the extra of the name: pip install 'agnes-stats[team]'") from None
    try:
        connection = psycopg.connect(
            where.url,
            autocommit=True,
            connect_timeout=max(2, round(seconds)),
            application_name="agnes-stats",
            client_encoding="UTF8",
            **encryption(where),  # type: ignore[arg-type]
        )
    except psycopg.Error as error:
        text = str(error)
        is_refused = refuses(text)
        kind = ServerError if is_refused else ServerAway
        line = f"{where.shown} {'refuses us' if is_refused else 'cannot be reached'}: {line_of(text)}"
        raise kind(f"{line}: createdb makes one" if _NO_DATABASE.search(line) else line) from None
    try:
        with connection:
            yield connection
    except psycopg.errors.UndefinedTable as error:
        raise ServerError(f"{where.shown} {missing}" if missing else f"{where.shown}: {line_of(str(error))}") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise ServerError(f"{where.shown}: {line_of(str(error))}") from None
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise ServerAway(f"{where.shown} is lost: {line_of(str(error))}") from None
    except psycopg.Error as error:
        raise ServerError(f"{where.shown}: {line_of(str(error))}") from None


def refuses(text: str) -> bool:
    """Whether what is told of a connection says no: a server that just starts or ends will take us later."""
    return ("FATAL" in text or "fe_sendauth" in text) and "the database system is" not in text


def line_of(text: str) -> str:
    """What a server says, on one line, without what could be a password."""
    said = re.search(r"(?:FATAL|ERROR): +(.+)", text)
    text = " ".join((said[1] if said else text).split()) or "unknown error"
    return re.sub(r"(?i)(password=)\S+|(://[^:/@\s]+):[^@\s]+@", r"\1\2", text)[:300]
