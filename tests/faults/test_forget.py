"""What is forgotten is gone everywhere, stays gone, and takes nothing else with it."""

import datetime as dt
import json
from pathlib import Path

import pytest
from agnes_stats.ingest import forget as out
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli

from tests.faults.same import contents, difference
from tests.transcripts import Transcript, store_of, write

BASH = ("call-%s", "Bash", {"command": "ls"})


def talk(session: str, at: str = "2026-03-10T09:00:00", cwd: str = "/home/dana/work/shop") -> Transcript:
    call = (f"call-{session}", "Bash", {"command": "duckdb -c 'select 1 from orders'"})
    transcript = Transcript(session, at, cwd=cwd).title(f"about {session}").prompt("count").command("clear")
    return transcript.wait(5).response(call).wait(5).result(call[0], "no", error=True).wait(5).response()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two sessions in the shop, of January and March, and one in the garden."""
    january, march = talk("old", "2026-01-10T09:00:00"), talk("new")
    return store_of(tmp_path, [january, march, talk("rose", cwd="/home/dana/work/garden")])


@pytest.fixture
def engine(store: Store, tmp_path: Path) -> Engine:
    return Engine(store, [Root("claude", tmp_path / "claude")], workers=1)


def forget(store: Store, **what: object) -> None:
    with store.read() as connection:
        chosen = out.select(connection, **what)  # type: ignore[arg-type]
    out.forget(store, chosen)


def sessions(store: Store) -> list[str]:
    with store.read() as connection:
        return [row[0] for row in connection.execute("SELECT session_id FROM sessions ORDER BY 1").fetchall()]


def mentions(store: Store, word: str) -> list[str]:
    """The tables in which a word stands."""
    told = contents(store, without=("forgotten", "files"))
    return [table for table, rows in told.items() if any(word in str(value) for row in rows for value in row)]


def test_a_session_leaves_no_trace_and_the_others_are_as_they_were(tmp_path: Path, store: Store) -> None:
    forget(store, session="old")
    assert mentions(store, "old") == []
    without = store_of(tmp_path / "without", [talk("new"), talk("rose", cwd="/home/dana/work/garden")])
    paths = ("forgotten", "files")
    ours, theirs = (contents(one, without=paths) for one in (store, without))
    moved = json.loads(json.dumps(theirs, default=str).replace(str(tmp_path / "without"), str(tmp_path)))
    assert json.loads(json.dumps(ours, default=str)) == moved


def fork_of(told: Transcript, session: str) -> Transcript:
    """The same rows in another session, as a fork writes them that does not say so, in a file that sorts last."""
    fork = Transcript(session, told.now)
    fork.rows = [row | {"sessionId": session} for row in told.rows]
    return fork


def rivals(store: Store) -> list[str]:
    """The tables that keep what other files tell of their rows."""
    asked = {name: (name, "rivals") for name in ("responses", "tool_calls", "prompts", "accesses")}
    asked["tool_calls (results)"] = ("tool_calls", "result_rivals")
    with store.read() as connection:
        return [
            name
            for name, (table, column) in asked.items()
            if connection.execute(f"SELECT count({column}) FROM {table}").fetchone() != (0,)
        ]


def test_a_fork_is_forgotten_also_in_what_is_kept_beside_the_original(tmp_path: Path) -> None:
    store = store_of(tmp_path, [talk("new"), fork_of(talk("new"), "wilted")])
    kept = ("responses", "tool_calls", "prompts", "accesses")
    assert rivals(store) == [*kept, "tool_calls (results)"]
    forget(store, session="wilted")
    assert (sessions(store), rivals(store)) == (["new"], [])
    Engine(store, [Root("claude", tmp_path / "claude")], workers=0).catch_up(rebuild=True)
    assert (sessions(store), rivals(store)) == (["new"], [])


def test_what_is_forgotten_of_the_original_is_gone_with_the_fork_s_copy(tmp_path: Path) -> None:
    store = store_of(tmp_path, [talk("new"), fork_of(talk("new"), "wilted")])
    forget(store, session="new")
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM responses").fetchone() == (0,)


def test_a_project_is_forgotten_by_the_last_part_of_its_path(store: Store) -> None:
    forget(store, project="shop")
    assert sessions(store) == ["rose"]


def test_by_age(store: Store) -> None:
    forget(store, before=dt.datetime(2026, 2, 1))
    assert sessions(store) == ["new", "rose"]
    assert mentions(store, "old") == []


def test_by_age_within_a_project(store: Store) -> None:
    forget(store, project="shop", before=dt.datetime(2026, 4, 1))
    assert sessions(store) == ["rose"]


def test_a_session_across_the_limit_keeps_what_is_younger(store: Store, engine: Engine) -> None:
    forget(store, before=dt.datetime(2026, 3, 10, 9, 0, 10))
    with store.read() as connection:
        row = connection.execute(
            "SELECT title, assistant_messages, tool_calls, user_messages, started_at FROM sessions "
            "WHERE session_id = 'new'"
        ).fetchone()
    assert row == ("about new", 1, 0, 0, dt.datetime(2026, 3, 10, 9, 0, 10))
    before = contents(store)
    engine.catch_up(rebuild=True)
    assert difference(before, contents(store)) == ""


def test_it_does_not_come_back_when_its_file_is_read_again_or_goes_on(
    tmp_path: Path, store: Store, engine: Engine
) -> None:
    forget(store, session="old")
    assert engine.catch_up().files == 0
    engine.catch_up(rebuild=True)
    assert sessions(store) == ["new", "rose"]
    write(tmp_path / "claude", [talk("old", "2026-01-10T09:00:00").wait(60).response()])
    assert engine.catch_up().files == 1
    assert sessions(store) == ["new", "rose"]


def test_it_comes_back_when_that_is_asked_for(store: Store, engine: Engine) -> None:
    before = contents(store)
    forget(store, project="shop")
    out.recall(store)
    engine.catch_up(rebuild=True)
    assert difference(before, contents(store)) == ""


def test_the_mark_of_a_vanished_file_goes_with_it(tmp_path: Path, store: Store, engine: Engine) -> None:
    next((tmp_path / "claude").rglob("old.jsonl")).unlink()
    engine.catch_up()
    forget(store, session="old")
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM files").fetchone() == (2,)


# -- the command -------------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = cli.main(["forget", *(str(part) for part in arguments)])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_command_says_what_it_would_do_and_does_it_when_told(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = run(capsys, "--store", store.path, "--session", "old")
    assert asked[0] == 2
    assert "1 session, from 2026-01-10 to 2026-01-10" in asked[2]
    assert "--yes" in asked[2]
    assert len(sessions(store)) == 3
    status, told, _ = run(capsys, "--store", store.path, "--session", "old", "--yes", "--json")
    assert (status, json.loads(told)["forgotten"], json.loads(told)["sessions"]) == (0, True, 1)
    assert sessions(store) == ["new", "rose"]
    assert json.loads(run(capsys, "--store", store.path, "--session", "old", "--yes", "--json")[1])["rows"] == 0


def test_the_command_wants_to_be_told_what(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--store", store.path, "--yes")[0] == 2
    assert run(capsys, "--store", store.path, "--before", "soon", "--yes")[0] == 2


def test_a_project_in_the_environment_does_not_choose_what_is_deleted(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGNES_STATS_PROJECT", "shop")
    assert run(capsys, "--store", store.path, "--yes")[0] == 2
    run(capsys, "--store", store.path, "--session", "rose", "--yes")
    assert sessions(store) == ["new", "old"]


def test_days_are_those_of_the_zone(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--store", store.path, "--before", "2026-03-10", "--tz", "Pacific/Kiritimati", "--yes")
    assert sessions(store) == ["new", "rose"]
    run(capsys, "--store", store.path, "--before", "2026-03-11", "--tz", "Pacific/Kiritimati", "--yes")
    assert sessions(store) == []
