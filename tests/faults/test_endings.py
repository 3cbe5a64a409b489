"""`q`, Ctrl+C and SIGTERM end the program at once, whatever it is doing, and leave the terminal as it was."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet
from agnes_stats.queries.store import Store

from tests.faults.killing import hand_written
from tests.faults.test_kills import alive, children
from tests.storing import Holder, until
from tests.transcripts import Transcript, write

AT_ONCE = 3.0
"""Seconds, on a machine that has a lot to do. What waits, waits for ten, or for ever."""

STUCK = """
import ctypes, os
def for_ever():
    # As on a disk that does not answer: no signal and no exception ends it.
    print("stuck", file=open(os.environ["AT"], "w"), flush=True)
    library, lock = ctypes.CDLL(None), ctypes.create_string_buffer(64)
    while True:
        library.pthread_mutex_lock(lock)
"""
STUCK_WALK = (
    STUCK
    + """
scandir = os.scandir
def stuck(path):
    return for_ever() if str(path).endswith("projects") else scandir(path)
os.scandir = stuck
"""
)

STUCK_QUESTION = """
import os
from agnes_stats.queries import sessions
def stuck(connection, *given, **named):
    print("stuck", file=open(os.environ["AT"], "w"), flush=True)
    connection.execute("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range + b.range) = 1")
sessions.listed = stuck
"""

STUCK_WORKERS = """
import os, subprocess
from agnes_stats.ingest import engine, work
engine.WORKER_BYTES = 0
popen = subprocess.Popen
def start(command, **named):
    code = (
        "import agnes_stats.ingest.work as work, os\\n"
        "def stuck(task):\\n"
        "    print('stuck', file=open(os.environ['AT'], 'w'), flush=True)\\n"
        "    os.read(os.pipe()[0], 1)\\n"
        "work.run_task = stuck\\n"
        "work.serve()"
    )
    return popen([command[0], "-c", code], **named)
subprocess.Popen = start
def stuck(task):
    print("stuck", file=open(os.environ["AT"], "w"), flush=True)
    os.read(os.pipe()[0], 1)
work.run_task = stuck
"""

MAIN = """
import sys
from agnes_stats.tui.cli import main
sys.argv[0] = "agnes-stats"
sys.exit(main())
"""


class Program:
    """The program in a terminal of its own, with something in it changed so that it is stuck."""

    def __init__(self, folder: Path, change: str, *words: str) -> None:
        self._at = folder / "stuck"
        options = ["--store", str(folder / "data" / "s.duckdb"), "--source", f"claude={folder / 'claude'}"]
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        environment = os.environ | {"TERM": "xterm-256color", "AT": str(self._at)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"{change}\n{MAIN}", *words, *options],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            # The terminal is the program's own: what is typed there becomes signals.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.output = b""

    def pump(self, until: Callable[[], object], seconds: float = 30.0) -> None:
        """Read what it writes until something is so."""
        give_up = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < give_up, self.output[-3000:]
            assert self.process.poll() is None or until(), self.output[-3000:]
            if select.select([self.master], [], [], 0.02)[0]:
                with contextlib.suppress(OSError):
                    self.output += os.read(self.master, 65536)

    def until_stuck(self) -> None:
        self.pump(self._at.exists)

    def end(self, how: str) -> tuple[int, float]:
        """End it by a key or a signal: its status, and the seconds it took."""
        begun = time.monotonic()
        if how in ("q", "\x03"):
            os.write(self.master, how.encode())
        else:
            self.process.send_signal(getattr(signal, how))
        self.pump(lambda: self.process.poll() is not None, 20.0)
        seconds = time.monotonic() - begun
        while select.select([self.master], [], [], 0.0)[0]:
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                break
        return self.process.returncode, seconds

    @property
    def has_terminal_back(self) -> bool:
        """Whether the terminal echoes as before, and shows the screen of before and a cursor."""
        as_before = termios.tcgetattr(self._slave) == self.before
        left, shown = self.output.rfind(b"\x1b[?1049l"), self.output.rfind(b"\x1b[?25h")
        return as_before and left > self.output.rfind(b"\x1b[?1049h") and shown > self.output.rfind(b"\x1b[?25l")

    def hang_up(self) -> None:
        """Close the terminal, as its window."""
        os.close(self._slave)
        os.close(self.master)
        self.master = self._slave = -1

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for end in (self.master, self._slave):
            if end >= 0:
                os.close(end)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts the program on a folder with some sessions."""
    programs: list[Program] = []
    write(tmp_path / "claude", [Transcript("s1", "2026-03-10T09:00:00").prompt("hello").response()])

    def start(change: str, *words: str) -> Program:
        programs.append(Program(tmp_path, change, *words))
        return programs[-1]

    yield start
    for program in programs:
        program.close()


ENDS = {"q": 0, "\x03": 0, "SIGTERM": 128 + signal.SIGTERM, "SIGINT": 128 + signal.SIGINT}


def _seldom(*given: str, id: str) -> ParameterSet:  # noqa: A002
    """One more way to end, each a process that takes a second."""
    return pytest.param(*given, id=id, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("change", "how"),
    [
        pytest.param(STUCK_WALK, "\x03", id="ctrl+c"),
        *(_seldom(STUCK_WALK, how, id=how) for how in ENDS if how != "\x03"),
        _seldom(STUCK_QUESTION, "q", id="question"),
    ],
)
def test_the_dashboard(started: Callable[..., Program], change: str, how: str) -> None:
    program = started(change)
    program.until_stuck()
    program.pump(lambda: b"Help" in program.output)
    status, seconds = program.end(how)
    assert (status, program.has_terminal_back) == (ENDS[how], True)
    assert seconds < AT_ONCE


@pytest.mark.long
@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_the_dashboard_with_workers_at_work(started: Callable[..., Program], tmp_path: Path, how: str) -> None:
    hand_written(tmp_path / "claude", sessions=3, responses=5)
    program = started(STUCK_WORKERS)
    program.until_stuck()
    program.pump(lambda: b"Help" in program.output)
    workers = children(program.process.pid)
    assert workers
    status, seconds = program.end(how)
    assert seconds < AT_ONCE
    if how == "SIGTERM":
        assert (status, program.has_terminal_back) == (ENDS[how], True)
    # However this one ends, and whatever they are doing, they go with it.
    until(lambda: not any(alive(worker) for worker in workers))


@pytest.mark.long
def test_the_dashboard_while_it_waits_for_the_store(started: Callable[..., Program], tmp_path: Path) -> None:
    store = Store(tmp_path / "data" / "s.duckdb")
    with store.read():
        pass
    with Holder(store.path, "write"):
        program = started("")
        program.pump(lambda: b"Help" in program.output)
        status, seconds = program.end("q")
    assert (status, program.has_terminal_back) == (0, True)
    assert seconds < AT_ONCE


@pytest.mark.parametrize(
    ("change", "command", "how"),
    [
        pytest.param(STUCK_QUESTION, "sessions", "\x03", id="question"),
        _seldom(STUCK_WALK, "ingest", "\x03", id="ingest"),
        _seldom(STUCK_WALK, "doctor", "SIGTERM", id="doctor"),
        _seldom(STUCK_WORKERS, "tokens", "\x03", id="workers ctrl+c"),
        _seldom(STUCK_WORKERS, "tokens", "SIGTERM", id="workers SIGTERM"),
    ],
)
def test_a_command(started: Callable[..., Program], change: str, command: str, how: str) -> None:
    program = started(change, command)
    program.until_stuck()
    status, seconds = program.end(how)
    assert status == (128 + signal.SIGINT if how == "\x03" else 128 + signal.SIGTERM)
    assert seconds < AT_ONCE
    assert b"Traceback" not in program.output


def test_a_terminal_that_is_closed_ends_the_dashboard_also_if_no_signal_comes(started: Callable[..., Program]) -> None:
    """As where `make run` began it: the signal goes to make, which waits for its child."""
    program = started("import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    program.pump(lambda: b"Help" in program.output)
    program.hang_up()
    assert program.process.wait(20.0) == 128 + signal.SIGHUP


def test_what_is_ignored_stays_ignored(started: Callable[..., Program]) -> None:
    """A shell has what it puts into the background ignore Ctrl-C, and `nohup` what goes on without a terminal."""
    program = started("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + STUCK_WALK, "ingest")
    program.until_stuck()
    program.process.send_signal(signal.SIGINT)
    program.process.send_signal(signal.SIGTERM)
    program.pump(lambda: program.process.poll() is not None)
    assert program.process.returncode == 128 + signal.SIGTERM


LATE = """
import os, signal, sys, threading
from agnes_stats.tui import ending
threading.Thread.start = lambda thread: None
ending.heed_signals()
try:
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
except KeyboardInterrupt:
    sys.exit(ending.interrupted_status())
"""
"""A program whose thread that watches has not heard of the signal when all is unwound."""


def test_the_status_tells_the_signal_also_where_who_watches_is_late() -> None:
    run = subprocess.run([sys.executable, "-P", "-c", LATE], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (128 + signal.SIGTERM, "")
