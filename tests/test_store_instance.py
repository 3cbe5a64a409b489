"""DuckDB is started once for all openings of a store by one process, and keeps nothing of it between them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from agnes_stats.queries.store import QueryFailed, Store, StoreDamaged
from agnes_stats.queries.store.instance import ROWS_TOGETHER, Instance, end_all

from tests.storing import note, notes, store_in


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What DuckDB was started with."""
    started: list[str] = []
    connect = duckdb.connect

    def counted(file: str = ":memory:", **how: object) -> object:
        started.append(file)
        return connect(file, **how)  # type: ignore[arg-type]

    monkeypatch.setattr("agnes_stats.queries.store._duckdb.duckdb.connect", counted)
    return started


def test_it_is_started_once_however_often_the_store_is_opened(tmp_path: Path, started: list[str]) -> None:
    store = store_in(tmp_path)
    started.clear()
    for number in range(3):
        note(store, str(number))
        assert notes(Store(store.path)) == [str(each) for each in range(number + 1)]
    assert started == [":memory:"]


def test_a_new_store_is_made_by_the_one_that_opens_it(tmp_path: Path, started: list[str]) -> None:
    store = Store(tmp_path / "new.duckdb")
    note(store, "one")
    assert notes(store) == ["one"]
    assert started == [":memory:"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "new.duckdb",
        "new.duckdb.lock",
        "new.duckdb.queue",
    ]


def test_much_is_written_once_and_a_little_comes_into_the_log(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    for rows, has_log in ((100, True), (30_000, False)):
        with store.write() as writer:
            writer.execute("BEGIN")
            writer.execute(f"INSERT INTO unknowns SELECT md5(range::VARCHAR), range, 'x', 1 FROM range({rows})")
            writer.execute("COMMIT")
            # It only says where in the file much is.
            assert (store.log_path.exists() and store.log_path.stat().st_size > rows) is has_log
        assert not store.log_path.exists()


def test_rows_are_kept_in_small_groups(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    # One that was written with larger ones goes on as it is.
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("INSERT INTO unknowns SELECT 'old', range, 'x', 1 FROM range(100_000)")
    with store.write() as writer:
        writer.execute("DELETE FROM unknowns WHERE path = 'old' AND pos % 3 = 0")
        writer.execute("INSERT INTO unknowns SELECT 'new', range, 'x', 1 FROM range(70_000)")
    with store.read() as reader:
        told = reader.rows("SELECT path, count(*), sum(pos)::BIGINT FROM unknowns GROUP BY path ORDER BY path")
        groups = reader.rows(
            "SELECT sum(count)::BIGINT FROM pragma_storage_info('unknowns') "
            "WHERE column_name = 'pos' AND segment_type <> 'VALIDITY' GROUP BY row_group_id"
        )
    assert told == [("new", 70_000, 35_000 * 69_999), ("old", 66_666, sum(n for n in range(100_000) if n % 3))]
    assert sorted(rows for (rows,) in groups)[-3:] == [ROWS_TOGETHER, ROWS_TOGETHER, 100_000]


def test_the_log_is_taken_in_when_the_store_is_closed(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    with store.write() as writer:
        writer.execute("INSERT INTO meta VALUES ('note', 'kept')")
        assert store.log_path.exists()
    assert not store.log_path.exists()
    # Another program may have it at once.
    with duckdb.connect(str(store.path)) as other:
        assert other.execute("SELECT value FROM meta WHERE name = 'note'").fetchall() == [("kept",)]


def test_another_file_in_its_place_is_seen_as_it_is(tmp_path: Path) -> None:
    store, other = store_in(tmp_path), store_in_new(tmp_path / "other")
    note(store, "old")
    note(other, "new")
    other.path.replace(store.path)
    assert notes(store) == ["new"]


def store_in_new(folder: Path) -> Store:
    folder.mkdir()
    return store_in(folder)


def test_what_is_no_store_says_nothing_of_the_next_one(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    note(store, "kept")
    sound = store.path.read_bytes()
    store.path.write_text("no database\n" * 1000)
    with pytest.raises(StoreDamaged), store.read():
        pass
    store.path.write_bytes(sound)
    assert notes(store) == ["kept"]


def test_one_that_is_ill_is_started_anew(tmp_path: Path, started: list[str]) -> None:
    store = store_in(tmp_path)
    started.clear()
    note(store, "kept")
    instance = store._gate.instance(lambda: pytest.fail("there is one"))
    assert isinstance(instance, Instance)
    assert instance._engine is not None
    # As after a fault of DuckDB's own: nothing can be asked any more.
    instance._engine.close()
    assert notes(store) == ["kept"]
    assert started == [":memory:"] * 2


def test_at_the_end_only_one_with_files_is_ended(tmp_path: Path, started: list[str]) -> None:
    store = store_in(tmp_path)
    assert notes(store) == []
    started.clear()
    end_all()
    assert notes(store) == []
    assert started == [], "it went on"
    aside = tmp_path / f"{store.path.name}.tmp"
    aside.mkdir()
    end_all()
    assert notes(store) == []
    assert started == [":memory:"]
    with store.read():
        end_all()
        started.clear()
    assert notes(store) == []
    assert started == [":memory:"]


def test_a_temporary_table_is_not_there_for_the_next_one(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    with store.read() as reader:
        reader.execute("CREATE TEMP TABLE mine AS SELECT 1")
    with store.read() as reader, pytest.raises(QueryFailed, match="mine"):
        reader.execute("FROM mine")


def test_who_reads_beside_a_writer_is_in_the_same_store(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    note(store, "committed")
    with store.write() as writer, writer.transaction():
        writer.execute("UPDATE meta SET value = 'not yet' WHERE name = 'note'")
        with writer.beside() as reader:
            assert reader.value("SELECT value FROM meta WHERE name = 'note'") == "committed"
