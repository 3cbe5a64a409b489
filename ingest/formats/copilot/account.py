"""What Copilot CLI tells when a session is closed: an account by model of all that was used.

Newer versions go on counting in a session that is resumed, older ones begin at 0, and no row says which. So of the
difference to the account before, and of the account as it stands, that is taken which agrees better with the output
that the messages since then have told.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..events import Tokens
from ..numbers import whole_number

_KINDS = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens")


class ClosingAccount:
    """The accounts of one session. Its state is plain JSON."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        state = state or {}
        self._told: dict[str, int] = dict(state.get("told", {}))
        """Model -> output of the messages since the last account."""
        self._spent: dict[str, list[int]] = dict(state.get("spent", {}))
        """Model -> the last account."""

    @property
    def state(self) -> dict[str, Any]:
        """What the account of the next stretch begins with."""
        return {"told": self._told, "spent": self._spent}

    def message(self, model: str | None, output: int) -> None:
        """A message told its output."""
        self._told[model or ""] = self._told.get(model or "", 0) + output

    def begin_anew(self) -> None:
        """The agent's own counters begin at 0: the conversation was compacted."""
        self._spent = {}

    def closed(self, metrics: Any) -> list[AccountBill]:
        """What an account bills beyond the messages, by model."""
        bills = []
        for model, told in (metrics if isinstance(metrics, dict) else {}).items():
            usage = told.get("usage") if isinstance(told, dict) else None
            usage = usage if isinstance(usage, dict) else {}
            now = [whole_number(usage.get(kind)) or 0 for kind in _KINDS]
            given, output, read, written, thought = self._step(model, now)
            self._spent[model] = now
            rest = max(0, output - self._told.get(model, 0))
            self._told[model] = 0
            if given or rest or read or written:
                tokens = Tokens(max(0, given - read - written), rest, read, written, reasoning=min(thought, output))
                bills.append(AccountBill(model, tokens))
        return bills

    def _step(self, model: str, now: list[int]) -> list[int]:
        step = [more - less for more, less in zip(now, self._spent.get(model, [0] * len(now)), strict=True)]
        told = self._told.get(model, 0)
        is_anew = min(step) < 0 or abs(now[1] - told) < abs(step[1] - told)
        return now if is_anew else step


class AccountBill(NamedTuple):
    """What an account tells of one model."""

    model: str
    tokens: Tokens
