"""Draining an inbox into a team's store: what changed there is told again, by all who tell it, and loaded as one.

A fact of which anything changed is made anew of what all machines tell of it now. So it does not matter in which order
things were pushed, how often, or how many drain at once, and what a laptop does not tell any more goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...queries.facts import Fact
from ...queries.replaced import replace_text
from ...queries.rollups import spans_of
from ...queries.schema import FACTS, STORE_VERSION, TABLES
from ...queries.store import Store, StoreConflict, StoreError
from ...queries.store.files import TEAM_MARK
from ...queries.store.scratch import scratch
from ...queries.teams import INBOX, PUSHERS
from .. import forget, strays, upkeep
from ..batch import Batch, Row
from ..merging import key_of
from ..model_names import PRICE_NAME
from ..prices import PriceOverrides
from ..redaction import wipe
from ..rollups import Touched
from ..row_files import read_rows
from . import inbox
from .outgoing import ACTIVITY
from .tellings import take

if TYPE_CHECKING:
    from ...queries.store import Reader, Writer

MARK, FORMAT = "team_drained", "team_format"
"""Notes in the store: up to which transaction it has seen all, and by a program of which version."""

MOST_ROWS = 100_000
"""About so many changes are loaded at once; more, if one transaction pushed them."""

ATTEMPTS = 5
"""How often a portion is loaded before a conflict is told."""

_FACTS = {fact.name: fact for fact in FACTS}
_COLUMNS = {fact.name: fact.loaded for fact in FACTS}
_PATHS = {
    table: [column for column in columns if column == "path" or column.endswith("_path")]
    for table, columns in _COLUMNS.items()
}
"""Per table, because each row asks."""
_YEAR_1, _YEAR_10000 = -62_135_596_800_000_000, 253_402_300_800_000_000
_MOST = 10**12
"""The largest number that a row may have: millions of them add up to one that the store can hold."""


class NotATeams(StoreError):
    """The store is somebody's own, or of another team."""


@dataclass(slots=True)
class Drained:
    """What a drain did."""

    rows: int = 0
    """Rows of the inbox that were looked at."""
    facts: int = 0
    """Facts that were made anew."""
    refused: dict[str, int] = field(default_factory=dict)
    """Pusher and machine -> rows that no agnes-stats writes."""

    def add(self, rows: int, portion: _Portion) -> None:
        """Count what one transaction did."""
        self.rows += rows
        self.facts += portion.facts
        for who, count in portion.refused.items():
            self.refused[who] = self.refused.get(who, 0) + count


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a store is."""

    upto: int
    inbox: str | None
    id: str


def drain(
    store: Store,
    where: inbox.Address,
    *,
    zones: Sequence[str] = ("UTC",),
    overrides: PriceOverrides | None = None,
    most_rows: int = MOST_ROWS,
) -> Drained:
    """Load all that is new in an inbox. Raises InboxError, StoreError."""
    done = Drained()
    prices = overrides or PriceOverrides()
    store.for_drain()
    with inbox.connected(where) as connection:
        of = inbox.check_version(connection)
        _begin(store, of, zones, prices)
        _mark(store, where)
        upto, end = 0, 1
        while upto < end:
            place = _place(store)
            with scratch(store.path) as folder:
                portion = _Portion(folder)
                with inbox.snapshot(connection):
                    upto, rows, end = inbox.bounds(connection, place.upto, most_rows)
                    if rows:
                        portion.add(inbox.changes(connection, place.upto, upto, STORE_VERSION))
                if rows and not _loads(store, place, upto, portion, prices):
                    # Another drain was faster: from where it ended.
                    upto = 0
                    continue
            if rows:
                _note_pushers(store, inbox.machines(connection))
                inbox.note_drain(connection, place.id, store.shown, upto, rows)
                done.add(rows, portion)
    return done


def how_far(store: Store) -> int:
    """Up to which transaction of its inbox a store has seen all. Raises StoreError."""
    return _place(store).upto


def _begin(store: Store, of: str, zones: Sequence[str], prices: PriceOverrides) -> None:
    """Make a store a team's, if it is new, and keep its zones and prices. Raises NotATeams."""
    with store.write() as connection:
        notes = _notes(connection)
        if INBOX not in notes and connection.row("SELECT 1 FROM files LIMIT 1") is not None:
            raise NotATeams(f"{store.shown} is this machine's own store: name a team's with --store TEAM.duckdb")
        if notes.get(INBOX, of) != of:
            raise NotATeams(f"{store.shown} is of another inbox: name another one with --store")
        upkeep.refresh(store, connection, zones, prices)
        with connection.transaction():
            if INBOX not in notes:
                _note(connection, INBOX, of)
            if "team_store" not in notes:
                connection.execute("INSERT INTO meta VALUES ('team_store', uuid()::VARCHAR)")
            if notes.get(FORMAT) != str(STORE_VERSION):
                # What was pushed by a newer version than ours was, was passed over.
                _note(connection, FORMAT, str(STORE_VERSION))
                _note(connection, MARK, "0")


def _mark(store: Store, where: inbox.Address) -> None:
    """Say beside the store that it is a team's, where its kind does not say so. Raises OSError."""
    if not store.is_file:
        return
    beside = Path(f"{store.path}{TEAM_MARK}")
    if not beside.exists():
        replace_text(beside, f"drained from {where.shown}\n")


def _place(store: Store) -> _Place:
    with store.read() as connection:
        notes = _notes(connection)
    return _Place(int(notes.get(MARK, "0")), notes.get(INBOX), notes.get("team_store", ""))


def _notes(connection: Reader) -> dict[str, str]:
    return {name: str(value) for name, value in connection.rows("SELECT name, value FROM meta")}


def _note(connection: Writer, name: str, value: str) -> None:
    connection.execute("DELETE FROM meta WHERE name = ?", [name])
    connection.execute("INSERT INTO meta VALUES (?, ?)", [name, value])


class _Portion:
    """What is loaded at once: the keys of what changed, and the lines that tell it now, in files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused: dict[str, int] = {}
        self._keys: dict[str, set[str]] = {}
        self._batch = Batch()
        self._number = 0
        self._rows = 0
        self.files: dict[str, list[Path]] = {}

    @property
    def facts(self) -> int:
        """How many facts changed."""
        return sum(map(len, self._keys.values()))

    @property
    def tables(self) -> list[str]:
        """Tables in which something changed."""
        return list(self._keys)

    def add(self, changes: Iterable[inbox.InboxChange]) -> None:
        """Take what an inbox tells."""
        for change in changes:
            try:
                _key(change)
                lines = [] if change.row is None else _lines(change)
            except (ValueError, RecursionError, msgspec.DecodeError):
                who = f"{change.pusher}@{change.machine}"
                self.refused[who] = self.refused.get(who, 0) + 1
                continue
            self._keys.setdefault(change.fact, set()).add(change.ident)
            for line in lines:
                self._batch.add(change.fact, line)
                self._rows += 1
            if self._rows >= 20_000:
                self._write()
        self._write()

    def keys_of(self, table: str) -> list[list[str]]:
        """The keys of what changed in a table, column by column."""
        return [list(column) for column in zip(*map(msgspec.json.decode, sorted(self._keys[table])), strict=True)]

    def _write(self) -> None:
        self._number += 1
        for table, path in self._batch.write(self.folder, f"p{self._number}").items():
            self.files.setdefault(table, []).append(path)
        self._batch, self._rows = Batch(), 0


def _key(change: inbox.InboxChange) -> list[str]:
    """The key of a fact. ValueError if it is none."""
    count = 1 if change.fact == ACTIVITY else len(_fact(change).key)
    key = msgspec.json.decode(change.ident)
    if not (isinstance(key, list) and len(key) == count and all(map(_is_text, key))):
        raise ValueError(change.ident)
    return key


def _fact(change: inbox.InboxChange) -> Fact:
    fact = _FACTS.get(change.fact)
    if fact is None:
        raise ValueError(change.fact)
    return fact


def _lines(change: inbox.InboxChange) -> list[Row]:
    """The lines that tell a fact, checked, as of their pusher and machine. ValueError if one is none."""
    told, key = msgspec.json.decode(change.row or "[]"), _key(change)
    if not isinstance(told, list) or not all(isinstance(line, dict) for line in told):
        raise ValueError(change.ident)
    if change.fact == ACTIVITY:
        spans = [_checked(line, TABLES[ACTIVITY]) | {"session_id": key[0]} for line in told]
        if not all(
            "started_at" in span and "ended_at" in span and span["started_at"] <= span["ended_at"] for span in spans
        ):
            raise ValueError(change.ident)
        return spans
    fact = _fact(change)
    own = dict(zip(fact.key, key, strict=True))
    return [_of(_checked(line, _COLUMNS[fact.name]) | own, change) for line in told]


def _of(line: Row, change: inbox.InboxChange) -> Row:
    """A line, with whose it is, and its files under names that no other machine's have."""
    of = f"{change.pusher.replace('@', '%40')}@{change.machine}"
    for column in _PATHS[change.fact]:
        if column in line:
            line[column] = f"{of}:{line[column]}"
    if "username" in _COLUMNS[change.fact]:
        line["username"] = change.pusher
        line.setdefault("machine", change.machine)
    return line


def _checked(line: dict[str, Any], columns: dict[str, str]) -> Row:
    """What a line tells of the columns that we know. ValueError if that is not of their types."""
    found = {column: value for column, value in line.items() if column in columns and value is not None}
    for column, value in found.items():
        # Nobody adds up places in files, and in a database they may be anything.
        is_of = _is_place if column.endswith("pos") else _IS_OF[columns[column]]
        if not is_of(value):
            raise ValueError(column)
    return found


def _is_place(value: object) -> bool:
    return _is_whole(value, -(2**63), 2**63 - 1)


def _is_whole(value: object, least: int = -_MOST, most: int = _MOST) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


_IS_OF: dict[str, Callable[[Any], bool]] = {
    "VARCHAR": _is_text,
    "VARCHAR[]": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "BIGINT": _is_whole,
    "UTINYINT": lambda value: _is_whole(value, 0, 255),
    "BOOLEAN": lambda value: isinstance(value, bool),
    "DOUBLE": _is_number,
    "TIMESTAMP": lambda value: _is_whole(value, _YEAR_1, _YEAR_10000 - 1),
}
"""Type of a column -> whether a value, as it is in JSON, is one. Times are microseconds since 1970."""


def _loads(store: Store, place: _Place, upto: int, portion: _Portion, prices: PriceOverrides) -> bool:
    """As `_load`, tried again where somebody else changed the same rows of a store that has no lock of its own."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _load(store, place, upto, portion, prices)
        except StoreConflict:
            continue
    return _load(store, place, upto, portion, prices)


def _load(store: Store, place: _Place, upto: int, portion: _Portion, prices: PriceOverrides) -> bool:
    """Bring a portion into the store, in one transaction; False if another drain did something meanwhile."""
    with store.write() as connection:
        with connection.transaction():
            if connection.value("SELECT value FROM meta WHERE name = ?", [MARK]) != str(place.upto):
                return False
            touched = Touched(connection)
            if "responses" in portion.files:
                _add_rates(connection, portion.files["responses"], prices)
            for table in portion.tables:
                if table == ACTIVITY:
                    _load_activity(connection, portion, touched)
                else:
                    _load_fact(connection, _FACTS[table], portion, touched)
            strays.settle(connection, touched)
            touched.rebuild(with_ledgers=True)
            _note_refused(connection, portion.refused)
            _note(connection, MARK, str(upto))
        forget.enforce(connection)
    return True


def _note_pushers(store: Store, machines: Sequence[inbox.Machine]) -> None:
    """Keep who pushes, for those who look at the store and know no inbox."""
    told = [
        {
            "user": each.pusher,
            "machine": each.machine,
            "pushed_at": each.pushed_at.isoformat(),
            "rows": each.rows,
            "share": each.share,
            "version": each.program,
            "problem": problem_of(each),
        }
        for each in machines
    ]
    with store.write() as connection, connection.transaction():
        _note(connection, PUSHERS, json.dumps(told))


def problem_of(machine: inbox.Machine) -> str:
    """What is the matter with a machine's version, in words; empty if nothing is."""
    if machine.format > STORE_VERSION:
        return "its agnes-stats is newer than the drain's: its rows wait until that is updated"
    return "its agnes-stats is older: update it" if machine.format < STORE_VERSION else ""


def _note_refused(connection: Writer, refused: Mapping[str, int]) -> None:
    """Show what was refused where rejected pieces of files are shown."""
    for who, count in refused.items():
        connection.execute(
            "INSERT INTO rejects SELECT ?, (SELECT count(*) FROM rejects WHERE path = ?), NULL, ?, "
            "get_current_timestamp()::TIMESTAMP",
            [who, who, f"{count} rows pushed that no agnes-stats writes"],
        )


def _add_rates(connection: Writer, files: Sequence[Path], prices: PriceOverrides) -> None:
    rows = read_rows(files, _FACTS["responses"].loaded)
    names = connection.rows(
        f"WITH told AS ({rows}) SELECT model FROM told UNION SELECT {PRICE_NAME} FROM told EXCEPT "
        "SELECT model FROM models"
    )
    upkeep.add_rates(connection, [name for (name,) in names if name is not None], prices)


def _load_fact(connection: Writer, fact: Fact, portion: _Portion, touched: Touched) -> None:
    keys = portion.keys_of(fact.name)
    columns = ", ".join(f'unnest(?::VARCHAR[]) AS "{column}"' for column in fact.key)
    changed = f"changed_{fact.name}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {changed} AS SELECT {key_of(fact)} AS changed FROM (SELECT {columns})", keys
    )
    files = portion.files.get(fact.name)
    names = ", ".join(f'"{column}"' for column in fact.loaded)
    told = read_rows(files, fact.loaded) if files else f"SELECT {names} FROM {fact.name} LIMIT 0"
    take(connection, fact, told, touched, instead=changed)


def _load_activity(connection: Writer, portion: _Portion, touched: Touched) -> None:
    [sessions] = portion.keys_of(ACTIVITY)
    files = portion.files.get(ACTIVITY)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE changed_activity AS SELECT unnest(?::VARCHAR[]) AS session_id", [sessions]
    )
    touched.add(ACTIVITY, "changed_activity")
    connection.execute("DELETE FROM activity WHERE session_id IN (FROM changed_activity)")
    if files:
        told = read_rows(files, TABLES[ACTIVITY])
        connection.execute(f"CREATE OR REPLACE TEMP TABLE told_activity AS SELECT DISTINCT * FROM ({told})")
        connection.execute(f"INSERT INTO activity BY NAME {spans_of('FROM told_activity')}")


def compact(store: Store, where: inbox.Address) -> int:
    """Remove what is left of rows that nobody tells any more, from the inbox and from the store's file; how many.

    From the inbox only what every store that drains it has seen. Raises InboxError, StoreError.
    """
    store.for_drain()
    with inbox.connected(where) as connection:
        of = inbox.check_version(connection)
        with store.write() as writer:
            if _notes(writer).get(INBOX) != of:
                raise NotATeams(f"{store.shown} is no store of this inbox: agnes-stats team drain makes one")
            _note(writer, "unwiped", "true")
            wipe(store, writer)
        return inbox.compact(connection)
