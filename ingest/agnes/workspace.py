"""Everything that one Agnes workspace says of itself, read at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from .snapshots import SnapshotAccess, read_snapshots
from .tables import SyncedTable, merged, read_stack_state, read_sync_state
from .updates import SyncAction, read_update_log
from .uploads import Upload, read_uploads
from .values import Problem


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """A reading of a workspace.

    Tables and uploads are the whole truth of now, to replace what was known before. Actions and accesses
    are what is left of a history, to be added under their ids.
    """

    path: Path
    last_sync: dt.datetime | None
    """UTC; of the last pull that succeeded."""
    tables: tuple[SyncedTable, ...]
    actions: tuple[SyncAction, ...]
    uploads: tuple[Upload, ...]
    accesses: tuple[SnapshotAccess, ...]
    problems: tuple[Problem, ...]


def read_workspace(workspace: Path, config: Path) -> WorkspaceState:
    """Read all files of a workspace; `config` is the folder that old versions kept the state of pulls in.

    Nothing is raised for what the files hold or for files that are missing or unreadable.
    """
    sync = merged(read_sync_state(workspace, config), read_stack_state(workspace))
    actions, uploads, accesses = (
        read_update_log(workspace),
        read_uploads(workspace),
        read_snapshots(workspace),
    )
    return WorkspaceState(
        path=workspace,
        last_sync=sync.last_sync,
        tables=sync.tables,
        actions=actions.rows,
        uploads=uploads.rows,
        accesses=accesses.rows,
        problems=sync.problems + actions.problems + uploads.problems + accesses.problems,
    )
