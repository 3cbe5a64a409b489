"""The status lines that are asked for, made anew whenever the dashboard has written to the store.

A prompt that waits for its status line has no time to open a store. The dashboard has it open all the while: so it
answers what was asked lately once more, with the store as it is now, and keeps that for the next time
(`queries/kept.py`, `line_soon`). As long as it does it holds a lock beside the store; the file that is locked names it,
so that a line which another one kept is not taken for its own, and the places that it reads.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..queries.kept import AskedLine, asked_lines
from ..queries.store import Store, StoreError
from ..queries.store.locking import Lock
from . import terminal
from .line_soon import KEEPER_ENDS_WITH

if TYPE_CHECKING:
    from ..ingest.formats import Root
    from ..queries.store import Reader
    from .settings import Settings

ASKED_SECONDS = 600.0
"""A line that nobody has asked for so long is not made anew any more."""

BRIEF_SECONDS = 0.2
"""How long the store is waited for, where somebody else has written to it: the files that change wait meanwhile."""

TRANSCRIPTS = "claude"
"""The kind of the places whose sessions ask for lines."""


class LineKeeper:
    """Keeps the lines of one store. All of it is called in the ingester's thread, and says nothing of what fails."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = Store(settings.store, wait=BRIEF_SECONDS)
        self._path = Path(f"{settings.store}{KEEPER_ENDS_WITH}")
        self._lock: Lock | None = None
        self._name = uuid.uuid4().hex
        self._places: list[str] | None = None

    def follows(self, roots: Sequence[Root]) -> None:
        """All below these roots is in the store, and what comes there soon will be."""
        places = sorted(str(root.path) for root in roots if root.kind == TRANSCRIPTS)
        if places == self._places and self._lock is not None:
            return
        # Where that cannot be written, whoever wants a line asks the store as if nobody kept any.
        with contextlib.suppress(OSError):
            if self._lock is None:
                lock = Lock(self._path, exclusive=True)
                if not lock.take(blocking=False):
                    # Another dashboard is at it.
                    lock.close()
                    return
                self._lock = lock
            self._path.write_bytes("\n".join([self._name, *places, ""]).encode("utf-8", "surrogateescape"))
            self._places = places

    def written(self) -> None:
        """The store has just been written to, and is still open."""
        if self._lock is None or not (asked := self._asked()):
            return
        # A line that is not made now is made by the next look, or by whoever wants it.
        with contextlib.suppress(StoreError, OSError), self._store.read() as connection:
            lines = [(one, *self._made(one, connection)) for one in asked]
            _keep(lines)
            # To close it changes the file once more.
            self._store.when_closed(lambda: _keep(lines))

    def look(self) -> None:
        """See whether somebody else has written to it, or a line has to be another one by now."""
        if self._lock is None or not any(not one.is_right for one in self._asked()):
            return
        with contextlib.suppress(StoreError, OSError), self._store.read() as connection:
            _keep([(one, *self._made(one, connection)) for one in self._asked() if not one.is_right])

    def stop(self) -> None:
        """Leave the lines to others."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _asked(self) -> list[AskedLine]:
        return list(asked_lines(str(self._settings.store), ASKED_SECONDS, time.time()))

    def _made(self, one: AskedLine, connection: Reader) -> tuple[bytes, float, float]:
        """The line as it is now, as it is kept, and from when to when it holds."""
        from .commands.statusline import line_of

        told = json.loads(one.answer)
        line = line_of(connection, _all_days(self._settings, told["settings"]), told["session_id"])
        kept = {**told, "line": terminal.safe(line.text()), "keeper": self._name}
        return json.dumps(kept).encode(), line.at, line.until


def _all_days(settings: Settings, chosen: dict[str, Any]) -> Settings:
    """Settings with those of a line, in which all days count, and everybody."""
    return replace(settings, range=None, since=None, until=None, user=None, **chosen)


def _keep(lines: Sequence[tuple[AskedLine, bytes, float, float]]) -> None:
    for one, answer, made, until in lines:
        with contextlib.suppress(OSError):
            one.line.keep(answer, made, until, asked_ns=one.asked_ns)
