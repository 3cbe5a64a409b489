"""Panels of the Tokens tab: saved queries, drawn over its days and filters."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.queries.console_book import Book, Panel
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.answer_table import AnswerTable
from agnes_stats.tui.kit.state import PaneState
from agnes_stats.tui.screens.console import ConsoleScreen
from agnes_stats.tui.tokens.panels import PanelBox, Panels
from textual.widgets import TextArea

from tests.storing import held
from tests.transcripts import OPUS, SONNET, Transcript, store_of
from tests.tui.running import press, running, screen_text, show_view

BY_MODEL = "SELECT model, sum(output_tokens)::BIGINT AS written FROM tokens_daily WHERE {{filters}} GROUP BY ALL"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = [
        Transcript("one", "2026-03-09T10:00:00").prompt("Fix it").wait(1).response(tokens=(1, 20, 300, 0)),
        Transcript("two", "2026-03-10T10:00:00", model=SONNET).prompt("Go").wait(1).response(tokens=(1, 5, 0, 0)),
    ]
    return store_of(tmp_path_factory.mktemp("panels"), made)


@pytest.fixture
def store(filled: Store, tmp_path: Path) -> Iterator[Store]:
    """One of its own, as the panels lie beside it."""
    with held(Store(Path(shutil.copy(filled.path, tmp_path)))) as store:
        yield store


def boxes(app: AgnesStats) -> list[PanelBox]:
    return list(app.query(PanelBox))


def answers(app: AgnesStats) -> list[object]:
    return [box.view.table and sorted(box.view.table.rows) for box in boxes(app)]


async def test_panels_are_added_changed_and_taken_away_and_follow_the_filters(store: Store) -> None:
    book = Book(store.path)
    book.save("[b]models", BY_MODEL)
    async with running(store, (140, 45), tab="tokens") as (app, pilot):
        await show_view(pilot, "panels")
        assert "No panels yet" in screen_text(app)
        await press(pilot, "plus", "enter")
        await press(pilot, "plus", *"by day", "enter")
        assert [box.panel.name for box in boxes(app)] == ["[b]models", "Cost by day"]
        assert book.read().panels[1].name == "Cost by day", "an example is saved with that"
        assert answers(app)[0] == [(OPUS, 20), (SONNET, 5)]
        text = screen_text(app)
        assert "─ [b]models ─" in text and "bars · 2 rows · " in text
        assert app.focused is boxes(app)[1]
        # The filter of the dashboard is theirs, at once.
        app.choose(model=SONNET)
        await press(pilot)
        assert answers(app)[0] == [(SONNET, 5)]
        # Forms follow each other, from the one that the answer had chosen: that of one row is a table.
        await press(pilot, "up")
        await press(pilot, "F", "F", "F")
        assert book.read().panels[0].form == "stacked"
        await press(pilot, "F")
        assert book.read().panels[0].form == "table"
        assert boxes(app)[0].query_one(AnswerTable).region
        await press(pilot, "f2", *"two", "enter")
        assert [panel.name for panel in book.read().panels] == ["two", "Cost by day"]
        assert app.focused is boxes(app)[0], "it keeps its place, and the focus"
        # Its query is changed in the console.
        await press(pilot, "enter")
        assert isinstance(app.screen, ConsoleScreen)
        app.screen.query_one(TextArea).text = "SELECT 7 AS n"
        await press(pilot, "ctrl+s", "enter", "escape")
        assert answers(app)[0] == [(7,)]
        await press(pilot, "delete")
        assert [panel.name for panel in book.read().panels] == ["Cost by day"]
        assert "two" in book.read().saved
        assert app.focused is boxes(app)[0]
        await press(pilot, "delete")
        assert "No panels yet" in screen_text(app)
        await press(pilot, "plus", "escape")
        await show_view(pilot, "overview")
        await show_view(pilot, "panels")
        assert "No panels yet" in screen_text(app)


async def test_what_goes_wrong_stays_in_the_panel_and_no_process_stays_behind(store: Store) -> None:
    book = Book(store.path)
    for name, sql in (("bad", "SELECT nonsense FROM sessions"), ("good", "SELECT 1 AS n"), ("no", "SELECT $x")):
        book.save(name, sql)
        book.pin(name)
    async with running(store, (80, 24), tab="tokens") as (app, pilot):
        await show_view(pilot, "panels")
        assert answers(app) == [None, [(1,)], None]
        assert "✗  Binder Error: Referenced" in screen_text(app)
        assert boxes(app)[0].query_one(PaneState).mode == "failed"
        view = app.query_one(Panels)
        asker = view._asker
        assert asker is not None and asker.pid is not None
        await press(pilot, "down", "down")
        assert "there is no $x" in screen_text(app)
        await show_view(pilot, "overview")
        assert view._asker is None and asker.pid is None
        await show_view(pilot, "panels")
        assert answers(app)[1] == [(1,)]
        last = view._asker
    assert last is not None and last.pid is None


async def test_a_file_of_queries_that_cannot_be_read_says_so_and_heals(store: Store) -> None:
    book = Book(store.path)
    book.path.write_text("{")
    async with running(store, (140, 45), tab="tokens") as (app, pilot):
        await show_view(pilot, "panels")
        assert "console.json cannot be read" in " ".join(screen_text(app).split())
        await press(pilot, "plus", "enter")
        assert book.read().panels == (Panel("Cost by day", boxes(app)[0].panel.sql),)
        assert book.path.with_name("console.broken.json").read_text() == "{"
