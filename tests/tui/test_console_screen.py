"""The SQL console: a query, its answer as a table or a chart, history and saved queries."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.queries.console_book import Book, Panel
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.store import Store
from agnes_stats.tui.app import AgnesStats
from agnes_stats.tui.kit.answer_table import AnswerTable
from agnes_stats.tui.kit.bars import StackedBars
from agnes_stats.tui.kit.chart import PlotextChart
from agnes_stats.tui.kit.sql_editor import SqlEditor
from agnes_stats.tui.screens.console import ConsoleScreen
from textual.widgets import Static, TextArea

from tests.storing import held, until
from tests.transcripts import OPUS, SONNET, Transcript, store_of
from tests.tui.running import press, running, screen_text, settle

ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range + b.range) = 1"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = [
        Transcript("one", "2026-03-09T10:00:00").prompt("Fix it").wait(1).response(tokens=(1, 20, 300, 0)),
        Transcript("two", "2026-03-10T10:00:00", model=SONNET).prompt("Go").wait(1).response(tokens=(1, 5, 0, 0)),
    ]
    return store_of(tmp_path_factory.mktemp("console"), made)


@pytest.fixture
def store(filled: Store, tmp_path: Path) -> Iterator[Store]:
    """One of its own, as the history lies beside it."""
    with held(Store(Path(shutil.copy(filled.path, tmp_path)))) as store:
        yield store


def write(app: AgnesStats, sql: str) -> None:
    app.screen.query_one(TextArea).text = sql


def note(app: AgnesStats) -> str:
    return str(app.screen.query_one("#answer-note", Static).render())


async def test_a_query_is_answered_under_the_filters_of_the_dashboard(store: Store) -> None:
    async with running(store, tab="tokens", chosen=Filter(model=OPUS)) as (app, pilot):
        await press(pilot, "l")
        said = f"((day >= DATE '2026-02-09') AND (model = '{OPUS}') AND (zone = 'UTC'))"
        assert f"{{{{filters}}}} is {said}" in screen_text(app)
        sql = "SELECT model, sum(output_tokens)::BIGINT AS written FROM tokens_daily WHERE {{filters}} GROUP BY ALL"
        write(app, sql)
        await press(pilot, "f5")
        assert app.screen.query_one(AnswerTable).table.rows == [(OPUS, 20)]
        assert note(app).startswith("1 row · ")
        # Query and answer are still there when it is opened again, and the filters are those of then.
        await press(pilot, "escape")
        assert not isinstance(app.screen, ConsoleScreen)
        app.choose(model=None)
        await press(pilot, "l", "ctrl+j")
        assert sorted(app.screen.query_one(AnswerTable).table.rows) == [(OPUS, 20), (SONNET, 5)]
        assert Book(store.path).read().history == (sql,)


async def test_a_query_with_a_credential_is_answered_and_not_noted(store: Store) -> None:
    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "l")
        write(app, "SELECT count(*)::BIGINT AS n FROM prompts WHERE text LIKE '%password=hunter2Zq9X%'")
        await press(pilot, "f5")
        assert len(app.screen.query_one(AnswerTable).table.rows) == 1
        assert Book(store.path).read().history == ()


async def test_values_are_told_apart_and_harmless(store: Store) -> None:
    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "l")
        write(
            app,
            "SELECT * FROM (VALUES (1, 'NULL', 1.50::DECIMAL(9, 2), TIMESTAMP '2026-03-10 08:00', true),"
            "(20, NULL, -2, NULL, NULL), (3, '[/red]' || chr(27) || '[31mred' || chr(10) || 'more', 0, NULL, false))"
            """ t(n, text, "[b]money", at_time, yes)""",
        )
        await press(pilot, "f5")
        told = [line.rstrip() for line in screen_text(app).splitlines() if line[:4].strip() in ("n", "1", "20", "3")][
            :4
        ]
        assert told == [
            "  n  text            [b]money  at_time              yes",
            "  1  NULL                1.50  2026-03-10 08:00:00  true",
            " 20  NULL               -2.00  NULL                 NULL",
            "  3  [/red]red more      0.00  NULL                 false",
        ]
        # A NULL does not look like a text that says so.
        table = app.screen.query_one(AnswerTable)
        styles = [
            next(part.style for part in table.render_line(line) if part.text.startswith("NULL")) for line in (1, 2)
        ]
        assert styles[0] != styles[1]
        assert styles[1] is not None
        assert styles[1].italic


async def test_a_mistake_is_told_in_the_words_of_the_database_and_a_long_answer_is_cut(store: Store) -> None:
    async with running(store, (80, 24), tab="tokens") as (app, pilot):
        await press(pilot, "l")
        for sql, why in (
            ("SELECT nonsense FROM sessions", 'Referenced column "nonsense" not found'),
            ("DELETE FROM sessions", "only one SELECT at a time"),
            ("SELECT * FROM read_text('/etc/passwd')", "read_text() cannot be used here"),
        ):
            write(app, sql)
            await press(pilot, "f5")
            assert why in screen_text(app)
        await press(pilot, "f4")
        assert isinstance(app.screen, ConsoleScreen), "there is nothing to export"
        write(app, "SELECT range AS n FROM range(10001)")
        await press(pilot, "f5")
        assert note(app).startswith("10,000 rows · cut at 10,000 rows: there are more · ")
        await press(pilot, "tab", "end")
        assert screen_text(app).splitlines()[-3].split()[0] == "9999"
        assert Book(store.path).read().history == ("SELECT range AS n FROM range(10001)",)


async def test_a_query_that_runs_is_stopped_by_escape_by_another_one_and_by_leaving(store: Store) -> None:
    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "l")
        write(app, ENDLESS)
        console = app.screen
        assert isinstance(console, ConsoleScreen)
        for key in ("escape", "ctrl+c"):
            await pilot.press("f5")
            assert console._asking is not None
            assert "Escape stops it" in screen_text(app)
            await press(pilot, key)
            assert "○  Stopped." in screen_text(app)
            assert app.screen is console
        # Another one takes its place; that the first one ended is not taken for its answer.
        await pilot.press("f5")
        first = console._asking
        (waiting,) = [worker for worker in app.workers if not worker.is_finished]
        await pilot.press("f5")
        second = console._asking
        await app.workers.wait_for_complete([waiting])
        await pilot.pause()
        assert console._asking is second is not first
        assert "Escape stops it" in screen_text(app)
        write(app, "SELECT 1 AS one")
        await press(pilot, "f5")
        assert first is not None
        assert second is not None
        assert console.query_one(AnswerTable).table.rows == [(1,)]
        write(app, ENDLESS)
        await pilot.press("f5")
        last = console._asking
    assert last is not None
    for asking in (first, second, last):
        until(functools.partial(_has_ended, asking.pid))


def _has_ended(pid: int) -> bool:
    return not asking_runs(pid)


def asking_runs(pid: int) -> bool:
    """Whether there is such a process, one that ended and was not asked for its status not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_the_answer_in_each_form(store: Store) -> None:
    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "l")
        write(app, "SELECT 'a[/b]' AS name, 2.5 AS n UNION ALL SELECT 'c', NULL UNION ALL SELECT 'd', 1000 ORDER BY 1")
        await press(pilot, "ctrl+t")
        await press(pilot, "f5")
        await press(pilot, "ctrl+t")
        bars = app.screen.query_one(StackedBars)
        assert bars.region
        assert "n by name" in screen_text(app)
        assert note(app).endswith("as bars")
        await press(pilot, "tab", "home")
        assert bars.caption == "a[/b]: 2.5"
        await press(pilot, "right")
        assert bars.caption == "c: NULL"
        await press(pilot, "ctrl+t")
        assert app.focused is app.screen.query_one(PlotextChart)
        await press(pilot, "ctrl+t", "ctrl+t")
        assert app.focused is app.screen.query_one(AnswerTable)
        write(app, "SELECT 'only text' AS name")
        await press(pilot, "f5")
        await press(pilot, "ctrl+t")
        assert "Nothing to draw" in screen_text(app)


async def test_a_query_becomes_a_panel_in_the_form_it_is_shown(store: Store) -> None:
    book = Book(store.path)
    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "l")
        write(app, "SELECT 1 AS n")
        await press(pilot, "f9", "x", "enter")
        assert book.read().panels == (Panel("x", "SELECT 1 AS n", "auto"),)
        await press(pilot, "f5")
        await press(pilot, "ctrl+t")
        await press(pilot, "f9")
        assert book.read().panels == (Panel("x", "SELECT 1 AS n", "bars"),), "it is saved already, so no name is asked"
        write(app, "SELECT 2 AS n")
        await press(pilot, "f9", *["backspace"], "y", "enter")
        assert [panel.name for panel in book.read().panels] == ["x", "y"]


async def test_words_have_colours_and_the_likeliest_one_is_completed(store: Store) -> None:
    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "l")
        editor = app.screen.query_one(SqlEditor)
        editor.text = "SELECT 'é', 12 -- {{filters}}\n  FROM tokens_daily WHERE {{filters}} = day"

        def looks(line: int) -> dict[str, object]:
            text = editor.get_line(line)
            return {text.plain[span.start : span.end]: span.style for span in text.spans}

        styles = {name: editor.get_component_rich_style(f"sql--{name}", partial=True) for name in ("keyword", "filter")}
        assert looks(0).keys() == {"SELECT", "'é'", "12", "-- {{filters}}", "{{filters}}"}
        assert looks(1) == {"FROM": styles["keyword"], "WHERE": styles["keyword"], "{{filters}}": styles["filter"]}
        editor.text = ""
        await press(pilot, *"from", "space", *"tokens_d")
        assert editor.suggestion == "aily"
        await press(pilot, "tab")
        assert (editor.text, app.focused) == ("from tokens_daily", editor)
        await press(pilot, "space", *"where", "space", *"cost", "f3")
        assert "cost_usd  tokens_daily, DOUBLE" in screen_text(app)
        await press(pilot, "enter")
        assert editor.text == "from tokens_daily where cost_usd"
        # A word inside of another one is not completed, and without one Tab goes on.
        await press(pilot, *["left"] * 4)
        assert editor.suggestion == ""
        editor.text = "SELECT 1"
        await press(pilot, "f5")
        await press(pilot, "tab")
        assert app.focused is app.screen.query_one(AnswerTable)


async def test_history_saved_queries_and_examples(store: Store) -> None:
    book = Book(store.path)
    book.note("SELECT 'older'")
    book.note("SELECT 'newer'")
    async with running(store, tab="tokens") as (app, pilot):
        await press(pilot, "l")
        editor = app.screen.query_one(TextArea)
        assert editor.text == "SELECT 'newer'"
        await press(pilot, "ctrl+r", "down", "enter")
        assert editor.text == "SELECT 'older'"
        await press(pilot, "ctrl+z")
        assert editor.text == "SELECT 'newer'"
        await press(pilot, "ctrl+s", *"[b]x", "enter")
        assert book.read().saved == {"[b]x": "SELECT 'newer'"}
        write(app, "SELECT 2")
        # Its own name is offered again; another one that is taken has to be confirmed.
        await press(pilot, "ctrl+s", "enter")
        assert book.read().saved == {"[b]x": "SELECT 2"}
        book.save("y", "SELECT 3")
        await press(pilot, "ctrl+s", *["backspace"] * 4, "y", "enter")
        assert "replaces it" in screen_text(app)
        assert book.read().saved["y"] == "SELECT 3"
        await press(pilot, "escape", "ctrl+o")
        assert "[b]x  saved" in screen_text(app)
        await press(pilot, *"by day", "f8")
        assert "Cost by day  example" in screen_text(app), "examples stay"
        await press(pilot, "enter")
        assert editor.text.startswith("SELECT day,")
        await press(pilot, "ctrl+o", "f8", "escape")
        assert list(book.read().saved) == ["y"]
        book.path.write_text("{")
        await press(pilot, "ctrl+o")
        assert "cannot be read" in screen_text(app)
        await press(pilot, "enter", "f5")
        assert app.screen.query_one(AnswerTable).region
        assert len(book.read().history) == 1, "what could not be read is put aside"
        assert book.path.with_name("console.broken.json").read_text() == "{"
        await settle(pilot)
