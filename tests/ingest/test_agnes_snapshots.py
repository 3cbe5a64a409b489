"""Snapshots of remote tables."""

from __future__ import annotations

from pathlib import Path

from tests.ingest.agnes_files import put, read_snapshots, utc

META = {
    "name": "churn",
    "table_id": "events",
    "select": ["user_id", "at"],
    "where": "at > '2026-01-01'",
    "limit": 500,
    "order_by": ["at desc"],
    "fetched_at": "2026-06-02T08:00:00+00:00",
    "effective_as_of": "2026-06-02T08:00:00+00:00",
    "rows": 400,
    "bytes_local": 9000,
    "estimated_scan_bytes_at_fetch": 123456,
    "result_hash_md5": "ff",
}


def test_a_snapshot_is_an_access_to_its_table(tmp_path: Path) -> None:
    path = put(tmp_path / "user/snapshots/churn.meta.json", META)
    put(tmp_path / "user/snapshots/churn.parquet", b"x")
    (access,) = read_snapshots(tmp_path).rows
    assert (access.action, access.resource, access.when) == (
        "snapshot.create",
        "table:events",
        utc("2026-06-02T08:00"),
    )
    assert (access.name, access.rows, access.size_bytes, access.scan_bytes) == ("churn", 400, 9000, 123456)
    assert (access.select, access.where, access.order_by, access.limit) == (
        "user_id, at",
        "at > '2026-01-01'",
        "at desc",
        500,
    )
    assert (access.workspace, access.path) == (str(tmp_path), str(path))


def test_a_refreshed_snapshot_is_another_access(tmp_path: Path) -> None:
    path = put(tmp_path / "user/snapshots/churn.meta.json", META)
    ids = [read_snapshots(tmp_path).rows[0].id for _ in range(2)]
    put(path, META | {"fetched_at": "2026-06-03T08:00:00"})
    ids += [row.id for row in read_snapshots(tmp_path).rows]
    assert ids[0] == ids[1] != ids[2]


def test_what_a_snapshot_does_not_say_is_unknown(tmp_path: Path) -> None:
    meta = {"table_id": "t", "fetched_at": "2026-06-02T08:00:00Z", "select": None, "rows": "many",
            "estimated_scan_bytes_at_fetch": 0}  # fmt: skip
    put(tmp_path / "user/snapshots/plain.meta.json", meta)
    (access,) = read_snapshots(tmp_path).rows
    assert (access.name, access.rows, access.scan_bytes, access.select, access.limit) == (
        "plain",
        None,
        None,
        None,
        None,
    )


def test_a_snapshot_without_table_or_time_is_a_problem(tmp_path: Path) -> None:
    put(tmp_path / "user/snapshots/a.meta.json", META | {"table_id": None})
    put(tmp_path / "user/snapshots/b.meta.json", META | {"fetched_at": "soon"})
    put(tmp_path / "user/snapshots/c.meta.json", "{")
    put(tmp_path / "user/snapshots/d.meta.json", META)
    reading = read_snapshots(tmp_path)
    assert [Path(problem.path).name for problem in reading.problems] == [f"{name}.meta.json" for name in "abc"]
    assert len(reading.rows) == 1


def test_text_that_no_store_could_hold_is_made_harmless(tmp_path: Path) -> None:
    put(tmp_path / "user/snapshots/a.meta.json", META | {"where": "\ud800" + "x" * 9000})
    (access,) = read_snapshots(tmp_path).rows
    assert access.where == "?" + "x" * 3999
