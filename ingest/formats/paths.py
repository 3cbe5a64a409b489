"""Paths that a store can keep."""

from __future__ import annotations

from pathlib import Path


def is_utf8(path: Path) -> bool:
    """Whether a path can be kept in the store. The names that agents give always can."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
