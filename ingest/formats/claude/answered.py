"""Which row an answer is to: all that tells the answers of some relays apart."""

from __future__ import annotations

from typing import Any

from .rows import Iteration

Inputs = tuple[int, ...]


class Answered:
    """Follows the rows of a file for relays that give every answer the same id, and no request id.

    What is between two user rows is one answer. What follows the result of a tool is another one, or more of the same,
    whose tools began to run while it was still being written: its lines all tell the same input, which grows from one
    answer to the next. (Of 2,046 answers in real transcripts no two in a row had the same input, and all 161 lines
    behind a result that were more of the same did.)
    """

    def __init__(self, state: dict[str, Any]) -> None:
        """`state`: what an earlier stretch of the file gave, or an empty one."""
        self._asked: dict[str, str] = dict(state.get("asked", {}))
        """Who is asked -> the last row that asked."""
        self._lines: dict[str, tuple[str, str, Inputs]] = {
            who: (name, row, tuple(inputs)) for who, (name, row, inputs) in state.get("lines", {}).items()
        }
        """Who answers -> of the last line: its id, the row that it is to, its input."""

    def state(self) -> dict[str, Any]:
        """What the next stretch of the file needs."""
        told: dict[str, Any] = {"asked": self._asked}
        return told | {"lines": self._lines} if self._lines else told

    def asked(self, who: str, row: str, *, is_prompt: bool) -> None:
        """A user row was written: a result of a tool, a note, or, with `is_prompt`, what a person typed."""
        self._asked[who] = row
        if is_prompt:
            self._lines.pop(who, None)

    def row_of(self, who: str, name: str, usage: Iteration | None) -> str | None:
        """The row that a line of an answer with this id is to; None if no row was before it."""
        row = self._asked.get(who)
        inputs = _inputs_of(usage)
        known = self._lines.get(who)
        if known is not None and known[0] == name and known[2] == inputs and any(inputs):
            row = known[1]
        if row is not None:
            self._lines[who] = name, row, inputs
        return row


def _inputs_of(usage: Iteration | None) -> Inputs:
    if usage is None:
        return ()
    counts = usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    return tuple(count if type(count) is int else 0 for count in counts)
