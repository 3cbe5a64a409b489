"""Claude Code transcripts: from lines to rows. The rules are those of docs/counting.md."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from ...access import accesses_of, error_line, may_count_rows, rows_in
from ...agnes.shell_actions import sync_action_in
from ...batch import Batch
from ...jsonl import Unusable, reader_of, value_in
from ...projects import folder_of, project_of
from ...shapes import Tally
from ...text import first_line, kept, short
from ..numbers import dollars
from ..source import SourceFile, State
from ..times import SessionLabels, parse_time
from .answered import Answered
from .keys import AGENT, Place, Who, copy_signs_of, is_copied, is_unique, row_key
from .known import KNOWN_BLOCKS, KNOWN_NAMES, KNOWN_SUBTYPES, KNOWN_TYPES
from .own_total import own_totals_in
from .rows import AgentResult, Block, Iteration, Message, Row, Usage
from .text import (
    NOTIFICATION,
    command_in,
    denial_of,
    is_interrupt,
    queued_in,
    report_in,
    text_of,
    typed_in,
    typed_line,
)
from .tools import class_of, detail_of
from .usage import compacted, count_of, declined_in, effort_of, extras_of, shown_bytes, tokens_of, whole_number

TEXT_CHARS = 500
ODD_CHARS = 80
ODD_KINDS = 200

SYNTHETIC = "<synthetic>"
"""The model of rows that Claude Code writes itself, mostly errors."""

_rows = reader_of(Row, KNOWN_NAMES)
_ROWS_HINT_BYTES = 800
_agent_result = msgspec.json.Decoder(AgentResult).decode


class ClaudeParser:
    """Reads one stretch of one transcript file into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._path = str(file.path)
        self._whose = {"agent": AGENT, "machine": file.machine, "username": file.username}
        self._file_agent = _agent_in(file)
        self._home = file.session_id if self._file_agent is not None else None
        """The session whose folder a sub-agent's file lies in; None if it lies in none."""
        self._strays: set[str] = set()
        self._batch = batch
        self._last_ts: int | None = state.get("last_ts")
        self._first_ts: int | None = state.get("first_ts")
        """The time of the first row of the file that has one, which need not be the earliest."""
        self._asked: dict[str, int] = dict(state.get("asked", {}))
        self._answered = Answered(state.get("answered", {}))
        self._prompt: str | None = state.get("prompt")
        self._session: str | None = state.get("session")
        self._was_untimed = bool(state.get("untimed"))
        self._untimed: list[tuple[dict[str, Any], str]] = []
        self._calls: dict[str, dict[str, Any]] = {}
        """Rows of tool calls in this stretch that have no result yet."""
        self._sessions = SessionLabels()
        self._odd: Counter[str] = Counter()
        self._tally: Tally = {}
        self._first_pos: int | None = None

    # -- the stretch ---------------------------------------------------------------------------------------------

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        if self._first_pos is None:
            self._first_pos = pos
        row = _rows.plain(line, self._tally)
        if row is not None:
            self._row(row, line, pos)
            return
        for found in _rows.find(line, self._note):
            if isinstance(found.row, Unusable):
                self.reject(pos + found.offset, len(found.data), str(found.row))
            else:
                self._row(found.row, found.data, pos + found.offset)

    def reject(self, pos: int, length: int, reason: str) -> None:
        """Note a line that cannot be used. `pos` and `length` are bytes."""
        self._batch.add("rejects", {"path": self._path, "pos": pos, "length": length, "reason": reason})

    def finish(self) -> State:
        """Add labels, activity and unknowns; the state for the next stretch."""
        for session in self._strays:
            self._batch.add("strays", {"session_id": session, "home": self._home, "path": self._path})
        self._sessions.write(self._batch, self._path, self._whose)
        for what, count in _rows.told(self._tally):
            self._note(what, count)
        for what, count in self._odd.items():
            self._batch.add("unknowns", {"path": self._path, "pos": self._first_pos, "what": what, "count": count})
        state: State = {
            "first_ts": self._first_ts,
            "last_ts": self._last_ts,
            "asked": self._asked,
            "session": self._session,
            "answered": self._answered.state(),
        }
        if self._prompt is not None:
            state["prompt"] = self._prompt
        if self._last_ts is None and (self._untimed or self._sessions.waits or self._was_untimed):
            state["untimed"] = True
        return state

    def _note(self, what: str, count: int = 1) -> None:
        """Count something without a rule. However wild a file is, what is kept of it stays small."""
        name = kept(what, ODD_CHARS)
        self._odd[name if name in self._odd or len(self._odd) < ODD_KINDS else "anything else"] += count

    def _add(self, table: str, row: dict[str, Any], *times: str) -> None:
        """Add a row; where the file has shown no time yet, its columns `times` wait for the first one."""
        if self._last_ts is None:
            self._untimed += [(row, column) for column in times if row.get(column) is None]
        self._batch.add(table, row)

    def _clock(self, own_ts: int) -> None:
        if self._last_ts is None:
            for row, column in self._untimed:
                row[column] = own_ts
            self._untimed.clear()
            self._sessions.begin(own_ts)
            self._first_ts = own_ts
        self._last_ts = own_ts

    # -- one row -------------------------------------------------------------------------------------------------

    def _row(self, row: Row, data: bytes, pos: int) -> None:
        own_ts = parse_time(row.timestamp)
        if own_ts is not None:
            self._clock(own_ts)
        session = row.sessionId if isinstance(row.sessionId, str) and row.sessionId else None
        signs = copy_signs_of(row, own_ts, self._first_ts)
        place = Place(session, self._last_ts, own_ts, pos, data, is_copied(row), signs)
        if session is not None:
            self._session = self._session or session
            self._label(row, session, pos)
        kind = row.type
        if kind == "assistant" or kind == "user":
            if session is not None and own_ts is not None:
                self._sessions.seen(session, own_ts)
            self._message_row(row, place)
        elif isinstance(kind, str) and (read := _OTHER_ROWS.get(kind)) is not None:
            read(self, row, place)
        elif not isinstance(kind, str) or kind not in KNOWN_TYPES:
            self._note(f"row type {kind}")

    def _label(self, row: Row, session: str, pos: int) -> None:
        ts, sessions = self._last_ts, self._sessions
        is_main = not row.isSidechain and self._file_agent is None
        if is_main and isinstance(row.cwd, str) and sessions.is_first(session, "cwd", ts, pos):
            sessions.first(session, "cwd", (ts, pos, row.cwd))
            sessions.first(session, "project", (ts, pos, project_of(row.cwd)))
        custom = row.title if row.customTitle is None and row.type == "custom-title" else row.customTitle
        guessed = row.title if row.aiTitle is None and row.type == "ai-title" else row.aiTitle
        if custom or guessed:
            sessions.last(session, ts, pos, (("custom_title", custom), ("ai_title", guessed)))
        if isinstance(row.forkedFrom, dict):
            sessions.last(session, ts, pos, (("forked_from", row.forkedFrom.get("sessionId")),))
        sessions.row(session, ts, pos, row.gitBranch, row.version, row.uuid)

    def _own_total(self, _: Row, place: Place) -> None:
        """Keep what Claude Code itself says that the session took so far."""
        for told in own_totals_in(place.data, self._note) if place.session is not None else ():
            fact = {"session_id": place.session, "ts": place.ts, "path": self._path, "pos": place.pos}
            self._add("own_totals", fact | told, "ts")

    def _worktree(self, row: Row, place: Place) -> None:
        """Note whose worktree a session works in, where its folder does not show that."""
        session = place.session
        if session is None:
            return
        told = row.worktreeSession
        if not isinstance(told, dict):
            return
        folder, original = told.get("worktreePath"), told.get("originalCwd")
        if isinstance(folder, str) and folder and isinstance(original, str) and original:
            folder, project = folder_of(folder), project_of(original)
            if project_of(folder) == folder != project:
                fact = {"session_id": session, "folder": folder, "path": self._path, "pos": place.pos}
                self._add("worktrees", fact | {"ts": place.ts, "project": project}, "ts")

    def _summary(self, row: Row, place: Place) -> None:
        if isinstance(row.leafUuid, str) and isinstance(row.summary, str):
            self._batch.add(
                "summaries", {"leaf_uuid": row.leafUuid, "path": self._path, "pos": place.pos, "summary": row.summary}
            )

    def _here(self, place: Place) -> dict[str, Any]:
        """The columns that say where and when a fact was told."""
        return {
            "ts": place.ts,
            "path": self._path,
            "pos": place.pos,
            "is_copy": place.is_copy,
            "copy_signs": place.copy_signs,
            "session_id": place.session,
            **self._whose,
            **self._stray(place),
        }

    def _stray(self, place: Place, prefix: str = "") -> dict[str, Any]:
        """Of a sub-agent's row that names another session than the one in whose folder it lies: both."""
        if self._home is None or place.session is None or place.session == self._home:
            return {}
        self._strays.add(place.session)
        return {f"{prefix}named_session_id": place.session, f"{prefix}home_session_id": self._home}

    # -- messages ------------------------------------------------------------------------------------------------

    def _message_row(self, row: Row, place: Place) -> None:
        message = row.message or Message()
        agent = row.agentId if isinstance(row.agentId, str) else self._file_agent
        is_sidechain = bool(row.isSidechain) or self._file_agent is not None
        if row.type == "assistant":
            who = Who(agent, short(row.attributionAgent), is_sidechain, short(row.version), short(row.gitBranch))
            self._assistant(message, row.requestId, row.uuid, place, who, row)
        else:
            self._results(row, message, place)
            is_prompt = self._prompt_row(row, message, place)
            self._answered.asked(_asked_of(agent, is_sidechain), row_key(row.uuid, place), is_prompt=is_prompt)
            if place.own_ts is not None:
                self._asked[agent or ""] = place.own_ts

    def _progress(self, row: Row, place: Place) -> None:
        inner = row.data.message if row.data is not None else None
        if row.data is None or inner is None or inner.message is None:
            return
        agent = row.data.agentId if isinstance(row.data.agentId, str) else None
        own = parse_time(inner.timestamp)
        place = msgspec.structs.replace(place, ts=place.ts if own is None else own, embedded=True)
        if inner.type == "assistant":
            who = Who(agent=agent, sidechain=True, version=short(row.version))
            self._assistant(inner.message, inner.requestId, inner.uuid, place, who, Row())
        elif inner.type == "user":
            self._results(Row(), inner.message, place)
            self._answered.asked(_asked_of(agent, True), row_key(inner.uuid, place), is_prompt=False)

    def _assistant(self, message: Message, request: Any, uuid: Any, place: Place, who: Who, row: Row) -> None:
        if message.model == SYNTHETIC or row.isApiErrorMessage:
            self._event("api_error", uuid, place, first_line(text_of(message.content), TEXT_CHARS))
        key = self._response_key(message, request, place, uuid, who)
        if message.model != SYNTHETIC and (not place.embedded or message.usage is not None):
            self._response(key, message, place, who, row)
        for block in self._blocks(message):
            if block.type == "tool_use" and isinstance(block.id, str) and block.id:
                self._tool_use(block, block.id, key, place, who)

    def _response_key(self, message: Message, request: Any, place: Place, uuid: Any, who: Who) -> str:
        """The key of a response; without an id the row is its own response.

        Gateways reuse their ids: those are told apart by the request, else by what they answer.
        """
        if message.id is None:
            return row_key(uuid, place)
        name = str(message.id)
        if is_unique(name):
            return name
        if request is not None:
            return f"{name}\x1f{request}"
        asked = self._answered.row_of(_asked_of(who.agent, who.sidechain), name, message.usage)
        return f"{name}\x1f\x1f{place.session if asked is None else asked}"

    def _blocks(self, message: Message) -> list[Block]:
        """The blocks of a message; none if it is plain text."""
        if not isinstance(message.content, list):
            return []
        for block in message.content:
            if not isinstance(block.type, str) or block.type not in KNOWN_BLOCKS:
                self._note(f"content block {block.type}")
        return message.content

    def _response(self, key: str, message: Message, place: Place, who: Who, row: Row) -> None:
        usage = message.usage or Usage()
        fact = {
            **self._here(place),
            "key": key,
            "kind": "turn",
            "embedded": place.embedded,
            "agent_id": who.agent,
            "agent_name": who.name,
            "is_sidechain": who.sidechain,
            "model": short(message.model) or "unknown",
            "version": who.version,
            "git_branch": who.branch,
            "requested_at": None if place.embedded else self._asked.get(who.agent or ""),
            "prompt_id": self._prompt,
            "effort": effort_of(row, message),
            "attributed_plugin": short(row.attributionPlugin),
            "attributed_skill": short(row.attributionSkill),
            "attributed_mcp_server": short(row.attributionMcpServer),
            "attributed_mcp_tool": short(row.attributionMcpTool),
            "is_api_error": bool(row.isApiErrorMessage),
            "stop_reason": short(message.stop_reason),
            "shown_bytes": shown_bytes(message),
            "logged_cost_usd": dollars(row.costUSD),
            **self._usage(usage),
        }
        if message.diagnostics is not None and (miss := message.diagnostics.cache_miss_reason) is not None:
            fact["cache_miss_reason"] = short(miss.type)
            fact["cache_missed_tokens"] = whole_number(miss.cache_missed_input_tokens)
        self._add("responses", fact, "ts")
        if usage.iterations:
            self._extras(fact, message, usage)

    def _extras(self, fact: dict[str, Any], message: Message, usage: Usage) -> None:
        """Responses and bills that the counts of a response leave out, beside the response itself."""
        for kind, number, named, entry in extras_of(usage, self._note):
            model = short(named) or (fact["model"] if kind == "compaction" else declined_in(message)) or "unknown"
            extra = {
                "key": f"{fact['key']}:{kind}:{number}",
                "kind": kind,
                "model": model,
                "stop_reason": kind,
                "shown_bytes": 0,
                "logged_cost_usd": None,
                "cache_miss_reason": None,
                "cache_missed_tokens": None,
                **self._usage(entry),
            }
            # The same request went on, with what it had asked for; an entry does not repeat that.
            extra["inference_geo"] = short(entry.inference_geo) or fact["inference_geo"]
            if model == fact["model"]:
                extra["speed"] = short(entry.speed) or fact["speed"]
                extra["service_tier"] = short(entry.service_tier) or fact["service_tier"]
            self._add("responses", fact | extra, "ts")

    def _usage(self, usage: Iteration) -> dict[str, Any]:
        searches = usage.server_tool_use.web_search_requests if usage.server_tool_use is not None else None
        details = usage.output_tokens_details
        return {
            **tokens_of(usage, self._note),
            "reasoning_tokens": whole_number(details.thinking_tokens) if details is not None else None,
            "web_searches": count_of(searches, self._note),
            "speed": short(usage.speed) or "standard",
            "service_tier": short(usage.service_tier) or "standard",
            "inference_geo": short(usage.inference_geo),
        }

    # -- tools ---------------------------------------------------------------------------------------------------

    def _tool_use(self, block: Block, call: str, key: str, place: Place, who: Who) -> None:
        name = short(block.name) or "(unnamed)"
        given = value_in(block.input)
        given = given if isinstance(given, dict) else {}
        kind = class_of(name)
        fact = {
            **self._here(place),
            "id": call,
            "embedded": place.embedded,
            "agent_id": who.agent,
            "is_sidechain": who.sidechain,
            "name": name,
            "class": kind,
            "subagent_type": short(given.get("subagent_type")) if kind == "subagent" else None,
            "skill": short(given.get("skill") or given.get("name")) if name == "Skill" else None,
            "detail": detail_of(name, given),
            "response_key": key,
            "prompt_id": self._prompt,
        }
        self._add("tool_calls", fact, "ts")
        self._calls[call] = fact
        for number, access in enumerate(accesses_of(name, given)):
            fact = self._here(place) | {
                "id": f"{call}:{number}",
                "seen_in": "transcript",
                "call_id": call,
                "action": access.action,
                "resource": access.resource,
                "command": access.command,
                "sql": access.sql,
                "tables_read": list(access.tables_read),
                "tables_written": list(access.tables_written),
                "statement": access.statement,
                "dialect": access.dialect,
            }
            self._add("accesses", fact, "ts")
        synced = sync_action_in(name, given)
        if synced is not None:
            action, script = synced
            fact = self._here(place) | {
                "id": f"call:{call}",
                "action": action,
                "source": "transcript",
                "detail": first_line(script, TEXT_CHARS),
                "call_id": call,
            }
            self._add("sync_actions", fact, "ts")

    def _results(self, row: Row, message: Message, place: Place) -> None:
        for block in self._blocks(message):
            if block.type == "tool_result" and isinstance(block.tool_use_id, str):
                self._add_result(self._result(row, block, place))

    def _add_result(self, result: dict[str, Any]) -> None:
        # Call and result are columns of their own: in one row there is half as much to load.
        call = self._calls.pop(result["id"], None)
        if call is not None and self._last_ts is not None:
            self._batch.complete("tool_calls", call, result)
        else:
            self._add("tool_calls", result, "result_ts")

    def _result(self, row: Row, block: Block, place: Place) -> dict[str, Any]:
        raw = bytes(block.content)
        failed = block.is_error is True
        fact: dict[str, Any] = {
            "id": block.tool_use_id,
            "result_embedded": place.embedded,
            "is_error": failed,
            "result_ts": place.ts,
            "result_path": self._path,
            "result_pos": place.pos,
            "result_is_copy": place.is_copy,
            "result_copy_signs": place.copy_signs,
            "result_session_id": place.session,
            **self._stray(place, "result_"),
            "result_bytes": max(0, len(raw) - 2),
        }
        if failed:
            text = text_of(value_in(block.content))
            fact["error_text"] = error_line(text)
            fact["denial"] = denial_of(row, text)
        elif may_count_rows(raw[-_ROWS_HINT_BYTES:]):
            fact["result_rows"] = whole_number(rows_in(text_of(value_in(block.content))))
        if b'"agentId"' in bytes(row.toolUseResult):
            try:
                agent = _agent_result(row.toolUseResult)
            except (msgspec.DecodeError, RecursionError):
                return fact
            fact["spawned_agent_id"] = short(agent.agentId)
            fact["spawned_status"] = short(agent.status)
            fact["spawned_tokens"] = whole_number(agent.totalTokens)
            fact["spawned_ms"] = whole_number(agent.totalDurationMs)
            fact["report_chars"] = len(text_of(value_in(block.content)))
        return fact

    # -- people --------------------------------------------------------------------------------------------------

    def _prompt_row(self, row: Row, message: Message, place: Place) -> bool:
        """Keep what a person did in a user row; whether it is a prompt."""
        text = text_of(message.content)
        if NOTIFICATION in text:
            self._notified(text, place)
        if is_interrupt(text):
            self._event("interrupt", row.uuid, place, first_line(text, TEXT_CHARS))
        if row.isMeta:
            return False
        command = command_in(text)
        if command is not None:
            self._add_prompt(row, place, "command", command=command)
        elif self._file_agent is None and (typed := typed_in(row, message.content)) is not None:
            self._typed(row, place, typed, short(row.promptSource))
            return True
        return False

    def _attached(self, row: Row, place: Place) -> None:
        if row.attachment is not None and row.attachment.type == "queued_command":
            text = text_of(value_in(row.attachment.prompt))
            if NOTIFICATION in text:
                self._notified(text, place)
        typed = queued_in(row) if self._file_agent is None else None
        if typed is not None:
            self._typed(row, place, typed, "queued")
            self._answered.asked(_asked_of(None, False), row_key(row.uuid, place), is_prompt=True)

    def _typed(self, row: Row, place: Place, text: str, source: str | None) -> None:
        self._prompt = self._add_prompt(row, place, "prompt", text=typed_line(text, TEXT_CHARS), source=source)

    def _system(self, row: Row, place: Place) -> None:
        text = text_of(value_in(row.content))
        if row.subtype == "compact_boundary":
            self._event("compact", row.uuid, place, first_line(text, TEXT_CHARS), **compacted(row))
        elif row.subtype == "turn_duration":
            self._event("turn", row.uuid, place, None, amount=count_of(row.durationMs, self._note, "duration"))
        elif row.subtype == "api_error":
            self._event("api_error", row.uuid, place, first_line(text, TEXT_CHARS))
        elif row.subtype is not None and str(row.subtype) not in KNOWN_SUBTYPES:
            self._note(f"system row {row.subtype}")
        command = None if row.isMeta else command_in(text)
        if command is not None:
            self._add_prompt(row, place, "command", command=command)

    def _add_prompt(self, row: Row, place: Place, kind: str, **said: str | None) -> str:
        key = row_key(row.uuid, place)
        self._add("prompts", self._here(place) | {"id": key, "kind": kind} | said, "ts")
        return key

    def _event(self, kind: str, uuid: Any, place: Place, text: str | None, **more: Any) -> None:
        fact = self._here(place) | {"id": row_key(uuid, place), "kind": kind, "text": text} | more
        self._add("events", fact, "ts")

    def _queued(self, row: Row, place: Place) -> None:
        text = value_in(row.content)
        if isinstance(text, str) and NOTIFICATION in text:
            self._notified(text, place)

    def _notified(self, text: str, place: Place) -> None:
        """What a notification says that a sub-agent in the background took, whose own file may be nowhere."""
        report = report_in(text)
        if report is not None:
            where = {"reported_ts": place.ts, "reported_path": self._path, "reported_pos": place.pos}
            self._add("agents", report | where, "reported_ts")


_OTHER_ROWS = {
    "attachment": ClaudeParser._attached,
    "cost-state": ClaudeParser._own_total,
    "progress": ClaudeParser._progress,
    "queue-operation": ClaudeParser._queued,
    "summary": ClaudeParser._summary,
    "system": ClaudeParser._system,
    "worktree-state": ClaudeParser._worktree,
}
"""Types of rows besides those of a user and an assistant -> what reads them."""


def _asked_of(agent: str | None, is_sidechain: bool) -> str:
    """Who is asked, and answers: a sub-agent, one without a name, or the session itself."""
    return agent or ("(side)" if is_sidechain else "")


def _agent_in(file: SourceFile) -> str | None:
    return file.path.stem.removeprefix("agent-") if file.path.name.startswith("agent-") else None
