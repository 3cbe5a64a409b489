"""Files of an Agnes workspace, as the tests write them."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass
from pathlib import Path

from agnes_stats.ingest.agnes.snapshots import SnapshotAccess, read_snapshot
from agnes_stats.ingest.agnes.tables import SyncedTable, merged, read_stack_state, read_sync_state
from agnes_stats.ingest.agnes.updates import SyncAction, read_update_log
from agnes_stats.ingest.agnes.uploads import Upload, read_uploads
from agnes_stats.ingest.agnes.values import Problem, ValuesRead


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def put(path: Path, content: object) -> Path:
    """Write a file: text and bytes as they are, anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    path.write_bytes(content)
    return path


def parquet(path: Path, size: int, when: str) -> None:
    put(path, b"x" * size)
    seconds = utc(when).timestamp()
    os.utime(path, (seconds, seconds))


def run(ts: str, *steps: tuple[str, str, object], workspace: str | None = "/ws") -> str:
    listed = [{"stage": stage, "status": status, "detail": detail} for stage, status, detail in steps]
    return json.dumps({"ts": ts, "agnes_version": "0.84.8", "workspace": workspace, "steps": listed}) + "\n"


def log(workspace: Path, *lines: str | bytes) -> Path:
    content = b"".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return put(workspace / ".claude/agnes/update.log", content)


def ledger(workspace: Path, name: str, *lines: str) -> None:
    put(workspace / f".claude/agnes-sessions-{name}.txt", "".join(f"{line}\n" for line in lines))


def read_snapshots(workspace: Path) -> ValuesRead[SnapshotAccess]:
    """All snapshots of a workspace."""
    found = [read_snapshot(workspace, path) for path in sorted((workspace / "user/snapshots").glob("*.meta.json"))]
    return ValuesRead(
        tuple(row for reading in found for row in reading.rows),
        tuple(problem for reading in found for problem in reading.problems),
    )


@dataclass(frozen=True)
class WorkspaceState:
    """Everything that a workspace says of itself."""

    last_sync: dt.datetime | None
    tables: tuple[SyncedTable, ...]
    actions: tuple[SyncAction, ...]
    uploads: tuple[Upload, ...]
    accesses: tuple[SnapshotAccess, ...]
    problems: tuple[Problem, ...]


def read_workspace(workspace: Path, config: Path) -> WorkspaceState:
    """Read all files of a workspace; `config` is the folder that old versions kept the state of pulls in."""
    sync = merged(read_sync_state(workspace, config), read_stack_state(workspace))
    actions, uploads, accesses = read_update_log(workspace), read_uploads(workspace), read_snapshots(workspace)
    return WorkspaceState(
        sync.last_sync,
        sync.tables,
        actions.rows,
        uploads.rows,
        accesses.rows,
        sync.problems + actions.problems + uploads.problems + accesses.problems,
    )
