"""Copilot CLI's sessions: from rows to events. The rules are those of docs/counting.md, "Copilot CLI".

While a session runs only the output of its messages is told. Input and caches come with the account that is written
when it is closed, or never.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ...batch import Batch
from ...jsonl import Unusable, inner_of, reader_of
from ...text import short
from ..emit import Emitter
from ..events import (
    Label,
    Notice,
    NoticeKind,
    Place,
    Prompt,
    Response,
    ResponseKind,
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
from ..work import ChangedLines, lines_told
from .account import ClosingAccount
from .rows import KNOWN_TYPES, Data, EventRow

AGENT = "copilot"

_SHELL = "bash"
_GENERAL = "general-purpose"
_SUBAGENT_TOOL = "task"
_SPOKEN = frozenset(
    {"user.message", "assistant.message", "tool.execution_start", "tool.execution_complete", "session.shutdown"}
)
_REMEMBERED = 50
"""Ids of messages that are remembered from one stretch to the next: one that is written again follows soon."""

_rows = reader_of(EventRow)
_data = msgspec.json.Decoder(Data).decode


class CopilotDecoder:
    """Reads one stretch of one session into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._file = file
        self._emitter = Emitter(file, batch, agent=AGENT, state=state)
        self._first_pos: int | None = None
        self._is_headless = bool(state.get("headless"))
        self._session: str | None = state.get("session")
        self._version: str | None = state.get("version")
        self._branch: str | None = state.get("branch")
        self._model: str | None = state.get("model")
        self._effort: str | None = state.get("effort")
        self._names: dict[str, str] = dict(state.get("names", {}))
        """Sub-agent -> what kind it is."""
        self._seen: dict[str, None] = dict.fromkeys(state.get("seen", ()))
        self._account = ClosingAccount(state.get("account"))
        self._closed: dict[str, None] = dict.fromkeys(state.get("closed", ()))
        """Events after which the account is another one; written again they change nothing."""
        self._prompt: str | None = state.get("prompt")
        self._asked: int | None = state.get("asked")

    # -- the stretch ---------------------------------------------------------------------------------------------

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        if self._first_pos is None:
            self._first_pos = pos
        if self._is_headless:
            return
        for found in _rows.each(line):
            if isinstance(found.row, Unusable):
                self._emitter.reject(pos + found.offset, len(found.data), str(found.row))
            else:
                self._row(found.row, pos + found.offset, len(line))

    def finish(self) -> State:
        """Add what can only be said at the end of the stretch; the state for the next one."""
        state = self._emitter.finish(self._first_pos)
        if self._is_headless:
            return state | {"headless": True}
        return state | {
            "session": self._session,
            "version": self._version,
            "branch": self._branch,
            "model": self._model,
            "effort": self._effort,
            "names": self._names,
            "seen": list(self._seen)[-_REMEMBERED:],
            "account": self._account.state,
            "closed": list(self._closed)[-_REMEMBERED:],
            "prompt": self._prompt,
            "asked": self._asked,
        }

    # -- one row -------------------------------------------------------------------------------------------------

    def _row(self, row: EventRow, pos: int, length: int) -> None:
        ts = moment_of(row.timestamp)
        data = inner_of(_data, Data, row.data) if row.data else None
        data = Data() if data is None else data
        if row.type == "session.start":
            self._begin(data, ts, pos)
            return
        if self._session is None:
            self._is_headless = True
            self._emitter.reject(pos, length, "no session.start: not a session of Copilot CLI")
            return
        self._emitter.clock(ts)
        row.id = row.id or f"line:{pos}"
        place = Place(self._session, self._emitter.last_ts if ts is None else ts, pos)
        kind = str(row.type)
        if kind in _SPOKEN:
            self._emitter.active(self._session, ts)
        told = getattr(self, f"_on_{kind.replace('.', '_')}", None)
        if told is not None:
            told(data, row, place)
        elif kind not in KNOWN_TYPES:
            self._emitter.unknown(f"event {kind}")

    def _begin(self, data: Data, ts: int | None, pos: int) -> None:
        self._session = short(data.sessionId) or self._file.session_id
        context = data.context if isinstance(data.context, dict) else {}
        self._version, self._branch = short(data.copilotVersion), short(context.get("branch"))
        self._model, self._effort = short(data.selectedModel), short(data.reasoningEffort)
        self._emitter.clock(ts)
        place = Place(self._session, ts, pos)
        for label, value in (
            (Label.PROJECT, context.get("gitRoot")),
            (Label.CWD, context.get("cwd") or context.get("gitRoot")),
            (Label.BRANCH, context.get("branch")),
            (Label.VERSION, data.copilotVersion),
        ):
            if isinstance(value, str):
                self._emitter.label(label, value, place)

    def _speaker(self, data: Data, row: EventRow) -> Speaker:
        agent = next((name for name in (data.parentToolCallId, row.agentId, data.agentId) if name), None)
        if agent is None:
            return Speaker(version=self._version, branch=self._branch)
        return Speaker(
            subagent_id=f"{self._session}:{agent}",
            subagent_name=self._names.get(str(agent)),
            is_sidechain=True,
            version=self._version,
            branch=self._branch,
        )

    def _key(self, what: Any) -> str:
        return f"{AGENT}:{self._session}:{what}"

    # -- by type: `_on_` and the type with `_` for its dots ------------------------------------------------------

    def _on_session_model_change(self, data: Data, row: EventRow, place: Place) -> None:  # noqa: ARG002
        self._model = short(data.newModel) or self._model
        self._effort = short(data.reasoningEffort) or self._effort

    def _on_session_title_changed(self, data: Data, row: EventRow, place: Place) -> None:  # noqa: ARG002
        if isinstance(data.title, str):
            self._emitter.label(Label.GUESSED_TITLE, data.title.strip(), place)

    def _on_user_message(self, data: Data, row: EventRow, place: Place) -> None:
        self._asked = place.ts
        text = data.content if isinstance(data.content, str) else text_in(data.content)
        is_typed = data.source in (None, "user") and not data.isAutopilotContinuation
        if text.strip() and is_typed and not self._speaker(data, row).is_sidechain:
            self._prompt = self._key(row.id)
            self._emitter.prompt(Prompt(id=self._prompt, place=place, text=text))

    def _on_assistant_message(self, data: Data, row: EventRow, place: Place) -> None:
        message = str(data.messageId or row.id)
        if message in self._seen:
            return
        self._seen[message] = None
        model, output = short(data.model) or self._model, whole_number(data.outputTokens) or 0
        self._account.message(model, output)
        self._emitter.response(
            Response(
                key=self._key(message),
                place=place,
                speaker=self._speaker(data, row),
                model=model,
                tokens=Tokens(output=output),
                requested_at=self._asked,
                prompt_id=self._prompt,
                effort=self._effort,
            )
        )

    def _on_session_shutdown(self, data: Data, row: EventRow, place: Place) -> None:
        if str(row.id) in self._closed:
            return
        for bill in self._account.closed(data.modelMetrics):
            self._closed[str(row.id)] = None
            self._emitter.response(
                Response(
                    key=f"{self._key(row.id)}:{bill.model}",
                    place=place,
                    speaker=Speaker(version=self._version, branch=self._branch),
                    model=short(bill.model),
                    tokens=bill.tokens,
                    kind=ResponseKind.ACCOUNT,
                )
            )

    def _on_session_compaction_complete(self, data: Data, row: EventRow, place: Place) -> None:
        if data.success and str(row.id) not in self._closed:
            self._closed[str(row.id)] = None
            self._account.begin_anew()
            amount = whole_number(data.preCompactionTokens)
            self._notice(NoticeKind.COMPACTION, row, place, None, amount)

    def _on_session_error(self, data: Data, row: EventRow, place: Place) -> None:
        self._notice(NoticeKind.ERROR, row, place, data.message if isinstance(data.message, str) else None)

    def _on_abort(self, data: Data, row: EventRow, place: Place) -> None:
        self._notice(NoticeKind.INTERRUPT, row, place, short(data.reason))

    def _on_subagent_started(self, data: Data, row: EventRow, place: Place) -> None:  # noqa: ARG002
        call = short(data.toolCallId)
        if call is None:
            return
        name = short(data.agentName)
        if name is not None:
            self._names[call] = name
        description = data.agentDescription if isinstance(data.agentDescription, str) else None
        self._emitter.subagent(
            Subagent(id=f"{self._session}:{call}", type=name, description=description, call_id=self._key(call))
        )

    def _on_tool_execution_start(self, data: Data, row: EventRow, place: Place) -> None:
        call = short(data.toolCallId)
        if call is None:
            return
        given = data.arguments if isinstance(data.arguments, dict) else {}
        name = short(data.toolName) or "(unnamed)"
        server = short(data.mcpServerName)
        is_subagent = name == _SUBAGENT_TOOL
        kind = ToolKind.MCP if server else ToolKind.SUBAGENT if is_subagent else ToolKind.TOOL
        command = given.get("command")
        self._emitter.tool_call(
            ToolCall(
                id=self._key(call),
                place=place,
                speaker=self._speaker(data, row),
                name=name,
                kind=kind,
                mcp_server=server,
                given=given,
                subagent_type=short(given.get("agent_type")) if is_subagent else None,
                skill=short(given.get("skill") or given.get("name")) if name == "skill" else None,
                is_builtin=is_subagent and given.get("agent_type") == _GENERAL,
                prompt_id=self._prompt,
                script=command if name == _SHELL and isinstance(command, str) else None,
            )
        )

    def _on_tool_execution_complete(self, data: Data, row: EventRow, place: Place) -> None:  # noqa: ARG002
        call = short(data.toolCallId)
        if call is None:
            return
        self._asked = place.ts
        text = _words(data.error) if data.success is False else _words(data.result)
        self._emitter.tool_result(
            ToolResult(
                call_id=self._key(call),
                place=place,
                is_error=data.success is False,
                text=text,
                size=len(text.encode("utf-8", "replace")),
                denial=_denial(data.error),
                subagent_id=f"{self._session}:{call}" if call in self._names else None,
                lines=_lines(data.toolTelemetry),
            )
        )

    def _notice(
        self, kind: NoticeKind, row: EventRow, place: Place, text: str | None, amount: int | None = None
    ) -> None:
        self._emitter.notice(Notice(id=self._key(row.id), place=place, kind=kind, text=text, amount=amount))


def _words(value: Any) -> str:
    """What a result or an error says: a text, or an object with one."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        said = next((value[name] for name in ("content", "message") if isinstance(value.get(name), str)), None)
        return said if said is not None else json.dumps(value, default=str)
    return ""


def _lines(telemetry: Any) -> ChangedLines | None:
    """What a call that changed files counted."""
    return lines_told(telemetry.get("metrics") if isinstance(telemetry, dict) else None, "linesAdded", "linesRemoved")


def _denial(error: Any) -> str | None:
    """Why a call was not allowed, if it was refused."""
    code = error.get("code") if isinstance(error, dict) else None
    return short(code) if code in ("denied", "rejected") else None
