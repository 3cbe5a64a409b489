"""Events into rows: once, for all agents.

A decoder makes one `Emitter` for each stretch of a file, tells it events in the order in which they stand there, and
asks `finish` for the state that the next stretch begins with. What an event means for the store is decided here: which
tables it fills, what of its texts is kept, which data it touches, whether it is a sync action of Agnes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from msgspec import structs

from ...queries.digest import blake2b
from .. import access
from ..access.scripts import SHELLS
from ..agnes.shell_actions import sync_action_id, sync_actions_in, sync_actions_of
from ..batch import Batch
from ..call_rows import AccessedRow, CallRow
from ..merged_batch import MergedBatch
from ..projects import folder_of, project_of
from ..tasks import id_in
from ..text import first_line, kept, one_line, short
from .beside import addressee_in, is_in_background, may_say, said_beside, said_of_tasks
from .events import (
    FIRST_LABELS,
    BackgroundEnd,
    Label,
    LimitSample,
    Notice,
    NoticeKind,
    OwnTotal,
    Place,
    Prompt,
    Response,
    Subagent,
    Summary,
    TaskState,
    Telling,
    ToolCall,
    ToolKind,
    ToolResult,
    Worktree,
)
from .numbers import whole_number
from .responses import ResponseLines, added_up, owned, taken, whole
from .source import SourceFile, State
from .texts import DETAIL_CHARS, input_line
from .times import SessionLabels
from .typed import typed_line
from .work import commits_in

TEXT_CHARS = 500
UNKNOWN_CHARS = 80
UNKNOWN_KINDS = 200

_PlacedT = TypeVar("_PlacedT", CallRow, AccessedRow)

WHOLE = ""
"""Stands for a model in the row of a session's own total over all of them."""

_HINT_CHARS = 800
"""A count of rows, or a note, stands at the beginning or the end of what a client prints."""

_MOST_CSV = 20
"""Calls without a result yet of which it is remembered that they print lines of values."""


class Emitter:
    """Takes the events of one stretch of one file and adds their rows to a batch.

    Rows before the first time of a file take that time: `begin` tells it, and until then the emitter remembers them.
    """

    def __init__(self, file: SourceFile, batch: Batch, *, agent: str, state: State | None = None) -> None:
        """`agent`: which coding agent, as in `--agent`. `state`: what `finish` gave for the stretch before."""
        state = state or {}
        self._path = str(file.path)
        self._batch = batch
        whose = {"agent": agent, "machine": file.machine, "username": file.username}
        self._whose = {column: value for column, value in whose.items() if value is not None}
        self.last_ts: int | None = state.get("last_ts")
        """The latest time that `clock` was told, in this stretch or before."""
        self._was_untimed = bool(state.get("untimed"))
        self._untimed: list[tuple[dict[str, Any], str]] = []
        # What the batch says of all rows, these rows say themselves.
        whose |= batch.whose | self._whose
        self._agent, self._machine, self._username = whose["agent"], whose["machine"], whose["username"]
        self._call_rows: list[CallRow] = []
        self._access_rows: list[AccessedRow] = []
        self._untimed_rows: list[tuple[CallRow | AccessedRow, str]] = []
        """As `_untimed`, of these."""
        self._calls: dict[str, CallRow] = {}
        """Rows of tool calls in this stretch that have no result yet."""
        self._prints_csv: dict[str, bool] = dict.fromkeys(state.get("csv", ()), True)
        """Calls without a result yet that print lines of values; in this stretch or before."""
        self._labels = SessionLabels()
        self._strays: set[tuple[str, str]] = set()
        """Sessions that sub-agents name, and those in which they were started."""
        self._unknowns: Counter[str] = Counter()
        self._responses = ResponseLines(batch) if isinstance(batch, MergedBatch) else None
        """What tells of responses, where the batch takes a row of each that is told as a whole."""
        self._early: list[tuple[str, Response | Telling]] = []
        """Of these, with their paths, those before the first time."""

    def inside(self, path: Path) -> None:
        """What is told from here on stands in another file of the same whole."""
        self._path = str(path)

    # -- the stretch ---------------------------------------------------------------------------------------------

    def clock(self, ts: int | None) -> None:
        """Tell the time of a row, before its events. Rows without a time may take `last_ts` for theirs."""
        if ts is None:
            return
        if self.last_ts is None:
            for row, column in self._untimed:
                row[column] = ts
            self._untimed.clear()
            for told, field in self._untimed_rows:
                setattr(told, field, ts)
            self._untimed_rows.clear()
            self._tell_early(ts)
            self._labels.begin(ts)
        self.last_ts = ts

    def reject(self, pos: int, length: int, reason: str) -> None:
        """Keep a note of `length` bytes from `pos` on that cannot be used, and why."""
        self._batch.add("rejects", {"path": self._path, "pos": pos, "length": length, "reason": reason})

    def unknown(self, what: str, count: int = 1) -> None:
        """Count something that there is no rule for; `doctor` lists it. However wild a file is, this stays small."""
        name = kept(what, UNKNOWN_CHARS)
        is_known = name in self._unknowns or len(self._unknowns) < UNKNOWN_KINDS
        self._unknowns[name if is_known else "anything else"] += count

    def finish(self, first_pos: int | None = None) -> State:
        """Add labels, activity and unknowns; the state for the next stretch, to which a decoder adds its own.

        `first_pos`: where the stretch began; unknowns are kept per stretch.
        """
        is_untimed = self.last_ts is None and bool(
            self._untimed or self._untimed_rows or self._early or self._labels.waits
        )
        if self._responses is not None:
            self._tell_early(None)
            self._responses.tell(self._at)
        self._batch.take("tool_calls", self._call_rows)
        self._batch.take("accesses", self._access_rows)
        for session, home in self._strays:
            self._batch.add("strays", {"session_id": session, "home": home, "path": self._path})
        self._labels.write(self._batch, self._path, self._whose)
        for what, count in self._unknowns.items():
            self._batch.add("unknowns", {"path": self._path, "pos": first_pos, "what": what, "count": count})
        state: State = {"last_ts": self.last_ts}
        if is_untimed or (self.last_ts is None and self._was_untimed):
            state["untimed"] = True
        if self._prints_csv:
            state["csv"] = list(self._prints_csv)[-_MOST_CSV:]
        return state

    # -- events --------------------------------------------------------------------------------------------------

    def response(self, told: Response | Telling) -> None:
        """An answer of a model, or a bill."""
        place = told.place
        if self._responses is None:
            told = whole(told)
            row = owned(told, self._here(place)) | taken(told) | added_up(told)
            self._add("responses", row, "ts")
            return
        if place.home is not None and place.session is not None:
            self._strays.add((place.session, place.home))
        if place.ts is None and self.last_ts is None:
            self._early.append((self._path, told))
        else:
            self._responses.add(self._path, told)

    def tool_call(self, told: ToolCall) -> None:
        """A tool call, the data that it touches, and the sync action that it is, if it is one."""
        place = told.place
        row = self._placed(CallRow, place)
        row.id, row.name, row.kind = told.id, told.name, told.kind
        row.embedded, row.is_sidechain = place.embedded, told.speaker.is_sidechain
        row.detail = input_line(told.given) if told.detail is None else one_line(told.detail, DETAIL_CHARS) or None
        row.response_key, row.prompt_id = told.response_key, told.prompt_id
        _say_what_few_have(row, told)
        self._call_rows.append(row)
        self._calls[told.id] = row
        if told.kind is not ToolKind.MCP and (told.script is not None or told.tasks is not None or may_say(told.name)):
            self._beside(told)
        script = _script_in(told)
        found = told.accesses
        if found is None:
            found = access.script_accesses(*script) if script is not None else _accesses_of(told)
        for number, one in enumerate(found):
            touched = self._placed(AccessedRow, place)
            touched.id, touched.call_id, touched.seen_in = f"{told.id}:{number}", told.id, "transcript"
            touched.action, touched.resource, touched.command = one.action, one.resource, one.command
            touched.tables_read, touched.tables_written = list(one.tables_read), list(one.tables_written)
            touched.sql, touched.statement, touched.dialect = one.sql, one.statement, one.dialect
            self._access_rows.append(touched)
        self._expect(told, found)
        if told.mcp_tool is not None:
            server, tool = told.mcp_tool
            self._sync_actions(told, sync_actions_in(tool, told.given, server))
        elif script is not None:
            self._sync_actions(told, [(action, script[0]) for action in sync_actions_of(*script)])

    def _beside(self, told: ToolCall) -> None:
        """What the call says of to-do lists, and the work that it gives to other AIs."""
        said = said_beside(told.name, told.given, script=told.script, folder=told.folder, tasks=told.tasks)
        for table, number, columns in said:
            row = self._here(told.place) | columns | {"id": f"{told.id}:{number}", "call_id": told.id}
            if table == "task_changes":
                row["subagent_id"] = told.speaker.subagent_id
            self._add(table, row, "ts")

    def _expect(self, told: ToolCall, found: Sequence[access.Access]) -> None:
        if len(found) == 1 and found[0].prints_csv:
            self._prints_csv[told.id] = True

    def waits_for_text(self, call_id: str) -> bool:
        """Whether the result of a call has to be told with its text, whatever it looks like."""
        return call_id in self._prints_csv

    def _sync_actions(self, told: ToolCall, found: list[tuple[str, str]]) -> None:
        for number, (action, script) in enumerate(found):
            row = self._here(told.place) | {
                "id": sync_action_id(told.id, number),
                "action": action,
                "source": "transcript",
                "detail": first_line(script, TEXT_CHARS),
                "call_id": told.id,
            }
            self._add("sync_actions", row, "ts")

    def tool_result(self, told: ToolResult) -> None:
        """The end of a tool call, which may have begun in another stretch or another file."""
        place = told.place
        # Call and result are columns of their own: in one row there is half as much to load.
        call = self._calls.pop(told.call_id, None)
        if call is not None and self.last_ts is not None:
            row = call
        else:
            row = CallRow(id=told.call_id, agent=self._agent, machine=self._machine, username=self._username)
            self._call_rows.append(row)
            if self.last_ts is None and place.ts is None:
                self._untimed_rows.append((row, "result_ts"))
        row.result_embedded, row.result_is_copy = place.embedded, place.is_copy
        row.result_ts, row.result_path, row.result_pos = place.ts, self._path, place.pos
        row.result_session_id = place.session
        row.is_error, row.result_bytes = told.is_error, told.size
        if place.copy_signs:
            row.result_copy_signs = place.copy_signs
        if place.home is not None and place.session is not None:
            self._strays.add((place.session, place.home))
            row.result_named_session_id, row.result_home_session_id = place.session, place.home
        if told.is_error:
            row.error_text = access.error_line(told.text or "")
            row.denial = told.denial
        prints_csv = self._prints_csv.pop(told.call_id, False)
        if told.text:
            end = told.text[-_HINT_CHARS:].encode("utf-8", "replace")
            ends = b'"' + told.text[:_HINT_CHARS].encode("utf-8", "replace") + b"\0" + end
            if not told.is_error and (prints_csv or access.may_count_rows(end, ends)):
                row.result_rows = whole_number(access.rows_in(told.text, csv=prints_csv))
            if access.may_hold_note(ends):
                row.result_note = access.note_in(told.text)
        if told.subagent_id is not None or told.subagent_status is not None:
            row.spawned_subagent_id, row.spawned_status = told.subagent_id, told.subagent_status
            row.spawned_tokens, row.spawned_ms = told.subagent_tokens, told.subagent_ms
            row.report_chars = len(told.text or "")
        self._task_result(told)
        if not told.is_error:
            self._work(told)

    def _work(self, told: ToolResult) -> None:
        """What the call left behind. One whose result has no time of its own left it when the source last told one."""
        if told.lines is None and not told.text:
            return
        place = told.place if told.place.ts is not None else structs.replace(told.place, ts=self.last_ts)
        added, removed = told.lines or (0, 0)
        for kind, amount in ((NoticeKind.LINES_ADDED, added), (NoticeKind.LINES_REMOVED, removed)):
            if amount:
                self.notice(Notice(id=f"{told.call_id}:{kind}:", place=place, kind=kind, amount=amount))
        for sha in commits_in(told.text or ""):
            kind = NoticeKind.COMMIT
            self.notice(Notice(id=f"{told.call_id}:{kind}:{sha}", place=place, kind=kind, text=sha))

    def _task_result(self, told: ToolResult) -> None:
        """What a result says of the task that its call made or changed."""
        made = id_in(told.text) if told.text is not None else None
        if made is not None or told.changed_nothing:
            row = {"id": f"{told.call_id}:0", "result_path": self._path, "result_pos": told.place.pos}
            self._batch.add("task_changes", row | {"given_id": made, "undone": told.changed_nothing or None})

    def tasks(self, told: TaskState) -> None:
        """A whole state of tasks with ids."""
        for table, number, columns in said_of_tasks(told.tasks):
            row = self._here(told.place) | columns | {"id": f"{told.id}:{number}", "call_id": told.call_id}
            self._add(table, row, "ts")

    def background_end(self, told: BackgroundEnd) -> None:
        """How something in the background ended."""
        row = self._here(told.place) | {
            "id": told.id,
            "task_id": told.task_id,
            "call_id": told.call_id,
            "status": told.status,
            "tokens": told.tokens,
            "duration_ms": told.duration_ms,
        }
        self._add("background_ends", row, "ts")

    def prompt(self, told: Prompt) -> None:
        """What a person typed, of which the line is kept that says what was asked, or a slash command."""
        row = self._here(told.place) | {
            "id": told.id,
            "kind": "prompt" if told.command is None else "command",
            "command": told.command,
            "text": None if told.command is not None else typed_line(told.text or "", TEXT_CHARS),
            "source": told.source,
        }
        if told.is_builtin:
            row["is_builtin"] = True
        if not told.begins_turn:
            row["begins_turn"] = False
        self._add("prompts", row, "ts")

    def notice(self, told: Notice) -> None:
        """Something that happened in a session."""
        text = first_line(told.text, TEXT_CHARS) if told.text is not None else None
        row = self._here(told.place) | {"id": told.id, "kind": told.kind, "text": text, "amount": told.amount}
        row |= {"tokens_after": told.tokens_after, "cause": told.cause}
        if told.is_limit:
            row["is_limit"], row["resets"] = True, told.resets
        self._add("events", row, "ts")

    def subagent(self, told: Subagent) -> None:
        """What is known of a sub-agent besides its own rows."""
        row: dict[str, Any] = {**self._whose, "subagent_id": told.id}
        if told.reported_tokens is not None:
            row |= {
                "reported_tokens": told.reported_tokens,
                "reported_ts": told.reported_at,
                "reported_path": self._path,
                "reported_pos": told.reported_pos,
                "reported_ms": told.reported_ms,
                "reported_status": told.reported_status,
                "reported_call_id": told.reported_call_id,
                "reported_usd": told.reported_usd,
                "report_tokens": told.report_tokens,
            }
        if told.reported_tokens is None or told.type or told.description or told.call_id or told.parent:
            row |= {"path": self._path, "parent": told.parent}
            row |= {"subagent_type": short(told.type), "is_builtin": told.is_builtin or None}
            row["tool_use_id"] = told.call_id
            row["description"] = first_line(told.description, TEXT_CHARS) if told.description else None
        self._add("subagents", row, *(("reported_ts",) if told.reported_tokens is not None else ()))

    def summary(self, told: Summary) -> None:
        """A title for the conversation that ends with a row."""
        row = {"leaf_uuid": told.leaf, "path": self._path, "pos": told.pos, "summary": told.text}
        self._batch.add("summaries", row)

    def worktree(self, told: Worktree) -> None:
        """Whose worktree a session works in. Nothing is done without a session, or where the folder shows it itself."""
        folder, project = folder_of(told.folder), project_of(told.project)
        if told.place.session is not None and project_of(folder) == folder != project:
            self._add("worktrees", self._told_of(told.place) | {"folder": folder, "project": project}, "ts")

    def own_total(self, told: OwnTotal) -> None:
        """What the agent itself says that a session took so far. Nothing is done without a session."""
        if told.place.session is None:
            return
        row = self._told_of(told.place) | {
            "model": WHOLE if told.model is None else told.model,
            "web_searches": told.web_searches,
            "cost_usd": told.cost_usd,
            "is_incomplete": told.is_incomplete,
        }
        if told.tokens is not None:
            row |= {
                "input_tokens": told.tokens.input,
                "output_tokens": told.tokens.output,
                "cache_read_tokens": told.tokens.cache_read,
                "cache_write_5m_tokens": told.tokens.cache_write_5m,
                "cache_write_1h_tokens": told.tokens.cache_write_1h,
                "total_tokens": told.tokens.total,
            }
        self._add("own_totals", row, "ts")

    def row_labels(self, place: Place, folder: str | None, branch: Any, version: Any, leaf: Any) -> None:
        """`Label.CWD`, `BRANCH`, `VERSION` and `LEAF` at once, of rows that all carry them; what is no text is none."""
        session, labels = place.session, self._labels
        if session is not None:
            if folder is not None and labels.is_first(session, Label.CWD, place.ts, place.pos):
                self.label(Label.CWD, folder, place)
            labels.row(session, place.ts, place.pos, branch, version, leaf)

    def limit(self, told: LimitSample, place: Place) -> None:
        """A sample of a limit. One that the source gives no time for tells nothing."""
        if place.ts is not None:
            name = f"{self._whose['agent']} {told.limit} {told.span} {place.ts}"
            row = {
                "id": blake2b(name.encode("utf-8", "replace"), digest_size=8).hexdigest(),
                "ts": place.ts,
                "path": self._path,
                "pos": place.pos,
                **self._whose,
                "account": told.account,
                "limit_id": told.limit,
                "span": told.span,
                "used_percentage": told.used,
                "resets_at": told.resets_at,
            }
            self._batch.add("limit_samples", row)

    def label(self, label: Label, value: str | None, place: Place) -> None:
        """What the source says of the place's session. Nothing is done without a session, or for an empty value."""
        if not value or place.session is None:
            return
        if label not in FIRST_LABELS:
            self._labels.last(place.session, place.ts, place.pos, ((label, value),))
        elif self._labels.is_first(place.session, label, place.ts, place.pos):
            self._labels.first(place.session, label, (place.ts, place.pos, value))
            if label is Label.CWD and self._labels.is_first(place.session, Label.PROJECT, place.ts, place.pos):
                self._labels.first(place.session, Label.PROJECT, (place.ts, place.pos, project_of(value)))

    def seen_in(self, session: str) -> Callable[[int], None]:
        """What takes the times at which somebody spoke in a session, as `active` does."""
        return self._labels.seen_in(session)

    def active(self, session: str | None, ts: int | None) -> None:
        """Somebody spoke in a session, a person or a model: its time is made of such moments."""
        if session is not None and ts is not None:
            self._labels.seen(session, ts)

    # -- rows ----------------------------------------------------------------------------------------------------

    def _tell_early(self, ts: int | None) -> None:
        """Tell the responses before the first time of the file, of which they take that."""
        if self._responses is not None:
            for path, told in self._early:
                told.place = structs.replace(told.place, ts=ts)
                self._responses.add(path, told)
        self._early.clear()

    def _here(self, place: Place) -> dict[str, Any]:
        """The columns that say where, when and by whom a fact was told."""
        return self._at(self._path, place)

    def _at(self, path: str, place: Place) -> dict[str, Any]:
        row = {
            "ts": place.ts,
            "path": path,
            "pos": place.pos,
            "is_copy": place.is_copy,
            "session_id": place.session,
            **self._whose,
        }
        if place.copy_signs:
            row["copy_signs"] = place.copy_signs
        if place.home is not None and place.session is not None:
            row |= self._stray(place.session, place.home)
        return row

    def _placed(self, kind: type[_PlacedT], place: Place) -> _PlacedT:
        """A row that says so."""
        row = kind(place.ts, self._path, place.pos, place.is_copy, place.session)
        row.agent, row.machine, row.username = self._agent, self._machine, self._username
        if place.copy_signs:
            row.copy_signs = place.copy_signs
        if place.home is not None and place.session is not None:
            self._strays.add((place.session, place.home))
            row.named_session_id, row.home_session_id = place.session, place.home
        if self.last_ts is None and place.ts is None:
            self._untimed_rows.append((row, "ts"))
        return row

    def _stray(self, session: str, home: str, prefix: str = "") -> dict[str, Any]:
        self._strays.add((session, home))
        return {f"{prefix}named_session_id": session, f"{prefix}home_session_id": home}

    def _told_of(self, place: Place) -> dict[str, Any]:
        """The columns that say where and when something was told of a session."""
        return {"session_id": place.session, "ts": place.ts, "path": self._path, "pos": place.pos}

    def _add(self, table: str, row: dict[str, Any], *times: str) -> None:
        """Add a row; where the file has shown no time yet, its columns `times` wait for the first one."""
        if self.last_ts is None:
            self._untimed += [(row, column) for column in times if row.get(column) is None]
        self._batch.add(table, row)


def _say_what_few_have(row: CallRow, told: ToolCall) -> None:
    """Add the columns of a call that most calls do not have: to name those takes as long as to tell all others."""
    row.subagent_id, row.mcp_server = told.speaker.subagent_id, told.mcp_server
    row.subagent_type, row.skill = told.subagent_type, told.skill
    row.addressee = told.addressee or addressee_in(told.name, told.given, is_subagent=told.kind is ToolKind.SUBAGENT)
    row.in_background = is_in_background(told.given)
    if told.is_builtin:
        row.is_builtin = True


def _script_in(told: ToolCall) -> tuple[str, str] | None:
    """The script that a call runs, and the language it is written in; None of a call that runs none."""
    if told.script is not None:
        tool = told.name if told.name.lower() in SHELLS else "bash"
        return access.script_of(tool, {"command": told.script})
    return access.script_of(told.name, told.given) if told.mcp_tool is None else None


def _accesses_of(told: ToolCall) -> list[access.Access]:
    """The data that a call touches which runs no script, or an empty one."""
    if told.script is not None:
        return []
    if told.mcp_tool is None:
        return access.accesses_of(told.name, told.given)
    server, tool = told.mcp_tool
    return access.accesses_of(tool, told.given, server)
