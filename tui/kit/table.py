"""Tables of records that refresh in place."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.geometry import Region, Size
from textual.message import Message
from textual.widgets import DataTable
from textual.widgets.data_table import ColumnKey

from ..format import cell

_REPLACED = 25
"""More rows gone than this, and filling the table anew is faster than taking them out one by one."""
_LEAST_FLEXIBLE = 12
_clock = time.monotonic
_SLIP_SECONDS = 0.7
"""So long ago was on the screen what somebody looks at who presses a key now."""
_MOVES = frozenset({"cursor_up", "cursor_down", "page_up", "page_down", "scroll_top", "scroll_bottom"})
"""Actions after which the cursor is where somebody put it."""
_HOLDING = frozenset({"select_cursor", "open_session", "unfold", "fold"})
"""Actions after which somebody wants to find the row where it was."""
ABOUT_A_ROW = _HOLDING | {"only_session", "only_tool", "copy_id", "copy_sql", "copy_file", "whole_text", "reread"}
"""Actions of keys that do something with the row under the cursor."""


_AMPLE = 48
"""Cells at which a column without a width has enough: what is more is shared with columns of names."""
_NAMES = {"machine", "model", "primary_model", "project", "session", "subagent_type", "title"}
_NAMES |= {"username", "who", "workspace"}
"""Columns whose texts have any length, by key."""


@dataclass(frozen=True)
class Column:
    """A column: `width` cells, or without a width a share of what the others leave.

    It is hidden while the table is narrower than `min_screen` cells.
    """

    key: str
    label: str
    width: int | None = None
    justify: Literal["left", "center", "right"] = "left"
    min_screen: int = 0
    sortable: bool = False
    name: str = ""
    """What it is called where its label says nothing."""
    by: str = ""
    """The field of a row that a table which has all rows sorts by, with dots between; "": that of its key."""

    @property
    def least(self) -> int:
        """The cells it needs for its label, with the mark of sorting, and its content."""
        label = cell_len(self.label) + (2 if self.sortable else 0)
        return max(label, _LEAST_FLEXIBLE if self.width is None else self.width)


@dataclass(frozen=True)
class Record:
    """A row: a key unique in the table, what each column shows, and what the row is about.

    Cells are texts (the table sets their justification) or plain values shown as text, never as markup.
    `raw` is the row as the store has it, for exports; None if that is `data`.
    """

    key: str
    cells: Mapping[str, Text | str | int | None]
    data: object = None
    raw: object = None


def choose_columns(columns: Sequence[Column], width: int, padding: int = 1) -> list[tuple[Column, int]]:
    """The columns that a table of `width` cells shows, each with its width in cells.

    If those allowed do not fit, the ones meant for the widest tables go first.
    """
    shown = [column for column in columns if column.min_screen <= width]

    def needed() -> int:
        return sum(column.least + 2 * padding for column in shown)

    while needed() > width and any(column.min_screen for column in shown):
        widest = max(column.min_screen for column in shown)
        shown.remove([column for column in shown if column.min_screen == widest][-1])
    flexible = [column for column in shown if column.width is None]
    room = max(0, width - needed())
    spare = room - sum(max(0, _AMPLE - column.least) for column in flexible)
    extra = _for_names(shown, spare) if flexible else {}
    each, more = divmod(room - sum(extra.values()), len(flexible)) if flexible else (0, 0)
    extra |= {column.key: each + (index < more) for index, column in enumerate(flexible)}
    return [(column, column.least + extra.get(column.key, 0)) for column in shown]


def _for_names(shown: Sequence[Column], spare: int) -> dict[str, int]:
    """How many cells of `spare` columns of names get, so that fewer are cut: each half its width at the most."""
    names = [column for column in shown if column.width is not None and column.key in _NAMES]
    given = {}
    for place, column in enumerate(names):
        given[column.key] = max(0, min(column.least // 2, spare // (len(names) - place)))
        spare -= given[column.key]
    return given


def arranged(columns: Sequence[Column], keys: Sequence[str]) -> list[Column]:
    """The columns that somebody chose, in that order; all of them if none was, or none of those is there.

    Whoever chose a column wants it also in a narrow table, as far as there is room; those meant for wide ones go first.
    """
    known = {column.key: column for column in columns}
    chosen = [known[key] for key in dict.fromkeys(keys) if key in known]
    ranks = sorted({column.min_screen for column in chosen} | {0})
    return [replace(column, min_screen=ranks.index(column.min_screen)) for column in chosen] or list(columns)


def _same(one: Text | str | int | None, other: Text | str | int | None) -> bool:
    """Whether two cells look the same; texts are equal for `==` even if their styles differ."""
    if isinstance(one, Text) and isinstance(other, Text):
        return one.plain == other.plain and one.style == other.style and one.spans == other.spans
    return type(one) is type(other) and one == other


def text_line(console: Console, text: Text, width: int, padding: int, under: Style, over: Style) -> list[Segment]:
    """A text cut and justified to a cell `width` wide, padding on both sides included, `over` laid over its styles."""
    room = max(0, width - 2 * padding)
    blank = room - text.cell_len
    if blank < 0:
        text = text.copy()
        text.truncate(room, overflow="ellipsis" if room else "crop")
        blank = room - text.cell_len
    left = blank if text.justify == "right" else blank // 2 if text.justify == "center" else 0
    own = under + console.get_style(text.style) + over
    parts = text.render(console) if text.spans else [Segment(text.plain)]
    styled = [Segment(part.text, under + part.style + over if part.style else own) for part in parts]
    edge = Segment(" " * padding, under + over)
    return [edge, Segment(" " * left, own), *styled, Segment(" " * (blank - left), own), edge]


class RecordTable(DataTable[Text]):
    """A table whose rows have keys: showing new rows keeps the cursor on its key and the scroll offset.

    Meant for up to 500 rows, sorted by who makes them; a click on a header asks for another order.
    """

    DEFAULT_CSS = """
    RecordTable {
        width: 1fr; height: 1fr;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: auto;
        background: transparent;
        & > .datatable--header { background: transparent; color: $text-muted; text-style: bold; }
        & > .datatable--header-hover { background: $boost; }
        & > .datatable--cursor { background: $foreground 12%; color: $foreground; text-style: none; }
        & > .datatable--hover { background: $foreground 5%; }
        &:focus > .datatable--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home,g", "scroll_top", show=False),
        Binding("end,G", "scroll_bottom", show=False),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("s", "pick_order", "Sort", tooltip="Sort by a column; once more by the same, the other way round"),
        Binding("S", "reverse_order", "Reverse", show=False, tooltip="Sort the other way round"),
        Binding("C", "columns", "Columns", show=False, tooltip="Choose the columns of the table, and their order"),
    ]
    HELP = "Up and down choose a row, Enter opens it. A click on the name of a column sorts by it."
    GROWS_BELOW: ClassVar[bool] = False
    """Whether what is newer comes below, not above."""
    SORTS: ClassVar[bool] = True
    """Whether the rows may have another order: not those of a tree, nor a page of many."""
    _is_of_one_row = False
    """Whether cells of one row become others."""

    class SortRequested(Message):
        """The user wants the rows ordered by a column."""

        def __init__(self, table: RecordTable, column_key: str) -> None:
            super().__init__()
            self.table = table
            self.column_key = column_key

        @property
        def control(self) -> RecordTable:
            """The widget the message is from."""
            return self.table

    class OrderWanted(Message):
        """The user wants to choose the order of the rows."""

        def __init__(self, table: RecordTable) -> None:
            super().__init__()
            self.table = table

    class ColumnsWanted(Message):
        """The user wants to choose the columns."""

        def __init__(self, table: RecordTable) -> None:
            super().__init__()
            self.table = table

    class RecordHighlighted(Message):
        """The cursor came to another record; None: there is none any more."""

        def __init__(self, table: RecordTable, record: Record | None) -> None:
            super().__init__()
            self.table = table
            self.record = record

        @property
        def control(self) -> RecordTable:
            """The widget the message is from."""
            return self.table

    class RecordSelected(Message):
        """The user opened a record."""

        def __init__(self, table: RecordTable, record: Record) -> None:
            super().__init__()
            self.table = table
            self.record = record

        @property
        def control(self) -> RecordTable:
            """The widget the message is from."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        sort: tuple[str, bool] | None = None,
        sorts: bool = True,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`sort` is the column by which the rows come ordered, and whether descending; `sorts`: that may be another."""
        super().__init__(cursor_type="row", show_row_labels=False, id=id, classes=classes)
        self._all_columns = tuple(columns)
        self._own: tuple[str, ...] = ()
        """Keys of the columns that somebody chose, in their order."""
        self._shown: list[tuple[Column, int]] = []
        self._records: dict[str, Record] = {}
        self._total = 0
        self._sort = sort
        self._sorts = sorts and self.SORTS
        self._own_order: tuple[str, bool] | None = None
        """The column by which this table sorts its rows itself, and whether descending."""
        self._given: tuple[Record, ...] = ()
        """The rows as they came."""
        self._announced: str | None = None
        self._held: str | None = None
        """The first row, if somebody did something with it: it then keeps the cursor, whatever comes above it."""
        self._was: list[tuple[float, tuple[str, ...], int]] = []
        """The orders that the rows had a moment ago: until when, the keys, and the first one in view."""
        self._is_anew = False
        self._is_placing = False
        """Whether it is not somebody who scrolls."""
        self._above: set[str] = set()
        """Rows that came above what is on the screen, and were not looked at since."""
        self._below: set[str] = set()
        """The same of those below it."""

    # -- content

    @property
    def is_laid_out(self) -> bool:
        """Whether what it was told to show has its place."""
        is_filled = self.row_count == len(self._records) and bool(self._shown)
        return is_filled and not self._updated_cells and not self._require_update_dimensions

    def show(self, rows: Sequence[Record], *, total: int | None = None) -> None:
        """Show these rows in this order; `total` is how many there are in all, if more than shown.

        Raises ValueError if two rows have one key.
        """
        self._given = tuple(rows)
        rows = self._ordered(rows)
        records = {row.key: row for row in rows}
        if len(records) != len(rows):
            raise ValueError("rows with the same key")
        before, self._records = self._records, records
        self._total = len(rows) if total is None else total
        if bool(before) != bool(records):
            self.call_later(self.refresh_bindings)
        if not self._shown:
            self._is_anew = False
            return  # not yet mounted: the rows are filled in with the columns
        gone = [key for key in before if key not in records]
        came = () if self._is_anew else tuple(key for key in records if key not in before)
        was = self._remember()
        place = self._followed(before, was, came)
        self._is_placing = True
        if len(gone) > _REPLACED:
            self._fill()
        else:
            for key in gone:
                self.remove_row(key)
            self._update(before)
        self._restore(place, stays=not (gone or came or place != was or tuple(before) != tuple(records)))
        self._is_anew = False
        if before:
            self.call_after_refresh(self._count_unseen, came)

    def begin_anew(self) -> None:
        """What is shown next answers another question: what it has more is not new."""
        self._is_anew = True
        self._held = None
        self._was.clear()
        self._forget_unseen()

    def use_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns of the same rows from now on."""
        if tuple(columns) != self._all_columns:
            self._all_columns = tuple(columns)
            self._arrange()

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """All columns that it may show."""
        return self._all_columns

    @property
    def chosen_columns(self) -> list[Column]:
        """Those that it shows where there is room, in their order."""
        return arranged(self._all_columns, self._own)

    @property
    def place_name(self) -> str:
        """By which name the choice of its columns is remembered: where it is."""
        return "/".join(node.id for node in reversed(self.ancestors_with_self) if node.id)

    def choose(self, keys: Sequence[str]) -> None:
        """Show these columns in this order from now on; none: the usual ones."""
        self._own = tuple(keys)
        self._note(self._own)
        self._arrange()

    def _choices(self) -> Any:
        return getattr(self.app, "choices", None)

    def _note(self, keys: tuple[str, ...]) -> None:
        if (choices := self._choices()) is not None:
            choices.note_columns(self.place_name, keys)

    def action_columns(self) -> None:
        """Have the columns chosen."""
        self.post_message(self.ColumnsWanted(self))

    @property
    def records(self) -> list[Record]:
        """The rows in their order."""
        return list(self._records.values())

    @property
    def labels(self) -> dict[str, str]:
        """The names of all columns, also of those for which there is no room, by their keys."""
        return {column.key: column.label for column in self._all_columns}

    @property
    def first_label(self) -> str:
        """The name of the first column, which often says what the rows are."""
        return self._all_columns[0].label if self._all_columns else ""

    @property
    def total(self) -> int:
        """How many rows there are in all, those not shown included."""
        return self._total

    @property
    def selected(self) -> Record | None:
        """The record under the cursor."""
        key = self._cursor_key()
        return None if key is None else self._records.get(key)

    def select(self, key: str) -> bool:
        """Move the cursor to a record; False if it is not in the table."""
        if key not in self._records or not self._shown:
            return False
        self.move_cursor(row=self.get_row_index(key))
        return True

    def _cell(self, record: Record, column: Column) -> Text:
        value = record.cells.get(column.key)
        text = value if isinstance(value, Text) else cell(value)
        text.justify = column.justify
        return text

    def _fill(self) -> None:
        self.clear()
        for record in self._records.values():
            self.add_row(*(self._cell(record, column) for column, _ in self._shown), key=record.key)

    def _update(self, before: Mapping[str, Record]) -> None:
        for key, record in self._records.items():
            if key not in before:
                self.add_row(*(self._cell(record, column) for column, _ in self._shown), key=key)
                continue
            old = before[key]
            if old is not record:
                self._update_row(key, old, record)
        order = {key: index for index, key in enumerate(self._records)}
        if any(order[str(row.key.value)] != index for index, row in enumerate(self.ordered_rows)):
            # `sort` asks for the rank of each row in the order in which rows were added.
            ranks = iter([order[str(key.value)] for key in self.rows])
            self.sort(key=lambda _: next(ranks))

    def _update_row(self, key: str, old: Record, record: Record) -> None:
        """Show what is another one in a row that is there."""
        changed = [
            column for column, _ in self._shown if not _same(old.cells.get(column.key), record.cells.get(column.key))
        ]
        if not changed:
            return
        self._is_of_one_row = True
        for column in changed:
            self.update_cell(key, column.key, self._cell(record, column))
        self._is_of_one_row = False
        self.refresh_row(self.get_row_index(key))

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Paint it anew, or some regions of it."""
        if self._is_of_one_row and not (regions or layout or recompose):
            # Each cell asks for all of it; the row is enough.
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    # -- place

    def _cursor_key(self) -> str | None:
        if not self.is_valid_row_index(self.cursor_row):
            return None
        return self.ordered_rows[self.cursor_row].key.value

    def _remember(self) -> tuple[str | None, int, int, bool]:
        """The cursor's key and row, the scroll offset, and whether the cursor is in view.

        Meanwhile the cursor rests on the first row, from where adding and removing rows does not push it.
        """
        row, top = self.cursor_row, self.scroll_offset.y
        in_view = top <= row < top + self.size.height - self.header_height
        key = self._cursor_key()
        self.set_reactive(DataTable.cursor_coordinate, Coordinate(0, 0))
        return key, row, top, in_view

    def _followed(
        self, before: Mapping[str, Record], place: tuple[str | None, int, int, bool], came: Sequence[str]
    ) -> tuple[str | None, int, int, bool]:
        """Where cursor and view are to be with the new rows.

        The first row keeps the cursor that was on it, unless somebody did something with what was there. Where the view
        is further down, what came above it or went moves it along, so that what is read stays where it is.
        """
        key, row, top, in_view = place
        keys = tuple(before)
        if keys and not row and not top and key != self._held:
            place = next(iter(self._records), None), 0, 0, in_view
        if self._is_anew or not keys:
            return place
        if keys != tuple(self._records):
            self._was.append((_clock(), keys, top))
        if not top:
            return place
        order = {each: index for index, each in enumerate(self._records)}
        first = next((order[each] for each in keys[top:] if each in order), None)
        if first is not None:
            gone = sum(each not in order for each in keys[:top])
            top = max(0, top + sum(order[each] < first for each in came) - gone)
        return key, row, top, in_view

    def _count_unseen(self, came: Sequence[str]) -> None:
        """Say in the header how many rows came above or below what is on the screen."""
        order = {key: index for index, key in enumerate(self._records)}
        top = self.scroll_offset.y
        bottom = top + self.size.height - self.header_height
        above = {key for key in (*self._above, *came) if order.get(key, top) < top}
        below = {key for key in (*self._below, *came) if self.GROWS_BELOW and order.get(key, 0) >= bottom}
        changed = (len(above), len(below)) != (len(self._above), len(self._below))
        self._above, self._below = above, below
        if changed:
            self._relabel()

    def _forget_unseen(self) -> None:
        changed = self._above or self._below
        self._above, self._below = set(), set()
        if changed:
            self._relabel()

    @property
    def unseen(self) -> str:
        """How many rows are new where nobody has looked since, and the key that leads there; "" if there are none."""
        told = [("▲", self._above, "Home"), ("▼", self._below, "End")]
        return " ".join(f"{mark} {len(keys):,} new · {key}" for mark, keys, key in told if keys)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What comes into view is seen."""
        super().watch_scroll_y(old_value, new_value)
        if self._is_placing:
            return
        self._was.clear()
        if self._above or self._below:
            self._count_unseen(())

    def on_key(self, event: events.Key) -> None:
        """A key that is about a row is about the one that the eye was on when the finger began to move."""
        if self.cursor_row and self._held is None and not self._was:
            return
        bound = self.screen.active_bindings.get(event.key)
        action = bound.binding.action.partition("(")[0].rpartition(".")[2] if bound is not None else ""
        if action in _MOVES:
            self._held = None
            self._was.clear()
        elif action in ABOUT_A_ROW:
            if self.cursor_row == 0 and (key := self._looked_at(0)) is not None:
                self.select(key)
            if action in _HOLDING:
                self._held = self._cursor_key()

    def on_click(self, event: events.Click) -> None:
        """A click on a row puts the cursor there, one on the row under the cursor opens it."""
        row = event.style.meta.get("row", -1)
        if row < 0 or not self.is_valid_row_index(row) or event.style.meta.get("out_of_bounds"):
            return
        event.prevent_default()
        event.stop()
        if self.show_cursor or self.has_focus:
            was, key = self._cursor_key(), self._looked_at(row) or str(self.ordered_rows[row].key.value)
            self.select(key)
            if key == was:
                self.action_select_cursor()
            self._was.clear()

    def _looked_at(self, row: int) -> str | None:
        """The key of what was a moment ago where a row is now, if that is another one."""
        now = _clock()
        self._was = [each for each in self._was if now - each[0] < _SLIP_SECONDS]
        if not self._was:
            return None
        _, keys, top = self._was[0]
        at = row - self.scroll_offset.y + top
        key = keys[at] if 0 <= at < len(keys) else None
        return key if key in self._records and key != self.ordered_rows[row].key.value else None

    def _restore(self, place: tuple[str | None, int, int, bool], *, stays: bool = False) -> None:
        """Put cursor and view to their place; `stays`: all rows, cursor and view are where they were."""
        key, row, top, in_view = place
        if key is not None and key in self._records:
            row = self.get_row_index(key)
        row = max(0, min(row, self.row_count - 1))
        # Assigning would scroll to the cursor, which the user may have scrolled away from on purpose.
        self.set_reactive(DataTable.cursor_coordinate, Coordinate(row, 0))
        if self.scroll_offset.y != top:
            # At once, while the size is still the old one: a refresh later the top would flash up.
            self.scroll_to(y=top, animate=False, force=True, immediate=True)
        self._is_placing = False
        if in_view and self.row_count:
            self.call_after_refresh(self._show_cursor)
        if not stays:
            self.refresh()
        self._announce()

    def _show_cursor(self) -> None:
        self.move_cursor(row=self.cursor_row)

    def _announce(self) -> None:
        """Tell if the cursor is on another record than last told."""
        record = self.selected
        key = None if record is None else record.key
        if key != self._announced:
            self._announced = key
            self.post_message(self.RecordHighlighted(self, record))

    def on_data_table_row_highlighted(self, _: DataTable.RowHighlighted) -> None:
        self._announce()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        key = str(event.row_key.value)
        self._held = key
        record = self._records.get(key)
        if record is not None:
            self.post_message(self.RecordSelected(self, record))

    def on_mount(self) -> None:
        if (choices := self._choices()) is not None:
            self._own = choices.columns(self.place_name)
            self._own_order = self._kept_order(choices)
        self._arrange()

    def on_resize(self, _: events.Resize) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Choose the columns for the width; only another choice fills the table anew."""
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        chosen = choose_columns(self.chosen_columns, width, self.cell_padding)
        before, self._shown = self._shown, chosen
        if [column for column, _ in before] == [column for column, _ in chosen]:
            if before != chosen:
                self._widen(chosen)
            return
        place = self._remember()
        self._is_placing = True
        self.clear(columns=True)
        for column, wide in chosen:
            self.add_column(self._label(column), width=wide, key=column.key)
        self._fill()
        self._restore(place)

    def _widen(self, chosen: Sequence[tuple[Column, int]]) -> None:
        """Give the columns that are there other widths. A table that is only shown again keeps them."""
        for column, wide in chosen:
            self.columns[ColumnKey(column.key)].width = wide
            self.columns[ColumnKey(column.key)].label = self._label(column)
        self.virtual_size = Size(sum(wide + 2 * self.cell_padding for _, wide in chosen), self.virtual_size.height)
        self.refresh()

    def _render_cell(
        self,
        row_index: int,
        column_index: int,
        base_style: Style,
        width: int,
        cursor: bool = False,
        hover: bool = False,
    ) -> list[list[Segment]]:
        # The stock method lays a cell out twice as if it had many lines, which takes several times as long.
        if row_index < 0 or column_index < 0:
            return super()._render_cell(row_index, column_index, base_style, width, cursor, hover)
        text = self.get_cell_at(Coordinate(row_index, column_index))
        style = base_style + Style.from_meta({"row": row_index, "column": column_index})
        on_top = Style.null()
        if hover and self.show_cursor and self._show_hover_cursor:
            style += self.get_component_rich_style("datatable--hover")
        if cursor and self.show_cursor:
            pointed = self.get_component_rich_style("datatable--cursor")
            style += pointed
            on_top = Style(color=pointed.color)
        return [text_line(self.app.console, text, width, self.cell_padding, style, on_top)]

    def _update_dimensions(self, new_rows: object) -> None:  # noqa: ARG002
        # Every column has a width and every row is one line: measuring the cells would only cost time.
        super()._update_dimensions(())

    # -- sorting

    def mark_sort(self, column_key: str, descending: bool) -> None:
        """Tell in the header by which column the rows are ordered."""
        self._sort = (column_key, descending)
        self._relabel()

    @property
    def order(self) -> tuple[str, bool] | None:
        """The column by which the rows are ordered, and whether descending; None where that is no column."""
        return self._own_order or self._sort

    @property
    def sortable(self) -> list[Column]:
        """The columns that it can be sorted by: those for which it asks, else those whose values its rows have."""
        if not self._sorts or not self._given:
            return []
        asked = [column for column in self._all_columns if column.sortable]
        return asked or [column for column in self._all_columns if column.label and self._has_values(column)]

    def _has_values(self, column: Column) -> bool:
        return any(_value(record, column) is not None for record in self._given)

    def _ordered(self, rows: Sequence[Record]) -> Sequence[Record]:
        """The rows in the order that somebody chose, what has no value last."""
        column = next((each for each in self._all_columns if self._own_order and each.key == self._own_order[0]), None)
        if column is None or self._own_order is None:
            return rows
        known = [(value, row) for row in rows if (value := _value(row, column)) is not None]
        rest = [row for row in rows if _value(row, column) is None]
        if len({type(value) for value, _ in known}) > 1 and not all(
            isinstance(value, int | float) for value, _ in known
        ):
            known = [(str(value), row) for value, row in known]
        known.sort(key=lambda pair: _comparable(pair[0]), reverse=self._own_order[1])
        return [*(row for _, row in known), *rest]

    def _kept_order(self, choices: Any) -> tuple[str, bool] | None:
        possible = {f"{column.key} {way}" for column in self._all_columns for way in ("asc", "desc")}
        key, _, way = choices.one_of(f"order {self.place_name}", possible, "").partition(" ")
        return (key, way == "desc") if key and self._sorts else None

    def sort_by(self, column_key: str) -> None:
        """Sort by a column; by the same one again, the other way round. "": as the rows came."""
        column = next((each for each in self.sortable if each.key == column_key), None)
        self.begin_anew()
        if column is not None and column.sortable:
            self.post_message(self.SortRequested(self, column_key))
            return
        if column is None:
            self._own_order = None
        else:
            again = self.order is not None and self.order[0] == column_key
            descending = not self.order[1] if again and self.order else not self._is_of_texts(column)
            self._own_order = (column_key, descending)
        if (choices := self._choices()) is not None:
            order = self._own_order
            choices.note(f"order {self.place_name}", order and f"{order[0]} {'desc' if order[1] else 'asc'}")
        self.show(self._given, total=self._total)
        self.move_cursor(row=0)
        self._relabel()

    @property
    def sorts_itself(self) -> bool:
        """Whether its rows are in another order than they came in."""
        return self._own_order is not None

    def _is_of_texts(self, column: Column) -> bool:
        return any(isinstance(_value(record, column), str) for record in self._given)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether a key does anything now: not all rows can be sorted, and of none there is nothing to open."""
        if action == "select_cursor":
            return bool(self._records)
        if action == "pick_order":
            return bool(self.sortable)
        return action != "reverse_order" or (self.order is not None and bool(self.sortable))

    def action_pick_order(self) -> None:
        """Have the order of the rows chosen."""
        self.post_message(self.OrderWanted(self))

    def action_reverse_order(self) -> None:
        """Sort the other way round."""
        if self.order is not None:
            self.sort_by(self.order[0])

    def _relabel(self) -> None:
        labels = {ColumnKey(column.key): self._label(column) for column, _ in self._shown}
        if all(_same(self.columns[key].label, label) for key, label in labels.items()):
            return
        for key, label in labels.items():
            self.columns[key].label = label
        self.notify_style_update()  # which drops the rendered header

    def _label(self, column: Column) -> Text:
        label = column.label
        order = self.order
        if order is not None and column.key == order[0]:
            mark = "▾" if order[1] else "▴"
            label = f"{mark} {label}" if column.justify == "right" else f"{label} {mark}"
        if (told := self.unseen) and column == self._widest:
            room = dict(self._shown)[column]
            label = f"{label} {told}"
            if cell_len(label) > room:
                label = told if cell_len(told) <= room else told.replace(" · Home", "").replace(" · End", "")
        return cell(label, justify=column.justify)

    @property
    def _widest(self) -> Column | None:
        """Where there is most room in the header."""
        return max(self._shown, key=lambda pair: pair[1], default=(None, 0))[0]

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        key = str(event.column_key.value)
        if self.unseen and self._widest is not None and key == self._widest.key:
            # That is what stands there.
            self.action_scroll_top() if self._above else self.action_scroll_bottom()
        else:
            self.action_sort_by(key)

    def action_sort_by(self, column_key: str) -> None:
        """Ask for the rows by a column, if it is one of those."""
        if column_key in {column.key for column in self.sortable}:
            self.sort_by(column_key)


def _value(record: Record, column: Column) -> Any:
    """What a row has under a column, for sorting; None if nothing."""
    found: Any = record.data if record.raw is None else record.raw
    for name in (column.by or column.key).split("."):
        found = getattr(found, name, None)
    return None if callable(found) else found


def _comparable(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
