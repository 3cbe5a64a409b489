"""Claude Code transcripts: from lines to events. The rules are those of docs/counting.md."""

from __future__ import annotations

from typing import Any

import msgspec

from ...batch import Batch
from ...jsonl import Unusable, reader_of, value_in
from ...shapes import Tally
from ...tasks import changes_in_state
from ...text import first_line
from ..counted_calls import CountedCalls
from ..emit import TEXT_CHARS, Emitter
from ..events import (
    Label,
    Notice,
    NoticeKind,
    Place,
    Prompt,
    Response,
    ResponseKind,
    Speaker,
    Summary,
    TaskState,
    ToolCall,
    ToolKind,
    Worktree,
)
from ..source import SourceFile, State
from ..times import parse_time
from .alike import SAID_OF_SESSION, Alike
from .answered import Answered
from .builtins import BUILTIN_NAMES, SETTINGS
from .keys import AGENT, OLDER_THAN_FILE, RowLine, is_unique, process_signs_of, row_key
from .known import KNOWN_BLOCKS, KNOWN_NAMES, KNOWN_SUBTYPES, KNOWN_TYPES, USUAL_NAMES
from .limits import is_limit, resets_in
from .own_total import own_totals_in
from .results import RawResult, raw_result, result_of
from .rows import ContentBlock, Message, Row, Usage
from .text import (
    NOTIFICATION,
    command_in,
    end_in,
    holds_result,
    is_interrupt,
    queued_in,
    report_in,
    text_in,
    text_of,
    typed_in,
)
from .told import searches_of, telling_of
from .tools import detail_of, kind_of, mcp_server_of, mcp_tool_of
from .usage import (
    SPEED,
    TIER,
    compaction_of,
    count_of,
    declined_in,
    extras_of,
    is_one_part,
    tokens_of,
    whole_number,
)
from .work import work_in

SYNTHETIC = "<synthetic>"
"""The model of rows that Claude Code writes itself, mostly errors."""

_rows = reader_of(Row, KNOWN_NAMES, USUAL_NAMES)


class ClaudeDecoder:
    """Reads one stretch of one transcript file into a batch."""

    def __init__(self, file: SourceFile, state: State, batch: Batch) -> None:
        self._emit = Emitter(file, batch, agent=AGENT, state=state)
        self._file_agent = _agent_in(file)
        self._home = file.session_id if self._file_agent is not None else None
        """The session whose folder a sub-agent's file lies in; None if it lies in none."""
        self._first_ts: int | None = state.get("first_ts")
        """The time of the first row of the file that has one, which need not be the earliest."""
        self._asked: dict[str, int] = dict(state.get("asked", {}))
        self._answered = Answered(state.get("answered", {}))
        self._calls = CountedCalls(state)
        self._prompt: str | None = state.get("prompt")
        self._session: str | None = state.get("session")
        self._tally: Tally = {}
        self._first_pos: int | None = None
        self._alike = Alike()

    # -- the stretch ---------------------------------------------------------------------------------------------

    def feed(self, line: bytes, pos: int) -> None:
        """Read one line that starts at byte `pos`."""
        if self._first_pos is None:
            self._first_pos = pos
        row = _rows.plain(line, self._tally)
        if row is not None:
            self._row(row, line, pos)
            return
        for found in _rows.find(line, self._emit.unknown):
            if isinstance(found.row, Unusable):
                self._emit.reject(pos + found.offset, len(found.data), str(found.row))
            else:
                self._row(found.row, found.data, pos + found.offset)

    def finish(self) -> State:
        """Add labels, activity and unknowns; the state for the next stretch."""
        for what, count in _rows.told(self._tally):
            self._emit.unknown(what, count)
        self._end_alike()
        state = self._emit.finish(self._first_pos) | {
            "first_ts": self._first_ts,
            "asked": self._asked,
            "session": self._session,
            "answered": self._answered.state(),
            **self._calls.state(),
        }
        if self._prompt is not None:
            state["prompt"] = self._prompt
        return state

    # -- one row -------------------------------------------------------------------------------------------------

    def _row(self, row: Row, data: bytes, pos: int) -> None:
        emit = self._emit
        own_ts = parse_time(row.timestamp)
        first_ts = self._first_ts
        if own_ts is not None:
            emit.clock(own_ts)
            if first_ts is None:
                self._first_ts = first_ts = own_ts
        alike = self._alike
        said = SAID_OF_SESSION(row)
        if said != alike.said or not alike.goes_on(own_ts, pos, row.uuid):
            alike = self._begin_alike(row, said, own_ts, pos)
        session = alike.session
        signs = alike.copy_signs
        if own_ts is not None and first_ts is not None and own_ts < first_ts:
            signs += OLDER_THAN_FILE
        place = Place(session, emit.last_ts, pos, row.forkedFrom is not None, False, signs, alike.home)
        line = RowLine(place, own_ts, data)
        kind = row.type
        if kind == "assistant" or kind == "user":
            if alike.seen is not None and own_ts is not None:
                alike.seen(own_ts)
            message = row.message or Message()
            if kind == "assistant":
                self._assistant(message, row.requestId, row.uuid, line, alike.speaker, row)
            else:
                self._user(message, line, alike.speaker, row)
        elif isinstance(kind, str) and (read := _OTHER_ROWS.get(kind)) is not None:
            read(self, row, line)
        elif not isinstance(kind, str) or kind not in KNOWN_TYPES:
            emit.unknown(f"row type {kind}")

    def _begin_alike(self, row: Row, said: tuple[Any, ...], ts: int | None, pos: int) -> Alike:
        """A row that is not like the one before it: what follows from what it says, also for those after it."""
        self._end_alike()
        session = text_in(row.sessionId)
        agent = row.agentId if isinstance(row.agentId, str) else self._file_agent
        is_sidechain = bool(row.isSidechain) or self._file_agent is not None
        name, version, branch = text_in(row.attributionAgent), text_in(row.version), text_in(row.gitBranch)
        alike = self._alike = Alike(session=session, speaker=Speaker(agent, name, is_sidechain, version, branch))
        alike.copy_signs = process_signs_of(row)
        if session is not None:
            self._session = self._session or session
            alike.home = self._home if session != self._home else None
            alike.seen = self._emit.seen_in(session)
            self._label(row, Place(session, self._emit.last_ts, pos))
        if ts is not None and not (row.title or row.customTitle or row.aiTitle):
            alike.said, alike.ts = said, ts
            alike.forked_from = _forked_from(row)
        return alike

    def _end_alike(self) -> None:
        """Tell the labels of the last of several rows that say the same."""
        alike = self._alike
        if alike.leaf is not None:
            place, speaker = Place(alike.session, alike.ts, alike.pos), alike.speaker
            self._emit.row_labels(place, None, speaker.branch, speaker.version, alike.leaf)
            self._emit.label(Label.FORKED_FROM, alike.forked_from, place)

    def _label(self, row: Row, place: Place) -> None:
        emit = self._emit
        is_main = not row.isSidechain and self._file_agent is None
        folder = row.cwd if is_main and isinstance(row.cwd, str) else None
        emit.row_labels(place, folder, row.gitBranch, row.version, row.uuid)
        custom = row.title if row.customTitle is None and row.type == "custom-title" else row.customTitle
        guessed = row.title if row.aiTitle is None and row.type == "ai-title" else row.aiTitle
        if custom or guessed:
            emit.label(Label.TITLE, text_in(custom), place)
            emit.label(Label.GUESSED_TITLE, text_in(guessed), place)
        emit.label(Label.FORKED_FROM, _forked_from(row), place)

    def _own_total(self, _: Row, line: RowLine) -> None:
        """Keep what Claude Code itself says that the session took so far."""
        for told in own_totals_in(line, self._emit.unknown):
            self._emit.own_total(told)

    def _worktree(self, row: Row, line: RowLine) -> None:
        """Note whose worktree a session works in, where its folder does not show that."""
        told = row.worktreeSession
        if isinstance(told, dict):
            folder, project = text_in(told.get("worktreePath")), text_in(told.get("originalCwd"))
            if folder is not None and project is not None:
                self._emit.worktree(Worktree(place=line.place, folder=folder, project=project))

    def _summary(self, row: Row, line: RowLine) -> None:
        if isinstance(row.leafUuid, str) and isinstance(row.summary, str):
            self._emit.summary(Summary(leaf=row.leafUuid, pos=line.place.pos, text=row.summary))

    # -- messages ------------------------------------------------------------------------------------------------

    def _user(self, message: Message, line: RowLine, speaker: Speaker, row: Row) -> None:
        says_more = self._results(row, message, line.place, speaker.subagent_id)
        is_prompt = says_more and self._prompt_row(row, message, line)
        who = _asked_of(speaker.subagent_id, speaker.is_sidechain)
        self._answered.asked(who, row_key(row.uuid, line), is_prompt=is_prompt)
        if line.own_ts is not None:
            self._asked[speaker.subagent_id or ""] = line.own_ts

    def _progress(self, row: Row, line: RowLine) -> None:
        inner = row.data.message if row.data is not None else None
        if row.data is None or inner is None or inner.message is None:
            return
        agent = row.data.agentId if isinstance(row.data.agentId, str) else None
        own = parse_time(inner.timestamp)
        place = line.place
        place = msgspec.structs.replace(place, ts=place.ts if own is None else own, embedded=True)
        line = RowLine(place, line.own_ts, line.data)
        if inner.type == "assistant":
            speaker = Speaker(agent, None, True, text_in(row.version))
            self._assistant(inner.message, inner.requestId, inner.uuid, line, speaker, Row())
        elif inner.type == "user":
            self._results(Row(), inner.message, place, agent)
            self._answered.asked(_asked_of(agent, True), row_key(inner.uuid, line), is_prompt=False)

    def _assistant(self, message: Message, request: Any, uuid: Any, line: RowLine, speaker: Speaker, row: Row) -> None:
        if message.model == SYNTHETIC or row.isApiErrorMessage:
            self._notice(NoticeKind.ERROR, uuid, line, text_of(message.content))
        key = self._response_key(message, request, uuid, line, speaker)
        if message.model != SYNTHETIC and (not line.place.embedded or message.usage is not None):
            self._response(key, message, line.place, speaker, row)
        for block in self._blocks(message):
            if block.type == "tool_use" and isinstance(block.id, str) and block.id:
                self._tool_use(block, block.id, key, line.place, speaker, text_in(row.cwd))

    def _response_key(self, message: Message, request: Any, uuid: Any, line: RowLine, speaker: Speaker) -> str:
        """The key of a response; without an id the row is its own response.

        Gateways reuse their ids: those are told apart by the request, else by what they answer.
        """
        if message.id is None:
            return row_key(uuid, line)
        name = str(message.id)
        if is_unique(name):
            return name
        if request is not None:
            return f"{name}\x1f{request}"
        who = _asked_of(speaker.subagent_id, speaker.is_sidechain)
        asked = self._answered.row_of(who, name, message.usage)
        return f"{name}\x1f\x1f{line.place.session if asked is None else asked}"

    def _blocks(self, message: Message) -> list[ContentBlock]:
        """The blocks of a message; none if it is plain text."""
        if not isinstance(message.content, list):
            return []
        for block in message.content:
            if not isinstance(block.type, str) or block.type not in KNOWN_BLOCKS:
                self._emit.unknown(f"content block {block.type}")
        return message.content

    def _response(self, key: str, message: Message, place: Place, speaker: Speaker, row: Row) -> None:
        told = telling_of(key, message, place, speaker, row, self._emit.unknown)
        if not place.embedded:
            told.requested_at = self._asked.get(speaker.subagent_id or "")
        told.prompt_id = self._prompt
        self._emit.response(told)
        usage = message.usage
        if usage is not None and usage.iterations and not is_one_part(usage.iterations):
            self._extras(told.whole(), message, usage)

    def _extras(self, told: Response, message: Message, usage: Usage) -> None:
        """Responses and bills that the counts of a response leave out, beside the response itself."""
        for kind, number, named, entry in extras_of(usage, self._emit.unknown):
            model = text_in(named) or (told.model if kind is ResponseKind.COMPACTION else declined_in(message))
            is_same = model == told.model
            extra = msgspec.structs.replace(
                told,
                key=f"{told.key}:{kind.value}:{number}",
                kind=kind,
                model=model,
                tokens=tokens_of(entry, self._emit.unknown),
                stop_reason=None,
                # The same request went on, with what it had asked for; an entry does not repeat that.
                speed=text_in(entry.speed) or (told.speed if is_same else SPEED),
                service_tier=text_in(entry.service_tier) or (told.service_tier if is_same else TIER),
                inference_geo=text_in(entry.inference_geo) or told.inference_geo,
                web_searches=searches_of(entry, self._emit.unknown),
                cache_miss=None,
                logged_cost_usd=None,
                lower_bound=False,
                least_output=None,
            )
            self._emit.response(extra)

    # -- tools ---------------------------------------------------------------------------------------------------

    def _tool_use(
        self, block: ContentBlock, call: str, key: str, place: Place, speaker: Speaker, folder: str | None
    ) -> None:
        name = text_in(block.name) or "(unnamed)"
        given = value_in(block.input)
        given = given if isinstance(given, dict) else {}
        call = self._calls.called(call, key, speaker.subagent_id)
        told = ToolCall(id=call, place=place, speaker=speaker, name=name)
        # To name many fields at once takes twice as long as to set them.
        told.given, told.detail = given, detail_of(name, given) or ""
        told.response_key, told.prompt_id, told.folder = key, self._prompt, folder
        told.kind = kind_of(name)
        if told.kind is ToolKind.MCP:
            told.mcp_server, told.mcp_tool = mcp_server_of(name), mcp_tool_of(name)
        elif told.kind is ToolKind.SUBAGENT:
            told.subagent_type = text_in(given.get("subagent_type"))
        elif name == "Skill":
            told.skill = text_in(given.get("skill") or given.get("name"))
        told.is_builtin = (told.skill or told.subagent_type or name) in BUILTIN_NAMES
        self._emit.tool_call(told)

    def _results(self, row: Row, message: Message, place: Place, agent: str | None) -> bool:
        """Tell the results in a message; whether there is anything else in it."""
        blocks = self._blocks(message)
        says_more = not blocks
        for block in blocks:
            if block.type != "tool_result":
                says_more = True
            elif isinstance(block.tool_use_id, str):
                call, raw = self._calls.of_result(block.tool_use_id, place.session, agent), raw_result(row, block)
                told = result_of(row, block, call, raw, place, waits=self._emit.waits_for_text(call))
                self._emit.tool_result(told)
                if not told.is_error:
                    self._work(raw, call, place)
                if raw.beside.tasks:
                    self._task_state(f"{call}:state", call, raw.beside.tasks, place)
        return says_more

    def _work(self, raw: RawResult, call: str, place: Place) -> None:
        for kind, text, amount in work_in(raw):
            key = f"{place.session}:{text}" if kind is NoticeKind.PULL_REQUEST else f"{call}:{kind}:{text or ''}"
            self._emit.notice(Notice(id=key, place=place, kind=kind, text=text, amount=amount))

    def _pull_request(self, row: Row, line: RowLine) -> None:
        """A session tells its pull request again and again: it is one."""
        url = text_in(row.prUrl)
        if url is not None:
            key = f"{line.place.session}:{url}"
            self._emit.notice(Notice(id=key, place=line.place, kind=NoticeKind.PULL_REQUEST, text=url))

    def _task_state(self, key: str, call: str | None, told: Any, place: Place) -> None:
        state = value_in(told)
        tasks = changes_in_state(state.get("tasks") if isinstance(state, dict) else state)
        if tasks:
            self._emit.tasks(TaskState(id=key, place=place, tasks=tasks, call_id=call))

    # -- people --------------------------------------------------------------------------------------------------

    def _prompt_row(self, row: Row, message: Message, line: RowLine) -> bool:
        """Keep what a person did in a user row; whether it is a prompt."""
        text = text_of(message.content)
        if not text and holds_result(message.content):
            return False
        if NOTIFICATION in text:
            self._notified(text, row.uuid, line)
        if is_interrupt(text):
            self._notice(NoticeKind.INTERRUPT, row.uuid, line, text)
        if row.isMeta:
            return False
        command = command_in(text)
        if command is not None:
            self._commanded(command, row, line)
        elif self._file_agent is None and (typed := typed_in(row, message.content)) is not None:
            self._typed(row, line, typed, text_in(row.promptSource))
            return True
        return False

    def _commanded(self, command: str, row: Row, line: RowLine) -> None:
        told = Prompt(id=row_key(row.uuid, line), place=line.place, command=command)
        told.is_builtin, told.begins_turn = command in BUILTIN_NAMES, command not in SETTINGS
        self._emit.prompt(told)

    def _attached(self, row: Row, line: RowLine) -> None:
        if row.attachment is not None and row.attachment.type == "queued_command":
            text = text_of(value_in(row.attachment.prompt))
            if NOTIFICATION in text:
                self._notified(text, row.uuid, line)
        elif row.attachment is not None and row.attachment.type == "task_reminder":
            self._task_state(row_key(row.uuid, line), None, row.attachment.content, line.place)
        typed = queued_in(row) if self._file_agent is None else None
        if typed is not None:
            self._typed(row, line, typed, "queued")
            self._answered.asked(_asked_of(None, False), row_key(row.uuid, line), is_prompt=True)

    def _typed(self, row: Row, line: RowLine, text: str, source: str | None) -> None:
        self._prompt = row_key(row.uuid, line)
        self._emit.prompt(Prompt(id=self._prompt, place=line.place, text=text, source=source))

    def _system(self, row: Row, line: RowLine) -> None:
        text = text_of(value_in(row.content))
        if row.subtype == "compact_boundary":
            told = compaction_of(row)
            self._notice(
                *(NoticeKind.COMPACTION, row.uuid, line, text),
                amount=whole_number(told.preTokens),
                after=whole_number(told.postTokens),
                cause=text_in(told.trigger),
            )
        elif row.subtype == "turn_duration":
            took = count_of(row.durationMs, self._emit.unknown, "duration")
            self._notice(NoticeKind.TURN, row.uuid, line, None, amount=took)
        elif row.subtype == "api_error":
            self._notice(NoticeKind.ERROR, row.uuid, line, text)
        elif row.subtype is not None and str(row.subtype) not in KNOWN_SUBTYPES:
            self._emit.unknown(f"system row {row.subtype}")
        command = None if row.isMeta else command_in(text)
        if command is not None:
            self._commanded(command, row, line)

    def _notice(
        self,
        kind: NoticeKind,
        uuid: Any,
        line: RowLine,
        text: str | None,
        amount: int | None = None,
        after: int | None = None,
        cause: str | None = None,
    ) -> None:
        told = Notice(id=row_key(uuid, line), place=line.place, kind=kind, text=text)
        told.amount, told.tokens_after, told.cause = amount, after, cause
        if kind is NoticeKind.ERROR and text is not None:
            said = first_line(text, TEXT_CHARS)
            told.is_limit = is_limit(said)
            told.resets = resets_in(said) if told.is_limit else None
        self._emit.notice(told)

    def _queued(self, row: Row, line: RowLine) -> None:
        text = value_in(row.content)
        if isinstance(text, str) and NOTIFICATION in text:
            self._notified(text, row.uuid, line)

    def _notified(self, text: str, uuid: Any, line: RowLine) -> None:
        """What a notification says of something in the background: how it ended, and what a sub-agent took.

        A sub-agent's own file may be nowhere.
        """
        ended = end_in(text, f"{row_key(uuid, line)}:end", line.place)
        if ended is not None:
            ended.call_id = self._call_of(ended.call_id, line)
            self._emit.background_end(ended)
        report = report_in(text)
        if report is not None:
            report.reported_call_id = self._call_of(report.reported_call_id, line)
            report.reported_at, report.reported_pos = line.place.ts, line.place.pos
            self._emit.subagent(report)

    def _call_of(self, named: str | None, line: RowLine) -> str | None:
        return None if named is None else self._calls.of_result(named, line.place.session)


_OTHER_ROWS = {
    "attachment": ClaudeDecoder._attached,
    "cost-state": ClaudeDecoder._own_total,
    "pr-link": ClaudeDecoder._pull_request,
    "progress": ClaudeDecoder._progress,
    "queue-operation": ClaudeDecoder._queued,
    "summary": ClaudeDecoder._summary,
    "system": ClaudeDecoder._system,
    "worktree-state": ClaudeDecoder._worktree,
}
"""Types of rows besides those of a user and an assistant -> what reads them."""


def _asked_of(agent: str | None, is_sidechain: bool) -> str:
    """Who is asked, and answers: a sub-agent, one without a name, or the session itself."""
    return agent or ("(side)" if is_sidechain else "")


def _forked_from(row: Row) -> str | None:
    return text_in(row.forkedFrom.get("sessionId")) if isinstance(row.forkedFrom, dict) else None


def _agent_in(file: SourceFile) -> str | None:
    return file.path.stem.removeprefix("agent-") if file.path.name.startswith("agent-") else None
