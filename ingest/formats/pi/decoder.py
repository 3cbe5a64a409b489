"""Pi sessions: from entries to events. The rules are those of docs/counting.md, "Pi".

A session is a tree of entries. Branches that were left are real spend, so all entries count, wherever they hang.
"""

from __future__ import annotations

from typing import Any

from ...batch import Batch
from ...jsonl import Unusable, reader_of
from ...text import short
from ..counted_calls import CountedCalls
from ..emit import Emitter
from ..events import (
    Billed,
    Label,
    Notice,
    NoticeKind,
    Place,
    Prompt,
    Response,
    ResponseKind,
    Speaker,
    StopReason,
    Tokens,
    ToolCall,
    ToolResult,
)
from ..numbers import dollars, whole_number
from ..source import SourceFile, State
from ..texts import text_in
from ..times import moment_of
from ..work import lines_of_diff
from .rows import EntryMessage, SessionEntry

AGENT = "pi"

HEADER_ROWS = 20
"""The header is among the first rows: others may put a title before it."""

_STOPS = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "toolUse": StopReason.TOOL_USE,
    "error": StopReason.ERROR,
    "aborted": StopReason.ABORTED,
}
_BILLS = {"compaction": ResponseKind.COMPACTION, "branch_summary": ResponseKind.COMPACTION}
_KNOWN_TYPES = frozenset(
    {
        *("session", "message", "model_change", "thinking_level_change", "compaction", "branch_summary", "custom"),
        *("custom_message", "label", "session_info", "leaf", "title"),
    }
)
_SKILL_FILE = "/SKILL.md"

_rows = reader_of(SessionEntry)


class PiDecoder:
    """Reads one stretch of one session into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._emitter = Emitter(file, batch, agent=AGENT, state=state)
        self._first_pos: int | None = None
        self._rows: int = state.get("rows", 0)
        self._session: str | None = state.get("session")
        self._born: int | None = state.get("born")
        """When the session was made, if an entry that is older was copied from another session; else None."""
        self._effort: str | None = state.get("effort")
        self._prompt: str | None = state.get("prompt")
        self._calls = CountedCalls(state)

    # -- the stretch ---------------------------------------------------------------------------------------------

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        if self._first_pos is None:
            self._first_pos = pos
        if self._session is None and self._rows >= HEADER_ROWS:
            return
        for found in _rows.each(line):
            if not isinstance(found.row, Unusable):
                self._entry(found.row, pos + found.offset, len(line))
            elif self._session is None:
                self._refuse(pos, len(line))
                return
            else:
                self._emitter.reject(pos + found.offset, len(found.data), str(found.row))

    def finish(self) -> State:
        """Add what can only be said at the end of the stretch; the state for the next one."""
        return self._emitter.finish(self._first_pos) | {
            **self._calls.state(),
            "rows": self._rows,
            "session": self._session,
            "born": self._born,
            "effort": self._effort,
            "prompt": self._prompt,
        }

    # -- one entry -----------------------------------------------------------------------------------------------

    def _entry(self, entry: SessionEntry, pos: int, length: int) -> None:
        self._rows += 1
        if self._session is None:
            self._begin(entry, pos, length)
            return
        ts = moment_of(entry.timestamp)
        self._emitter.clock(ts)
        place = Place(
            self._session,
            self._emitter.last_ts if ts is None else ts,
            pos,
            is_copy=ts is not None and self._born is not None and ts < self._born,
        )
        kind = entry.type
        if kind == "message" and entry.message is not None:
            self._message(entry, entry.message, place)
        elif kind == "session_info":
            if isinstance(entry.name, str):
                self._emitter.label(Label.TITLE, entry.name.strip(), place)
        elif kind == "thinking_level_change":
            self._effort = short(entry.thinkingLevel)
        elif isinstance(kind, str) and kind in _BILLS:
            self._emitter.notice(Notice(id=_key(entry, None), place=place, kind=NoticeKind.COMPACTION))
            self._response(entry, EntryMessage(usage=entry.usage, model=entry.model), place, _BILLS[kind])
        elif not isinstance(kind, str) or kind not in _KNOWN_TYPES:
            self._emitter.unknown(f"entry type {kind}")

    def _begin(self, entry: SessionEntry, pos: int, length: int) -> None:
        if entry.type == "session" and isinstance(entry.id, str) and entry.id:
            self._session = entry.id
            ts = moment_of(entry.timestamp)
            # Files of the first version are older than their header, which was written with the first answer.
            is_branch = entry.parentSession is not None or entry.branchedFrom is not None
            self._born = ts if is_branch or whole_number(entry.version) not in (None, 1) else None
            self._emitter.clock(ts)
            if isinstance(entry.cwd, str):
                self._emitter.label(Label.CWD, entry.cwd, Place(entry.id, ts, pos))
        elif self._rows == HEADER_ROWS or (entry.type != "title" and self._rows == 1):
            self._refuse(pos, length)

    def _refuse(self, pos: int, length: int) -> None:
        """Give the whole file up, with one reject."""
        self._rows = HEADER_ROWS
        self._emitter.reject(pos, length, "no session header: not a session of Pi")

    # -- messages ------------------------------------------------------------------------------------------------

    def _message(self, entry: SessionEntry, message: EntryMessage, place: Place) -> None:
        role = message.role
        if role in ("user", "assistant", "toolResult") and not place.is_copy:
            self._emitter.active(place.session, place.ts)
        if role == "user":
            text = text_in(message.content)
            if text.strip():
                self._prompt = _key(entry, message)
                self._emitter.prompt(Prompt(id=self._prompt, place=place, text=text))
        elif role == "assistant":
            self._response(entry, message, place, ResponseKind.TURN)
            for block in message.content if isinstance(message.content, list) else ():
                if isinstance(block, dict) and block.get("type") == "toolCall":
                    self._call(entry, message, block, place)
        elif role == "toolResult" and isinstance(message.toolCallId, str):
            text = text_in(message.content)
            diff = message.details.get("diff") if isinstance(message.details, dict) else None
            self._emitter.tool_result(
                ToolResult(
                    call_id=f"{AGENT}:{self._calls.of_result(message.toolCallId, place.session)}",
                    place=place,
                    is_error=message.isError is True,
                    text=text,
                    size=len(text.encode("utf-8", "replace")),
                    lines=lines_of_diff(diff) if isinstance(diff, str) else None,
                )
            )

    def _response(self, entry: SessionEntry, message: EntryMessage, place: Place, kind: ResponseKind) -> None:
        usage = message.usage if isinstance(message.usage, dict) else {}
        given, output, read, written, long, thought = (
            whole_number(usage.get(name)) or 0
            for name in ("input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "reasoning")
        )
        if not (given or output or read or written):
            return  # stopped before anything came back
        long = min(long, written)
        cost = usage.get("cost")
        stated = dollars(cost.get("total")) if isinstance(cost, dict) else None
        self._emitter.response(
            Response(
                key=_key(entry, message if kind is ResponseKind.TURN else None),
                place=place,
                speaker=Speaker(),
                model=short(message.model),
                tokens=Tokens(given, output, read, written - long, long, min(thought, output)),
                kind=kind,
                provider=short(message.provider),
                stop_reason=_STOPS.get(str(message.stopReason), StopReason.OTHER) if message.stopReason else None,
                requested_at=moment_of(message.timestamp),
                prompt_id=self._prompt,
                effort=self._effort,
                billed=Billed.ELSEWHERE if stated == 0 else None,
                logged_cost_usd=stated or None,
            )
        )

    def _call(self, entry: SessionEntry, message: EntryMessage, block: dict[str, Any], place: Place) -> None:
        given = block.get("arguments")
        given = given if isinstance(given, dict) else {}
        name = short(block.get("name")) or "(unnamed)"
        call, answer = block.get("id"), _key(entry, message)
        path, command = given.get("path"), given.get("command")
        is_skill = name == "read" and isinstance(path, str) and path.endswith(_SKILL_FILE)
        self._emitter.tool_call(
            ToolCall(
                id=f"{AGENT}:{self._calls.called(call, answer)}"
                if isinstance(call, str) and call
                else f"{answer}:{name}",
                place=place,
                speaker=Speaker(),
                name=name,
                given=given,
                skill=short(str(path).split("/")[-2]) if is_skill else None,
                response_key=_key(entry, message),
                prompt_id=self._prompt,
                script=command if name in ("bash", "exec") and isinstance(command, str) else None,
            )
        )


def _key(entry: SessionEntry, message: EntryMessage | None) -> str:
    """The key of an entry. Ids are unique within a session only; a fork copies an entry with its times."""
    role = "" if message is None else message.role
    when = "" if message is None else message.timestamp
    return f"{AGENT}:{entry.id}:{entry.timestamp}:{when}:{role}"
