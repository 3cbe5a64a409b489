"""What sessions of Claude Code do just now, as it says itself: `<folder>/sessions/<pid>.json`, since version 2.1.139.

Each running process rewrites its own file whenever that changes, and removes it in the end, unless it is killed. So
what a file says holds only while that very process lives: a process id is given to others later, and the time at which
the process started tells them apart. Files of other machines, and of other containers as far as they say so, say
nothing about processes of ours.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..queries.live import NOTHING_TOLD, Told, ToldState
from ..queries.regular import read_text

_MOST_BYTES = 256 * 1024
_MOST_FILES = 2000
_NAME = re.compile(r"[1-9][0-9]{0,9}\.json")
_STATES = {"busy": "working", "waiting": "waiting", "idle": "idle", "shell": "shell"}
"""Their word -> ours."""
_LATER = 2.0
"""Seconds that a process may seem to start after it says so itself: clocks are read one after the other."""
_PS_SECONDS = 15.0
"""How long it is believed what `ps` says of a process."""

IsLiving = Callable[[Mapping[str, Any]], "bool | None"]
"""Whether the process of a file lives; None where that cannot be known."""


@dataclass(frozen=True, slots=True)
class _File:
    session_id: str
    state: str | None
    """None: the file does not say."""
    why: str | None
    since: dt.datetime | None
    lives: bool | None


def told_states(folders: Iterable[Path], is_living: IsLiving | None = None) -> Told:
    """What the sessions below some configuration folders of this machine say that they do."""
    is_living = is_living or living
    found: dict[str, list[_File]] = {}
    for folder in folders:
        for content in _files(folder / "sessions"):
            file = _file(content, is_living)
            if file is not None:
                found.setdefault(file.session_id, []).append(file)
    if not found:
        return NOTHING_TOLD
    states, over = {}, set()
    for session_id, files in found.items():
        living_ones = [file for file in files if file.lives is not False]
        if not living_ones:
            over.add(session_id)
            continue
        telling = [file for file in living_ones if file.state is not None and file.lives]
        if telling:
            # A session that two processes have open does what it did last in one of them.
            latest = max(telling, key=lambda file: file.since or dt.datetime.min)
            states[session_id] = ToldState(str(latest.state), latest.why, latest.since)
    return Told(states, frozenset(over))


def _files(folder: Path) -> Iterable[dict[str, Any]]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.path for entry in entries if _NAME.fullmatch(entry.name)]
    except OSError:
        return
    for name in sorted(names)[:_MOST_FILES]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            content = json.loads(read_text(Path(name), _MOST_BYTES))
            # A file may be copied, and renamed, but it speaks of one process.
            if isinstance(content, dict) and str(content.get("pid")) == Path(name).stem:
                yield content


def _file(content: Mapping[str, Any], is_living: IsLiving) -> _File | None:
    session_id = content.get("sessionId")
    status = content.get("status")
    if not isinstance(session_id, str) or not session_id or ("status" not in content and "procStart" not in content):
        return None
    why = content.get("waitingFor")
    since = next((at for name in ("statusUpdatedAt", "updatedAt") if (at := _moment(content.get(name)))), None)
    return _File(
        session_id,
        _STATES.get(status) if isinstance(status, str) else None,
        why if isinstance(why, str) else None,
        None if since is None else dt.datetime.fromtimestamp(since / 1e6, dt.UTC).replace(tzinfo=None),
        is_living(content),
    )


# -- processes -------------------------------------------------------------------------------------------------------


def living(content: Mapping[str, Any], system: str = sys.platform) -> bool | None:
    """Whether the process that wrote a file lives, and is not another one that got its number."""
    pid = content.get("pid")
    if type(pid) is not int or _is_elsewhere(content.get("pidDomain")):
        return None
    if system.startswith("linux"):
        return _lives_here(pid, content)
    if os.name != "posix":
        return None
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return False
    return _started_before(_started_by_ps(pid, int(time.time() // _PS_SECONDS)), content)


def _lives_here(pid: int, content: Mapping[str, Any]) -> bool | None:
    stat = proc_stat(pid)
    if stat is None:
        return False
    state, started = stat
    if state in ("Z", "X"):
        return False
    told = content.get("procStart")
    if isinstance(told, int | str) and str(told).isdigit():
        return str(told) == str(started)
    return _started_before(_boot_time() + started / os.sysconf("SC_CLK_TCK"), content)


def _moment(value: Any) -> int | None:
    # Imported where a file is there: to see that there is none must not take long.
    from .formats.times import moment_of

    return moment_of(value)


def _started_before(started: float | None, content: Mapping[str, Any]) -> bool | None:
    told = _moment(content.get("startedAt"))
    return None if started is None or told is None else started <= told / 1e6 + _LATER


def proc_stat(pid: int) -> tuple[str, int] | None:
    """State and start, in the kernel's ticks since it booted, of a process of Linux; None if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The name of the program stands in brackets, and may have any of them in it.
    fields = text.rpartition(")")[2].split()
    return (fields[0], int(fields[19])) if len(fields) > 19 and fields[19].isdigit() else None


@lru_cache(maxsize=1)
def _boot_time() -> float:
    return time.time() - time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@lru_cache(maxsize=256)
def _started_by_ps(pid: int, _when: int) -> float | None:
    """When a process started, in seconds since 1970, as POSIX's `ps` tells it; None where it does not."""
    try:
        told = subprocess.run(
            ["/bin/ps", "-o", "etime=", "-p", str(pid)], capture_output=True, text=True, timeout=2, check=False
        ).stdout
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    parts = re.fullmatch(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)", told.strip())
    if parts is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return time.time() - (((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _is_elsewhere(domain: object) -> bool:
    """Whether a file names another space of process ids than ours, as a container has one."""
    named = re.search(r"pid:\[(\d+)\]", domain) if isinstance(domain, str) else None
    if named is None:
        return False
    try:
        return named[0] not in str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return True
