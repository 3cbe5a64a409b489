"""The state of pulls and the tables in a workspace."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from agnes_stats.ingest.agnes.tables import merged, read_stack_state, read_sync_state

from tests.ingest.agnes_files import parquet, put, utc

STATE = {
    "tables": {
        "orders": {"hash": "aa", "rows": 1200, "size_bytes": 88},
        "events": {"rows": 7, "size_bytes": 30, "parts": {"2026/05.parquet": "h1", "2026/06.parquet": "h2"}},
    },
    "last_sync": "2026-06-02T10:00:00.123456+02:00",
    "snapshot_blocked": [],
}


def test_tables_have_the_numbers_of_the_pull_and_the_age_of_their_files(tmp_path: Path) -> None:
    put(tmp_path / ".claude/agnes/sync_state.json", STATE)
    data = tmp_path / "server/parquet"
    parquet(data / "orders.parquet", 88, "2026-06-02T08:00")
    parquet(data / "events/2026/05.parquet", 10, "2026-06-01T08:00")
    parquet(data / "events/2026/06.parquet", 20, "2026-06-02T07:00")
    parquet(data / "events/.staging-x/07.parquet", 99, "2026-06-09T07:00")
    parquet(data / ".staging-events/07.parquet", 99, "2026-06-09T07:00")
    parquet(data / "orders.parquet.verify.tmp", 99, "2026-06-09T07:00")
    state = read_sync_state(tmp_path, tmp_path / "config")
    assert state.problems == ()
    assert state.last_sync == utc("2026-06-02T08:00:00.123456")
    orders, events = state.tables
    assert (
        orders.table_id,
        orders.rows,
        orders.size_bytes,
        orders.parts,
        orders.hash,
        orders.changed_at,
    ) == (("orders", 1200, 88, 1, "aa", utc("2026-06-02T08:00")))
    assert (
        events.table_id,
        events.rows,
        events.size_bytes,
        events.parts,
        events.hash,
        events.changed_at,
    ) == (("events", 7, 30, 2, None, utc("2026-06-02T07:00")))


def test_the_newest_of_a_tables_files_is_its_age(tmp_path: Path) -> None:
    parquet(tmp_path / "server/parquet/a/1.parquet", 1, "2026-06-02T08:00")
    parquet(tmp_path / "server/parquet/a.parquet", 2, "2026-06-01T08:00")
    (table,) = read_sync_state(tmp_path, tmp_path).tables
    assert (table.parts, table.size_bytes, table.changed_at) == (2, 3, utc("2026-06-02T08:00"))


def test_a_table_whose_file_is_gone_has_no_age_and_one_on_disk_alone_is_still_listed(tmp_path: Path) -> None:
    put(tmp_path / ".claude/agnes/sync_state.json", STATE)
    parquet(tmp_path / "server/parquet/found.parquet", 5, "2026-06-02T07:00")
    tables = {table.table_id: table for table in read_sync_state(tmp_path, tmp_path).tables}
    assert (tables["orders"].changed_at, tables["orders"].parts) == (None, None)
    assert (tables["events"].changed_at, tables["events"].parts) == (None, 2)
    assert (tables["found"].rows, tables["found"].size_bytes, tables["found"].parts) == (None, 5, 1)


def test_without_a_state_of_its_own_a_workspace_has_that_of_the_machine(tmp_path: Path) -> None:
    config = tmp_path / "config"
    put(config / "sync_state.json", {"tables": {}, "last_sync": "2026-01-01T00:00:00"})
    assert read_sync_state(tmp_path / "ws", config).last_sync == utc("2026-01-01T00:00")
    put(tmp_path / "ws/.claude/agnes/sync_state.json", STATE)
    assert read_sync_state(tmp_path / "ws", config).last_sync == utc("2026-06-02T08:00:00.123456")
    assert read_sync_state(tmp_path / "other", tmp_path / "nowhere").last_sync is None
    for own in ("{}", "broken"):
        put(tmp_path / "ws/.claude/agnes/sync_state.json", own)
        assert read_sync_state(tmp_path / "ws", config).last_sync is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        ({"tables": []}, "tables is not an object"),
        ({"tables": {"orders": 5}}, "tables.orders is not an object"),
        ({"last_sync": "yesterday"}, "last_sync is not a time"),
    ],
)
def test_a_broken_state_is_a_problem(tmp_path: Path, content: object, reason: str) -> None:
    path = put(tmp_path / ".claude/agnes/sync_state.json", content)
    state = read_sync_state(tmp_path, tmp_path)
    (problem,) = state.problems
    assert problem.path == str(path)
    assert problem.reason.startswith(reason)
    assert (state.last_sync, state.tables) == (None, ())


def test_one_bad_table_costs_only_itself_and_a_bad_number_only_that(tmp_path: Path) -> None:
    tables = {"bad": None, "odd": {"rows": -1, "size_bytes": True, "hash": 7}, "orders": {"rows": 3.0}}
    put(tmp_path / ".claude/agnes/sync_state.json", {"tables": tables})
    state = read_sync_state(tmp_path, tmp_path)
    assert [(table.table_id, table.rows, table.size_bytes, table.hash) for table in state.tables] == [
        ("odd", None, None, None),
        ("orders", 3, None, None),
    ]
    assert [problem.reason for problem in state.problems] == ["tables.bad is not an object"]


def test_a_stack_lists_a_table_once_with_all_its_packages(tmp_path: Path) -> None:
    entry = {"table_id": "t 1", "md5": "bb", "shared_path": "/etc/passwd", "strategy": "symlink"}
    put(
        tmp_path / ".claude/sync_state.json",
        {
            "direct_tables": {"people": {"table_id": "t2", "md5": "cc"}},
            "data_packages": {"sales": {"orders": entry, "again": entry}, "ops": {"orders": entry}, "odd": 3},
            "memory_domains": {"x": {"slug": "x"}},
            "last_sync_unix": 1_780_000_000,
        },
    )
    parquet(tmp_path / ".claude/data/_shared/t_1.parquet", 12, "2026-06-02T08:00")
    state = read_stack_state(tmp_path)
    assert state.last_sync == dt.datetime.fromtimestamp(1_780_000_000, dt.UTC)
    people, orders = state.tables
    assert (people.table_id, people.packages, people.size_bytes) == ("t2", (), None)
    assert (orders.table_id, orders.packages, orders.hash) == ("t 1", ("sales", "ops"), "bb")
    assert (orders.size_bytes, orders.changed_at) == (12, utc("2026-06-02T08:00"))
    assert [problem.reason for problem in state.problems] == ["data_packages.odd is not an object"]


def test_both_ways_of_syncing_are_one_list_of_tables(tmp_path: Path) -> None:
    put(tmp_path / ".claude/agnes/sync_state.json", STATE)
    packages = {"sales": {"o": {"table_id": "orders", "md5": "zz"}, "n": {"table_id": "new", "md5": "yy"}}}
    put(tmp_path / ".claude/sync_state.json", {"data_packages": packages, "last_sync_unix": 1})
    state = merged(read_sync_state(tmp_path, tmp_path), read_stack_state(tmp_path))
    assert state.last_sync == utc("2026-06-02T08:00:00.123456")
    assert [(table.table_id, table.rows, table.hash, table.packages) for table in state.tables] == [
        ("orders", 1200, "aa", ("sales",)),
        ("events", 7, None, ()),
        ("new", None, "yy", ("sales",)),
    ]
