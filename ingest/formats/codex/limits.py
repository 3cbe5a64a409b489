"""The limits of the plan as rollouts tell them, in the three shapes that versions have had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...limit_log import percentage, seconds
from ...text import short
from ..events import LimitSample
from ..numbers import whole_number

_NAMED = {"five_hour": (299, 300), "seven_day": (10079, 10080)}
"""Windows by their length in minutes, as different versions round it: "primary" and "secondary" say nothing."""

_COMMON_LIMIT = "codex"
"""The limit that every model counts in; others are those of single models."""


def samples_in(told: object, at: int | None) -> Iterator[LimitSample]:
    """The samples in a `rate_limits` that was told `at` (microseconds since 1970). What cannot be used is left out."""
    if not isinstance(told, Mapping):
        return
    limit = short(told.get("limit_id"))
    for name in ("primary", "secondary"):
        window: Any = told.get(name)
        if not isinstance(window, Mapping):
            # Of 2025: all on one level, and without a time.
            parts = ("used_percent", "window_minutes")
            window = {part: told.get(f"{name}_{part}") for part in parts}
        used, minutes = percentage(window.get("used_percent")), whole_number(window.get("window_minutes"))
        if used is None or not minutes:
            continue
        yield LimitSample(
            span=_name(minutes),
            used=used,
            resets_at=_reset(window, at),
            account=short(told.get("plan_type")),
            limit=None if limit == _COMMON_LIMIT else limit,
        )


def _name(minutes: int) -> str:
    return next((name for name, lengths in _NAMED.items() if minutes in lengths), f"minutes_{minutes}")


def _reset(window: Mapping[str, Any], at: int | None) -> int | None:
    moment = seconds(window.get("resets_at"))
    if moment is not None:
        return moment * 1_000_000
    left = whole_number(window.get("resets_in_seconds"))
    return None if left is None or at is None else (at // 1_000_000 + left) * 1_000_000
