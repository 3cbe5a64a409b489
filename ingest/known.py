"""What the store knows, as far as it decides whether there is anything to do. Imports nothing that reads or writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .marks import Known, Mark
from .prices import PriceOverrides, fingerprint

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def known_files(connection: DuckDBPyConnection) -> dict[str, Known]:
    """All files the store knows, by path, also those that are gone."""
    rows = connection.execute(
        "SELECT path, source, root, gone_at IS NOT NULL, device, inode, size, mtime_ns, read_to, parser, error "
        "FROM files"
    ).fetchall()
    return {row[0]: Known._make(row) for row in rows}


def marks(connection: DuckDBPyConnection, paths: Sequence[str]) -> dict[str, Mark]:
    """The watermarks of the given files, by path. Files only listed as pending have none."""
    rows = connection.execute(
        "SELECT path, device, inode, size, mtime_ns, read_to, head, tail, state, parser, error FROM files "
        "WHERE parser IS NOT NULL AND gone_at IS NULL AND path IN (SELECT unnest(?))",
        [list(paths)],
    ).fetchall()
    return {row[0]: Mark(*row) for row in rows}


def paths_by_identity(
    connection: DuckDBPyConnection, identities: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    """The names of known files by (device, inode)."""
    wanted = [list(column) for column in zip(*identities, strict=True)]
    if not wanted:
        return {}
    rows = connection.execute(
        "SELECT device, inode, path FROM files WHERE gone_at IS NULL AND parser IS NOT NULL "
        "AND (device, inode) IN (SELECT ROW(unnest(?::BIGINT[]), unnest(?::UBIGINT[])))",
        wanted,
    ).fetchall()
    return {(device, inode): path for device, inode, path in rows}


def known_models(connection: DuckDBPyConnection) -> set[str]:
    """Models whose price was looked up before."""
    return {model for (model,) in connection.execute("SELECT model FROM models").fetchall()}


def is_stale(connection: DuckDBPyConnection, zones: Sequence[str], overrides: PriceOverrides) -> bool:
    """Whether `refresh` has anything to do."""
    kept = {zone for (zone,) in connection.execute("SELECT zone FROM zones").fetchall()}
    return not set(zones) <= kept or meta(connection, "prices") != fingerprint(overrides)


def meta(connection: DuckDBPyConnection, name: str) -> str | None:
    """A note of the store about itself; None if there is no such one."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", [name]).fetchone()
    return None if row is None else str(row[0])
