"""What became of the sessions of a workspace."""

from __future__ import annotations

from pathlib import Path

from agnes_stats.ingest.agnes.uploads import Upload, read_uploads

from tests.ingest.agnes_files import ledger, put, utc


def uploads(workspace: Path) -> dict[str, Upload]:
    reading = read_uploads(workspace)
    assert len({row.session_id for row in reading.rows}) == len(reading.rows)
    return {row.session_id: row for row in reading.rows}


def test_the_largest_upload_of_a_session_counts(tmp_path: Path) -> None:
    ledger(
        tmp_path,
        "uploaded",
        "s1\t100\t2026-06-01T08:00:00Z",
        "s1\t300\t2026-06-02T08:00:00Z",
        "s1\t200\t2026-06-03T08:00:00Z",
        "s2\t0\t2026-06-01T09:00:00Z",
    )
    found = uploads(tmp_path)
    assert found["s1"] == Upload(str(tmp_path), "s1", "uploaded", utc("2026-06-02T08:00"), 300)
    assert found["s2"].size_bytes == 0


def test_rows_of_older_versions_are_understood(tmp_path: Path) -> None:
    ledger(
        tmp_path,
        "uploaded",
        "2026-05-01T08:00:00Z\t/home/me/.claude/projects/-ws/old.jsonl",
        "2026-05-01T08:00:00Z\tC:\\Users\\me\\win.jsonl",
        "2026-05-01T08:00:00Z\t/p/s1.jsonl",
        "s1\t50\t2026-05-02T08:00:00Z",
    )
    ledger(tmp_path, "failed", "2026-05-01T08:00:00Z\t\tnot_found_expired\t/p/lost.jsonl")
    ledger(tmp_path, "private-skipped", "2026-05-01T08:00:00Z\t\t/p/hidden.jsonl")
    found = uploads(tmp_path)
    assert found["old"].when == utc("2026-05-01T08:00")
    assert (found["old"].size_bytes, found["old"].path) == (None, "/home/me/.claude/projects/-ws/old.jsonl")
    assert found["win"].status == "uploaded"
    assert (found["s1"].size_bytes, found["s1"].when) == (50, utc("2026-05-02T08:00"))
    assert (found["lost"].status, found["lost"].http_status) == ("failed", "not_found_expired")
    assert (found["hidden"].status, found["hidden"].path) == ("private", "/p/hidden.jsonl")


def test_a_refusal_has_its_status_and_what_was_uploaded_before(tmp_path: Path) -> None:
    ledger(
        tmp_path,
        "uploaded",
        "s1\t10\t2026-06-01T08:00:00Z",
        "s2\t10\t2026-06-03T08:00:00Z",
        "s4\t10\t2026-06-01T08:00:00Z",
    )
    ledger(
        tmp_path,
        "failed",
        "2026-06-02T08:00:00Z\ts1\t413\t/p/s1.jsonl",
        "2026-06-02T08:00:00Z\ts2\t400\t/p/s2.jsonl",
        "2026-06-02T08:00:00Z\ts3\t403\t/p/a\tb.jsonl",
        "2026-06-01T08:00:00Z\ts4\t413\t/p/s4.jsonl",
    )
    found = uploads(tmp_path)
    assert found["s1"] == Upload(str(tmp_path), "s1", "failed", utc("2026-06-02T08:00"), 10, "413", "/p/s1.jsonl")
    assert (found["s2"].status, found["s4"].status) == ("uploaded", "failed")
    assert (found["s3"].size_bytes, found["s3"].path) == (None, "/p/a\tb.jsonl")


def test_the_private_list_decides(tmp_path: Path) -> None:
    ledger(tmp_path, "uploaded", "s1\t10\t2026-06-01T08:00:00Z", "s4\t10\t2026-06-03T08:00:00Z")
    ledger(tmp_path, "failed", "2026-06-02T08:00:00Z\ts2\t413\t/p/s2.jsonl")
    ledger(
        tmp_path,
        "private-skipped",
        "2026-06-02T09:00:00Z\ts2\t/p/s2.jsonl",
        "2026-06-02T09:00:00Z\ts3\t/p/s3.jsonl",
        "2026-06-02T09:00:00Z\ts4\t/p/s4.jsonl",
    )
    ledger(tmp_path, "private", "s1", "s2", "s5")
    found = uploads(tmp_path)
    assert {session: row.status for session, row in found.items()} == {
        "s1": "private",
        "s2": "private",
        "s3": "private",
        "s4": "uploaded",
        "s5": "private",
    }
    assert (found["s1"].when, found["s1"].size_bytes) == (None, 10)
    assert (found["s2"].when, found["s2"].path) == (utc("2026-06-02T09:00"), "/p/s2.jsonl")
    assert found["s5"].when is None


def test_rows_in_no_known_form_are_problems(tmp_path: Path) -> None:
    ledger(
        tmp_path,
        "uploaded",
        "s1\t1\t2026-06-01T08:00:00Z",
        "garbage",
        "a b\t5\tx",
        "\t5\tx",
        "x\ty",
        "",
        "s2\t2",
    )
    ledger(tmp_path, "failed", "2026-06-01T08:00:00Z\ts3\t413", "soon\ts3\t413\t/p")
    ledger(tmp_path, "private-skipped", "2026-06-01T08:00:00Z\ts3")
    put(tmp_path / ".claude/agnes-sessions-private.txt", b"s4\r\ns\xff5\na\tb\ns6")
    reading = read_uploads(tmp_path)
    assert {row.session_id: row.when for row in reading.rows} == {
        "s1": utc("2026-06-01T08:00"),
        "s2": None,
        "s4": None,
        "s6": None,
    }
    assert [
        (Path(problem.path).stem.removeprefix("agnes-sessions-"), problem.line) for problem in reading.problems
    ] == [
        *(("uploaded", n) for n in (2, 3, 4, 5)),
        ("private-skipped", 1),
        *(("failed", n) for n in (1, 2)),
        *(("private", n) for n in (2, 3)),
    ]


def test_a_row_that_is_still_being_written_is_no_problem(tmp_path: Path) -> None:
    put(tmp_path / ".claude/agnes-sessions-failed.txt", "2026-06-01T08:00:00Z\ts1\t41")
    assert read_uploads(tmp_path).problems == ()
