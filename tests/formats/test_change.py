"""The three ways in which a source changes, each by a small made-up agent."""

from __future__ import annotations

import contextlib
import gzip
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest import usage_reading
from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.engine import WORKER_BYTES, Engine
from agnes_stats.ingest.formats import SOURCES, Root
from agnes_stats.ingest.formats.change import STRETCH
from agnes_stats.ingest.formats.database import ChangedRows, Database
from agnes_stats.queries import sync
from agnes_stats.queries.store import Reader

from tests.formats.madeup import MADE_UP, Boards, DatabaseDecoder, Databases, Logs, MadeUp, Notebooks
from tests.storing import stays_open, store_in


@pytest.fixture(autouse=True)
def made_up_sources() -> Iterator[None]:
    for source in MADE_UP:
        SOURCES.add(source())
    yield
    for source in MADE_UP:
        SOURCES.remove(source.kind)


class World:
    """A folder of one made-up agent and the store that follows it."""

    def __init__(self, folder: Path, source: type[MadeUp]) -> None:
        self.root = folder / "made"
        self.root.mkdir()
        self.store = stays_open(store_in(folder))
        self.engine = Engine(self.store, [Root(source.kind, self.root)], workers=0)

    def write(self, name: str, *rows: dict[str, Any]) -> Path:
        path = self.root / name
        path.write_text(json.dumps(rows))
        return path

    def read(self) -> int:
        self.engine.rest_seconds = 0.0
        return self.engine.catch_up().files

    def bytes_read(self) -> int:
        return self.engine.catch_up().bytes

    def outputs(self) -> dict[str, int]:
        """Responses by their key -> output."""
        with self.store.read() as connection:
            return _outputs(connection)

    def soon(self, *, with_sessions: bool) -> dict[str, int]:
        """The same as it is told before what is new is in the store."""
        with contextlib.ExitStack() as whole:
            with self.store.read() as connection:
                ahead = self.engine.ahead(connection, whole)
            assert ahead is not None
            return _outputs(ahead.tell(with_sessions=with_sessions))

    def daily(self) -> int:
        with self.store.read() as connection:
            [(output,)] = connection.execute("SELECT coalesce(sum(output_tokens), 0) FROM tokens_daily").fetchall()
        return int(output)

    def state(self) -> dict[str, Any]:
        with self.store.read() as connection:
            [(state,)] = connection.execute("SELECT state FROM files").fetchall()
        found: dict[str, Any] = json.loads(state)
        return found

    def rejects(self) -> list[str]:
        with self.store.read() as connection:
            return [row.reason for row in sync.rejects(connection)]


def _outputs(connection: Reader) -> dict[str, int]:
    rows = connection.rows("SELECT key, output_tokens FROM responses")
    return {key.removeprefix("made-up:"): output for key, output in rows}


def row(key: str, out: int, at: int = 1773133200) -> dict[str, Any]:
    return {"id": key, "session": "s", "at": at, "out": out}


# -- snapshots -------------------------------------------------------------------------------------------------------


def test_a_row_that_vanished_stays_and_one_that_was_written_anew_is_replaced(tmp_path: Path) -> None:
    world = World(tmp_path, Notebooks)
    world.write("a.note", row("gone", 5), row("changed", 100), row("same", 1))
    world.read()
    world.write("a.note", row("same", 1), row("changed", 7, at=1773133900))
    world.read()
    assert world.outputs() == {"gone": 5, "changed": 7, "same": 1}
    assert world.daily() == 13


def test_a_row_that_vanished_goes_where_that_means_that_it_was_taken_back(tmp_path: Path) -> None:
    world = World(tmp_path, Boards)
    world.write("a.note", row("gone", 5), row("changed", 100))
    world.read()
    world.write("a.note", row("changed", 7))
    world.read()
    assert (world.outputs(), world.daily()) == ({"changed": 7}, 7)
    world.write("a.note")
    world.read()
    assert (world.outputs(), world.daily()) == ({}, 0)


@pytest.mark.parametrize("source", [Notebooks, Boards])
def test_what_a_file_does_not_say_any_more_is_not_told_before_the_store_is_full(
    source: type[MadeUp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_reading, "LEAST_BYTES", 0)
    world = World(tmp_path, source)
    world.write("a.note", row("gone", 5), row("changed", 100), row("both", 9))
    world.write("b.note", row("both", 4), row("other", 2))
    world.read()
    world.write("a.note", row("changed", 7, at=1773133900))
    soon = [world.soon(with_sessions=with_sessions) for with_sessions in (False, True)]
    world.read()
    assert soon == [world.outputs()] * 2
    assert world.outputs()["changed"] == 7, "the larger count of before does not count any more"


def test_what_another_snapshot_tells_too_is_its_fact_again(tmp_path: Path) -> None:
    world = World(tmp_path, Boards)
    world.write("a.note", row("both", 9), row("a", 1))
    world.write("b.note", row("both", 4), row("b", 2))
    world.read()
    assert world.outputs() == {"both": 9, "a": 1, "b": 2}
    world.write("a.note", row("a", 1))
    world.read()
    assert world.outputs() == {"both": 4, "a": 1, "b": 2}
    assert world.read() == 0


def test_what_two_snapshots_take_back_is_not_so(tmp_path: Path) -> None:
    world = World(tmp_path, Boards)
    world.write("a.note", row("both", 9), row("a", 1))
    world.write("b.note", row("both", 4), row("b", 2))
    world.read()
    world.write("b.note", row("b", 2))
    world.read()
    assert world.outputs() == {"both": 9, "a": 1, "b": 2}
    world.write("a.note", row("a", 1))
    world.read()
    assert world.outputs() == {"a": 1, "b": 2}


def test_as_long_as_a_part_cannot_be_used_nothing_counts_as_taken_back(tmp_path: Path) -> None:
    world = World(tmp_path, Boards)
    path = world.write("a.note", row("one", 1), row("two", 2))
    world.read()
    path.write_text('[{"id"')
    world.read()
    assert (world.outputs(), len(world.rejects())) == ({"one": 1, "two": 2}, 1)
    world.write("a.note", row("one", 1))
    world.read()
    assert (world.outputs(), world.rejects()) == ({"one": 1}, [])


def test_files_that_make_up_one_whole_are_read_as_one(tmp_path: Path) -> None:
    world = World(tmp_path, Notebooks)
    world.write("a.note.old", row("old", 3))
    world.write("a.note", row("moving", 4))
    # The archive alone is nobody's: it has the name of the notebook that it belongs to.
    assert world.read() == 1
    world.write("a.note.old", row("old", 3), row("moving", 4))
    assert world.read() == 1
    world.write("a.note", row("new", 5))
    world.read()
    assert world.outputs() == {"old": 3, "moving": 4, "new": 5}
    assert world.read() == 0


# -- lines -----------------------------------------------------------------------------------------------------------


def test_a_file_that_was_compressed_is_read_on_where_it_was_left(tmp_path: Path) -> None:
    world = World(tmp_path, Logs)
    path, packed = world.root / "a.log", world.root / "a.log.gz"
    lines = [json.dumps(row(str(number), number)) + "\n" for number in range(4)]
    path.write_text("".join(lines[:2]))
    world.read()
    packed.write_bytes(gzip.compress("".join(lines[:3]).encode()))
    world.read()
    # For a moment there are both, and the plain one counts.
    assert sorted(world.outputs()) == ["0", "1"]
    path.unlink()
    assert world.bytes_read() == len(lines[2])
    assert (sorted(world.outputs()), world.state()["count"]) == (["0", "1", "2"], 3)
    path.write_text("".join(lines))
    packed.unlink()
    assert world.bytes_read() == len(lines[3])
    assert (sorted(world.outputs()), world.state()["count"]) == (["0", "1", "2", "3"], 4)
    assert world.read() == 0


def test_of_a_broken_compressed_file_the_lines_before_the_break_count(tmp_path: Path) -> None:
    world = World(tmp_path, Logs)
    lines = [json.dumps(row(f"{number:03}", 1) | {"more": "x" * number}) + "\n" for number in range(300)]
    packed = gzip.compress("".join(lines).encode())
    path = world.root / "a.log.gz"
    path.write_bytes(packed[: len(packed) // 2])
    world.read()
    assert 0 < len(world.outputs()) < 300
    [reason] = world.rejects()
    assert "cannot be unpacked" in reason
    path.write_bytes(packed)
    world.read()
    assert (len(world.outputs()), world.rejects()) == (300, [])


# -- databases -------------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The connection of the agent, which has its database open."""
    (tmp_path / "made").mkdir()
    with closing(sqlite3.connect(tmp_path / "made" / "made.db", isolation_level=None)) as owner:
        owner.execute("PRAGMA journal_mode = WAL")
        owner.execute("PRAGMA wal_autocheckpoint = 0")
        owner.execute("CREATE TABLE talks(id INTEGER PRIMARY KEY, name, title, changed)")
        owner.execute("CREATE TABLE answers(id, talk, at, out, changed, words)")
        owner.execute("INSERT INTO talks VALUES (1, 's', 'Shop', 1)")
        yield owner


@pytest.fixture
def world(tmp_path: Path, owner: sqlite3.Connection) -> World:
    (tmp_path / "made").rename(tmp_path / "there")
    made = World(tmp_path, Databases)
    made.root.rmdir()
    (tmp_path / "there").rename(made.root)
    return made


def say(owner: sqlite3.Connection, key: str, out: int, changed: Any, words: str = "") -> None:
    owner.execute("INSERT INTO answers VALUES (?, 1, 1773133200, ?, ?, ?)", [key, out, changed, words])


def test_a_large_database_of_which_only_the_log_grows(world: World, owner: sqlite3.Connection) -> None:
    owner.execute("BEGIN")
    for number in range(72):
        say(owner, str(number), number, number, "x" * 1_000_000)
    owner.execute("COMMIT")
    owner.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path, log = world.root / "made.db", world.root / "made.db-wal"
    assert path.stat().st_size > 70_000_000
    assert world.read() == 1
    assert (len(world.outputs()), world.daily()) == (72, sum(range(72)))
    read, before = world.state()["decoder"]["rows"], path.stat()
    for number in range(72, 75):
        say(owner, str(number), number, number, "x" * 1_000_000)
        assert log.stat().st_size > 1_000_000
        [job] = world.engine.look().jobs
        # Little enough for this process.
        assert 0 < job.todo < WORKER_BYTES / 4
        changed = world.engine.recognise(log)
        assert changed is not None
        assert world.engine.ingest([changed]).files == 1
    assert path.stat() == before
    assert world.outputs()["74"] == 74
    # The state is handed back; rows at the watermark are read once more, all others are not.
    assert world.state()["decoder"]["rows"] - read <= 3 * 3
    assert world.read() == 0


def test_a_changed_row_replaces_what_it_had_said_and_a_deleted_one_stays(
    world: World, owner: sqlite3.Connection
) -> None:
    for number, key in enumerate(("deleted", "changed", "same")):
        say(owner, key, 100, number + 1)
    world.read()
    owner.execute("DELETE FROM answers WHERE id = 'deleted'")
    owner.execute("UPDATE answers SET out = 7, changed = 9 WHERE id = 'changed'")
    world.read()
    assert (world.outputs(), world.daily()) == ({"deleted": 100, "changed": 7, "same": 100}, 207)


def test_a_busy_database_is_read_at_the_next_sweep_and_is_no_error(world: World, owner: sqlite3.Connection) -> None:
    say(owner, "one", 1, 1)
    world.read()
    owner.execute("PRAGMA journal_mode = DELETE")
    say(owner, "two", 2, 2)
    owner.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    assert world.read() == 0
    assert time.monotonic() - begun > 0.15
    assert (world.outputs(), world.rejects()) == ({"one": 1}, [])
    with world.store.read() as connection:
        assert connection.execute("SELECT error, gone_at FROM files").fetchall() == [(None, None)]
    owner.execute("COMMIT")
    assert world.read() == 1
    assert world.outputs() == {"one": 1, "two": 2}


def test_only_its_owner_writes_to_a_database(world: World, owner: sqlite3.Connection) -> None:
    say(owner, "one", 1, 1)
    before = {path.name: path.read_bytes() for path in world.root.iterdir() if not path.name.endswith("-shm")}
    world.read()
    assert {path.name: path.read_bytes() for path in world.root.iterdir() if not path.name.endswith("-shm")} == before


def test_what_reading_leaves_beside_a_database_at_rest_is_no_change(world: World, owner: sqlite3.Connection) -> None:
    say(owner, "one", 1, 1)
    owner.close()
    assert [path.name for path in world.root.iterdir()] == ["made.db"]
    assert world.read() == 1
    # SQLite makes an empty log, to know who reads.
    assert (world.root / "made.db-wal").exists()
    assert world.read() == 0


def test_a_row_that_cannot_be_used_is_told_until_it_can(world: World, owner: sqlite3.Connection) -> None:
    say(owner, "one", 1, 1)
    owner.execute("INSERT INTO answers VALUES ('lost', 99, 1773133200, 5, 2, '')")
    world.read()
    assert world.rejects() == ["answers row 2: belongs to no talk"]
    say(owner, "two", 2, 3)
    world.read()
    assert world.rejects() == ["answers row 2: belongs to no talk"]
    owner.execute("UPDATE answers SET talk = 1, changed = 4 WHERE id = 'lost'")
    world.read()
    assert (world.outputs(), world.rejects()) == ({"one": 1, "two": 2, "lost": 5}, [])


def test_a_table_that_is_missed_is_told_and_the_others_are_read(world: World, owner: sqlite3.Connection) -> None:
    owner.execute("DROP TABLE answers")
    world.read()
    assert world.rejects() == ["has no table answers"]
    assert "talks" in world.state()["since"]
    owner.execute("CREATE TABLE answers(id, talk, at, out, changed, words)")
    say(owner, "one", 1, 1)
    world.read()
    assert (world.outputs(), world.rejects()) == ({"one": 1}, [])


@pytest.mark.parametrize("odd", [None, "soon", b"\xff", 5.5], ids=str)
def test_a_row_with_an_odd_time_hides_no_later_one(world: World, owner: sqlite3.Connection, odd: Any) -> None:
    say(owner, "one", 1, 3)
    say(owner, "odd", 2, odd)
    world.read()
    say(owner, "two", 3, 4 if odd != 5.5 else 6)
    world.read()
    assert world.outputs() == {"one": 1, "odd": 2, "two": 3}


@pytest.mark.parametrize("first", [None, "soon"], ids=str)
def test_rows_with_odd_times_alone_hide_no_later_one(world: World, owner: sqlite3.Connection, first: Any) -> None:
    say(owner, "odd", 2, first)
    world.read()
    say(owner, "two", 3, 4)
    world.read()
    assert world.outputs() == {"odd": 2, "two": 3}


def test_any_number_of_a_row_is_a_place(world: World, owner: sqlite3.Connection) -> None:
    numbers = [1, 2**59, 2**63 - 1, -5, -(2**63)]
    for number in numbers:
        owner.execute("INSERT INTO answers(rowid, id, talk, at, out, changed) VALUES (?, ?, 1, 9, 1, 5)", [number] * 2)
    world.read()
    assert sorted(world.outputs()) == sorted(map(str, numbers))


def test_a_clock_that_was_put_back_hides_no_row(world: World, owner: sqlite3.Connection) -> None:
    say(owner, "one", 1, 3600)
    say(owner, "two", 2, 3601)
    world.read()
    say(owner, "three", 3, 2)
    world.read()
    owner.execute("UPDATE answers SET out = 7, changed = 3 WHERE id = 'two'")
    say(owner, "four", 4, 3601)
    world.read()
    assert (world.outputs(), world.daily()) == ({"one": 1, "two": 7, "three": 3, "four": 4}, 15)
    say(owner, "five", 5, 3602)
    read = world.state()["decoder"]["rows"]
    world.read()
    # All others are not read again.
    assert world.state()["decoder"]["rows"] - read <= 3
    assert world.outputs()["five"] == 5


def test_a_time_of_the_future_costs_no_more_than_its_row(
    world: World, owner: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Database(DatabaseDecoder, (ChangedRows("answers", "changed", now=lambda: 100.0),))
    monkeypatch.setattr(Databases, "change", lambda *_: change)
    say(owner, "one", 1, 99)
    say(owner, "odd", 2, 10**12)
    world.read()
    say(owner, "two", 3, 100)
    world.read()
    assert world.outputs() == {"one": 1, "odd": 2, "two": 3}
    read = world.state()["decoder"]["rows"]
    say(owner, "three", 4, 100)
    world.read()
    assert world.state()["decoder"]["rows"] - read == 3
    assert world.daily() == 10


def test_an_older_copy_that_was_put_back_is_read_again(world: World, owner: sqlite3.Connection) -> None:
    for number in (1, 5):
        say(owner, str(number), number, number)
    world.read()
    owner.execute("DELETE FROM answers WHERE id = '5'")
    say(owner, "2", 2, 2)
    world.read()
    assert world.outputs() == {"1": 1, "5": 5, "2": 2}


def test_what_is_no_database_is_told_and_read_once_it_is_one(tmp_path: Path) -> None:
    world = World(tmp_path, Databases)
    path = world.root / "made.db"
    path.write_bytes(b"no database at all" * 1000)
    world.read()
    assert world.rejects() == ["cannot be read: file is not a database"]
    path.unlink()
    with closing(sqlite3.connect(path)) as owner:
        owner.execute("CREATE TABLE talks(id, name, title, changed)")
        owner.execute("CREATE TABLE answers(id, talk, at, out, changed)")
    world.read()
    assert world.rejects() == []


def test_a_limit_ends_a_reading_between_two_times(world: World, owner: sqlite3.Connection) -> None:
    for number in range(10):
        say(owner, str(number), 1, number // 3, "x" * 100)
    source = SOURCES[Databases.kind]
    file = source.recognise(world.root, world.root / "made.db")
    assert file is not None
    watermark, counts, more = None, [], True
    while more:
        batch = Batch()
        result = source.read(file, watermark, batch, 150)
        watermark, more = result.watermark, result.more
        counts.append(len(batch.of("responses")))
    # Rows at the watermark are read once more; the talk comes first and is small.
    assert counts == [3, 3, 3, 1]
    assert not source.read(file, watermark, Batch(), STRETCH).more
