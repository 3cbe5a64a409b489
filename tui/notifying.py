"""Telling the user outside of the screen: by the terminal's bell, by its own notifications, or by a command."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from .format import clean
from .settings import BELL, OFF, OSC9

COMMAND_SECONDS = 20.0
"""A command that takes longer is ended."""


class Notifier:
    """Tells one line at a time, in the way that the user chose."""

    def __init__(self, how: str, failed: Callable[[str], None]) -> None:
        """`failed` is called, from another thread, with why a command could not tell."""
        self._how = how
        self._failed = failed

    def tell(self, app: Any, line: str) -> None:
        """Tell a line. Returns at once."""
        line = clean(line)
        if self._how == BELL:
            app.bell()
        elif self._how == OSC9:
            # Textual has no word for it; its driver is the one way to the terminal while the screen is on.
            driver = app._driver
            if driver is not None:
                driver.write(f"\x1b]9;{line}\x07")
                driver.flush()
        elif self._how != OFF:
            threading.Thread(target=self._run, args=(line,), name="agnes-stats-notify", daemon=True).start()

    def _run(self, line: str) -> None:
        command = shlex.split(self._how)
        try:
            # Never through a shell: the line has words in it that somebody else wrote.
            process = subprocess.Popen(
                [*command, line],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._failed(f"{command[0]}: {getattr(error, 'strerror', None) or error}")
            return
        try:
            with contextlib.suppress(BrokenPipeError):
                process.communicate(f"{line}\n".encode(), COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self._failed(f"{command[0]}: took longer than {COMMAND_SECONDS:.0f} s")
            return
        if process.returncode:
            self._failed(f"{command[0]}: ended with {process.returncode}")
