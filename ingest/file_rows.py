"""The rows about the files that were read: watermarks, and what could not be used of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..queries.schema import TABLES
from .formats import ReadResult

if TYPE_CHECKING:
    from ..queries.store import Writer


def stamped(table: str) -> str:
    """SQL after `SELECT *` of rows of a table that says when something was seen: now."""
    return " REPLACE (get_current_timestamp()::TIMESTAMP AS seen_at)" if "seen_at" in TABLES[table] else ""


def forget_rejects(connection: Writer, results: Sequence[ReadResult]) -> None:
    """Drop what was noted of the parts of files that are read now."""
    starts = [
        (path, result.start)
        for result in results
        if result.places is None or result.start == 0
        for path, _ in result.extents
    ]
    places = [
        (path, place)
        for result in results
        if result.start
        for path, _ in result.extents
        for place in result.places or ()
    ]
    for table in ("rejects", "unknowns"):
        connection.execute(
            f"DELETE FROM {table} AS t USING (SELECT unnest(?) AS path, unnest(?) AS start) r "
            "WHERE t.path = r.path AND t.pos >= r.start",
            [[path for path, _ in starts], [start for _, start in starts]],
        )
    if places:
        connection.execute(
            "DELETE FROM rejects AS t USING (SELECT unnest(?) AS path, unnest(?) AS pos) r "
            "WHERE t.path = r.path AND t.pos = r.pos",
            [[path for path, _ in places], [place for _, place in places]],
        )


def write_files(connection: Writer, results: Sequence[ReadResult]) -> None:
    """Set the watermarks of files."""
    rows: dict[str, dict[str, Any]] = {str(result.file.path): file_row(result) for result in results}
    if not rows:
        return
    columns = list(next(iter(rows.values())))
    connection.execute("DELETE FROM files WHERE path IN (SELECT unnest(?))", [list(rows)])
    connection.execute(
        f"INSERT INTO files ({', '.join(columns)}, read_at) "
        f"SELECT {', '.join('unnest(?)' for _ in columns)}, get_current_timestamp()::TIMESTAMP",
        [[row[column] for row in rows.values()] for column in columns],
    )


def file_row(result: ReadResult) -> dict[str, Any]:
    """The row of a file that was read; all of it but when that was."""
    file, mark = result.file, result.watermark
    return {
        "path": str(file.path),
        "source": file.kind,
        "root": str(file.root),
        "username": file.username,
        "machine": file.machine,
        "session_id": result.session_id,
        "is_main": file.is_main,
        "device": mark.device,
        "inode": mark.inode,
        "size": mark.size,
        "mtime_ns": mark.mtime_ns,
        "members": mark.members,
        "read_to": mark.read_to,
        "head": mark.head,
        "tail": mark.tail,
        "state": mark.state,
        "parser": mark.version,
        "error": mark.error,
    }
