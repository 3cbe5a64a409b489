"""What tokens took is told while the store is filled, marked provisional, and is what the full store says then."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agnes_stats.ingest import usage_reading
from agnes_stats.ingest.news import Reading, UpToDate
from agnes_stats.ingest.progress import Progress
from agnes_stats.queries import sessions, tokens
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Reader, Store
from agnes_stats.tui import app as frame
from agnes_stats.tui import soon
from agnes_stats.tui.messages import IngestNews, SoonTold
from agnes_stats.tui.settings import Settings
from agnes_stats.tui.tokens import head
from agnes_stats.tui.tokens.pane import VIEWS
from agnes_stats.tui.tokens.view import DIMENSIONS, Question, ViewOptions

from tests.transcripts import HAIKU, Transcript, catch_up, store_of, write
from tests.tui.running import NOW, app_on, press, screen_text, settle, until

ALL = Filter(zone="UTC")


def talk(session: str, at: str, *, turns: int = 2, text: str = "Done.") -> Transcript:
    made = Transcript(session, at).prompt("count the orders").response(("t1", "Bash", {"command": "ls"}))
    made.wait(5).result("t1")
    for turn in range(turns):
        made.wait(60).prompt("and the items").wait(9).response(model=HAIKU if turn % 2 else None, text=text)
    return made


def helped(session: str, at: str) -> list[Transcript]:
    """A session that hands work on to a sub-agent."""
    main = Transcript(session, at).prompt("count them all").response(("a1", "Task", {"description": "Count"}))
    main.wait(90).result("a1", "12").wait(4).response()
    side = Transcript(session, at, agent="b2").note("counter", "Count the orders", "a1")
    return [main, side.wait(3).prompt("count").wait(5).response(model=HAIKU)]


OLD = [
    talk("old", "2026-03-02T09:00:00"),
    talk("older", "2026-02-27T23:30:00", turns=4),
    *helped("helped", "2026-03-05T10:00:00"),
]
NEW = [talk("new", "2026-03-10T14:00:00")]


def _task(store: Store, folder: Path) -> bytes:
    settings = Settings(store.path, "UTC", source=(f"claude={folder / 'claude'}",))
    return soon.encoded(settings, folder / "soon.duckdb")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Store, Store]:
    """A store that is not full yet, and what is told beside it."""
    monkeypatch.setattr(usage_reading, "LEAST_BYTES", 0)
    store = store_of(tmp_path, NEW)
    write(tmp_path / "claude", OLD)
    assert soon.do(_task(store, tmp_path))
    return store, Store(tmp_path / "soon.duckdb")


def _said(value: object) -> object:
    """What an answer says, but not in which order sums of floats were made, nor which of equals comes first."""
    if dataclasses.is_dataclass(value):
        return [_said(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, dict):
        return sorted(([repr(key), _said(one)] for key, one in value.items()), key=str)
    if isinstance(value, list | tuple):
        return [_said(one) for one in value]
    return round(value, 9) + 0.0 if isinstance(value, float) else value


def _questions() -> Iterator[Question]:
    for by in DIMENSIONS:
        yield Question(ALL, ViewOptions(by=by), NOW, NOW, True, 200, is_soon=True)


def test_each_view_that_says_so_is_told_as_the_full_store_tells_it(told: tuple[Store, Store], tmp_path: Path) -> None:
    store, ahead = told
    said = []
    for one in (ahead, store):
        if one is store:
            catch_up(store, tmp_path / "claude")
        with one.read() as connection:
            said.append(
                [
                    (view.NAME, question.options.by, _said(asked))
                    for view in VIEWS
                    for question in _questions()
                    if view().told_soon(question)
                    for asked in (head.ask(connection, question), view().ask(connection, question))
                ]
                + [_said(sessions.list_sessions(connection, ALL, now=NOW, limit=0))]
            )
    assert len(said[0]) > 2 * len(DIMENSIONS)
    assert said[0] == said[1]


def test_what_is_read_already_is_counted_once(told: tuple[Store, Store]) -> None:
    store, ahead = told
    with store.read() as connection:
        before = tokens.totals(connection, ALL)
    with ahead.read() as connection:
        assert tokens.totals(connection, ALL).responses == before.responses + 11


def test_where_little_is_unread_nothing_is_told_ahead(tmp_path: Path) -> None:
    store = store_of(tmp_path, NEW)
    write(tmp_path / "claude", OLD)
    assert not soon.do(_task(store, tmp_path))
    assert not (tmp_path / "soon.duckdb").exists()


def test_nobody_elses_secrets_are_in_the_task(tmp_path: Path) -> None:
    settings = Settings(
        tmp_path / "s.duckdb", "UTC", agnes={"token": "agnes-token"}, team={"url": "postgresql://u:pw@h"}
    )
    task = soon.encoded(settings, tmp_path / "soon.duckdb")
    assert b"agnes-token" not in task and b"pw" not in task


def _much(folder: Path) -> Settings:
    """Settings for a store that has nothing yet of transcripts that are worth it."""
    write(folder / "claude", [talk("long", "2026-03-02T09:00:00", turns=3, text="x" * usage_reading.LEAST_BYTES)])
    return Settings(folder / "data" / "s.duckdb", "UTC", source=(f"claude={folder / 'claude'}",))


def _folders(settings: Settings) -> list[str]:
    return [path.name for path in settings.store.parent.iterdir() if path.is_dir()]


def test_a_process_reads_it_and_all_of_it_is_gone_at_the_end(tmp_path: Path) -> None:
    settings, is_told = _much(tmp_path), threading.Event()
    reading = soon.ReadingAhead(settings, is_told.set)
    with reading.read() as connection:
        assert connection is None
    reading.begin()
    assert is_told.wait(30)
    with reading.read() as connection:
        assert connection is not None and tokens.totals(connection, ALL).responses == 4
        # Whoever asks goes on asking; the end does not wait for that.
        reading.end()
        assert tokens.totals(connection, ALL).responses == 4
    with reading.read() as connection:
        assert connection is None
    _until_ended()
    assert _folders(settings) == []


def test_it_ends_in_the_middle_of_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, begun = _much(tmp_path), threading.Event()
    started = soon._started

    @contextlib.contextmanager
    def telling(task: bytes) -> Iterator[object]:
        with started(task) as process:
            begun.set()
            yield process
            assert process.returncode

    monkeypatch.setattr(soon, "_started", telling)
    reading = soon.ReadingAhead(settings, lambda: pytest.fail("nothing was read"))
    reading.begin()
    assert begun.wait(30)
    reading.end()
    _until_ended()
    assert _folders(settings) == []


def _until_ended() -> None:
    for thread in threading.enumerate():
        if thread.name == "agnes-stats-soon":
            thread.join(30)
            assert not thread.is_alive()


# -- on the screen -------------------------------------------------------------------------------------------------


class Silent:
    """An ingester that tells nothing by itself."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Ahead:
    """What is told beside a store, without a process."""

    def __init__(self, ahead: Store) -> None:
        self._store = ahead
        self.begun = self.ended = 0

    def made(self, _: Callable[[], None]) -> Ahead:
        return self

    def begin(self) -> None:
        self.begun += 1

    def end(self) -> None:
        self.ended += 1

    @contextlib.contextmanager
    def read(self) -> Iterator[Reader | None]:
        with self._store.read() as connection:
            yield connection


def _reading(files: int = 0) -> IngestNews:
    return IngestNews(Reading(Progress(9, 1, frame.SOON_BYTES, 1), files))


async def test_sums_are_provisional_on_each_tab_until_the_store_is_full(told: tuple[Store, Store]) -> None:
    store, beside = told
    ahead = Ahead(beside)
    with store.read() as connection:
        some = tokens.totals(connection, ALL).total_tokens
    with beside.read() as connection:
        every = tokens.totals(connection, ALL).total_tokens
    assert (some, every) == (3930, 18340)
    app = app_on(store, service=lambda _: Silent(), soon=ahead.made)
    async with app.run_test(size=(140, 45)) as pilot:
        await settle(pilot)
        app.post_message(_reading())
        app.post_message(SoonTold())
        await settle(pilot)
        assert (ahead.begun, ahead.ended) == (1, 0)
        for key in ("1", "2"):
            await press(pilot, key)
            await until(pilot, lambda: screen_text(app).lower().count("provisional") == 2)
            shown = screen_text(app)
            assert "· 18k  $0.04" in shown and ("4 sessions · 18k" in shown or "Total 18k" in shown), shown
        # A line of a session that runs meanwhile does not make the store full.
        app.post_message(_reading(files=1))
        await settle(pilot)
        assert (ahead.begun, ahead.ended) == (1, 0)
        app.post_message(IngestNews(UpToDate(1, 0.1)))
        await settle(pilot)
        assert ahead.ended == 1
        for key in ("1", "2"):
            await press(pilot, key)
            # A tab is painted as it was left before it asks again.
            await until(pilot, lambda: "provisional" not in screen_text(app).lower())
            assert "18k" not in screen_text(app)


async def test_a_wide_screen_leaves_out_what_is_not_known_yet(told: tuple[Store, Store]) -> None:
    store, beside = told
    app = app_on(store, service=lambda _: Silent(), soon=Ahead(beside).made, tab="tokens")
    async with app.run_test(size=(200, 60)) as pilot:
        await settle(pilot)
        assert "Agent type" in screen_text(app)
        app.post_message(_reading())
        app.post_message(SoonTold())
        await until(pilot, lambda: "Agent type" not in screen_text(app))
        app.post_message(IngestNews(UpToDate(1, 0.1)))
        await until(pilot, lambda: "Agent type" in screen_text(app))


async def test_what_is_looked_for_is_sought_in_the_store(told: tuple[Store, Store]) -> None:
    store, beside = told
    app = app_on(store, service=lambda _: Silent(), soon=Ahead(beside).made)
    async with app.run_test(size=(140, 45)) as pilot:
        app.post_message(_reading())
        await settle(pilot)
        await press(pilot, "slash", *"orders", "enter")
        assert "provisional" not in screen_text(app)


async def test_a_small_backlog_is_only_read(told: tuple[Store, Store]) -> None:
    store, beside = told
    ahead = Ahead(beside)
    app = app_on(store, service=lambda _: Silent(), soon=ahead.made)
    async with app.run_test(size=(140, 45)) as pilot:
        app.post_message(IngestNews(Reading(Progress(9, 1, frame.SOON_BYTES - 1, 1))))
        await settle(pilot)
        assert ahead.begun == 0
