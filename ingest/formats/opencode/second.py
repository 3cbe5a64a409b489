"""OpenCode 2: from the rows of its tables to messages and parts as the decoder reads them.

Sessions are in `session_v2`, messages with all their parts in `session_message`; the older tables stay as they were at
the update, and what was in them is in the newer ones again, under the same ids.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from .decoder import ABORTED, SETTLED, Object

if TYPE_CHECKING:
    import sqlite3

SESSIONS, MESSAGES = "session_v2", "session_message"

KNOWN_TYPES = frozenset(
    {
        *("user", "assistant", "system", "synthetic", "compaction", "shell", "idle", "skill"),
        *("model-switched", "agent-switched", "location-switched"),
    }
)

_TOOLS = {"shell": "bash", "subagent": "task"}
"""Tools that have another name than before."""

_COPIED = ("text", "model", "tokens", "cost", "agent")
"""What a copy leaves as it was; its id is another one."""


class Whole(NamedTuple):
    """A message as the decoder reads it, and its parts, each with what tells it from the others."""

    message: Object
    parts: list[tuple[str, Object]]


def whole_of(kind: str, key: str, data: Object) -> Whole:
    """A row of the newer table."""
    model, time = _object(data.get("model")), _object(data.get("time"))
    tokens = _object(data.get("tokens"))
    message = {
        SETTLED: True,
        "role": kind,
        "time": time,
        "modelID": model.get("id"),
        "providerID": model.get("providerID"),
        "variant": model.get("variant"),
        # The output is always without the reasoning, which the total tells.
        "tokens": tokens and tokens | {"total": _total(tokens)},
        "error": _error(data.get("error")),
        **{name: data.get(name) for name in ("agent", "cost", "finish")},
    }
    if kind == "user":
        return Whole(message, [(key, {"type": "text", "text": data.get("text")})])
    if kind == "compaction":
        return Whole(message, [(key, {"type": "compaction"})])
    content = data.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    tools = [(number, part) for number, part in enumerate(parts) if part.get("type") == "tool"]
    return Whole(message, [(f"{key}:{part.get('id') or number}", _tool(part)) for number, part in tools])


def asked_before(connection: sqlite3.Connection, session_id: str, seq: Any) -> str | None:
    """The id of the message that somebody wrote last before a place in a session."""
    query = f"SELECT id FROM {MESSAGES} WHERE session_id = ? AND type = 'user' AND seq < ? ORDER BY seq DESC LIMIT 1"
    row = connection.execute(query, [session_id, seq]).fetchone()
    return None if row is None else str(row[0])


def is_copied(connection: sqlite3.Connection, row: sqlite3.Row, data: Object) -> bool:
    """Whether a fork has copied a message: the session that it was made of has the same at the same place."""
    query = f"SELECT fork_session_id FROM {SESSIONS} WHERE id = ?"
    fork = connection.execute(query, [row["session_id"]]).fetchone()
    if fork is None or not fork[0]:
        return False
    query = f"SELECT type, data FROM {MESSAGES} WHERE session_id = ? AND seq = ?"
    found = connection.execute(query, [fork[0], row["seq"]]).fetchone()
    if found is None or found["type"] != row["type"]:
        return False
    try:
        other = json.loads(found["data"])
    except (TypeError, ValueError, RecursionError):
        return False
    return isinstance(other, dict) and all(other.get(name) == data.get(name) for name in _COPIED)


def _tool(part: Object) -> Object:
    state, time = _object(part.get("state")), _object(part.get("time"))
    name, error = part.get("name"), state.get("error")
    metadata = {**_object(state.get("structured")), **_object(state.get("metadata"))}
    metadata.setdefault("sessionId", metadata.get("sessionID"))
    return {
        "type": "tool",
        "tool": _TOOLS.get(name, name) if isinstance(name, str) else None,
        "state": {
            "status": state.get("status"),
            "input": state.get("input"),
            "output": state.get("output") or _words(state.get("content")),
            "error": error.get("message") if isinstance(error, dict) else error,
            "metadata": metadata,
            "time": {"start": time.get("ran") or time.get("created"), "end": time.get("completed")},
        },
    }


def _error(told: Any) -> Object | None:
    """As the older tables tell an error."""
    if not isinstance(told, dict):
        return None
    name = str(told.get("name") or told.get("type") or "")
    return {"name": ABORTED if "abort" in name.lower() else name, "data": {"message": told.get("message")}}


def _total(tokens: Object) -> int:
    cache = _object(tokens.get("cache"))
    counts = [*(tokens.get(name) for name in ("input", "output", "reasoning")), cache.get("read"), cache.get("write")]
    return sum(count for count in counts if type(count) is int and count > 0)


def _words(content: Any) -> str:
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
