"""What Claude Code is going to delete: it removes transcripts that were not touched for `cleanupPeriodDays`."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..queries.regular import read_text

DEFAULT_DAYS = 30
"""Claude Code's own default."""

_MOST_BYTES = 16 * 1024 * 1024
"""Of a file of settings."""

_MANAGED = (
    Path("/Library/Application Support/ClaudeCode/managed-settings.json")
    if sys.platform == "darwin"
    else Path("/etc/claude-code/managed-settings.json")
)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a Claude Code keeps transcripts. `settings` is the file that says so, or that could."""

    root: Path
    settings: Path
    days: int
    is_default: bool
    fault: str | None
    """Why the settings could not be read."""

    def due(self, files: Mapping[str, int], now: dt.datetime, within: dt.timedelta) -> list[tuple[dt.datetime, str]]:
        """When which transcripts may go, soonest first, up to `now` + `within`. Files: path -> mtime in nanoseconds.

        Times are UTC without a zone, as `now`; those in the past wait for the next start of Claude Code.
        """
        keep = dt.timedelta(days=self.days)
        found = []
        for path, mtime_ns in files.items():
            at = dt.datetime.fromtimestamp(mtime_ns / 1e9, dt.UTC).replace(tzinfo=None) + keep
            if at <= now + within:
                found.append((at, path))
        return sorted(found)


def retention(root: Path, managed: Path = _MANAGED) -> Retention:
    """The retention that holds for a root of Claude Code. A setting of the organisation wins over the user's."""
    own = (root.parent if root.name == "projects" else root) / "settings.json"
    faults = []
    for settings in (managed, own):
        days, fault = _days_in(settings)
        if fault:
            faults.append(fault)
        if days is not None:
            return Retention(root, settings, days, False, fault)
    return Retention(root, own, DEFAULT_DAYS, True, "; ".join(faults) or None)


def _days_in(settings: Path) -> tuple[int | None, str | None]:
    try:
        found = json.loads(read_text(settings, _MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    except (OSError, ValueError, RecursionError) as error:
        return None, f"{settings} cannot be read: {error}"
    days = found.get("cleanupPeriodDays") if isinstance(found, dict) else None
    if days is None:
        return None, None
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days < 1e6:
        return None, f"{settings}: cleanupPeriodDays is {days!r}, which is no number of days"
    return int(days), None
