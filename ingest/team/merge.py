"""Taking another machine's store over into ours.

Its facts are merged as if its files had been read here, so a response that both have counts once, and doing it again
changes nothing. Of the machine that the store is of, nothing says so in it: rows without one are given the name that
the caller says, and so are the paths of their files, because two machines may have different files of the same name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...queries.quoting import quoted
from ...queries.rollups import spans_of
from ...queries.schema import FACTS, TABLES, Fact
from ...queries.store import Store, StoreForeign
from ...queries.store.scratch import scratch
from ...queries.teams import is_teams
from .. import forget, strays, upkeep
from ..model_names import PRICE_NAME
from ..prices import PriceOverrides
from ..redaction import read_again
from ..rollups import Touched
from .tellings import take, tellings

if TYPE_CHECKING:
    from ...queries.store import Reader, Writer

_OTHER = "other_store"
"""What the other store is called while it is attached."""

_OF_A_SERVER = {"accesses": "seen_in = 'server'", "sync_actions": "starts_with(id, 'server:')"}
"""Facts that a server told: they are of an account, whichever machine asked, and their path is the server's address."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge brought. `new` is what was not in our store before; times are not told."""

    sessions: int
    responses: int
    new_sessions: int
    new_responses: int
    facts: dict[str, int] = field(default_factory=dict, compare=False)
    """Table -> how many facts of it the other store has, those without any left out."""
    new: dict[str, int] = field(default_factory=dict, compare=False)
    """Table -> how many more ours has of it now."""


def merge(
    store: Store, other: Path, machine: str, *, zones: Sequence[str] = ("UTC",), overrides: PriceOverrides | None = None
) -> Merged:
    """Merge the store at `other`, of the machine of that name, into a store, in one transaction.

    `other` stays as it is: a copy is brought up to this version and redacted by today's rules first. What our user had
    forgotten stays forgotten. `zones` and `overrides` as for an `Engine`. Raises StoreError.
    """
    with scratch(store.path) as folder:
        copy = folder / "other.duckdb"
        Store(other, wait=store.wait).copy_to(copy)
        with Store(copy).write() as connection, connection.transaction():
            _refuse_teams(connection, other)
            read_again(connection)
        with store.write() as connection:
            _refuse_teams(connection, store.path)
            upkeep.refresh(store, connection, zones, overrides or PriceOverrides())
            before = _counted(connection, "main")
            connection.execute(f"ATTACH {quoted(str(copy))} AS {_OTHER} (READ_ONLY)")
            try:
                with connection.transaction():
                    _merge(connection, machine, overrides or PriceOverrides())
                there = _counted(connection, f"{_OTHER}.main")
            finally:
                connection.execute(f"DETACH {_OTHER}")
            forget.enforce(connection)
            after = _counted(connection, "main")
    new = {name: count - before[name] for name, count in after.items()}
    sessions, responses = (there.pop("sessions"), new.pop("sessions")), (there["responses"], new["responses"])
    told = {name: count for name, count in there.items() if count}
    return Merged(
        *(sessions[0], responses[0], sessions[1], responses[1]), facts=told, new={name: new[name] for name in told}
    )


def _refuse_teams(connection: Reader, path: Path) -> None:
    """Raise StoreForeign for a team's store: what is in it is told by an inbox, and goes by that."""
    if is_teams(connection):
        raise StoreForeign(f"{path} is a team's store: only machines' own ones are merged")


def _counted(connection: Reader, schema: str) -> dict[str, int]:
    """How many facts of each table there are, and how many sessions."""
    names = ("sessions", *(fact.name for fact in FACTS))
    row = connection.row("SELECT " + ", ".join(f"(SELECT count(*) FROM {schema}.{name})" for name in names))
    assert row is not None
    return dict(zip(names, row, strict=True))


def _merge(connection: Writer, machine: str, overrides: PriceOverrides) -> None:
    touched = Touched(connection)
    names = connection.rows(
        f"SELECT model FROM {_OTHER}.responses UNION SELECT {PRICE_NAME} FROM {_OTHER}.responses EXCEPT "
        "SELECT model FROM models"
    )
    upkeep.add_rates(connection, [name for (name,) in names if name is not None], overrides)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE told_elsewhere AS SELECT path FROM {_OTHER}.files WHERE machine IS NOT NULL"
    )
    for fact in FACTS:
        if connection.row(f"SELECT 1 FROM {_OTHER}.{fact.name} LIMIT 1") is not None:
            take(connection, fact, _as_of(fact, machine), touched)
    _take_activity(connection, touched)
    strays.settle(connection, touched)
    _take_files(connection, machine)
    touched.rebuild(with_ledgers=True)


def _as_of(fact: Fact, machine: str) -> str:
    """SELECT of what the other store tells of a fact, as what that machine's files tell."""
    shown = [f'{_column(fact, column, machine)} AS "{column}"' for column in fact.loaded]
    return f"SELECT {', '.join(shown)} FROM ({tellings(fact, f'{_OTHER}.{fact.name}')})"


def _column(fact: Fact, column: str, machine: str) -> str:
    if column == "machine":
        named = f"coalesce(machine, {quoted(machine)})"
    elif column == "path" or column.endswith("_path"):
        named = f"CASE WHEN {column} IN (FROM told_elsewhere) THEN {column} ELSE {_path_on(machine, column)} END"
    else:
        return f'"{column}"'
    if of_a_server := _OF_A_SERVER.get(fact.name):
        named = f"CASE WHEN {of_a_server} THEN {column} ELSE {named} END"
    return named


def _path_on(machine: str, path: str) -> str:
    """SQL of the name that a path of another machine has here; `path` is SQL, too. NULL stays NULL."""
    return f"{quoted(f'{machine}:')} || {path}"


def _take_activity(connection: Writer, touched: Touched) -> None:
    told = f"FROM {_OTHER}.activity"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE new_activity AS {told}")
    touched.add("activity", "new_activity")
    known = "activity WHERE session_id IN (SELECT session_id FROM new_activity)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE merged_activity AS {spans_of(f'FROM {known} UNION FROM new_activity')}"
    )
    connection.execute(f"DELETE FROM {known}")
    connection.execute("INSERT INTO activity BY NAME SELECT * FROM merged_activity")


def _take_files(connection: Writer, machine: str) -> None:
    """List its files as files that are gone: on this disk they are not, and nothing else has what they told."""
    named = f"CASE WHEN machine IS NULL THEN {_path_on(machine, 'path')} ELSE path END"
    told = ", ".join(f'"{column}"' for column in TABLES["files"] if column not in ("path", "machine", "gone_at"))
    connection.execute(
        f"INSERT INTO files BY NAME SELECT * FROM (SELECT {told}, {named} AS path, "
        f"coalesce(machine, {quoted(machine)}) AS machine, "
        f"coalesce(gone_at, get_current_timestamp()::TIMESTAMP) AS gone_at FROM {_OTHER}.files "
        "WHERE source <> 'limits' AND parser IS NOT NULL) ANTI JOIN files USING (path)"
    )
