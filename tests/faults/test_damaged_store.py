"""A store that is broken: what is read again and what is not must both be there after a rebuild."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from agnes_stats.ingest import forget as out
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.queries.store import Store
from agnes_stats.queries.store.keepsakes import BACKUP_SECONDS, backup_path, notes_path
from agnes_stats.queries.store.salvage import DERIVED
from agnes_stats.tui import cli

from tests.faults.same import contents
from tests.faults.world import World, talk
from tests.storing import BESIDE
from tests.transcripts import write

ASIDE = ("files", "meta")


class Old(World):
    """A store that knows more than is on disk: a session whose file is gone, one that was forgotten, a server's row."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.kept = folder / "kept"
        write(self.root, [talk("gone", 4), talk("secret", 5)])
        self.catch_up()
        self._file("gone").unlink()
        with self.store.write() as connection:
            connection.execute(
                "INSERT INTO accesses (id, ts, path, pos, seen_in, action, sql) "
                "VALUES ('server:1', '2026-03-10 09:00:00', 'https://agnes', 0, 'server', 'query.run', 'SELECT 1')"
            )
        with self.store.read() as connection:
            chosen = out.select(connection, session="secret")
        out.forget(self.store, chosen)
        shutil.copytree(folder / "data", self.kept)
        self._files = set(self.root.rglob("*"))

    def restored(self) -> "Old":
        """The store, what lies beside it, and its files as they were made: making them anew takes a second."""
        for path in set(self.root.rglob("*")) - self._files:
            path.unlink()
        shutil.rmtree(self.store.path.parent)
        shutil.copytree(self.kept, self.store.path.parent)
        self.store = Store(self.store.path)
        self.engine = self.newcomer()
        return self

    def _file(self, session: str) -> Path:
        return next(self.root.rglob(f"{session}.jsonl"))

    def backed_up(self) -> None:
        os.utime(backup_path(self.store.path), (0, 0)) if backup_path(self.store.path).exists() else None
        assert Store(self.store.path).back_up()
        assert backup_path(self.store.path).exists()

    def newcomer(self) -> Engine:
        """Another program, which knows nothing yet."""
        return Engine(Store(self.store.path), [Root("claude", self.root)], workers=1)

    def sessions(self) -> list[str]:
        with self.store.read() as connection:
            return [row[0] for row in connection.execute("SELECT session_id FROM sessions ORDER BY 1").fetchall()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Old:
    return Old(tmp_path_factory.mktemp("old"))


@pytest.fixture
def old(made: Old) -> Old:
    return made.restored()


def headers(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 12288)


def nothing_but_text(path: Path) -> None:
    path.write_text("not a database\n" * 1000)


def cut(path: Path) -> None:
    os.truncate(path, 5000)


DAMAGES = pytest.mark.parametrize(
    "damage", [headers, *(pytest.param(d, marks=pytest.mark.long) for d in (nothing_but_text, cut))]
)


@DAMAGES
def test_a_store_of_which_nothing_can_be_read_comes_back_from_its_backup(
    old: Old, damage: Callable[[Path], None]
) -> None:
    old.backed_up()
    before = contents(old.store, without=ASIDE)
    damage(old.store.path)
    summary = old.newcomer().catch_up(rebuild=True)
    assert summary.set_aside is not None
    assert summary.salvaged > 0
    assert contents(old.store, without=ASIDE) == before
    assert old.sessions() == ["gone", "s1"]


@DAMAGES
def test_without_a_backup_what_was_forgotten_stays_forgotten(old: Old, damage: Callable[[Path], None]) -> None:
    backup_path(old.store.path).unlink(missing_ok=True)
    damage(old.store.path)
    old.newcomer().catch_up(rebuild=True)
    assert old.sessions() == ["s1"]


def test_what_was_forgotten_stays_so_in_a_store_that_was_deleted(old: Old) -> None:
    old.store.path.unlink()
    old.newcomer().catch_up()
    assert old.sessions() == ["s1"]


def test_recalled_it_comes_back_also_into_the_place_of_a_damaged_store(old: Old) -> None:
    headers(old.store.path)
    old.newcomer().catch_up(rebuild=True, recalls=True)
    assert old.sessions() == ["s1", "secret"]
    assert not notes_path(old.store.path).exists()


def broken_blocks(path: Path) -> list[int]:
    """Where a byte can be changed so that the store opens, and some of it cannot be read."""
    whole, found = path.read_bytes(), []
    for at in range(12288 + 2000, len(whole), 65536):
        path.write_bytes(whole[:at] + bytes(byte ^ 0xFF for byte in whole[at : at + 8]) + whole[at + 8 :])
        try:
            with duckdb.connect(str(path), read_only=True) as connection:
                connection.execute("SELECT 1 FROM meta").fetchall()
        except duckdb.Error:
            continue
        found.append(at)
    path.write_bytes(whole)
    return found


def broken_at(path: Path, whole: bytes, at: int) -> None:
    path.write_bytes(whole[:at] + bytes(byte ^ 0xFF for byte in whole[at : at + 8]) + whole[at + 8 :])


@pytest.mark.long
def test_a_broken_block_costs_what_is_in_it_and_not_even_that_with_a_backup(old: Old) -> None:
    old.backed_up()
    path = old.store.path
    whole, backup = path.read_bytes(), backup_path(path).read_bytes()
    before = contents(old.store, without=(*ASIDE, *DERIVED))
    losses = []
    for at in broken_blocks(path):
        broken_at(path, whole, at)
        if old.store.set_aside() is None:
            continue
        assert contents(old.store, without=(*ASIDE, *DERIVED)) == before
        broken_at(path, whole, at)
        backup_path(path).unlink()
        old.store.set_aside()
        left = contents(old.store, without=(*ASIDE, *DERIVED))
        losses.append([table for table, rows in before.items() if len(left.get(table, ())) < len(rows)])
        backup_path(path).write_bytes(backup)
    assert losses
    assert max(len(tables) for tables in losses) < sum(bool(rows) for rows in before.values())


def test_after_a_rebuild_a_store_with_a_broken_block_says_what_it_said(old: Old) -> None:
    before = contents(old.store, without=ASIDE)
    old.backed_up()
    whole = old.store.path.read_bytes()
    for at in broken_blocks(old.store.path):
        broken_at(old.store.path, whole, at)
        if old.newcomer().catch_up(rebuild=True).set_aside is not None:
            break
    else:
        pytest.fail("no block of it matters")
    assert contents(old.store, without=ASIDE) == before


def test_a_sound_store_is_never_set_aside(old: Old) -> None:
    assert old.store.set_aside() is None
    assert old.sessions() == ["gone", "s1"]


def test_damage_that_another_program_has_mended_meanwhile_is_none(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = old.store.path.read_bytes()
    headers(old.store.path)
    program = old.newcomer()
    set_aside = Store.set_aside

    def mended_first(store: Store) -> object:
        old.store.path.write_bytes(whole)
        return set_aside(store)

    monkeypatch.setattr(Store, "set_aside", mended_first)
    assert program.catch_up(rebuild=True).set_aside is None
    assert old.sessions() == ["gone", "s1"]


# -- the backup --------------------------------------------------------------------------------------------------------


def test_a_store_that_would_be_read_again_has_no_backup(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert not world.store.back_up()
    assert {file.name for file in world.store.path.parent.iterdir()} == {"store.duckdb", *BESIDE}


def test_the_backup_is_for_its_owner_only_and_made_anew_after_a_day(old: Old) -> None:
    old.backed_up()
    backup = backup_path(old.store.path)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert not Store(old.store.path).back_up()
    os.utime(backup, (backup.stat().st_mtime - BACKUP_SECONDS,) * 2)
    assert Store(old.store.path).back_up()
    os.utime(backup, (backup.stat().st_mtime + BACKUP_SECONDS,) * 2)
    assert Store(old.store.path).back_up()


def test_a_damaged_store_does_not_replace_its_backup(old: Old) -> None:
    old.backed_up()
    backup = backup_path(old.store.path)
    good = backup.read_bytes()
    os.utime(backup, (0, 0))
    at = broken_blocks(old.store.path)[0]
    with old.store.path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 8)
    assert not Store(old.store.path).back_up()
    assert backup.read_bytes() == good
    assert [left for left in old.store.path.parent.iterdir() if left.is_dir()] == []


def test_what_is_forgotten_is_in_no_backup(old: Old) -> None:
    old.backed_up()
    with old.store.read() as connection:
        chosen = out.select(connection, session="gone")
    out.forget(old.store, chosen)
    assert not backup_path(old.store.path).exists()


def test_what_is_redacted_later_is_in_no_backup(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    with old.store.write() as connection:
        connection.execute("UPDATE accesses SET sql = 'password=hunter2Zq9XsecretTail' WHERE id = 'server:1'")
    old.backed_up()
    monkeypatch.setattr("agnes_stats.ingest.redaction_version.VERSION", 10**6)
    monkeypatch.setattr("agnes_stats.ingest.redaction.VERSION", 10**6)
    old.newcomer().catch_up()
    headers(old.store.path)
    old.newcomer().catch_up(rebuild=True)
    assert "hunter2" not in str(contents(old.store, without=()))


def test_a_pipe_in_the_place_of_the_backup_is_no_backup(old: Old) -> None:
    backup_path(old.store.path).unlink(missing_ok=True)
    os.mkfifo(backup_path(old.store.path))
    headers(old.store.path)
    old.newcomer().catch_up(rebuild=True)
    assert old.sessions() == ["s1"]


@pytest.mark.parametrize("command", ["ingest", "sessions"])
def test_who_reads_what_is_new_looks_after_the_backup(old: Old, command: str) -> None:
    backup_path(old.store.path).unlink(missing_ok=True)
    write(old.root, [talk("news")])
    assert cli.main([command, "--store", str(old.store.path), "--source", f"claude={old.root}"]) == 0
    assert backup_path(old.store.path).exists()
