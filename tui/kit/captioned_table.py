"""A table with a line of words below it, or a sentence in its place."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from ..format import clean
from .lines import StillText
from .state import PaneState
from .table import Column, Record, RecordTable


class Listing(Vertical):
    """Records in a table. Without any, a sentence says why."""

    DEFAULT_CSS = """
    Listing { width: 1fr; height: 1fr; }
    Listing > RecordTable { height: 1fr; }
    Listing > .caption { height: 1; padding: 0 1; color: $text-muted; }
    Listing.-nothing > RecordTable, Listing.-nothing > .caption { display: none; }
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str,  # noqa: A002
        sort: tuple[str, bool] | None = None,
        sorts: bool = True,
    ) -> None:
        """`sort` and `sorts` are those of the table."""
        super().__init__(id=id)
        self._columns = columns
        self._sort = sort
        self._sorts = sorts

    def compose(self) -> ComposeResult:
        """The table, the sentence, and the line below."""
        yield RecordTable(self._columns, sort=self._sort, sorts=self._sorts)
        yield PaneState()
        yield StillText(classes="caption", markup=False)

    @property
    def table(self) -> RecordTable:
        """The table itself."""
        return self.query_one(RecordTable)

    def show(self, records: Sequence[Record], *, caption: str, nothing: str) -> None:
        """Show these records, with one line below; `nothing` is what to say if there are none."""
        self.set_class(not records, "-nothing")
        self.table.show(records)
        self.query_one(PaneState).set("ready" if records else "empty", nothing)
        self.query_one(".caption", StillText).update(Text(clean(caption), no_wrap=True, overflow="ellipsis"))
