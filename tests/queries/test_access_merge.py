"""An access that two sources saw is one row: which belong together, and who knows what better."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.access import AccessRow, Which, list_accesses
from agnes_stats.queries.access_sums import Selection
from agnes_stats.queries.cursor import Cursor
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store

from tests.queries.accesses import NOW, agnes, at, logged, session, store_with
from tests.storing import held
from tests.transcripts import Transcript

QUERY = "select id from orders"
SNAPSHOT = ("Bash", {"command": "agnes snapshot create events --as e"})


def listed(store: Store, chosen: Filter | None = None, **how: Any) -> list[AccessRow]:
    with store.read() as connection:
        return list_accesses(connection, chosen or Filter(), limit=100, now=NOW, **how)[0]


def seen(store: Store, **how: Any) -> list[tuple[str, ...]]:
    """Who saw each row, oldest first."""
    return [tuple(row.seen_in) for row in reversed(listed(store, **how))]


BOTH, ONE, OTHER = ("transcript", "server"), ("transcript",), ("server",)


def test_each_source_tells_what_it_knows_best(tmp_path: Path) -> None:
    told = session("s1", "10:00", agnes(QUERY), seconds=60, text="(3 rows)")
    (row,) = listed(store_with(tmp_path, [told], server=[logged("a", "10:00:58", QUERY)]))
    assert (row.id, row.timestamp, row.seen_in) == ("s1-no0:0", at("10:00"), ["transcript", "server"])
    assert (row.session_id, row.title, row.project) == ("s1", "do s1", "/home/dana/work/warehouse")
    assert row.command is not None and row.command.startswith("agnes query")
    assert (row.duration_ms, row.rows_returned, row.bytes_scanned, row.client_kind) == (740, 12, 5000, "cli")
    assert row.place == "remote"


def test_what_only_the_transcript_knows_stays(tmp_path: Path) -> None:
    told = session("s1", "10:00", agnes(QUERY), text="(3 rows)")
    bare = logged("a", "10:00:01", QUERY, rows=None, duration_ms=None, bytes_scanned=None)
    (row,) = listed(store_with(tmp_path, [told], server=[bare]))
    assert (row.rows_returned, row.duration_ms, row.bytes_scanned) == (3, 2000, None)


def test_the_servers_error_is_told_with_its_status(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).response(("c", *agnes(QUERY))).wait(1).result("c", "Exit code 1", error=True)
    failed = logged("a", "10:00:01", QUERY, result="error.400", error="no such table", rows=None)
    (row,) = listed(store_with(tmp_path, [told], server=[failed]))
    assert (row.result, row.error, row.outcome) == ("error.400", "no such table", "failed")


def test_a_query_that_failed_is_not_the_one_that_worked(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).response(("bad", *agnes(QUERY))).wait(2)
    told.result("bad", "Error: connection refused", error=True).wait(10)
    told.response(("good", *agnes(QUERY))).wait(2).result("good")
    for clock in ("10:00:01", "10:00:06", "10:00:13"):
        store = store_with(tmp_path / clock.replace(":", ""), [told], server=[logged("a", clock, QUERY)])
        rows = {row.id: (row.outcome, tuple(row.seen_in)) for row in listed(store)}
        assert rows == {"bad:0": ("failed", ONE), "good:0": ("success", BOTH)}


def test_a_script_that_goes_on_does_not_hide_that_its_query_failed(tmp_path: Path) -> None:
    told = session("s1", "10:00", ("Bash", {"command": f'agnes query --remote --sql "{QUERY}"; echo done'}))
    failed = logged("a", "10:00:01", QUERY, result="error.500", error="backend gone", rows=None)
    (row,) = listed(store_with(tmp_path, [told], server=[failed]))
    assert (row.outcome, row.error, tuple(row.seen_in)) == ("failed", "backend gone", BOTH)


def test_of_several_queries_in_a_call_that_failed_the_server_knows_which(tmp_path: Path) -> None:
    script = f'agnes query --remote --sql "{QUERY}" && agnes query --remote --sql "select 2"'
    told = Transcript("s1", at("10:00")).response(("c", "Bash", {"command": script})).wait(3)
    told.result("c", "Exit code 1", error=True)
    server = [logged("a", "10:00:01", QUERY), logged("b", "10:00:02", "select 2", result="error.400", rows=None)]
    rows = listed(store_with(tmp_path, [told], server=server))
    assert [(row.sql, row.outcome) for row in rows] == [("select 2", "failed"), (QUERY, "success")]


def test_what_is_asked_to_run_elsewhere_did_whatever_the_server_calls_it(tmp_path: Path) -> None:
    told = session("s1", "10:00", agnes(QUERY))
    (row,) = listed(store_with(tmp_path, [told], server=[logged("a", "10:00:01", QUERY, action="query.local")]))
    assert (row.action, row.place) == ("query.remote", "remote")


@pytest.mark.parametrize(
    "script",
    [
        'for t in a b c; do agnes query --remote "select * from $t"; done',
        'for t in $(cat names); do agnes query --remote --sql "select * from ${t}"; done',
        'cat names | while read t; do agnes query --remote "select * from $t" --format csv; done',
    ],
)
def test_queries_of_a_loop_belong_to_its_session(tmp_path: Path, script: str) -> None:
    told = session("s1", "10:00", ("Bash", {"command": script}), seconds=30)
    server = [logged(name, f"10:00:1{at}", f"select * from {name}", rows=at) for at, name in enumerate("abc")]
    other = logged("d", "10:00:15", "select * from a", client_kind="web")
    store = store_with(tmp_path, [told], server=[*server, other])
    rows = listed(store)
    mine = [row for row in rows if row.session_id == "s1" and row.action == "query.remote"]
    assert sorted((row.rows_returned or 0, row.project or "") for row in mine) == [
        (at, "/home/dana/work/warehouse") for at in range(3)
    ]
    assert {tuple(row.seen_in) for row in mine} == {BOTH}
    assert [row.id for row in rows if row.session_id is None] == ["server:http://agnes:d"]
    assert len(listed(store, Filter(project="warehouse"))) == len([row for row in rows if row.session_id])


def test_the_server_says_where_a_query_ran(tmp_path: Path) -> None:
    told = session("s1", "10:00", agnes(QUERY, remote=False), agnes("select 2", remote=False))
    server = [logged("a", "10:00:01", QUERY), logged("b", "12:00", "select 3", action="query.local")]
    rows = {row.id: (row.action, row.place) for row in listed(store_with(tmp_path, [told], server=server))}
    assert rows == {
        "s1-no0:0": ("query.remote", "remote"),
        "s1-no1:0": ("query.local", "local"),
        # Local to the server, which is another machine.
        "server:http://agnes:b": ("query.local", "remote"),
    }


def test_the_same_query_is_the_same_text_but_for_blanks_and_case(tmp_path: Path) -> None:
    previews = {
        "09": QUERY,
        "10": "SELECT  id\n\tFROM orders ;",
        "11": "select id from order",
        "12": "select id from orders where true",
        "13": None,
    }
    told = [session(f"s{hour}", f"{hour}:00", agnes(QUERY)) for hour in previews]
    server = [logged(hour, f"{hour}:00:01", preview) for hour, preview in previews.items()]
    rows = listed(store_with(tmp_path, told, server=server))
    assert sorted(row.id for row in rows if tuple(row.seen_in) == BOTH) == ["s09-no0:0", "s10-no0:0"]
    assert len(rows) == 8


def test_a_long_query_is_known_by_its_first_200_characters(tmp_path: Path) -> None:
    long = "select " + ", ".join(f"column_{number}" for number in range(60)) + " from orders"
    told = [session("s1", "10:00", agnes(long)), session("s2", "11:00", agnes(long))]
    server = [logged("a", "10:00:01", long[:200]), logged("b", "11:00:01", long[:100])]
    assert seen(store_with(tmp_path, told, server=server)) == [BOTH, ONE, OTHER]


def test_two_minutes_apart_is_the_most(tmp_path: Path) -> None:
    clocks = {"09": "08:58:00", "10": "09:57:59", "11": "11:02:02", "12": "12:02:03"}
    told = [session(f"s{hour}", f"{hour}:00", agnes(QUERY)) for hour in clocks]
    server = [logged(hour, clock, QUERY) for hour, clock in clocks.items()]
    rows = listed(store_with(tmp_path, told, server=server))
    assert sorted(row.id for row in rows if tuple(row.seen_in) == BOTH) == ["s09-no0:0", "s11-no0:0"]
    assert len(rows) == 6


def test_the_wait_for_permission_belongs_to_the_call(tmp_path: Path) -> None:
    told = session("s1", "10:00", agnes(QUERY), seconds=900)
    assert seen(store_with(tmp_path, [told], server=[logged("a", "10:14:59", QUERY)])) == [BOTH]


def test_repeated_queries_go_together_one_by_one(tmp_path: Path) -> None:
    told = session("s1", "10:00", *[agnes(QUERY)] * 4)
    server = [logged(f"a{number}", f"10:00:{12 * number + 1:02}", QUERY, rows=number) for number in range(3)]
    rows = listed(store_with(tmp_path, [told], server=server))
    assert [(row.id, row.rows_returned) for row in reversed(rows)] == [
        ("s1-no0:0", 0),
        ("s1-no1:0", 1),
        ("s1-no2:0", 2),
        ("s1-no3:0", None),
    ]


def test_a_server_whose_clock_is_wrong_finds_as_many_partners(tmp_path: Path) -> None:
    told = session("s1", "10:00", *[agnes(QUERY)] * 3)
    server = [logged(f"a{number}", f"10:01:{12 * number:02}", QUERY) for number in range(3)]
    assert seen(store_with(tmp_path, [told], server=server)) == [BOTH] * 3


def test_what_was_denied_reached_no_server(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).response(("no", *agnes(QUERY))).wait(1)
    told.result("no", "no", error=True, toolDenialKind="user-rejected").wait(20)
    told.response(("yes", *agnes(QUERY))).wait(1).result("yes")
    rows = {row.id: row for row in listed(store_with(tmp_path, [told], server=[logged("a", "10:00:02", QUERY)]))}
    assert (rows["no:0"].result, rows["no:0"].seen_in) == ("denied", ["transcript"])
    assert rows["yes:0"].seen_in == ["transcript", "server"]


def test_a_file_that_is_read_is_no_query(tmp_path: Path) -> None:
    told = session("s1", "10:00", ("Read", {"file_path": QUERY}), SNAPSHOT)
    assert seen(store_with(tmp_path, [told], server=[logged("a", "10:00:01", QUERY)])).count(BOTH) == 0


# -- snapshots


def fetched(clock: str, table: str = "events", rows: int = 9000) -> dict[str, Any]:
    return {
        "table_id": table,
        "rows": rows,
        "estimated_scan_bytes_at_fetch": 4096,
        "fetched_at": f"{at(clock).isoformat()}Z",
    }


def test_a_snapshot_and_the_command_that_made_it_are_one(tmp_path: Path) -> None:
    told = session("s1", "10:00", SNAPSHOT)
    (row,) = listed(store_with(tmp_path, [told], snapshots={"e": fetched("10:00:02")}))
    assert (row.action, row.resource, row.seen_in) == ("snapshot.create", "table:events", ["transcript", "workspace"])
    assert (row.session_id, row.rows_returned, row.bytes_scanned) == ("s1", 9000, 4096)
    assert row.command is not None and row.sql == "SELECT * FROM events"


def test_another_table_or_another_time_is_another_snapshot(tmp_path: Path) -> None:
    snapshots = {"late": fetched("10:03"), "clicks": fetched("10:00:01", table="clicks")}
    store = store_with(tmp_path, [session("s1", "10:00", SNAPSHOT)], snapshots=snapshots)
    assert seen(store) == [("transcript",), ("workspace",), ("workspace",)]


def test_a_snapshot_that_nobody_saw_being_made_belongs_to_its_workspace(tmp_path: Path) -> None:
    store = store_with(tmp_path, [], snapshots={"e": fetched("10:00")})
    (row,) = listed(store, chosen=Filter(project="workspace"))
    assert (row.project, row.session_id, row.result) == (str(tmp_path / "workspace"), None, "success")


def test_a_snapshot_that_failed_left_no_file(tmp_path: Path) -> None:
    told = Transcript("s1", at("10:00")).response(("bad", *SNAPSHOT)).wait(1).result("bad", "no", error=True).wait(30)
    told.response(("good", *SNAPSHOT)).wait(30).result("good")
    rows = {row.id: row for row in listed(store_with(tmp_path, [told], snapshots={"e": fetched("10:00:02")}))}
    assert set(rows) == {"bad:0", "good:0"}
    assert rows["good:0"].seen_in == ["transcript", "workspace"]


def test_a_refresh_is_one_row_with_the_table_that_the_snapshot_is_of(tmp_path: Path) -> None:
    told = session("s1", "10:00", ("Bash", {"command": "agnes snapshot refresh e --ttl 7d"}))
    (row,) = listed(store_with(tmp_path, [told], snapshots={"e": fetched("10:00:02")}))
    assert (row.action, row.resource, row.tables_read) == ("snapshot.refresh", "table:events", ["events"])
    assert (row.seen_in, row.rows_returned, row.session_id) == (["transcript", "workspace"], 9000, "s1")


def test_a_refresh_that_was_written_over_still_knows_its_table(tmp_path: Path) -> None:
    calls = [("Bash", {"command": f"agnes snapshot {verb}"}) for verb in ("refresh e", "refresh e", "refresh other")]
    rows = listed(store_with(tmp_path, [session("s1", "10:00", *calls)], snapshots={"e": fetched("10:00:14")}))
    assert [(row.resource, len(row.seen_in)) for row in reversed(rows)] == [
        ("table:events", 1),
        ("table:events", 2),
        ("table:other", 1),
    ]


# -- what the command prints


BOX = """\
┏━━━━┳━━━━━━━┓
┃ id ┃ name  ┃
┡━━━━╇━━━━━━━┩
│ 1  │ Ann   │
│ 2  │       │
└────┴───────┘
"""


PRINTED: list[tuple[str, str, int | None]] = [
    ("", BOX, 2),
    ("", BOX.replace("│ 1  │ Ann   │\n│ 2  │       │\n", ""), 0),
    ("--json", '[\n  {\n    "row_count": 42\n  }\n]', 1),
    ("--json", "[]", 0),
    ("--format csv", "id,name\n1,Ann\n2,\n3,Cy", 3),
    ("-f csv", "n\n7", 1),
    ("", "─── row 1 ───\n  row_count : 42\n─── row 2 ───\n  row_count : 7", 2),
    ("--json | jq length", "7", None),
    ("--format csv | wc -l", "12", None),
]


def test_rows_of_a_local_query_are_counted_in_what_it_prints(tmp_path: Path) -> None:
    told = [
        session(f"s{at}", "10:00", ("Bash", {"command": f'agnes query --local "{QUERY}" {options}'}), text=printed)
        for at, (options, printed, _) in enumerate(PRINTED)
    ]
    found = {row.session_id: (row.action, row.rows_returned) for row in listed(store_with(tmp_path, told))}
    assert found == {f"s{at}": ("query.local", rows) for at, (_, _, rows) in enumerate(PRINTED)}


def test_the_command_says_where_a_query_ran_and_whose_rows_it_gave(tmp_path: Path) -> None:
    moved = "[scope] 'orders' not found locally — running server-side\n" + BOX
    own = BOX + "[scope] 1 of 3 groups: rows are limited to your region"
    told = [
        session("s1", "10:00", ("Bash", {"command": f'agnes query "{QUERY}"'}), text=moved),
        session("s2", "11:00", agnes(QUERY), text=own),
        session("s3", "12:00", ("Bash", {"command": f'agnes query "{QUERY}"'}), text=BOX),
    ]
    store = store_with(tmp_path, told)
    rows = {row.session_id: (row.action, row.place, row.note, row.rows_returned) for row in listed(store)}
    assert rows == {
        "s1": ("query.remote", "remote", "[scope] 'orders' not found locally — running server-side", 2),
        "s2": ("query.remote", "remote", "[scope] 1 of 3 groups: rows are limited to your region", 2),
        "s3": ("query.local", "local", None, 2),
    }
    assert [row.session_id for row in listed(store, Filter(text="your region"))] == ["s2"]


# -- with filters and pages


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Five queries that the server saw, too, and four accesses that one source saw."""
    told = session("s1", "10:00", *[agnes(QUERY)] * 5, agnes("select 2 from customers"))
    server = [logged(f"a{number}", f"10:00:{12 * number + 1:02}", QUERY) for number in range(5)]
    alone = [logged("b", "09:00", "select 9"), logged("c", "12:00", "select 9")]
    folder = tmp_path_factory.mktemp("busy")
    with held(store_with(folder, [told], server=[*server, *alone], snapshots={"e": fetched("11:00")})) as store:
        yield store


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 9])
def test_pages_of_merged_rows_neither_lose_nor_repeat_any(busy: Store, limit: int) -> None:
    found: list[AccessRow] = []
    cursor: Cursor | None = None
    with busy.read() as connection:
        for _ in range(50):
            rows, cursor = list_accesses(connection, Filter(), limit=limit, cursor=cursor, now=NOW)
            found += rows
            if cursor is None:
                break
    assert found == listed(busy) and len(found) == 9


def test_a_row_keeps_its_partner_under_any_filter(busy: Store) -> None:
    assert seen(busy, chosen=Filter(session_id="s1")) == [BOTH] * 5 + [ONE]
    assert seen(busy, which=Which(group="queries"), chosen=Filter(project="warehouse")) == [BOTH] * 5 + [ONE]
    assert seen(busy, chosen=Filter(text="agnes query")) == [BOTH] * 5 + [ONE]


def test_a_row_keeps_its_partner_beyond_midnight(tmp_path: Path) -> None:
    told = session("s1", "2026-03-09T23:59:30", agnes(QUERY))
    store = store_with(tmp_path, [told], server=[logged("a", "00:00:10", QUERY)])
    first, second = dt.date(2026, 3, 9), dt.date(2026, 3, 10)
    assert seen(store, chosen=Filter(until=first)) == [BOTH]
    assert seen(store, chosen=Filter(since=second)) == []


def test_a_user_of_the_server_is_not_mixed_up_with_another(tmp_path: Path) -> None:
    store = store_with(tmp_path, [session("s1", "10:00", agnes(QUERY))], server=[logged("a", "10:00:01", QUERY)])
    with store.write() as connection:
        connection.execute("UPDATE accesses SET username = CASE seen_in WHEN 'server' THEN 'eve' ELSE 'dana' END")
    assert seen(store) == [ONE, OTHER]


def test_sums_count_a_merged_row_once(busy: Store) -> None:
    with busy.read() as connection:
        sums = Selection(connection, Filter(), Which(), now=NOW).sums()
    assert (sums.accesses, sums.remote, sums.queries) == (9, 9, 8)
    assert sums.rows_returned == 5 * 12 + 2 * 12 + 9000
