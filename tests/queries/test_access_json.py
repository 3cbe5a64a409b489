"""`agnes-stats queries --json`: the shape of the Agnes endpoint, with more parameters."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.cursor import Cursor
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui.commands.queries import queries_answer

from tests.queries.accesses import NOW, agnes, at, logged, session, store_with
from tests.storing import held
from tests.transcripts import Transcript

READ = ("Read", {"file_path": "/w/a.sql"})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    told = session("s1", "10:00", agnes("select id from orders"), READ, agnes("select 2 from t", remote=False))
    bad = Transcript("s2", at("11:00")).response(("bad", *agnes("select x from orders"))).wait(1)
    bad.result("bad", "Error: no such column", error=True)
    server = [logged("a", "10:00:01", "select id from orders"), logged("b", "12:00", "select 3", result="error.403")]
    with held(store_with(tmp_path_factory.mktemp("json"), [told, bad], server=server)) as store:
        yield store


def answer(store: Store, *, limit: int = 50, cursor: Cursor | None = None, **how: Any) -> dict[str, Any]:
    with store.read() as connection:
        told = queries_answer(connection, how.pop("chosen", Filter()), limit=limit, cursor=cursor, now=NOW, **how)
    loaded: dict[str, Any] = json.loads(json.dumps(told))
    return loaded


def test_a_row_has_the_servers_names(store: Store) -> None:
    told = answer(store)
    assert list(told) == ["limit", "rows", "next_cursor", "left_out"] and told["limit"] == 50
    row = next(row for row in told["rows"] if row["id"] == "s1-no0:0")
    assert row == {
        "id": "s1-no0:0",
        "timestamp": "2026-03-10T10:00:00+00:00",
        "action": "query.remote",
        "resource": "table:orders",
        "result": "success",
        "duration_ms": 740,
        "client_kind": "cli",
        "agent": "claude-code",
        "machine": None,
        "username": None,
        "params": {
            "sql_preview": "select id from orders",
            "rows_returned": 12,
            "bytes_scanned": 5000,
            "bytes_returned": 2,
            "error": None,
            "duration_ms": 740,
            "command": 'agnes query --remote --sql "select id from orders"',
            "tables_read": ["orders"],
            "tables_written": [],
            "statement": "select",
            "dialect": "duckdb",
            "session_id": "s1",
            "project": "/home/dana/work/warehouse",
            "seen_in": ["transcript", "server"],
            "note": None,
        },
    }


def test_only_queries_unless_all_are_asked_for(store: Store) -> None:
    assert [row["id"] for row in answer(store)["rows"]] == ["server:http://agnes:b", "bad:0", "s1-no2:0", "s1-no0:0"]
    everything = answer(store, everything=True)["rows"]
    assert [row["action"] for row in everything] == [
        "query.remote",
        "query.remote",
        "query.local",
        "file.read",
        "query.remote",
    ]


def test_results_of_the_server_and_of_transcripts(store: Store) -> None:
    results = {row["id"]: row["result"] for row in answer(store)["rows"]}
    assert results == {
        "server:http://agnes:b": "error.403",
        "bad:0": "error",
        "s1-no2:0": "success",
        "s1-no0:0": "success",
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_the_cursor_leads_through_all_rows(store: Store, limit: int) -> None:
    found: list[str] = []
    cursor = None
    for _ in range(10):
        told = answer(store, limit=limit, cursor=cursor)
        found += [row["id"] for row in told["rows"]]
        if told["next_cursor"] is None:
            break
        last = told["rows"][-1]
        assert told["next_cursor"] == {"timestamp": last["timestamp"], "id": last["id"]}
        moment = dt.datetime.fromisoformat(told["next_cursor"]["timestamp"])
        cursor = Cursor(moment.astimezone(dt.UTC).replace(tzinfo=None), told["next_cursor"]["id"])
    assert found == ["server:http://agnes:b", "bad:0", "s1-no2:0", "s1-no0:0"]


def test_the_limit_counts_after_the_filter(store: Store) -> None:
    assert [row["id"] for row in answer(store, limit=1, chosen=Filter(session_id="s1"))["rows"]] == ["s1-no2:0"]


def test_an_access_without_a_time_has_a_cursor_like_any_other(tmp_path: Path) -> None:
    lost = Transcript("s1", at("10:00")).response(("x1", *agnes("select 1")), ("x2", *agnes("select 2")))
    for row in lost.rows:
        del row["timestamp"]
    store = store_with(tmp_path, [lost])
    first = answer(store, limit=1)
    assert first["rows"][0]["timestamp"] is None
    assert first["next_cursor"] == {"timestamp": "0001-01-01T00:00:00+00:00", "id": "x2:0"}
    second = answer(store, limit=1, cursor=Cursor(dt.datetime(1, 1, 1), "x2:0"))
    assert [row["id"] for row in second["rows"]] == ["x1:0"]
