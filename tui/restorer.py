"""Giving the terminal back without the help of the program that has it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

KEYBOARD, SCREEN = 0, 2
"""Descriptors that Textual reads from, and writes to."""

_LEAVE = (
    b"\x1b[?2026l"  # show what is held back
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # no reports of the mouse
    b"\x1b[?2004l\x1b[?2048l\x1b[?1004l"  # nor of pastes, sizes and the focus
    b"\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h"  # wrap lines, plain keys, the screen of before, a cursor
)
"""What takes back all that Textual asks a terminal for."""


def restorer() -> Callable[[], None]:
    """Remember how the terminal is now; what puts it back, from any thread. That does nothing if it is as it was."""
    try:
        import termios
    except ImportError:
        return lambda: None
    try:
        before = termios.tcgetattr(KEYBOARD)
    except termios.error:
        return lambda: None

    def restore() -> None:
        with contextlib.suppress(OSError, termios.error):
            if termios.tcgetattr(KEYBOARD) != before:
                termios.tcsetattr(KEYBOARD, termios.TCSANOW, before)
                os.write(SCREEN, _LEAVE)

    return restore
