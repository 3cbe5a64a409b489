"""A clock for what grows with every second, that stands still while nothing does: each second costs time of its own."""

from __future__ import annotations

from collections.abc import Callable

from textual.widget import Widget


class Seconds:
    """Calls `tick` once a second, as long as `grows` says so; from the widget's mounting on."""

    def __init__(self, widget: Widget, grows: Callable[[], bool], tick: Callable[[], None]) -> None:
        self._grows = grows
        self._tick = tick
        self._timer = widget.set_interval(1.0, self._pass, pause=True)

    def look(self) -> None:
        """Something else is shown: go if that grows."""
        if self._grows():
            self._timer.resume()
        else:
            self._timer.pause()

    def _pass(self) -> None:
        if self._grows():
            self._tick()
        else:
            self._timer.pause()
