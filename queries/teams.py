"""What a team's store says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Reader

INBOX = "team_inbox"
"""The note in the store that names the inbox it is drained from."""


def is_teams(connection: Reader) -> bool:
    """Whether a store is a team's, into which nothing is read from this machine's files. Raises StoreError."""
    return connection.row("SELECT 1 FROM meta WHERE name = ?", [INBOX]) is not None
