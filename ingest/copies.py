"""Copies of this process, which have imported already all that it has: to start a Python takes a fifth of a second."""

from __future__ import annotations

import gc
import os
import signal
import threading
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ENDING = tuple(number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None)


def can_be_copied() -> bool:
    """Whether this process may be copied from here.

    Not where the system knows no copies. And only from the main thread: of a dashboard, where that one draws, another
    one may be in the middle of something, and what it holds would never be let go of in the copy.
    """
    return hasattr(os, "fork") and threading.current_thread() is threading.main_thread()


def processors() -> int:
    """How many processors there are; one where the system does not say."""
    return os.cpu_count() or 1


def usual_processes() -> int:
    """How many processes read much, as long as nobody says otherwise: this one among them, if it reads at all."""
    return min(4, processors())


def copied(do: Callable[[], None]) -> int | None:
    """Do something in a copy of this process, which then ends; its number. None where the system has none to spare.

    Its status is 0 if nothing was raised. The copy must leave alone what works in threads, DuckDB above all. Ctrl-C is
    for this process to hear, which decides what becomes of the copy.
    """
    every = signal.valid_signals()
    # A signal that comes before the copy has its own ways would be told to this process, once more.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, every)
    try:
        with warnings.catch_warnings():
            # DuckDB's threads are none of the copy's.
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
        if not process:
            _be_a_copy(do, before)
    except OSError:
        return None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def _be_a_copy(do: Callable[[], None], signals: set[int | signal.Signals]) -> None:
    status = 1
    try:
        # What was there before is never looked through, which would copy its memory, and never let go of.
        gc.freeze()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in _ENDING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
        do()
        status = 0
    finally:
        # Nothing of what the two have in common is closed here.
        os._exit(status)


class Queue:
    """Numbers, of which each is taken by one of several processes: they lie in a pipe that all of them have."""

    def __init__(self) -> None:
        self._end, self._begin = os.pipe()
        self._owner = os.getpid()

    def fill(self, numbers: Sequence[int]) -> None:
        """Put all there will be into it, no more than `MOST_QUEUED`: from then on they may be taken."""
        try:
            os.write(self._begin, b"".join(number.to_bytes(_WIDTH, "big") for number in numbers))
        finally:
            self.only_take()

    def only_take(self) -> None:
        """In a copy of the process that fills it, before anything else: the queue ends when nobody can fill it."""
        begin, self._begin = self._begin, -1
        _close(begin)

    def taken(self) -> Iterator[int]:
        """The numbers that nobody else has taken, until there are none; in a copy as long as its owner is there."""
        # So few bytes are never told in part.
        while told := os.read(self._end, _WIDTH):
            if self._owner not in (os.getpid(), os.getppid()):
                return
            yield int.from_bytes(told, "big")

    def close(self) -> None:
        """Nobody takes any more in this process."""
        self.only_take()
        end, self._end = self._end, -1
        _close(end)


MOST_QUEUED = 2048
"""All of their numbers fit into a pipe, whatever the system."""

_WIDTH = 2


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
