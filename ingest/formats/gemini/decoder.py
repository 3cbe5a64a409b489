"""Gemini CLI's chats: from rows to events. The rules are those of docs/counting.md, "Gemini CLI".

A message is told again whenever its tokens or the results of its tools arrive, and once more in checkpoints and in the
file of the newer form: its id makes all of them one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ....queries import regular
from ...batch import Batch
from ...jsonl import Unusable, reader_of
from ...text import short
from ..emit import Emitter
from ..events import (
    Label,
    Notice,
    NoticeKind,
    Place,
    Prompt,
    Response,
    Speaker,
    Subagent,
    Tokens,
    ToolCall,
    ToolKind,
    ToolResult,
)
from ..numbers import whole_number
from ..source import SourceFile, State
from ..texts import text_in
from ..times import moment_of
from .tools import SHELL, accesses_in, lines_in, mcp_tool_in, result_text, server_in

AGENT = "gemini"
PROVIDER = "google"

_NO_PROMPT = ("/", "?", "<session_context>", "<hook_context>")
"""Texts that Gemini CLI itself does not take for a prompt."""

_KNOWN_TYPES = ("user", "info", "warning")
"""Types of messages that may tell nothing of use; what else there is does."""

_FAILED = frozenset({"error", "cancelled"})
_ENDED = _FAILED | {"success"}
_ROOT_BYTES = 64 * 1024


class ChatRow(msgspec.Struct, gc=False):
    """A line of a chat, or a whole chat of the older form: its head, or a message, or a change."""

    sessionId: Any = None  # noqa: N815
    kind: Any = None
    summary: Any = None
    messages: Any = None
    changes: Any = msgspec.field(default=None, name="$set")
    id: Any = None
    type: Any = None
    timestamp: Any = None
    content: Any = None
    displayContent: Any = None  # noqa: N815
    tokens: Any = None
    model: Any = None
    toolCalls: Any = None  # noqa: N815


class ChatMessage(msgspec.Struct, gc=False):
    """A message, wherever it stands."""

    id: Any = None
    type: Any = None
    timestamp: Any = None
    content: Any = None
    displayContent: Any = None  # noqa: N815
    tokens: Any = None
    model: Any = None
    toolCalls: Any = None  # noqa: N815


_rows = reader_of(ChatRow)


class GeminiDecoder:
    """Reads one stretch of one chat into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._file = file
        self._emitter = Emitter(file, batch, agent=AGENT, state=state)
        self._first_pos: int | None = None
        self._is_headless = bool(state.get("headless"))
        self._chat: str | None = state.get("chat")
        """The chat's own id; that of its session is another one for a sub-agent."""
        self._is_subagent = bool(state.get("subagent", not file.is_main))
        self._prompt: str | None = state.get("prompt")
        self._before: int | None = state.get("before")
        """When the message before was written."""

    # -- the stretch ---------------------------------------------------------------------------------------------

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`, or a whole chat of the older form."""
        if self._first_pos is None:
            self._first_pos = pos
        if self._is_headless:
            return
        for found in _rows.each(line):
            if not isinstance(found.row, Unusable):
                self._row(found.row, pos + found.offset, len(line))
            else:
                self._emitter.reject(pos + found.offset, len(found.data), str(found.row))

    def finish(self) -> State:
        """Add what can only be said at the end of the stretch; the state for the next one."""
        state = self._emitter.finish(self._first_pos)
        if self._is_headless:
            return state | {"headless": True}
        return state | {
            "session": self._session,
            "chat": self._chat,
            "subagent": self._is_subagent,
            "prompt": self._prompt,
            "before": self._before,
        }

    @property
    def _session(self) -> str | None:
        return self._chat if self._file.is_main else self._file.path.parent.name

    @property
    def _speaker(self) -> Speaker:
        return Speaker(subagent_id=self._chat if self._is_subagent else None, is_sidechain=self._is_subagent)

    # -- one row -------------------------------------------------------------------------------------------------

    def _row(self, row: ChatRow, pos: int, length: int) -> None:
        changes = row.changes if isinstance(row.changes, dict) else {}
        if self._chat is None:
            self._begin(row, pos, length)
            if self._chat is None:
                return
        if "subagent" in (row.kind, changes.get("kind")):
            self._is_subagent = True
        told = [*_messages(row.messages), *_messages(changes.get("messages"))]
        if row.type is not None:
            told.append(
                msgspec.convert({name: getattr(row, name) for name in ChatMessage.__struct_fields__}, ChatMessage)
            )
        for number, message in enumerate(told):
            self._message(message, pos + number)
        summary = changes.get("summary") or row.summary
        if isinstance(summary, str) and not self._is_subagent:
            self._emitter.label(Label.GUESSED_TITLE, summary, Place(self._session, self._emitter.last_ts, pos))

    def _begin(self, row: ChatRow, pos: int, length: int) -> None:
        if not isinstance(row.sessionId, str) or not row.sessionId:
            self._is_headless = True
            self._emitter.reject(pos, length, "no session id: not a chat of Gemini CLI")
            return
        self._chat = row.sessionId
        if row.kind == "subagent":
            self._is_subagent = True
        if self._is_subagent:
            self._emitter.subagent(Subagent(id=self._chat))
        folder = _folder_of(self._file.path)
        place = Place(self._session, None, pos)
        self._emitter.label(Label.CWD, _text_in(folder / ".project_root"), place)
        # Older ones know the project by a number only.
        self._emitter.label(Label.PROJECT, folder.name, place)

    # -- messages ------------------------------------------------------------------------------------------------

    def _message(self, message: ChatMessage, pos: int) -> None:
        ts = moment_of(message.timestamp)
        self._emitter.clock(ts)
        place = Place(self._session, self._emitter.last_ts if ts is None else ts, pos)
        self._emitter.active(self._session, ts)
        key = f"{AGENT}:{self._chat}:{_name_of(message, pos)}"
        if message.type == "user" and not self._is_subagent:
            text = text_in(message.displayContent or message.content).strip()
            if text and not text.startswith(_NO_PROMPT):
                self._prompt = key
                self._emitter.prompt(Prompt(id=key, place=place, text=text))
        elif message.type == "gemini":
            self._response(message, key, place)
            for number, call in enumerate(message.toolCalls if isinstance(message.toolCalls, list) else ()):
                if isinstance(call, dict):
                    self._call(call, f"{key}:{number}", key, place)
        elif message.type == "error":
            self._emitter.notice(Notice(id=key, place=place, kind=NoticeKind.ERROR, text=text_in(message.content)))
        elif message.type not in _KNOWN_TYPES:
            self._emitter.unknown(f"message type {message.type}")
        self._before = ts or self._before

    def _response(self, message: ChatMessage, key: str, place: Place) -> None:
        told = message.tokens if isinstance(message.tokens, dict) else {}
        given, cached, tool, output, thought = (
            whole_number(told.get(name)) or 0 for name in ("input", "cached", "tool", "output", "thoughts")
        )
        if not (given or tool or output or thought):
            return
        cached = min(cached, given)
        self._emitter.response(
            Response(
                key=key,
                place=place,
                speaker=self._speaker,
                model=short(message.model),
                tokens=Tokens(given - cached + tool, output + thought, cached, reasoning=thought),
                provider=PROVIDER,
                requested_at=self._before,
                prompt_id=self._prompt,
            )
        )

    def _call(self, call: dict[str, Any], fallback: str, response: str, place: Place) -> None:
        name = short(call.get("name")) or "(unnamed)"
        given = call.get("args")
        given = given if isinstance(given, dict) else {}
        when = moment_of(call.get("timestamp"))
        place = Place(place.session, place.ts if when is None else when, place.pos)
        server = server_in(name)
        subagent = short(call.get("agentId"))
        kind = ToolKind.MCP if server else ToolKind.SUBAGENT if subagent else ToolKind.TOOL
        command = given.get("command")
        key = f"{AGENT}:{self._chat}:{call['id']}" if call.get("id") else fallback
        self._emitter.tool_call(
            ToolCall(
                id=key,
                place=place,
                speaker=self._speaker,
                name=name,
                kind=kind,
                mcp_server=server,
                mcp_tool=mcp_tool_in(name),
                given=given,
                subagent_type=name if kind is ToolKind.SUBAGENT else None,
                response_key=response,
                prompt_id=self._prompt,
                accesses=accesses_in(name, given),
                script=command if name == SHELL and isinstance(command, str) else None,
            )
        )
        status = short(call.get("status"))
        if status not in _ENDED:
            return
        text = result_text(call)
        self._emitter.tool_result(
            ToolResult(
                call_id=key,
                # When it ended is not told: the time of a call is that of its last telling.
                place=Place(place.session, None, place.pos),
                is_error=status in _FAILED,
                text=text,
                size=len(text.encode("utf-8", "replace")),
                denial="cancelled" if status == "cancelled" else None,
                subagent_id=subagent,
                lines=lines_in(call.get("resultDisplay")),
            )
        )


class GeminiDocument:
    """Reads a chat of the older form, one document, into a batch."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._decoder = GeminiDecoder(file, {}, batch)

    def document(self, path: Path, content: bytes) -> None:  # noqa: ARG002
        """Read the chat."""
        self._decoder.feed(content, 0)

    def finish(self) -> State:
        """Add what can only be said at the end."""
        return self._decoder.finish()


def message_at(files: Sequence[tuple[Path, bytes]], pos: int) -> Any:
    """The message of a chat of the older form that has a place. Raises LookupError if it has none (any more)."""
    document = json.loads(files[0][1])
    if not isinstance(document, dict) or not isinstance(document.get("messages"), list):
        raise LookupError
    return document["messages"][pos]


def _messages(value: Any) -> list[ChatMessage]:
    if not isinstance(value, list):
        return []
    return [msgspec.convert(each, ChatMessage) for each in value if isinstance(each, dict)]


def _name_of(message: ChatMessage, pos: int) -> str:
    """What tells a message from others of its chat: its id, else when who wrote it, else where it stands."""
    if isinstance(message.id, str) and message.id:
        return message.id
    return f"line:{pos}" if message.timestamp is None else f"{message.type}:{message.timestamp}"


def _folder_of(path: Path) -> Path:
    """The project's folder: the one that `chats` is in."""
    return next((folder.parent for folder in path.parents if folder.name == "chats"), path.parent)


def _text_in(path: Path) -> str | None:
    try:
        return regular.read_text(path, _ROOT_BYTES).strip() or None
    except (OSError, ValueError):
        return None
