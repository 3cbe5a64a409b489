"""OpenCode: where its sessions lie.

Since 1.2 they are in `opencode.db` (`opencode-<channel>.db` for others than the stable one), a SQLite database that is
written to while an answer streams; OpenCode 2 has other tables in it. Before they were a file for each session, message
and part under `storage/`, which the migration left there: they have the same ids. `opencode export` writes a session as
one document.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ....queries.paths import expanded
from ...walk import walk
from ..paths import is_utf8
from ..source import Matter, Places, Source, SourceFile, WatchPaths, existing

if TYPE_CHECKING:
    from ..change import Change

VERSION = 4

_WAL = "-wal"
_PARTS = ("session", "message", "part")


class OpenCodeSource(Source):
    """Databases of all channels, the older files, and exported sessions."""

    kind = "opencode"
    agent = "opencode"
    version = VERSION
    variable = "OPENCODE_DATA_DIR"
    usual = ("~/.local/share/opencode",)
    untold = MappingProxyType(
        {
            Matter.BRANCH: "OpenCode tells no branch",
            Matter.FIRST_TOKEN: "OpenCode tells no time of the first token",
        }
    )

    def locate(self, places: Places) -> list[Path]:
        """`OPENCODE_DATA_DIR`, else `opencode` in `XDG_DATA_HOME`, else `~/.local/share/opencode`."""
        named = places.environment.get("OPENCODE_DATA_DIR", "").strip()
        if named:
            return existing([expanded(named)])
        data = places.environment.get("XDG_DATA_HOME", "").strip() or places.home / ".local" / "share"
        return existing([Path(data) / "opencode"])

    def watch_paths(self, root: Path) -> WatchPaths:
        """The database and its log, and the older files; logs and snapshots of code lie beside them."""
        return WatchPaths(deep=tuple(root / "storage" / part for part in _PARTS), flat=(root,))

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        """Databases and exported sessions in the root, then the older files."""
        try:
            with os.scandir(root) as listed:
                yield from (entry for entry in listed if _is_database(entry.name) or _is_export(entry.name))
        except OSError:
            return
        for part in _PARTS:
            yield from (entry for entry in walk(root / "storage" / part) if entry.name.endswith(".json"))

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The database (its log belongs to it), the exported session, or the older file at a path."""
        if not is_utf8(path) or not path.is_relative_to(root):
            return None
        inside = path.relative_to(root).parts
        if len(inside) == 1:
            name = path.name.removesuffix(_WAL)
            if _is_database(name) or _is_export(path.name):
                return SourceFile(self.kind, root, path.with_name(name), True, None)
            return None
        is_part = inside[0] == "storage" and inside[1] in _PARTS and path.suffix == ".json"
        return SourceFile(self.kind, root, path, inside[1] == "session", None) if is_part else None

    def members(self, path: os.DirEntry[str] | Path) -> Sequence[os.DirEntry[str] | Path]:
        """A database and its log."""
        return (path, Path(f"{os.fspath(path)}{_WAL}")) if _is_database(path.name) else (path,)

    def change(self, file: SourceFile) -> Change:
        """Rows of the database change; the older files are written anew."""
        if _is_database(file.path.name):
            from ..database import ChangedRows, Database
            from .database import DatabaseDecoder
            from .second import MESSAGES, SESSIONS

            second = (SESSIONS, MESSAGES)

            message = "(SELECT m.data FROM message m WHERE m.id = part.message_id)"
            tables = tuple(
                ChangedRows(
                    *(table, "time_updated", "id"),
                    beside=message if table == "part" else None,
                    now=_milliseconds,
                    optional=table in second,
                    instead=MESSAGES if table in _PARTS else None,
                )
                for table in (*_PARTS, *second)
            )
            return Database(DatabaseDecoder, tables)
        from ..change import Snapshot
        from .files import FileDecoder

        return Snapshot(FileDecoder)


def _milliseconds() -> float:
    """What OpenCode's clock says, since 1970."""
    return time.time() * 1000


def _is_database(name: str) -> bool:
    return name.startswith("opencode") and name.endswith(".db")


def _is_export(name: str) -> bool:
    """Whether a document may be an exported session: others beside it hold credentials, and are not opened."""
    return name.endswith(".json") and (name.startswith("ses_") or "export" in name)
