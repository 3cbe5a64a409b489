"""A store that knows nothing has its rollups made in memory, by another thread, while its facts are written."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import reading_ahead
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.load import FEW_ROWS
from agnes_stats.ingest.rollups import Touched
from agnes_stats.queries.store import Store, StoreError, Writer
from agnes_stats.queries.store.file import WriterAhead

from tests.faults.same import contents, difference
from tests.ingest.test_small_loads import statements_of
from tests.storing import store_in
from tests.transcripts import Transcript, write

ZONES = ("UTC", "Pacific/Auckland")


def session(name: str) -> Transcript:
    made = Transcript(name, "2026-03-01T22:00:00").prompt("count").command("tidy")
    for turn in range(3):
        bash, skill = f"{name}-b{turn}", f"{name}-s{turn}"
        made.wait(3600).response((bash, "Bash", {"command": "ls"}), (skill, "Skill", {"skill": "kit:tidy"}))
        made.wait(1).result(bash, error=True).result(skill)
    return made.title(f"Of {name}")


def cut() -> Transcript:
    """One that goes on after a response without its end."""
    return session("cut").wait(60).response(stop=None, tokens=(10, 2, 1000, 200)).wait(60).prompt("go on")


def with_a_subagent(name: str) -> list[Transcript]:
    call = f"{name}-a"
    made = session(name).wait(1).response((call, "Agent", {"subagent_type": "Explore", "prompt": "look"}))
    helper = Transcript(name, "2026-03-02T03:00:00", agent="x1").prompt("look").wait(5).response()
    return [made, helper.note("Explore", "look", call)]


def plain(folder: Path) -> None:
    write(folder, [session("s1"), session("s2"), *with_a_subagent("s3")])


def marked(folder: Path) -> None:
    write(folder, [session("s1"), cut()])


def copied(folder: Path) -> None:
    """Some of what is told is told by two files."""
    first = session("s1")
    write(folder, [first, session("s2")])
    fork = [row | {"sessionId": "fork"} for row in first.rows[:6]]
    (folder / "projects" / "-home-dana-work" / "fork.jsonl").write_text("".join(json.dumps(row) + "\n" for row in fork))


def astray(folder: Path) -> None:
    """A sub-agent names a session without rows; it lies with another one."""
    write(folder, [session("s1")])
    told = Transcript("gone", "2026-03-02T03:00:00", agent="x2").prompt("look").wait(5).response()
    file = folder / "projects" / "-home-dana-work" / "s1" / "subagents" / "agent-x2.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in told.rows))


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told = statements_of(tmp_path, monkeypatch)
    # As a long catch-up.
    monkeypatch.setattr("agnes_stats.ingest.engine.WORKER_FILES", 0)
    monkeypatch.setattr("agnes_stats.ingest.engine.COPY_BYTES", 0)
    monkeypatch.setattr("agnes_stats.ingest.engine.processors", lambda: 2)
    return told


def filled(folder: Path, root: Path, zones: tuple[str, ...] = ZONES) -> Store:
    folder.mkdir(exist_ok=True)
    store = store_in(folder)
    assert Engine(store, [Root("claude", root)], zones, workers=0).catch_up().loads == 1
    return store


def are_rolled_ahead(noted: list[str]) -> bool:
    return any("INSERT INTO sessions BY NAME FROM ahead_" in statement for statement in noted)


@pytest.mark.parametrize("few", [FEW_ROWS, 0])
@pytest.mark.parametrize(("told", "ahead"), [(plain, True), (marked, True), (copied, True), (astray, False)])
def test_rollups_made_in_memory_are_those_made_in_the_store(
    tmp_path: Path,
    noted: list[str],
    monkeypatch: pytest.MonkeyPatch,
    told: Callable[[Path], None],
    ahead: bool,
    few: int,
) -> None:
    monkeypatch.setattr("agnes_stats.ingest.load.FEW_ROWS", few)
    told(tmp_path / "claude")
    two = contents(filled(tmp_path / "two", tmp_path / "claude"))
    assert are_rolled_ahead(noted) is ahead
    noted.clear()
    monkeypatch.setattr("agnes_stats.ingest.engine.processors", lambda: 1)
    one = contents(filled(tmp_path / "one", tmp_path / "claude"))
    assert not are_rolled_ahead(noted)
    assert difference(one, two) == ""
    assert {len({row[0] for row in one[table]}) for table in ("tokens_daily", "tools_daily")} == {len(ZONES)}
    assert one["extensions_daily"]
    store = Store(tmp_path / "two" / "store.duckdb")
    with store.read() as reader:
        assert reader.value("SELECT count(*) FROM responses WHERE output_undercounted") == (told is marked)


def test_days_of_all_zones_that_the_store_keeps_are_made(tmp_path: Path, noted: list[str]) -> None:
    plain(tmp_path / "claude")
    (tmp_path / "empty").mkdir()
    (tmp_path / "two").mkdir()
    assert Engine(store_in(tmp_path / "two"), [Root("claude", tmp_path / "empty")], ZONES).catch_up().loads == 0
    two = filled(tmp_path / "two", tmp_path / "claude", ("UTC",))
    assert not are_rolled_ahead(noted)
    assert difference(contents(two), contents(filled(tmp_path / "one", tmp_path / "claude"))) == ""


def test_what_breaks_while_rollups_are_made_is_told_and_nothing_is_left(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain(tmp_path / "claude")

    def failing(*_: object, **__: object) -> bool:
        raise StoreError("it cannot be rolled up")

    with monkeypatch.context() as broken:
        broken.setattr(Touched, "rebuild", failing)
        with pytest.raises(StoreError, match="it cannot be rolled up"):
            filled(tmp_path / "two", tmp_path / "claude")
    store = Store(tmp_path / "two" / "store.duckdb")
    with store.read() as reader:
        assert reader.value("SELECT count(*) FROM responses") == 0
        assert reader.rows("SELECT database_name FROM duckdb_databases() WHERE database_name LIKE 'ahead%'") == []
    assert difference(contents(filled(tmp_path / "two", tmp_path / "claude")), contents(store)) == ""


def test_a_duckdb_is_not_ended_while_a_thread_asks_it(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain(tmp_path / "claude")
    asking, told = threading.Event(), []
    write_to = Store.write

    def endless(filling: reading_ahead._Filling) -> None:
        asking.set()
        try:
            filling._above.writer.rows("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b")
        except StoreError as error:
            told.append(error)
            raise

    @contextlib.contextmanager
    def ended(store: Store, *, ahead: WriterAhead | None = None, **how: Any) -> Iterator[Writer]:
        if ahead is not None:
            assert asking.wait(10.0)
            # As after a fault of DuckDB itself.
            store._instance.end()
            assert len(told) == 1
        with write_to(store, ahead=ahead, **how) as writer:
            yield writer

    with monkeypatch.context() as broken:
        broken.setattr(reading_ahead._Filling, "_roll_up", endless)
        broken.setattr(Store, "write", ended)
        two = filled(tmp_path / "two", tmp_path / "claude")
    assert difference(contents(two), contents(filled(tmp_path / "one", tmp_path / "claude"))) == ""


@pytest.mark.parametrize(("told", "read_again"), [(plain, "subagents"), (copied, "responses")])
def test_what_is_no_more_as_it_was_read_is_read_again_where_another_program_wrote_meanwhile(
    told: Callable[[Path], None], read_again: str, tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(tmp_path / "claude")
    write_to = Store.write
    others: list[Store] = []

    @contextlib.contextmanager
    def second(store: Store, *, ahead: WriterAhead | None = None, **how: Any) -> Iterator[Writer]:
        if ahead is not None and not others:
            others.append(Store(store.path))
            assert Engine(others[0], [Root("claude", tmp_path / "claude")], ZONES, workers=0).catch_up().loads == 1
            noted.clear()
        with write_to(store, ahead=ahead, **how) as writer:
            yield writer

    with monkeypatch.context() as met:
        met.setattr(Store, "write", second)
        two = filled(tmp_path / "two", tmp_path / "claude")
    assert others
    assert not are_rolled_ahead(noted)
    assert any(f"TEMP TABLE incoming_{read_again} AS SELECT" in statement for statement in noted)
    assert difference(contents(two), contents(filled(tmp_path / "one", tmp_path / "claude"))) == ""
