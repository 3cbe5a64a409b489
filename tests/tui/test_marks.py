"""What is a lower bound and what has no price is marked in one way everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from agnes_stats.tui import marks


@pytest.mark.parametrize(
    ("usd", "unpriced", "undercounted", "told"),
    [
        (3.12, 0, 0, "$3.12"),
        (3.12, 5, 0, "$3.12+?"),
        (3.12, 0, 2, "≥$3.12"),
        (3.12, 5, 2, "≥$3.12+?"),
        (12_345, 5, 2, "≥$12.3k+?"),
        (0.001, 0, 0, "<$0.01"),
        (0.001, 0, 2, "≥$0.00"),
        (0.001, 5, 0, "<$0.01+?"),
        (None, 5, 2, "+?"),
        (None, 0, 0, "–"),
    ],
)
def test_money(usd: float | None, unpriced: int, undercounted: int, told: str) -> None:
    assert marks.money(usd, unpriced=unpriced, undercounted=undercounted) == told


def test_tokens() -> None:
    assert marks.tokens(1_200_000) == "1.2M"
    assert marks.tokens(1_200_000, 1) == "≥1.2M"
    assert marks.tokens(None, 1) == "–"


def test_each_mark_is_explained_with_its_share() -> None:
    whole = marks.legends(
        undercounted=3,
        responses=40,
        unpriced=1500,
        tokens=3000,
        unpriced_models=[("a", 900), ("b", 300), ("c", 200), ("d", 60), ("e", 40)],
    )
    assert whole == [
        "≥ lower bound: 3 of 40 responses (8 %)",
        "+? no known price: 1.5k tokens (50 %): a 900, b 300, c 200 and 2 more",
    ]
    assert marks.legends(undercounted=3, responses=40, unpriced=0, tokens=3000, brief=True) == ["≥ in 8 %"]
    assert marks.legends(undercounted=0, responses=40, unpriced=0, tokens=3000) == []


def test_nothing_else_writes_the_marks() -> None:
    root = Path(marks.__file__).parent
    assert root.name == "tui"
    for path in root.rglob("*.py"):
        if path != Path(marks.__file__):
            assert not re.search(r"≥|\+\?[\"' ]|unpriced[\"'] if|\+unpriced", path.read_text("utf-8")), path
