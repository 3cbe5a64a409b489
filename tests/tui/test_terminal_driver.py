"""The driver that waits for keys in the kernel: every key comes, and nothing is done while none does."""

import asyncio
import os
import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from agnes_stats.tui import terminal_driver
from agnes_stats.tui.endable import EndableApp
from textual._xterm_parser import XTermParser
from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key

from tests.storing import until


async def _driver() -> terminal_driver.TerminalDriver:
    return terminal_driver.TerminalDriver(EndableApp())


class Typed:
    """A driver at work on a pipe."""

    def __init__(self) -> None:
        self.driver = asyncio.run(_driver())
        reader, self._writer = os.pipe()
        self.driver.fileno = reader
        self.keys: list[str] = []
        self.driver.process_message = self._hear  # type: ignore[method-assign]
        self.thread = threading.Thread(target=self.driver.run_input_thread)
        self.thread.start()

    def _hear(self, message: Any) -> None:
        if isinstance(message, Key):
            self.keys.append(message.key)

    def type(self, text: bytes) -> None:
        os.write(self._writer, text)

    def hang_up(self) -> None:
        os.close(self._writer)

    def end(self) -> None:
        self.driver.exit_event.set()
        self.thread.join(20.0)
        assert not self.thread.is_alive()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """How long it was going to wait, each time."""
    told: list[float | None] = []
    real = select.select

    def noted(readers: Any, writers: Any, others: Any, seconds: float | None = None) -> Any:
        told.append(seconds)
        return real(readers, writers, others, seconds)

    monkeypatch.setattr(terminal_driver.select, "select", noted)
    return told


@pytest.fixture
def typed() -> Iterator[Typed]:
    made = Typed()
    yield made
    made.end()


def test_it_sleeps_until_a_key_comes_and_tells_an_escape_from_the_beginning_of_another_key(
    waits: list[float | None], typed: Typed
) -> None:
    typed.type("aä".encode())
    until(lambda: typed.keys == ["a", "ä"])
    until(lambda: waits == [None, None])
    typed.type(b"\x1b[A")
    until(lambda: typed.keys[2:] == ["up"])
    typed.type(b"\x1b")
    until(lambda: typed.keys[3:] == ["escape"])
    until(lambda: waits[-1] is None)
    typed.type(b"\xff1")
    until(lambda: typed.keys[-1] == "1")
    assert all(seconds is None or seconds < 1 for seconds in waits)
    assert len(waits) < 12


def test_it_ends_when_it_is_told_to_also_without_a_key_and_begins_again() -> None:
    typed = Typed()
    typed.end()
    typed.driver.exit_event.clear()
    typed.thread = threading.Thread(target=typed.driver.run_input_thread)
    typed.thread.start()
    typed.type(b"q")
    until(lambda: typed.keys == ["q"])
    typed.end()


def test_who_has_hung_up_is_not_asked_again_and_again(waits: list[float | None], typed: Typed) -> None:
    typed.hang_up()
    typed.driver.exit_event.wait(0.05)
    assert len(waits) <= 2


def test_where_textual_is_another_one_its_own_driver_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal_driver.waiting(LinuxDriver) is terminal_driver.TerminalDriver
    assert terminal_driver.waiting(HeadlessDriver) is HeadlessDriver
    assert EndableApp().get_driver_class() is terminal_driver.TerminalDriver
    real = XTermParser.__init__

    def without(self: XTermParser, debug: bool = False) -> None:
        real(self, debug)
        del self._timeout_time

    monkeypatch.setattr(XTermParser, "__init__", without)
    assert EndableApp().get_driver_class() is LinuxDriver
