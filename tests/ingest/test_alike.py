"""Rows that say the same as the one before them lead to the labels that each of them would tell by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.formats.claude.decoder import ClaudeDecoder
from agnes_stats.ingest.formats.source import SourceFile, State
from agnes_stats.ingest.formats.times import joined
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples

TIMES = [f"2026-05-01T10:{minute:02}:00Z" for minute in (0, 5, 12, 40)]

USUAL = {"type": "user", "sessionId": "s", "uuid": "a", "gitBranch": "main", "version": "2.1", "cwd": "/home/dev/one"}

changes: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["user", "assistant", "attachment"]),
    "sessionId": st.sampled_from(["t", "", 5]),
    "gitBranch": st.sampled_from(["fix", None]),
    "version": st.sampled_from(["2.2", 2]),
    "cwd": st.sampled_from(["/home/dev/two", 1]),
    "isSidechain": st.sampled_from([True, 0]),
    "forkedFrom": st.sampled_from([{"sessionId": "o"}, {"sessionId": "p"}, {}]),
    "customTitle": st.sampled_from(["Named", ""]),
    "aiTitle": st.just("Guessed"),
}
change = st.one_of(
    st.just(dict[str, Any]()), *(st.fixed_dictionaries({name: values}) for name, values in changes.items())
)
row = st.builds(
    lambda time, uuid, other: USUAL | {"timestamp": time, "uuid": uuid} | other,
    st.sampled_from([*TIMES, None]),
    st.sampled_from(["a", "b", "c", "", None]),
    change,
)


def _file(folder: str) -> SourceFile:
    return SourceFile("claude", Path(folder), Path(folder) / "s.jsonl", is_main=True, session_id="s")


def _read(lines: list[bytes], *, at_once: bool) -> dict[str, Any]:
    """What lines come to, all of one stretch, or each of one of its own."""
    batch, state, pos = Batch(), State(), 0
    for stretch in [lines] if at_once else [[line] for line in lines]:
        decoder = ClaudeDecoder(_file("/x"), state, batch)
        for line in stretch:
            decoder.feed(line, pos)
            pos += len(line)
        state = decoder.finish()
    told: dict[str, Any] = {}
    for table, pick in (("session_firsts", min), ("session_lasts", max)):
        for said in batch.of(table):
            key, label = f"{said['session_id']} {said['kind']}", (said["ts"], said["pos"], said["value"])
            told[key] = pick(told.get(key, label), label)
    for session in {said["session_id"] for said in batch.of("activity")}:
        times = [
            (said["started_at"], said["ended_at"]) for said in batch.of("activity") if said["session_id"] == session
        ]
        told[session] = list(joined(times))
    return told


@settings(max_examples=examples(80, 300), deadline=None)
@given(st.lists(row, max_size=12))
# The last row is the earliest; the last row has no id; each of them says what it was forked from.
@example([USUAL | {"timestamp": TIMES[time], "uuid": name} for time, name in ((1, "a"), (2, "b"), (0, "c"))])
@example([USUAL | {"timestamp": TIMES[time], "uuid": name} for time, name in ((1, "a"), (2, "b"), (3, ""))])
@example([USUAL | {"timestamp": TIMES[time], "forkedFrom": {"sessionId": "o"}} for time in (0, 1)])
def test_labels_and_activity_are_those_of_rows_read_one_by_one(rows: list[dict[str, Any]]) -> None:
    timed = {"type": "user", "sessionId": "u", "timestamp": TIMES[0]}
    lines = [json.dumps(told).encode() + b"\n" for told in (timed, *rows)]
    assert _read(lines, at_once=True) == _read(lines, at_once=False)
