"""OpenCode's database: from its rows to what the decoder reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from ...batch import Batch
from ..emit import Emitter
from ..source import SourceFile, State
from .decoder import AGENT, Decoder, Object
from .forks import Twins
from .second import KNOWN_TYPES, MESSAGES, SESSIONS, asked_before, is_copied, whole_of

if TYPE_CHECKING:
    import sqlite3


class DatabaseDecoder:
    """Reads changed rows of one database into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch, connection: sqlite3.Connection) -> None:
        self._emitter = Emitter(file, batch, agent=AGENT, state=state)
        self._connection = connection
        self._tables = _Tables(connection)
        self._decoder = Decoder(self._emitter, self._tables)

    def row(self, table: str, row: sqlite3.Row, pos: int) -> str | None:
        """Read one row; the reason if it cannot be used."""
        if table in ("session", SESSIONS):
            return self._decoder.session(_session(row), pos)
        data = _object(row["data"])
        if data is None:
            return "its data is no JSON object"
        if table == MESSAGES:
            return self._second(row, data, pos)
        if table == "message":
            return self._decoder.message(str(row["session_id"]), str(row["id"]), data, pos)
        message_id = str(row["message_id"])
        self._tables.at_hand(message_id, row["_beside"])
        return self._decoder.part(str(row["session_id"]), message_id, str(row["id"]), data, pos)

    def _second(self, row: sqlite3.Row, data: Object, pos: int) -> str | None:
        """Read a message of OpenCode 2, with its parts. What the older table has, too, that one tells."""
        kind, key, session = str(row["type"]), str(row["id"]), str(row["session_id"])
        if kind not in KNOWN_TYPES:
            self._emitter.unknown(f"type of a message {kind}")
        if kind not in ("user", "assistant", "compaction") or self._tables.has_older(key):
            return None
        if is_copied(self._connection, row, data):
            return None
        whole = whole_of(kind, key, data)
        asked = asked_before(self._connection, session, row["seq"]) if kind == "assistant" else None
        message = {**whole.message, "parentID": asked}
        reason = self._decoder.message(session, key, message, pos)
        self._tables.has(key, message)
        for part_key, part in whole.parts:
            reason = self._decoder.part(session, key, part_key, part, pos) or reason
        return reason

    def finish(self) -> State:
        """Add what can only be said at the end; the state for the next reading."""
        return self._emitter.finish(0)


class _Tables:
    """Looks up rows that a row needs to be understood."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        self._there = {str(row[0]) for row in connection.execute(query)}
        self._sessions: dict[str, Object | None] = {}
        self._message: tuple[str, Object | None] = "", None
        """The message whose parts are read just now."""
        self._twins: Twins | None = None

    def session(self, session_id: str) -> Object | None:
        """As `Library.session`."""
        if session_id not in self._sessions:
            found = None
            for table in (SESSIONS, "session"):
                if found is None and table in self._there:
                    found = self._connection.execute(f"SELECT * FROM {table} WHERE id = ?", [session_id]).fetchone()
            self._sessions[session_id] = _session(found) if found is not None else None
        return self._sessions[session_id]

    def has_older(self, message_id: str) -> bool:
        """Whether the table of messages before OpenCode 2 has one."""
        query = "SELECT 1 FROM message WHERE id = ?"
        return "message" in self._there and self._connection.execute(query, [message_id]).fetchone() is not None

    def has(self, message_id: str, message: Object) -> None:
        """The message of the parts that are read next, as the decoder reads it."""
        self._message = message_id, message

    def at_hand(self, message_id: str, data: Any) -> None:
        """The message of the part that is read next; `data` as its row has it."""
        if self._message[0] != message_id:
            self._message = message_id, _object(data)

    def message(self, session_id: str, message_id: str) -> Object | None:  # noqa: ARG002
        """As `Library.message`, of the message that is at hand."""
        return self._message[1] if self._message[0] == message_id else None

    def is_copied(self, session_id: str, message: Object) -> bool:
        """As `Library.is_copied`. Few messages are older than their session: only for those all are looked through."""
        if self._twins is None:
            self._twins = Twins()
            order = "SELECT m.session_id, m.data FROM message m JOIN session s ON s.id = m.session_id"
            for row in self._connection.execute(f"{order} ORDER BY s.time_created, s.id"):
                data = _object(row["data"])
                if data is not None:
                    self._twins.add(str(row["session_id"]), data)
        return self._twins.is_copied(session_id, message)


def _session(row: sqlite3.Row) -> Object:
    names = set(row.keys())
    told = {name: row[column] for name, column in _SESSION.items() if column in names}
    return told | {"time": {name: row[column] for name, column in _TIMES.items() if column in names}}


_SESSION = {"id": "id", "parentID": "parent_id", "title": "title", "directory": "directory", "version": "version"}
_TIMES = {"created": "time_created", "updated": "time_updated"}


def _object(text: Any) -> dict[str, Any] | None:
    """A JSON object; None of what is none."""
    try:
        data = _decode(text)
    except (TypeError, ValueError, RecursionError):
        # What is not quite JSON, as `NaN` or half a surrogate pair, is readable for the slower one.
        try:
            data = json.loads(text)
        except (TypeError, ValueError, RecursionError):
            return None
    return data if isinstance(data, dict) else None


_decode = msgspec.json.Decoder().decode
