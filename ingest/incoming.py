"""What is read and not yet in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .batch import Batch, Row
from .formats import SOURCES, ReadResult
from .formats.source import Vanished
from .prices import Rate
from .row_files import RowFiles, RowsApart, joined, put_together
from .short_rows import ShortFiles, own_rows, said_rows, whole_rows


class Rolled(NamedTuple):
    """Rollups that are made while facts are written."""

    zones: frozenset[str]
    """Those whose days they have."""
    wait: Callable[[], RollupsMade]
    """Waits for them. Raises StoreError."""


class RollupsMade(NamedTuple):
    """Rollups in memory."""

    tables: dict[str, str]
    """Rollup -> a table with its rows."""
    marks: bool
    """Whether responses were marked for them, as those in the store are not yet."""


@dataclass(slots=True)
class Load:
    """All that one transaction brings into the store."""

    row_files: RowFiles = field(default_factory=dict)
    apart: list[RowsApart] = field(default_factory=list)
    """More rows, in files of several tables, and of what `short` has files of."""
    made: list[Path] = field(default_factory=list)
    """Files that were made of these, for the load alone."""
    is_merged: bool = False
    """Whether the rows of responses are merged by file (`merged_rows`), and tell all of their columns."""
    more: list[str] = field(default_factory=list)
    """SELECTs of more rows of responses, merged by file."""
    short: list[ShortFiles] = field(default_factory=list)
    """Files of more of these."""
    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Rows by table that are in no file: of a little that was read in this process."""
    spool: Callable[[], Path] | None = None
    """Gives a folder for files of `rows`, where they have to be files."""
    results: list[ReadResult] = field(default_factory=list)
    gone: list[Path] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)
    priced_models: dict[str, int | None] = field(default_factory=dict)
    """Models looked up for this load -> context window; those without rates have no known price."""
    replaced: list[tuple[str, str]] = field(default_factory=list)
    """(table, workspace) whose rows this load replaces."""
    server_reads: list[Row] = field(default_factory=list)
    """How far servers are read; each replaces the row of the same server, account and endpoint."""
    sessions_of: tuple[str, str] | None = None
    """The server and account whose sessions this load replaces; all of them, unless `sessions_told`."""
    sessions_told: list[str] | None = None
    """The files of the sessions that are replaced, if the server was not asked for all."""
    without_rollups: bool = False
    """Whether nobody asks for these."""
    touched: frozenset[str] | None = None
    """Found while it was loaded: nothing of other sessions is another one now; None where that may be so."""
    nothing_is_forgotten: bool = False
    """Found while it was loaded: the store has no note of anything forgotten, so nothing of it has to go again."""

    ahead: dict[str, str] = field(default_factory=dict)
    """Facts whose rows are in tables in memory already, which the connection that loads them sees -> their tables."""
    only_merged: set[str] = field(default_factory=set)
    """Of those, whose tables have what they came to, and not the rows as they were read: these would be read again."""
    merged_ahead: dict[str, list[str]] = field(default_factory=dict)
    """Tables -> SELECTs of what is to be written where the store knows nothing, from such tables."""
    rolled: Rolled | None = None
    """Their rollups, in that case."""

    def add(self, files: dict[str, Path]) -> None:
        """Add the files of rows of one batch."""
        for table, path in files.items():
            self.row_files.setdefault(table, []).append(path)

    @property
    def replaces(self) -> bool:
        """Whether files tell anew what they had told, or take it back."""
        return any(result.tables or result.vanished is not Vanished.STAY for result in self.results)

    def forget_merged(self) -> None:
        """Leave out what was made for a store that knows nothing: this one knows something."""
        self.merged_ahead.clear()
        self.rolled = None
        for name in self.only_merged:
            self.ahead.pop(name, None)
        if self.replaces:
            # What is read of them is marked while the store is asked.
            self.ahead.clear()

    @property
    def with_ledgers(self) -> bool:
        """Whether any of it is of an agent that may keep a ledger of its requests."""
        return any(SOURCES[result.file.kind].keeps_ledger for result in self.results)

    def write_rows(self) -> None:
        """Put all rows into files, those of a table into one. Raises OSError."""
        if self.rows:
            assert self.spool is not None
            rows, self.rows = self.rows, {}
            self.add(Batch(rows).write(self.spool(), "rows"))
        if self.apart:
            apart, self.apart = self.apart, []
            files = put_together(apart)
            self.made += files.values()
            if short := [files.pop(part) for part in ShortFiles._fields if part in files]:
                self.short.append(ShortFiles(*map(str, short)))
            self.add(files)
        self.row_files = {table: [joined(files)] for table, files in self.row_files.items()}
        if self.short:
            own, said = (str(joined([Path(path) for path in paths])) for paths in zip(*self.short, strict=True))
            self.short, joint = [], [ShortFiles(own, said)]
            self.more.append(whole_rows(own_rows(joint), said_rows(joint)))
