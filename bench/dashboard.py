"""The dashboard as its user has it: in a terminal of its own, over a full store, while lines are appended.

What is seen is what the program writes to the terminal; CPU time is the kernel's. Needs a system with pseudo terminals
and, for CPU time, /proc.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0
"""Seconds after which what is waited for counts as never seen."""

APPENDS = 30
BACKFILLS, BUSY_KEYS = 4, 15
"""So many times keys are pressed while much is read: enough that their 95th percentile is not the slowest of all."""
HELP = "Everywhere"
KEYS = (b"2", b"3", b"4", b"1", b"r", b"\x1b", b"2", b"u", b"b", b"1")


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table; `ratio` to what a start cannot do without, where that is what counts."""

    what: str
    value: str
    ratio: float | None = None


class Terminal:
    """A command in a terminal of 140 columns and 45 lines; a context manager that ends it."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        environment = {**os.environ, "HOME": str(home), "TERM": "xterm-256color"}
        self.begun = time.perf_counter()
        self._behind = b""
        """What was read behind the text that was waited for last."""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.execve(command[0], list(command), environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 140, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGTERM)
        os.close(self._fd)
        os.waitpid(self._pid, 0)

    def until(self, text: str) -> float:
        """Seconds until the program writes a text, from now; what came with the last one that was waited for counts."""
        begun, seen = time.perf_counter(), self._behind
        while text.encode() not in seen:
            seen += self._written(begun + PATIENCE)
        self._behind = seen.partition(text.encode())[2]
        return time.perf_counter() - begun

    def press(self, key: bytes, text: str = "") -> float:
        """Seconds from a key until the program writes a text, or anything."""
        begun, seen, self._behind = time.perf_counter(), b"", b""
        os.write(self._fd, key)
        while not seen or text.encode() not in seen:
            seen += self._written(begun + PATIENCE)
        return time.perf_counter() - begun

    def rest(self, seconds: float) -> None:
        """Read what is written for a while."""
        self._behind = b""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                os.read(self._fd, 1 << 16)

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _written(self, give_up: float) -> bytes:
        if not select.select([self._fd], [], [], max(0.0, give_up - time.perf_counter()))[0]:
            raise SystemExit("the dashboard did not show what it should")
        return os.read(self._fd, 1 << 16)


class Session:
    """A session that goes on: each title is another text that is looked for on the screen."""

    def __init__(self, home: Path) -> None:
        self.id = str(uuid.uuid4())
        self._folder = home / ".claude" / "projects" / f"-bench-{self.id}"
        self._folder.mkdir(parents=True)
        self.path = self._folder / f"{self.id}.jsonl"
        self._file = self.path.open("a", encoding="utf-8")

    def say(self, title: str) -> None:
        """Append a prompt and a new title."""
        now = dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")
        common = {"sessionId": self.id, "timestamp": now, "cwd": "/bench", "uuid": str(uuid.uuid4())}
        for row in (
            {"type": "user", "message": {"role": "user", "content": "go on"}, **common},
            {"type": "custom-title", "customTitle": title, "sessionId": self.id},
        ):
            self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def remove(self) -> None:
        """Leave no trace in the corpus."""
        self._file.close()
        shutil.rmtree(self._folder)


def measure(home: Path, store: Path, ours: Callable[..., list[str]]) -> list[Measured]:
    """Start, live, keys and idling over a full store; `ours` makes the command line."""
    command = ours(home, store, "--since", "2000-01-01")
    told = subprocess.run(ours(home, store, "sessions", "--json", "--limit", "1"), check=True, capture_output=True)
    title = json.loads(told.stdout)["rows"][0]["title"][:12]
    return [
        *_starts(command, home, title),
        _idle(command, home, title),
        *_live(command, home),
        _busy(home, store.with_name("busy.duckdb"), ours),
        _first_sums(home, store.with_name("busy.duckdb"), ours),
    ]


def _starts(command: list[str], home: Path, title: str, rounds: int = 5) -> list[Measured]:
    bases, frames, data = [], [], []
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import textual.app, textual.widgets"], check=True)
        bases.append(time.perf_counter() - begun)
        with Terminal(command, home) as terminal:
            terminal.until("Data access")
            frames.append(time.perf_counter() - terminal.begun)
            terminal.until(title)
            data.append(time.perf_counter() - terminal.begun)
    base = statistics.median(bases)
    return [
        Measured(what, ms(statistics.median(taken)), statistics.median(taken) / base)
        for what, taken in (("start to first paint", frames), ("start to data on screen", data))
    ]


def _idle(command: list[str], home: Path, title: str) -> Measured:
    """CPU time while nothing runs and nobody types."""
    with Terminal(command, home) as terminal:
        terminal.until(title)
        terminal.rest(15.0)
        before = terminal.cpu()
        terminal.rest(60.0)
        return Measured("idle, nothing runs, CPU over 60 s", f"{(terminal.cpu() - before) / 60.0:.2%}")


def _live(command: list[str], home: Path) -> list[Measured]:
    session = Session(home)
    try:
        session.say("title 1000")
        with Terminal(command, home) as terminal:
            terminal.until("title 1000")
            terminal.rest(3.0)
            seen = []
            for number in range(APPENDS):
                # Every other title is another word, so that all of it is painted anew.
                title = f"{'even' if number % 2 else 'odd '} {number + 2000}"
                session.say(title)
                seen.append(terminal.until(title[:4]))
                terminal.rest(0.7)
            terminal.rest(3.0)
            before = terminal.cpu()
            for _ in range(200):
                session.say("busy")
                terminal.rest(0.05)
            per_line = (terminal.cpu() - before) / 400
            terminal.rest(5.0)
            keys = []
            for key in KEYS * 3:
                keys.append(terminal.press(key))
                terminal.rest(0.7)
            terminal.rest(5.0)
            before = terminal.cpu()
            terminal.rest(60.0)
            idle = (terminal.cpu() - before) / 60.0
    finally:
        session.remove()
    return [
        Measured("append to visible cell, p50, p95", f"{ms(at(seen, 0.5))}, {ms(at(seen, 0.95))}"),
        Measured("CPU per appended line, 40 lines a second", ms(per_line)),
        Measured("key to first repaint, p50, p95", f"{ms(at(keys, 0.5))}, {ms(at(keys, 0.95))}"),
        Measured("CPU over 60 s while a session waits, whose clock goes on", f"{idle:.2%}"),
    ]


def _busy(home: Path, store: Path, ours: Callable[..., list[str]]) -> Measured:
    """Keys while everything is read into an empty store: help is called up, and closed, for as long as it takes."""
    keys = []
    for _ in range(BACKFILLS):
        _remove(store)
        with Terminal(ours(home, store), home) as terminal:
            terminal.until("Data access")
            for _ in range(BUSY_KEYS):
                keys.append(terminal.press(b"?", HELP))
                terminal.press(b"\x1b")
                terminal.rest(0.2)
    _remove(store)
    return Measured("key to help on screen in a backfill, p50, p95", f"{ms(at(keys, 0.5))}, {ms(at(keys, 0.95))}")


def _first_sums(home: Path, store: Path, ours: Callable[..., list[str]]) -> Measured:
    """From the start over an empty store until the sums of all that will be in it are on the screen."""
    _remove(store)
    with Terminal(ours(home, store, "--since", "2000-01-01"), home) as terminal:
        taken = terminal.until("provisional")
    _remove(store)
    return Measured("empty store: start to the sums of all, provisional", ms(taken))


def _remove(store: Path) -> None:
    for file in store.parent.glob(f"{store.name}*"):
        file.unlink(missing_ok=True)


def at(values: list[float], share: float) -> float:
    """The value below which that share of them is."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def ms(seconds: float) -> str:
    """Seconds in words, as milliseconds."""
    return f"{seconds * 1000:.0f} ms"
