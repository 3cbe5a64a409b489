"""Reading the rows of a load before the store is held, into tables in memory.

Where the store knows nothing two threads do, and merge what they read. When they have all that rollups are made of,
another thread makes these, in memory, too, by the same questions as in a store; meanwhile the rest is read, and facts
are written.
"""

from __future__ import annotations

import contextlib
import functools
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..queries.facts import RESPONSES, Fact
from ..queries.rollups import COUNTED_BY_DAY, READ_BESIDE, READ_BY_SESSION, day_rollup, sessions
from ..queries.schema import FACTS, TABLES
from . import load as loads
from .costs import write_rates
from .incoming import Rolled, RollupsMade
from .load import incoming_of, merged_apart, more_of, spans_told, written_as
from .rollups import Touched, marking
from .row_files import read_rows

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..queries.store import Writer
    from ..queries.store.file import WriterAhead
    from .incoming import Load


@contextlib.contextmanager
def read_ahead(ahead: WriterAhead, work: Load, zones: Sequence[str] | None) -> Iterator[None]:
    """Read the rows of a load, if they are in files, before the store is held, for `load` with the same writer.

    `zones`: those of which the store keeps days, if it knows nothing, and nothing else is done meanwhile: in threads,
    which also merge what is read, and make rollups of it until the block ends. Where the store knows something, not if
    files tell anew what they had told: rows are then marked while it is asked. Raises OSError, StoreError.
    """
    if work.rows or (work.replaces and zones is None):
        yield
        return
    work.write_rows()
    # Those that take longest come first: so none of the threads waits long for the other one.
    waiting = [fact for fact in FACTS if fact.name in work.row_files or more_of(fact, work)]
    shared = "" if zones is None else f"{ahead.tables}."
    work.ahead = {fact.name: f"{shared}{incoming_of(fact)}" for fact in waiting}
    if zones is None:
        for fact in waiting:
            loads.take_in(ahead.writer, fact, work)
        yield
        return
    # A load of a few lines needs none.
    from concurrent.futures import ThreadPoolExecutor

    with ahead.beside() as other, ahead.above() as above, ThreadPoolExecutor(2) as threads:
        filling = _Filling(ahead, above, work, zones, waiting, threads.submit)

        def stop() -> None:
            filling.stop((other, above.writer))

        with ahead.ended_by(stop):
            try:
                filling.begin(other)
                filling.read(ahead.writer)
                filling.wait_for_others()
                yield
            finally:
                stop()


_INTERRUPT_SECONDS = 0.05

_ROLLUPS = ("sessions", *COUNTED_BY_DAY)

_READ = frozenset((*READ_BY_SESSION, *READ_BESIDE))
"""Tables that rollups are made of."""


class _Filling:
    """What is read, merged and rolled up for a store that knows nothing."""

    def __init__(
        self,
        ahead: WriterAhead,
        above: WriterAhead,
        work: Load,
        zones: Sequence[str],
        facts: Sequence[Fact],
        submit: Callable[..., Future[Any]],
    ) -> None:
        self._ahead, self._above = ahead, above
        self._work, self._zones = work, zones
        self._submit = submit
        self._running: list[Future[Any]] = []
        needed = [fact for fact in facts if fact.name in _READ]
        self._waiting: deque[Fact | None] = deque(needed)
        if "activity" in work.row_files:
            self._waiting.append(None)
        self._left = len(self._waiting)
        """How many of those that rollups are made of are not read yet."""
        self._waiting += [fact for fact in facts if fact not in needed]
        self._lock = threading.Lock()
        # Else some facts may be another session's in the end, or cost nothing.
        may_change = "strays" in work.row_files or work.with_ledgers
        may_change = may_change or any(result.moved_from is not None for result in work.results)
        self._rolls = self._left > 0 and not may_change
        ahead.writer.make_tables(("rates", "models"))
        write_rates(ahead.writer, work.rates, work.priced_models, are_new=True)

    def read(self, writer: Writer) -> None:
        """Read and merge what waits, until there is nothing left."""
        while True:
            try:
                fact = self._waiting.popleft()
            except IndexError:
                # Another thread may have taken the last one.
                return
            if fact is None:
                self._read_activity(writer)
            else:
                self._read_fact(writer, fact)
            if fact is None or fact.name in _READ:
                with self._lock:
                    self._left -= 1
                    if self._left == 0 and self._rolls:
                        rollups = self._submit(self._roll_up)
                        self._running.append(rollups)
                        self._work.rolled = Rolled(frozenset(self._zones), rollups.result)

    def begin(self, writer: Writer) -> None:
        """Let another thread read, too."""
        self._running.append(self._submit(self.read, writer))

    def wait_for_others(self) -> None:
        """Wait until that has read all. Raises what broke there."""
        self._running[0].result()

    def stop(self, writers: Iterable[Writer]) -> None:
        """Have other threads, with these writers, end what they do, and wait for that."""
        with self._lock:
            self._waiting.clear()
            self._rolls = False
        if not all(running.done() for running in self._running):
            from concurrent.futures import wait

            writers = list(writers)
            while True:
                for writer in writers:
                    writer.interrupt()
                # Between two statements it is not heard.
                if not wait(self._running, _INTERRUPT_SECONDS).not_done:
                    return

    def _read_fact(self, writer: Writer, fact: Fact) -> None:
        loads.take_in(writer, fact, self._work)
        place = f"{self._ahead.tables}."
        told = f"{place}{fact.name}"
        selects: list[str] = []
        merged = merged_apart(writer, fact, f"{place}{incoming_of(fact)}", place)
        for number, rows in enumerate(merged):
            if fact.name == RESPONSES.name:
                # To price all of them again, for rollups, takes longer than to write them twice.
                how = f"INSERT INTO {told} BY NAME" if selects else f"CREATE TABLE {told} AS"
                writer.execute(f"{how} {written_as(fact, rows)}")
                selects = [f"SELECT * FROM {told}"]
            elif rows.is_plain:
                selects.append(written_as(fact, rows))
            else:
                table = told if len(merged) == 1 else f"{place}merged_{fact.name}_{number}"
                writer.execute(f"CREATE TABLE {table} AS {written_as(fact, rows)}")
                selects.append(f"SELECT * FROM {table}")
        if fact.name == RESPONSES.name:
            # They are many, and all that is still asked of them is in there.
            writer.execute(f"DROP TABLE {self._work.ahead[fact.name]}")
            self._work.ahead[fact.name] = told
            self._work.only_merged.add(fact.name)
        if fact.name in _READ and selects != [f"SELECT * FROM {told}"]:
            # Rollups read it more than once, and few of its columns.
            all_rows = " UNION ALL BY NAME ".join(f"({select})" for select in selects)
            columns = ", ".join(f'"{column}"' for column in fact.columns if column in _words_of_rollups())
            writer.execute(f"CREATE TABLE {told} AS SELECT {columns} FROM ({all_rows})")
        self._work.merged_ahead[fact.name] = selects

    def _read_activity(self, writer: Writer) -> None:
        table = f"{self._ahead.tables}.activity"
        writer.execute(f"CREATE TABLE {table} AS {spans_told(self._work.row_files['activity'])}")
        self._work.merged_ahead["activity"] = [f"SELECT * FROM {table}"]

    def _roll_up(self) -> RollupsMade:
        """Make the rollups."""
        writer, work = self._above.writer, self._work
        writer.make_tables({*_READ, *_ROLLUPS, "zones", "plugins"} - work.merged_ahead.keys())
        for zone in dict.fromkeys(self._zones):
            writer.execute("INSERT INTO zones (zone) VALUES (?)", [zone])
        if "plugins" in work.row_files:
            plugins = read_rows(work.row_files["plugins"], TABLES["plugins"])
            writer.execute(f"INSERT INTO plugins BY NAME SELECT DISTINCT * FROM ({plugins})")
        touched = Touched(writer)
        for table in work.merged_ahead.keys() & _READ:
            touched.add(table, work.ahead.get(table, table))
        marks = touched.rebuild()
        return RollupsMade({rollup: f"{self._above.tables}.{rollup}" for rollup in _ROLLUPS}, marks=marks)


@functools.cache
def _words_of_rollups() -> frozenset[str]:
    """Of all that is asked to make rollups: among them the names of the columns that are read."""
    columns = (*READ_BY_SESSION.values(), *READ_BESIDE.values())
    asked = [day_rollup(rollup, "zone", " ".join(tables.values())) for rollup, tables in COUNTED_BY_DAY.items()]
    return frozenset(re.findall(r"\w+", " ".join((sessions("ids"), *asked, marking(), *map(" ".join, columns)))))
