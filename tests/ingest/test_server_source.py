"""What the Agnes server logged becomes facts, once; each account, and each endpoint, by itself."""

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from agnes_stats.ingest import server_source
from agnes_stats.ingest.agnes.account import Token
from agnes_stats.ingest.agnes.server import AgnesClient
from agnes_stats.ingest.server_source import AgnesServerError, ServerAccess, ServerPoller, ask_once, server_for
from agnes_stats.queries import access, servers, sync
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.servers import ServerHealth
from agnes_stats.queries.store import Store

from tests.ingest import agnes_http
from tests.ingest.agnes_http import SECRET, Answer, Handler, Request, Server, client, entry, pages_of, says
from tests.storing import store_in


@pytest.fixture
def serve() -> Iterator[Callable[[], Server]]:
    with agnes_http.servers() as start:
        yield start


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_in(tmp_path)


@pytest.fixture
def server(serve: Callable[[], Server]) -> Server:
    return serve()


NOBODY = says(200, {"rows": [], "next_cursor": None, "last_pull_at": None})


def answers(server: Server, count: int, **sync_answer: object) -> None:
    """`count` queries, three to a page, and a time of the last pull."""
    server.tell(queries=pages_of([entry(number) for number in range(count)], size=3))
    server.tell(sync=says(200, {"rows": [], "next_cursor": None, **sync_answer}))


def by(server: Server, account: str = "ann@example.com", timeout: float = 20.0) -> ServerAccess:
    return ServerAccess("http://agnes", client(server, timeout=timeout), account)


def known(store: Store) -> list[str]:
    """What the store has of queries, the newest first, without the server's name."""
    with store.read() as connection:
        rows, _ = access.list_accesses(connection, Filter(), limit=500)
    assert {tuple(row.seen_in) for row in rows} <= {("server",)}
    return [row.id.removeprefix("server:http://agnes:") for row in rows]


def health(store: Store) -> ServerHealth:
    with store.read() as connection:
        (found,) = servers.servers(connection)
    return found


def last_pull(store: Store) -> dt.datetime | None:
    with store.read() as connection:
        return servers.last_pull(connection)


def failing(store: Store, asked: ServerAccess) -> str:
    with pytest.raises(AgnesServerError) as caught:
        ask_once(store, asked)
    return str(caught.value)


def test_queries_are_loaded_once_and_only_new_ones_are_asked_for(server: Server, store: Store) -> None:
    answers(server, 4, last_pull_at="2026-06-01T12:00:00")
    assert ask_once(store, by(server)) == 4
    answers(server, 5, last_pull_at="2026-06-02T12:00:00")
    before = len(server.requests)
    ask_once(store, by(server))
    assert len(server.requests) - before == 3
    assert known(store) == [f"id-{number:03}" for number in range(4, -1, -1)]
    assert last_pull(store) == dt.datetime(2026, 6, 2, 12)


def test_a_time_that_the_server_does_not_tell_any_more_is_gone(server: Server, store: Store) -> None:
    answers(server, 1, last_pull_at="2026-06-01T12:00:00")
    ask_once(store, by(server))
    answers(server, 1, last_pull_at=None)
    ask_once(store, by(server))
    assert last_pull(store) is None


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_each_account_is_read_as_a_whole_and_keeps_its_own(server: Server, store: Store) -> None:
    answers(server, 3, last_pull_at="2026-06-01T12:00:00")
    ask_once(store, by(server))
    # What is older than the newest row of the first account is new with the second one.
    server.tell(queries=pages_of([entry(-number, id=f"of-bob-{number}") for number in range(3)], size=3), sync=NOBODY)
    assert ask_once(store, by(server, "bob@example.com")) == 3
    with store.read() as connection:
        found = {row.account: (row.rows, row.last_pull_at is None) for row in servers.servers(connection)}
        rows, _ = access.list_accesses(connection, Filter(user="bob@example.com"), limit=50)
    assert found == {"ann@example.com": (3, False), "bob@example.com": (3, True)}
    assert [row.id.rpartition(":")[2] for row in rows] == ["of-bob-0", "of-bob-1", "of-bob-2"]


def test_two_servers_may_number_their_rows_alike(server: Server, store: Store) -> None:
    answers(server, 2)
    ask_once(store, by(server))
    ask_once(store, ServerAccess("http://other", client(server), "ann@example.com"))
    with store.read() as connection:
        assert access.count_accesses(connection) == 4


def test_rows_of_a_version_that_knew_no_accounts_get_their_names(server: Server, store: Store) -> None:
    with store.write() as connection:
        for number in (1, 7):
            connection.execute(
                "INSERT INTO accesses (id, ts, path, pos, seen_in, action) "
                "VALUES (?, ?, 'http://agnes', 0, 'server', 'query.remote')",
                [f"server:id-00{number}", entry(number)["timestamp"]],
            )
        connection.execute("INSERT INTO workspaces VALUES ('http://agnes', '2026-06-09', 'http://agnes', NULL, NULL)")
    answers(server, 3)
    ask_once(store, by(server))
    assert known(store) == ["id-007", "id-002", "id-001", "id-000"]
    with store.read() as connection:
        mine, _ = access.list_accesses(connection, Filter(user="ann@example.com"), limit=50)
    # The one that the server has forgotten stays, and is nobody's.
    assert len(mine) == 3
    assert last_pull(store) is None


def jwt(**claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("token", "noted", "owner"),
    [
        (jwt(sub="u-1", email="ann@example.com"), None, "ann@example.com"),
        (jwt(sub="u-1"), "old@example.com", "u-1"),
        ("opaque-token-1", "ann@example.com", "ann@example.com"),
        ("opaque-token-1", None, "token 8a7b"),
    ],
)
def test_whose_a_token_is(tmp_path: Path, token: str, noted: str | None, owner: str) -> None:
    folder = tmp_path / ".config" / "agnes"
    folder.mkdir(parents=True)
    (folder / "token.json").write_text(json.dumps({"access_token": token, "email": noted}))
    found = server_for({}, tmp_path)
    assert found is not None
    expected = Token(token).mark() if owner.startswith("token") else owner
    assert found.account == expected
    assert token not in expected


def test_without_a_token_there_is_no_client(tmp_path: Path) -> None:
    assert server_for({}, tmp_path) is None


def test_over_http_only_our_own_config_sends_a_token_elsewhere(tmp_path: Path) -> None:
    command = {"AGNES_SERVER": "http://agnes.example.com", "AGNES_TOKEN": SECRET}
    with pytest.raises(AgnesServerError, match="over http a token goes to this machine only"):
        server_for(command, tmp_path)
    with pytest.raises(AgnesServerError, match="over http"):
        server_for(command, tmp_path, token="another-token")
    assert server_for(command, tmp_path, server="http://agnes.example.com") is not None
    assert server_for(command | {"AGNES_SERVER": "http://localhost:8000"}, tmp_path) is not None
    # The command's own token goes to no other server than the command's.
    assert server_for(command, tmp_path, server="http://elsewhere.example.com") is None


# -- failures ----------------------------------------------------------------------------------------------------------


def hang(handler: Handler, request: Request) -> None:
    request_is_given_up = handler.server.here.stopping
    request_is_given_up.wait(30)


def redirect(handler: Handler, request: Request) -> None:
    handler.say(302, {}, Location="http://elsewhere.example/api/me/stats/queries")


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (says(401, {"detail": "Token revoked"}), "revoked", "revoked"),
        (says(401, {"detail": "Account deactivated"}), "deactivated", "deactivated"),
        (says(404, {"detail": "Not Found"}), "too old", "too old"),
        (says(500, {}), "error", "500"),
        (says(200, b"<html>no"), "answer", "not a JSON object"),
        (redirect, "moved", "elsewhere.example"),
        (hang, "timeout", "no answer within"),
    ],
    ids=["revoked", "deactivated", "too old", "500", "garbage", "redirect", "hang"],
)
def test_a_failure_is_kept_in_words_until_the_server_answers_and_loses_nothing(
    server: Server, store: Store, answer: Answer, kind: str, told: str
) -> None:
    answers(server, 7, last_pull_at="2026-06-01T12:00:00")
    assert ask_once(store, by(server)) == 7
    server.tell(queries=answer, sync=answer)
    for _ in range(2):
        assert told in failing(store, by(server, timeout=1.0 if answer is hang else 20.0))
    found = health(store)
    assert (found.failure, told in (found.reason or ""), found.failing) == (kind, True, ["queries", "sync"])
    assert SECRET not in (found.reason or "")
    assert found.answered_at is not None and found.asked_at is not None and found.asked_at > found.answered_at
    assert len(known(store)) == 7
    assert last_pull(store) == dt.datetime(2026, 6, 1, 12)
    assert {request.path for request in server.requests} <= {
        f"/api/me/stats/{name}" for name in ("queries", "sessions", "sync")
    }
    answers(server, 8, last_pull_at="2026-06-03T12:00:00")
    assert ask_once(store, by(server)) == 1
    found = health(store)
    assert (found.failure, found.reason, found.failing) == (None, None, [])


def test_an_endpoint_that_fails_takes_nothing_from_the_others(server: Server, store: Store) -> None:
    answers(server, 3, last_pull_at="2026-06-01T12:00:00")
    ask_once(store, by(server))
    answers(server, 5, last_pull_at="2026-06-02T12:00:00")
    server.tell(sync=says(500, {}))
    assert "500" in failing(store, by(server))
    assert len(known(store)) == 5
    assert (health(store).failing, health(store).failure) == (["sync"], "error")
    assert last_pull(store) == dt.datetime(2026, 6, 1, 12)
    answers(server, 7, last_pull_at="2026-06-03T12:00:00")
    server.tell(queries=says(503, {}))
    assert "503" in failing(store, by(server))
    assert (len(known(store)), health(store).failing) == (5, ["queries"])
    assert last_pull(store) == dt.datetime(2026, 6, 3, 12)


def test_rows_that_cannot_be_used_are_one_reject_however_often_they_come(server: Server, store: Store) -> None:
    server.tell(queries=says(200, {"rows": [{"id": "x"}, {"id": "y"}, entry(1)], "next_cursor": None}), sync=NOBODY)
    for _ in range(3):
        ask_once(store, by(server))
    with store.read() as connection:
        assert len(sync.rejects(connection)) == 1
        assert access.count_accesses(connection) == 1


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_a_history_that_is_too_long_is_read_bit_by_bit_and_says_so(
    server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_source, "MAX_PAGES", 2)
    answers(server, 14)
    assert ask_once(store, by(server)) == 6
    assert "older queries" in (health(store).reason or "")
    # What comes meanwhile is read first, and the rest is not forgotten.
    answers(server, 16)
    assert ask_once(store, by(server)) == 8
    answers(server, 24)
    assert ask_once(store, by(server)) == 6
    for _ in range(3):
        assert "older queries" in (health(store).reason or "")
        ask_once(store, by(server))
    assert known(store) == [f"id-{number:03}" for number in range(23, -1, -1)]
    assert (health(store).reason, health(store).failure) == (None, None)


def test_pages_that_never_end_are_given_up(server: Server, store: Store) -> None:
    def endless(handler: Handler, request: Request) -> None:
        number = len(server.requests)
        row = entry(1, id=f"i{number}")
        handler.say(200, {"rows": [row], "next_cursor": {"timestamp": row["timestamp"], "id": str(number)}})

    server.tell(queries=endless, sync=NOBODY)
    for _ in range(2):
        before = len(server.requests)
        ask_once(store, by(server))
        assert len(server.requests) - before <= 2 * server_source.MAX_PAGES + 1
    assert "older queries" in (health(store).reason or "")
    circle = [{"rows": [entry(1)], "next_cursor": {"timestamp": "2026-06-01", "id": name}} for name in "ab"]
    server.tell(queries=lambda handler, request: handler.say(200, circle[len(server.requests) % 2]))
    assert "do not end" in failing(store, by(server, "bob@example.com"))


def test_nothing_is_asked_for_longer_than_the_time_there_is(
    server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_source, "MAX_SECONDS", 0.3)
    server.tell(queries=hang, sync=hang)
    assert "no answer within" in failing(store, by(server, timeout=10.0))
    assert health(store).failing == ["queries", "sessions", "sync"]


@pytest.mark.parametrize("ahead", [dt.timedelta(hours=20), dt.timedelta(days=2), None])
def test_a_time_in_the_future_is_kept_and_hides_no_later_row(
    server: Server, store: Store, ahead: dt.timedelta | None
) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    far = dt.datetime(9999, 12, 30) if ahead is None else now + ahead
    rows = [entry(1), entry(2, id="far", timestamp=far.isoformat())]
    synced = says(200, {"rows": [], "next_cursor": None, "last_pull_at": far.isoformat()})
    server.tell(queries=pages_of(rows, size=9), sync=synced)
    ask_once(store, by(server))
    rows += [entry(3), entry(4)]
    ask_once(store, by(server))
    # A clock may be a little ahead: then what was told with it is the newest for so long.
    is_believed = ahead is not None and ahead < dt.timedelta(days=1)
    assert known(store) == (["far", "id-001"] if is_believed else ["far", "id-004", "id-003", "id-001"])
    assert (last_pull(store) is not None) == is_believed


# -- while a dashboard is open -----------------------------------------------------------------------------------------


def test_the_poller_tells_and_stops_at_once(server: Server, store: Store) -> None:
    answers(server, 3)
    told: SimpleQueue[tuple[int, str | None]] = SimpleQueue()
    poller = ServerPoller(store, by(server), lambda *news: told.put(news))
    poller.start()
    assert told.get(timeout=20) == (3, None)
    poller.stop()


def test_stopping_gives_up_what_is_under_way_and_notes_no_failure(server: Server, store: Store) -> None:
    server.tell(queries=hang, sync=hang)
    poller = ServerPoller(store, by(server), lambda *_: None)
    poller.start()
    assert server.asked.wait(20)
    poller.stop()
    with store.read() as connection:
        assert servers.servers(connection) == []


def test_a_client_with_a_token_of_its_own_reads_no_other(server: Server) -> None:
    assert SECRET not in repr(AgnesClient(server.url, Token(SECRET)))
