"""What responses took, of all that is on disk and not in the store yet: told at once, long before the store is full.

Files are read for that alone (`Source.read_usage`), in processes that are copies of this one, and brought by the
ordinary way into tables in memory, beside what the store has of such facts. So every question can be asked of them, and
its answer is the one that the full store will give.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..queries.store.scratch import scratch
from . import forget, upkeep, usage_view
from .copies import copied
from .costs import write_rates
from .formats import SOURCES, SourceBusy
from .incoming import Load
from .load import load
from .model_names import price_name
from .plain_json import from_plain
from .plan import Job
from .prices import PriceOverrides, rates_for
from .redaction_version import is_pending
from .short_rows import ShortFiles, ShortRows, own_rows, said_rows, whole_rows
from .usage_batch import UsageBatch
from .watermarks import known_models
from .work import Done, collected_later, encoded_done

if TYPE_CHECKING:
    from ..queries.store import Reader, Writer

LEAST_BYTES = 4 * 1024 * 1024
"""A smaller backlog is read as a whole before anything is answered: that takes no longer."""

COPIED = (
    *("responses", "session_firsts", "session_lasts", "summaries", "prompts", "activity", "strays", "worktrees"),
    *("sessions", "tokens_daily", "files", "forgotten", "rates", "models", "context_windows", "zones", "meta"),
)
"""Tables that answers about tokens are made of, or that decide about rows of those."""


def is_worth_it(jobs: Sequence[Job]) -> bool:
    """Whether a backlog is so large that an answer should not wait for all of it."""
    return sum(job.todo for job in jobs) >= LEAST_BYTES


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

    def tell(self, *, with_sessions: bool) -> Reader:
        """Bring in what the backlog tells of tokens, and ask: once.

        `with_sessions`: sessions have their titles, projects and times, too; else only what their responses say.
        Raises StoreError.
        """
        with scratch(self.store) as folder:
            parts = _read(self.jobs, folder, self.processes, with_sessions=with_sessions)
            if not with_sessions and any(part.has_strays for part in parts):
                # Whose they are is decided by what all files say of their sessions.
                parts = _read(self.jobs, folder, self.processes, with_sessions=True)
                with_sessions = True
            self._load(parts, with_sessions=with_sessions)
        return self.tables

    def _load(self, parts: Sequence[_Share], *, with_sessions: bool) -> None:
        work = Load(is_merged=True)
        for part in parts:
            work.add({table: Path(path) for table, path in part.done.row_files.items()})
        short = [part.short for part in parts if part.short is not None]
        if short and not with_sessions and self._may_be_shown(parts):
            self._show(parts, short, work)
            return
        upkeep.keep_up(self.tables, self.zones, self.overrides)
        self._know_prices(parts, work)
        work.results = [result for part in parts for result in part.done.results]
        if short:
            work.more.append(whole_rows(own_rows(short), said_rows(short)))
        load(self.tables, work)
        forget.enforce(self.tables)

    def _show(self, parts: Sequence[_Share], short: Sequence[ShortFiles], work: Load) -> None:
        """Load only what has to be merged, and show the rest beside it. What asks for days asks the facts."""
        upkeep.keep_no_days(self.tables)
        upkeep.reprice(self.tables, self.overrides)
        self._know_prices(parts, work)
        # Of what was read with its sessions prompts decide about responses, and nothing else is asked for.
        work.row_files = {table: files for table, files in work.row_files.items() if table in ("responses", "prompts")}
        work.without_rollups = True
        waiting = {session for part in parts for session in part.waiting}
        apart = usage_view.take(self.tables, short, work.row_files.get("responses", ()), waiting)
        if apart is not None:
            work.more.append(apart)
        if work.more or work.row_files:
            load(self.tables, work)
        else:
            write_rates(self.tables, work.rates, work.priced_models)
        usage_view.show(self.tables)

    def _know_prices(self, parts: Sequence[_Share], work: Load) -> None:
        """Look up what the models cost that the store does not know."""
        new = {model for part in parts for model in part.done.models} - known_models(self.tables)
        work.rates = rates_for(new, self.overrides)
        windows = {rate.model: rate.context_window for rate in work.rates}
        work.priced_models = {model: windows.get(model) for model in new}

    def _may_be_shown(self, parts: Sequence[_Share]) -> bool:
        """Whether responses are what is told of them: none is known or forgotten, nothing else says more of them."""
        known = "SELECT EXISTS (FROM responses) OR EXISTS (FROM prompts) OR EXISTS (FROM forgotten)"
        return (
            not any(SOURCES[result.file.kind].keeps_ledger for part in parts for result in part.done.results)
            and not any(job.file.username for job in self.jobs)
            and self.tables.value(known) is False
        )


@dataclass(slots=True)
class _Share:
    """What one process has read."""

    done: Done = field(default_factory=Done)
    short: ShortFiles | None = None
    has_strays: bool = False
    waiting: list[str] = field(default_factory=list)
    """Sessions with responses that look like the beginning of one."""


# -- reading in several processes ----------------------------------------------------------------------------------


def _read(jobs: Sequence[Job], folder: Path, processes: int, *, with_sessions: bool) -> list[_Share]:
    """Read all jobs, shared out to so many processes, this one among them."""
    shares = _shared_out(jobs, processes if hasattr(os, "fork") else 1)
    answers = [folder / f"usage{number}" for number in range(len(shares))]
    children = {}
    try:
        for number in range(1, len(shares)):
            short = ShortRows(number, len(shares) + 1)
            process = _forked(shares[number], folder, answers[number], with_sessions, short)
            if process is not None:
                children[process] = number
        parts = [_share(shares[0], folder, answers[0].name, with_sessions, ShortRows(0, len(shares) + 1))]
        done = {0}
        while children:
            process, status = os.waitpid(next(iter(children)), 0)
            number = children.pop(process)
            if status == 0:
                parts.append(_part_in(answers[number].read_bytes()))
                done.add(number)
    finally:
        for process in children:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    # What no process could be made for, or died of it.
    left = [job for number, share in enumerate(shares) if number not in done for job in share]
    if left:
        parts.append(_share(left, folder, "usage-left", with_sessions, ShortRows(len(shares), len(shares) + 1)))
    return parts


def _shared_out(jobs: Sequence[Job], processes: int) -> list[list[Job]]:
    """The jobs in so many shares, about equally large; the first one is never empty."""
    shares: list[list[Job]] = [[] for _ in range(max(1, processes))]
    sizes = [0] * len(shares)
    for job in sorted(jobs, key=lambda job: job.todo, reverse=True):
        smallest = sizes.index(min(sizes))
        shares[smallest].append(job)
        sizes[smallest] += job.todo + _PER_FILE
    return [share for share in shares if share] or [[]]


_PER_FILE = 20_000
"""To open a file takes as long as to read so many bytes."""


def _forked(share: Sequence[Job], folder: Path, answer: Path, with_sessions: bool, short: ShortRows) -> int | None:
    """A copy of this process that reads a share and writes what it comes to; None where the system has none."""

    def read() -> None:
        answer.write_bytes(encoded_done(_share(share, folder, answer.name, with_sessions, short)))

    return copied(read)


_part_in = msgspec.json.Decoder(_Share, dec_hook=from_plain).decode


def _share(jobs: Sequence[Job], folder: Path, name: str, with_sessions: bool, short: ShortRows) -> _Share:
    """Read some jobs. What cannot be read tells nothing here: the whole reading says why."""
    batch = UsageBatch(with_sessions=with_sessions, short=short)
    whole = UsageBatch(with_sessions=True, short=short)
    part = _Share()
    with collected_later():
        for job in jobs:
            if not _read_file(job, batch, part.done):
                _read_file(job, whole, part.done)
    part.has_strays = batch.has_strays
    part.waiting = sorted(batch.waiting | whole.waiting)
    for table, rows in whole.rows.items():
        batch.rows.setdefault(table, []).extend(rows)
    told = [*batch.of("responses"), *short.said]
    part.done.models = sorted({row["model"] for row in told} | {price_name(row) for row in told})
    part.done.row_files = {table: str(path) for table, path in batch.write(folder, name).items()}
    part.short = short.write(folder, name)
    return part


def _read_file(job: Job, batch: UsageBatch, done: Done) -> bool:
    """Read a file into a batch; False if it has to be read with its sessions."""
    batch.begin()
    try:
        result = SOURCES[job.file.kind].read_usage(job.file, job.watermark, batch)
    except (OSError, SourceBusy):
        batch.begin()
        return True
    except Exception:  # noqa: BLE001
        # A fault of a decoder, which the whole reading tells of; the rows before it do not count there, either.
        batch.begin()
        return True
    if not batch.end():
        return False
    if result is not None:
        done.results.append(result)
    return True
