"""How large a team's store of many responses is, as a file and as a lake, and how long the questions of the tabs take.

    .venv-lake/bin/python bench/lake.py [RESPONSES] [ROUNDS]

Makes a store of RESPONSES (1,000,000) made-up responses of 200 people over a year, with sessions, activity and rollups,
once as a file and once as a lake, with a PostgreSQL of its own, and asks what each tab shows of the last 30 days and of
all days, ROUNDS (20) times each in one process: wall time, and CPU of that process, without the server's.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agnes_stats.ingest import upkeep
from agnes_stats.ingest.prices import PriceOverrides
from agnes_stats.ingest.team import lake
from agnes_stats.queries.store import Store
from agnes_stats.queries.store.lake_address import lake_address, path_for
from agnes_stats.queries.store.rebuilding import made_anew
from agnes_stats.tui import cli

from tests.team.postgres import ADMIN, PASSWORD, running

AT_ONCE = 500_000
IN_A_SESSION = 60
MODELS = ("claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001")

RESPONSES = f"""
    INSERT INTO responses BY NAME
    SELECT 'msg_' || md5(n::VARCHAR) AS key, session AS session_id, 'user' || person AS username, 'mac' AS machine,
        'claude-code' AS agent, 'turn' AS kind, true AS is_answer, false AS is_copy, false AS embedded,
        false AS usage_embedded, told AS ts, told AS usage_ts, told AS requested_at,
        told + INTERVAL 9 SECOND AS ended_at,
        md5(session) AS path, md5(session) AS usage_path, n * 2000 AS pos, n * 2000 AS usage_pos, '2.1.300' AS version,
        [{", ".join(f"'{name}'" for name in MODELS)}][1 + (hash(session) % 3)::BIGINT] AS model,
        500 + (hash(n) % 1500)::BIGINT AS output_tokens, 10 AS input_tokens, 85000 AS cache_read_tokens,
        4990 AS cache_write_5m_tokens, 0 AS cache_write_1h_tokens, 90500 + (hash(n) % 1500)::BIGINT AS total_tokens,
        'tool_use' AS stop_reason, 'standard' AS speed, 'standard' AS service_tier
    FROM (
        SELECT n, md5(((n // {IN_A_SESSION}) * 7)::VARCHAR)::UUID::VARCHAR AS session,
            (n // {IN_A_SESSION}) % 200 AS person,
            TIMESTAMP '2025-12-01' + INTERVAL 1 SECOND * ((n // {IN_A_SESSION}) * 31536000 // ($total // {IN_A_SESSION})
                + (n % {IN_A_SESSION}) * 40) AS told
        FROM range($start, $stop) r(n))
"""
SPANS = "INSERT INTO activity SELECT session_id, min(ts), max(ended_at) FROM responses GROUP BY 1"

ASKED = {
    "Sessions": ["sessions"],
    "Tokens": ["tokens"],
    "Data access": ["queries"],
    "Sync": ["sync"],
    "operator": ["operator"],
}
DAYS = {"30 days": ["--since", "2026-11-01", "--until", "2026-11-30"], "all days": []}


def fill(store: Store, total: int) -> float:
    """Make the responses and all that follows from them; CPU seconds."""
    store.for_drain()
    cpu = time.process_time()
    with store.write() as connection:
        upkeep.refresh(store, connection, ["UTC"], PriceOverrides())
        for start in range(0, total, AT_ONCE):
            with connection.transaction():
                stop = min(start + AT_ONCE, total)
                connection.execute(RESPONSES, {"total": total, "start": start, "stop": stop})
        with connection.transaction():
            connection.execute(SPANS)
            connection.execute("DELETE FROM meta WHERE name = 'prices'")
        upkeep.refresh(store, connection, ["UTC"], PriceOverrides())
        with connection.transaction():
            for statement in made_anew(["UTC"]):
                connection.execute(statement)
        store.compact()
    return time.process_time() - cpu


def answered(words: list[str]) -> str:
    """What a command says."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        assert cli.main([*words, "--json", "--tz", "UTC"]) == 0
    return told.getvalue()


def ask(name: str, store: str, rounds: int) -> dict[str, str]:
    """Ask everything; what was said, by question."""
    said = {}
    for tab, words in ASKED.items():
        for days, chosen in DAYS.items():
            question = [*words, *chosen, "--no-ingest", "--store", store]
            said[f"{tab}, {days}"] = answered(question)
            cpu = time.process_time()
            took = sorted(_seconds(question) for _ in range(rounds))
            cpu = (time.process_time() - cpu) / rounds
            p50, p95 = took[rounds // 2], took[min(rounds - 1, int(rounds * 0.95))]
            times = f"p50 {p50 * 1000:.0f}, p95 {p95 * 1000:.0f}, CPU {cpu * 1000:.0f} ms"
            sys.stdout.write(f"{name} | {tab}, {days} | {times}\n")
            sys.stdout.flush()
    return said


def _seconds(question: list[str]) -> float:
    begun = time.perf_counter()
    answered(question)
    return time.perf_counter() - begun


def main(total: int = 1_000_000, rounds: int = 20) -> None:
    """All of it."""
    os.environ["PGPASSWORD"] = PASSWORD
    with tempfile.TemporaryDirectory() as name, running() as server:
        folder = Path(name)
        server.database("team")
        lake.init(lake_address(f"ducklake:{server.url(ADMIN, 'team')}?data={folder / 'lake'}"), [], "drainer")
        server.give_passwords("drainer")
        named = f"ducklake:{server.url('drainer', 'team')}?data={folder / 'lake'}"
        os.environ["XDG_DATA_HOME"] = name
        kept = path_for(lake_address(named), folder / "agnes-stats")
        said = {}
        for kind, store, words in (
            ("file", Store(folder / "team.duckdb"), str(folder / "team.duckdb")),
            ("lake", Store(kept), named),
        ):
            cpu = fill(store, total)
            size = store.bytes_on_disk()
            sys.stdout.write(f"{kind}: {total:,} responses, made in {cpu:.0f} CPU-s, {size / 1e6:,.0f} MB\n")
            said[kind] = ask(kind, words, rounds)
        with server.admin("team") as admin:
            row = admin.execute("SELECT pg_database_size('team')").fetchone()
            assert row is not None
            sys.stdout.write(f"catalogue: {row[0] / 1e6:,.0f} MB\n")
        differs = [question for question, answer in said["file"].items() if answer != said["lake"][question]]
        sys.stdout.write(f"answers that differ: {differs}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
