"""Lines of Claude Code's responses that are compared before all of them is made lead to the rows that all make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agnes_stats.ingest.batch import Batch
from agnes_stats.ingest.formats.claude.decoder import ClaudeDecoder
from agnes_stats.ingest.formats.source import SourceFile
from agnes_stats.ingest.merged_batch import MergedBatch
from agnes_stats.ingest.merged_rows import MergedRows
from agnes_stats.ingest.short_rows import ShortRows
from agnes_stats.queries.facts import RESPONSES
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ingest.told_rows import shown, whole_rows

ODD = [1, True, ["x"], {"a": 1}, ""]
NAMES = [*ODD, "one", "two"]

counts = st.sampled_from([0, 3, 400, "4", None])
names = st.sampled_from(NAMES)
of_usage: dict[str, st.SearchStrategy[Any]] = {
    "output_tokens": st.sampled_from([3, 70, 400]),
    "input_tokens": counts,
    "cache_read_input_tokens": counts,
    "cache_creation_input_tokens": counts,
    "cache_creation": st.fixed_dictionaries({"ephemeral_1h_input_tokens": counts}),
    "output_tokens_details": st.fixed_dictionaries({"thinking_tokens": counts}),
    "server_tool_use": st.fixed_dictionaries({"web_search_requests": st.sampled_from([1, True, 2])}),
    "speed": names,
    "service_tier": names,
    "inference_geo": names,
    "iterations": st.sampled_from([[{"type": "message"}], [{"type": "advisor_message", "output_tokens": 8}]]),
}
of_message: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from(["gateway", None]),
    "usage": st.none(),
    "model": st.sampled_from([*NAMES, "<synthetic>"]),
    "stop_reason": st.sampled_from([*ODD, "end_turn", "tool_use", "new"]),
    "content": st.sampled_from([[], "text", [{"type": "text", "text": "x" * 900}]]),
    "output_config": st.fixed_dictionaries({"effort": names}),
    "diagnostics": st.sampled_from([{}, {"cache_miss_reason": {"type": "ttl", "cache_missed_input_tokens": 9}}]),
}
of_row: dict[str, st.SearchStrategy[Any]] = {
    "timestamp": st.none(),
    "costUSD": st.sampled_from([1, True, 0.5, "x"]),
    "version": st.just("2.1.14"),
    "isSidechain": st.just(True),
    "isApiErrorMessage": st.just(True),
    "sessionId": st.just("t"),
    "forkedFrom": st.just({"sessionId": "o"}),
    **dict.fromkeys(("agentId", "gitBranch", "attributionAgent", "effort", "perTurnEffort"), names),
    **dict.fromkeys(("attributionPlugin", "attributionSkill", "attributionMcpServer", "attributionMcpTool"), names),
}
change = st.one_of(
    *(
        st.tuples(st.just(where), st.just(name), values)
        for where, some in (("usage", of_usage), ("message", of_message), ("row", of_row))
        for name, values in some.items()
    )
)


def _row(name: str, minute: int, changes: list[tuple[str, str, Any]]) -> dict[str, Any]:
    usage: dict[str, Any] = {"input_tokens": 5, "output_tokens": 70}
    message: dict[str, Any] = {"id": name, "model": "one", "usage": usage}
    row: dict[str, Any] = {
        "type": "assistant",
        "sessionId": "s",
        "timestamp": f"2026-05-01T10:{minute:02}:00Z",
        "message": message,
    }
    for where, field, value in changes:
        {"usage": usage, "message": message, "row": row}[where][field] = value
    return row


# Most are like each other: only these share what is said.
rows = st.builds(_row, st.sampled_from(["msg_1", "msg_2"]), st.integers(0, 2), st.lists(change, max_size=2))
file = SourceFile("claude", Path("/x"), Path("/x/s.jsonl"), is_main=True, session_id="s")


@settings(max_examples=examples(100, 400), deadline=None)
@given(st.lists(rows, max_size=7))
def test_lines_compared_before_they_are_made_are_those_that_are_merged(told: list[dict[str, Any]]) -> None:
    one_by_one, at_once, in_short = Batch(), MergedBatch(), MergedBatch(short=ShortRows(3, 100))
    for batch in (one_by_one, at_once, in_short):
        decoder, pos = ClaudeDecoder(file, {}, batch), 0
        for row in told:
            line = json.dumps(row).encode()
            decoder.feed(line, pos)
            pos += len(line)
        decoder.finish()
    merged = MergedRows(RESPONSES)
    for row in one_by_one.of("responses"):
        merged.add(row)
    expected = shown(merged)
    assert shown(at_once.of("responses")) == expected
    assert shown([*in_short.of("responses"), *whole_rows(in_short)]) == expected
    for table in ("unknowns", "events"):
        assert one_by_one.of(table) == at_once.of(table) == in_short.of(table)
