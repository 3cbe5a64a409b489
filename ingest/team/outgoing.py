"""What a store has to tell a team, by parts: which parts differ from what was told last, and the rows of a part.

A part is what happened in a session on a day. Of each there is a digest, so that nothing has to be noted here of what
was sent: whatever changes a row, new lines, a parser, a forgotten session, other terms, changes its part's digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ...queries.facts import Fact
from ...queries.projects import is_project, spelled
from ...queries.quoting import quoted
from ...queries.schema import FACTS, STORE_VERSION
from . import share as sharing
from .share import Share, shown
from .tellings import tellings

if TYPE_CHECKING:
    from ...queries.store import Reader

ACTIVITY = "activity"
"""What spans of activity are called among the facts that are sent."""

_FORM = 1
"""Raised when the same facts are sent in another form: everything is sent again."""

_DECODE = msgspec.json.Decoder()
_ENCODE = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a machine tells."""

    machine: str
    """Its name; rows that name another machine keep that."""
    share: Share = Share.NUMBERS
    key: str = ""
    """What hashes are keyed with, in hex."""
    team: str = ""
    """What hashes of ids are keyed with: the inbox."""
    leave_out: tuple[str, ...] = ()
    """Projects of which nothing goes: names as they are shown, or paths. Nor does what is of no known project then."""

    @property
    def mark(self) -> str:
        """A text that is another one when rows would go in another form."""
        told = repr((_FORM, STORE_VERSION, self.machine, self.share.value, self.key, self.team)).encode()
        return hashlib.sha256(told).hexdigest()[:8]


class Part(NamedTuple):
    """A part of what there is to tell: its name, its digest, and how many rows it has."""

    name: str
    digest: str
    rows: int


class OutgoingRow(NamedTuple):
    """One fact as it goes: the part it is in, its table, its key as JSON, and all that is told of it as JSON."""

    part: str
    fact: str
    ident: str
    row: str


def parts(connection: Reader, terms: Terms, names: Sequence[str] | None = None) -> dict[str, Part]:
    """All parts of what there is to tell, by name; of some names only, if they are given."""
    _prepare(connection, terms)
    only = ""
    if names is not None:
        _choose(connection, names)
        only = " WHERE part IN (FROM chosen_parts)"
    each = [
        f"SELECT part, hash({quoted(fact.name)}, {_hashed_columns(fact)}) AS digest FROM ({_rows(fact)}){only}"
        for fact in _facts(terms)
    ]
    each.append(
        f"SELECT part, hash({quoted(ACTIVITY)}, session_id, started_at, ended_at) AS digest FROM ("
        f"SELECT *, session_id || ' ' AS part FROM activity WHERE session_id NOT IN (FROM left_out)){only}"
    )
    rows = connection.rows(f"SELECT part, bit_xor(digest), count(*) FROM ({' UNION ALL '.join(each)}) GROUP BY part")
    return {part: Part(part, f"{terms.mark}-{digest:016x}", count) for part, digest, count in rows}


class OutgoingFile(NamedTuple):
    """A file of this machine: how many bytes of it are read, and whether all that these tell is known elsewhere."""

    path: str
    read_to: int
    known_there: bool


def files(connection: Reader, terms: Terms, waiting: Sequence[str]) -> list[OutgoingFile]:
    """All files that were read here, by path; `waiting` are the parts that wait. What is left out is known nowhere."""
    _prepare(connection, terms)
    _choose(connection, waiting)
    tell = " UNION ".join(
        f'SELECT "{column}" FROM ({_rows(fact)}) WHERE part IN (FROM chosen_parts) AND "{column}" IS NOT NULL'
        for fact in _facts(terms)
        for column in fact.columns
        if column == "path" or column.endswith("_path")
    )
    rows = connection.rows(
        f"SELECT path, coalesce(read_to, 0), path NOT IN ({tell}) "
        "AND coalesce(session_id NOT IN (FROM left_out), true) FROM files WHERE machine IS NULL ORDER BY path"
    )
    return [OutgoingFile(*row) for row in rows]


def rows_of(connection: Reader, terms: Terms, names: Sequence[str]) -> Iterator[OutgoingRow]:
    """All that is told in some parts."""
    _prepare(connection, terms)
    _choose(connection, names)
    for fact in _facts(terms):
        yield from _told(connection, fact, terms)
    spans = connection.rows(
        "SELECT session_id || ' ' AS part, session_id, "
        "list(struct_pack(started_at := epoch_us(started_at), ended_at := epoch_us(ended_at)) ORDER BY started_at) "
        "FROM activity WHERE part IN (FROM chosen_parts) AND session_id NOT IN (FROM left_out) GROUP BY session_id"
    )
    for part, session, several in spans:
        yield OutgoingRow(part, ACTIVITY, _json([session]), _json(several))


def unknown_projects(connection: Reader, names: Sequence[str]) -> list[str]:
    """Those of some names of projects that nothing is called by so far."""
    found = []
    for name in names:
        called = f"SELECT 1 FROM sessions WHERE {is_project('project', quoted(spelled(name)))} LIMIT 1"
        if connection.row(called) is None:
            found.append(name)
    return found


def _choose(connection: Reader, names: Sequence[str]) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE chosen_parts AS SELECT unnest(?::VARCHAR[]) AS part", [list(names)]
    )


def _facts(terms: Terms) -> list[Fact]:
    return [fact for fact in FACTS if sharing.is_sent(fact, terms.share)]


def _prepare(connection: Reader, terms: Terms) -> None:
    """Find out what does not go: sessions that are private in Agnes' sense, and those of projects left out."""
    projects = [is_project("project", quoted(spelled(name))) for name in terms.leave_out]
    # Of whom the project is not known, nobody can say that it is none of these.
    projects += ["project IS NULL"] if projects else []
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE left_out AS SELECT session_id FROM uploads WHERE status = 'private' "
        f"AND session_id IS NOT NULL UNION SELECT session_id FROM sessions WHERE {' OR '.join(projects) or 'false'}"
    )
    workspaces = [is_project("workspace", quoted(spelled(name))) for name in terms.leave_out]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE left_out_workspaces AS SELECT DISTINCT workspace FROM ("
        "SELECT workspace FROM accesses UNION SELECT workspace FROM sync_actions) "
        f"WHERE {' OR '.join(workspaces) or 'false'}"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE left_out_agents AS SELECT subagent_id FROM responses "
        "WHERE subagent_id IS NOT NULL AND session_id IN (FROM left_out) UNION SELECT spawned_subagent_id "
        "FROM tool_calls WHERE spawned_subagent_id IS NOT NULL AND session_id IN (FROM left_out) UNION "
        "SELECT subagent_id FROM subagents WHERE tool_use_id IN "
        "(SELECT id FROM tool_calls WHERE session_id IN (FROM left_out)) "
        "OR path IN (SELECT path FROM files WHERE session_id IN (FROM left_out))"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE left_out_leaves AS SELECT value AS leaf FROM session_lasts "
        "WHERE kind = 'leaf' AND value IS NOT NULL AND session_id IN (FROM left_out)"
    )


def _rows(fact: Fact) -> str:
    """SELECT of the stored rows of a fact that go, with the `part` of each."""
    sessions = [column for column in fact.columns if column.endswith("session_id")]
    times = [column for column in fact.columns if column == "ts" or column.endswith("_ts")]
    if sessions:
        day = f"coalesce(strftime(coalesce({', '.join(times)}), '%Y-%m-%d'), '')" if times else "''"
        part = f"coalesce({', '.join(sessions)}, '') || ' ' || {day}"
    else:
        # Of no session: some of them together.
        part = f"{quoted(fact.name)} || ' ' || left(md5({', '.join(fact.key)}), 2)"
    beside = ""
    if fact.name == "session_firsts":
        # What a session counts to may be told by its worktree.
        beside = f", (SELECT s.project FROM sessions s WHERE s.session_id = {fact.name}.session_id) AS project_now"
    return f"SELECT *{beside}, {part} AS part FROM {fact.name} WHERE {_goes(fact, fact.columns)}"


def _goes(fact: Fact, columns: Sequence[str] | dict[str, str]) -> str:
    """SQL: whether a row is of nothing that is left out."""
    conditions = [
        f'coalesce("{column}" NOT IN (FROM left_out), true)'
        for column in columns
        if column.endswith("session_id") or (fact.name == "strays" and column == "home")
    ]
    if "workspace" in columns:
        conditions.append("coalesce(workspace NOT IN (FROM left_out_workspaces), true)")
    if fact.name == "subagents":
        conditions.append("subagent_id NOT IN (FROM left_out_agents)")
    if fact.name == "summaries":
        conditions.append("leaf_uuid NOT IN (FROM left_out_leaves)")
    return " AND ".join(conditions) or "true"


def _hashed_columns(fact: Fact) -> str:
    columns = [*fact.loaded, *fact.rivals, *(["project_now"] if fact.name == "session_firsts" else [])]
    return ", ".join(f'"{column}"' for column in columns)


def _told(connection: Reader, fact: Fact, terms: Terms) -> Iterator[OutgoingRow]:
    chosen = f"outgoing_{fact.name}"
    [(count,)] = connection.rows(
        f"CREATE OR REPLACE TEMP TABLE {chosen} AS SELECT * FROM ({_rows(fact)}) WHERE part IN (FROM chosen_parts)"
    )
    if not count:
        return
    keys = ", ".join(f'"{column}"' for column in fact.key)
    beside = f" LEFT JOIN (SELECT {keys}, part{', project_now' if fact.name == 'session_firsts' else ''} FROM {chosen})"
    each = {column: shown(fact, column, terms.share, terms.key, terms.team) for column in fact.loaded}
    timed = {column: f"epoch_us({sql})" if fact.loaded[column] == "TIMESTAMP" else sql for column, sql in each.items()}
    line = ", ".join(f'"{column}" := {sql}' for column, sql in timed.items())
    ident = ", ".join(each[column] for column in fact.key)
    lines = f"SELECT * FROM ({tellings(fact, chosen)}) WHERE {_goes(fact, fact.loaded)}"
    answer = connection.execute(
        f"SELECT part, to_json([{ident}])::VARCHAR AS ident, to_json(list(struct_pack({line})))::VARCHAR "
        f"FROM ({lines}){beside} USING ({keys}) GROUP BY ALL"
    )
    while some := answer.fetchmany(2000):
        for part, key, told in some:
            each_line = sorted(map(_plain, _DECODE.decode(told)), key=repr)
            yield OutgoingRow(part, fact.name, _json(_without_nul(_DECODE.decode(key))), _json(each_line))


def _plain(line: dict[str, object]) -> dict[str, object]:
    """A line without what it does not tell."""
    return {column: _without_nul(value) for column, value in line.items() if value is not None}


def _without_nul(value: object) -> object:
    """A value without the one character that no database takes in a text."""
    if isinstance(value, str):
        return value.replace("\0", "") if "\0" in value else value
    return [_without_nul(each) for each in value] if isinstance(value, list) else value


def _json(value: object) -> str:
    return _ENCODE.encode(value).decode()
