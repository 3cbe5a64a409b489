"""What somebody may have meant who wrote something that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` with the known word that is nearest, or nothing if none is near."""
    import difflib

    by_folded = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_folded, 1)
    return f"; did you mean {by_folded[near[0]]}?" if near else ""
