"""Nothing is asked of any network unless the user turns it on."""

import subprocess
import sys
from pathlib import Path

from tests.transcripts import Transcript, write

GUARD = """
import socket, sys

def refuse(self, address, *rest):
    if self.family != socket.AF_UNIX:
        print("NETWORK", address, file=sys.stderr, flush=True)
        raise OSError("no network here")

def nobody(*names, **rest):
    print("LOOKUP", names, file=sys.stderr, flush=True)
    raise OSError("no network here")

for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = socket.gethostbyname = nobody
"""
EVERYTHING = """
import asyncio
from pathlib import Path
from agnes_stats.tui.cli import main
from agnes_stats.tui.dashboard import app_of
from agnes_stats.tui.settings import Settings

store, claude = sys.argv[1:]
for command in ("ingest", "tokens", "doctor"):
    assert main([command, "--store", store, "--source", f"claude={claude}"]) == 0, command

async def look():
    app = app_of(Settings(store=Path(store), tz="UTC", source=(f"claude={claude}",)))
    async with app.run_test(size=(120, 40)) as pilot:
        for key in "1234":
            await pilot.press(key)
            await pilot.pause()
        await app.workers.wait_for_complete()

asyncio.run(look())
"""


def guarded(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own that cannot connect to anything, and tells if it tries to."""
    command = [sys.executable, "-c", GUARD + script, *(str(part) for part in arguments)]
    if (
        Path("/usr/bin/unshare").exists()
        and subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0
    ):
        # Code that is not Python's has no network then, either.
        command = ["unshare", "-n", *command]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_guard_guards() -> None:
    assert "LOOKUP" in guarded("socket.create_connection(('localhost', 9), 1)").stderr
    assert "NETWORK" in guarded("socket.socket().connect(('127.0.0.1', 9))").stderr


def test_commands_and_dashboard_connect_to_nothing(tmp_path: Path) -> None:
    talk = Transcript("s1", "2026-03-10T09:00:00", model="a-model-nobody-prices").prompt("hello")
    write(tmp_path / "claude", [talk.response()])
    run = guarded(EVERYTHING, tmp_path / "data" / "s.duckdb", tmp_path / "claude")
    assert (run.returncode, run.stderr) == (0, "")
