"""Where a text was: in titles, prompts, commands, paths, SQL and errors, whatever session they are of.

Nothing is kept for this: the texts of a gigabyte of transcripts are some 13 MB in the store, and DuckDB looks through
all of them in 25 ms of CPU (measured on real transcripts, multiplied to 1 GB with other words in each copy). An index
would cost as much in every batch.

Several words have to be in the same text, in any order; case does not count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from . import matching
from .access import OLDER, ORDER
from .cursor import UNTIMED, Cursor
from .filters import Filter, Hit, Where

if TYPE_CHECKING:
    from .store import Reader

_AMONG = 20
"""Texts of one fact, a call that touches as many files: usually far fewer."""

MOST_WORDS = 12
"""More words than this narrow nothing down."""

_WHOSE = "agent AS told_by, machine AS told_on, username"

SHELLS = "('bash', 'shell', 'powershell', 'exec_command', 'local_shell_call', 'run_shell_command', 'shell_command')"
"""SQL of the tools whose detail is a command; that of others is what they were given."""


@dataclass(frozen=True, slots=True)
class FoundText:
    """A text with the words in it. `timestamp` is UTC without a zone."""

    id: str
    """Of the prompt, tool call, access, event or session that has it."""
    timestamp: dt.datetime | None
    session_id: str | None
    agent: str | None
    machine: str | None
    username: str | None
    project: str | None
    kind: str
    """title, prompt, command, path, sql or error."""
    text: str


@dataclass(frozen=True, slots=True)
class _FoundRow(FoundText):
    texts: int
    """How many texts were looked at, maybe several of a fact."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some texts, newest first."""

    rows: list[FoundText]
    older: Cursor | None
    """Where the next page begins; None at the end."""


def words_of(text: str) -> list[str]:
    """What has to be in a text."""
    return text.split()[:MOST_WORDS]


def search(
    connection: Reader, chosen: Filter, text: str, *, cursor: Cursor | None = None, limit: int = 50
) -> SearchPage:
    """The texts with all words of `text`, one for each prompt, call, event and session: nothing for no words."""
    words = words_of(text)
    if not words:
        return SearchPage([], None)
    where = Where().by(
        chosen,
        {
            "ts": "timestamp",
            "agent": "agent",
            "project": "project",
            "session_id": "session_id",
            "user": "owner",
            "machine": "machine",
        },
    )
    own = matching.by_response(chosen)
    if own.parameters:
        where.add(
            f"coalesce(response_key IN (SELECT key FROM responses WHERE {own}), "
            f"session_id IN (SELECT session_id FROM responses WHERE {own}))",
            **own.parameters,
        )
    matching.with_text(where, chosen)
    if cursor is not None:
        where.add(OLDER, cursor_ts=cursor.timestamp, cursor_id=cursor.id)
    where.parameters |= _parameters(words)
    rows = _newest(connection, words, where, limit + 1, among=_AMONG * (limit + 1))
    if len(rows) <= limit:
        return SearchPage(rows, None)
    last = rows[limit - 1]
    return SearchPage(rows[:limit], Cursor(last.timestamp or UNTIMED, last.id))


def _newest(connection: Reader, words: list[str], where: Where, limit: int, *, among: int | None) -> list[FoundText]:
    """The newest texts, one of each fact; looked for `among` so many of all (None: all), if these are enough."""
    cut = f"ORDER BY {ORDER} LIMIT {among}" if among is not None else ""
    rows = connection.ask(
        _FoundRow,
        f"""SELECT * FROM (
            SELECT * REPLACE (owner AS username), count(*) OVER () AS texts FROM (
                SELECT f.*, coalesce(f.told_by, s.agent) AS agent, s.project, coalesce(f.username, s.username) AS owner,
                    coalesce(f.told_on, s.machine) AS machine
                FROM ({_hits(words)}) f
                LEFT JOIN (SELECT session_id, agent, machine, project, username FROM sessions) s USING (session_id)
                WHERE {where} {cut}
            ) QUALIFY row_number() OVER (PARTITION BY id ORDER BY rank, timestamp, text) = 1
        ) ORDER BY {ORDER} LIMIT {int(limit)}""",
        where.parameters,
    )
    if among is not None and len(rows) < limit and rows and rows[0].texts == among:
        return _newest(connection, words, where, limit, among=None)
    return [FoundText(*(getattr(row, field.name) for field in fields(FoundText))) for row in rows]


def narrowed(connection: Reader, chosen: Filter) -> Filter:
    """The filter with the sessions in which its text is, by any of their texts; itself if it has none.

    Of each session there is the title if that has the words, else the latest text that has, of a call the most telling.
    """
    words = words_of(chosen.text)
    if not words:
        return chosen
    found: Mapping[str, Hit] = {
        session_id: Hit(where, text, key)
        for session_id, where, text, key in connection.execute(
            f"""SELECT session_id, hit.kind, hit.text, hit.id FROM (
                SELECT session_id, arg_max({{'kind': kind, 'text': text, 'id': id}},
                    (kind = 'title', coalesce(timestamp, '-infinity'::TIMESTAMP), id, -rank, text)) AS hit
                FROM ({_hits(words)}) WHERE session_id IS NOT NULL GROUP BY session_id)""",
            _parameters(words),
        ).fetchall()
    }
    return chosen.but(found=found)


def _parameters(words: list[str]) -> dict[str, str]:
    return {f"word{number}": word for number, word in enumerate(words)}


def _hits(words: list[str]) -> str:
    """SQL of all texts with the words, maybe several of one call, the most telling of which has the lowest rank."""

    def has(column: str) -> str:
        return " AND ".join(f"contains(lower({column}), lower($word{number}))" for number in range(len(words)))

    def told(
        kind: str, rank: int, text: str, *, table: str, ts: str = "ts", key: str = "id", call: str = "NULL"
    ) -> str:
        return (
            f"SELECT {key} AS id, {ts} AS timestamp, session_id, {_WHOSE}, {kind} AS kind, "
            f"{text} AS text, {rank} AS rank, {call} AS response_key FROM {table} WHERE {has(text)}"
        )

    kind = f"CASE WHEN lower(name) IN {SHELLS} THEN 'command' ELSE 'path' END"
    access = "coalesce(call_id, id)"
    parts = [
        told("'sql'", 0, "sql", table="accesses", key=access),
        told("'path'", 1, "resource", table="accesses", key=access),
        told("'command'", 2, "command", table="accesses", key=access),
        told(kind, 3, "detail", table="tool_calls", call="response_key"),
        told("'error'", 4, "error_text", table="tool_calls", call="response_key"),
        told("'error'", 5, "error", table="accesses", key=access),
        told("'prompt'", 0, "coalesce(text, '/' || command)", table="prompts"),
        told("'error'", 0, "text", table="events"),
        told(
            "'prompt'",
            1,
            "description",
            table="(SELECT a.*, c.session_id, c.ts, c.id FROM subagents a JOIN tool_calls c ON c.id = a.tool_use_id)",
        ),
        f"SELECT session_id AS id, started_at AS timestamp, session_id, {_WHOSE}, "
        f"'title' AS kind, coalesce(title, session_id) AS text, 0 AS rank, NULL AS response_key FROM sessions "
        f"WHERE {has(matching.SESSION_WORDS)}",
    ]
    return " UNION ALL ".join(parts)
