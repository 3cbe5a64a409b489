"""Times of calls in five classes, rates, hours, errors and what tools cost: scenarios reckoned by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from agnes_stats.queries.attribution import Attributed
from agnes_stats.queries.filters import Filter
from agnes_stats.queries.metrics import Metrics, metrics
from agnes_stats.queries.percentiles import percentile
from agnes_stats.queries.ranking import RankedAgent, ranked_agents
from agnes_stats.queries.store import Store

from tests.transcripts import HAIKU, Transcript, store_of

BEGUN = dt.datetime(2026, 3, 10, 8, 0)
LATER = dt.datetime(2026, 3, 12)


def asked(store: Store, chosen: Filter | None = None, now: dt.datetime = LATER) -> Metrics:
    with store.read() as connection:
        return metrics(connection, chosen or Filter(), now=now)


def timed(calls: Sequence[tuple[str, float, dict[str, Any]]], session: str = "") -> Transcript:
    """One call after the other: a tool, how many seconds it takes, what is said of its result or its input."""
    told = Transcript(session or "s", BEGUN).prompt("Go")
    for number, (name, seconds, more) in enumerate(calls):
        given = more.pop("given", {"command": "x"})
        key = f"{session}c{number}"
        told.wait(1).response((key, name, given)).wait(seconds).result(key, **more)
    return told


def counts(found: Metrics) -> list[int]:
    return [row.count for row in found.classes]


def test_the_edge_of_a_class_belongs_to_the_one_above(tmp_path: Path) -> None:
    seconds = (0, 0.999, 1, 4.999, 5, 9.999, 10, 29.999, 30, 4000)
    found = asked(store_of(tmp_path, [timed([("Bash", each, {}) for each in seconds])]))
    assert counts(found) == [2, 2, 2, 2, 2]
    assert [row.below_ms for row in found.classes] == [1000, 5000, 10000, 30000, None]


NOT_EXECUTED: list[tuple[str, dict[str, Any]]] = [
    ("AskUserQuestion", {}),
    ("ExitPlanMode", {}),
    ("Bash", {"given": {"command": "make", "run_in_background": True}}),
    ("Agent", {"toolUseResult": {"agentId": "a1", "status": "async_launched"}}),
    ("Agent", {"toolUseResult": {"agent_id": "rex@1", "status": "teammate_spawned"}}),
    ("Bash", {"error": True, "text": "no", "toolDenialKind": "user-rejected"}),
]


def test_waits_for_a_person_refusals_and_what_goes_on_are_no_execution(tmp_path: Path) -> None:
    sessions = [
        timed([(name, 20, dict(more)), ("Read", 2, {})], session=f"s{at}-")
        for at, (name, more) in enumerate(NOT_EXECUTED)
    ]
    store = store_of(tmp_path, sessions)
    for told, (name, _) in zip(sessions, NOT_EXECUTED, strict=True):
        found = asked(store, Filter(session_id=told.session))
        assert counts(found) == [0, 1, 0, 0, 0]
        [row] = [row for row in found.by_tool if row.name == name]
        assert (row.count, row.p50_ms) == (1, None)


def test_a_call_that_failed_ran_all_the_same(tmp_path: Path) -> None:
    assert counts(asked(store_of(tmp_path, [timed([("Bash", 7, {"error": True, "text": "Exit code 1"})])]))) == [
        *(0, 0, 1),
        *(0, 0),
    ]


def test_percentiles_lie_between_values(tmp_path: Path) -> None:
    found = asked(store_of(tmp_path, [timed([("Bash", each, {}) for each in (1, 2, 3, 4, 10)])]))
    [bash] = [row for row in found.by_tool if row.name == "Bash"]
    assert (bash.p50_ms, bash.p95_ms) == (3000, pytest.approx(4000 + 0.8 * 6000))
    assert percentile([1, 2, 3, 4, 10], 0.95) == pytest.approx(4 + 0.8 * 6)
    assert (percentile([], 0.5), percentile([7], 0.95)) == (None, 7)


def test_errors_have_classes_and_a_rate(tmp_path: Path) -> None:
    errors = [
        ("Bash", "Exit code 2\nmake: *** no rule"),
        ("Bash", "Command timed out after 2m"),
        ("Read", "File does not exist."),
        ("Edit", "String to replace not found in file."),
        ("Write", "EACCES: permission denied"),
        ("Thing", "something else"),
    ]
    calls: list[tuple[str, float, dict[str, Any]]] = [(name, 1, {"error": True, "text": text}) for name, text in errors]
    calls += [("Bash", 1, {"error": True, "text": "no", "toolDenialKind": "user-rejected"})]
    calls += [("Bash", 1, {})] * 3
    found = asked(store_of(tmp_path, [timed([(name, s, dict(more)) for name, s, more in calls])]))
    assert {row.name: row.count for row in found.error_classes} == {
        "command failed": 1,
        "timeout": 1,
        "not found": 1,
        "stale or unread": 1,
        "no permission": 1,
        "other": 1,
        "denied": 1,
    }
    assert found.error_ratio == 7 / 10


def test_hours_and_the_rate_end_now(tmp_path: Path) -> None:
    told = (
        Transcript("s", "2026-03-10T08:10:00").prompt("One").wait(60).response(("c1", "Read", {})).wait(1).result("c1")
    )
    told.now = dt.datetime(2026, 3, 11, 6, 58)
    told.prompt("Two").wait(60).response(("c2", "Read", {}), ("c3", "Read", {})).wait(1).result("c2")
    found = asked(store_of(tmp_path, [told]), now=dt.datetime(2026, 3, 11, 7, 1))
    hours = {row.hour: (row.prompts, row.tool_calls) for row in found.by_hour}
    assert len(hours) == 24
    assert min(hours) == dt.datetime(2026, 3, 10, 8, 0)
    assert {hour: both for hour, both in hours.items() if both != (0, 0)} == {
        dt.datetime(2026, 3, 10, 8, 0): (1, 1),
        dt.datetime(2026, 3, 11, 6, 0): (1, 2),
    }
    # A prompt, a response and two calls in five minutes.
    assert found.events_per_minute == 4 / 5
    assert [(day.day.day, day.count) for day in found.daily] == [(10, 1), (11, 2)]


def test_days_are_all_of_the_range_where_there_is_one(tmp_path: Path) -> None:
    store = store_of(tmp_path, [timed([("Read", 1, {})])])
    (called,) = (row.day for row in asked(store).daily)
    first, last = called - dt.timedelta(days=2), called + dt.timedelta(days=3)
    days = asked(store, Filter(since=first, until=last)).daily
    assert [(row.day - called).days for row in days] == [-2, -1, 0, 1, 2, 3]
    assert [row.count for row in days] == [0, 0, 1, 0, 0, 0]
    assert asked(store, Filter(since=last)).daily == ()


def test_a_slash_command_is_no_call_whosever_it_is(tmp_path: Path) -> None:
    told = timed([("Read", 1, {}), ("Skill", 1, {"given": {"skill": "shop:invoice"}})])
    found = asked(store_of(tmp_path, [told.command("shop:review").wait(1).command("review")]))
    assert {(row.kind, row.name): row.count for row in found.by_tool} == {
        ("tool", "Read"): 1,
        ("plugin", "shop"): 2,
        ("command", "review"): 1,
    }
    assert found.calls == sum(row.count for row in found.daily) == 2


def test_sizes_of_responses(tmp_path: Path) -> None:
    told = Transcript("s", BEGUN).prompt("Go").wait(2)
    told.response(tokens=(1, 2, 3, 4)).wait(1).prompt("On").wait(4).response(tokens=(10, 20, 30, 40))
    responses = asked(store_of(tmp_path, [told])).responses
    assert (responses.count, responses.avg_tokens, responses.peak_tokens) == (2, 55, 100)
    assert (responses.p50_ms, responses.p99_ms) == (3000, pytest.approx(3980))


def by_name(found: Metrics) -> dict[tuple[str, str], Attributed]:
    return {(row.kind, row.name): row for row in found.by_tool}


def test_a_response_belongs_to_the_calls_it_answers_in_equal_parts(tmp_path: Path) -> None:
    told = Transcript("s", BEGUN).prompt("Go").wait(1)
    told.response(("c1", "Read", {}), ("c2", "Bash", {"command": "x"}), tokens=(0, 1000, 0, 0)).wait(1)
    told.result("c1", "y" * 400).result("c2").wait(1)
    told.response(("c3", "mcp__db__ask", {}), tokens=(0, 101, 0, 0)).wait(1).result("c3").wait(1)
    told.response(("c4", "Skill", {"skill": "chart"}), tokens=(0, 7, 0, 0)).wait(1).result("c4").wait(1)
    told.response(("c5", "Skill", {"skill": "docs:write"}), tokens=(0, 9, 0, 0)).wait(1).result("c5").wait(1)
    told.response(tokens=(0, 11, 0, 0)).wait(1).command("mine").wait(1).response(tokens=(0, 13, 0, 0))
    found = asked(store_of(tmp_path, [told]))
    rows = by_name(found)
    assert {key: row.total_tokens for key, row in rows.items()} == {
        # Of 101 tokens, which cannot be halved.
        ("tool", "Read"): 51,
        ("tool", "Bash"): 50,
        ("server", "db"): 7,
        ("skill", "chart"): 9,
        ("plugin", "docs"): 11,
        ("command", "mine"): 13,
    }
    assert {row.rule for row in found.by_tool} == {"answers"}
    assert found.rest.total_tokens == 1000
    assert rows["tool", "Read"].result_tokens == 100


def test_what_the_agent_says_itself_comes_first(tmp_path: Path) -> None:
    told = Transcript("s", BEGUN).prompt("Go").wait(1).response(("c1", "Read", {}), tokens=(0, 1, 0, 0))
    told.wait(1).result("c1").wait(1).response(tokens=(0, 50, 0, 0))
    told.rows[-1]["attributionSkill"] = "chart"
    rows = by_name(asked(store_of(tmp_path, [told])))
    assert (rows["skill", "chart"].total_tokens, rows["skill", "chart"].rule) == (50, "told")
    assert (rows["tool", "Read"].total_tokens, rows["tool", "Read"].count) == (0, 1)


def test_a_sub_agents_responses_answer_its_own_calls(tmp_path: Path) -> None:
    main = Transcript("s", BEGUN).prompt("Go").wait(1)
    main.response(("c1", "Agent", {"subagent_type": "Explore"}), tokens=(0, 1, 0, 0))
    inner = Transcript("s", main.now, agent="a1", model=HAIKU).note("Explore", "look", "c1").prompt("look").wait(1)
    inner.response(("r1", "Grep", {}), tokens=(0, 20, 0, 0)).wait(1).result("r1").wait(1).response(
        tokens=(0, 300, 0, 0)
    )
    main.wait(30).result("c1", toolUseResult={"agentId": "a1", "status": "completed"}).wait(1).response(
        tokens=(0, 4000, 0, 0)
    )
    found = asked(store_of(tmp_path, [main, inner]))
    assert {key: row.total_tokens for key, row in by_name(found).items()} == {
        ("tool", "Agent"): 4000,
        ("tool", "Grep"): 300,
    }
    assert found.rest.total_tokens == 21


def ranked(store: Store, now: dt.datetime = LATER) -> dict[tuple[str, str | None], RankedAgent]:
    with store.read() as connection:
        found = ranked_agents(connection, Filter(), now=now)
    return {(row.subagent_type, row.model): row for row in found}


def test_agents_are_ranked_by_what_they_did(tmp_path: Path) -> None:
    main = Transcript("s", BEGUN).prompt("Go").wait(1)
    main.response(("c1", "Agent", {"subagent_type": "Explore"}), tokens=(0, 1, 0, 0))
    inner = Transcript("s", main.now, agent="a1", model=HAIKU).note("Explore", "look", "c1").prompt("look").wait(1)
    for number, (seconds, failed) in enumerate([(1, False), (2, False), (3, True), (10, False)]):
        inner.response((f"r{number}", "Bash", {"command": "x"}), tokens=(0, 10, 0, 0)).wait(seconds)
        inner.result(f"r{number}", "Error", error=failed)
    main.now = inner.now
    main.result("c1", toolUseResult={"agentId": "a1", "status": "completed"}).wait(1).response(tokens=(0, 2, 0, 0))
    store = store_of(tmp_path, [main, inner])
    rows = ranked(store)
    assert list(rows) == [("Explore", HAIKU), ("main", main.model)]
    explore, own = rows["Explore", HAIKU], rows["main", main.model]
    assert (explore.events, explore.tool_calls, explore.errors, explore.success_ratio) == (8, 4, 1, 0.75)
    assert (explore.avg_ms, explore.p95_ms) == (4000, pytest.approx(3000 + 0.85 * 7000))
    assert (explore.total_tokens, explore.sessions, explore.share) == (40, 1, 8 / 11)
    assert (own.events, own.success_ratio, own.total_tokens) == (3, 1, 3)
    assert not explore.is_running
    assert ranked(store, now=main.now)["Explore", HAIKU].is_running
    assert own.last_active_at == main.now
