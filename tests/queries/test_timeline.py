"""How a session went over time."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from agnes_stats.queries.timeline import TimelineMoment, moments, timeline
from agnes_stats.queries.whereabouts import copies_of, origin_of, spots

from tests.transcripts import Transcript, store_of

START = dt.datetime(2026, 3, 10, 9, 0)


def at(seconds: float, kind: str = "response", amount: int = 1) -> TimelineMoment:
    return TimelineMoment(START + dt.timedelta(seconds=seconds), kind, amount)


def test_steps_are_equal_and_hold_all_that_happened() -> None:
    found = timeline([at(0, "prompt"), at(5, amount=100), at(31, "error"), at(59, amount=40), at(99, "compact")], 5)
    assert found is not None
    assert [step.tokens for step in found.steps] == [100, 0, 40, 0, 0]
    assert [step.errors for step in found.steps] == [0, 1, 0, 0, 0]
    assert [(step.prompts, step.compactions) for step in found.steps] == [(1, 0), (0, 0), (0, 0), (0, 0), (0, 1)]
    assert 99 / 5 < found.step_seconds < 20
    # Three steps are a minute.
    assert found.peak == 140
    longer = timeline([at(0, amount=600), at(599)], 2)
    assert longer is not None and round(longer.peak) == 120


def test_a_short_session_has_few_steps_and_a_long_pause_is_left_out() -> None:
    short = timeline([at(0), at(25)], 100)
    assert short is not None and (len(short.steps), short.step_seconds) == (3, 10.0)
    paused = timeline([at(0), at(60), at(60 + 86_400)], 12)
    assert paused is not None
    assert [step.after_pause for step in paused.steps].count(True) == 1
    # A minute to the pause, and a minute for it.
    assert 10 <= paused.step_seconds < 10.1
    assert paused.steps[-1].tokens == 1
    assert timeline([], 10) is None and timeline([at(0)], 0) is None


def test_what_a_session_tells_of_its_time(tmp_path: Path) -> None:
    told = Transcript("s", START).prompt("go").wait(1).response(("b", "Bash", {"command": "ls"})).wait(2)
    told.result("b", "boom", error=True).wait(3).event("compact_boundary", content="Conversation compacted")
    with store_of(tmp_path, [told]).read() as connection:
        found = moments(connection, "s")
        assert [(moment.kind, moment.amount, (moment.ts - START).total_seconds()) for moment in found] == [
            ("prompt", 1, 0.0),
            ("response", 1310, 1.0),
            ("error", 1, 3.0),
            ("compact", 1, 6.0),
        ]
        assert [(spot.label, Path(spot.path).name) for spot in spots(connection, "call", "b")] == [
            ("called", "s.jsonl"),
            ("result", "s.jsonl"),
        ]
        assert spots(connection, "prompt", "nothing") == []


def test_what_a_fork_began_as_a_copy_of(tmp_path: Path) -> None:
    first = Transcript("s", START).prompt("go").wait(1).response().title("the first")
    fork = Transcript("fork", START)
    fork.rows = [
        row | {"sessionId": "fork", "forkedFrom": {"sessionId": "s", "messageUuid": row["uuid"]}}
        for row in first.rows
        if row["type"] in ("user", "assistant")
    ]
    fork.wait(60).prompt("the other way").wait(1).response()
    with store_of(tmp_path, [first, fork]).read() as connection:
        origin = origin_of(connection, "fork")
        assert origin is not None and (origin.session_id, origin.title) == ("s", "the first")
        assert [copy.session_id for copy in copies_of(connection, "s")] == ["fork"]
        assert origin_of(connection, "s") is None and copies_of(connection, "fork") == []
