"""Where a row of a Claude Code transcript stands, who speaks, and under which key its facts are kept."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from .rows import Row

AGENT = "claude-code"
"""What facts say who told them."""


class Place(msgspec.Struct, gc=False):
    """Where and when a row stands."""

    session: str | None
    ts: int | None
    own_ts: int | None
    pos: int
    data: bytes
    """What the row was read from."""
    is_copy: bool
    copy_signs: int = 0
    """See `copy_signs_of`."""
    embedded: bool = False


class Who(msgspec.Struct, gc=False):
    """Who speaks in a row."""

    agent: str | None
    name: str | None = None
    sidechain: bool = False
    version: str | None = None
    branch: str | None = None


def is_unique(name: str) -> bool:
    """Whether an id is one of the Anthropic API: those are unique, also where a side question replays them."""
    return name.startswith("msg_")


def row_key(uuid: Any, place: Place) -> str:
    """The key of what a row says: its uuid, else its place in the file and its content."""
    if isinstance(uuid, str) and uuid:
        return uuid
    # The same row at the same place in a copy of the file is the same; repeated further down it is another.
    return f"line:{place.pos}:{hashlib.blake2b(place.data.strip(), digest_size=12).hexdigest()}"


OLDER_THAN_FILE, OTHER_PROCESS = 2, 1


def is_copied(row: Row) -> bool:
    """Whether a row says that a fork took it over from another session."""
    return row.forkedFrom is not None


def copy_signs_of(row: Row, ts: int | None, first_ts: int | None) -> int:
    """What speaks for a row being a copy that does not say so: of two of the same time the one with more is the copy.

    A file that begins with rows of today and goes on with older ones was given them. What is sent to the background is
    copied, too, and rows may name the session that their process began with; that alone says nothing.
    """
    signs = OLDER_THAN_FILE if ts is not None and first_ts is not None and ts < first_ts else 0
    began = row.session_id
    if row.sessionKind == "bg" or (isinstance(began, str) and began not in ("", row.sessionId)):
        signs += OTHER_PROCESS
    return signs
