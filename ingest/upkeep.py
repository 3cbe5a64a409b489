"""What the store must know besides facts: which files exist, whose zones are kept, which prices hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..queries.store import Store
from ..queries.store.rebuilding import made_anew
from . import forget
from .costs import priced, write_rates
from .formats import SOURCES, Root, SourceFile
from .model_names import PRICE_NAME
from .prices import PriceOverrides, fingerprint, rates_for
from .redaction_version import VERSION, is_due, is_pending
from .rollups import rebuild_all_days
from .watermarks import meta

if TYPE_CHECKING:
    from ..queries.store import Writer


def mark_gone(connection: Writer, paths: Sequence[str]) -> None:
    """Note that files are no longer on disk. Their facts stay."""
    if paths:
        connection.execute(
            "UPDATE files SET gone_at = get_current_timestamp()::TIMESTAMP WHERE path IN (SELECT unnest(?))",
            [list(paths)],
        )


def mark_back(connection: Writer, paths: Sequence[str]) -> None:
    """Note that files thought to be gone are on disk, as they were or changed."""
    if paths:
        connection.execute("UPDATE files SET gone_at = NULL WHERE path IN (SELECT unnest(?))", [list(paths)])


def mark_hidden(connection: Writer, reasons: Mapping[str, str]) -> None:
    """Note why files that are known cannot be reached. What was read of them stays."""
    if reasons:
        connection.execute(
            "UPDATE files SET error = hidden.reason FROM (SELECT unnest(?) AS path, unnest(?) AS reason) hidden "
            "WHERE files.path = hidden.path",
            [list(reasons), list(reasons.values())],
        )


def mark_left_out(connection: Writer, folders: Sequence[tuple[Root, str, str]]) -> None:
    """Note folders that are not listed as files that cannot be read: their root, their path, and why."""
    if not folders:
        return
    kinds = [root.kind for root, _, _ in folders]
    roots = [str(root.path) for root, _, _ in folders]
    paths, reasons = [path for _, path, _ in folders], [why for _, _, why in folders]
    connection.execute("DELETE FROM files WHERE path IN (SELECT unnest(?))", [paths])
    connection.execute(
        "INSERT INTO files (source, root, path, error, parser, is_main, size, read_to, read_at) "
        "SELECT unnest(?), unnest(?), unnest(?), unnest(?), unnest(?), false, 0, 0, get_current_timestamp()::TIMESTAMP",
        [kinds, roots, paths, reasons, [SOURCES[kind].version for kind in kinds]],
    )


def mark_pending(connection: Writer, files: Iterable[tuple[SourceFile, int, int]]) -> None:
    """List files that are on disk but not read yet, with their size in bytes and mtime in nanoseconds."""
    rows = [
        (
            str(file.path),
            file.kind,
            str(file.root),
            file.username,
            file.machine,
            file.session_id,
            file.is_main,
            size,
            mtime_ns,
        )
        for file, size, mtime_ns in files
    ]
    if not rows:
        return
    columns = list(zip(*rows, strict=True))
    connection.execute("DELETE FROM files WHERE path IN (SELECT unnest(?))", [list(columns[0])])
    connection.execute(
        "INSERT INTO files (path, source, root, username, machine, session_id, is_main, size, mtime_ns) "
        f"SELECT {', '.join(['unnest(?)'] * len(columns))}",
        [list(column) for column in columns],
    )


def refresh(store: Store, connection: Writer, zones: Sequence[str], overrides: PriceOverrides) -> None:
    """Keep day rollups for these zones, price all facts by today's price table, and redact them by today's rules.

    Also remove what was forgotten and has come back. Not in a transaction.
    """
    if store.is_file and _is_new(connection):
        _begin(connection, zones, overrides)
        return
    if is_pending(connection):
        # What is redacted now is in there as it was.
        store.drop_backup()
    forget.enforce(connection)
    connection.execute("BEGIN")
    try:
        _redact(connection)
        _keep_zones(connection, zones)
        reprice(connection, overrides)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    if is_pending(connection):
        from .redaction import wipe

        wipe(store, connection)


def _is_new(connection: Writer) -> bool:
    """Whether the only row of all tables is the one that says which version of a store this is."""
    rows = "SELECT sum(estimated_size) FROM duckdb_tables() WHERE database_name = current_database()"
    return bool(connection.value(rows) == 1)


def _begin(connection: Writer, zones: Sequence[str], overrides: PriceOverrides) -> None:
    """Say of a store without rows what `refresh` says: to ask after rows takes a twentieth of a small first load."""
    notes = {"redactor": str(VERSION), "prices": fingerprint(overrides)}
    with connection.transaction():
        connection.execute("INSERT INTO meta SELECT unnest(?), unnest(?)", [list(notes), list(notes.values())])
        connection.execute(
            "INSERT INTO zones SELECT unnest(?), get_current_timestamp()::TIMESTAMP", [sorted(set(zones))]
        )
        _keep_windows(connection, overrides)


def _keep_windows(connection: Writer, overrides: PriceOverrides) -> None:
    for model, window in overrides.context_windows.items():
        connection.execute("INSERT INTO context_windows VALUES (?, ?)", [model, window])


def keep_up(connection: Writer, zones: Sequence[str], overrides: PriceOverrides) -> None:
    """Do so for days and prices alone, in tables that are nobody else's."""
    _keep_zones(connection, zones)
    reprice(connection, overrides)


def keep_no_days(connection: Writer) -> None:
    """Keep day rollups for no zone, in tables that are nobody else's: what asks for days asks the facts."""
    connection.execute("DELETE FROM zones")


def _redact(connection: Writer) -> None:
    """Read what is stored once more, if the redactor is another one than last time."""
    if not is_due(connection):
        return
    from .redaction import read_again

    changed = read_again(connection)
    if ("responses", "model") in changed:
        connection.execute("DELETE FROM meta WHERE name = 'prices'")
    elif changed:
        _rebuild_all(connection)


def _keep_zones(connection: Writer, zones: Sequence[str]) -> None:
    kept = {zone for (zone,) in connection.rows("SELECT zone FROM zones")}
    for zone in sorted(set(zones) - kept):
        connection.execute("INSERT INTO zones VALUES (?, get_current_timestamp()::TIMESTAMP)", [zone])
        rebuild_all_days(connection, [zone])


def reprice(connection: Writer, overrides: PriceOverrides) -> None:
    """Price every stored response anew, if the price table is another one than last time."""
    current = fingerprint(overrides)
    before = meta(connection, "prices")
    if before == current:
        return
    connection.execute("DELETE FROM meta WHERE name = 'prices'")
    connection.execute("INSERT INTO meta VALUES ('prices', ?)", [current])
    names = [
        name for (name,) in connection.rows(f"SELECT model FROM responses UNION SELECT {PRICE_NAME} FROM responses")
    ]
    for table in ("rates", "models", "context_windows"):
        connection.execute(f"DELETE FROM {table}")
    _keep_windows(connection, overrides)
    if not names:
        return
    add_rates(connection, names, overrides)
    connection.execute(
        "UPDATE responses SET cost_usd = n.cost_usd FROM "
        f"({priced('(SELECT * EXCLUDE (cost_usd) FROM responses)')}) n WHERE n.key = responses.key"
    )
    _rebuild_all(connection)


def _rebuild_all(connection: Writer) -> None:
    """Make all rollups of the facts anew."""
    for statement in made_anew(zone for (zone,) in connection.rows("SELECT zone FROM zones")):
        connection.execute(statement)


def add_rates(connection: Writer, models: Sequence[str], overrides: PriceOverrides) -> None:
    """Look up the price of models and keep their rates; models without a price are noted as such."""
    rates = rates_for(models, overrides)
    windows = {rate.model: rate.context_window for rate in rates}
    write_rates(connection, rates, {model: windows.get(model) for model in models})
