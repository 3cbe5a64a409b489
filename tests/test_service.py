"""The ingester of the dashboard: it follows the files, tells the news, and ends at once."""

import errno
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import watchfiles
from agnes_stats.ingest import inotify, watching
from agnes_stats.ingest import service as services
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.news import News, Reading, Troubled, UpToDate
from agnes_stats.ingest.service import IngestService
from agnes_stats.queries.store import Store
from agnes_stats.queries.store import file as stores
from agnes_stats.queries.store.keepsakes import backup_path

from tests.storing import until
from tests.transcripts import Transcript, write

Told = TypeVar("Told", bound=News)
DAY = "2026-03-10T09:00:00"


def talk(session: str = "s1", responses: int = 2) -> Transcript:
    transcript = Transcript(session, DAY).prompt("count the orders")
    for _ in range(responses):
        transcript.wait(10).response()
    return transcript


class Life:
    """A service at work in a folder, and all its news."""

    def __init__(self, folder: Path) -> None:
        self.root = Root("claude", folder / "claude")
        self.store = Store(folder / "data" / "store.duckdb")
        self.engine = Engine(self.store, [self.root], workers=1)
        self.service = IngestService(self.engine, self._hear, find_roots=self.roots)
        self.news: list[News] = []
        self.on_news: Callable[[News], None] = lambda _: None
        self._heard = threading.Condition()

    def roots(self) -> list[Root]:
        return [self.root] if self.root.path.is_dir() else []

    def _hear(self, news: News) -> None:
        self.on_news(news)
        with self._heard:
            self.news.append(news)
            self._heard.notify_all()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so after some news."""
        with self._heard:
            assert self._heard.wait_for(is_so, 20.0), self.news[-5:]

    def until_told(self, kind: type[Told], after: int = 0) -> Told:
        found: list[Told] = []
        self.until(lambda: bool(found.extend(one for one in self.news[after:] if isinstance(one, kind)) or found))
        return found[0]

    def until_changed(self, after: int = 0) -> UpToDate:
        """Wait for the news that the store has other content, after so many news."""
        found: list[UpToDate] = []

        def look() -> bool:
            found.extend(one for one in self.news[after:] if isinstance(one, UpToDate) and one.files)
            return bool(found)

        self.until(look)
        return found[0]

    def count(self, what: str = "responses") -> int:
        with self.store.read() as connection:
            row = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
        assert row is not None
        return int(row[0])

    def append(self, transcript: Transcript, name: str = "s1") -> None:
        with (self.root.path / "projects" / "-home-dana-work" / f"{name}.jsonl").open("a") as file:
            file.write("".join(json.dumps(row) + "\n" for row in transcript.rows))


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    life = Life(tmp_path)
    yield life
    life.service.stop()
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith(("agnes-stats", "ingest"))]
    assert left == []


@pytest.fixture
def running(life: Life) -> Life:
    write(life.root.path, [talk()])
    life.service.start()
    life.until(lambda: life.count() == 2)
    return life


def test_a_line_that_is_appended_is_in_the_store_and_told(running: Life) -> None:
    told = len(running.news)
    running.append(talk("s2", 1))
    running.until(lambda: running.count() == 3)
    assert running.until_changed(told).files == 1


def test_a_store_that_was_deleted_is_soon_made_anew(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LOOK_SECONDS", 0.02)
    write(life.root.path, [talk()])
    life.service.start()
    told = life.until_changed(0)
    life.news.clear()
    life.store.path.unlink()
    life.until_changed(0)
    assert life.count() == 2
    assert told.files == 1


def test_the_dashboards_ingester_looks_after_the_backup(life: Life) -> None:
    write(life.root.path, [talk(), talk("gone")])
    life.engine.catch_up()
    next(life.root.path.rglob("gone.jsonl")).unlink()
    life.service.start()
    until(backup_path(life.store.path).exists)


def test_who_asks_upon_the_news_finds_the_store_open(running: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "JOIN_SECONDS", 20.0)
    seen: list[int] = []
    said = [1]
    asking = threading.Thread(target=lambda: seen.append(running.count()))

    def ask_at_once(news: News) -> None:
        # What is told while the store is open can be asked without opening it. What is left of the first look, and what
        # a sweep finds before the watcher does, is told after it.
        if not isinstance(news, UpToDate) or not news.files or asking.ident is not None:
            return
        if running.store._gate._writing:
            asking.start()
        else:
            said.append(said[-1] + 1)
            running.append(talk("s2", said[-1]))

    running.on_news = ask_at_once
    running.append(talk("s2", said[-1]))
    running.until(lambda: asking.ident is not None)
    asking.join()
    assert seen == [2 + said[-1]]


@pytest.fixture(params=["the kernel", "watchfiles"])
def watched_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who tells what changes; asked for before the service is made."""
    if request.param == "watchfiles":
        monkeypatch.setattr(inotify, "works", lambda: False)
    elif not inotify.works():
        pytest.skip("no inotify here")
    return str(request.param)


def test_new_folders_and_renamed_ones_are_noticed_before_the_next_sweep(watched_by: str, running: Life) -> None:
    assert type(running.service._watcher._deep) is watching.KINDS[watched_by]
    projects = running.root.path / "projects"
    write(running.root.path, [talk("s2")], "-a-new-one")
    running.until(lambda: running.count() == 4)
    (projects / "-home-dana-work").rename(projects / "-renamed")
    running.until(lambda: (running.count("files"), running.count("files WHERE gone_at IS NULL")) == (3, 2))
    assert running.count() == 4


def test_what_is_behind_a_link_is_followed_and_the_disk_is_not_watched(
    watched_by: str, life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's watcher follows every link: where there is one it is told each folder by itself."""
    watched: list[set[str]] = []
    watch = watchfiles.watch

    def note(*paths: str, **named: Any) -> Any:
        if not named["recursive"]:
            watched.append({str(path) for path in paths})
        return watch(*paths, **named)

    def add(self: inotify.Watches, folder: str) -> None:
        add_watch(self, folder)
        if Path(folder).is_relative_to(life.root.path / "projects"):
            watched.append({*(watched[-1] if watched else ()), folder})

    add_watch = inotify.Watches.add
    monkeypatch.setattr(watchfiles, "watch", note)
    monkeypatch.setattr(inotify.Watches, "add", add)
    projects = life.root.path / "projects"
    write(life.root.path, [talk()])
    write(tmp_path / "elsewhere", [talk("s2")], "-linked")
    (projects / "-linked").symlink_to(tmp_path / "elsewhere" / "projects" / "-linked")
    (projects / "-disk").symlink_to("/")
    life.service.start()
    life.until(lambda: life.count() == 4)
    until(lambda: bool(watched) and str(projects / "-linked") in watched[-1])
    assert watched[-1] == {str(projects), str(projects / "-home-dana-work"), str(projects / "-linked")}
    write(tmp_path / "elsewhere", [talk("s3", 1)], "-linked")
    life.until(lambda: life.count() == 5)
    # A new folder is watched, too.
    write(life.root.path, [talk("s4", 1)], "-new")
    life.until(lambda: life.count() == 6)
    until(lambda: str(projects / "-new") in watched[-1])
    with (projects / "-new" / "s4.jsonl").open("a") as file:
        file.write("".join(json.dumps(row) + "\n" for row in talk("s5", 1).rows))
    life.until(lambda: life.count() == 7)


def test_a_root_that_appears_later_is_read(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SWEEP_SECONDS", (0.1, 0.1))
    monkeypatch.setattr(services, "SWEEP_SHARE", 1.0)
    life.service.start()
    assert life.until_told(UpToDate).files == 1
    write(life.root.path, [talk()])
    life.until(lambda: life.count() == 2)


def test_a_root_that_was_replaced_is_followed_again(running: Life) -> None:
    running.root.path.rename(running.root.path.with_name("away"))
    write(running.root.path, [talk("s2")])
    running.service._sweep_soon()
    running.until(lambda: running.count() == 4)
    running.append(talk("s3"), "s2")
    running.until(lambda: running.count() == 6)


def test_when_more_changes_than_can_be_told_all_is_looked_at(running: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    real = inotify.Watches._take

    def lost(self: inotify.Watches, number: int, what: int, name: str, seen: inotify.Seen) -> None:
        real(self, -1, inotify._OVERFLOW, name, seen)

    monkeypatch.setattr(inotify.Watches, "_take", lost)
    running.append(talk("s2", 1))
    running.until(lambda: running.count() == 3)


def test_without_a_watcher_the_files_are_polled(watched_by: str, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "OS file watch limit reached")

    monkeypatch.setattr(inotify.Watches, "add", none_left)
    monkeypatch.setattr("watchfiles.watch", none_left)
    monkeypatch.setattr(services, "POLL_SECONDS", 0.05)
    write(life.root.path, [talk()])
    life.service.start()
    life.until(lambda: any(isinstance(one, UpToDate) and one.polling for one in life.news))
    life.append(talk("s2"))
    life.until(lambda: life.count() == 4)


def test_lines_that_come_without_a_pause_are_taken_in_once_a_second(life: Life) -> None:
    service, now = life.service, 100.0
    rests = []
    for waited in (5.0, 0.0, 0.0, 0.01, 0.0, 0.4, 0.0):
        service._next_ingest = now
        now += waited
        rests.append(service._rest(now))
        now += rests[-1]
    assert rests == [0.5, 0.5, 0.5, 1.0, 1.0, 0.5, 0.5]


def test_what_another_program_has_read_is_told_too(running: Life) -> None:
    running.until(lambda: isinstance(running.news[-1], UpToDate))
    told = len(running.news)
    away = Root("claude", running.root.path.with_name("other"))
    write(away.path, [talk("s7")])
    Engine(running.store, [away], workers=1).catch_up()
    running.service._sweep_soon()
    assert running.until_changed(told).files == 1


def test_of_two_services_both_tell_and_the_store_has_it_once(running: Life, tmp_path: Path) -> None:
    other = Life(tmp_path)
    other.service.start()
    try:
        other.until_told(UpToDate)
        told = len(running.news), len(other.news)
        running.append(talk("s2", 1))
        assert running.until_changed(told[0])
        assert other.until_changed(told[1])
    finally:
        other.service.stop()
    assert running.count() == 3


# -- trouble -----------------------------------------------------------------------------------------------------------


def test_a_damaged_store_is_told_and_a_rebuild_puts_it_right(life: Life) -> None:
    write(life.root.path, [talk()])
    life.store.path.parent.mkdir()
    life.store.path.write_bytes(b"x" * 20000)
    life.service.start()
    trouble = life.until_told(Troubled)
    assert trouble.fatal
    assert "--rebuild" in trouble.reason
    assert life.store.path.read_bytes() == b"x" * 20000
    life.service.rebuild()
    life.until_told(UpToDate)
    assert life.count() == 2
    assert len(list(life.store.path.parent.glob("store-*.duckdb"))) == 1


def test_a_busy_store_is_no_disaster(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.storing import Holder

    monkeypatch.setattr(services, "RETRY_SECONDS", {False: 0.02, True: 5.0})
    write(life.root.path, [talk()])
    life.store.wait = 0.5
    with life.store.read():
        pass
    with Holder(life.store.path, "read") as holder:
        life.service.start()
        trouble = life.until_told(Troubled)
        assert not trouble.fatal
        assert f"process {holder.pid}" in trouble.reason
        assert life.count() == 0
    life.until(lambda: isinstance(life.news[-1], UpToDate))
    assert life.count() == 2


def test_no_space_is_told_and_tried_again(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    from agnes_stats.ingest.batch import Batch

    monkeypatch.setattr(services, "RETRY_SECONDS", {False: 0.02, True: 0.02})
    write(life.root.path, [talk()])
    with monkeypatch.context() as full:

        def no_space(*_: object) -> None:
            raise OSError(28, "No space left on device")

        full.setattr(Batch, "write", no_space)
        life.service.start()
        trouble = life.until_told(Troubled)
    assert trouble.fatal
    assert "no space left" in trouble.reason
    life.until(lambda: isinstance(life.news[-1], UpToDate))
    assert life.count() == 2


def test_a_fault_of_ours_is_told_and_survived(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "RETRY_SECONDS", {False: 0.02, True: 0.02})
    write(life.root.path, [talk()])
    with monkeypatch.context() as broken:
        broken.setattr(life, "roots", None)
        broken.setattr(life.service, "_find_roots", lambda: 1 / 0)
        life.service.start()
        assert life.until_told(Troubled).reason == "ZeroDivisionError: division by zero"
    life.until(lambda: isinstance(life.news[-1], UpToDate))
    assert life.count() == 2


# -- the end -----------------------------------------------------------------------------------------------------------


def test_it_stops_at_once_in_the_middle_of_a_transaction(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    from agnes_stats.ingest import load

    write(life.root.path, [talk()])
    working = threading.Event()

    def endless(connection: object, *_: object, **__: object) -> None:
        connection.execute("BEGIN")  # type: ignore[attr-defined]
        working.set()
        connection.execute("SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b")  # type: ignore[attr-defined]

    monkeypatch.setattr(load, "load", endless)
    life.service.start()
    assert working.wait(10.0)
    begun = time.monotonic()
    life.service.stop()
    assert time.monotonic() - begun < 2.0
    assert not any(isinstance(one, Troubled) for one in life.news)
    monkeypatch.undo()
    life.engine.stop.clear()
    life.engine.catch_up()
    assert life.count() == 2


def test_it_stops_at_once_while_it_waits_for_the_store(life: Life) -> None:
    from tests.storing import Holder

    write(life.root.path, [talk()])
    with life.store.read():
        pass
    with Holder(life.store.path, "read"):
        life.service.start()
        until(lambda: life.store._gate._waiting[True])
        begun = time.monotonic()
        life.service.stop()
        assert time.monotonic() - begun < 2.0


def test_it_stops_at_once_in_the_middle_of_a_backfill(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    write(life.root.path, [talk(f"s{number}", 3) for number in range(12)])
    monkeypatch.setattr("agnes_stats.ingest.engine.WORKER_BYTES", 0)
    monkeypatch.setattr("agnes_stats.ingest.backfill.TASK_BYTES", 1)
    monkeypatch.setattr("agnes_stats.ingest.backfill.LOAD_BYTES", 1)
    monkeypatch.setattr("agnes_stats.ingest.backfill.QUEUED_BYTES", 0)
    life.service.start()
    life.until(lambda: len(life.news) >= 3)
    begun = time.monotonic()
    life.service.stop()
    assert time.monotonic() - begun < 2.0
    assert 0 < life.count() < 36
    monkeypatch.undo()
    life.engine.stop.clear()
    life.engine.catch_up()
    assert life.count() == 36


def test_a_line_in_the_middle_of_a_catch_up_does_not_make_the_store_full(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(life.root.path, [talk(f"s{number}", 3) for number in range(4)])
    monkeypatch.setattr("agnes_stats.ingest.engine.WORKER_BYTES", 0)
    monkeypatch.setattr("agnes_stats.ingest.backfill.TASK_BYTES", 1)
    monkeypatch.setattr("agnes_stats.ingest.backfill.LOAD_BYTES", 1)
    monkeypatch.setattr("agnes_stats.ingest.backfill.QUEUED_BYTES", 0)
    appended: list[bool] = []

    def append_once(news: News) -> None:
        if isinstance(news, Reading) and news.progress.files_done and not appended:
            appended.append(True)
            life.append(talk("live", 1), "live")
            life.service.note({life.root.path / "projects" / "-home-dana-work" / "live.jsonl"})

    life.on_news = append_once
    life.service.start()
    life.until_told(UpToDate)
    told = [news for news in life.news if isinstance(news, Reading)]
    # By itself, or as one that the watcher told as well.
    assert {news.files for news in told} == {0, 1}
    assert told[-1].progress.files_done == 4, "nothing said before that all is read"


def test_only_one_listens_to_an_engine(life: Life) -> None:
    with pytest.raises(ValueError, match="already"):
        IngestService(life.engine, lambda _: None, find_roots=list)
