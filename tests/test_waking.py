"""The event that wakes who waits in the kernel: it can be read from exactly as long as it is set."""

import os
import select
import threading
from collections.abc import Callable

import pytest
from agnes_stats.queries import waking


def is_told(event: waking.WakingEvent) -> bool:
    return bool(select.select([event.reader], [], [], 0)[0])


def test_it_is_told_as_long_as_it_is_set() -> None:
    event = waking.WakingEvent()
    for doing, is_set in (
        *((event.clear, False), (event.set, True), (event.set, True), (event.clear, False), (event.clear, False)),
        (event.set, True),
    ):
        doing()
        assert (event.is_set(), is_told(event)) == (is_set, is_set)


@pytest.mark.parametrize("name", ["write", "read"])
def test_so_it_is_also_when_it_is_set_and_taken_back_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    event = waking.WakingEvent()
    first: Callable[[], None] = event.set if name == "write" else event.clear
    second = event.clear if name == "write" else event.set
    if name == "read":
        event.set()
    real, others = getattr(os, name), list[threading.Thread]()

    def late(*given: object) -> object:
        # Another thread comes just before it is told, and has some time to come through.
        if not others:
            others.append(threading.Thread(target=second))
            others[0].start()
            others[0].join(0.1)
        return real(*given)

    monkeypatch.setattr(waking.os, name, late)
    first()
    others[0].join(20.0)
    assert event.is_set() is is_told(event)
    assert event.is_set() is (name == "read")
