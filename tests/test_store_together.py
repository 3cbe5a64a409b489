"""The store's file, used by several threads and programs at once."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from agnes_stats.queries.store import (
    Store,
    StoreBusy,
    StoreChanged,
    StoreInterrupted,
)
from agnes_stats.queries.store import file as stores
from agnes_stats.queries.store import scratch as scratches
from agnes_stats.queries.store.locking import Lock, queue_path

from tests.storing import BESIDE, Holder, note, notes, until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.duckdb"


def test_another_process_that_reads_keeps_writers_out_and_readers_not(path: Path) -> None:
    store = Store(path, wait=0.05)
    note(store, "a")
    with Holder(path, "read") as holder:
        assert notes(store) == ["a"]
        with pytest.raises(StoreBusy) as raised, store.write():
            pass
    assert raised.value.pid == holder.pid
    note(store, "b")
    assert notes(store) == ["a", "b"]


def test_while_a_writer_waits_for_another_process_readers_still_get_their_answers(path: Path) -> None:
    store = Store(path)
    note(store, "a")
    with Holder(path, "read"):
        writer = threading.Thread(target=note, args=(store, "b"))
        writer.start()
        for _ in range(5):
            assert notes(store) == ["a"]
        assert writer.is_alive()
    writer.join()
    assert notes(store) == ["a", "b"]


def test_who_waits_can_be_told_to_stop(path: Path) -> None:
    store, stop = Store(path, wait=60.0), threading.Event()
    note(store, "a")
    with Holder(path, "read"):
        threading.Timer(0.05, stop.set).start()
        begun = time.monotonic()
        with pytest.raises(StoreInterrupted), store.write(unless=stop):
            pass
    assert time.monotonic() - begun < 30.0


def test_a_reader_beside_a_writer_sees_the_last_commit_all_along(path: Path) -> None:
    store = Store(path)
    note(store, "a")
    with store.write() as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO meta VALUES ('note', 'b')")
        assert in_thread(lambda: notes(store)) == ["a"]
        with store.read() as reading:
            count = "SELECT count(*) FROM meta WHERE name = 'note'"
            assert reading.execute(count).fetchone() == (1,)
            connection.execute("COMMIT")
            assert reading.execute(count).fetchone() == (1,)
    assert notes(store) == ["a", "b"]


def in_thread(ask: object) -> object:
    answer: list[object] = []
    thread = threading.Thread(target=lambda: answer.append(ask()))  # type: ignore[operator]
    thread.start()
    thread.join()
    return answer[0]


@pytest.fixture
def readers(path: Path) -> Iterator[Store]:
    """A store that four threads read in turns, so that there is always one inside. Who waits a minute is starved."""
    store, stop = Store(path, wait=60.0), threading.Event()
    note(store, "a")

    def keep_reading() -> None:
        while not stop.is_set():
            with store.read() as connection:
                connection.execute("SELECT count(*) FROM range(100000)").fetchone()

    threads = [threading.Thread(target=keep_reading) for _ in range(4)]
    for thread in threads:
        thread.start()
    yield store
    stop.set()
    for thread in threads:
        thread.join()


def test_readers_who_follow_each_other_do_not_starve_a_writer(readers: Store) -> None:
    for number in range(5):
        note(readers, str(number))
    assert len(notes(readers)) == 6


def test_a_writer_who_waits_comes_before_the_next_reader(path: Path) -> None:
    store, order = Store(path), []
    note(store, "a")

    def write() -> None:
        with store.write():
            order.append("writer")

    def read() -> None:
        with store.read():
            # It may be in beside the writer, whom it has joined.
            order.append("reader" if store._gate._writable or order else "reader first")

    writer, reader = threading.Thread(target=write), threading.Thread(target=read)
    with store.read():
        writer.start()
        until(lambda: store._gate._waiting[True])
        reader.start()
        reader.join(0.2)
    writer.join()
    reader.join()
    assert sorted(order) == ["reader", "writer"]


def test_a_thread_inside_may_ask_again_while_a_writer_waits(path: Path) -> None:
    store = Store(path, wait=5.0)
    note(store, "a")
    with ExitStack() as stack:
        stack.enter_context(store.read())
        writer = threading.Thread(target=note, args=(store, "b"))
        writer.start()
        until(lambda: store._gate._waiting[True])
        assert notes(store) == ["a"]
    writer.join()


def test_two_stores_of_one_path_share_what_is_open(path: Path) -> None:
    one, other = Store(path, wait=0.05), Store(path, wait=0.05)
    with one.read(), pytest.raises(StoreBusy), other.write():
        pass
    with one.write():
        assert notes(other) == []


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each time the file is opened, whether it was for writing."""
    opened: list[bool] = []
    connect = stores.connect

    def counted(files: object, instance: object, *, writable: bool) -> object:
        opened.append(writable)
        return connect(files, instance, writable=writable)

    monkeypatch.setattr(stores, "connect", counted)
    return opened


def test_a_writer_that_lingers_closes_only_when_readers_have_come_and_gone(
    path: Path, opened: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "JOIN_SECONDS", 10.0)
    monkeypatch.setattr(stores, "READ_SECONDS", 10.0)
    store, seen = Store(path), list[str]()

    def look() -> None:
        with store.read():
            seen.extend(notes(store))

    reader = threading.Thread(target=look)
    with store.write() as connection:
        connection.execute("INSERT INTO meta VALUES ('note', 'a')")
        reader.start()
        store.linger(threading.Event())
        assert seen == ["a"]
    reader.join()
    assert opened == [True]


def test_a_writer_that_lingers_for_nobody_goes_on_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "JOIN_SECONDS", 0.01)
    monkeypatch.setattr(stores, "READ_SECONDS", 60.0)
    begun = time.monotonic()
    with Store(path).write() as connection:
        connection.execute("INSERT INTO meta VALUES ('note', 'a')")
        Store(path).linger(threading.Event())
    assert time.monotonic() - begun < 30.0
    assert notes(Store(path)) == ["a"]


def test_a_writer_that_lingers_can_be_told_to_go_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "JOIN_SECONDS", 60.0)
    stop, begun = threading.Event(), time.monotonic()
    with Store(path).write():
        threading.Timer(0.05, stop.set).start()
        Store(path).linger(stop)
    assert time.monotonic() - begun < 30.0


def test_a_writer_does_not_linger_while_another_process_waits(
    path: Path, opened: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JOIN_SECONDS", "READ_SECONDS"):
        monkeypatch.setattr(stores, name, 60.0)
    store, inside, over, late = Store(path), threading.Event(), threading.Event(), list[list[str]]()

    def look() -> None:
        with store.read():
            inside.set()
            over.wait()

    readers = [threading.Thread(target=look), threading.Thread(target=lambda: late.append(notes(store)))]
    begun = time.monotonic()
    with store.write() as connection:
        connection.execute("INSERT INTO meta VALUES ('note', 'a')")
        readers[0].start()
        inside.wait()
        # Who waits keeps the turnstile closed.
        another = Lock(queue_path(path), exclusive=True)
        assert another.take(blocking=False)
        store.linger(threading.Event())
    assert time.monotonic() - begun < 30.0
    # Who comes now is behind the one that waits, also while somebody is still inside.
    readers[1].start()
    over.set()
    readers[0].join()
    another.close()
    readers[1].join()
    assert late == [["a"]]
    assert opened == [True, False]


def test_a_writer_makes_way_where_another_process_had_to_wait_lately(
    path: Path, opened: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JOIN_SECONDS", "READ_SECONDS"):
        monkeypatch.setattr(stores, name, 60.0)
    store, begun = Store(path), time.monotonic()
    note(store, "a")
    readers = [threading.Thread(target=notes, args=(store,)) for _ in range(2)]
    with store.write():
        store.make_way()
        readers[0].start()
        readers[0].join()
        another = Lock(queue_path(path), exclusive=True)
        assert another.take(blocking=False)
        store.make_way()
        another.close()
        store.make_way()
        readers[1].start()
        store.linger(threading.Event())
    readers[1].join()
    assert time.monotonic() - begun < 30.0
    # Two writers, and the reader that could not join the second of them.
    assert opened == [True, True, False]


def test_writers_of_one_process_take_turns(path: Path) -> None:
    store = Store(path)
    threads = [threading.Thread(target=note, args=(store, str(number))) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes(store)) == 8


def test_a_long_statement_can_be_interrupted_and_leaves_no_trace(path: Path) -> None:
    store, working = Store(path), threading.Event()
    note(store, "a")

    def interrupt() -> None:
        working.wait()
        while working.is_set():
            store.interrupt()
            time.sleep(0.01)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(StoreInterrupted), store.write() as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO meta VALUES ('note', 'b')")
        working.set()
        connection.execute("SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b")
    working.clear()
    thread.join()
    assert notes(store) == ["a"]


def test_of_several_processes_that_begin_at_once_all_find_one_store(path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from agnes_stats.queries.store import Store
import duckdb
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
with Store(Path({str(path)!r})).write() as connection:
    connection.execute("INSERT INTO meta VALUES ('note', ?)", [sys.argv[1]])
"""
    start = str(time.time() + 1.0)
    running = [subprocess.Popen([sys.executable, "-c", script, str(number), start]) for number in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert notes(Store(path)) == ["0", "1", "2", "3"]
    assert {file.name for file in path.parent.iterdir()} == {path.name, *BESIDE}


def test_a_time_in_the_future_says_nothing_about_how_long_the_store_was_left_alone(path: Path) -> None:
    store = Store(path)
    note(store, "a")
    assert store.idle_seconds() < 60.0
    os.utime(path, (time.time() + 3600, time.time() + 3600))
    assert store.idle_seconds() == float("inf")


def test_a_store_that_was_deleted_or_replaced_is_another_file(path: Path) -> None:
    store = Store(path)
    assert store.identity() is None
    note(store, "a")
    first = store.identity()
    note(store, "b")
    assert store.identity() == first
    path.rename(path.with_suffix(".old"))
    assert notes(store) == []
    assert store.identity() not in (None, first)


def test_who_waits_to_write_learns_that_another_one_wrote_before_it_opens_the_file(
    path: Path, opened: list[bool]
) -> None:
    store = Store(path)
    note(store, "a")
    stamp = store.stamp()
    with store.write(only_at=(stamp,)) as connection:
        connection.execute("INSERT INTO meta VALUES ('note', 'b')")
    assert opened == [True, True]
    with pytest.raises(StoreChanged), store.write(only_at=((), stamp)):
        pass
    assert opened == [True, True]
    assert notes(store) == ["a", "b"]


def test_the_stamp_tells_every_write_and_nothing_else(path: Path) -> None:
    store = Store(path)
    assert store.idle_seconds() == float("inf")
    note(store, "a")
    first = store.stamp()
    notes(store)
    assert store.stamp() == first
    note(store, "b")
    assert store.stamp() != first
    assert store.idle_seconds() < 60.0


KEEP_A_FOLDER = """
import sys
from pathlib import Path
from agnes_stats.queries.store.scratch import scratch
with scratch(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_killed_processes_left_is_removed_and_nothing_of_those_that_live(path: Path) -> None:
    command = [sys.executable, "-c", KEEP_A_FOLDER, path]
    killed, alive = (subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in "12")
    assert killed.stdout is not None and alive.stdout is not None
    left, kept = (Path(process.stdout.readline().strip()) for process in (killed, alive))  # type: ignore[union-attr]
    killed.kill()
    killed.communicate()
    note(Store(path), "a")
    assert (left.exists(), kept.exists()) == (False, True)
    alive.communicate("")
    assert not kept.exists()


def test_a_scratch_folder_whose_lock_is_not_made_yet_is_somebodys_for_a_day(path: Path) -> None:
    young, old = path.parent / ".agnes-stats-young", path.parent / ".agnes-stats-old"
    for folder in (young, old):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    scratches.clear(path.parent)
    assert (young.exists(), old.exists()) == (True, False)


def test_what_ends_while_it_removes_a_scratch_folder_leaves_its_lock_by_which_it_is_found(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = path.parent / ".agnes-stats-left"
    (left / "rows").mkdir(parents=True)
    for name in ("a", "in-use", "z"):
        (left / name).touch()
    remove = shutil.rmtree

    def ends(folder: Path, *, ignore_errors: bool) -> None:
        if folder == left:
            raise SystemExit
        remove(folder, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", ends)
    with pytest.raises(SystemExit):
        scratches.remove(left)
    monkeypatch.undo()
    assert [inner.name for inner in left.iterdir()] == ["in-use"]
    # By whoever has a store in the same folder, also another one.
    note(Store(path.with_name("other.duckdb")), "a")
    assert not left.exists()


def test_a_scratch_folder_that_was_cleared_while_it_was_made_is_made_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    take = Lock.take

    def cleared(self: Lock, *, blocking: bool) -> bool:
        if self._path.name == "in-use" and not made:
            made.append(self._path.parent)
            shutil.rmtree(made[0])
        return take(self, blocking=blocking)

    monkeypatch.setattr(Lock, "take", cleared)
    with scratches.scratch(path) as folder:
        assert folder.exists()
        assert folder != made[0]


def test_a_file_system_without_hard_links_will_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    note(Store(path), "a")
    assert notes(Store(path)) == ["a"]
