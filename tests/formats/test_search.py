"""Bytes are found in a block where Python itself finds them, whoever looks for them."""

from __future__ import annotations

import random
import sys

import pytest
from agnes_stats.ingest.formats import search


@pytest.fixture(params=["library", "python"])
def whoever(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.setattr(search, "_memmem", lambda: None)


@pytest.mark.usefixtures("whoever")
def test_it_finds_what_python_finds() -> None:
    made = random.Random(7)
    for _ in range(300):
        block = bytearray(made.choices(b'ab"\0\n', k=made.randint(1, 60)))
        find, wanted = search.find_in(block), bytes(made.choices(b'ab"\0', k=made.randint(1, 4)))
        for _ in range(20):
            start, end = made.randint(0, len(block)), made.randint(0, len(block))
            assert find(wanted, start, end) == block.find(wanted, start, end)


@pytest.mark.usefixtures("whoever")
def test_it_sees_what_the_block_holds_later_and_nothing_behind_the_end() -> None:
    block = bytearray(64 * 1024)
    find = search.find_in(block)
    assert find(b'"x"', 0, len(block)) == -1
    memoryview(block)[-3:] = b'"x"'
    assert find(b'"x"', 0, len(block)) == len(block) - 3
    assert find(b'"x"', 0, len(block) - 1) == -1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere Python itself looks")
@pytest.mark.parametrize(("start", "end"), [(0, 9), (-1, 8)])
def test_nothing_beside_the_block_is_looked_at(start: int, end: int) -> None:
    with pytest.raises(IndexError):
        search.find_in(bytearray(8))(b"x", start, end)
