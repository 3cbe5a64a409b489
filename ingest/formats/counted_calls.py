"""Ids of tool calls that are told apart by the answer they are in.

Some models only count their calls up in a conversation (`Bash:0`, `functions.read:12`, `call_1`), and gateways pass
that on: other conversations, and sometimes later answers of the same one, have calls of the same id.
"""

from __future__ import annotations

import re
from typing import Any

_COUNTS_UP = re.compile(r"(?:^|(?<!toolu)[^A-Za-z0-9])[0-9]{1,5}$")

_LAST = "0123456789\n"
"""How that ends."""

_LONGEST = 7
"""Characters in which that ends, with what stands before it and a new line behind it; ids are long."""

_MOST = 100
"""Calls of which it is remembered in which answer they are: their results come next."""


class CountedCalls:
    """Gives such calls, and their results, an id that no other conversation has; all others keep their own."""

    def __init__(self, state: dict[str, Any]) -> None:
        """`state`: what `state` gave for an earlier stretch of the file, or an empty one."""
        self._answers: dict[str, str] = dict(state.get("calls", {}))
        """Who called, and the id -> the answer it was called in last."""

    def state(self) -> dict[str, Any]:
        """What the next stretch of the file needs; nothing if there are no such calls."""
        return {"calls": self._answers} if self._answers else {}

    def called(self, call: str, answer: str, who: str | None = None) -> str:
        """The id of a call that is in an answer of this key; `who`: which sub-agent called, None for none."""
        if not _counts_up(call):
            return call
        name = f"{who or ''}\x1f{call}"
        self._answers.pop(name, None)
        self._answers[name] = answer
        if len(self._answers) > _MOST:
            del self._answers[next(iter(self._answers))]
        return f"{answer}\x1f{call}"

    def of_result(self, call: str, session: str | None, who: str | None = None) -> str:
        """The id of the call that a result is of. One whose call is in no row before it is its session's."""
        if not _counts_up(call):
            return call
        answer = self._answers.get(f"{who or ''}\x1f{call}", session)
        return f"{answer}\x1f{call}"


def _counts_up(call: str) -> bool:
    if call[-1:] not in _LAST:
        return False
    end = call[-_LONGEST:]
    # As nearly all ids end: in letters and digits without a break. To see that takes a third of a search.
    if end.isalnum() and end.isascii() and len(call) > _LONGEST:
        return False
    return _COUNTS_UP.search(call, len(call) - _LONGEST) is not None
