"""What is read from an Agnes server."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator

import pytest
from agnes_stats.ingest.agnes.account import Token
from agnes_stats.ingest.agnes.answers import Known
from agnes_stats.ingest.agnes.server import AgnesAnswerError, AgnesClient

from tests.ingest.agnes_http import SECRET, Server, client, entry, pages_of, says, servers


@pytest.fixture
def serve() -> Iterator[Callable[[], Server]]:
    with servers() as start:
        yield start


@pytest.fixture
def server(serve: Callable[[], Server]) -> Server:
    return serve()


def minute(number: int) -> dt.datetime:
    return dt.datetime(2026, 6, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=number)


def test_all_pages_are_read_newest_first(server: Server) -> None:
    server.answer = pages_of([entry(number) for number in range(7)], size=3)
    page = client(server).queries()
    assert [row.id for row in page.rows] == [f"id-{number:03}" for number in range(6, -1, -1)]
    assert (page.next, page.problems) == (None, ())
    assert [request.path for request in server.requests] == ["/api/me/stats/queries"] * 3
    first, second, _ = server.requests
    assert first.query == {"limit": "200"}
    assert second.query == {"limit": "200", "cursor_ts": "2026-06-01T00:04:00", "cursor_id": "id-004"}
    for request in server.requests:
        assert request.headers["Authorization"] == f"Bearer {SECRET}"
        assert request.headers["User-Agent"].startswith("agnes-stats/")


def test_reading_stops_at_the_newest_known_row(server: Server) -> None:
    server.answer = pages_of([entry(number) for number in range(9)], size=3)
    page = client(server).queries(Known(minute(4), "id-004"))
    assert [row.id for row in page.rows] == ["id-008", "id-007", "id-006", "id-005"]
    assert page.next is None
    assert len(server.requests) == 2


def test_rows_of_the_same_time_as_the_known_one_are_read_again(server: Server) -> None:
    same = minute(4).replace(tzinfo=None).isoformat()
    rows = [entry(3), entry(4), entry(4, id="a-late-one"), entry(5, timestamp=same), entry(6)]
    server.answer = pages_of(rows, size=3)
    page = client(server).queries(Known(minute(4), "id-004"))
    assert [row.id for row in page.rows] == ["id-006", "id-005", "a-late-one"]


def test_a_long_history_can_be_read_in_portions(server: Server) -> None:
    server.answer = pages_of([entry(number) for number in range(6)], size=2)
    first = client(server).queries(max_pages=2)
    assert first.next is not None
    rest = client(server).queries(start=first.next)
    assert [row.id[-1] for row in first.rows + rest.rows] == list("543210")
    assert rest.next is None


def test_pages_that_do_not_end_are_an_error(server: Server) -> None:
    endless = {"rows": [entry(1)], "next_cursor": {"timestamp": "2026-06-01T00:01:00", "id": "id-001"}}
    server.answer = says(200, endless)
    with pytest.raises(AgnesAnswerError, match="do not end"):
        client(server).queries()
    assert len(server.requests) == 2


@pytest.mark.parametrize("as_text", [True, False])
def test_parameters_may_be_an_object_or_a_text(server: Server, as_text: bool) -> None:
    params: object = {"sql_preview": "select 1", "rows_returned": 4, "bytes_scanned": 99, "duration_ms": 7}
    params = json.dumps(params) if as_text else params
    rows = [entry(1, params=params, duration_ms=None), entry(2, params=params, duration_ms=0)]
    server.answer = pages_of(rows, size=9)
    newer, older = client(server).queries().rows
    assert (older.sql, older.rows, older.bytes_scanned, older.duration_ms) == ("select 1", 4, 99, 7)
    assert newer.duration_ms == 0


def test_times_are_utc_with_or_without_an_offset(server: Server) -> None:
    server.answer = says(200, {"rows": [entry(1), entry(0, timestamp="2026-06-01T02:00:00+02:00")]})
    newer, older = client(server).queries().rows
    assert (newer.when, older.when) == (minute(1), minute(0))
    assert newer.when.tzinfo is older.when.tzinfo is dt.UTC


def test_a_bad_row_costs_only_itself(server: Server) -> None:
    rows = [
        entry(3),
        entry(2, id=None),
        entry(1, timestamp="soon"),
        "row",
        entry(0, params="{", duration_ms="x"),
    ]
    server.answer = says(200, {"rows": rows, "next_cursor": {"timestamp": "2026-06-01", "id": None}})
    page = client(server).queries()
    assert [row.id for row in page.rows] == ["id-003", "id-000"]
    assert page.rows[1].duration_ms is None
    assert [problem.line for problem in page.problems] == [2, 3, 4]
    assert page.next is None


def test_sync_has_the_last_pull_and_only_the_listed_actions(server: Server) -> None:
    actions = ["manifest.fetch", "sync.config_change", "sync.trigger", "query.local"]
    rows = [entry(number, action=action, client_kind="api") for number, action in enumerate(actions)]
    server.answer = says(200, {"last_pull_at": "2026-06-01T00:09:00", "rows": rows, "next_cursor": None})
    sync = client(server).sync()
    assert sync.last_pull_at == minute(9)
    assert [row.action for row in sync.rows] == ["manifest.fetch", "sync.trigger"]
    assert sync.rows[0].client_kind == "api"
    assert server.requests[0].path == "/api/me/stats/sync"


def test_someone_who_never_synced(server: Server) -> None:
    server.answer = says(200, {"last_pull_at": None, "rows": [], "next_cursor": None})
    sync = client(server).sync()
    assert (sync.last_pull_at, sync.rows, sync.problems) == (None, (), ())


def test_a_server_below_a_path_is_asked_there(server: Server) -> None:
    server.answer = says(200, {})
    AgnesClient(f"{server.url}/agnes/", Token(SECRET), proxies={}).sync()
    assert server.requests[0].path == "/agnes/api/me/stats/sync"
