"""Ending the program at once, whatever it is doing.

A signal, or `q`, first asks for an orderly end: the screen is left, transactions are undone, worker processes and
temporary folders go. That cannot wait for what may never come back, a disk that does not answer for one: a thread that
does nothing else ends the process after a moment in any case. Nothing is lost by that, for nothing is by a kill.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

GRACE_SECONDS = 0.5
"""How long an orderly end may take."""

LAST_SECONDS = 0.3
"""How long the rest may take, which is done in any case: to give the terminal back."""

_SIGNALS = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)


class _Ending:
    """What is to be done when the program ends. One for the process."""

    def __init__(self) -> None:
        self.status: int | None = None
        """The exit status, once the end has begun."""
        self.begun = False
        """Whether somebody has said so; signals aside."""
        self.ask: Callable[[int], None] | None = None
        """Asks for an orderly end with a status, from any thread; None: the main thread is interrupted instead."""
        self.last: list[Callable[[], None]] = []
        """What is done in any case, from another thread than the main one."""
        self.pipe: int | None = None
        """Where to say that the end begins; None: nobody listens."""


_ending = _Ending()


def heed_signals() -> None:
    """From now on SIGINT, SIGTERM and SIGHUP end the program, unless whoever started it had them ignored.

    In the main thread only. They raise KeyboardInterrupt there, but for a block of `by`.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    if os.name != "posix":
        return
    reader, _ending.pipe = os.pipe()
    os.set_blocking(_ending.pipe, False)
    threading.Thread(target=_watch, args=(reader,), name="agnes-stats-ending", daemon=True).start()
    # Python writes a signal's number there as soon as it comes, also while the main thread is deep in a library.
    signal.set_wakeup_fd(_ending.pipe, warn_on_full_buffer=False)


def interrupted_status() -> int:
    """The exit status after KeyboardInterrupt: 128 and the number of the signal."""
    return 128 + signal.SIGINT if _ending.status is None else _ending.status


def begin() -> None:
    """Say that an orderly end has begun, with status 0: it has to come to one."""
    if _ending.pipe is not None and not _ending.begun:
        _ending.begun = True
        with contextlib.suppress(OSError):
            os.write(_ending.pipe, b"\0")


def hang_up() -> None:
    """The terminal has gone: end as by SIGHUP, which is not sent to all who use it.

    Only the first process of the terminal gets the signal, and the others once that has ended; `make`, for one, does
    not end by it.
    """
    if _ending.pipe is not None:
        with contextlib.suppress(OSError):
            os.write(_ending.pipe, bytes([signal.SIGHUP]))


@contextlib.contextmanager
def by(ask: Callable[[int], None]) -> Iterator[None]:
    """In this block signals are not raised: `ask` is called from another thread with the status to end with."""
    before, _ending.ask = _ending.ask, ask
    try:
        yield
    finally:
        _ending.ask = before


@contextlib.contextmanager
def in_any_case(do: Callable[[], None]) -> Iterator[None]:
    """If the process ends in this block without coming to its end, `do` is done first, from another thread."""
    _ending.last.append(do)
    try:
        yield
    finally:
        _ending.last.remove(do)


def _interrupt(number: int, _: FrameType | None) -> None:
    if _ending.status is None:
        # Who watches may hear of it only later.
        _ending.status = 128 + number
    if _ending.ask is None:
        raise KeyboardInterrupt


def _watch(reader: int) -> None:
    """Wait for the end to begin, let it be an orderly one for a moment, then end the process."""
    limit: threading.Timer | None = None
    while told := os.read(reader, 1):
        number = told[0]
        if number and number not in _SIGNALS:
            continue
        if limit is not None:
            if not number:
                # That is the orderly end that a signal has asked for.
                continue
            # Asked for a second time.
            _end_at_once()
        _ending.status = 128 + number if number else 0
        limit = threading.Timer(GRACE_SECONDS, _end_at_once)
        limit.daemon = True
        limit.start()
        if number and _ending.ask is not None:
            _ending.ask(_ending.status)


def _end_at_once() -> None:
    last = threading.Thread(target=_do_last, daemon=True)
    last.start()
    last.join(LAST_SECONDS)
    os._exit(_ending.status or 0)


def _do_last() -> None:
    for do in reversed(_ending.last):
        do()
