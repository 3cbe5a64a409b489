"""Pages of rows that have a time, newest first: where one ended, and the next goes on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

UNTIMED = dt.datetime(1, 1, 1)
"""Where a row without a time stands in the order of time."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the time (UTC, without a zone; UNTIMED for none) and id of its last row."""

    timestamp: dt.datetime
    id: str
