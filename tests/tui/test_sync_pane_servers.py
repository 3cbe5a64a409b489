"""The Agnes server on the Sync tab: whose data, when it was asked, and in words what is the matter with it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.store import Store

from tests.storing import store_in
from tests.tui.running import NOW, SIZES, at_sizes, running, screen_text, settle

REVOKED = "https://agnes.example.com: the token was revoked; run `agnes auth login` (401)"


def asked(store: Store, account: str, endpoint: str, **told: Any) -> None:
    row = {
        "server": "https://agnes.example.com",
        "account": account,
        "endpoint": endpoint,
        "asked_at": NOW - dt.timedelta(minutes=2),
        "answered_at": NOW - dt.timedelta(minutes=2),
        **told,
    }
    with store.write() as connection:
        names = ", ".join(row)
        connection.execute(
            f"INSERT INTO server_reads ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values())
        )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = store_in(tmp_path)
    until = NOW + dt.timedelta(days=30)
    asked(store, "ann@example.com", "queries", token_expires_at=until)
    asked(store, "ann@example.com", "sync", token_expires_at=until, last_pull_at=NOW - dt.timedelta(hours=3))
    asked(
        store, "bob\x1b[2J[red]", "queries", failure="revoked", reason=REVOKED, answered_at=NOW - dt.timedelta(hours=5)
    )
    return store


async def test_each_server_and_account_has_a_line(store: Store) -> None:
    async with running(store, SIZES[1], tab="sync") as (_, pilot):
        async for size, text in at_sizes(pilot, (SIZES[1], SIZES[0])):
            lines = text.splitlines()
            (ann,) = (line for line in lines if "as ann@example.com" in line)
            (bob,) = (line for line in lines if "as bob[red]" in line)
            assert "agnes.example.com as ann@example.com" in ann
            assert "0 rows" in ann and "asked 2m ago" in ann
            assert "fails: revoked" in bob
            if size[0] > 100:
                assert "token until Apr 09" in ann
                assert "answered 5h ago" in bob and "the token was revoked" in bob


async def test_the_last_pull_is_the_servers_where_there_is_no_workspace(store: Store) -> None:
    async with running(store, (140, 45), tab="sync") as (app, pilot):
        await settle(pilot)
        assert "3h ago" in screen_text(app)
