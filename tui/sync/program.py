"""What this program itself does: its sources, what it read last, what its store holds, what its questions cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from ...ingest.formats import SOURCES
from ...queries import sync
from ...queries.sync import FileRead, SourceHealth, TableRows
from .. import format as words
from ..asked import QuestionCost
from ..kit.lines import StillText
from ..kit.sections import Section, Sections
from ..kit.spark import bar
from ..kit.table import Column, Record, RecordTable
from ..untold import sentences
from .text import SyncLook, place

if TYPE_CHECKING:
    from ...queries.store import Reader

WEEK = dt.timedelta(days=7)
LATEST = 20
"""Files read last that are listed."""

FEW, MANY = 3, 8
"""So many sources have a low table, a higher one, and with more of them the highest."""

_BAR = 10

SOURCE_COLUMNS = (
    Column("source", "Source", 9),
    Column("root", "Folder"),
    Column("files", "Files", 6, "right"),
    Column("size", "Size", 7, "right"),
    Column("behind", "Behind", 7, "right"),
    Column("gone", "Deleted, kept here", 18, "right", min_screen=112),
    Column("rejects", "Rejects", 7, "right", min_screen=92),
    Column("read", "Read", 8, "right", min_screen=76),
    Column("due", "Deleted next by its agent", 32, min_screen=132),
)
LATEST_COLUMNS = (
    Column("read", "Read", 8, "right"),
    Column("title", "Session or file"),
    Column("source", "Source", 9, min_screen=56),
    Column("size", "Size", 7, "right"),
)
STORE_COLUMNS = (
    Column("name", "Table"),
    Column("rows", "Rows", 7, "right"),
    Column("bar", "", _BAR, min_screen=40),
)
QUESTION_COLUMNS = (
    Column("name", "Question"),
    Column("count", "Asked", 5, "right", min_screen=36),
    Column("average", "Average", 7, "right"),
    Column("p95", "p95", 7, "right", min_screen=46),
    Column("hits", "Kept", 5, "right", min_screen=54),
)


@dataclass(frozen=True, slots=True)
class Due:
    """What an agent is going to delete under a root: when the first session, and how many within a week."""

    by: str
    first_at: dt.datetime | None
    """None where it has no session."""
    within_week: int


@dataclass(frozen=True, slots=True)
class ProgramData:
    """What the view shows beside the sources, which the whole tab knows."""

    latest: list[FileRead]
    tables: list[TableRows]
    due: dict[tuple[str, str], Due]
    """By source and root, of those whose agent deletes its files."""


def asked(connection: Reader, roots: Sequence[SourceHealth], now: dt.datetime) -> ProgramData:
    """All of it. `now` is UTC without a zone."""
    due: dict[tuple[str, str], Due] = {}
    for root in roots:
        held = SOURCES[root.source].retention(Path(root.root)) if root.source in SOURCES else None
        if held is not None:
            oldest, number = sync.untouched(connection, root.root, now + WEEK - dt.timedelta(days=held.days))
            first = None if oldest is None else oldest + dt.timedelta(days=held.days)
            due[root.source, root.root] = Due(held.by, first, number)
    return ProgramData(sync.read_last(connection, LATEST), sync.table_rows(connection), due)


def due_in_words(due: Due | None, now: dt.datetime) -> str:
    """ "in 3d 4h, 12 within 7 days"; what is due already waits for the agent's next start."""
    if due is None or due.first_at is None:
        return words.NONE
    if due.first_at <= now:
        return f"at its next start, {words.count(due.within_week)} within 7 days"
    told = f"in {words.duration((due.first_at - now).total_seconds())}"
    return f"{told}, {words.count(due.within_week)} within 7 days" if due.within_week else told


class ProgramView(Vertical):
    """Four tables, and below them the store in a line; a small screen shows one table at a time."""

    DEFAULT_CSS = """
    ProgramView > Sections { height: 1fr; grid-size: 3 2; grid-columns: 2fr 1fr 1fr; grid-rows: 6 1fr; }
    ProgramView RecordTable { overflow-x: hidden; }
    ProgramView > Sections.-many { grid-rows: 11 1fr; }
    ProgramView > Sections.-most { grid-rows: 17 1fr; }
    ProgramView > Sections.-single { grid-size: 1; grid-rows: 1fr; grid-columns: 1fr; }
    ProgramView #program-sources { column-span: 3; }
    ProgramView > Sections.-single #program-sources { column-span: 1; }
    ProgramView > Static { height: auto; padding: 0 1; color: $text-muted; }
    """

    def compose(self) -> ComposeResult:
        """The tables and the lines."""
        yield Sections(
            [
                Section("Sources", RecordTable(SOURCE_COLUMNS), id="program-sources"),
                Section("Read last", RecordTable(LATEST_COLUMNS), id="program-latest"),
                Section("Store", RecordTable(STORE_COLUMNS), id="program-store"),
                Section("Questions of this dashboard", RecordTable(QUESTION_COLUMNS), id="program-questions"),
            ],
            current="program-sources",
            key="w",
            id="program-parts",
        )
        yield StillText(id="program-untold", markup=False)
        yield StillText(id="program-facts", markup=False)

    @property
    def parts(self) -> Sections:
        """The four tables."""
        return self.query_one(Sections)

    @property
    def first_focus(self) -> Widget:
        """The table that is shown, of several the sources."""
        return self.parts.current.content

    def show(
        self,
        sources: Sequence[SourceHealth],
        data: ProgramData,
        costs: Sequence[QuestionCost],
        facts: str,
        look: SyncLook,
    ) -> None:
        """Put it on the screen; `facts` is what is to be said of the store."""
        self.parts.set_class(FEW < len(sources) <= MANY, "-many")
        self.parts.set_class(len(sources) > MANY, "-most")
        self._fill("sources", [_source(row, data, look) for row in sources], "none found")
        self._fill("latest", [_latest(row, look) for row in data.latest], "nothing yet")
        most = max((row.rows for row in data.tables), default=0)
        self._fill("store", [_table(row, most) for row in data.tables if row.rows], "empty")
        self._fill("questions", [_question(cost) for cost in costs], "none asked")
        self.query_one("#program-sources", Section).note(_sums(sources))
        untold = self.query_one("#program-untold", StillText)
        missing = [sentences(kind) for kind in dict.fromkeys(row.source for row in sources)]
        untold.update(words.clean(" · ".join(filter(None, missing))))
        untold.display = any(missing) and not self.parts.is_single
        self.query_one("#program-facts", StillText).update(
            Text(words.clean(facts), no_wrap=self.parts.is_single, overflow="ellipsis")
        )

    def _fill(self, name: str, records: list[Record], nothing: str) -> None:
        section = self.query_one(f"#program-{name}", Section)
        section.query_one(RecordTable).show(records)
        section.note("" if records else nothing)


def _sums(sources: Sequence[SourceHealth]) -> str:
    """All sources together."""
    if not sources:
        return "none found"
    files, size = sum(row.files for row in sources), sum(row.size for row in sources)
    return f"{words.plural(files, 'file')}, {words.size(size)}, {words.size(sum(row.behind for row in sources))} behind"


def _source(row: SourceHealth, data: ProgramData, look: SyncLook) -> Record:
    trouble = row.rejects + row.failed
    cells: dict[str, Text | str | int | None] = {
        "source": row.source,
        "root": place(row.root),
        "files": words.count(row.files),
        "size": words.size(row.size),
        "behind": words.size(row.behind),
        "gone": words.count(row.gone) if row.gone else words.NONE,
        "rejects": look.marked("error", words.count(trouble)) if trouble else words.NONE,
        "read": look.ago(row.last_read_at),
        "due": due_in_words(data.due.get((row.source, row.root)), look.now),
    }
    return Record(f"{row.source}\n{row.root}", cells, row)


def _latest(row: FileRead, look: SyncLook) -> Record:
    cells: dict[str, Text | str | int | None] = {
        "read": look.ago(row.read_at),
        "title": row.title or place(row.path),
        "source": row.source,
        "size": words.size(row.size),
    }
    return Record(row.path, cells, row)


def _table(row: TableRows, most: int) -> Record:
    cells: dict[str, Text | str | int | None] = {
        "name": row.name,
        "rows": words.count(row.rows),
        "bar": Text(bar(row.rows / most if most else 0, _BAR), style="dim"),
    }
    return Record(row.name, cells, row)


def _question(cost: QuestionCost) -> Record:
    cells: dict[str, Text | str | int | None] = {
        "name": cost.name.lower(),
        "count": words.count(cost.count),
        "average": words.millis(cost.average_ms),
        "p95": words.millis(cost.p95_ms),
        "hits": words.count(cost.hits) if cost.hits else words.NONE,
    }
    return Record(cost.name, cells, cost)
