"""The Agnes server as a source: the queries and syncs it logged for the owner of the token.

Off unless the user turns it on. Rows are facts like those of files: loading them again changes nothing, and what was
loaded stays when the server forgets it.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..queries.store import Store, StoreError
from ..queries.store.scratch import scratch
from .agnes.account import Token, read_account
from .agnes.answers import AuditRow, Known
from .agnes.server import AgnesClient, AgnesServerError
from .batch import Batch, Row, micros
from .load import Load, load
from .text import TEXTS, kept

__all__ = ["AgnesServerError", "ServerAccess", "ServerPoller", "ask_once", "poll", "server_for"]

POLL_SECONDS = 60.0
"""How often the server is asked while a dashboard is open."""


def server_for(
    environment: Mapping[str, str], home: Path, *, server: str | None = None, token: str | None = None
) -> ServerAccess | None:
    """The server and token that are given, else those of the `agnes` command on this machine; None without a token.

    The command's own token goes to no other server than the command's. Raises AgnesServerError if the address, or the
    token, is none.
    """
    account = read_account(environment, home)
    address = (server or account.server).rstrip("/")
    try:
        bearer = Token(token) if token else account.token if address == account.server else None
    except ValueError as error:
        raise AgnesServerError(str(error)) from None
    if bearer is None:
        return None
    return ServerAccess(address, AgnesClient(address, bearer, ca_bundle=account.ca_bundle))


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """A server, and the client that may ask it."""

    server: str
    client: AgnesClient


def ask_once(store: Store, access: ServerAccess) -> int:
    """Fetch and load what is new; the number of rows. What the server said instead is kept as a reject of its address.

    Raises AgnesServerError, StoreError.
    """
    try:
        with scratch(store.path) as folder:
            count = poll(store, access.client, access.server, folder)
    except AgnesServerError as error:
        _note(store, access.server, kept(str(error), TEXTS["rejects"]["reason"]))
        raise
    _note(store, access.server, None)
    return count


def _note(store: Store, server: str, reason: str | None) -> None:
    with store.read() as connection:
        known = connection.execute("SELECT reason FROM rejects WHERE path = ?", [server]).fetchall()
    if known == ([(reason,)] if reason else []):
        return
    with store.write() as connection:
        connection.execute("DELETE FROM rejects WHERE path = ?", [server])
        if reason:
            connection.execute(
                "INSERT INTO rejects VALUES (?, 0, 0, ?, get_current_timestamp()::TIMESTAMP)", [server, reason]
            )


class ServerPoller:
    """Asks the server now and then, in a thread of its own: a slow server delays nothing else."""

    def __init__(self, store: Store, access: ServerAccess, tell: Callable[[int, str | None], None]) -> None:
        """`tell` is called from the thread with the rows fetched, and what went wrong in one line, if anything."""
        self._store = store
        self._access = access
        self._tell = tell
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agnes-stats-server")

    def start(self) -> None:
        """Begin asking."""
        self._thread.start()

    def stop(self) -> None:
        """Give up a request that is under way, and wait for the thread."""
        self._stop.set()
        self._access.client.close()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._tell(ask_once(self._store, self._access), None)
            except (AgnesServerError, StoreError) as error:
                if not self._stop.is_set():
                    self._tell(0, str(error))
            self._stop.wait(POLL_SECONDS)


def poll(store: Store, client: AgnesClient, server: str, folder: Path) -> int:
    """Fetch what is new and load it; the number of rows fetched. `folder` takes the spooled rows for a moment.

    Raises AgnesServerError, StoreError.
    """
    known = _newest(store)
    pages = [client.queries(known)]
    # All pages down to the known row are loaded at once: a gap left now would never be filled.
    while pages[-1].next is not None:
        pages.append(client.queries(known, pages[-1].next))
    synced = client.sync()
    batch = Batch()
    fetched = [row for page in pages for row in page.rows]
    for row in fetched:
        batch.add("accesses", _access(row, server))
    for row in synced.rows:
        batch.add("sync_actions", _sync(row, server))
    if synced.last_pull_at is not None:
        batch.add("workspaces", {"workspace": server, "server": server, "last_sync": micros(synced.last_pull_at)})
    # One reject for each kind of problem: the next answer has the same rows again.
    told = [*synced.problems, *(problem for page in pages for problem in page.problems)]
    problems = sorted({(problem.path, problem.reason) for problem in told})
    for path, reason in problems:
        batch.add("rejects", {"path": path, "pos": 0, "length": 0, "reason": reason})
    work = Load(replaced=[("workspaces", server)] if synced.last_pull_at is not None else [])
    work.add(batch.write(folder, "server"))
    with store.write() as connection:
        for problem in problems:
            connection.execute("DELETE FROM rejects WHERE path = ? AND reason = ?", problem)
        load(connection, work)
    return len(fetched) + len(synced.rows)


def _newest(store: Store) -> Known | None:
    with store.read() as connection:
        row = connection.execute(
            "SELECT ts, id FROM accesses WHERE seen_in = 'server' ORDER BY ts DESC, id DESC LIMIT 1"
        ).fetchone()
    return None if row is None else Known(row[0].replace(tzinfo=dt.UTC), str(row[1]).removeprefix("server:"))


def _access(row: AuditRow, server: str) -> Row:
    table = (row.resource or "").removeprefix("table:")
    return {
        "id": f"server:{row.id}",
        "ts": micros(row.when),
        "path": server,
        "pos": 0,
        "seen_in": "server",
        "action": row.action,
        "resource": row.resource or "adhoc",
        "sql": row.sql,
        "tables_read": [table] if (row.resource or "").startswith("table:") else [],
        "tables_written": [],
        "client_kind": row.client_kind,
        "result": "success" if row.result == "ok" else row.result,
        "error": row.error,
        "duration_ms": row.duration_ms,
        "rows_returned": row.rows,
        "bytes_scanned": row.bytes_scanned,
    }


def _sync(row: AuditRow, server: str) -> Row:
    return {
        "id": f"server:{row.id}",
        "ts": micros(row.when),
        "path": server,
        "pos": 0,
        "action": row.action,
        "resource": row.resource,
        "source": row.client_kind or "server",
        "result": "success" if row.result == "ok" else row.result,
        "detail": row.error,
        "workspace": server,
        "duration_ms": row.duration_ms,
    }
