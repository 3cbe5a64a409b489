"""The first screen, kept when it was made, and shown at once the next time: to make it takes ten times as long.

It is what a terminal is sent, all of it, kept as answers of commands are (`queries/kept.py`): exact, or not used. It is
the same only as long as nothing runs, nobody writes to the store, the settings are as they were, and the day lasts.
The terminal is put into the state in which Textual will want it, which takes over from there (`terminal_driver`): what
is typed meanwhile waits for it. Imports next to nothing before it is shown.
"""

from __future__ import annotations

import os
import time

from ..queries import kept
from .restorer import KEYBOARD, LEAVE, SCREEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

ALTERNATE = "\x1b[?1049h"
"""Asks a terminal for a screen of our own."""

_ENTER = f"{ALTERNATE}\x1b[?25l\x1b[?7l".encode()
"""That, no cursor, and no wrapping of lines."""

ENDING = ("SIGTERM", "SIGHUP", "SIGINT")
"""Signals that end a program; of the last one Python makes an exception, which may come before anybody heeds it."""


class FirstScreen:
    """What may be kept of it, and whether what was kept is shown.

    A context manager around the run; at the end the terminal is given back if nobody has taken it.
    """

    def __init__(self, may_keep: kept.Kept | None) -> None:
        self.kept = may_keep
        """None: nothing is kept."""
        self.is_shown = False
        """Whether the terminal shows what was kept."""
        self.before: list[Any] | None = None
        """How the terminal was before that, as termios tells; None: as it is."""
        self._size: tuple[int, ...] | None = None

    def __enter__(self) -> None:
        global _current
        _current = self
        self._show()

    def __exit__(self, *_: object) -> None:
        global _current
        self.give_back()
        self.give_up()
        _current = FirstScreen(None)

    def _show(self) -> None:
        """Show what was kept, if it is still right; else begin to find out what this one depends on."""
        if self.kept is None:
            return
        frame = self.kept.find(time.time())
        if frame is None:
            self._size = _size()
            self.kept.look()
        else:
            self._send(frame)

    def take_down(self) -> None:
        """The store is asked from now on."""
        if self.kept is not None:
            self.kept.take_down()

    @property
    def is_wanted(self) -> bool:
        """Whether the one that is made now may be kept."""
        return self.kept is not None and self.before is None

    def keep(self, frame: bytes, store: str, until: float, is_still_so: Callable[[], bool]) -> None:
        """Keep what is on the screen now for next time, if nothing of it has changed since the store was asked."""
        if self.kept is not None and _size() == self._size:
            self.kept.settle(store, until, is_still_so)
            self.kept.keep(frame)

    def give_up(self) -> None:
        """This one is not kept."""
        if self.kept is not None:
            self.kept.give_up()

    def give_back(self) -> None:
        """Leave the terminal as it was, unless Textual has taken over."""
        if self.is_shown:
            self.is_shown = False
            _set(self.before)
            _write(LEAVE)

    def take_over(self) -> list[Any] | None:
        """From now on Textual has the terminal; how that was before, None if it is as it was."""
        was_shown, self.is_shown = self.is_shown, False
        return self.before if was_shown else None

    def _send(self, frame: bytes) -> None:
        import signal
        import termios

        try:
            self.before = termios.tcgetattr(KEYBOARD)
        except termios.error:
            return
        for name in ENDING:
            if signal.getsignal(getattr(signal, name)) in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(getattr(signal, name), self._end)
        # What is typed would be seen on the screen until somebody takes it.
        quiet = list(self.before)
        quiet[3] &= ~termios.ECHO
        self.is_shown = True
        if not (_set(quiet) and _write(_ENTER + frame)):
            self.give_back()

    def _end(self, number: int, _: FrameType | None) -> None:
        """End as by the signal."""
        import signal

        self.give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


_current = FirstScreen(None)


def current() -> FirstScreen:
    """That of this run."""
    return _current


def of(words: list[str]) -> FirstScreen:
    """That of a run with these words on its command line, which may become a dashboard."""
    return FirstScreen(kept.screen_of(words) if _is_ours() else None)


def _is_ours() -> bool:
    """Whether there is a terminal for a dashboard, and we are those who speak to it."""
    try:
        return all(map(os.isatty, (0, 1, 2))) and os.tcgetpgrp(KEYBOARD) == os.getpgrp()
    except (AttributeError, OSError):
        return False


def _size() -> tuple[int, ...]:
    try:
        return tuple(os.get_terminal_size(1))
    except OSError:
        return ()


def _set(attributes: list[Any] | None) -> bool:
    import termios

    try:
        if attributes is not None:
            termios.tcsetattr(KEYBOARD, termios.TCSANOW, attributes)
    except termios.error:
        return False
    return True


def _write(data: bytes) -> bool:
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(SCREEN, left) :]
    except OSError:
        return False
    return True
