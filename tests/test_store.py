"""The store's file: who may open it when, what can be wrong with it, and that nobody else reads it."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from agnes_stats.ingest.lower_bounds import settle
from agnes_stats.queries.facts import RESPONSES
from agnes_stats.queries.schema import STORE_VERSION
from agnes_stats.queries.store import (
    QueryFailed,
    Store,
    StoreDamaged,
    StoreForeign,
    StoreFull,
    StoreTooNew,
)

from tests.storing import BESIDE, note, notes, open_folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.duckdb"


# -- alone -----------------------------------------------------------------------------------------------------------


def test_nothing_is_made_before_it_is_needed(path: Path) -> None:
    Store(path)
    assert not path.parent.exists()


def test_a_question_to_a_store_that_does_not_exist_makes_an_empty_one(path: Path) -> None:
    with Store(path).read() as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    assert {file.name for file in path.parent.iterdir()} == {path.name, *BESIDE}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_user_can_read_it(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        assert notes(Store(path)) == []
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_was_copied_in_is_closed_to_others(path: Path) -> None:
    store = Store(path)
    note(store, "a")
    path.chmod(0o644)
    note(store, "b")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_file_is_taken_for_none(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert notes(Store(path)) == []


def test_times_are_utc(path: Path) -> None:
    with Store(path).read() as connection:
        assert connection.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)


def test_a_question_that_duckdb_refuses_is_explained_in_one_line(path: Path) -> None:
    with pytest.raises(QueryFailed, match="nowhere") as raised, Store(path).read() as connection:
        connection.execute("SELECT * FROM nowhere")
    assert "\n" not in str(raised.value)


def test_an_older_store_gets_what_is_new_and_keeps_what_it_has(path: Path) -> None:
    store = Store(path)
    note(store, "a")
    with store.write() as connection:
        connection.execute("DROP TABLE forgotten")
        connection.execute("ALTER TABLE files DROP COLUMN error")
        connection.execute("UPDATE meta SET value = '0' WHERE name = 'store_version'")
    assert notes(store) == ["a"]
    with store.read() as connection:
        assert connection.execute("SELECT error FROM files").fetchall() == []
        assert connection.execute("FROM forgotten").fetchall() == []
        version = connection.execute("SELECT value FROM meta WHERE name = 'store_version'").fetchall()
    assert version == [(str(STORE_VERSION),)]


def test_rows_of_an_older_store_are_told_in_the_words_of_this_one(path: Path) -> None:
    store = Store(path)
    with store.write() as connection:
        for column in ("kind", "is_answer", "agent"):
            connection.execute(f"ALTER TABLE responses DROP COLUMN {column}")
        for column in ("mcp_server", "agent"):
            connection.execute(f"ALTER TABLE tool_calls DROP COLUMN {column}")
        connection.execute(
            "INSERT INTO responses (key, path, stop_reason) "
            "VALUES ('a', 't', 'end_turn'), ('b', 't', 'advisor'), ('c', NULL, 'tool_use')"
        )
        connection.execute(
            "INSERT INTO tool_calls (id, path, name, class) VALUES ('x', 't', 'mcp__shop__q', 'mcp_call')"
        )
        connection.execute("UPDATE meta SET value = '2' WHERE name = 'store_version'")
    with store.read() as connection:
        told = connection.execute("SELECT kind, is_answer, stop_reason, agent FROM responses ORDER BY key").fetchall()
        called = connection.execute("SELECT mcp_server, agent FROM tool_calls").fetchall()
    assert told == [
        ("turn", True, "end", "claude-code"),
        ("advisor", True, None, "claude-code"),
        ("turn", True, "tool_use", "claude-code"),
    ]
    assert called == [("shop", "claude-code")]


def test_lower_bounds_of_an_older_store_stay_lower_bounds(path: Path) -> None:
    """Also of files that are gone: no line tells them anew, and nothing that comes later makes a count of them."""
    store = Store(path)
    with store.write() as connection:
        for column in ("early_output", "stays_early", "least_output_tokens"):
            connection.execute(f"ALTER TABLE responses DROP COLUMN {column}")
        connection.execute(
            "INSERT INTO responses (key, agent, model, session_id, version, output_tokens, is_placeholder, "
            "output_undercounted, ts) VALUES "
            "('left', 'claude-code', 'm', 's', '2.1.9', 2, true, true, '2026-05-01'), "
            "('dense', 'claude-code', 'm', 's', '2.1.9', 40, true, true, '2026-05-01'), "
            "('last', 'claude-code', 'm', 's', '2.1.100', 3, true, false, '2026-05-01'), "
            "('final', 'claude-code', 'm', 's', '2.1.9', 40, false, false, '2026-05-01')"
        )
        connection.execute("UPDATE meta SET value = '8' WHERE name = 'store_version'")
    with store.write() as connection:
        connection.execute("CREATE TEMP TABLE touched_sessions AS SELECT 's' AS session_id")
        settle(connection.execute)
        told = connection.execute(
            "SELECT key, output_undercounted, is_placeholder, stays_early FROM responses ORDER BY key"
        ).fetchall()
        placeholder = RESPONSES.computed["is_placeholder"][1]
        again = connection.execute(f"SELECT key FROM responses WHERE {placeholder} ORDER BY key").fetchall()
    assert told == [
        ("dense", True, True, True),
        ("final", False, False, None),
        ("last", False, True, False),
        ("left", True, True, True),
    ]
    assert again == [("dense",), ("last",), ("left",)]


# -- wrong files -----------------------------------------------------------------------------------------------------


def test_a_newer_store_is_refused_and_left_alone(path: Path) -> None:
    store = Store(path)
    with store.write() as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'store_version'")
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="update agnes-stats"), store.write():
        pass
    assert path.read_bytes() == before


def other_database(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")


def sqlite_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (id INTEGER)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("make", [other_database, sqlite_database, Path.mkdir])
def test_what_belongs_to_somebody_else_is_left_alone(path: Path, make: object) -> None:
    path.parent.mkdir()
    make(path)  # type: ignore[operator]
    before = path.is_file() and path.read_bytes()
    for use in (Store(path).read, Store(path).write):
        with pytest.raises(StoreForeign, match="--store"), use():
            pass
    assert (path.is_file() and path.read_bytes()) == before


def cut(path: Path, size: int) -> None:
    os.truncate(path, size)


def overwrite(path: Path, at: int, what: bytes = b"\xff" * 8192) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(what)


def filled(store: Store) -> None:
    """Enough for several blocks."""
    with store.write() as connection:
        connection.execute("INSERT INTO meta SELECT 'note', hash(i) || repeat('x', 50) FROM range(60000) t(i)")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: cut(path, 5000),
        lambda path: cut(path, path.stat().st_size // 2),
        lambda path: overwrite(path, 0),
        lambda path: overwrite(path, 4096),
        # Some of the first half is free: DuckDB wrote it anew.
        lambda path: overwrite(path, path.stat().st_size * 3 // 4),
        lambda path: path.write_text("not a database\n" * 1000),
    ],
    ids=["cut in the header", "cut in half", "first block", "headers", "a block of rows", "text"],
)
def test_damage_is_told_and_the_file_can_be_set_aside(path: Path, damage: object) -> None:
    store = Store(path)
    filled(store)
    damage(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match="--rebuild") as raised, store.read() as connection:
        connection.execute("SELECT count(*), max(value), max(name) FROM meta").fetchall()
    assert "\n" not in str(raised.value)
    aside = store.set_aside()
    assert aside is not None
    assert aside.path.read_bytes() == before
    assert aside.path.parent == path.parent
    assert aside.path.name.startswith("store-2")
    assert len(notes(store)) == aside.rows < 60_000


def test_setting_aside_twice_in_a_second_overwrites_nothing(path: Path) -> None:
    store = Store(path)
    names = set()
    for text in ("first", "second"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        aside = store.set_aside()
        assert aside is not None
        names.add(aside.path)
    assert {name.read_text() for name in names} == {"first", "second"}


def with_log(path: Path) -> Store:
    """A store of which the last commit is in the log only."""
    store = Store(path)
    note(store, "in the file")
    with duckdb.connect(str(path)) as connection:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("INSERT INTO meta VALUES ('note', 'in the log')")
    assert store.log_path.stat().st_size > 0
    return store


def test_a_log_that_was_cut_costs_its_last_commit_at_most(path: Path) -> None:
    store = with_log(path)
    cut(store.log_path, store.log_path.stat().st_size - 10)
    assert notes(store)[0] == "in the file"


def test_without_its_broken_log_a_store_goes_on(path: Path) -> None:
    store = with_log(path)
    overwrite(store.log_path, store.log_path.stat().st_size // 2, b"\xff" * 20)
    with pytest.raises(StoreDamaged, match="WAL"):
        notes(store)
    aside = store.set_aside()
    assert aside is not None
    assert Path(f"{aside.path}.wal").exists()
    assert notes(store) == ["in the file"]


def test_the_log_of_a_deleted_store_is_not_taken_for_the_new_ones(path: Path) -> None:
    store = with_log(path)
    path.unlink()
    assert notes(store) == []
    assert len(list(path.parent.glob("*.wal"))) == 1


# -- full, read-only -------------------------------------------------------------------------------------------------


def test_no_space_is_told_and_loses_nothing(path: Path) -> None:
    script = f"""
import resource
from pathlib import Path
from agnes_stats.queries.store import Store, StoreFull
store = Store(Path({str(path)!r}))
with store.write() as connection:
    connection.execute("INSERT INTO meta VALUES ('note', 'before')")
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
try:
    with store.write() as connection:
        connection.execute("BEGIN")
        try:
            connection.execute("INSERT INTO meta SELECT 'note', hash(i) || repeat('x', 99) FROM range(99000) t(i)")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
except StoreFull as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "no space left" in told
    assert notes(Store(path)) == ["before"]


def test_a_scratch_folder_on_a_full_disk_is_told_as_such(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(StoreFull), Store(path).read():
        pass


READ_ONLY = """
import os, sys
import duckdb, tempfile
from pathlib import Path
from agnes_stats.queries.store import Store, StoreReadOnly
if os.geteuid() == 0:
    os.seteuid(65534)
store = Store(Path(sys.argv[1]))
with store.read() as connection:
    print(connection.execute("SELECT count(*) FROM meta").fetchone())
try:
    with store.write() as connection:
        connection.execute("INSERT INTO meta VALUES ('note', 'x')")
except StoreReadOnly as error:
    print(error)
"""


@pytest.mark.parametrize(("file", "folder"), [(0o444, 0o777), (0o666, 0o555)], ids=["file", "folder"])
def test_a_store_that_may_not_be_written_can_be_read(file: int, folder: int) -> None:
    with open_folder() as base:
        path = base / "data" / "store.duckdb"
        note(Store(path), "a")
        path.chmod(file)
        path.parent.chmod(folder)
        run = subprocess.run([sys.executable, "-c", READ_ONLY, path], capture_output=True, text=True)
        path.parent.chmod(0o700)
    assert run.stderr == ""
    assert run.stdout.splitlines()[0] == "(2,)"
    assert "--no-ingest" in run.stdout.splitlines()[1]
