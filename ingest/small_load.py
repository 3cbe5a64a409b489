"""Loading a few appended lines with few statements.

To plan a statement takes DuckDB longer than to run it on a few rows, and merging anything with anything takes many
large ones. So one question first tells all that must be known before; what changes is worked out in Python, in
`small_batch`, and written as bound values. A load that turns out to be more than that is loaded as all others are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..queries.context import WINDOW_LABEL
from ..queries.facts import RESPONSES, Fact
from ..queries.quoting import quoted
from ..queries.rollups import ONLY_SUBAGENTS, READ_OF_RESPONSES, SessionPart, parts_of_session
from ..queries.schema import TABLES
from . import lower_bounds, rollups
from .batch import Row
from .costs import priced
from .file_rows import file_row, forget_rejects, stamped
from .formats.times import joined
from .moments import micros
from .small_batch import BY_NAME, WHOSE, FactChange, OtherKindError, ToldLines, change_of, is_small, known_row, told_by

if TYPE_CHECKING:
    from ..queries.store import Writer
    from .incoming import Load


def load_small(connection: Writer, work: Load) -> bool:
    """Bring a load of a few appended lines into the store, inside a transaction.

    False, and nothing is written, if it is none.
    """
    if not is_small(work):
        return False
    try:
        told = told_by(work.rows)
        known = _asked(connection, work, told)
        changes = _changes(told, known, len(work.results))
    except OtherKindError:
        return False
    work.nothing_is_forgotten = "forgotten" not in known.facts
    _Writing(connection, work, told, known, changes).write()
    work.touched = _touched(connection, work, told, known, changes)
    return True


def _touched(
    connection: Writer, work: Load, told: ToldLines, known: _Known, changes: Mapping[str, FactChange]
) -> frozenset[str] | None:
    """The sessions of which anything is another one now; None where something of others may be, too."""
    if _moves_windows(connection, told, known, changes):
        return None
    responses = changes.get("responses")
    own = RESPONSES.halves[0].columns
    if responses is not None and any(
        before.get(one) != after[one] for before, after in responses.changed for one in own
    ):
        # A call counts as the response does that it came from, and may be in a copy of the session.
        return None
    if not {result.session_id for result in work.results} <= set(told.sessions):
        # The session of a file is told what is wrong with it.
        return None
    return frozenset(told.sessions)


def _moves_windows(connection: Writer, told: ToldLines, known: _Known, changes: Mapping[str, FactChange]) -> bool:
    """Whether others may be thought to be compacted elsewhere: where the last one of their model and window was."""
    events, labels = changes.get("events"), changes.get("session_lasts")
    if events is not None and any(row["kind"] == "compact" for row in events.all_rows):
        return True
    if "compacted" not in known.facts:
        return False
    if labels is not None and any(row["kind"] == WINDOW_LABEL for row in labels.all_rows):
        return True
    before = {row["session_id"]: tuple(row[column] for column in _OF_CONTEXT) for row in known.of("sessions")}
    columns = ", ".join(("session_id", *_OF_CONTEXT))
    asked = f"SELECT {columns} FROM sessions WHERE session_id IN ({_marks(told.sessions)})"
    return any(before[session] != tuple(now) for session, *now in connection.rows(asked, list(told.sessions)))


# -- what must be known before ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Known:
    """What the store knows of what a load tells."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    facts: set[str] = field(default_factory=set)
    """What is so, by the names in `_asked`."""

    def of(self, table: str) -> list[Row]:
        return self.rows.get(table, [])


def _asked(connection: Writer, work: Load, told: ToldLines) -> _Known:
    """Ask the one question. Its parts have nothing in common but that each row is a name and some JSON."""
    question = _Question()
    for table, keys in told.facts.items():
        fact = BY_NAME[table]
        first = next(iter(fact.key))
        question.rows(table, f"{table} WHERE {first} IN", dict.fromkeys(key[0] for key in keys))
    paths = [str(result.file.path) for result in work.results]
    question.rows("files", "(SELECT path FROM files) WHERE path IN", paths)
    question.yes("forgotten", "forgotten")
    for table in ("rejects", "unknowns"):
        places = [value for result in work.results for value in (str(result.file.path), result.start)]
        here = " OR ".join(["path = ? AND pos >= ?"] * len(work.results))
        question.yes(table, f"{table} WHERE {here}", *places)
    if told.sessions:
        question.rows("sessions", f"(SELECT {_OF_SESSION} FROM sessions) WHERE session_id IN", told.sessions)
        question.rows("activity", "activity WHERE session_id IN", told.activity)
        marks = f"({_marks(told.sessions)})"
        strays = f"strays WHERE session_id IN {marks} OR home IN {marks}"
        question.yes("strays", strays, *told.sessions, *told.sessions)
        waits = f"responses WHERE {lower_bounds.WAITS_YET} AND session_id IN"
        question.rows("waits", f"(SELECT key, session_id, ended_at, ts FROM {waits}", told.sessions, ")")
        if told.facts.keys() & {"responses", "session_lasts"}:
            compactions = "events WHERE kind = 'compact' AND cause = 'auto' AND session_id IN"
            question.some("compacted", compactions, told.sessions)
        question.some("subagents", "responses WHERE subagent_id IS NOT NULL AND session_id IN", told.sessions)
    answers = told.rows_of("responses")
    if any(map(_may_wait, answers)):
        earliest = min((_at(row) or 0 for row in answers), default=0)
        begun = "(SELECT session_id, ts FROM responses UNION ALL SELECT session_id, ts FROM prompts)"
        later = f"session_id IN ({_marks(told.sessions)}) AND ts > make_timestamp(?::BIGINT)"
        question.yes("goes on", f"{begun} WHERE {later}", *told.sessions, earliest)
    if prompts := [row["ts"] for row in told.rows_of("prompts")]:
        earliest = 0 if None in prompts else min(prompts)
        later = f"session_id IN ({_marks(told.sessions)}) AND coalesce(ts >= make_timestamp(?::BIGINT), true)"
        question.yes("later prompts", f"prompts WHERE {later}", *told.sessions, earliest)
    question.some("noted calls", "subagents WHERE tool_use_id IN", [key for (key,) in told.facts.get("tool_calls", ())])
    leaves = [row["value"] for row in told.rows_of("session_lasts") if row["kind"] == "leaf"]
    if leaves:
        old = f"SELECT value FROM session_lasts WHERE kind = 'leaf' AND session_id IN ({_marks(told.sessions)})"
        either = f"leaf_uuid IN ({_marks(leaves)}) OR leaf_uuid IN ({old})"
        question.yes("summaries", f"summaries WHERE {either}", *leaves, *told.sessions)
    return question.ask(connection)


_OF_CONTEXT = ("context_model", "context_peak")
"""Columns of `sessions` that say which window it is: whatever it was compacted at."""

_OF_SESSION = ", ".join(("session_id", "title", *WHOSE, *_OF_CONTEXT))


_COLUMNS = {**{name: fact.columns for name, fact in BY_NAME.items()}, "waits": BY_NAME["responses"].columns}
"""Of what is told, beside tables."""


class _Question:
    def __init__(self) -> None:
        self._parts: list[str] = []
        self._values: list[Any] = []

    def rows(self, name: str, rows: str, values: Iterable[Any], end: str = "") -> None:
        """All rows that have one of the values."""
        if found := list(values):
            self._parts.append(f"SELECT '{name}', to_json(t) FROM (FROM {rows} ({_marks(found)}){end}) t")
            self._values += found

    def some(self, name: str, rows: str, values: Iterable[Any]) -> None:
        """Whether any row has one of the values."""
        if found := list(values):
            self.yes(name, f"{rows} ({_marks(found)})", *found)

    def yes(self, name: str, rows: str, *values: Any) -> None:
        """Whether there are any rows."""
        self._parts.append(f"(SELECT '{name}', NULL FROM {rows} LIMIT 1)")
        self._values += values

    def ask(self, connection: Writer) -> _Known:
        known = _Known()
        for name, row in connection.rows(" UNION ALL ".join(self._parts), self._values):
            if row is None:
                known.facts.add(name)
            else:
                columns = _COLUMNS[name] if name in _COLUMNS else TABLES[name]
                known.rows.setdefault(name, []).append(known_row(columns, json.loads(row)))
        return known


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _changes(told: ToldLines, known: _Known, files: int) -> dict[str, FactChange]:
    """What changes, by table. Raises OtherKindError where more may change than the rows themselves tell."""
    if known.facts & {"strays", "noted calls"} or len(known.of("files")) < files:
        raise OtherKindError
    sessions = {row["session_id"]: tuple(row[column] for column in WHOSE) for row in known.of("sessions")}
    for session in told.sessions:
        if session not in sessions or told.whose.get(session, set()) - {sessions[session]}:
            raise OtherKindError
    changes = {table: change_of(BY_NAME[table], keys, known.of(table)) for table, keys in told.facts.items()}
    firsts = changes.pop("session_firsts", None)
    if firsts is not None and firsts.all_rows:
        # It may belong to another project now.
        raise OtherKindError
    for table in ("responses", "tool_calls", "prompts"):
        if table in changes and not all(_stays(pair) for pair in changes[table].changed):
            raise OtherKindError
        for row in changes[table].all_rows if table in changes else ():
            if row.get("spawned_subagent_id") is not None:
                raise OtherKindError
            owners = {row["session_id"], row.get("result_session_id")} - {None}
            if not owners <= sessions.keys():
                raise OtherKindError
    return changes


def _stays(pair: tuple[Row, Row]) -> bool:
    """Whether a row that is told anew is still its session's, or only now has one."""
    before, after = pair
    return all(before.get(column) in (None, after.get(column)) for column in ("session_id", "result_session_id"))


# -- writing ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Writing:
    """The writing of one load."""

    connection: Writer
    work: Load
    told: ToldLines
    known: _Known
    changes: dict[str, FactChange]
    times: dict[str, set[int | None]] = field(default_factory=dict)
    """Day rollup -> the times of rows that it counts otherwise now."""
    parts: set[SessionPart] = field(default_factory=set)
    """Of sessions, what has changed."""
    is_titled: bool = False
    """Whether the title may be another one."""

    def write(self) -> None:
        for change in self.changes.values():
            self._write_fact(change)
        self._write_activity()
        self._write_files()
        self._note_responses()
        self._note_calls()
        self._note_prompts()
        self._note_labels()
        self._settle()
        self._rebuild_sessions()
        for rollup, times in self.times.items():
            self._rebuild_days(rollup, times)

    def _write_fact(self, change: FactChange) -> None:
        fact, columns = change.fact, change.columns
        after = [after for _, after in change.changed]
        if not _inputs(fact).isdisjoint(columns):
            self._compute_anew(fact, columns, after)
        elif change.changed:
            self._update(fact.name, fact.loaded, tuple(fact.key), columns, after)
        if change.new:
            self._insert(fact, change.new)

    def _insert(self, fact: Fact, rows: Sequence[Row]) -> None:
        if _inputs(fact):
            select, parameters = _computed(fact, rows)
            self.connection.execute(f"INSERT INTO {fact.name} BY NAME {select}", parameters)
            return
        columns = _told_in(fact, rows)
        values, parameters = _values(columns, rows)
        names = ", ".join(f'"{name}"' for name in columns)
        self.connection.execute(f"INSERT INTO {fact.name} ({names}) {values}", parameters)

    def _compute_anew(self, fact: Fact, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Give rows that are there other values, and what is computed of them."""
        select, parameters = _computed(fact, rows, columns)
        key = next(iter(fact.key))
        sets = ", ".join(f'"{column}" = n."{column}"' for column in (*columns, *fact.computed, *fact.derived))
        self.connection.execute(
            f"UPDATE {fact.name} SET {sets} FROM ({select}) AS n WHERE {fact.name}.{key} = n.{key}", parameters
        )

    def _update(
        self, table: str, kinds: Mapping[str, str], key: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
    ) -> None:
        """Give rows that are there other values in some columns."""
        if len(rows) == 1:
            sets = ", ".join(f'"{column}" = {_mark(kinds[column])}' for column in columns)
            where = " AND ".join(f'"{column}" = {_mark(kinds[column])}' for column in key)
            parameters = [rows[0][column] for column in (*columns, *key)]
            self.connection.execute(f"UPDATE {table} SET {sets} WHERE {where}", parameters)
            return
        values, parameters = _values({column: kinds[column] for column in (*key, *columns)}, rows)
        sets = ", ".join(f'"{column}" = n."{column}"' for column in columns)
        where = " AND ".join(f'{table}."{column}" = n."{column}"' for column in key)
        names = ", ".join(f'"{column}"' for column in (*key, *columns))
        self.connection.execute(f"UPDATE {table} SET {sets} FROM ({values}) AS n({names}) WHERE {where}", parameters)

    def _write_activity(self) -> None:
        kinds = TABLES["activity"]
        gone: list[Row] = []
        new: list[Row] = []
        for session, spans in self.told.activity.items():
            known = {
                (row["started_at"], row["ended_at"])
                for row in self.known.of("activity")
                if row["session_id"] == session
            }
            after = set(joined([*known, *spans]))
            gone += [_span(session, *span) for span in sorted(known - after)]
            new += [_span(session, *span) for span in sorted(after - known)]
        if not new:
            return
        self.parts.add(SessionPart.ACTIVE)
        if len(gone) == len(new) == 1 and gone[0]["started_at"] == new[0]["started_at"]:
            # It goes on, as it mostly does.
            self._update("activity", kinds, ("session_id", "started_at"), ("ended_at",), new)
            return
        if gone:
            values, parameters = _values(kinds, gone)
            self.connection.execute(
                f"DELETE FROM activity WHERE (session_id, started_at, ended_at) IN ({values})", parameters
            )
        values, parameters = _values(kinds, new)
        self.connection.execute(f"INSERT INTO activity {values}", parameters)

    def _write_files(self) -> None:
        if self.known.facts & {"rejects", "unknowns"}:
            forget_rejects(self.connection, self.work.results)
        for table in ("rejects", "unknowns"):
            if rows := self.work.rows.get(table):
                values, parameters = _values(TABLES[table], rows)
                names = ", ".join(TABLES[table])
                self.connection.execute(
                    f"INSERT INTO {table} BY NAME SELECT DISTINCT *{stamped(table)} FROM ({values}) AS n({names})",
                    parameters,
                )
        for result in self.work.results:
            row = file_row(result)
            path = row.pop("path")
            sets = ", ".join(f"{column} = ?" for column in row)
            self.connection.execute(
                f"UPDATE files SET {sets}, gone_at = NULL, read_at = get_current_timestamp()::TIMESTAMP WHERE path = ?",
                [*row.values(), path],
            )

    # -- rollups -------------------------------------------------------------------------------------------------

    def _note_responses(self) -> None:
        if (change := self.changes.get("responses")) is None:
            return
        counted = [
            pair for pair in change.changed if any(pair[0].get(column) != pair[1][column] for column in _counted)
        ]
        rows = [*change.new, *(row for pair in counted for row in pair)]
        if rows:
            self.parts |= {SessionPart.USED, SessionPart.FAVOURITE}
            self.is_titled |= not all(_has_title(row) for row in self.known.of("sessions"))
            self._touch("tokens_daily", rows)

    def _touch(self, rollup: str, rows: Iterable[Row]) -> None:
        self.times.setdefault(rollup, set()).update(row["ts"] for row in rows)

    def _note_calls(self) -> None:
        if (change := self.changes.get("tool_calls")) is None:
            return
        call, result = (half.columns for half in change.fact.halves)
        for before, after in [*((None, row) for row in change.new), *change.changed]:
            pair = [row for row in (before, after) if row is not None]
            if any(before is None or before.get(column) != after[column] for column in call):
                self.parts.add(SessionPart.CALLS)
            is_other = any(before is None or before.get(column) != after[column] for column in result)
            if is_other and any(row["is_error"] for row in pair):
                self.parts.add(SessionPart.FAILURES)
            if any(row["name"] is not None for row in pair):
                self._touch("tools_daily", pair)
            if any(row["skill"] is not None or row["class"] == "subagent" for row in pair):
                self._touch("extensions_daily", pair)

    def _note_prompts(self) -> None:
        if (change := self.changes.get("prompts")) is not None and change.all_rows:
            self.parts.add(SessionPart.TYPED)
            may_be_first = bool(change.changed) or "later prompts" in self.known.facts
            self.is_titled |= may_be_first or not all(_has_title(row) for row in self.known.of("sessions"))
            if commands := [row for row in change.all_rows if row["kind"] == "command"]:
                self._touch("extensions_daily", commands)

    def _note_labels(self) -> None:
        if (change := self.changes.get("session_lasts")) is None:
            return
        pairs = [*((None, row) for row in change.new), *change.changed]
        kinds = {after["kind"] for before, after in pairs if before is None or before["value"] != after["value"]}
        if kinds & {"git_branch", "version"}:
            self.parts.add(SessionPart.LASTS)
        self.is_titled |= bool(kinds - {"git_branch", "version", "leaf"})
        self.is_titled |= "leaf" in kinds and "summaries" in self.known.facts

    def _settle(self) -> None:
        """Mark the responses that nothing can complete any more."""
        if not self._may_settle():
            return
        settled = self.connection.rows(lower_bounds.settle_in(self._sessions))
        if settled:
            self.parts |= {SessionPart.USED}
            self.times.setdefault("tokens_daily", set()).update(None if ts is None else micros(ts) for (ts,) in settled)

    def _may_settle(self) -> bool:
        """Whether any mark may be another one. All were right before this load: so something of it must be later."""
        change, prompts = self.changes.get("responses"), self.changes.get("prompts")
        pairs = [] if change is None else [*((None, row) for row in change.new), *change.changed]
        begun = [*(after for _, after in pairs), *([] if prompts is None else prompts.all_rows)]
        told = self.told.rows_of("responses")
        waiting = [row for row in self.known.of("waits") if row["key"] not in {after["key"] for _, after in pairs}]
        for before, after in pairs:
            if _may_wait(after):
                was_marked = before is not None and before["output_undercounted"]
                if was_marked or "goes on" in self.known.facts or not any(map(_may_wait, told)):
                    return True
                waiting.append(after)
        return any(
            one["session_id"] == row["session_id"] and (_at(row) or 0) < (one["ts"] or 0)
            for row in waiting
            for one in begun
        )

    @property
    def _sessions(self) -> str:
        """SQL of the ids of the sessions, as a list in brackets."""
        return f"({', '.join(map(quoted, self.told.sessions))})"

    def _rebuild_sessions(self) -> None:
        if not (self.parts or self.is_titled):
            return
        for session in self.told.sessions:
            columns, select = parts_of_session(session, self.parts, titled=self.is_titled)
            sets = ", ".join(f"{column} = n.{column}" for column in columns)
            self.connection.execute(
                f"UPDATE sessions SET {sets} FROM ({select}) AS n WHERE sessions.session_id = {quoted(session)}"
            )

    def _rebuild_days(self, rollup: str, times: set[int | None]) -> None:
        """Rebuild the days of the sessions from the first one touched to the last."""
        change = self.changes.get("responses")
        plain = "subagents" not in self.known.facts and not (
            change is not None and any(row["subagent_id"] is not None for row in change.all_rows)
        )
        rollups.rebuild_slice(self.connection, rollup, self._sessions, times, with_subagents=not plain)


def _may_wait(response: Row) -> bool:
    """Whether a response may still grow, as `lower_bounds` has it."""
    return response.get("stop_reason") is None and response.get("lower_bound") is None


def _at(response: Row) -> int | None:
    """When a response ended, as far as it is known."""
    end: int | None = response["ts"] if response.get("ended_at") is None else response["ended_at"]
    return end


def _has_title(session: Row) -> bool:
    """Whether a session has a title that what comes later leaves to it. A command's gives way to a prompt's."""
    title = session["title"]
    return title is not None and title != ONLY_SUBAGENTS and not title.startswith("/")


def _span(session: str, start: int, end: int) -> Row:
    return {"session_id": session, "started_at": start, "ended_at": end}


_WORD = re.compile(r"\w+")


def _inputs(fact: Fact) -> frozenset[str]:
    """The columns from which others of the fact are computed; empty if none are."""
    if not (fact.computed or fact.derived):
        return frozenset()
    return _inputs_of_responses


def _words_of_responses() -> frozenset[str]:
    fact = BY_NAME["responses"]
    said = " ".join((priced("merged"), *(sql for _, sql in fact.computed.values())))
    return frozenset(_WORD.findall(said)) & fact.loaded.keys()


_inputs_of_responses = _words_of_responses()

_counted = _inputs_of_responses | (READ_OF_RESPONSES & BY_NAME["responses"].loaded.keys())
"""The columns of a response that make a difference to a rollup: where it stands, and when it ended, make none."""


def _told_in(fact: Fact, rows: Sequence[Row], also: Iterable[str] = ()) -> dict[str, str]:
    """The columns in which some row has a value, and others."""
    wanted = set(also)
    return {
        name: kind for name, kind in fact.loaded.items() if name in wanted or any(row[name] is not None for row in rows)
    }


def _computed(fact: Fact, rows: Sequence[Row], also: Iterable[str] = ()) -> tuple[str, list[Any]]:
    """SELECT of rows with what is computed of them, and the values to be bound."""
    columns = _told_in(fact, rows, (*_inputs(fact), *also))
    values, parameters = _values(columns, rows)
    names = ", ".join(f'"{name}"' for name in columns)
    computed = "".join(f', {sql} AS "{column}"' for column, (_, sql) in fact.computed.items())
    merged = f"SELECT *{computed} FROM ({values}) AS n({names})"
    return f"WITH merged AS MATERIALIZED ({merged}) {priced('merged')}", parameters


def _mark(kind: str) -> str:
    return "make_timestamp(?::BIGINT)" if kind == "TIMESTAMP" else f"?::{kind}"


def _values(columns: Mapping[str, str], rows: Sequence[Row]) -> tuple[str, list[Any]]:
    """SELECT of some columns of some rows, with the values to be bound: a list for each column.

    So it is the same statement for any number of rows, and is parsed once (`queries/store/parsed.py`).
    """
    lists = ", ".join(
        "make_timestamp(unnest(?::BIGINT[]))" if kind == "TIMESTAMP" else f"unnest(?::{kind}[])"
        for kind in columns.values()
    )
    return f"SELECT {lists}", [[row.get(column) for row in rows] for column in columns]
