"""Killing the ingester at random moments: in a backfill, and while lines arrive. What remains must be whole.

The transcripts are written by hand and small, so that a kill often meets a transaction; `kill_loop.py` does the same
at length and with a folder of your own.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.store import Store

from tests.faults.same import contents, difference
from tests.transcripts import Transcript, write

LIVE = """
import os, signal, sys, threading, time
from pathlib import Path
from agnes_stats.ingest import service
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.service import IngestService
from agnes_stats.ingest.formats import Root
import agnes_stats.ingest.engine as engines
import agnes_stats.ingest.backfill as backfills
if sys.argv[3] == "small":
    engines.WORKER_BYTES = 0
    backfills.TASK_BYTES = 20000
    backfills.LOAD_BYTES = 30000
root, store = Root("claude", Path(sys.argv[1])), engines.Store(Path(sys.argv[2]))
def die_in_a_commit(begin, late):
    # A log is there from a commit on until the file is closed; another may be left from the last death.
    def log():
        return store.log_path.stat().st_mtime_ns if store.log_path.exists() else None
    old = log()
    time.sleep(begin)
    while log() in (None, old):
        time.sleep(0.0005)
    time.sleep(late)
    os.kill(os.getpid(), signal.SIGKILL)
if len(sys.argv) > 4:
    threading.Thread(target=die_in_a_commit, args=map(float, sys.argv[4:]), daemon=True).start()
print("up", flush=True)
IngestService(Engine(store, [root]), lambda _: None, find_roots=lambda: [root]).start()
signal.pause()
"""


def hand_written(root: Path, sessions: int = 10, responses: int = 20) -> None:
    """Sessions with tool calls, sub-agents and a fork, some tens of kilobytes each."""
    talks = []
    for number in range(sessions):
        talk = Transcript(f"s{number}", f"2026-03-{number % 28 + 1:02d}T09:00:00").title(f"talk {number}")
        agent = Transcript(f"s{number}", f"2026-03-{number % 28 + 1:02d}T09:01:00", agent=f"a{number}")
        for step in range(responses):
            call = (f"call-{number}-{step}", "Bash", {"command": "ls", "description": "x" * 400})
            talk.wait(20).prompt(f"step {step}").wait(5).response(call).wait(5).result(call[0], "y" * 800)
            agent.wait(30).response()
        talks += [talk, agent]
    write(root, talks)
    folder = root / "projects" / "-home-dana-work"
    lines = (folder / "s0.jsonl").read_text().splitlines()[: responses // 2]
    fork = [json.dumps(json.loads(line) | {"sessionId": "fork"}) for line in lines]
    (folder / "fork.jsonl").write_text("\n".join(fork) + "\n")


class Killer:
    """A folder whose files arrive bit by bit, and an ingester that is killed and started again meanwhile."""

    def __init__(self, folder: Path, source: Path, seed: int, *, size: str = "small") -> None:
        """`source` is a root of the kind `claude`; `size` is `small` for transactions of a few kilobytes."""
        self.root = folder / "claude"
        self.store = folder / "data" / "store.duckdb"
        self._source = source
        self._random = random.Random(seed)
        self._size = size
        self.kills = 0
        self.in_commit = 0
        """Kills between a commit and the closing of the file; every second one is aimed there."""
        self.read = 0
        """Files that were read before the last, undisturbed run."""

    def backfill(self, kills: int, longest: float) -> None:
        """Everything is there; kill after up to `longest` seconds of work, again and again."""
        shutil.copytree(self._source, self.root, dirs_exist_ok=True)
        for _ in range(kills):
            self._kill_after(self._random.uniform(0.0, longest))

    def live(self, kills: int, longest: float) -> None:
        """The files grow by random bits, torn lines too, while the ingester is killed."""
        bits = self._bits()
        for _ in range(kills):
            self._kill_after(self._random.uniform(0.0, longest), lambda: next(bits, None))
        while next(bits, None) is not None:
            pass

    def finish(self) -> Store:
        """Let it run to its end."""
        store = Store(self.store)
        with store.read() as connection:
            self.read = len(connection.execute("SELECT 1 FROM files WHERE parser IS NOT NULL").fetchall())
        Engine(store, [Root("claude", self.root)], workers=1).catch_up()
        return store

    def _bits(self) -> Iterator[Path]:
        """Write the source's files a bit at a time; what was written to."""
        rest = {path: path.read_bytes() for path in sorted(self._source.rglob("*")) if path.is_file()}
        while rest:
            path = self._random.choice(list(rest))
            size = self._random.choice((20, 700, 3000, 20000))
            bit, left = rest[path][:size], rest[path][size:]
            target = self.root / path.relative_to(self._source)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("ab") as file:
                file.write(bit)
            rest[path] = left
            if not left:
                del rest[path]
            yield target

    def _kill_after(self, seconds: float, work: Callable[[], object] = lambda: None) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        arguments = [sys.executable, "-c", LIVE, str(self.root), str(self.store), self._size]
        if self.kills % 2:
            arguments += [str(seconds), str(self._random.uniform(0.0, 0.02))]
            seconds += 10.0
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and process.poll() is None:
            work()
            time.sleep(min(left, 0.03))
        self.in_commit += process.poll() is not None and Path(f"{self.store}.wal").exists()
        process.kill()
        process.communicate()
        self.kills += 1


def verdict(killer: Killer, folder: Path) -> str:
    """What the killed store says other than one that was left in peace; empty if nothing."""
    found = killer.finish()
    calm = Store(folder / "calm.duckdb")
    Engine(calm, [Root("claude", killer.root)], workers=1).catch_up()
    # The log belongs to the store: what was committed and is not in the file yet. So do the files by which processes
    # wait for each other, which stay where they are, because a lock on a removed file holds nobody out.
    whole = [f"{killer.store.name}{ending}" for ending in ("", ".wal", ".lock", ".queue")]
    left = [path.name for path in killer.store.parent.iterdir() if path.name not in whole]
    return difference(contents(found), contents(calm)) or (f"left behind: {left}" if left else "")
