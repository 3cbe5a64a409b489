"""What is made once in a test run, however many processes it has."""

import fcntl
import os
import pickle
from collections.abc import Callable
from typing import TypeVar

import pytest

Made = TypeVar("Made")


def once(folders: pytest.TempPathFactory, name: str, make: Callable[[], Made]) -> Made:
    """What `make` returns. The first process that wants it makes it; the others wait, and take it from a file."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return make()
    shared = folders.getbasetemp().parent
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = shared / f"{name}.pickle"
        if not made.exists():
            made.write_bytes(pickle.dumps(make()))
        found: Made = pickle.loads(made.read_bytes())
        return found
