"""When garbage is looked for."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from agnes_stats.tui import garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    measure = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*measure)


def test_what_a_start_made_is_passed_over_and_the_rest_looked_through_at_rest_if_there_is_enough() -> None:
    gc.disable()
    try:
        garbage.begin_to_look()
        assert gc.isenabled()
    finally:
        gc.enable()
    assert gc.get_threshold() == garbage.MEASURE
    before = gc.get_freeze_count()
    assert before > 10_000
    kept = [[number] for number in range(1000)]
    garbage.pass_over()
    assert gc.get_freeze_count() >= before + len(kept)
    gc.collect()
    assert not garbage.look_at_rest()
    for _ in range(garbage.LEAST):
        gc.collect(1)
    assert garbage.look_at_rest() and not garbage.look_at_rest()
