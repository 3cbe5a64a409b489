"""The status line as the dashboard keeps it, told without asking the store: a prompt waits for it.

While a dashboard runs it makes the lines that are asked for anew whenever it has written to the store
(`line_keeper`). Then to tell one takes as long as Python needs to start. Imports nothing slow.
"""

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..queries.kept import Kept

MAX_TOLD = 1_000_000
"""Characters read of what Claude Code tells; usually a few hundred."""

MAX_WINDOW = 1_000_000_000
"""Tokens; a larger context window is a mistake."""

RENEWAL_SECONDS, LOOK_SECONDS = 0.05, 0.004
"""How long a line is waited for that is being made anew, and how often it is looked for."""

BEHIND_SECONDS = 3.0
"""Who has not made it anew so long after a write will not do so soon."""

KEEPER_ENDS_WITH = ".statusline-keeper"
"""Behind the name of a store: a file that is locked by who keeps its lines up to date."""

_MOST_OF_KEEPER = 1024 * 1024

_input: bytes | None = None


def take_input() -> bytes | None:
    """All that is told on standard input, to a limit; None if that is a terminal, or cannot be read."""
    global _input
    parts: list[bytes] = []
    left = 4 * MAX_TOLD + 1
    try:
        if os.isatty(0):
            return None
        while left > 0 and (part := os.read(0, min(left, 1 << 16))):
            parts.append(part)
            left -= len(part)
    except OSError:
        return None
    _input = b"".join(parts)
    return _input


def taken_input() -> bytes | None:
    """What was taken of standard input already, by this process; it cannot be read again. Asked once."""
    global _input
    taken, _input = _input, None
    return taken


def told_in(data: bytes | str) -> dict[str, Any]:
    """What Claude Code tells; nothing where that is not understood, or too long."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    if len(text) > MAX_TOLD:
        return {}
    try:
        told = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def window_in(told: dict[str, Any]) -> int | None:
    """The size of the session's context window in tokens, as Claude Code tells it."""
    context = told.get("context_window")
    size = context.get("context_window_size") if isinstance(context, dict) else None
    return size if type(size) is int and 0 < size <= MAX_WINDOW else None


def matters(data: bytes | None) -> tuple[str, str, int | None]:
    """What of it the line depends on that the store tells: what it says of the plan's limits is told beside."""
    told = told_in(data or b"")
    return repr(told.get("session_id")), repr(told.get("transcript_path")), window_in(told)


def keeper_of(store: str) -> tuple[str, list[str]] | None:
    """Who keeps the lines of a store up to date: a name that nobody had before, and the places that it reads.

    None where nobody does.
    """
    import fcntl

    try:
        descriptor = os.open(f"{store}{KEEPER_ENDS_WITH}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        name, *places = os.read(descriptor, _MOST_OF_KEEPER).decode("utf-8", "surrogateescape").split("\n")
        return (name, [place for place in places if place]) if name else None
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def answer(may_keep: Kept, data: bytes) -> bytes | None:
    """What is to be written to standard output; None if it has to be asked for."""
    keeper = keeper_of(may_keep.store)
    if keeper is None:
        return None
    give_up = time.monotonic() + RENEWAL_SECONDS
    while True:
        now = time.time()
        found = may_keep.find_line(now)
        kept = {} if found is None else told_in(found.answer)
        if found is None or kept.get("keeper") != keeper[0]:
            return None
        if found.is_of_store:
            break
        if now - found.changed > BEHIND_SECONDS:
            return None
        if time.monotonic() > give_up:
            break
        time.sleep(LOOK_SECONDS)
    may_keep.note_asked()
    parts = [kept["line"]] if found.is_of_store else [kept["line"], f"as of {age(now - found.made)} ago"]
    told = told_in(data)
    if "rate_limits" in told:
        parts += _limits(may_keep.store, told, now)
    return (" · ".join(parts) + "\n").encode(kept["encoding"], "backslashreplace")


def _limits(store: str, told: dict[str, Any], now: float) -> list[str]:
    from pathlib import Path

    from ..ingest.limit_log import log_beside, note

    note(log_beside(Path(store)), told, now)
    return limits_in(told, now)


def limits_in(told: dict[str, Any], now: float) -> list[str]:
    """What Claude Code tells of the plan's limits, as "5h 42 %"; nothing of windows that have ended meanwhile."""
    from ..ingest.limit_log import windows_in
    from . import limit_text

    return [
        limit_text.used(name, window["used_percentage"])
        for name, window in windows_in(told.get("rate_limits")).items()
        if window.get("resets_at", now + 1) > now
    ]


def age(seconds: float) -> str:
    """A length of time in its largest unit: "12s", "3m", "2h", "4d"."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length):,}{unit}"
    return f"{max(int(seconds), 0)} s"
