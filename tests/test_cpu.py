"""What is said of what the tests cost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cpu import over_budget
from tests.examples import examples

ROOT = Path(__file__).resolve().parent.parent


def test_a_run_over_the_budget_says_by_how_much() -> None:
    assert over_budget(441.0, 440).startswith("WARNING: over the budget by 1 s.")
    assert over_budget(440.0, 440) == ""
    assert over_budget(9e9, 0) == "", "one file alone has no budget"


def test_the_budget_is_the_one_that_is_told() -> None:
    [budget] = re.findall(r"^CPU_BUDGET \?= (\d+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert f"take {budget} CPU seconds at most" in " ".join((ROOT / "docs/contributing.md").read_text("utf-8").split())


def test_properties_are_tried_with_few_examples_where_the_long_tests_do_not_run(pytestconfig: pytest.Config) -> None:
    assert examples(5, 12) == (5 if pytestconfig.option.markexpr == "not long" else 12)
