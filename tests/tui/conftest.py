"""Expected screens, kept as text that can be read in a review."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)` compares a text with tests/golden/<name>.txt; `--update-golden` writes it instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if request.config.getoption("--update-golden"):
            path.write_text(f"{text}\n", "utf-8")
        assert path.is_file(), f"{path} is missing: run this test once with --update-golden, and read it"
        assert f"{text}\n" == path.read_text("utf-8")

    return compare
