"""`--fast`: the tests that need no store, no process and no dashboard, and those marked `fast` that do."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.queries.store import Store
from agnes_stats.tui import cli

from tests.machine import Machine
from tests.storing import store_in
from tests.transcripts import store_of

_COSTLY: tuple[Any, ...] = (Engine, Machine, Store, cli, store_in, store_of, subprocess)
"""What a module that has one of these at hand does with it takes tenths of seconds, each time."""

_WHERE = (
    "tests.counting.ways",
    "tests.faults.",
    "tests.formats.arriving",
    "tests.tui.running",
    "tests.tui.access_world",
)
"""What comes from these does that, too."""


def _is_costly(module: Any) -> bool:
    return any(
        any(value is costly for costly in _COSTLY) or str(getattr(value, "__module__", "")).endswith(_WHERE)
        for value in vars(module).values()
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="only tests without a store, a process or a dashboard")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("fast"):
        return
    costly: dict[Any, bool] = {}
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        module = getattr(item, "module", None)
        if module not in costly:
            costly[module] = _is_costly(module)
        is_kept = item.get_closest_marker("fast") or not costly[module]
        (kept if is_kept else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)
