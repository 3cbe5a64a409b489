"""The dashboard on a store that is out of order: it says so, goes on living, and leaves the terminal as it was."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from agnes_stats.tui.dashboard import app_of
from agnes_stats.tui.settings import Settings

from tests.transcripts import Transcript, write
from tests.tui.running import screen_text


def damaged(tmp_path: Path) -> Path:
    write(tmp_path / "claude", [Transcript("s1", "2026-03-10T09:00:00").title("about orders").prompt("x").response()])
    path = tmp_path / "data" / "store.duckdb"
    path.parent.mkdir()
    path.write_bytes(b"x" * 20000)
    return path


async def test_a_rebuild_shows_the_new_store(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    app = app_of(Settings(store=path, tz="UTC", source=(f"claude={tmp_path / 'claude'}",)))
    async with app.run_test(size=(120, 40)) as pilot:
        while "--rebuild" not in screen_text(app) or app._service is None:
            await pilot.pause(0.01)
        app._service.rebuild()
        await pilot.press("r", "a", "l", "l", "enter")
        while "about orders" not in screen_text(app):
            await pilot.pause(0.01)
    assert len(list(path.parent.glob("store-*.duckdb"))) == 1


BREAKS = """
import sys
from agnes_stats.tui import cli
from agnes_stats.tui.sessions.list import SessionsPane
def show(self, data):
    prompt = "what somebody wrote"
    raise LookupError("a\\x1b]0;title\\x07b\\x9b31mc\\u202ed")
SessionsPane.show = show
sys.exit(cli.main(sys.argv[1:]))
"""
WELL = "import sys\nfrom agnes_stats.tui import cli\nsys.exit(cli.main(sys.argv[1:]))"


def in_a_terminal(tmp_path: Path, script: str, keys: bytes = b"") -> tuple[int, str]:
    """The dashboard of a script in a terminal that sends keys once all is drawn: its status, and what it says last."""
    write(tmp_path / "claude", [Transcript("s1", "2026-03-10T09:00:00").title("about orders").prompt("x").response()])
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    options = ["--store", tmp_path / "s.duckdb", "--source", f"claude={tmp_path / 'claude'}"]
    environment = os.environ | {"TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-c", script, *options], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    seen = b""
    try:
        with contextlib.suppress(OSError):  # so Linux tells that nobody has the other end any more
            while select.select([ours], [], [], 20.0)[0] and (more := os.read(ours, 65536)):
                seen += more
                if keys and b"about orders" in seen:
                    os.write(ours, keys)
                    keys = b""
        status = process.wait(20.0)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return status, seen[seen.rindex(b"\x1b[?1049l") :].decode()


def test_a_fault_of_ours_ends_it_in_one_harmless_line(tmp_path: Path) -> None:
    status, told = in_a_terminal(tmp_path, BREAKS)
    assert status == 1
    assert "agnes-stats: this should not have happened, please report it: LookupError (abcd) in " in told
    for mark in ("title", "\x9b", "\u202e", "what somebody wrote", "Traceback"):
        assert mark not in told


def test_bytes_that_are_no_text_do_not_end_it(tmp_path: Path) -> None:
    status, told = in_a_terminal(tmp_path, WELL, b"\xff\xfe\xc3\xe9\x80\x1b[<35;999;999Mq")
    assert (status, "agnes-stats:" in told) == (0, False), told


def test_in_a_terminal_it_is_told_and_the_terminal_restored(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    command = [sys.executable, "-m", "agnes_stats", "--store", path, "--source", f"claude={tmp_path / 'claude'}"]
    environment = os.environ | {"TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    try:
        seen = b""
        while b"--rebuild" not in seen:
            assert select.select([ours], [], [], 20.0)[0], seen
            seen += os.read(ours, 65536)
        os.write(ours, b"q")
        begun = time.monotonic()
        with contextlib.suppress(OSError):  # so Linux tells that nobody has the other end any more
            while more := os.read(ours, 65536):
                seen += more
        assert process.wait(20.0) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert time.monotonic() - begun < 5.0
    assert seen.rindex(b"\x1b[?1049l") > seen.rindex(b"\x1b[?1049h")
    assert b"Traceback" not in seen
    assert path.read_bytes() == b"x" * 20000
