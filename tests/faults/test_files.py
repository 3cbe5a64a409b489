"""Whatever happens to the files, what they said is in the store once, and stays there."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from agnes_stats.ingest import plan as plans
from agnes_stats.ingest import tail
from agnes_stats.ingest.engine import Engine, Summary
from agnes_stats.ingest.sources import ADAPTERS, Root
from agnes_stats.ingest.work import Task, Workers
from agnes_stats.queries.store import Store

from tests.faults.same import contents, difference
from tests.test_store import open_folder
from tests.transcripts import Transcript, store_of, write

DAY = "2026-03-10T09:00:00"
FOLDER = "projects/-home-dana-work"


def talk(session: str = "s1", responses: int = 3) -> Transcript:
    transcript = Transcript(session, DAY).prompt("count the orders")
    for _ in range(responses):
        transcript.wait(10).response()
    return transcript


class World:
    """A folder of transcripts, and the store that follows it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "claude"
        write(self.root, [talk()])
        self.store = Store(folder / "data" / "store.duckdb")
        self.engine = Engine(self.store, [Root("claude", self.root)], workers=1)
        self.engine.catch_up()

    @property
    def file(self) -> Path:
        return self.root / FOLDER / "s1.jsonl"

    def catch_up(self) -> Summary:
        return self.engine.catch_up()

    def count(self, what: str = "responses") -> int:
        with self.store.read() as connection:
            row = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
        assert row is not None
        return int(row[0])

    def gone(self) -> list[str]:
        with self.store.read() as connection:
            rows = connection.execute("SELECT path FROM files WHERE gone_at IS NOT NULL ORDER BY path").fetchall()
        return [Path(path).name for (path,) in rows]

    def errors(self) -> list[str]:
        with self.store.read() as connection:
            return [error for (error,) in connection.execute("SELECT error FROM files WHERE error <> ''").fetchall()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def lines(transcript: Transcript) -> str:
    return "".join(json.dumps(row) + "\n" for row in transcript.rows)


# -- changed ---------------------------------------------------------------------------------------------------------


def truncated(file: Path) -> None:
    os.truncate(file, 0)


def shorter(file: Path) -> None:
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))


def longer(file: Path) -> None:
    file.write_text(lines(Transcript("other", DAY).prompt("a word that was not there before")) + file.read_text())


def same_size(file: Path) -> None:
    file.write_text(file.read_text().replace("count the orders", "count all orders"))


def replaced_by_rename(file: Path) -> None:
    new = file.with_suffix(".new")
    new.write_text(file.read_text())
    new.rename(file)


def deleted(file: Path) -> None:
    file.unlink()


def moved(file: Path) -> None:
    file.parent.with_name("-home-dana-elsewhere").mkdir()
    file.rename(file.parent.with_name("-home-dana-elsewhere") / file.name)


def folder_renamed(file: Path) -> None:
    file.parent.rename(file.parent.with_name("-renamed"))


def hard_linked(file: Path) -> None:
    file.with_name(f"{file.stem}-again.jsonl").hardlink_to(file)


def linked_twice(file: Path) -> None:
    for name in ("-one", "-two"):
        file.parent.with_name(name).symlink_to(file.parent)


def copied(file: Path) -> None:
    shutil.copy(file, file.with_name("copy.jsonl"))


CHANGES = (
    truncated,
    shorter,
    longer,
    same_size,
    replaced_by_rename,
    deleted,
    moved,
    folder_renamed,
    hard_linked,
    linked_twice,
    copied,
)


def test_facts_are_neither_lost_nor_doubled(world: World) -> None:
    for change in CHANGES:
        write(world.root, [talk(change.__name__)], f"-{change.__name__}")
    world.catch_up()
    for change in CHANGES:
        change(world.root / "projects" / f"-{change.__name__}" / f"{change.__name__}.jsonl")
    world.catch_up()
    with world.store.read() as connection:
        responses = connection.execute("SELECT session_id, count(*) FROM responses GROUP BY 1").fetchall()
        prompts = connection.execute("SELECT session_id, count(*) FROM prompts GROUP BY 1").fetchall()
    names = ["s1", *(change.__name__ for change in CHANGES)]
    assert dict(responses) == dict.fromkeys(names, 3)
    assert dict(prompts) == dict.fromkeys([*names, "other"], 1)


def test_what_follows_a_rewritten_start_is_read(world: World) -> None:
    shorter(world.file)
    with world.file.open("a") as file:
        file.write(lines(talk("s9", 1)).splitlines(keepends=True)[-1])
    world.catch_up()
    assert world.count() == 4


# -- gone and back ---------------------------------------------------------------------------------------------------


def test_a_deleted_file_is_marked_and_its_facts_stay(world: World) -> None:
    world.file.unlink()
    assert world.catch_up().gone == 1
    assert world.gone() == ["s1.jsonl"]
    assert world.catch_up().gone == 0


def test_a_file_that_comes_back_unchanged_is_not_read_again(world: World) -> None:
    away = world.root / "away.jsonl"
    world.file.rename(away)
    world.catch_up()
    away.rename(world.file)
    assert world.catch_up().files == 0
    assert world.gone() == []


def test_an_unmounted_root_takes_nothing_with_it(world: World) -> None:
    away = world.root.with_name("away")
    world.root.rename(away)
    assert world.catch_up().gone == 0
    away.rename(world.root)
    assert world.catch_up().files == 0


def test_an_empty_mount_point_and_back(world: World) -> None:
    away = world.root.with_name("away")
    world.root.rename(away)
    world.root.mkdir()
    assert world.catch_up().gone == 1
    world.root.rmdir()
    away.rename(world.root)
    assert world.catch_up().files == 0
    assert world.gone() == []


def test_a_file_that_vanishes_between_listing_and_reading(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write(world.root, [talk("s2")])
    listed = plans.plan

    def then_delete(*given: object, **named: object) -> plans.Plan:
        made = listed(*given, **named)  # type: ignore[arg-type]
        for job in made.jobs:
            job.file.path.unlink()
        return made

    monkeypatch.setattr("agnes_stats.ingest.engine.plan", then_delete)
    assert world.catch_up().files == 0
    assert world.count() == 3


# -- names -----------------------------------------------------------------------------------------------------------


def test_of_several_names_one_is_read(world: World) -> None:
    hard_linked(world.file)
    linked_twice(world.file)
    assert world.catch_up().files == 0
    for name in ("-home-dana-work/s1-again.jsonl", "-one/s1.jsonl"):
        alias = world.engine.recognise(world.root / "projects" / name)
        assert alias is not None
        assert world.engine.ingest([alias]).files == 0
    assert world.count("files") == 1


def test_when_the_name_that_was_read_goes_the_other_takes_over(world: World) -> None:
    hard_linked(world.file)
    world.catch_up()
    world.file.unlink()
    world.catch_up()
    assert (world.count(), world.count("files WHERE gone_at IS NULL")) == (3, 1)


def test_a_path_told_without_the_links_that_lead_to_it_is_recognised(world: World, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(world.root)
    engine = Engine(world.store, [Root("claude", link)])
    file = engine.recognise(world.file)
    assert file is not None
    assert file.path == link / FOLDER / "s1.jsonl"


# -- out of reach ----------------------------------------------------------------------------------------------------

AS_NOBODY = """
import os, sys
from pathlib import Path
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.sources import Root
from agnes_stats.queries.store import Store
import duckdb, tempfile, watchfiles
folder = Path(sys.argv[1])
store = Store(folder / "data" / "store.duckdb")
engine = Engine(store, [Root("claude", folder / "claude")], workers=1)
if os.geteuid() == 0:
    os.seteuid(65534)
def look():
    engine.catch_up()
    with store.read() as connection:
        print(connection.execute("SELECT count(*), count(error), count(gone_at) FROM files").fetchone(), flush=True)
look()
sys.stdin.readline()
look()
"""


@pytest.mark.parametrize("what", ["", "s1.jsonl"], ids=["folder", "file"])
def test_permissions_taken_away_and_given_back(what: str) -> None:
    with open_folder() as folder:
        world = World(folder)
        for found in (world.store.path.parent, world.store.path, world.root, *world.root.rglob("*")):
            found.chmod(0o777)
        with world.file.open("a") as file:
            file.write(lines(talk("s9", 1)).splitlines(keepends=True)[-1])
        (world.file.parent / what).chmod(0)
        run = subprocess.Popen(
            [sys.executable, "-c", AS_NOBODY, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert run.stdout is not None
        assert run.stdout.readline() == "(1, 1, 0)\n"
        (world.file.parent / what).chmod(0o777)
        assert run.communicate("\n")[0] == "(1, 0, 0)\n"
        assert world.count() == 4


# -- faults of our own -----------------------------------------------------------------------------------------------


def test_a_parser_that_fails_on_one_file_costs_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write(world.root, [talk("bad"), talk("good")])
    parser = ADAPTERS["claude"].parser

    def fail(file: plans.SourceFile, *rest: object) -> object:
        if file.path.stem == "bad":
            raise KeyError("surprise")
        return parser(file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ADAPTERS["claude"], "parser", fail)
    world.catch_up()
    assert world.count() == 6
    assert world.errors() == ["cannot be parsed: KeyError: 'surprise'"]
    loads = world.catch_up().loads
    assert loads == 0
    monkeypatch.undo()
    world.catch_up()
    assert (world.count(), world.errors()) == (9, [])


def test_nothing_is_written_when_nothing_is_new(world: World) -> None:
    file = world.engine.recognise(world.file)
    assert file is not None
    before = world.store.stamp()
    world.engine.ingest([file])
    world.catch_up()
    assert world.store.stamp() == before


def test_a_worker_that_dies_costs_nothing(world: World, tmp_path: Path) -> None:
    file = world.engine.recognise(world.file)
    assert file is not None
    with Workers(1) as workers:
        workers._all[0]._process.kill()
        workers._all[0]._process.wait()
        for number in range(2):
            done = workers.submit(Task(str(number), str(tmp_path), [(file, None)])).result()
            assert done.stretches[0].mark.read_to == world.file.stat().st_size
        assert len(workers._all) == 2


def test_a_worker_imports_nothing_from_where_the_user_stands(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "repository"
    (here / "agnes_stats" / "ingest").mkdir(parents=True)
    for name in ("msgspec.py", "agnes_stats/__init__.py", "agnes_stats/ingest/__init__.py"):
        (here / name).write_text(f"open({str(tmp_path / 'trapped')!r}, 'w')")
    monkeypatch.chdir(here)
    file = world.engine.recognise(world.file)
    assert file is not None
    with Workers(1) as workers:
        workers.submit(Task("t", str(tmp_path), [(file, None)])).result()
        assert len(workers._all) == 1
    assert not (tmp_path / "trapped").exists()


# -- a newer parser --------------------------------------------------------------------------------------------------


def test_a_newer_parser_upgrades_what_is_on_disk_and_keeps_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(world.root, [talk("s2"), talk("cut")])
    world.catch_up()
    world.file.unlink()
    shorter(world.file.with_name("cut.jsonl"))
    world.catch_up()
    with world.store.write() as connection:
        connection.execute("UPDATE prompts SET text = 'as the old parser saw it'")
        connection.execute("INSERT INTO events (id, path, pos, kind) SELECT 'old ' || path, path, 1, 'old' FROM files")
    monkeypatch.setattr(type(ADAPTERS["claude"]), "version", ADAPTERS["claude"].version + 1)
    assert world.catch_up().files == 2
    with world.store.read() as connection:
        texts = connection.execute("SELECT session_id, text FROM prompts ORDER BY 1").fetchall()
        events = connection.execute("SELECT path FROM events WHERE kind = 'old'").fetchall()
    assert texts == [("cut", "count the orders"), ("s1", "as the old parser saw it"), ("s2", "count the orders")]
    assert events == [(str(world.file),)]
    assert world.count() == 9
    assert world.catch_up().files == 0


def test_a_rebuild_changes_nothing(world: World) -> None:
    write(world.root, [talk("s2"), talk("s3")])
    world.catch_up()
    world.file.unlink()
    world.catch_up()
    before = contents(world.store)
    assert world.engine.catch_up(rebuild=True).files == 2
    assert difference(before, contents(world.store)) == ""


def test_a_rebuild_sets_a_damaged_store_aside(world: World) -> None:
    before = contents(world.store)
    world.store.path.write_bytes(b"x" * 20000)
    summary = world.engine.catch_up(rebuild=True)
    assert summary.set_aside is not None
    assert summary.set_aside.read_bytes() == b"x" * 20000
    assert difference(before, contents(world.store)) == ""


# -- in portions, by several -----------------------------------------------------------------------------------------


def test_two_engines_at_once_make_the_same_store_as_one(tmp_path: Path) -> None:
    talks = [talk(f"s{number}") for number in range(12)]
    alone = store_of(tmp_path / "alone", talks)
    shutil.copytree(tmp_path / "alone" / "claude", tmp_path / "both" / "claude")
    both = Store(tmp_path / "both" / "store.duckdb")
    engines = [Engine(both, [Root("claude", tmp_path / "both" / "claude")], workers=1) for _ in range(2)]
    threads = [threading.Thread(target=engine.catch_up) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(contents(both)["responses"]) == len(contents(alone)["responses"]) == 36
    assert [row[2:] for row in contents(both)["sessions"]] == [row[2:] for row in contents(alone)["sessions"]]


def test_a_huge_file_is_read_in_stretches(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(world.root, [talk("big", 40)])
    monkeypatch.setattr(tail.read_stretch, "__defaults__", (8000,))
    assert world.catch_up().loads > 2
    once = store_of(tmp_path / "once", [talk("big", 40)])
    assert [row[7:] for row in contents(once)["sessions"]] == [
        row[7:] for row in contents(world.store)["sessions"] if row[0] == "big"
    ]


def test_a_backfill_by_worker_processes_makes_the_same_store(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write(world.root, [talk(f"s{number}", 5) for number in range(2, 9)])
    world.catch_up()
    before = contents(world.store)
    monkeypatch.setattr("agnes_stats.ingest.engine.WORKER_BYTES", 0)
    monkeypatch.setattr("agnes_stats.ingest.backfill.TASK_BYTES", 1)
    other = Store(world.store.path.with_name("other.duckdb"))
    seen = []
    summary = Engine(other, [Root("claude", world.root)], workers=2).catch_up(report=seen.append)
    assert (summary.files, seen[0].files, seen[-1].ratio) == (8, 8, 1.0)
    assert difference(before, contents(other)) == ""
    assert [file.name for file in other.path.parent.glob(".agnes-stats-*")] == []
