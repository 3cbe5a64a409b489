"""What the accesses add up to: every sum is that of the rows, under the same filters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from agnes_stats.queries.access import GROUPS, OUTCOMES, AccessRow, Which, list_accesses
from agnes_stats.queries.access_sums import TABLE_ORDERS, Selection
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store

from tests.queries.accesses import NOW, agnes, at, logged, session, store_with
from tests.storing import held
from tests.transcripts import Transcript

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader

READ = ("Read", {"file_path": "/w/a.sql"})
WROTE = ("Write", {"file_path": "/w/a.sql", "content": "x"})
FETCHED = ("WebFetch", {"url": "https://example.org/a"})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two projects, two days, all groups of actions and all results."""
    joined = "select o.id from orders o join customers c using (id)"
    good = session("s1", "09:00", agnes(joined), READ, WROTE, text="(7 rows)", cwd="/w/shop")
    slow = session("s2", "2026-03-09T10:00", agnes("select id from orders", remote=False), seconds=30, cwd="/w/web")
    mixed = Transcript("s3", at("11:00"), cwd="/w/web").prompt("look")
    mixed.response(("bad", *agnes("select x from orders")), ("no", *READ)).wait(4)
    mixed.result("bad", "no such column", error=True).result("no", "no", error=True, toolDenialKind="user-rejected")
    mixed.response(("in", *agnes("insert into sums select id from customers")), ("web", *FETCHED)).wait(8)
    mixed.result("in").result("web")
    mixed.response(("left", "Bash", {"command": "agnes schema events"}), stop="tool_use")
    server = [logged("a", "12:00", "select 1 from events", resource="table:events", rows=100, duration_ms=2500)]
    with held(store_with(tmp_path_factory.mktemp("sums"), [good, slow, mixed], server=server)) as store:
        yield store


@pytest.fixture
def connection(store: Store) -> Iterator[Reader]:
    with store.read() as opened:
        yield opened


def rows_of(connection: Reader, chosen: Filter, which: Which) -> list[AccessRow]:
    return list_accesses(connection, chosen, which=which, limit=1000, now=NOW)[0]


CHOICES = [
    (Filter(), Which()),
    (Filter(since=dt.date(2026, 3, 10)), Which()),
    (Filter(zone="Asia/Tokyo", until=dt.date(2026, 3, 9)), Which()),
    (Filter(project="web"), Which()),
    (Filter(session_id="s3"), Which(outcome="failed")),
    (Filter(text="orders"), Which()),
    (Filter(text="no such thing"), Which()),
    (Filter(), Which(table="orders")),
    (Filter(), Which(place="remote", action="query.remote")),
    *((Filter(), Which(group=group)) for group in GROUPS),
    *((Filter(), Which(outcome=outcome)) for outcome in OUTCOMES),
]


@pytest.mark.parametrize(("chosen", "which"), CHOICES)
def test_every_sum_is_the_sum_of_the_rows(connection: Reader, chosen: Filter, which: Which) -> None:
    rows = rows_of(connection, chosen, which)
    selected = Selection(connection, chosen, which, now=NOW)
    sums = selected.sums()
    assert selected.page().rows == rows
    assert (sums.accesses, sums.reads + sums.writes) == (len(rows), len(rows))
    assert sums.rows_returned == (sum(row.rows_returned or 0 for row in rows) or None)
    assert sums.tables == len({name for row in rows for name in (*row.tables_read, *row.tables_written)})
    for outcome, told in (
        ("failed", sums.failed),
        ("denied", sums.denied),
        ("running", sums.running),
        ("interrupted", sums.interrupted),
    ):
        assert told == sum(row.outcome == outcome for row in rows)
    files = [row for row in rows if row.action in ("file.read", "file.write")]
    assert sum(file.reads + file.writes for file in selected.files()) == len(files)
    for action, told in (("file.read", sums.files_read), ("file.write", sums.files_written)):
        assert told == len({row.resource for row in files if row.action == action})
    assert sums.web == sum(row.action.startswith("web.") for row in rows)
    assert (sums.local, sums.remote) == tuple(sum(row.place == name for row in rows) for name in ("local", "remote"))
    assert sum(part.reads for part in selected.by_day()) == sums.reads
    for parts in (selected.by_day(), selected.places(), selected.actions()):
        assert sum(part.accesses for part in parts) == sums.accesses
        assert sum(part.failed for part in parts) == sums.failed


def test_the_sums_of_everything(connection: Reader) -> None:
    sums = Selection(connection, Filter(), Which(), now=NOW).sums()
    assert (sums.accesses, sums.reads, sums.writes, sums.queries) == (10, 8, 2, 5)
    assert (sums.local, sums.remote, sums.tables) == (4, 4, 4)
    assert (sums.failed, sums.denied, sums.interrupted, sums.finished) == (1, 1, 1, 9)
    assert sums.error_rate == 1 / 9
    assert sums.rows_returned == 107


def test_days_are_those_of_the_zone(connection: Reader) -> None:
    def days(zone: str) -> list[tuple[str, str, int, int]]:
        found = Selection(connection, Filter(zone=zone), Which(group="queries"), now=NOW).by_day()
        return [(f"{row.day:%m-%d}", row.action_group, row.accesses, row.failed) for row in found]

    assert days("UTC") == [("03-09", "query", 1, 0), ("03-10", "query", 4, 1)]
    assert days("Pacific/Kiritimati") == [("03-10", "query", 2, 0), ("03-11", "query", 3, 1)]


def test_tables_tell_who_reads_who_writes_and_what_fails(connection: Reader) -> None:
    found = {row.name: row for row in Selection(connection, Filter(), Which(), now=NOW).tables()}
    assert list(found) == ["orders", "customers", "events", "sums"]
    assert {name: (row.reads, row.writes, row.failed, row.rows_returned) for name, row in found.items()} == {
        "orders": (3, 0, 1, 7),
        "customers": (2, 0, 0, 7),
        "events": (2, 0, 0, 100),
        "sums": (0, 1, 0, None),
    }
    assert found["orders"].last_read_at == at("11:00") and found["sums"].last_read_at is None


def test_files_tell_how_often_they_were_read_and_written_and_lead_to_their_accesses(connection: Reader) -> None:
    found = {row.name: row for row in Selection(connection, Filter(), Which(), now=NOW).files()}
    assert {name: (row.reads, row.writes, row.denied, row.sessions) for name, row in found.items()} == {
        "/w/a.sql": (2, 1, 1, 2)
    }
    rows = rows_of(connection, Filter(), Which(file="/w/a.sql"))
    assert sorted(row.action for row in rows) == ["file.read", "file.read", "file.write"]
    assert rows_of(connection, Filter(), Which(file="/w/b.sql")) == []


@pytest.mark.parametrize("folders", [("/w/shop", "/w/web"), ("/w/web", "/w/shop")])
def test_of_two_projects_that_touched_a_file_at_once_the_same_is_named_however_they_were_read(
    tmp_path: Path, folders: tuple[str, str]
) -> None:
    told = [session(f"s{number}", "09:00", READ, cwd=folder) for number, folder in enumerate(folders)]
    with store_with(tmp_path, told).read() as connection:
        (file,) = Selection(connection, Filter(), Which(), now=NOW).files()
        assert (file.project, file.sessions) == ("/w/web", 2)


@pytest.mark.parametrize("order", TABLE_ORDERS)
@pytest.mark.parametrize("descending", [True, False])
def test_tables_come_in_the_order_asked_for(connection: Reader, order: str, descending: bool) -> None:
    found = Selection(connection, Filter(), Which(), now=NOW).tables(order=order, descending=descending)
    values: list[Any] = [getattr(row, order) for row in found if getattr(row, order) is not None]
    assert values == sorted(values, reverse=descending) and len(found) == 4


def test_an_unknown_order_is_refused(connection: Reader) -> None:
    with pytest.raises(KeyError):
        Selection(connection, Filter(), Which(), now=NOW).tables(order="name; drop table accesses")


def test_places_and_actions_tell_times_of_what_ran(connection: Reader) -> None:
    selected = Selection(connection, Filter(), Which(), now=NOW)
    places = {row.place: row for row in selected.places()}
    assert {name: row.accesses for name, row in places.items()} == {"local": 4, "remote": 4, "web": 1, "catalog": 1}
    assert (places["local"].failed, places["local"].denied, places["remote"].error_rate) == (0, 1, 0.25)
    assert places["remote"].bytes_scanned == 5000
    remote = next(row for row in selected.actions() if row.action == "query.remote")
    assert (remote.accesses, remote.failed, remote.p50_ms) == (4, 1, 3250)


def test_the_slowest_queries_come_first(connection: Reader) -> None:
    selected = Selection(connection, Filter(), Which(), now=NOW)
    assert [row.duration_ms for row in selected.slowest()] == [30_000, 8_000, 4_000, 2_500, 2_000]
    assert [row.id for row in selected.slowest(limit=1)] == ["s2-no0:0"]
    assert Selection(connection, Filter(), Which(group="files"), now=NOW).slowest() == []


def test_pages_know_how_much_is_before_them(connection: Reader) -> None:
    selected = Selection(connection, Filter(), Which(), now=NOW)
    first = selected.page(limit=4)
    second = selected.page(first.older, limit=4)
    third = selected.page(second.older, limit=4)
    assert (first.before, second.before, third.before, third.older) == (0, 4, 8, None)
    assert [*first.rows, *second.rows, *third.rows] == rows_of(connection, Filter(), Which())


def test_nothing_is_no_error(tmp_path: Path) -> None:
    with Store(tmp_path / "store.duckdb").read() as empty:
        selected = Selection(empty, Filter(), Which(), now=NOW)
        assert (selected.sums().accesses, selected.sums().rows_returned, selected.sums().error_rate) == (0, None, None)
        assert (selected.page().rows, selected.by_day(), selected.tables(), selected.slowest()) == ([], [], [], [])
