"""The driver of a dashboard in a terminal, which sleeps while nobody types.

Textual's own (8.2) looks ten times a second whether a key came, and whether it is to end. This one waits in the kernel
for a key, for the end, or for the moment at which what came is no longer the beginning of a longer key.
"""

from __future__ import annotations

import contextlib
import os
import select
from codecs import getincrementaldecoder
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar

from textual._parser import ParseError
from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from ..queries.waking import WakingEvent
from . import ending, first_screen

if TYPE_CHECKING:
    from textual.driver import Driver

_CHUNK = 4096


def waiting(usual: type[Driver]) -> type[Driver]:
    """The driver to use where Textual would use this one; its own where it is not as we know it."""
    is_known = usual is LinuxDriver and hasattr(XTermParser(), "_timeout_time")
    return TerminalDriver if is_known else usual


class TerminalDriver(LinuxDriver):
    """Textual's own, but for how it waits for keys."""

    exit_event: Event
    TAKES_OVER: ClassVar[bool] = True
    """It goes on from a first screen that is shown."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.exit_event = WakingEvent()
        self._has_screen = False
        """Whether the terminal shows a screen of ours already."""

    def start_application_mode(self) -> None:
        """Take the terminal over, also from a first screen that is shown."""
        before = first_screen.current().take_over()
        self._has_screen = before is not None
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if before is not None:
            self.attrs_before = before

    def write(self, data: str) -> None:
        """Write to the terminal; a screen that is there is not asked for again, for that would clear it."""
        if self._has_screen and data == first_screen.ALTERNATE:
            self._has_screen = False
            return
        super().write(data)

    def run_input_thread(self) -> None:
        """Take what is typed until the driver ends."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        woken = self.exit_event.reader if isinstance(self.exit_event, WakingEvent) else -1
        while not self.exit_event.is_set():
            ready = select.select([self.fileno, woken], [], [], _left(parser))[0]
            if self.fileno in ready and not self._take(parser, decode(self._typed())):
                # Nobody sees this any more, and what is written to a terminal that has gone would be waited for.
                ending.hang_up()
                self.exit_event.wait()
            for event in parser.tick():
                self.process_message(event)
        with contextlib.suppress(EOFError, ParseError):
            for _ in parser.feed(""):
                pass

    def _typed(self) -> bytes:
        """What waits to be read; nothing if the terminal has gone."""
        try:
            return os.read(self.fileno, _CHUNK)
        except OSError:
            return b""

    def _take(self, parser: XTermParser, text: str) -> bool:
        """Tell what was typed; False at the end of it."""
        for event in parser.feed(text) if text else ():
            self.process_message(event)
        return bool(text)


def _left(parser: XTermParser) -> float | None:
    """Seconds until what came so far is whole whatever comes; None if nothing came that may go on."""
    until: float | None = parser._timeout_time
    return None if until is None else max(0.0, until - get_time())
