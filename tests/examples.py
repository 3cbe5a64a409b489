"""How many examples a property is tried with: a few each time, many with the long tests.

A mistake that is made anew is found by the first few nearly always; what is found seldom is looked for seldom.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

_QUICK, _USUAL = 25, 100
"""Of a property that says nothing about it."""


class _Chosen:
    is_quick = False


def examples(quick: int, thorough: int) -> int:
    """The number of examples in this run; `thorough` where the long tests run, or a file alone."""
    return quick if _Chosen.is_quick else thorough


def takes_few(marks: str) -> bool:
    """Whether a run of the tests with these marks (what is said with `-m`) leaves out the long ones."""
    return "not long" in marks


def pytest_configure(config: pytest.Config) -> None:
    """Before any test is imported."""
    _Chosen.is_quick = takes_few(config.option.markexpr)
    settings.register_profile("agnes-stats", max_examples=examples(_QUICK, _USUAL), deadline=None)
    settings.load_profile("agnes-stats")
