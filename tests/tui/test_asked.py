"""What the dashboard's own questions cost, and where it says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agnes_stats.ingest.news import UpToDate
from agnes_stats.tui.asked import Costs, QuestionCost
from agnes_stats.tui.messages import IngestNews
from agnes_stats.tui.sync import program

from tests.transcripts import Transcript, store_of
from tests.tui.running import app_on, press, screen_text, settle


def clock(*seconds: float) -> Iterator[float]:
    """The time at the beginning and at the end of questions that take so long."""
    now = 0.0
    for took in seconds:
        yield now
        now += took
        yield now


def test_count_average_percentile_and_hits() -> None:
    times = clock(*(number / 1000 for number in range(1, 101)), 6.0)
    costs = Costs(lambda: next(times))
    for _ in range(100):
        with costs.asking("list"):
            pass
    with costs.asking("chart"):
        pass
    costs.hit("list")
    costs.hit("never asked")
    chart, listed, never = costs.rows()
    assert (chart.name, chart.count, chart.p95_ms) == ("chart", 1, pytest.approx(6000))
    assert (listed.count, listed.hits) == (100, 1)
    assert (listed.average_ms, listed.p95_ms) == (pytest.approx(50.5), pytest.approx(95))
    assert never == QuestionCost("never asked", 0, None, None, 1)


def test_what_fails_is_no_answer_and_old_times_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agnes_stats.tui.asked.LATEST", 2)
    times = clock(9.0, 0.001, 0.002)
    costs = Costs(lambda: next(times))
    for _ in range(3):
        with costs.asking("list"):
            pass
    assert [cost.p95_ms for cost in costs.rows()] == [pytest.approx(2)]
    with pytest.raises(KeyError), Costs(lambda: 0.0).asking("x"):
        raise KeyError
    assert Costs().rows() == Costs(keeps=False).rows() == []


def test_in_words() -> None:
    cost = QuestionCost("Sessions", 1200, 18.2, 41.0, 3)
    told = program._question(cost).cells
    assert list(told.values()) == ["sessions", "1.2k", "18 ms", "41 ms", "3"]
    never = QuestionCost("Header", 0, None, None, 2)
    assert list(program._question(never).cells.values()) == ["header", "0", "–", "–", "2"]


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_the_sync_tab_tells_it(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_on(store_of(tmp_path, [Transcript("s", "2026-03-10T09:00:00").prompt("Go").response()]), tab="sync")
    app.costs = Costs(lambda: 0.0)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await press(pilot, "1", "4")
        app.post_message(IngestNews(UpToDate(1, 0.0)))
        await settle(pilot)
        if size[1] < 32:
            # A small screen shows one part at a time.
            await press(pilot, "w", "w", "w")
        told = screen_text(app)
        assert "Questions of this dashboard" in told and "Average" in told and "header" in told
        assert {"Sync", "Sessions", "Header"} <= {cost.name for cost in app.costs.rows()}
