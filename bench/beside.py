"""Commands beside an open dashboard while a session goes on: how long a status line takes, and a script."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from dashboard import Measured, Session, Terminal, at, ms

STATUSLINES = 60
CROWD = 4
ASKED_BY_EACH = 12
LINES_A_SECOND = 2.0
WAITING_SECONDS = 15

Ours = Callable[..., list[str]]


class Going(threading.Thread):
    """A session to which lines are appended until the context ends; the dashboard's screen is read meanwhile."""

    def __init__(self, session: Session, terminal: Terminal) -> None:
        super().__init__()
        self._session, self._terminal, self._over = session, terminal, threading.Event()

    def __enter__(self) -> Going:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Append and read in turn."""
        while not self._over.is_set():
            self._session.say("goes on")
            self._terminal.rest(1 / LINES_A_SECOND)


def measure(home: Path, store: Path, ours: Ours) -> list[Measured]:
    """Status lines one after the other, and a crowd of four that asks at once, both beside a dashboard."""
    session = Session(home)
    try:
        session.say("title 1000")
        with Terminal(ours(home, store, "--since", "2000-01-01"), home) as terminal:
            terminal.until("title 1000")
            terminal.rest(3.0)
            with Going(session, terminal):
                lines = _status_lines(ours(home, store, "statusline"), session)
                waits = _waits(store)
                crowd = _crowd(ours(home, store, "sessions", "--json", "--limit", "1", "--no-ingest"))
    finally:
        session.remove()
    alone = statistics.median(
        _taken(ours(home, store, "sessions", "--json", "--limit", "1", "--no-ingest")) for _ in range(5)
    )
    return [
        Measured("statusline beside it, lines appended, p50, p95", f"{ms(at(lines, 0.5))}, {ms(at(lines, 0.95))}"),
        Measured(
            "until four processes have the store beside it, p50, p95", f"{ms(at(waits, 0.5))}, {ms(at(waits, 0.95))}"
        ),
        Measured(
            "four processes at once beside it, sessions --json, p50, p95; one alone",
            f"{ms(at(crowd, 0.5))}, {ms(at(crowd, 0.95))}; {ms(alone)}",
        ),
    ]


def _status_lines(command: list[str], session: Session) -> list[float]:
    """Seconds of each, asked about the session that goes on."""
    told = json.dumps({"session_id": session.id, "transcript_path": str(session.path), "cwd": "/bench"}).encode()
    taken = []
    for _ in range(STATUSLINES):
        taken.append(_taken(command, told))
        time.sleep(0.2)
    return taken


def _waits(store: Path) -> list[float]:
    """Seconds until each of four has the store open, each time that it wants it."""
    command = [sys.executable, str(Path(__file__).with_name("waiting.py")), str(store), str(WAITING_SECONDS)]
    people = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(CROWD)]
    return [seconds for person in people for seconds in json.loads(person.communicate()[0])]


def _crowd(command: list[str]) -> list[float]:
    """Seconds of each answer to four that ask at once, again and again."""
    taken: list[float] = []

    def ask() -> None:
        taken.extend(_taken(command) for _ in range(ASKED_BY_EACH))

    people = [threading.Thread(target=ask) for _ in range(CROWD)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    return taken


def _taken(command: list[str], told: bytes = b"") -> float:
    begun = time.perf_counter()
    subprocess.run(command, input=told, check=True, capture_output=True)
    return time.perf_counter() - begun
