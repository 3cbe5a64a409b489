"""The lock beside the store: DuckDB reads a file's header before it locks the file, and never again.

Where a test has to stop a program between the two, it takes a lease on the file: the system then stops whoever opens it
for writing, which DuckDB does once it has read the header, and tells the lease's owner.
"""

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from agnes_stats.queries import console
from agnes_stats.queries.store import Store, StoreBusy, StoreForeign, StoreInterrupted, StoreUnlockable, locking
from agnes_stats.queries.store.instance import Instance
from agnes_stats.queries.store.locking import Claim, lock_path, queue_path

from tests.storing import BESIDE, note, notes, until

FAULTY = ("2.0.0", "2.0.1")
"""Versions of DuckDB that read the header before the lock, and never again."""

RAW = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("INSERT INTO meta VALUES ('note', ?)", [sys.argv[2]])
connection.close()
"""

OURS = """
import sys
from pathlib import Path
from agnes_stats.queries.store import Store
with Store(Path(sys.argv[1]), wait=60.0).write() as connection:
    connection.execute("INSERT INTO meta VALUES ('note', ?)", [sys.argv[2]])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store."""
    path = tmp_path / "data" / "store.duckdb"
    note(Store(path), "before")
    return path


def run(code: str, path: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, path, *words], text=True)


def is_waiting(process: subprocess.Popen[str]) -> bool:
    """Whether a process waits for a file's lock, as Linux tells."""
    waiting = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
    return any(str(process.pid) in line for line in waiting)


@contextmanager
def stopped_before_the_lock(code: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that writes "victim", stopped once DuckDB has read the header and not locked yet; it goes on after."""
    descriptor = os.open(path, os.O_RDONLY)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGIO})
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        process = run(code, path, "victim")
        assert signal.sigtimedwait({signal.SIGIO}, 60.0) is not None
        process.send_signal(signal.SIGSTOP)
        until(lambda: Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")
    finally:
        # It ends the lease.
        os.close(descriptor)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.wait()


def what_is_left(path: Path) -> list[str] | None:
    """The notes; None if the file is broken."""
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            rows = connection.execute("SELECT value FROM meta WHERE name = 'note' ORDER BY 1").fetchall()
    except duckdb.Error:
        return None
    return [value for (value,) in rows]


def test_without_our_lock_duckdb_loses_what_was_written_meanwhile(path: Path) -> None:
    """Why there is a lock at all."""
    with stopped_before_the_lock(RAW, path):
        assert run(RAW, path, "rival").wait() == 0
    if duckdb.__version__ not in FAULTY and what_is_left(path) == ["before", "rival", "victim"]:
        pytest.skip(f"DuckDB {duckdb.__version__} mends it: our lock is for those before only")
    assert what_is_left(path) != ["before", "rival", "victim"]


def test_who_writes_while_another_stands_before_duckdbs_lock_waits_for_it(path: Path) -> None:
    with stopped_before_the_lock(OURS, path) as victim:
        rivals = [run(OURS, path, f"rival {number}") for number in range(2)]
        until(lambda: all(is_waiting(rival) for rival in rivals) or any(rival.poll() is not None for rival in rivals))
        with pytest.raises(StoreBusy) as raised, Store(path, wait=0.0).read():
            pass
        assert raised.value.pid == victim.pid
    assert [rival.wait() for rival in rivals] == [0, 0]
    assert what_is_left(path) == ["before", "rival 0", "rival 1", "victim"]


# -- from before DuckDB looks until it has closed ----------------------------------------------------------------------


def kept_out(path: Path, *, exclusive: bool) -> bool:
    """Whether somebody who asks now does not get the lock."""
    claim = Claim(path, exclusive=exclusive, wake=lambda: None)
    try:
        return not claim.take(wait=False)
    finally:
        claim.drop()


@pytest.fixture
def seen(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, bool]]:
    """Whether readers and writers are kept out just before and just after the store's file is opened, and closed."""
    seen: list[tuple[bool, bool]] = []

    def look() -> None:
        seen.append((kept_out(path, exclusive=False), kept_out(path, exclusive=True)))

    class Watched:
        def __init__(self, opened: Any) -> None:
            self._opened = opened

        def __getattr__(self, name: str) -> object:
            return getattr(self._opened, name)

        def close(self) -> None:
            look()
            self._opened.close()
            look()

    def watched(open_it: Callable[..., object]) -> Callable[..., object]:
        def opened(*what: object, **how: object) -> object:
            if str(path) not in map(str, what):
                return open_it(*what, **how)
            look()
            opened = open_it(*what, **how)
            look()
            return Watched(opened)

        return opened

    monkeypatch.setattr("agnes_stats.queries.store._duckdb.duckdb.connect", watched(duckdb.connect))
    monkeypatch.setattr(Instance, "open", watched(Instance.open))
    return seen


def test_a_reader_keeps_writers_out_all_along_and_other_readers_not(path: Path, seen: list[object]) -> None:
    notes(Store(path))
    assert seen == [(False, True)] * 4
    assert not kept_out(path, exclusive=True)


def test_a_writer_keeps_everybody_out_all_along(path: Path, seen: list[object]) -> None:
    note(Store(path), "a")
    assert seen == [(True, True)] * 4
    assert not kept_out(path, exclusive=True)


def test_the_console_is_a_reader(path: Path, seen: list[object]) -> None:
    assert console.ask(path, "SELECT count(*) FROM meta").rows == [(2,)]
    assert seen == [(False, True)] * 4
    assert not kept_out(path, exclusive=True)


def test_a_store_is_made_by_one_who_has_it_alone(path: Path, seen: list[object]) -> None:
    path.unlink()
    assert notes(Store(path)) == []
    assert seen == [(True, True)] * 4 + [(False, True)] * 4


def test_the_lock_is_given_back_where_the_file_cannot_be_opened(path: Path) -> None:
    path.write_text("no database\n" * 1000)
    for use in (Store(path).read, Store(path).write):
        with pytest.raises(Exception, match="--rebuild"), use():
            pass
    assert not kept_out(path, exclusive=True)


def test_of_several_who_find_no_store_one_makes_it_and_the_others_use_it(path: Path) -> None:
    path.unlink()
    with holding(path):
        makers = [run(OURS, path, str(number)) for number in range(3)]
        until(lambda: all(is_waiting(maker) for maker in makers))
    assert [maker.wait() for maker in makers] == [0] * 3
    assert notes(Store(path)) == ["0", "1", "2"]
    assert {file.name for file in path.parent.iterdir()} == {path.name, *BESIDE}


# -- waiting -----------------------------------------------------------------------------------------------------------


@contextmanager
def holding(path: Path, *, exclusive: bool = True) -> Iterator[None]:
    """The lock is held, by whom does not matter."""
    with lock_path(path).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield


def test_waiting_takes_no_time_of_the_processor(path: Path) -> None:
    with holding(path):
        begun = time.process_time()
        with pytest.raises(StoreBusy), Store(path, wait=2.0).read():
            pass
        assert time.process_time() - begun < 0.1


def test_who_waits_goes_on_as_soon_as_it_can(path: Path) -> None:
    store, waited = Store(path, wait=60.0), threading.Event()
    with holding(path):
        thread = threading.Thread(target=lambda: (note(store, "a"), waited.set()))
        thread.start()
        until(lambda: store._gate._claims[True]._is_past_turnstile)
        assert not waited.is_set()
    assert waited.wait(10.0)
    thread.join()


def test_a_claim_that_was_given_up_is_not_held_when_it_comes(path: Path) -> None:
    store, stop = Store(path, wait=60.0), threading.Event()
    claim = store._gate._claims[True]
    with holding(path):
        thread = threading.Thread(target=lambda: until(lambda: claim._is_past_turnstile) or stop.set())
        thread.start()
        with pytest.raises(StoreInterrupted), store.write(unless=stop):
            pass
        thread.join()
        # Meanwhile it keeps nobody from passing the turnstile.
        assert claim._turnstile is None
    until(lambda: not kept_out(path, exclusive=True))
    note(store, "a")


def test_a_claim_that_was_given_up_can_be_made_again_with_the_same_thread(path: Path) -> None:
    store = Store(path, wait=0.01)
    with holding(path):
        for _ in range(5):
            with pytest.raises(StoreBusy), store.write():
                pass
        assert len([thread for thread in threading.enumerate() if thread.name == "agnes-stats-lock"]) == 1
    store.wait = 60.0
    note(store, "a")


def test_ctrl_c_ends_the_waiting(path: Path) -> None:
    code = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n" + OURS
    with holding(path):
        process = subprocess.Popen([sys.executable, "-c", code, path, "a"], stderr=subprocess.PIPE, text=True)
        until(lambda: is_waiting(process))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30.0)
    assert "KeyboardInterrupt" in told
    assert notes(Store(path)) == ["before"]


KEEP_READING = """
import sys, time
from pathlib import Path
from agnes_stats.queries.store import Store
print("go", flush=True)
store = Store(Path(sys.argv[1]), wait=60.0)
while True:
    with store.read() as connection:
        connection.execute("SELECT count(*) FROM range(20000000) WHERE random() < 2").fetchone()
"""

KEEP_WRITING = """
import sys
from pathlib import Path
from agnes_stats.queries.store import Store
store, number = Store(Path(sys.argv[1]), wait=60.0), 0
print("go", flush=True)
while True:
    number += 1
    with store.write() as connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'note'", [str(number)])
"""


@contextmanager
def busy(code: str, path: Path, count: int) -> Iterator[None]:
    processes = [
        subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "go\n"
        yield
    finally:
        # They would go on for ever.
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.long
def test_a_writer_gets_in_beside_many_readers(path: Path) -> None:
    with busy(KEEP_READING, path, 4):
        for number in range(3):
            note(Store(path, wait=20.0), str(number))
    assert notes(Store(path)) == ["0", "1", "2", "before"]


def test_a_reader_gets_in_beside_many_writers(path: Path) -> None:
    with busy(KEEP_WRITING, path, 3):
        for _ in range(5):
            assert len(notes(Store(path, wait=20.0))) == 1


def test_readers_come_in_while_a_writer_waits_for_one_that_stays(path: Path) -> None:
    with holding(path, exclusive=False):
        writer = run(OURS, path, "a")
        until(lambda: is_waiting(writer))
        for _ in range(3):
            assert notes(Store(path, wait=20.0)) == ["before"]
        assert is_waiting(writer)
    assert writer.wait() == 0
    assert notes(Store(path)) == ["a", "before"]


# -- the files of the lock ---------------------------------------------------------------------------------------------


def test_the_lock_is_the_users_alone(path: Path) -> None:
    for file in (lock_path(path), queue_path(path)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_store_has_one_lock_by_all_its_names(path: Path) -> None:
    name = path.parent.parent / "other.duckdb"
    name.symlink_to(path)
    with holding(path), pytest.raises(StoreBusy), Store(name, wait=0.0).read():
        pass
    assert not Path(f"{name}.lock").exists()


def test_a_lock_that_was_deleted_is_made_again_for_those_who_wait(path: Path) -> None:
    with holding(path):
        writer = run(OURS, path, "a")
        until(lambda: is_waiting(writer))
        lock_path(path).unlink()
    assert writer.wait() == 0
    assert lock_path(path).exists()
    assert notes(Store(path)) == ["a", "before"]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_told_as_such(path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locking.fcntl, "flock", refuse)
    for use in (Store(path).read, Store(path).write):
        with pytest.raises(StoreUnlockable, match=r"no file locks.*--store"), use():
            pass


def test_a_file_system_that_has_no_lock_for_duckdb_is_told_as_such(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    def locked(*_: object, **__: object) -> None:
        raise duckdb.IOException('Could not set lock on file "x": Conflicting lock is held in PID 0.')

    monkeypatch.setattr(locking.fcntl, "lockf", refuse)
    monkeypatch.setattr(Instance, "open", locked)
    with pytest.raises(StoreUnlockable), Store(path).read():
        pass


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/null")])
@pytest.mark.parametrize("which", [lock_path, queue_path])
def test_what_is_no_file_in_the_place_of_the_lock_keeps_nobody_waiting(path: Path, make: object, which: object) -> None:
    which(path).unlink()  # type: ignore[operator]
    make(which(path))  # type: ignore[operator]
    with pytest.raises(StoreForeign, match="move it away"), Store(path).read():
        pass
