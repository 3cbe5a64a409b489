"""A store with data accesses from a transcript, an Agnes server and a workspace, each read the way it is in earnest."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from agnes_stats.ingest.agnes.answers import AuditRow, QueryPage, ServerSessions, ServerSync
from agnes_stats.ingest.agnes.server import AgnesClient
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.server_source import ServerAccess, ask_once
from agnes_stats.queries.store import Store

from tests.storing import kept_open, store_in
from tests.transcripts import Transcript, write

DAY = "2026-03-10"
NOW = dt.datetime(2026, 3, 10, 14, 0)


def at(clock: str) -> dt.datetime:
    """A time of the usual day, in UTC without a zone; anything longer is taken as it is."""
    return dt.datetime.fromisoformat(clock if len(clock) > 8 else f"{DAY}T{clock}")


def agnes(sql: str, *, remote: bool = True) -> tuple[str, dict[str, str]]:
    """The tool and input of a query by the `agnes` command."""
    return "Bash", {"command": f'agnes query {"--remote" if remote else "--local"} --sql "{sql}"'}


def session(
    name: str, clock: str, *calls: tuple[str, dict[str, Any]], seconds: float = 2, text: str = "", **how: Any
) -> Transcript:
    """A session in which each call is answered after `seconds`, with `text`; they are called `<name>-no0` and on.

    What only counts up, as `<name>-0` does, would be told apart by its response.
    """
    told = Transcript(name, at(clock), **how).prompt(f"do {name}")
    for number, (tool, given) in enumerate(calls):
        key = f"{name}-no{number}"
        told.response((key, tool, given)).wait(seconds).result(key, text or "ok").wait(10)
    return told


def logged(
    key: str, clock: str, sql: str | None, *, action: str = "query.remote", result: str = "success", **known: Any
) -> AuditRow:
    """A line of the server's log. More fields by name."""
    fields: dict[str, Any] = {
        "resource": "table:orders",
        "duration_ms": 740,
        "client_kind": "cli",
        "rows": 12,
        "bytes_scanned": 5000,
        "error": None,
    }
    when = at(clock).replace(tzinfo=dt.UTC)
    return AuditRow(id=key, when=when, action=action, result=result, sql=sql, **(fields | known))


class _Server:
    """An Agnes server that has logged these lines and no syncs."""

    def __init__(self, rows: Iterable[AuditRow]) -> None:
        self._rows = tuple(rows)

    def queries(self, known: object = None, cursor: object = None, **_: object) -> QueryPage:
        return QueryPage(self._rows, None)

    def sync(self, **_: object) -> ServerSync:
        return ServerSync(None, ())

    def sessions(self, **_: object) -> ServerSessions:
        return ServerSessions((), is_whole=True)


def store_with(
    folder: Path,
    transcripts: Iterable[Transcript],
    *,
    server: Iterable[AuditRow] = (),
    snapshots: Mapping[str, Mapping[str, Any]] | None = None,
    zones: tuple[str, ...] = ("UTC",),
) -> Store:
    """A store below `folder`. `snapshots` are the descriptions of a workspace's snapshots, by their names."""
    workspace, root = folder / "workspace", folder / "claude"
    (root / "projects").mkdir(parents=True, exist_ok=True)
    for name, meta in (snapshots or {}).items():
        path = workspace / "user/snapshots" / f"{name}.meta.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"name": name, **meta}), "utf-8")
    write(root, transcripts)
    store = store_in(folder)
    roots = [Root("claude", root)] + ([Root("workspace", workspace)] if snapshots else [])
    with kept_open(store):
        Engine(store, roots, zones=zones, workers=1, rest_seconds=0.0).catch_up()
        if server:
            ask_once(store, ServerAccess("http://agnes", cast("AgnesClient", _Server(server)), "ann@example.com"))
    return store
