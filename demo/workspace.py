"""The Agnes workspace of `--demo`: what the `agnes` command leaves on an analyst's machine."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .rows import timestamp

VERSION = "0.84.8"
SERVER = "https://agnes.example.com"

_TABLES = {
    "orders": (1_204_331, 3),
    "order_items": (4_812_007, 6),
    "customers": (88_412, 1),
    "subscriptions": (61_090, 1),
    "invoices": (977_201, 2),
    "payments": (1_030_554, 2),
    "refunds": (18_223, 1),
    "products": (4_310, 1),
    "plans": (12, 1),
    "campaigns": (640, 1),
    "web_sessions": (9_400_112, 8),
    "tickets": (44_870, 1),
    "employees": (212, 1),
    "fx_rates": (15_330, 2),
}
"""Table -> rows, parquet files."""

_BYTES_PER_ROW = 74


@dataclass(frozen=True, slots=True)
class Finished:
    """A session that the workspace's `agnes push` may have sent: its id, size in bytes, file and last time."""

    session_id: str
    size: int
    path: Path
    ended_at: datetime


class DemoWorkspace:
    """Writes the files of one workspace, and later the traces of further runs of `agnes update`."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self._folder = folder
        self._random = rng

    def write(self, runs: Iterable[datetime], sessions: Iterable[Finished], now: datetime) -> None:
        """All files, as `agnes update` at the given times (oldest first) would have left them."""
        for name in (".claude/agnes", "server/parquet", "user/duckdb", "user/snapshots"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        ordered = list(runs)
        done = f"completed_at: {timestamp(ordered[0])}\nagnes_version: {VERSION}\nserver_url: {SERVER}\n"
        (self._folder / ".claude" / "init-complete").write_text(done)
        for number, moment in enumerate(ordered):
            self._log(moment, failed=number % 17 == 9, pushed=number % 3 == 0)
        self._ledgers(sorted(sessions, key=lambda session: session.ended_at), now)
        self._parquets(ordered)
        self._state(ordered[-1])
        self._snapshots(now)

    def update(self, now: datetime, session: Finished) -> None:
        """One more run of `agnes update`, which also sends what there is of a session."""
        self._log(now, pushed=True)
        self._append("agnes-sessions-uploaded.txt", f"{session.session_id}\t{session.size}\t{_seconds(now)}")
        self._state(now)

    def _log(self, moment: datetime, *, failed: bool = False, pushed: bool = False) -> None:
        rng = self._random
        parquets = sum(parts for _, parts in _TABLES.values())
        pull: dict[str, Any] = {
            "stage": "pull",
            "status": "ok",
            "detail": f"{len(_TABLES)} tables, {parquets} parquets",
        }
        if failed:
            pull |= {"status": "error", "detail": [{"table": "web_sessions", "error": "connection reset by peer"}]}
        push = {"stage": "push", "status": "skipped", "detail": "nothing new"}
        if pushed:
            push |= {"status": "ok", "detail": f"{rng.randint(1, 3)} session(s) + CLAUDE.local.md, 1 private skipped"}
        cli = {"stage": "cli", "status": "updated" if rng.random() < 0.05 else "ok", "detail": VERSION}
        token = {"stage": "token", "status": "ok", "detail": "64 days left"}
        entry = {
            "ts": moment.strftime("%Y%m%dT%H%M%SZ"),
            "agnes_version": VERSION,
            "workspace": str(self._folder),
            "steps": [cli, token, {"stage": "workspace", "status": "ok", "detail": ""}, push, pull],
        }
        self._append("agnes/update.log", json.dumps(entry))

    def _ledgers(self, sessions: list[Finished], now: datetime) -> None:
        """All but the last two are dealt with: one was refused, one is private, the others are uploaded."""
        for number, session in enumerate(sessions[:-2]):
            sent = min(session.ended_at + timedelta(minutes=2), now)
            if number == 1:
                line = f"{timestamp(sent)}\t{session.session_id}\t413\t{session.path}"
                self._append("agnes-sessions-failed.txt", line)
            elif number == 2:
                self._append("agnes-sessions-private.txt", session.session_id)
                line = f"{timestamp(sent)}\t{session.session_id}\t{session.path}"
                self._append("agnes-sessions-private-skipped.txt", line)
            else:
                line = f"{session.session_id}\t{session.size}\t{_seconds(sent)}"
                self._append("agnes-sessions-uploaded.txt", line)

    def _parquets(self, runs: list[datetime]) -> None:
        """A file for each table that only has its age: the sizes are in the state."""
        for number, name in enumerate(_TABLES):
            path = self._folder / "server" / "parquet" / f"{name}.parquet"
            path.write_bytes(b"")
            changed = runs[-1 - number * number % len(runs)].timestamp()
            os.utime(path, (changed, changed))

    def _state(self, last_sync: datetime) -> None:
        tables = {}
        for name, (rows, parts) in _TABLES.items():
            digest = f"{self._random.getrandbits(128):032x}"
            entry: dict[str, Any] = {"hash": digest, "rows": rows, "size_bytes": rows * _BYTES_PER_ROW}
            if parts > 1:
                entry["parts"] = {f"part-{part}.parquet": f"{digest[:30]}{part:02}" for part in range(parts)}
            tables[name] = entry
        state = {"tables": tables, "last_sync": last_sync.isoformat()}
        path = self._folder / ".claude" / "agnes" / "sync_state.json"
        # Replaced in one go, as the command does: a reader never sees half of it.
        fresh = path.with_suffix(".json.tmp")
        fresh.write_text(json.dumps(state, indent=2))
        fresh.replace(path)

    def _snapshots(self, now: datetime) -> None:
        wanted = (
            ("events_6m", "events", ["country", "amount", "month"], "month >= '2026-05'", 812_400, 2),
            ("tickets_open", "tickets", None, "closed_at is null", 1_904, 11),
            ("clicks_campaign", "clicks", ["campaign_id", "at"], None, 3_120_088, 26),
        )
        for name, table, select, where, rows, days in wanted:
            meta = {
                "name": name,
                "table_id": table,
                "select": select,
                "where": where,
                "limit": None,
                "order_by": None,
                "fetched_at": (now - timedelta(days=days, minutes=37)).isoformat(),
                "rows": rows,
                "bytes_local": rows * 21,
                "estimated_scan_bytes_at_fetch": rows * 940,
                "result_hash_md5": f"{self._random.getrandbits(128):032x}",
            }
            path = self._folder / "user" / "snapshots" / f"{name}.meta.json"
            path.write_text(json.dumps(meta, indent=2))

    def _append(self, name: str, line: str) -> None:
        with (self._folder / ".claude" / name).open("ab", buffering=0) as file:
            file.write(line.encode() + b"\n")


def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
