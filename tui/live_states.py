"""What the processes of sessions say that these do, for the settings' sources; and what runs, asked once for all."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.live import NOTHING_TOLD, Told, running_now, what_they_do
from ..queries.paths import expanded, home_folder
from ..queries.sessions import live_ids
from .settings import Settings, parts_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..queries.filters import Filter
    from ..queries.live import Doings, LiveSession
    from ..queries.sessions import SessionRow
    from ..queries.store import Reader, Stamp

MOST_LIVE = 50
"""Running sessions that are looked at; nobody waits for as many."""


GIVE_WAY_SECONDS = 1.0
"""So long at most one waits for another who asks what runs."""


class Running:
    """What runs, asked once for all who show it at the same time. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Condition()
        self._coming = 0
        """How many are about to ask who list sessions, too."""
        self._half = threading.Lock()
        self._half_key: object = None
        self._doings: Doings | None = None
        """What those do that run, where that was asked for `_half_key`."""
        self._key: object = None
        self._found: list[LiveSession] = []

    @contextlib.contextmanager
    def coming(self) -> Iterator[None]:
        """For one who has the store open, and is about to `ask` with a list: who has none leaves it to that one."""
        with self._turn:
            self._coming += 1
        try:
            yield
        finally:
            with self._turn:
                self._coming -= 1
                self._turn.notify_all()

    def give_way(self, connection: Reader, chosen: Filter, *, stamp: Stamp, now: dt.datetime, told: Told) -> None:
        """Wait for those who are about to ask, and ask meanwhile what all that run do: no list tells that.

        Costs nothing if nobody is about to. Raises StoreError.
        """
        if not self._coming:
            return
        key = _key(chosen, stamp, now, told)
        with self._half:
            if self._half_key != key:
                ids = live_ids(connection, chosen, now=now, told=told.processes)
                self._doings = what_they_do(connection, ids, now=now) if ids else None
                self._half_key = key
        with self._turn:
            self._turn.wait_for(lambda: not self._coming, GIVE_WAY_SECONDS)

    def ask(
        self,
        connection: Reader,
        chosen: Filter,
        *,
        stamp: Stamp,
        now: dt.datetime,
        told: Told,
        listed: Callable[[], Iterable[SessionRow]] | None = None,
    ) -> list[LiveSession]:
        """As `running_now` answers, at most MOST_LIVE; kept for a minute of the clock and a state of the store.

        `stamp` is that of the store before it was opened for `connection`. `listed` lists sessions, of which those that
        run need not be asked for again: whoever wants to know what runs, too, waits for that. Raises StoreError.
        """
        key = _key(chosen, stamp, now, told)
        with self._lock:
            if key != self._key:
                # Not before it is known: what fails is asked again.
                rows = () if listed is None else listed()
                with self._half:
                    # What is not asked yet is asked here.
                    doings = self._doings if self._half_key == key else None
                    self._half_key = key
                self._found = running_now(
                    connection, chosen, now=now, told=told, limit=MOST_LIVE, listed=rows, doings=doings
                )
                self._key = key
            return self._found


def _key(chosen: Filter, stamp: Stamp, now: dt.datetime, told: Told) -> object:
    return stamp, chosen.but(text=""), now.replace(second=0, microsecond=0), told


def told_states(settings: Settings) -> Told:
    """What is said in Claude Code's folders of this machine; nothing where no files are to be read."""
    folders = [] if settings.no_ingest else _folders(settings)
    if not folders:
        return NOTHING_TOLD
    from ..ingest.session_states import told_states as told_in

    return told_in(folders)


def _folders(settings: Settings) -> Sequence[Path]:
    if settings.source:
        parts = [parts_of(source) for source in settings.source]
        # Of another machine's processes ours tell nothing.
        return [expanded(path) for kind, machine, path in parts if kind == "claude" and machine is None]
    from ..ingest.formats import SOURCES, Places

    return SOURCES["claude"].locate(Places(dict(os.environ), home_folder(), Path.cwd()))
