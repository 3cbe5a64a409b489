"""A dashboard's ingester through thousands of appended lines: does it keep memory, threads, files it should not?

    python tests/faults/soak.py [LINES] [LINES A SECOND] [--dashboard]

10,000 lines at 50 a second take over three minutes. A reader asks the store what the panes ask after every news, as a
dashboard does; with --dashboard it is the dashboard itself, without a terminal. Prints a curve of memory (resident and
private, MB), threads, open files and entries beside the store, and a verdict; exit status 1 if the second half of the
run grew.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.news import News, UpToDate
from agnes_stats.ingest.service import IngestService
from agnes_stats.queries import home, sessions, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store

SAMPLES = 20
GROWTH_MB = 12.0
"""Of the median of the last quarter over that of the second one; the allocators breathe by about as much."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the process. Memory in MB."""

    lines: int
    resident: float
    private: float
    threads: int
    files: int
    beside: int


def look(lines: int, store: Path) -> Sample:
    """What the process holds now."""
    sums = dict.fromkeys(("Rss:", "Private_Dirty:"), 0)
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        if name in sums:
            sums[name] = int(value)
    return Sample(
        lines,
        sums["Rss:"] / 1024,
        sums["Private_Dirty:"] / 1024,
        threading.active_count(),
        len(list(Path("/proc/self/fd").iterdir())),
        len([path for path in store.parent.glob("*") if path != store]),
    )


def line(number: int) -> str:
    """A prompt, a response with a call, or its result, by turns."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
    row = {"uuid": f"u{number}", "timestamp": stamp, "sessionId": f"live-{number // 500}", "cwd": "/w/live"}
    turn, step = divmod(number, 3)
    if step == 0:
        return json.dumps(row | {"type": "user", "message": {"content": f"prompt {turn}"}}) + "\n"
    if step == 1:
        call = {"type": "tool_use", "id": f"call-{turn}", "name": "Bash", "input": {"command": f"ls {turn}"}}
        usage = {"input_tokens": 9, "output_tokens": 99, "cache_read_input_tokens": 999}
        message = {"id": f"msg_{turn:024d}", "model": "claude-opus-4-5", "content": [call], "usage": usage}
        return json.dumps(row | {"type": "assistant", "message": message}) + "\n"
    result = {"type": "tool_result", "tool_use_id": f"call-{turn}", "content": "x" * 2000}
    return json.dumps(row | {"type": "user", "message": {"content": [result]}}) + "\n"


def append(file: Path, lines: int, rate: float, sampled: Callable[[int], None]) -> None:
    """Write the lines, and sample on the way."""
    for number in range(lines):
        with file.open("a") as out:
            out.write(line(number))
        if number % (lines // SAMPLES) == 0:
            sampled(number)
        time.sleep(1.0 / rate)


class Panes(threading.Thread):
    """Asks the store after every news what a dashboard asks."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._fresh = threading.Event()
        self._ended = False

    def tell(self, news: News) -> None:
        """News of the ingester."""
        if isinstance(news, UpToDate) and news.files:
            self._fresh.set()

    def end(self) -> None:
        """Ask no more."""
        self._ended = True
        self._fresh.set()
        self.join()

    def run(self) -> None:
        """Ask."""
        import datetime as dt

        while self._fresh.wait() and not self._ended:
            self._fresh.clear()
            now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
            with self._store.read() as connection:
                home.home(connection, "24h", now=now, chosen=Filter())
                sessions.list_sessions(connection, Filter(), now=now)
                tokens.totals(connection, Filter())
                tokens.by_day(connection, Filter())


def headless(root: Root, store: Store, file: Path, lines: int, rate: float, samples: list[Sample]) -> None:
    """An ingester and a reader."""
    panes = Panes(store)
    service = IngestService(Engine(store, [root]), panes.tell, find_roots=lambda: [root])
    panes.start()
    service.start()
    try:
        append(file, lines, rate, lambda number: samples.append(look(number, store.path)))
        time.sleep(3.0)
        samples.append(look(lines, store.path))
    finally:
        service.stop()
        panes.end()


def whole(root: Root, store: Store, file: Path, lines: int, rate: float, samples: list[Sample]) -> None:
    """The dashboard; its tabs are shown by turns."""
    from agnes_stats.tui.dashboard import app_of
    from agnes_stats.tui.settings import Settings

    async def run() -> None:
        app = app_of(Settings(store=store.path, tz="UTC", source=(f"claude={root.path}",)))
        async with app.run_test(size=(140, 45)) as pilot:
            writer = threading.Thread(
                target=append, args=(file, lines, rate, lambda number: samples.append(look(number, store.path)))
            )
            writer.start()
            shown = 0
            while writer.is_alive():
                await asyncio.sleep(2.0)
                shown += 1
                await pilot.press(str(shown % 4 + 1))
            await asyncio.sleep(3.0)
            samples.append(look(lines, store.path))

    asyncio.run(run())


def main(lines: int = 10_000, rate: float = 50.0, *, dashboard: bool = False) -> int:
    """Run, print the curve and the verdict; the exit status."""
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="agnes-stats-soak-") as name:
        folder = Path(name)
        os.environ["AGNES_STATS_CONFIG"] = str(folder / "none.toml")
        file = folder / "claude" / "projects" / "-w-live" / "live.jsonl"
        file.parent.mkdir(parents=True)
        root, store = Root("claude", folder / "claude"), Store(folder / "data" / "store.duckdb")
        (whole if dashboard else headless)(root, store, file, lines, rate, samples)
        with store.read() as connection:
            counted = connection.execute("SELECT count(*) FROM responses").fetchone()
        left = [path.name for path in store.path.parent.iterdir() if path != store.path]
    sys.stdout.write("  lines  resident  private  threads  files  beside the store\n")
    for one in samples:
        sys.stdout.write(
            f"{one.lines:7,} {one.resident:9.1f} {one.private:8.1f} {one.threads:8} {one.files:6} {one.beside:5}\n"
        )
    quarter = len(samples) // 4
    early = sorted(one.private for one in samples[quarter : 2 * quarter])[quarter // 2]
    late = sorted(one.private for one in samples[-quarter:])[quarter // 2]
    ended = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    flat = late - early < GROWTH_MB and samples[-1].threads <= samples[quarter].threads + 1
    sys.stdout.write(
        f"{counted[0] if counted else 0:,} responses of {lines // 3:,}; memory {early:.0f} MB, later {late:.0f} MB; "
        f"left beside the store: {left}; threads left: {ended}\n"
    )
    return 0 if flat and not left and counted and counted[0] == (lines + 1) // 3 else 1


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    sys.exit(
        main(
            int(given[0]) if given else 10_000,
            float(given[1]) if len(given) > 1 else 50.0,
            dashboard="--dashboard" in sys.argv,
        )
    )
