"""The rows of an answer to a query: as many as there are, drawn as they come into view."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ...queries.console import Table
from ..format import clean
from .answer_text import WIDEST, is_number, told

_MEASURED = 500
"""Rows that decide how wide a column of texts is."""
_READABLE = 20
"""Cells to which columns are cut where there is little room."""
_GAP = 2
_NULL = "NULL"


class AnswerTable(ScrollView, can_focus=True):
    """A table that only scrolls: numbers on the right, NULL unlike any text."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"answer--header", "answer--null"}
    DEFAULT_CSS = """
    AnswerTable {
        width: 1fr; height: 1fr; overflow: auto; scrollbar-size: 1 1; scrollbar-gutter: stable;
        & > .answer--header { color: $text-muted; text-style: bold; }
        & > .answer--null { color: $text-muted; text-style: dim italic; }
        &:focus > .answer--header { color: $text-accent; text-style: bold underline; }
    }
    """
    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.table = Table([], [], [], truncated=False, seconds=0.0)
        self._natural: list[int] = []
        self._widths: list[int] = []
        self._newer = 0
        """Rows that came above what is on the screen, and were not looked at since."""

    def show(self, table: Table, *, again: bool = False) -> None:
        """Show an answer from its top left; `again`: the same was asked before, and what is looked at stays there."""
        place = self._place_of(table) if again else None
        self.table = table
        self._natural = [
            max(cell_len(clean(name, WIDEST)), _widest([row[at] for row in table.rows], kind), 1)
            for at, (name, kind) in enumerate(zip(table.columns, table.types, strict=True))
        ]
        self._arrange()
        if place is None:
            self._newer = 0
            self.scroll_to(0, 0, animate=False)
        else:
            self.scroll_to(y=place, animate=False, force=True, immediate=True)

    def _place_of(self, table: Table) -> int | None:
        """Where the first row on the screen is in a newer answer; None at the top. Counts what is new above it."""
        top, before = self.scroll_offset.y, self.table.rows
        if not 0 < top < len(before) or table.columns != self.table.columns:
            return None
        same = [at for at, row in enumerate(table.rows) if row == before[top]]
        place = min(same, key=lambda at: abs(at - top), default=min(top, len(table.rows)))
        # Values of some types cannot be counted as they are.
        came = Counter(map(repr, table.rows[:place])) - Counter(map(repr, before))
        self._newer = min(place, self._newer + came.total())
        return place

    @property
    def unseen(self) -> str:
        """How many rows are new above what is on the screen, and the key that leads there; "" if there are none."""
        return f"▲ {self._newer:,} new · Home" if self._newer else ""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What comes into view is seen."""
        super().watch_scroll_y(old_value, new_value)
        self._newer = min(self._newer, round(new_value))

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Cut the widest texts first, down to what can still be read; the rest is for scrolling."""
        widths = list(self._natural)
        texts = [at for at, kind in enumerate(self.table.types) if not is_number(kind)]
        over = sum(widths) + _GAP * len(widths) - self.scrollable_content_region.width
        while over > 0 and texts:
            widest = max(texts, key=widths.__getitem__)
            if widths[widest] <= _READABLE:
                break
            widths[widest] -= 1
            over -= 1
        self._widths = widths
        self.virtual_size = Size(sum(widths) + _GAP * len(widths), len(self.table.rows) + 1)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The names of the columns stay on top while the rows scroll."""
        x, down = self.scroll_offset
        base = self.rich_style
        place = down + y - 1
        if y == 0:
            cells = self._header()
        elif place < len(self.table.rows):
            cells = self._row(self.table.rows[place], base)
        else:
            cells = []
        width = self.scrollable_content_region.width
        told = self.unseen if y == 0 else ""
        strip = Strip(cells).crop_extend(x, x + width - cell_len(told), base)
        return Strip([*strip, Segment(told, self.get_component_rich_style("answer--header"))]) if told else strip

    def _header(self) -> list[Segment]:
        style = self.get_component_rich_style("answer--header")
        return [
            Segment(_placed(clean(name, width), width, is_number(kind)), style)
            for name, kind, width in zip(self.table.columns, self.table.types, self._widths, strict=True)
        ]

    def _row(self, row: tuple[Any, ...], base: Style) -> list[Segment]:
        null = self.get_component_rich_style("answer--null")
        cells = []
        for value, kind, width in zip(row, self.table.types, self._widths, strict=True):
            text = _NULL if value is None else clean(told(value, kind), width)
            cells.append(Segment(_placed(text, width, is_number(kind)), null if value is None else base))
        return cells


def _widest(values: list[Any], kind: str) -> int:
    """The cells of the widest value. A number is never cut, so all of them count."""
    measured = values if is_number(kind) else values[:_MEASURED]
    return max((len(_NULL) if value is None else cell_len(told(value, kind)) for value in measured), default=0)


def _placed(text: str, width: int, right: bool) -> str:
    blank = " " * max(0, width - cell_len(text))
    return (blank + text if right else text + blank) + " " * _GAP
