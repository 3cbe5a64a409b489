"""The Agnes workspace as a source: what was pulled, pushed and kept, read from the files the `agnes` command leaves.

Every file here is small and rewritten as a whole. State files replace what their workspace said before; logs and
snapshots add facts under ids of their own, so their history outlives the truncation of the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ....queries.paths import exists, is_folder
from ...agnes.account import shared_folder
from ...agnes.discovery import discover_workspaces, looked_for
from ...agnes.tables import state_paths
from ...agnes.updates import log_path
from ...agnes.uploads import upload_files
from ..source import Places, Source, SourceFile, WatchPaths, is_no_folder

if TYPE_CHECKING:
    from ..change import Change

VERSION = 2


class WorkspaceSource(Source):
    """An Agnes workspace: `.claude/agnes/…`, `.claude/agnes-sessions-*.txt` and `user/snapshots/*.meta.json`."""

    kind = "workspace"
    version = VERSION
    is_cut = True

    def locate(self, places: Places) -> list[Path]:
        """Workspaces named by the environment or agnes's config, around the current folder, or worked in."""
        found = discover_workspaces(places.environment, places.home, places.here, places.projects)
        return [workspace.path for workspace in found]

    @staticmethod
    def looked_for(places: Places, worked_in: int) -> list[str]:
        """Where workspaces are looked for, in words; sessions worked in so many folders."""
        return looked_for(places.environment, places.home, places.here, worked_in)

    def discover(self, root: Path) -> Iterator[Path]:
        """The files of the workspace that exist, whatever they are: who tries to read one tells what is no file."""
        snapshots = root / "user" / "snapshots"
        listed = sorted(snapshots.glob("*.meta.json")) if is_folder(snapshots) else []
        own, shared = state_paths(root, shared_folder())
        legacy = () if exists(own) else (shared,)
        for path in (*_state_files(root), *legacy, log_path(root), *upload_files(root), *listed):
            if is_no_folder(path):
                yield path

    def recognise(self, root: Path, path: Path) -> SourceFile | None:
        """The workspace's file at a path."""
        if path in _state_files(root) or path in state_paths(root, shared_folder()):
            return SourceFile(self.kind, root, path, False, None, replaces=("workspaces", "sync_tables"))
        if path in upload_files(root):
            return SourceFile(self.kind, root, path, False, None, replaces=("uploads",))
        is_snapshot = path.parent == root / "user" / "snapshots" and path.name.endswith(".meta.json")
        if is_snapshot or path == log_path(root):
            return SourceFile(self.kind, root, path, False, None)
        return None

    def watch_paths(self, root: Path) -> WatchPaths:
        """Beside its own files a workspace holds data, which may be large, and busy."""
        return WatchPaths(
            deep=(root / ".claude" / "agnes", root / "user" / "snapshots"), flat=(root / ".claude", root / "user")
        )

    def change(self, file: SourceFile) -> Change:  # noqa: ARG002
        """All its files are written anew."""
        from ..change import Snapshot
        from .workspace_parser import WorkspaceParser

        return Snapshot(WorkspaceParser)


def _state_files(root: Path) -> tuple[Path, ...]:
    own = state_paths(root, shared_folder())[0]
    return own, root / ".claude" / "sync_state.json", root / ".claude" / "init-complete"
