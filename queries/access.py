"""Which data was read or written, by what, and whether it worked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import access_facts
from .cursor import UNTIMED, Cursor
from .filters import Filter, Where
from .matching import add_caller

if TYPE_CHECKING:
    from .store import Reader

QUERY_PREFIX = "query."

GROUPS = {"queries": "query", "files": "file", "web": "web", "catalog": "catalog", "snapshots": "snapshot"}
"""Groups of actions -> what the names of their actions begin with."""

OUTCOMES = ("failed", "denied", "running", "interrupted", "success")
"""How an access ended; every result is one of these. `interrupted`: no result, and nobody works on it any more."""

PLACES = ("local", "remote", "web", "catalog")
"""Where the data was: on this machine, behind a server or another database, on the web; or only its description."""

_PLACE = f"coalesce(timestamp, TIMESTAMP '{UNTIMED.isoformat()}')"

ORDER = f"{_PLACE} DESC, id DESC"
"""SQL of the order of accesses: newest first."""

OLDER = f"({_PLACE}, id) < ($cursor_ts, $cursor_id)"
"""SQL: whether an access comes after a cursor."""


@dataclass(frozen=True, slots=True)
class Which:
    """What is asked besides the filter of all panes: one of GROUPS, OUTCOMES, PLACES; an action, a table or a file."""

    group: str | None = None
    outcome: str | None = None
    place: str | None = None
    action: str | None = None
    table: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One access to data.

    `result` is `success`, `error`, `denied`, `running`, `interrupted`, or a server's `error.<http status>`. From a
    transcript, `duration_ms` is the time from the call to its result, with the wait for the user's permission and with
    all that the same call did: `in_call` accesses. `bytes_scanned` is what a server had to read, `bytes_returned` what
    came back to the agent. `seen_in` says who told: `transcript`, `workspace`, `server`; the `project` of what only a
    workspace knows is the workspace. `note` is what the `agnes` command said: that a query ran elsewhere, whose rows a
    policy left.
    """

    id: str
    timestamp: dt.datetime | None
    action: str
    resource: str | None
    """None in a team's store, of who tells numbers only."""
    result: str
    outcome: str
    place: str
    duration_ms: int | None
    rows_returned: int | None
    bytes_scanned: int | None
    bytes_returned: int | None
    error: str | None
    command: str | None
    sql: str | None
    tables_read: list[str]
    tables_written: list[str]
    statement: str | None
    dialect: str | None
    session_id: str | None
    title: str | None
    project: str | None
    client_kind: str | None
    seen_in: list[str]
    in_call: int
    agent: str | None
    machine: str | None
    username: str | None
    note: str | None


def list_accesses(
    connection: Reader,
    chosen: Filter,
    *,
    prefix: str = "",
    which: Which | None = None,
    cursor: Cursor | None = None,
    limit: int = 50,
    now: dt.datetime | None = None,
) -> tuple[list[AccessRow], Cursor | None]:
    """Accesses whose action begins with `prefix`, newest first, and the cursor of the next page (None at the end).

    `now` is UTC without a zone, by default this moment; it decides which calls without a result still run.
    """
    basis = access_facts.accesses(connection, chosen, now or dt.datetime.now(dt.UTC).replace(tzinfo=None))
    where = conditions(chosen, which or Which())
    if prefix:
        where.add("starts_with(action, $prefix)", prefix=prefix)
    if cursor is not None:
        where.add(OLDER, cursor_ts=cursor.timestamp, cursor_id=cursor.id)
    rows = connection.ask(
        AccessRow,
        f"SELECT * FROM ({basis.sql}) WHERE {where} ORDER BY {ORDER} LIMIT {int(limit) + 1}",
        basis.parameters | where.parameters,
    )
    return cut_page(rows, limit)


def count_others(connection: Reader, chosen: Filter, prefix: str, *, now: dt.datetime | None = None) -> int:
    """How many accesses match whose action does not begin with `prefix`."""
    basis = access_facts.accesses(connection, chosen, now or dt.datetime.now(dt.UTC).replace(tzinfo=None))
    where = conditions(chosen, Which()).add("NOT starts_with(action, $prefix)", prefix=prefix)
    sql = f"SELECT count(*) FROM ({basis.sql}) WHERE {where}"
    return int(connection.value(sql, basis.parameters | where.parameters))


def conditions(chosen: Filter, which: Which) -> Where:
    """The conditions of both filters on the accesses. KeyError for an unknown group."""
    where = Where().by(
        chosen,
        {
            "ts": "matched_at",
            "agent": "agent",
            "machine": "machine",
            "project": "project",
            "session_id": "session_id",
            "user": "username",
            "text": "concat_ws(' ', action, resource, result, command, sql, title, project, error, note)",
        },
    )
    add_caller(where, chosen, "call_id")
    if which.group is not None:
        where.add("action_group = $group", group=GROUPS[which.group])
    for name in ("outcome", "place", "action"):
        value = getattr(which, name)
        if value is not None:
            where.add(f"{name} = ${name}", **{name: value})
    if which.table is not None:
        where.add("list_contains(tables_read, $table) OR list_contains(tables_written, $table)", table=which.table)
    if which.file is not None:
        where.add("action_group = 'file' AND resource = $file", file=which.file)
    return where


def cut_page(rows: list[AccessRow], limit: int) -> tuple[list[AccessRow], Cursor | None]:
    """A page of at most `limit` rows out of one more, and the cursor of the next."""
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Cursor(last.timestamp or UNTIMED, last.id)


def tables_named(connection: Reader, text: str, *, limit: int) -> list[str]:
    """Tables with a text in their name, however it is written, those read or written most often first."""
    asked = (
        "SELECT name FROM ("
        "SELECT unnest(list_distinct(list_concat(tables_read, tables_written))) AS name FROM accesses) "
        "WHERE contains(lower(name), lower($text)) "
        f"GROUP BY name ORDER BY count(*) DESC, name LIMIT {int(limit)}"
    )
    return [str(row[0]) for row in connection.rows(asked, {"text": text})]


def count_accesses(connection: Reader) -> int:
    """How many accesses the store knows, before any are merged."""
    return int(connection.value("SELECT count(*) FROM accesses"))
