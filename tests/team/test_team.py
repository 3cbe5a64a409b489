"""A team's store is what one store would be that had read everything, whatever happens on the way. Real servers."""

import json
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from agnes_stats.ingest import forget as out
from agnes_stats.ingest.team import drain as draining
from agnes_stats.ingest.team import inbox
from agnes_stats.ingest.team.push import AnotherStores, key_beside
from agnes_stats.ingest.team.share import Share
from agnes_stats.queries import teams
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.schema import STORE_VERSION
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli

from tests.team.people import cut, fork_of, talk
from tests.team.postgres import ADMIN, PASSWORD, Server
from tests.team.world import Team, differing, told
from tests.transcripts import Transcript
from tests.tui.running import press, running, screen_text


@pytest.fixture
def team(tmp_path: Path, server: Server, database: str) -> Callable[..., Team]:
    def made(*people: str) -> Team:
        # Roles are of the server, not of a database.
        return Team(tmp_path, server, database, people)

    return made


def count(store: Store, what: str) -> Any:
    with store.read() as connection:
        return connection.value(f"SELECT {what}")


def test_what_machines_push_is_what_one_store_would_have_read(team: Callable[..., Team]) -> None:
    us = team("ann", "bob")
    us.reads("ann", [talk("s1", 9), fork_of(talk("s2", 10), "a-fork")])
    us.reads("bob", [talk("s2", 10), cut(talk("s1", 9), 3)])
    for who in us.people:
        assert us.push(who).changed > 0
        assert (us.push(who).parts, us.push(who, full=True).changed) == (0, 0)
    assert us.drain().facts > 0
    assert us.drain().rows == 0
    assert differing(told(us.store), told(us.one_store())) == ""
    with us.store.read() as connection:
        whose: dict[str, str] = dict(connection.rows("SELECT session_id, username || ' ' || machine FROM sessions"))
    assert (whose["a-fork"], whose["s1"]) == ("ann ann", "ann ann")


def people_of(stage: int) -> dict[str, list[Transcript]]:
    """What four machines have: at first the beginnings, later all; two have the same, and some have forks of it."""

    def so_far(told: Transcript, rows: int) -> Transcript:
        return cut(told, rows) if stage == 0 else told

    return {
        "ann": [so_far(talk("s1", 9), 4), fork_of(talk("s2", 10), "a-fork"), talk("s5", 13)],
        "bob": [talk("s2", 10), so_far(talk("s1", 9), 3), so_far(talk("s3", 11), 5)],
        "cyd": [so_far(fork_of(cut(talk("s3", 11), 4), "z-fork"), 5), talk("s3", 11)],
        "dan": [so_far(talk("s4", 12), 2), so_far(fork_of(talk("s4", 12), "m-fork"), 3), so_far(talk("s2", 10), 3)],
    }


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
def test_kills_repeats_and_drains_at_once_change_nothing(team: Callable[..., Team], seed: int) -> None:
    chance = random.Random(seed)
    us = team("ann", "bob", "cyd", "dan")
    died = []

    def dies(*what: Any, **how: Any) -> None:
        died.append(us.dies(*what, **how))

    for stage in range(2):
        for who, transcripts in people_of(stage).items():
            us.reads(who, transcripts)
        plan: list[Callable[[], object]] = [us.drain, us.drain]
        for who in us.people:
            plan += [partial(dies, "push", who, chance.randint(3, 60), full=full) for full in (False, False, True)]
            plan.append(partial(us.push, who))
        plan += [partial(dies, "drain", "", chance.randint(3, 120)) for _ in range(4)]
        chance.shuffle(plan)
        with ThreadPoolExecutor(3) as pool:
            for future in [pool.submit(each) for each in plan]:
                future.result()
    for who in us.people:
        us.push(who)
    us.drain()
    assert differing(told(us.store), told(us.one_store())) == ""
    assert set(died) <= {0, 9}
    assert died.count(9) >= 8
    # A second server, that begins only now, and the first one give the same.
    late = Store(us.folder / "late.duckdb")
    us.drain(late)
    assert differing(told(late), told(us.store)) == ""


@pytest.mark.long
def test_a_transaction_that_ends_late_is_not_missed(team: Callable[..., Team]) -> None:
    us = team("ann", "bob")
    us.reads("ann", [talk("s1", 9)])
    us.reads("bob", [talk("s2", 10)])
    late = inbox.put
    begun, go_on = threading.Event(), threading.Event()

    def put(connection: Any, machine: str, *rest: Any) -> int:
        if machine != "ann":
            return late(connection, machine, *rest)
        with connection.transaction():
            changed = late(connection, machine, *rest)
            begun.set()
            assert go_on.wait(30)
        return changed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "put", put)
        with ThreadPoolExecutor(1) as pool:
            pushing = pool.submit(us.push, "ann")
            assert begun.wait(30)
            us.push("bob")
            us.drain()
            assert count(us.store, "count(*) FROM sessions") in (0, 1)
            go_on.set()
            pushing.result()
    us.drain()
    assert differing(told(us.store), told(us.one_store())) == ""


@pytest.mark.long
def test_what_is_forgotten_left_out_or_told_less_of_goes_from_everywhere(team: Callable[..., Team]) -> None:
    us = team("ann", "bob")
    us.reads("ann", [talk("s1", 9), talk("s2", 10)])
    us.reads("bob", [fork_of(talk("s2", 10), "a-fork")])
    for who in us.people:
        us.push(who)
    us.drain()
    assert count(us.store, "count(*) FROM sessions") == 3
    store = us.store_of("ann")
    out.forget(store, out.Forgettable(("s1",)))
    assert us.push("ann").changed > 0
    us.drain()
    assert count(us.store, "list(session_id ORDER BY session_id) FROM sessions") == ["a-fork", "s2"]
    with us.server.admin(us.database) as admin:
        words = "SELECT count(*) FROM agnes_stats.told WHERE row LIKE '%%s1%%'"
        assert admin.execute(words).fetchone() == (0,)
    assert count(us.store, "count(*) FROM prompts WHERE text IS NOT NULL") > 0
    us.push("ann", Share.NUMBERS)
    us.push("bob", Share.NUMBERS)
    us.drain()
    assert count(us.store, "count(*) FROM prompts WHERE text IS NOT NULL") == 0
    with us.server.admin(us.database) as admin:
        assert admin.execute("SELECT count(*) FROM agnes_stats.told WHERE row LIKE '%%count%%'").fetchone() == (0,)
    us.push("ann", Share.NUMBERS, "warehouse")
    us.drain()
    assert count(us.store, "list(session_id) FROM sessions") == ["a-fork"]
    # What a fork had copied is its own, once nobody tells the original.
    assert count(us.store, "count(*) FROM responses") == 3
    where = inbox.address(us.url(ADMIN))
    assert draining.compact(us.store, where) > 0
    assert draining.compact(us.store, where) == 0
    assert b"select 1 from orders" not in us.store.path.read_bytes()
    us.drain()
    assert count(us.store, "list(session_id) FROM sessions") == ["a-fork"]


@pytest.mark.long
def test_numbers_are_the_same_however_much_is_told(team: Callable[..., Team]) -> None:
    us = team("ann", "bob")
    us.reads("ann", [talk("s1", 9), talk("s2", 10)])
    us.reads("bob", [talk("s2", 10), talk("s3", 11)])
    for who in us.people:
        us.push(who, Share.NUMBERS)
    us.drain()
    one = us.one_store()
    for table, columns in {
        "tokens_daily": "day, session_id, model, responses, output_tokens, cache_read_tokens, round(cost_usd, 9)",
        "tools_daily": "day, session_id, tool, class, invocations, errors, denied",
        "sessions": "session_id, started_at, ended_at, active_seconds, user_messages, tool_calls, round(cost_usd, 9)",
        "accesses": "id, ts, action, client_kind, rows_returned",
        "events": "session_id, ts, kind",
    }.items():
        question = f"SELECT {columns} FROM {table} ORDER BY ALL"
        with us.store.read() as here, one.read() as there:
            assert here.rows(question) == there.rows(question)
    assert count(us.store, "list(DISTINCT project) FROM sessions") == ["warehouse"]


# -- who may do what ----------------------------------------------------------------------------------------------


@pytest.mark.long
def test_nobody_writes_as_another_or_reads_anothers(team: Callable[..., Team]) -> None:
    us = team("ann", "bob")
    us.reads("ann", [talk("s1", 9)])
    us.push("ann")
    with psycopg.connect(us.url("bob"), password=PASSWORD, autocommit=True) as bob:
        for table in ("told", "parts", "machines"):
            assert bob.execute(f"SELECT count(*) FROM agnes_stats.{table}").fetchone() == (0,)
        bob.execute(
            "INSERT INTO agnes_stats.told (pusher, machine, part, fact, ident, row, xid) "
            "VALUES ('ann', 'ann', 'p', 'prompts', '[\"x\"]', '[]', '3')"
        )
        assert bob.execute("SELECT pusher, xid::text <> '3' FROM agnes_stats.told").fetchone() == ("bob", True)
        assert bob.execute("UPDATE agnes_stats.told SET row = NULL WHERE pusher = 'ann'").rowcount == 0
        for refused in (
            "DELETE FROM agnes_stats.told",
            "INSERT INTO agnes_stats.parts (pusher, machine, part, digest, rows) VALUES ('ann', 'ann', 'p', 'd', 1)",
            "INSERT INTO agnes_stats.machines (pusher, machine, origin, format) VALUES ('ann', 'x', 'o', 1)",
            "SELECT * FROM agnes_stats.drains",
            "ALTER TABLE agnes_stats.told DISABLE ROW LEVEL SECURITY",
            "SET SESSION AUTHORIZATION ann",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                bob.execute(refused)
    with (
        psycopg.connect(us.url("drainer"), password=PASSWORD, autocommit=True) as drainer,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        drainer.execute("UPDATE agnes_stats.told SET row = '[]'")


@pytest.mark.long
def test_what_no_agnes_stats_writes_is_refused_and_shown_and_hurts_nobody(team: Callable[..., Team]) -> None:
    us = team("ann", "eve")
    us.reads("ann", [talk("s1", 9)])
    us.push("ann")
    good = {"id": "p", "session_id": "s9", "ts": 0, "kind": "prompt"}
    rows = [
        "no json",
        "{}",
        "[1]",
        json.dumps([good | {"ts": 2**80}]),
        json.dumps([good | {"pos": 2**63}]),
        json.dumps([good | {"ts": "2026-01-01"}]),
        json.dumps([good | {"pos": True}]),
        json.dumps([good | {"text": ["x"]}]),
        json.dumps([good | {"text": "a\0b"}]),
        json.dumps([good | {"copy_signs": 700}]),
        "[" * 5000,
    ]
    with psycopg.connect(us.url("eve"), password=PASSWORD, autocommit=True) as eve:
        insert = "INSERT INTO agnes_stats.told (machine, part, fact, ident, row) VALUES ('m', 'p', %s, %s, %s)"
        machine = "INSERT INTO agnes_stats.machines (machine, origin, format, program) VALUES ('m', 'o', %s, '9')"
        eve.execute(machine, [STORE_VERSION])
        for number, row in enumerate(rows):
            eve.execute(insert, ["prompts", json.dumps([f"bad{number}"]), row])
        for ident in ("nothing", '["a", "b"]', "[1]", '["a\\u0000b"]', '["\\ud800"]'):
            eve.execute(insert, ["prompts", ident, "[]"])
        eve.execute(insert, ["meta", '["x"]', "[]"])
        eve.execute(insert, ["prompts", '["surrogate"]', '[{"text": "\\ud800", "kind": "prompt", "session_id": "s9"}]'])
        span = [{"started_at": 5, "ended_at": 3}]
        eve.execute(insert, ["activity", '["s9"]', json.dumps(span)])
        wild = good | {
            "username": "ann",
            "machine": "\x1b[2J",
            "text": "my password=hunter2hunter2 \x1b]0;x\x07",
            "new": 1,
        }
        eve.execute(insert, ["prompts", '["p"]', json.dumps([wild])])
        most = {"session_id": "s9", "model": "m", "output_tokens": 10**12, "total_tokens": 10**12, "kind": "turn"}
        for number, at in enumerate((-62_135_596_800_000_000, 253_402_300_799_999_999, None)):
            line = most | {"ts": at, "requested_at": at, "usage_ts": at, "usage_path": "p", "path": "p"}
            eve.execute(insert, ["responses", json.dumps([f"most{number}"]), json.dumps([line])])
            span = [{"started_at": at or 0, "ended_at": at or 0}]
            eve.execute(insert, ["activity", json.dumps([f"s{number + 10}"]), json.dumps(span)])
        with pytest.raises(psycopg.errors.CheckViolation):
            eve.execute(insert, ["prompts", '["big"]', "x" * 1_000_001])
    done = us.drain()
    assert done.refused == {"eve@m": len(rows) + 8}
    assert count(us.store, "list(id) FROM prompts WHERE username = 'eve'") == ["p"]
    assert "hunter2" not in count(us.store, "any_value(text) FROM prompts WHERE id = 'p'")
    assert count(us.store, "any_value(path) FROM rejects") == "eve@m"
    with us.store.read() as connection:
        sessions = connection.rows("SELECT session_id, username FROM sessions ORDER BY 1")
    assert sessions == [("s1", "ann"), *((f"s{number}", None) for number in (10, 11, 12)), ("s9", "eve")]
    assert count(us.store, "sum(output_tokens) FROM tokens_daily WHERE username = 'eve'") == 3 * 10**12


@pytest.mark.long
def test_rows_of_a_newer_version_wait_until_the_server_knows_it(
    team: Callable[..., Team], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    us = team("ann", "bob")
    us.reads("ann", [talk("s1", 9)])
    us.reads("bob", [talk("s2", 10)])
    us.push("ann")
    us.push("bob")
    with us.server.admin(us.database) as admin:
        admin.execute("UPDATE agnes_stats.machines SET format = format + 1 WHERE machine = 'ann'")
        admin.execute("UPDATE agnes_stats.machines SET format = format - 1 WHERE machine = 'bob'")
    words = ["team", "drain", us.url("drainer"), "--store", str(us.store.path)]
    assert cli.main(words) == 0
    warned = capsys.readouterr().err
    assert "ann@ann: its agnes-stats is newer than the drain's: its rows wait" in warned
    assert "bob@bob: its agnes-stats is older: update it" in warned
    assert count(us.store, "list(session_id) FROM sessions") == ["s2"]
    monkeypatch.setattr(draining, "STORE_VERSION", STORE_VERSION + 1)
    us.drain()
    assert count(us.store, "count(*) FROM sessions") == 2


@pytest.mark.long
def test_two_machines_of_one_name_do_not_undo_each_other(team: Callable[..., Team]) -> None:
    us = team("ann")
    us.reads("ann", [talk("s1", 9)])
    us.push("ann")
    key_beside(us.store_of("ann").path).unlink()
    with pytest.raises(AnotherStores, match="say --machine NAME, or --full"):
        us.push("ann")
    assert us.push("ann", full=True).parts > 0


@pytest.mark.long
def test_a_store_of_ones_own_or_of_another_team_takes_nothing(team: Callable[..., Team], server: Server) -> None:
    us = team("ann")
    us.reads("ann", [talk("s1", 9)])
    us.push("ann")
    with pytest.raises(draining.NotATeams, match="this machine's own store"):
        us.drain(us.store_of("ann"))
    us.drain()
    other = Team(us.folder / "other", server, server.database("another_team"), ["ann"])
    with pytest.raises(draining.NotATeams, match="of another inbox"):
        other.drain(us.store)


# -- the commands -------------------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = cli.main(list(words))
    told = capsys.readouterr()
    return status, told.out + told.err


@pytest.mark.long
def test_from_nothing_to_a_team_view(
    tmp_path: Path, server: Server, database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, ann, cron = (server.url(role, database) for role in (ADMIN, "ann-marie", "cron"))
    status, line = said(capsys, "team", "status", admin)
    assert (status, "has no inbox: agnes-stats team init makes one" in line) == (1, True)
    status, told_so = said(capsys, "team", "init", admin, "--user", "ann-marie", "--drainer", "cron")
    assert (status, f"agnes-stats push --to {ann}" in told_so) == (0, True)
    server.give_passwords("ann-marie", "cron")
    own = Team.__new__(Team)
    own.folder = tmp_path
    own.reads("mac", [talk("s1", 9)])
    store = ["--store", str(tmp_path / "mac" / "store.duckdb"), "--source", f"claude={tmp_path / 'mac' / 'claude'}"]
    status, line = said(capsys, "push", "--to", ann, "--machine", "mac", *store)
    assert (status, "as mac, numbers" in line) == (0, True)
    assert "has all that mac tells" in said(capsys, "push", "--to", ann, "--machine", "mac", *store)[1]
    waits = json.loads(
        said(capsys, "push", "--to", ann, "--machine", "mac", "--share", "labels", "--status", "--json", *store)[1]
    )
    (file,) = waits["files"]
    assert file["read_to"] == Path(file["path"]).stat().st_size
    assert file["known_there"] is False, "titles are not told so far"
    ask = ["push", "--to", ann, "--machine", "mac", "--status", "--json", *store]
    assert json.loads(said(capsys, *ask)[1])["files"] == [file | {"known_there": True}]
    assert json.loads(said(capsys, *ask, "--leave-out", "warehouse")[1])["files"] == [file]
    assert (waits["waiting_rows"] > 0, [row["machine"] for row in waits["machines"]]) == (True, ["mac"])
    assert waits["last_push_at"] == waits["machines"][0]["pushed_at"]
    # Whoever only pushes may not see who drains.
    seen = json.loads(said(capsys, "team", "status", ann, "--json")[1])
    assert seen["drain"] == {"last_at": None, "lag_seconds": None, "rows": None}
    team = ["--store", str(tmp_path / "team.duckdb"), "--tz", "UTC"]
    assert "which store is the team's?" in said(capsys, "team", "drain", cron)[1]
    assert "facts" in said(capsys, "team", "drain", cron, *team)[1]
    assert "nothing new" in said(capsys, "team", "drain", cron, *team)[1]
    assert "ann-marie@mac" in said(capsys, "team", "status", cron, *team)[1]
    assert "0 rows wait" in said(capsys, "team", "status", cron, *team)[1]
    told_all = json.loads(said(capsys, "team", "status", cron, "--json", *team)[1])
    (pusher,) = told_all["pushers"]
    assert (pusher["username"], pusher["machine"], pusher["rows"]) == ("ann-marie", "mac", told_all["inbox"]["rows"])
    assert told_all["inbox"]["oldest_at"] <= pusher["last_push_at"] <= told_all["drain"]["last_at"]
    assert (told_all["drain"]["lag_seconds"] >= 0, told_all["drain"]["rows"] > 0) == (True, True)
    assert "removed 0 rows" in said(capsys, "team", "compact", cron, *team)[1]
    # What lies on this machine is none of the team's.
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "elsewhere"))
    other = Team.__new__(Team)
    other.folder = tmp_path
    other.reads("elsewhere", [talk("mine", 12)])
    rows = json.loads(said(capsys, "sessions", "--json", *team)[1])
    shown = rows["sessions"] if "sessions" in rows else rows["rows"]
    assert [(row["session_id"], row["username"], row["machine"]) for row in shown] == [("s1", "ann-marie", "mac")]
    assert "(no prompt) 1 tool in wareh" in said(capsys, "sessions", "--user", "ann-marie", *team)[1]
    assert "was pushed already" in said(capsys, "push", "--to", ann, *team)[1]
    people = json.loads(said(capsys, "operator", "--since", "2026-03-01", "--until", "2026-03-31", "--json", *team)[1])
    assert "ann-marie" in json.dumps(people)


@pytest.mark.long
@pytest.mark.parametrize("what", ["push", "drain"])
def test_whoever_watches_waits_for_a_server_that_is_away_and_catches_up(
    team: Callable[..., Team], what: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    us = team("ann")
    us.reads("ann", [talk("s1", 9)])
    words = ["push", "--to", us.url("ann"), "--machine", "ann", "--no-ingest", "--store", str(us.store_of("ann").path)]
    if what == "drain":
        us.push("ann")
        words = ["team", "drain", us.url("drainer"), "--store", str(us.store.path)]
    reaches = inbox.connected
    pauses: list[float] = []

    def connected(where: inbox.Address, **how: Any) -> Any:
        if len(pauses) < 3:
            raise inbox.InboxAway("the server is away")
        return reaches(where, **how)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(inbox, "connected", connected)
    monkeypatch.setattr("agnes_stats.tui.commands.push.time.sleep", sleep)
    status = cli.main([*words, "--watch", "--every", "7"])
    told_so = capsys.readouterr()
    assert (status, pauses) == (130, [14.0, 28.0, 56.0, 7.0, 7.0])
    assert told_so.err.count("the server is away; trying again") == 1
    assert told_so.out.count("pushed to" if what == "push" else "drained") == 1


@pytest.mark.long
def test_a_wrong_password_or_role_is_told_in_a_line_without_it(
    team: Callable[..., Team], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    us = team("ann")
    us.reads("ann", [talk("s1", 9)])
    store = ["--no-ingest", "--store", str(us.store_of("ann").path)]
    for role, line in (("nobody", "refuses us"), ("drainer", "permission denied")):
        status, told_so = said(capsys, "push", "--to", us.url(role), *store)
        assert (status, line in told_so, told_so.count("\n")) == (1, True, 1), told_so
    monkeypatch.setenv("PGPASSWORD", "guessed-wrong")
    status, told_so = said(capsys, "push", "--to", us.url("ann"), *store)
    assert (status, "refuses us" in told_so, "guessed" in told_so) == (1, True, False)
    note = teams.push_note(us.store_of("ann").path)
    assert note is not None and note.failed_at is not None and "refuses us" in note.reason


@pytest.mark.long
def test_who_tells_the_same_as_whom_is_told(team: Callable[..., Team], capsys: pytest.CaptureFixture[str]) -> None:
    us = team("ann", "bob", "cyd")
    for who, session, hour in (("ann", "s1", 9), ("bob", "s1", 9), ("cyd", "s3", 11)):
        us.reads(who, [talk(session, hour)])
        us.push(who)
    us.drain()
    told_so = said(capsys, "team", "status", us.url("drainer"), "--shared", "--store", str(us.store.path))[1]
    assert [line for line in told_so.splitlines() if "both tell" in line] == ["· ann and bob both tell 13 facts"]
    with us.store.read() as connection:
        assert [(each.user, each.machine, each.share, each.problem) for each in teams.pushers(connection)] == [
            ("cyd", "cyd", "all", ""),
            ("bob", "bob", "all", ""),
            ("ann", "ann", "all", ""),
        ]


@pytest.mark.long
async def test_every_view_shows_what_was_told_without_texts(team: Callable[..., Team]) -> None:
    us = team("ann")
    calls = [
        ("r", "Read", {"file_path": "/home/ann/warehouse/secret.py"}),
        ("w", "Write", {"file_path": "/home/ann/warehouse/secret.py", "content": "x"}),
        ("u", "WebFetch", {"url": "https://secret.example.com/x", "prompt": "what"}),
        ("g", "Grep", {"pattern": "secret", "path": "/home/ann/warehouse"}),
    ]
    worked = talk("s1", 9)
    for call in calls:
        worked.response(call).wait(2).result(call[0], "no", error=call[0] == "w")
    us.reads("ann", [worked])
    us.push("ann", Share.NUMBERS)
    us.drain()
    async with running(us.store, chosen=Filter(), size=(200, 60)) as (app, pilot):
        for tab in "1234":
            await press(pilot, tab)
            first = screen_text(app)
            for _ in range(12):
                assert "Could not load" not in screen_text(app), screen_text(app)
                await press(pilot, "enter")
                assert "secret" not in screen_text(app)
                await press(pilot, "escape", "right_square_bracket")
                if screen_text(app) == first:
                    break
