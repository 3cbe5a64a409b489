"""An event that ends a wait in the kernel, too."""

from __future__ import annotations

import contextlib
import os
from threading import Event

_CHUNK = 4096


class WakingEvent(Event):
    """An event with a descriptor that can be read from as soon as it is set. For systems that wait for pipes."""

    def __init__(self) -> None:
        super().__init__()
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)

    def set(self) -> None:
        """Set it, and wake who waits for the descriptor."""
        super().set()
        with contextlib.suppress(OSError):
            os.write(self._writer, b"x")

    def clear(self) -> None:
        """Take it back."""
        with contextlib.suppress(OSError):
            os.read(self.reader, _CHUNK)
        super().clear()

    def __del__(self) -> None:
        for descriptor in (self.reader, self._writer):
            with contextlib.suppress(OSError):
                os.close(descriptor)
