"""Reading the files of an Agnes workspace into rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...agnes.account import shared_folder
from ...agnes.discovery import server_of
from ...agnes.snapshots import read_snapshot
from ...agnes.tables import merged, read_stack_state, read_sync_state
from ...agnes.updates import log_path, read_update_log
from ...agnes.uploads import read_uploads
from ...batch import micros
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
        for problem in reading.problems:
            self._problem(problem)


def _micros(moment: dt.datetime | None) -> int | None:
    return None if moment is None else micros(moment)
