"""Qwen Code's chats: from records to events. The rules are those of docs/counting.md, "Qwen Code"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...batch import Batch
from ...jsonl import Unusable, reader_of
from ...text import short
from ..counted_calls import CountedCalls
from ..emit import Emitter
from ..events import (
    Label,
    Notice,
    NoticeKind,
    Place,
    Prompt,
    Response,
    Speaker,
    Tokens,
    ToolCall,
    ToolKind,
    ToolResult,
)
from ..gemini.tools import SHELL, accesses_in, lines_in, mcp_tool_in, server_in
from ..numbers import whole_number
from ..source import SourceFile, State
from ..texts import text_in
from ..times import moment_of

_BUILTIN_SUBAGENTS = frozenset({"general-purpose", "Explore"})
_SETTINGS = frozenset(
    {
        *("agents", "auth", "bug", "clear", "compress", "context", "copy", "directory", "docs", "editor", "export"),
        *("extensions", "help", "ide", "language", "login", "logout", "mcp", "memory", "model", "permissions", "quit"),
        *("restore", "resume", "settings", "stats", "status", "terminal-setup", "theme", "tools", "vim"),
    }
)
"""Commands that only change or show something: they give the model no work."""

_BUILTIN_COMMANDS = _SETTINGS | {"init", "review", "summary"}

AGENT = "qwen"

_TYPED = (None, "mid_turn_user_message")
"""Subtypes of a user's record that a person typed; the others are notifications and the agent's own."""

_SUBAGENT_TOOLS = frozenset({"task", "agent"})
_FAILED = frozenset({"error", "cancelled"})


class ChatRecord(msgspec.Struct, gc=False):
    """A line of a chat: the fields we use, everything else is skipped unread."""

    uuid: Any = None
    sessionId: Any = None  # noqa: N815
    timestamp: Any = None
    type: Any = None
    subtype: Any = None
    provenance: Any = None
    cwd: Any = None
    version: Any = None
    gitBranch: Any = None  # noqa: N815
    message: Any = None
    usageMetadata: Any = None  # noqa: N815
    model: Any = None
    toolCallResult: Any = None  # noqa: N815
    systemPayload: Any = None  # noqa: N815
    agentId: Any = None  # noqa: N815
    agentName: Any = None  # noqa: N815
    isSidechain: Any = None  # noqa: N815
    forkedFrom: Any = None  # noqa: N815


_records = reader_of(ChatRecord)


class QwenDecoder:
    """Reads one stretch of one chat into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._emitter = Emitter(file, batch, agent=AGENT, state=state)
        self._first_pos: int | None = None
        self._session: str | None = state.get("session")
        self._prompt: str | None = state.get("prompt")
        self._asked: int | None = state.get("asked")
        self._calls = CountedCalls(state)

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        self._first_pos = pos if self._first_pos is None else self._first_pos
        for found in _records.each(line):
            if isinstance(found.row, Unusable):
                self._emitter.reject(pos + found.offset, len(found.data), str(found.row))
            else:
                self._record(found.row, pos + found.offset)

    def finish(self) -> State:
        """Add what can only be said at the end of the stretch; the state for the next one."""
        state = self._emitter.finish(self._first_pos) | self._calls.state()
        return state | {"session": self._session, "prompt": self._prompt, "asked": self._asked}

    # -- one record ----------------------------------------------------------------------------------------------

    def _record(self, record: ChatRecord, pos: int) -> None:
        ts = moment_of(record.timestamp)
        self._emitter.clock(ts)
        session = short(record.sessionId)
        self._session = self._session or session
        place = Place(session, self._emitter.last_ts if ts is None else ts, pos, record.forkedFrom is not None)
        speaker = Speaker(
            subagent_id=short(record.agentId),
            subagent_name=short(record.agentName),
            is_sidechain=bool(record.isSidechain) or record.agentId is not None,
            version=short(record.version),
            branch=short(record.gitBranch),
        )
        if not speaker.is_sidechain:
            for label, value in (
                (Label.CWD, record.cwd),
                (Label.BRANCH, record.gitBranch),
                (Label.VERSION, record.version),
            ):
                self._emitter.label(label, short(value) if label is not Label.CWD else _text(value), place)
        # Without an id it is known by its place.
        key = f"{AGENT}:{record.uuid or f'{session}:{record.timestamp}:line:{pos}'}"
        if record.type in ("user", "assistant", "tool_result") and not place.is_copy:
            self._emitter.active(session, ts)
        if record.type == "user":
            self._typed(record, key, place, speaker)
        elif record.type == "assistant":
            self._answer(record, key, place, speaker)
        elif record.type == "tool_result":
            self._result(record, place, speaker)
        elif record.type == "system":
            self._system(record, key, place)
        else:
            self._emitter.unknown(f"record type {record.type}")

    def _typed(self, record: ChatRecord, key: str, place: Place, speaker: Speaker) -> None:
        self._asked = place.ts
        text = text_in(_object(record.message).get("parts"))
        is_typed = record.subtype in _TYPED and record.provenance in (None, "real_user")
        if is_typed and not speaker.is_sidechain and text.strip():
            self._prompt = key
            self._emitter.prompt(Prompt(id=key, place=place, text=text))

    def _answer(self, record: ChatRecord, key: str, place: Place, speaker: Speaker) -> None:
        tokens = tokens_of(record.usageMetadata)
        if tokens.total:
            self._emitter.response(
                Response(
                    key=key,
                    place=place,
                    speaker=speaker,
                    model=short(record.model),
                    tokens=tokens,
                    requested_at=self._asked,
                    prompt_id=self._prompt,
                )
            )
        parts = _object(record.message).get("parts")
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            call = _object(_object(part).get("functionCall"))
            if call:
                self._call(call, f"{key}:{number}", key, place, speaker)

    def _call(self, call: Mapping[str, Any], fallback: str, response: str, place: Place, speaker: Speaker) -> None:
        name, given = short(call.get("name")) or "(unnamed)", dict(_object(call.get("args")))
        server, command = server_in(name), given.get("command")
        is_subagent = name in _SUBAGENT_TOOLS
        self._emitter.tool_call(
            ToolCall(
                id=f"{AGENT}:{self._calls.called(str(call['id']), response, speaker.subagent_id)}"
                if call.get("id")
                else fallback,
                place=place,
                speaker=speaker,
                name=name,
                kind=ToolKind.MCP if server else ToolKind.SUBAGENT if is_subagent else ToolKind.TOOL,
                mcp_server=server,
                mcp_tool=mcp_tool_in(name),
                given=given,
                subagent_type=short(given.get("subagent_type")) if is_subagent else None,
                skill=short(given.get("skill")) if name == "skill" else None,
                is_builtin=is_subagent and given.get("subagent_type") in _BUILTIN_SUBAGENTS,
                response_key=response,
                prompt_id=self._prompt,
                accesses=accesses_in(name, given),
                script=command if name == SHELL and isinstance(command, str) else None,
            )
        )

    def _result(self, record: ChatRecord, place: Place, speaker: Speaker) -> None:
        self._asked = place.ts
        result = _object(record.toolCallResult)
        answer: Mapping[str, Any] = {}
        parts = _object(record.message).get("parts")
        for part in parts if isinstance(parts, list) else ():
            answer = _object(_object(part).get("functionResponse")) or answer
        call = result.get("callId") or answer.get("id")
        if not isinstance(call, str):
            return
        said = _object(answer.get("response"))
        text = next((said[name] for name in ("error", "output") if isinstance(said.get(name), str)), "")
        status = short(result.get("status"))
        self._emitter.tool_result(
            ToolResult(
                call_id=f"{AGENT}:{self._calls.of_result(call, place.session, speaker.subagent_id)}",
                place=place,
                is_error=status in _FAILED or (status is None and "error" in said),
                text=text,
                size=len(text.encode("utf-8", "replace")),
                denial="cancelled" if status == "cancelled" else None,
                lines=lines_in(result.get("resultDisplay")),
            )
        )

    def _system(self, record: ChatRecord, key: str, place: Place) -> None:
        payload = _object(record.systemPayload)
        if record.subtype == "custom_title":
            label = Label.GUESSED_TITLE if payload.get("titleSource") == "auto" else Label.TITLE
            self._emitter.label(label, _text(payload.get("customTitle")), place)
        elif record.subtype == "chat_compression":
            before = whole_number(_object(payload.get("info")).get("originalTokenCount"))
            self._emitter.notice(Notice(id=key, place=place, kind=NoticeKind.COMPACTION, amount=before))
        elif record.subtype == "slash_command" and payload.get("phase") == "invocation":
            command = (_text(payload.get("rawCommand")) or "").strip().removeprefix("/").split(" ")[0]
            self._emitter.prompt(_commanded(key, place, command))


def tokens_of(told: Any) -> Tokens:
    """The tokens of an answer, in Google's words: prompts have the cache in them; the total tells of thoughts."""
    told = _object(told)
    given, cached, output, thought = (
        whole_number(told.get(f"{name}TokenCount")) or 0
        for name in ("prompt", "cachedContent", "candidates", "thoughts")
    )
    total = whole_number(told.get("totalTokenCount"))
    if total != given + output:
        output += thought
    return Tokens(max(0, given - cached), output, min(cached, given), reasoning=min(thought, output))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _commanded(key: str, place: Place, command: str) -> Prompt:
    is_builtin = command in _BUILTIN_COMMANDS
    return Prompt(id=key, place=place, command=command, is_builtin=is_builtin, begins_turn=command not in _SETTINGS)
