"""Links that lead anywhere do not have the disk listed; what is left out is told."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.ingest import walk as walks
from agnes_stats.ingest.agnes.tables import read_sync_state
from agnes_stats.ingest.walk import walk, walking
from agnes_stats.tui import cli

from tests.faults.world import World
from tests.ingest.agnes_files import parquet, put
from tests.transcripts import Transcript, write


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The real folders that are listed."""
    found: list[str] = []
    scandir = os.scandir

    def note(path: str | int) -> object:
        if not isinstance(path, int):
            found.append(os.path.realpath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", note)
    return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def names(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Names of the files below a folder, and what was left out, by name."""
    with walking() as told:
        found = sorted(entry.name for entry in walk(folder))
    return found, {Path(path).name: why for path, why in told.left_out.items()}


def put_link(at: Path, to: Path | str) -> Path:
    at.symlink_to(to)
    return at


@pytest.mark.parametrize("where", ["root", "projects", "inside", "through another", "above the root"])
def test_a_link_to_the_whole_disk_is_not_followed_and_that_is_told(
    where: str, tmp_path: Path, listed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "claude"
    if where == "root":
        link = put_link(root, "/")
    elif where == "projects":
        root.mkdir()
        link = put_link(root / "projects", "/")
    else:
        write(root, [Transcript("s1", "2026-03-10T09:00:00").prompt("hello").response()])
        aside = tmp_path / "aside"
        if where == "through another":
            aside.mkdir()
            put_link(root / "projects" / "aside", aside)
            put_link(aside / "disk", "/")
            link = root / "projects" / "aside" / "disk"
        else:
            link = put_link(root / "projects" / "disk", "/" if where == "inside" else tmp_path)
    options = ["--store", str(tmp_path / "data" / "s.duckdb"), "--source", f"claude={root}"]
    assert cli.main(["doctor", "--json", *options]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["problems"] == [f"{link} is not listed: it leads to a folder above it"]
    # Where Python's own packages lie is looked up, too.
    assert not [path for path in listed if not path.startswith(str(tmp_path)) and "site-packages" not in path]
    assert str(tmp_path) not in listed
    assert cli.main(["sessions", "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == (where not in ("root", "projects"))
    # What is known is not noted again and again.
    assert cli.main(["ingest", "--json", *options]) == 0


def test_links_round_and_round_are_listed_once_and_not_worth_telling(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    put(inner / "x", "")
    for number, target in enumerate((tmp_path, tmp_path / "a", inner, "..", ".")):
        put_link(inner / f"link{number}", target)
    assert names(tmp_path) == (["x"], {})


def test_folders_of_the_system_and_of_other_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "disk" / "x", "")
    put(tmp_path / "root" / "real" / "y", "")
    put_link(tmp_path / "root" / "linked", tmp_path / "disk")
    put_link(tmp_path / "root" / "proc", "/proc")
    assert names(tmp_path / "root") == (["x", "y"], {"proc": walks.SYSTEM})
    monkeypatch.setattr(walks, "_device_of", lambda _: -1)
    assert names(tmp_path / "root") == (["y"], {"proc": walks.SYSTEM, "linked": walks.ELSEWHERE})
    # The root itself may be a link to anywhere.
    assert names(put_link(tmp_path / "named", tmp_path / "disk")) == (["x"], {})


def test_depth_and_number_have_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "root" / Path(*"abcdefghijklmnopqrst")
    put(deep / "too-deep", "")
    put(deep.parents[3] / "deep", "")
    found, left_out = names(tmp_path / "root")
    assert (found, left_out) == (["deep"], {"q": walks.DEEP})
    for number in range(9):
        put(tmp_path / "many" / str(number) / str(number), "")
    put_link(tmp_path / "root" / "many", tmp_path / "many")
    assert len(names(tmp_path / "root")[0]) == 10
    monkeypatch.setattr(walks, "MOST_LINKED", 5)
    found, left_out = names(tmp_path / "root")
    assert (len(found), list(left_out.values())) == (5, [walks.DEEP, walks.MANY])


def test_a_walk_ends_when_it_is_told_to(tmp_path: Path) -> None:
    for number in range(50):
        put(tmp_path / str(number) / "x", "")

    def listed(stop: threading.Event) -> Iterator[str]:
        with walking(stop):
            for entry in walk(tmp_path):
                yield entry.path

    stop = threading.Event()
    found = []
    for path in listed(stop):
        found.append(path)
        stop.set()
    assert len(found) == 1
    huge = tmp_path / "huge"
    for number in range(3000):
        put(huge / str(number), "")
    assert list(listed(stop)) == []


def test_a_link_that_is_mended_is_read_and_told_no_more(world: World) -> None:
    link = put_link(world.file.parent.with_name("-disk"), "/")
    world.catch_up()
    assert world.errors() == ["is not listed: it leads to a folder above it"]
    link.unlink()
    write(world.root, [Transcript("s2", "2026-03-10T09:00:00").prompt("hello").response()], "-disk")
    world.catch_up()
    assert (world.count(), world.count("files WHERE error IS NOT NULL AND gone_at IS NULL")) == (4, 0)
    shutil.rmtree(link)
    put_link(link, "/")
    world.catch_up()
    assert world.count("files WHERE error IS NOT NULL AND gone_at IS NULL") == 1
    link.unlink()
    world.catch_up()
    assert world.count("files WHERE error IS NOT NULL AND gone_at IS NULL") == 0


def test_a_link_that_is_noticed_while_it_runs_is_not_followed_either(world: World, listed: list[str]) -> None:
    link = put_link(world.file.parent.with_name("-disk"), "/")
    assert world.engine.below(link) == []
    assert listed == []


def test_tables_of_a_workspace(tmp_path: Path, listed: list[str]) -> None:
    parquet_folder = tmp_path / "shop" / "server" / "parquet"
    parquet(parquet_folder / "orders" / "1.parquet", 10, "2026-03-10T09:00:00")
    put_link(parquet_folder / "all", "/")
    put_link(parquet_folder / "orders" / "more", "/")
    state = read_sync_state(tmp_path / "shop", tmp_path)
    assert [(table.table_id, table.size_bytes) for table in state.tables] == [("orders", 10)]
    assert [(problem.path, problem.reason) for problem in state.problems] == [
        (str(parquet_folder / "all"), "is not listed: it leads to a folder above it")
    ]
    shutil.rmtree(parquet_folder)
    put_link(parquet_folder, "/")
    assert [problem.path for problem in read_sync_state(tmp_path / "shop", tmp_path).problems] == [str(parquet_folder)]
    assert not [path for path in listed if not path.startswith(str(tmp_path))]
