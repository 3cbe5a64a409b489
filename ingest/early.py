"""Copies of this process that are made before anybody knows what there is to read.

While this process finds that out, and starts DuckDB, they import what reads: each of the two takes a tenth of a second,
and to import what reads files as a whole two of them.
Then they are told, or they end. Imports next to nothing, for the program begins with it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal

from .copies import Queue, can_be_copied, copied, usual_processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import TypeVar

    Early = TypeVar("Early", bound="EarlyCopies | EarlyWorkers")


_NICENESS = 5
"""Of workers that a command waits for: a third of the time of a processor that another process wants, too."""


class EarlyCopies:
    """Copies that wait to be told which files to read for what responses took."""

    def __init__(self, count: int) -> None:
        self.queue = Queue()
        """Which lots of files are still to be read, once that is known."""
        self._waiting: dict[int, int] = {}
        """Process -> where it is told."""
        for _ in range(count):
            told, tells = os.pipe()
            process = copied(lambda told=told, tells=tells: self._wait(told, tells))  # type: ignore[misc]
            os.close(told)
            if process is None:
                os.close(tells)
                return
            self._waiting[process] = tells

    @property
    def count(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def tell(self, task: Path, first: int) -> dict[int, int]:
        """Let them do the task that lies in a file, under numbers from a `first` one on: process -> number."""
        waiting, self._waiting = self._waiting, {}
        numbers = {process: first + place for place, process in enumerate(waiting)}
        for process, tells in waiting.items():
            # Whoever has ended has done nothing, which is found out by who waits for it.
            with contextlib.suppress(BrokenPipeError):
                os.write(tells, b"%d %s\0" % (numbers[process], os.fsencode(task)))
            os.close(tells)
        return numbers

    def end(self) -> None:
        """End those that were not told anything."""
        if not self._waiting:
            return
        self.queue.close()
        waiting, self._waiting = self._waiting, {}
        for process, tells in waiting.items():
            os.close(tells)
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)

    def _wait(self, told: int, tells: int) -> None:
        """Be one of them."""
        _begin_as_copy([tells, *self._waiting.values()])
        self.queue.only_take()
        from pathlib import Path

        from . import usage_share
        from .formats.claude import usage_decoder  # noqa: F401

        with open(told, "rb") as pipe:
            task = pipe.read()
        if task.endswith(b"\0"):
            number, _, path = task[:-1].partition(b" ")
            task_of = usage_share.task_in(Path(os.fsdecode(path)).read_bytes())
            task_of.answer(self.queue.taken(), int(number))


class EarlyWorkers:
    """Worker processes that are there before anybody knows what they are to do.

    One is a copy of this process. It imports what reads files as a whole, and then makes the others, which are copies
    of it: each would need a quarter of a second for that. Where some are not made, nobody answers from their pipes.
    """

    def __init__(self, count: int) -> None:
        ours: list[tuple[int, int]] = []
        theirs: list[tuple[int, int]] = []
        for _ in range(count):
            taken, gives = os.pipe()
            told, answered = os.pipe()
            ours.append((gives, told))
            theirs.append((taken, answered))
        self.pipes = ours
        """Of each worker where it is given tasks, and where it tells what they came to."""
        self._process = copied(lambda: self._be_workers(theirs))
        for pair in theirs:
            _close(pair)

    def wait(self) -> None:
        """Wait until they have ended, as they do when nobody can give them tasks any more."""
        process, self._process = self._process, None
        if process is not None:
            os.waitpid(process, 0)

    def end(self) -> None:
        """End them, to which nobody has given a task."""
        for pair in self.pipes:
            _close(pair)
        self.wait()

    def _be_workers(self, pipes: Sequence[tuple[int, int]]) -> None:
        """Be the first of them."""
        _begin_as_copy([end for pair in self.pipes for end in pair])
        from . import work
        from .ready import make_all_ready

        make_all_ready()
        # They are done before the store is made and all is imported that loads: whoever does that is waited for.
        with contextlib.suppress(AttributeError, OSError):  # Windows knows none
            os.nice(_NICENESS)
        first, *others = pipes
        made = [copied(lambda pair=pair: work.serve_on(*pair)) for pair in others]  # type: ignore[misc]
        work.serve_on(*first, [process for process in made if process is not None])


def _begin_as_copy(ends: Iterable[int]) -> None:
    """Be a copy that does not need these ends of pipes, nor the streams."""
    gc.disable()
    # What it writes is as private as what this process writes, which has not said so yet.
    os.umask(0o077)
    # While anybody else has these, nobody would learn that this process has ended.
    _close(ends)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        # Whoever waits for the end of what this process tells is not to wait for its copies.
        os.dup2(nothing, stream)


def _close(ends: Iterable[int]) -> None:
    for end in ends:
        os.close(end)


_early: EarlyCopies | EarlyWorkers | None = None


def begin(*, whole: bool = False) -> None:
    """Make such copies, where the system has any and there are processors for them.

    `whole`: that are to read files as a whole; else for what responses took.
    """
    global _early
    if _early is None and (others := usual_processes() - 1) and can_be_copied():
        # What all of them need is imported once. Of what reads files as a whole that is more: this process knows what
        # there is to do long before its copies have imported the rest.
        if whole:
            from . import work  # noqa: F401
        else:
            from ..queries import facts  # noqa: F401
            from . import formats  # noqa: F401

        _early = EarlyWorkers(others + 1) if whole else EarlyCopies(others)


def take(kind: type[Early]) -> Early | None:
    """Those that were made, if they are of a kind, once: whoever takes them ends them or gives them something to do."""
    global _early
    if not isinstance(_early, kind):
        return None
    early, _early = _early, None
    return early


def end() -> None:
    """There is nothing for them to do, if they wait at all."""
    global _early
    early, _early = _early, None
    if early is not None:
        early.end()
