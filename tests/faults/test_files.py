"""Whatever happens to the files, what they said is in the store once, and stays there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from agnes_stats.ingest import plan as plans
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root

from tests.faults.world import DAY, FOLDER, World, lines, shorter, talk
from tests.storing import open_folder
from tests.transcripts import Transcript, write


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# -- changed ---------------------------------------------------------------------------------------------------------


def truncated(file: Path) -> None:
    os.truncate(file, 0)


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


def test_another_start_of_the_same_length_is_noticed_by_itself(world: World) -> None:
    """The end that was read last is as it was, and more follows: only the start tells that this is another file."""
    before = world.file.read_text()
    world.file.write_text(
        before.replace("count the orders", "count the losses") + lines(talk("s1", 4)).splitlines()[-1]
    )
    world.catch_up()
    with world.store.read() as connection:
        texts = connection.execute("SELECT text FROM prompts ORDER BY text").fetchall()
    assert ("count the losses",) in texts


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
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.store import Store
import duckdb, tempfile, watchfiles
# Whoever is nobody may not read the folders of Python either.
from agnes_stats.ingest import backfill, upkeep
from agnes_stats.ingest.formats.claude import decoder, source
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
        for found in (world.store.path.parent, *world.store.path.parent.iterdir(), world.root, *world.root.rglob("*")):
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
