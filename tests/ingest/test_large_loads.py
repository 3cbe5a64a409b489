"""A load of much takes few statements, each over all of its rows, and leaves DuckDB as it was."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from agnes_stats.ingest import load
from agnes_stats.ingest.backfill import Backfill
from agnes_stats.ingest.engine import MUCH_BYTES, Engine, IngestSummary
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.load import FEW_ROWS
from agnes_stats.ingest.work import Workers, _CopiedWorker
from agnes_stats.queries.schema import Fact
from agnes_stats.queries.store import Store, StoreError, Writer
from agnes_stats.queries.store.file import WriterAhead
from agnes_stats.queries.store.gate import Gate
from agnes_stats.queries.store.instance import OpenStore
from agnes_stats.queries.store.starting import is_second

from tests.faults.same import contents, difference
from tests.ingest.test_small_loads import statements_of
from tests.storing import BESIDE, store_in
from tests.transcripts import Transcript

SESSIONS = 6

TAKEN_IN = re.compile(r"CREATE OR REPLACE (TEMP )?TABLE \S*incoming_\w+ AS SELECT")
"""Reads the rows of a fact that come."""


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told = statements_of(tmp_path, monkeypatch)
    # As a long catch-up, in many small tasks that are loaded at once.
    monkeypatch.setattr("agnes_stats.ingest.engine.WORKER_FILES", 0)
    monkeypatch.setattr("agnes_stats.ingest.engine.COPY_BYTES", 0)
    monkeypatch.setattr("agnes_stats.ingest.backfill.LEAST_BYTES", 0)
    monkeypatch.setattr("agnes_stats.ingest.backfill.TASK_FILES", 1)
    return told


def written(folder: Path, *, responses: int = 1) -> Root:
    for number in range(SESSIONS):
        told = Transcript(f"s{number}", f"2026-03-0{number + 1}T12:00:00")
        for call in (f"c{turn}" for turn in range(responses)):
            told.prompt("look around").wait(1).response((call, "Bash", {"command": "ls"})).wait(1).result(call, "a b")
        file = folder / "projects" / "-home-dana-work" / told.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in told.rows))
    return Root("claude", folder)


def filled(store: Store, root: Root, *, loads: int = 1) -> None:
    assert Engine(store, [root], workers=0).catch_up().loads == loads


def test_rows_of_a_table_are_read_at_once(tmp_path: Path, noted: list[str]) -> None:
    store = store_in(tmp_path)
    filled(store, written(tmp_path / "claude"))
    read = [statement.split("read_json([")[1].split("]")[0] for statement in noted if "read_json([" in statement]
    assert len(read) == len(set(read)) >= 5
    assert not [files for files in read if "," in files]
    with store.read() as reader:
        assert reader.rows("SELECT count(*), count(DISTINCT path) FROM responses") == [(SESSIONS, SESSIONS)]


def test_responses_are_kept_in_the_order_in_which_they_were_read(tmp_path: Path, noted: list[str]) -> None:
    store = store_in(tmp_path)
    filled(store, written(tmp_path / "claude", responses=3))
    with store.read() as reader:
        kept = reader.rows("SELECT path, pos FROM responses ORDER BY rowid")
    # The newest file is read first.
    assert kept == sorted(kept, key=lambda place: (-int(place[0][-7]), place[1]))
    assert len(kept) == 3 * SESSIONS


def test_rows_are_read_before_others_have_to_wait(tmp_path: Path, noted: list[str]) -> None:
    store = store_in(tmp_path)
    filled(store, written(tmp_path / "claude"))
    taken_in = [number for number, statement in enumerate(noted) if TAKEN_IN.search(statement)]
    begun = [number for number, statement in enumerate(noted) if statement == "BEGIN" and number > taken_in[0]]
    assert len(taken_in) >= 4
    assert taken_in[-1] < begun[0]
    assert [sum(statement == told for statement in noted) for told in ("SET threads = 1", "RESET threads")] == [1, 1]


def test_rows_that_another_duckdb_has_read_are_read_again(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = written(tmp_path / "claude")
    (tmp_path / "ended").mkdir()
    ended, known = store_in(tmp_path / "ended"), store_in(tmp_path)
    write = Store.write

    @contextlib.contextmanager
    def anew(store: Store, *, ahead: WriterAhead | None = None, **how: Any) -> Iterator[Writer]:
        if ahead is not None:
            # As after a fault of DuckDB itself.
            store._instance.end()
        with write(store, ahead=ahead, **how) as writer:
            yield writer

    filled(known, root)
    monkeypatch.setattr(Store, "write", anew)
    noted.clear()
    filled(ended, root)
    assert sum(bool(TAKEN_IN.search(statement)) and "incoming_responses" in statement for statement in noted) == 2
    assert difference(contents(ended), contents(known)) == ""


SETTINGS = ("threads", "checkpoint_threshold", "enable_optimistic_write") if is_second() else ("threads",)


def settings_of(store: Store) -> list[object]:
    with store.read() as reader:
        return [reader.value(f"SELECT current_setting('{name}')") for name in SETTINGS]


def other_root(folder: Path, root: Root) -> Root:
    """Another folder, with copies of what is in a root, as another session tells it, and more."""
    copies = written(folder, responses=3)
    told = next(root.path.rglob("s3.jsonl")).read_text().splitlines()
    rows = [json.loads(line) | {"sessionId": "fork"} for line in told]
    file = next(copies.path.rglob("s0.jsonl")).with_name("fork.jsonl")
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return copies


@pytest.mark.parametrize("few", [FEW_ROWS, 0])
def test_two_threads_read_what_one_would(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("agnes_stats.ingest.load.FEW_ROWS", few)
    roots = [first := written(tmp_path / "claude"), other_root(tmp_path / "more", first)]
    stores = []
    for count in (1, 2):
        monkeypatch.setattr("agnes_stats.ingest.engine.processors", lambda count=count: count)
        (tmp_path / str(count)).mkdir()
        stores.append(store_in(tmp_path / str(count)))
        noted.clear()
        assert Engine(stores[-1], roots, workers=0).catch_up().loads == 1
        assert any("TABLE ahead_" in statement for statement in noted) is (count == 2)
    one, two = stores
    assert difference(contents(one), contents(two)) == ""
    with two.read() as reader:
        assert reader.value("SELECT count(rivals) FROM responses")


def test_rows_that_are_read_are_merged_with_what_another_program_wrote_meanwhile(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(tmp_path / "claude")
    roots = [first, other_root(tmp_path / "more", first)]
    monkeypatch.setattr("agnes_stats.ingest.engine.processors", lambda: 2)
    for name in ("known", "met"):
        (tmp_path / name).mkdir()
    known, met = store_in(tmp_path / "known"), store_in(tmp_path / "met")
    filled(known, roots[0])
    assert Engine(known, roots, workers=0).catch_up().loads == 1
    write = Store.write
    others: list[Root] = []

    @contextlib.contextmanager
    def second(store: Store, *, ahead: WriterAhead | None = None, **how: Any) -> Iterator[Writer]:
        if ahead is not None and not others:
            others.append(roots[0])
            filled(Store(store.path), roots[0])
        with write(store, ahead=ahead, **how) as writer:
            yield writer

    monkeypatch.setattr(Store, "write", second)
    noted.clear()
    filled(met, roots[1])
    for statement in ("incoming_tool_calls AS FROM ahead_", "incoming_responses AS SELECT"):
        assert any(f"TEMP TABLE {statement}" in one for one in noted), statement
    assert difference(contents(met), contents(known)) == ""


@pytest.mark.parametrize("breaks", ["responses", "tool_calls"])
def test_what_breaks_in_either_thread_is_told_and_nothing_is_left(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    store = store_in(tmp_path)
    monkeypatch.setattr("agnes_stats.ingest.engine.processors", lambda: 2)
    take_in = load.take_in

    def failing(connection: Writer, fact: Fact, *given: Any) -> None:
        take_in(connection, fact, *given)
        if fact.name == breaks:
            raise StoreError("it cannot be read")

    monkeypatch.setattr(load, "take_in", failing)
    with pytest.raises(StoreError, match="it cannot be read"):
        filled(store, written(tmp_path / "claude"))
    with store.read() as reader:
        assert reader.rows("SELECT database_name FROM duckdb_databases() WHERE database_name LIKE 'ahead%'") == []
        assert reader.value("SELECT count(*) FROM responses") == 0


def test_one_thread_writes_and_all_of_them_commit(tmp_path: Path, noted: list[str]) -> None:
    store = store_in(tmp_path)
    usual = settings_of(store)
    filled(store, written(tmp_path / "claude"))
    begun = noted.index("SET threads = 1")
    assert noted[noted.index("COMMIT", begun) - 1] == "RESET threads"
    assert settings_of(store) == usual


@pytest.mark.skipif(not is_second(), reason="DuckDB 1.5 has no such setting")
def test_much_that_is_loaded_goes_straight_into_the_file(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_in(tmp_path)
    commit = Writer.commit
    logged: list[bool] = []

    def looked(writer: Writer) -> None:
        commit(writer)
        logged.append(store.log_path.exists())

    monkeypatch.setattr(Writer, "commit", looked)
    for number, most in enumerate((MUCH_BYTES, 1)):
        monkeypatch.setattr("agnes_stats.ingest.engine.MUCH_BYTES", most)
        filled(store, written(tmp_path / str(number)))
    assert logged == [True, False]


def test_settings_are_given_back_where_a_load_fails(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_in(tmp_path)
    usual = settings_of(store)

    def failing(*_: object) -> None:
        raise StoreError("nothing is written")

    monkeypatch.setattr("agnes_stats.ingest.load.write_files", failing)
    with pytest.raises(StoreError, match="nothing is written"):
        filled(store, written(tmp_path / "claude"))
    assert "SET threads = 1" in noted
    assert settings_of(store) == usual


def test_one_large_load_is_many_small_ones(tmp_path: Path, noted: list[str]) -> None:
    root = written(tmp_path / "claude")
    (tmp_path / "large").mkdir()
    (tmp_path / "small").mkdir()
    large, small = store_in(tmp_path / "large"), store_in(tmp_path / "small")
    filled(large, root)
    engine = Engine(small, [root], workers=0, rest_seconds=0.0)
    for file in sorted(root.path.rglob("*.jsonl")):
        found = engine.recognise(file)
        assert found is not None
        engine.ingest([found])
    assert any("incoming_responses" in statement for statement in noted)
    assert difference(contents(large), contents(small)) == ""


def test_few_rows_that_are_merged_at_once_are_those_that_many_would_be(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = written(tmp_path / "claude", responses=3)
    folder = root.path / "projects" / "-home-dana-work"
    lines = [json.loads(line) for name in ("s0", "s1") for line in (folder / f"{name}.jsonl").read_text().splitlines()]
    # One goes on with two others, one says that it does, and one has only results.
    (folder / "t0.jsonl").write_text("".join(json.dumps(row | {"sessionId": "t0"}) + "\n" for row in lines))
    forked = [row | {"sessionId": "t1", "forkedFrom": {"sessionId": "s0"}} for row in lines[:5]]
    (folder / "t1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in forked))
    results = [row | {"sessionId": "t2"} for row in lines if "tool_result" in str(row)]
    alone = Transcript("t2", "2026-03-09T12:00:00").response(("d", "Bash", {"command": "ls"})).wait(1).result("d", "a")
    (folder / "t2.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*results, *alone.rows]))
    stores = []
    for name, most in (("few", FEW_ROWS), ("many", 0)):
        monkeypatch.setattr("agnes_stats.ingest.load.FEW_ROWS", most)
        (tmp_path / name).mkdir()
        stores.append(store_in(tmp_path / name))
        noted.clear()
        filled(stores[-1], root)
        assert any("told_again_tool_calls" in statement for statement in noted) is (name == "many")
    few, many = stores
    assert difference(contents(few), contents(many)) == ""
    with few.read() as reader:
        for table in ("responses", "tool_calls", "prompts"):
            told = "count(*) FILTER (rivals IS NULL), count(*) FILTER (contains(rivals, '\"is_copy\":true'))"
            told_once, told_by_a_copy = reader.rows(f"SELECT {told} FROM {table}")[0]
            assert told_once and told_by_a_copy
        assert reader.value("SELECT count(result_rivals) FROM tool_calls WHERE id <> 'd'") == 3


def test_a_store_is_made_while_files_are_read(tmp_path: Path, noted: list[str]) -> None:
    root = written(tmp_path / "claude")
    (tmp_path / "new").mkdir()
    new, known = Store(tmp_path / "new" / "store.duckdb"), store_in(tmp_path)
    filled(new, root)
    filled(known, root)
    assert difference(contents(new), contents(known)) == ""
    assert sorted(path.name for path in new.path.parent.iterdir()) == sorted(("store.duckdb", *BESIDE))


def test_a_new_store_is_opened_to_learn_what_is_to_come_and_then_to_load_it(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = written(tmp_path / "claude")
    (tmp_path / "new").mkdir()
    store = Store(tmp_path / "new" / "store.duckdb")
    opened, enter = [], Gate.enter

    def counted(gate: Gate, *given: Any, writable: bool, **named: Any) -> OpenStore:
        opened.append(writable)
        return enter(gate, *given, writable=writable, **named)

    monkeypatch.setattr(Gate, "enter", counted)
    listed: list[Any] = []
    load = Engine.load

    def looked(engine: Engine, *given: Any, **named: Any) -> None:
        with duckdb.connect(str(store.path), read_only=True) as connection:
            listed.extend(connection.execute("SELECT count(*) FROM files WHERE parser IS NULL").fetchall())
        load(engine, *given, **named)

    monkeypatch.setattr(Engine, "load", looked)
    filled(store, root)
    assert opened == [True, True]
    assert listed == [(SESSIONS,)]


@pytest.mark.parametrize(("left", "loads"), [(1, [2, 4]), (0, [6])])
def test_most_is_loaded_while_the_last_is_read_where_a_processor_is_left_for_it(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch, left: int, loads: list[int]
) -> None:
    root = written(tmp_path / "claude")
    store = store_in(tmp_path)
    size = min(file.stat().st_size for file in root.path.rglob("*.jsonl"))
    # Of six files four, then two: neither more often, nor when hardly anything is left.
    monkeypatch.setattr("agnes_stats.ingest.backfill.LAST_BYTES", size)
    # It has no workers, so that one file is read after the other.
    monkeypatch.setattr("agnes_stats.ingest.backfill.processors", lambda: left)
    filled(store, root, loads=len(loads))
    with store.read() as reader:
        told = reader.rows("SELECT count(*)::INTEGER FROM files GROUP BY read_at ORDER BY 1")
    assert [count for (count,) in told] == loads


def test_workers_end_while_the_last_is_loaded(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    let_go, load = Workers.let_go, Engine.load
    monkeypatch.setattr(Workers, "let_go", lambda workers: (done.append("let go"), let_go(workers)))
    monkeypatch.setattr(Engine, "load", lambda *given, **named: (done.append("load"), load(*given, **named)))
    monkeypatch.setattr("agnes_stats.ingest.backfill.LOAD_FILES", 3)
    filled(store_in(tmp_path), written(tmp_path / "claude"), loads=2)
    assert done == ["load", "let go", "load"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system knows no copies of a process")
def test_workers_that_are_let_go_end_by_themselves() -> None:
    with Workers(2) as workers:
        processes = [worker._process for worker in workers._all if isinstance(worker, _CopiedWorker)]
        assert len(processes) == 2
        workers.let_go()
        for process in processes:
            assert os.waitpid(process, 0) == (process, 0)


def test_what_another_program_reads_meanwhile_is_not_read_again(
    tmp_path: Path, noted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = written(tmp_path / "claude")
    (tmp_path / "new").mkdir()
    store = Store(tmp_path / "new" / "store.duckdb")
    others: list[IngestSummary] = []
    hand_out = Backfill._hand_out

    def faster(backfill: Backfill, workers: Workers) -> None:
        hand_out(backfill, workers)
        if not others:
            # It makes the store and reads all, while this one has only begun.
            others.append(IngestSummary())
            others.append(Engine(Store(store.path), [root], workers=0).catch_up())

    monkeypatch.setattr(Backfill, "_hand_out", faster)
    summary = Engine(store, [root], workers=0).catch_up()
    assert (others[1].files, others[1].loads) == (SESSIONS, 1)
    assert (summary.files, summary.loads, summary.others) == (0, 0, SESSIONS)
    with store.read() as reader:
        assert reader.value("SELECT count(*) FROM responses") == SESSIONS


def test_a_store_that_cannot_be_made_ends_the_reading(tmp_path: Path, noted: list[str]) -> None:
    root = written(tmp_path / "claude")
    (tmp_path / "new").mkdir()
    store = Store(tmp_path / "new" / "store.duckdb")
    (tmp_path / "new" / "store.duckdb.lock").mkdir()
    with pytest.raises(StoreError):
        Engine(store, [root], workers=0).catch_up()
    assert sorted(path.name for path in store.path.parent.iterdir()) == sorted(BESIDE)
