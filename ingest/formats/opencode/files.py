"""OpenCode's older files, one for each session, message and part, and exported sessions: to what the decoder reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ....queries import regular
from ...batch import Batch
from ...jsonl import MAX_LINE
from ..change import reject
from ..emit import Emitter
from ..source import SourceFile, State
from .decoder import AGENT, Decoder, Object
from .forks import Twins


class FileDecoder:
    """Reads one file into a batch."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._batch = batch
        self._root = file.root
        self._emitter = Emitter(file, batch, agent=AGENT)

    def document(self, path: Path, content: bytes) -> None:
        """Read a session, a message, a part, or an exported session with all of it."""
        told = _parsed(content)
        if told is None:
            reject(self._batch, path, 0, 0, "not a JSON object")
            return
        decoder = Decoder(self._emitter, _SideFiles(self._root / "storage", told))
        if path.parent == self._root:
            reason = _exported(decoder, told)
        else:
            kind = path.relative_to(self._root).parts[1]
            reason = {"session": _session, "message": _message, "part": _part}[kind](decoder, told)
        if reason is not None:
            reject(self._batch, path, 0, 0, reason)

    def finish(self) -> State:
        """Add what can only be said at the end."""
        return self._emitter.finish(0)


def _session(decoder: Decoder, told: Object) -> str | None:
    return decoder.session(told, 0)


def _message(decoder: Decoder, told: Object) -> str | None:
    session, key = told.get("sessionID"), told.get("id")
    if not isinstance(session, str) or not isinstance(key, str):
        return "a message without the ids of itself and its session"
    return decoder.message(session, key, told, 0)


def _part(decoder: Decoder, told: Object) -> str | None:
    session, message, key = (told.get(name) for name in ("sessionID", "messageID", "id"))
    if not isinstance(session, str) or not isinstance(message, str) or not isinstance(key, str):
        return "a part without the ids of itself, its message and its session"
    return decoder.part(session, message, key, told, 0)


def _exported(decoder: Decoder, told: Object) -> str | None:
    info, messages = told.get("info"), told.get("messages")
    if not isinstance(info, dict) or not isinstance(messages, list):
        return "not an exported session of OpenCode"
    reason = decoder.session(info, 0)
    for each in _objects(messages):
        message = {"sessionID": info.get("id"), **_object(each.get("info"))}
        reason = _message(decoder, message) or reason
        for part in _objects(each.get("parts")):
            own = {"sessionID": info.get("id"), "messageID": message.get("id"), **part}
            reason = _part(decoder, own) or reason
    return reason


class _SideFiles:
    """Looks up the files beside a file, or what an exported session has in itself."""

    def __init__(self, storage: Path, told: Object) -> None:
        self._storage = storage
        self._exported = _object(told.get("info"))
        each = _objects(told.get("messages"))
        self._messages = {str(_object(one.get("info")).get("id")): _object(one.get("info")) for one in each}
        self._own = told
        self._sessions: dict[str, Object | None] = {}

    def session(self, session_id: str) -> Object | None:
        """As `Library.session`."""
        if session_id == self._exported.get("id"):
            return self._exported
        if session_id not in self._sessions:
            name = f"{session_id}.json"
            found = sorted((self._storage / "session").glob(f"*/{name}")) if _is_name(session_id) else []
            self._sessions[session_id] = _file(found[0]) if found else None
        return self._sessions[session_id]

    def message(self, session_id: str, message_id: str) -> Object | None:
        """As `Library.message`."""
        if message_id in self._messages:
            return self._messages[message_id]
        if not _is_name(session_id) or not _is_name(message_id):
            return None
        return _file(self._storage / "message" / session_id / f"{message_id}.json")

    def is_copied(self, session_id: str, message: Object) -> bool:
        """As `Library.is_copied`: all messages of older sessions are looked through."""
        twins = Twins()
        sessions = [(path, _file(path)) for path in (self._storage / "session").glob("*/*.json")]
        ages = sorted((_created(told), path.stem) for path, told in sessions if told is not None)
        for _, session in ages:
            for path in (self._storage / "message" / session).glob("*.json"):
                told = _file(path)
                if told is not None:
                    twins.add(session, told)
        return twins.is_copied(session_id, message)


def _created(session: Object) -> float:
    created = _object(session.get("time")).get("created")
    return created if isinstance(created, int | float) else float("inf")


def _is_name(text: str) -> bool:
    """Whether an id can be the name of a file here, and nothing else."""
    return text.replace("_", "").replace("-", "").isalnum()


def _file(path: Path) -> Object | None:
    try:
        return _parsed(regular.read_bytes(path, MAX_LINE))
    except (OSError, ValueError):
        return None


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
