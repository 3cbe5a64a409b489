"""The Agnes workspaces: how fresh their tables are, and which of their sessions are uploaded."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from agnes_stats.ingest.server_source import AgnesServerError, ServerAccess, ask_once
from agnes_stats.queries import servers, workspaces
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.workspaces import UploadRow, UploadSums

from tests.ingest import agnes_http
from tests.ingest.agnes_files import ledger, log, parquet, put, run
from tests.ingest.agnes_http import client, pages_of, says, sessions_of, uploaded
from tests.machine import Machine
from tests.transcripts import Transcript


@pytest.fixture
def machine(own_home: Path) -> Machine:
    return Machine(own_home)


def started_in(machine: Machine, folder: Path, session: str, title: str = "") -> Path:
    transcript = Transcript(session, "2026-03-10T12:00:00", cwd=str(folder)).prompt("Hi")
    return machine.session(transcript.title(title) if title else transcript, folder)


def uploads(machine: Machine, chosen: Filter | None = None) -> tuple[list[UploadRow], UploadSums]:
    with machine.store.read() as connection:
        return workspaces.list_uploads(connection, chosen or Filter())


# -- pulls and tables


def test_the_last_pull_is_that_of_the_workspace_pulled_last(machine: Machine) -> None:
    first = machine.workspace("first", last_sync="2026-03-09T10:00:00+00:00")
    second = machine.workspace("second", last_sync="2026-03-10T11:00:00+02:00")
    never = machine.workspace("never", last_sync=None)
    machine.read()
    with machine.store.read() as connection:
        assert servers.last_pull(connection) == dt.datetime(2026, 3, 10, 9)
        found = workspaces.workspaces(connection)
    assert [(one.workspace, one.last_pull_at) for one in found] == [
        (str(second), dt.datetime(2026, 3, 10, 9)),
        (str(first), dt.datetime(2026, 3, 9, 10)),
        (str(never), None),
    ]
    assert not any(one.is_server for one in found)


def test_an_old_version_kept_the_state_of_pulls_in_its_config_folder(machine: Machine) -> None:
    folder = machine.workspace()
    (folder / ".claude/agnes/sync_state.json").unlink()
    put(folder / ".claude/init-complete", "completed_at: 2025\n")
    put(machine.home / ".config/agnes/sync_state.json", {"tables": {}, "last_sync": "2026-03-08T10:00:00"})
    machine.read()
    with machine.store.read() as connection:
        assert servers.last_pull(connection) == dt.datetime(2026, 3, 8, 10)


def test_a_workspace_is_known_by_any_of_its_files_and_the_server_is_told_apart(machine: Machine) -> None:
    folder = machine.workspace()
    (folder / ".claude/agnes/sync_state.json").unlink()
    log(folder, run("20260310T134800Z"))
    machine.read()
    with machine.store.write() as connection:
        connection.execute(
            "INSERT INTO server_reads (server, account, endpoint, last_pull_at) "
            "VALUES ('https://a.b', 'ann@a.b', 'sync', '2026-03-01')"
        )
    with machine.store.read() as connection:
        found = workspaces.workspaces(connection)
    assert [(one.workspace, one.is_server) for one in found] == [("https://a.b", True), (str(folder), False)]


def test_tables_are_sorted_and_cut_in_the_store_and_added_up(machine: Machine) -> None:
    first, second = machine.workspace("first"), machine.workspace("second")
    entries = {"orders": {"rows": 900, "size_bytes": 70}, "Customers": {"rows": 20, "size_bytes": 500}, "ghost": {}}
    state = {"tables": entries, "last_sync": "2026-03-10T13:48:00"}
    put(first / ".claude/agnes/sync_state.json", state)
    parquet(first / "server/parquet/orders/a.parquet", 30, "2026-03-01T10:00:00")
    parquet(first / "server/parquet/orders/b.parquet", 40, "2026-03-09T10:00:00")
    parquet(first / "server/parquet/Customers.parquet", 500, "2026-03-05T10:00:00")
    parquet(second / "server/parquet/orders.parquet", 5, "2026-03-07T10:00:00")
    machine.read()

    def told(order: str, descending: bool, chosen: Filter | None = None, limit: int = 500) -> list[str]:
        with machine.store.read() as connection:
            rows, sums = workspaces.list_tables(
                connection, chosen or Filter(), order=order, descending=descending, limit=limit
            )
        assert limit < sums.tables or len(rows) == sums.tables
        return [f"{Path(row.workspace).name}/{row.table_id}" for row in rows]

    assert told("changed_at", True) == ["first/orders", "second/orders", "first/Customers", "first/ghost"]
    assert told("size_bytes", True) == ["first/Customers", "first/orders", "second/orders", "first/ghost"]
    assert told("row_count", False) == ["first/Customers", "first/orders", "first/ghost", "second/orders"]
    assert told("table_id", False) == ["first/Customers", "first/ghost", "first/orders", "second/orders"]
    assert told("parts", True, limit=1) == ["first/orders"]
    assert told("table_id", False, Filter(text="ORD")) == ["first/orders", "second/orders"]
    assert told("table_id", False, Filter(project=str(second))) == ["second/orders"]
    with machine.store.read() as connection:
        rows, sums = workspaces.list_tables(connection, Filter(since=dt.date(2030, 1, 1)), limit=1)
    assert (len(rows), sums.tables, sums.size_bytes) == (1, 4, 575)
    assert (rows[0].parts, rows[0].row_count, rows[0].changed_at) == (2, 900, dt.datetime(2026, 3, 9, 10))


# -- uploads


def test_every_session_of_the_workspace_is_in_one_state(machine: Machine) -> None:
    folder = machine.workspace()
    files = {name: started_in(machine, folder, name) for name in ("sent", "grown", "old", "refused", "own", "new")}
    started_in(machine, folder / "models", "nested")
    started_in(machine, Path("/home/dana/else"), "elsewhere")
    agent = machine.session(
        Transcript("new", "2026-03-10T12:01:00", agent="a1", cwd=str(folder)).prompt("Look"), folder
    )
    # Where older versions of Claude Code kept the files of sub-agents: beside those of sessions.
    agent.rename(files["new"].with_name(agent.name))
    sizes = {name: path.stat().st_size for name, path in files.items()}
    ledger(
        folder,
        "uploaded",
        f"sent\t{sizes['sent']}\t2026-03-10T13:00:00Z",
        f"grown\t{sizes['grown'] - 10}\t2026-03-10T13:00:00Z",
        "2026-03-10T13:00:00\t/x/old.jsonl",
        "deleted\t77\t2026-01-10T13:00:00Z",
    )
    ledger(folder, "failed", "2026-03-10T13:01:00Z\trefused\t413\t/x/refused.jsonl")
    ledger(folder, "private", "own")
    rows, sums = uploads(machine.read())
    assert [(row.session_id, row.status) for row in rows] == [
        ("refused", "failed"),
        ("new", "waiting"),
        ("grown", "grown"),
        ("own", "private"),
        ("old", "uploaded"),
        ("sent", "uploaded"),
        ("deleted", "uploaded"),
    ]
    assert sums == UploadSums(on_disk=6, uploaded=3, grown=1, failed=1, private=1, waiting=1, listed=7, in_ledger=6)
    by_id = {row.session_id: row for row in rows}
    assert (by_id["refused"].reason, by_id["refused"].status_at) == ("413", dt.datetime(2026, 3, 10, 13, 1))
    assert (by_id["grown"].size, by_id["grown"].sent_size) == (sizes["grown"], sizes["grown"] - 10)
    assert (by_id["deleted"].size, by_id["deleted"].sent_size) == (None, 77)
    assert by_id["new"].status_at is not None and by_id["own"].status_at is None


def test_a_transcript_that_claude_deleted_is_not_missing(machine: Machine) -> None:
    folder = machine.workspace()
    path = started_in(machine, folder, "s1", "Churn")
    assert uploads(machine.read())[1].waiting == 1
    path.unlink()
    rows, sums = uploads(machine.read())
    assert (rows, sums.on_disk, sums.waiting) == ([], 0, 0)


def test_the_folder_of_sessions_is_named_after_the_path_sign_by_sign(machine: Machine) -> None:
    folder = machine.workspace("data.team")
    started_in(machine, folder, "s1", "Churn")
    (row,) = uploads(machine.read())[0]
    assert (row.workspace, row.title, row.status) == (str(folder), "Churn", "waiting")


def test_uploads_are_filtered_by_text_and_workspace_but_not_by_days(machine: Machine) -> None:
    first, second = machine.workspace("first"), machine.workspace("second")
    started_in(machine, first, "s1", "Churn")
    started_in(machine, second, "s2", "Revenue")
    machine.read()
    assert [row.session_id for row in uploads(machine, Filter(text="churn"))[0]] == ["s1"]
    assert uploads(machine, Filter(text="churn"))[1].on_disk == 1
    assert [row.session_id for row in uploads(machine, Filter(project="second"))[0]] == ["s2"]
    assert uploads(machine, Filter(since=dt.date(2030, 1, 1)))[1].on_disk == 2


# -- what the server has


def test_the_disk_the_ledger_and_the_server_are_compared(machine: Machine) -> None:
    folder = machine.workspace()
    names = ("agreed", "lost", "new", "unlisted", "own", "after")
    sizes = {name: started_in(machine, folder, name).stat().st_size for name in names}
    with agnes_http.servers() as start:
        server = start()
        put(folder / ".claude/init-complete", f"server_url: {server.url}/\n")
        at = "2026-03-10T13:00:00Z"
        ledger(
            folder,
            "uploaded",
            *(f"{name}\t{sizes[name]}\t{at}" for name in ("agreed", "lost", "own")),
            # Sent after the server was asked: it cannot have it yet.
            f"after\t{sizes['after']}\t2999-01-01T00:00:00Z",
        )
        ledger(folder, "private", "own")
        listed = [uploaded("agreed", pipeline_status="extracted", items_extracted=3), uploaded("2026-03-09_3f2a9c1e-x")]
        listed += [uploaded(name, processed=False, pipeline_status="pending") for name in ("unlisted", "own")]
        server.tell(queries=pages_of([], 50), sync=says(200, {"rows": []}), sessions=sessions_of(listed))
        access = ServerAccess(server.url, client(server), "ann@example.com")
        machine.read()
        ask_once(machine.store, access)
        rows, sums = uploads(machine)
        assert {row.session_id: (row.status, row.pipeline_status, row.items_extracted) for row in rows} == {
            "agreed": ("uploaded", "extracted", 3),
            "lost": ("lost", None, None),
            "new": ("waiting", None, None),
            "unlisted": ("uploaded", "pending", 0),
            "own": ("private", "pending", 0),
            "after": ("uploaded", None, None),
            "3f2a9c1e-x": ("elsewhere", "processed", 0),
        }
        assert (sums.on_disk, sums.in_ledger, sums.on_server, sums.lost, sums.elsewhere) == (6, 4, 4, 1, 1)
        assert (sums.unlisted, sums.private_on_server, sums.waiting, sums.listed) == (1, 1, 1, 6)
        # What the server does not tell any more is not there; while it fails, what it told last stays.
        server.tell(sessions=sessions_of(listed[:1]))
        ask_once(machine.store, access)
        assert uploads(machine)[1].on_server == 1
        server.tell(sessions=says(500, {}))
        with pytest.raises(AgnesServerError):
            ask_once(machine.store, access)
        assert uploads(machine)[1].on_server == 1


def test_a_server_with_many_sessions_is_read_page_by_page_and_to_an_end(machine: Machine) -> None:
    with agnes_http.servers() as start:
        server = start()
        rows = [uploaded(f"s{number:04}") for number in range(450)]
        server.tell(sessions=sessions_of(rows))
        told = client(server).sessions()
        assert (len(told.rows), told.is_whole, len(server.requests)) == (450, True, 3)
        part = client(server).sessions(max_pages=2)
        assert (len(part.rows), part.is_whole) == (400, False)
        # One that ignores the offset says the same for ever.
        server.tell(sessions=says(200, {"rows": rows[:200]}))
        assert len(client(server).sessions().rows) == 200 and len(server.requests) == 7
        server.tell(sessions=says(200, {"total": 2, "rows": [{}, uploaded("s1", items_extracted="many"), 7]}))
        odd = client(server).sessions()
        assert ([row.items_extracted for row in odd.rows], len(odd.problems), odd.is_whole) == ([None], 2, False)


def test_a_session_that_came_long_after_it_began_is_late(machine: Machine) -> None:
    folder = machine.workspace()
    size = started_in(machine, folder, "late").stat().st_size
    again = f"late\t{size}\t2026-03-20T13:00:00Z"
    ledger(folder, "uploaded", f"late\t{size - 5}\t2026-03-12T13:00:00Z", again)
    started_in(machine, folder, "soon")
    ledger(folder, "uploaded", f"soon\t{size}\t2026-03-10T13:00:00Z", f"late\t{size}\t2026-03-12T13:00:00Z", again)
    rows, sums = uploads(machine.read())
    assert {row.session_id: row.is_late for row in rows} == {"late": True, "soon": False}
    assert sums.late == 1
    late = next(row for row in rows if row.is_late)
    assert late.uploaded_at == dt.datetime(2026, 3, 12, 13)


def test_snapshots_tell_when_they_expire_and_what_was_withheld(machine: Machine) -> None:
    folder = machine.workspace()
    put(folder / ".claude/agnes/sync_state.json", {"tables": {}, "snapshot_blocked": ["sales", 7]})
    fetched = {"fetched_at": "2026-03-10T12:00:00", "rows": 9, "bytes_local": 10}
    for name, more in (
        ("events", {"table_id": "events", "expires_at": "2026-03-12T12:00:00"}),
        ("sales", {"table_id": "finance_sales", "policy_fingerprint": "abc"}),
    ):
        put(folder / f"user/snapshots/{name}.meta.json", {"name": name, **fetched, **more})

    def listed() -> list[tuple[str, str, bool, bool]]:
        with machine.read().store.read() as connection:
            rows = workspaces.list_snapshots(connection, Filter())
        return [(row.name, row.table_id, row.has_policy, row.is_blocked) for row in rows]

    assert listed() == [("sales", "finance_sales", True, True), ("events", "events", False, False)]
    (folder / "user/snapshots/sales.meta.json").unlink()
    put(folder / "user/snapshots/events.meta.json", {"table_id": "events", **fetched})
    with machine.read().store.read() as connection:
        (row,) = workspaces.list_snapshots(connection, Filter())
    assert (row.name, row.expires_at) == ("events", None)
