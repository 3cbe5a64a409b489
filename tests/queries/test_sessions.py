"""Which sessions are listed, in which order, and what is said of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.sessions import (
    ORDERS,
    SessionPage,
    list_sessions,
    live_sessions,
    one_session,
)
from agnes_stats.queries.store import Store

from tests.storing import held
from tests.transcripts import HAIKU, OPUS, SONNET, Transcript, catch_up, store_of

NOW = dt.datetime(2026, 3, 10, 14, 0)


def session(name: str, at: str, *, calls: int = 1, title: str = "", **how: str) -> Transcript:
    """A prompt, some tool calls a minute apart, an answer."""
    told = Transcript(name, at, **how).prompt(title or f"do {name}")  # type: ignore[arg-type]
    for number in range(calls):
        told.wait(60).response((f"{name}-c{number}", "Bash", {"command": "ls"}))
        told.wait(1).result(f"{name}-c{number}", error=number == 0 and name == "churn")
    return told.wait(60).response()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with held(
        store_of(
            tmp_path_factory.mktemp("sessions"),
            [
                session("churn", "2026-03-10T13:50:00", calls=3, title="fix the churn query", cwd="/w/warehouse"),
                session("dash", "2026-03-09T11:00:00", calls=8, title="Add the dashboard", cwd="/w/web", model=HAIKU),
                session("uv", "2026-02-01T23:58:30", calls=1, title="migrate to uv", cwd="/w/infra", branch="uv"),
            ],
        )
    ) as store:
        yield store


def ask(store: Store, now: dt.datetime = NOW, **asked: object) -> SessionPage:
    order = {key: asked.pop(key) for key in ("order", "descending", "limit", "offset") if key in asked}
    with store.read() as connection:
        return list_sessions(connection, Filter(**asked), now=now, **order)  # type: ignore[arg-type]


def ids(page: SessionPage) -> list[str]:
    return [row.session_id for row in page.rows]


@pytest.mark.parametrize(
    ("order", "ascending"),
    [
        ("started_at", ["uv", "dash", "churn"]),
        ("ended_at", ["uv", "dash", "churn"]),
        ("title", ["dash", "churn", "uv"]),
        ("project", ["uv", "churn", "dash"]),
        ("primary_model", ["dash", "churn", "uv"]),
        ("active_seconds", ["uv", "churn", "dash"]),
        ("wall_seconds", ["uv", "churn", "dash"]),
        ("user_messages", ["churn", "dash", "uv"]),
        ("tool_calls_total", ["uv", "churn", "dash"]),
        ("tool_errors", ["dash", "uv", "churn"]),
        ("tokens_total", ["uv", "churn", "dash"]),
        ("cost_usd", ["dash", "uv", "churn"]),
    ],
)
def test_sorted_by_any_column(store: Store, order: str, ascending: list[str]) -> None:
    assert ids(ask(store, order=order, descending=False)) == ascending
    values = [getattr(row, order) for row in ask(store, order=order, descending=True).rows]
    told = [value.lower() if isinstance(value, str) else value for value in values]
    assert told == sorted(told, reverse=True)


def test_every_order_is_tried_above(store: Store) -> None:
    assert all(len(ask(store, order=order).rows) == 3 for order in ORDERS)
    with pytest.raises(KeyError):
        ask(store, order="title; DROP TABLE files")


def test_a_page_with_the_sums_of_all(store: Store) -> None:
    page = ask(store, limit=1, offset=1)
    assert ids(page) == ["dash"]
    assert page.totals.sessions == 3
    assert page.totals.tokens_total == sum(row.tokens_total for row in ask(store).rows) == (4 + 9 + 2) * 1310


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CHURN", ["churn"]),
        ("web", ["dash"]),
        ("haiku", ["dash"]),
        ("uv", ["uv"]),
        ("the", ["churn", "dash"]),
        ("100%", []),
        ("_", []),
    ],
)
def test_filtered_by_text(store: Store, text: str, found: list[str]) -> None:
    assert ids(ask(store, text=text)) == found


def test_filtered_by_project_and_model(store: Store) -> None:
    assert ids(ask(store, project="warehouse")) == ids(ask(store, project="/w/warehouse")) == ["churn"]
    assert ids(ask(store, project="house")) == []
    assert ids(ask(store, model=OPUS)) == ["churn", "uv"]
    assert ids(ask(store, model=SONNET)) == []


def test_days_are_those_of_the_zone(store: Store) -> None:
    first = dt.date(2026, 2, 1)
    assert ids(ask(store, until=first)) == ["uv"]
    assert ids(ask(store, until=first, zone="Asia/Tokyo")) == []
    # It went on past midnight, so it has something on the second day, too.
    assert ids(ask(store, since=first + dt.timedelta(days=1), until=first + dt.timedelta(days=1))) == ["uv"]


@pytest.mark.parametrize(("minutes", "live"), [(0, True), (5, True), (5.01, False)])
def test_live_for_five_minutes_after_the_last_row(store: Store, minutes: float, live: bool) -> None:
    ended = dt.datetime(2026, 3, 10, 13, 54, 3)
    page = ask(store, now=ended + dt.timedelta(minutes=minutes))
    assert page.rows[0].ended_at == ended
    assert [row.is_live for row in page.rows] == [live, False, False]


def test_what_runs_does_not_depend_on_days_or_text(store: Store) -> None:
    now = dt.datetime(2026, 3, 10, 13, 55)

    def running(**asked: object) -> list[str]:
        with store.read() as connection:
            return [row.session_id for row in live_sessions(connection, Filter(**asked), now=now)]  # type: ignore[arg-type]

    assert running() == running(until=dt.date(2026, 1, 1)) == running(text="nothing like it") == ["churn"]
    assert running(project="warehouse") == ["churn"]
    assert running(project="web") == []


def test_one_session(store: Store) -> None:
    with store.read() as connection:
        row = one_session(connection, "churn", now=NOW)
        assert row is not None
        assert (row.title, row.tool_calls_total, row.tool_errors) == ("fix the churn query", 3, 1)
        assert one_session(connection, "nobody", now=NOW) is None


class TestMarks:
    @pytest.fixture
    def own(self, tmp_path: Path) -> Iterator[tuple[Store, Path]]:
        made = store_of(tmp_path, [session("a", "2026-03-10T10:00:00"), session("b", "2026-03-09T10:00:00")])
        yield made, tmp_path / "claude"

    def test_the_transcript_is_gone_and_the_facts_stay(self, own: tuple[Store, Path]) -> None:
        store, root = own
        before = {row.session_id: row.tokens_total for row in ask(store).rows}
        next(root.rglob("b.jsonl")).unlink()
        catch_up(store, root)
        assert {row.session_id: row.source_gone for row in ask(store).rows} == {"a": False, "b": True}
        assert {row.session_id: row.tokens_total for row in ask(store).rows} == before

    def test_a_file_that_is_not_read_yet_is_pending(self, own: tuple[Store, Path]) -> None:
        store, _ = own
        with store.write() as connection:
            connection.execute(
                "INSERT INTO files (path, source, root, session_id, is_main, mtime_ns) "
                "VALUES ('/t/3f0f.jsonl', 'claude', '/t', '3f0f', true, 1773136800000000000)"
            )
        row = ask(store).rows[0]
        assert (row.session_id, row.session_file, row.pending) == ("3f0f", "3f0f.jsonl", True)
        assert (row.started_at, row.tokens_total, row.cost_usd) == (dt.datetime(2026, 3, 10, 10), 0, None)
        assert not any(other.pending for other in ask(store).rows[1:])

    def test_a_file_that_cannot_be_read_says_why(self, own: tuple[Store, Path]) -> None:
        store, _ = own
        with store.write() as connection:
            connection.execute("UPDATE files SET error = 'Permission denied' WHERE session_id = 'a'")
        assert [(row.session_id, row.error) for row in ask(store).rows] == [("a", "Permission denied"), ("b", None)]

    def test_private_sessions(self, own: tuple[Store, Path]) -> None:
        store, _ = own
        with store.write() as connection:
            connection.execute("INSERT INTO uploads (session_id, status) VALUES ('b', 'private'), ('a', 'uploaded')")
        assert {row.session_id: row.private for row in ask(store).rows} == {"a": False, "b": True}
