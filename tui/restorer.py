"""Giving the terminal back without the help of the program that has it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any

KEYBOARD, SCREEN = 0, 2
"""Descriptors that Textual reads from, and writes to."""

LEAVE = (
    b"\x1b[?2026l"  # show what is held back
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # no reports of the mouse
    b"\x1b[?2004l\x1b[?2048l\x1b[?1004l"  # nor of pastes, sizes and the focus
    b"\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h"  # wrap lines, plain keys, the screen of before, a cursor
)
"""What takes back all that Textual asks a terminal for."""


def restorer(before: Sequence[Any] | None = None) -> Callable[[], None]:
    """Remember how the terminal is now; what puts it back, from any thread. That does nothing if it is as it was.

    `before`: how it was, as termios tells, where it is another one by now.
    """
    try:
        import termios
    except ImportError:
        return lambda: None
    try:
        attributes = list(before or termios.tcgetattr(KEYBOARD))
    except termios.error:
        return lambda: None

    def restore() -> None:
        with contextlib.suppress(OSError, termios.error):
            if termios.tcgetattr(KEYBOARD) != attributes:
                termios.tcsetattr(KEYBOARD, termios.TCSANOW, attributes)
                os.write(SCREEN, LEAVE)

    return restore
