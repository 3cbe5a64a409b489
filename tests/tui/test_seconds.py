"""The clock of what grows: it stands still while nothing does."""

from collections.abc import Callable
from typing import Any

from agnes_stats.tui.kit.seconds import Seconds


class Place:
    """Where a clock is: it is passed by hand."""

    def __init__(self) -> None:
        self.goes = False
        self.every: Callable[[], None] = lambda: None

    def set_interval(self, interval: float, callback: Callable[[], None], *, pause: bool) -> Any:
        assert interval == 1.0
        self.goes, self.every = not pause, callback
        return self

    def pause(self) -> None:
        self.goes = False

    def resume(self) -> None:
        self.goes = True


def test_it_goes_as_long_as_something_grows() -> None:
    place, ticks, grows = Place(), [0], [False]
    clock = Seconds(place, lambda: grows[0], lambda: ticks.append(1))  # type: ignore[arg-type]
    clock.look()
    assert not place.goes
    grows[0] = True
    clock.look()
    assert place.goes
    place.every()
    assert sum(ticks) == 1
    grows[0] = False
    place.every()
    assert (sum(ticks), place.goes) == (1, False), "what has ended is not told anew, and the clock stops"
