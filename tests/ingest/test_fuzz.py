"""Any bytes in a transcript: nothing stops the file, nothing breaks the store, and the lines around it count."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.storing import kept_open, store_in
from tests.transcripts import Transcript

WHOLE = Transcript("whole", "2026-03-10T09:00:00").prompt("count the orders").wait(5).response()
ROWS = [json.loads(line) for line in (json.dumps(row) for row in WHOLE.rows)]
NAMES = sorted({name for row in ROWS for name in row} | {"data", "toolUseResult", "summary", "leafUuid", "subtype"})

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["assistant", "user", "progress", "system", "summary", "tool_use", "tool_result", "\x1b[2J", "\ud800"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*NAMES, "usage", "content", "id", "input", "input_tokens"]), inner, max_size=5
        )
    ),
    max_leaves=12,
)


@st.composite
def odd_rows(draw: st.DrawFn) -> bytes:
    """A real row with some of its fields, at any depth, replaced by something else."""
    row = json.loads(json.dumps(draw(st.sampled_from(ROWS))))
    for _ in range(draw(st.integers(1, 4))):
        place: Any = row
        while isinstance(place, dict) and place:
            name = draw(st.sampled_from([*sorted(place), *NAMES]))
            if name in place and isinstance(place[name], dict) and draw(st.booleans()):
                place = place[name]
            else:
                place[name] = draw(values)
                break
    return json.dumps(row).encode()


@st.composite
def torn_rows(draw: st.DrawFn) -> bytes:
    """A real row with bytes cut out or put in."""
    line = bytearray(json.dumps(draw(st.sampled_from(ROWS))).encode())
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(line)))
        line[at : at + draw(st.integers(0, 6))] = draw(st.binary(max_size=6))
    return bytes(line).replace(b"\n", b" ")


lines = odd_rows() | torn_rows() | st.binary(max_size=40).map(lambda data: data.replace(b"\n", b" "))


@pytest.mark.long
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(lines, min_size=10, max_size=40))
def test_any_line_is_read_or_told_and_costs_no_other(odd: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "claude" / "projects" / "-home-dana"
        folder.mkdir(parents=True)
        whole = [json.dumps(row).encode() for row in ROWS]
        half = len(odd) // 2
        (folder / "odd.jsonl").write_bytes(b"\n".join([*odd[:half], *whole, *odd[half:], b""]))
        store = store_in(Path(name))
        with kept_open(store):
            Engine(store, [Root("claude", Path(name) / "claude")], workers=0).catch_up()
        with store.read() as connection:
            told = connection.execute("SELECT error, read_to = size FROM files").fetchall()
            key = ROWS[-1]["message"]["id"]
            counted = connection.execute("SELECT count(*) FROM responses WHERE key = ?", [key]).fetchone()
        assert told == [(None, True)]
        assert counted == (1,)
