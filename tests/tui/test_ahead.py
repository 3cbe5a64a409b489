"""The first answers, asked for before there is a screen: the same as asked later, or none."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store, StoreError
from agnes_stats.tui.dashboard import app_of, first_answers
from agnes_stats.tui.prefetch import Ahead
from agnes_stats.tui.sessions.data import SHOWN_AT_FIRST, SessionsData
from agnes_stats.tui.sessions.list import SessionsPane, SessionsTable
from agnes_stats.tui.settings import Settings

from tests.storing import Holder
from tests.transcripts import Transcript, store_of
from tests.tui.running import settle


def count(connection: object) -> int:
    return connection.execute("SELECT count(*) FROM meta").fetchone()[0]  # type: ignore[attr-defined, no-any-return]


def add(store: Store) -> None:
    with store.write() as connection:
        connection.execute("INSERT INTO meta VALUES ('note', 'x')")


def test_an_answer_is_given_once_and_only_for_the_filter_it_was_asked_with(tmp_path: Path) -> None:
    store, chosen = Store(tmp_path / "s.duckdb"), Filter(project="shop")
    with Ahead(store, chosen, {"one": count, "two": count}) as ahead:
        assert ahead.take("one", Filter(project="other")) is None
        assert ahead.take("three", chosen) is None
        assert ahead.take("one", Filter(project="shop")) == 1
        assert ahead.take("one", chosen) is None
        assert ahead.take("two", chosen) == 1


def test_an_answer_of_another_store_than_there_is_now_is_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    asked = threading.Event()
    with Ahead(store, Filter(), {"one": count, "two": lambda _: asked.set() or 2}) as ahead:
        assert asked.wait(10.0)
        add(store)
        assert ahead.take("one", Filter()) is None


def test_what_is_wrong_is_told_to_whoever_takes_the_answer(tmp_path: Path) -> None:
    (tmp_path / "s.duckdb").write_bytes(b"x" * 20000)
    with Ahead(Store(tmp_path / "s.duckdb"), Filter(), {"one": count}) as ahead:
        with pytest.raises(StoreError, match="cannot be read as a store"):
            ahead.take("one", Filter())
        assert ahead.take("one", Filter()) is None


def test_it_does_not_wait_for_a_store_once_nobody_wants_the_answer(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    add(store)
    with Holder(store.path, "write"), Ahead(store, Filter(), {"one": count}):
        pass


async def test_the_dashboard_shows_the_beginning_of_the_list_then_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = SHOWN_AT_FIRST + 5
    talks = [Transcript(f"s{n}", f"2026-03-10T09:00:{n % 60:02d}").prompt("x").response() for n in range(many)]
    settings = Settings(store_of(tmp_path, talks).path, tz="UTC", no_ingest=True, since=dt.date(2026, 1, 1))
    shown: list[tuple[int, int]] = []
    show = SessionsPane.show

    def noted(pane: SessionsPane, data: SessionsData) -> None:
        shown.append((len(data.page.rows), data.page.totals.sessions))
        show(pane, data)

    monkeypatch.setattr(SessionsPane, "show", noted)
    with first_answers(settings) as ahead:
        app = app_of(settings, ahead)
        async with app.run_test(size=(140, 45)) as pilot:
            while not shown or shown[-1][0] < many:
                await pilot.pause(0.02)
            await settle(pilot)
            assert len(app.query_one(SessionsTable).records) == many
    assert shown[0] == (SHOWN_AT_FIRST, many)
