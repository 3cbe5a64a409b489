"""A team: what its store says of itself, and what is noted here of what was told it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .regular import read_text
from .replaced import replace_text

if TYPE_CHECKING:
    from .store import Reader

INBOX = "team_inbox"
"""The note in the store that names the inbox it is drained from."""

_NOTE_BYTES = 10_000


def is_teams(connection: Reader) -> bool:
    """Whether a store is a team's, into which nothing is read from this machine's files. Raises StoreError."""
    return connection.row("SELECT 1 FROM meta WHERE name = ?", [INBOX]) is not None


PUSHERS = "team_pushers"
"""The note in a team's store of who pushes, as JSON: as the inbox told it at the last drain."""


@dataclass(frozen=True, slots=True)
class Pusher:
    """A machine that pushes; times are UTC."""

    user: str | None
    """None: whoever uses this machine."""
    machine: str
    pushed_at: dt.datetime | None
    """None: it never got through."""
    rows: int | None
    share: str | None
    version: str | None
    problem: str = ""
    """What is the matter, or what waits; empty if all is well."""
    to: str | None = None
    """Where it pushes to, if that is known."""


def pushers(connection: Reader) -> list[Pusher]:
    """Who pushes into a team's store, the one that pushed last first; none of another store. Raises StoreError."""
    row = connection.row("SELECT value FROM meta WHERE name = ?", [PUSHERS])
    told = [] if row is None else json.loads(str(row[0]))
    found = [Pusher(**each | {"pushed_at": dt.datetime.fromisoformat(each["pushed_at"])}) for each in told]
    return sorted(found, key=lambda each: (each.pushed_at or dt.datetime.min, each.machine), reverse=True)


@dataclass(frozen=True, slots=True)
class PushNote:
    """What is noted beside a store of its last push; times are UTC."""

    to: str
    machine: str
    share: str
    version: str
    pushed_at: dt.datetime | None = None
    """When all was told last."""
    rows: int | None = None
    """How many rows were told then, of all that there are."""
    failed_at: dt.datetime | None = None
    """When it failed, if that was later."""
    reason: str = ""


def note_beside(store: Path) -> Path:
    """Where a store's last push is noted."""
    return store.with_name(f"{store.name}.push.json")


def push_note(store: Path) -> PushNote | None:
    """What is noted of a store's last push; None if it never was pushed, or the note cannot be read."""
    try:
        told = json.loads(read_text(note_beside(store), _NOTE_BYTES))
        times = {
            name: None if told.get(name) is None else dt.datetime.fromisoformat(told[name])
            for name in ("pushed_at", "failed_at")
        }
        return PushNote(**told | times)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def note_push(store: Path, note: PushNote) -> None:
    """Note a push beside a store. Raises OSError."""
    replace_text(note_beside(store), json.dumps(asdict(note), default=dt.datetime.isoformat))


def this_machine(connection: Reader, store: Path) -> list[Pusher]:
    """This machine as one that pushes, with what waits by now; none if it never did. Raises StoreError."""
    note = push_note(store)
    if note is None:
        return []
    if note.failed_at is not None:
        problem = note.reason
    else:
        since = connection.value("SELECT count(*) FROM sessions WHERE ended_at > ?", [note.pushed_at])
        problem = f"{since} session{'' if since == 1 else 's'} went on since" if since else ""
    return [Pusher(None, note.machine, note.pushed_at, note.rows, note.share, note.version, problem, note.to)]
