"""What the background ingester tells: frozen values that a screen can be drawn from, without anything to import."""

from __future__ import annotations

from dataclasses import dataclass

from .progress import Progress


@dataclass(frozen=True, slots=True)
class Reading:
    """A catch-up is under way."""

    progress: Progress
    files: int = 0
    """Changed files that were read meanwhile: the store has other content than before."""


@dataclass(frozen=True, slots=True)
class UpToDate:
    """Everything on disk is in the store."""

    files: int
    """Files read since the last news; at least 1 if the store has other content than before."""
    seconds: float
    """What reading and loading them took."""
    polling: bool = False
    """No file watcher works here: the files are compared every second."""


@dataclass(frozen=True, slots=True)
class Troubled:
    """The store cannot be written; tried again soon. `fatal` if only the user can help."""

    reason: str
    fatal: bool


News = Reading | UpToDate | Troubled
