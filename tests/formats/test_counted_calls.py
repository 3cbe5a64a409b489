"""Calls whose ids only count up, and their results."""

from __future__ import annotations

import pytest
from agnes_stats.ingest.formats.counted_calls import _COUNTS_UP, CountedCalls, _counts_up


def test_all_calls_of_an_answer_have_their_results_though_these_come_last() -> None:
    calls = CountedCalls({})
    told = [calls.called(f"Bash:{number}", "msg_1") for number in range(60)]
    assert len(set(told)) == 60
    on = CountedCalls(calls.state())
    assert [on.of_result(f"Bash:{number}", "s") for number in range(60)] == told


def test_the_same_id_in_the_next_answer_is_another_call() -> None:
    calls = CountedCalls({})
    first, second = calls.called("call_1", "msg_1"), calls.called("call_1", "msg_2")
    assert first != second == calls.of_result("call_1", "s")


def test_an_id_of_its_own_stays_as_it_is() -> None:
    assert CountedCalls({}).called("toolu_01", "msg_1") == "toolu_01"


@pytest.mark.parametrize("number", ["7", "12345", "123456"])
@pytest.mark.parametrize(
    "before", ["", "a", "long_enough_a", "call_", "Bash:", "functions.read:", "toolu_", "ééééééé", "0"]
)
@pytest.mark.parametrize("behind", ["", "\n", "x"])
def test_ids_that_count_up_are_told_by_their_end(before: str, number: str, behind: str) -> None:
    """A shorter look at nearly all others finds the same."""
    call = f"{before}{number}{behind}"
    assert _counts_up(call) == (_COUNTS_UP.search(call) is not None)
