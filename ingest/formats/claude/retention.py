"""What Claude Code is going to delete: it removes transcripts that were not touched for `cleanupPeriodDays`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ....queries.regular import read_text
from ..retention import Retention

_BY, _SETTING = "Claude Code", "cleanupPeriodDays"

DEFAULT_DAYS = 30
"""Claude Code's own default."""

_MOST_BYTES = 16 * 1024 * 1024
"""Of a file of settings."""

_MANAGED = (
    Path("/Library/Application Support/ClaudeCode/managed-settings.json")
    if sys.platform == "darwin"
    else Path("/etc/claude-code/managed-settings.json")
)


def retention(root: Path, managed: Path = _MANAGED) -> Retention:
    """The retention that holds for a root of Claude Code. A setting of the organisation wins over the user's."""
    own = (root.parent if root.name == "projects" else root) / "settings.json"
    faults = []
    for settings in (managed, own):
        days, fault = _days_in(settings)
        if fault:
            faults.append(fault)
        if days is not None:
            return Retention(_BY, _SETTING, root, settings, days, False, fault)
    return Retention(_BY, _SETTING, root, own, DEFAULT_DAYS, True, "; ".join(faults) or None)


def _days_in(settings: Path) -> tuple[int | None, str | None]:
    try:
        found = json.loads(read_text(settings, _MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    except (OSError, ValueError, RecursionError) as error:
        return None, f"{settings} cannot be read: {error}"
    days = found.get(_SETTING) if isinstance(found, dict) else None
    if days is None:
        return None, None
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days < 1e6:
        return None, f"{settings}: {_SETTING} is {days!r}, which is no number of days"
    return int(days), None
