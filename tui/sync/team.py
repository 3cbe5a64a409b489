"""What machines pushed to a team, and when: of a team's store all of them, of one's own this one."""

from __future__ import annotations

from collections.abc import Sequence

from ...queries.teams import Pusher
from .. import format as words
from ..kit.table import Column, Record
from ..user_names import user_name
from .text import SyncLook

TEAM = (
    Column("user", "User", 12),
    Column("machine", "Machine", 14),
    Column("pushed", "Last push", 15, "right", by="pushed_at"),
    Column("rows", "Rows", 9, "right", min_screen=70),
    Column("share", "Shares", 8, min_screen=84),
    Column("version", "Version", 8, min_screen=100),
    Column("problem", "What waits"),
)

NOT_PUSHED = (
    "This machine tells no team anything. `agnes-stats push --dry-run` shows what would be told; nothing is sent "
    "before you say `push --to`. Escape goes back."
)


def pusher(row: Pusher, look: SyncLook) -> Record:
    """A machine as a row."""
    cells = {
        "user": words.NONE if row.user is None else user_name(row.user),
        "machine": row.machine,
        "pushed": "never" if row.pushed_at is None else look.when(row.pushed_at),
        "rows": words.NONE if row.rows is None else words.count(row.rows),
        "share": row.share or words.NONE,
        "version": row.version or words.NONE,
        "problem": row.problem or "nothing",
    }
    return Record(f"{row.user}\n{row.machine}", cells, row)


def caption(rows: Sequence[Pusher]) -> str:
    """What is below the list."""
    if not rows:
        return ""
    if rows[0].user is None:
        return f"this machine, pushed to {rows[0].to}"
    waiting = sum(bool(row.problem) for row in rows)
    people = len({row.user for row in rows})
    who = "1 person" if people == 1 else f"{people} people"
    told = f"{who}, {words.plural(len(rows), 'machine')}, as of the last drain"
    return f"{told}; of {waiting} not all is here" if waiting else told
