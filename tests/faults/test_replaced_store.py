"""A store that is deleted, replaced, or has times of another clock, while a program that knows it goes on."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root

from tests.faults.world import World, lines, talk


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def deleted(store: Path) -> None:
    store.unlink()


def replaced_by_an_empty_one(store: Path) -> None:
    """In the same file, as `cp` does."""
    from tests.storing import store_in

    folder = store.parent / "other"
    folder.mkdir()
    shutil.copyfile(store_in(folder).path, store)


@pytest.mark.parametrize("happens", [deleted, replaced_by_an_empty_one])
def test_what_is_read_into_another_store_has_its_costs_and_days(world: World, happens: object) -> None:
    assert world.count("responses WHERE cost_usd IS NULL") == 0
    happens(world.store.path)  # type: ignore[operator]
    with world.file.open("a") as file:
        file.write(lines(talk("s9", 1)))
    found = world.engine.recognise(world.file)
    assert found is not None
    world.engine.ingest([found])
    assert world.count("responses") == 4
    assert world.count("responses WHERE cost_usd IS NULL") == 0
    assert world.count("tokens_daily WHERE cost_usd > 0 AND zone = 'UTC'") == 2


class Waits(threading.Event):
    """A stop that notes for how long it is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return super().wait(0.0)


@pytest.mark.parametrize(("ahead", "rests"), [(0, True), (3600, False)])
def test_a_store_whose_clock_is_ahead_is_not_left_alone_for_it(world: World, ahead: int, rests: bool) -> None:
    with world.file.open("a") as file:
        file.write(lines(talk("s9", 1)))
    os.utime(world.store.path, (time.time() + ahead,) * 2)
    other = Engine(world.store, [Root("claude", world.root)], stop=Waits())
    assert other.catch_up().files == 1
    assert bool(other.stop.seconds) is rests  # type: ignore[attr-defined]
