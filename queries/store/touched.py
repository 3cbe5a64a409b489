"""What this process knows of what has changed in a store since some state of it: the sessions that were touched.

Whoever holds an answer about many sessions then need ask again only about these. Writers say what they touch where
they know it; all else, and whatever another process wrote, may have changed anything.
"""

from __future__ import annotations

MOST_KEPT = 256
"""Writes that are remembered. Whoever holds an older answer asks anew."""


class TouchedByWrite:
    """What one write changes."""

    __slots__ = ("sessions",)

    def __init__(self) -> None:
        self.sessions: frozenset[str] | None = None
        """Nothing of other sessions, and nothing that is of none, is another; None: that may be so. To be set once
        all is written: who asks before takes it for anything."""


class Journal:
    """The writes to one store, in their order. Not to be used by two threads at once."""

    def __init__(self) -> None:
        self._kept: list[TouchedByWrite] = []
        self._dropped = 0
        self._ended = 0

    def begin(self, touched: TouchedByWrite) -> None:
        """A write begins; nothing of it is to be seen yet."""
        self._kept.append(touched)
        if len(self._kept) > MOST_KEPT:
            del self._kept[0]
            self._dropped += 1

    def end(self) -> None:
        """The last one is over."""
        self._ended = self._dropped + len(self._kept)

    def note_others(self) -> None:
        """Somebody else has written."""
        self.begin(TouchedByWrite())
        self.end()

    def position(self) -> int:
        """How many writes are over: whoever looks at the store from now on sees them."""
        return self._ended

    def since(self, position: int) -> frozenset[str] | None:
        """The sessions touched by the writes after so many; None where it may be anything."""
        if position < self._dropped:
            return None
        found: set[str] = set()
        for touched in self._kept[position - self._dropped :]:
            if touched.sessions is None:
                return None
            found |= touched.sessions
        return frozenset(found)
