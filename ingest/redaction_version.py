"""Whether the store was read by the redactor as it is now. Imports nothing of it: most runs find that it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..queries.store import Reader

VERSION = 3
"""Raised when a rule of `redact` is added or changed: what is stored is then read once more."""


def is_due(connection: Reader) -> bool:
    """Whether what is stored has to be read again."""
    row = connection.row("SELECT value FROM meta WHERE name = 'redactor'")
    return row is None or row[0] != str(VERSION)


def is_pending(connection: Reader) -> bool:
    """Whether it has to be read again, or what it was before to be wiped from the disk."""
    return is_due(connection) or connection.row("SELECT 1 FROM meta WHERE name = 'unwiped'") is not None
