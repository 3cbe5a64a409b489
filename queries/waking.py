"""An event that ends a wait in the kernel, too."""

from __future__ import annotations

import contextlib
import os
from threading import Event, Lock

_CHUNK = 4096


class WakingEvent(Event):
    """An event with a descriptor that can be read from as long as it is set. For systems that wait for pipes."""

    def __init__(self) -> None:
        super().__init__()
        # Set and told are one: who is woken and finds it not set would be woken again, for ever.
        self._one = Lock()
        self.reader, self._writer = os.pipe()

    def set(self) -> None:
        """Set it, and wake who waits for the descriptor."""
        with self._one:
            if not self.is_set():
                os.write(self._writer, b"x")
                super().set()

    def clear(self) -> None:
        """Take it back."""
        with self._one:
            if self.is_set():
                os.read(self.reader, _CHUNK)
                super().clear()

    def __del__(self) -> None:
        for descriptor in (self.reader, self._writer):
            with contextlib.suppress(OSError):
                os.close(descriptor)
