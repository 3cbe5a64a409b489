"""Rows one after the other that say the same of whose they are, as nearly all of a file do.

What follows from that is found out once. Of the labels that all of them carry the first row's or the last row's count.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from ..events import Speaker

SAID_OF_SESSION = attrgetter(
    *("sessionId", "session_id", "sessionKind", "forkedFrom", "agentId", "isSidechain", "attributionAgent"),
    *("cwd", "gitBranch", "version", "title", "customTitle", "aiTitle"),
)
"""All that a row says of its session and of who speaks, but for its own place and time."""


class Alike(msgspec.Struct, gc=False):
    """Such rows, as far as they have been read, and what follows for each of them."""

    said: tuple[Any, ...] | None = None
    """What they say; None: no row after this one is like it."""
    session: str | None = None
    home: str | None = None
    """As `Place.home`."""
    speaker: Speaker = msgspec.field(default_factory=Speaker)
    copy_signs: int = 0
    """What speaks for copies: see `keys.process_signs_of`."""
    seen: Callable[[int], None] | None = None
    """Takes the times at which somebody spoke; None where no session is told."""
    forked_from: str | None = None
    ts: int = 0
    """Time, place and id of the last row."""
    pos: int = 0
    leaf: str | None = None
    """None as long as there is but one row."""

    def goes_on(self, ts: int | None, pos: int, uuid: Any) -> bool:
        """Take a row that says the same; not one after which the labels of the first and the last are not enough."""
        if ts is None or ts < self.ts or not uuid or type(uuid) is not str:
            return False
        self.ts, self.pos, self.leaf = ts, pos, uuid
        return True
