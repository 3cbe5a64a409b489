"""What holds for every test: nothing of the developer's machine is seen or touched."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import storing

pytest_plugins = ["tests.cpu", "tests.examples", "tests.fast"]

_FOREIGN = (
    "CLAUDE_",
    "AGNES_",
    "CODEX_",
    "GEMINI_",
    "OPENCODE_",
    "COPILOT_",
    "PI_",
    "MUX_",
    "XUM_",
    "SESSION_DATA_DIR",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "TEXTUAL",
)

_HOMES = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites the expected screens in tests/golden."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden from what is seen now")


def pytest_configure() -> None:
    """Ctrl-C means to the programs under test what it does on a terminal.

    A shell starts what it puts into the background, as in `make test &`, with SIGINT ignored, and that is inherited.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A set as a list of cases has another order in every process, and pytest-xdist then runs nothing at all."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        cases = mark.kwargs.get("argvalues", mark.args[-1] if mark.args else None)
        if isinstance(cases, set | frozenset):
            raise pytest.UsageError(f"{metafunc.definition.nodeid}: cases of a set have no order, sort them")


def pytest_collection_finish() -> None:
    """Do not look through all that was imported for garbage, again and again: a sixth of the time of the tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """What was frozen can be looked through again: DuckDB counts at the end what nobody has let go of, and says so."""
    gc.unfreeze()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a dashboard under test waits a fifth of its time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home folder, no variables of the programs we read from, and a clock that shows UTC."""
    # `mktemp` looks through all folders that there are for the next number: 2 ms after some thousand tests.
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_HOMES))
    home.mkdir(parents=True, mode=0o700)
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name, folder in (
        ("CONFIG", ".config"),
        ("DATA", ".local/share"),
        ("CACHE", ".cache"),
        ("STATE", ".local/state"),
    ):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / folder))
    with monkeypatch.context() as clock:
        clock.setenv("TZ", "UTC")
        time.tzset()
        yield home
    time.tzset()
    storing.close_all()
