"""Files read for what responses took, by copies of this process and by itself.

They begin at once, and this process joins them when it is asked for what they have read: until then it may do what else
there is to do, such as start DuckDB. Whoever is free takes the next file, the largest ones first. What reads is
imported where it is needed (`usage_share.py`): copies that were made early have done so by themselves.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..queries.plain_json import to_plain
from .copies import MOST_QUEUED, Queue, copied
from .formats import SOURCES, SourceFile, Watermark

if TYPE_CHECKING:
    from .early import EarlyCopies
    from .plan import Job
    from .usage_share import UsageShare, UsageTask

LEAST_BYTES = 4 * 1024 * 1024
"""A smaller backlog is read as a whole before anything is answered: that takes no longer."""


def is_worth_it(jobs: Sequence[Job]) -> bool:
    """Whether a backlog is so large that an answer should not wait for all of it."""
    return sum(job.todo for job in jobs) >= LEAST_BYTES


class UsageReading:
    """Jobs that are read into files in a folder, in so many processes at most, this one among them.

    A context manager: at its end no other process reads any more. `with_sessions`: also what files say of sessions.
    `early`: copies that were made for this, and wait.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        folder: Path,
        processes: int,
        *,
        with_sessions: bool,
        early: EarlyCopies | None = None,
    ) -> None:
        by_size = sorted(jobs, key=lambda job: job.todo, reverse=True)
        count = min(len(by_size), MOST_QUEUED)
        lots = [[(job.file, job.watermark) for job in by_size[number::count]] for number in range(count)]
        others = early.count if early is not None else min(processes, count) - 1 if hasattr(os, "fork") else 0
        self._folder, self._lots, self.with_sessions = folder, lots, with_sessions
        self._step = max(0, others) + _FIRST
        self._children: dict[int, int] = {}
        if early is None or not self._tell(early):
            self._queue = Queue()
            self._queue.fill(range(count))
            # What they need is imported once, before there are any.
            task = self._task
            for file in {file.kind: file for lot in lots for file, _ in lot}.values():
                SOURCES[file.kind].usage_change(file)
            for number in range(_FIRST, self._step):
                process = copied(lambda number=number: task.answer(self._queue.taken(), number))  # type: ignore[misc]
                if process is not None:
                    self._children[process] = number

    def _tell(self, early: EarlyCopies) -> bool:
        """Let copies read that wait; False where they cannot be told."""
        path = self._folder / "usage"
        task = {"folder": self._folder, "lots": self._lots, "step": self._step, "with_sessions": self.with_sessions}
        try:
            path.write_text(json.dumps(task, default=_plain), "ascii")
        except OSError:
            early.end()
            return False
        self._queue = early.queue
        self._children = early.tell(path, _FIRST)
        self._queue.fill(range(len(self._lots)))
        return True

    @property
    def _task(self) -> UsageTask:
        from .usage_share import UsageTask

        return UsageTask(self._folder, self._lots, self._step, self.with_sessions)

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
        from .usage_share import share_in

        task = self._task
        mine = self._queue.taken()
        first = next(mine, None)
        # What reads is not imported for nothing.
        parts = [] if first is None else [task.share(chain((first,), mine), 0)]
        while self._children:
            process = next(iter(self._children))
            _, status = os.waitpid(process, 0)
            number = self._children.pop(process)
            if status == 0:
                parts.append(share_in(task.answer_of(number).read_bytes()))
        # What a process had taken that died.
        done = {lot for part in parts for lot in part.lots}
        left = [lot for lot in range(len(self._lots)) if lot not in done]
        return [*parts, task.share(left, 1)] if left else parts


_FIRST = 2
"""The number of the first of the other processes: this one reads as 0, and as 1 what they leave."""


def _plain(value: Any) -> Any:
    """For `json.dumps`: a file and its watermark as `usage_share.task_in` takes them."""
    if isinstance(value, SourceFile | Watermark):
        return {name: getattr(value, name) for name in value.__slots__}
    return to_plain(value)
