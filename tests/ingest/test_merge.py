"""Another machine's store, taken over: as if its files had been read here, once, and nothing else changes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import forget as out
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.team.merge import Merged, merge
from agnes_stats.queries.store import Store, StoreForeign
from agnes_stats.tui import cli

from tests.faults.same import contents, difference
from tests.storing import stays_open, store_in
from tests.team.people import cut, fork_of, talk
from tests.transcripts import Transcript, write

ORDERS = (("desk", "laptop", "vm"), ("laptop", "vm", "desk", "vm"))


def read_as(folder: Path, machines: dict[str, list[Transcript]]) -> dict[str, Path]:
    """The folder of each machine's transcripts, and there a store of them that knows of no machine."""
    stores = {}
    for name, told in machines.items():
        stores[name] = folder / name / "store.duckdb"
        write(folder / name / "claude", told)
        Engine(store_in(folder / name), [Root("claude", folder / name / "claude")], workers=0).catch_up()
    return stores


def as_here(store: Store, machines: list[str]) -> dict[str, list[Any]]:
    """What is in a store, paths of other machines' files by their names here; of files what we saw of the disk."""
    told = json.dumps({table: [list(row) for row in rows] for table, rows in contents(store).items()}, default=str)
    for name in machines:
        told = told.replace(f"{name}:/", "/")
    return {table: sorted(map(json.dumps, rows)) for table, rows in json.loads(told).items()}


def machines_apart() -> dict[str, list[Transcript]]:
    """What three machines have: some of it alike, not to its end, or as a fork."""
    return {
        "desk": [talk("s1", 9), fork_of(talk("s2", 10), "a-fork")],
        "laptop": [talk("s2", 10), cut(talk("s1", 9), 3), talk("s3", 11)],
        "vm": [fork_of(cut(talk("s3", 11), 4), "z-fork"), talk("s3", 11)],
    }


@pytest.mark.parametrize(
    "order", ["vm desk laptop desk", *(pytest.param(" ".join(order), marks=pytest.mark.long) for order in ORDERS)]
)
def test_it_is_as_if_all_files_had_been_read_here(tmp_path: Path, order: str) -> None:
    machines = machines_apart()
    stores = read_as(tmp_path, machines)
    into = store_in(tmp_path)
    for name in order.split():
        merge(into, stores[name], name)
    one = Store(tmp_path / "one.duckdb")
    Engine(one, [Root("claude", tmp_path / name / "claude", name) for name in machines], workers=0).catch_up()
    assert difference(as_here(into, [*machines]), as_here(one, [*machines])) == ""
    with one.read() as connection:
        assert connection.value("SELECT count(*) FROM responses WHERE rivals IS NOT NULL") > 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a laptop and of this machine, with what both fixtures below begin with."""
    folder = tmp_path_factory.mktemp("made")
    read_as(folder, {"laptop": [talk("ours", 9), talk("theirs", 11)], "here": [talk("ours", 9)]})
    return folder


@pytest.fixture
def laptop(tmp_path: Path, made: Path) -> Path:
    """A laptop's store: a session of its own, and one that is here, too."""
    return Path(shutil.copytree(made / "laptop", tmp_path / "laptop")) / "store.duckdb"


@pytest.fixture
def store(tmp_path: Path, made: Path) -> Store:
    """Ours, with one session."""
    shutil.copy(made / "here" / "store.duckdb", tmp_path)
    return Store(tmp_path / "store.duckdb")


def machines_of(store: Store, table: str) -> dict[str, Any]:
    with store.read() as connection:
        return dict(connection.rows(f"SELECT session_id, any_value(machine) FROM {table} GROUP BY 1"))


def test_what_both_have_counts_once_and_each_session_has_its_machine(store: Store, laptop: Path) -> None:
    merged = merge(store, laptop, "laptop")
    assert merged == Merged(2, 4, 1, 2)
    assert (merged.facts["responses"], merged.new["responses"], merged.new["prompts"]) == (4, 2, 1)
    again = merge(store, laptop, "laptop")
    assert again == Merged(2, 4, 0, 0)
    assert (again.facts, {*again.new.values()}) == (merged.facts, {0})
    for table in ("sessions", "responses", "tokens_daily", "tools_daily"):
        assert machines_of(store, table) == {"ours": None, "theirs": "laptop"}


def test_a_folder_of_another_machine_and_its_store_tell_the_same(store: Store, laptop: Path) -> None:
    Engine(store, [Root("claude", laptop.parent / "claude", "laptop")], workers=0).catch_up()
    before = contents(store, without=("files",))
    assert merge(store, laptop, "laptop").new_responses == 0
    after = contents(store, without=("files",))
    assert [after[table] for table in ("sessions", "tokens_daily")] == [
        before[table] for table in ("sessions", "tokens_daily")
    ]


def test_what_a_machine_had_from_another_one_keeps_that_one(tmp_path: Path, laptop: Path) -> None:
    desk = Store(tmp_path / "desk.duckdb")
    merge(desk, laptop, "laptop")
    into = store_in(tmp_path)
    merge(into, desk.path, "desk")
    assert machines_of(into, "sessions") == {"ours": "laptop", "theirs": "laptop"}
    before = contents(into)
    merge(into, laptop, "laptop")
    assert difference(contents(into), before) == ""


def test_the_other_store_stays_as_it_is(store: Store, laptop: Path) -> None:
    laptop.chmod(0o400)
    before = laptop.read_bytes()
    merge(store, laptop, "laptop")
    assert laptop.read_bytes() == before


def test_an_older_store_is_brought_up_to_date_in_a_copy(tmp_path: Path, store: Store, laptop: Path) -> None:
    with Store(laptop).write() as connection:
        connection.execute("ALTER TABLE subagents RENAME TO agents")
        connection.execute("UPDATE meta SET value = '9' WHERE name = 'store_version'")
    before = laptop.read_bytes()
    assert merge(store, laptop, "laptop").new_sessions == 1
    assert laptop.read_bytes() == before


def test_what_the_other_one_left_readable_is_blotted_out(store: Store, laptop: Path) -> None:
    with Store(laptop).write() as connection:
        connection.execute("UPDATE prompts SET text = 'use password=hunter2hunter2 please'")
        connection.execute("UPDATE meta SET value = '0' WHERE name = 'redactor'")
    merge(store, laptop, "laptop")
    with store.read() as connection:
        texts = [text for (text,) in connection.rows("SELECT text FROM prompts WHERE session_id = 'theirs'")]
    assert texts
    assert "hunter2" not in str(texts)


def test_what_is_forgotten_here_stays_forgotten(store: Store, laptop: Path) -> None:
    merge(store, laptop, "laptop")
    out.forget(store, out.Forgettable(("theirs",)))
    assert merge(store, laptop, "laptop").new_sessions == 0
    assert set(machines_of(store, "sessions")) == {"ours"}


def test_facts_of_files_that_are_gone_there_come_and_stay_and_are_backed_up(
    made: Path, store: Store, laptop: Path
) -> None:
    shutil.rmtree(laptop.parent / "claude")
    engine = Engine(store, [Root("claude", made / "here" / "claude")], workers=0)
    assert not store.back_up()
    merge(store, laptop, "laptop")
    before = contents(store)
    engine.catch_up(rebuild=True)
    assert difference(contents(store), before) == ""
    assert Store(store.path).back_up()


def test_a_merge_that_fails_leaves_nothing(store: Store, laptop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agnes_stats.ingest.rollups import Touched

    stays_open(store)
    before = contents(store, without=("meta", "zones", "rates", "models"))

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Touched, "rebuild", fail)
    with pytest.raises(KeyboardInterrupt):
        merge(store, laptop, "laptop")
    assert difference(before, contents(store)) == ""
    monkeypatch.undo()
    assert merge(store, laptop, "laptop").new_sessions == 1


@pytest.mark.parametrize("teams", ["laptop", "store"])
def test_a_teams_store_is_neither_taken_over_nor_added_to(store: Store, laptop: Path, teams: str) -> None:
    with Store(laptop if teams == "laptop" else store.path).write() as connection:
        connection.execute("INSERT INTO meta VALUES ('team_inbox', 'x')")
    with pytest.raises(StoreForeign, match="is a team's store"):
        merge(store, laptop, "laptop")


# -- the command -------------------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], store: Store, *words: str) -> tuple[int, str]:
    status = cli.main(["merge", *words, "--store", str(store.path)])
    told = capsys.readouterr()
    return status, told.out + told.err


def test_the_file_names_the_machine(
    tmp_path: Path, store: Store, laptop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = tmp_path / "mini.duckdb"
    shutil.copy(laptop, named)
    status, told = said(capsys, store, str(named))
    assert (status, "machine mini: 2 sessions, 4 responses; new of them: 1 session, 2 responses" in told) == (0, True)
    status, told = said(capsys, store, str(laptop), "--machine", "mini", "--json")
    answer = json.loads(told)
    facts = answer.pop("facts")
    assert (facts["responses"], facts["prompts"]) == (4, 2)
    assert answer.pop("new")["responses"] == 0 and answer.pop("from") == str(laptop)
    assert answer == {
        "machine": "mini",
        "sessions": 2,
        "responses": 4,
        "new_sessions": 0,
        "new_responses": 0,
        "store": str(store.path),
    }
    assert machines_of(store, "sessions") == {"ours": None, "theirs": "mini"}


def test_what_cannot_be_merged_is_told_in_a_line(
    tmp_path: Path, store: Store, laptop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    for words, status, line in (
        ((), 2, "merge what?"),
        ((str(laptop),), 2, f"which machine is {laptop} of? Say --machine NAME"),
        ((str(store.path), "--machine", "me"), 2, "is the store itself"),
        ((str(laptop), "--machine", " "), 2, "is no name of a machine"),
        ((str(tmp_path / "gone.duckdb"),), 1, f"there is no store at {tmp_path / 'gone.duckdb'}"),
        ((str(tmp_path / "notes.txt"),), 1, "cannot be read as a store"),
        ((str(tmp_path),), 1, "name a file with --store"),
    ):
        found, told = said(capsys, store, *words)
        assert (found, told.count("\n"), line in told) == (status, 1, True), told
    assert not (tmp_path / "gone.duckdb").exists()
