"""The places of credentials in a text."""

from __future__ import annotations

BLOT = "***"

REACH = 400
"""Characters before an anchor: no rule finds a place that begins further before the one that called it."""

BREAKS = ("\\n", "\\t", "\\r")
"""A new line as it stands in JSON and in code: what follows is the beginning of a word."""


class Spans:
    """Places that are to be blotted out, in any order; they may overlap."""

    __slots__ = ("_found", "end", "read_to")

    def __init__(self) -> None:
        self._found: list[tuple[int, int]] = []
        self.end = 0
        """The furthest place that is blotted out."""
        self.read_to: dict[str, int] = {}
        """How far a rule has read that reads on and on, by its name: it need not begin again before that."""

    def add(self, start: int, end: int) -> None:
        """Note one."""
        if end > start:
            self._found.append((start, end))
            self.end = max(self.end, end)

    def blotted(self, text: str, limit: int | None) -> str:
        """The first `limit` characters of a text with each place as `***`; a place across the end is one as a whole."""
        parts: list[str] = []
        done = 0
        stop = len(text) if limit is None else limit
        for start, end in sorted(self._found):
            if start >= stop:
                break
            if start < done:
                done = max(done, end)
                continue
            parts += (text[done:start], BLOT)
            done = end
        parts.append(text[done:stop])
        return "".join(parts)

    def masked(self, data: bytes) -> bytes:
        """Bytes, one for each character of the text, with those of each place as `*`."""
        shown = bytearray(data)
        for start, end in self._found:
            shown[start:end] = b"*" * (min(end, len(data)) - start)
        return bytes(shown)
