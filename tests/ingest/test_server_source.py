"""What the Agnes server logged becomes facts, once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from agnes_stats.ingest.agnes.server import AgnesClient
from agnes_stats.ingest.server_source import AgnesServerError, ServerAccess, ServerPoller, ask_once, poll, server_for
from agnes_stats.queries import access, sync
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store

from tests.ingest.agnes_http import SECRET, Handler, Request, Server, client, entry, pages_of, says, servers
from tests.storing import store_in


@pytest.fixture
def serve() -> Iterator[Callable[[], Server]]:
    with servers() as start:
        yield start


def answers(server: Server, count: int, **sync_answer: object) -> None:
    pages = pages_of([entry(number) for number in range(count)], size=3)
    synced = says(200, {"rows": [], "next_cursor": None, **sync_answer})
    server.answer = lambda handler, request: (synced if request.path.endswith("/sync") else pages)(handler, request)


def fetched(store: Store, found: AgnesClient, tmp_path: Path) -> int:
    return poll(store, found, "http://agnes", tmp_path)


def test_queries_are_loaded_once_and_only_new_ones_are_asked_for(serve: Callable[[], Server], tmp_path: Path) -> None:
    server, store = serve(), store_in(tmp_path)
    answers(server, 4, last_pull_at="2026-06-01T12:00:00")
    assert fetched(store, client(server), tmp_path) == 4
    answers(server, 5, last_pull_at="2026-06-02T12:00:00")
    before = len(server.requests)
    fetched(store, client(server), tmp_path)
    assert len(server.requests) - before == 2
    with store.read() as connection:
        rows, _ = access.list_accesses(connection, Filter(), limit=50)
        assert sync.last_pull(connection).isoformat() == "2026-06-02T12:00:00"
    assert [row.id for row in rows] == [f"server:id-{number:03}" for number in range(4, -1, -1)]
    assert {tuple(row.seen_in) for row in rows} == {("server",)}


def test_a_refusal_loses_nothing(serve: Callable[[], Server], tmp_path: Path) -> None:
    server, store = serve(), store_in(tmp_path)
    answers(server, 2)
    fetched(store, client(server), tmp_path)
    server.answer = says(401, {"detail": "no"})
    with pytest.raises(AgnesServerError, match="401"):
        fetched(store, client(server), tmp_path)
    with store.read() as connection:
        assert access.count_accesses(connection) == 2


def test_without_a_token_there_is_no_client(tmp_path: Path) -> None:
    assert server_for({}, tmp_path) is None


def test_what_the_server_says_instead_is_shown_until_it_answers(serve: Callable[[], Server], tmp_path: Path) -> None:
    server, store = serve(), store_in(tmp_path)
    asked = ServerAccess("http://agnes", client(server))
    server.answer = says(500, {})
    with pytest.raises(AgnesServerError):
        ask_once(store, asked)
    with store.read() as connection:
        (reject,) = sync.rejects(connection)
    assert (reject.path, "500" in reject.reason) == ("http://agnes", True)
    answers(server, 1)
    assert ask_once(store, asked) == 1
    with store.read() as connection:
        assert sync.rejects(connection) == []


def hang(handler: Handler, request: Request) -> None:
    request_is_given_up = handler.server.here.stopping
    request_is_given_up.wait(30)


def redirect(handler: Handler, request: Request) -> None:
    handler.say(302, {}, Location="http://elsewhere.example/api/me/stats/queries")


def broken_row(handler: Handler, request: Request) -> None:
    rows = [] if request.path.endswith("/sync") else [{"id": "x"}, {"id": "y"}, entry(1)]
    handler.say(200, {"rows": rows, "next_cursor": None})


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (says(401, {"detail": "expired"}), "401"),
        (says(500, {}), "500"),
        (says(200, b"<html>no"), "not a JSON object"),
        (redirect, "elsewhere.example"),
        (hang, "no answer within"),
    ],
    ids=["401", "500", "garbage", "redirect", "hang"],
)
def test_the_same_failure_is_kept_once_however_often_the_server_is_asked(
    serve: Callable[[], Server], tmp_path: Path, answer: Callable[[Handler, Request], None], told: str
) -> None:
    server, store = serve(), store_in(tmp_path)
    answers(server, 7, last_pull_at="2026-06-01T12:00:00")
    assert ask_once(store, ServerAccess("http://agnes", client(server))) == 7
    server.answer = answer
    for _ in range(3):
        with pytest.raises(AgnesServerError, match=told):
            ask_once(store, ServerAccess("http://agnes", client(server, timeout=0.1 if answer is hang else 20.0)))
    with store.read() as connection:
        (reject,) = sync.rejects(connection)
        assert connection.execute("SELECT count(*) FROM rejects").fetchone() == (1,)
        assert access.count_accesses(connection) == 7
        assert sync.last_pull(connection) is not None
    assert told in reject.reason and SECRET not in reject.reason
    assert {request.path for request in server.requests} <= {"/api/me/stats/queries", "/api/me/stats/sync"}


def test_rows_that_cannot_be_used_are_one_reject_however_often_they_come(
    serve: Callable[[], Server], tmp_path: Path
) -> None:
    server, store = serve(), store_in(tmp_path)
    server.answer = broken_row
    for _ in range(3):
        ask_once(store, ServerAccess("http://agnes", client(server)))
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM rejects").fetchone() == (1,)
        assert access.count_accesses(connection) == 1


def test_the_poller_tells_and_stops_at_once(serve: Callable[[], Server], tmp_path: Path) -> None:
    server, store = serve(), store_in(tmp_path)
    answers(server, 3)
    told: SimpleQueue[tuple[int, str | None]] = SimpleQueue()
    poller = ServerPoller(store, ServerAccess("http://agnes", client(server)), lambda *news: told.put(news))
    poller.start()
    assert told.get(timeout=20) == (3, None)
    poller.stop()
