"""Ids of calls that a model counts up, and those that nobody else has."""

from __future__ import annotations

import pytest
from agnes_stats.ingest.formats.counted_calls import CountedCalls


@pytest.mark.parametrize("call", ["0", "12345", "call_1", "Bash:0", "functions." + "read" * 40 + ":12345", "é7"])
def test_an_id_that_counts_up_is_of_its_answer(call: str) -> None:
    calls = CountedCalls({})
    assert calls.called(call, "msg_1") == calls.of_result(call, "s") == f"msg_1\x1f{call}"
    assert CountedCalls({}).of_result(call, "s") == f"s\x1f{call}"


@pytest.mark.parametrize(
    "call", ["", "toolu_1", "toolu_01AbC2", "call_123456", "1" * 6, "call_" + "a" * 40 + "9", "Bash:0a", "read12"]
)
def test_any_other_id_is_kept(call: str) -> None:
    calls = CountedCalls({})
    assert (calls.called(call, "msg_1"), calls.of_result(call, "s"), calls.state()) == (call, call, {})
