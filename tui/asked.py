"""What the dashboard's own questions cost: how often each was asked, and how long it took until the answer was there.

That includes the wait for the store. An answer that was there already, as it was asked ahead or nothing has changed
since, is a hit.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

LATEST = 500
"""Times of a question that its percentile is taken of."""


@dataclass(frozen=True, slots=True)
class QuestionCost:
    """One question. `average_ms` is over all times, `p95_ms` over the latest; None where it was never asked."""

    name: str
    count: int
    average_ms: float | None
    p95_ms: float | None
    hits: int


@dataclass(slots=True)
class _Tally:
    count: int = 0
    seconds: float = 0.0
    hits: int = 0
    latest: deque[float] = field(default_factory=lambda: deque(maxlen=LATEST))


class Costs:
    """Keeps count. Safe from any thread."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter, *, keeps: bool = True) -> None:
        """`keeps`: False to keep nothing, where every run has to look the same."""
        self._clock = clock
        self._keeps = keeps
        self._lock = threading.Lock()
        self._tallies: dict[str, _Tally] = {}

    @contextlib.contextmanager
    def asking(self, name: str) -> Iterator[None]:
        """While a question is asked. One that fails is none."""
        begun = self._clock()
        yield
        seconds = self._clock() - begun
        with self._lock:
            tally = self._tallies.setdefault(name, _Tally())
            tally.count += 1
            tally.seconds += seconds
            tally.latest.append(seconds)

    def hit(self, name: str) -> None:
        """The answer to a question was there."""
        with self._lock:
            self._tallies.setdefault(name, _Tally()).hits += 1

    def rows(self) -> list[QuestionCost]:
        """Every question, the one that took longest in all first."""
        with self._lock:
            if not self._keeps:
                return []
            found = sorted(self._tallies.items(), key=lambda item: (-item[1].seconds, item[0]))
            return [_cost(name, tally) for name, tally in found]


def _cost(name: str, tally: _Tally) -> QuestionCost:
    if not tally.count:
        return QuestionCost(name, 0, None, None, tally.hits)
    ordered = sorted(tally.latest)
    # The smallest time that 95 of a hundred did not exceed.
    p95 = ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
    return QuestionCost(name, tally.count, tally.seconds / tally.count * 1000, p95 * 1000, tally.hits)
