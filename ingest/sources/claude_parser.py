"""Claude Code transcripts: from lines to rows. The rules are those of docs/counting.md."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from ..access import accesses_of, error_line, rows_in
from ..agnes.actions import sync_action_of
from ..batch import Batch, micros
from ..jsonl import Unusable, reader_of
from ..projects import project_of
from .base import SourceFile, State
from .claude_rows import KNOWN_TYPES, AgentResult, Block, Iteration, Message, Row, Usage
from .claude_tools import class_of, detail_of

ACTIVITY_GAP = 600_000_000
"""Microseconds: rows further apart belong to different spans of activity."""

TITLE_CHARS = 300
TEXT_CHARS = 500

PLACEHOLDER_OUTPUT = 5
"""Output counts up to this, on a response without a stop reason, are placeholders of an unfinished stream."""

_NOT_TYPED = (
    "<local-command-",
    "<bash-input>",
    "<bash-stdout>",
    "<bash-stderr>",
    "<task-notification>",
    "<command-message>",
)
_COMMAND = re.compile(r"<command-name>\s*/?([^<\s]*)")
_read_rows = reader_of(Row)
_agent_result = msgspec.json.Decoder(AgentResult).decode
_any = msgspec.json.Decoder().decode


class ClaudeParser:
    """Reads one stretch of one transcript file into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._path = str(file.path)
        self._username = file.username
        self._file_agent = _agent_in(file)
        self._batch = batch
        self._last_ts: int | None = state.get("last_ts")
        self._asked: dict[str, int] = dict(state.get("asked", {}))
        self._prompt: str | None = state.get("prompt")
        self._session: str | None = state.get("session")
        self._cwd: str | None = state.get("cwd")
        self._untimed: list[dict[str, Any]] = []
        self._was_untimed = bool(state.get("untimed"))
        self._unknown: Counter[str] = Counter()
        self._times: dict[str, list[int]] = {}
        self._firsts: dict[tuple[str, str], tuple[int, int, str]] = {}
        self._lasts: dict[tuple[str, str], tuple[int, int, str]] = {}
        self._first_pos: int | None = None

    # -- the stretch ---------------------------------------------------------------------------------------------

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        if self._first_pos is None:
            self._first_pos = pos
        # Two rows on a line must not share a place: the order of lines decides ties.
        for part, row in enumerate(_read_rows(line)):
            if isinstance(row, Unusable):
                self.reject(pos + part, len(line), str(row))
            else:
                self._row(row, line, pos + part)

    def reject(self, pos: int, length: int, reason: str) -> None:
        """Note a line that cannot be used. `pos` and `length` are bytes."""
        self._batch.add("rejects", {"path": self._path, "pos": pos, "length": length, "reason": reason})

    def finish(self) -> State:
        """Add labels, activity and unknowns; the state for the next stretch."""
        for (session, kind), (ts, pos, value) in self._firsts.items():
            self._label("session_firsts", session, kind, ts, pos, value)
        for (session, kind), (ts, pos, value) in self._lasts.items():
            self._label("session_lasts", session, kind, ts, pos, value)
        for session, times in self._times.items():
            for start, end in spans(times):
                self._batch.add("activity", {"session_id": session, "started_at": start, "ended_at": end})
        for what, count in self._unknown.items():
            self._batch.add("unknowns", {"path": self._path, "pos": self._first_pos, "what": what, "count": count})
        state: State = {"last_ts": self._last_ts, "asked": self._asked, "session": self._session}
        if self._prompt is not None:
            state["prompt"] = self._prompt
        if self._cwd is not None:
            state["cwd"] = self._cwd
        if self._untimed or (self._was_untimed and self._last_ts is None):
            state["untimed"] = True
        return state

    def _label(self, table: str, session: str, kind: str, ts: int, pos: int, value: str) -> None:
        row = {"session_id": session, "kind": kind, "path": self._path, "pos": pos, "value": value}
        if ts >= 0:
            row["ts"] = ts
        self._batch.add(table, row)

    # -- one row -------------------------------------------------------------------------------------------------

    def _row(self, row: Row, line: bytes, pos: int) -> None:
        kind = row.type
        own_ts = parse_time(row.timestamp)
        if own_ts is not None:
            if self._last_ts is None:
                for waiting in self._untimed:
                    waiting["ts"] = own_ts
                self._untimed.clear()
            self._last_ts = own_ts
        session = row.sessionId if isinstance(row.sessionId, str) and row.sessionId else None
        if session is not None:
            self._session = self._session or session
            self._note_session(row, session, pos)
        if kind == "assistant" or kind == "user":
            if session is not None and own_ts is not None:
                self._times.setdefault(session, []).append(own_ts)
            place = _Place(session, self._ts(own_ts), own_ts, pos, line)
            self._message_row(row, place)
        elif kind == "progress":
            self._progress(row, _Place(session, self._ts(own_ts), own_ts, pos, line, embedded=True))
        elif kind == "system":
            self._system(row, _Place(session, self._ts(own_ts), own_ts, pos, line))
        elif kind == "summary":
            if isinstance(row.leafUuid, str) and isinstance(row.summary, str):
                self._batch.add(
                    "summaries",
                    {
                        "leaf_uuid": row.leafUuid,
                        "path": self._path,
                        "pos": pos,
                        "summary": row.summary[:TITLE_CHARS],
                    },
                )
        elif not isinstance(kind, str) or kind not in KNOWN_TYPES:
            self._unknown[f"row type {str(kind)[:60]}"] += 1

    def _ts(self, own: int | None) -> int | None:
        return own if own is not None else self._last_ts

    def _add(self, table: str, row: dict[str, Any]) -> None:
        if row.get("ts") is None and self._last_ts is None:
            self._untimed.append(row)
        self._batch.add(table, row)

    def _note_session(self, row: Row, session: str, pos: int) -> None:
        ts = self._last_ts if self._last_ts is not None else -1
        firsts, lasts = self._firsts, self._lasts
        if row.cwd is not None and not row.isSidechain and self._file_agent is None and isinstance(row.cwd, str):
            self._cwd = row.cwd
            known = firsts.get((session, "cwd"))
            if known is None or (ts, pos) < known[:2]:
                firsts[session, "cwd"] = (ts, pos, row.cwd)
                firsts[session, "project"] = (ts, pos, project_of(row.cwd))
        for kind, value in (
            ("git_branch", row.gitBranch),
            ("version", row.version),
            ("leaf", row.uuid),
            (
                "custom_title",
                row.customTitle if row.customTitle is not None else self._title(row, "custom-title"),
            ),
            ("ai_title", row.aiTitle if row.aiTitle is not None else self._title(row, "ai-title")),
        ):
            if isinstance(value, str) and value:
                known = lasts.get((session, kind))
                if known is None or (ts, pos) > known[:2]:
                    lasts[session, kind] = (ts, pos, value[:TITLE_CHARS])

    @staticmethod
    def _title(row: Row, kind: str) -> Any:
        return row.title if row.type == kind else None

    # -- messages ------------------------------------------------------------------------------------------------

    def _message_row(self, row: Row, place: _Place) -> None:
        message = row.message or Message()
        agent = row.agentId if isinstance(row.agentId, str) else self._file_agent
        who = _Who(
            agent=agent,
            name=row.attributionAgent if isinstance(row.attributionAgent, str) else None,
            sidechain=bool(row.isSidechain) or self._file_agent is not None,
            version=row.version if isinstance(row.version, str) else None,
            branch=row.gitBranch if isinstance(row.gitBranch, str) else None,
        )
        if row.type == "assistant":
            self._assistant(message, row.requestId, row.uuid, place, who, row)
        else:
            self._results(row, message, place)
            self._prompt_row(row, message, place)
            if place.own_ts is not None:
                self._asked[who.agent or ""] = place.own_ts

    def _progress(self, row: Row, place: _Place) -> None:
        inner = row.data.message if row.data is not None else None
        if inner is None or inner.message is None:
            return
        own = parse_time(inner.timestamp)
        if own is not None:
            place = _Place(place.session, own, own, place.pos, place.line, embedded=True)
        if inner.type == "assistant":
            agent = row.data.agentId if row.data is not None and isinstance(row.data.agentId, str) else None
            who = _Who(agent=agent, sidechain=True, version=row.version if isinstance(row.version, str) else None)
            self._assistant(inner.message, inner.requestId, inner.uuid, place, who, Row())
        elif inner.type == "user":
            self._results(Row(), inner.message, place)

    def _assistant(self, message: Message, request: Any, uuid: Any, place: _Place, who: _Who, row: Row) -> None:
        text = None
        if message.model == "<synthetic>" or row.isApiErrorMessage:
            text = first_line(text_of(message.content), TEXT_CHARS)
            self._event("api_error", uuid, place, text)
        if message.model == "<synthetic>":
            return
        key = response_key(message.id, request, place, uuid)
        if not place.embedded or message.usage is not None:
            self._response(key, message, place, who, row)
        if isinstance(message.content, list):
            for block in message.content:
                if block.type == "tool_use" and isinstance(block.id, str) and block.id:
                    self._tool_use(block, key, place, who)

    def _response(self, key: str, message: Message, place: _Place, who: _Who, row: Row) -> None:
        usage = message.usage or Usage()
        asked = self._asked.get(who.agent or "")
        fact: dict[str, Any] = {
            "key": key,
            "embedded": place.embedded,
            "ts": place.ts,
            "path": self._path,
            "pos": place.pos,
            "session_id": place.session,
            "username": self._username,
            "agent_id": who.agent,
            "agent_name": who.name,
            "is_sidechain": who.sidechain,
            "model": message.model if isinstance(message.model, str) and message.model else "unknown",
            "version": who.version,
            "git_branch": who.branch,
            "requested_at": asked if not place.embedded else None,
            "prompt_id": self._prompt,
            "ended_at": place.ts,
            "is_api_error": bool(row.isApiErrorMessage),
        }
        fact |= self._usage(usage, place)
        stop = message.stop_reason if isinstance(message.stop_reason, str) else None
        fact["stop_reason"] = stop
        fact["output_undercounted"] = stop is None and 1 <= fact["output_tokens"] <= PLACEHOLDER_OUTPUT
        if isinstance(row.costUSD, int | float) and not isinstance(row.costUSD, bool):
            fact["logged_cost_usd"] = row.costUSD
        self._add("responses", fact)
        for number, part in enumerate(usage.iterations or ()):
            if part.type == "advisor_message":
                advisor = dict(fact, key=f"{key}:advisor:{number}", stop_reason="advisor", output_undercounted=False)
                advisor["model"] = part.model if isinstance(part.model, str) else "unknown"
                self._add("responses", advisor | self._usage(part, place))
            elif part.type not in ("message", "compaction", None):
                self._unknown[f"usage iteration {str(part.type)[:60]}"] += 1

    def _usage(self, usage: Iteration, place: _Place) -> dict[str, Any]:
        read = self._number(usage.cache_read_input_tokens)
        short, long = self._cache_writes(usage)
        tokens = self._number(usage.input_tokens), self._number(usage.output_tokens)
        searches = usage.server_tool_use.web_search_requests if usage.server_tool_use is not None else None
        return {
            "usage_embedded": place.embedded,
            "usage_ts": place.ts,
            "usage_path": self._path,
            "usage_pos": place.pos,
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "cache_read_tokens": read,
            "cache_write_5m_tokens": short,
            "cache_write_1h_tokens": long,
            "total_tokens": tokens[0] + tokens[1] + read + short + long,
            "web_searches": self._number(searches),
            "speed": usage.speed if isinstance(usage.speed, str) else "standard",
            "service_tier": usage.service_tier if isinstance(usage.service_tier, str) else "standard",
        }

    def _cache_writes(self, usage: Iteration) -> tuple[int, int]:
        flat = usage.cache_creation_input_tokens
        split = usage.cache_creation
        long = self._number(split.ephemeral_1h_input_tokens) if split is not None else 0
        if flat is None:
            return (self._number(split.ephemeral_5m_input_tokens) if split is not None else 0), long
        total = self._number(flat)
        long = min(long, total)
        return total - long, long

    def _number(self, value: Any) -> int:
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or value < 0 or value >= 2**53:
            self._unknown["token count that is no whole number"] += 1
            return 0
        return value

    # -- tools ---------------------------------------------------------------------------------------------------

    def _tool_use(self, block: Block, key: str, place: _Place, who: _Who) -> None:
        name = block.name if isinstance(block.name, str) and block.name else "(unnamed)"
        given = decoded(block.input)
        given = given if isinstance(given, dict) else {}
        kind = class_of(name)
        self._add(
            "tool_calls",
            {
                "id": block.id,
                "embedded": place.embedded,
                "ts": place.ts,
                "path": self._path,
                "pos": place.pos,
                "session_id": place.session,
                "username": self._username,
                "agent_id": who.agent,
                "is_sidechain": who.sidechain,
                "name": name,
                "class": kind,
                "subagent_type": _text(given.get("subagent_type")) if kind == "subagent" else None,
                "skill": _text(given.get("skill") or given.get("name")) if name == "Skill" else None,
                "detail": detail_of(name, given),
                "response_key": key,
                "prompt_id": self._prompt,
            },
        )
        for number, access in enumerate(accesses_of(name, given)):
            self._add(
                "accesses",
                {
                    "id": f"{block.id}:{number}",
                    "ts": place.ts,
                    "path": self._path,
                    "pos": place.pos,
                    "seen_in": "transcript",
                    "call_id": block.id,
                    "session_id": place.session,
                    "username": self._username,
                    "action": access.action,
                    "resource": access.resource,
                    "command": access.command,
                    "sql": access.sql,
                    "tables_read": list(access.tables_read),
                    "tables_written": list(access.tables_written),
                    "statement": access.statement,
                    "dialect": access.dialect,
                },
            )
        if name == "Bash":
            self._sync_action(block, given.get("command"), place)

    def _sync_action(self, block: Block, command: Any, place: _Place) -> None:
        action = sync_action_of(command) if isinstance(command, str) and "agnes" in command else None
        if action is not None:
            self._add(
                "sync_actions",
                {
                    "id": f"call:{block.id}",
                    "ts": place.ts,
                    "path": self._path,
                    "pos": place.pos,
                    "action": action,
                    "source": "transcript",
                    "detail": first_line(str(command), TEXT_CHARS),
                    "username": self._username,
                    "session_id": place.session,
                    "call_id": block.id,
                },
            )

    def _results(self, row: Row, message: Message, place: _Place) -> None:
        if not isinstance(message.content, list):
            return
        for block in message.content:
            if block.type == "tool_result" and isinstance(block.tool_use_id, str):
                self._batch.add("tool_calls", self._result(row, block, place))

    def _result(self, row: Row, block: Block, place: _Place) -> dict[str, Any]:
        raw = bytes(block.content)
        failed = block.is_error is True
        fact: dict[str, Any] = {
            "id": block.tool_use_id,
            "result_embedded": place.embedded,
            "is_error": failed,
            "result_ts": place.ts,
            "result_path": self._path,
            "result_pos": place.pos,
            "result_session_id": place.session,
            "result_bytes": max(0, len(raw) - 2),
        }
        if failed:
            text = text_of(decoded(block.content))
            fact["error_text"] = error_line(text)
            fact["denial"] = denial_of(row, text)
        elif b"row" in raw[-2000:]:
            fact["result_rows"] = rows_in(text_of(decoded(block.content)))
        told = bytes(row.toolUseResult)
        if b'"agentId"' in told:
            try:
                agent = _agent_result(told)
            except msgspec.DecodeError:
                return fact
            fact["spawned_agent_id"] = _text(agent.agentId)
            fact["spawned_status"] = _text(agent.status)
            fact["spawned_tokens"] = agent.totalTokens if isinstance(agent.totalTokens, int) else None
            fact["spawned_ms"] = agent.totalDurationMs if isinstance(agent.totalDurationMs, int) else None
            fact["report_chars"] = len(text_of(decoded(block.content)))
        return fact

    # -- people --------------------------------------------------------------------------------------------------

    def _prompt_row(self, row: Row, message: Message, place: _Place) -> None:
        content = message.content
        text = text_of(content)
        if text.startswith("[Request interrupted"):
            self._event("interrupt", row.uuid, place, first_line(text, TEXT_CHARS))
        if row.isMeta:
            return
        if "<command-name>" in text:
            self._command(row, place, text)
        elif is_typed(row, content, text):
            self._prompt = self._add_prompt(row, place, "prompt", None, first_line(text, TEXT_CHARS))

    def _system(self, row: Row, place: _Place) -> None:
        text = text_of(decoded(row.content))
        if row.subtype == "compact_boundary":
            self._event("compact", row.uuid, place, first_line(text, TEXT_CHARS))
        elif row.subtype == "turn_duration":
            self._event("turn", row.uuid, place, None, self._number(row.durationMs))
        elif row.subtype == "api_error":
            self._event("api_error", row.uuid, place, first_line(text, TEXT_CHARS))
        if not row.isMeta and "<command-name>" in text:
            self._command(row, place, text)

    def _command(self, row: Row, place: _Place, text: str) -> None:
        found = _COMMAND.search(text)
        self._add_prompt(row, place, "command", found[1][:120] if found else "", None)

    def _add_prompt(self, row: Row, place: _Place, kind: str, command: str | None, text: str | None) -> str:
        key = _id_of(row.uuid, place)
        self._add(
            "prompts",
            {
                "id": key,
                "ts": place.ts,
                "path": self._path,
                "pos": place.pos,
                "session_id": place.session,
                "username": self._username,
                "kind": kind,
                "command": command,
                "text": text,
            },
        )
        return key

    def _event(self, kind: str, uuid: Any, place: _Place, text: str | None, amount: int | None = None) -> None:
        self._add(
            "events",
            {
                "id": _id_of(uuid, place),
                "ts": place.ts,
                "path": self._path,
                "pos": place.pos,
                "session_id": place.session,
                "kind": kind,
                "text": text,
                "amount": amount,
            },
        )


class _Place(msgspec.Struct):
    """Where and when a row stands."""

    session: str | None
    ts: int | None
    own_ts: int | None
    pos: int
    line: bytes
    embedded: bool = False


class _Who(msgspec.Struct):
    """Who speaks in a row."""

    agent: str | None
    name: str | None = None
    sidechain: bool = False
    version: str | None = None
    branch: str | None = None


def parse_time(value: Any) -> int | None:
    """Microseconds since 1970 of an ISO time; without an offset it is UTC. None if it is no time."""
    if not isinstance(value, str):
        return None
    try:
        return micros(dt.datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return None


def spans(times: Sequence[int]) -> list[tuple[int, int]]:
    """Times in microseconds, in any order, as spans without a gap of more than ten minutes."""
    ordered = sorted(times)
    found = [(ordered[0], ordered[0])]
    for moment in ordered[1:]:
        start, end = found[-1]
        if moment - end > ACTIVITY_GAP:
            found.append((moment, moment))
        else:
            found[-1] = (start, moment)
    return found


def response_key(message_id: Any, request: Any, place: _Place, uuid: Any) -> str:
    """The key of a response.

    Ids of the Anthropic API (`msg_…`) are unique by themselves: a side question replays them under a new request id.
    Gateways reuse theirs, so those are told apart by request or session. Without an id the row is its own response.
    """
    if message_id is None:
        return _id_of(uuid, place)
    name = str(message_id)
    if name.startswith("msg_"):
        return name
    return f"{name}\x1f{request}" if request is not None else f"{name}\x1f\x1f{place.session}"


def _id_of(uuid: Any, place: _Place) -> str:
    if isinstance(uuid, str) and uuid:
        return uuid
    # The same line at the same place in a copy of the file is the same row; repeated further down it is another.
    return f"line:{place.pos}:{hashlib.blake2b(place.line, digest_size=12).hexdigest()}"


def is_typed(row: Row, content: Any, text: str) -> bool:
    """Whether a user row is what a person typed, and not a result, a note or a sub-agent's task."""
    if row.isSidechain or row.isCompactSummary or not content:
        return False
    if isinstance(content, list) and any(block.type == "tool_result" for block in content):
        return False
    return not text.startswith("[Request interrupted") and not text.lstrip().startswith(_NOT_TYPED)


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or its text blocks joined."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = []
    for block in content:
        if isinstance(block, Block):
            value = decoded(block.text) if block.type == "text" else None
        else:
            value = block.get("text") if isinstance(block, dict) and block.get("type") == "text" else None
        if isinstance(value, str):
            parts.append(value)
    return "".join(parts)


def decoded(raw: msgspec.Raw) -> Any:
    """The value in a raw field; None where there is none, or it cannot be read."""
    data = bytes(raw)
    if not data:
        return None
    try:
        return _any(data)
    except (msgspec.DecodeError, RecursionError):
        return None


def first_line(text: str, limit: int) -> str:
    """The first line with something on it, at most `limit` characters."""
    return text.lstrip()[: limit * 4].split("\n", 1)[0].strip()[:limit]


def denial_of(row: Row, text: str) -> str | None:
    """Why a tool call was not allowed, or None if it was. Older versions say so only in words."""
    if isinstance(row.toolDenialKind, str):
        return row.toolDenialKind[:60]
    if text.startswith("The user doesn't want to proceed with this tool use"):
        return "user-rejected"
    return None


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) and value else None


def _agent_in(file: SourceFile) -> str | None:
    return file.path.stem.removeprefix("agent-") if file.path.name.startswith("agent-") else None
