"""A Textual app that ends at once, whoever asks, and of a mistake in one line; no byte of a terminal ends it."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import functools
import sys
from typing import Any, ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.actions import SkipAction
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver

from . import ending, terminal


def accept_any_byte() -> None:
    """Have Textual (8.2) pass over bytes that are no UTF-8, as those of a terminal in Latin-1: it ends of them."""
    with contextlib.suppress(ImportError):  # on Windows there are keys, not bytes
        from textual.drivers import linux_driver

        lenient = functools.partial(codecs.getincrementaldecoder("utf-8"), "replace")
        setattr(linux_driver, "getincrementaldecoder", lambda _: lenient)  # noqa: B010


class EndableApp(App[int]):
    """Ends by Ctrl+C on every screen, and by `end` from any thread. Its result is the exit status."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # On every screen, also where that has keys of its own, and where q is a letter.
        Binding("ctrl+c", "end", "Quit", show=False, priority=True, tooltip="Quit at once"),
        Binding("ctrl+p", "command_palette", "Palette", show=False, priority=True, tooltip="Every action by its name"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._event_loop: asyncio.AbstractEventLoop | None = None
        accept_any_byte()
        self._asked: int | None = None
        """With which status to end, if that was asked for before there was a loop."""
        self.ends_program = True
        """Whether there is nothing left to do once the app has ended."""

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, but that a terminal costs nothing while nobody types."""
        usual = super().get_driver_class()
        try:
            from .terminal_driver import waiting
        except ImportError:
            # Windows, or another Textual.
            return usual
        return waiting(usual)

    def on_load(self) -> None:
        """From now on there is a loop."""
        self._event_loop = asyncio.get_running_loop()
        if self._asked is not None:
            self.exit(self._asked)

    def exit(self, *given: Any, **named: Any) -> None:
        """End the app. What does not come to its end in a moment is left behind, if the program ends with it."""
        if self.ends_program:
            ending.begin()
        super().exit(*given, **named)

    def end(self, status: int) -> None:
        """The same with an exit status, from any thread, and at any time."""
        self._asked = status
        if self._event_loop is not None:
            # If it is closed by now, the end is under way.
            with contextlib.suppress(RuntimeError):
                self._event_loop.call_soon_threadsafe(self.exit, status)

    def _fatal_error(self) -> None:
        # Textual's own way would show local variables raw, and they hold what people wrote.
        error = sys.exc_info()[1]
        super().panic(Text("" if error is None else f"agnes-stats: {terminal.fault_text(error)}"))

    def panic(self, *renderables: RenderableType) -> None:
        """End the app and show these; a traceback, by which Textual tells of its own threads, as one line."""
        from rich.traceback import Traceback

        def told(one: RenderableType) -> RenderableType:
            if not isinstance(one, Traceback):
                return one
            last = one.trace.stacks[0]
            return Text(f"agnes-stats: {terminal.safe(f'{last.exc_type}: {last.exc_value}')}")

        super().panic(*map(told, renderables))

    def action_end(self) -> None:
        """Quit; but where something is selected, or a query runs, the key copies that, or stops this."""
        selected = getattr(self.focused, "selected_text", None) or self.screen.get_selected_text()
        if selected or getattr(self.screen, "is_asking", False):
            raise SkipAction
        self.exit()
