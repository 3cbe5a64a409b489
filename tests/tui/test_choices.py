"""What is remembered of how things are shown: columns, orders, measures. Whatever was kept, it is possible."""

import json

import pytest
from agnes_stats.queries.store import Store
from agnes_stats.tui.choices import Choices
from agnes_stats.tui.kit.table import Column, RecordTable, arranged, choose_columns
from agnes_stats.tui.memory import Memory
from agnes_stats.tui.screens.columns_screen import ColumnsScreen
from agnes_stats.tui.tokens.view import ViewOptions, keep_options, kept_options

from tests.transcripts import Transcript, store_of
from tests.tui.running import press, running, screen_text

TABLE = (
    Column("name", "Name", sortable=True),
    Column("calls", "Calls", 7, "right", 60, sortable=True),
    Column("errors", "Errors", 7, "right", 90),
)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([], ["name", "calls", "errors"]),
        (["errors", "name"], ["errors", "name"]),
        (["gone", "errors", "errors"], ["errors"]),
        (["gone"], ["name", "calls", "errors"]),
    ],
)
def test_columns_are_those_chosen_that_are_there(keys: list[str], expected: list[str]) -> None:
    assert [column.key for column in arranged(TABLE, keys)] == expected


def test_a_chosen_column_is_shown_where_it_fits_and_those_for_wide_tables_go_first() -> None:
    def shown(keys: list[str], width: int) -> list[str]:
        return [column.key for column, _ in choose_columns(arranged(TABLE, keys), width)]

    assert shown([], 50) == ["name"]
    assert shown(["name", "errors", "calls"], 50) == ["name", "errors", "calls"]
    assert shown(["name", "errors", "calls"], 30) == ["name", "calls"]
    assert shown(["errors", "calls", "name"], 22) == ["name"]
    assert shown(["errors"], 50) == ["errors"]


def test_an_order_is_one_that_the_table_has() -> None:
    choices = Choices()
    choices.note_order("x", ("calls", False))
    assert choices.order("x", TABLE, ("name", True)) == ("calls", False)
    for kept in ("errors desc", "gone asc", "calls", "calls up", "", " desc"):
        assert Choices({"sort x": kept}).order("x", TABLE, ("name", True)) == ("name", True), kept
    assert Choices({"sort x": 7, 7: "x", "columns y": "a,,b"}).told == {"columns y": "a,,b"}
    assert Choices({"columns y": "a,,b"}).columns("y") == ("a", "b")
    assert Choices({f"n{number}": "x" for number in range(1000)} | {"long": "x" * 5000}).told.keys() == {
        f"n{number}" for number in range(300)
    }


def test_options_of_tokens_come_back_and_what_is_impossible_is_as_usual() -> None:
    for options in (
        ViewOptions(),
        ViewOptions(measure="total_tokens", by="project", granularity="week", timing="turn", order="name"),
        ViewOptions(order="sessions", descending=False),
    ):
        choices = Choices()
        keep_options(choices, options)
        assert kept_options(Choices(choices.told)) == options
    odd = {f"tokens {name}": "nonsense" for name in ("measure", "by", "granularity", "timing", "order")}
    assert kept_options(Choices(odd)) == ViewOptions()
    assert Choices(odd).one_of("tokens by", ["a"], "a") == "a"


async def test_the_order_of_any_table_is_as_it_was_left(store: Store) -> None:
    memory = Memory(store.path)
    async with running(store, memory=memory) as (app, pilot):
        await press(pilot, "2")
        table = app.query_one("#top", RecordTable)
        assert [record.key for record in table.records] == ["one", "two"]
        app.set_focus(table)
        await press(pilot, "s", "t", "s", "t")
        assert [record.key for record in table.records] == ["two", "one"]
    async with running(store, memory=Memory(store.path)) as (app, pilot):
        await press(pilot, "2")
        table = app.query_one("#top", RecordTable)
        assert [record.key for record in table.records] == ["two", "one"] and table.sorts_itself
        app.set_focus(table)
        await press(pilot, "s", "D")
        assert [record.key for record in table.records] == ["one", "two"]
    assert not [name for name in json.loads(memory.path.read_text())["choices"] if name.startswith("order")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = [
        Transcript("one", "2026-03-09T10:00:00").prompt("Fix it").wait(1).response(tokens=(1, 20, 300, 0)),
        Transcript("two", "2026-03-10T10:00:00").prompt("Go").wait(1).response(tokens=(1, 5, 0, 0)),
    ]
    return store_of(tmp_path_factory.mktemp("choices"), made)


async def test_columns_order_and_measure_are_as_they_were_left(store: Store) -> None:
    memory = Memory(store.path)
    async with running(store, (120, 45), memory=memory) as (app, pilot):
        table = app.query_one(RecordTable)
        assert [str(column.label) for column in table.ordered_columns][1:3] == ["Started ▾", "Title"]
        await press(pilot, "C")
        assert isinstance(app.screen, ColumnsScreen)
        assert "✓ State" in screen_text(app)
        # Without the state, the title first; the table behind shows it at once.
        await press(pilot, "space", "down", "down", "less_than_sign", "less_than_sign")
        assert [str(column.label) for column in table.ordered_columns][:2] == ["Title", "Started ▾"]
        await press(pilot, "escape")
        await press(pilot, "S")
        assert [str(column.label) for column in table.ordered_columns][:2] == ["Title", "Started ▴"]
        await press(pilot, "2")
        await press(pilot, "u", "b")
    kept = json.loads(memory.path.read_text())["choices"]
    assert kept["sort sessions"] == "started_at asc" and kept["tokens measure"] == "total_tokens"
    async with running(store, (120, 45), memory=Memory(store.path)) as (app, pilot):
        table = app.query_one(RecordTable)
        assert [str(column.label) for column in table.ordered_columns][:2] == ["Title", "Started ▴"]
        assert [record.key for record in table.records] == ["one", "two"]
        await press(pilot, "C", "D", "escape")
        assert str(table.ordered_columns[1].label) == "Started ▴"
        await press(pilot, "2")
        assert "Tokens by day and project" in screen_text(app)
    assert not [name for name in json.loads(memory.path.read_text())["choices"] if name.startswith("columns")]


IMPOSSIBLE: tuple[object, ...] = (
    [],
    {"sort sessions": "state desc", "columns _default/sessions/list": "nothing", "tokens by": ""},
)


async def test_whatever_is_kept_the_dashboard_starts(store: Store) -> None:
    memory = Memory(store.path)
    for choices in IMPOSSIBLE:
        memory.path.write_text(json.dumps({"choices": choices}))
        async with running(store, (120, 45), memory=memory) as (app, _):
            assert str(app.query_one(RecordTable).ordered_columns[1].label) == "Started ▾"
