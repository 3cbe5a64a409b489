"""Reading the files of an Agnes workspace into rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...agnes.account import shared_folder
from ...agnes.actions import SESSION_UPLOAD
from ...agnes.discovery import server_of
from ...agnes.snapshots import read_snapshot
from ...agnes.tables import merged, read_stack_state, read_sync_state
from ...agnes.updates import log_path, read_update_log
from ...agnes.uploads import FAILED, PRIVATE, LedgerLine, read_ledger, read_uploads
from ...batch import Row
from ...moments import micros
from ..source import State
from .self_reading import SelfReading


class WorkspaceParser(SelfReading):
    """Reads one file of a workspace. State files belong together and are read together, whichever changed."""

    def finish(self) -> State:
        """Read the file; nothing to remember."""
        root, path = self._file.root, self._file.path
        read: Callable[[Path], None]
        if "workspaces" in self._file.replaces:
            read = self._read_state
        elif "uploads" in self._file.replaces:
            read = self._read_uploads
        elif path == log_path(root):
            read = self._read_log
        else:
            read = self._read_snapshot
        read(root)
        return {}

    def _read_state(self, root: Path) -> None:
        state = merged(read_sync_state(root, shared_folder()), read_stack_state(root))
        self._batch.add(
            "workspaces",
            {
                "workspace": str(root),
                "last_sync": _micros(state.last_sync),
                "server": server_of(root),
                "snapshots_blocked": list(state.blocked),
            },
        )
        for table in state.tables:
            self._batch.add(
                "sync_tables",
                {
                    "workspace": str(root),
                    "table_id": table.table_id,
                    "row_count": table.rows,
                    "size_bytes": table.size_bytes,
                    "parts": table.parts,
                    "changed_at": _micros(table.changed_at),
                },
            )
        for problem in state.problems:
            self._problem(problem)

    def _read_uploads(self, root: Path) -> None:
        reading = read_uploads(root)
        for row in reading.rows:
            self._batch.add(
                "uploads",
                {
                    "workspace": str(root),
                    "session_id": row.session_id,
                    "status": row.status,
                    "ts": _micros(row.when),
                    "size": row.size_bytes,
                    "http_status": row.http_status,
                    "path": row.path,
                },
            )
        for line in read_ledger(root, self._file.path):
            self._batch.add("sync_actions", _ledger_action(line, self._file.path))
        for problem in reading.problems:
            if problem.path == str(self._file.path):
                self._problem(problem)

    def _read_log(self, root: Path) -> None:
        reading = read_update_log(root)
        for row in reading.rows:
            self._batch.add(
                "sync_actions",
                {
                    "id": row.id,
                    "ts": _micros(row.when),
                    "path": row.path,
                    "pos": row.pos,
                    "action": row.action,
                    "source": "workspace",
                    "result": row.result,
                    "detail": row.detail,
                    "workspace": str(root),
                    "tables": row.tables,
                    "sessions": row.sessions,
                },
            )
        for problem in reading.problems:
            self._problem(problem)

    def _read_snapshot(self, root: Path) -> None:
        reading = read_snapshot(root, self._file.path)
        for row in reading.rows:
            table = row.resource.removeprefix("table:")
            fact: dict[str, Any] = {
                "id": row.id,
                "ts": _micros(row.when),
                "path": row.path,
                "pos": 0,
                "seen_in": "workspace",
                "workspace": str(root),
                "action": row.action,
                "resource": row.resource,
                "sql": f"SELECT {row.select or '*'} FROM {table}"
                + (f" WHERE {row.where}" if row.where else "")
                + (f" ORDER BY {row.order_by}" if row.order_by else "")
                + (f" LIMIT {row.limit}" if row.limit is not None else ""),
                "tables_read": [table],
                "tables_written": [],
                "statement": "select",
                "result": "success",
                "client_kind": "cli",
                "rows_returned": row.rows,
                "bytes_scanned": row.scan_bytes,
            }
            self._batch.add("accesses", fact)
            self._batch.add(
                "snapshots",
                {
                    "path": row.path,
                    "workspace": str(root),
                    "name": row.name,
                    "table_id": table,
                    "row_count": row.rows,
                    "size_bytes": row.size_bytes,
                    "fetched_at": _micros(row.when),
                    "expires_at": _micros(row.expires_at),
                    "has_policy": row.has_policy,
                },
            )
        for problem in reading.problems:
            self._problem(problem)


def _ledger_action(line: LedgerLine, path: Path) -> Row:
    """A line of a ledger of uploads as a sync action."""
    upload = line.upload
    result, detail = "success", None
    if upload.status == PRIVATE:
        result, detail = "skipped", "private"
    elif upload.status == FAILED:
        status = upload.http_status or ""
        result, detail = f"error.{status}" if status.isascii() and status.isdigit() else "error", status or None
    return {
        "id": line.id,
        "ts": _micros(upload.when),
        "path": str(path),
        "pos": line.pos,
        "action": SESSION_UPLOAD,
        "resource": f"session:{upload.session_id}",
        "source": "ledger",
        "result": result,
        "detail": detail,
        "workspace": upload.workspace,
        "session_id": upload.session_id,
    }


def _micros(moment: dt.datetime | None) -> int | None:
    return None if moment is None else micros(moment)
