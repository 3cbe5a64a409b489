"""What sub-agents took and gave back, and how large results are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from agnes_stats.queries import delegation, results, tokens
from agnes_stats.queries.filters import Filter

from tests.transcripts import HAIKU, OPUS, Transcript, store_of

if TYPE_CHECKING:
    from agnes_stats.queries.store import Reader


def transcripts() -> list[Transcript]:
    """Two explorers, one of which reports in the background, a sub-agent of old that has no id, and some reading."""
    main = Transcript("main", "2026-03-09T10:00:00").title("Fix the churn query").prompt("Go").wait(2)
    calls = [(f"t{n}", "Task", {"subagent_type": "Explore", "description": f"Look {n}"}) for n in (1, 2)]
    main.response(*calls, tokens=(0, 100, 0, 0))
    first = Transcript("main", main.now, agent="a1", model=HAIKU).prompt("Look 1").wait(30)
    first.response(tokens=(0, 1000, 3000, 0)).wait(10).response(tokens=(0, 500, 3500, 0))
    second = Transcript("main", main.now, agent="a2", model=HAIKU).prompt("Look 2").wait(5)
    second.response(tokens=(0, 2000, 0, 0))
    main.wait(60).result("t1", "x" * 400, toolUseResult={"agentId": "a1", "status": "completed"})
    main.result("t2", "Launched.", toolUseResult={"agentId": "a2", "status": "async_launched"})
    main.wait(5).response(("r1", "Read", {"file_path": "/work/a.sql"}), ("b1", "Bash", {"command": "make"}))
    main.result("r1", "y" * 4000).result("b1", "Error: no rule", error=True)
    old = Transcript("old", "2026-01-09T10:00:00", cwd="/home/dana/work/website")
    old.prompt("Go").response(tokens=(0, 10, 0, 0))
    old.response(("r2", "Read", {"file_path": "/work/b.sql"}), tokens=(0, 20, 0, 0)).rows[-1]["isSidechain"] = True
    return [main, first, second, old]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with store_of(tmp_path_factory.mktemp("delegation"), transcripts()).read() as opened:
        yield opened


def test_agent_types_with_tasks_and_what_they_reported(connection: Reader) -> None:
    found = {row.name: row for row in delegation.by_subagent_type(connection, Filter())}
    assert list(found) == ["Explore", "main", "subagent"]
    explore = found["Explore"]
    assert (explore.tasks, explore.total_tokens, explore.reported_tokens) == (2, 10_000, 100)
    # The one that was only launched has not reported, so its tokens are not held against what came back.
    assert explore.compression == 8000 / 100
    assert (found["main"].tasks, found["main"].compression) == (0, None)
    assert (found["subagent"].tasks, found["subagent"].total_tokens) == (0, 20)


@pytest.mark.parametrize(
    "chosen", [Filter(), Filter(model=HAIKU), Filter(subagent_type="main"), Filter(since=dt.date(2026, 3, 1))]
)
def test_agent_types_add_up_to_the_headline(connection: Reader, chosen: Filter) -> None:
    whole = tokens.totals(connection, chosen)
    found = delegation.by_subagent_type(connection, chosen)
    assert sum(row.total_tokens for row in found) == whole.total_tokens
    assert sum(row.cost_usd or 0 for row in found) == pytest.approx(whole.cost_usd or 0)


def test_tasks_say_what_they_were_for_and_how_long_they_took(connection: Reader) -> None:
    first, second = delegation.tasks(connection, Filter())
    assert (first.subagent_id, first.description, first.title) == ("a1", "Look 1", "Fix the churn query")
    assert (first.seconds, first.reported_tokens, first.compression) == (40, 100, 80)
    assert (second.subagent_id, second.description, second.reported_tokens) == ("a2", None, None)
    assert len(delegation.tasks(connection, Filter(), limit=1)) == 1
    assert delegation.tasks(connection, Filter(project="website")) == []


def test_tools_by_the_size_of_their_results(connection: Reader) -> None:
    found = {row.name: row for row in results.by_tool(connection, Filter())}
    assert list(found) == ["Read", "Task", "Bash"]
    read = found["Read"]
    assert (read.calls, read.finished, read.errors) == (2, 1, 0)
    assert (read.result_bytes, read.result_tokens, read.largest_bytes, read.typical_bytes) == (4000, 1000, 4000, 4000)
    assert (found["Bash"].errors, found["Bash"].result_bytes) == (1, len("Error: no rule"))


def test_the_largest_results_say_where_they_were(connection: Reader) -> None:
    largest = results.largest(connection, Filter(), limit=2)
    assert [(row.id, row.name, row.title, row.result_tokens) for row in largest] == [
        ("r1", "Read", "Fix the churn query", 1000),
        ("t1", "Task", "Fix the churn query", 100),
    ]


def test_results_obey_the_filter(connection: Reader) -> None:
    def calls(**chosen: object) -> list[str]:
        return [row.name for row in results.by_tool(connection, Filter(**chosen))]  # type: ignore[arg-type]

    assert calls(project="website") == ["Read"]
    assert calls(subagent_type="subagent") == ["Read"]
    assert calls(subagent_type="main", session_id="old") == []
    assert calls(model=OPUS, since=dt.date(2026, 3, 1)) == ["Read", "Task", "Bash"]
    assert calls(model=HAIKU) == []
    assert calls(text="website") == ["Read"]
    assert calls(user="nobody") == []
