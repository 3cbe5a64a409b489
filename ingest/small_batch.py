"""What a few appended lines change, once it is known what the store knows of the same facts.

It is worked out here, by the same orders by which SQL merges (`queries/facts.py`), so that only changes are written.
Where that is not all there is to know, as with copies of a session's rows in another file, the load is none of these.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..queries.schema import FACTS, Fact
from .batch import Row
from .formats import SOURCES, ReadResult
from .formats.source import Vanished
from .moments import micros

if TYPE_CHECKING:
    from .incoming import Load

MOST_ROWS = 120
"""More rows are loaded as files: values in a statement cost more each, but less to begin with."""

MOST_FILES = 4

_BESIDE = frozenset({"activity", "rejects", "unknowns"})

BY_NAME: dict[str, Fact] = {
    fact.name: fact for fact in FACTS if fact.name not in ("worktrees", "strays", "summaries", "subagents")
}
"""Facts that change nothing but themselves and the rollups of their own session and days."""

_SESSIONS = ("session_id", "result_session_id")
_OF_SESSIONS = ("responses", "tool_calls", "prompts")
"""Facts that are counted in the rollups."""
_LABELS = ("session_firsts", "session_lasts")

Key = tuple[Any, ...]


def is_small(work: Load) -> bool:
    """Whether a load may be one of a few appended lines."""
    return (
        bool(work.results)
        and len(work.results) <= MOST_FILES
        and sum(len(rows) for rows in work.rows.values()) <= MOST_ROWS
        and work.rows.keys() <= BY_NAME.keys() | _BESIDE
        and not (
            work.is_merged
            or work.row_files
            or work.apart
            or work.gone
            or work.priced_models
            or work.replaced
            or work.server_reads
        )
        and work.sessions_of is None
        and all(_only_grew(result) for result in work.results)
    )


def _only_grew(result: ReadResult) -> bool:
    """Whether something was read beyond what was read before, and nothing said before is taken back or replaced."""
    return (
        result.start > 0
        and result.watermark.error is None
        and result.vanished is Vanished.STAY
        and result.places is None
        and not (result.tables or result.renews or result.moved_from or result.file.replaces)
        and result.file.kind != "workspace"
        and not SOURCES[result.file.kind].keeps_ledger
    )


class OtherKindError(Exception):
    """A load that is none of a few appended lines after all."""


@dataclass(frozen=True, slots=True)
class ToldLines:
    """What a small load tells."""

    facts: dict[str, dict[Key, list[Row]]]
    """Table -> key -> the lines that tell it, as they would stand in the table."""
    activity: dict[str, list[tuple[int, int]]]
    """Session -> spans, in microseconds."""
    sessions: tuple[str, ...]
    """Whose rollups it touches."""
    whose: dict[str, set[tuple[str | None, ...]]]
    """Session -> the agents, machines and users that tell of it."""

    def rows_of(self, table: str) -> list[Row]:
        """All lines of a table."""
        return [row for rows in self.facts.get(table, {}).values() for row in rows]


WHOSE = ("agent", "machine", "username")


def told_by(rows: Mapping[str, Sequence[Row]]) -> ToldLines:
    """What the rows of a load tell. Raises OtherKindError."""
    facts: dict[str, dict[Key, list[Row]]] = {}
    sessions: dict[str, None] = {}
    whose: dict[str, set[tuple[str | None, ...]]] = {}
    for table, told in rows.items():
        if table in _BESIDE:
            continue
        fact = BY_NAME[table]
        for row in map(_plain, told):
            row |= {column: row.get(other) for column, other in fact.repeated.items()}
            row |= {column: row.get(other) for column, other in fact.defaults.items() if row.get(column) is None}
            facts.setdefault(table, {}).setdefault(tuple(row.get(column) for column in fact.key), []).append(row)
            if any(column.endswith("named_session_id") and row[column] is not None for column in row):
                raise OtherKindError
            if table in _OF_SESSIONS or table in _LABELS:
                of_row = [row[column] for column in _SESSIONS if row.get(column) is not None]
                if not of_row:
                    raise OtherKindError
                for session in of_row:
                    sessions[session] = None
                    whose.setdefault(session, set()).add(tuple(row.get(column) for column in WHOSE))
    activity: dict[str, list[tuple[int, int]]] = {}
    for row in rows.get("activity", ()):
        sessions[row["session_id"]] = None
        activity.setdefault(row["session_id"], []).append((row["started_at"], row["ended_at"]))
    return ToldLines(facts, activity, tuple(sessions), whose)


def _plain(row: Row) -> Row:
    return {column: value.value if isinstance(value, Enum) else value for column, value in row.items()}


def known_row(columns: Mapping[str, str], told: Mapping[str, Any]) -> Row:
    """A row of the store as JSON tells it, with its times as rows on their way have them."""
    return {
        column: micros(dt.datetime.fromisoformat(value))
        if value is not None and columns.get(column) == "TIMESTAMP"
        else value
        for column, value in told.items()
    }


@dataclass(slots=True)
class FactChange:
    """What becomes of the rows of one fact."""

    fact: Fact
    new: list[Row] = field(default_factory=list)
    """Rows under keys that are not known."""
    changed: list[tuple[Row, Row]] = field(default_factory=list)
    """Known rows and what they become; they differ."""

    @property
    def columns(self) -> list[str]:
        """Columns in which a known row changes."""
        return [
            column
            for column in self.fact.loaded
            if any(before.get(column) != after[column] for before, after in self.changed)
        ]

    @property
    def all_rows(self) -> list[Row]:
        """All rows that are or were in the store and are others now."""
        return [*self.new, *(row for pair in self.changed for row in pair)]


def change_of(fact: Fact, told: Mapping[Key, Sequence[Row]], known: Iterable[Row]) -> FactChange:
    """What lines of a fact change in what is known. Raises OtherKindError for what other files tell, too, or a copy."""
    by_key = {tuple(row.get(column) for column in fact.key): row for row in known}
    change = FactChange(fact)
    for key, rows in told.items():
        before = by_key.get(key)
        lines = rows if before is None else [*rows, before]
        if any(not _is_closed(half.prefix, lines) for half in fact.halves if half.rivals is not None):
            raise OtherKindError
        if before is not None and any(before.get(column) is not None for column in fact.rivals):
            raise OtherKindError
        after = _merged(fact, lines)
        if before is None:
            change.new.append(after)
        elif any(before.get(column) != after[column] for column in fact.loaded):
            change.changed.append((before, after))
    return change


def _is_closed(prefix: str, lines: Sequence[Row]) -> bool:
    """Whether it is not open which file's line wins: one tells it, and does not say that it is a copy."""
    paths = {line[f"{prefix}path"] for line in lines if line.get(f"{prefix}path") is not None}
    return len(paths) <= 1 and not any(line.get(f"{prefix}is_copy") for line in lines)


_AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {"max": max, "bool_or": any}


def _merged(fact: Fact, lines: Sequence[Row]) -> Row:
    merged = {column: lines[0].get(column) for column in fact.key}
    for half in fact.halves:
        best = half.winner(lines) or {}
        merged |= {column: best.get(column) for column in half.columns}
    for column, (_, aggregate) in fact.sums.items():
        values = [line[column] for line in lines if line.get(column) is not None]
        merged[column] = _AGGREGATES[aggregate](values) if values else None
    return merged
