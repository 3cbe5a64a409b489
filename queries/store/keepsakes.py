"""What lies beside the store so that nothing is lost with it: the notes of what was forgotten, and a backup.

Everything that is still on disk is read again. The rest is in the backup: facts of files that vanish have been in the
store for weeks, so one that is a day old has them. What the user had forgotten is noted here at once.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from ..regular import read_text

Note = tuple[str | None, dt.datetime | None, dt.datetime | None]
"""Of the table `forgotten`: the session, up to when, noted when; times are UTC without a zone."""

BACKUP_SECONDS = 24 * 3600.0
"""A backup is made anew after this long."""

_MOST_BYTES = 256 * 1024 * 1024


def backup_path(store: Path) -> Path:
    """The store's backup: a whole store, for its owner only."""
    return Path(f"{store}.backup")


def notes_path(store: Path) -> Path:
    """The notes of what was forgotten: ids of sessions, and times."""
    return Path(f"{store}.forgotten")


def is_backup_due(store: Path) -> bool:
    """Whether the backup is old, or from the future, or not there."""
    try:
        age = time.time() - backup_path(store).stat().st_mtime
    except OSError:
        return True
    return not 0 <= age < BACKUP_SECONDS


def read_notes(store: Path) -> list[Note]:
    """The notes; none where they cannot be read."""
    try:
        told = json.loads(read_text(notes_path(store), _MOST_BYTES))
        return [(None if session is None else str(session), _time(before), _time(at)) for session, before, at in told]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def write_notes(store: Path, notes: Sequence[Note]) -> None:
    """Replace the notes. Raises OSError."""
    from ..replaced import replacing

    path = notes_path(store)
    if not notes:
        path.unlink(missing_ok=True)
        return
    told = [[session, before and before.isoformat(), at and at.isoformat()] for session, before, at in notes]
    replacing(path, lambda aside: _fill(aside, json.dumps(told)))


def _fill(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _time(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
