"""What the ingester tells while and after it works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a catch-up is. Counts of files and bytes still to read at its start, and those done."""

    files: int = 0
    files_done: int = 0
    bytes: int = 0
    bytes_done: int = 0

    @property
    def ratio(self) -> float:
        """Done, from 0 to 1; 1 if there was nothing to do."""
        return self.bytes_done / self.bytes if self.bytes else 1.0


@dataclass(slots=True)
class IngestSummary:
    """What a catch-up did."""

    files: int = 0
    bytes: int = 0
    gone: int = 0
    seconds: float = 0.0
    loads: int = 0
    """Transactions."""
    others: int = 0
    """Files that turned out to be read by another program meanwhile."""
    set_aside: Path | None = None
    """Where the damaged store is now that a rebuild replaced."""
    salvaged: int = 0
    """Rows of it, or of its backup, that are in the new one."""

    def add(self, other: IngestSummary) -> None:
        """Add what another one did, apart from its time."""
        self.files += other.files
        self.bytes += other.bytes
        self.gone += other.gone
        self.loads += other.loads
        self.others += other.others
