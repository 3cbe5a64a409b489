"""What responses took, of all that is on disk and not in the store yet: told at once, long before the store is full.

Files are read for that alone (`Source.read_usage`), in processes that are copies of this one, and brought by the
ordinary way into tables in memory, beside what the store has of such facts. So every question can be asked of them, and
its answer is the one that the full store will give.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..queries.facts import PROMPTS
from ..queries.store.scratch import scratch
from . import usage_view
from .costs import write_rates
from .formats import SOURCES, ReadResult, SourceFile
from .plan import Job, job_for
from .prices import PriceOverrides, Rate, rates_for
from .redaction_version import is_pending
from .usage_reading import UsageReading
from .watermarks import known_models

# What loads is imported where there is something to load.
if TYPE_CHECKING:
    from ..queries.store import Reader, Writer
    from .row_files import RowFiles
    from .short_rows import ShortFiles
    from .usage_share import UsageShare

COPIED = (
    *("responses", "session_firsts", "session_lasts", "summaries", "prompts", "activity", "strays", "worktrees"),
    *("sessions", "tokens_daily", "files", "snapshot_keys", "forgotten"),
    *("rates", "models", "context_windows", "zones", "meta"),
)
"""Tables that answers about tokens are made of, or that decide about rows of those."""


FEW = ("rates", "models", "tokens_daily", "zones", "sessions", "accesses", "sync_actions")
"""Tables that are asked for tokens by day, and for people; more of an empty store are made where they are needed."""


def can_be_told(store: Reader) -> bool:
    """Whether what the store has may be told before it is brought up to date: not if it has to be redacted first."""
    return not is_pending(store) or store.row("SELECT 1 FROM responses LIMIT 1") is None


@dataclass(frozen=True, slots=True)
class Unread:
    """What can be told before the store is full."""

    tables: Writer
    """In memory, with what the store knows of COPIED."""
    jobs: Sequence[Job]
    """What it does not know yet."""
    store: Path
    zones: Sequence[str]
    overrides: PriceOverrides
    processes: int
    recognise: Callable[[Path], SourceFile | None]
    """The file of a source at a path."""
    begun: UsageReading | None = None
    """What is reading them already."""
    has_few: bool = False
    """Whether the store is a new one, of which there are no more tables than FEW; else they are what it knows."""

    def tell(self, *, with_sessions: bool, only_rollups: bool = False) -> Reader:
        """Bring in what the backlog tells of tokens, and ask: once.

        `with_sessions`: sessions have their titles, projects and times, too; else only what their responses say.
        `only_rollups`: nothing is asked of single responses. Raises StoreError.
        """
        begun = self.begun if self.begun is not None and self.begun.with_sessions is with_sessions else None
        with contextlib.ExitStack() as stack:
            parts = (begun or self._reading(stack, self.jobs, with_sessions=with_sessions)).finish()
            if not with_sessions and any(part.has_strays for part in parts):
                # Whose they are is decided by what all files say of their sessions.
                with_sessions = True
                parts = self._reading(stack, self.jobs, with_sessions=True).finish()
            if (only_rollups or not with_sessions) and self._may_be_shown(parts):
                self._show(parts, with_sessions=with_sessions, only_rollups=only_rollups)
                return self.tables
            if self.has_few:
                self.tables.make_tables()
            unread = self._load(parts)
            while unread:
                # Of what a file takes back the store does not know what these had said.
                files = [file for path in unread if (file := self.recognise(Path(path))) is not None]
                jobs = [job for file in files if (job := job_for(file, None)) is not None]
                more = self._reading(stack, jobs, with_sessions=with_sessions, processes=1)
                unread = self._load(more.finish())
        return self.tables

    def _reading(
        self, stack: contextlib.ExitStack, jobs: Sequence[Job], *, with_sessions: bool, processes: int | None = None
    ) -> UsageReading:
        """Begin to read some jobs, into a folder that lasts as long as `stack`."""
        folder = stack.enter_context(scratch(self.store))
        processes = self.processes if processes is None else processes
        return stack.enter_context(UsageReading(jobs, folder, processes, with_sessions=with_sessions))

    def _load(self, parts: Sequence[UsageShare]) -> list[str]:
        """Load what was read; paths of files of which that is not enough, as `load`."""
        from . import forget, upkeep
        from .incoming import Load
        from .load import load

        upkeep.keep_up(self.tables, self.zones, self.overrides)
        work = Load(_row_files(parts), is_merged=True, short=_short(parts), results=_results(parts))
        work.rates, work.priced_models = self._new_prices(parts)
        unread = load(self.tables, work)
        forget.enforce(self.tables)
        return unread

    def _show(self, parts: Sequence[UsageShare], *, with_sessions: bool, only_rollups: bool) -> None:
        """Load only what responses depend on, and what is told of sessions, and show responses as they were told."""
        row_files = _row_files(parts)
        others = row_files.pop("responses", [])
        if self.has_few:
            self.tables.make_tables(None if with_sessions or not only_rollups else (PROMPTS.name,))
        else:
            from . import upkeep

            upkeep.keep_no_days(self.tables)
            upkeep.reprice(self.tables, self.overrides)
        write_rates(self.tables, *self._new_prices(parts), are_new=self.has_few)
        if with_sessions:
            from .incoming import Load
            from .load import load

            load(self.tables, Load(row_files, results=_results(parts), without_rollups=True))
        elif PROMPTS.name in row_files:
            # Of files that had to be read with their sessions prompts decide about responses.
            from .load import load_alone

            load_alone(self.tables, PROMPTS, row_files[PROMPTS.name])
        waiting = {session for part in parts for session in part.waiting}
        told = usage_view.read(self.tables, _short(parts), others, waiting)
        if with_sessions:
            usage_view.roll_up_sessions(self.tables, told, self.zones)
        elif only_rollups:
            usage_view.roll_up(self.tables, told, self.zones)
        else:
            usage_view.show(self.tables, told)

    def _new_prices(self, parts: Sequence[UsageShare]) -> tuple[list[Rate], dict[str, int | None]]:
        """What the models cost that the store does not know, and the context window of each."""
        new = {model for part in parts for model in part.done.models}
        if not self.has_few:
            new -= known_models(self.tables)
        rates = rates_for(new, self.overrides)
        windows = {rate.model: rate.context_window for rate in rates}
        return rates, {model: windows.get(model) for model in new}

    def _may_be_shown(self, parts: Sequence[UsageShare]) -> bool:
        """Whether responses are what is told of them: none is known or forgotten, nothing else says more of them."""
        known = "SELECT EXISTS (FROM responses) OR EXISTS (FROM prompts) OR EXISTS (FROM forgotten)"
        return (
            any(part.short is not None for part in parts)
            and not any(part.has_strays for part in parts)
            and not any(SOURCES[result.file.kind].keeps_ledger for part in parts for result in part.done.results)
            and not any(job.file.username for job in self.jobs)
            and (self.has_few or self.tables.value(known) is False)
        )


def _short(parts: Sequence[UsageShare]) -> list[ShortFiles]:
    return [part.short for part in parts if part.short is not None]


def _results(parts: Sequence[UsageShare]) -> list[ReadResult]:
    return [result for part in parts for result in part.done.results]


def _row_files(parts: Sequence[UsageShare]) -> RowFiles:
    files: RowFiles = {}
    for part in parts:
        for table, path in part.row_files.items():
            files.setdefault(table, []).append(Path(path))
    return files
