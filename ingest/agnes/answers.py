"""The answers of an Agnes server as rows. All times are UTC: the server writes them without an offset."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from .actions import SYNC_ACTIONS
from .values import Problem, count_of, text_of, time_of

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line of the server's audit log."""

    id: str
    when: dt.datetime
    action: str
    resource: str | None
    result: str | None
    """`success`, `ok` in old rows, or `error.` and a number."""
    duration_ms: int | None
    client_kind: str | None
    """`cli`, `web`, `api`, …"""
    sql: str | None
    """The first 200 characters."""
    rows: int | None
    bytes_scanned: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """The newest row that was loaded before."""

    when: dt.datetime
    id: str


@dataclass(frozen=True, slots=True)
class AnswerCursor:
    """Where the next page begins, in the server's own words."""

    timestamp: str
    id: str


@dataclass(frozen=True, slots=True)
class QueryPage:
    """Queries, newest first. `next` is None if there are no older ones, or only known ones."""

    rows: tuple[AuditRow, ...]
    next: AnswerCursor | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerSync:
    """What the server knows of the user's syncs."""

    last_pull_at: dt.datetime | None
    rows: tuple[AuditRow, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerSession:
    """A session that the server has. Fields are None where it does not tell them; older ones tell less."""

    session_id: str
    """By the name of its file: what the rows in it say may be another session's, of which it is a copy."""
    session_file: str
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    uploaded_at: dt.datetime | None
    is_processed: bool | None
    pipeline_status: str | None
    """`pending`, `processed` or `extracted`."""
    items_extracted: int | None
    download_url: str | None
    """An address, or a path on the server."""


@dataclass(frozen=True, slots=True)
class ServerSessions:
    """The sessions that the server has of the user, newest first; `is_whole` if these are all."""

    rows: tuple[ServerSession, ...]
    is_whole: bool
    problems: tuple[Problem, ...] = ()


def rows_of(answer: dict[str, Any], url: str) -> tuple[list[AuditRow], AnswerCursor | None, list[Problem]]:
    """The rows of a page, the cursor of the next page, and what could not be used."""
    rows, problems = _listed(answer, url, _row, "row without id, time or action")
    return rows, _cursor(answer.get("next_cursor")), problems


def _listed(
    answer: dict[str, Any], url: str, made: Callable[[dict[str, Any]], Told | None], reason: str
) -> tuple[list[Told], list[Problem]]:
    """What `made` makes of the rows of a page, and what could not be used; `reason` says why it makes None of one."""
    rows, problems = [], []
    listed = answer.get("rows")
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        row = made(entry) if isinstance(entry, dict) else None
        if row is None:
            problems.append(Problem(url, reason, line=index + 1))
        else:
            rows.append(row)
    if not isinstance(listed, list):
        problems.append(Problem(url, "rows is not a list"))
    return rows, problems


def sync_of(answer: dict[str, Any], url: str) -> ServerSync:
    """The answer to "sync"; actions that are not in `SYNC_ACTIONS` are left out."""
    rows, _, problems = rows_of(answer, url)
    shown = tuple(row for row in rows if row.action in SYNC_ACTIONS)
    return ServerSync(time_of(answer.get("last_pull_at")), shown, tuple(problems))


def sessions_of(answer: dict[str, Any], url: str) -> tuple[list[ServerSession], int | None, list[Problem]]:
    """The sessions of a page, how many there are in all, and what could not be used."""
    rows, problems = _listed(answer, url, _session, "session without a file")
    return rows, count_of(answer.get("total")), problems


_DATED = re.compile(r"\d{4}-\d{2}-\d{2}_(?=[0-9a-f]{8}-)")
"""What an old collector put before the name of a session's file."""


def _session(entry: dict[str, Any]) -> ServerSession | None:
    file = text_of(entry.get("session_file"), 300) or text_of(entry.get("session_id"), 200)
    if file is None:
        return None
    name = file.replace("\\", "/").rpartition("/")[2].removesuffix(".jsonl")
    processed = entry.get("processed")
    return ServerSession(
        session_id=_DATED.sub("", name),
        session_file=file,
        started_at=time_of(entry.get("started_at")),
        ended_at=time_of(entry.get("ended_at")),
        uploaded_at=time_of(entry.get("uploaded_at")),
        is_processed=processed if isinstance(processed, bool) else None,
        pipeline_status=text_of(entry.get("pipeline_status"), 50),
        items_extracted=count_of(entry.get("items_extracted")),
        download_url=text_of(entry.get("download_url"), 300),
    )


def _cursor(value: object) -> AnswerCursor | None:
    if not isinstance(value, dict):
        return None
    timestamp, row_id = value.get("timestamp"), value.get("id")
    # The server ignores half a cursor and would begin again at the newest row.
    if isinstance(timestamp, str) and timestamp and isinstance(row_id, str) and row_id:
        return AnswerCursor(timestamp, row_id)
    return None


def _row(entry: dict[str, Any]) -> AuditRow | None:
    row_id, when = text_of(entry.get("id"), 200), time_of(entry.get("timestamp"))
    action = text_of(entry.get("action"), 200)
    if row_id is None or when is None or action is None:
        return None
    params = _params(entry.get("params"))
    duration = count_of(entry.get("duration_ms"))
    rows = count_of(params.get("rows_returned"))
    return AuditRow(
        id=row_id,
        when=when,
        action=action,
        resource=text_of(entry.get("resource")),
        result=text_of(entry.get("result"), 200),
        # Servers of before July 2026 fill in only the one among the parameters.
        duration_ms=duration if duration is not None else count_of(params.get("duration_ms")),
        client_kind=text_of(entry.get("client_kind"), 100),
        sql=text_of(params.get("sql_preview")) or text_of(params.get("sql")),
        rows=rows if rows is not None else count_of(params.get("rows_written")),
        bytes_scanned=count_of(params.get("bytes_scanned")),
        error=text_of(params.get("error")),
    )


def _params(value: object) -> dict[str, Any]:
    """The parameters of a row: an object or, depending on the server's database, one written as text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
