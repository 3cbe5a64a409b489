"""Copies of this process that are made before anybody knows what there is to read.

While this process finds that out, and starts DuckDB, they import what reads: each of the two takes a tenth of a second.
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
    from pathlib import Path


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
        gc.disable()
        # What it writes is as private as what this process writes, which has not said so yet.
        os.umask(0o077)
        for other in (tells, *self._waiting.values()):
            # While anybody else has these, nobody would learn that this process has ended.
            os.close(other)
        self.queue.only_take()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            # Whoever waits for the end of what this process tells is not to wait for its copies.
            os.dup2(nothing, stream)
        from pathlib import Path

        from . import usage_share
        from .formats.claude import usage_decoder  # noqa: F401

        with open(told, "rb") as pipe:
            task = pipe.read()
        if task.endswith(b"\0"):
            number, _, path = task[:-1].partition(b" ")
            task_of = usage_share.task_in(Path(os.fsdecode(path)).read_bytes())
            task_of.answer(self.queue.taken(), int(number))


_early: EarlyCopies | None = None


def begin() -> None:
    """Make such copies, where the system has any and there are processors for them."""
    global _early
    if _early is None and (count := usual_processes() - 1) and can_be_copied():
        _early = EarlyCopies(count)


def take() -> EarlyCopies | None:
    """The copies that were made, once: whoever takes them ends them or tells them what to do."""
    global _early
    early, _early = _early, None
    return early


def end() -> None:
    """There is nothing for them to do, if they wait at all."""
    if (early := take()) is not None:
        early.end()
