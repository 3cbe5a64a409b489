"""What the store knows of files, as far as it decides whether there is anything to do.

Imports nothing that reads files or writes to the store.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..queries.regular import NotRegularError
from ..queries.store import Store
from .formats import Fingerprint, Watermark, reason
from .prices import PriceOverrides, fingerprint
from .redaction_version import is_pending

if TYPE_CHECKING:
    from ..queries.store import Reader


class KnownFile(NamedTuple):
    """What the store knows of a file. `version` is None for one that is only listed so far."""

    path: str
    source: str
    """The kind of its source."""
    root: str
    is_gone: bool
    device: int
    inode: int
    size: int
    mtime_ns: int
    members: str | None
    read_to: int
    version: int | None
    error: str | None
    machine: str | None

    @property
    def watermark(self) -> Watermark | None:
        """Its watermark, without what reading on needs; None for a file that is only listed so far."""
        if self.version is None:
            return None
        return Watermark(
            self.path,
            self.device,
            self.inode,
            self.size,
            self.mtime_ns,
            self.members,
            self.read_to,
            version=self.version,
            error=self.error,
            machine=self.machine,
        )


def is_unchanged(seen: Watermark | KnownFile | None, now: Fingerprint, version: int) -> bool:
    """Whether a file needs no opening: read before by this version, without an error, and the same as then."""
    return (
        seen is not None
        and seen.error is None
        and seen.version == version
        and seen.size == now.size
        and seen.mtime_ns == now.mtime_ns
        and seen.inode == now.inode
        and seen.device == now.device
        and seen.members == now.members
    )


def is_known_trouble(seen: Watermark | KnownFile | None, now: Fingerprint | None) -> bool:
    """Whether a file is none that can be read, and that is known: there is nothing to try again."""
    if now is None or now.oddity is None or seen is None:
        return False
    return seen.error == reason(NotRegularError(now.oddity, seen.path))


def known_files(connection: Reader) -> dict[str, KnownFile]:
    """All files the store knows, by path, also those that are gone."""
    rows = connection.rows(
        "SELECT path, source, root, gone_at IS NOT NULL, device, inode, size, mtime_ns, members, read_to, parser, "
        "error, machine FROM files"
    )
    return {row[0]: KnownFile._make(row) for row in rows}


def watermarks(connection: Reader, paths: Sequence[str]) -> dict[str, Watermark]:
    """The watermarks of the given files, by path. Files only listed as pending have none."""
    rows = connection.rows(
        "SELECT path, device, inode, size, mtime_ns, members, read_to, head, tail, state, parser, error, machine "
        "FROM files "
        "WHERE parser IS NOT NULL AND gone_at IS NULL AND path IN (SELECT unnest(?))",
        [list(paths)],
    )
    return {row[0]: Watermark(*row) for row in rows}


def mark_unread(store: Store, paths: Iterable[Path], *, unless: threading.Event | None = None) -> None:
    """Drop the watermarks of files, so that whoever looks at them next reads them from the start. Facts stay.

    `unless`, and what is raised, as for `Store.write`.
    """
    with store.write(unless=unless) as connection:
        connection.execute(
            "UPDATE files SET parser = NULL WHERE path IN (SELECT unnest(?))", [[str(path) for path in paths]]
        )


def paths_by_identity(connection: Reader, identities: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """The names of known files by (device, inode)."""
    wanted = [list(column) for column in zip(*identities, strict=True)]
    if not wanted:
        return {}
    rows = connection.rows(
        "SELECT device, inode, path FROM files WHERE gone_at IS NULL AND parser IS NOT NULL "
        "AND (device, inode) IN (SELECT ROW(unnest(?::BIGINT[]), unnest(?::UBIGINT[])))",
        wanted,
    )
    return {(device, inode): path for device, inode, path in rows}


def known_models(connection: Reader) -> set[str]:
    """Models whose price was looked up before."""
    return {model for (model,) in connection.rows("SELECT model FROM models")}


def is_stale(connection: Reader, zones: Sequence[str], overrides: PriceOverrides) -> bool:
    """Whether `refresh` has anything to do."""
    kept = {zone for (zone,) in connection.rows("SELECT zone FROM zones")}
    is_priced = meta(connection, "prices") == fingerprint(overrides)
    return not set(zones) <= kept or not is_priced or is_pending(connection)


def meta(connection: Reader, name: str) -> str | None:
    """A note of the store about itself; None if there is no such one."""
    row = connection.row("SELECT value FROM meta WHERE name = ?", [name])
    return None if row is None else str(row[0])
