"""Writing a batch into the store: facts, watermarks and rollups in one transaction.

Every fact is merged with what the store knows under the same key, so loading the same rows again, or in another order,
or in other portions, leads to the same store. Killed at any instant, a batch is in the store as a whole or not at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.facts import RESPONSES
from ..queries.rollups import spans_of
from ..queries.schema import FACTS, TABLES, Fact
from . import replacing, rollups, strays
from .costs import priced, write_rates
from .file_rows import forget_rejects, stamped, write_files
from .incoming import Load
from .merged_rows import told_by_merged
from .merging import (
    Rows,
    few_rows_merged,
    is_told,
    key_of,
    keys_told_again,
    known_rows,
    merged_rows,
    no_rows,
    open_keys,
    replaced_by,
    rival_rows,
    rows_told_once,
    told_by,
)
from .row_files import read_rows

if TYPE_CHECKING:
    from ..queries.store import Writer

FEW_ROWS = 5_000
"""So many rows of a fact are merged at once: to plan another statement takes as long as to merge thousands of rows."""

MERGED = ("responses",)
"""Facts that a merged load has merged rows of."""


def load(connection: Writer, work: Load) -> list[str]:
    """Bring a load into the store, in one transaction.

    The paths of files that have to be read again, for what they tell, too, was dropped. Raises duckdb.Error; the store
    is then as it was before.
    """
    # Most of what it needs is of use to nobody else.
    from .small_load import load_small

    with contextlib.ExitStack() as stack:
        connection.execute("BEGIN")
        try:
            unread: list[str] = []
            if not load_small(connection, work):
                stack.enter_context(connection.in_one_thread())
                unread = _load_much(connection, work)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.commit()
    return unread


def load_alone(connection: Writer, fact: Fact, files: Sequence[Path]) -> None:
    """Bring rows of one fact into its table, and nothing that depends on them. Raises StoreError."""
    work = Load(row_files={fact.name: list(files)})
    known = _with_rows(connection, [fact.name])
    _merge(connection, fact, work, rollups.Touched(connection), (), known, taken_back=False)


def _load_much(connection: Writer, work: Load) -> list[str]:
    work.write_rows()
    touched = rollups.Touched(connection)
    unread = replacing.drop(connection, work.results, work.row_files, touched)
    known = _with_rows(connection, [*(fact.name for fact in FACTS), *_LOOKED_AT])
    if known or (work.rolled and work.rolled.zones != _zones(connection)):
        work.forget_merged()
    write_rates(connection, work.rates, work.priced_models, are_new=known.isdisjoint(("rates", "models")))
    # Where nothing is known there is nothing to be told anew, or taken back.
    telling_anew = work.results if known else []
    taken_back = replacing.taken_back(connection, telling_anew)
    for fact in FACTS:
        if fact.name in work.row_files or more_of(fact, work) or taken_back:
            told_anew = [path for result in telling_anew if fact.name in result.tables for path, _ in result.extents]
            _merge(connection, fact, work, touched, told_anew, known, taken_back=taken_back)
    if "activity" in work.row_files:
        _merge_activity(connection, work, touched, is_new="activity" not in known)
    if work.rolled is None:
        strays.settle(connection, touched)
        replacing.leave(connection, work.results, touched)
    if not known.isdisjoint(("rejects", "unknowns")):
        forget_rejects(connection, [result for result in work.results if result.watermark.error is None])
    _write_watermarks(connection, work)
    if any("plugins" in result.file.replaces for result in work.results):
        rollups.renew_sources(connection)
    replacing.mark_unread(connection, unread)
    if work.rolled is None:
        touched.rebuild(with_ledgers=work.with_ledgers, only_marks=work.without_rollups)
        return unread
    made = work.rolled.wait()
    if made.marks:
        touched.rebuild(only_marks=True)
    for table, rows in made.tables.items():
        connection.execute(f"INSERT INTO {table} BY NAME FROM {rows}")
    return unread


_LOOKED_AT = ("rates", "models", "activity", "rejects", "unknowns")
"""Tables beside facts of which nothing need be replaced in a store where they are empty."""


def _zones(connection: Writer) -> frozenset[str]:
    return frozenset(zone for (zone,) in connection.rows("SELECT zone FROM zones"))


def _with_rows(connection: Writer, tables: Iterable[str]) -> frozenset[str]:
    """Those of some tables that have any rows, in one question: to plan one for each takes longer than to answer it."""
    found = connection.rows(" UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in tables))
    return frozenset(table for (table,) in found)


def _merge(
    connection: Writer,
    fact: Fact,
    work: Load,
    touched: rollups.Touched,
    told_anew: Sequence[str],
    with_rows: Collection[str],
    *,
    taken_back: bool,
) -> None:
    """Merge incoming rows of a fact into its table, one group of columns after the other.

    What was told by the files `told_anew` is replaced where they tell it again; with `taken_back` all that the files in
    the table of that name had told is dropped. `with_rows`: the tables that are not empty.
    """
    incoming = work.ahead.get(fact.name, incoming_of(fact))
    replaced = replaced_by(fact, incoming, taken_back=taken_back) if told_anew or taken_back else {}
    if replaced:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE told_anew AS SELECT DISTINCT unnest(?) AS path", [list(told_anew)]
        )
    if fact.name not in work.ahead:
        take_in(connection, fact, work, replaced)
    known = f"{fact.name} WHERE {key_of(fact)} IN (SELECT {key_of(fact)} FROM {incoming})"
    if taken_back:
        known += "".join(f" OR {told_by(half, 'taken_back')}" for half in fact.halves)
    count = 0
    if fact.name in with_rows:
        incoming, count = _with_known(connection, fact, work, known_rows(fact, known, replaced))
    if count:
        connection.execute(f"DELETE FROM {known}")
    if replaced:
        merged = _merged_again(connection, fact, incoming, None, replaced, with_rivals=count > 0)
        told = f"SELECT * FROM ({merged}) WHERE {is_told(fact)}" if taken_back else merged
        connection.execute(f"INSERT INTO {fact.name} BY NAME {written_as(fact, Rows(told, is_plain=False))}")
    else:
        selects = work.merged_ahead.get(fact.name) or [
            written_as(fact, rows) for rows in merged_apart(connection, fact, incoming, with_rivals=count > 0)
        ]
        for select in selects:
            connection.execute(f"INSERT INTO {fact.name} BY NAME {select}")
    touched.add(fact.name, incoming)


def incoming_of(fact: Fact) -> str:
    """The temporary table of rows of a fact that a load brings, to which those are added that the store knows."""
    return f"incoming_{fact.name}"


def more_of(fact: Fact, work: Load) -> Sequence[str]:
    """SELECTs of rows of a fact that a load brings beside those in its files."""
    return work.more if fact.name == RESPONSES.name else ()


def take_in(connection: Writer, fact: Fact, work: Load, flags: Iterable[str] = ()) -> None:
    """Make the table of rows of a fact that a load brings. `flags`: columns that are false of all of them."""
    # Merged rows tell all columns.
    told = told_by_merged(fact) if work.is_merged and fact.name in MERGED else fact.told
    repeated = "".join(f', "{other}" AS "{column}"' for column, other in fact.repeated.items() if column not in told)
    filled = ", ".join(f'coalesce("{column}", "{other}") AS "{column}"' for column, other in fact.defaults.items())
    every = f"* REPLACE ({filled})" if filled else "*"
    others = "".join(f", false AS {name}" for name in flags)
    others += "".join(f", NULL::VARCHAR AS {name}" for name in fact.rivals)
    files = work.row_files.get(fact.name, ())
    selects = [*([read_rows(files, told)] if files else []), *more_of(fact, work)] or [no_rows(told, fact.name)]
    rows = " UNION ALL BY NAME ".join(f"({select})" for select in selects)
    table = work.ahead.get(fact.name, incoming_of(fact))
    connection.execute(
        f"CREATE OR REPLACE {'' if '.' in table else 'TEMP '}TABLE {table} AS "
        f"SELECT {every}{repeated}, 1::TINYINT AS fresh{others} FROM ({rows})"
    )


def _with_known(connection: Writer, fact: Fact, work: Load, known: str) -> tuple[str, int]:
    """Add rows that the store knows, of a SELECT, to those that a load brings: the table of all, how many are added."""
    own, incoming = incoming_of(fact), work.ahead.get(fact.name, incoming_of(fact))
    if incoming != own:
        # What writes to the store may only write to temporary tables beside it.
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {own} AS FROM {incoming}")
    [(count,)] = connection.rows(f"INSERT INTO {own} BY NAME {known}")
    return own, count


def merged_apart(
    connection: Writer, fact: Fact, incoming: str, place: str = "", *, with_rivals: bool = False
) -> list[Rows]:
    """SELECTs that merge rows of a table which the store has none of the keys of. Nearly all have a key for themselves.

    The others are merged apart: to plan that takes as long as to write thousands of rows. So few, of which the store
    knows none, are all merged at once. `place`: a database for tables that are asked for by others.
    """
    again = f"{place}again_{fact.name}"
    kind = "TABLE" if place else "TEMP TABLE"
    [(keys,)] = connection.rows(f"CREATE OR REPLACE {kind} {again} AS {keys_told_again(fact, incoming)}")
    if keys and not with_rivals and connection.value(f"SELECT count(*) FROM {incoming}") <= FEW_ROWS:
        return [Rows(few_rows_merged(fact, incoming, again), is_plain=False)]
    once = Rows(rows_told_once(fact, incoming, again if keys else None), is_plain=True)
    if not keys:
        return [once]
    told = f"told_again_{fact.name}"
    # By their numbers: else all columns of the others are read, too.
    which = f"SELECT rowid FROM {incoming} WHERE {key_of(fact)} IN (FROM {again})"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {told} AS FROM {incoming} WHERE rowid IN ({which})")
    return [once, Rows(_merged_again(connection, fact, told, keys, {}, with_rivals=with_rivals), is_plain=False)]


def written_as(fact: Fact, rows: Rows) -> str:
    """SELECT of merged rows as they are written: responses with their costs."""
    if fact.name != RESPONSES.name:
        return rows.select
    if rows.is_plain:
        return priced(f"({rows.select})")
    return f"WITH merged AS MATERIALIZED ({rows.select}) {priced('merged')}"


def _merged_again(
    connection: Writer, fact: Fact, told: str, keys: int | None, replaced: Mapping[str, str], *, with_rivals: bool
) -> str:
    """SELECT of merged rows of a table of rows. `keys`: of how many, if known; `with_rivals`: the store knows some."""
    if not fact.rivals:
        return merged_rows(fact, told, list(replaced))
    opened = f"open_{fact.name}"
    [(count,)] = connection.rows(f"CREATE OR REPLACE TEMP TABLE {opened} AS {open_keys(fact, told)}")
    if not count:
        return merged_rows(fact, told, list(replaced))
    if with_rivals:
        connection.execute(f"INSERT INTO {told} BY NAME {rival_rows(fact, told, replaced)}")
    return merged_rows(fact, told, list(replaced), opened, all_are_open=count == keys)


def spans_told(files: Sequence[Path]) -> str:
    """SELECT of the spans of activity that files of rows tell, joined."""
    return spans_of(f"SELECT DISTINCT * FROM ({read_rows(files, TABLES['activity'])})")


def _merge_activity(connection: Writer, work: Load, touched: rollups.Touched, *, is_new: bool) -> None:
    """Join new spans of activity with the known ones of the same sessions. `is_new`: there are none."""
    files = work.row_files["activity"]
    if is_new:
        for select in work.merged_ahead.get("activity", [spans_told(files)]):
            connection.execute(f"INSERT INTO activity BY NAME {select}")
        touched.add("activity", "activity")
        return
    connection.execute(f"CREATE OR REPLACE TEMP TABLE new_activity AS {read_rows(files, TABLES['activity'])}")
    touched.add("activity", "new_activity")
    known = "activity WHERE session_id IN (SELECT session_id FROM new_activity)"
    spans = spans_of(f"FROM {known} UNION FROM new_activity")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE merged_activity AS {spans}")
    connection.execute(f"DELETE FROM {known}")
    connection.execute("INSERT INTO activity BY NAME SELECT * FROM merged_activity")


def _write_watermarks(connection: Writer, work: Load) -> None:
    """Watermarks, new rejects and unknowns of the files read; a watermark never moves back within the same file."""
    write_files(connection, work.results)
    of_files = [
        (table, str(result.file.root))
        for result in work.results
        if result.watermark.error is None
        for table in result.file.replaces
    ]
    for table, workspace in (*work.replaced, *of_files):
        connection.execute(f"DELETE FROM {table} WHERE workspace = ?", [workspace])
    if work.sessions_of is not None:
        connection.execute(
            "DELETE FROM server_sessions WHERE server = ? AND account = ? "
            "AND (?::VARCHAR[] IS NULL OR session_file IN (SELECT unnest(?::VARCHAR[])))",
            [*work.sessions_of, work.sessions_told, work.sessions_told],
        )
    described = [str(result.file.path) for result in work.results if result.file.kind == "workspace"]
    if described:
        connection.execute("DELETE FROM snapshots WHERE path IN (SELECT unnest(?))", [described])
    for table in (
        "rejects",
        "unknowns",
        "workspaces",
        "accounts",
        "sync_tables",
        "snapshots",
        "uploads",
        "plugins",
        "server_sessions",
    ):
        if table in work.row_files:
            columns = TABLES[table]
            rows = read_rows(work.row_files[table], columns)
            # Several files of a workspace may tell the same row in one load.
            connection.execute(f"INSERT INTO {table} BY NAME SELECT DISTINCT *{stamped(table)} FROM ({rows})")
    for read in work.server_reads:
        connection.execute(
            "DELETE FROM server_reads WHERE server = $server AND account = $account AND endpoint = $endpoint",
            {name: read[name] for name in ("server", "account", "endpoint")},
        )
        connection.execute(
            f"INSERT INTO server_reads ({', '.join(read)}) VALUES ({', '.join(f'${name}' for name in read)})", read
        )
    for gone in work.gone:
        connection.execute(
            "UPDATE files SET gone_at = get_current_timestamp()::TIMESTAMP WHERE path = ? AND gone_at IS NULL",
            [str(gone)],
        )
