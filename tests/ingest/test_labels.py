"""What the rows of a file say of its session: the latest label of each kind, by time, wherever it stands."""

from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.formats.times import SessionLabels


def said(sessions: SessionLabels) -> dict[str, str]:
    batch = Batch()
    sessions.write(batch, "file.jsonl", {})
    return {row["kind"]: row["value"] for row in batch.of("session_lasts")}


def test_a_row_that_is_written_late_is_no_later_row() -> None:
    sessions = SessionLabels()
    sessions.row("s", 200, 0, "main", "2.1", "b")
    sessions.row("s", 100, 1, "old", "2.0", "a")
    assert said(sessions) == {"git_branch": "main", "version": "2.1", "leaf": "b"}


def test_of_rows_of_one_time_the_last_counts() -> None:
    sessions = SessionLabels()
    sessions.row("s", 100, 0, "main", "2.1", "a")
    sessions.row("s", 100, 1, "fix", "2.1", "b")
    assert said(sessions) == {"git_branch": "fix", "version": "2.1", "leaf": "b"}


def test_what_a_row_does_not_say_stays() -> None:
    sessions = SessionLabels()
    sessions.row("s", 100, 0, "main", "2.1", "a")
    sessions.row("s", 200, 1, "", None, "b")
    sessions.row("s", 150, 2, "fix", "2.2", "c")
    assert said(sessions) == {"git_branch": "fix", "version": "2.2", "leaf": "b"}


def test_rows_before_the_first_time_have_that_time() -> None:
    sessions = SessionLabels()
    sessions.row("s", None, 0, "main", "2.1", "a")
    assert sessions.waits
    sessions.begin(100)
    sessions.row("s", 50, 1, "fix", "2.0", "b")
    assert said(sessions) == {"git_branch": "main", "version": "2.1", "leaf": "a"}
