"""The Agnes server as a source: the queries and syncs it logged for the owner of the token, and the sessions it has.

Off unless the user turns it on. Rows are facts like those of files: loading them again changes nothing, and what was
loaded stays when the server forgets it. Each server, each account on it and each of its endpoints is read by itself:
one that fails takes nothing from the others.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..queries.store import Store, StoreError
from ..queries.store.scratch import scratch
from .agnes.account import Token, read_account
from .agnes.answers import AuditRow, ServerSession, ServerSessions
from .agnes.server import AgnesClient, AgnesClosedError, AgnesServerError
from .agnes.values import Problem
from .batch import Batch, Row
from .incoming import Load
from .load import load
from .moments import micros
from .server_marks import ServerMark, adopt_old_rows, advanced, marks_of, row_id
from .text import TEXTS, kept

__all__ = ["AgnesServerError", "ServerAccess", "ServerPoller", "ask_once", "server_for"]

POLL_SECONDS = 60.0
"""How often the server is asked while a dashboard is open."""

MAX_PAGES = 50
"""Pages of queries read at a time: ten thousand rows. What is older comes the next times."""

MAX_SECONDS = 24.0
"""All that a server is asked at a time takes no longer than this."""

QUERIES, SYNC, SESSIONS = "queries", "sync", "sessions"


def server_for(
    environment: Mapping[str, str], home: Path, *, server: str | None = None, token: str | None = None
) -> ServerAccess | None:
    """The server and token that are given, else those of the `agnes` command on this machine; None without a token.

    The command's own token goes to no other server than the command's, and over http only to this machine itself unless
    the server is given. Raises AgnesServerError if the address, or the token, is none.
    """
    account = read_account(environment, home)
    address = (server or account.server).rstrip("/")
    try:
        bearer = Token(token) if token else account.token if address == account.server else None
    except ValueError as error:
        raise AgnesServerError(str(error)) from None
    if bearer is None:
        return None
    owner = bearer.owner() or (None if token else account.owner) or bearer.mark()
    client = AgnesClient(address, bearer, ca_bundle=account.ca_bundle, plain_http=server is not None)
    return ServerAccess(address, client, owner, bearer.expires_at())


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """A server, the client that may ask it, and whose token that has."""

    server: str
    client: AgnesClient
    account: str = "?"
    token_expires_at: dt.datetime | None = None


@dataclass(slots=True)
class _Answers:
    """What the endpoints said, on its way into the store."""

    access: ServerAccess
    asked_at: dt.datetime
    until: float
    """Of the monotonic clock: no request begins or goes on after it."""
    batch: Batch = field(default_factory=Batch)
    reads: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    failures: list[AgnesServerError] = field(default_factory=list)
    rows: int = 0
    sessions: ServerSessions | None = None

    def take(self, endpoint: str, mark: ServerMark, ask: Callable[[ServerMark], Row]) -> None:
        """Ask one endpoint and note how that went. A failure leaves its mark where it was."""
        whose = {"server": self.access.server, "account": self.access.account, "endpoint": endpoint}
        told = {**whose, "asked_at": _utc(self.asked_at), "token_expires_at": _utc(self.access.token_expires_at)}
        try:
            read = {**ask(mark), "answered_at": _utc(self.asked_at), "failure": None}
        except AgnesClosedError:
            raise
        except AgnesServerError as error:
            self.failures.append(error)
            reason = kept(str(error), TEXTS["server_reads"]["reason"])
            read = {**mark.row(), "failure": error.kind, "reason": reason}
        self.reads.append(read | told)


def ask_once(store: Store, access: ServerAccess) -> int:
    """Fetch and load what is new; the number of rows. How it went is kept, by endpoint.

    Raises the first AgnesServerError when all endpoints were asked and what they said is loaded; StoreError.
    """
    answers = _Answers(access, dt.datetime.now(dt.UTC), time.monotonic() + MAX_SECONDS)
    with store.read() as connection:
        marks = marks_of(connection, access.server, access.account)
    # The short answer first: a long history must not keep it waiting.
    answers.take(SYNC, marks.get(SYNC, ServerMark()), lambda _: _ask_sync(answers))
    answers.take(SESSIONS, marks.get(SESSIONS, ServerMark()), lambda _: _ask_sessions(answers))
    answers.take(QUERIES, marks.get(QUERIES, ServerMark()), lambda mark: _ask_queries(answers, mark))
    with scratch(store.path) as folder:
        _load(store, answers, folder)
    if answers.failures:
        raise answers.failures[0]
    return answers.rows


def _ask_sync(answers: _Answers) -> Row:
    access = answers.access
    told = access.client.sync(until=answers.until)
    for row in told.rows:
        answers.batch.add("sync_actions", _sync(row, access))
    answers.rows += len(told.rows)
    answers.problems += told.problems
    pulled = told.last_pull_at
    return {"last_pull_at": _utc(pulled)}


def _ask_sessions(answers: _Answers) -> Row:
    access = answers.access
    told = answers.sessions = access.client.sessions(until=answers.until)
    for row in told.rows:
        answers.batch.add("server_sessions", _session(row, access, answers.asked_at))
    answers.problems += told.problems
    return {} if told.is_whole else {"reason": "the server was not asked for all of its sessions"}


def _ask_queries(answers: _Answers, mark: ServerMark) -> Row:
    """The newest rows down to the known ones; then, if there is time, some of those that were left out before."""
    access = answers.access
    top = access.client.queries(mark.newest, max_pages=MAX_PAGES, until=answers.until)
    pages = [top]
    if top.next is None and mark.gap is not None:
        pages.append(access.client.queries(mark.floor, mark.gap, max_pages=MAX_PAGES, until=answers.until))
    rows = [row for page in pages for row in page.rows]
    for row in rows:
        answers.batch.add("accesses", _access(row, access))
    answers.rows += len(rows)
    answers.problems += [problem for page in pages for problem in page.problems]
    return advanced(mark, pages, answers.asked_at).row()


def _load(store: Store, answers: _Answers, folder: Path) -> None:
    # One reject for each kind of problem: the next answer has the same rows again.
    problems = sorted({(problem.path, problem.reason) for problem in answers.problems})
    for path, reason in problems:
        answers.batch.add("rejects", {"path": path, "pos": 0, "length": 0, "reason": reason})
    server, account = answers.access.server, answers.access.account
    # Older versions kept the time of the last pull as that of a workspace, and failures as rejects.
    work = Load(replaced=[("workspaces", server)], server_reads=answers.reads)
    if answers.sessions is not None:
        work.sessions_of = (server, account)
        if not answers.sessions.is_whole:
            work.sessions_told = [row["session_file"] for row in answers.batch.of("server_sessions")]
    work.add(answers.batch.write(folder, "server"))
    with store.write() as connection:
        adopt_old_rows(connection, server, account, answers.batch)
        connection.execute("DELETE FROM rejects WHERE path = ?", [server])
        for problem in problems:
            connection.execute("DELETE FROM rejects WHERE path = ? AND reason = ?", problem)
        load(connection, work)


def _utc(moment: dt.datetime | None) -> dt.datetime | None:
    """A moment as the store keeps it."""
    return None if moment is None else moment.astimezone(dt.UTC).replace(tzinfo=None)


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


def _access(row: AuditRow, access: ServerAccess) -> Row:
    table = (row.resource or "").removeprefix("table:")
    return {
        "id": row_id(access.server, row.id),
        "ts": micros(row.when),
        "path": access.server,
        "username": access.account,
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


def _session(row: ServerSession, access: ServerAccess, asked_at: dt.datetime) -> Row:
    def moment(told: dt.datetime | None) -> int | None:
        return None if told is None else micros(told)

    return {
        "server": access.server,
        "account": access.account,
        "session_id": row.session_id,
        "session_file": row.session_file,
        "started_at": moment(row.started_at),
        "ended_at": moment(row.ended_at),
        "is_processed": row.is_processed,
        "pipeline_status": row.pipeline_status,
        "items_extracted": row.items_extracted,
        "download_url": row.download_url,
        "uploaded_at": moment(row.uploaded_at),
        "told_at": micros(asked_at),
    }


def _sync(row: AuditRow, access: ServerAccess) -> Row:
    return {
        "id": row_id(access.server, row.id),
        "ts": micros(row.when),
        "path": access.server,
        "username": access.account,
        "pos": 0,
        "action": row.action,
        "resource": row.resource,
        "source": row.client_kind or "server",
        "result": "success" if row.result == "ok" else row.result,
        "detail": row.error,
        "workspace": access.server,
        "duration_ms": row.duration_ms,
    }
