"""Codex rollouts: from lines to events. The rules are those of docs/counting.md, "Codex"."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from ....queries.digest import blake2b
from ...access import accesses_of
from ...batch import Batch
from ...jsonl import Unusable, inner_of, reader_of, value_in
from ...text import short
from ..emit import Emitter
from ..events import (
    BACKGROUND,
    BackgroundEnd,
    Label,
    Notice,
    NoticeKind,
    Place,
    Prompt,
    Response,
    Subagent,
    Tokens,
    ToolCall,
    ToolKind,
    ToolResult,
)
from ..numbers import whole_number
from ..source import SourceFile, State
from ..times import parse_time
from ..work import ChangedLines
from . import calls
from .known import KNOWN_DONE, KNOWN_EVENTS, KNOWN_ITEMS, KNOWN_TYPES
from .limits import samples_in
from .rows import CompletedItem, Event, Git, Item, Meta, RolloutRow, TurnContext, UsageInfo, UsageRecord
from .threads import ThreadHead, head_of

AGENT = "codex"

_VECTOR = (
    *("input_tokens", "cached_input_tokens", "cache_write_input_tokens"),
    *("output_tokens", "reasoning_output_tokens", "total_tokens"),
)
_Vector = tuple[int, ...]

_OPEN_PATCHES = 100
"""Patches of calls without a result that are kept in mind; as many calls that start sub-agents."""

_ENDS = {"completed": "completed", "interrupted": "killed"}
"""What a session is told of its sub-agents, in the words of all agents."""

_NO_PROMPT = ("<environment_context>", "<user_instructions>")
_REQUEST = "## My request for Codex:"
"""Front ends put the state of the editor before what the person typed, and this line between."""

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_SECOND = 1_000_000
"""In microseconds, as all times here."""

_rows = reader_of(RolloutRow)
_T = TypeVar("_T", bound=msgspec.Struct)
_Recorded = tuple[str, _Vector, _Vector | None, int | None, int]
"""The response, what it took, what its thread did so far, when and where that was told."""
_meta, _turn, _item, _event, _done, _record = (
    msgspec.json.Decoder(shape).decode for shape in (Meta, TurnContext, Item, Event, CompletedItem, UsageRecord)
)


class CodexDecoder:
    """Reads one stretch of one rollout into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._file = file
        self._emitter = Emitter(file, batch, agent=AGENT, state=state)
        self._first_pos: int | None = None
        self._is_headless = bool(state.get("headless"))
        """The file does not begin as a rollout does: nothing in it is used."""
        self._head: ThreadHead | None = ThreadHead(**state["head"]) if "head" in state else None
        self._model: str | None = state.get("model")
        self._effort: str | None = state.get("effort")
        self._before: _Vector | None = tuple(state["before"]) if state.get("before") else None
        """The totals that were told last, the thread's own or those of its parent."""
        self._has_used = bool(state.get("has_used"))
        """Whether the thread has a response of its own already."""
        self._is_copied = bool(state.get("copied"))
        self._has_turn_ids: bool | None = state.get("turn_ids")
        self._prompt: str | None = state.get("prompt")
        self._asked: int | None = state.get("asked")
        self._patches: dict[str, list[int]] = dict(state.get("patches") or {})
        """Calls that have not ended yet -> lines that their patches add and remove: they count when they succeed."""
        self._spawned: dict[str, str | None] = dict(state.get("spawned") or {})
        """Calls that start a sub-agent and have not ended yet -> its thread, once that is told."""
        self._counted: _Vector | None = tuple(state["counted"]) if state.get("counted") else None
        """What the last `token_count` told of a response, as long as no record has told it, too."""
        self._recorded: _Recorded | None = state.get("recorded")
        """A record that no `token_count` has told so far."""
        self._last_record: str | None = state.get("last_record")
        """The response that the last record was about: told twice it counts once."""

    # -- the stretch ---------------------------------------------------------------------------------------------

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        if self._first_pos is None:
            self._first_pos = pos
        if self._is_headless:
            return
        for found in _rows.each(line):
            if isinstance(found.row, Unusable):
                self.reject(pos + found.offset, len(found.data), str(found.row))
            else:
                self._row(found.row, pos + found.offset, len(line))

    def reject(self, pos: int, length: int, reason: str) -> None:
        """Note a line that cannot be used. `pos` and `length` are bytes."""
        self._emitter.reject(pos, length, reason)

    def finish(self) -> State:
        """Add what can only be said at the end of the stretch; the state for the next one."""
        state = self._emitter.finish(self._first_pos)
        if self._is_headless:
            return state | {"headless": True}
        if self._head is None:
            return state
        return state | {
            "session": self._head.session,
            "head": msgspec.to_builtins(self._head),
            "model": self._model,
            "effort": self._effort,
            "before": self._before,
            "has_used": self._has_used,
            "copied": self._is_copied,
            "turn_ids": self._has_turn_ids,
            "prompt": self._prompt,
            "asked": self._asked,
            "patches": self._patches,
            "spawned": self._spawned,
            "counted": self._counted,
            "recorded": self._recorded,
            "last_record": self._last_record,
        }

    # -- one row -------------------------------------------------------------------------------------------------

    def _row(self, row: RolloutRow, pos: int, length: int) -> None:
        ts = parse_time(row.timestamp)
        if self._head is None:
            self._begin(row, ts, pos, length)
            return
        head = self._head
        if head.is_fork and self._has_turn_ids is False:
            # Versions without ids of turns: what was written in one go with the head was copied.
            self._is_copied = ts is None or head.opened is None or ts < head.opened + _SECOND
        kind = row.type
        if kind == "session_meta":
            self._meta_again(row)
        elif kind == "turn_context":
            self._turn(self._as(_turn, TurnContext, row))
        else:
            self._emitter.clock(ts)
            place = Place(head.session, self._emitter.last_ts if ts is None else ts, pos)
            if kind == "event_msg":
                self._event(self._as(_event, Event, row), row, place)
            elif not self._is_copied:
                self._other(kind, row, place)
            if not self._is_copied:
                self._emitter.active(head.session, ts)

    def _event(self, event: Event, row: RolloutRow, place: Place) -> None:
        if event.type in ("task_started", "turn_started"):
            self._turn_begins(event.turn_id, event.started_at)
        elif event.type == "token_count":
            self._usage(event.info, place)
            if event.rate_limits is not None and not self._is_copied:
                for sample in samples_in(event.rate_limits, place.ts):
                    self._emitter.limit(sample, place)
        elif not self._is_copied:
            self._told(event, row, place)

    def _other(self, kind: Any, row: RolloutRow, place: Place) -> None:
        if kind == "response_item":
            self._item(self._as(_item, Item, row), place)
        elif kind == "compacted":
            self._notice(NoticeKind.COMPACTION, place, None)
        elif kind == "token_usage_record":
            self._record(self._as(_record, UsageRecord, row), place)
        elif not isinstance(kind, str) or kind not in KNOWN_TYPES:
            self._emitter.unknown(f"row type {kind}")

    def _begin(self, row: RolloutRow, ts: int | None, pos: int, length: int) -> None:
        if row.type != "session_meta":
            self._is_headless = True
            self.reject(pos, length, "no session header: not a rollout of Codex")
            return
        meta = self._as(_meta, Meta, row)
        head = self._head = head_of(meta, ts, self._file)
        self._is_copied = head.is_fork
        self._emitter.clock(ts)
        place = Place(head.session, ts, pos)
        for label, value in ((Label.CWD, meta.cwd), (Label.BRANCH, _git(meta.git)), (Label.VERSION, meta.cli_version)):
            # Of a sub-agent only what tells of the folder: its parent's file may be absent.
            if isinstance(value, str) and (label is Label.CWD or not head.is_subagent):
                self._emitter.label(label, value, place)
        if head.is_subagent:
            self._emitter.subagent(Subagent(id=head.thread, type=head.role, description=head.nickname))

    def _meta_again(self, row: RolloutRow) -> None:
        assert self._head is not None
        meta = self._as(_meta, Meta, row)
        if meta.id not in (None, self._head.thread):
            # The head of the parent: rows of the parent follow, until a turn of this thread's own begins.
            self._is_copied = True

    # -- turns ---------------------------------------------------------------------------------------------------

    def _turn(self, turn: TurnContext) -> None:
        self._turn_begins(turn.turn_id, None)
        if isinstance(turn.model, str):
            self._model = turn.model
        self._effort = short(turn.effort)

    def _turn_begins(self, turn_id: Any, started_at: Any) -> None:
        """A turn that is older than its thread was copied into it: its id, a UUID of version 7, says when it began."""
        assert self._head is not None
        self._tell_recorded()
        began = _uuid_time(turn_id)
        if self._has_turn_ids is not True:
            self._has_turn_ids = began is not None
        if began is None and isinstance(started_at, int | float) and not isinstance(started_at, bool):
            began = int((started_at + 1) * _SECOND)
        if began is not None and self._head.born is not None:
            self._is_copied = began < self._head.born - _SECOND

    # -- what was used -------------------------------------------------------------------------------------------

    def _usage(self, info: UsageInfo | None, place: Place) -> None:
        if info is None:
            return  # rate limits only
        window = whole_number(info.model_context_window)
        if window and not self._is_copied and self._head is not None and not self._head.is_subagent:
            self._emitter.label(Label.CONTEXT_WINDOW, str(window), place)
        total = _vector(info.total_token_usage)
        if total is not None and total == self._before:
            return  # told again: rate limits were renewed, or the conversation compacted
        step = None
        if total is not None:
            before = self._before or (0,) * len(total)
            step = tuple(now - then for now, then in zip(total, before, strict=True))
        is_first = self._before is None and not self._has_used
        begins_anew = step is None or is_first or min(step) < 0
        used = (_vector(info.last_token_usage) or step) if begins_anew else step
        self._before = total or self._before
        if self._is_copied or used is None:
            return
        self._has_used = True
        # All that was recorded so far is in the total.
        self._recorded, self._counted = None, _vector(info.last_token_usage) or used
        self._response(used, ":".join(map(str, total)) if total else None, place)

    def _record(self, told: UsageRecord, place: Place) -> None:
        """What a response took, as newer versions tell beside `token_count`: it counts where no such event tells it."""
        used = _vector(told.usage)
        if used is None or not isinstance(told.response_id, str) or told.response_id == self._last_record:
            return
        self._last_record = told.response_id
        total, before = _vector(told.thread_token_usage), self._before
        if self._counted is not None and used[:-1] == self._counted[:-1]:
            self._counted = None
        elif total is None or before is None or any(now > then for now, then in zip(total, before, strict=True)):
            self._tell_recorded()
            self._recorded = told.response_id, used, total, place.ts, place.pos

    def _tell_recorded(self) -> None:
        """Count the last record, which no `token_count` has told; a total that comes later has it in it."""
        if self._recorded is None or self._head is None:
            return
        response, used, total, ts, pos = self._recorded
        self._recorded, self._has_used = None, True
        before = self._before
        added = before is not None and tuple(then + now for then, now in zip(before, used, strict=True))
        self._before = added or total or used
        self._response(tuple(used), response, Place(self._head.session, ts, pos))

    def _response(self, used: _Vector, which: str | None, place: Place) -> None:
        assert self._head is not None
        given, cached, written, output, thought, _ = (max(0, part) for part in used)
        if not (given or cached or output):
            return
        cached = min(cached, given)
        written = min(written, given - cached)
        head = self._head
        self._emitter.response(
            Response(
                key=f"{AGENT}:{head.thread}:{which or f'{self._file.path.name}:{place.pos}'}",
                place=place,
                speaker=head.speaker,
                model=self._model,
                tokens=Tokens(given - cached - written, output, cached, written, reasoning=min(thought, output)),
                provider=head.provider,
                requested_at=self._asked,
                prompt_id=self._prompt,
                effort=self._effort,
            )
        )

    # -- what was said and done ----------------------------------------------------------------------------------

    def _told(self, event: Event, row: RolloutRow, place: Place) -> None:
        if event.type == "user_message":
            self._typed(event.message, row, place)
        elif event.type == "item_completed":
            self._completed(_decoded(_done, CompletedItem, event.item), row, place)
        elif event.type == "mcp_tool_call_end":
            self._mcp_ended(event, place)
        elif event.type == "patch_apply_end" and event.success is False and isinstance(event.call_id, str):
            self._emitter.tool_result(ToolResult(call_id=self._id(event.call_id), place=place, is_error=True))
        elif event.type == "sub_agent_activity":
            self._subagent_does(event.event_id, event.kind, event.agent_thread_id, place)
        elif event.type == "collab_agent_spawn_end":
            self._subagent_does(event.call_id, "started", event.new_thread_id, place)
        elif event.type == "turn_aborted":
            self._tell_recorded()
            self._notice(NoticeKind.INTERRUPT, place, short(event.reason))
        elif event.type in ("task_complete", "turn_complete"):
            self._tell_recorded()
            for kind, value in (
                (NoticeKind.TURN, event.duration_ms),
                (NoticeKind.FIRST_TOKEN, event.time_to_first_token_ms),
            ):
                if (amount := whole_number(value)) is not None:
                    self._notice(kind, place, None, amount)
        elif event.type is not None and (not isinstance(event.type, str) or event.type not in KNOWN_EVENTS):
            self._emitter.unknown(f"event {event.type}")

    def _completed(self, done: CompletedItem, row: RolloutRow, place: Place) -> None:
        """What newer threads tell of prompts, and of what was done, in items instead of events."""
        kind = done.type
        if kind == "UserMessage":
            self._typed(calls.text_of(done.content), row, place)
        elif kind == "McpToolCall" and isinstance(done.id, str):
            failed = done.status == "failed" or bool(done.error)
            error = done.error.get("message") if isinstance(done.error, dict) else done.error
            self._mcp_call(done.id, (done.server, done.tool), done.arguments, done.duration, place)
            self._mcp_result(done.id, value_in(done.result) if done.result else None, error, failed, done.result, place)
        elif kind == "FileChange" and done.status in ("failed", "declined") and isinstance(done.id, str):
            self._emitter.tool_result(ToolResult(call_id=self._id(done.id), place=place, is_error=True))
        elif kind == "SubAgentActivity":
            self._subagent_does(done.id, done.kind, done.agent_thread_id, place)
        elif not isinstance(kind, str) or kind not in KNOWN_DONE:
            self._emitter.unknown(f"completed item {kind}")

    def _subagent_does(self, call: Any, what: Any, thread: Any, place: Place) -> None:
        """A call has started a sub-agent, or one has come to its end."""
        assert self._head is not None
        if not isinstance(thread, str) or not isinstance(what, str) or thread == self._head.thread:
            return
        if what == "started" and isinstance(call, str) and call in self._spawned:
            self._spawned[call] = thread
        elif what in _ENDS:
            key = f"{AGENT}:{self._head.thread}:{thread}:{_when(place)}"
            self._emitter.background_end(BackgroundEnd(id=key, place=place, task_id=thread, status=_ENDS[what]))

    def _typed(self, message: Any, row: RolloutRow, place: Place) -> None:
        head = self._head
        assert head is not None
        text = str(message or "")
        self._asked = place.ts
        if head.is_subagent or not text.strip() or text.lstrip().startswith(_NO_PROMPT):
            return
        mark = blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
        self._prompt = f"{AGENT}:{head.thread}:{row.timestamp}:{mark}"
        self._emitter.prompt(Prompt(id=self._prompt, place=place, text=text.split(_REQUEST, 1)[-1]))

    def _item(self, item: Item, place: Place) -> None:
        kind = item.type
        if not isinstance(kind, str):
            return
        if kind.endswith("_call"):
            self._call(item, kind, place)
        elif not kind.endswith("_output"):
            if kind not in KNOWN_ITEMS:
                self._emitter.unknown(f"response item {kind}")
        elif isinstance(item.call_id, str):
            text = calls.text_of(value_in(item.output))
            failed = calls.has_failed(text)
            self._asked = place.ts
            is_spawn = item.call_id in self._spawned
            patched = self._patches.pop(item.call_id, None)
            child = self._spawned.pop(item.call_id, None) or calls.spawned_in(text) if is_spawn else None
            self._emitter.tool_result(
                ToolResult(
                    call_id=self._id(item.call_id),
                    place=place,
                    is_error=failed,
                    text=text,
                    size=max(0, len(item.output) - 2),
                    denial=calls.denial_of(text) if failed else None,
                    lines=ChangedLines(*patched) if patched else None,
                    subagent_id=child,
                    subagent_status=BACKGROUND if child is not None else None,
                )
            )

    def _call(self, item: Item, kind: str, place: Place) -> None:
        assert self._head is not None
        call = next((name for name in (item.call_id, item.id) if isinstance(name, str) and name), f"line:{place.pos}")
        name = short(item.name) or kind
        given = calls.given_of(item.arguments)
        program = item.input if isinstance(item.input, str) else None
        accesses, script = None, None
        if kind == "local_shell_call" and isinstance(item.action, dict):
            given = item.action
        if name == "apply_patch" or (program is None and isinstance(given.get("patch"), str)):
            accesses = calls.accesses_in_patch(program or str(given.get("input") or given.get("patch") or ""))
        elif program is not None:
            accesses, script = calls.accesses_in_program(program), "\n".join(calls.scripts_in(program)) or None
            given = {"input": program[:2000]}
        else:
            script = calls.script_of(given)
            accesses = None if script is not None else accesses_of(name, given)
        lines = calls.lines_in(program or script or str(given.get("input") or given.get("patch") or ""))
        if lines is not None and len(self._patches) < _OPEN_PATCHES:
            self._patches[call] = list(lines)
        is_subagent = calls.is_subagent_tool(name)
        if is_subagent and len(self._spawned) < _OPEN_PATCHES:
            self._spawned[call] = None
        self._emitter.tool_call(
            ToolCall(
                id=self._id(call),
                place=place,
                speaker=self._head.speaker,
                name=name,
                kind=ToolKind.SUBAGENT if is_subagent else ToolKind.TOOL,
                given=given,
                detail=script or program,
                subagent_type=short(given.get("agent_type") or given.get("agent_role")) if is_subagent else None,
                prompt_id=self._prompt,
                accesses=accesses,
                script=script,
            )
        )

    def _mcp_ended(self, event: Event, place: Place) -> None:
        """A call of an MCP server. One that a program of the code mode made has no other row than this."""
        if not isinstance(event.call_id, str):
            return
        invocation = event.invocation if isinstance(event.invocation, dict) else {}
        named = invocation.get("server"), invocation.get("tool")
        self._mcp_call(event.call_id, named, invocation.get("arguments"), event.duration, place)
        result = value_in(event.result) if event.result else None
        told = result if isinstance(result, dict) else {}
        self._mcp_result(event.call_id, told.get("Ok"), told.get("Err"), "Err" in told, event.result, place)

    def _mcp_call(self, call: str, named: tuple[Any, Any], given: Any, duration: Any, place: Place) -> None:
        assert self._head is not None
        server, tool = (short(name) or "unknown" for name in named)
        began = place.ts - _micros(duration) if place.ts is not None else None
        self._emitter.tool_call(
            ToolCall(
                id=self._id(call),
                place=Place(place.session, began, place.pos),
                speaker=self._head.speaker,
                name=f"mcp__{server}__{tool}",
                kind=ToolKind.MCP,
                mcp_server=server,
                mcp_tool=(server, tool),
                given=given if isinstance(given, dict) else {},
                prompt_id=self._prompt,
            )
        )

    def _mcp_result(self, call: str, answer: Any, error: Any, failed: bool, raw: msgspec.Raw, place: Place) -> None:
        failed = failed or (isinstance(answer, dict) and bool(answer.get("isError") or answer.get("is_error")))
        text = calls.text_of(answer) if answer is not None else str(error or "")
        self._emitter.tool_result(
            ToolResult(call_id=self._id(call), place=place, is_error=failed, text=text, size=len(raw))
        )

    def _notice(self, kind: NoticeKind, place: Place, text: str | None, amount: int | None = None) -> None:
        assert self._head is not None
        key = f"{AGENT}:{self._head.thread}:{kind}:{_when(place)}"
        self._emitter.notice(Notice(id=key, place=place, kind=kind, text=text, amount=amount))

    def _as(self, decode: Any, shape: type[_T], row: RolloutRow) -> _T:
        """The payload of a row; an empty one where it has another shape, which is noted."""
        found: _T | None = inner_of(decode, shape, row.payload)
        if found is None:
            self._emitter.unknown(f"shape of a row {row.type}")
            return shape()
        return found

    def _id(self, call: str) -> str:
        """The id of a call. Codex's are unique within a thread."""
        assert self._head is not None
        return f"{AGENT}:{self._head.thread}:{call}"


def _decoded(decode: Any, shape: type[_T], told: msgspec.Raw) -> _T:
    """What is told in a shape; an empty one where it has another."""
    found: _T | None = inner_of(decode, shape, told)
    return shape() if found is None else found


def _when(place: Place) -> str:
    """What tells something that happens in a thread from others of its kind: a rollout may be written anew."""
    return f"line:{place.pos}" if place.ts is None else str(place.ts)


def _vector(usage: Any) -> _Vector | None:
    return tuple([whole_number(usage.get(name)) or 0 for name in _VECTOR]) if isinstance(usage, dict) else None


def _uuid_time(text: Any) -> int | None:
    """The time in a UUID of version 7; None if it is none."""
    if not isinstance(text, str) or not _UUID7.fullmatch(text):
        return None
    return int(text.replace("-", "")[:12], 16) * 1000


def _git(value: Any) -> Any:
    try:
        return msgspec.convert(value, Git).branch if isinstance(value, dict) else None
    except msgspec.ValidationError:
        return None


def _micros(duration: Any) -> int:
    if not isinstance(duration, dict):
        return 0
    return (whole_number(duration.get("secs")) or 0) * _SECOND + (whole_number(duration.get("nanos")) or 0) // 1000
