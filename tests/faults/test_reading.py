"""Whatever happens to the reader, a file's facts are in the store once."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import work
from agnes_stats.ingest.copies import can_be_copied
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import SOURCES, Root, SourceFile
from agnes_stats.ingest.work import Workers, WorkTask
from agnes_stats.ingest.worker import NICENESS
from agnes_stats.queries.store import Store

from tests.faults.same import contents, difference
from tests.faults.world import World, shorter, talk
from tests.storing import until
from tests.transcripts import store_of, write


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# -- faults of our own -----------------------------------------------------------------------------------------------


def test_a_parser_that_fails_on_one_file_costs_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write(world.root, [talk("bad"), talk("good")])
    read = SOURCES["claude"].read

    def fail(file: SourceFile, *rest: object) -> object:
        if file.path.stem == "bad":
            raise KeyError("surprise")
        return read(file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SOURCES["claude"], "read", fail)
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


@pytest.mark.parametrize("has_copies", [True, False])
def test_a_worker_that_dies_costs_nothing(
    world: World, tmp_path: Path, has_copies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker is a copy of this process, or a Python of its own where the system knows no copies."""
    if not has_copies:
        monkeypatch.delattr("os.fork")
    file = world.engine.recognise(world.file)
    assert file is not None
    with Workers(1) as workers:
        assert isinstance(workers._all[0], work._CopiedWorker) == has_copies
        workers._all[0].end()
        for number in range(2):
            done = workers.submit(WorkTask(str(number), str(tmp_path), [(file, None)])).result()
            assert done.results[0].watermark.read_to == world.file.stat().st_size
        assert len(workers._all) == 2


def test_a_copy_has_nothing_open_but_what_it_is_told_by(world: World) -> None:
    """It would hold a lock, or a terminal, for longer than this process does."""
    with world.store.read(), Workers(2) as workers:
        assert len(workers._all) == 2
        for worker in workers._all:
            assert isinstance(worker, work._CopiedWorker)
            of_it = Path(f"/proc/{worker._process}/fd")
            until(partial(_has_open, of_it, {"0", "1", "2"}))
            assert (of_it / "2").readlink() == Path("/dev/null")


def _has_open(of_it: Path, names: set[str]) -> bool:
    return {each.name for each in of_it.iterdir()} == names


def test_a_thread_of_a_dashboard_makes_no_copies() -> None:
    with ThreadPoolExecutor(1) as threads:
        assert (can_be_copied(), threads.submit(can_be_copied).result()) == (True, False)


def test_a_copy_ends_by_itself_when_it_is_told_nothing_more(world: World) -> None:
    with Workers(2) as workers:
        first = workers._all[0]
        assert isinstance(first, work._CopiedWorker)
        first.tasks.close()
        until(lambda: os.waitpid(first._process, os.WNOHANG)[0] == first._process)


def test_a_worker_imports_nothing_from_where_the_user_stands(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "repository"
    (here / "agnes_stats" / "ingest").mkdir(parents=True)
    for name in ("msgspec.py", "agnes_stats/__init__.py", "agnes_stats/ingest/__init__.py"):
        (here / name).write_text(f"open({str(tmp_path / 'trapped')!r}, 'w')")
    monkeypatch.chdir(here)
    monkeypatch.delattr("os.fork")
    file = world.engine.recognise(world.file)
    assert file is not None
    with Workers(1) as workers:
        workers.submit(WorkTask("t", str(tmp_path), [(file, None)])).result()
        assert isinstance(workers._all[0], work._StartedWorker)
        # Beside a dashboard, where alone they are needed here: its screen comes first.
        of_it = os.getpriority(os.PRIO_PROCESS, workers._all[0]._process.pid)
        assert of_it == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
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
    monkeypatch.setattr(type(SOURCES["claude"]), "version", SOURCES["claude"].version + 1)
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
    monkeypatch.setattr("agnes_stats.ingest.work.STRETCH", 8000)
    summary = world.catch_up()
    assert (summary.files, summary.loads > 2) == (1, True)
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
    seen: list[Any] = []
    summary = Engine(other, [Root("claude", world.root)], workers=2).catch_up(report=seen.append)
    assert (summary.files, seen[0].files, seen[-1].ratio) == (8, 8, 1.0)
    assert difference(before, contents(other)) == ""
    assert [file.name for file in other.path.parent.glob(".agnes-stats-*")] == []
