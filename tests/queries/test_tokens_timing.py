"""Response times, turns and speed: which rows count, and how they are spread over the buckets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from agnes_stats.queries import timing
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.timing import Metric

from tests.transcripts import HAIKU, OPUS, SONNET, Transcript, store_of

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader


def transcripts() -> list[Transcript]:
    """Response times of 2, 4 and 6 s (and 30 s of a sub-agent); turns of 60 and 5 s."""
    main = Transcript("main", "2026-03-09T10:00:00")
    main.title("Fix the churn query").prompt("Go").wait(2)
    main.response(("t1", "Task", {"subagent_type": "Explore"}), tokens=(0, 100, 0, 0))
    agent = Transcript("main", main.now, agent="a1", model=HAIKU).prompt("Look").wait(30)
    agent.response(tokens=(0, 900, 0, 0))
    main.wait(40).result("t1", toolUseResult={"agentId": "a1", "status": "completed"}).wait(4)
    main.response(tokens=(0, 800, 0, 0), model=SONNET)
    main.row("system", subtype="turn_duration", durationMs=60_000)
    later = Transcript("later", "2026-03-10T10:00:00", cwd="/home/dana/work/website")
    later.row("system", subtype="turn_duration", durationMs=5_000)
    # A placeholder counts for the time, but not for the speed.
    later.prompt("Go").wait(6).response(tokens=(0, 3, 0, 0), stop=None).wait(60).prompt("Go on")
    return [main, agent, later]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with store_of(tmp_path_factory.mktemp("timing"), transcripts()).read() as opened:
        yield opened


def found(connection: Reader, metric: Metric, **chosen: object) -> timing.Distribution:
    answer = timing.distribution(connection, Filter(**chosen), metric)  # type: ignore[arg-type]
    assert answer is not None
    return answer


def test_response_time_is_from_the_prompt_or_result_to_the_first_row(connection: Reader) -> None:
    times = found(connection, "response")
    assert (times.count, times.least, times.p50, times.greatest) == (3, 2000, 4000, 6000)


def test_sub_agents_are_timed_where_the_filter_names_them(connection: Reader) -> None:
    assert found(connection, "response", subagent_type="Explore").p50 == 30_000
    assert timing.distribution(connection, Filter(subagent_type="Explore"), "turn") is None


def test_turns_are_what_claude_code_measured(connection: Reader) -> None:
    assert (found(connection, "turn").least, found(connection, "turn").greatest) == (5_000, 60_000)
    assert found(connection, "turn", model=SONNET).count == 1
    assert [(row.name, row.p50) for row in timing.by_model(connection, Filter(), "turn")] == [
        ("(unknown)", 5_000),
        (SONNET, 60_000),
    ]


def test_speed_is_output_over_the_whole_response_and_skips_placeholders(connection: Reader) -> None:
    speeds = found(connection, "speed")
    assert (speeds.count, speeds.least, speeds.greatest) == (2, 50, 200)


def test_every_metric_obeys_the_filter(connection: Reader) -> None:
    for metric in ("response", "turn"):
        one = {"count": 1}
        for chosen in (
            {"project": "/home/dana/work/website"},
            {"session_id": "later"},
            {"since": dt.date(2026, 3, 10)},
            {"until": dt.date(2026, 3, 9), "model": SONNET},
            {"text": "website"},
        ):
            assert found(connection, metric, **chosen).count == one["count"], (metric, chosen)  # type: ignore[arg-type]
        assert timing.distribution(connection, Filter(user="nobody"), metric) is None  # type: ignore[arg-type]


def test_models_have_their_own_percentiles(connection: Reader) -> None:
    rows = timing.by_model(connection, Filter(), "response")
    assert [(row.name, row.count, row.p50) for row in rows] == [(OPUS, 2, 4000), (SONNET, 1, 4000)]


def spread(folder: Path, seconds: list[float]) -> timing.Distribution:
    session = Transcript("s", "2026-03-10T10:00:00")
    for wait in seconds:
        session.prompt("Go").wait(wait).response()
    with store_of(folder, [session]).read() as connection:
        return found(connection, "response")


def test_twenty_buckets_from_the_least_to_p99_and_the_rest_in_the_last(tmp_path: Path) -> None:
    times = spread(tmp_path, [*range(1, 100), 5000])
    assert times.p99 == pytest.approx(148_010)
    assert len(times.counts) == timing.BUCKETS
    assert times.edges[0] == 1000
    assert times.edges[-1] == pytest.approx(times.p99)
    assert sum(times.counts) == 100
    assert times.counts[-1] == 1, "the outlier"
    assert times.counts[0] == 8, "1 to 8 s: a bucket is about 7.35 s wide"


def test_values_that_are_all_alike(tmp_path: Path) -> None:
    times = spread(tmp_path, [3, 3, 3])
    assert (times.least, times.p50, times.p99) == (3000, 3000, 3000)
    assert times.counts == (3, *[0] * 19)
    assert all(low < high for low, high in zip(times.edges, times.edges[1:], strict=False))


def test_a_p99_that_is_the_least_value_does_not_hide_the_greatest(tmp_path: Path) -> None:
    times = spread(tmp_path, [3] * 200 + [9])
    assert times.p99 == 3000
    assert times.edges[-1] == 9000
    assert (times.counts[0], times.counts[-1]) == (200, 1)
