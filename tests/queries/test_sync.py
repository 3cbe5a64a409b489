"""Sync: what was pulled and pushed when, told by whom, and what this program itself has read."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries import servers, sync
from agnes_stats.queries.cursor import Cursor
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.sync import SyncPage
from agnes_stats.tui.commands import sync as answers

from tests.ingest.agnes_files import ledger, log, put, run
from tests.machine import Machine, bash
from tests.transcripts import Transcript

NOW = dt.datetime(2026, 3, 10, 14, 0)


@pytest.fixture
def machine(own_home: Path) -> Machine:
    return Machine(own_home)


def page(machine: Machine, chosen: Filter | None = None, **options: Any) -> SyncPage:
    with machine.store.read() as connection:
        return sync.list_sync(connection, chosen or Filter(), now=NOW, **options)


def told(machine: Machine) -> list[tuple[str, str, str]]:
    return [(row.action, row.result, row.source) for row in page(machine).rows]


def update(ts: str, pull: str = "14 tables, 31 parquets") -> str:
    return run(ts, ("pull", "ok", pull))


# -- history


def test_a_run_of_agnes_update_is_told_with_its_exchanges(machine: Machine) -> None:
    folder = machine.workspace()
    log(folder, run("20260310T134800Z", ("pull", "ok", "14 tables"), ("push", "skipped", "nothing new")))
    assert sorted(told(machine.read())) == [
        ("manifest.fetch", "success", "workspace"),
        ("session.upload", "skipped", "workspace"),
        ("sync.update", "success", "workspace"),
    ]
    row = next(row for row in page(machine).rows if row.action == "manifest.fetch")
    assert (row.resource, row.detail, row.workspace, row.duration_ms) == ("manifest", "14 tables", str(folder), None)
    assert row.timestamp == dt.datetime(2026, 3, 10, 13, 48)


def test_history_outlives_the_truncation_of_the_log(machine: Machine) -> None:
    folder = machine.workspace()
    log(folder, run("20260301T100000Z"), run("20260302T100000Z"))
    machine.read()
    log(folder, run("20260303T100000Z"))
    machine.read()
    assert [row.timestamp.day for row in page(machine).rows if row.timestamp] == [3, 2, 1]


def test_a_newer_version_that_reads_again_keeps_what_is_gone_from_the_log(machine: Machine) -> None:
    folder = machine.workspace()
    log(folder, run("20260301T100000Z"), run("20260302T100000Z"))
    machine.read()
    log(folder, run("20260303T100000Z"))
    machine.read()
    with machine.store.write() as connection:
        connection.execute("UPDATE files SET parser = 0 WHERE source = 'workspace'")
    machine.read()
    assert [row.timestamp.day for row in page(machine).rows if row.timestamp] == [3, 2, 1]


def test_no_other_action_leaks_in(machine: Machine) -> None:
    log(machine.workspace(), run("20260310T134800Z"))
    machine.read()
    with machine.store.write() as connection:
        connection.execute(
            "INSERT INTO sync_actions (id, ts, action, source, result) VALUES "
            "('server:1', '2026-03-10 13:50', 'sync.config_change', 'web', 'success'), "
            "('server:2', '2026-03-10 13:51', 'sync.trigger', 'web', 'success')"
        )
    assert [row.action for row in page(machine).rows] == ["sync.trigger", "sync.update"]


def test_ledgers_tell_what_became_of_each_session(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(Transcript("s1", "2026-03-10T12:00:00", cwd=str(folder)).title("Churn").prompt("Hi"), folder)
    ledger(folder, "uploaded", "s1\t120\t2026-03-10T13:00:00Z")
    ledger(
        folder, "failed", "2026-03-10T13:01:00Z\ts2\t413\t/x/s2.jsonl", "2026-03-10T13:02:00Z\ts3\tgone\t/x/s3.jsonl"
    )
    ledger(folder, "private", "s4")
    ledger(folder, "private-skipped", "2026-03-10T13:03:00Z\ts5\t/x/s5.jsonl")
    rows = page(machine.read()).rows
    assert [(row.resource, row.result, row.detail, row.title) for row in rows] == [
        ("session:s5", "skipped", "private", None),
        ("session:s3", "error", "gone", None),
        ("session:s2", "error.413", "413", None),
        ("session:s1", "success", None, "Churn"),
    ]
    assert {(row.action, row.source) for row in rows} == {("session.upload", "ledger")}


def test_every_line_of_a_ledger_stays(machine: Machine) -> None:
    folder = machine.workspace()
    first, again = "s1\t120\t2026-03-10T10:00:00Z", "s1\t900\t2026-03-10T12:00:00Z"
    ledger(folder, "uploaded", first, again, again)
    ledger(folder, "failed", "2026-03-10T11:00:00Z\ts1\t413\t/x/s1.jsonl")
    uploads = [("success", hour) for hour in (12, 12, 10)]
    expected = [*uploads[:2], ("error.413", 11), uploads[2]]
    for _ in range(2):
        rows = page(machine.read()).rows
        assert [(row.result, row.timestamp.hour) for row in rows if row.timestamp] == expected
        # The command never tidies them, but people do.
        ledger(folder, "uploaded", again, again)
    ledger(folder, "private", "s1")
    assert len(page(machine.read()).rows) == 4


def test_uploads_that_an_older_version_read_are_told_once(machine: Machine) -> None:
    folder = machine.workspace()
    ledger(folder, "uploaded", "s1\t120\t2026-03-10T10:00:00Z", "s2\t120\t2026-03-10T11:00:00Z")
    machine.read()
    with machine.store.write() as connection:
        connection.execute("DELETE FROM sync_actions WHERE session_id = 's2'")
    assert [row.resource for row in page(machine).rows] == ["session:s2", "session:s1"]


def test_each_command_of_a_script_is_an_action(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(bash("s1", "2026-03-10T12:00:00", "agnes pull && agnes push", folder), folder)
    rows = page(machine.read()).rows
    assert sorted((row.action, row.result, row.duration_ms) for row in rows) == [
        ("manifest.fetch", "success", 5000),
        ("session.upload", "success", 5000),
    ]


def test_commands_of_agents_are_actions_of_the_workspace_they_ran_in(machine: Machine) -> None:
    folder = machine.workspace()
    commands = {"agnes pull": "manifest.fetch", "agnes push --quiet": "session.upload", "agnes update": "sync.update"}
    for hour, command in enumerate(commands, 9):
        machine.session(bash(f"s{hour}", f"2026-03-10T{hour:02}:00:00", command, folder / "models"), folder / "models")
    rows = page(machine.read()).rows[::-1]
    assert {str(row.detail): row.action for row in rows} == commands
    assert {(row.result, row.source, row.workspace, row.duration_ms) for row in rows} == {
        ("success", "transcript", str(folder), 5000)
    }
    assert [row.session_id for row in rows] == ["s9", "s10", "s11"]


def test_the_result_of_a_command_is_that_of_its_call(machine: Machine) -> None:
    folder = machine.workspace()
    failed = bash("failed", "2026-03-10T11:00:00", "agnes pull", folder, text="no route to host", error=True)
    machine.session(failed, folder)
    machine.session(bash("lost", "2026-03-10T12:00:00", "agnes pull", folder, seconds=None), folder)
    machine.session(bash("runs", "2026-03-10T13:59:00", "agnes pull", folder, seconds=None), folder)
    rows = page(machine.read()).rows
    assert [(row.session_id, row.result) for row in rows] == [
        ("runs", "running"),
        ("lost", "interrupted"),
        ("failed", "error"),
    ]
    assert rows[2].detail == "agnes pull: no route to host"


# -- what two sources tell


def test_an_update_seen_twice_within_two_minutes_is_one_action(machine: Machine) -> None:
    folder = machine.workspace()
    # Each command runs from the full hour to five seconds past.
    ends = {8: "0758:00", 9: "0900:03", 10: "1002:05", 11: "1057:59", 12: "1202:06"}
    for hour in ends:
        machine.session(bash(f"s{hour}", f"2026-03-10T{hour:02}:00:00", "agnes update", folder), folder)
    log(folder, *(run(f"20260310T{end.replace(':', '')}Z", ("cli", "ok", "")) for end in ends.values()))
    assert [source for _, _, source in told(machine.read())[::-1]] == [
        *["workspace, transcript"] * 3,
        *("workspace", "transcript"),
        *("transcript", "workspace"),
    ]


def test_what_both_know_is_joined(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(bash("s1", "2026-03-10T12:00:00", "agnes update", folder).title("Refresh"), folder)
    log(folder, run("20260310T120004Z", ("config", "error", "no config")))
    (row,) = page(machine.read()).rows
    assert (row.source, row.result, row.detail) == ("workspace, transcript", "error", "config error: no config")
    assert (row.session_id, row.title, row.duration_ms) == ("s1", "Refresh", 5000)
    assert row.timestamp == dt.datetime(2026, 3, 10, 12, 0, 4)


def test_each_run_has_one_partner_the_closest(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(bash("s1", "2026-03-10T12:00:00", "agnes update", folder), folder)
    machine.session(bash("s2", "2026-03-10T12:01:00", "agnes update", folder), folder)
    log(folder, run("20260310T120002Z"), run("20260310T120030Z"), run("20260310T120110Z"))
    rows = page(machine.read()).rows
    assert [(row.session_id, row.source) for row in rows] == [
        ("s2", "workspace, transcript"),
        (None, "workspace"),
        ("s1", "workspace, transcript"),
    ]


def test_a_pull_by_hand_is_not_the_pull_of_an_update(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(bash("s1", "2026-03-10T12:00:00", "agnes pull", folder), folder)
    log(folder, update("20260310T120010Z"))
    assert sorted(source for _, _, source in told(machine.read())) == ["transcript", "workspace", "workspace"]


def test_updates_of_two_workspaces_are_two(machine: Machine) -> None:
    first, second = machine.workspace("first"), machine.workspace("second")
    machine.session(bash("s1", "2026-03-10T12:00:00", "agnes update", first), first)
    log(second, run("20260310T120010Z"))
    assert sorted(source for _, _, source in told(machine.read())) == ["transcript", "workspace"]


def test_a_pull_that_the_server_logged_too_is_one_action(machine: Machine) -> None:
    log(machine.workspace(), update("20260310T120010Z"))
    machine.read()
    with machine.store.write() as connection:
        connection.execute(
            "INSERT INTO sync_actions (id, ts, action, resource, source, result, workspace, duration_ms) VALUES "
            "('server:1', '2026-03-10 12:00:05', 'manifest.fetch', 'manifest', 'api', 'success', 'https://a', 40), "
            "('server:2', '2026-03-10 09:00:00', 'manifest.fetch', 'manifest', 'api', 'success', 'https://a', 50)"
        )
    rows = [row for row in page(machine).rows if row.action == "manifest.fetch"]
    assert [(row.source, row.duration_ms) for row in rows] == [("workspace, api", 40), ("api", 50)]


def served(machine: Machine, *rows: tuple[str, str], server: str = "https://a") -> None:
    """Pulls that a server logged: their keys and times."""
    values = ", ".join(
        f"('{key}', '2026-03-10 {clock}', '{server}', 'manifest.fetch', 'manifest', 'api', 'success', '{server}')"
        for key, clock in rows
    )
    with machine.store.write() as connection:
        connection.execute(
            "INSERT INTO sync_actions (id, ts, path, action, resource, source, result, workspace) VALUES " + values
        )


def pulls(machine: Machine) -> list[tuple[str | None, str, str]]:
    """Session, result and source of the pulls, oldest first."""
    rows = [row for row in page(machine).rows if row.action == "manifest.fetch"]
    return [(row.session_id, row.result, row.source) for row in reversed(rows)]


@pytest.mark.parametrize("clock", ["12:00:03", "12:00:40", "12:01:02", "12:01:30"])
def test_a_pull_that_failed_is_not_the_one_that_the_server_served(machine: Machine, clock: str) -> None:
    folder = machine.workspace()
    failed = bash("bad", "2026-03-10T12:00:00", "agnes pull", folder, text="connection refused", error=True)
    machine.session(failed, folder)
    machine.session(bash("good", "2026-03-10T12:01:00", "agnes pull", folder), folder)
    machine.read()
    served(machine, ("server:1", clock))
    assert pulls(machine) == [("bad", "error", "transcript"), ("good", "success", "transcript, api")]


def test_a_pull_that_failed_and_one_elsewhere_are_two(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(bash("bad", "2026-03-10T12:00:00", "agnes pull", folder, error=True), folder)
    log(folder, run("20260310T130000Z", ("pull", "error", "no route")))
    machine.read()
    served(machine, ("server:1", "12:00:02"), ("server:2", "13:00:01"))
    assert sorted(pulls(machine), key=str) == [
        ("bad", "error", "transcript"),
        *[(None, "error", "workspace")],
        *[(None, "success", "api")] * 2,
    ]


def test_the_manifest_is_fetched_while_the_pull_runs(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(bash("long", "2026-03-10T12:00:00", "agnes pull", folder, seconds=900), folder)
    machine.session(bash("next", "2026-03-10T12:16:00", "agnes pull", folder), folder)
    machine.read()
    served(machine, ("server:1", "12:10:00"), ("server:2", "12:15:30"))
    assert pulls(machine) == [("long", "success", "transcript, api"), ("next", "success", "transcript, api")]


def test_a_failure_in_the_log_is_not_hidden_by_a_script_that_went_on(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(bash("s1", "2026-03-10T12:00:00", "agnes update; true", folder), folder)
    machine.session(bash("s2", "2026-03-10T13:00:00", "agnes update", folder, error=True), folder)
    log(folder, run("20260310T120003Z", ("pull", "error", "reset")), run("20260310T130004Z", ("cli", "ok", "")))
    rows = [row for row in page(machine.read()).rows if row.action == "sync.update"]
    assert [(row.session_id, row.result, row.source) for row in rows] == [
        (None, "success", "workspace"),
        ("s2", "error", "transcript"),
        ("s1", "error", "workspace, transcript"),
    ]


def test_which_command_of_a_script_failed_is_not_known(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(bash("s1", "2026-03-10T12:00:00", "agnes pull && agnes push", folder, error=True), folder)
    machine.read()
    served(machine, ("server:1", "12:00:01"))
    assert pulls(machine) == [("s1", "error", "transcript, api")]


def test_a_pull_from_one_server_is_not_one_from_another(machine: Machine) -> None:
    folder = machine.workspace()
    put(folder / ".claude/init-complete", "server_url: https://a/\n")
    machine.session(bash("s1", "2026-03-10T12:00:00", "agnes pull", folder), folder)
    machine.read()
    served(machine, ("server:1", "12:00:01"), server="https://b")
    served(machine, ("server:2", "12:00:09"))
    assert pulls(machine) == [("s1", "success", "transcript, api"), (None, "success", "api")]


# -- pages and filters


def crowd(machine: Machine) -> None:
    """Twelve actions: some at the same moment, two without a time, half of them another person's."""
    times = [f"'2026-03-{1 + number // 3:02} 10:00:00'" for number in range(10)] + ["NULL", "NULL"]
    rows = ", ".join(
        f"('id-{number:02}', {time}, 'sync.trigger', 'web', 'success', '{'dana' if number % 2 else 'sam'}')"
        for number, time in enumerate(times)
    )
    with machine.store.write() as connection:
        connection.execute(f"INSERT INTO sync_actions (id, ts, action, source, result, username) VALUES {rows}")


def test_pages_hold_every_action_once_in_order(machine: Machine) -> None:
    crowd(machine)
    whole = [row.id for row in page(machine, limit=200).rows]
    assert len(whole) == 12 and whole[-2:] == ["id-11", "id-10"]
    for limit in (1, 2, 5, 11, 12):
        found: list[str] = []
        cursor: Cursor | None = None
        while len(found) <= 12:
            part = page(machine, limit=limit, cursor=cursor)
            assert part.total == 12 and 0 < len(part.rows) <= limit
            found += [row.id for row in part.rows]
            cursor = part.older
            if cursor is None:
                break
        assert found == whole


def test_whose_actions_count_before_how_many(machine: Machine) -> None:
    crowd(machine)
    first = page(machine, Filter(user="dana"), limit=4)
    assert [row.id for row in first.rows] == ["id-09", "id-07", "id-05", "id-03"]
    assert first.total == 6


def test_days_text_and_project_filter(machine: Machine) -> None:
    first, second = machine.workspace("first"), machine.workspace("second")
    log(first, run("20260308T233000Z"), run("20260309T120000Z", ("pull", "error", "reset by peer")))
    log(second, run("20260309T130000Z"))
    machine.session(bash("s1", "2026-03-09T14:00:00", "agnes pull", first), first)
    machine.read()
    day = dt.date(2026, 3, 9)
    assert page(machine, Filter(since=day, until=day)).total == 4
    assert page(machine, Filter(zone="Europe/Prague", since=day, until=day)).total == 5
    assert page(machine, Filter(text="RESET")).total == 2
    assert page(machine, Filter(project=str(first))).total == 4
    assert page(machine, Filter(project="second")).total == 1
    assert page(machine, Filter(session_id="s1")).total == 1


# -- the answer of the command


def test_the_answer_has_the_shape_of_the_endpoint_and_its_cursor_leads_on(machine: Machine) -> None:
    folder = machine.workspace()
    machine.session(bash("s1", "2026-03-10T12:00:00", "agnes pull", folder), folder)
    log(folder, run("20260309T100000Z"))
    machine.read()
    with machine.store.read() as connection:
        answer = answers.sync_answer(connection, Filter(), limit=1, cursor=None)
        assert json.loads(json.dumps(answer)) == {
            "last_pull_at": "2026-03-10T13:48:00+00:00",
            "limit": 1,
            "rows": [
                {
                    "id": "call:call-s1",
                    "timestamp": "2026-03-10T12:00:00+00:00",
                    "action": "manifest.fetch",
                    "resource": "manifest",
                    "result": "success",
                    "duration_ms": 5000,
                    "client_kind": "transcript",
                    "agent": "claude-code",
                    "machine": None,
                    "username": None,
                    "params": {
                        "detail": "agnes pull",
                        "workspace": str(folder),
                        "session_id": "s1",
                        "title": answer["rows"][0]["params"]["title"],
                    },
                }
            ],
            "next_cursor": {"timestamp": "2026-03-10T12:00:00+00:00", "id": "call:call-s1"},
            "servers": [],
            "sessions": answer["sessions"],
            "snapshots": [],
        }
        (waiting,) = answer["sessions"]["rows"]
        assert (waiting["session_id"], waiting["status"], answer["sessions"]["on_disk"]) == ("s1", "waiting", 1)
        cursor = Cursor(dt.datetime(2026, 3, 10, 12), "call:call-s1")
        rest = answers.sync_answer(connection, Filter(), limit=1, cursor=cursor)
    assert [row["action"] for row in rest["rows"]] == ["sync.update"]
    assert rest["next_cursor"] is None


def test_nothing_at_all(machine: Machine) -> None:
    assert page(machine.read()) == SyncPage([], None, 0)
    with machine.store.read() as connection:
        assert servers.last_pull(connection) is None


# -- this program


def test_sources_tell_files_and_bytes_and_what_is_wrong_with_them(machine: Machine) -> None:
    folder = machine.workspace()
    whole = Transcript("whole", "2026-03-10T12:00:00", cwd=str(folder)).prompt("Hi")
    machine.session(whole, folder)
    machine.session(Transcript("gone", "2026-03-10T12:00:00", cwd=str(folder)).prompt("Hi"), folder)
    path = next(machine.claude.rglob("whole.jsonl"))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b'nonsense\n{"type": "user", "torn')
    machine.read()
    next(machine.claude.rglob("gone.jsonl")).unlink()
    machine.read()
    with machine.store.read() as connection:
        claude, workspace = sync.sources(connection)
        (reject,) = sync.rejects(connection)
    assert (claude.source, claude.files, claude.gone, claude.pending, claude.failed) == ("claude", 1, 1, 0, 0)
    assert (claude.size, claude.behind, claude.rejects) == (path.stat().st_size, 22, 1)
    assert (workspace.source, workspace.root, workspace.files) == ("workspace", str(folder), 1)
    assert (reject.path, reject.pos, reject.length) == (str(path), size, 9)


def test_what_was_read_last_what_each_table_holds_and_what_the_agent_deletes_next(machine: Machine) -> None:
    for name in ("old", "new"):
        machine.session(Transcript(name, "2026-03-10T12:00:00").title(f"the {name} one").prompt("Hi"), Path("/x"))
    machine.read()
    root, moments = str(machine.claude), {"old": "2026-02-01 10:00:00", "new": "2026-03-01 10:00:00"}
    with machine.store.write() as connection:
        connection.execute("INSERT INTO files (path, source) VALUES ('/x/never', 'claude')")
        for name, moment in moments.items():
            connection.execute(
                f"UPDATE files SET root = ?, read_at = '{moment}', mtime_ns = epoch_ns(TIMESTAMP '{moment}') "
                "WHERE session_id = ?",
                [root, name],
            )
    with machine.store.read() as connection:
        assert [(row.title, row.read_at) for row in sync.read_last(connection, 5)] == [
            ("the new one", dt.datetime(2026, 3, 1, 10)),
            ("the old one", dt.datetime(2026, 2, 1, 10)),
        ]
        assert [row.title for row in sync.read_last(connection, 1)] == ["the new one"]
        held = {row.name: row.rows for row in sync.table_rows(connection)}
        assert (held["prompts"], held["sessions"], held["files"], held["tool_calls"]) == (2, 2, 3, 0)
        oldest = dt.datetime(2026, 2, 1, 10)
        assert sync.untouched(connection, root, oldest - dt.timedelta(seconds=1)) == (oldest, 0)
        assert sync.untouched(connection, root, oldest) == (oldest, 1)
        assert sync.untouched(connection, root, dt.datetime(2026, 3, 2)) == (oldest, 2)
        assert sync.untouched(connection, "/nowhere", dt.datetime(2026, 3, 2)) == (None, 0)


def test_a_reject_told_again_by_a_server_is_one_and_unreadable_files_are_rejects(machine: Machine) -> None:
    machine.read()
    with machine.store.write() as connection:
        for moment in ("2026-03-10 10:00", "2026-03-10 11:00"):
            connection.execute(f"INSERT INTO rejects VALUES ('https://a', 0, 0, 'no time', '{moment}')")
        connection.execute("INSERT INTO rejects VALUES ('/x/a.jsonl', 40, 7, 'bad JSON', '2026-03-10 12:00')")
        connection.execute("INSERT INTO files (path, error, read_at) VALUES ('/x/b', 'denied', '2026-03-10 13:00')")
    with machine.store.read() as connection:
        assert [(row.path, row.pos, row.length, row.reason) for row in sync.rejects(connection)] == [
            ("/x/b", 0, 0, "denied"),
            ("/x/a.jsonl", 40, 7, "bad JSON"),
            ("https://a", 0, 0, "no time"),
        ]
        assert [row.path for row in sync.rejects(connection, limit=1)] == ["/x/b"]
        assert [row.path for row in sync.rejects(connection, text="JSON")] == ["/x/a.jsonl"]
        assert (sync.count_rejects(connection), sync.count_rejects(connection, "json")) == (3, 1)
        assert sync.store_facts(connection).rejects == 2


def test_things_without_a_rule_are_counted(machine: Machine) -> None:
    transcript = Transcript("s1", "2026-03-10T12:00:00").prompt("Hi").row("brand-new").row("brand-new")
    machine.session(transcript, Path("/home/dana/work"))
    machine.read()
    with machine.store.read() as connection:
        (unknown,) = sync.unknowns(connection)
    assert "brand-new" in unknown.what and (unknown.count, unknown.files) == (2, 1)
