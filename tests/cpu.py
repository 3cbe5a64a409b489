"""What the tests cost: CPU seconds of all processes and of the programs they start, told at the end of each run.

Wall time says nothing on a machine that is shared. `--cpu-of-files` tells each file and the dearest tests; a run of all
with `--cpu-budget` says whether they stay within it, and a run over it ends with a warning.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

_STARTING = "(starting, collecting)"


def _seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    return sum(os.times()[:4])


class Cost:
    """Adds up what each test took. Every worker has its own; the process that started them adds theirs to its own."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.taken: dict[str, float] = defaultdict(float)
        """Test -> CPU seconds. A fixture counts for the test that is the first to want it."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        before = _seconds()
        try:
            return (yield)
        finally:
            self.taken[item.nodeid] += _seconds() - before

    def pytest_sessionfinish(self) -> None:
        # The workers are children of the process that started them: it counts itself only.
        starts_workers = bool(self._config.getoption("numprocesses", None))
        own = sum(os.times()[:2]) if starts_workers else _seconds() - sum(self.taken.values())
        self.taken[_STARTING] += own
        if (output := getattr(self._config, "workeroutput", None)) is not None:
            output["cpu"] = dict(self.taken)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for test, seconds in getattr(node, "workeroutput", {}).get("cpu", {}).items():
            self.taken[test] += seconds

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        folders: dict[str, float] = defaultdict(float)
        files: dict[str, float] = defaultdict(float)
        for test, seconds in self.taken.items():
            file = test.split("::")[0]
            files[file] += seconds
            folders[file.rpartition("/")[0].removeprefix("tests/") if "/" in file else file] += seconds
        told = ", ".join(f"{folder} {seconds:.0f}" for folder, seconds in _dearest(folders))
        total, budget = sum(self.taken.values()), self._config.getoption("cpu_budget")
        terminalreporter.write_line(f"CPU {total:.0f} s{f' of {budget}' if budget else ''}: {told}")
        if said := over_budget(total, budget):
            terminalreporter.write_line(said, yellow=True, bold=True)
        if self._config.getoption("cpu_of_files"):
            for name, seconds in [*_dearest(files), *_dearest(self.taken)[:60]]:
                terminalreporter.write_line(f"{seconds:7.2f} s  {name}")


def over_budget(taken: float, budget: int) -> str:
    """The warning at the end of a run that took so many CPU seconds; "" within the budget, and if there is none (0)."""
    if not budget or taken <= budget:
        return ""
    return (
        f"WARNING: over the budget by {taken - budget:.0f} s. PYTEST_ARGS=--cpu-of-files tells where; "
        "docs/contributing.md how a test gets cheap."
    )


def _dearest(taken: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(taken.items(), key=lambda item: -item[1])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cpu-of-files", action="store_true", help="tell the CPU seconds of each file, and of the dearest tests"
    )
    parser.addoption(
        "--cpu-budget", type=int, default=0, metavar="S", help="warn at the end of a run over S CPU seconds"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Cost(config), "cost")
