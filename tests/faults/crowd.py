"""Many at one store: two ingesters as dashboards have them, two commands in a loop, lines that arrive, and a user who
opens the store read-only with DuckDB now and then. Nobody may fail, all must see the newest line.

    python tests/faults/crowd.py [SECONDS] [LINES A SECOND]

Prints how often the user got in at the first try, the longest wait, and how far behind everybody was. Exit status 1 if
anybody failed.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

USER_PAUSE = 0.25
"""Seconds between two visits of the user; on failure the next try follows after a tenth of that."""

INGESTER = """
import json, sys, threading, time
from pathlib import Path
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.news import Troubled, UpToDate
from agnes_stats.ingest.service import IngestService
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.store import Store
root, store = Root("claude", Path(sys.argv[1])), Store(Path(sys.argv[2]))
told, fresh = [], threading.Event()
def tell(news):
    if isinstance(news, Troubled):
        told.append(news.reason)
    if isinstance(news, UpToDate) and news.files:
        fresh.set()
service = IngestService(Engine(store, [root]), tell, find_roots=lambda: [root])
def panes():
    while not service._stop.is_set():
        if fresh.wait(0.2):
            fresh.clear()
            try:
                with store.read() as connection:
                    at = connection.execute("SELECT max(ts) FROM responses").fetchone()
                    connection.execute("SELECT project, sum(output_tokens) FROM tokens_daily GROUP BY 1").fetchall()
                lags.append(time.time() - (at[0] - __import__("datetime").datetime(1970, 1, 1)).total_seconds())
            except Exception as error:
                told.append(repr(error))
lags = []
service.start()
thread = threading.Thread(target=panes)
thread.start()
sys.stdin.read()
service.stop()
thread.join()
print(json.dumps({"troubles": told, "lags": lags[3:]}))
"""


def line(number: int) -> str:
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    message = {
        "id": f"msg_{number:024d}",
        "model": "claude-opus-4-5",
        "content": [],
        "usage": usage,
        "stop_reason": "x",
    }
    row = {"type": "assistant", "sessionId": "live", "uuid": f"u{number}", "timestamp": stamp, "cwd": "/w/live"}
    return json.dumps(row | {"message": message, "requestId": f"r{number}"}) + "\n"


class User(threading.Thread):
    """Opens the store read-only, looks at it, and closes it again, all the time."""

    def __init__(self, store: Path, seconds: float) -> None:
        super().__init__()
        self._store = store
        self._end = time.monotonic() + seconds
        self.waits: list[float] = []
        self.firsts = 0

    def run(self) -> None:
        """Visit until the time is over."""
        script = (
            "import duckdb, sys, time\n"
            "for path in sys.stdin:\n"
            "    begun, tries = time.monotonic(), 0\n"
            "    while True:\n"
            "        tries += 1\n"
            "        try:\n"
            "            duckdb.connect(path.strip(), read_only=True).close()\n"
            "            break\n"
            "        except duckdb.IOException:\n"
            f"            time.sleep({USER_PAUSE / 10})\n"
            "    print(tries, time.monotonic() - begun, flush=True)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            while time.monotonic() < self._end:
                time.sleep(USER_PAUSE)
                process.stdin.write(f"{self._store}\n")
                process.stdin.flush()
                tries, waited = process.stdout.readline().split()
                self.firsts += tries == "1"
                self.waits.append(float(waited))
            process.stdin.close()


def commands(root: Path, store: Path, name: str, end: float, failures: list[str], counts: list[int]) -> None:
    """Run a command again and again; every answer must hold at least as much as the last one."""
    before = 0
    while time.monotonic() < end:
        run = subprocess.run(
            [sys.executable, "-m", "agnes_stats", name, "--json", "--store", store, "--source", f"claude={root}"],
            capture_output=True,
            text=True,
        )
        if run.returncode or run.stderr:
            failures.append(f"{name}: {run.returncode} {run.stderr[-300:]}")
            continue
        answer = json.loads(run.stdout)
        now = answer["totals"]["responses"] if name == "tokens" else answer["rows"][0]["assistant_messages"]
        if now < before:
            failures.append(f"{name}: {now} after {before}")
        before = now
        counts.append(now)


def main(seconds: float = 60.0, rate: float = 20.0) -> int:
    """Run it all and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        root, store = Path(folder, "claude"), Path(folder, "data", "store.duckdb")
        file = root / "projects" / "-w-live" / "live.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text(line(0))
        base = [sys.executable, "-m", "agnes_stats", "ingest", "--store", store, "--source", f"claude={root}"]
        subprocess.run(base, check=True, capture_output=True)
        end = time.monotonic() + seconds
        failures: list[str] = []
        counts: dict[str, list[int]] = {"tokens": [], "sessions": []}
        services = [
            subprocess.Popen(
                [sys.executable, "-c", INGESTER, root, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        loops = [
            threading.Thread(target=commands, args=(root, store, name, end, failures, counts[name])) for name in counts
        ]
        user = User(store, seconds)
        for thread in (*loops, user):
            thread.start()
        written = 0
        while time.monotonic() < end:
            written += 1
            with file.open("a") as out:
                out.write(line(written))
            time.sleep(1.0 / rate)
        for thread in (*loops, user):
            thread.join()
        told = [json.loads(service.communicate("")[0]) for service in services]
        failures += [reason for service in told for reason in service["troubles"]]
        last = subprocess.run(
            [*base[:3], "tokens", "--json", *base[4:]], check=True, capture_output=True, text=True
        ).stdout
    lags = sorted(lag for service in told for lag in service["lags"])
    waits = sorted(user.waits)
    report = {
        "user_visits": len(waits),
        "in_at_first_try": round(user.firsts / len(waits), 3),
        "longest_wait_s": round(waits[-1], 3),
        "p95_wait_s": round(waits[int(len(waits) * 0.95)], 3),
        "commands": {name: len(seen) for name, seen in counts.items()},
        "lines": written,
        "lines_in_store_at_the_end": json.loads(last)["totals"]["responses"] - 1,
        "age_of_the_newest_line_on_a_dashboard_s": {
            "p50": round(statistics.median(lags), 2),
            "p95": round(lags[int(len(lags) * 0.95)], 2),
            "refreshes": len(lags),
        },
        "failures": failures,
    }
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return 1 if failures or report["lines_in_store_at_the_end"] != written else 0


if __name__ == "__main__":
    sys.exit(main(*(float(argument) for argument in sys.argv[1:])))
