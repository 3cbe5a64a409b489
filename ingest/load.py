"""Writing a batch into the store: facts, watermarks and rollups in one transaction.

Every fact is merged with what the store knows under the same key, so loading the same rows again, or in another order,
or in other portions, leads to the same store. Killed at any instant, a batch is in the store as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..queries.schema import FACTS, TABLES, Fact
from . import rollups
from .prices import Rate
from .tail import Stretch

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ACTIVITY_GAP = "INTERVAL 600 SECONDS"

Spool = dict[str, list[Path]]
"""Files of rows by table."""


@dataclass(slots=True)
class Load:
    """All that one transaction brings into the store."""

    spool: Spool = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)
    gone: list[Path] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)
    priced_models: dict[str, int | None] = field(default_factory=dict)
    """Models looked up for this load -> context window; those without rates have no known price."""
    replaced: list[tuple[str, str]] = field(default_factory=list)
    """(table, workspace) whose rows this load replaces."""

    def add(self, files: dict[str, Path]) -> None:
        """Add the files of one spooled batch."""
        for table, path in files.items():
            self.spool.setdefault(table, []).append(path)


def load(connection: DuckDBPyConnection, work: Load, *, purge: Mapping[str, int] | None = None) -> None:
    """Bring a load into the store, in one transaction.

    `purge` (path -> size in bytes) names files of this load whose facts a newer parser tells anew: what they alone
    had said is dropped first. Raises duckdb.Error; the store is then as it was before.
    """
    connection.execute("BEGIN")
    try:
        touched = rollups.Touched(connection)
        if purge:
            _purge(connection, purge, touched)
        write_rates(connection, work.rates, work.priced_models)
        for fact in FACTS:
            if fact.name in work.spool:
                _merge(connection, fact, work.spool[fact.name], touched)
        if "activity" in work.spool:
            _merge_activity(connection, work.spool["activity"], touched)
        _write_marks(connection, work)
        touched.rebuild()
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def read_spool(files: Sequence[Path], columns: dict[str, str]) -> str:
    """SQL that selects spooled rows with the given columns; times arrive as microseconds."""
    names = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    raw = ", ".join(f"'{name}': '{'BIGINT' if kind == 'TIMESTAMP' else kind}'" for name, kind in columns.items())
    shown = ", ".join(
        f'make_timestamp("{name}") AS "{name}"' if kind == "TIMESTAMP" else f'"{name}"'
        for name, kind in columns.items()
    )
    return f"SELECT {shown} FROM read_json([{names}], format = 'newline_delimited', columns = {{{raw}}})"


def _merge(connection: DuckDBPyConnection, fact: Fact, files: Sequence[Path], touched: rollups.Touched) -> None:
    """Merge spooled rows of a fact into its table, half by half."""
    told = f"told_{fact.name}"
    key = ", ".join(fact.key)
    loaded = ", ".join(f'"{column}"' for column in fact.loaded)
    repeated = "".join(f', "{other}" AS "{column}"' for column, other in fact.repeated.items())
    filled = ", ".join(f'coalesce("{column}", "{other}") AS "{column}"' for column, other in fact.defaults.items())
    every = f"* REPLACE ({filled})" if filled else "*"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {told} AS "
        f"SELECT {every}{repeated}, 1::TINYINT AS fresh FROM ({read_spool(files, fact.told)})"
    )
    known = f"{fact.name} WHERE ({key}) IN (SELECT {'' if len(fact.key) == 1 else 'ROW'}({key}) FROM {told})"
    added = f"INSERT INTO {told} BY NAME SELECT {loaded}, 0::TINYINT AS fresh FROM {known}"
    [(count,)] = connection.execute(added).fetchall()
    if count:
        connection.execute(f"DELETE FROM {known}")
    merged = _merged(fact, told)
    if fact.name == "responses":
        merged = f"WITH merged AS MATERIALIZED ({merged}) {priced('merged')}"
    connection.execute(f"INSERT INTO {fact.name} BY NAME {merged}")
    touched.add(fact.name, told)


def _merged(fact: Fact, told: str) -> str:
    """SELECT of one row for each key of `told`.

    For each half the row that wins is found first, by its number, and its columns are fetched then: to carry them
    all along the way costs three times as much.
    """
    picks = [
        f"arg_{half.pick}(rowid, ({', '.join((*half.order, 'fresh' if half.pick == 'max' else '-fresh'))}))"
        + (f" FILTER ({half.where})" if half.where else "")
        + f" AS half_{number}"
        for number, half in enumerate(fact.halves)
    ]  # fmt: skip
    keys = [f'"{column}"' for column in fact.key]
    singles = [f'{aggregate}("{column}") AS "{column}"' for column, (_, aggregate) in fact.sums.items()]
    winners = f"SELECT {', '.join([*keys, *picks, *singles])} FROM {told} GROUP BY {', '.join(keys)}"
    columns = [f'w."{column}"' for column in (*fact.key, *fact.sums)] + [
        f'h{number}."{column}"' for number, half in enumerate(fact.halves) for column in half.columns
    ]
    joins = "".join(
        f" LEFT JOIN {told} h{number} ON h{number}.rowid = w.half_{number}" for number in range(len(fact.halves))
    )
    computed = "".join(f', {sql} AS "{column}"' for column, (_, sql) in fact.computed.items())
    return f"SELECT *{computed} FROM (SELECT {', '.join(columns)} FROM ({winners}) w{joins})"


def priced(rows: str) -> str:
    """SELECT of responses with their cost in USD, by the rates of the store; NULL where a rate is not known.

    The whole request moves to the tier whose threshold its input and cache tokens exceed.
    """
    parts = " + ".join(
        f"CASE WHEN r.{tokens} = 0 THEN 0 ELSE r.{tokens} * p.{rate} END"
        for tokens, rate in (
            ("input_tokens", "input"),
            ("output_tokens", "output"),
            ("cache_read_tokens", "cache_read"),
            ("cache_write_5m_tokens", "cache_write_5m"),
            ("cache_write_1h_tokens", "cache_write_1h"),
        )
    )
    return f"""
        SELECT r.*, p.cost_usd FROM {rows} r LEFT JOIN (
            SELECT r.key, arg_max(
                ({parts}) * CASE WHEN lower(r.inference_geo) = 'us' THEN coalesce(p.us_factor, 1) ELSE 1 END / 1e6 +
                r.web_searches * coalesce(p.web_search, 0) / 1e3, p.above) AS cost_usd
            FROM {rows} r JOIN rates p ON p.model = r.model
                AND p.speed = CASE WHEN r.speed = 'fast' THEN 'fast' ELSE 'standard' END
                AND p.tier = CASE WHEN r.service_tier = 'batch' THEN 'batch' ELSE 'standard' END
                AND coalesce(r.ts, '9999-12-31'::TIMESTAMP)::DATE >= coalesce(p.valid_from, '-infinity'::DATE)
                AND coalesce(r.ts, '9999-12-31'::TIMESTAMP)::DATE < coalesce(p.valid_to, 'infinity'::DATE)
                AND (p.above = 0 OR r.total_tokens - r.output_tokens > p.above)
            GROUP BY r.key
        ) p ON p.key = r.key"""


def _merge_activity(connection: DuckDBPyConnection, files: Sequence[Path], touched: rollups.Touched) -> None:
    """Join new spans of activity with the known ones of the same sessions.

    Both windows must see the rows in the same order, so no two rows may be equal.
    """
    columns = TABLES["activity"]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE new_activity AS {read_spool(files, columns)}")
    touched.add("activity", "new_activity")
    known = "activity WHERE session_id IN (SELECT session_id FROM new_activity)"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE merged_activity AS
        SELECT session_id, min(started_at) AS started_at, max(ended_at) AS ended_at FROM (
            SELECT *, sum(starts) OVER
                (PARTITION BY session_id ORDER BY started_at, ended_at ROWS UNBOUNDED PRECEDING) AS span
            FROM (
                SELECT *, CASE WHEN started_at <= max(ended_at) OVER before + {ACTIVITY_GAP} THEN 0 ELSE 1 END AS starts
                FROM (FROM {known} UNION FROM new_activity)
                WINDOW before AS (PARTITION BY session_id ORDER BY started_at, ended_at
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            )
        ) GROUP BY session_id, span""")
    connection.execute(f"DELETE FROM {known}")
    connection.execute("INSERT INTO activity BY NAME SELECT * FROM merged_activity")


def _purge(connection: DuckDBPyConnection, again: Mapping[str, int], touched: rollups.Touched) -> None:
    """Drop facts that only these files told, so that a newer parser's view of them replaces the old one.

    What stood where a file has no bytes any more is nowhere else and stays.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reread AS SELECT unnest(?) AS path, unnest(?) AS size",
        [list(again), list(again.values())],
    )
    for fact in FACTS:
        told_here = []
        for column in fact.columns:
            if column == "path" or column.endswith("_path"):
                pos = column.removesuffix("path") + "pos"
                beyond = f'AND {fact.name}."{pos}" < reread.size' if pos in fact.columns else ""
                told_here.append(
                    f'({fact.name}."{column}" IS NULL OR EXISTS '
                    f'(SELECT 1 FROM reread WHERE reread.path = {fact.name}."{column}" {beyond}))'
                )
        rows = f"{fact.name} WHERE {' AND '.join(told_here)}"
        touched.by(fact.name, rows)
        connection.execute(f"DELETE FROM {rows}")


def write_rates(connection: DuckDBPyConnection, rates: Sequence[Rate], models: Mapping[str, int | None]) -> None:
    """Keep the rates of the models that were looked up (-> their context window); those without rates have no price."""
    names = list(models)
    if not names:
        return
    connection.execute("DELETE FROM rates WHERE model IN (SELECT unnest(?))", [names])
    connection.execute("DELETE FROM models WHERE model IN (SELECT unnest(?))", [names])
    columns = list(TABLES["rates"])
    for rate in rates:
        connection.execute(
            f"INSERT INTO rates VALUES ({', '.join('?' * len(columns))})",
            [getattr(rate, name) for name in columns],
        )
    known = {rate.model for rate in rates}
    for model, window in models.items():
        connection.execute("INSERT INTO models VALUES (?, ?, ?)", [model, model in known, window])


def _write_marks(connection: DuckDBPyConnection, work: Load) -> None:
    """Watermarks, rejects and unknowns of the files read; a watermark never moves back within the same file."""
    read = [stretch for stretch in work.stretches if stretch.mark.error is None]
    where = "USING (SELECT unnest(?) AS path, unnest(?) AS start) r WHERE t.path = r.path AND t.pos >= r.start"
    for table in ("rejects", "unknowns"):
        connection.execute(
            f"DELETE FROM {table} AS t {where}",
            [[str(stretch.file.path) for stretch in read], [stretch.start for stretch in read]],
        )
    _write_files(connection, work.stretches)
    of_files = [(table, str(s.file.root)) for s in work.stretches if s.mark.error is None for table in s.file.replaces]
    for table, workspace in (*work.replaced, *of_files):
        connection.execute(f"DELETE FROM {table} WHERE workspace = ?", [workspace])
    for table in ("rejects", "unknowns", "workspaces", "accounts", "sync_tables", "uploads"):
        if table in work.spool:
            columns = TABLES[table]
            stamped = " REPLACE (get_current_timestamp()::TIMESTAMP AS seen_at)" if "seen_at" in columns else ""
            rows = read_spool(work.spool[table], columns)
            # Several files of a workspace may tell the same row in one load.
            connection.execute(f"INSERT INTO {table} BY NAME SELECT DISTINCT *{stamped} FROM ({rows})")
    for gone in work.gone:
        connection.execute(
            "UPDATE files SET gone_at = get_current_timestamp()::TIMESTAMP WHERE path = ? AND gone_at IS NULL",
            [str(gone)],
        )


def _write_files(connection: DuckDBPyConnection, stretches: Sequence[Stretch]) -> None:
    rows: dict[str, dict[str, Any]] = {str(stretch.file.path): _file_row(stretch) for stretch in stretches}
    if not rows:
        return
    columns = list(next(iter(rows.values())))
    connection.execute("DELETE FROM files WHERE path IN (SELECT unnest(?))", [list(rows)])
    connection.execute(
        f"INSERT INTO files ({', '.join(columns)}, read_at) "
        f"SELECT {', '.join('unnest(?)' for _ in columns)}, get_current_timestamp()::TIMESTAMP",
        [[row[column] for row in rows.values()] for column in columns],
    )


def _file_row(stretch: Stretch) -> dict[str, Any]:
    file, mark = stretch.file, stretch.mark
    return {
        "path": str(file.path),
        "source": file.kind,
        "root": str(file.root),
        "username": file.username,
        "session_id": stretch.session_id,
        "is_main": file.is_main,
        "device": mark.device,
        "inode": mark.inode,
        "size": mark.size,
        "mtime_ns": mark.mtime_ns,
        "read_to": mark.read_to,
        "head": mark.head,
        "tail": mark.tail,
        "state": mark.state,
        "parser": mark.parser,
        "error": mark.error,
    }
