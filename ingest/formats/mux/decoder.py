"""Mux workspaces: from rows to events. The rules are those of docs/counting.md, "Mux"."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...access import Access
from ...access.model import file_access
from ...batch import Batch
from ...jsonl import Unusable, is_whole, reader_of
from ...text import short
from ..change import reject
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
    ToolCall,
    ToolKind,
    ToolResult,
)
from ..numbers import dollars, whole_number
from ..source import SourceFile, State
from ..texts import text_in
from ..times import moment_of
from ..work import lines_of_diff
from .home import METADATA, workspace_at
from .usage import bill_of, is_usage, model_of

AGENT = "mux"

_MILLISECOND = 1000
"""In microseconds, as all times here."""

_SUBAGENT_TOOL = "task"

Object = Mapping[str, Any]


class HistoryRow(msgspec.Struct, gc=False):
    """A row of a history."""

    id: Any = None
    role: Any = None
    createdAt: Any = None  # noqa: N815
    metadata: Any = None
    parts: Any = None


class HeadlessRow(msgspec.Struct, gc=False):
    """A line of `headless-usage.jsonl`."""

    timestamp: Any = None
    source: Any = None
    model: Any = None
    metadataModel: Any = None  # noqa: N815
    usage: Any = None
    providerMetadata: Any = None  # noqa: N815


_Rows = dict[object, tuple[HistoryRow, int]]
"""What tells a row apart -> its last telling, and its number."""

_rows = reader_of(HistoryRow)
_headless_rows = reader_of(HeadlessRow)


class HistoryDecoder:
    """Reads the history of one workspace, archive and chat, into a batch."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._batch = batch
        self._emitter = Emitter(file, batch, agent=AGENT)
        self._workspace = workspace_at(file.path.parent)
        self._rows: _Rows = {}

    # -- the whole -----------------------------------------------------------------------------------------------

    def document(self, path: Path, content: bytes) -> None:
        """Read one part of the history. A row may be in both, after a crash while they were rotated."""
        if path.name == METADATA:
            return  # `home.workspace_at` has read it
        for line, pos in _lines(content):
            for found in _rows.each(line):
                if not isinstance(found.row, Unusable):
                    _number(self._rows, found.row, (path, pos))
                elif is_whole(line) or line.endswith(b"\n"):
                    reject(self._batch, path, pos + found.offset, len(found.data), str(found.row))

    def finish(self) -> State:
        """Tell what stands in the history."""
        workspace = self._workspace
        first = Place(workspace.root, None, 0)
        if workspace.parent is None:
            self._emitter.label(Label.TITLE, workspace.title, first)
        else:
            told = Subagent(id=workspace.id, type=workspace.type, description=workspace.name, parent=workspace.parent)
            self._emitter.subagent(told)
        self._emitter.label(Label.CWD, workspace.project, first)
        prompt: str | None = None
        for row, number in self._rows.values():
            prompt = self._row(row, number, prompt)
        return self._emitter.finish(0) | {"session": workspace.root}

    # -- one row -------------------------------------------------------------------------------------------------

    def _row(self, row: HistoryRow, number: int, prompt: str | None) -> str | None:
        """Tell a row; the id of the prompt whose turn goes on after it."""
        metadata, workspace = _meta(row), self._workspace
        told = metadata.get("timestamp")
        ts = moment_of(told if told is not None else row.createdAt)
        self._emitter.clock(ts)
        is_copy = workspace.born is not None and ts is not None and ts < workspace.born
        place = Place(workspace.root, self._emitter.last_ts if ts is None else ts, number, is_copy)
        # A fork copies rows with their ids and times; ids alone are used again in other workspaces.
        name = f"{row.id}:{told}" if row.id else f"{workspace.id}:{metadata.get('historySequence', number)}"
        key = f"{AGENT}:{name}"
        if row.role == "user":
            text = text_in([part for part in _parts(row.parts) if part.get("type") == "text"])
            is_typed = not metadata.get("synthetic") and not metadata.get("kind")
            if text.strip() and is_typed and workspace.parent is None:
                self._emitter.prompt(Prompt(id=key, place=place, text=text))
                prompt = key
        elif row.role == "assistant":
            self._answer(row, metadata, key, place, prompt)
        else:
            if row.role != "system":
                self._emitter.unknown(f"role {row.role}")
            return prompt
        if not is_copy:
            self._emitter.active(workspace.root, ts)
        return prompt

    def _answer(self, row: HistoryRow, metadata: Object, key: str, place: Place, prompt: str | None) -> None:
        speaker = Speaker(
            subagent_id=self._workspace.id if self._workspace.parent is not None else None,
            subagent_name=short(metadata.get("agentId")),
            is_sidechain=self._workspace.parent is not None,
        )
        if is_usage(metadata.get("usage")):
            self._response(metadata, key, place, speaker, prompt)
        for number, used in enumerate(_parts(metadata.get("toolModelUsages"))):
            self._tool_model(used, metadata, f"{key}:tool:{number}", place, speaker, prompt)
        for part in _parts(row.parts):
            nested = [(call, True) for call in _parts(part.get("nestedCalls"))]
            for call, is_nested in ((part, False), *nested):
                if call.get("toolCallId") and (is_nested or call.get("type") == "dynamic-tool"):
                    self._call(call, f"{AGENT}:{row.id}" if row.id else key, key, place, speaker, prompt)
        if metadata.get("compactionBoundary"):
            self._emitter.notice(Notice(id=f"{key}:boundary", place=place, kind=NoticeKind.COMPACTION))
        if isinstance(metadata.get("error"), str):
            text = metadata["error"]
            self._emitter.notice(Notice(id=f"{key}:error", place=place, kind=NoticeKind.ERROR, text=text))

    def _response(self, metadata: Object, key: str, place: Place, speaker: Speaker, prompt: str | None) -> None:
        bill, model = bill_of(metadata["usage"], metadata.get("providerMetadata")), model_of(metadata.get("model"))
        duration = whole_number(metadata.get("duration"))
        ended = place.ts + duration * _MILLISECOND if place.ts is not None and duration else None
        if ended is not None and not place.is_copy:
            self._emitter.active(place.session, ended)
        self._emitter.response(
            Response(
                key=key,
                place=place,
                speaker=speaker,
                model=model.name,
                tokens=bill.tokens,
                provider=model.provider,
                gateway=model.gateway,
                priced_as=model_of(metadata.get("metadataModel")).name,
                requested_at=place.ts,
                ended_at=ended,
                prompt_id=prompt,
                effort=short(metadata.get("thinkingLevel")),
                ttft_ms=whole_number(metadata.get("ttftMs")),
                duration_ms=duration,
                billed=bill.billed,
                logged_cost_usd=bill.logged_cost_usd,
            )
        )

    def _tool_model(
        self, used: Object, metadata: Object, key: str, place: Place, speaker: Speaker, prompt: str | None
    ) -> None:
        """A model that a tool used in the turn: a bill of its own."""
        tool, model = short(used.get("toolName")), model_of(used.get("model"))
        if tool is None or model.name is None or not isinstance(used.get("usage"), Mapping):
            return
        told = used.get("timestamp")
        bill = bill_of(used["usage"], used.get("providerMetadata"))
        self._emitter.response(
            Response(
                key=key,
                place=Place(place.session, place.ts if told is None else moment_of(told), place.pos, place.is_copy),
                speaker=speaker,
                model=model.name,
                tokens=bill.tokens,
                kind=ResponseKind.TOOL,
                provider=model.provider,
                gateway=model.gateway,
                priced_as=model_of(used.get("metadataModel")).name,
                tool=tool,
                prompt_id=prompt,
                effort=short(metadata.get("thinkingLevel")),
                billed=bill.billed,
                logged_cost_usd=bill.logged_cost_usd,
            )
        )

    def _call(
        self, call: Object, owner: str, response: str, place: Place, speaker: Speaker, prompt: str | None
    ) -> None:
        given, output = _object(call.get("input")), _object(call.get("output"))
        name = short(call.get("toolName")) or "(unnamed)"
        ts = moment_of(call.get("timestamp"))
        key = f"{owner}:{call['toolCallId']}"
        place = Place(place.session, place.ts if ts is None else ts, place.pos, place.is_copy)
        is_subagent = name == _SUBAGENT_TOOL
        script = given.get("script")
        self._emitter.tool_call(
            ToolCall(
                id=key,
                place=place,
                speaker=speaker,
                name=name,
                kind=ToolKind.SUBAGENT if is_subagent else ToolKind.TOOL,
                given=given,
                subagent_type=short(given.get("agentId") or given.get("subagent_type")) if is_subagent else None,
                response_key=response,
                prompt_id=prompt,
                accesses=_accesses(name, given),
                script=script if isinstance(script, str) else None,
            )
        )
        failed = (
            call.get("failed") is True or output.get("success") is False or bool(whole_number(output.get("exitCode")))
        )
        if failed or call.get("state") == "output-available":
            said = output.get("error") if failed else None
            text = said if isinstance(said, str) else _words(call.get("output"))
            # When it ended is not told.
            ended = Place(place.session, None, place.pos, place.is_copy)
            size = len(text.encode("utf-8", "replace"))
            diff = output.get("diff")
            lines = lines_of_diff(diff) if isinstance(diff, str) else None
            self._emitter.tool_result(
                ToolResult(call_id=key, place=ended, is_error=failed, text=text, size=size, lines=lines)
            )


class HeadlessDecoder:
    """Reads a workspace's calls without a conversation into a batch."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._emitter = Emitter(file, batch, agent=AGENT)
        self._workspace = workspace_at(file.path.parent)

    def document(self, path: Path, content: bytes) -> None:  # noqa: ARG002
        """Read all lines. What names no model or usage is no bill."""
        for line, pos in _lines(content):
            for found in _headless_rows.each(line):
                row = found.row
                if not isinstance(row, Unusable):
                    if isinstance(row.usage, dict) and row.model:
                        self._bill(row, pos)
                elif is_whole(line) or line.endswith(b"\n"):
                    self._emitter.reject(pos + found.offset, len(found.data), str(row))

    def _bill(self, row: HeadlessRow, pos: int) -> None:
        ts, workspace = moment_of(row.timestamp), self._workspace
        self._emitter.clock(ts)
        bill, model = bill_of(row.usage, row.providerMetadata), model_of(row.model)
        is_subagent = workspace.parent is not None
        self._emitter.response(
            Response(
                key=f"{AGENT}:{workspace.id}:headless:{pos}",
                place=Place(workspace.root, ts, pos),
                speaker=Speaker(subagent_id=workspace.id if is_subagent else None, is_sidechain=is_subagent),
                model=model.name,
                tokens=bill.tokens,
                kind=ResponseKind.HEADLESS,
                provider=model.provider,
                gateway=model.gateway,
                priced_as=model_of(row.metadataModel).name,
                tool=short(row.source),
                billed=bill.billed,
                logged_cost_usd=bill.logged_cost_usd,
            )
        )

    def finish(self) -> State:
        """Tell whose they are."""
        return self._emitter.finish(0) | {"session": self._workspace.root}


class LedgerDecoder:
    """Reads what a session sums up of sub-agents that were removed. Their own rows count; this is kept beside."""

    def __init__(self, file: SourceFile, batch: Batch) -> None:
        self._batch = batch
        self._emitter = Emitter(file, batch, agent=AGENT)
        self._session = file.path.parent.name
        self._sums: Object = {}
        self._reports: Object = {}

    def document(self, path: Path, content: bytes) -> None:
        """Read the sums, or the reports."""
        try:
            told = _object(json.loads(content.decode("utf-8", "replace")))
        except (ValueError, RecursionError):
            reject(self._batch, path, 0, 0, "not JSON")
            return
        self._sums = _object(told.get("rolledUpFrom")) or self._sums
        self._reports = _object(told.get("artifactsByChildTaskId")) or self._reports

    def finish(self) -> State:
        """Tell each sub-agent that was removed."""
        for child, told in self._sums.items():
            if not isinstance(told, Mapping):
                continue
            report = _object(self._reports.get(child))
            self._emitter.subagent(
                Subagent(
                    id=child,
                    type=short(told.get("agentType")),
                    parent=self._session,
                    reported_tokens=whole_number(told.get("totalTokens")) or 0,
                    reported_at=moment_of(told.get("rolledUpAtMs")),
                    reported_usd=dollars(told.get("totalCostUsd")),
                    report_tokens=whole_number(report.get("reportTokenEstimate")),
                )
            )
        return self._emitter.finish(0)


def _accesses(name: str, given: Object) -> list[Access] | None:
    """The file that one of Mux's own tools touches; None of any other tool."""
    path = given.get("path", given.get("file_path"))
    if not name.startswith("file_") or not isinstance(path, str) or not path:
        return None
    return [file_access("file.read" if name == "file_read" else "file.write", path)]


def _lines(content: bytes) -> Iterator[tuple[bytes, int]]:
    pos = 0
    for line in io.BytesIO(content):
        if line.strip():
            yield line, pos
        pos += len(line)


def row_at(files: Sequence[tuple[Path, bytes]], pos: int) -> Any:
    """The row of a history that has a place. Raises LookupError if none has it (any more)."""
    rows: _Rows = {}
    for path, content in files:
        for line, at in _lines(content) if path.name != METADATA else ():
            for found in _rows.each(line):
                if not isinstance(found.row, Unusable) and _number(rows, found.row, (path, at)) == pos:
                    return json.loads(found.data)
    raise LookupError


def line_at(files: Sequence[tuple[Path, bytes]], pos: int) -> Any:
    """The line that has a place. Raises LookupError if there is none (any more)."""
    for line, at in _lines(files[0][1]):
        if at == pos:
            return json.loads(line)
    raise LookupError


def _number(rows: _Rows, row: HistoryRow, at: object) -> int:
    """Keep a row, instead of an earlier telling: its place in the history. `at` tells it from all that have no id."""
    # One that is told again comes last, and leaves its number free.
    number = next(reversed(rows.values()))[1] + 1 if rows else 0
    key = (str(row.id), str(_meta(row).get("historySequence"))) if row.id else at
    rows.pop(key, None)
    rows[key] = row, number
    return number


def _meta(row: HistoryRow) -> Object:
    return _object(row.metadata)


def _object(value: Any) -> Object:
    return value if isinstance(value, Mapping) else {}


def _parts(value: Any) -> list[Object]:
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []


def _words(output: Any) -> str:
    """What came back of a call, as a text."""
    if isinstance(output, str):
        return output
    said = _object(output).get("output")
    return said if isinstance(said, str) else "" if output is None else json.dumps(output, default=str)
