"""The record table: refreshing in place, columns for the width, sorting, safe cells."""

import datetime as dt
import random
import time
from dataclasses import dataclass

import pytest
from agnes_stats.tui.format import cell, count
from agnes_stats.tui.kit.table import Column, Record, RecordTable, choose_columns, text_line
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.message import Message

COLUMNS = (
    Column("when", "Started", 8, sortable=True),
    Column("title", "Title"),
    Column("project", "Project", 12, min_screen=60),
    Column("tokens", "Tokens", 8, "right", sortable=True),
)


def record(number: int, **cells: object) -> Record:
    shown = {"when": f"{number:03d}", "title": f"session {number}", "project": "infra", "tokens": count(number)}
    return Record(f"key-{number}", shown | cells, data=number)  # type: ignore[operator]


def records(*numbers: int) -> list[Record]:
    return [record(number) for number in numbers]


class Host(App[None]):
    def __init__(self, rows: list[Record] | None = None, **options: object) -> None:
        super().__init__()
        self.table = RecordTable(COLUMNS, **options)  # type: ignore[arg-type]
        self.heard: list[object] = []
        if rows is not None:
            self.table.show(rows)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_record_table_sort_requested(self, message: RecordTable.SortRequested) -> None:
        self.heard.append(("sort", message.column_key))

    def on_record_table_record_highlighted(self, message: RecordTable.RecordHighlighted) -> None:
        self.heard.append(("at", message.record and message.record.data))

    def on_record_table_record_selected(self, message: RecordTable.RecordSelected) -> None:
        self.heard.append(("open", message.record.data))

    def text(self, line: int) -> str:
        """A line of the table as shown."""
        return self.table.render_line(line).text.rstrip()

    def shown(self) -> list[str]:
        """The keys in the order of the rows."""
        return [str(row.key.value) for row in self.table.ordered_rows]

    @property
    def at(self) -> object:
        return self.table.selected and self.table.selected.data


async def test_rows_are_shown_under_their_columns() -> None:
    app = Host([record(1), record(1234567, title="日本語 title")])
    async with app.run_test(size=(70, 8)):
        assert app.text(0) == " Started    Title                             Project         Tokens"
        assert app.text(1) == " 001        session 1                         infra                1"
        assert app.text(2) == " 1234567    日本語 title                      infra             1.2M"


async def test_cells_are_never_markup_nor_escape_codes() -> None:
    app = Host(
        [record(1, title="[/foo]\x1b[2J[red]x[/red]\nnext"), record(2, title=None), record(3, title=Text("[b]"))]
    )
    async with app.run_test(size=(60, 8)):
        assert "[/foo][red]x[/red] n" in app.text(1)
        assert " – " in app.text(2)
        assert "[b]" in app.text(3)


async def test_a_refresh_changes_adds_removes_and_orders_rows() -> None:
    app = Host(records(1, 2, 3, 4))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.show([record(5), record(4), record(2, title=Text("new", style="bold")), record(1)], total=40)
        await pilot.pause()
        assert app.shown() == ["key-5", "key-4", "key-2", "key-1"]
        assert [app.text(line).split()[0] for line in range(1, 5)] == ["005", "004", "002", "001"]
        assert "new" in app.text(3)
        assert app.table.total == 40
        assert [row.data for row in app.table.records] == [5, 4, 2, 1]
        app.table.show([])
        await pilot.pause()
        assert app.shown() == []
        assert app.table.selected is None


async def test_a_change_of_style_alone_is_shown() -> None:
    app = Host([record(1, title=Text("x"))])
    async with app.run_test(size=(60, 5)):
        app.table.show([record(1, title=Text("x", style="bold"))])
        assert app.table.get_cell("key-1", "title").style == "bold"


async def test_only_changed_cells_are_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Host(records(1, 2, 3))
    async with app.run_test(size=(60, 8)):
        updated: list[tuple[object, object]] = []
        monkeypatch.setattr(app.table, "update_cell", lambda row, column, value: updated.append((row, column)))
        app.table.show([record(1), record(2, tokens="9"), record(3)])
        assert updated == [("key-2", "tokens")]


async def test_only_a_row_that_changed_is_painted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    painted: set[int] = set()
    stock = RecordTable.render_line
    monkeypatch.setattr(RecordTable, "render_line", lambda self, y: (painted.add(y), stock(self, y))[1])
    app = Host(records(*range(40)), sort=("when", False))
    async with app.run_test(size=(70, 8)) as pilot:

        async def shown(rows: list[Record], order: tuple[str, bool] = ("when", False)) -> set[int]:
            await pilot.pause()
            painted.clear()
            app.table.show(rows)
            app.table.mark_sort(*order)
            await pilot.pause()
            return set(painted)

        everything = set(range(8))
        assert await shown(records(*range(40))) == set()
        other = [record(2, title="other", tokens="9"), *records(*range(3, 39)), record(39, title="other")]
        # The last one is not on the screen.
        assert await shown([*records(0, 1), *other]) == {3}
        assert app.text(3) == " 002        other                             infra                9"
        assert await shown([*records(1, 0), *other]) >= everything
        assert await shown([*records(1), *other]) >= everything
        assert await shown([*records(1), *other], ("tokens", True)) >= everything
        app.table.scroll_to(y=10, animate=False, immediate=True)
        # Its line on the screen.
        changed = [*records(1), *other[:9], record(11, title="other"), *other[10:]]
        assert await shown(changed, ("tokens", True)) == {1}


async def test_the_cursor_stays_on_its_key_and_what_is_read_where_it_is() -> None:
    rows = list(range(100))
    app = Host(records(*rows))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.move_cursor(row=35)
        await pilot.pause()
        app.table.move_cursor(row=30)
        await pilot.pause()
        top = app.table.scroll_offset.y
        assert top > 0
        for order in (rows[1:], [200, 201, *rows[1:]], [*rows[1:], 300]):
            app.table.show(records(*order))
            await pilot.pause()
            assert app.at == 30
            assert app.table.cursor_row == order.index(30)
            assert app.table.scroll_offset.y == order.index(top)


async def test_a_cursor_pushed_out_of_view_is_followed() -> None:
    app = Host(records(*range(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.move_cursor(row=30)
        await pilot.pause()
        app.table.show(records(*range(200, 220), *range(100)))
        await pilot.pause()
        await pilot.pause()
        assert app.at == 30
        top = app.table.scroll_offset.y
        assert top <= 50 < top + 11


async def test_a_view_scrolled_away_from_the_cursor_is_left_alone() -> None:
    app = Host(records(*range(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        app.table.scroll_to(y=50, animate=False)
        await pilot.pause()
        assert app.table.scroll_offset.y == 50
        app.table.show(records(200, *range(100)))
        await pilot.pause()
        await pilot.pause()
        assert app.at == 0
        assert app.text(1).split()[0] == "050"


async def test_a_vanished_row_leaves_the_cursor_at_its_place() -> None:
    app = Host(records(1, 2, 3, 4))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.move_cursor(row=1)
        app.table.show(records(1, 3, 4))
        await pilot.pause()
        assert app.at == 3
        app.table.move_cursor(row=2)
        app.table.show(records(1, 3))
        await pilot.pause()
        assert app.at == 3


async def test_replacing_most_rows_keeps_cursor_and_scroll_too() -> None:
    app = Host(records(*range(200)))
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.move_cursor(row=64)
        await pilot.pause()
        app.table.move_cursor(row=60)
        await pilot.pause()
        top = app.table.scroll_offset.y
        app.table.show(records(*range(100), *range(300, 350)))
        await pilot.pause()
        await pilot.pause()
        assert (app.at, app.table.scroll_offset.y) == (60, top)
        app.table.show(records(*range(50, 70), *range(300, 420)))
        await pilot.pause()
        await pilot.pause()
        assert app.at == 60
        assert app.shown()[:2] == ["key-50", "key-51"]
        app.table.show(records(*range(500, 700)))
        await pilot.pause()
        assert app.table.cursor_row == 10


async def test_the_cursor_tells_each_new_record_once() -> None:
    app = Host(records(1, 2, 3))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("down", "enter")
        app.table.show(records(4, 1, 2, 3))
        app.table.show(records(4, 1, 2, 3))
        await pilot.pause()
        app.table.show(records(1, 3))
        await pilot.pause()
        app.table.show([])
        await pilot.pause()
        assert app.heard == [("at", 1), ("at", 2), ("open", 2), ("at", 3), ("at", None)]


async def test_select_moves_the_cursor_to_a_key() -> None:
    app = Host(records(*range(100)))
    async with app.run_test(size=(60, 12)) as pilot:
        assert app.table.select("key-70")
        await pilot.pause()
        assert app.at == 70
        assert app.table.scroll_offset.y > 0
        assert not app.table.select("key-nowhere")


async def test_rows_with_one_key_are_refused() -> None:
    app = Host()
    async with app.run_test():
        with pytest.raises(ValueError, match="same key"):
            app.table.show([record(1), record(1)])


# -- columns


def test_columns_for_the_width() -> None:
    assert [(column.key, width) for column, width in choose_columns(COLUMNS, 70)] == [
        ("when", 9),
        ("title", 33),
        ("project", 12),
        ("tokens", 8),
    ]
    assert [(column.key, width) for column, width in choose_columns(COLUMNS, 59)] == [
        ("when", 9),
        ("title", 36),
        ("tokens", 8),
    ]


@pytest.mark.parametrize(("width", "title", "project"), [(85, 48, 12), (87, 48, 14), (91, 48, 18), (120, 77, 18)])
def test_names_get_what_a_column_without_a_width_has_to_spare(width: int, title: int, project: int) -> None:
    """A column of names is half as wide again at the most; one of numbers or times stays as it is."""
    assert [(column.key, width) for column, width in choose_columns(COLUMNS, width)] == [
        ("when", 9),
        ("title", title),
        ("project", project),
        ("tokens", 8),
    ]


def test_what_does_not_fit_goes_before_the_table_scrolls() -> None:
    wide = [Column("a", "A", 20), Column("b", "B", 20, min_screen=10), Column("c", "C", 20, min_screen=30)]
    assert [column.key for column, _ in choose_columns(wide, 70)] == ["a", "b", "c"]
    assert [column.key for column, _ in choose_columns(wide, 60)] == ["a", "b"]
    assert [column.key for column, _ in choose_columns(wide, 40)] == ["a"]
    assert [column.key for column, _ in choose_columns(wide, 5)] == ["a"]


@given(st.integers(0, 300))
def test_columns_fill_the_width_exactly(width: int) -> None:
    chosen = choose_columns(COLUMNS, width)
    taken = sum(wide + 2 for _, wide in chosen)
    assert taken == max(width, 9 + 12 + 8 + 6)


async def test_a_resize_rebuilds_only_for_other_columns() -> None:
    app = Host(records(*range(100)))
    async with app.run_test(size=(70, 12)) as pilot:
        app.table.move_cursor(row=40)
        await pilot.pause()
        top = app.table.scroll_offset.y
        fills: list[int] = []
        fill = app.table._fill
        app.table._fill = lambda: (fills.append(1), fill())  # type: ignore[assignment, func-returns-value]
        await pilot.resize_terminal(90, 12)
        await pilot.pause()
        assert fills == []
        assert app.text(0).endswith("Tokens")
        assert len(app.text(0)) == 88
        assert app.table.max_scroll_x == 0
        await pilot.resize_terminal(75, 12)
        await pilot.pause()
        assert fills == []
        assert app.table.virtual_size.width == 74
        assert app.table.max_scroll_x == 0
        await pilot.resize_terminal(50, 12)
        await pilot.pause()
        await pilot.pause()
        assert fills == [1]
        assert "Project" not in app.text(0)
        assert app.at == 40
        assert app.table.scroll_offset.y == top
        assert app.table.virtual_size.width <= app.table.size.width


# -- sorting


async def test_the_header_marks_and_asks_for_the_order() -> None:
    app = Host(records(1, 2), sort=("when", True))
    async with app.run_test(size=(60, 8)) as pilot:
        assert app.text(0).startswith(" Started ▾  Title")
        await pilot.click(RecordTable, offset=(55, 0))
        await pilot.click(RecordTable, offset=(20, 0))
        await pilot.pause()
        assert app.heard == [("at", 1), ("sort", "tokens")]
        app.table.mark_sort("tokens", False)
        assert app.text(0).startswith(" Started    Title")
        assert app.text(0).endswith("▴ Tokens")


async def test_a_table_asks_for_an_order_of_those_there_are() -> None:
    app = Host(records(1), sort=("when", True))
    async with app.run_test(size=(60, 8)) as pilot:
        app.table.action_sort_by("title")
        app.table.action_sort_by("nonsense")
        app.table.action_reverse_order()
        await pilot.pause()
        assert app.heard[1:] == [("sort", "when")]


@dataclass(frozen=True)
class Taken:
    tokens: int | None


@dataclass(frozen=True)
class Row:
    title: str
    at: dt.datetime
    spent: Taken | None


def rows_of(*rows: Row) -> list[Record]:
    return [Record(row.title, {"title": row.title}, row) for row in rows]


async def test_a_table_that_has_all_rows_sorts_them_itself() -> None:
    columns = (
        Column("title", "Title"),
        Column("when", "When", 8, by="at"),
        Column("tokens", "Tokens", 8, by="spent.tokens"),
    )
    day = dt.datetime(2026, 3, 10)
    rows = rows_of(
        Row("b", day, None), Row("A", day + dt.timedelta(1), Taken(2)), Row("c", day - dt.timedelta(1), Taken(10))
    )
    app = Host()
    app.table = RecordTable((*columns, Column("bar", "Bar", 4)))
    async with app.run_test(size=(60, 8)) as pilot:
        app.table.show(rows)
        assert [column.key for column in app.table.sortable] == ["title", "when", "tokens"]
        for key, shown in (("title", "Abc"), ("title", "cbA"), ("when", "Abc"), ("tokens", "cAb"), ("tokens", "Acb")):
            app.table.sort_by(key)
            assert "".join(app.shown()) == shown, key
        await pilot.pause()
        assert "Tokens ▴" in app.text(0) and not [heard for heard in app.heard if heard[0] == "sort"]  # type: ignore[index]
        # What comes takes its place.
        app.table.show([*rows_of(Row("d", day, Taken(5))), *rows])
        assert "".join(app.shown()) == "Adcb"
        app.table.sort_by("")
        assert "".join(app.shown()) == "dbAc" and "▴" not in app.text(0)
        app.table.show([])
        assert not app.table.sortable


# -- drawing


@given(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
    st.integers(0, 30),
    st.sampled_from(["left", "right", "center"]),
)
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int, justify: str) -> None:
    shown = cell(text, justify=justify)  # type: ignore[arg-type]
    segments = text_line(Console(), shown, width + 2, 1, Style.null(), Style.null())
    assert sum(segment.cell_length for segment in segments) == width + 2


def test_a_cut_cell_ends_in_an_ellipsis_and_keeps_its_styles() -> None:
    text = Text.assemble(("red", "red"), " and more")
    segments = text_line(Console(), text, 9, 1, Style(bgcolor="blue"), Style(bold=True))
    assert "".join(segment.text for segment in segments) == " red an… "
    red = next(segment for segment in segments if segment.text == "red")
    assert red.style == Style(color="red", bgcolor="blue", bold=True)


def _looks(app: Host) -> list[list[tuple[str, Style | None]]]:
    return [[(s.text, s.style) for s in app.table.render_line(y).simplify()] for y in range(6)]


async def test_cells_look_as_the_stock_table_draws_them() -> None:
    rows = [record(1, title=cell("dim", style="dim")), record(2, title=Text.assemble("a", ("b", "red"))), record(3)]
    app, stock = Host(rows), Host([Record(row.key, dict(row.cells)) for row in rows])
    del_render = RecordTable._render_cell
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.press("down")
        ours = _looks(app)
    try:
        RecordTable._render_cell = RecordTable.__mro__[1]._render_cell  # type: ignore[method-assign, attr-defined]
        async with stock.run_test(size=(60, 6)) as pilot:
            await pilot.press("down")
            theirs = _looks(stock)
    finally:
        RecordTable._render_cell = del_render  # type: ignore[method-assign]
    assert ours == theirs


async def test_refreshing_500_rows_is_quick() -> None:
    dice = random.Random(1)
    app = Host(records(*range(500)))
    async with app.run_test(size=(160, 45)) as pilot:
        best = 9.0
        for _ in range(3):
            rows = [record(n, tokens=count(dice.random() * 1e6)) for n in dice.sample(range(520), 500)]
            began = time.process_time()
            app.table.show(rows)
            app.table.render_lines(app.table.size.region)
            best = min(best, time.process_time() - began)
            await pilot.pause()
        assert best < 0.15


async def test_messages_name_their_table() -> None:
    app = Host(records(1))
    async with app.run_test():
        messages: list[Message] = [
            RecordTable.SortRequested(app.table, "when"),
            RecordTable.RecordHighlighted(app.table, None),
            RecordTable.RecordSelected(app.table, record(1)),
        ]
        assert all(message.control is app.table for message in messages)


async def test_home_and_end_are_the_first_and_the_last_row() -> None:
    app = Host(records(*range(30)))
    async with app.run_test(size=(70, 8)) as pilot:
        await pilot.press("end")
        assert app.at == 29
        await pilot.press("home")
        assert app.at == 0


# -- following what comes


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock of the tables says, in seconds."""
    said = [100.0]
    monkeypatch.setattr("agnes_stats.tui.kit.table._clock", lambda: said[0])
    return said


async def test_a_cursor_that_was_left_at_the_top_stays_there() -> None:
    app = Host(records(3, 2, 1))
    async with app.run_test(size=(70, 8)) as pilot:
        for number in range(4, 30):
            app.table.show(records(*range(number, 0, -1)))
        await pilot.pause()
        assert (app.table.cursor_row, app.table.scroll_offset.y, app.at) == (0, 0, 29)
        assert app.table.unseen == ""


async def test_a_key_is_about_what_the_eye_is_on(now: list[float]) -> None:
    app = Host(records(2, 1))
    async with app.run_test(size=(70, 8)) as pilot:
        app.table.focus()
        app.table.show(records(3, 2, 1))
        now[0] += 0.1
        app.table.show(records(4, 3, 2, 1))
        now[0] += 0.3
        await pilot.press("enter")
        assert app.heard[-1] == ("open", 2) and app.at == 2
        # What was opened keeps the cursor, until it moves on; then the top is followed again, and a while later opened.
        app.table.show(records(5, 4, 3, 2, 1))
        assert app.at == 2
        await pilot.press("home")
        app.table.show(records(6, 5, 4, 3, 2, 1))
        now[0] += 1.0
        await pilot.press("enter")
        assert app.heard[-1] == ("open", 6)
        # Whoever moved to a row since means that.
        app.table.begin_anew()
        await pilot.press("home")
        app.table.show(records(7, 6, 5))
        await pilot.press("down", "up", "enter")
        assert app.heard[-1] == ("open", 7)


async def test_a_first_row_that_was_opened_is_left_when_others_come(now: list[float]) -> None:
    app = Host(records(2, 1))
    async with app.run_test(size=(70, 8)) as pilot:
        app.table.focus()
        await pilot.press("enter")
        app.table.show(records(3, 2, 1))
        assert app.at == 2


async def test_a_click_is_about_what_the_eye_is_on(now: list[float]) -> None:
    app = Host(records(3, 2, 1))
    async with app.run_test(size=(70, 8)) as pilot:
        app.table.focus()
        app.table.show(records(4, 3, 2, 1))
        now[0] += 0.3
        await pilot.click(RecordTable, offset=(20, 2))
        assert app.at == 2
        await pilot.click(RecordTable, offset=(5, 3))
        assert app.heard[-1] == ("open", 2)
        now[0] += 1.0
        app.table.show(records(5, 4, 3, 2, 1))
        now[0] += 1.0
        await pilot.click(RecordTable, offset=(20, 2))
        assert app.at == 4


async def test_rows_above_what_is_on_the_screen_are_told_until_they_are_seen() -> None:
    app = Host(records(*range(40, 0, -1)))
    async with app.run_test(size=(70, 8)) as pilot:
        app.table.focus()
        await pilot.press("end")
        app.table.show(records(*range(43, 0, -1)))
        await pilot.pause()
        assert "Title ▲ 3 new · Home" in app.text(0)
        assert app.at == 1
        await pilot.press("home")
        await pilot.pause()
        assert "new" not in app.text(0)
        # Another question has other rows, none of which is new.
        await pilot.press("end")
        app.table.begin_anew()
        app.table.show(records(*range(60, 0, -1)))
        await pilot.pause()
        assert "new" not in app.text(0)
        app.table.show(records(*range(61, 0, -1)))
        await pilot.pause()
        assert "▲ 1 new" in app.text(0)
        await pilot.click(RecordTable, offset=(20, 0))
        await pilot.pause()
        assert app.at == 61 and not [heard for heard in app.heard if heard[0] == "sort"]  # type: ignore[index]


async def test_a_narrow_header_still_says_how_many_are_new() -> None:
    app = Host(records(*range(40, 0, -1)))
    async with app.run_test(size=(46, 8)) as pilot:
        app.table.focus()
        await pilot.press("end")
        app.table.show(records(*range(52, 0, -1)))
        await pilot.pause()
        assert "▲ 12 new" in app.text(0)
        await pilot.resize_terminal(70, 8)
        await pilot.pause()
        assert "Title ▲ 12 new · Home" in app.text(0)


async def test_where_the_newest_is_last_rows_below_are_told() -> None:
    app = Host(records(*range(40)))
    app.table.GROWS_BELOW = True  # type: ignore[misc]
    async with app.run_test(size=(70, 8)) as pilot:
        app.table.focus()
        app.table.show(records(*range(42)))
        await pilot.pause()
        assert "▼ 2 new · End" in app.text(0)
        await pilot.press("end")
        await pilot.pause()
        assert "new" not in app.text(0)
