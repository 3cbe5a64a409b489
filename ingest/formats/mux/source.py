"""Mux, now Xum: where its workspaces lie.

A workspace's history is `chat-archive.jsonl` and then `chat.jsonl`; both are written anew as a whole. Calls without a
conversation are appended to `headless-usage.jsonl`. `session-usage.json` sums up sub-agents that were removed. What is
still being streamed (`partial.json`), and Mux's own analytics, are not read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ....queries.paths import expanded
from ...walk import walk
from ..paths import is_utf8
from ..source import Fingerprint, Matter, Places, Source, SourceFile, WatchPaths, existing, fingerprint_of
from .home import METADATA, SESSIONS, workspace_at

if TYPE_CHECKING:
    from ..change import Change

VERSION = 4

ARCHIVE, CHAT, HEADLESS = "chat-archive.jsonl", "chat.jsonl", "headless-usage.jsonl"
LEDGER, REPORTS = "session-usage.json", "subagent-reports.json"
_WHOLES = {ARCHIVE: CHAT, CHAT: CHAT, METADATA: CHAT, LEDGER: LEDGER, REPORTS: LEDGER, HEADLESS: HEADLESS}
"""File -> the file that its whole is named after."""


class MuxSource(Source):
    """Workspaces, living and removed, of all homes."""

    kind = "mux"
    agent = "mux"
    version = VERSION
    variable = "MUX_ROOT"
    usual = ("~/.mux", "~/.xum")
    untold = MappingProxyType(
        {
            Matter.BRANCH: "Mux tells no branch",
            Matter.VERSION: "Mux tells no version",
            Matter.CALL_TIME: "Mux does not tell when a call ended",
        }
    )

    def locate(self, places: Places) -> list[Path]:
        """`XUM_ROOT` and `MUX_ROOT`, else `~/.xum`, `~/.mux` and `~/.cmux`, and those of development builds.

        Links to one folder are one.
        """
        named = [places.environment.get(name, "").strip() for name in ("XUM_ROOT", "MUX_ROOT")]
        usual = [places.home / f"{name}{build}" for build in ("", "-dev") for name in (".xum", ".mux", ".cmux")]
        return existing([expanded(name) for name in named if name] or usual)

    def watch_paths(self, root: Path) -> WatchPaths:
        """Workspaces, and the list of them; sources and logs lie beside them."""
        inner = root / SESSIONS
        return WatchPaths(deep=(inner,), flat=(root,)) if inner.is_dir() else WatchPaths(deep=(root,))

    def discover(self, root: Path) -> Iterator[Path]:
        """All wholes of all workspaces under the root."""
        inner, seen = root / SESSIONS, set()
        for entry in walk(inner if inner.is_dir() else root):
            name = _WHOLES.get(entry.name)
            if name is None or f"{os.sep}{SESSIONS}{os.sep}" not in entry.path:
                continue
            path = Path(entry.path).with_name(name)
            if path not in seen:
                seen.add(path)
                yield path

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The whole that a file belongs to."""
        name = _WHOLES.get(path.name)
        if name is None or not is_utf8(path) or not path.is_relative_to(root) or SESSIONS not in path.parts:
            return None
        folder = path.parent
        is_main = name == CHAT and folder.parent.name == SESSIONS
        return SourceFile(self.kind, root, path.with_name(name), is_main, folder.name)

    def members(self, path: os.DirEntry[str] | Path) -> Sequence[os.DirEntry[str] | Path]:
        """The history and what a removed workspace says of itself, or the sums and reports of sub-agents."""
        at = Path(path)
        if at.name == CHAT:
            return at.with_name(ARCHIVE), at, at.with_name(METADATA)
        return (at, at.with_name(REPORTS)) if at.name == LEDGER else (path,)

    def fingerprint(self, path: os.DirEntry[str] | Path) -> Fingerprint:
        """With what the home says of the workspace: it decides whose the rows are, and may come later than they."""
        found = fingerprint_of(self.members(path))
        workspace = [json.loads(found.members or "[]"), *workspace_at(Path(path).parent)]
        return found._replace(members=json.dumps(workspace))

    def change(self, file: SourceFile) -> Change:
        """All is written anew, except calls without a conversation: there are few, and whose they are may change."""
        from ..change import Snapshot
        from .decoder import HeadlessDecoder, HistoryDecoder, LedgerDecoder, line_at, row_at

        if file.path.name == HEADLESS:
            return Snapshot(HeadlessDecoder, part=line_at, moves=True)
        return Snapshot(HistoryDecoder, part=row_at, moves=True) if file.path.name == CHAT else Snapshot(LedgerDecoder)
