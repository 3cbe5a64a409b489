"""A text in SQL."""

from __future__ import annotations


def quoted(text: str) -> str:
    """A text as SQL spells it, quotes included. For where no parameter can stand: names of files, zones in a view."""
    return "'" + text.replace("'", "''") + "'"
