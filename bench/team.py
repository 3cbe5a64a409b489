"""How many machines can push at once, and what a drain costs: with a PostgreSQL of its own, started and stopped here.

    python bench/team.py [MACHINES] [PUSHES] [RESPONSES]

MACHINES (50) push at once, each as a role of its own, PUSHES (4) times RESPONSES (300) made-up responses; then all is
drained into one store, and, with `.venv-lake/bin/python`, into a lake. Prints the times of a push, the drain's CPU,
and sizes.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
from agnes_stats.ingest.team import inbox, lake
from agnes_stats.ingest.team.drain import drain
from agnes_stats.queries.schema import STORE_VERSION
from agnes_stats.queries.store import ExtensionMissing, Store
from agnes_stats.queries.store.lake_address import lake_address, path_for

from tests.team.postgres import ADMIN, PASSWORD, Server, running

JANUARY = 1_767_225_600_000_000
"""2026-01-01, in microseconds."""


def responses(machine: str, push: int, count: int) -> list[tuple[str, str, str, str]]:
    """Rows of one push: a session of a day, a response a minute."""
    session = f"{machine}-{push}"
    part, rows = f"{session} 2026-01-01", []
    for number in range(count):
        at = JANUARY + (push * count + number) * 60_000_000
        row = {
            "key": f"msg_{session}_{number}", "ts": at, "path": "5a" * 16, "pos": number * 2000, "session_id": session,
            "agent": "claude-code", "kind": "turn", "model": "claude-opus-4-5-20251101", "version": "2.1.300",
            "is_copy": False, "embedded": False, "usage_embedded": False, "output_tokens": 500, "total_tokens": 90_500,
            "usage_ts": at, "usage_path": "5a" * 16, "usage_pos": number * 2000, "input_tokens": 10,
            "cache_read_tokens": 85_000, "cache_write_5m_tokens": 4_990, "cache_write_1h_tokens": 0,
            "stop_reason": "tool_use", "speed": "standard", "service_tier": "standard", "ended_at": at + 5_000_000,
        }  # fmt: skip
        rows.append((part, "responses", f'["{row["key"]}"]', msgspec.json.encode([row]).decode()))
    return rows


def pushes(server: Server, machine: str, times: int, count: int) -> list[float]:
    """Seconds that each push of a machine took, its connection included."""
    took = []
    for number in range(times):
        rows = responses(machine, number, count)
        begun = time.perf_counter()
        with inbox.connected(inbox.address(server.url(machine, "team"))) as connection:
            inbox.take_turn(connection, machine)
            inbox.announce(connection, machine, machine, STORE_VERSION, "bench", "numbers")
            inbox.put(connection, machine, {rows[0][0]: "digest"}, rows)
        took.append(time.perf_counter() - begun)
    return took


def main(machines: int = 50, times: int = 4, count: int = 300) -> None:
    """All of it."""
    os.environ["PGPASSWORD"] = PASSWORD
    names = [f"m{number:03}" for number in range(machines)]
    with tempfile.TemporaryDirectory() as folder, running(connections=machines + 10) as server:
        server.database("team")
        inbox.init(inbox.address(server.url(ADMIN, "team")), names, ["drainer"])
        server.give_passwords(*names, "drainer")
        begun = time.perf_counter()
        with ThreadPoolExecutor(machines) as pool:
            took = sorted(
                each for some in pool.map(lambda name: pushes(server, name, times, count), names) for each in some
            )
        wall = time.perf_counter() - begun
        total = machines * times * count
        sys.stdout.write(
            f"{machines} machines at once, {times} pushes of {count} responses each, no errors: "
            f"p50 {statistics.median(took):.2f} s, "
            f"p95 {took[int(len(took) * 0.95)]:.2f} s, longest {took[-1]:.2f} s, {total / wall:,.0f} rows/s\n"
        )
        with server.admin("team") as admin:
            size = admin.execute("SELECT pg_total_relation_size('agnes_stats.told')").fetchone()
        store = Store(Path(folder) / "team.duckdb")
        cpu, begun = time.process_time(), time.perf_counter()
        done = drain(store, inbox.address(server.url("drainer", "team")))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - begun
        sys.stdout.write(
            f"drain of {done.rows:,} rows: {cpu:.1f} CPU-s, {wall:.1f} s, {done.rows / cpu:,.0f} rows per CPU-s\n"
        )
        assert size is not None
        sys.stdout.write(f"inbox {size[0] / total:,.0f} bytes a row; store {store.path.stat().st_size / total:,.0f}\n")
        _into_a_lake(server, Path(folder), total)


def _into_a_lake(server: Server, folder: Path, total: int) -> None:
    """The same drain into a lake, where DuckDB's extensions are there for one."""
    named = f"ducklake:{server.url('drainer', 'team')}?data={folder / 'lake'}"
    lake.init(lake_address(f"ducklake:{server.url(ADMIN, 'team')}?data={folder / 'lake'}"), [], "drainer")
    store = Store(path_for(lake_address(named), folder))
    cpu, begun = time.process_time(), time.perf_counter()
    try:
        done = drain(store, inbox.address(server.url("drainer", "team")))
    except ExtensionMissing as missing:
        sys.stdout.write(f"{missing}\n")
        return
    cpu, wall = time.process_time() - cpu, time.perf_counter() - begun
    sys.stdout.write(
        f"drain into a lake: {cpu:.1f} CPU-s, {wall:.1f} s, {done.rows / cpu:,.0f} rows per CPU-s; "
        f"{store.bytes_on_disk() / total:,.0f} bytes a row\n"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
