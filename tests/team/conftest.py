"""One PostgreSQL for all tests of a process that want one; each has a database of its own in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.team.postgres import PASSWORD, Server, running

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Started once, and stopped at the end."""
    with running() as started:
        yield started


@pytest.fixture
def database(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database; passwords are told by the environment."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return server.database(f"team_{next(_numbers)}")
