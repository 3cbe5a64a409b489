"""What is said of what the tests cost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cpu import over_budget
from tests.examples import examples, takes_few

ROOT = Path(__file__).resolve().parent.parent
_MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def test_a_run_over_the_budget_says_by_how_much() -> None:
    assert over_budget(441.0, 440).startswith("WARNING: over the budget by 1 s.")
    assert over_budget(440.0, 440) == ""
    assert over_budget(9e9, 0) == "", "one file alone has no budget"


def test_the_budget_is_the_one_that_is_told() -> None:
    [budget] = re.findall(r"^CPU_BUDGET \?= (\d+)$", _MAKEFILE, re.MULTILINE)
    assert f"take {budget} CPU seconds at most" in " ".join((ROOT / "docs/contributing.md").read_text("utf-8").split())


def test_properties_are_tried_with_few_examples_where_the_long_tests_do_not_run(pytestconfig: pytest.Config) -> None:
    marks = dict(re.findall(r'^([\w-]+):[^\n]*\n(?:\t[^\n]*\n)*?\t[^\n]*-m "([^"]+)"', _MAKEFILE, re.MULTILINE))
    assert {target: takes_few(said) for target, said in marks.items()} == {
        "test": True,
        "test-fast": True,
        "test-long": False,
        "test-lake": True,
    }
    assert not takes_few("")
    assert examples(5, 12) == (5 if takes_few(pytestconfig.option.markexpr) else 12)
