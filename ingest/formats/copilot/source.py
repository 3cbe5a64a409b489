"""GitHub Copilot CLI: where its sessions lie: `session-state/<session>/events.jsonl`, older ones beside that folder.

Newer versions keep a ledger of all requests besides, the database `session-store.db`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ....queries.paths import expanded, is_folder
from ...walk import walk
from ..paths import is_utf8
from ..source import Matter, Places, Source, SourceFile, WatchPaths, existing, is_no_folder

if TYPE_CHECKING:
    from ..change import Change

VERSION = 3

FOLDERS = ("session-state", "history-session-state")
EVENTS = "events.jsonl"
LEDGER, WAL = "session-store.db", "session-store.db-wal"


class CopilotSource(Source):
    """The events of all sessions, and the ledger of their requests."""

    kind = "copilot"
    agent = "copilot"
    version = VERSION
    variable = "COPILOT_HOME"
    usual = ("~/.copilot",)
    untold = MappingProxyType(
        {
            Matter.INPUT: "Copilot tells input when the session ends",
        }
    )
    keeps_ledger = True

    def locate(self, places: Places) -> list[Path]:
        """`COPILOT_HOME`, else `~/.copilot`."""
        named = places.environment.get("COPILOT_HOME", "").strip()
        return existing([expanded(named) if named else places.home / ".copilot"])

    def watch_paths(self, root: Path) -> WatchPaths:
        """The folders of sessions, and the ledger; logs lie beside them."""
        return WatchPaths(deep=tuple(root / name for name in FOLDERS), flat=(root,))

    def discover(self, root: Path) -> Iterator[os.DirEntry[str] | Path]:
        """The ledger, and all sessions under the root."""
        if is_no_folder(root / LEDGER):
            yield root / LEDGER
        inner = [folder for name in FOLDERS if is_folder(folder := root / name)]
        for folder in inner or [root]:
            for entry in walk(folder):
                if _is_session(Path(entry.path)):
                    yield entry

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The session at a path, or the ledger that it belongs to."""
        if not is_utf8(path) or not path.is_relative_to(root):
            return None
        if path.parent == root and path.name in (LEDGER, WAL):
            return SourceFile(self.kind, root, root / LEDGER, False, None)
        if not _is_session(path):
            return None
        session = path.parent.name if path.name == EVENTS else path.stem
        return SourceFile(self.kind, root, path, True, session)

    def members(self, path: os.DirEntry[str] | Path) -> Sequence[os.DirEntry[str] | Path]:
        """The ledger and its log."""
        return (path, Path(f"{os.fspath(path)}-wal")) if path.name == LEDGER else (path,)

    def change(self, file: SourceFile) -> Change:
        """Sessions grow; the ledger gets more rows."""
        if file.path.name == LEDGER:
            from ..database import ChangedRows, Database
            from .ledger import REQUESTS, RequestsDecoder

            return Database(RequestsDecoder, (ChangedRows(REQUESTS, "rowid", optional=True),))
        from ..change import AppendedLines
        from .decoder import CopilotDecoder

        return AppendedLines(CopilotDecoder)


def _is_session(path: Path) -> bool:
    return path.name == EVENTS or (path.suffix == ".jsonl" and path.parent.name in FOLDERS)
