"""Where a row of a Claude Code transcript stands, under which key its facts are kept, and whether it is a copy."""

from __future__ import annotations

from typing import Any

import msgspec

from ....queries.digest import blake2b
from ..events import Place
from .rows import Row

AGENT = "claude-code"
"""What facts say who told them."""


class RowLine(msgspec.Struct, gc=False):
    """Where and when a row stands, and what it was read from."""

    place: Place
    own_ts: int | None
    """Its own time, None if it tells none; that of its place may be another row's."""
    data: bytes


def is_unique(name: str) -> bool:
    """Whether an id is one of the Anthropic API: those are unique, also where a side question replays them."""
    return name.startswith("msg_")


def row_key(uuid: Any, line: RowLine) -> str:
    """The key of what a row says: its uuid, else its place in the file and its content."""
    if isinstance(uuid, str) and uuid:
        return uuid
    # The same row at the same place in a copy of the file is the same; repeated further down it is another.
    return f"line:{line.place.pos}:{blake2b(line.data.strip(), digest_size=12).hexdigest()}"


OLDER_THAN_FILE, OTHER_PROCESS = 2, 1
"""Signs of a copy."""


def copy_signs_of(row: Row, ts: int | None, first_ts: int | None) -> int:
    """What speaks for a row being a copy that does not say so: of two of the same time the one with more is the copy.

    A file that begins with rows of today and goes on with older ones was given them.
    """
    is_older = ts is not None and first_ts is not None and ts < first_ts
    return process_signs_of(row) + (OLDER_THAN_FILE if is_older else 0)


def process_signs_of(row: Row) -> int:
    """What of that is said of all rows of a session that say the same of it.

    What is sent to the background is copied, too, and rows may name the session that their process began with; that
    alone says nothing.
    """
    began = row.session_id
    is_other = row.sessionKind == "bg" or (began and began != row.sessionId and isinstance(began, str))
    return OTHER_PROCESS if is_other else 0
