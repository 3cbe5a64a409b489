"""OpenCode's sessions, messages and parts: to events. The rules are those of docs/counting.md, "OpenCode".

Where they come from, a database or files, is told by a `Library`: a message is understood only beside its session and
its parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ...text import short
from ..emit import Emitter
from ..events import (
    Billed,
    Label,
    Notice,
    NoticeKind,
    Place,
    Prompt,
    Response,
    Speaker,
    StopReason,
    Subagent,
    Tokens,
    ToolCall,
    ToolKind,
    ToolResult,
)
from ..numbers import dollars, whole_number
from ..times import moment_of
from ..work import ChangedLines, lines_of_files, lines_told

AGENT = "opencode"

_STOPS = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "tool-calls": StopReason.TOOL_USE,
    "content-filter": StopReason.REFUSAL,
    "error": StopReason.ERROR,
}
ABORTED = "MessageAbortedError"
SETTLED = "_settled"
"""A field of a message of which it is known that no fork has copied it."""

_OWN_TOOLS = frozenset({"apply_patch", "plan_enter", "plan_exit", "read_file", "write_file"})
"""Tools of OpenCode's own with a `_` in their name, which else tells those of MCP servers: `<server>_<tool>`."""

_KNOWN_PARTS = ("reasoning", "step-start", "step-finish", "patch", "file", "subtask", "agent", "retry", "snapshot")
"""Types of parts that tell nothing of use."""

_SUBAGENT_TOOL = "task"
_COUNTS = ("additions", "deletions")
_SHELL = "bash"
_REJECTED = "The user rejected permission"
_MOST_PARENTS = 50

Object = Mapping[str, Any]


class Library(Protocol):
    """Looks up what belongs to a message or a part."""

    def session(self, session_id: str) -> Object | None:
        """A session: `id`, `parentID`, `title`, `directory`, `version`, `time.created`."""

    def message(self, session_id: str, message_id: str) -> Object | None:
        """A message's data."""

    def is_copied(self, session_id: str, message: Object) -> bool:
        """Whether a session that was made before this one has the same message: this one is a fork's copy."""


class Decoder:
    """Turns sessions, messages and parts into events."""

    def __init__(self, emitter: Emitter, library: Library) -> None:
        self._emitter = emitter
        self._library = library
        self._roots: dict[str, str] = {}

    # -- sessions ------------------------------------------------------------------------------------------------

    def session(self, told: Object, pos: int) -> str | None:
        """Read a session; the reason if it cannot be used."""
        session = told.get("id")
        if not isinstance(session, str) or not session:
            return "a session without an id"
        created = _time(told, "created")
        self._emitter.clock(created)
        if _parent(told) is not None:
            self._emitter.subagent(Subagent(id=session, description=_text(told.get("title"))))
            return None
        place = Place(session, created, pos)
        for label, name in ((Label.CWD, "directory"), (Label.VERSION, "version")):
            self._emitter.label(label, _text(told.get(name)), place)
        updated = _time(told, "updated")
        self._emitter.label(Label.TITLE, _text(told.get("title")), Place(session, updated or created, pos))
        return None

    def _root(self, session: str) -> str:
        """The session that somebody talks to: sub-agents have sessions of their own below it."""
        found = self._roots.get(session)
        if found is None:
            at = session
            for _ in range(_MOST_PARENTS):
                parent = _parent(self._library.session(at) or {})
                if parent is None or parent == session:
                    break
                at = parent
            found = self._roots[session] = at
        return found

    def _speaker(self, session: str, message: Object) -> Speaker:
        is_subagent = self._root(session) != session
        told = self._library.session(session) or {}
        return Speaker(
            subagent_id=session if is_subagent else None,
            subagent_name=short(message.get("agent") or message.get("mode")) if is_subagent else None,
            is_sidechain=is_subagent,
            version=short(told.get("version")),
        )

    def _is_copied(self, session: str, message: Object) -> bool:
        """A fork copies messages under new ids, with their times: what is older than its session and has a twin."""
        if message.get(SETTLED):
            return False
        born = _time(self._library.session(session) or {}, "created")
        created = _time(message, "created")
        is_older = born is not None and created is not None and created < born
        return is_older and self._library.is_copied(session, message)

    # -- messages ------------------------------------------------------------------------------------------------

    def message(self, session: str, key: str, told: Object, pos: int) -> str | None:
        """Read a message; the reason if it cannot be used."""
        if self._is_copied(session, told):
            return None
        created, completed = _time(told, "created"), _time(told, "completed")
        self._emitter.clock(created)
        place = Place(self._root(session), created, pos)
        for moment in (created, completed):
            self._emitter.active(place.session, moment)
        if told.get("role") == "assistant":
            self._response(session, key, told, place, completed)
            self._error(key, told, place)
        elif told.get("role") not in ("user", "compaction"):
            self._emitter.unknown(f"role {told.get('role')}")
        return None

    def _response(self, session: str, key: str, told: Object, place: Place, completed: int | None) -> None:
        tokens = tokens_of(told.get("tokens"))
        if not (tokens.input or tokens.output or tokens.cache_read or tokens.cache_write_5m):
            return  # stopped before anything came back
        cost = dollars(told.get("cost"))
        finish = told.get("finish")
        parent = short(told.get("parentID"))
        is_timed = completed is not None and place.ts is not None
        self._emitter.response(
            Response(
                key=f"{AGENT}:{key}",
                place=place,
                speaker=self._speaker(session, told),
                model=short(told.get("modelID")),
                tokens=tokens,
                provider=short(told.get("providerID")),
                stop_reason=_STOPS.get(str(finish), StopReason.OTHER) if finish else None,
                requested_at=place.ts,
                ended_at=completed,
                prompt_id=f"{AGENT}:{parent}" if parent else None,
                effort=short(told.get("variant")),
                duration_ms=(completed - place.ts) // 1000 if is_timed else None,  # type: ignore[operator]
                billed=Billed.ELSEWHERE if cost == 0 else None,
                logged_cost_usd=cost or None,
            )
        )

    def _error(self, key: str, told: Object, place: Place) -> None:
        error = told.get("error")
        if not isinstance(error, Mapping):
            return
        kind = NoticeKind.INTERRUPT if error.get("name") == ABORTED else NoticeKind.ERROR
        data = error.get("data")
        said = data.get("message") if isinstance(data, Mapping) else None
        text = _text(said) or _text(error.get("name"))
        self._emitter.notice(Notice(id=f"{AGENT}:{key}:error", place=place, kind=kind, text=text))

    # -- parts ---------------------------------------------------------------------------------------------------

    def part(self, session: str, message_id: str, key: str, told: Object, pos: int) -> str | None:
        """Read a part of a message; the reason if it cannot be used."""
        kind = told.get("type")
        if kind not in ("text", "tool", "compaction"):
            if kind not in _KNOWN_PARTS:
                self._emitter.unknown(f"part type {kind}")
            return None
        message = self._library.message(session, message_id)
        if message is None or self._is_copied(session, message):
            return None
        created = _time(message, "created")
        self._emitter.clock(created)
        place = Place(self._root(session), created, pos)
        if kind == "text":
            text = _text(told.get("text"))
            is_typed = message.get("role") == "user" and not told.get("synthetic") and not told.get("ignored")
            if is_typed and text is not None and text.strip() and place.session == session:
                self._emitter.prompt(Prompt(id=f"{AGENT}:{message_id}", place=place, text=text))
        elif kind == "tool":
            self._call(session, message_id, key, message, told, place)
        else:
            self._emitter.notice(Notice(id=f"{AGENT}:{key}", place=place, kind=NoticeKind.COMPACTION))
        return None

    def _call(self, session: str, message_id: str, key: str, message: Object, told: Object, place: Place) -> None:
        state = _object(told.get("state"))
        given, name = _object(state.get("input")), short(told.get("tool")) or "(unnamed)"
        begun, ended = _time(state, "start"), _time(state, "end")
        place = Place(place.session, place.ts if begun is None else begun, place.pos)
        is_mcp = "_" in name and name not in _OWN_TOOLS
        is_subagent = name == _SUBAGENT_TOOL
        child = short(_object(state.get("metadata")).get("sessionId")) if is_subagent else None
        command = given.get("command")
        parent = short(message.get("parentID"))
        call = f"{AGENT}:{key}"
        self._emitter.tool_call(
            ToolCall(
                id=call,
                place=place,
                speaker=self._speaker(session, message),
                name=name,
                kind=ToolKind.MCP if is_mcp else ToolKind.SUBAGENT if is_subagent else ToolKind.TOOL,
                mcp_server=name.split("_", 1)[0] if is_mcp else None,
                given=given,
                subagent_type=short(given.get("subagent_type")) if is_subagent else None,
                skill=short(given.get("name")) if name == "skill" else None,
                response_key=f"{AGENT}:{message_id}",
                prompt_id=f"{AGENT}:{parent}" if parent else None,
                script=command if name == _SHELL and isinstance(command, str) else None,
            )
        )
        if child is not None:
            kind, task = short(given.get("subagent_type")), _text(given.get("description"))
            self._emitter.subagent(Subagent(id=child, type=kind, description=task, call_id=call))
        failed = state.get("status") == "error"
        if failed or state.get("status") == "completed":
            text = _text(state.get("error" if failed else "output")) or ""
            self._emitter.tool_result(
                ToolResult(
                    call_id=call,
                    place=Place(place.session, ended, place.pos),
                    is_error=failed,
                    text=text,
                    size=len(text.encode("utf-8", "replace")),
                    denial="user-rejected" if failed and text.startswith(_REJECTED) else None,
                    subagent_id=child,
                    lines=_lines(state.get("metadata")),
                )
            )


def _lines(told: Any) -> ChangedLines | None:
    """What a tool that changed files counted: of one file, or of each."""
    told = told if isinstance(told, dict) else {}
    return lines_told(told.get("filediff"), *_COUNTS) or lines_of_files(told.get("files"), *_COUNTS)


def tokens_of(told: Any) -> Tokens:
    """The tokens of a message. Up to 1.2 the output holds the reasoning, later it does not: the total tells which."""
    told = _object(told)
    cache = _object(told.get("cache"))
    given, output, thought = (whole_number(told.get(name)) or 0 for name in ("input", "output", "reasoning"))
    read, written = (whole_number(cache.get(name)) or 0 for name in ("read", "write"))
    total = whole_number(told.get("total"))
    is_apart = total == given + output + read + written + thought if total else thought > output
    if is_apart:
        output += thought
    return Tokens(given, output, read, written, reasoning=min(thought, output))


def _parent(session: Object) -> str | None:
    return short(session.get("parentID"))


def _time(told: Object, name: str) -> int | None:
    return moment_of(_object(told.get("time")).get(name))


def _object(value: Any) -> Object:
    # What comes out of JSON is a dict, and asking for a Mapping takes twenty times as long.
    return value if type(value) is dict else _NOTHING


_NOTHING: Object = {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
