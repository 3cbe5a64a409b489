"""Files read for what responses took, by copies of this process and by itself.

They begin at once, and this process joins them when it is asked for what they have read: until then it may do what else
there is to do, such as start DuckDB. Whoever is free takes the next file, the largest ones first.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..queries.plain_json import from_plain
from .copies import copied
from .formats import SOURCES, SourceBusy
from .model_names import models_of
from .short_rows import ShortRows
from .usage_batch import UsageBatch
from .work import Done, collected_later, encoded_done

if TYPE_CHECKING:
    from .plan import Job

LEAST_BYTES = 4 * 1024 * 1024
"""A smaller backlog is read as a whole before anything is answered: that takes no longer."""


def is_worth_it(jobs: Sequence[Job]) -> bool:
    """Whether a backlog is so large that an answer should not wait for all of it."""
    return sum(job.todo for job in jobs) >= LEAST_BYTES


@dataclass(slots=True)
class UsageShare:
    """What one process has read."""

    done: Done = field(default_factory=Done)
    lots: list[int] = field(default_factory=list)
    """Which lots of files that was."""
    has_strays: bool = False
    waiting: list[str] = field(default_factory=list)
    """Sessions with responses that look like the beginning of one."""


class UsageReading:
    """Jobs that are read into files in a folder, in so many processes at most, this one among them.

    A context manager: at its end no other process reads any more. `with_sessions`: also what files say of sessions.
    """

    def __init__(self, jobs: Sequence[Job], folder: Path, processes: int, *, with_sessions: bool) -> None:
        by_size = sorted(jobs, key=lambda job: job.todo, reverse=True)
        lots = min(len(by_size), _MOST_LOTS)
        self._lots = [by_size[number::lots] for number in range(lots)]
        self._folder, self.with_sessions = folder, with_sessions
        self._queue = _Queue(range(lots))
        self._children: dict[int, int] = {}
        others = min(processes, lots) - 1 if hasattr(os, "fork") else 0
        # This one, and whoever does what the others leave.
        self._step = max(0, others) + 2
        for number in range(2, self._step):
            process = copied(lambda number=number: self._answer(number))  # type: ignore[misc]
            if process is not None:
                self._children[process] = number

    def __enter__(self) -> UsageReading:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End the others, whatever they are at."""
        self._queue.close()
        children, self._children = self._children, {}
        for process in children:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)

    def finish(self) -> list[UsageShare]:
        """Read what is left, together with the others: what all of them have read."""
        parts = [self._share(self._queue.taken(), 0)]
        while self._children:
            process = next(iter(self._children))
            _, status = os.waitpid(process, 0)
            number = self._children.pop(process)
            if status == 0:
                parts.append(_share_in(self._answer_of(number).read_bytes()))
        # What a process had taken that died.
        done = {lot for part in parts for lot in part.lots}
        left = [lot for lot in range(len(self._lots)) if lot not in done]
        return [*parts, self._share(left, 1)] if left else parts

    def _answer(self, number: int) -> None:
        """Be one of the others."""
        self._answer_of(number).write_bytes(encoded_done(self._share(self._queue.taken(), number)))

    def _answer_of(self, number: int) -> Path:
        return self._folder / f"usage{number}"

    def _share(self, lots: Iterator[int] | Sequence[int], number: int) -> UsageShare:
        """Read some lots. What cannot be read tells nothing here: the whole reading says why."""
        part, short = UsageShare(), ShortRows(number, self._step)
        batch, whole = (
            UsageBatch(with_sessions=self.with_sessions, short=short),
            UsageBatch(with_sessions=True, short=short),
        )
        with collected_later():
            for lot in lots:
                part.lots.append(lot)
                for job in self._lots[lot]:
                    if not _read_file(job, batch, part.done):
                        _read_file(job, whole, part.done)
        part.has_strays = batch.has_strays
        part.waiting = sorted(batch.waiting | whole.waiting)
        batch.extend(whole)
        part.done.models = models_of([*batch.of("responses"), *short.said])
        name = self._answer_of(number).name
        part.done.row_files = {table: str(path) for table, path in batch.write(self._folder, name).items()}
        part.done.short = short.write(self._folder, name)
        return part


_share_in = msgspec.json.Decoder(UsageShare, dec_hook=from_plain).decode

_MOST_LOTS = 2048
"""All of their numbers fit into a pipe, whatever the system."""


class _Queue:
    """Numbers, of which each is taken by one of several processes: they lie in a pipe that all of them have."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._end, begin = os.pipe()
        try:
            os.write(begin, b"".join(number.to_bytes(_WIDTH, "big") for number in numbers))
        finally:
            os.close(begin)

    def taken(self) -> Iterator[int]:
        """The numbers that nobody else has taken, until there are none."""
        # So few bytes are never told in part.
        while told := os.read(self._end, _WIDTH):
            yield int.from_bytes(told, "big")

    def close(self) -> None:
        """Nobody takes any more in this process."""
        if self._end >= 0:
            end, self._end = self._end, -1
            os.close(end)


_WIDTH = 2


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
