"""Two lines of a response that are alike in size and time: the one further down counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from agnes_stats.tests.counting.rows import answer, content
from agnes_stats.tests.counting.ways import WAYS, Bench

AT = "2026-03-02T10:00:00Z"
LINES = [answer("msg_a", AT, out=5, stop=None), answer("msg_a", AT, out=5, stop="end_turn")]


@pytest.mark.parametrize("way", ["at once", "line by line"])
@pytest.mark.parametrize(("lines", "stop"), [(LINES, "end"), (LINES[::-1], None)], ids=["said last", "said first"])
def test_of_equal_lines_the_last_counts(tmp_path: Path, way: str, lines: list[object], stop: str | None) -> None:
    with Bench(tmp_path) as bench:
        WAYS[way](bench, {"p/s1.jsonl": content(lines)})  # type: ignore[arg-type]
        assert bench.rows("SELECT stop_reason, output_tokens FROM responses") == [(stop, 5)]
