"""Which accesses are listed, what is said of each, and that pages and filters neither lose nor repeat any."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.access import OUTCOMES, AccessRow, Which, list_accesses
from agnes_stats.queries.cursor import UNTIMED, Cursor
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store

from tests.queries.accesses import NOW, agnes, at, logged, session, store_with
from tests.storing import held
from tests.transcripts import SONNET, Transcript

READ = ("Read", {"file_path": "/w/models/churn.sql"})


def listed(store: Store, chosen: Filter | None = None, *, limit: int = 100, **how: Any) -> list[AccessRow]:
    with store.read() as connection:
        rows, _ = list_accesses(connection, chosen or Filter(), limit=limit, **{"now": NOW, **how})
        return rows


def pages(store: Store, limit: int, **how: Any) -> list[list[AccessRow]]:
    """All pages, one after the other."""
    found: list[list[AccessRow]] = []
    cursor: Cursor | None = None
    with store.read() as connection:
        for _ in range(50):
            rows, cursor = list_accesses(connection, Filter(), limit=limit, cursor=cursor, now=NOW, **how)
            found.append(rows)
            if cursor is None:
                return found
    raise AssertionError("the pages have no end")


def test_a_query_is_told_with_all_that_its_transcript_knows(tmp_path: Path) -> None:
    told = session("s1", "10:00", agnes("select o.id from orders o join customers c using (id)"), text="id\n(12 rows)")
    (row,) = listed(store_with(tmp_path, [told]))
    assert (row.id, row.timestamp, row.action, row.resource) == (
        "s1-no0:0",
        at("10:00"),
        "query.remote",
        "table:orders, customers",
    )
    assert (row.result, row.duration_ms, row.rows_returned, row.error) == ("success", 2000, 12, None)
    assert (row.sql, row.statement, row.dialect) == (
        "select o.id from orders o join customers c using (id)",
        "select",
        "duckdb",
    )
    assert (row.tables_read, row.tables_written, row.seen_in) == (["orders", "customers"], [], ["transcript"])
    assert (row.session_id, row.title, row.project) == ("s1", "do s1", "/home/dana/work/warehouse")
    assert row.bytes_returned == len("id\\n(12 rows)") and row.bytes_scanned is None


# -- results


def test_results_tell_what_worked_what_failed_and_what_was_refused(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).prompt("look")
    told.response(("ok", *READ), ("bad", *READ), ("no", *READ)).wait(1)
    told.result("ok").result("bad", "Error: no such file", error=True)
    told.result("no", "no", error=True, toolDenialKind="user-rejected")
    rows = {row.id: row for row in listed(store_with(tmp_path, [told]))}
    assert {key: row.result for key, row in rows.items()} == {"ok:0": "success", "bad:0": "error", "no:0": "denied"}
    assert {key: row.outcome for key, row in rows.items()} == {"ok:0": "success", "bad:0": "failed", "no:0": "denied"}
    assert rows["bad:0"].error == "Error: no such file"


def test_a_call_without_a_result_runs_as_long_as_its_session(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).prompt("look").response(("c", *READ), stop="tool_use")
    store = store_with(tmp_path, [told])
    for minutes, result in {0: "running", 5: "running", 5.1: "interrupted", 600: "interrupted"}.items():
        (row,) = listed(store, now=at("10:00") + dt.timedelta(minutes=minutes))
        assert (row.result, row.outcome, row.duration_ms) == (result, result, None)


def test_a_call_that_the_session_left_behind_does_not_run(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).prompt("look").response(("c", *READ)).wait(20)
    told.prompt("never mind").wait(5).response()
    (row,) = listed(store_with(tmp_path, [told]), now=at("10:01"))
    assert row.result == "interrupted"


def test_a_result_that_comes_later_changes_the_row(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).prompt("look").response(("c", *READ))
    store = store_with(tmp_path, [told])
    assert [row.result for row in listed(store, now=at("10:01"))] == ["running"]
    told.wait(30).result("c", "gone", error=True)
    assert [row.result for row in listed(store_with(tmp_path, [told]), now=at("10:01"))] == ["error"]


def test_clocks_that_run_backwards_give_no_negative_time(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).prompt("look").response(("c", *READ)).wait(-3).result("c")
    assert [row.duration_ms for row in listed(store_with(tmp_path, [told]))] == [0]


def test_rows_are_counted_for_queries_only_and_once_a_call(tmp_path: Path) -> None:
    two = ("Bash", {"command": "duckdb a.db -c 'select 1 from t'; duckdb a.db -c 'select 1 from u'"})
    piped = ("Bash", {"command": "cat q.sql; duckdb a.db -c 'select 1 from t'"})
    told = session("s1", "10:00", READ, two, piped, text="(5 rows)")
    rows = {row.id: row for row in listed(store_with(tmp_path, [told]))}
    counted = {key: row.rows_returned for key, row in rows.items() if row.rows_returned is not None}
    assert list(counted.values()) == [5]
    assert [rows[key].action for key in counted] == ["query.local"]
    assert {row.in_call for row in rows.values() if row.id.startswith("s1-no1")} == {2}


def test_a_row_of_a_server_that_tells_no_result_is_not_running(tmp_path: Path) -> None:
    server = [
        logged("a", "09:00", "select 1", result=None),  # type: ignore[arg-type]
        logged("b", "09:01", "select 1", result=None, error="boom"),  # type: ignore[arg-type]
        logged("c", "09:02", "select 1", result="ok"),
        logged("d", "09:03", "select 1", result="error.400", error="no such table"),
        logged("e", "09:04", "select 1", result="blocked"),
    ]
    rows = listed(store_with(tmp_path, [], server=server))
    assert [row.result for row in reversed(rows)] == ["success", "error", "success", "error.400", "denied"]
    assert {row.outcome for row in rows} <= set(OUTCOMES)


# -- paging


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """13 calls of which several have the same time, and one file without any time."""
    told = Transcript("s1", at("10:00")).prompt("look")
    for number in range(11):
        told.response((f"c{number:02}", *READ)).result(f"c{number:02}")
        told.wait(0 if number % 3 else 7)
    lost = Transcript("s2", at("10:00")).response(("x1", *READ), ("x2", *READ)).result("x1").result("x2")
    for row in lost.rows:
        del row["timestamp"]
    with held(store_with(tmp_path_factory.mktemp("many"), [told, lost])) as store:
        yield store


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 12, 13, 50])
def test_pages_show_every_access_once_newest_first(many: Store, limit: int) -> None:
    rows = [row for page in pages(many, limit) for row in page]
    assert rows == listed(many) and len(rows) == 13
    order = [(row.timestamp or UNTIMED, row.id) for row in rows]
    assert order == sorted(order, reverse=True)
    assert [row.id for row in rows[-2:]] == ["x2:0", "x1:0"] and rows[-1].timestamp is None


def test_a_page_goes_on_after_rows_that_came_meanwhile(tmp_path: Path) -> None:
    told = session("s1", "10:00", READ, READ, READ)
    store = store_with(tmp_path, [told])
    with store.read() as connection:
        first, cursor = list_accesses(connection, Filter(), limit=2, now=NOW)
    store = store_with(tmp_path, [told, session("s2", "11:00", READ)])
    with store.read() as connection:
        second, _ = list_accesses(connection, Filter(), limit=2, cursor=cursor, now=NOW)
    assert [row.id for row in (*first, *second)] == ["s1-no2:0", "s1-no1:0", "s1-no0:0"]


# -- filters


def test_filters_come_before_the_limit(tmp_path: Path) -> None:
    store = store_with(
        tmp_path,
        [
            session("mine", "09:00", READ, cwd="/w/shop"),
            session("other", "10:00", *[READ] * 5, cwd="/w/web"),
        ],
    )
    assert [row.session_id for row in listed(store, Filter(project="/w/shop"), limit=2)] == ["mine"]
    assert [row.session_id for row in listed(store, Filter(project="shop"), limit=2)] == ["mine"]
    assert [row.session_id for row in listed(store, Filter(session_id="mine"), limit=2)] == ["mine"]


def test_days_are_those_of_the_zone(tmp_path: Path) -> None:
    store = store_with(tmp_path, [session("late", "2026-03-09T23:30:00", READ), session("early", "00:30", READ)])
    day = dt.date(2026, 3, 10)
    assert [row.session_id for row in listed(store, Filter(since=day, until=day))] == ["early"]
    prague = Filter(zone="Europe/Prague", since=day, until=day)
    assert [row.session_id for row in listed(store, prague)] == ["early", "late"]
    assert listed(store, Filter(zone="America/New_York", since=day)) == []


def test_text_is_looked_for_in_queries_commands_titles_and_errors(tmp_path: Path) -> None:
    store = store_with(
        tmp_path,
        [
            session("a", "09:00", agnes("select REVENUE from t1")),
            session("b", "09:10", ("Bash", {"command": "head revenue.csv"})),
            session("c", "09:20", READ).title("the revenue of May"),
            session("d", "09:30", READ),
        ],
        server=[
            logged("e", "09:40", "select 1", result="error.400", error="no column Revenue"),
            logged("f", "09:50", "select revenue from t2"),
        ],
    )
    found = [row.id.split("-")[0] for row in listed(store, Filter(text="revenue"))]
    assert found == ["server:http://agnes:f", "server:http://agnes:e", "c", "b", "a"]
    assert listed(store, Filter(text="%")) == []


def test_a_model_and_a_kind_of_agent_are_those_of_the_response_that_made_the_call(tmp_path: Path) -> None:
    start = ("Task", {"subagent_type": "Explore", "prompt": "look"})
    store = store_with(
        tmp_path,
        [
            session("a", "09:00", READ, start),
            session("b", "09:10", READ, model=SONNET),
            Transcript("a", at("09:05"), agent="x1").note("Explore", "look", "a-no1").response(("sub", *READ)),
        ],
        server=[logged("e", "09:40", "select 1")],
    )
    assert [row.id for row in listed(store, Filter(model=SONNET))] == ["b-no0:0"]
    assert [row.id for row in listed(store, Filter(subagent_type="Explore"))] == ["sub:0"]
    assert [row.id for row in listed(store, Filter(subagent_type="main"))] == ["b-no0:0", "a-no0:0"]


def test_groups_outcomes_and_tables(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).prompt("look")
    told.response(("q", *agnes("insert into sums select * from orders"))).wait(1).result("q", "no", error=True)
    told.response(("r", *READ), ("w", "WebFetch", {"url": "https://example.org/a"})).wait(1).result("r").result("w")
    told.response(("c", "Bash", {"command": "agnes schema orders"})).wait(1).result("c")
    told.response(("n", "Bash", {"command": "agnes snapshot create orders"})).wait(1).result("n")
    store = store_with(tmp_path, [told])

    def found(**which: str) -> str:
        return " ".join(row.id[0] for row in listed(store, which=Which(**which)))

    groups = {name: found(group=name) for name in ("queries", "files", "web", "catalog", "snapshots")}
    assert groups == {"queries": "q", "files": "r", "web": "w", "catalog": "c", "snapshots": "n"}
    assert (found(outcome="failed"), found(outcome="success"), found(outcome="denied")) == ("q", "n c w r", "")
    assert (found(table="orders"), found(table="sums"), found(table="order")) == ("n c q", "q", "")
    assert (found(action="file.read"), found(place="remote"), found(place="local", group="web")) == ("r", "n q", "")
    assert [row.id for row in listed(store, prefix="query.")] == ["q:0"]
    with pytest.raises(KeyError):
        listed(store, which=Which(group="nonsense"))
