"""`limits.jsonl` beside the store: what Claude Code tells its status line of the plan's limits, as it changes.

The status line only appends to it and waits for nobody; the ingester reads it like any other source. Imports nothing
slow: a prompt waits for the status line.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..queries.regular import opened

NAME = "limits.jsonl"

AGENT = "claude-code"

AGAIN_SECONDS = 60.0
"""A session that has had another answer tells anew what has not changed, but not more often than this."""

_TAIL = 64 * 1024
"""Bytes at the end of the file in which the last sample of a session is looked for."""

_MOST_WINDOWS, _MOST_NAME = 32, 100
_IS_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}").fullmatch
_MOST_PERCENT = 100_000.0
_MILLIS_FROM = 10**11
"""Seconds since 1970 beyond this are milliseconds."""


def log_beside(store: Path) -> Path:
    """The file that belongs to a store."""
    return store.parent / NAME


def windows_in(told: object) -> dict[str, dict[str, float | int]]:
    """The windows of a `rate_limits` that can be used: each has a `used_percentage`, and `resets_at` if that is known.

    Whatever else is said of one, and what says nothing of how much is used, is left out.
    """
    if not isinstance(told, Mapping):
        return {}
    found: dict[str, dict[str, float | int]] = {}
    for name, window in told.items():
        used = percentage(window.get("used_percentage")) if isinstance(window, Mapping) else None
        if used is None or not isinstance(name, str) or not _IS_NAME(name) or len(found) == _MOST_WINDOWS:
            continue
        found[name] = {"used_percentage": used}
        resets_at = seconds(window.get("resets_at"))
        if resets_at is not None:
            found[name]["resets_at"] = resets_at
    return found


def percentage(value: object) -> float | None:
    """A share in per cent without the noise of its arithmetic (28.000000000000004); None for what is none."""
    number = _number(value)
    return None if number is None or not 0 <= number <= _MOST_PERCENT else round(number, 2)


def seconds(value: object) -> int | None:
    """A moment as whole seconds since 1970; None for what is none."""
    number = _number(value)
    if number is None or number <= 0:
        return None
    whole = int(number // 1000 if number > _MILLIS_FROM else number)
    return whole if whole < _MILLIS_FROM else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def note(path: Path, told: Mapping[str, Any], now: float) -> bool:
    """Append what Claude Code told its status line of limits, if that is news; whether it was.

    A session repeats what it heard with its last answer for as long as it is open: so news is what differs from the
    last sample of the same session, or what comes with another answer some time later. `now` is in seconds since
    1970. Where it cannot be written nothing is: a prompt has no use for that error.
    """
    windows = windows_in(told.get("rate_limits"))
    if not windows:
        return False
    session = told.get("session_id")
    session = session[:_MOST_NAME] if isinstance(session, str) else None
    row = {"ts": int(now * 1000), "session_id": session, "spent": _spent(told), "rate_limits": windows}
    before = next((one for one in _latest(path) if one.get("session_id") == session), None)
    if before is not None and not _is_news(row, before):
        return False
    line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
    with contextlib.suppress(OSError):
        # One write at the end of the file: lines of several status lines do not mix.
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o600)
        try:
            return os.write(descriptor, line) == len(line)
        finally:
            os.close(descriptor)
    return False


def _is_news(row: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    if row["rate_limits"] != before.get("rate_limits"):
        return True
    told_at = before.get("ts")
    is_old = not isinstance(told_at, int) or abs(row["ts"] - told_at) >= AGAIN_SECONDS * 1000
    return is_old and bool(row["spent"] != before.get("spent"))


def _spent(told: Mapping[str, Any]) -> list[float]:
    """What grows with every answer of a session: only then what it says of limits is new."""
    found = []
    for part, name in (("cost", "total_api_duration_ms"), ("cost", "total_cost_usd")):
        inner = told.get(part)
        value = _number(inner.get(name)) if isinstance(inner, Mapping) else None
        if value is not None:
            found.append(value)
    return found


def _latest(path: Path) -> Iterator[dict[str, Any]]:
    """The last rows of the file, the latest first."""
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _TAIL))
            lines = file.read(_TAIL).splitlines()
    except OSError:
        return
    for line in reversed(lines):
        with contextlib.suppress(ValueError, RecursionError):
            row = json.loads(line)
            if isinstance(row, dict):
                yield row
