"""What an agent is going to delete: for how long it keeps its files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Retention:
    """How long an agent keeps its files under a root. `settings` is the file that says so, or that could."""

    by: str
    """The agent, as people call it."""
    setting: str
    """What says so is called in the settings."""

    root: Path
    settings: Path
    days: int
    is_default: bool
    fault: str | None
    """Why the settings could not be read."""

    def due(self, files: Mapping[str, int], now: dt.datetime, within: dt.timedelta) -> list[tuple[dt.datetime, str]]:
        """When which of its files may go, soonest first, up to `now` + `within`. Files: path -> mtime in nanoseconds.

        Times are UTC without a zone, as `now`; those in the past wait for the next start of the agent.
        """
        keep = dt.timedelta(days=self.days)
        found = []
        for path, mtime_ns in files.items():
            at = dt.datetime.fromtimestamp(mtime_ns / 1e9, dt.UTC).replace(tzinfo=None) + keep
            if at <= now + within:
                found.append((at, path))
        return sorted(found)
