"""A workspace that grows while the dashboard watches it: every change is on the tabs and in the answers, by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.service import IngestService, News
from agnes_stats.queries.filters import Filter
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.commands import queries, sync
from agnes_stats.tui.settings import Settings
from textual.pilot import Pilot

from tests.ingest.agnes_files import ledger, log, put, run
from tests.ingest.test_account_source import token
from tests.machine import Machine
from tests.tui.running import NOW, press, screen_text, settle

TOLD = "20260310T1400{:02}Z"


def dashboard(machine: Machine) -> AgnesStats:
    def service(tell: Callable[[News], None]) -> IngestService:
        engine = Engine(machine.store, machine.roots, workers=0)
        return IngestService(engine, tell, find_roots=lambda: machine.roots)

    settings = Settings(store=machine.store.path, tz="UTC", tab="sync")
    return AgnesStats(settings, machine.store, service, chosen=Filter(), now=lambda: NOW)


def synced(machine: Machine) -> dict[str, Any]:
    with machine.store.read() as connection:
        return sync.sync_answer(connection, Filter(), limit=1000, cursor=None)


def queried(machine: Machine) -> list[dict[str, Any]]:
    with machine.store.read() as connection:
        found = queries.queries_answer(connection, Filter(), limit=50, cursor=None, everything=True)
    rows: list[dict[str, Any]] = found["rows"]
    return rows


async def shows(pilot: Pilot[Any], app: AgnesStats, *words: str) -> None:
    """Wait until all of this is on the screen."""
    while any(word not in screen_text(app) for word in words):
        await asyncio.sleep(0.02)
        await settle(pilot)


async def test_every_change_of_a_workspace_is_shown_by_itself(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is noticed here is noticed by watching: no sweep comes to help.
    monkeypatch.setattr("agnes_stats.ingest.service.SWEEP_SECONDS", (3600.0, 3600.0))
    machine = Machine(own_home)
    (machine.claude / "projects").mkdir(parents=True)
    workspace = machine.workspace(last_sync="2026-03-10T12:44:30+00:00")
    put(own_home / ".config/agnes/token.json", {"access_token": token(NOW.replace(month=4))})
    (workspace / "user").mkdir()
    first = [run(TOLD.format(number), ("pull", "ok", "1 tables, 1 parquets")) for number in range(3)]
    log(workspace, *first)
    app = dashboard(machine)
    async with asyncio.timeout(60), app.run_test(size=(160, 45)) as pilot:
        await shows(pilot, app, "2h ago", "31 days left", "6 actions")

        put(
            workspace / ".claude/agnes/sync_state.json",
            {
                "tables": {"orders": {"hash": "x", "rows": 1200, "size_bytes": 88_000_000}},
                "last_sync": "2026-03-10T14:32:30Z",
            },
        )
        await shows(pilot, app, "12m ago", "orders", "1.2k")

        with (workspace / ".claude/agnes/update.log").open("a") as file:
            file.write(run(TOLD.format(30), ("push", "error", "boom at the gate")))
        await shows(pilot, app, "boom at the gate", "8 actions")

        ledger(workspace, "uploaded", "s-one\t100\t2026-03-10T14:10:00Z")
        await shows(pilot, app, "9 actions")
        ledger(workspace, "failed", "2026-03-10T14:20:00Z\ts-two\t413\t/x/s-two.jsonl")
        await shows(pilot, app, "error.413", "10 actions")

        put(own_home / ".config/agnes/token.json", {"access_token": token(NOW.replace(month=6))})
        await shows(pilot, app, "92 days left")

        # The log is cut down to its last lines; what was read stays.
        last = [run(f"20260310T13{number // 60:02}{number % 60:02}Z") for number in range(200)]
        log(workspace, *last)
        await shows(pilot, app, "210 actions")
        answer = synced(machine)
        assert answer["last_pull_at"] == "2026-03-10T14:32:30+00:00"
        assert sum(row["action"] == "sync.update" for row in answer["rows"]) == 4 + 200

        await press(pilot, "3")
        snapshot = {"name": "recent", "table_id": "sales", "fetched_at": "2026-03-10T14:33:00Z", "rows": 7, "limit": 50}
        put(workspace / "user/snapshots/recent.meta.json", json.dumps(snapshot))
        await shows(pilot, app, "snapshot.create", "sales")
        (row,) = queried(machine)
        assert (row["action"], row["resource"], row["params"]["seen_in"]) == (
            "snapshot.create",
            "table:sales",
            ["workspace"],
        )
        put(workspace / "user/snapshots/older.meta.json", json.dumps(snapshot | {"name": "older", "table_id": "leads"}))
        await shows(pilot, app, "leads")
